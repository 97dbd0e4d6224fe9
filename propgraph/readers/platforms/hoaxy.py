"""Hoaxy's edges: who took an article's link from whom on Twitter.

A row is an edge from one account to another, and the author stands at either end: at `to_user_id` of a
retweet or quote, at `from_user_id` of an original or reply and wherever the edge is a mention. (The log
bears this out: the ends read as the other party are few and far more concentrated than the authors.)
The retweeted post has no id of its own here; `origin_account_id` and the link stand for it.
"""

import polars as pl

from propgraph.readers.base import Reader, is_yes
from propgraph.readers.platforms.x_api import SNOWFLAKES


def _posts(frame: pl.DataFrame) -> pl.DataFrame:
    mention, kind = is_yes("is_mention"), pl.col("type")
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
        platform=pl.lit("x"),
    )


READERS = (
    Reader(
        name="hoaxy",
        title="Hoaxy edges (tweet_id, url, from_user_id, to_user_id, type, is_mention, created_at)",
        layouts=(("tweet_id", "url", "from_user_id", "to_user_id", "type", "is_mention", "created_at"),),
        fields={
            "content_id": "tweet_id",
            "account_id": "to_user_id of a retweet or quote, else from_user_id",
            "timestamp": "created_at",
            "kind": "type",
            "origin_account_id": "the other end of a retweet, quote or reply",
            "url": "url",
            "platform": "x",
        },
        posts=_posts,
        sample="""tweet_id,url,from_user_id,to_user_id,type,is_mention,created_at
t1,https://valley-herald.example/water,u1,u1,origin,False,2020-03-05 10:00:00
t2,https://valley-herald.example/water,u1,u2,retweet,False,2020-03-05 10:01:00
""",
        checked="a public export of Hoaxy's edges, 2018 to 2020",
        snowflakes=SNOWFLAKES,
    ),
)
