"""X (Twitter) through 4CAT: its CSV of X API v2 searches, and that of posts that Zeeschuimer collected.

Traps: a retweet comes with the full text of the original after `RT @name:`, but never with its id. A quoted
tweet's id is in `quote_tweet_id` of newer exports only, else in the link to it among `urls`. `thread_id` is
the conversation, not the tweet replied to. `unix_timestamp` of API searches is off by the time zone of the
4CAT server, `timestamp` is UTC. A search by ids has a row for each tweet that is gone, with the author
UNKNOWN and the time of the search: such rows are rejected.
"""

import polars as pl

from propgraph.readers.base import Reader, filled, is_yes
from propgraph.readers.platforms.x_api import SNOWFLAKES
from propgraph.readers.platforms.x_archive import RETWEET_MARK, bare_text, quoted_post, shared_links

_GONE = "UNKNOWN"


def _posts(frame: pl.DataFrame) -> pl.DataFrame:
    reshares, quotes, replies = (is_yes(name) for name in ("is_retweet", "is_quote_tweet", "is_reply"))
    body, author = filled("body"), filled("author_id")
    links = filled("urls").str.replace_all(r"(?i),\s*(https?://)", "\n$1").str.split("\n")
    quoted_name, quoted_id = quoted_post(pl.when(quotes).then(links))
    return frame.select(
        content_id="id",
        account_id=pl.when(author != _GONE).then(author),
        account_name="author",
        followers="author_followers",
        timestamp="timestamp",
        kind=(
            pl.when(reshares).then(pl.lit("reshare"))
            .when(quotes).then(pl.lit("quote"))
            .when(replies).then(pl.lit("reply"))
            .otherwise(pl.lit("original"))
        ),
        parent_content_id=(
            pl.when(quotes & ~reshares).then(pl.coalesce(filled("quote_tweet_id"), quoted_id))
        ),
        origin_account_name=(
            pl.when(reshares).then(pl.coalesce(filled("retweeted_user"), body.str.extract(RETWEET_MARK)))
            .when(quotes).then(pl.coalesce(filled("quote_author"), filled("quoted_user"), quoted_name))
            .when(replies)
            .then(pl.coalesce(filled("replied_author"), filled("replied_user"), filled("reply_to")))
        ),
        text=bare_text(body),
        urls=shared_links(links, quotes=quotes | reshares),
        hashtags=filled("hashtags").str.split(","),
        mentions=filled("mentions").str.split(","),
        language="language_guess",
        platform=pl.lit("x"),
    )  # fmt: skip


READERS = (
    Reader(
        name="4cat-x",
        title="X (Twitter) by 4CAT (id, author, author_id, body, is_retweet, is_quote_tweet, is_reply, ...)",
        layouts=(
            (
                "id", "timestamp", "body", "author", "author_id", "is_retweet", "is_quote_tweet", "is_reply",
                "urls",
            ),
        ),
        uses=(
            "author_followers", "retweeted_user", "quoted_user", "quote_tweet_id", "quote_author",
            "replied_user", "replied_author", "reply_to", "hashtags", "mentions", "language_guess",
        ),
        fields={
            "content_id": "id",
            "account_id": "author_id",
            "account_name": "author",
            "followers": "author_followers (newer exports of Zeeschuimer's posts)",
            "timestamp": "timestamp, UTC",
            "kind": "reshare where is_retweet, then quote where is_quote_tweet, then reply where is_reply, "
            "else original",
            "parent_content_id": "of a quote: quote_tweet_id, else the id in its one link to a tweet; "
            "of others the export has none",
            "origin_account_name": "retweeted_user (else the name in `RT @name:`), quote_author or "
            "quoted_user, replied_author, replied_user or reply_to, by kind",
            "text": "body without `RT @name:` and without t.co links",
            "urls": "urls, without links to X's own photos and videos; of quotes and retweets without those "
            "to tweets",
            "hashtags": "hashtags",
            "mentions": "mentions",
            "language": "language_guess",
            "platform": "x",
        },
        posts=_posts,
        texts=("body", "hashtags", "mentions"),
        sample="""id,timestamp,body,author,author_id,is_retweet,retweeted_user,is_quote_tweet,is_reply,urls
1764954084556800000,2024-03-05 10:00:00,They shut the water off,ana,101,no,,no,no,https://valley-herald.example/water
1764954336215040000,2024-03-05 10:01:00,RT @ana: They shut the water off,ben,102,yes,ana,no,no,https://valley-herald.example/water
""",
        checked="4CAT's source, datasources/twitterv2 and datasources/twitter-import, several versions of each",
        snowflakes=SNOWFLAKES,
    ),
)  # fmt: skip
