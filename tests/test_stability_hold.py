"""How much of a cluster is found again, against sets; and by hand."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference.stability import best_match as slow_match
from reference.stability import best_union as slow_union
from reference.stability import together as slow_together

from propgraph.stability.hold import best_match, best_union, together, vanishing

ACCOUNTS = [f"a{k}" for k in range(12)]
PARTITION = st.lists(st.integers(-1, 3), min_size=len(ACCOUNTS), max_size=len(ACCOUNTS))


def frames(of, name, label):
    rows = sorted((c, a) for a, c in zip(ACCOUNTS, of, strict=True) if c >= 0)
    clusters = {}
    for c, a in rows:
        clusters.setdefault(label(c), set()).add(a)
    frame = pl.DataFrame(
        {name: [label(c) for c, _ in rows], "account_id": [a for _, a in rows]},
        schema={name: pl.String if name == "cluster_id" else pl.UInt32, "account_id": pl.String},
    )
    return frame, clusters


@given(PARTITION, PARTITION)
def test_as_sets_say(one, other):
    base, mine = frames(one, "cluster_id", lambda c: f"c{c}")
    found, theirs = frames(other, "cluster", lambda c: c)
    alike = best_match(base, found)
    assert dict(alike.iter_rows()) == pytest.approx(slow_match(mine, theirs))
    assert alike["cluster_id"].to_list() == base["cluster_id"].unique(maintain_order=True).to_list()
    keys = list(base.select("cluster_id", "account_id").iter_rows())
    assert dict(zip(keys, together(base, found), strict=True)) == pytest.approx(slow_together(mine, theirs))


def test_by_hand():
    base = pl.DataFrame({"cluster_id": ["c1"] * 4 + ["c2"] * 2, "account_id": list("abcdxy")})
    found = pl.DataFrame(
        {"cluster": [7, 7, 7, 9], "account_id": list("abzc")}, schema_overrides={"cluster": pl.UInt32}
    )
    # a and b are together with z: 2 of 5; c alone; d, x and y in none.
    assert best_match(base, found)["jaccard"].to_list() == [2 / 5, 0]
    assert together(base, found).to_list() == pytest.approx([1 / 3, 1 / 3, 0, 0, 0, 0])


@given(PARTITION, PARTITION)
def test_a_campaign_is_held_against_the_best_clusters_together(one, other):
    base, mine = frames(one, "cluster_id", lambda c: f"g{c}")
    found, theirs = frames(other, "cluster", lambda c: c)
    alike = best_union(base.rename({"cluster_id": "campaign_id"}), found)
    assert dict(alike.iter_rows()) == pytest.approx(slow_union(mine, theirs))
    assert alike["campaign_id"].to_list() == base["cluster_id"].unique(maintain_order=True).to_list()


def test_a_campaign_by_hand():
    base = pl.DataFrame({"campaign_id": ["g1"] * 5 + ["g2"], "account_id": list("abcdez")})
    found = pl.DataFrame(
        {"cluster": [4, 4, 2, 2, 2, 3, 3, 3, 3], "account_id": list("abcdxeuvw")},
        schema_overrides={"cluster": pl.UInt32},
    )
    # {a, b} and {c, d, x} together: 4 of 6; the third cluster would bring one member and three strangers. z is in none.
    assert best_union(base, found)["jaccard"].to_list() == [4 / 6, 0]


def runs(text):
    return np.array([mark == "x" for mark in text])


def test_a_choice_is_not_blamed_for_what_another_spoilt():
    # It holds wherever urls are there, with all objects or part of them. Most runs without urls have part of them.
    under = {
        "drawn=no": runs("xxxx...."), "drawn=yes": runs("....xxxx"), "without=none": runs("xxx.x..."),
        "without=url": runs("...x.xxx"),
    }  # fmt: skip
    assert vanishing(runs("xxx.x..."), under) == ["without=url"]


def test_choices_that_spoil_on_their_own_are_all_named_the_worst_first():
    under = {"q=0.01": runs("xx......"), "q=0.05": runs("..xxxxxx"), "without=url": runs(".xxxx...")}
    assert vanishing(runs("x....xxx"), under) == ["without=url"]
    assert vanishing(runs(".....xxx"), under) == ["without=url", "q=0.01"]
    assert vanishing(runs("xxxxxxxx"), under) == []
    assert vanishing(runs("x......."), under | {"without=none": runs("x....xxx")})[0] == "q=0.05"
    assert vanishing(runs(""), {}) == []


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 2), st.integers(0, 1)), min_size=1, max_size=30))
def test_some_choice_is_to_blame_where_it_seldom_holds(rows):
    holds = np.array([held for held, *_ in rows])
    under = {
        f"{name}={level}": np.array([row[place] == level for row in rows])
        for name, place, n in (("q", 1, 3), ("drawn", 2, 2))
        for level in range(n)
    }
    found = vanishing(holds, under)
    alone = [level for level, at in under.items() if at.any() and holds[at].mean() < 0.5]
    assert bool(found) == bool(alone)
    assert len(set(found)) == len(found)
    assert holds.mean() >= 0.5 or found
