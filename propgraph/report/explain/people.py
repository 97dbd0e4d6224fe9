"""Accounts and pairs explained: what they did, with whom they met, where they stand."""

from __future__ import annotations

from typing import Any

import polars as pl

from propgraph.clusters.pair_evidence import closest_posts
from propgraph.report.document import Document, Part
from propgraph.report.explain.reasons import reason_part
from propgraph.report.explain.timeline import short, timeline, with_who
from propgraph.study import Study
from propgraph.words.said import Said, joined, said, tell

_PARTNERS, _LINK = 5, 80


def unknown() -> Part:
    """Say what no log can tell of an account."""
    return Part(tell("explain.unknown"), (tell("explain.unknown-is"),), name="unknown")


def explain_account(study: Study, account_id: str, /, *, posts: int) -> Document:
    """Return what there is to say about one account."""
    row = study.scan("accounts").filter(account_id=account_id).collect().row(0, named=True)
    who = account_id if row["name"] in (None, account_id) else f"{row['name']} ({account_id})"
    ids = (
        study.scan("posts").filter(account_id=account_id).sort("timestamp", "content_id").select("content_id")
    )
    parts = [
        Part(tell("explain.what-it-is"), _figures(row), name="figures"),
        *_standing(study, account_id, who),
    ]
    parts += [_partners(study, account_id)]
    own = _own_evidence(study, "account", account_id, posts=posts)
    shown = timeline(study, ids.collect()["content_id"].to_list(), most=posts)
    rest = (
        tell("explain.first-of", n=shown.height, n_all=row["n_posts"])
        if shown.height < row["n_posts"]
        else tell("explain.all-of-them")
    )
    its_posts = Part(tell("explain.its-posts"), (rest,), shown, "posts")
    return Document("account", account_id, who, (*parts, *own, its_posts, unknown()))


def _figures(row: dict[str, Any]) -> tuple[str, ...]:
    told = [said("account.posts", n=row["n_posts"], first=row["first_seen"], last=row["last_seen"])]
    if row["created_at"] is not None:
        told.append(said("account.made", day=row["created_at"]))
    if row["followers"] is not None:
        told.append(said("account.followers", n=row["followers"]))
    return (tell("words.sentence", what=joined(told)),)


def _standing(study: Study, account_id: str, who: str) -> list[Part]:
    """Say in which cluster an account is and why, or why in none."""
    if "clusters" not in study.run:
        return [Part(tell("account.stands"), (tell("account.no-clusters"),), name="stands")]
    member = study.scan("members").filter(account_id=account_id).collect()
    scored = study.scan("account_scores").filter(account_id=account_id).collect()
    lines = []
    if member.is_empty():
        lines.append(tell("account.in-none", who=who))
    else:
        of = member.row(0, named=True)
        cluster = study.scan("clusters").filter(cluster_id=of["cluster_id"]).collect().row(0, named=True)
        flagged = said("explain.flagged" if cluster["flagged"] else "explain.not-flagged")
        lines.append(
            tell(
                "account.in-cluster", n=cluster["n_accounts"], cluster=of["cluster_id"], flagged=flagged,
                score=cluster["score"], way=of["evidence"],
            )
        )  # fmt: skip
        lines.append(tell("account.met", n=of["n_co_shares"], n_all=of["n_shares"], n_members=of["degree"]))
    n = 0 if scored.is_empty() else scored["n_partners"][0]
    lines.append(tell("account.partners", n=n) if n else tell("account.no-partner"))
    return [Part(tell("account.stands"), tuple(lines), name="stands")]


def _partners(study: Study, account_id: str) -> Part:
    """Show the accounts that stand nearest to one."""
    if "network" not in study.tables:
        return Part(tell("account.nearest"), (tell("account.not-looked"),), name="nearest")
    mine = study.scan("network").filter((pl.col("source") == account_id) | (pl.col("target") == account_id))
    other = pl.when(pl.col("source") == account_id).then("target").otherwise("source")
    rows = (
        with_who(study, mine.with_columns(account_id=other))
        .sort(["p_value", "account_id"])
        .head(_PARTNERS)
        .select(
            "who", common="n_near", closest_s="closest_delta_s", over="traces", beyond_chance="synchronised"
        )
        .collect()
    )
    if rows.is_empty():
        return Part(tell("account.nearest"), (tell("account.nobody-near"),), name="nearest")
    return Part(tell("account.nearest"), (tell("account.nearest-columns"),), rows, "nearest")


def _own_evidence(study: Study, kind: str, subject: str, *, posts: int) -> list[Part]:
    if "evidence" not in study.tables:
        return []
    rows = study.scan("evidence").filter(subject_type=kind, subject_id=subject).collect().to_dicts()
    return [reason_part(study, row, posts) for row in rows]


def explain_pair(study: Study, one: str, other: str, /, *, posts: int) -> Document:
    """Return what two accounts have in common: everything both shared, with the time between."""
    names = dict(
        with_who(study, pl.LazyFrame({"account_id": [one, other]}))
        .select("account_id", "who")
        .collect()
        .iter_rows()
    )
    met = common_posts(study, one, other)
    near = met.filter(pl.col("apart_s") <= 60).height
    lines = [
        tell("pair.shared", n=met.height, by=_by_trace(met), near=near) if met.height else tell("pair.never")
    ]
    lines += _beyond_chance(study, one, other)
    table = met.head(posts)
    if table.height < met.height:
        lines.append(tell("pair.closest", n=table.height, n_all=met.height))
    title = tell("pair.title", one=names[one], other=names[other])
    both = Part(tell("pair.both"), tuple(lines), table, "both")
    reasons = _own_evidence(study, "pair", f"{one},{other}", posts=posts)
    return Document("pair", f"{one},{other}", title, (both, *reasons, unknown()))


def _by_trace(met: pl.DataFrame) -> Said | None:
    """Say how many of the things are of which trace, where there are several: one post can be in more than one."""
    found = met.group_by("trace").len("n").sort("trace").rows()
    of_each = [said("pair.of-trace", trace=trace, n=n) for trace, n in found]
    return said("words.in-brackets", what=of_each) if len(found) > 1 else None


def common_posts(study: Study, one: str, other: str, /) -> pl.DataFrame:
    """Return what two accounts both shared: the two posts of each object that lie closest to each other.

    Returns
    -------
    pl.DataFrame
        `trace`, `shared`, `first` (UTC, the earlier post), `apart_s`, `who_first` (account id), `others` (other
        accounts that shared it), `post`, `other_post`; the closest first.
    """
    met = closest_posts(study, pl.DataFrame({"source": [one], "target": [other]}))
    after = pl.col("delta_s")
    return met.select(
        "trace",
        shared=short("object_id", _LINK),
        first=pl.min_horizontal("source_time", "target_time"),
        apart_s=after.abs(),
        who_first=pl.when(after > 0).then("source").when(after < 0).then("target"),
        others=pl.col("n_accounts").cast(pl.Int64) - 2,
        post="source_content_id",
        other_post="target_content_id",
    ).sort("apart_s", "first", "trace", "shared")


def _beyond_chance(study: Study, one: str, other: str) -> list[str]:
    if "network" not in study.tables:
        return [tell("pair.not-looked")]
    row = study.scan("network").filter(source=min(one, other), target=max(one, other)).collect()
    if row.is_empty():
        return [tell("pair.as-chance")]
    of = row.row(0, named=True)
    if of["synchronised"]:
        return [tell("pair.beyond-chance", n=of["n_near"])]
    return [tell("pair.by-habit" if of["by_habit"] else "pair.among-many")]
