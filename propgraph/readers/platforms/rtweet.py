"""X (Twitter) by rtweet, the R package, before its version 1.0: what `write_as_csv` and `save_as_csv` write.

Traps: ids may begin with an x, put there so that no spreadsheet takes them for numbers. A retweet's or a quote's
original stands in columns of its own, `retweet_...` and `quoted_...`; a retweet's own links and hashtags may be cut.
`url` is the link in the account's profile, `status_url` the tweet's own address. Lists are joined by blanks.
"""

import polars as pl

from propgraph.readers.base import Reader, filled, is_yes
from propgraph.readers.platforms.x_api import SNOWFLAKES
from propgraph.readers.platforms.x_archive import bare_text, without_posts
from propgraph.readers.values.cells import sifted


def _posts(frame: pl.DataFrame) -> pl.DataFrame:
    retweeted, quoted, replied = (
        _number(name) for name in ("retweet_status_id", "quoted_status_id", "reply_to_status_id")
    )
    is_reshare = is_yes("is_retweet") | retweeted.is_not_null()
    is_quote = ~is_reshare & (is_yes("is_quote") | quoted.is_not_null())
    is_reply = ~is_reshare & ~is_quote & replied.is_not_null()
    links = filled("urls_expanded_url").str.extract_all(r"(?i)https?://[^\s\"']+")
    return frame.select(
        content_id=_number("status_id"),
        account_id=_number("user_id"),
        account_name="screen_name",
        account_created_at="account_created_at",
        followers="followers_count",
        timestamp="created_at",
        kind=(
            pl.when(is_reshare).then(pl.lit("reshare")).when(is_quote).then(pl.lit("quote"))
            .when(is_reply).then(pl.lit("reply")).otherwise(pl.lit("original"))
        ),
        parent_content_id=(
            pl.when(is_reshare).then(retweeted).when(is_quote).then(quoted).when(is_reply).then(replied)
        ),
        parent_timestamp=(
            pl.when(is_reshare).then(filled("retweet_created_at")).when(is_quote).then(filled("quoted_created_at"))
        ),
        origin_account_id=(
            pl.when(is_reshare).then(_number("retweet_user_id")).when(is_quote).then(_number("quoted_user_id"))
            .when(is_reply).then(_number("reply_to_user_id"))
        ),
        origin_account_name=(
            pl.when(is_reshare).then(filled("retweet_screen_name")).when(is_quote).then(filled("quoted_screen_name"))
            .when(is_reply).then(filled("reply_to_screen_name"))
        ),
        text=bare_text(pl.coalesce(pl.when(is_reshare).then(filled("retweet_text")), filled("text"))),
        urls=without_posts(
            links.list.eval(pl.element().str.strip_chars_end(",)")), _number("status_id"), quoted
        ),
        hashtags=filled("hashtags"),
        mentions=sifted(
            filled("mentions_screen_name").str.to_lowercase().str.extract_all(r"\w+"),
            pl.col("item") != pl.col("reshared"),
            reshared=pl.when(is_reshare).then(filled("retweet_screen_name")).str.to_lowercase(),
        ),
        language="lang",
        platform=pl.lit("x"),
    )  # fmt: skip


def _number(name: str) -> pl.Expr:
    return filled(name).str.replace(r"^[xX](\d)", "${1}")


READERS = (
    Reader(
        name="rtweet",
        title="X (Twitter) by rtweet before 1.0 (status_id, user_id, created_at, screen_name, text, ...)",
        layouts=(("status_id", "user_id", "created_at", "screen_name", "text"),),
        uses=(
            "account_created_at", "followers_count", "lang", "is_retweet", "is_quote", "retweet_status_id",
            "quoted_status_id", "reply_to_status_id", "retweet_created_at", "quoted_created_at", "retweet_user_id",
            "quoted_user_id", "reply_to_user_id", "retweet_screen_name", "quoted_screen_name", "reply_to_screen_name",
            "retweet_text", "urls_expanded_url", "hashtags", "mentions_screen_name",
        ),
        fields={
            "content_id": "status_id, without the x before it",
            "account_id": "user_id, likewise",
            "account_name": "screen_name",
            "account_created_at": "account_created_at",
            "followers": "followers_count",
            "timestamp": "created_at (UTC)",
            "kind": "reshare where is_retweet or retweet_status_id says so, then quote (is_quote, quoted_status_id), "
            "then reply (reply_to_status_id), else original",
            "parent_content_id": "retweet_status_id, quoted_status_id or reply_to_status_id, by kind",
            "parent_timestamp": "retweet_created_at or quoted_created_at, by kind",
            "origin_account_id": "retweet_user_id, quoted_user_id or reply_to_user_id, by kind",
            "origin_account_name": "retweet_screen_name, quoted_screen_name or reply_to_screen_name, by kind",
            "text": "retweet_text of a retweet, else text, without t.co links",
            "urls": "urls_expanded_url, without links to X's own photos and videos, to the tweet itself and to the one "
            "quoted",
            "hashtags": "hashtags",
            "mentions": "mentions_screen_name, without the account retweeted",
            "language": "lang",
            "platform": "x",
        },
        posts=_posts,
        texts=("text", "hashtags", "mentions_screen_name"),
        sample="""user_id,status_id,created_at,screen_name,text,is_quote,is_retweet,hashtags,urls_expanded_url,\
retweet_status_id
x101,x1764954002027446273,2024-03-05 10:00:00,ana,They shut the water off,FALSE,FALSE,water tap,\
https://valley-herald.example/water https://valley-herald.example/map,
x102,x1764954253685686274,2024-03-05 10:01:00,ben,They shut the water off,FALSE,TRUE,water,\
https://valley-herald.example/water,x1764954002027446273
""",
        checked="rtweet's source (save_as_csv.R: the x before ids, lists joined by blanks) and documentation; column "
        "names in analyses in public repositories. Not verified: whether text of a retweet is that of the original in "
        "all versions. Data of rtweet 1.0 and later is not of this layout",
        snowflakes=SNOWFLAKES,
    ),
)  # fmt: skip
