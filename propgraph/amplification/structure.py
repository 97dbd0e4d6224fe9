"""How a cluster's crowd hangs in its cascades: under one origin, under relays, or in a pyramid.

Three ways to organise a crowd leave three shapes in the trees. *Centralised*: all reshare the origin itself, at
one time. *Distributed*: recruiters reshare the origin and each fires its own crowd, which serves no other.
*Pyramid*: few influencers reshare the origin, their communities reshare them, and more reshare those, so that
each tier is wider than the one above. A star of inferred parents shows none of this, nor does a platform that
names nothing but the original.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from propgraph.amplification.forest import NO_TIME, Forest, known_depths, topmost_marked
from propgraph.amplification.reach import cluster_codes
from propgraph.arrays.types import Int64

KINDS = ("centralised", "distributed", "pyramid")

#: Members' reshares that a cascade needs, and cascades that a cluster needs, to show a structure.
CROWD, CASCADES = 3, 2
#: Accounts that hang under a relay time after time.
FOLLOWING = 3

# A trace whose trees hardly ever go below depth 1 is one where the log names the original only.
_TELLING = 0.02
# From how many outsiders' reshares on their usual delay is known.
_ENOUGH = 20
# What fraction of the cascades that a cluster carries a relay serves at least, to be one of the same campaign.
_SERVING = 0.1
_SHOWN = 20


_KEY = ("cluster", "trace")


@dataclass(frozen=True)
class Structure:
    """How the crowd of each cluster hangs in its cascades.

    Attributes
    ----------
    clusters
        A row for each cluster and trace that shows a structure: `cluster_id`, `trace`, `n_carried` (cascades),
        `n_crowd` (members' reshares there), and the columns of `schema.CLUSTERS` from `first_generation_share`
        to `pyramid`.
    relay_posts, origin_posts
        `cluster_id`, `trace`, `content_ids`: posts of relays, and origins, with the largest crowds below them, at
        most twenty. For an origin that is not in the log its first reshare by a member stands.
    """

    clusters: pl.DataFrame
    relay_posts: pl.DataFrame
    origin_posts: pl.DataFrame


def measure_structure(cascades: Forest, members: pl.DataFrame, amplification: pl.DataFrame, /) -> Structure:
    """Return how the crowd of each cluster hangs in the cascades that it carries.

    A cluster carries the cascades with three members' reshares or more whose way to the root is known.
    These reshares are its crowd. A *relay* is an account, member or not, under whose posts (never at the
    root) at least three members hang directly, each in two cascades or more and more than twice as often as if
    it had picked any earlier node at random. A member's own relay is the one under which it hangs most often.

    The scores are products of shares, so that their sum is at most 1:

    - `first` is the share of the crowd, relays left out, directly under the origin; `own` the share that hangs,
      at any distance, under the member's own relay (the one nearest to the root counts) where it did so
      twice or more. Who serves several relays counts for one only, so `own` falls with their overlap.
    - `clock` tells how much closer to the median time of those under the same post the crowd reshares than
      outsiders do: twice the share that is closer than the outsiders' median, less 1, and at least 0. It is
      taken from the typical of three clusters or more where there are fewer than 20 outsiders' reshares to
      compare with, and 1 without these.
    - `tail` is the third tier over the second of what the members span, at most 1; `rise` is 1 less the first
      tier over the second, at least 0; `many` is 1 with two relays or more, else 1/2. Another cluster's
      relays count among these where they serve a tenth or more, and two or more, of the cascades: the crowds of one
      campaign may have been found as several clusters.
    - centralised = first · clock; distributed = own · clock · many · (1 - tail);
      pyramid = own · clock · many · tail · rise.

    All this is innocent in a fan club (centralised), in branches that pass on their headquarters' posts
    (distributed) and where a story goes viral through several communities (pyramid).

    Parameters
    ----------
    cascades
        The cascades, as `forest` returns them.
    members
        `account_id`, `cluster_id`; an account is in one cluster at most.
    amplification
        What `measure_amplification` returns for these.

    Returns
    -------
    Structure
        Clusters without a structure to show (fewer than two cascades carried, or a trace whose trees go
        deeper than one step in less than 2 % of the nodes) are not there.

    References
    ----------
    Wang, G., Wilson, C., Zhao, X., Zhu, Y., Mohanlal, M., Zheng, H., & Zhao, B. Y. (2012). Serf and Turf:
    Crowdturfing for Fun and Profit. Proceedings of the 21st International Conference on World Wide Web, 679-688.
    """
    ids, cluster = cluster_codes(cascades, members)
    depth = known_depths(cascades.parent, cascades.known)
    crowd = _crowd(cascades, cluster, depth)
    pairs = _following(crowd)
    relays = (
        pairs.group_by("cluster", "trace", "relay")
        .agg(n_following=pl.len(), n_reshares=pl.col("n").sum())
        .filter(pl.col("n_following") >= FOLLOWING)
    )
    crowd = _under_relays(cascades, crowd, relays, depth)
    crowd = _timed(cascades, crowd, cluster=cluster, depth=depth)
    table = _scores(
        cascades,
        crowd,
        tiers=_tiers(crowd, cascades, ids, amplification),
        serving=_serving(crowd, relays),
    )
    return Structure(
        *(
            _named(frame, ids, cascades.traces)
            for frame in (
                table.with_columns(_lists_of_ids(table["relays"], cascades.accounts)),
                _posts(crowd.filter(pl.col("is_own")), "relay_row", cascades.content_id),
                _posts(_origins(cascades, crowd), "origin_row", cascades.content_id),
            )
        )
    )


def joined_structures(parts: list[Structure], /) -> Structure:
    """Return the structures of several traces as one, by cluster and trace.

    Parameters
    ----------
    parts
        One or more structures of different traces.
    """
    return Structure(
        *(
            pl.concat(frames).sort("cluster_id", "trace")
            for frames in zip(
                *((part.clusters, part.relay_posts, part.origin_posts) for part in parts), strict=True
            )
        )
    )


def _crowd(cascades: Forest, cluster: Int64, depth: Int64) -> pl.DataFrame:
    """Return a row for each member's reshare in the cascades that its cluster carries.

    `row, cluster, trace` (positions), `cascade, account, parent` (row)`, origin` (account of the parent)`,
    depth, position, time`.
    """
    trace = cascades.trace[cascades.cascade]
    below = depth > 0
    n_traces = len(cascades.traces)
    deep = np.bincount(trace[depth > 1], minlength=n_traces)
    telling = deep >= _TELLING * np.maximum(np.bincount(trace[below], minlength=n_traces), 1)
    rows = np.flatnonzero(below & (cluster >= 0) & telling[trace])
    frame = pl.DataFrame(
        {
            "row": rows,
            "cluster": cluster[rows],
            "trace": trace[rows],
            "cascade": cascades.cascade[rows],
            "account": cascades.account[rows],
            "parent": cascades.parent[rows],
            "origin": cascades.account[cascades.parent[rows]],
            "depth": depth[rows],
            "position": cascades.position[rows],
            "time": cascades.time[rows],
        }
    )
    carried = frame.filter(pl.len().over("cluster", "cascade") >= CROWD)
    return carried.filter(pl.col("cascade").n_unique().over(*_KEY) >= CASCADES)


def _following(crowd: pl.DataFrame) -> pl.DataFrame:
    """Return `cluster, trace, relay, account, n`: who hangs under whom time after time, beyond chance."""
    # In order, for the last digit of a sum of floats depends on it.
    by_account = crowd.group_by(*_KEY, "account", maintain_order=True)
    chance = by_account.agg(chance=(1 / pl.col("position")).sum())
    hung = crowd.filter(pl.col("depth") > 1, pl.col("origin") >= 0, pl.col("origin") != pl.col("account"))
    pairs = hung.group_by(*_KEY, "account", relay="origin").agg(
        n=pl.len(), n_cascades=pl.col("cascade").n_unique()
    )
    return pairs.join(chance, on=[*_KEY, "account"]).filter(
        pl.col("n_cascades") >= 2, pl.col("n") > 2 * pl.col("chance")
    )


def _under_relays(cascades: Forest, crowd: pl.DataFrame, relays: pl.DataFrame, depth: Int64) -> pl.DataFrame:
    """Add `is_relay`, `relay_row` (the relay's post on the way up, -1 for none), `relay`, `is_own`."""
    n = len(cascades.accounts) + 1
    of_trace = relays.select(key=pl.col("trace") * n + pl.col("relay"))["key"].unique().to_numpy()
    marked = np.isin(cascades.trace[cascades.cascade] * n + cascades.account, of_trace) & (depth > 0)
    relay_row = topmost_marked(cascades.parent, depth, marked)[crowd["row"].to_numpy()]
    relay = np.where(relay_row >= 0, np.append(cascades.account, -1)[relay_row], -1)
    crowd = crowd.with_columns(
        pl.Series("is_relay", marked[crowd["row"].to_numpy()]),
        pl.Series("relay_row", relay_row),
        pl.Series("relay", relay),
    )
    counts = crowd.filter(pl.col("relay") >= 0).group_by(*_KEY, "account", "relay").agg(n_under=pl.len())
    own = (
        counts.sort("n_under", "relay", descending=[True, False])
        .unique([*_KEY, "account"], keep="first", maintain_order=True)
        .rename({"relay": "own"})
    )
    crowd = crowd.join(own, on=[*_KEY, "account"], how="left", maintain_order="left")
    is_own = (pl.col("relay") == pl.col("own")) & (pl.col("n_under") >= 2)
    return crowd.with_columns(is_own=is_own.fill_null(False))


def _timed(cascades: Forest, crowd: pl.DataFrame, *, cluster: Int64, depth: Int64) -> pl.DataFrame:
    """Add `close`: nearer to the median time of the crowd under the same post than half of the outsiders are.

    It is null where fewer than three of the crowd hang under the post. `compared` tells whether the trace has
    enough outsiders, or clusters, to say what is usual.
    """
    rows = np.flatnonzero(depth > 0)
    beside = pl.DataFrame(
        {
            "trace": cascades.trace[cascades.cascade[rows]],
            "cluster": cluster[rows],
            "parent": cascades.parent[rows],
            "time": cascades.time[rows],
        }
    )
    beside = beside.filter(pl.len().over("cluster", "parent") >= CROWD)
    beside = beside.select("trace", "cluster", deviation=_deviation("cluster", "parent"))
    each = beside.group_by("trace", "cluster").agg(usual=pl.col("deviation").median(), n=pl.len())
    outside = each.filter(pl.col("cluster") < 0, pl.col("n") >= _ENOUGH).select("trace", "usual")
    # Where everybody is in some cluster, the typical cluster is what is usual.
    typical = (
        each.filter(pl.col("cluster") >= 0)
        .group_by("trace")
        .agg(pl.col("usual").median(), n=pl.len())
        .filter(pl.col("n") >= CROWD)
        .select("trace", "usual")
    )
    usual = pl.concat([outside, typical]).unique("trace", keep="first", maintain_order=True)
    crowd = crowd.join(usual, on="trace", how="left", maintain_order="left")
    enough = pl.len().over("cluster", "parent") >= CROWD
    return crowd.with_columns(
        close=pl.when(enough).then(_deviation("cluster", "parent") <= pl.col("usual")),
        compared=pl.col("usual").is_not_null(),
    )


def _deviation(*group: str) -> pl.Expr:
    return (pl.col("time") - pl.col("time").median().over(*group)).abs()


def _tiers(
    crowd: pl.DataFrame, cascades: Forest, ids: pl.Series, amplification: pl.DataFrame
) -> pl.DataFrame:
    """Return `cluster, trace, tail, rise` (0..1): how the tiers widen in the cascades that a cluster carries."""
    carried = crowd.select(*_KEY, "cascade").unique()
    named = carried.with_columns(
        ids.gather(carried["cluster"]).alias("cluster_id"),
        cascades.cascade_id.gather(carried["cascade"]).alias("cascade_id"),
    ).join(amplification, on=["cluster_id", "cascade_id"], suffix="_name")
    widths = named.group_by(*_KEY).agg(pl.col("tier_1", "tier_2", "tier_3").cast(pl.Int64).sum())
    second = pl.max_horizontal("tier_2", pl.lit(1))
    return widths.select(
        *_KEY,
        tail=pl.when(pl.col("tier_2") > 0).then(pl.col("tier_3") / second).otherwise(0).clip(0, 1),
        rise=(1 - pl.col("tier_1") / second).clip(0, 1),
    )


def _serving(crowd: pl.DataFrame, relays: pl.DataFrame) -> pl.DataFrame:
    """Return `cluster, trace, relays`: its own relays, and others' that serve the cascades which it carries."""
    serves = crowd.filter(pl.col("relay") >= 0).select("trace", "cascade", "relay").unique()
    carried = crowd.select(*_KEY, "cascade").unique()
    n_carried = carried.group_by(*_KEY).agg(n_carried=pl.len())
    together = (
        carried.join(serves, on=["trace", "cascade"])
        .group_by(*_KEY, "relay")
        .agg(n=pl.len())
        .join(n_carried, on=list(_KEY))
        .filter(pl.col("n") >= 2, pl.col("n") >= _SERVING * pl.col("n_carried"))
    )
    both = pl.concat([relays.select(*_KEY, "relay"), together.select(*_KEY, "relay")]).unique()
    size = relays.group_by("trace", "relay").agg(pl.col("n_reshares").sum())
    ordered = both.join(size, on=["trace", "relay"]).sort("n_reshares", "relay", descending=[True, False])
    return ordered.group_by(*_KEY).agg(relays=pl.col("relay"))


def _scores(
    cascades: Forest, crowd: pl.DataFrame, *, tiers: pl.DataFrame, serving: pl.DataFrame
) -> pl.DataFrame:
    """Return a row for each cluster and trace, relays as codes; see `measure_structure`."""
    rest = ~pl.col("is_relay")
    under = cascades.time[np.maximum(crowd["relay_row"].to_numpy(), 0)]
    crowd = crowd.with_columns(lag=(pl.col("time") - pl.Series(under)) / 1000)
    table = crowd.group_by(*_KEY).agg(
        n_carried=pl.col("cascade").n_unique(),
        n_crowd=pl.len(),
        first_generation_share=(pl.col("depth") == 1).filter(rest).mean(),
        middle_share=(pl.col("relay") >= 0).filter(rest).mean(),
        own=pl.col("is_own").filter(rest).mean(),
        clock=pl.when(pl.col("compared").first())
        .then((2 * pl.col("close").mean() - 1).fill_null(0).clip(0, 1))
        .otherwise(1.0),
        relay_lag_s=pl.col("lag").filter(pl.col("is_own")).median(),
    )
    for part in (_overlap(crowd), tiers, serving):
        table = table.join(part, on=list(_KEY), how="left")
    n_relays = pl.col("relays").list.len().fill_null(0)
    through = pl.col("own") * pl.col("clock") * pl.when(n_relays >= 2).then(1.0).otherwise(0.5)
    return table.with_columns(
        n_relays=n_relays,
        relays=pl.col("relays").fill_null(pl.lit([], dtype=pl.List(pl.Int64))),
        centralised=(pl.col("first_generation_share") * pl.col("clock")).fill_null(0),
        distributed=(through * (1 - pl.col("tail"))).fill_null(0),
        pyramid=(through * pl.col("tail") * pl.col("rise")).fill_null(0),
    ).sort(*_KEY)


def _overlap(crowd: pl.DataFrame) -> pl.DataFrame:
    """Return `cluster, trace, relay_overlap`: of reshares under relays, the fraction not under the member's own.

    Over members with two such reshares or more.
    """
    hung = crowd.filter(pl.col("relay") >= 0, pl.len().over(*_KEY, "account") >= 2)
    counts = hung.group_by(*_KEY, "account", "relay").agg(n=pl.len())
    sums = counts.group_by(*_KEY, "account").agg(most=pl.col("n").max(), all=pl.col("n").sum())
    sums = sums.filter(pl.col("all") >= 2)
    return sums.group_by(*_KEY).agg(relay_overlap=1 - pl.col("most").sum() / pl.col("all").sum())


def _origins(cascades: Forest, crowd: pl.DataFrame) -> pl.DataFrame:
    """Return the crowd right under origins with `origin_row`: the origin, or if not in the log its first reshare."""
    first = crowd.filter(pl.col("depth") == 1).with_columns(first=pl.col("row").min().over(*_KEY, "parent"))
    there = cascades.time[first["parent"].to_numpy()] > NO_TIME
    return first.with_columns(origin_row=pl.when(pl.Series(there)).then("parent").otherwise("first"))


def _posts(crowd: pl.DataFrame, row: str, content_id: pl.Series) -> pl.DataFrame:
    """Return `cluster, trace, content_ids`: the posts in column `row` with most of the crowd below them."""
    counts = crowd.group_by(*_KEY, row).agg(n=pl.len()).sort("n", row, descending=[True, False])
    posts = counts.with_columns(content_id.gather(counts[row]).cast(pl.String).alias("content_id"))
    return posts.group_by(*_KEY).agg(content_ids=pl.col("content_id").head(_SHOWN)).sort(*_KEY)


def _named(frame: pl.DataFrame, ids: pl.Series, traces: pl.Series) -> pl.DataFrame:
    """Put ids and names in the place of the numbers of clusters and traces."""
    return frame.select(
        ids.gather(frame["cluster"]).alias("cluster_id"),
        traces.gather(frame["trace"]).alias("trace"),
        pl.exclude(*_KEY),
    )


def _lists_of_ids(lists: pl.Series, labels: pl.Series) -> pl.Series:
    return pl.Series("relays", [labels.gather(codes).to_list() for codes in lists], dtype=pl.List(pl.String))
