"""Tweets of the Internet Research Agency that FiveThirtyEight published, and the copy of them split by author.

Traps: `external_author_id` is rounded (906000000000000000 is many accounts), so the handle in `author` is the
account. The newer files give each tweet's id and where up to three t.co links lead; the first ones and the
copy by author do neither: there ids are made of what a row says, and t.co links stay as they are. Times are
UTC and have minutes only. A retweet reads like its original, whose author and id are not told; a text that
begins with `RT @name` or `RT name:` tells the name. A text that begins with @ stands in single quotes. The
column for retweets is 1 for quotes as well.
"""

import polars as pl

from propgraph.readers.base import Reader, filled, is_yes, made_ids, unescaped
from propgraph.readers.platforms.x_api import SNOWFLAKES
from propgraph.readers.platforms.x_archive import bare_text, quoted_post, shared_links

_RETWEET_MARK = r"^['\"“\s]*RT (?:@(\w{1,15}):?|(\w{1,15}):)\s*"
_TO = r"^@(\w{1,15})"
_RESOLVED = ("tco1_step1", "tco2_step1", "tco3_step1")


def _posts(frame: pl.DataFrame) -> pl.DataFrame:
    frame = frame.with_columns(_links=pl.concat_list(*(filled(name) for name in _RESOLVED)).list.drop_nulls())
    links = pl.col("_links")
    author = pl.coalesce(filled("author"), filled("author_id"))
    content = filled("content")
    text = content.str.replace(r"(?s)^'(@.*)'$", "$1").str.replace(_RETWEET_MARK, "")
    type_ = filled("post_type").str.to_lowercase()
    retweet_of = pl.coalesce(content.str.extract(_RETWEET_MARK, 1), content.str.extract(_RETWEET_MARK, 2))
    quotes = type_.is_in(["q", "quote_tweet"]).fill_null(False)
    reshares = ~quotes & (
        type_.is_in(["r", "retweet"]).fill_null(False) | is_yes("retweet") | retweet_of.is_not_null()
    )
    reply_to = text.str.extract(_TO)
    resolved = links.list.len() > 0
    quoted_name, quoted_id = quoted_post(pl.when(quotes).then(links))
    return frame.select(
        content_id=pl.coalesce(
            filled("tweet_id"),
            filled("article_url").str.extract(r"/status(?:es)?/(\d+)"),
            made_ids(author, filled("publish_date"), content, filled("updates"), filled("following"), type_),
        ),
        account_id=author,
        account_name=author,
        followers="followers",
        timestamp="publish_date",
        kind=(
            pl.when(quotes).then(pl.lit("quote"))
            .when(reshares).then(pl.lit("reshare"))
            .when(reply_to.is_not_null()).then(pl.lit("reply"))
            .otherwise(pl.lit("original"))
        ),
        parent_content_id=quoted_id,
        origin_account_name=(
            pl.when(quotes).then(quoted_name).when(reshares).then(retweet_of).otherwise(reply_to)
        ),
        text=pl.when(resolved).then(bare_text(text)).otherwise(unescaped(text)),
        urls=shared_links(pl.when(resolved).then(links), quotes=quotes),
        language="language",
        platform=pl.lit("x"),
    )  # fmt: skip


READERS = (
    Reader(
        name="ira-538",
        title="FiveThirtyEight's IRA tweets (author or author_id, content, publish_date, post_type, retweet, ...)",
        layouts=(
            ("external_author_id", "author", "content", "publish_date", "post_type", "account_category"),
            ("author_id", "content", "publish_date", "harvested_date", "updates", "post_type", "retweet"),
        ),
        uses=("following", "followers", "language", "tweet_id", "article_url", *_RESOLVED),
        fields={
            "content_id": "tweet_id, else the id in article_url, else made of author, time and content",
            "account_id": "author or author_id: the handle (external_author_id is rounded)",
            "account_name": "author or author_id",
            "followers": "followers",
            "timestamp": "publish_date (whole minutes, UTC), seconds from tweet_id",
            "kind": "post_type: RETWEET or R is a reshare, QUOTE_TWEET or Q a quote; without one, a text that "
            "begins with `RT @name` or `RT name:` is a reshare, with `@name` a reply, any other an original",
            "parent_content_id": "of a quote: the id in the link to the tweet quoted (tco1_step1 to tco3_step1)",
            "origin_account_name": "the name in `RT @name`, `RT name:` or the link to the tweet quoted, or after "
            "the @ that a reply begins with",
            "text": "content without `RT @name:` and `RT name:`, and without t.co links where the file says where "
            "they lead",
            "urls": "tco1_step1 to tco3_step1, without links to X's own photos and videos and to the tweet quoted",
            "language": "language, in words",
            "platform": "x",
        },
        posts=_posts,
        texts=("content",),
        sample="""author_id,content,region,language,publish_date,harvested_date,following,followers,updates,post_type,retweet
ana,They shut the water off https://t.co/water,United States,English,2016-03-05 10:00:00,2016-03-05 10:00:00,1,2,3,,0
ben,They shut the water off https://t.co/water,United States,English,2016-03-05 10:01:00,2016-03-05 10:02:00,1,2,3,R,1
""",
        checked="FiveThirtyEight's README (columns), its issues (times are UTC; rounded ids), rows quoted in public "
        "repositories; the README of the copy by author, and 1,500 rows of it",
        snowflakes=SNOWFLAKES,
    ),
)  # fmt: skip
