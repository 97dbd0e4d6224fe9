"""X (Twitter) as médialab's tools write it: minet and gazouilloire, both by way of twitwi, one row a tweet.

Traps: a quote has the links, hashtags and mentions of the tweet that it quotes beside its own, and so has a
retweet of one; its own are those in its text outside of `« name: what was quoted — link »`. A retweet's text is
whole, after `RT @name:`. `local_time` is in the zone of whoever ran the tool, `timestamp_utc` is not. `url` is the
tweet's own address. Lists are joined by `|`.
"""

import polars as pl

from propgraph.readers.base import Reader, filled
from propgraph.readers.platforms.x_api import SNOWFLAKES
from propgraph.readers.platforms.x_archive import RETWEET_MARK, without_posts
from propgraph.readers.values.cells import sifted
from propgraph.readers.values.markdown import hashtags_in, links_in

# What was quoted may quote something itself: the first such mark to the last link.
_QUOTED = r"(?s)«\s*\w{1,15}: .*— https?://\S+ »"


def _posts(frame: pl.DataFrame) -> pl.DataFrame:
    retweeted, quoted, replied = (filled(name) for name in ("retweeted_id", "quoted_id", "to_tweetid"))
    text = filled("text").str.replace(RETWEET_MARK, "")
    is_reshare = retweeted.is_not_null()
    is_quote, is_reply = (
        (~is_reshare & quoted.is_not_null()),
        (~is_reshare & quoted.is_null() & replied.is_not_null()),
    )
    has_quote = (quoted.is_not_null() & text.is_not_null()) | text.str.contains(_QUOTED).fill_null(False)
    own = pl.when(has_quote).then(text.str.replace_all(_QUOTED, " ").str.strip_chars())
    links = filled("links").str.replace_all(r"\|(https?://)", "\n$1").str.split("\n")
    mentions = filled("mentioned_names").str.to_lowercase().str.split("|")
    return frame.select(
        content_id="id",
        account_id="user_id",
        account_name="user_screen_name",
        account_created_at="user_timestamp_utc",
        followers="user_followers",
        timestamp="timestamp_utc",
        kind=(
            pl.when(is_reshare).then(pl.lit("reshare")).when(is_quote).then(pl.lit("quote"))
            .when(is_reply).then(pl.lit("reply")).otherwise(pl.lit("original"))
        ),
        parent_content_id=pl.coalesce(retweeted, quoted, replied),
        parent_timestamp=_by_kind("retweeted_timestamp_utc", "quoted_timestamp_utc", is_reshare, is_quote),
        origin_account_id=(
            pl.when(is_reply).then(filled("to_userid"))
            .otherwise(_by_kind("retweeted_user_id", "quoted_user_id", is_reshare, is_quote))
        ),
        origin_account_name=(
            pl.when(is_reply).then(filled("to_username"))
            .otherwise(_by_kind("retweeted_user", "quoted_user", is_reshare, is_quote))
        ),
        text=pl.coalesce(own, text),
        urls=without_posts(pl.when(has_quote).then(links_in(own)).otherwise(links), filled("id"), quoted, retweeted),
        hashtags=pl.when(has_quote).then(hashtags_in(own)).otherwise(filled("hashtags").str.split("|")),
        mentions=sifted(
            mentions,
            (pl.col("item") != pl.col("reshared"))
            & pl.col("said").str.contains(pl.format("@{}", "item"), literal=True),
            reshared=filled("retweeted_user").str.to_lowercase(),
            said=own.str.to_lowercase(),
        ),
        language="lang",
        platform=pl.lit("x"),
    )  # fmt: skip


def _by_kind(reshared: str, quoted: str, is_reshare: pl.Expr, is_quote: pl.Expr) -> pl.Expr:
    return pl.when(is_reshare).then(filled(reshared)).when(is_quote).then(filled(quoted))


READERS = (
    Reader(
        name="twitwi",
        title="X (Twitter) by minet or gazouilloire (twitwi: id, timestamp_utc, user_id, retweeted_id, links, ...)",
        layouts=(
            ("id", "timestamp_utc", "user_id", "retweeted_id"),
            ("id", "timestamp_utc", "user_id", "links"),
            ("id", "timestamp_utc", "user_id", "user_screen_name", "text"),
        ),
        uses=(
            "user_timestamp_utc", "user_followers", "lang", "quoted_id", "to_tweetid", "retweeted_timestamp_utc",
            "quoted_timestamp_utc", "retweeted_user_id", "quoted_user_id", "to_userid", "retweeted_user",
            "quoted_user", "to_username", "hashtags", "mentioned_names",
        ),
        fields={
            "content_id": "id",
            "account_id": "user_id",
            "account_name": "user_screen_name",
            "account_created_at": "user_timestamp_utc",
            "followers": "user_followers",
            "timestamp": "timestamp_utc",
            "kind": "reshare where retweeted_id is filled, then quote (quoted_id), then reply (to_tweetid), else "
            "original",
            "parent_content_id": "retweeted_id, quoted_id or to_tweetid, by kind",
            "parent_timestamp": "retweeted_timestamp_utc or quoted_timestamp_utc, by kind",
            "origin_account_id": "retweeted_user_id, quoted_user_id or to_userid, by kind",
            "origin_account_name": "retweeted_user, quoted_user or to_username, by kind",
            "text": "text without `RT @name:` and without what was quoted",
            "urls": "links, without links to X's own photos and videos, to the tweet itself and to the one quoted; "
            "where something is quoted, the links in text outside of it",
            "hashtags": "hashtags; where something is quoted, those in text outside of it",
            "mentions": "mentioned_names, likewise, without the account retweeted",
            "language": "lang",
            "platform": "x",
        },
        posts=_posts,
        texts=("text", "hashtags", "mentioned_names"),
        sample="""id,timestamp_utc,user_screen_name,text,user_id,retweeted_id,retweeted_user,url,links,hashtags
1764954002027446273,1709632800.0,ana,They shut the water off,101,,,https://twitter.com/ana/status/1764954002027446273,\
https://valley-herald.example/water|https://valley-herald.example/map,water|tap
1764954253685686274,1709632860.0,ben,RT @ana: They shut the water off,102,1764954002027446273,ana,\
https://twitter.com/ben/status/1764954253685686274,https://valley-herald.example/water,water
""",
        checked="twitwi's source (constants.py: the columns; normalizers.py: what goes into them; formatters.py: lists "
        "joined by |) and the export in its tests; gazouilloire's source (exports), which may write fewer columns. Not "
        "verified: exports of gazouilloire from before twitwi, which have DMI-TCAT's names",
        snowflakes=SNOWFLAKES,
    ),
)  # fmt: skip
