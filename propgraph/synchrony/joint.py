"""All traces together: one probability a pair, and one for an account and a group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from propgraph.arrays.encoding import codes_in
from propgraph.arrays.incidence import Incidence, check_shares, incidence, named
from propgraph.arrays.p_values import false_discovery_rate, harmonic_mean
from propgraph.arrays.types import Bool, Float64, Progress
from propgraph.errors import check_columns, check_threads
from propgraph.options import ClusterOptions, SynchronyOptions
from propgraph.readers.taken import takes_frames
from propgraph.schema import NETWORK, SYNCHRONY
from propgraph.synchrony.candidates import candidates_of, sampled_ties
from propgraph.synchrony.halves import Halves, halves_of
from propgraph.synchrony.pairs import (
    MAX_P,
    HalfEvidence,
    PairEvidence,
    as_frame,
    closest_posts,
    ends_of,
    near_pairs,
    pairs_at,
)
from propgraph.synchrony.prepared import TAU, PreparedShares, prepare_shares
from propgraph.synchrony.testable import NumberOfTests, count_tests
from propgraph.synchrony.weighed import WEIGHED_Q, hold_to_habits, with_rates


@dataclass(frozen=True)
class Joint:
    """What rank synchrony says of a study.

    Attributes
    ----------
    prepared
        The shares of each trace.
    synchrony
        `schema.SYNCHRONY`: a row for each trace and pair.
    network
        `schema.NETWORK`: a row for each pair, all traces together.
    tests
        Pairs that could have been found in each trace, and how far they reach.
    ties
        `n_ties, n_posts, n_pairs, n_looked_at` of the ties that are sampled in each trace (see `candidates`).
    halves
        The splits of each trace's objects, and the pairs that stand out on a half.
    """

    prepared: dict[str, PreparedShares]
    synchrony: pl.DataFrame
    network: pl.DataFrame
    tests: dict[str, NumberOfTests]
    ties: dict[str, dict[str, int]]
    halves: dict[str, tuple[Halves, HalfEvidence]]


#: What rank synchrony says where nobody asked it.
NO_JOINT = Joint({}, SYNCHRONY.empty(), NETWORK.empty(), {}, {}, {})


@takes_frames
def joint_synchrony(
    shares: Mapping[str, pl.DataFrame],
    /,
    *,
    edges: pl.DataFrame | None = None,
    q: float = ClusterOptions.q,
    neighbours: int = SynchronyOptions.neighbours,
    threads: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Joint:
    """Test all pairs near each other in rank in any trace in every trace, and join the traces to one p-value a pair.

    A pair's p-values are joined by their harmonic mean, which is asymptotically exact for independent traces and
    near it under dependence (a repost of a post with a link is one act in two traces); for these statistics that is
    not proven (docs/synchronised.md). The false discovery rate is over the pairs that could have been found in each
    trace, all added up, as if no pair could be found in two.

    Parameters
    ----------
    shares
        The shares of each trace by its name, as `make_shares` returns them; each with the columns that
        `rank_synchrony` needs.
    edges
        Columns `source`, `target` (String): further pairs to be tested, such as those of `cosharing_edges`.
    q
        False discovery rate (0..1) up to which a pair is called synchronised, or alike.
    neighbours, threads, seed, progress
        As for `rank_synchrony`.

    Returns
    -------
    Joint
        `network` (`schema.NETWORK`): a row for each pair, all traces together, with `p_value`, `q_value` and
        `synchronised`; `synchrony` (`schema.SYNCHRONY`): a row for each trace and pair; both sorted.

    Raises
    ------
    InputError
        When a column is missing, holds nulls, or has no times.
    UsageError
        When an option is out of its range.

    References
    ----------
    Wilson, "The harmonic mean p-value for combining dependent tests", PNAS 116 (2019).

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
    >>> joint = pg.joint_synchrony({"object": shares})
    >>> joint.network.filter("synchronised").select("source", "target", "traces", "n_near").rows()
    [('ana', 'bo', 'object', 12)]
    >>> joint.synchrony.filter("synchronised").select("trace", "source", "target", "n_tested").rows()
    [('object', 'ana', 'bo', 12)]
    """
    ClusterOptions.check(q=q, neighbours=neighbours)
    n_threads = check_threads(threads)
    for part in shares.values():
        check_shares(part)
    edges = NETWORK.empty() if edges is None else edges
    check_columns("edges", ("source", "target"), edges.columns)
    logs = {trace: incidence(shares[trace]) for trace in sorted(shares)}
    return joint_evidence(
        logs, edges, q=q, neighbours=neighbours, seed=seed, threads=n_threads, progress=progress
    )


def joint_evidence(
    logs: Mapping[str, Incidence],
    edges: pl.DataFrame,
    /,
    *,
    q: float,
    neighbours: int = SynchronyOptions.neighbours,
    seed: int,
    threads: int,
    progress: Progress | None = None,
) -> Joint:
    """Return what `joint_synchrony` says of the shares of each trace, with the options as they are."""
    tell = named(progress, "synchrony")
    prepared = {trace: prepare_shares(log, tau=TAU, neighbours=neighbours) for trace, log in logs.items()}
    tests, ties, halves, found = {}, {}, {}, [edges.select(pl.col("source", "target").cast(pl.String))]
    for done, (trace, part) in enumerate(prepared.items(), 1):
        near, halves[trace], ties[trace] = _near(part, seed=seed, threads=threads)
        found.append(ends_of(near, part.log.accounts))
        tests[trace] = count_tests(part.log, part.gaps.least, tau=part.tau, seed=seed, threads=threads)
        tell(done / len(prepared) / 2)
    pairs = pl.concat(found).unique().sort("source", "target")
    tables = {}
    for done, (trace, part) in enumerate(prepared.items(), 1):
        tables[trace] = _tested(part, trace, pairs, tests=tests[trace], threads=threads)
        tell(0.5 + done / len(prepared) / 2)
    total = sum(told.total for told in tests.values())
    at_random = _at_random(pl.concat([SYNCHRONY.empty(), *tables.values()]))
    again = _standing_out(at_random, tables, n_tests=total)
    for trace, part in prepared.items():
        which = is_row_of(tables[trace], again)
        tables[trace] = hold_to_habits(
            tables[trace], part, which, n_tests=tests[trace].total, threads=threads
        )
    synchrony = pl.concat([SYNCHRONY.empty(), *tables.values()]).with_columns(
        synchronised=(pl.col("q_value") <= q).fill_null(False),
        alike=(pl.col("overlap_q") <= q).fill_null(False),
    )
    return Joint(prepared, synchrony, _joined(at_random, synchrony, n_tests=total, q=q), tests, ties, halves)


def _near(
    part: PreparedShares, *, seed: int, threads: int
) -> tuple[PairEvidence, tuple[Halves, HalfEvidence], dict[str, int]]:
    """Return the near pairs of a trace, its halves and who is near there, and which ties a sample was looked at of."""
    nearby = candidates_of(part.log, part.gaps)
    halves = halves_of(part, seed=seed)
    near, on_half = near_pairs(part, max_p=MAX_P, nearby=nearby, halves=halves, threads=threads)
    return near, (halves, on_half), sampled_ties(part.log, part.gaps, tau=part.tau, nearby=nearby)


def _tested(
    part: PreparedShares, trace: str, pairs: pl.DataFrame, *, tests: NumberOfTests, threads: int
) -> pl.DataFrame:
    """Return the rows of the pairs that share an object in a trace."""
    source = codes_in(pairs["source"], part.log.accounts)
    target = codes_in(pairs["target"], part.log.accounts)
    there = (source >= 0) & (target >= 0)
    found = pairs_at(part, source[there], target[there], threads=threads)
    return as_frame(found, part.log, trace, tests=tests, threads=threads).filter(pl.col("n_shared") > 0)


def is_row_of(pairs: pl.DataFrame, some: pl.DataFrame, /) -> Bool:
    """Mark the rows of `pairs` whose `source` and `target` are among `some`."""
    marked = some.select("source", "target", there=pl.lit(True))
    found = pairs.join(marked, on=["source", "target"], how="left", maintain_order="left")["there"]
    told: Bool = found.fill_null(False).to_numpy()
    return told


def _standing_out(
    at_random: pl.DataFrame, tables: Mapping[str, pl.DataFrame], *, n_tests: float
) -> pl.DataFrame:
    """Return `source`, `target` of the pairs that stand out under the uniform deal, in a trace or all together."""
    one = [
        table.filter(pl.col("q_value") <= WEIGHED_Q).select("source", "target") for table in tables.values()
    ]
    rate = false_discovery_rate((at_random["p_value"] / at_random["weight"]).to_numpy(), n_tests=n_tests)
    together = at_random.filter(pl.Series(rate <= WEIGHED_Q)).select("source", "target")
    return pl.concat([together, *one]).unique()


def _at_random(synchrony: pl.DataFrame) -> pl.DataFrame:
    """Return the pairs with their p-values of the uniform deal joined over the traces, up to `MAX_P`."""
    tested = synchrony.filter(pl.col("p_value").is_not_null())
    pairs = tested.group_by("source", "target", maintain_order=True).agg(
        traces=pl.col("trace").filter(pl.col("n_near") > 0).sort().str.join("+"),
        n_near=pl.col("n_near").max(),
        closest_delta_s=pl.col("closest_delta_s").min(),
        p_values=pl.col("p_value"),
        # Over all traces the weights add up to the number of tests at most: the largest stands for the pair.
        weight=pl.col("weight").max(),
    )
    p_value = pl.Series(harmonic(pairs["p_values"]), dtype=pl.Float64)
    return pairs.drop("p_values").with_columns(p_value=p_value).filter(pl.col("p_value") <= MAX_P)


def _joined(at_random: pl.DataFrame, synchrony: pl.DataFrame, *, n_tests: float, q: float) -> pl.DataFrame:
    """Return `schema.NETWORK`: the pairs as from `_at_random`, with what `synchrony` says of those tested again."""
    # A pair was tested again in all of its traces, or in none.
    again = (
        synchrony.filter(pl.col("p_habits").is_not_null())
        .group_by("source", "target", maintain_order=True)
        .agg("p_habits")
    )
    again = again.with_columns(p_habits=pl.Series(harmonic(again["p_habits"]), dtype=pl.Float64))
    pairs = at_random.join(again, on=["source", "target"], how="left", maintain_order="left")
    pairs = with_verdicts(pairs, n_tests=n_tests, q=q)
    return NETWORK.conform(pairs).sort("source", "target")


def with_verdicts(pairs: pl.DataFrame, /, *, n_tests: float, q: float) -> pl.DataFrame:
    """Return pairs with `synchrony`, `q_value`, `synchronised` and `by_habit` by `p_value`, `p_habits` and `weight`.

    The false discovery rate is over the pairs given, and as many as `n_tests` in all.
    """
    if_dealt = false_discovery_rate((pairs["p_value"] / pairs["weight"]).to_numpy(), n_tests=n_tests)
    pairs = with_rates(pairs, n_tests=n_tests).with_columns(
        synchronised=(pl.col("q_value") <= q).fill_null(False)
    )
    by_habit = pl.Series(if_dealt <= q, dtype=pl.Boolean) & ~pl.col("synchronised")
    return pairs.with_columns(by_habit=by_habit)


def harmonic(lists: pl.Series) -> Float64:
    """Return the harmonic mean p-value of each list."""
    table = np.full((lists.len(), int(lists.list.len().max() or 1)), np.nan)  # type: ignore[arg-type]
    for k in range(table.shape[1]):
        table[:, k] = lists.list.get(k, null_on_oob=True).fill_null(np.nan).to_numpy()
    return harmonic_mean(table)


def near_posts(prepared: Mapping[str, PreparedShares], pairs: pl.DataFrame, /) -> pl.DataFrame:
    """Return the posts over which pairs are near each other, the nearest of each object.

    Parameters
    ----------
    prepared
        The shares of each trace.
    pairs
        `source`, `target` (String); not many, for their posts are looked up one pair at a time.

    Returns
    -------
    pl.DataFrame
        `source`, `target`, `trace`, `object_id`, `source_row`, `target_row` (rows of the trace's shares),
        `chance` (0..1, of two posts so near), `delta_s` (the target's post after the source's, s); in the order
        of `pairs`, the least chance first.
    """
    found: list[list[tuple[object, ...]]] = [[] for _ in range(pairs.height)]
    for trace, part in prepared.items():
        ends = zip(*(codes_in(pairs[name], part.log.accounts) for name in ("source", "target")), strict=True)
        for k, (source, target) in enumerate(ends):
            if min(source, target) >= 0:
                found[k] += [(trace, *one) for one in closest_posts(part, source, target)]
    rows = [
        (source, target, *one)
        for (source, target), posts in zip(pairs.select("source", "target").iter_rows(), found, strict=True)
        for one in sorted(posts, key=lambda one: (one[4], one[0], one[1]))
    ]
    schema = {
        "source": pl.String, "target": pl.String, "trace": pl.String, "object_id": pl.String,
        "source_row": pl.Int64, "target_row": pl.Int64, "chance": pl.Float64, "delta_s": pl.Float64,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row")
