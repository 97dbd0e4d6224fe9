"""Payments of made-up campaigns, and that the range of hypothetical costs holds what was paid."""

import polars as pl
import pytest

from propgraph.jobs.build import build
from propgraph.jobs.clusters import find_clusters
from propgraph.simulate.budget import crowdturf_payments
from propgraph.simulate.crowdturf import simulate_crowdturf
from propgraph.simulate.veles import simulate_veles


def made_by_hand():
    log = pl.DataFrame(
        [
            ("original", "o", None), ("reshare", "r", "o"), ("reshare", "w1", "o"), ("reshare", "w2", "o"),
            ("reshare", "w1", "star"), ("reshare", "x", "o"), ("reply", "w1", "o"),
        ],
        schema=["kind", "account_id", "origin_account_id"],
        orient="row",
    )  # fmt: skip
    accounts = pl.DataFrame(
        {
            "account_id": ["o", "r", "w1", "w2", "w3", "x"],
            "role": ["organiser", "relay", "worker", "worker", "worker", "fan"],
        }
    )
    return log, accounts


def test_who_is_paid_for_what():
    paid = crowdturf_payments(*made_by_hand())
    assert paid.select("item", "n").rows() == [("profiles", 3), ("tasks", 2), ("relays", 1)]
    amount = dict(paid.select("item", "amount").iter_rows())
    assert amount["tasks"] == 0.02
    assert 0.3 < amount["profiles"] < 3
    assert 0.35 < amount["relays"] < 0.7
    assert set(paid["currency"]) == {"USD"}
    assert crowdturf_payments(*made_by_hand()).equals(paid)
    assert crowdturf_payments(made_by_hand()[0].clear(), made_by_hand()[1]).is_empty()


@pytest.mark.parametrize("kind", ["veles", "centralised", "distributed"])
def test_hypothetical_costs_hold_what_was_paid(tmp_path, kind):
    if kind == "veles":
        made = simulate_veles(
            setting="full", n_accounts=800, n_days=5, n_sites=12, n_seeders=100, strength=2, seed=21
        )
        paid = made.tables["truth_payments"].filter(pl.col("item") != "adverts")
    else:
        made = simulate_crowdturf(
            kind=kind, n_accounts=800, n_days=5, n_workers=60, n_missions=40, strength=2, seed=21
        )
        paid = crowdturf_payments(made.log, made.accounts)
    made.log.write_parquet(tmp_path / "log.parquet")
    study = find_clusters(build(tmp_path / "log.parquet", tmp_path / "study"))
    found = (
        study.costs.filter(subject_type="campaign")
        .group_by("item")
        .agg(pl.col("n_low", "n_high", "low", "high").sum())
    )
    told = {row["item"]: row for row in found.to_dicts()}
    low, high = (told["total"][end] for end in ("low", "high"))
    assert low <= paid["amount"].sum() <= high
    # The prices leave a wide range by themselves: what we count has to be right within a factor of two.
    n = dict(paid.group_by("item").agg(pl.col("n").sum()).iter_rows())
    for item in ("profiles", "tasks", "relays"):
        if item in n:
            assert n[item] / 2 <= told[item]["n_low"] <= told[item]["n_high"] <= 2 * n[item], item
    assert ("relays" in told) == (kind == "distributed")
