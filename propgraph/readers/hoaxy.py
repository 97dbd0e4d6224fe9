"""Hoaxy's edges: who took an article's link from whom on Twitter.

A row is an edge from one account to another, and the author stands at either end: at `to_user_id` of a
retweet or quote, at `from_user_id` of an original or reply and wherever the edge is a mention. (The log
bears this out: the ends read as the other party are few and far more concentrated than the authors.)
The retweeted post has no id of its own here; `origin_account_id` and the link stand for it.
"""

import polars as pl

from propgraph.readers.base import Reader


def _posts(frame: pl.DataFrame) -> pl.DataFrame:
    mention = pl.col("is_mention").cast(pl.String).str.to_lowercase().is_in(["true", "1"])
    kind = pl.col("type")
    author_is_from = kind.is_in(["origin", "reply"]) | mention
    other = (
        pl.when(kind == "reply")
        .then("to_user_id")
        .when(kind.is_in(["retweet", "quote"]) & ~mention)
        .then("from_user_id")
    )
    return frame.select(
        content_id="tweet_id",
        account_id=pl.when(author_is_from).then("from_user_id").otherwise("to_user_id"),
        timestamp="created_at",
        kind=kind,
        origin_account_id=other,
        url="url",
        platform=pl.lit("twitter"),
    )


READER = Reader(
    name="hoaxy",
    title="Hoaxy edges (tweet_id, url, from_user_id, to_user_id, type, is_mention, created_at)",
    needs=("tweet_id", "url", "from_user_id", "to_user_id", "type", "is_mention", "created_at"),
    posts=_posts,
)
