"""Whether the probabilities of rank synchrony hold where it is chance who stands near whom.

`benchmarks/detection/calibration.py` does the same at length.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations
from math import exp, log
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import binom

from propgraph.arrays.incidence import incidence
from propgraph.arrays.p_values import false_discovery_rate, truncated_product
from propgraph.schema import TIME
from propgraph.synchrony.gaps import untied
from propgraph.synchrony.pairs import near_pairs, pairs_at
from propgraph.synchrony.prepared import prepare_shares
from propgraph.synchrony.testable import count_tests

DATA = Path(__file__).parents[2] / "shared" / "data"
LEVELS = (0.1, 0.01, 0.001)
TAU = 0.2


def made_log(seed, *, n_accounts, n_posts, n_objects, repeats):
    """Objects whose posts are dealt to random accounts; who repeats has several of them."""
    rng = np.random.default_rng(seed)
    parts = []
    for o in range(n_objects):
        if repeats:  # few write most
            accounts = (n_accounts * rng.power(0.5, n_posts)).astype(int)
        else:
            accounts = rng.permutation(n_accounts)[:n_posts]
        parts.append(
            pl.DataFrame(
                {"account": accounts, "object": o, "second": np.sort(rng.permutation(100_000)[:n_posts])}
            )
        )
    return pl.concat(parts).select(
        account_id=pl.format("a{}", pl.col("account").cast(pl.String).str.zfill(4)),
        object_id=pl.format("o{}", pl.col("object").cast(pl.String).str.zfill(4)),
        content_id=pl.format("p{}", pl.int_range(pl.len())),
        timestamp=pl.from_epoch("second", time_unit="s").cast(TIME),
    )


def dealt(shares, seed):
    """Deal each object's accounts to its posts at random: posts, times and objects stay."""
    shares = shares.sort("object_id", "timestamp", "content_id")
    order = np.lexsort(
        (np.random.default_rng(seed).random(shares.height), shares["object_id"].rank("dense").to_numpy())
    )
    return shares.with_columns(account_id=shares["account_id"].gather(order))


def all_pairs(prepared, n_accounts=None):
    """The p-values of all pairs of accounts, or of the first so many."""
    ends = np.array(list(combinations(range(n_accounts or len(prepared.log.accounts)), 2)))
    return np.exp(pairs_at(prepared, ends[:, 0].copy(), ends[:, 1].copy(), threads=1).log_p)


def uncorrected(shares):
    """The p-values of all pairs as if the closest of their posts were the only ones; no ties."""
    places = defaultdict(dict)  # of each account, of each object
    sizes = {}
    for [name], part in shares.sort("timestamp").group_by("object_id"):
        sizes[name] = part.height
        for place, account in enumerate(part["account_id"]):
            places[account].setdefault(name, []).append(place)
    found = []
    for one, other in combinations(sorted(places), 2):
        total, shared = 0.0, places[one].keys() & places[other].keys()
        for name in shared:
            gap = min(abs(p - q) for p in places[one][name] for q in places[other][name])
            total += max(log(TAU / untied(gap, sizes[name])), 0.0)
        found.append(exp(truncated_product(len(shared), total, TAU)))
    return np.array(found)


def most(n, x):
    """What P(p <= x) <= x allows among `n`, chance of sampling included: more in one of a million only."""
    return binom.isf(1e-6, n, x)


def test_without_repeats_probabilities_are_as_told():
    shares = made_log(0, n_accounts=5_100, n_posts=5_000, n_objects=4, repeats=False)
    p_values = all_pairs(prepare_shares(incidence(shares)), 500)
    for x in LEVELS:
        n = (p_values <= x).sum()
        assert n <= most(p_values.size, x)
        # Not merely below: all that is lost is that ranks are whole numbers, which is little in large objects.
        assert n >= 0.7 * x * p_values.size - 4 * np.sqrt(x * p_values.size)


def test_with_repeats_they_hold_and_without_the_correction_they_would_not():
    logs = [made_log(seed, n_accounts=40, n_posts=80, n_objects=20, repeats=True) for seed in range(6)]
    held = np.concatenate([all_pairs(prepare_shares(incidence(shares))) for shares in logs])
    wrong = np.concatenate([uncorrected(shares) for shares in logs])
    assert held.size == wrong.size > 4_000
    for x in LEVELS:
        assert (held <= x).sum() <= most(held.size, x)
        assert (wrong <= x).sum() > most(wrong.size, x)


def test_a_pair_that_is_no_chance_is_told_as_none():
    # The same test must not pass for a log in which two accounts do stand near each other.
    shares = made_log(0, n_accounts=130, n_posts=120, n_objects=20, repeats=False)
    behind = pl.when(pl.col("account_id").shift(1) == "a0007").then(pl.lit("x")).otherwise("account_id")
    prepared = prepare_shares(incidence(shares.with_columns(account_id=behind)))
    found, _ = near_pairs(prepared, threads=1)
    q_values = false_discovery_rate(np.exp(found.log_p), n_tests=130 * 129 / 2)
    names = [
        {prepared.log.accounts[int(s)], prepared.log.accounts[int(t)]}
        for s, t in zip(found.source, found.target, strict=True)
    ]
    assert [name for name, q in zip(names, q_values, strict=True) if q <= 0.05] == [{"a0007", "x"}]


def test_nothing_is_discovered_where_nothing_is_true():
    n_draws = 40
    discovered = 0
    for seed in range(n_draws):
        prepared = prepare_shares(
            incidence(made_log(seed, n_accounts=60, n_posts=50, n_objects=20, repeats=seed % 2))
        )
        n_tests = count_tests(prepared.log, prepared.gaps.least, tau=prepared.tau, threads=1).total
        found, _ = near_pairs(prepared, threads=1)
        discovered += bool((false_discovery_rate(np.exp(found.log_p), n_tests=n_tests) <= 0.05).any())
    assert discovered <= binom.isf(1e-4, n_draws, 0.05)


def real(name):
    """Shares of a real log."""
    path = DATA / f"{name}.parquet"
    if not path.exists():
        pytest.skip(f"{path.name} is not there")
    shares = pl.read_parquet(path)
    if name == "german_domains":
        columns = ("object_id", "account_id", "content_id")
        when = pl.from_epoch("timestamp_share", time_unit="s")
    elif name == "hoaxy_edges":
        columns, when = ("url", "to_user_id", "tweet_id"), pl.col("created_at")
    else:
        columns, when = (
            ("cascade_id", "account_id", "content_id"),
            pl.col("date").str.to_datetime(strict=False),
        )
    when = when.dt.replace_time_zone("UTC").cast(TIME)
    return shares.select(
        object_id=columns[0], account_id=columns[1], content_id=columns[2], timestamp=when
    ).drop_nulls()  # fmt: skip


@pytest.mark.parametrize("name", ["weibo_trees", "hoaxy_edges", "german_domains"])
def test_real_logs_dealt_anew_hold(name):
    prepared = prepare_shares(incidence(dealt(real(name), 0)))
    n_tests = count_tests(prepared.log, prepared.gaps.least, tau=prepared.tau, threads=2, budget=10**12).total
    assert n_tests > 50_000
    found = np.exp(near_pairs(prepared, max_p=1.0, threads=2)[0].log_p)
    for x in (*LEVELS, 1e-4, 1e-5):
        assert (found <= x).sum() <= most(int(n_tests), x)
    # Far from them: nothing to find, and yet pairs enough that stand near each other twice.
    assert found.size > 1_000
    assert (false_discovery_rate(found, n_tests=n_tests) > 0.05).all()
