"""Which pairs the steps of an order suggest, and how many they may be."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import combinations

import numpy as np
import polars as pl

from propgraph.arrays.incidence import incidence
from propgraph.missions import crews

START = datetime(2024, 3, 5, tzinfo=UTC)
# Three steps by two, three and four accounts.
TAKEN = {"s2": "ab", "s3": "abc", "s4": "abcd"}


def log():
    rows = [
        (who, step, f"{who}{step}", START + timedelta(seconds=k))
        for step, all_ in TAKEN.items()
        for k, who in enumerate(all_)
    ]
    return incidence(
        pl.DataFrame(rows, schema=["account_id", "object_id", "content_id", "timestamp"], orient="row").cast(
            {"timestamp": pl.Datetime("ms", "UTC")}
        )
    )


def suggested(steps):
    """The pairs of accounts with a step in common among some, and how many of these."""
    return dict(Counter(pair for step in steps for pair in combinations(TAKEN[step], 2)))


def found():
    held = log()
    names = held.accounts.to_list()
    return {(names[a], names[b]): int(n) for a, b, n in zip(*crews._pairs(held), strict=True)}


def test_every_step_suggests_all_pairs_of_its_accounts():
    assert found() == suggested(["s2", "s3", "s4"])


def test_where_there_is_no_room_steps_of_fewer_accounts_go_first(monkeypatch):
    # The steps suggest 1, 3 and 6 pairs.
    for room, steps in [(10, ["s2", "s3", "s4"]), (9, ["s2", "s3"]), (4, ["s2", "s3"]), (3, ["s2"]), (0, [])]:
        monkeypatch.setattr(crews, "_MOST_PAIRS", room)
        assert found() == suggested(steps), room


def test_steps_of_too_many_accounts_suggest_none(monkeypatch):
    monkeypatch.setattr(crews, "MOST_ACCOUNTS", 3)
    assert found() == suggested(["s2", "s3"])
    assert crews._widest(np.array([2, 3, 4])) == 3
