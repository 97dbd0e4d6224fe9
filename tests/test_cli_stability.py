"""`propgraph stability`, as a person types it."""

from __future__ import annotations

import io
import json

import polars as pl
import pytest

from propgraph.cli.app import run
from propgraph.jobs.stability import measure_stability
from propgraph.report.words import how_it_holds
from propgraph.schema import STABILITY


@pytest.fixture
def measured(own_study):
    measure_stability(own_study.path, runs=4, seed=2)
    return own_study


def test_one_line_a_flagged_cluster(own_study, capsys):
    assert run(["stability", str(own_study.path), "--runs", "4", "--seed", "2"]) == 0
    measured, said = own_study, capsys.readouterr()
    assert said.err == ""  # no progress where nobody looks
    flagged = measured.clusters.filter("flagged")["cluster_id"].to_list()
    lines = [line for line in said.out.splitlines() if "holds in" in line and "  " in line]
    assert [line.split()[0] for line in lines] == flagged
    assert all(" of 4 runs" in line for line in lines)
    assert f"of {len(flagged)} flagged clusters hold" in said.out


def test_the_choices_are_told_in_words():
    row = {"cluster_id": "c1", "holds_share": 0.93, "n_runs": 100, "jaccard_mean": 0.88}
    assert how_it_holds(row | {"vanishes": []}) == "c1  holds in 93 of 100 runs, similarity 0.88"
    told = how_it_holds(row | {"vanishes": ["q=0.01", "without=url", "drawn=yes", "time_window=30"]})
    assert told.endswith("; vanishes: q 0.01, without trace url, with part of the objects, window 30 s")
    assert how_it_holds(row | {"vanishes": [f"q={k}" for k in range(7)]}).endswith(
        "; vanishes under 7 choices"
    )


@pytest.mark.parametrize("format", ["json", "csv", "parquet"])
def test_data_and_nothing_measured_twice(measured, format, capfdbinary):
    capfdbinary.readouterr()
    before = measured.run["stability"]
    assert run(["stability", str(measured.path), "--format", format]) == 0
    assert measured.run["stability"] == before
    out = capfdbinary.readouterr().out
    if format == "parquet":
        assert pl.read_parquet(io.BytesIO(out)).equals(measured.stability)
    elif format == "json":
        assert [list(row) for row in json.loads(out)] == [list(STABILITY.columns)] * measured.stability.height
    else:
        assert pl.read_csv(out)["cluster_id"].to_list() == measured.stability["cluster_id"].to_list()


@pytest.mark.parametrize("format", ["csv", "table"])
def test_what_has_to_be_known_of_the_figures_is_told_beside_data_too(measured, format, capsys):
    run_json = measured.path / "run.json"
    record = json.loads(run_json.read_text())
    record["stability"]["notes"] = ["the first run did not find all"]
    run_json.write_text(json.dumps(record))
    assert run(["stability", str(measured.path), "--format", format]) == 0
    said = capsys.readouterr()
    assert "note: the first run did not find all\n" in (said.out if format == "table" else said.err)
    if format == "csv":
        assert (
            pl.read_csv(said.out.encode())["cluster_id"].to_list()
            == measured.stability["cluster_id"].to_list()
        )


def test_measured_again_where_asked(measured):
    assert run(["stability", str(measured.path), "--runs", "3"]) == 0
    assert measured.stability["n_runs"].unique().to_list() == [3]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--runs", "0"], 2, "runs"),
        (["--seed", "-1"], 2, "seed"),
        (["--format", "xml"], 2, "--format"),
        (["--top", "-1"], 2, "--top"),
    ],
)
def test_what_cannot_be_asked(own_study, arguments, code, said, capsys):
    assert run(["stability", str(own_study.path), *arguments]) == code
    assert said in capsys.readouterr().err


def test_no_study(tmp_path, capsys):
    assert run(["stability", str(tmp_path / "none")]) == 1
    assert "no such study" in capsys.readouterr().err
