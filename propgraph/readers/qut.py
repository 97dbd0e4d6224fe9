"""The QUT coordination-network-toolkit's CSV: one row a message, urls separated by blanks."""

import polars as pl

from propgraph.readers.base import Reader


def _posts(frame: pl.DataFrame) -> pl.DataFrame:
    def filled(name: str) -> pl.Expr:
        return pl.col(name).cast(pl.String).str.strip_chars().replace("", None)

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


READER = Reader(
    name="qut",
    title="QUT coordination-network-toolkit (message_id, user_id, username, repost_id, ...)",
    needs=("message_id", "user_id", "username", "repost_id", "reply_id", "message", "timestamp", "urls"),
    posts=_posts,
)
