"""The posts that prove a finding, and the rows of the table `evidence`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import polars as pl

from propgraph.clusters.baseline import Row
from propgraph.clusters.inputs import ClusterInputs
from propgraph.clusters.rules import RULE, Finding
from propgraph.synchrony.joint import Joint, near_posts

_SHOWN_PAIRS, _SHOWN_MEETINGS = 4, 3


def posts_of_pairs(
    joint: Joint, inside: pl.DataFrame, shares: Mapping[str, pl.DataFrame], /
) -> dict[int, list[str]]:
    """Return for each cluster the ids of posts that show best that its members are synchronised.

    Parameters
    ----------
    joint
        What rank synchrony says.
    inside
        `source, target, cluster` of the synchronised pairs inside clusters, the surest of each first.
    shares
        The shares of each trace, as rows.
    """
    pairs = inside.group_by("cluster", maintain_order=True).head(_SHOWN_PAIRS)
    posts = (
        near_posts(joint.prepared, pairs.select("source", "target"))
        .group_by("source", "target", maintain_order=True)
        .head(_SHOWN_MEETINGS)
        .join(pairs.select("source", "target", "cluster"), on=["source", "target"], maintain_order="left")
    )
    shown: dict[int, list[str]] = {cluster: [] for cluster in pairs["cluster"].unique().to_list()}
    for cluster, trace, *rows in posts.select("cluster", "trace", "source_row", "target_row").iter_rows():
        shown[cluster] += shares[trace]["content_id"].gather(rows).to_list()
    return {cluster: list(dict.fromkeys(ids)) for cluster, ids in shown.items()}


def posts_of_members(inputs: ClusterInputs, table: pl.DataFrame, /) -> pl.DataFrame:
    """Return the members' posts with `cluster` and what `posts_of_finding` asks for.

    Parameters
    ----------
    inputs
        The members, their posts, shares, links and accounts.
    table
        `cluster`, `top_site`.
    """
    links = inputs.links.join(inputs.members, on="account_id")
    top = table.select("cluster", site="top_site")
    on_top = links.join(top, on=["cluster", "site"], how="semi").select(
        "content_id", is_top_site=pl.lit(True)
    )
    return (
        inputs.posts.join(inputs.members, on="account_id")
        .join(inputs.accounts.select("account_id", "created_at"), on="account_id", how="left")
        .join(on_top.unique(), on="content_id", how="left")
        .join(
            inputs.shares.select("account_id", "content_id", "trace", "object_id", "n_fellows"),
            on=["account_id", "content_id"],
            how="left",
        )
        .with_columns(pl.col("is_top_site").fill_null(False))
    )


def posts_of_finding(rule: str, posts: pl.DataFrame, /, *, trace: str | None, most: int = 20) -> list[str]:
    """Return the ids of posts by a cluster that show a rule's finding best.

    Parameters
    ----------
    rule
        The rule's name, of one that posts can show.
    posts
        The cluster's posts: `account_id, content_id, timestamp, time_resolution_s, kind, target_id, created_at` (the
        account's), `is_top_site` (links to the cluster's top site), and `trace, object_id, n_fellows` (fellow members'
        posts of the object within the window), null for a post of no object. A post stands once for each
        object.
    trace
        The trace of the rules about timing; None takes all.
    most
        At most so many.
    """
    shows = RULE[rule].shows
    if shows is None:
        raise ValueError(f"{rule}: shown by posts together, not by single ones")
    found = shows(_by_meetings(_in_trace(rule, posts, trace)))
    ids: list[str] = found["content_id"].unique(maintain_order=True).head(most).to_list()
    return ids


def _in_trace(rule: str, posts: pl.DataFrame, trace: str | None) -> pl.DataFrame:
    """Return the posts that a rule is about."""
    return posts.filter(pl.col("trace") == trace) if RULE[rule].in_trace and trace is not None else posts


def _by_meetings(posts: pl.DataFrame) -> pl.DataFrame:
    """Put the posts of the objects over which fellows met most first."""
    return posts.with_columns(meetings=pl.col("n_fellows").sum().over("trace", "object_id")).sort(
        ["meetings", "trace", "object_id", "timestamp", "content_id"],
        descending=[True, False, False, False, False],
        nulls_last=True,
    )


def evidence_rows(
    findings: Sequence[Finding],
    posts: pl.DataFrame,
    /,
    *,
    subject: str,
    row: Row,
    chosen: Mapping[str, Sequence[str]],
) -> list[dict[str, object]]:
    """Return the rows of `schema.EVIDENCE` for one cluster's findings, to be completed by `with_counts`.

    Parameters
    ----------
    findings
        The findings that fire.
    posts
        The cluster's posts, as for `posts_of_finding`.
    subject
        The cluster's id.
    row
        The cluster's figures.
    chosen
        By rule, the ids of posts that show what single posts cannot: those over which synchronised pairs met, those of
        relays and their followers.
    """
    trace = row["timing_trace"]
    rows: list[dict[str, object]] = []
    for finding in findings:
        ids = (
            list(chosen[finding.rule])
            if RULE[finding.rule].shows is None
            else posts_of_finding(finding.rule, posts, trace=trace)
        )
        rows.append(
            {
                "subject_type": "cluster",
                "subject_id": subject,
                "rule": finding.rule,
                "value": finding.value,
                "threshold": finding.threshold,
                "expected": finding.expected,
                **finding.said.as_columns(),
                "content_ids": ids,
                **_counts(finding.rule, _in_trace(finding.rule, posts, trace), ids, row),
            }
        )
    return rows


def _counts(rule: str, posts: pl.DataFrame, ids: Sequence[str], row: Row) -> dict[str, object]:
    """Return of how many posts, or pairs of posts, so many are shown."""
    if (figure := RULE[rule].all_pairs) is not None:
        n_all = round(row[figure])
        # Coarse times, compared as one, may hold a few pairs more than seconds do.
        shown = min(pairs_among(posts, ids, window_s=row["time_window_s"]), n_all)
        return {"counted": "pairs of posts", "n_shown": shown, "n_all": n_all}
    every = RULE[rule].all_posts
    n_posts = None if every is None else every(posts)["content_id"].n_unique()
    return {"counted": "posts", "n_shown": len(ids), "n_all": n_posts}


def pairs_among(posts: pl.DataFrame, ids: Sequence[str], /, *, window_s: float) -> int:
    """Return how many pairs of some posts, by different accounts, are of the same object and in the window.

    Parameters
    ----------
    posts
        `content_id, account_id, timestamp, trace, object_id`.
    ids
        Which; some twenty at most, for each is held against each.
    window_s
        The window in seconds.
    """
    wanted = posts.filter(pl.col("content_id").is_in(list(ids)), pl.col("object_id").is_not_null())
    rows = wanted.select("trace", "object_id", "content_id", "account_id", "timestamp").unique().rows()
    return sum(
        one[:2] == other[:2] and one[3] != other[3] and abs((one[4] - other[4]).total_seconds()) <= window_s
        for one, other in combinations(rows, 2)
    )


def with_counts(evidence: pl.DataFrame, /) -> pl.DataFrame:
    """Fill in that posts are counted, and how many are shown, where a rule says nothing else."""
    return evidence.with_columns(
        pl.col("counted").fill_null("posts"), n_shown=pl.coalesce("n_shown", pl.col("content_ids").list.len())
    )
