"""Mastodon: statuses as the API gives them, one a line or in a JSON list.

The traps:

- Ids are those of the server that was asked: one post has another `id` on each server. What is the same everywhere
  is `uri` for a post and `url` for an account, so these are taken and logs of several servers join; a post seen
  from two of them counts once.
- The post replied to is only known by its id on the server asked. Its `uri` is made of it where it was posted on
  that server (the account replied to is named without a server, or is the author's own); else that id itself
  is the parent, the same for all replies in a log but not that of any post in it.
- A boost (`reblog`) holds the whole post boosted, and no text of its own.
- `content` is HTML from any server. The shortened form of a link on the screen is not where it leads.
- `card` previews the first link, under an address that may be another one for the same page: it is taken only
  where the text has no link.
- Tags are not listed in the order of writing; the text tells it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from propgraph.readers.base import NotThisFormatError, Reader, Record, Row, at, objects
from propgraph.readers.values.html import text_and_links

# Networks that run Mastodon's software and do not speak with its servers.
_OWN_NETWORKS = {"truthsocial.com": "truthsocial", "gab.com": "gab"}


def _rows(status: Record) -> Iterable[Row]:
    account, uri, reblog = status.get("account"), status.get("uri"), status.get("reblog")
    if not (isinstance(account, dict) and isinstance(account.get("url"), str) and isinstance(uri, str)):
        raise NotThisFormatError("no uri or no account.url")
    shown = reblog if isinstance(reblog, dict) else status
    quote = shown.get("quote")
    quoted = _quoted(quote)
    if shown is reblog:
        kind, parent = "reshare", reblog
    elif quote:
        kind, parent = "quote", quoted
    elif status.get("in_reply_to_id") is not None:
        kind, parent = "reply", _replied_to(status, account, uri)
    else:
        kind, parent = "original", {}
    mentions, tags = objects(shown.get("mentions")), objects(shown.get("tags"))
    content = shown.get("content")
    text, links = text_and_links(content) if isinstance(content, str) else (None, [])
    followers = account.get("followers_count")
    row = {
        "content_id": uri,
        "account_id": account["url"],
        "account_name": _full_name(account),
        "account_created_at": account.get("created_at"),
        "followers": None if followers == -1 else followers,  # hidden
        "timestamp": status.get("created_at"),
        "kind": kind,
        "parent_content_id": parent.get("uri"),
        "parent_timestamp": parent.get("created_at"),
        "origin_account_id": at(parent, "account", "url"),
        "text": text,
        "language": shown.get("language"),
        "urls": _shared(links, quoted, [*mentions, *tags]) or _shared([at(shown, "card", "url")], quoted, []),
        "hashtags": _as_written([tag.get("name") for tag in tags], text),
        "mentions": [_full_name(mention) for mention in mentions],
        "images": [file.get("blurhash") for file in objects(shown.get("media_attachments"))],
        "platform": _OWN_NETWORKS.get(_host(uri), "mastodon"),
    }
    return (row,)


def _quoted(quote: Any) -> Record:
    """Return the quoted status: inside the quote, or (before Mastodon 4.4, on other servers) the quote itself."""
    inner = at(quote, "quoted_status") or quote
    return inner if isinstance(inner, dict) else {}


def _replied_to(status: Record, account: Record, uri: str) -> Record:
    """Return what is known of the post replied to: `uri`, and `account` where it is named."""
    number, owner = str(status["in_reply_to_id"]), status.get("in_reply_to_account_id")
    own = str(status.get("id"))
    if owner is not None and owner == account.get("id"):
        here = uri.endswith(f"/{own}")
        return {"uri": uri.removesuffix(own) + number if here else number, "account": account}
    for mention in objects(status.get("mentions")):
        if owner is not None and mention.get("id") == owner:
            return {"uri": _local_uri(mention, number) or number, "account": mention}
    return {"uri": number}


def _local_uri(account: Record, number: str) -> str | None:
    """Return the `uri` of a post by an account of the server that was asked; such accounts are named without one."""
    name, host = account.get("acct"), _host(account.get("url"))
    return (
        f"https://{host}/users/{name}/statuses/{number}" if name and host and "@" not in str(name) else None
    )


def _full_name(account: Record) -> str | None:
    """Return `name@server`; the server asked leaves itself out."""
    name = account.get("acct")
    if not isinstance(name, str):
        return None
    return name if "@" in name else f"{name}@{_host(account.get('url'))}"


def _host(url: Any) -> str:
    parts = url.split("/", 3) if isinstance(url, str) else ()
    return parts[2] if len(parts) > 2 else ""


def _shared(links: list[Any], quoted: Record, named: list[Record]) -> list[Any]:
    """Return links without those to the quoted post and to whom or what the text names, as some servers write them."""
    known = [quoted.get("uri"), quoted.get("url"), *(other.get("url") for other in named)]
    return [link for link in links if link not in known]


def _as_written(tags: list[Any], text: str | None) -> list[Any]:
    """Return hashtags in the order of the text."""
    if len(tags) < 2 or not text:
        return tags
    words = text.lower()
    places = {tag: words.find(f"#{tag}".lower()) for tag in tags if isinstance(tag, str)}
    return sorted(places, key=lambda tag: (places[tag] < 0, places[tag]))


READERS: tuple[Reader, ...] = (
    Reader(
        name="mastodon",
        title="Mastodon statuses, JSON of the API (uri, account.acct, content, reblog, in_reply_to_id, ...)",
        layouts=(("uri", "created_at", "account.acct", "account.url", "content"),),
        fields={
            "content_id": "uri",
            "account_id": "account.url",
            "account_name": "account.acct, with the server's name where it is left out",
            "account_created_at": "account.created_at",
            "followers": "account.followers_count; none where it is hidden",
            "timestamp": "created_at",
            "kind": "reshare with reblog, quote with quote, reply with in_reply_to_id, else original",
            "parent_content_id": "uri of reblog or quote.quoted_status; of a reply made of in_reply_to_id for "
            "posts of the server asked, else in_reply_to_id",
            "parent_timestamp": "created_at of reblog or quote.quoted_status",
            "origin_account_id": "account.url of reblog or quote.quoted_status; of a reply the author's own or that of "
            "the mention whose id is in_reply_to_account_id",
            "text": "content (the boosted post's of a boost) without its tags",
            "language": "language",
            "urls": "the links in content, without mentions, hashtags and the quoted post; card.url where there are "
            "none",
            "hashtags": "tags[].name, in the order of the text",
            "mentions": "mentions[].acct, with the server's name",
            "images": "media_attachments[].blurhash",
            "platform": "mastodon; truthsocial or gab where uri lies there",
        },
        rows=_rows,
        sample="""\
{"id":"112042000000000001","created_at":"2024-03-05T10:00:00.000Z","in_reply_to_id":null,"in_reply_to_account_id":null,"uri":"https://social.example/users/ana/statuses/112042000000000001","reblogs_count":1,"content":"<p>They shut the water off</p>","reblog":null,"account":{"id":"1","acct":"ana","url":"https://social.example/@ana"},"card":{"url":"https://valley-herald.example/water"},"tags":[],"mentions":[]}
""",  # noqa: E501
        checked="docs.joinmastodon.org, entities Status, Quote and ShallowQuote, and Mastodon's own serializers, text "
        "formatter and link preview. Not verified: the JSON of Truth Social and Gab, quotes of other servers, and "
        "replies to accounts whose uri is made of a number (Mastodon 4.5 and later), which are not found",
    ),
)
