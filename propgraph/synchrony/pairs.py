"""Rank synchrony: pairs of accounts that stand nearer to each other, object after object, than chance puts them.

A window of seconds is blind to slow campaigns and drowns in breaking news. Here the order of an object's posts
is the clock. For each object the permutation null deals its accounts at random to its posts, and `gaps` gives the
exact probability of so small a gap. The p-values of the objects that a pair shares are independent under that
null, and combine into one (`p_values.truncated_product`).

Time is linear in the shares: candidates are pairs near each other over two objects or more, found account by
account as in `cosharing.window`; only for these are the objects of both looked up.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import polars as pl

from propgraph.arrays.holdings import by_hub
from propgraph.arrays.incidence import Incidence, check_shares, incidence, named, parts_by_trace
from propgraph.arrays.p_values import false_discovery_rate
from propgraph.arrays.types import Float64, Int32, Int64, Progress
from propgraph.errors import check_threads
from propgraph.likeness.overlap import overlap_of
from propgraph.options import SynchronyOptions
from propgraph.readers.taken import takes_frames
from propgraph.schema import SYNCHRONY
from propgraph.synchrony.candidates import Candidates, candidates_of
from propgraph.synchrony.gaps import chance_at
from propgraph.synchrony.halves import N_SPLITS, NO_HALVES, Halves
from propgraph.synchrony.pair_kernels import measure_pairs
from propgraph.synchrony.prepared import TAU, PreparedShares, prepare_shares
from propgraph.synchrony.testable import NumberOfTests, count_tests
from propgraph.synchrony.weighed import WEIGHED_Q, hold_to_habits

#: Pairs are kept up to this p-value.
MAX_P = SynchronyOptions.max_p

#: A pair is tested if it shares so many objects, at least, in which two posts can be near at all.
LEAST_OBJECTS = 2
#: Pairs are told to stand out on a half of the objects up to this p-value: groups are looked for among them.
LAX_P = 0.05
_BLOCKS = 64


@dataclass(frozen=True)
class PairEvidence:
    """The rank statistic of pairs of accounts; arrays of one length.

    Attributes
    ----------
    source, target
        int64; account codes, source < target; sorted.
    n_tested
        int64; objects both shared in which they could have been near.
    n_near
        int64; those in which they are.
    closest_ms
        int64; the least time between their posts over these, -1 without any.
    reach
        float64; what the objects could have shown, had they met in all (see `testable`).
    log_p
        float64; natural logarithm of the p-value.
    """

    source: Int64
    target: Int64
    n_tested: Int64
    n_near: Int64
    closest_ms: Int64
    reach: Float64
    log_p: Float64


@dataclass(frozen=True)
class HalfEvidence:
    """Pairs that stand out on a half of the objects alone; arrays of one length, sorted by half and pair.

    Attributes
    ----------
    source, target
        int64; account codes, source < target.
    half
        int64; twice the number of the split, plus the half (see `halves`).
    log_p
        float64; natural logarithm of the p-value on that half.
    """

    source: Int64
    target: Int64
    half: Int64
    log_p: Float64

    def of(self, half: int, /) -> tuple[Int64, Int64, Float64]:
        """Return source, target and ln P of the pairs of one half."""
        part = slice(*np.searchsorted(self.half, [half, half + 1]))
        return self.source[part], self.target[part], self.log_p[part]


@takes_frames
def rank_synchrony(
    shares: pl.DataFrame,
    /,
    *,
    tau: float = TAU,
    neighbours: int = SynchronyOptions.neighbours,
    max_p: float = MAX_P,
    threads: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> pl.DataFrame:
    """Return the pairs of accounts that share near each other in rank, with the probability of that by chance.

    For each object that both shared, p = P(gap <= theirs) if the object's accounts were dealt at random to its
    posts (see `gaps`): of several posts the closest two count, p times the number of pairs of posts (Bonferroni).
    Objects in which no two posts can be near (p <= tau) are left out, which the number of posts alone decides.
    One post of both is no meeting, and of several objects met over by the same post the first counts. Two accounts
    working through the same feed meet over many objects in a row, and those meetings are not independent. So an
    account's posts within one clock hour form a session, and only one object per session of the busier account enters
    the product: the first by name, near or not; an object belongs to the session of the account's first post of it.
    Over the k sessions the p-values combine by the truncated product at tau. Each step is exact or conservative,
    whatever the objects' bursts, so that P(p_value <= x) <= x under this null, which keeps no account's hours.
    Posts whose times are coarser than 10 s are compared with those of the same resolution only, as if they had shared
    another object; finer ones as the coarsest of the object allow.

    Parameters
    ----------
    shares
        Columns `content_id`, `account_id`, `object_id` (String), `timestamp` (`Datetime`), `time_resolution_s`
        (Float64, s) where it is known, and `trace` (String) where several traces stand in one frame; rows in any
        order.
    tau
        Chance (0..1) up to which two posts count as near.
    neighbours
        Candidates are looked for among so many posts of the object before and after each post; of posts of one time
        among all if they are 128 or less, a sample if they are more (see `candidates`), none beyond a thousand.
    max_p
        Keep pairs up to this p-value; the false discovery rate is over all pairs all the same.
    threads
        At most so many at once; None for one a processor. The result does not depend on it.
    seed
        Seed of the sample of accounts from which the number of pairs is estimated where it is too large to count.
    progress
        Called with a label and the fraction done, 0..1.

    Returns
    -------
    pl.DataFrame
        The columns of `schema.SYNCHRONY`, one row a trace and pair near over two objects or more, sorted;
        `synchronised` and `alike` are null, for they depend on a cut.

    Raises
    ------
    InputError
        When a column is missing, holds nulls, or has no times.
    UsageError
        When an option is out of its range.

    References
    ----------
    Zaykin et al., "Truncated product method for combining P-values", Genetic Epidemiology 22 (2002); Benjamini
    and Hochberg, "Controlling the False Discovery Rate", JRSS B 57 (1995). The rank statistic is ours.

    Examples
    --------
    >>> import polars as pl
    >>> import propgraph as pg
    >>> posts = [(f"reader {j * (k + 2) % 101}", k, 86_400 * k + 600 * j) for k in range(12) for j in range(1, 101)]
    >>> posts += [(who, k, 91_200 * k + wait) for k in range(12) for who, wait in (("ana", 901), ("bo", 903))]
    >>> shares = pl.DataFrame(posts, ["account_id", "object_id", "timestamp"], orient="row").with_columns(
    ...     pl.from_epoch("timestamp"),
    ...     pl.format("story {}", "object_id"),
    ...     content_id=pl.format("post {}", pl.int_range(pl.len())),
    ... )
    >>> pairs = pg.rank_synchrony(shares).filter(pl.col("q_value") <= 0.05)
    >>> pairs.select("source", "target", "n_near", "n_tested", "closest_delta_s", pl.col("q_value").round(4)).rows()
    [('ana', 'bo', 12, 12, 2.0, 0.0001)]
    """
    SynchronyOptions.check(tau=tau, neighbours=neighbours, max_p=max_p)
    threads = check_threads(threads)
    check_shares(shares)
    frames = [SYNCHRONY.empty()]
    for trace, part in parts_by_trace(shares):
        prepared = prepare_shares(incidence(part), tau=tau, neighbours=neighbours)
        tell = named(progress, f"synchrony ({trace})")
        found, _ = near_pairs(prepared, max_p=max_p, threads=threads, tell=tell)
        tests = count_tests(prepared.log, prepared.gaps.least, tau=tau, seed=seed, threads=threads)
        table = as_frame(found, prepared.log, trace, tests=tests, threads=threads)
        which = (table["q_value"] <= WEIGHED_Q).fill_null(False).to_numpy()
        frames.append(hold_to_habits(table, prepared, which, n_tests=tests.total, threads=threads))
    return pl.concat(frames)


def near_pairs(
    prepared: PreparedShares,
    /,
    *,
    max_p: float = MAX_P,
    nearby: Candidates | None = None,
    halves: Halves = NO_HALVES,
    threads: int,
    tell: Callable[[float], None] = lambda _: None,
) -> tuple[PairEvidence, HalfEvidence]:
    """Return the pairs near over two objects or more whose p-value is at most `max_p`.

    And, where `halves` are given, the pairs near over two objects of a half whose p-value there is at most `LAX_P`.
    `nearby` is what `candidates_of` makes of the ranks, if it is there already.
    """
    nearby = nearby or candidates_of(prepared.log, prepared.gaps)
    bounds = nearby.blocks(_BLOCKS)

    def run(block: int) -> tuple[PairEvidence, HalfEvidence]:
        hub, leaf = nearby.candidates(bounds[block], bounds[block + 1])
        return _measured(prepared, hub, leaf, max_p, halves)

    found, by_half = [], []
    n_blocks = len(bounds) - 1
    with ThreadPoolExecutor(threads) as pool:
        for done, (pairs, on_half) in enumerate(pool.map(run, range(n_blocks)), 1):
            tell(done / n_blocks)
            found.append(pairs)
            by_half.append(on_half)
    return _sorted(found), _sorted_halves(by_half)


def pairs_at(prepared: PreparedShares, source: Int64, target: Int64, /, *, threads: int) -> PairEvidence:
    """Return the rank statistic of given pairs of accounts (codes), sorted by them; n_tested may be 0."""
    _, hub, leaf, cuts = by_hub(np.diff(prepared.start), source, target, n_parts=4 * threads)

    def run(k: int) -> PairEvidence:
        part = slice(int(cuts[k]), int(cuts[k + 1]))
        return _measured(prepared, hub[part].astype(np.int32), leaf[part].astype(np.int32), 2.0, NO_HALVES)[0]

    with ThreadPoolExecutor(threads) as pool:
        return _sorted(list(pool.map(run, range(len(cuts) - 1))))


def ends_of(pairs: PairEvidence | HalfEvidence, accounts: pl.Series, /) -> pl.DataFrame:
    """Return `source`, `target` (String) of pairs, by the labels behind their codes."""
    ends = {"source": pairs.source, "target": pairs.target}
    return pl.DataFrame(
        {name: accounts.gather(pl.Series(code)) for name, code in ends.items()},
        schema={"source": pl.String, "target": pl.String},
    )


def as_frame(
    pairs: PairEvidence, log: Incidence, trace: str, /, *, tests: NumberOfTests, threads: int
) -> pl.DataFrame:
    """Return pairs as a table, with what they share beyond chance.

    Parameters
    ----------
    pairs, log, trace
        The pairs, all shares of the trace, its name.
    tests
        How many pairs could have been found near, these or others, and how far they reach.
    threads
        At most so many at once.

    Returns
    -------
    pl.DataFrame
        The columns of `schema.SYNCHRONY`; `synchronised` and `alike` are null, for they depend on a cut.
    """
    both = overlap_of(log, source=pairs.source, target=pairs.target, threads=threads)
    n_accounts = np.count_nonzero(np.bincount(log.account))
    testable = pairs.n_tested >= LEAST_OBJECTS
    p_value = np.where(testable, np.exp(pairs.log_p), np.nan)
    weight = tests.weights(pairs.n_tested, pairs.reach)
    q_value = np.full(testable.size, np.nan)
    q_value[testable] = false_discovery_rate((p_value / weight)[testable], n_tests=tests.total)
    return SYNCHRONY.conform(
        pl.DataFrame(
            {
                "trace": pl.repeat(trace, pairs.source.size, eager=True, dtype=pl.String),
                "source": log.accounts.gather(pl.Series(pairs.source)),
                "target": log.accounts.gather(pl.Series(pairs.target)),
                "n_tested": pairs.n_tested,
                "n_near": pairs.n_near,
                "closest_delta_s": np.where(pairs.closest_ms < 0, np.nan, pairs.closest_ms / 1000),
                "synchrony": np.where(testable, -pairs.log_p / np.log(10), np.nan),
                "p_value": p_value,
                "p_habits": np.full(p_value.size, np.nan),
                "weight": weight,
                "q_value": q_value,
                "n_shared": both.n_shared,
                "expected_shared": both.expected_shared,
                "cosine": both.cosine,
                "overlap_p": both.overlap_p,
                "overlap_q": false_discovery_rate(both.overlap_p, n_tests=n_accounts * (n_accounts - 1) / 2),
            },
            nan_to_null=True,
        )
    )


def closest_posts(
    prepared: PreparedShares, source: int, target: int, /
) -> list[tuple[str, int, int, float, float]]:
    """Return where two accounts (codes) are near: object, rows of both posts, chance of so small a gap, delay (s)."""
    log, gaps = prepared.log, prepared.gaps
    mine, yours = (prepared.position[prepared.start[k] : prepared.start[k + 1]] for k in (source, target))
    found = []
    for o in np.intersect1d(log.object[mine], log.object[yours]).tolist():
        one, other = (part[log.object[part] == o] for part in (mine, yours))
        reach = np.maximum(gaps.last[one][:, None], gaps.last[other]) - np.minimum(
            gaps.first[one][:, None], gaps.first[other]
        )
        i, k = np.unravel_index(int(reach.argmin()), reach.shape)
        n = int(log.offsets[o + 1] - log.offsets[o])
        chance = reach.size * chance_at(int(reach[i, k]), o, n, gaps.counted, gaps.chance)
        if chance <= prepared.tau:
            p, q = int(one[i]), int(other[k])
            delay = float(log.time[q] - log.time[p]) / 1000
            found.append((str(log.objects[o]), int(log.row[p]), int(log.row[q]), float(chance), delay))
    return found


def _measured(
    prepared: PreparedShares, hub: Int32, leaf: Int32, max_p: float, halves: Halves
) -> tuple[PairEvidence, HalfEvidence]:
    log, gaps = prepared.log, prepared.gaps
    n_splits = N_SPLITS if halves.usable.size else 0
    counts, reach, log_p, on_half, log_p_half = measure_pairs(
        hub, leaf, prepared.start, prepared.position, prepared.listed, prepared.opens, prepared.closes,
        prepared.session, log.offsets, log.time, log.post, gaps.counted, gaps.chance, gaps.least, prepared.tau,
        halves.side, halves.usable, n_splits, np.log(LAX_P),
    )  # fmt: skip
    keep = log_p <= np.log(max_p)
    counts, reach, log_p = counts[keep], reach[keep], log_p[keep]
    low, high = np.minimum(hub, leaf), np.maximum(hub, leaf)
    pair = on_half[:, 0]
    ends = (low[keep].astype(np.int64), high[keep].astype(np.int64))
    found = PairEvidence(*ends, counts[:, 0], counts[:, 1], counts[:, 2], reach, log_p)
    halved = (low[pair].astype(np.int64), high[pair].astype(np.int64), on_half[:, 1].astype(np.int64))
    return found, HalfEvidence(*halved, log_p_half)


def _sorted(parts: list[PairEvidence]) -> PairEvidence:
    if not parts:
        none = np.empty(0, np.int64)
        return PairEvidence(none, none, none, none, none, np.empty(0, np.float64), np.empty(0, np.float64))
    names = ("source", "target", "n_tested", "n_near", "closest_ms", "reach", "log_p")
    columns = [np.concatenate([getattr(part, name) for part in parts]) for name in names]
    order = np.lexsort((columns[1], columns[0]))
    return PairEvidence(*(column[order] for column in columns))


def _sorted_halves(parts: list[HalfEvidence]) -> HalfEvidence:
    none = np.empty(0, np.int64)
    empty = HalfEvidence(none, none, none, np.empty(0, np.float64))
    names = ("source", "target", "half", "log_p")
    columns = [np.concatenate([getattr(part, name) for part in (empty, *parts)]) for name in names]
    order = np.lexsort((columns[1], columns[0], columns[2]))
    return HalfEvidence(*(column[order] for column in columns))
