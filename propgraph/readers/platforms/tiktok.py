"""TikTok: videos as the Research API gives them, and as 4CAT writes what Zeeschuimer captured.

TikTok knows no reshare as a post of its own (reposts are a list of the user's, without times). A duet or
stitch shows another's video beside one's own and is a quote here; which video it is, no source says, but
TikTok writes whose it is into the description: `#duet with @name`. Where it writes a display name there
(capitals, blanks), that is no account's name and is left out.

Accounts are known by their user names alone, and those can be changed. Links stand in descriptions, if at all.
"""

import re
from collections.abc import Iterator

import polars as pl

from propgraph.readers.base import NotThisFormatError, Reader, Record, Row, at, filled, is_yes, objects

_BESIDE = r"(?i)#(?:duet|stitch) with @"
_WHOSE = r"#(?i:duet|stitch) (?i:with) @([a-z0-9_.]*[a-z0-9_])(?:\s|$)"


def _quote(body: pl.Expr) -> pl.Expr:
    return body.str.contains(_BESIDE).fill_null(False)


def _words(name: str) -> pl.Expr:
    """Return a list as its file has it: as JSON, in brackets, or separated by commas; NA is R's for none."""
    text = filled(name)
    apart = text.str.replace_all(",", " ", literal=True)
    return pl.when(text.str.starts_with("[")).then(text).when(text != "NA").then(apart)


def _videos(frame: pl.DataFrame) -> pl.DataFrame:
    account, body = pl.coalesce(filled("username"), filled("author_name")), filled("video_description")
    return frame.select(
        content_id=pl.coalesce(filled("id"), filled("video_id")),
        account_id=account,
        account_name=account,
        timestamp="create_time",
        kind=pl.when(_quote(body)).then(pl.lit("quote")).otherwise(pl.lit("original")),
        origin_account_name=body.str.extract(_WHOSE),
        hashtags=_words("hashtag_names"),
        mentions=_words("video_mention_list"),
        text=body,
        platform=pl.lit("tiktok"),
        sponsor=pl.when(filled("video_tag").str.contains("(?i)branded")).then(pl.lit("yes")),
    )


def _pages(record: Record) -> Iterator[Row]:
    videos = record.get("videos", at(record, "data", "videos"))
    if not isinstance(videos, list):
        raise NotThisFormatError("a page has data.videos")
    for video in objects(videos):
        text = video.get("video_description")
        body = text if isinstance(text, str) else ""
        whose = re.search(_WHOSE, body)
        yield {
            "content_id": video.get("id") or video.get("video_id"),
            "account_id": video.get("username"),
            "account_name": video.get("username"),
            "timestamp": video.get("create_time"),
            "kind": "quote" if re.search(_BESIDE, body) else "original",
            "origin_account_name": whose[1] if whose else None,
            "hashtags": video.get("hashtag_names"),
            "mentions": video.get("video_mention_list"),
            "text": text,
            "platform": "tiktok",
            "sponsor": "yes" if "branded" in str(video.get("video_tag")).lower() else None,
        }


def _of_4cat(frame: pl.DataFrame) -> pl.DataFrame:
    body, author = filled("body"), filled("author")
    return frame.select(
        content_id="id",
        account_id=author,
        account_name=author,
        timestamp=pl.coalesce(filled("unix_timestamp"), filled("timestamp")),
        kind=pl.when(_quote(body) | is_yes("is_duet")).then(pl.lit("quote")).otherwise(pl.lit("original")),
        origin_account_name=body.str.extract(_WHOSE),
        hashtags=_words("hashtags"),
        text=body,
        platform=pl.lit("tiktok"),
        sponsor=pl.when(is_yes("is_ad")).then(pl.lit("yes")),
        followers="author_followers",
    )


_RESEARCH_FIELDS = {
    "content_id": "id or video_id",
    "account_id": "username or author_name",
    "account_name": "username or author_name",
    "timestamp": "create_time",
    "kind": "quote where the description names a duet or stitch (#duet with @name), else original",
    "origin_account_name": "the user name in that mark",
    "hashtags": "hashtag_names",
    "mentions": "video_mention_list",
    "text": "video_description",
    "platform": "tiktok",
    "sponsor": "yes where video_tag is of a branded type (a paid partnership, a commission)",
}
_RESEARCH_DOCS = (
    "developers.tiktok.com, Research API, Query Videos (version 2: all names and types; id there is video_id in its "
    "example)"
)

READERS: tuple[Reader, ...] = (
    Reader(
        name="tiktok-research",
        title="TikTok's Research API, one video a row or line (id, username, create_time, video_description, ...)",
        layouts=(
            ("id", "username", "create_time", "video_description"),
            ("video_id", "username", "create_time", "video_description"),
            ("video_id", "author_name", "create_time", "video_description"),
        ),
        uses=("hashtag_names", "video_mention_list", "video_tag"),
        fields=_RESEARCH_FIELDS,
        posts=_videos,
        texts=("video_description", "hashtag_names", "video_mention_list"),
        sample="""id,username,create_time,region_code,video_description,music_id,like_count,hashtag_names
7342834010217218050,ana,1709632800,US,They shut the water off #water,70287439506849497,12,"[""water""]"
7342834267915255810,ben,1709632860,US,#duet with @ana so true,70287439506849497,3,[]
""",
        checked=f"{_RESEARCH_DOCS}; traktok's documentation (video_id, author_name). Not verified: how a CSV of "
        "others writes the lists and video_tag",
    ),
    Reader(
        name="tiktok-research-pages",
        title="TikTok's Research API, its answers as they come (data.videos[])",
        layouts=(
            ("data.videos[].username", "data.videos[].create_time"),
            ("videos[].username", "videos[].create_time"),
        ),
        lists=("data.videos",),
        fields=_RESEARCH_FIELDS,
        rows=_pages,
        sample='{"data": {"videos": [{"id": 7342834010217218050, "username": "ana", "create_time": 1709632800, '
        '"video_description": "They shut the water off #water", "hashtag_names": ["water"]}], "cursor": 100, '
        '"has_more": false}, "error": {"code": "ok", "message": ""}}\n',
        checked=f"{_RESEARCH_DOCS}. Not verified on an answer: whether video_tag is one object or a list of them "
        "(both are read)",
    ),
    Reader(
        name="4cat-tiktok",
        title="4CAT's CSV of TikTok videos (id, author, body, timestamp, is_duet, music_id, tiktok_url, ...)",
        layouts=(("id", "author", "body", "timestamp", "is_duet", "music_id", "tiktok_url"),),
        uses=("unix_timestamp", "hashtags", "is_ad", "author_followers"),
        fields={
            "content_id": "id",
            "account_id": "author, the user name (author_id is missing from part of the videos)",
            "account_name": "author",
            "timestamp": "unix_timestamp, else timestamp",
            "kind": "quote where is_duet says so or the body names a duet or stitch (#duet with @name), else original",
            "origin_account_name": "the user name in that mark",
            "hashtags": "hashtags",
            "text": "body",
            "platform": "tiktok",
            "sponsor": "yes where is_ad",
            "followers": "author_followers",
        },
        posts=_of_4cat,
        texts=("body", "hashtags"),
        sample="""id,thread_id,author,author_full,author_followers,body,timestamp,unix_timestamp,is_duet,is_ad,\
music_id,tiktok_url,hashtags
7342834010217218050,7342834010217218050,ana,Ana,120,They shut the water off #water,2024-03-05 10:00:00,1709632800,\
no,no,70287439506849497,https://www.tiktok.com/@ana/video/7342834010217218050,"water,river"
""",
        checked="4CAT's source (datasources/tiktok: map_item, in four versions of 2020 to 2023)",
    ),
)
