"""The DISARM worksheet: offered for what was measured, everything else called not shown; never for the public."""

from __future__ import annotations

import re

from propgraph.export.disarm import all_techniques, techniques_of
from propgraph.report.page.report import write_report

ROW = {"flags": ["turnout"], "campaign_id": "g1"}


def ids(*, row=ROW, traces=(), n_platforms=1, seeds_sites=False):
    offered = techniques_of(row, traces=traces, n_platforms=n_platforms, seeds_sites=seeds_sites)
    return [key for key, _ in offered]


def test_each_is_offered_by_what_it_is_about():
    assert ids() == ["T0049.005"]
    assert ids(row={"flags": ["at-once"]}) == ["T0049.001", "T0049.003"]
    assert ids(traces=["hashtag"]) == ["T0049.002", "T0049.005"]
    assert ids(n_platforms=2) == ["T0049.005", "T0119.002"]
    assert ids(seeds_sites=True) == ["T0049.005", "T0049.007"]
    assert ids(row={"flags": ["created-together"]}) == []


def test_the_sheet_names_all_and_says_what_is_not_shown(small_study, tmp_path):
    write_report(tmp_path / "r.html", small_study)
    text = (tmp_path / "r.html").read_text()
    rows = dict(re.findall(r'<th scope="row">(T[0-9.]+)</th><td>[^<]*</td><td>([^<]*)</td>', text))
    assert sorted(rows) == sorted({key for key, _ in all_techniques()})
    assert rows["T0093"] == "not shown by this log"
    assert "c1" in rows["T0049.001"].split(", ")
    write_report(tmp_path / "p.html", small_study, audience="public")
    assert "T0049" not in (tmp_path / "p.html").read_text()
