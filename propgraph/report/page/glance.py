"""The figures of the page at a glance."""

from __future__ import annotations

from statistics import fmean

import polars as pl

from propgraph.report.page.findings import Findings
from propgraph.report.page.markup import terms
from propgraph.report.words import days
from propgraph.words.said import formatted, tell


def at_a_glance(findings: Findings) -> str:
    """Return what there is of what, in one box."""
    flagged, seeded = findings.flagged, findings.seeded
    posts = findings.study.scan("posts").join(_accounts(findings), on="account_id", how="semi")
    n_posts = posts.select(pl.len()).collect().item()
    first, last = flagged["first_time"].min(), flagged["last_time"].max()
    pairs = [
        (tell("glance.flagged"), tell("glance.of", n=flagged.height, n_all=findings.clusters.height)),
        (tell("glance.accounts"), formatted(int(flagged["n_accounts"].sum()), "n")),
        (tell("glance.posts"), tell("glance.of", n=n_posts, n_all=findings.run["build"]["counts"]["posts"])),
        (tell("glance.objects"), tell("glance.so-many-objects", n=int(flagged["n_objects"].sum() or 0))),
        (tell("glance.when"), days(first, last) or "-"),  # type: ignore[arg-type]
    ]
    if not findings.sites.is_empty():
        pairs.append((tell("glance.sites"), tell("glance.of", n=seeded.height, n_all=findings.sites.height)))
    early = seeded["early_share"].drop_nulls().to_list()
    if early and flagged.height:
        pairs.append((tell("glance.early"), tell("glance.by-flagged", part=fmean(early))))
    pairs += [(label, value) for label, value in _told(posts) if value]
    if findings.n_hidden:
        hidden = tell("glance.hidden", n=findings.n_hidden, least=findings.audience.least)
        pairs.append((tell("glance.left-out"), hidden))
    return f'<div class="glance">{terms(pairs)}</div>'


def _accounts(findings: Findings) -> pl.LazyFrame:
    """Return the members of the flagged clusters that are shown."""
    ids = findings.flagged["cluster_id"].to_list()
    return findings.study.scan("members").filter(pl.col("cluster_id").is_in(ids)).select("account_id")


def _told(posts: pl.LazyFrame) -> list[tuple[str, str]]:
    """Return the platforms and languages of posts, where the log names them."""
    told = []
    for column, heading in (("platform", tell("glance.platforms")), ("language", tell("glance.languages"))):
        rows = posts.group_by(column).len("n").collect().drop_nulls()
        names = rows.sort(["n", column], descending=[True, False]).head(6)[column].to_list()
        told.append((heading, ", ".join(names)))
    return told
