"""Hashes of texts against the same bytes one by one; halves of objects that do not hang on which others there are."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from reference.made_ids import murmur

from propgraph.arrays.grids import TOGETHER_MS
from propgraph.arrays.hashes import text_hashes
from propgraph.arrays.incidence import incidence
from propgraph.synchrony.halves import N_SPLITS, halves_of
from propgraph.synchrony.prepared import prepare_shares


@given(st.lists(st.text(max_size=40)), st.integers(0, 2**31), st.integers(0, 3))
def test_as_bytes_one_by_one_say(texts, seed, skipped):
    part = pl.Series(texts, dtype=pl.String)[skipped:]
    want = [murmur(text.encode(), seed) if text else 0 for text in texts[skipped:]]
    assert text_hashes(part, seed=seed).tolist() == want


def shares_of(n_objects, *, resolution=None):
    random = np.random.default_rng(7)
    n = 40 * n_objects
    shares = pl.DataFrame(
        {
            "account_id": [f"a{k}" for k in random.integers(0, 60, n)],
            "object_id": [f"https://site.example/{k % n_objects}" for k in range(n)],
            "content_id": [f"p{k}" for k in range(n)],
            "timestamp": random.integers(0, 10**9, n),
        }
    ).with_columns(pl.col("timestamp").cast(pl.Datetime("ms", "UTC")))
    if resolution is not None:
        shares = shares.with_columns(time_resolution_s=pl.Series(resolution * (n // len(resolution))))
    return shares


def sides(shares, **options):
    prepared = prepare_shares(incidence(shares))
    found = halves_of(prepared, **options)
    return dict(zip(prepared.log.objects.to_list(), found.side.tolist(), strict=True)), prepared, found


def test_an_object_stays_on_its_half_when_others_are_left_out():
    shares = shares_of(50)
    whole, *_ = sides(shares)
    part, *_ = sides(shares.filter(pl.col("object_id").str.ends_with("3")))
    assert len(part) == 5
    assert {name: whole[name] for name in part} == part
    other, *_ = sides(shares, seed=1)
    assert other != whole
    # Of many objects about half lie on each side, and splits are not alike.
    many, *_ = sides(shares_of(2000))
    bits = np.array(list(many.values()))[:, None] >> np.arange(N_SPLITS) & 1
    assert np.abs(bits.mean(axis=0) - 0.5).max() < 0.05
    assert np.abs(np.corrcoef(bits.T)[np.triu_indices(N_SPLITS, 1)]).max() < 0.1


def test_parts_of_one_object_lie_on_one_half():
    # Times in whole hours are no others' neighbours: each object is two for ranks.
    shares = shares_of(30, resolution=[1.0, 3600.0])
    _, prepared, found = sides(shares)
    assert prepared.log.whole.size
    assert TOGETHER_MS < 3_600_000
    of = {}
    for name, side in zip(prepared.log.objects.to_list(), found.side.tolist(), strict=True):
        of.setdefault(name, set()).add(side)
    assert {len(one) for one in of.values()} == {1}
