"""Template text: remarks that several members of a cluster write word for word, about different links, and nobody else.

What an article is called is no remark: share buttons write it, and `via @paper`. Most logs do not hold titles, so what
stands for a link's title is the text that most posts of the link contain, those of accounts in no cluster first. What
is left of a post without its link and that title is its remark.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from propgraph.clusters.inputs import ClusterInputs
from propgraph.schema import COUNT, IDS
from propgraph.study import Study
from propgraph.traces.text import MIN_WORDS, is_reshare, without_links

_FEWEST, _LINKS = 3, 2  # members who write a remark, and links that they write it about
_WORDS = 2  # of a remark about a link; without a link it takes `MIN_WORDS`
_TENTH = 10  # members for each other account that writes it as well
_OF_ACCOUNT, _OF_LINK = 200, 30  # posts that are read: of an account, and of a link by others
_CANDIDATES, _TEXTS = 6, 60  # texts of a link that may be its title, and that these are sought in
_MOST = 10_000  # templates that are sought in the whole log: each takes room
_DRAWS = 19
_WORTH = 0.1  # share of posts from which on draws are made
_SHOWN, _SHOWN_OF_EACH, _TOLD = 20, 5, 5

_EDGES = r"^[\s\p{P}\p{S}]+|[\s\p{P}\p{S}]+$"
_VIA = r"\s*\bvia @?[\w.]+\s*$"

_SCHEMA: dict[str, Any] = {
    "cluster": pl.UInt32, "template_share": pl.Float64, "template_expected": pl.Float64, "template_limit": pl.Float64,
    "n_template_accounts": COUNT, "n_texts": COUNT, "templates": IDS, "template_posts": IDS,
}  # fmt: skip

_DRAWN = ("cluster", "template_expected", "template_limit")
_NO_POSTS = pl.DataFrame(
    schema={
        "account_id": pl.String, "content_id": pl.String, "url": pl.String, "inside": pl.Boolean, "text": pl.String,
    }
)  # fmt: skip


def with_templates(
    table: pl.DataFrame,
    like: pl.DataFrame,
    links: pl.DataFrame,
    /,
    *,
    study: Study,
    inputs: ClusterInputs,
    seed: int,
) -> tuple[pl.DataFrame, int]:
    """Add which remarks members of a cluster write word for word, and how many of their originals hold one.

    Parameters
    ----------
    table
        A row for each `cluster`.
    like
        For each member the accounts in no cluster that are as active, as from `like_members`.
    links
        All links of the log: `url, account_id, content_id`.
    study, inputs
        The study, and what the figures of its clusters are made from.
    seed
        For the draws.

    Returns
    -------
    tuple
        `table` with `template_share` (0..1, of the originals with a text), `template_expected, template_limit` (the
        mean and the largest of 19 draws of as many accounts like the members, where `template_share` is a tenth or
        more), `n_template_accounts` (members who write one), `n_texts` (posts), `templates` (in words, with how many
        members), `template_posts`. Null where members write no texts. And how many remarks, those of the fewest
        members, were left out: more than 10,000 are not sought in the whole log.
    """
    posts = remarks_of(_read(study, like, links, inputs))
    mine = posts.join(inputs.members.select("account_id", "cluster"), on="account_id")
    if mine.is_empty():
        return table.with_columns(
            pl.lit(None, dtype).alias(name) for name, dtype in _SCHEMA.items() if name != "cluster"
        ), 0
    others = posts.join(inputs.members, on="account_id", how="anti")
    found = _in_nobody_else(recurring(mine), others)
    n_left = max(found.height - _MOST, 0)
    found = _in_whole_log(found, study, inputs)
    held = mine.join(found, on=["cluster", "remark"], how="semi")
    texts = mine.group_by("cluster").agg(n_texts=pl.len())
    of_held = held.group_by("cluster").agg(
        n_held=pl.len(), n_template_accounts=pl.col("account_id").n_unique()
    )
    told = (
        found.sort(["cluster", "n_accounts", "remark"], descending=[False, True, False])
        .group_by("cluster", maintain_order=True)
        .agg(templates=pl.format("{}: {}", "remark", "n_accounts").head(_TOLD))
    )
    figures = (
        texts.join(of_held, on="cluster", how="left")
        .with_columns(template_share=pl.col("n_held").fill_null(0) / pl.col("n_texts"))
        .join(told, on="cluster", how="left")
        .join(_posts_of(held), on="cluster", how="left")
        .drop("n_held")
    )
    worth = figures.filter(pl.col("template_share") >= _WORTH)["cluster"].sort().to_list()
    drawn = _drawn(worth, like, others, seed)
    figures = figures.join(drawn, on="cluster", how="left")
    return table.join(figures, on="cluster", how="left", maintain_order="left"), n_left


def _read(study: Study, like: pl.DataFrame, links: pl.DataFrame, inputs: ClusterInputs) -> pl.DataFrame:
    """Return `account_id, content_id, url, text` of originals by members, by accounts like them, and of their links."""
    ids = pl.concat([inputs.members["account_id"], like["like"]]).unique().to_frame("account_id")
    scan = (
        study.scan("posts")
        .filter(pl.col("text").is_not_null(), pl.col("kind").fill_null("original") == "original")
        .select("account_id", "content_id", "timestamp", "kind", "text")
    )
    theirs = scan.join(ids.lazy(), on="account_id", how="semi").collect()
    if theirs.is_empty():
        return _NO_POSTS
    own = links.join(ids, on="account_id", how="semi").select("url", "content_id")
    beside = (
        links.join(own.select("url").unique(), on="url", how="semi")
        .join(ids, on="account_id", how="anti")
        .select("content_id", "url")
        .sort("url", "content_id")
        .group_by("url", maintain_order=True)
        .head(_OF_LINK)
    )
    others = scan.join(beside.lazy().select("content_id").unique(), on="content_id", how="semi").collect()
    about = (
        pl.concat([own, beside])
        .sort("content_id", "url")
        .unique("content_id", keep="first", maintain_order=True)
    )
    read = pl.concat([theirs, others])
    return (
        read.filter(~is_reshare(read))
        .sort("account_id", "timestamp", "content_id")
        .unique("content_id", keep="first", maintain_order=True)
        .group_by("account_id", maintain_order=True)
        .head(_OF_ACCOUNT)
        .join(about, on="content_id", how="left", maintain_order="left")
        .join(inputs.members.select("account_id", inside=pl.lit(True)), on="account_id", how="left",
              maintain_order="left")
        .select(
            "account_id", "content_id", "url", pl.col("inside").fill_null(False),
            text=without_links(pl.col("text")).str.to_lowercase().str.replace(_VIA, ""),
        )
        .filter(pl.col("text") != "")
    )  # fmt: skip


def remarks_of(posts: pl.DataFrame, /) -> pl.DataFrame:
    """Return the posts with `remark`: their text without what stands for the title of their link; null if too short.

    Parameters
    ----------
    posts
        `account_id, content_id, url` (null without a link)`, text` (in lower case, without links)`, inside` (Boolean:
        by a member).
    """
    titled = posts.join(titles_of(posts), on="url", how="left", maintain_order="left")
    parts = pl.col("text").str.splitn(pl.col("title"), 2)
    around = pl.concat_str(
        parts.struct.field("field_0"), parts.struct.field("field_1"), separator=" ", ignore_nulls=True
    )
    remark = pl.when(pl.col("title").is_null()).then("text").otherwise(around).str.replace_all(_EDGES, "")
    least = pl.when(pl.col("url").is_null()).then(MIN_WORDS).otherwise(_WORDS)
    return titled.with_columns(remark=remark).with_columns(
        remark=pl.when(pl.col("remark").str.count_matches(r"\S+") >= least).then("remark")
    )


def titles_of(posts: pl.DataFrame, /) -> pl.DataFrame:
    """Return `url, title`: the text of two words or more that most posts of the link contain, by others, then by all.

    Of several the longest is taken, for a slogan that stands in every post cannot be told from the title. A link of
    which no two posts have a text in common has no title.

    Parameters
    ----------
    posts
        As for `remarks_of`.
    """
    texts = (
        posts.drop_nulls("url")
        .group_by("url", "text")
        .agg(n_others=(~pl.col("inside")).sum(), n=pl.len())
        .sort(["url", "n_others", "n", "text"], descending=[False, True, True, False])
    )
    most = texts.group_by("url", maintain_order=True).head(_TEXTS)
    words = most.filter(pl.col("text").str.count_matches(r"\S+") >= _WORDS)
    # The shortest are tried as well: others may stand around a title that is seldom left alone.
    short = (
        words.sort("url", pl.col("text").str.len_chars(), "text")
        .group_by("url", maintain_order=True)
        .head(_CANDIDATES)
    )
    often = words.group_by("url", maintain_order=True).head(_CANDIDATES)
    tried = pl.concat([often, short]).select("url", title="text").unique()
    return (
        tried.join(most, on="url")
        .filter(pl.col("text").str.contains(pl.col("title"), literal=True))
        .group_by("url", "title")
        .agg(pl.col("n_others", "n").sum())
        .filter(pl.col("n") >= 2)
        .sort(["url", "n_others", "n", pl.col("title").str.len_chars(), "title"],
              descending=[False, True, True, True, False])
        .unique("url", keep="first", maintain_order=True)
        .select("url", "title")
    )  # fmt: skip


def recurring(posts: pl.DataFrame, /) -> pl.DataFrame:
    """Return `cluster, remark, n_accounts, n_posts` of the remarks that three accounts or more of a cluster write.

    Of those about links they are about two links or more: a sentence of one article may be its other title.

    Parameters
    ----------
    posts
        `cluster, account_id, url, remark`.
    """
    return (
        posts.drop_nulls("remark")
        .group_by("cluster", "remark")
        .agg(
            n_accounts=pl.col("account_id").n_unique().cast(pl.Int64),
            n_posts=pl.len(),
            n_links=pl.col("url").drop_nulls().n_unique(),
            n_without=pl.col("account_id").filter(pl.col("url").is_null()).n_unique(),
        )
        .filter(
            pl.col("n_accounts") >= _FEWEST,
            (pl.col("n_links") >= _LINKS) | (pl.col("n_without") >= _FEWEST),
        )
        .select("cluster", "remark", "n_accounts", "n_posts")
    )


def _in_nobody_else(found: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """Leave out the remarks that stand in texts of others, by more than one for each ten members who write it."""
    if found.is_empty():
        return found
    return (
        found.join(_said_by(others, found["remark"]), on="remark", how="left")
        .filter(_TENTH * pl.col("n_others").fill_null(0) <= pl.col("n_accounts"))
        .drop("n_others")
    )


def _said_by(others: pl.DataFrame, remarks: pl.Series) -> pl.DataFrame:
    """Return `remark, n_others`: in the texts of how many accounts each remark stands."""
    sought = remarks.unique().sort().to_list()
    if not sought:
        return pl.DataFrame(schema={"remark": pl.String, "n_others": pl.Int64})
    return (
        others.filter(pl.col("text").str.contains_any(sought, ascii_case_insensitive=True))
        .select(
            "account_id", remark=pl.col("text").str.to_lowercase().str.extract_many(sought, overlapping=True)
        )
        .explode("remark")
        .group_by("remark")
        .agg(n_others=pl.col("account_id").n_unique().cast(pl.Int64))
    )


def _in_whole_log(found: pl.DataFrame, study: Study, inputs: ClusterInputs) -> pl.DataFrame:
    """Leave out what accounts in no cluster write anywhere in the log; only the remarks of most members are sought."""
    kept = found.sort(["n_accounts", "cluster", "remark"], descending=[True, False, False]).head(_MOST)
    if kept.is_empty():
        return kept
    words = kept["remark"].unique().sort().to_list()
    others = (
        study.scan("posts")
        .select("account_id", "text")
        .filter(pl.col("text").str.contains_any(words, ascii_case_insensitive=True))
        .join(inputs.members.lazy().select("account_id"), on="account_id", how="anti")
        .collect()
    )
    return _in_nobody_else(kept, others)


def _drawn(clusters: list[int], like: pl.DataFrame, others: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Return `cluster, template_expected, template_limit`: the mean and the most of the share over the draws."""
    found, texts = [], []
    for cluster in clusters:
        chosen = _draws_of(like.filter(pl.col("cluster") == cluster), seed)
        posts = others.join(chosen, on="account_id")  # `cluster` is the draw
        texts.append(
            posts.group_by(draw="cluster").agg(n_texts=pl.len()).with_columns(cluster=pl.lit(cluster))
        )
        found.append(recurring(posts).rename({"cluster": "draw"}).with_columns(cluster=pl.lit(cluster)))
    if not clusters:
        return pl.DataFrame(schema={name: _SCHEMA[name] for name in _DRAWN})
    # Who is drawn is among those who write it: of each draw the rest counts.
    remarks = pl.concat(found)
    kept = (
        remarks.join(_said_by(others, remarks["remark"]), on="remark", how="left")
        .filter(_TENTH * (pl.col("n_others").fill_null(0) - pl.col("n_accounts")) <= pl.col("n_accounts"))
        .group_by("cluster", "draw")
        .agg(n_held=pl.col("n_posts").sum())
    )
    share = pl.col("n_held").fill_null(0) / pl.col("n_texts")
    return (
        pl.concat(texts)
        .join(kept, on=["cluster", "draw"], how="left")
        .sort("cluster", "draw")
        .group_by("cluster", maintain_order=True)
        .agg(template_expected=share.mean(), template_limit=share.max())
        .select(pl.col(name).cast(_SCHEMA[name]) for name in _DRAWN)
    )


def _draws_of(like: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Return `account_id` and `cluster`, here the number of the draw: for each member one of those like it."""
    groups = like.group_by("account_id", maintain_order=True).agg("like")["like"].to_list()
    rng = np.random.default_rng([seed, len(groups)])
    parts = [
        pl.Series("account_id", sorted({group[rng.integers(0, len(group))] for group in groups}), pl.String)
        .to_frame()
        .with_columns(cluster=pl.lit(draw, pl.UInt32))
        for draw in range(_DRAWS)
    ]
    return pl.concat(parts)


def _posts_of(held: pl.DataFrame) -> pl.DataFrame:
    """Return `cluster, template_posts`: posts of the commonest remarks, each by another account."""
    once = held.sort("cluster", "remark", "account_id", "content_id").unique(
        ["cluster", "remark", "account_id"], keep="first", maintain_order=True
    )
    return (
        once.with_columns(n=pl.len().over("cluster", "remark"))
        .filter(pl.int_range(pl.len()).over("cluster", "remark") < _SHOWN_OF_EACH)
        .sort(["cluster", "n", "remark", "account_id"], descending=[False, True, False, False])
        .group_by("cluster", maintain_order=True)
        .agg(template_posts=pl.col("content_id").unique(maintain_order=True).head(_SHOWN))
    )
