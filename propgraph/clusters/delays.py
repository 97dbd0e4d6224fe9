"""How members follow each other: which account posts first, and by how constant a delay the others come after it."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from propgraph.clusters.inputs import ClusterInputs
from propgraph.clusters.metrics import inner_edges
from propgraph.cosharing.rows import FAST_MS
from propgraph.readers.times.fineness import RESOLUTION

#: Who posts first leads those that follow within this.
LEAD_MS = 60_000
#: Posts so near (s) are one act by one tool; times have to be as fine.
SAME_S = 2.0
#: From how many meetings on a habit of two accounts, or of a cluster, is told.
MEETINGS = 5

_PAIRS = 50  # of each cluster, those with most meetings: their median hardly moves with more
_OBJECT = ("cluster", "trace", "object_id")


def with_delays(
    table: pl.DataFrame, inputs: ClusterInputs, shares: Mapping[str, pl.DataFrame], /, *, originals: pl.DataFrame,
) -> pl.DataFrame:  # fmt: skip
    """Add who leads each cluster and how constant its members' delays are; see `leaders`, `offsets`.

    Parameters
    ----------
    table
        A row for each `cluster`, with its `time_window_s`.
    inputs
        What the figures are made from.
    shares
        All shares of each trace, as rows.
    originals
        `object_id, account_id, timestamp, time_resolution_s` of the originals that were reshared: who wrote one is
        before all who reshare it.
    """
    if (reshares := shares.get("reshare")) is not None:
        both = [reshares.select(originals.columns), originals]
        shares = {**shares, "reshare": pl.concat(both)}
    met = (
        inputs.shares.filter(pl.col("n_fellows") > 0)
        .join(inputs.members.select("account_id", "cluster"), on="account_id")
        .select(*_OBJECT, "account_id", "content_id", RESOLUTION, ms=pl.col("timestamp").dt.timestamp("ms"))
    )
    edges = inner_edges(inputs)
    constant = []
    for (window_s,), part in table.partition_by("time_window_s", as_dict=True).items():
        there = pl.col("cluster").is_in(part["cluster"].implode())
        constant.append(offsets(met.filter(there), edges.filter(there), window_ms=round(window_s * 1000)))
    for part in (leaders(met, shares), pl.concat(constant)):
        table = table.join(part, on="cluster", how="left", maintain_order="left")
    return table


def leaders(met: pl.DataFrame, shares: Mapping[str, pl.DataFrame], /) -> pl.DataFrame:
    """Return which account posts first when the members of each cluster meet, and how often chance would have it so.

    A meeting is an object over which members met in the window; who posted it first is the first of them, or whoever
    posted it in the minute before, a member or not. Where two share the first time nobody is first. Objects first
    posted by one account at one time (links of one post, traces of one post) are one meeting. Only times known to
    10 s or finer tell. By chance each of the m members at a meeting comes first once in m, and an account outside
    the cluster once in m + 1.

    Parameters
    ----------
    met
        `cluster, trace, object_id, account_id, content_id, time_resolution_s, ms` of the posts over which members met.
    shares
        All shares of each trace, as rows.

    Returns
    -------
    pl.DataFrame
        `cluster`, `leader_account_id` (who came first most often), `leader_share` (0..1, of the meetings), `n_led`,
        `n_meetings` (meetings), `leader_expected` (0..1, that by chance), `leader_p` (0..1, bound on the chance of as
        many for any account: binomial, times the number of accounts), `leader_delay_s` (s, median time from its post to
        the members'), `leader_inside` (it is a member).
    """
    from scipy.stats import binom  # noqa: PLC0415 - slow to import

    met = met.filter(_finer_than(FAST_MS / 1000))
    meetings = met.group_by(_OBJECT).agg(
        start=pl.col("ms").min(), accounts=pl.col("account_id").unique(), n=pl.col("account_id").n_unique()
    )
    firsts = _firsts(meetings, shares)
    each = (
        firsts.sort(*_OBJECT)
        .sort("cluster", "n", descending=[False, True], maintain_order=True)
        .unique(["cluster", "first", "first_ms"], keep="first", maintain_order=True)
    )
    led = each.drop_nulls("first").group_by("cluster", leader_account_id="first").agg(n_led=pl.len())
    led = led.sort(["cluster", "n_led", "leader_account_id"], descending=[False, True, False])
    led = led.unique("cluster", keep="first", maintain_order=True)
    of_meetings = each.join(led, on="cluster", maintain_order="left").group_by("cluster").agg(
        n_meetings=pl.len(),
        n_outside=(~pl.col("accounts").list.contains(pl.col("leader_account_id"))).sum(),
        as_member=(pl.col("accounts").list.contains(pl.col("leader_account_id")) / pl.col("n")).mean(),
        as_outsider=(1 / (pl.col("n") + 1)).mean(),
        n_accounts=pl.col("accounts").explode().n_unique(),
        leader_inside=pl.col("accounts").list.contains(pl.col("leader_account_id")).any(),
    )  # fmt: skip
    found = led.join(of_meetings, on="cluster").with_columns(
        leader_share=pl.col("n_led") / pl.col("n_meetings"),
        leader_expected=pl.when("leader_inside").then("as_member").otherwise("as_outsider"),
    )
    tail = binom.sf(found["n_led"] - 1, found["n_meetings"], found["leader_expected"])
    return found.with_columns(
        leader_p=(pl.Series(tail, dtype=pl.Float64) * (pl.col("n_accounts") + 1)).clip(0, 1)
    ).join(_follow(met, firsts, led), on="cluster", how="left").select(
        "cluster", "leader_account_id", "leader_share", "n_led", "n_meetings", "leader_expected", "leader_p",
        "leader_delay_s", "leader_inside",
    )  # fmt: skip


def offsets(met: pl.DataFrame, edges: pl.DataFrame, /, *, window_ms: int) -> pl.DataFrame:
    """Return how constant the delays between the same two members are, by the 50 pairs of each cluster that met most.

    A meeting of two accounts is an object that one posted within the window of the other; of several posts the nearest.

    Parameters
    ----------
    met
        As for `leaders`.
    edges
        `cluster, source, target, n_events` of the pairs of members.
    window_ms
        The window in milliseconds.

    Returns
    -------
    pl.DataFrame
        `cluster`, `seconds_share` (0..1, of the pairs' meetings those at most 2 s apart), `n_timed` (meetings),
        `offset_spread_s` (s, median absolute deviation of the signed delay between the same two accounts that met five
        times or more, median over these pairs), `n_constant` (such pairs), `in_order_share` (0..1, of the meetings of
        pairs that met five times or more at different moments those at which the same one of the two came first),
        `n_in_order` (meetings of these), `in_order_s` (s, median time between the two).
    """
    pairs = (
        edges.filter(pl.col("n_events") >= MEETINGS)
        .sort(["cluster", "n_events", "source", "target"], descending=[False, True, False, False])
        .group_by("cluster", maintain_order=True)
        .head(_PAIRS)
        .select("cluster", "source", "target")
    )
    met = met.filter(_finer_than(SAME_S)).sort("ms", "trace", "object_id", "content_id")
    one = pairs.join(met.rename({"account_id": "source"}), on=["cluster", "source"], maintain_order="right")
    other = pairs.join(met.rename({"account_id": "target"}), on=["cluster", "target"], maintain_order="right")
    keys = ["cluster", "source", "target", "trace", "object_id"]
    nearest = one.select(*keys, "content_id", "ms").join_asof(
        other.select(*keys, other_content="content_id", other_ms="ms"), left_on="ms", right_on="other_ms", by=keys,
        strategy="nearest", check_sortedness=False,
    )  # fmt: skip
    delay = (pl.col("other_ms") - pl.col("ms")) / 1000
    meetings = (
        nearest.with_columns(delay=delay)
        .filter(pl.col("delay").abs() <= window_ms / 1000)
        .sort(*keys, pl.col("delay").abs(), "content_id")
        .unique(keys, keep="first", maintain_order=True)
        .unique([*keys[:3], "content_id", "other_content"], keep="first", maintain_order=True)
    )
    off = (pl.col("delay") - pl.col("delay").median()).abs().median()
    of_pairs = meetings.group_by(keys[:3]).agg(n=pl.len(), spread=off).filter(pl.col("n") >= MEETINGS)
    spread = of_pairs.group_by("cluster").agg(offset_spread_s=pl.col("spread").median(), n_constant=pl.len())
    spread = spread.join(_in_order(meetings), on="cluster", how="left")
    seconds = meetings.group_by("cluster").agg(
        seconds_share=(pl.col("delay").abs() <= SAME_S).mean(), n_timed=pl.len()
    )
    return seconds.join(spread, on="cluster", how="left")


def _in_order(meetings: pl.DataFrame) -> pl.DataFrame:
    """Return the part of the meetings at which the same one of two members comes first; see `offsets`."""
    apart, ahead = pl.col("delay") != 0, pl.col("delay") > 0
    usual = pl.max_horizontal(ahead.sum(), apart.sum() - ahead.sum())
    return (
        meetings.group_by("cluster", "source", "target")
        .agg(n=apart.sum(), usual=usual, delay=pl.col("delay").abs().median())
        .filter(pl.col("n") >= MEETINGS)
        .group_by("cluster")
        .agg(
            in_order_share=pl.col("usual").sum() / pl.col("n").sum(),
            n_in_order=pl.col("n").sum(),
            in_order_s=pl.col("delay").median(),
        )
    )


def _firsts(meetings: pl.DataFrame, shares: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Add who posted each object `first`, and when (`first_ms`), from a minute before its members met on."""
    frames = []
    for trace, table in shares.items():
        of_trace = meetings.filter(pl.col("trace") == trace).with_columns(since=pl.col("start") - LEAD_MS)
        times = (
            table.lazy()
            .join(of_trace.lazy().select("object_id").unique(), on="object_id", how="semi")
            .filter(_finer_than(FAST_MS / 1000))
            .group_by("object_id", first_ms=pl.col("timestamp").dt.timestamp("ms"))
            .agg(first=pl.col("account_id").min(), n_first=pl.col("account_id").n_unique())
            .with_columns(first=pl.when(pl.col("n_first") == 1).then("first"))
            .collect()
            .sort("first_ms")
        )
        frames.append(
            of_trace.sort("since").join_asof(
                times, left_on="since", right_on="first_ms", by="object_id", strategy="forward", check_sortedness=False
            )
        )  # fmt: skip
    return pl.concat(frames)


def _follow(met: pl.DataFrame, firsts: pl.DataFrame, led: pl.DataFrame) -> pl.DataFrame:
    """Return `leader_delay_s`: after how long (s) each other member at a meeting follows its leader, median."""
    by_leader = firsts.join(led, left_on=["cluster", "first"], right_on=["cluster", "leader_account_id"])
    return (
        met.join(by_leader.select(*_OBJECT, "first", "first_ms"), on=_OBJECT)
        .filter(pl.col("account_id") != pl.col("first"))
        .group_by(*_OBJECT, "account_id")
        .agg(delay=(pl.col("ms") - pl.col("first_ms")).min())
        .group_by("cluster")
        .agg(leader_delay_s=pl.col("delay").median() / 1000)
    )


def _finer_than(seconds: float) -> pl.Expr:
    return (pl.col(RESOLUTION) <= seconds).fill_null(False)
