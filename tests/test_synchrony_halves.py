"""Objects cut into halves, and the pairs that stand out on one: by definition, and against the slow twin."""

from __future__ import annotations

from math import exp

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import habits as reference
from reference import synchrony as slow
from test_synchrony_habits import TAUS, drawn
from test_synchrony_pairs import frame

from propgraph.arrays.hashes import text_hashes
from propgraph.arrays.incidence import incidence
from propgraph.synchrony.halves import N_SPLITS, halves_of
from propgraph.synchrony.pairs import LAX_P, near_pairs
from propgraph.synchrony.prepared import prepare_shares

MANY = settings(max_examples=60, deadline=None)
logs = st.integers(0, 1 << 32).map(drawn)
HOUR = 3_600_000


def halved(shares, *, seed=0, tau=0.2003):
    prepared = prepare_shares(incidence(shares), tau=tau)
    return prepared, halves_of(prepared, seed=seed)


def sides(prepared, halves, split):
    """Return `{object: half}`."""
    return dict(zip(prepared.log.objects, (halves.side >> split & 1).tolist(), strict=True))


def counted(prepared, halves, split):
    """Return the usable shares as (account, object, ms)."""
    log = prepared.log
    return [
        (log.accounts[int(log.account[p])], log.objects[int(log.object[p])], int(log.time[p]))
        for p in prepared.position[np.flatnonzero(halves.usable >> split & 1)]
    ]


@MANY
@given(logs, st.integers(0, 3))
def test_a_session_lies_on_the_side_of_its_object_with_the_least_hash(rows, seed):
    prepared, halves = halved(frame(rows), seed=seed)
    names = prepared.log.objects
    bits = dict(zip(names, text_hashes(names, seed=seed).tolist(), strict=True))
    for split in range(N_SPLITS):
        side = sides(prepared, halves, split)
        expected = [
            row[1:]
            for account in prepared.log.accounts
            for row in reference.usable(rows, account, side, bits)
        ]
        assert sorted(counted(prepared, halves, split)) == sorted(expected)
        # What counts of one session lies on one side; and something of each session does.
        of = {}
        for account, name, at in counted(prepared, halves, split):
            of.setdefault((account, at // HOUR), set()).add(side[name])
        assert all(len(found) == 1 for found in of.values())
        slow_rows = [row for posts in slow.by_object(rows).values() for row in posts]
        assert of.keys() == {(row[1], row[3] // HOUR) for row in slow_rows}


def many(n=4_000):
    """Objects of three posts, each in an hour of its own."""
    return [(f"p{o}.{k}", f"a{(o + k) % 50}", f"o{o}", 5 * HOUR * o + k) for o in range(n) for k in range(3)]


def test_about_half_lie_on_either_side_and_splits_have_nothing_in_common():
    prepared, halves = halved(frame(many()))
    bits = np.array([(halves.side >> split & 1) for split in range(N_SPLITS)]).astype(float)
    # Means of 4,000 fair coins: their error is .0079; of products of two as well.
    assert np.abs(bits.mean(axis=1) - 0.5).max() < 0.04
    assert np.abs(np.corrcoef(bits)[np.triu_indices(N_SPLITS, 1)]).max() < 0.08
    for split in range(N_SPLITS):
        one, other = (halves.lies_on(split, half) for half in (0, 1))
        assert (one ^ other).all()
    # Each session has one object: all counts.
    assert (halves.usable & (1 << N_SPLITS) - 1 == (1 << N_SPLITS) - 1).all()
    other = halves_of(prepared, seed=1)
    assert 0.4 < ((other.side ^ halves.side) & 1).mean() < 0.6


def test_a_half_hangs_on_the_name_alone_and_the_order_of_rows_on_nothing():
    shares = frame(many(300))
    prepared, halves = halved(shares)
    _, shuffled = halved(shares.sample(fraction=1, shuffle=True, seed=2))
    assert shuffled.side.tolist() == halves.side.tolist()
    assert shuffled.usable.tolist() == halves.usable.tolist()
    some = shares.filter(pl.col("object_id").str.ends_with("7"))
    fewer = halved(some)
    for split in range(N_SPLITS):
        whole, part = sides(prepared, halves, split), sides(*fewer, split)
        assert part == {name: whole[name] for name in part}


def test_parts_of_one_object_lie_together():
    # Of each object some posts by the second and some by the hour: parts that are compared by themselves.
    rows = many(200)
    shares = pl.concat(
        [
            frame(rows).with_columns(time_resolution_s=pl.lit(1.0)),
            frame([(f"c{row[0]}", row[1], row[2], row[3] // HOUR * HOUR) for row in rows]).with_columns(
                time_resolution_s=pl.lit(3600.0)
            ),
        ]
    )
    prepared, halves = halved(shares)
    names = prepared.log.objects
    assert len(names) == 400
    side = {}
    for name, bits in zip(names, halves.side.tolist(), strict=True):
        side.setdefault(name, set()).add(bits)
    assert len(side) == 200
    assert all(len(found) == 1 for found in side.values())


def two_together(rows):
    """Two who stand together in object after object, for hardly a pair of few posts does by chance; eight are new."""
    begins = {posts[0][2]: posts[0][3] for posts in reference.ordered(rows).values()}
    new = {f"z{k}": 1_000 * 24 * HOUR * (k + 1) for k in range(8)}
    for j, (name, begin) in enumerate({**begins, **new}.items()):
        yield from ((f"y{who}{name}", who, name, begin + 7 * HOUR * j + 1) for who in "xy")
    for j, (name, begin) in enumerate(new.items()):
        yield from (
            (f"w{k}{name}", f"b{k * (j + 2) % 31}", name, begin + 5 * k * HOUR + 1000) for k in range(30)
        )


@settings(max_examples=20, deadline=None)
@given(logs, st.sampled_from(TAUS), st.sampled_from([1, 50]), st.booleans())
def test_pairs_on_a_half_equal_the_slow_twin(rows, tau, neighbours, planted):
    if planted:
        rows = [*rows, *two_together(rows)]
    prepared = prepare_shares(incidence(frame(rows)), tau=tau, neighbours=neighbours)
    halves = halves_of(prepared)
    labels, names = prepared.log.accounts, prepared.log.objects
    found = [near_pairs(prepared, halves=halves, threads=n)[1] for n in (1, 2)]
    for one, other in zip(vars(found[0]).values(), vars(found[1]).values(), strict=True):
        assert one.tolist() == other.tolist()
    bits = dict(zip(names, text_hashes(names).tolist(), strict=True))
    pairs = slow.near_pairs(rows, tau, neighbours)
    for split in range(N_SPLITS):
        side = sides(prepared, halves, split)
        usable = {a: set(reference.usable(rows, a, side, bits)) for a in labels}
        for half in range(2):
            on_half = {name for name in names if side[name] == half}
            source, target, log_p = found[0].of(2 * split + half)
            told = {
                (labels[a], labels[b]): exp(p)
                for a, b, p in zip(source.tolist(), target.tolist(), log_p.tolist(), strict=True)
            }
            assert list(told) == sorted(told)
            assert set(told) <= set(pairs)
            # All that are told, and some of the others: the twin is slow.
            for pair in {*list(told)[:8], *pairs[split + half :: 1 + len(pairs) // 8]}:
                here = {row for a in pair for row in usable[a] if row[2] in on_half}
                near, p = reference.half_p(rows, pair, tau, here)
                assert (pair in told) == (near >= 2 and p <= LAX_P)
                if pair in told:
                    assert told[pair] == pytest.approx(p, rel=1e-6)


def test_without_halves_there_are_no_pairs_on_them():
    prepared = prepare_shares(incidence(frame(many(300))))
    _, found = near_pairs(prepared, threads=2)
    assert found.half.size == 0


def test_two_together_are_told_on_both_halves():
    rows = [*many(12)[:30], *two_together(many(12)[:30])]
    prepared = prepare_shares(incidence(frame(rows)))
    _, found = near_pairs(prepared, halves=halves_of(prepared), threads=1)
    labels = prepared.log.accounts
    told = {(labels[a], labels[b]) for a, b in zip(found.source.tolist(), found.target.tolist(), strict=True)}
    assert told == {("x", "y")}
    assert set(found.half.tolist()) >= {0, 1, 2, 3, 4, 5}
