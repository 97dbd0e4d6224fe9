"""Shares to cascades: one tree for each object that was reshared or shared."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from propgraph.arrays.encoding import codes_in, codes_of, decode, distinct_in_groups, encode
from propgraph.arrays.types import Float64, Int32, Int64, UInt8
from propgraph.cascades.flat import Flat, Named, account_ids, plain, reordered, with_roots
from propgraph.cascades.inference.draws import cascade_keys
from propgraph.cascades.inference.ensemble import MEASURES, Ensemble, Nodes, Sampler, ensemble_shapes
from propgraph.cascades.inference.follow import follow_parents
from propgraph.cascades.inference.learned import Learned, fit_on_known, learned_sampler
from propgraph.cascades.inference.pdi import PDI, known_followers
from propgraph.cascades.parents import (
    INFERRED_FOLLOW,
    INFERRED_LEARNED,
    INFERRED_PDI,
    INFERRED_STAR,
    OBSERVED,
    PARENT_SOURCES,
    infer_parents,
    star_parents,
)
from propgraph.cascades.shapes.measures import measure_cascades
from propgraph.cascades.shapes.percentiles import with_percentiles
from propgraph.cascades.shapes.shape import node_depths
from propgraph.errors import UsageError, check_columns
from propgraph.options import CascadeOptions
from propgraph.readers.taken import takes_frames
from propgraph.schema import TIME

#: Traces whose objects spread as such; a hashtag or a site is no story.
CASCADE_TRACES = ("object", "reshare", "url")


#: What is repaired in the trees that a log names; names in `Cascades.counts`.
REPAIRS = ("parents_absent", "self_loops", "extra_parents", "cycles", "times_raised", "roots_later")
_DRAWN = {"pdi": INFERRED_PDI, "learned": INFERRED_LEARNED}
_SOURCES = pl.Series(sorted(PARENT_SOURCES))
_SOURCE_CODES = np.array([sorted(PARENT_SOURCES).index(name) for name in PARENT_SOURCES], np.uint32)


@dataclass(frozen=True)
class Cascades:
    """The trees of one trace.

    Attributes
    ----------
    cascades
        Columns of `schema.CASCADES`.
    nodes
        Columns of `schema.CASCADE_NODES`; ids may be encoded.
    counts
        How often each of `REPAIRS` was needed: nodes whose named parent is not in the tree (`parents_absent`) or
        is the node itself (`self_loops`), both as if none were named; parents beyond the one kept, the latest
        not later than the node, else the latest (`extra_parents`); cycles opened (`cycles`); nodes
        dated before their parent, which have its time instead (`times_raised`); originals dated after their first
        reshare, which keep their time while the cascade begins with that reshare (`roots_later`).
    ensemble
        Where parents were drawn, one row a cascade: `cascade_id`, and `<measure>_mean`, `_median`, `_low` and
        `_high` (5 % and 95 % points; Float64) of `depth`, `max_breadth` (edges, posts) and
        `structural_virality` (edges; null for size 1) over the samples. Else None.
    """

    cascades: pl.DataFrame
    nodes: pl.DataFrame
    counts: dict[str, int]
    ensemble: pl.DataFrame | None = None


@takes_frames
def build_cascades(
    shares: pl.DataFrame,
    posts: pl.DataFrame,
    /,
    *,
    trace: str,
    parents: str | None = CascadeOptions.parents,
    follows: pl.DataFrame | None = None,
    followers: pl.DataFrame | None = None,
    samples: int = CascadeOptions.samples,
    seed: int = CascadeOptions.seed,
    threads: int | None = None,
) -> Cascades:
    """Return the cascade of every object of one trace.

    The root of a reshare's cascade is the original; where its post is not in the log it stands there all
    the same, without a time. The root of any other cascade is the first sharer. A parent that the log
    names (the post, else the account's latest earlier post in the tree) is taken, and put before its child
    where the log has it later or at the same time; see `propgraph.cascades.order`. The others' parents come from the
    follow graph where one is given and tells, else from the provider chosen, else they hang under the root
    (`inferred:star`).

    `pdi` and `learned` draw an ensemble of trees. `nodes` then names the parent drawn most often, while
    `depth`, `max_breadth` and `structural_virality` of `cascades` are medians over the samples: the tree of
    the likeliest parents is flatter than those drawn.

    Parameters
    ----------
    shares
        Shares of the trace as `make_shares` returns them (encoded ids and `row`).
    posts
        The posts that `row` points into.
    trace
        The trace's name.
    parents
        One of `options.PROVIDERS`. `follow` (needs `follows`): the latest earlier sharer whom the account follows.
        `pdi`: see `propgraph.cascades.inference.pdi.PDI`. `learned`: see `propgraph.cascades.inference.learned`;
        the law is fitted to the trees of this trace whose parents the log names, where there are enough, else
        it is the package's. `observed`, `star` or None: the root.
    follows
        Who follows whom: `follower_id`, `followed_id` (String).
    followers
        For `pdi`: `account_id` (String), `followers` (accounts; of several rows the most counts, null or
        below 0 is unknown, and unknown is the median of the known). Without it all count alike.
    samples
        Trees drawn for each cascade; 1 or more.
    seed
        Where the draws begin; 0 or more.
    threads
        Threads that rank the shapes; None takes as many as there are cores.

    Returns
    -------
    Cascades
        The tables `cascades` and `cascade_nodes` of the trace, what had to be repaired, and the ensemble.

    Raises
    ------
    UsageError
        If the provider is unknown or lacks its table.
    InputError
        If such a table lacks a column.

    Examples
    --------
    >>> import polars as pl
    >>> import propgraph as pg
    >>> log = pl.DataFrame(
    ...     {
    ...         "content_id": ["p1", "p2", "p3", "p4"],
    ...         "account_id": ["ana", "bo", "cy", "dee"],
    ...         "timestamp": [1_700_000_000, 1_700_000_060, 1_700_000_090, 1_700_000_400],
    ...         "kind": ["original", "reshare", "reshare", "reshare"],
    ...         "parent_content_id": [None, "p1", "p1", "p3"],
    ...     }
    ... )
    >>> posts = pg.read_log(log)
    >>> made = pg.build_cascades(pg.make_shares(posts)["reshare"], posts, trace="reshare")
    >>> made.cascades.select("cascade_id", "size", "depth", "structural_virality", "duration_s").rows()
    [('reshare:p1', 4, 2, 1.6666666666666667, 400.0)]
    >>> made.nodes.select("content_id", "parent_content_id", "parent_source", "depth").rows()
    [('p1', None, 'root', 0), ('p2', 'p1', 'observed', 1), ('p3', 'p1', 'observed', 1), ('p4', 'p3', 'observed', 2)]
    """
    _check_provider(parents, follows, followers)
    check_columns("shares", ("content_id", "account_id", "object_id", "timestamp", "row"), shares.columns)
    shares = shares.with_columns(encode(shares["account_id"]), encode(shares["object_id"]))
    flat = with_roots(shares, posts) if trace == "reshare" else plain(shares, posts)
    if flat.named is None:
        parent, source = star_parents(flat.offsets, n_nodes=flat.account.size)
        counts = {}
    else:
        named, extra = _one_parent_each(flat, flat.named, posts)
        inferred = infer_parents(
            flat.offsets,
            content=named.content,
            account=flat.account,
            time=flat.time,
            parent_content=named.parent,
            origin_account=named.origin,
        )
        parent, source, counts = inferred.parent, inferred.source, inferred.counts | {"extra_parents": extra}
        flat = flat if inferred.order is None else reordered(flat, inferred.order, inferred.time)
    counts = dict.fromkeys(REPAIRS, 0) | counts | {"roots_later": flat.roots_later}
    if follows is not None:
        parent, source = _followed(flat, follows, parent, source)
    drawn = None
    if parents in _DRAWN:
        keys = cascade_keys(_cascade_ids(flat, trace))
        nodes_drawn = Nodes(flat.offsets, flat.time, np.where(source == INFERRED_STAR, -1, parent), keys)
        if parents == "pdi":
            sampler: Sampler = PDI(nodes_drawn, _followers_of(flat, followers))
        else:
            sampler = _learned(nodes_drawn, flat.account, np.where(source == OBSERVED, parent, -1))
        drawn = ensemble_shapes(sampler, samples=samples, seed=seed)
        parent = drawn.parent
        source = np.where(source == INFERRED_STAR, np.uint8(_DRAWN[parents]), source)
    nodes = _nodes_frame(flat, parent, source, node_depths(flat.offsets, parent), trace)
    cascades = _cascades_frame(flat, parent, source, trace)
    ensemble = None if drawn is None else _ensemble_frame(cascades["cascade_id"], drawn)
    if ensemble is not None:
        cascades = _with_medians(cascades, ensemble)
    return Cascades(with_percentiles(cascades, threads=threads), nodes, counts, ensemble)


def _check_provider(
    parents: str | None, follows: pl.DataFrame | None, followers: pl.DataFrame | None
) -> None:
    """Raise `UsageError` for a provider that is unknown or lacks its table, `InputError` for a lacking column."""
    CascadeOptions.check(parents=parents)
    if parents == "follow" and follows is None:
        raise UsageError("'follow' needs the table `follows`: follower_id, followed_id", option="parents")
    for name, table, columns in (
        ("follows", follows, ("follower_id", "followed_id")),
        ("followers", followers, ("account_id", "followers")),
    ):
        if table is not None:
            check_columns(name, columns, table.columns)


def _one_parent_each(flat: Flat, named: Named, posts: pl.DataFrame) -> tuple[Named, int]:
    """Choose one parent for each node whose post has several rows; return how many others there were.

    It is the latest in the cascade that is not later than the node, else the latest, else the first by id.
    """
    if not named.repeated or "parent_content_id" not in posts.columns:
        return named, 0
    links = posts.select(
        pl.col("content_id").cast(pl.String), above=pl.col("parent_content_id").cast(pl.String)
    )
    links = links.filter(pl.col("content_id").is_duplicated(), pl.col("above").is_not_null()).unique()
    nodes = pl.DataFrame(
        {
            "row": np.arange(flat.time.size),
            "cascade": np.repeat(np.arange(flat.offsets.size - 1), np.diff(flat.offsets)),
            "content_id": flat.content_id.cast(pl.String),
            "time": flat.time,
        }
    )
    mine = nodes.join(links, on="content_id")
    others = nodes.join(mine, on="cascade", how="semi").select(
        "cascade", above="content_id", above_row="row", above_time="time"
    )
    found = mine.join(others, on=["cascade", "above"]).filter(pl.col("above_row") != pl.col("row"))
    later = pl.col("above_time") > pl.col("time")
    kept = found.sort(
        "row", later, "above_time", "above", "above_row", descending=[False, False, True, False, False]
    ).unique("row", keep="first", maintain_order=True)
    parent = named.parent.copy()
    parent[kept["row"].to_numpy()] = named.content[kept["above_row"].to_numpy()]
    extra = found.select("row", "above").n_unique() - kept.height
    return replace(named, parent=parent), extra


def _followed(flat: Flat, follows: pl.DataFrame, parent: Int64, source: UInt8) -> tuple[Int64, UInt8]:
    """Return parents and sources with those that the follow graph tells in the place of the star's."""
    follower, followed = (codes_in(follows[name], flat.accounts) for name in ("follower_id", "followed_id"))
    above = follow_parents(
        flat.offsets,
        account=flat.account,
        follower=follower.astype(np.int32),
        followed=followed.astype(np.int32),
    )
    told = (above >= 0) & (source == INFERRED_STAR)
    return np.where(told, above, parent), np.where(told, np.uint8(INFERRED_FOLLOW), source)


def _learned(nodes: Nodes, account: Int32, observed: Int64) -> Learned:
    """Return what draws by the law of the trees whose parents the log names, or by the package's."""
    law, audience = fit_on_known(replace(nodes, known=observed), account=account)
    return learned_sampler(nodes, account=account, law=law, audience=audience)


def _followers_of(flat: Flat, followers: pl.DataFrame | None) -> Float64:
    if followers is None:
        return np.ones(flat.account.size)
    most = followers.group_by("account_id").agg(pl.col("followers").cast(pl.Float64).max())
    row = codes_in(flat.accounts, most["account_id"])
    known = most["followers"].fill_null(np.nan).to_numpy()
    by_account = np.append(np.where(row < 0, np.nan, np.append(known, np.nan)[row]), np.nan)
    return known_followers(by_account[flat.account])


def _cascade_ids(flat: Flat, trace: str) -> pl.Series:
    """Name cascades `trace:object`; a common prefix keeps the labels sorted."""
    return pl.Series("cascade_id", [trace + ":"]).new_from_index(0, len(flat.objects)) + flat.objects


def _nodes_frame(flat: Flat, parent: Any, source: Any, depth: Any, trace: str) -> pl.DataFrame:
    ids = _cascade_ids(flat, trace).gather(pl.Series(codes_of(flat.object_id)))
    above = pl.Series(parent, dtype=pl.Int64)
    return pl.DataFrame(
        {
            "cascade_id": ids,
            "content_id": flat.content_id,
            "account_id": flat.account_id,
            "timestamp": flat.timestamp,
            "parent_content_id": flat.content_id.gather(above.set(above < 0, None).cast(pl.UInt32)),
            "parent_source": decode(_SOURCE_CODES[source], _SOURCES),
            "depth": depth,
        }
    )


def _cascades_frame(flat: Flat, parent: Any, source: Any, trace: str) -> pl.DataFrame:
    measured = measure_cascades(flat.offsets, parent, time=flat.time)
    first = flat.offsets[:-1]
    observed = np.add.reduceat((source == OBSERVED).astype(np.int64), first) if first.size else np.empty(0)
    below = np.maximum(np.diff(flat.offsets) - 1, 1)
    named = pl.DataFrame(
        {
            "cascade_id": _cascade_ids(flat, trace),
            "trace": pl.repeat(trace, first.size, eager=True),
            "object_id": flat.objects,
            "root_account_id": account_ids(flat.account[first], flat.accounts),
            "start": pl.Series(flat.time[first]).cast(TIME),
            "n_accounts": distinct_in_groups(flat.offsets, flat.account, len(flat.accounts)),
            "observed_share": pl.Series(observed / below).set(measured["size"] < 2, None),
        }
    )
    return named.hstack(measured)


def _ensemble_frame(ids: pl.Series, drawn: Ensemble) -> pl.DataFrame:
    return pl.DataFrame({"cascade_id": ids} | drawn.shapes).with_columns(pl.selectors.float().fill_nan(None))


def _with_medians(cascades: pl.DataFrame, ensemble: pl.DataFrame) -> pl.DataFrame:
    """Return the cascades with the ensemble's medians for shapes; whole where the column is."""
    medians = ensemble.select(pl.col(f"{name}_median").alias(name) for name in MEASURES)
    return cascades.with_columns(
        (medians[name].round() if cascades.schema[name].is_integer() else medians[name]).cast(
            cascades.schema[name]
        )
        for name in MEASURES
    )
