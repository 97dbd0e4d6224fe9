"""Mastodon: what statuses become, seen from one server and from another."""

from __future__ import annotations

import json

import polars as pl
import pytest

from propgraph.readers.base import NotThisFormatError
from propgraph.readers.read import read_logs
from propgraph.readers.registry import READERS

MASTODON = READERS["mastodon"]
PAGE = "https://valley-herald.example/water"
ANA = {
    "id": "1",
    "acct": "ana",
    "url": "https://social.example/@ana",
    "created_at": "2023-01-02T00:00:00.000Z",
}
CEM = {"id": "3", "acct": "cem@far.example", "url": "https://far.example/@cem"}


def status(number="100", account=ANA, **keys):
    host, name = account["url"].removeprefix("https://").split("/@")
    return {
        "id": number, "uri": f"https://{host}/users/{name}/statuses/{number}",
        "url": f"https://{host}/@{name}/{number}", "created_at": "2024-03-05T10:00:00.000Z", "account": account,
        "content": "<p>Dry</p>", "reblog": None, "in_reply_to_id": None, "in_reply_to_account_id": None,
        "language": "en", "tags": [], "mentions": [], "media_attachments": [], "card": None,
    } | keys  # fmt: skip


def of(record):
    (row,) = MASTODON.rows(record)
    return row


def anchor(url):
    return f'<a href="{url}" rel="nofollow">{url}</a>'


def test_a_status():
    row = of(
        status(
            content=f"<p>Dry #Water {anchor(PAGE)}</p>",
            account=ANA | {"followers_count": 12},
            tags=[{"name": "Water", "url": "https://social.example/tags/water"}],
            mentions=[{"id": "3"} | CEM, {"id": "1", "acct": "ana", "url": ANA["url"]}],
            media_attachments=[
                {"type": "image", "blurhash": "UBL_:rOpGG-o"},
                {"type": "audio", "blurhash": None},
            ],
        )
    )
    assert row == {
        "content_id": "https://social.example/users/ana/statuses/100",
        "account_id": "https://social.example/@ana",
        "account_name": "ana@social.example",
        "account_created_at": "2023-01-02T00:00:00.000Z",
        "followers": 12,
        "timestamp": "2024-03-05T10:00:00.000Z",
        "kind": "original",
        "parent_content_id": None,
        "parent_timestamp": None,
        "origin_account_id": None,
        "text": f"Dry #Water {PAGE}",
        "language": "en",
        "urls": [PAGE],
        "hashtags": ["Water"],
        "mentions": ["cem@far.example", "ana@social.example"],
        "images": ["UBL_:rOpGG-o", None],
        "platform": "mastodon",
    }


def test_hidden_followers_are_not_known():
    assert of(status(account=ANA | {"followers_count": -1}))["followers"] is None


def test_a_boost_has_the_text_and_links_of_the_post_boosted():
    boosted = status("77", CEM, content=f"<p>Cure {anchor(PAGE)}</p>", created_at="2024-03-04T09:00:00.000Z")
    row = of(status(reblog=boosted, content="<p>other</p>", language=None))
    assert row["kind"] == "reshare"
    assert row["parent_content_id"] == "https://far.example/users/cem/statuses/77"
    assert row["parent_timestamp"] == "2024-03-04T09:00:00.000Z"
    assert row["origin_account_id"] == "https://far.example/@cem"
    assert (row["text"], row["urls"], row["language"]) == (f"Cure {PAGE}", [PAGE], "en")
    assert (row["account_id"], row["timestamp"]) == (
        "https://social.example/@ana",
        "2024-03-05T10:00:00.000Z",
    )


@pytest.mark.parametrize("wrapped", [True, False], ids=["mastodon", "other servers"])
def test_a_quote_and_the_address_of_the_post_quoted(wrapped):
    quoted = status("77", CEM)
    content = f"<p>RE: {anchor(quoted['url'])}</p><p>Look {anchor(PAGE)}</p>"
    quote = {"state": "accepted", "quoted_status": quoted} if wrapped else quoted
    row = of(status(quote=quote, content=content, in_reply_to_id="5"))
    assert (row["kind"], row["parent_content_id"]) == ("quote", "https://far.example/users/cem/statuses/77")
    assert (row["origin_account_id"], row["urls"]) == ("https://far.example/@cem", [PAGE])


def test_a_quote_of_what_must_not_be_seen():
    row = of(status(quote={"state": "revoked", "quoted_status": None}))
    assert (row["kind"], row["parent_content_id"], row["origin_account_id"]) == ("quote", None, None)


@pytest.mark.parametrize(
    ("author", "replied", "mentions", "parent", "origin"),
    [
        # a thread of an account of the server asked
        (ANA, "1", [], "https://social.example/users/ana/statuses/90", ANA["url"]),
        # a thread of an account of another server, where its posts have other numbers
        (CEM, "3", [], "90", CEM["url"]),
        # to an account of the server asked
        (CEM, "1", [ANA], "https://social.example/users/ana/statuses/90", ANA["url"]),
        # to an account of another server
        (ANA, "3", [CEM], "90", CEM["url"]),
        # to someone not named
        (ANA, "8", [CEM], "90", None),
        (ANA, None, [CEM], "90", None),
    ],
)
def test_the_post_replied_to(author, replied, mentions, parent, origin):
    record = status(account=author, in_reply_to_id="90", in_reply_to_account_id=replied, mentions=mentions)
    if author is CEM:
        record["uri"] = "https://far.example/users/cem/statuses/4711"
    row = of(record)
    assert (row["kind"], row["parent_content_id"], row["origin_account_id"]) == ("reply", parent, origin)


def test_ids_as_numbers():
    row = of(
        status(100, ANA | {"id": 1}, in_reply_to_id=90, in_reply_to_account_id=1)
        | {"uri": "https://social.example/users/ana/statuses/100"}
    )
    assert row["parent_content_id"] == "https://social.example/users/ana/statuses/90"


def test_the_card_counts_where_the_text_has_no_link():
    card = {"url": "https://www.valley-herald.example/full/water", "type": "link"}
    assert of(status(card=card))["urls"] == [card["url"]]
    assert of(status(card=card, content=anchor(PAGE)))["urls"] == [PAGE]


def test_links_to_whom_and_what_the_text_names_are_not_shared_without_their_class_too():
    tag = {"name": "water", "url": "https://social.example/tags/water"}
    content = anchor(CEM["url"]) + anchor(tag["url"])
    record = status(content=content, mentions=[CEM], tags=[tag])
    assert of(record)["urls"] == []
    assert of(record | {"card": {"url": PAGE}})["urls"] == [PAGE]


def test_hashtags_in_the_order_of_the_text():
    tags = [{"name": name} for name in ("hidden", "river", "stolen", "Vote")]
    row = of(status(content="<p>#vote #river <b>#stolen</b></p>", tags=tags))
    assert row["hashtags"] == ["Vote", "river", "stolen", "hidden"]


@pytest.mark.parametrize(
    ("uri", "platform"),
    [
        ("https://truthsocial.com/users/ana/statuses/1", "truthsocial"),
        ("https://gab.com/ana/posts/1", "gab"),
        ("tag:old.example,2017:objectId=1", "mastodon"),
    ],
)
def test_the_platform_of_networks_that_run_its_software(uri, platform):
    assert of(status(uri=uri))["platform"] == platform


@pytest.mark.parametrize(
    "record",
    [{}, status(uri=None), status() | {"account": None}, status() | {"account": {"acct": "ana", "url": 5}}],
)
def test_what_lacks_its_uri_or_account_is_said_to_be_of_another_format(record):
    with pytest.raises(NotThisFormatError):
        list(MASTODON.rows(record))


@pytest.mark.parametrize("wrong", [7, "text", [], [7, None], {}, {"url": 7, "uri": 8}, True])
@pytest.mark.parametrize(
    "key",
    ["tags", "mentions", "media_attachments", "card", "content", "quote", "reblog", "in_reply_to_account_id"],
)
def test_wrong_types_inside_a_status_leave_the_rest_of_it(key, wrong):
    row = of(status(in_reply_to_id="4") | {key: wrong})
    assert row["content_id"] == "https://social.example/users/ana/statuses/100"


@pytest.mark.parametrize("name", [None, 5, ["x"], {}])
def test_wrong_types_of_names(name):
    record = status(tags=[{"name": name}, {"name": "dry"}], mentions=[{"acct": name, "url": name}])
    record["account"] = ANA | {"acct": name}
    assert of(record)["account_name"] is None


def write(file, *records, as_list=False):
    lines = [json.dumps(record) for record in records]
    file.write_text("[\n" + ",\n".join(lines) + "\n]" if as_list else "\n".join(lines))
    return file


def test_logs_of_two_servers_join(tmp_path):
    here = status("100", ANA)
    there = here | {"id": "555", "account": ANA | {"id": "9", "acct": "ana@social.example"}}
    boost = status("600", CEM | {"acct": "cem", "id": "2"}, reblog=there)
    log = read_logs([write(tmp_path / "a", here), write(tmp_path / "b", there, boost)])
    assert [source["reader"] for source in log.sources] == ["mastodon"] * 2
    posts = log.posts.with_columns(pl.col("account_id").cast(pl.String))
    assert sorted(posts.select("content_id", "account_id", "parent_content_id").rows(), key=str) == [
        ("https://far.example/users/cem/statuses/600", "https://far.example/@cem", here["uri"]),
        ("https://social.example/users/ana/statuses/100", "https://social.example/@ana", None),
    ]
    assert log.rejected["reason"].str.starts_with("duplicate").to_list() == [True]
    assert set(log.profiles["name"]) == {"ana@social.example", "cem@far.example"}


def test_a_list_of_statuses_and_one_broken_among_them(tmp_path):
    broken = status("101") | {"uri": {"not": "text"}}
    log = read_logs([write(tmp_path / "log.json", status("100"), broken, status("102"), as_list=True)])
    assert log.posts["content_id"].str.tail(3).to_list() == ["100", "102"]
    assert log.rejected["reason"].to_list() == ["not of mastodon: no uri or no account.url"]
