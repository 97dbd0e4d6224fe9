"""How much of a cluster is found again, against sets; and by hand."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference.stability import best_match as slow_match
from reference.stability import together as slow_together

from propgraph.stability.hold import best_match, together

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
