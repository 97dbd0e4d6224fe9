"""Review sheets read back: precision of flagged clusters by those who looked at them."""

from __future__ import annotations

import json

import pytest
from scipy.stats import norm

from propgraph.cli.app import run
from propgraph.errors import InputError
from propgraph.evaluation.reviews import evaluate_reviews


@pytest.fixture
def sheet(small_study, tmp_path):
    """Write the sheet of one reviewer."""

    def write(reviewer, verdicts, **others):
        record = {
            "format": "propgraph-review-1", "clusters": small_study.ids["clusters"], "reviewer": reviewer,
            "date": "2024-03-05", "reviews": [
                {"cluster_id": name, "verdict": verdict, "note": ""} for name, verdict in verdicts
            ],
        } | others  # fmt: skip
        path = tmp_path / f"{reviewer}.json"
        path.write_text(json.dumps(record))
        return path

    return write


def told(made):
    return {
        (row["measure"], row["kind"]): (row["n"], row["of"], row["value"]) for row in made.measures.to_dicts()
    }


def test_one_reviewer_counts_what_is_told_and_apart_what_is_open(own_study, sheet):
    clusters = own_study.clusters.with_columns(flagged=True)
    clusters.write_parquet(own_study.file("clusters"))
    names = clusters["cluster_id"].to_list()
    assert len(names) >= 4
    made = evaluate_reviews(own_study, [
        sheet("ana", [(names[0], "yes"), (names[1], "no"), (names[2], "yes"), (names[3], "unsure"), ("c999", "yes")])
    ])  # fmt: skip
    assert told(made) == {("precision", None): (2, 3, 2 / 3), ("unsure", None): (1, 4, 0.25)}
    assert (made.n_reviewed, made.n_flagged, made.n_reviewers, made.n_others) == (4, len(names), 1, 1)
    # Wilson's interval, by its formula.
    z, p, n = norm.ppf(0.975), 2 / 3, 3
    middle, half = p + z * z / (2 * n), z * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5
    ends = [(middle + sign * half) / (1 + z * z / n) for sign in (-1, 1)]
    row = made.measures.row(0, named=True)
    assert [row["low"], row["high"]] == pytest.approx(ends)


def test_of_several_the_majority_is_taken_and_a_tie_is_open(own_study, sheet):
    clusters = own_study.clusters.with_columns(flagged=True)
    clusters.write_parquet(own_study.file("clusters"))
    a, b, c, d = clusters["cluster_id"].to_list()[:4]
    made = evaluate_reviews(own_study, [
        sheet("ana", [(a, "yes"), (b, "yes"), (c, "no"), (d, "unsure")]),
        sheet("bo", [(a, "yes"), (b, "no"), (c, "no"), (d, "yes")]),
        sheet("cy", [(a, "no"), (c, "unsure")]),
    ])  # fmt: skip
    # a: 2 to 1 yes; b: a tie; c: no; d: yes by the one who is sure.
    assert told(made) == {
        ("precision", None): (2, 3, 2 / 3), ("unsure", None): (1, 4, 0.25), ("agreement", None): (1, 3, 1 / 3),
        ("precision", "ana"): (2, 3, 2 / 3), ("unsure", "ana"): (1, 4, 0.25),
        ("precision", "bo"): (2, 4, 0.5), ("unsure", "bo"): (0, 4, 0.0),
        ("precision", "cy"): (0, 1, 0.0), ("unsure", "cy"): (1, 2, 0.5),
    }  # fmt: skip


def test_what_is_no_review_of_these_clusters_is_told(small_study, sheet, tmp_path):
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(InputError, match=r"x\.json: no JSON"):
        evaluate_reviews(small_study, [tmp_path / "x.json"])
    (tmp_path / "x.json").write_text("[]")
    with pytest.raises(InputError, match="no review sheet"):
        evaluate_reviews(small_study, [tmp_path / "x.json"])
    with pytest.raises(InputError, match="another run"):
        evaluate_reviews(small_study, [sheet("ana", [], clusters="abc")])
    with pytest.raises(InputError, match="review 1 has the verdict 'maybe'"):
        evaluate_reviews(small_study, [sheet("ana", [("c1", "maybe")])])
    again = sheet("ana", [("c1", "no")]).rename(tmp_path / "again.json")
    with pytest.raises(InputError, match="says two things of c1"):
        evaluate_reviews(small_study, [again, sheet("ana", [("c1", "yes")])])


def test_the_command_reads_them(small_study, sheet, tmp_path, capfdbinary):
    file = str(sheet("ana", [("c1", "yes"), ("c2", "unsure")]))
    assert run(["evaluate", str(small_study.path), "--reviews", file]) == 0
    out = capfdbinary.readouterr().out.decode()
    assert "2 of 2 flagged clusters reviewed, by 1 reviewer" in out
    assert "1 of 1" in out
    assert "1 of 2" in out
    assert run(["evaluate", str(small_study.path), "--reviews", file, "--format", "csv"]) == 0
    assert capfdbinary.readouterr().out.startswith(b"measure,at,kind,value")
    assert run(["evaluate", str(small_study.path), "--reviews", str(tmp_path / "none.json")]) == 1
    assert b"none.json" in capfdbinary.readouterr().err
    assert run(["evaluate", str(small_study.path), "--reviews", file, "--truth", file]) == 2
