"""Bluesky: Jetstream's events as one JSON object a line, and 4CAT's CSV of posts found by a search.

Jetstream sends every change in the network: posts and reposts beside likes, follows, blocks, deletions and
notices of accounts, which are no posts. Its traps:

- `record.createdAt` is what the client claims: imports of old posts are backdated, and anyone may write anything.
  The time taken is the server's, `time_us`: when Jetstream first saw the record, for all posts the same clock.
- A repost names the post itself (`subject`) and, from newer apps, the repost that it was found by (`via`). The
  post is taken as the parent: the repost in between may not be in the log, and the post would be lost with it.
- Accounts are DIDs; their names (handles) do not come with posts. Mentions are DIDs too.
- GIFs picked in the app are links to Tenor; they are no shared links.

4CAT's search finds no reposts, has only `created_at`, and names the parent of a reply or quote by a link that
holds its author's handle. The id is made of the link: with the author's DID where the row says it (the start of
the thread, the author's own posts), else with the handle.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl

from propgraph.readers.base import NoPost, NotThisFormatError, Reader, Record, Row, at, filled, objects

_POST, _REPOST = "app.bsky.feed.post", "app.bsky.feed.repost"
# A collection's name is anyone's choice: those that are no one's own are told by it, the others together.
_NO_POSTS = {
    f"app.bsky.{name}": NoPost(f"app.bsky.{name}")
    for name in (
        "actor.profile", "actor.status", "feed.generator", "feed.like", "feed.postgate", "feed.threadgate",
        "graph.block", "graph.follow", "graph.list", "graph.listblock", "graph.listitem", "graph.starterpack",
        "graph.verification", "labeler.service", "notification.declaration",
    )
}  # fmt: skip
_OTHER = NoPost("a record of another collection")
_DELETION, _CHANGE = NoPost("a deletion"), NoPost("a change to a post")
_NOTICE = NoPost("a notice of an account")
_GIFS = "https://media.tenor.com/"


def _rows(event: Record) -> Iterable[Row | NoPost]:
    # The second version of Jetstream puts what the first has in `commit` beside the rest, into `payload`.
    payload = event.get("payload")
    if isinstance(payload, dict):
        return (_commit(payload, payload, payload.get("time")),)
    commit = event.get("commit")
    if isinstance(commit, dict):
        return (_commit(event, commit, event.get("time_us")),)
    if event.get("kind") in (None, "commit"):
        raise NotThisFormatError("no commit and no payload")
    return (_NOTICE,)


def _commit(event: Record, commit: Record, time: Any) -> Row | NoPost:
    collection = commit.get("collection")
    if collection not in (_POST, _REPOST):
        return _no_post(collection)
    operation = commit.get("operation")
    if operation != "create":
        return _not_created(operation)
    did, key, record = event.get("did"), commit.get("rkey"), commit.get("record")
    if not (isinstance(did, str) and isinstance(key, str) and isinstance(record, dict)):
        raise NotThisFormatError("no did, rkey or record")
    row = _repost(record) if collection == _REPOST else _post(record)
    row["content_id"] = f"at://{did}/{collection}/{key}"
    row["account_id"] = did
    row["timestamp"] = time
    row["platform"] = "bluesky"
    return row


def _not_created(operation: Any) -> NoPost:
    if operation not in ("delete", "update"):
        raise NotThisFormatError("operation is none of create, update, delete")
    return _DELETION if operation == "delete" else _CHANGE


def _no_post(collection: Any) -> NoPost:
    if collection is None:
        return _NOTICE
    return _NO_POSTS.get(collection, _OTHER) if isinstance(collection, str) else _OTHER


def _repost(record: Record) -> Row:
    original = at(record, "subject", "uri")
    if not isinstance(original, str):
        raise NotThisFormatError("a repost of nothing")
    return {"kind": "reshare", "parent_content_id": original, "origin_account_id": _owner(original)}


def _post(record: Record) -> Row:
    kind, parent, embed = "original", None, record.get("embed")
    media = at(embed, "media") or embed
    quoted = at(embed, "record", "uri") or at(embed, "record", "record", "uri")
    if isinstance(quoted, str) and f"/{_POST}/" in quoted:  # lists and feeds are embedded likewise
        kind, parent = "quote", quoted
    elif record.get("reply") is not None:
        kind, parent = "reply", at(record, "reply", "parent", "uri")
    facets = record.get("facets")
    links, tags, mentions = _features(facets) if facets else ([], [], [])
    if media:
        links.append(at(media, "external", "uri"))
    tags += _texts(record.get("tags"))
    return {
        "kind": kind,
        "parent_content_id": parent,
        "origin_account_id": _owner(parent),
        "text": record.get("text"),
        "language": at(record, "langs", 0),
        "urls": _shared(links, quoted if kind == "quote" else None),
        "hashtags": _once(tags),
        "mentions": _once(mentions),
        "images": _blobs(media) if media else None,
    }


def _features(facets: Any) -> tuple[list[Any], list[Any], list[Any]]:
    """Return the links, hashtags and mentions that a post's text is marked with."""
    links: list[Any] = []
    tags: list[Any] = []
    mentions: list[Any] = []
    for facet in objects(facets):
        for feature in objects(facet.get("features")):
            if "uri" in feature:
                links.append(feature["uri"])
            elif "tag" in feature:
                tags.append(feature["tag"])
            elif "did" in feature:
                mentions.append(feature["did"])
    return links, tags, mentions


def _shared(links: list[Any], quoted: str | None) -> list[str]:
    shared = [link for link in _once(links) if not link.startswith(_GIFS)]
    if quoted is None:
        return shared
    # The quoted post's address in the text is no link of its own.
    key = quoted.rpartition("/")[2]
    return [link for link in shared if not (link.startswith("https://bsky.app/") and link.endswith(key))]


def _blobs(media: Any) -> list[Any]:
    """Return the content hashes of a post's pictures and video."""
    pictures = [at(picture, "image", "ref", "$link") for picture in objects(at(media, "images"))]
    return [blob for blob in (*pictures, at(media, "video", "ref", "$link")) if blob]


def _texts(values: Any) -> list[Any]:
    return values if isinstance(values, list) else []


def _once(values: list[Any]) -> list[str]:
    return list(dict.fromkeys(value for value in values if isinstance(value, str)))


def _owner(uri: Any) -> str | None:
    """Return the account in a post's id, `at://did:plc:.../app.bsky.feed.post/...`."""
    if not (isinstance(uri, str) and uri.startswith("at://did:")):
        return None
    return uri.split("/", 3)[2]


_BLOB = r"(?:feed_fullsize/plain|video\.bsky\.app/watch)/[^/,]+/baf[a-z2-7]{50,}"


def _searched(frame: pl.DataFrame) -> pl.DataFrame:
    replied, quoted = filled("replied_to_post"), filled("quoted_post")
    # Of a quoted post that is gone, words stand here: DELETED, REMOVED BY AUTHOR.
    parent = pl.when(quoted.is_not_null()).then(quoted).otherwise(replied)
    name = parent.str.extract(r"/profile/([^/]+)/post/")
    owner = (
        pl.when(name.str.starts_with("did:")).then(name)
        .when(name == filled("author")).then("author_id")
    )  # fmt: skip
    key = parent.str.extract(r"/post/([^/]+)$")
    starts_thread = quoted.is_null() & (filled("thread_id").str.extract(r"([^/]+)$") == key)
    by_link = pl.format("at://{}/app.bsky.feed.post/{}", pl.coalesce(owner, name), key)
    parent_id = pl.when(starts_thread).then(filled("thread_id")).otherwise(by_link)
    return frame.select(
        content_id="id",
        account_id="author_id",
        account_name="author",
        account_created_at="author_created_at",
        timestamp="created_at",
        kind=pl.when(quoted.is_not_null()).then(pl.lit("quote"))
        .when(replied.is_not_null()).then(pl.lit("reply"))
        .otherwise(pl.lit("original")),
        parent_content_id=parent_id,
        origin_account_id=pl.coalesce(owner, parent_id.str.extract(r"^at://(did:[^/]+)/")),
        origin_account_name=pl.when(owner.is_null()).then(name),
        text="body",
        language=filled("languages").str.extract(r"^([A-Za-z-]+)(?:,|$)"),
        hashtags=filled("tags").str.split(","),
        mentions=filled("mentions").str.split(","),
        urls=_links(filled("links")),
        images=filled("images").str.extract_all(_BLOB).list.eval(pl.element().str.extract(r"/([^/]+)$")),
        platform=pl.lit("bluesky"),
    )  # fmt: skip


def _links(joined: pl.Expr) -> pl.Expr:
    """Return links joined by commas, which may stand in a link too, as a list."""
    link = pl.element()
    links = joined.str.replace_all(r",(https?://)", "\n${1}").str.split("\n")
    return links.list.eval(link.filter(~link.str.starts_with(_GIFS)))


READERS: tuple[Reader, ...] = (
    Reader(
        name="bluesky-jetstream",
        title="Bluesky Jetstream, one event a line (did, time_us, kind, commit)",
        layouts=(("did", "time_us", "kind"), ("payload.did", "payload.seq", "payload.time")),
        fields={
            "content_id": "at://did/collection/rkey",
            "account_id": "did",
            "timestamp": "time_us (payload.time): when the server saw it; not record.createdAt, the client's claim",
            "kind": "reshare in app.bsky.feed.repost; quote with a post in embed, else reply with reply, else original",
            "parent_content_id": "subject.uri of a repost (not via), the uri of the post in embed, or reply.parent.uri",
            "origin_account_id": "the did in parent_content_id",
            "text": "record.text; none for reposts",
            "language": "the first of record.langs",
            "urls": "facets[].features[].uri and embed.external.uri, without Tenor's GIFs and the quoted post's "
            "address",
            "hashtags": "facets[].features[].tag, then record.tags",
            "mentions": "facets[].features[].did",
            "images": "the content ids (ref.$link) of pictures and video in embed",
            "platform": "bluesky",
        },
        rows=_rows,
        sample="""\
{"did":"did:plc:ana","time_us":1709632800000000,"kind":"commit","commit":{"operation":"create","collection":"app.bsky.feed.post","rkey":"3kmxxaaaaaa2a","record":{"$type":"app.bsky.feed.post","createdAt":"2024-03-05T10:00:00.000Z","text":"They shut the water off","embed":{"$type":"app.bsky.embed.external","external":{"uri":"https://valley-herald.example/water"}}}}}
{"did":"did:plc:ben","time_us":1709632860000000,"kind":"commit","commit":{"operation":"create","collection":"app.bsky.feed.repost","rkey":"3kmxxbbbbbb2b","record":{"$type":"app.bsky.feed.repost","createdAt":"2024-03-05T10:01:00.000Z","subject":{"uri":"at://did:plc:ana/app.bsky.feed.post/3kmxxaaaaaa2a","cid":"bafy"}}}}
""",  # noqa: E501
        checked="Jetstream's design document and lexicons (bluesky-social/jetstream), the lexicons of "
        "app.bsky.feed.post, app.bsky.feed.repost and app.bsky.richtext.facet, and events printed in public "
        "code. Not verified: a repost's via in a real log (seen in generated types only)",
    ),
    Reader(
        name="4cat-bluesky",
        title="Bluesky by 4CAT (id, author, author_id, body, quoted_post, replied_to_post, links, ...)",
        layouts=(
            (
                "id", "thread_id", "created_at", "author", "author_id", "body", "quoted_post", "replied_to_post",
                "links",
            ),
        ),
        uses=("author_created_at", "languages", "tags", "mentions", "images"),
        fields={
            "content_id": "id",
            "account_id": "author_id",
            "account_name": "author",
            "account_created_at": "author_created_at",
            "timestamp": "created_at: the client's claim, which may be any time",
            "kind": "quote where quoted_post is filled, reply where replied_to_post is, else original",
            "parent_content_id": "made of quoted_post or replied_to_post: with the author's DID where thread_id or "
            "the row's own author gives it, else with the handle",
            "origin_account_id": "the DID in it",
            "origin_account_name": "the handle in it, where no DID is known",
            "text": "body",
            "language": "the first of languages",
            "urls": "links, without Tenor's GIFs",
            "hashtags": "tags",
            "mentions": "mentions: handles",
            "images": "the content ids of pictures and videos in images, not of link previews",
            "platform": "bluesky",
        },
        posts=_searched,
        texts=("body", "tags", "mentions"),
        sample="""\
id,thread_id,created_at,author,author_id,body,quoted_post,replied_to_post,links
at://did:plc:ana/app.bsky.feed.post/3kma,at://did:plc:ana/app.bsky.feed.post/3kma,2024-03-05T10:00:00+00:00,ana.example,did:plc:ana,They shut the water off,,,https://valley-herald.example/water
at://did:plc:ben/app.bsky.feed.post/3kmb,at://did:plc:ana/app.bsky.feed.post/3kma,2024-03-05T10:01:00+00:00,ben.example,did:plc:ben,Is this true?,,https://bsky.app/profile/ana.example/post/3kma,
""",  # noqa: E501
        checked="4CAT's source (datasources/bsky, map_item), which also writes CDN addresses of pictures as the API "
        "gives them. Not verified: the shape of those addresses (feed_fullsize/plain/DID/CID, "
        "video.bsky.app/watch/DID/CID)",
    ),
)  # fmt: skip
