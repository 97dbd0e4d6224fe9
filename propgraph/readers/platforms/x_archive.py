"""X's (Twitter's) archives of information operations, 2018 to 2022: one row a tweet, all of removed accounts.

Traps: `tweet_time` has minutes only, the tweet's id has the rest. Accounts with few followers are hashed
wherever they appear, also in `user_mentions`, which holds ids and no names. A retweet's text is cut to
`RT @name: ...`; some retweets do not say of which tweet. The first releases write lists as `[a, b]` and
truth as `true`, later ones `['a', 'b']` and `True`; unhashed copies have the same columns.

The functions here know what X puts into a tweet by itself; other readers of X's tables use them too.
"""

import polars as pl

from propgraph.readers.base import Reader, filled, is_yes, unescaped
from propgraph.readers.platforms.x_api import SNOWFLAKES
from propgraph.readers.values.cells import sifted

RETWEET_MARK = r"^\s*RT @(\w+):?\s*"
_T_CO = r"\s*https?://t\.co/\w*…?"
_POST = r"(?i)^https?://(?:(?:www|mobile|m)\.)?(?:twitter|x)\.com/(?:i/web|(\w+))/status(?:es)?/(\d+)"
_MEDIA = _POST + r"/(?:photo|video)/"


def bare_text(text: pl.Expr, /) -> pl.Expr:
    """Return a tweet's text as people see it: no `RT @name:`, no t.co links, which stand for urls or media."""
    return unescaped(text.str.replace(RETWEET_MARK, "").str.replace_all(_T_CO, ""))


def shared_links(links: pl.Expr, /, *, quotes: pl.Expr) -> pl.Expr:
    """Return lists of links without X's own to media and, where `quotes`, without the tweet quoted."""
    link = pl.element()
    others = links.list.eval(link.filter(~link.str.contains(_MEDIA)))
    return pl.when(quotes).then(others.list.eval(link.filter(~link.str.contains(_POST)))).otherwise(others)


def without_posts(links: pl.Expr, /, *ids: pl.Expr) -> pl.Expr:
    """Return lists of links without X's own to media and without those to the tweets with one of `ids`.

    A tweet's links list the tweet that it quotes, and where it was cut short itself.
    """
    number = pl.col("item").str.extract(_POST, 2)
    named = {f"id_{k}": one for k, one in enumerate(ids)}
    own = pl.any_horizontal(pl.lit(False), *((number == pl.col(name)).fill_null(False) for name in named))
    return sifted(links, ~(pl.col("item").str.contains(_MEDIA) | own), **named)


def quoted_post(links: pl.Expr, /) -> tuple[pl.Expr, pl.Expr]:
    """Return the author's name and the id in the one link to a tweet among `links`; null if there are more."""
    link = pl.element()
    posts = links.list.eval(link.filter(link.str.contains(_POST) & ~link.str.contains(_MEDIA))).list.unique()
    one = pl.when(posts.list.len() == 1).then(posts.list.first())
    return one.str.extract(_POST, 1), one.str.extract(_POST, 2)


def _posts(frame: pl.DataFrame) -> pl.DataFrame:
    retweeted, quoted, replied = (
        filled(name) for name in ("retweet_tweetid", "quoted_tweet_tweetid", "in_reply_to_tweetid")
    )
    reshares = is_yes("is_retweet") | retweeted.is_not_null()
    replies = replied.is_not_null() | filled("in_reply_to_userid").is_not_null()
    origin = (
        pl.when(reshares)
        .then(filled("retweet_userid"))
        .when(quoted.is_null())
        .then(filled("in_reply_to_userid"))
    )
    return frame.select(
        content_id="tweetid",
        account_id="userid",
        account_name="user_screen_name",
        account_created_at="account_creation_date",
        followers="follower_count",
        timestamp="tweet_time",
        kind=(
            pl.when(reshares).then(pl.lit("reshare"))
            .when(quoted.is_not_null()).then(pl.lit("quote"))
            .when(replies).then(pl.lit("reply"))
            .otherwise(pl.lit("original"))
        ),
        parent_content_id=pl.when(reshares).then(retweeted).otherwise(pl.coalesce(quoted, replied)),
        origin_account_id=origin,
        origin_account_name=(
            pl.when(reshares & origin.is_null()).then(filled("tweet_text").str.extract(RETWEET_MARK))
        ),
        text=bare_text(filled("tweet_text")),
        urls=shared_links(_links(filled("urls")), quotes=quoted.is_not_null()),
        hashtags=filled("hashtags"),
        mentions=filled("user_mentions"),
        language="tweet_language",
        platform=pl.lit("x"),
    )  # fmt: skip


def _links(cell: pl.Expr) -> pl.Expr:
    """Return the links in cells such as `[http://a, http://b]` or `['http://a', 'http://b']`."""
    inner = cell.str.strip_prefix("[").str.strip_suffix("]")
    # Not at every comma: there are some in links.
    parted = inner.str.replace_all(r"""(?i)['"]?\s*,\s*['"]?(https?://)""", "\n$1")
    return parted.str.split("\n").list.eval(
        pl.element().str.strip_chars("'\" ").replace("", None).drop_nulls()
    )


READERS = (
    Reader(
        name="x-archive",
        title="X (Twitter) archive of information operations (tweetid, userid, tweet_time, tweet_text, ...)",
        layouts=(("tweetid", "userid", "tweet_time", "tweet_text", "urls"),),
        uses=(
            "user_screen_name", "account_creation_date", "follower_count", "is_retweet", "retweet_tweetid",
            "retweet_userid", "quoted_tweet_tweetid", "in_reply_to_tweetid", "in_reply_to_userid", "hashtags",
            "user_mentions", "tweet_language",
        ),
        fields={
            "content_id": "tweetid",
            "account_id": "userid (hashed where the account had few followers)",
            "account_name": "user_screen_name (hashed likewise)",
            "account_created_at": "account_creation_date",
            "followers": "follower_count, as it was when the archive was made",
            "timestamp": "tweet_time (whole minutes), seconds from tweetid",
            "kind": "reshare where is_retweet or retweet_tweetid says so, then quote (quoted_tweet_tweetid), "
            "then reply (in_reply_to_tweetid or in_reply_to_userid), else original",
            "parent_content_id": "retweet_tweetid, quoted_tweet_tweetid or in_reply_to_tweetid, by kind",
            "origin_account_id": "retweet_userid or in_reply_to_userid, by kind",
            "origin_account_name": "the name in `RT @name:` where retweet_userid is empty",
            "text": "tweet_text without `RT @name:` and without t.co links",
            "urls": "urls, without links to X's own photos and videos and to the tweet quoted",
            "hashtags": "hashtags",
            "mentions": "user_mentions: ids, not names",
            "language": "tweet_language",
            "platform": "x",
        },
        posts=_posts,
        texts=("tweet_text", "hashtags", "user_mentions"),
        sample="""tweetid,userid,user_screen_name,tweet_time,tweet_text,is_retweet,retweet_tweetid,urls
1764954084556800000,ana,ana,2024-03-05 10:00,They shut the water off,False,,['https://valley-herald.example/water']
1764954336215040000,ben,ben,2024-03-05 10:01,RT @ana: They shut the water off,True,1764954084556800000,[]
""",
        checked="headers and rows of the release of October 2018 and of the later consolidated one, as tests and "
        "analyses in public repositories quote them. Not verified: the releases of 2022 to the Moderation "
        "Research Consortium; whether urls ever holds links to X's own media",
        snowflakes=SNOWFLAKES,
    ),
)  # fmt: skip
