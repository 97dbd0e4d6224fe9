"""Crews that an order finds: an app's militants, and nobody who reads a newsletter, a digest or a feed."""

from __future__ import annotations

import polars as pl
import pytest

from propgraph.clusters import readings
from propgraph.clusters.baseline import Baseline
from propgraph.clusters.rules import MISSION_ORDER, RULE
from propgraph.clusters.rules.missions import mission_order
from propgraph.clusters.selection import in_one_order
from propgraph.jobs.build import build
from propgraph.jobs.clusters import find_clusters
from propgraph.report.words import READINGS
from propgraph.simulate.app import simulate_app
from propgraph.study import Study
from propgraph.words.sentences import LANGUAGES, sentences_of

FLAGGED = {
    "n_accounts": 40, "n_order_accounts": 30, "n_order_pairs": 200, "order_agreement": 0.9, "order_expected": 0.5,
    "order_p": 1 / 201, "order_by_age": 0.45, "order_one_sitting": 0.4,
}  # fmt: skip
NO_BASE = Baseline(site_share={}, window_s=60.0, q=0.05)


def found(folder, **options) -> tuple[Study, pl.DataFrame, pl.DataFrame]:
    """The study of a simulated app, the flagged accounts with their roles, and the truth of those in the log."""
    made = simulate_app(**options)
    study = find_clusters(build(made.log, folder / "study", overwrite=True))
    truth = made.accounts.join(study.accounts.select("account_id"), on="account_id", how="semi")
    flagged = study.members.join(study.clusters.filter("flagged"), on="cluster_id", how="semi")
    return study, flagged.select("account_id").unique().join(truth, on="account_id"), truth


# None of these seeds was looked at when thresholds were chosen.
@pytest.mark.parametrize(("strength", "recall"), [(2.0, 0.95), (1.0, 0.9), (0.5, 0.7)])
def test_the_crew_is_found_and_hardly_anybody_else(tmp_path, strength, recall):
    study, flagged, truth = found(tmp_path, strength=strength, seed=31)
    hits = flagged.filter("organised").height
    assert hits / truth["organised"].sum() >= recall
    assert hits / flagged.height >= 0.95
    of = study.clusters.filter(pl.col("flags").list.contains(MISSION_ORDER))
    assert of["evidence"].unique().to_list() == ["order"]
    shown = study.evidence.filter(rule=MISSION_ORDER)
    assert (shown["content_ids"].list.len() == 20).all()
    posts = study.posts.filter(pl.col("content_id").is_in(shown["content_ids"].explode().to_list()))
    assert set(posts["account_id"]) <= set(study.members["account_id"])
    of_lists = study.clusters.filter(pl.col("innocent").list.contains("one-list"))
    assert of_lists.height
    assert not of_lists["flags"].list.contains(MISSION_ORDER).any()


def test_the_same_crew_in_free_order_is_not_flagged(tmp_path):
    study, flagged, _ = found(tmp_path, obedience=0.0, seed=31)
    assert not study.clusters["flags"].list.contains(MISSION_ORDER).any()
    assert flagged.filter("organised").height == 0
    # The list is one, so that they are a cluster all the same, which says how far they keep an order: not at all.
    crew = study.clusters.filter(pl.col("n_accounts") >= 40, evidence="order")
    assert crew["order_agreement"].to_list() == pytest.approx([0.5] * crew.height, abs=0.05)


@pytest.mark.parametrize("seed", [31, 32])
def test_where_nobody_is_organised_nothing_fires(tmp_path, seed):
    study, flagged, _ = found(tmp_path, n_militants=0, seed=seed)
    assert not study.clusters["flags"].list.contains(MISSION_ORDER).any()
    assert flagged.filter(pl.col("role").is_in(["newsletter", "digest", "feed"])).height == 0


def test_the_trace_of_orders_finds_the_crew_as_well(tmp_path):
    made = simulate_app(seed=33)
    study = build(made.log, tmp_path / "study", trace=["url", "order"])
    steps = study.scan("shares").filter(pl.col("trace") == "order").collect()
    assert steps["object_id"].str.count_matches(" > ", literal=True).eq(1).all()
    accounts = steps.group_by("object_id").agg(pl.col("account_id").n_unique())
    assert accounts["account_id"].min() == 2
    study = find_clusters(study, trace=["url", "order"])
    crew = study.clusters.filter(pl.col("flags").list.contains(MISSION_ORDER))
    members = study.members.join(crew, on="cluster_id", how="semi").join(made.accounts, on="account_id")
    assert members.filter("organised").height >= 70
    assert members["organised"].mean() >= 0.95


def test_every_reading_and_every_reason_has_words():
    told = {value for name, value in vars(readings).items() if name.isupper() and isinstance(value, str)}
    assert told <= set(READINGS)
    assert "one-list" in told
    for language in LANGUAGES:
        assert {f"meaning.{one}" for one in READINGS} <= set(sentences_of(language).texts)


def test_the_rule_has_thresholds_and_a_sentence():
    finding = mission_order(FLAGGED, NO_BASE)
    assert finding.fires
    assert (finding.value, finding.threshold, finding.expected) == (0.9, 0.7, 0.5)
    assert "30 of the 40 members" in finding.sentence
    assert "90% did so in the same order (by chance: 50%)" in finding.sentence
    assert "playlist" in finding.sentence
    for name, value in (
        ("order_agreement", 0.69), ("order_p", 0.011), ("n_order_pairs", 19), ("n_order_accounts", 4),
        ("order_by_age", 0.2), ("order_by_age", 0.8), ("order_by_age", None), ("order_one_sitting", 0.8),
    ):  # fmt: skip
        assert not mission_order(FLAGGED | {name: value}, NO_BASE).fires, name
    for name, value in (
        ("order_agreement", 0.7), ("order_p", 0.01), ("n_order_pairs", 20), ("n_order_accounts", 5),
        ("order_by_age", 0.21), ("order_by_age", 0.79), ("order_one_sitting", 0.79),
    ):  # fmt: skip
        assert mission_order(FLAGGED | {name: value}, NO_BASE).fires, name
    assert mission_order(FLAGGED | {"order_agreement": None}, NO_BASE) is None
    assert RULE[MISSION_ORDER].weight >= 0.5


def test_the_posts_that_show_it_are_sessions_in_order():
    minute = 60_000
    rows = [
        (who, thing, start + k * minute)
        for who, start, things in (
            ("ana", 0, "abc"),
            ("bo", 10**8, "ab"),
            ("cy", 2 * 10**8, "abc"),
            ("di", 0, "z"),
        )
        for k, thing in enumerate(things)
    ]
    posts = pl.DataFrame(
        {
            "trace": ["url"] * len(rows),
            "account_id": [who for who, *_ in rows],
            "object_id": [thing for _, thing, _ in rows],
            "content_id": [f"{who}-{thing}" for who, thing, _ in rows],
            "timestamp": pl.Series([t for *_, t in rows]).cast(pl.Datetime("ms", "UTC")),
        }
    )
    shown = in_one_order(posts.sample(fraction=1.0, shuffle=True, seed=1))["content_id"].to_list()
    assert shown[:8] == ["ana-a", "ana-b", "ana-c", "cy-a", "cy-b", "cy-c", "bo-a", "bo-b"]
