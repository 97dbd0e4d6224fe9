"""The overlap of pairs of accounts: how long it takes, and whether its null and its p-values hold.

    python -m benchmarks overlap [--shares 1000000] [--pairs 1000000 5000000] [--data ../shared/data] [--draws 5]

First on a made log: seconds to fit the null, and for random pairs that share at least one object. Then on a
real one, links before the German election of 2021: how well the fitted model meets the degrees; its p-values
against the exact sum over all objects, pair by pair, beside those of a Poisson variable alone; and
calibration: logs are drawn from the fitted model, each is treated as a log of its own (the null fitted anew),
and the share of pairs of accounts at or below 0.1, 0.01 and 0.001 is printed, which is to be no more than that:
of all pairs, of which hardly any can share much, and of those that are expected to share something, where
counts are less coarse. Beside it that of the hypergeometric tail, which does not know popularity.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import polars as pl
from scipy.stats import hypergeom

from benchmarks import SHARED
from benchmarks.logs import make_log
from benchmarks.timing import header, row
from propgraph.arrays.holdings import Holdings, holdings_of
from propgraph.arrays.incidence import Incidence, incidence
from propgraph.arrays.types import Float64, Int64
from propgraph.likeness.bicm import Bicm, fit_bicm
from propgraph.likeness.overlap import overlap_of
from propgraph.likeness.tails import shared_by_chance

LEVELS = (0.1, 0.01, 0.001)


def log_of(frame: pl.DataFrame) -> Incidence:
    """Return the incidence of a log in CooRTweet's layout."""
    when = pl.from_epoch("timestamp_share", time_unit="s").cast(pl.Datetime("ms", "UTC"))
    return incidence(frame.select("account_id", "object_id", "content_id", timestamp=when))


def object_degrees(held: Holdings) -> Int64:
    """Return the distinct accounts of each object."""
    return np.bincount(held.object, minlength=held.n_objects).astype(np.int64)


def random_pairs(log: Incidence, n_pairs: int, *, seed: int = 0) -> tuple[Int64, Int64]:
    """Return distinct pairs that share an object: two random posts of one, objects by their posts."""
    rng = np.random.default_rng(seed)
    found = np.empty(0, np.int64)
    while found.size < n_pairs:
        post = rng.integers(0, log.n_shares, 2 * n_pairs)
        begin, end = log.offsets[log.object[post]], log.offsets[log.object[post] + 1]
        one = log.account[post].astype(np.int64)
        other = log.account[begin + rng.integers(0, end - begin)].astype(np.int64)
        low, high = np.minimum(one, other), np.maximum(one, other)
        found = np.union1d(found, (low * len(log.accounts) + high)[low < high])
    found = np.sort(rng.permutation(found)[:n_pairs])
    return found // len(log.accounts), found % len(log.accounts)


def all_sharing_pairs(held: Holdings) -> tuple[Int64, Int64]:
    """Return every pair of accounts that share an object."""
    owner = np.repeat(np.arange(held.first.size - 1), np.diff(held.first))
    order = np.argsort(held.object, kind="stable")
    parts = [
        np.sort(members)[np.array(np.triu_indices(members.size, 1))]
        for members in np.split(owner[order], np.cumsum(object_degrees(held))[:-1])
    ]
    pairs = np.concatenate(parts, axis=1)
    code = np.unique(pairs[0] * (held.first.size - 1) + pairs[1])
    return code // (held.first.size - 1), code % (held.first.size - 1)


def drawn_log(model: Bicm, *, seed: int) -> Incidence:
    """Return a log drawn from the model: each account shares each object once by its chance, or not."""
    rng = np.random.default_rng(seed)
    accounts, objects = [], []
    by_account = [np.flatnonzero(model.account_class == i) for i in range(model.account_degrees.size)]
    by_object = [np.flatnonzero(model.object_class == j) for j in range(model.object_degrees.size)]
    for i, some in enumerate(by_account):
        for j, others in enumerate(by_object):
            n_cells = some.size * others.size
            # So many distinct cells, evenly: what independent draws of one chance come to.
            cells = rng.choice(
                n_cells, rng.binomial(n_cells, model.chance[i, j]), replace=False, shuffle=False
            )
            accounts.append(some[cells // others.size])
            objects.append(others[cells % others.size])
    account, object_ = np.concatenate(accounts), np.concatenate(objects)
    frame = pl.DataFrame({"account_id": account, "object_id": object_, "content_id": np.arange(account.size)})
    return log_of(frame.select(pl.all().cast(pl.String), timestamp_share=pl.lit(0)))


def exact_tails(model: Bicm, n_shared: Int64, *, source: Int64, target: Int64) -> Float64:
    """Return P(X >= n_shared) by convolution over all objects, object by object."""
    p = np.ones(n_shared.size)
    for e, n in enumerate(n_shared):
        a, b = model.account_class[source[e]], model.account_class[target[e]]
        q = (model.chance[a] * model.chance[b])[model.object_class]
        terms = np.zeros(n + 1)  # the last place: n or more
        terms[0] = 1.0
        for chance in q:
            over = terms[n] + terms[n - 1] * chance
            terms[1:] = terms[1:] * (1 - chance) + terms[:-1] * chance
            terms[0] *= 1 - chance
            terms[n] = over
        p[e] = terms[n]
    return p


def seconds(n_shares: int, pairs: list[int]) -> None:
    """Print how long the null and the pairs take."""
    log = log_of(make_log(n_shares))
    held = holdings_of(log)
    fit_bicm(held.degree, object_degrees(held))  # compiles
    start = time.perf_counter()
    model = fit_bicm(held.degree, object_degrees(held))
    wall = time.perf_counter() - start
    print(
        f"{n_shares:,} shares: {model.chance.shape} distinct degrees, fitted in {wall:.3f} s to {model.error:.0e}\n"
    )
    few = np.arange(2)
    overlap_of(log, source=few[:1], target=few[1:], threads=2)
    header("pairs", "distinct pairs of degrees", "sharing 2 or more", "s, 1 thread", "s, 2 threads")
    for n_pairs in pairs:
        source, target = random_pairs(log, n_pairs)
        walls = []
        for threads in (1, 2):
            start = time.perf_counter()
            found = overlap_of(log, source=source, target=target, threads=threads)
            walls.append(time.perf_counter() - start)
        one, other = model.account_class[source], model.account_class[target]
        codes = np.unique(np.minimum(one, other) * model.account_degrees.size + np.maximum(one, other))
        row(f"{n_pairs:,}", f"{codes.size:,}", f"{(found.n_shared > 1).sum():,}", *walls)


def against_the_exact_sum(log: Incidence, n_sample: int = 200) -> Bicm:
    """Print how far the fit and the p-values are off on a real log."""
    held = holdings_of(log)
    model = fit_bicm(held.degree, object_degrees(held))
    print(
        f"\n{held.first.size - 1:,} accounts, {held.n_objects:,} objects, {held.first[-1]:,} entries; "
        f"largest chance {model.chance.max():.3f}; largest relative error of a degree {model.error:.1e}"
    )
    source, target = all_sharing_pairs(held)
    found = overlap_of(log, source=source, target=target, threads=2)
    print(f"{source.size:,} pairs share something, {(found.n_shared > 1).sum():,} two objects or more\n")
    rng = np.random.default_rng(0)
    header(
        "pairs", "way", "largest |p - exact|", "least p / exact", "largest p / exact", "median, exact < 0.01"
    )
    for name, among in {
        "any": np.arange(source.size),
        "two shared or more": np.flatnonzero(found.n_shared > 1),
        "expected 1 or more": np.flatnonzero(found.expected_shared >= 1),
    }.items():
        part = rng.choice(among, min(n_sample, among.size), replace=False)
        ends = {"source": source[part], "target": target[part]}
        exact = exact_tails(model, found.n_shared[part], **ends)
        pure = shared_by_chance(model, found.n_shared[part], **ends, popular=2.0).p_value
        d = held.degree
        even = hypergeom.sf(found.n_shared[part] - 1, held.n_objects, d[ends["source"]], d[ends["target"]])
        for way, p in {"ours": found.overlap_p[part], "Poisson alone": pure, "hypergeometric": even}.items():
            ratio = p / exact
            small = np.median(ratio[exact < 0.01]) if (exact < 0.01).any() else np.nan
            row(
                f"{name} ({part.size})",
                way,
                *(f"{x:.2e}" for x in (np.abs(p - exact).max(), ratio.min(), ratio.max(), small)),
            )
    return model


def calibration(model: Bicm, draws: int) -> None:
    """Print the shares of pairs at or below each level, on logs drawn from the model."""
    shares: dict[str, list[list[float]]] = {}
    for seed in range(draws):
        log = drawn_log(model, seed=seed)
        held = holdings_of(log)
        source, target = all_sharing_pairs(held)  # of the others p is 1
        found = overlap_of(log, source=source, target=target, threads=2)
        even = hypergeom.sf(found.n_shared - 1, held.n_objects, held.degree[source], held.degree[target])
        n_accounts = held.first.size - 1
        busy = found.expected_shared >= 1
        n_busy = expecting_one(fit_bicm(held.degree, object_degrees(held)))
        place = log.accounts.cast(pl.Int64).to_numpy()  # in the model that it was drawn from
        drawn = shared_by_chance(model, found.n_shared, source=place[source], target=place[target], threads=2)
        for name, p, n_pairs in (
            ("all", found.overlap_p, n_accounts * (n_accounts - 1) // 2),
            ("all, hypergeometric", even, n_accounts * (n_accounts - 1) // 2),
            ("all, by the model drawn from", drawn.p_value, len(model.account_class) ** 2 // 2),
            ("expected 1 or more", found.overlap_p[busy], n_busy),
            (
                "expected 1 or more, by the model drawn from",
                drawn.p_value[drawn.mean >= 1],
                expecting_one(model),
            ),
            ("expected 1 or more, hypergeometric", even[busy], n_busy),
        ):
            shares.setdefault(name, []).append([n_pairs, *((p <= level).sum() / n_pairs for level in LEVELS)])
    print(
        f"\nOver {draws} logs drawn from the model, each fitted anew: mean share of pairs, standard deviation\n"
    )
    header("pairs", "a draw", *(f"p <= {level}" for level in LEVELS))
    for name, rows in shares.items():
        mean, sd = np.mean(rows, axis=0), np.std(rows, axis=0, ddof=1)
        row(name, f"{mean[0]:,.0f}", *(f"{m:.1e} ({s:.0e})" for m, s in zip(mean[1:], sd[1:], strict=True)))


def expecting_one(model: Bicm) -> int:
    """Count the pairs of accounts that the model expects to share one object or more."""
    mean = (model.chance * model.n_objects) @ model.chance.T
    both = np.outer(model.n_accounts, model.n_accounts) - np.diag(model.n_accounts)
    return int(both[mean >= 1].sum()) // 2


def main() -> None:
    """Measure, print tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shares", type=int, default=1_000_000)
    parser.add_argument("--pairs", type=int, nargs="*", default=[1_000_000, 5_000_000])
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--draws", type=int, default=5)
    options = parser.parse_args()
    if options.pairs:
        seconds(options.shares, options.pairs)
    path = options.data / "german_urls.parquet"
    if not path.exists():
        raise SystemExit(f"{path} is not here")
    calibration(against_the_exact_sum(log_of(pl.read_parquet(path))), options.draws)


if __name__ == "__main__":
    main()
