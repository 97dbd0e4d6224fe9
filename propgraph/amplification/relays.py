"""Crews behind relays: accounts that stand under the same relays beyond chance, come each time, and come at once.

To stand under one account in cascade after cascade is what a loyal reader does, too. What loyalty to one account does
not explain is a *crew*: two relays or more that pass on the same cascades, of a few origins again and again, each with
followers of its own, of whom half or more come each time, and sooner than others who reshare, there and in the log, do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from propgraph.amplification.following import Following, measure_following
from propgraph.amplification.forest import Forest, by_trace, forest, known_depths
from propgraph.arrays.types import Bool, Float64, Int64

#: Followers that a relay needs, and cascades in which two of them or more stand under it.
FOLLOWERS, JOBS = 3, 5
#: Least share of a relay's followers who come when another of them comes; most delay, in parts of the usual one.
TURNOUT, DELAY = 0.5, 0.5
#: Most accounts at the root of nine in ten of a crew's jobs: it carries a centre's posts, not whatever is popular.
ORIGINS = 5

# Relays are of one crew where they have so many jobs in common, and this part of those of the one with fewer.
_COMMON, _PART = 3, 1 / 3
# From how many others' reshares on their usual delay is known.
_ENOUGH = 20
_SHOWN_JOBS, _SHOWN_EACH = 4, 5


@dataclass(frozen=True)
class Relayed:
    """Who stands under whom beyond chance, and the crews among them.

    Attributes
    ----------
    followers
        `account_id`: who stands under a relay beyond chance that has three such followers or more; once.
    members
        `account_id, crew, p_value`: the relays of each crew and who stands under them beyond chance, once; the least
        p-value of its pairs in the crew.
    crews
        `crew, relays` (ids, the one with most followers first)`, n_jobs` (cascades)`, n_origins` (fewest
        accounts at the root of nine in ten of these)`, turnout` (0..1)`, lag_s,
        usual_s` (median delay after the post reshared, theirs and the others')`, content_ids` (of relays and their
        followers in the largest jobs).
    """

    followers: pl.DataFrame
    members: pl.DataFrame
    crews: pl.DataFrame


_CREWS: dict[str, Any] = {
    "crew": pl.UInt32, "relays": pl.List(pl.String), "n_jobs": pl.Int64, "n_origins": pl.Int64, "turnout": pl.Float64,
    "lag_s": pl.Float64, "usual_s": pl.Float64, "content_ids": pl.List(pl.String),
}  # fmt: skip
NO_RELAYED = Relayed(
    pl.DataFrame(schema={"account_id": pl.String}),
    pl.DataFrame(schema={"account_id": pl.String, "crew": pl.UInt32, "p_value": pl.Float64}),
    pl.DataFrame(schema=_CREWS),
)


def find_relayed(nodes: pl.DataFrame | pl.LazyFrame, /, *, q: float) -> Relayed:
    """Return who stands under whom beyond chance, and the crews behind relays.

    Accounts are tested against parents drawn among the earlier posts of each cascade (see `following`), at a false
    discovery rate over all pairs of accounts that could have been looked at, of all traces whose trees say who
    reshared whom. Only parents that the log names, or that follow from who follows whom, count.

    A *crew* has two relays or more. Each has five jobs or more, cascades in which two or more of its followers stand
    under it; when one of its followers comes, half of the others or more do; and half of their posts or more come
    within half the usual delay after the post that they reshare. It shares three jobs with another relay of the crew,
    and a third of those of the one with fewer jobs. Nine in ten of the crew's jobs go back to five accounts
    or fewer, for keen readers of a few hubs do all the rest, too, but over whatever is popular. Usual is the median
    delay of reshares of reshares by those who follow no relay beyond chance, in the whole trace, or of those who are
    in one of the crew's jobs only if that is less. Who stands under one of the crew's relays beyond chance among these
    alone joins it.

    Parameters
    ----------
    nodes
        `schema.CASCADE_NODES`, in the order of a study.
    q
        False discovery rate (0..1).
    """
    parts = [part for part in by_trace(nodes.lazy()) if _is_deep(part)]
    found = [_of_trace(forest(part, drawn=False), q / len(parts)) for part in parts]
    followers, members, crews = [NO_RELAYED.followers], [NO_RELAYED.members], [NO_RELAYED.crews]
    n = 0
    for one in found:
        followers.append(one.followers)
        members.append(one.members.with_columns(pl.col("crew") + n))
        crews.append(one.crews.with_columns(pl.col("crew") + n))
        n += one.crews.height
    # Who is in crews of several traces stays in the first.
    return Relayed(
        pl.concat(followers).unique().sort("account_id"),
        pl.concat(members).sort("crew", "account_id").unique("account_id", keep="first", maintain_order=True),
        pl.concat(crews),
    )


def _is_deep(nodes: pl.LazyFrame) -> bool:
    """Tell whether any post of a trace stands below a reshare."""
    return (nodes.select(pl.col("depth").max()).collect().item() or 0) > 1


def _of_trace(cascades: Forest, q: float) -> Relayed:
    if not len(cascades.cascade_id):
        return NO_RELAYED
    following = measure_following(cascades)
    sure = _sure(following, q).filter(pl.len().over("relay") >= FOLLOWERS)
    followers = _labelled(cascades, sure.unique("account").sort("account")).select("account_id")
    under = following.under.join(sure, on=["account", "relay"], how="semi", maintain_order="left")
    delays = _delays(cascades, sure["account"].to_numpy())
    crews = _crews(_busy_relays(under, delays))
    if crews.is_empty():
        return Relayed(followers, NO_RELAYED.members, NO_RELAYED.crews)
    under = under.join(crews, on="relay", maintain_order="left")
    told = _figures(cascades, under, delays).filter(
        pl.col("lag_s") <= DELAY * pl.col("usual_s"), pl.col("n_origins") <= ORIGINS
    )
    told = told.sort("crew").with_row_index("number")
    crews = crews.join(told.select("crew", "number"), on="crew").select("relay", crew="number")
    joined = _sure(measure_following(cascades, crews["relay"].to_numpy()), q)
    belong = pl.concat([sure, joined]).unique(["account", "relay"], keep="any").join(crews, on="relay")
    both = [belong.select("crew", "p_value", account=end) for end in ("account", "relay")]
    members = pl.concat(both).group_by("crew", "account").agg(pl.col("p_value").min()).sort("crew", "account")
    members = members.unique("account", keep="first", maintain_order=True)
    sizes = belong.group_by("crew", "relay").len().sort("len", "relay", descending=[True, False])
    relays = _labelled(cascades, sizes, "relay").group_by("crew").agg(pl.col("relay").alias("relays"))
    posts = _posts(cascades, under.drop("crew").join(crews, on="relay"))
    told = told.drop("crew").rename({"number": "crew"}).join(relays, on="crew").join(posts, on="crew")
    return Relayed(
        followers,
        _labelled(cascades, members).select("account_id", "crew", "p_value"),
        told.sort("crew").select(pl.col(name).cast(dtype) for name, dtype in _CREWS.items()),
    )


def _labelled(cascades: Forest, frame: pl.DataFrame, column: str = "account") -> pl.DataFrame:
    """Put the ids of accounts in the place of their numbers; `account` becomes `account_id`."""
    name = "account_id" if column == "account" else column
    return frame.with_columns(cascades.accounts.gather(frame[column]).alias(name))


def _sure(following: Following, q: float) -> pl.DataFrame:
    """Return `account, relay, p_value` of the pairs at a false discovery rate `q`."""
    return following.pairs.filter(following.q_value <= q).select("account", "relay", "p_value")


@dataclass(frozen=True)
class _Delays:
    """How long after the post that they reshare posts come.

    Attributes
    ----------
    depth
        Edges between each node and its root, -1 for unknown.
    seconds
        Time since the parent; of meaning only below the root.
    other
        Whether a node stands below a reshare and is not by a follower of a relay.
    """

    depth: Int64
    seconds: Float64
    other: Bool


def _delays(cascades: Forest, followers: Int64) -> _Delays:
    depth = known_depths(cascades.parent, cascades.known)
    seconds = (cascades.time - cascades.time[cascades.parent]) / 1000
    return _Delays(depth, seconds, (depth > 1) & ~np.isin(cascades.account, followers))


def _median(delays: Float64) -> float | None:
    return float(np.median(delays)) if delays.size >= _ENOUGH else None


def _busy_relays(under: pl.DataFrame, delays: _Delays) -> pl.DataFrame:
    """Return `relay, cascade`, a row a job, of relays with jobs enough whose followers come each time, and soon."""
    usual = _median(delays.seconds[delays.other])
    if usual is None:
        return under.select("relay", "cascade").clear()
    of_relay = under.with_columns(delay=pl.Series(delays.seconds[under["row"].to_numpy()]))
    soon = of_relay.group_by("relay").agg(pl.col("delay").median()).filter(pl.col("delay") <= DELAY * usual)
    jobs = under.group_by("relay", "cascade").agg(n=pl.len().cast(pl.Int64)).sort("relay", "cascade")
    busy = _turnout(jobs, under).filter(pl.col("n_jobs") >= JOBS, pl.col("turnout") >= TURNOUT)
    chosen = busy.join(soon, on="relay", how="semi")
    return jobs.filter(pl.col("n") >= 2).join(chosen, on="relay", how="semi").select("relay", "cascade")


def _turnout(jobs: pl.DataFrame, under: pl.DataFrame) -> pl.DataFrame:
    """Return `relay, n_jobs, turnout`: of the times that a follower came, what share of the others came, too.

    Each follower is held against the cascades in which another came, so that few followers do not seem keener.
    """
    sizes = under.group_by("relay").agg(n_followers=pl.col("account").n_unique().cast(pl.Int64))
    several = pl.col("n") >= 2
    came, stayed = pl.col("n").filter(several).sum(), (pl.col("n_followers") - pl.col("n")).sum()
    return (
        jobs.join(sizes, on="relay")
        .group_by("relay")
        .agg(n_jobs=several.sum(), n_came=came, n_could=came + stayed)
        .with_columns(turnout=pl.col("n_came") / pl.col("n_could"))
    )


def _crews(jobs: pl.DataFrame) -> pl.DataFrame:
    """Return `relay, crew`: two relays or more that have jobs in common, crews numbered by their first relay."""
    n_jobs = jobs.group_by("relay").agg(n_jobs=pl.len())
    common = (
        jobs.join(jobs, on="cascade", suffix="_other")
        .filter(pl.col("relay") < pl.col("relay_other"))
        .group_by("relay", "relay_other")
        .agg(n=pl.len())
        .join(n_jobs, on="relay")
        .join(n_jobs, left_on="relay_other", right_on="relay", suffix="_other")
        .filter(
            pl.col("n") >= _COMMON,
            pl.col("n") >= _PART * pl.min_horizontal("n_jobs", "n_jobs_other"),
        )
    )
    relays = np.unique(np.concatenate([common["relay"].to_numpy(), common["relay_other"].to_numpy()]))
    ends = [np.searchsorted(relays, common[name].to_numpy()) for name in ("relay", "relay_other")]
    crew = _components(relays.size, *ends)
    return pl.DataFrame({"relay": relays, "crew": crew}, schema={"relay": pl.Int64, "crew": pl.Int64})


def _components(n: int, source: Int64, target: Int64) -> Int64:
    """Return the connected component of each of `n` nodes, numbered by its first node."""
    from scipy.sparse import coo_array  # noqa: PLC0415 - it takes a while to load, and few logs need it
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    graph = coo_array((np.ones(source.size), (source, target)), shape=(n, n))
    found: Int64 = connected_components(graph, directed=False)[1].astype(np.int64)
    return found


def _figures(cascades: Forest, under: pl.DataFrame, delays: _Delays) -> pl.DataFrame:
    """Return `crew, n_jobs, n_origins, turnout, lag_s, usual_s`."""
    jobs = under.group_by("crew", "relay", "cascade").agg(n=pl.len().cast(pl.Int64))
    each = _turnout(jobs, under).join(under.select("crew", "relay").unique(), on="relay")
    once = under.unique(["crew", "row"], keep="first", maintain_order=True)
    lag = pl.Series(delays.seconds[once["row"].to_numpy()])
    lags = once.with_columns(lag=lag).group_by("crew").agg(lag_s=pl.col("lag").median())
    several = jobs.filter(pl.col("n") >= 2)
    n_jobs = _origins(cascades, several.select("crew", "cascade").unique())
    turnout = each.group_by("crew").agg(turnout=pl.col("n_came").sum() / pl.col("n_could").sum())
    in_trace = _median(delays.seconds[delays.other])
    usual = []
    for (crew,), part in under.partition_by("crew", as_dict=True).items():
        in_jobs = _median(_of_strangers(cascades, part["cascade"].to_numpy(), delays))
        usual.append((crew, min(one for one in (in_trace, in_jobs) if one is not None)))
    least = pl.DataFrame(usual, schema={"crew": pl.Int64, "usual_s": pl.Float64}, orient="row")
    return n_jobs.join(turnout, on="crew").join(lags, on="crew").join(least, on="crew")


def _origins(cascades: Forest, jobs: pl.DataFrame) -> pl.DataFrame:
    """Return `crew, n_jobs, n_origins`: the fewest at the root of nine in ten jobs; unknown ones are several."""
    cascade = jobs["cascade"].to_numpy()
    origin = cascades.account[cascades.offsets[cascade]]
    origin = np.where(origin < 0, -1 - cascade, origin)
    counts = (
        jobs.with_columns(origin=pl.Series(origin)).group_by("crew", "origin").agg(n=pl.len().cast(pl.Int64))
    )
    before = pl.col("n").sort(descending=True).cum_sum() - pl.col("n").sort(descending=True)
    return counts.group_by("crew").agg(
        n_jobs=pl.col("n").sum(), n_origins=(before < 0.9 * pl.col("n").sum()).sum().cast(pl.Int64)
    )


def _of_strangers(cascades: Forest, jobs: Int64, delays: _Delays) -> Float64:
    """Return the delays (s) of others who are in one of these cascades only: part of the crew may be unknown."""
    rows = np.flatnonzero(delays.other & np.isin(cascades.cascade, jobs))
    there = pl.DataFrame({"account": cascades.account[rows], "cascade": cascades.cascade[rows], "row": rows})
    once = there.filter(pl.col("cascade").n_unique().over("account") == 1)
    return np.asarray(delays.seconds[once["row"].to_numpy()])


def _posts(cascades: Forest, under: pl.DataFrame) -> pl.DataFrame:
    """Return `crew, content_ids`: of relays, and of some followers each, where most followers stand under one."""
    size = pl.len().over("crew", "relay_row")
    largest = (
        under.with_columns(size=size)
        .sort(["crew", "size", "relay_row", "row"], descending=[False, True, False, False])
        .group_by("crew", "relay_row", maintain_order=True)
        .agg(pl.col("row").head(_SHOWN_EACH - 1))
        .group_by("crew", maintain_order=True)
        .head(_SHOWN_JOBS)
    )
    rows = largest.select("crew", row=pl.concat_list("relay_row", "row")).explode("row")
    ids = cascades.content_id.gather(rows["row"]).cast(pl.String)
    return (
        rows.with_columns(ids.alias("content_ids"))
        .unique(["crew", "content_ids"], keep="first", maintain_order=True)
        .group_by("crew", maintain_order=True)
        .agg("content_ids")
    )
