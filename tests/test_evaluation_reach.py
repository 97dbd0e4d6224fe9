"""Who cannot be found by anybody: fewer than two objects in common with another account."""

import polars as pl

from propgraph.evaluation.evaluate import evaluate
from propgraph.evaluation.reach import out_of_reach
from propgraph.jobs.build import build
from propgraph.jobs.clusters import find_clusters

POSTS = [
    ("two", "x"), ("two", "y"),  # two common objects
    ("one", "x"), ("one", "own"),  # the second is its own
    ("again", "y"), ("again", "y"),  # one common object, twice
    ("alone", "mine"), ("alone", "mine"),  # only itself, twice
    ("other", "x"), ("other", "y"),
]  # fmt: skip


def study_of(folder):
    log = pl.DataFrame(POSTS, schema=["account_id", "object_id"], orient="row").with_columns(
        content_id=pl.int_range(len(POSTS)).cast(pl.String),
        timestamp=pl.datetime(2020, 1, 1, time_zone="UTC") + pl.duration(hours=pl.int_range(len(POSTS))),
    )
    return find_clusters(build(log, folder / "study").path)


def test_by_hand(tmp_path):
    study = study_of(tmp_path)
    ids = ["two", "one", "again", "alone", "other", "nobody"]
    assert [out_of_reach(study, pl.Series([id])) for id in ids] == [0, 1, 1, 1, 0, 1]
    assert out_of_reach(study, pl.Series(ids)) == 4
    assert out_of_reach(study, pl.Series([], dtype=pl.String)) == 0


def test_told_of_those_to_be_found_that_are_not_flagged(tmp_path):
    study = study_of(tmp_path)
    truth = pl.DataFrame({"account_id": ["two", "one", "alone"], "label": [True, True, False]})
    found = evaluate(study, truth, resamples=0)
    assert not study.account_scores["flagged"].any()
    assert (found.n_missed, found.n_out_of_reach) == (2, 1)
    scores = pl.DataFrame({"account_id": ["two", "one"], "score": [1.0, 0.0], "flagged": [True, False]})
    found = evaluate(scores, truth, resamples=0)
    assert (found.n_missed, found.n_out_of_reach) == (1, None)
