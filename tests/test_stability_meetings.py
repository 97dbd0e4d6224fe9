"""Edges weighed again from the objects they met over, against pairs of posts one by one, and the edges themselves."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from reference.stability import meetings as slow

from propgraph.arrays.encoding import codes_in
from propgraph.arrays.incidence import incidence
from propgraph.cosharing.window import cosharing_edges
from propgraph.stability.meetings import meetings_of

WINDOWS = np.array([2000, 5000])
ROWS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 3), st.integers(0, 12), st.integers(0, 5)),
    min_size=1,
    max_size=40,
)


def shares_of(rows, *, one_post_each=False):
    return pl.DataFrame(
        {
            "account_id": [f"a{a}" for a, *_ in rows],
            "object_id": [f"o{o}" for _, o, *_ in rows],
            "content_id": [f"p{k if one_post_each else post}" for k, (*_, post) in enumerate(rows)],
            "timestamp": [t * 1000 for _, _, t, _ in rows],
        }
    ).with_columns(pl.col("timestamp").cast(pl.Datetime("ms", "UTC")))


@given(ROWS, st.booleans(), st.integers(1, 3))
def test_as_pairs_of_posts_say(rows, one_post_each, threads):
    shares = shares_of(rows, one_post_each=one_post_each)
    log = incidence(shares)
    low, high = np.triu_indices(len(log.accounts), 1)
    found = meetings_of(log, low, high, windows_ms=WINDOWS, threads=threads)
    posts = list(
        shares.select(
            "account_id", "object_id", pl.col("timestamp").dt.timestamp("ms"), "content_id"
        ).iter_rows()
    )
    some = np.arange(len(log.objects)) % 2 == 0
    names = log.accounts.to_list()
    for w, window in enumerate(WINDOWS):
        for drawn in (some, ~some, some | ~some):
            of = {name: bool(kept) for name, kept in zip(log.objects, drawn, strict=True)}
            want = [slow(posts, names[s], names[t], window) for s, t in zip(low, high, strict=True)]
            want = [{o: n for o, n in one.items() if of[o]} for one in want]
            events = found.weights(drawn, window=w, by_events=True)
            assert events.tolist() == [sum(one.values()) for one in want]
            assert found.weights(drawn, window=w, by_events=False).tolist() == [len(one) for one in want]


@given(ROWS)
def test_all_objects_give_the_weights_of_the_edges(rows):
    shares = shares_of(rows, one_post_each=True)
    edges = cosharing_edges(shares, time_window=2, min_edge_weight=1, min_participation=1)
    log = incidence(shares)
    ends = [codes_in(edges[name], log.accounts) for name in ("source", "target")]
    found = meetings_of(log, *ends, windows_ms=WINDOWS, threads=2)
    everything = np.ones(len(log.objects), np.bool_)
    assert found.weights(everything, window=0, by_events=False).tolist() == edges["n_objects"].to_list()
    assert found.weights(everything, window=0, by_events=True).tolist() == edges["n_events"].to_list()
