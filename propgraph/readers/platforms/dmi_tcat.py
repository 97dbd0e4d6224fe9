"""X (Twitter) by DMI-TCAT, its full export as CSV or TSV, and gazouilloire's older one, which has the same names.

Traps: `created_at` is in the time zone of the server, `time` is unix time; gazouilloire's `created_at` is the local
time of whoever ran it. Most exports do not say which tweet was retweeted: the text begins with `RT @name:`, and the
original is found by that account and the link or text. Lists are joined by `; `, by `|` in gazouilloire's.
"""

import polars as pl

from propgraph.readers.base import Reader, filled
from propgraph.readers.platforms.x_api import SNOWFLAKES
from propgraph.readers.platforms.x_archive import RETWEET_MARK, bare_text, without_posts
from propgraph.readers.values.cells import sifted


def _posts(frame: pl.DataFrame) -> pl.DataFrame:
    text = filled("text")
    retweeted = pl.coalesce(_number("retweet_id"), _number("retweeted_id"))
    quoted = pl.coalesce(_number("quoted_status_id"), _number("quoted_id"))
    replied = _number("in_reply_to_status_id")
    reshared_name = pl.coalesce(filled("retweeted_user_name"), text.str.extract(RETWEET_MARK))
    is_reshare = retweeted.is_not_null() | reshared_name.is_not_null()
    is_quote = ~is_reshare & quoted.is_not_null()
    is_reply = ~is_reshare & quoted.is_null() & replied.is_not_null()
    links = pl.coalesce(filled("urls_expanded"), filled("links"))
    names = pl.coalesce(filled("mentioned_user_names"), filled("mentions")).str.to_lowercase()
    return frame.select(
        content_id="id",
        account_id=pl.coalesce(filled("from_user_id"), filled("from_user_name")),
        account_name="from_user_name",
        account_created_at="from_user_created_at",
        followers="from_user_followercount",
        timestamp="time",
        kind=(
            pl.when(is_reshare).then(pl.lit("reshare")).when(is_quote).then(pl.lit("quote"))
            .when(is_reply).then(pl.lit("reply")).otherwise(pl.lit("original"))
        ),
        parent_content_id=pl.when(is_reshare).then(retweeted).otherwise(pl.coalesce(quoted, replied)),
        origin_account_id=(
            pl.when(is_reshare).then(_number("retweeted_user_id")).when(is_quote).then(_number("quoted_user_id"))
            .when(is_reply).then(_number("to_user_id"))
        ),
        origin_account_name=(
            pl.when(is_reshare).then(reshared_name).when(is_quote).then(filled("quoted_user_name"))
            .when(is_reply).then(filled("to_user_name"))
        ),
        text=bare_text(text),
        urls=without_posts(
            links.str.replace_all(r"(?:\s*;\s*|\|)(https?://)", "\n$1").str.split("\n"), filled("id"), quoted
        ),
        hashtags=_parted(filled("hashtags")),
        mentions=sifted(
            _parted(names), pl.col("item") != pl.col("reshared"), reshared=reshared_name.str.to_lowercase()
        ),
        language="lang",
        platform=pl.lit("x"),
    )  # fmt: skip


def _number(name: str) -> pl.Expr:
    """Return an id; a database may write 0 where there is none."""
    number = filled(name)
    return pl.when(number != "0").then(number)


def _parted(cell: pl.Expr) -> pl.Expr:
    return cell.str.replace_all(r"\s*[;|]\s*", "\n").str.split("\n")


READERS = (
    Reader(
        name="dmi-tcat",
        title="X (Twitter) by DMI-TCAT or older gazouilloire (id, time, created_at, from_user_name, text, ...)",
        layouts=(("id", "time", "created_at", "from_user_name", "text"),),
        uses=(
            "from_user_id", "from_user_created_at", "from_user_followercount", "lang", "in_reply_to_status_id",
            "to_user_name", "to_user_id", "quoted_status_id", "retweet_id", "urls_expanded", "hashtags", "mentions",
            "retweeted_id", "retweeted_user_id", "retweeted_user_name", "quoted_id", "quoted_user_id",
            "quoted_user_name", "links", "mentioned_user_names",
        ),
        fields={
            "content_id": "id",
            "account_id": "from_user_id, else from_user_name",
            "account_name": "from_user_name",
            "account_created_at": "from_user_created_at",
            "followers": "from_user_followercount",
            "timestamp": "time",
            "kind": "reshare where retweet_id (gazouilloire: retweeted_id) is filled or text begins with `RT @name`, "
            "then quote (quoted_status_id, quoted_id), then reply (in_reply_to_status_id), else original",
            "parent_content_id": "these ids, by kind",
            "origin_account_id": "retweeted_user_id, quoted_user_id or to_user_id, by kind (gazouilloire)",
            "origin_account_name": "the name in `RT @name:` (gazouilloire: retweeted_user_name, quoted_user_name); "
            "to_user_name of a reply",
            "text": "text without `RT @name:` and without t.co links",
            "urls": "urls_expanded (gazouilloire: links), without links to X's own photos and videos, to the tweet "
            "itself and to the one quoted",
            "hashtags": "hashtags",
            "mentions": "mentions (gazouilloire: mentioned_user_names), without the account retweeted",
            "language": "lang",
            "platform": "x",
        },
        posts=_posts,
        texts=("text", "hashtags", "mentions", "mentioned_user_names"),
        sample="""id,time,created_at,from_user_name,text,lang,in_reply_to_status_id,from_user_id,urls_expanded,hashtags
1764954002027446273,1709632800,2024-03-05 10:00:00,ana,They shut the water off,en,,101,\
https://valley-herald.example/water; https://valley-herald.example/map,water; tap
1764954253685686274,1709632860,2024-03-05 10:01:00,ben,RT @ana: They shut the water off,en,,102,\
https://valley-herald.example/water,water
""",
        checked="DMI-TCAT's source (analysis/mod.export_tweets.php, two versions of it, and CSV.class.php); "
        "gazouilloire's source (exports/tweet_fields.py: which name stands for which) and a script over its database. "
        "Not verified: retweet_id, a column of TCAT's database that the exports seen do not write",
        snowflakes=SNOWFLAKES,
    ),
)  # fmt: skip
