"""The figures of the page at a glance."""

from __future__ import annotations

from statistics import fmean

import polars as pl

from propgraph.report.page.findings import Findings
from propgraph.report.page.markup import terms
from propgraph.report.words import days


def at_a_glance(findings: Findings) -> str:
    """Return what there is of what, in one box."""
    flagged, seeded = findings.flagged, findings.seeded
    posts = findings.study.scan("posts").join(_accounts(findings), on="account_id", how="semi")
    n_posts = posts.select(pl.len()).collect().item()
    first, last = flagged["first_time"].min(), flagged["last_time"].max()
    pairs = [
        ("groups flagged", f"{flagged.height:,} of {findings.clusters.height:,}"),
        ("accounts in them", f"{int(flagged['n_accounts'].sum()):,}"),
        ("posts by these", f"{n_posts:,} of {findings.run['build']['counts']['posts']:,}"),
        (
            "what they shared together",
            f"{int(flagged['n_objects'].sum() or 0):,} links, posts or other objects",
        ),
        ("when", days(first, last) or "-"),  # type: ignore[arg-type]
    ]
    if not findings.sites.is_empty():
        pairs.append(("sites flagged", f"{seeded.height:,} of {findings.sites.height:,}"))
    early = seeded["early_share"].drop_nulls().to_list()
    if early and flagged.height:
        pairs.append(
            (
                "of the first ten shares of a flagged site's links",
                f"{fmean(early):.0%} by flagged accounts, on average",
            )
        )
    pairs += [(label, value) for label, value in _told(posts) if value]
    if findings.n_hidden:
        n = findings.n_hidden
        pairs.append(
            (
                "left out here",
                f"{n:,} {'group' if n == 1 else 'groups'} of fewer than {findings.audience.least} accounts",
            )
        )
    return f'<div class="glance">{terms(pairs)}</div>'


def _accounts(findings: Findings) -> pl.LazyFrame:
    """Return the members of the flagged clusters that are shown."""
    ids = findings.flagged["cluster_id"].to_list()
    return findings.study.scan("members").filter(pl.col("cluster_id").is_in(ids)).select("account_id")


def _told(posts: pl.LazyFrame) -> list[tuple[str, str]]:
    """Return the platforms and languages of posts, where the log names them."""
    told = []
    for column in ("platform", "language"):
        rows = posts.group_by(column).len("n").collect().drop_nulls()
        names = rows.sort(["n", column], descending=[True, False]).head(6)[column].to_list()
        told.append((f"{column}s", ", ".join(names)))
    return told
