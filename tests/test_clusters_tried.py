"""Innocent readings that were tried and do not fit: each reading stands in one of the two tables, with a reason."""

from __future__ import annotations

import polars as pl
import pytest

from propgraph.clusters.baseline import Baseline
from propgraph.clusters.readings import READINGS
from propgraph.clusters.tried import _WHY_NOT, tried_readings
from propgraph.report.explain.explain import explain
from propgraph.words.said import Said

BASE = Baseline(site_share={}, window_s=60, q=0.05)
#: A cluster that no reading fits, with figures that each tell something.
ROW = {
    "met_site_share": 0.2, "met_site_all": 0.1, "met_site": "s.example", "met_site_inside": 0.1,
    "met_origin_share": 0.004, "met_origin": "x", "top_object_share": 0.1, "n_objects": 12, "leader_share": 0.3,
    "leader_delay_s": 5.0, "n_meetings": 20, "leader_p": 0.5, "seconds_share": 0.2, "offset_spread_s": 30.0,
    "n_timed": 9, "n_declared": 1, "n_accounts": 8, "n_synchronised": 0, "p_value": None, "usual_rate": 0.01,
    "outsider_rate": 0.012, "window_rate": 0.4, "order_agreement": 0.5, "order_p": 0.4, "n_order_pairs": 30,
    "n_order_accounts": 8, "n_outsider_pairs": 400.0,
}  # fmt: skip


def told(**changes):
    rows = tried_readings(ROW | changes, BASE, fit=())
    return {row["reading"]: row for row in rows}


def test_every_reading_has_its_reason():
    assert len(_WHY_NOT) == len(READINGS)
    assert list(told()) == [
        "one-outlet", "fans", "breaking-news", "institution", "one-hand", "activists", "habits", "one-list",
        "no-comparison",
    ]  # fmt: skip
    assert "fans" not in {row["reading"] for row in tried_readings(ROW, BASE, fit=["fans"])}


@pytest.mark.parametrize(
    ("changes", "reading", "sentence", "value"),
    [
        ({}, "one-outlet", "20% of the posts over which they met link to s.example, and it would take 60%", 0.2),
        ({"met_site_all": 0.4}, "one-outlet", "it would take 80%", 0.2),
        ({"met_site_share": 0.9, "met_site_inside": 0.7}, "one-outlet", "they made 70% of the links", 0.9),
        ({"met_site_share": None}, "one-outlet", "are no links", None),
        ({}, "fans", "less than 1% of the posts", 0.004),
        ({"met_origin_share": None}, "fans", "goes back to no other account", None),
        ({}, "breaking-news", "makes 10% of their meetings, over 12 things", 0.1),
        ({"top_object_share": 0.6}, "breaking-news", "nearer to each other than the rush", 0.6),
        ({}, "institution", "nobody leads: whoever posted first most often did so 30%", 0.3),
        ({"leader_share": 0.8, "leader_delay_s": 300.0}, "institution", "after 5 minutes", 0.8),
        ({"leader_share": 0.8}, "institution", "chance makes one so as often", 0.8),
        ({"n_meetings": 1}, "institution", "too seldom", 0.3),
        ({}, "one-hand", "20% of the meetings of those who met most often lie within 2 s; the delay", 0.2),
        ({"seconds_share": None, "offset_spread_s": None}, "one-hand", "no two of them met often enough", None),
        ({}, "activists", "1 of the 8 accounts", 0.125),
        ({"n_declared": 0}, "activists", "none of the 8 accounts", 0.0),
        ({}, "habits", "1.2 times as often as others, and they are 40.0 times", 1.2),
        ({"n_synchronised": 3}, "habits", "3 pairs stand nearer", None),
        ({}, "one-list", "50% did so in one order", 0.5),
        ({}, "no-comparison", "400 pairs of posts", 400.0),
    ],
)  # fmt: skip
def test_the_sentence_says_what_is_missing(changes, reading, sentence, value):
    row = told(**changes)[reading]
    assert sentence in row["why_not"]
    assert row["value"] == (None if value is None else pytest.approx(value))
    assert Said.from_json(row["said"]).told("fr") != row["why_not"]


def test_what_fits_and_what_does_not_are_all_there_are(small_study):
    fit = small_study.readings.filter(subject_type="cluster").select("subject_id", "reading")
    tried = small_study.tried_readings.select("subject_id", "reading")
    both = pl.concat([fit, tried])
    assert both.is_unique().all()
    assert both.height == small_study.clusters.height * len(READINGS)
    part = next(part for part in explain(small_study, "c1").parts if "do not fit" in part.heading)
    assert len(part.lines) == tried.filter(subject_id="c1").height > 0
