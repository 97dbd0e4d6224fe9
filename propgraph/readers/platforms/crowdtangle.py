"""CrowdTangle: Meta's old research tool (until August 2024), as its CSV downloads and its API's JSON.

Only public pages, groups and Instagram accounts were tracked. Of a post in a group the author is not given:
the account is then the group, which is the target too, so accounts here are outlets and not always persons.

A share of another page's post is not marked. It is told by `Link`, which then leads to a post on Facebook
that is not the account's own; a page that has since changed its user name may so seem to share its own
photos. A share with words of the sharer's own is a quote.

Times of the CSV bear the name of the zone that its user had chosen, summer and winter time mixed (EST,
EDT): they are brought to UTC here. CST and AST are read as American, IST as Indian, BST as British; a name
that is not known rejects the row.
"""

import re
from collections.abc import Iterator
from typing import Any

import polars as pl

from propgraph.readers.base import (
    NotThisFormatError,
    Reader,
    Record,
    Row,
    at,
    filled,
    is_yes,
    made_id,
    made_ids,
    objects,
)

_ZONES = {
    "UTC": "+00:00", "GMT": "+00:00", "Z": "+00:00", "WET": "+00:00", "WEST": "+01:00", "BST": "+01:00",
    "CET": "+01:00", "CEST": "+02:00", "MET": "+01:00", "MEST": "+02:00", "EET": "+02:00", "EEST": "+03:00",
    "CAT": "+02:00", "SAST": "+02:00", "WAT": "+01:00", "EAT": "+03:00", "MSK": "+03:00", "TRT": "+03:00",
    "IDT": "+03:00", "GST": "+04:00", "PKT": "+05:00", "IST": "+05:30", "NPT": "+05:45", "ICT": "+07:00",
    "WIB": "+07:00", "HKT": "+08:00", "SGT": "+08:00", "PHT": "+08:00", "MYT": "+08:00", "AWST": "+08:00",
    "JST": "+09:00", "KST": "+09:00", "ACST": "+09:30", "ACDT": "+10:30", "AEST": "+10:00", "AEDT": "+11:00",
    "NZST": "+12:00", "NZDT": "+13:00", "NST": "-03:30", "NDT": "-02:30", "AST": "-04:00", "ADT": "-03:00",
    "EST": "-05:00", "EDT": "-04:00", "CST": "-06:00", "CDT": "-05:00", "MST": "-07:00", "MDT": "-06:00",
    "PST": "-08:00", "PDT": "-07:00", "AKST": "-09:00", "AKDT": "-08:00", "HST": "-10:00", "BRT": "-03:00",
    "BRST": "-02:00", "ART": "-03:00", "CLT": "-04:00", "CLST": "-03:00", "COT": "-05:00", "PET": "-05:00",
}  # fmt: skip
_ZONE = r"\d\s+([A-Za-z]{1,4})$"

# The last part of a post's address, or what stands for it where the address is a query.
_ID_IN_QUERY = r"[?&](?:story_fbid|fbid|v)=(\w+)"
_ID_IN_PATH = r"/(?:posts|permalink|videos|photos|p|reel|reels|tv)/(?:[^/?#]+/)*([\w.-]+)/*(?:[?#]|$)"
# Whose post, photo or video a link on Facebook leads to: a user name or id; a group's for a post in it.
_OWNER_IN_PATH = (
    r"(?i)^https?://(?:[\w-]+\.)*facebook\.com/(?:groups/)?([^/?#]+)/(?:posts|permalink|videos|photos)/"
)
_OWNER_IN_QUERY = r"(?i)^https?://(?:[\w-]+\.)*facebook\.com/(?:permalink|story)\.php\?(?:[^#]*&)?id=(\d+)"
# Facebook's redirects (l.facebook.com) lead outside and are links like others.
_FACEBOOK = (
    r"(?i)^https?://(?:(?:www|web|m|mobile|[a-z]{2}-[a-z]{2})\.)?(?:facebook\.com|fb\.watch)(?:[/?#]|$)"
)
# No post's address is longer; on a hostile one of megabytes a search would take hours.
_LONGEST = 4096
_INSTAGRAM = r"(?i)^https?://(?:www\.)?instagram\.com(?:[/?#]|$)"
_IN_GROUP = r"(?i)^https?://(?:[\w-]+\.)*facebook\.com/groups/"


def _known(name: str) -> pl.Expr:
    """Return a post's words, null where CrowdTangle (N/A) or R (NA) write that there are none."""
    text = filled(name)
    return pl.when(~text.is_in(["N/A", "NA"])).then(text)


def _with_offset(name: str) -> pl.Expr:
    text = filled(name)
    offset = (
        text.str.extract(_ZONE)
        .str.to_uppercase()
        .replace_strict(_ZONES, default=None, return_dtype=pl.String)
    )
    plain = text.str.replace(r"\s+[A-Za-z]+$", "")
    return pl.when(offset.is_not_null()).then(pl.concat_str(plain, offset)).otherwise(text)


def _count(name: str) -> pl.Expr:
    return filled(name).str.replace_all(",", "", literal=True).cast(pl.Float64, strict=False)


def _id_in(url: pl.Expr) -> pl.Expr:
    return pl.coalesce(url.str.extract(_ID_IN_QUERY), url.str.extract(_ID_IN_PATH))


def _posts(frame: pl.DataFrame) -> pl.DataFrame:
    frame = _with_parts(frame)
    shared, owner, account = pl.col("_shared"), pl.col("_owner"), pl.col("_account")
    by_id = owner.str.contains(r"^\d+$")
    message = _known("Message")
    when = pl.concat_str(filled("Post Created Date"), pl.lit(" "), filled("Post Created Time"))
    return frame.select(
        content_id=pl.coalesce("_id", made_ids(account, filled("Post Created"), filled("Created"), message)),
        account_id=account,
        account_name=pl.coalesce(filled(name) for name in ("User Name", *_NAMES)),
        timestamp=pl.coalesce(_with_offset("Post Created"), _with_offset("Created"), when),
        kind=pl.when(shared & message.is_not_null()).then(pl.lit("quote"))
        .when(shared).then(pl.lit("reshare")).otherwise(pl.lit("original")),
        parent_content_id=pl.when(shared).then(_id_in(filled("Link"))),
        origin_account_id=pl.when(shared & by_id).then(owner),
        origin_account_name=pl.when(shared & ~by_id).then(owner),
        target_id=pl.when(filled("Group Name").is_not_null() | filled("URL").str.contains(_IN_GROUP)).then(account),
        url=pl.coalesce(_outside("Final Link"), _outside("Link")),
        text=pl.coalesce(message, pl.when(shared | pl.col("_on_instagram")).then(_known("Description"))),
        platform=pl.when("_on_instagram").then(pl.lit("instagram")).otherwise(pl.lit("facebook")),
        sponsor=pl.coalesce(filled("Sponsor Name"), filled("Sponsor Id")),
        account_created_at=_with_offset("Page Created"),
        followers=pl.coalesce(_count("Followers at Posting"), _count("Likes at Posting")),
    )  # fmt: skip


def _with_parts(frame: pl.DataFrame) -> pl.DataFrame:
    """Add what several fields are made of: the account, and whose post `Link` leads to."""
    link = filled("Link")
    frame = frame.with_columns(
        _id=_id_in(filled("URL")),
        _account=pl.coalesce(filled(name) for name in ("Facebook Id", "User Name", *_NAMES)),
        _owner=pl.coalesce(link.str.extract(_OWNER_IN_PATH), link.str.extract(_OWNER_IN_QUERY)),
        _on_instagram=filled("URL").str.contains(_INSTAGRAM).fill_null(False),
    )
    owner = pl.col("_owner")
    own = (owner == pl.col("_account")) | (owner.str.to_lowercase() == filled("User Name").str.to_lowercase())
    shared = owner.is_not_null() & ~own.fill_null(False) & ~is_yes("Is Video Owner?")
    return frame.with_columns(_shared=shared)


def _outside(name: str) -> pl.Expr:
    """Return a link unless it leads to the platform's own posts and media."""
    link = filled(name)
    own = link.str.contains(_FACEBOOK) | (pl.col("_on_instagram") & link.str.contains(_INSTAGRAM))
    return pl.when(~own).then(link)


def _api_rows(record: Record) -> Iterator[Row]:
    page = record.get("posts", at(record, "result", "posts"))
    if page is not None:
        for post in objects(page):
            yield _api_row(post)
    elif "account" in record and "date" in record:
        yield _api_row(record)
    else:
        raise NotThisFormatError("a post has account and date, a page of them result.posts")


def _api_row(post: Record) -> Row:
    account = post.get("account")
    handle, id_ = at(account, "handle"), at(account, "platformId") or at(account, "handle")
    platform, url, message = _text(post, "platform").lower(), _text(post, "postUrl"), _text(post, "message")
    owner = _owner(_text(post, "link"))
    shared = bool(owner) and owner.lower() not in (str(id_).lower(), str(handle).lower())
    sponsor = post.get("brandedContentSponsor")
    text = message or (_text(post, "description") if shared or platform == "instagram" else None)
    return {
        "content_id": _id_of(url)
        or post.get("platformId")
        or made_id(str(id_), str(post.get("date")), message),
        "account_id": id_,
        "account_name": handle or at(account, "name"),
        "timestamp": post.get("date"),
        "kind": "original" if not shared else "quote" if message else "reshare",
        "parent_content_id": _id_of(_text(post, "link")) if shared else None,
        "origin_account_id": owner if shared and owner.isdigit() else None,
        "origin_account_name": owner if shared and not owner.isdigit() else None,
        "target_id": id_ if re.match(_IN_GROUP, url) else None,
        "urls": _api_links(post, platform),
        "text": text,
        "language": post.get("languageCode"),
        "platform": {"twitter": "x"}.get(platform, platform) or None,
        "sponsor": at(sponsor, "name") or at(sponsor, "platformId"),
        "account_created_at": at(account, "pageCreatedDate"),
        "followers": post.get("subscriberCount") or at(account, "subscriberCount"),
    }


def _text(post: Record, key: str) -> str:
    value = post.get(key)
    return value if isinstance(value, str) else ""


def _owner(link: str) -> str:
    found = re.match(_OWNER_IN_PATH, link) or re.match(_OWNER_IN_QUERY, link)
    return found[1] if found else ""


def _id_of(url: str) -> str | None:
    if len(url) > _LONGEST:
        return None
    found = re.search(_ID_IN_QUERY, url) or re.search(_ID_IN_PATH, url)
    return found[1] if found else None


def _api_links(post: Record, platform: str) -> list[str]:
    """Return where the post's links lead; once a map of short to long ones, later a list of pairs."""
    links: Any = post.get("expandedLinks")
    found = (
        list(links.values()) if isinstance(links, dict) else [pair.get("expanded") for pair in objects(links)]
    )
    own = {"facebook": _FACEBOOK, "instagram": _INSTAGRAM}.get(platform, "$^")
    outside = [
        link for link in found or [post.get("link")] if isinstance(link, str) and not re.match(own, link)
    ]
    return list(dict.fromkeys(outside))


_NAMES = ("Page Name", "Group Name", "Account")
_USES = (
    "Post Created Date", "Post Created Time", "Page Created", "Followers at Posting", "Likes at Posting",
    "Message", "Description", "Link", "Final Link", "Is Video Owner?", "Sponsor Id", "Sponsor Name",
)  # fmt: skip

READERS: tuple[Reader, ...] = (
    Reader(
        name="crowdtangle",
        title="CrowdTangle's CSV of Facebook pages, groups or Instagram accounts (Page Name, Post Created, ...)",
        layouts=(
            ("Page Name", "User Name", "Facebook Id", "Post Created", "URL"),
            ("Group Name", "User Name", "Facebook Id", "Post Created", "URL"),
            ("User Name", "Facebook Id", "Created", "URL"),
            ("Account", "User Name", "Post Created", "URL"),
            ("Account", "User Name", "Created", "URL"),
        ),
        uses=_USES,
        fields={
            "content_id": "the last part of URL, else made of account, time and Message",
            "account_id": "Facebook Id of the page or group, else User Name or Page Name, Group Name, Account",
            "account_name": "User Name, else Page Name, Group Name or Account",
            "timestamp": "Post Created (or Created), its zone's name brought to UTC",
            "kind": "where Link leads to another account's post on Facebook: quote with a Message, else reshare; "
            "else original",
            "parent_content_id": "the post, photo or video in Link of a reshare or quote",
            "origin_account_id": "whose it is, where Link gives an id",
            "origin_account_name": "whose it is, where Link gives a user name",
            "target_id": "the group, of a post in a group",
            "url": "Final Link, else Link, unless it leads to Facebook or Instagram itself",
            "text": "Message; Description of a reshare without one and on Instagram",
            "platform": "instagram or facebook, by URL",
            "sponsor": "Sponsor Name, else Sponsor Id",
            "account_created_at": "Page Created",
            "followers": "Followers at Posting, else Likes at Posting",
        },
        posts=_posts,
        texts=("Message", "Description"),
        sample="""Page Name,User Name,Facebook Id,Followers at Posting,Post Created,Type,URL,Message,Link,Final Link
Ana's News,ana.news,1001,"1,200",2024-03-05 05:00:00 EST,Link,https://www.facebook.com/1001/posts/501,Look,\
https://bit.ly/x1,https://valley-herald.example/water
Cem Talks,cem.talks,1003,"3,400",2024-03-05 05:01:00 EST,Link,https://www.facebook.com/1003/posts/503,,\
https://www.facebook.com/ana.news/posts/501,
""",
        checked="4CAT's importer of CrowdTangle exports (all headers, the zone's name behind Post Created, the old "
        "header Created, what Link is of a shared post) and public code that lists the header of historical "
        "reports; Group Name stands in for Page Name there. Not verified on an export: that the Description "
        "of a share is the shared post's text, which zone names occur",
    ),
    Reader(
        name="crowdtangle-api",
        title="CrowdTangle's API: posts as JSON, one a line or in pages (platformId, date, account, ...)",
        layouts=tuple(
            tuple(f"{place}{key}" for key in ("platformId", "date", "postUrl", "account.platform"))
            for place in ("", "posts[].", "result.posts[].")
        ),
        lists=("result.posts",),
        fields={
            "content_id": "the last part of postUrl, else platformId",
            "account_id": "account.platformId of the page or group, else account.handle",
            "account_name": "account.handle, else account.name",
            "timestamp": "date (UTC)",
            "kind": "where link leads to another account's post on Facebook: quote with a message, else reshare; "
            "else original",
            "parent_content_id": "the post, photo or video in link of a reshare or quote",
            "origin_account_id": "whose it is, where link gives an id",
            "origin_account_name": "whose it is, where link gives a user name",
            "target_id": "the group, of a post in a group (by postUrl)",
            "urls": "expandedLinks[].expanded, else link, unless they lead to the platform itself",
            "text": "message; description of a reshare without one and on Instagram",
            "language": "languageCode",
            "platform": "platform",
            "sponsor": "brandedContentSponsor.name, else its platformId",
            "account_created_at": "account.pageCreatedDate",
            "followers": "subscriberCount, else account.subscriberCount",
        },
        rows=_api_rows,
        sample='{"platformId": "1001_501", "platform": "Facebook", "date": "2024-03-05 10:00:00", "message": "Look", '
        '"link": "https://bit.ly/x1", "expandedLinks": [{"original": "https://bit.ly/x1", "expanded": '
        '"https://valley-herald.example/water"}], "postUrl": "https://www.facebook.com/1001/posts/501", '
        '"subscriberCount": 1200, "account": {"id": 9, "name": "Ana\'s News", "handle": "ana.news", '
        '"platform": "Facebook", "platformId": "1001"}}\n',
        checked="CrowdTangle/API's wiki (Post: date in UTC, expandedLinks as a map) and public code on its answers "
        "(account.pageCreatedDate, brandedContentSponsor, expandedLinks as a list of original and expanded, "
        "languageCode). Not verified on an answer: what link and description of a share are",
    ),
)
