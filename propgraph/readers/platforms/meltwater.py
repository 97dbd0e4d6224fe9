"""Meltwater: mentions in news and social media, as its CSV export (often UTF-16 with tabs), old and new columns.

A mention is known by its address, a tweet by the number in it. Who wrote it is an account's handle in social media, and
the outlet in the news, whoever signs; its article is its own post. Reposts are told by `RT @name` or `QT @name` at the
head of the text alone.
"""

from __future__ import annotations

import polars as pl

from propgraph.readers.base import Reader, filled
from propgraph.readers.platforms.brandwatch import STATUS, on_x
from propgraph.readers.platforms.x_api import SNOWFLAKES
from propgraph.readers.platforms.x_archive import RETWEET_MARK, bare_text, without_posts

_QUOTE_MARK = r"^QT @(\w+)"
_TWITTER = r"(?i)^(?:twitter|x)(?:\.com)?$"
_SOCIAL = (
    r"(?i)^(?:www\.)?(?:twitter|x|facebook|instagram|youtube|reddit|tiktok|linkedin|threads|bluesky|bsky|mastodon|pinterest"
    r"|twitch|tumblr|vk|weibo|telegram|discord|quora|truth ?social|gab|forums?|message boards?)(?:\b|$)"
)


def _posts(frame: pl.DataFrame) -> pl.DataFrame:
    text = pl.coalesce(filled("Hit Sentence"), filled("Opening Text"))
    source = pl.coalesce(filled("Source"), filled("Source Name"), filled("Source Domain"))
    named = pl.coalesce(filled("Author Handle"), filled("Influencer"), filled("Author Name"))
    # Who signs an article in the news is no account.
    handle = pl.when(
        filled("Author Handle").is_not_null() | named.str.starts_with("@") | source.str.contains(_SOCIAL)
    ).then(named)
    status = filled("URL").str.extract(STATUS)
    reshared, quoted = text.str.extract(RETWEET_MARK), text.str.extract(_QUOTE_MARK)
    return frame.select(
        content_id=pl.coalesce(on_x(filled("URL")), filled("Document ID")),
        account_id=pl.coalesce(filled("Twitter Id"), handle.str.strip_prefix("@"), source),
        account_name=pl.coalesce(handle.str.strip_prefix("@"), source),
        timestamp=pl.concat_str([filled("Date"), filled("Time")], separator=" ", ignore_nulls=True),
        kind=pl.when(reshared.is_not_null()).then(pl.lit("reshare"))
        .when(quoted.is_not_null()).then(pl.lit("quote")).otherwise(pl.lit("original")),
        origin_account_name=pl.coalesce(reshared, quoted),
        text=bare_text(text),
        urls=without_posts(filled("Links").str.replace_all(r"[,;]\s*(https?://)", "\n$1").str.split("\n"), status),
        hashtags=filled("Hashtags").str.extract_all(r"[^\s,;]+"),
        language="Language",
        platform=pl.when(status.is_not_null() | source.str.contains(_TWITTER)).then(pl.lit("x"))
        .otherwise(source.str.to_lowercase()),
    )  # fmt: skip


READERS: tuple[Reader, ...] = (
    Reader(
        name="meltwater",
        title="Meltwater, mentions in news and social media (Date, URL, Hit Sentence, Source, Influencer, ...)",
        layouts=(
            ("Date", "URL", "Opening Text", "Hit Sentence", "Source"),
            ("Date", "Time", "URL", "Opening Text", "Hit Sentence", "Source Name"),
        ),
        uses=(
            "Document ID", "Influencer", "Author Handle", "Author Name", "Source Domain", "Links", "Hashtags",
            "Language", "Twitter Id",
        ),
        fields={
            "content_id": "URL; of a tweet the number in it; else Document ID",
            "account_id": "Twitter Id, else in social media Author Handle, Influencer or Author Name without @, else "
            "the source",
            "account_name": "Author Handle, Influencer or Author Name likewise, else the source",
            "timestamp": "Date, with Time where it is a column of its own",
            "kind": "reshare where the text begins with `RT @name`, quote with `QT @name`, else original",
            "origin_account_name": "that name",
            "text": "Hit Sentence, else Opening Text, without `RT @name:`",
            "urls": "Links; where there are none, those in the text",
            "hashtags": "Hashtags",
            "language": "Language",
            "platform": "x by URL or source, else the source in small letters",
        },
        posts=_posts,
        texts=("Opening Text", "Hit Sentence", "Hashtags"),
        sample="""Date,Headline,URL,Opening Text,Hit Sentence,Source,Influencer,Country,Language
05-Mar-2024 10:00AM,,http://twitter.com/ana/statuses/1764954002027446273,Look,\
Look https://valley-herald.example/water,Twitter,@ana,US,English
""",
        checked="public scripts that read such exports (both sets of columns, `@` before handles, UTF-16, tabs). Not "
        "verified: how Links and Hashtags are joined (blanks, commas and semicolons are read), the column Twitter "
        "Id, the time zone, which the account sets",
        snowflakes=SNOWFLAKES,
    ),
)  # fmt: skip
