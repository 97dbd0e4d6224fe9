"""YouTube by YouTube Data Tools: its list of videos, and the comments of a video.

A video is an original of its channel; YouTube knows no reshare. The file of comments does not say below which video
they stand, only which comment a reply answers: a comment at the top is an original here. Texts of comments are HTML.
"""

from __future__ import annotations

import re

import polars as pl

from propgraph.readers.base import Reader, filled, is_yes
from propgraph.readers.values.html import text_and_links
from propgraph.schema import ID, IDS


def _videos(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(
        content_id="videoId",
        account_id="channelId",
        account_name="channelTitle",
        timestamp="publishedAt",
        kind=pl.lit("original"),
        text=pl.concat_str(
            [filled("videoTitle"), filled("videoDescription")], separator="\n\n", ignore_nulls=True
        ),
        platform=pl.lit("youtube"),
    )


def _comments(frame: pl.DataFrame) -> pl.DataFrame:
    is_reply = is_yes("isReply")
    words = pl.col("_said").struct
    return frame.with_columns(_said=filled("text").map_batches(_said, return_dtype=_SAID)).select(
        content_id="id",
        account_id=pl.coalesce(filled("authorChannelId"), filled("authorName")),
        account_name="authorName",
        timestamp="publishedAt",
        kind=pl.when(is_reply).then(pl.lit("reply")).otherwise(pl.lit("original")),
        parent_content_id=pl.when(is_reply).then(
            pl.coalesce(filled("isReplyToId"), filled("isReplyTo"), filled("id").str.extract(r"^([^.]+)\."))
        ),
        origin_account_name=pl.when(is_reply).then(filled("isReplyToName")),
        text=words.field("text"),
        urls=words.field("links"),
        platform=pl.lit("youtube"),
    )


# What YouTube itself makes a link of: a time in the video, a hashtag, somebody's name.
_OWN = re.compile(r"<a\b[^<>]*>\s*((?:\d+:)?\d+:\d\d|[#@][^\s<>]+)\s*</a>", re.IGNORECASE)
_SAID = pl.Struct({"text": ID, "links": IDS})


def _said(texts: pl.Series) -> pl.Series:
    """Return the plain text and the links of each text, made once for each distinct one."""
    distinct = texts.drop_nulls().unique()
    made = [
        dict(zip(("text", "links"), text_and_links(_OWN.sub(r"\1", text)), strict=True)) for text in distinct
    ]
    table = pl.DataFrame({"html": distinct, "said": pl.Series(made, dtype=_SAID)})
    return texts.alias("html").to_frame().join(table, on="html", how="left", maintain_order="left")["said"]


READERS: tuple[Reader, ...] = (
    Reader(
        name="ytdt-videos",
        title="YouTube Data Tools, list of videos (channelId, videoId, publishedAt, videoTitle, ...)",
        layouts=(("channelId", "channelTitle", "videoId", "publishedAt", "videoTitle", "videoDescription"),),
        fields={
            "content_id": "videoId",
            "account_id": "channelId",
            "account_name": "channelTitle",
            "timestamp": "publishedAt",
            "kind": "original",
            "text": "videoTitle and videoDescription, in which the links stand",
            "platform": "youtube",
        },
        posts=_videos,
        texts=("videoTitle", "videoDescription"),
        sample="""position,channelId,channelTitle,videoId,publishedAt,videoTitle,videoDescription
1,UCana,Ana's News,dQwAnaWater,2024-03-05T10:00:00Z,They shut the water off,https://valley-herald.example/water
""",
        checked="the tool's source (mod_videos_list.php). Not verified: which column of the newer versions has the "
        "tags of a video",
    ),
    Reader(
        name="ytdt-comments",
        title="YouTube Data Tools, comments of a video (id, replyCount, publishedAt, authorName, text, isReply, ...)",
        layouts=(("id", "publishedAt", "authorName", "text", "authorChannelId", "isReply"),),
        uses=("isReplyToId", "isReplyTo", "isReplyToName"),
        fields={
            "content_id": "id",
            "account_id": "authorChannelId, else authorName",
            "account_name": "authorName",
            "timestamp": "publishedAt",
            "kind": "reply where isReply is 1, else original",
            "parent_content_id": "isReplyToId, else isReplyTo, else what stands before the point in id",
            "origin_account_name": "isReplyToName",
            "text": "text without its tags",
            "urls": "links in text, but for those of times in the video, of hashtags and of names",
            "platform": "youtube",
        },
        posts=_comments,
        texts=("text",),
        sample="""id,replyCount,likeCount,publishedAt,authorName,text,authorChannelId,isReply,isReplyToId,isReplyToName
Ugx1,1,0,2024-03-05 10:00:00,ana,Look,UCana,0,,
Ugx1.8abc,,0,2024-03-05 10:01:00,ben,Is this true?,UCben,1,Ugx1,ana
""",
        checked="the tool's source (mod_video_info.php; times in the zone of its server, taken as UTC). Not verified: "
        "the names in versions of 2023 and later, whose source is not public",
    ),
)
