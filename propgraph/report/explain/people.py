"""Accounts and pairs explained: what they did, with whom they met, where they stand."""

from __future__ import annotations

from typing import Any

import polars as pl

from propgraph.clusters.pair_evidence import closest_posts
from propgraph.report.document import Document, Part
from propgraph.report.explain.reasons import reason_part
from propgraph.report.explain.timeline import minute, named, short, timeline
from propgraph.study import Study

#: What no log can tell of an account.
UNKNOWN = Part(
    "What cannot be known here",
    (
        "Who is behind an account, whether it is run by a person or a program, and whether anybody was paid to post: "
        "a log of posts does not hold it. Acting alike is not knowing each other.",
    ),
)
_PARTNERS, _LINK = 5, 80


def explain_account(study: Study, account_id: str, /, *, posts: int) -> Document:
    """Return what there is to say about one account."""
    row = study.scan("accounts").filter(account_id=account_id).collect().row(0, named=True)
    who = account_id if row["name"] in (None, account_id) else f"{row['name']} ({account_id})"
    ids = (
        study.scan("posts").filter(account_id=account_id).sort("timestamp", "content_id").select("content_id")
    )
    parts = [Part("What it is", _figures(row)), *_standing(study, account_id, who)]
    parts += [_partners(study, account_id)]
    own = _own_evidence(study, account_id, posts=posts)
    shown = timeline(study, ids.collect()["content_id"].to_list(), most=posts)
    rest = (
        f"The first {shown.height:,} of {row['n_posts']:,}."
        if shown.height < row["n_posts"]
        else "All of them."
    )
    return Document("account", account_id, who, (*parts, *own, Part("Its posts", (rest,), shown), UNKNOWN))


def _figures(row: dict[str, Any]) -> tuple[str, ...]:
    told = [f"{row['n_posts']:,} posts from {minute(row['first_seen'])} to {minute(row['last_seen'])} UTC"]
    if row["created_at"] is not None:
        told.append(f"made on {row['created_at']:%Y-%m-%d}")
    if row["followers"] is not None:
        told.append(f"{row['followers']:,} followers at most")
    return ("; ".join(told) + ".",)


def _standing(study: Study, account_id: str, who: str) -> list[Part]:
    """Say in which cluster an account is and why, or why in none."""
    if "clusters" not in study.run:
        return [Part("Where it stands", ("No clusters were looked for yet: run `propgraph clusters`.",))]
    member = study.scan("members").filter(account_id=account_id).collect()
    scored = study.scan("account_scores").filter(account_id=account_id).collect()
    lines = []
    if member.is_empty():
        lines.append(f"{who} is in no cluster, and so not flagged.")
    else:
        of = member.row(0, named=True)
        cluster = study.scan("clusters").filter(cluster_id=of["cluster_id"]).collect().row(0, named=True)
        flagged = "flagged" if cluster["flagged"] else "not flagged"
        lines.append(
            f"One of the {cluster['n_accounts']:,} accounts of {of['cluster_id']} ({flagged}, score "
            f"{cluster['score']:.2f}), for it is there by {_WHY.get(of['evidence'], of['evidence'])}."
        )
        lines.append(
            f"{of['n_co_shares']:,} of its {of['n_shares']:,} posts of shared objects lie within the window of a "
            f"fellow member's; it met {of['degree']:,} of them."
        )
    n = 0 if scored.is_empty() else scored["n_partners"][0]
    partners = "no account" if n == 0 else "1 account" if n == 1 else f"{n:,} accounts"
    lines.append(f"Pair by pair, by the order of posts, it is synchronised beyond chance with {partners}.")
    return [Part("Where it stands", tuple(lines))]


_WHY = {
    "pairs": "pairs: it stands nearer to fellows in the order of posts than chance puts accounts",
    "crew": "a crew: a group found on one half of what was shared and confirmed on the other",
    "group": "its nearness to the group as a whole",
    "relays": "common relays, cascade after cascade",
    "order": "the order in which it takes the things that others take as well",
    "window": "posts of the same within the time window",
    "habits": "the same hours or the same quickness as the others, which explains nothing else",
}


def _partners(study: Study, account_id: str) -> Part:
    """Show the accounts that stand nearest to one."""
    if "network" not in study.tables:
        return Part("Nearest to it", ("Not looked for yet.",))
    mine = study.scan("network").filter((pl.col("source") == account_id) | (pl.col("target") == account_id))
    other = pl.when(pl.col("source") == account_id).then("target").otherwise("source")
    rows = (
        named(study, mine.with_columns(account_id=other))
        .sort(["p_value", "account_id"])
        .head(_PARTNERS)
        .select(
            "who", common="n_near", closest_s="closest_delta_s", over="traces", beyond_chance="synchronised"
        )
        .collect()
    )
    if rows.is_empty():
        return Part("Nearest to it", ("Nobody stands near it beyond chance.",))
    ways = (
        "common: things both shared, their posts nearer to each other in the order of all posts than chance puts them; "
        "closest_s: the least time between, in seconds."
    )
    return Part("Nearest to it", (ways,), rows)


def _own_evidence(study: Study, account_id: str, *, posts: int) -> list[Part]:
    if "evidence" not in study.tables:
        return []
    rows = study.scan("evidence").filter(subject_type="account", subject_id=account_id).collect().to_dicts()
    return [reason_part(study, row, posts) for row in rows]


def explain_pair(study: Study, one: str, other: str, /, *, posts: int) -> Document:
    """Return what two accounts have in common: everything both shared, with the time between."""
    names = dict(
        named(study, pl.LazyFrame({"account_id": [one, other]}))
        .select("account_id", "who")
        .collect()
        .iter_rows()
    )
    met = common_posts(study, one, other)
    near = met.filter(pl.col("apart_s") <= 60).height
    things = "thing" if met.height == 1 else "things"
    lines = [
        f"Both shared {met.height:,} {things}{_by_trace(met)}, {near:,} within a minute of each other."
        if met.height
        else "They never shared the same thing."
    ]
    lines += _beyond_chance(study, one, other)
    table = met.head(posts)
    if table.height < met.height:
        lines.append(f"The {table.height:,} closest of {met.height:,} follow.")
    title = f"{names[one]} and {names[other]}"
    return Document("pair", f"{one},{other}", title, (Part("What both shared", tuple(lines), table), UNKNOWN))


def _by_trace(met: pl.DataFrame) -> str:
    """Say how many of the things are of which trace, where there are several: one post can be in more than one."""
    found = met.group_by("trace").len("n").sort("trace").rows()
    return f" ({', '.join(f'{trace} {n:,}' for trace, n in found)})" if len(found) > 1 else ""


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
        return ["Whether that is more than chance was not looked at yet: run `propgraph clusters`."]
    row = study.scan("network").filter(source=min(one, other), target=max(one, other)).collect()
    if row.is_empty():
        return ["Taken as a pair alone, by the order of posts, that cannot be told from chance."]
    of = row.row(0, named=True)
    if of["synchronised"]:
        return [
            f"Over {of['n_near']:,} of them their posts stand next to each other in the order of all posts so closely "
            "that chance, and their own hours, hardly ever put any two accounts of this log so."
        ]
    if of["by_habit"]:
        return [
            "They stand close, but no closer than the hours that each keeps, and its quickness, bring them."
        ]
    return ["They stand closer than most pairs, but among so many pairs some stand so close by chance."]
