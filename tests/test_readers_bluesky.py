"""Bluesky: what Jetstream's events and 4CAT's rows become."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime

import polars as pl
import pytest

from propgraph.readers.base import NoPost, NotThisFormatError
from propgraph.readers.read import read_logs
from propgraph.readers.registry import READERS

JETSTREAM = READERS["bluesky-jetstream"]
ANA, BEN, CEM = (f"did:plc:{letter * 24}" for letter in "abc")
POST = f"at://{BEN}/app.bsky.feed.post/3kbbb"
PAGE = "https://valley-herald.example/water"
CID = "bafkrei" + "a" * 52


def event(record, collection="app.bsky.feed.post", operation="create"):
    commit = {"rev": "3k", "operation": operation, "collection": collection, "rkey": "3kaaa", "cid": "bafy"}
    if record is not None:
        commit["record"] = {"$type": collection, "createdAt": "2011-01-01T00:00:00Z", **record}
    return {"did": ANA, "time_us": 1709632800123456, "kind": "commit", "commit": commit}


def of(record, collection="app.bsky.feed.post"):
    (row,) = JETSTREAM.rows(event(record, collection))
    return row


def facet(**feature):
    return {"index": {"byteStart": 0, "byteEnd": 1}, "features": [feature]}


def external(uri):
    return {"$type": "app.bsky.embed.external", "external": {"uri": uri, "title": "", "description": ""}}


def strong(uri):
    return {"uri": uri, "cid": "bafy"}


def test_a_post_of_jetstream():
    row = of({
        "text": "Dry #Water @ben",
        "langs": ["de", "en"],
        "facets": [facet(tag="Water"), facet(did=BEN), facet(uri=PAGE)],
        "tags": ["valley", "Water"],
        "embed": external(PAGE),
    })  # fmt: skip
    assert row == {
        "content_id": f"at://{ANA}/app.bsky.feed.post/3kaaa",
        "account_id": ANA,
        "timestamp": 1709632800123456,
        "platform": "bluesky",
        "kind": "original",
        "parent_content_id": None,
        "origin_account_id": None,
        "text": "Dry #Water @ben",
        "language": "de",
        "urls": [PAGE],
        "hashtags": ["Water", "valley"],
        "mentions": [BEN],
        "images": [],
    }


def test_the_time_is_the_servers_and_not_what_the_client_claims(tmp_path):
    file = tmp_path / "log"
    file.write_text(json.dumps(event({"text": "x"})))
    assert read_logs([file]).posts["timestamp"].to_list() == [datetime(2024, 3, 5, 10, 0, 0, 123000, UTC)]


def test_a_repost_is_of_the_post_whatever_repost_it_was_found_by():
    via = strong(f"at://{CEM}/app.bsky.feed.repost/3kccc")
    row = of({"subject": strong(POST), "via": via}, "app.bsky.feed.repost")
    assert row["content_id"] == f"at://{ANA}/app.bsky.feed.repost/3kaaa"
    assert (row["kind"], row["parent_content_id"], row["origin_account_id"]) == ("reshare", POST, BEN)


def test_a_reply():
    row = of({"text": "no", "reply": {"parent": strong(POST), "root": strong(f"at://{CEM}/x/y")}})
    assert (row["kind"], row["parent_content_id"], row["origin_account_id"]) == ("reply", POST, BEN)


@pytest.mark.parametrize(
    "embed",
    [
        {"$type": "app.bsky.embed.record", "record": strong(POST)},
        {
            "$type": "app.bsky.embed.recordWithMedia",
            "record": {"$type": "app.bsky.embed.record", "record": strong(POST)},
            "media": external(PAGE),
        },
    ],
)
def test_a_quote_also_inside_a_reply_and_beside_media(embed):
    reply = {"parent": strong(f"at://{CEM}/app.bsky.feed.post/3kccc")}
    row = of({"text": "look", "embed": embed, "reply": reply})
    assert (row["kind"], row["parent_content_id"], row["origin_account_id"]) == ("quote", POST, BEN)
    assert row["urls"] == ([PAGE] if "media" in embed else [])


def test_an_embedded_list_is_no_quote():
    row = of({"text": "x", "embed": {"record": strong(f"at://{BEN}/app.bsky.graph.list/3kbbb")}})
    assert (row["kind"], row["parent_content_id"]) == ("original", None)


def test_gifs_and_the_address_of_the_quoted_post_are_no_shared_links():
    gif = "https://media.tenor.com/abc/water.gif?hh=200&ww=300"
    other = "https://bsky.app/profile/ben.example/post/3kother"
    facets = [facet(uri="https://bsky.app/profile/ben.example/post/3kbbb"), facet(uri=other)]
    media = {"record": {"record": strong(POST)}, "media": external(gif)}
    assert of({"text": "", "facets": facets, "embed": media})["urls"] == [other]


@pytest.mark.parametrize(
    "embed",
    [
        {"images": [{"alt": "", "image": {"$type": "blob", "ref": {"$link": CID}}}, {"alt": ""}]},
        {"video": {"$type": "blob", "ref": {"$link": CID}}},
        {"record": {"record": strong(POST)}, "media": {"images": [{"image": {"ref": {"$link": CID}}}]}},
    ],
)
def test_pictures_and_video_by_their_content(embed):
    assert of({"text": "", "embed": embed})["images"] == [CID]


@pytest.mark.parametrize(
    ("record", "what"),
    [
        (event({"subject": strong(POST)}, "app.bsky.feed.like"), "app.bsky.feed.like"),
        (event(None, "app.bsky.graph.follow", "delete"), "app.bsky.graph.follow"),
        (event({"x": 1}, "com.whtwnd.blog.entry"), "a record of another collection"),
        (event({"x": 1}, ["app.bsky.feed.post"]), "a record of another collection"),
        (event(None, "app.bsky.feed.post", "delete"), "a deletion"),
        (event(None, "app.bsky.feed.repost", "delete"), "a deletion"),
        (event({"text": "x"}, "app.bsky.feed.post", "update"), "a change to a post"),
        (
            {"did": ANA, "time_us": 1, "kind": "identity", "identity": {"handle": "a"}},
            "a notice of an account",
        ),
        (
            {"did": ANA, "time_us": 1, "kind": "account", "account": {"active": True}},
            "a notice of an account",
        ),
        (
            {"$type": "message", "payload": {"$type": "#sync", "seq": 1, "did": ANA, "time": "2024-03-05"}},
            "a notice of an account",
        ),
    ],
)
def test_what_is_no_post(record, what):
    assert list(JETSTREAM.rows(record)) == [NoPost(what)]


def test_events_that_are_no_posts_are_counted_and_the_posts_read(tmp_path):
    file = tmp_path / "log"
    like = event({"subject": strong(POST)}, "app.bsky.feed.like")
    file.write_text("\n".join(json.dumps(one) for one in (like, event({"text": "x"}), like)))
    log = read_logs([file])
    assert log.sources[0]["reader"] == "bluesky-jetstream"
    assert log.posts["text"].to_list() == ["x"]
    assert log.rejected["reason"].to_list() == ["no post: app.bsky.feed.like"] * 2


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"payload": 1, "commit": 2},
        event({"text": "x"}) | {"commit": None},
        event(None),
        event({"text": "x"}) | {"did": 5},
        event({"subject": POST}, "app.bsky.feed.repost"),
        event({"text": "x"}, operation="merge"),
        event({"text": "x"}, operation=["create"]),
    ],
)
def test_what_lacks_what_every_event_has_is_said_to_be_of_another_format(record):
    with pytest.raises(NotThisFormatError):
        list(JETSTREAM.rows(record))


@pytest.mark.parametrize("wrong", [None, 7, "text", [], [7, None, "x", {"features": 3}], {"record": 1}, {}])
@pytest.mark.parametrize("key", ["facets", "embed", "reply", "tags", "langs"])
def test_wrong_types_inside_a_post_leave_the_rest_of_it(key, wrong):
    row = of({"text": "x", key: wrong})
    assert (row["text"], row["urls"]) == ("x", [])


def test_wrong_types_of_single_values_inside_a_post():
    odd = [{"features": [{"uri": 3}, {"tag": ["x"]}, {"did": {}}, {"uri": PAGE}]}]
    row = of({"text": "x", "facets": odd, "tags": [{}], "embed": {"external": {"uri": [1]}}})
    assert (row["urls"], row["hashtags"], row["mentions"]) == ([PAGE], [], [])


def test_the_second_wire_format_tells_the_same_post():
    first = event({"text": "x", "embed": external(PAGE)})
    payload = {"did": ANA, "seq": 9, "time": "2024-03-05T10:00:00.123456Z"} | copy.deepcopy(first["commit"])
    (row,) = JETSTREAM.rows({"$type": "message", "payload": payload})
    assert row == of({"text": "x", "embed": external(PAGE)}) | {"timestamp": "2024-03-05T10:00:00.123456Z"}


SEARCHED = READERS["4cat-bluesky"]
LINK = "https://bsky.app/profile/{}/post/{}"


def searched(**cells):
    row = dict.fromkeys(SEARCHED.reads, "") | {
        "id": f"at://{ANA}/app.bsky.feed.post/3kaaa",
        "thread_id": f"at://{ANA}/app.bsky.feed.post/3kaaa",
        "created_at": "2024-03-05T10:00:00+00:00",
        "author": "ana.example",
        "author_id": ANA,
    }
    frame = pl.DataFrame([row | cells], schema=dict.fromkeys(row, pl.String))
    return SEARCHED.canonical(frame).to_dicts()[0]


def test_a_row_of_4cat():
    row = searched(
        body="Dry", languages="de,en", tags="Water,the valley", mentions="ben.example,did:plc:c",
        author_created_at="2023-01-02T08:30:00+00:00",
    )  # fmt: skip
    assert row == {
        "content_id": f"at://{ANA}/app.bsky.feed.post/3kaaa",
        "account_id": ANA,
        "account_name": "ana.example",
        "account_created_at": "2023-01-02T08:30:00+00:00",
        "timestamp": "2024-03-05T10:00:00+00:00",
        "kind": "original",
        "parent_content_id": None,
        "origin_account_id": None,
        "origin_account_name": None,
        "text": "Dry",
        "language": "de",
        "hashtags": ["Water", "the valley"],
        "mentions": ["ben.example", "did:plc:c"],
        "urls": None,
        "images": None,
        "platform": "bluesky",
    }


def test_no_language():
    assert searched(languages="N/A")["language"] is None


@pytest.mark.parametrize(
    ("cells", "kind", "parent", "account", "name"),
    [
        (  # to the start of the thread, whose id is there
            {"replied_to_post": LINK.format("ben.example", "3kbbb"), "thread_id": POST},
            "reply", POST, BEN, "ben.example",
        ),
        (  # to another post of the thread
            {"replied_to_post": LINK.format("ben.example", "3kccc"), "thread_id": POST},
            "reply", "at://ben.example/app.bsky.feed.post/3kccc", None, "ben.example",
        ),
        (  # by the author to the author
            {"replied_to_post": LINK.format("ana.example", "3kccc"), "thread_id": POST},
            "reply", f"at://{ANA}/app.bsky.feed.post/3kccc", ANA, None,
        ),
        (  # whose name could not be found
            {"replied_to_post": LINK.format(CEM, "3kccc"), "thread_id": POST},
            "reply", f"at://{CEM}/app.bsky.feed.post/3kccc", CEM, None,
        ),
        (
            {"quoted_post": LINK.format("ben.example", "3kbbb")},
            "quote", "at://ben.example/app.bsky.feed.post/3kbbb", None, "ben.example",
        ),
        (  # a quote in a reply
            {
                "quoted_post": LINK.format("ana.example", "3kbbb"),
                "replied_to_post": LINK.format("ben.example", "3kbbb"), "thread_id": POST,
            },
            "quote", f"at://{ANA}/app.bsky.feed.post/3kbbb", ANA, None,
        ),
        ({"quoted_post": "DELETED"}, "quote", None, None, None),
    ],
)  # fmt: skip
def test_the_parent_of_a_row_of_4cat(cells, kind, parent, account, name):
    row = searched(**cells)
    assert (row["kind"], row["parent_content_id"]) == (kind, parent)
    assert (row["origin_account_id"], row["origin_account_name"]) == (account, name)


def test_commas_in_links_and_gifs_among_them():
    joined = f"{PAGE}?a=1,2,https://media.tenor.com/x/y.gif?hh=1,http://true-remedies.example/cure,lemon"
    assert searched(links=joined)["urls"] == [f"{PAGE}?a=1,2", "http://true-remedies.example/cure,lemon"]


def test_pictures_of_4cat_by_their_content_without_previews_of_links():
    video, preview = "bafkrei" + "v" * 52, "bafkrei" + "p" * 52
    images = ",".join([
        f"https://cdn.bsky.app/img/feed_thumbnail/plain/{ANA}/{preview}@jpeg",
        f"https://cdn.bsky.app/img/feed_fullsize/plain/{ANA}/{CID}@jpeg",
        f"https://video.bsky.app/watch/did%3Aplc%3Aaaa/{video}/thumbnail.jpg",
    ])  # fmt: skip
    assert searched(images=images)["images"] == [CID, video]


def test_4cat_finds_the_account_of_a_handle_in_the_log(tmp_path):
    file = tmp_path / "log.csv"
    columns = [name for name in SEARCHED.reads if name not in ("images", "mentions")]
    ana = {"id": POST, "thread_id": POST, "author": "ben.example", "author_id": BEN, "body": "first"}
    cem = {
        "id": f"at://{CEM}/app.bsky.feed.post/3kc", "thread_id": f"at://{CEM}/app.bsky.feed.post/3kc",
        "author": "cem.example", "author_id": CEM, "body": "see",
        "quoted_post": LINK.format("ben.example", "3kbbb"),
    }  # fmt: skip
    rows = [dict.fromkeys(columns) | row | {"created_at": "2024-03-05T10:00:00+00:00"} for row in (ana, cem)]
    pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String)).write_csv(file)
    log = read_logs([file])
    assert log.sources[0]["reader"] == "4cat-bluesky"
    quote = log.posts.filter(kind="quote")
    assert quote["origin_account_id"].cast(pl.String).to_list() == [BEN]
