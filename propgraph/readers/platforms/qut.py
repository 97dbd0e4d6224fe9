"""The QUT coordination-network-toolkit's CSV: one row a message, urls separated by blanks."""

import polars as pl

from propgraph.readers.base import Reader, filled


def _posts(frame: pl.DataFrame) -> pl.DataFrame:
    kind = (
        pl.when(filled("repost_id").is_not_null()).then(pl.lit("reshare"))
        .when(filled("reply_id").is_not_null()).then(pl.lit("reply"))
        .otherwise(pl.lit("original"))
    )  # fmt: skip
    return frame.select(
        content_id="message_id",
        account_id="user_id",
        account_name="username",
        timestamp="timestamp",
        kind=kind,
        parent_content_id=pl.coalesce(filled("repost_id"), filled("reply_id")),
        text="message",
        urls=filled("urls"),
    )


READERS = (
    Reader(
        name="qut",
        title="QUT coordination-network-toolkit (message_id, user_id, username, repost_id, ...)",
        layouts=(
            ("message_id", "user_id", "username", "repost_id", "reply_id", "message", "timestamp", "urls"),
        ),
        fields={
            "content_id": "message_id",
            "account_id": "user_id",
            "account_name": "username",
            "timestamp": "timestamp",
            "kind": "reshare where repost_id is filled, reply where reply_id is, else original",
            "parent_content_id": "repost_id, else reply_id",
            "text": "message",
            "urls": "urls, separated by blanks",
        },
        posts=_posts,
        texts=("message",),
        sample="""message_id,user_id,username,repost_id,reply_id,message,timestamp,urls
m1,u1,ana,,,They shut the water off,1709632800,https://valley-herald.example/water
m2,u2,ben,m1,,They shut the water off,1709632860,https://valley-herald.example/water
""",
        checked="the toolkit's README and code",
    ),
)
