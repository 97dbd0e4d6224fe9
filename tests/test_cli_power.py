"""`propgraph power`, as a person types it."""

from __future__ import annotations

import io
import json

import polars as pl
import pytest

from propgraph.cli.app import run
from propgraph.jobs.power import measure_power
from propgraph.report.words import power_headline, would_be_flagged
from propgraph.schema import POWER

ROW = {
    "n_accounts": 10, "n_objects": 6, "span_s": 1800.0, "n_planted": 10, "n_flagged": 6, "power_low": 0.31,
    "power_high": 0.83,
}  # fmt: skip


@pytest.fixture
def measured(own_study):
    return measure_power(own_study.path, sizes=[5], objects=[3, 8], spans=[30], runs=2, seed=2)


def test_one_line_a_kind_of_crew(own_study, capsys):
    asked = ["--sizes", "5", "--objects", "3,8", "--spans", "30s,2m", "--runs", "2", "--turnout", "0.8"]
    assert run(["power", str(own_study.path), *asked]) == 0
    said = capsys.readouterr()
    assert said.err == ""  # no progress where nobody looks
    table = own_study.power
    assert table.select(POWER.key).rows() == [(5, 3, 30.0), (5, 3, 120.0), (5, 8, 30.0), (5, 8, 120.0)]
    assert table["turnout"].unique().to_list() == [0.8]
    lines = [line for line in said.out.splitlines() if line.startswith("A crew of 5 with ")]
    assert lines == [would_be_flagged(row) for row in table.to_dicts()]
    words = " ".join(said.out.split())
    assert words.startswith(power_headline(table.to_dicts()))
    assert "Crews planted in this log, 80% of them" in words


def test_in_words():
    assert would_be_flagged(ROW) == (
        "A crew of 10 with 6 objects in common, each within 30 minutes: flagged 6 times in 10 (3 to 8)"
    )
    one = ROW | {"n_objects": 1, "span_s": 90.0, "n_flagged": 1, "n_accounts": 1_000}
    assert would_be_flagged(one).startswith(
        "A crew of 1,000 with 1 object in common, each within 90 s: flagged 1 time in 10 ("
    )
    assert "each within 1 hour:" in would_be_flagged(ROW | {"span_s": 3600.0})
    assert "each within 2 days:" in would_be_flagged(ROW | {"span_s": 172_800.0})
    assert "each within 0 s:" in would_be_flagged(ROW | {"span_s": 0.0})


def test_the_smallest_crew_that_would_be_found():
    rows = [
        ROW,
        ROW | {"n_accounts": 20, "n_objects": 10, "n_flagged": 8},
        ROW | {"n_accounts": 20, "n_objects": 10, "n_flagged": 9, "span_s": 60.0},
        ROW | {"n_accounts": 20, "n_objects": 20, "n_flagged": 10},
        ROW | {"n_accounts": 50, "n_flagged": 10},
    ]
    assert power_headline(rows) == (
        "The smallest crew that would be found eight times in ten: a crew of 20 with 10 objects in common, each within "
        "30 minutes."
    )
    assert power_headline([ROW]) == "None of these crews would be found eight times in ten."


@pytest.mark.parametrize("format", ["json", "csv", "parquet"])
def test_data_and_nothing_planted_twice(measured, format, capfdbinary):
    capfdbinary.readouterr()
    before = measured.run["power"]
    assert run(["power", str(measured.path), "--format", format]) == 0
    assert measured.run["power"] == before
    out = capfdbinary.readouterr().out
    if format == "parquet":
        assert pl.read_parquet(io.BytesIO(out)).equals(measured.power)
    elif format == "json":
        assert [list(row) for row in json.loads(out)] == [list(POWER.columns)] * 2
    else:
        assert pl.read_csv(out)["n_objects"].to_list() == [3, 8]


def test_planted_again_where_asked_and_gone_with_the_clusters(measured, capsys):
    assert (
        run(["power", str(measured.path), "--sizes", "4", "--objects", "3", "--runs", "1", "--spans", "60"])
        == 0
    )
    assert measured.power["n_accounts"].to_list() == [4]
    assert run(["clusters", str(measured.path), "--min-score", "0.9"]) == 0
    assert "the table power was about those clusters and is taken out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--sizes", "5,x"], 2, "--sizes: '5,x' is not whole numbers with commas between"),
        (["--sizes", "1"], 2, "--sizes: 1 is too small"),
        (["--objects", ""], 2, "--objects: '' is not whole numbers"),
        (["--spans", "1m,soon"], 2, "--spans: 'soon' is no duration"),
        (["--spans", "600d"], 2, "--spans: "),
        (["--turnout", "2"], 2, "--turnout: 2.0 is not in 0 < turnout <= 1"),
        (["--runs", "0"], 2, "--runs: 0 is too small"),
        (["--format", "xml"], 2, "--format"),
        (["--objects", "9999", "--runs", "1"], 1, "too small a log for any of these crews"),
    ],
)
def test_what_cannot_be_asked(own_study, arguments, code, said, capsys):
    assert run(["power", str(own_study.path), *arguments]) == code
    assert said in capsys.readouterr().err


def test_no_study(tmp_path, capsys):
    assert run(["power", str(tmp_path / "none")]) == 1
    assert "no such study" in capsys.readouterr().err
