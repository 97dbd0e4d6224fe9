"""Pages of platforms: the addresses that lead to one post or account, the one that is kept, and what it names.

Where the id alone decides (on X `/anything/status/ID` is the same post), the name before it is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import NamedTuple

import polars as pl

ANY = ""
"""The site of pages that look the same on many sites."""


class Page(NamedTuple):
    """One kind of page on a platform.

    Attributes
    ----------
    site
        Its site; `ANY` for pages of software that runs on many.
    tail
        Regular expression for all that follows the host, without look-around. What its groups hold is replaced
        where names are to be hidden: `post` and `parent` (ids of posts), `account` (the id of one), `name` (the name
        of one), `target` (the id of a group). In an address of the kept form nothing else may be free text.
    form
        The address that is kept, with `${group}` for what a group holds; empty: it stays as it is.
    host
        Regular expression for the host; empty: the site's name, or any host.
    ids
        How logs write what a group holds, with `{group}` for groups and `{known}` for the id of the account `name`,
        the likeliest first; of other groups as the address does.
    folds
        It is the same in upper and lower case.
    is_short
        It leads elsewhere, nobody knows where.
    is_public
        It is a work like a story in a newspaper: hidden only where it is a post of the log.
    """

    site: str
    tail: str
    form: str = ""
    host: str = ""
    ids: Mapping[str, tuple[str, ...]] = {}
    folds: bool = False
    is_short: bool = False
    is_public: bool = False

    @property
    def pattern(self) -> str:
        """Regular expression for the whole address."""
        host = self.host or (re.escape(self.site) if self.site else r"(?P<host>[^/?#:]+)")
        return f"^https://{host}(?:{self.tail})$"


_REST = r"(?:[/?#].*)?"
_QUERY = r"\?(?:[^#]*?&)?"  # parameters before the one that counts
_SHOWN = r"(?:\?(?:hl|lang|locale|_rdr)(?:=[A-Za-z_-]*)?)?"  # the language that it is shown in
_X_NAME = r"(?P<name>[A-Za-z0-9_]{1,20})"
_T_NAME = r"(?P<name>[A-Za-z][A-Za-z0-9_]{3,31})"
_T_PARAM = r"(?:single|embed|mode|userpic|dark|before|after|t)(?:=[^&#]*)?"
_T_VIEW = rf"(?:\?{_T_PARAM}(?:&{_T_PARAM})*)?"
_T_IDS = {
    "post": (
        "{known}/{post}", "{name}/{post}", "{name}-{post}", "{known}-{post}", "{name}:{post}", "{known}:{post}",
    ),
}  # fmt: skip
_T_PRIVATE = {
    "post": ("channel{account}/{post}", "{account}-{post}", "-100{account}-{post}", "{account}/{post}"),
    "account": ("channel{account}", "-100{account}", "{account}"),
}  # fmt: skip
_DOTTED = r"(?P<name>[A-Za-z0-9._]{1,30})"
_WORD = r"[A-Za-z0-9_-]"
_REDDIT = r"(?:/(?:r|u|user)/[^/?#]+)?/comments"
_TAB = "(?:featured|videos|shorts|streams|live|playlists|community|about)"
_VIDEO = "https://youtube.com/watch?v=${post}"
_VIDEO_ID = rf"(?P<post>{_WORD}{{6,}})"
_STATUS = {"post": ("https://{host}/users/{name}/statuses/{post}", "{post}")}
_AT_HOST = {"name": ("{name}@{host}", "{name}")}
_AT_URI = "app.bsky.feed.post/{post}"

PAGES = (
    # X, and the front ends that show its pages.
    Page(
        "twitter.com",
        rf"(?:#!)?/(?:[^/?#]+/|i/web/)?status(?:es)?/(?P<post>\d+){_REST}",
        "https://twitter.com/i/status/${post}",
    ),
    Page("twitter.com", rf"(?:#!)?/@?{_X_NAME}{_SHOWN}", "https://twitter.com/${name}", folds=True),
    Page(
        "twitter.com",
        rf"/intent/(?:user|follow){_QUERY}screen_name={_X_NAME}(?:[&#].*)?",
        "https://twitter.com/${name}",
        folds=True,
    ),
    Page("twitter.com", rf"/{_X_NAME}/(?:with_replies|media|likes|followers|following|highlights)"),
    Page("twitter.com", r"/i/user/(?P<account>\d+)"),
    # Telegram.
    Page("t.me", rf"/(?:s/)?{_T_NAME}/(?P<post>\d+){_T_VIEW}", "https://t.me/${name}/${post}", ids=_T_IDS, folds=True),
    Page("t.me", rf"/(?:s/)?{_T_NAME}(?:\?(?:before|after)=\d*)?", "https://t.me/${name}", folds=True),
    Page("t.me", rf"/c/(?P<account>\d+)/(?P<post>\d+){_T_VIEW}", "https://t.me/c/${account}/${post}", ids=_T_PRIVATE),
    Page("t.me", rf"/(?P<post>\d+){_T_VIEW}", "https://t.me/${name}/${post}", rf"{_T_NAME}\.t\.me", ids=_T_IDS),
    Page("t.me", r"", "https://t.me/${name}", rf"{_T_NAME}\.t\.me"),
    # Reddit.
    Page(
        "reddit.com",
        rf"{_REDDIT}/(?P<parent>[a-z0-9]+)/[^/?#]+/(?P<post>[a-z0-9]+){_REST}",
        "https://reddit.com/comments/${parent}/comment/${post}",
        ids={"post": ("t1_{post}",), "parent": ("t3_{parent}",)},
    ),
    Page(
        "reddit.com",
        rf"(?:{_REDDIT}|/gallery|/tb)/(?P<post>[a-z0-9]+)(?:/[^/?#]*)?(?:[?#].*)?",
        "https://reddit.com/comments/${post}",
        ids={"post": ("t3_{post}",)},
    ),
    Page(
        "redd.it",
        r"/(?P<post>[a-z0-9]{4,10})(?:[?#].*)?",
        "https://reddit.com/comments/${post}",
        ids={"post": ("t3_{post}",)},
    ),
    Page("reddit.com", r"/r/[^/?#]+/s/[^/?#]+(?:[?#].*)?", is_short=True),
    Page("reddit.com", r"/r/(?P<target>[A-Za-z0-9_]+)", "https://reddit.com/r/${target}", folds=True),
    Page("reddit.com", rf"/(?:u|user)/(?P<name>{_WORD}+)", "https://reddit.com/user/${name}", folds=True),
    # YouTube.
    Page("youtube.com", r"/embed/(?:videoseries|live_stream)(?:[?#].*)?"),
    Page("youtube.com", rf"/watch{_QUERY}v={_VIDEO_ID}(?:[?&#].*)?", _VIDEO, is_public=True),
    Page("youtube.com", rf"/(?:shorts|embed|live|v|e)/{_VIDEO_ID}(?:[?#].*)?", _VIDEO),
    Page(
        "youtube.com",
        rf"/attribution_link{_QUERY}u=(?:/|%2F)watch(?:\?|%3F)v(?:=|%3D){_VIDEO_ID}(?:[%&#].*)?",
        _VIDEO,
    ),
    Page("youtu.be", rf"/{_VIDEO_ID}(?:[?#].*)?", _VIDEO),
    Page("youtube.com", rf"/channel/(?P<account>{_WORD}+)(?:/{_TAB})?"),
    Page("youtube.com", rf"/(?:@|c/|user/)(?P<name>[^/?#@]+)(?:/{_TAB})?"),
    # Bluesky; an account is a DID or, by name, a domain.
    Page(
        "bsky.app",
        rf"/profile/(?P<account>did:[a-z]+:[A-Za-z0-9._:-]+)/post/(?P<post>{_WORD}+){_REST}",
        "https://bsky.app/profile/${account}/post/${post}",
        ids={"post": ("at://{account}/" + _AT_URI,)},
    ),
    Page("bsky.app", r"/profile/(?P<account>did:[a-z]+:[A-Za-z0-9._:-]+)"),
    Page(
        "bsky.app",
        rf"/profile/(?P<name>[A-Za-z0-9.-]+)/post/(?P<post>{_WORD}+){_REST}",
        "https://bsky.app/profile/${name}/post/${post}",
        ids={"post": ("at://{known}/" + _AT_URI, "at://{name}/" + _AT_URI)},
        folds=True,
    ),
    Page("bsky.app", r"/profile/(?P<name>[A-Za-z0-9.-]+)", "https://bsky.app/profile/${name}", folds=True),
    Page("bsky.social", r"", "https://bsky.app/profile/${name}", r"(?P<name>[a-z0-9-]+\.bsky\.social)"),
    # Facebook. A comment is another's than the post's.
    Page("facebook.com", r".*[?&](?:reply_)?comment_id=.*"),
    Page(
        "facebook.com",
        rf"/(?:story|permalink)\.php{_QUERY}id=(?P<account>\d+)&(?:[^#]*&)?story_fbid=(?P<post>\w+)(?:[&#].*)?",
        "https://facebook.com/${account}/posts/${post}",
    ),
    Page(
        "facebook.com",
        rf"/(?P<account>\d+)/posts/(?:[^/?#]+/)?(?P<post>\d+|pfbid\w+){_REST}",
        "https://facebook.com/${account}/posts/${post}",
        ids={"post": ("{post}", "{account}_{post}")},
    ),
    Page(
        "facebook.com",
        rf"/(?P<name>[A-Za-z0-9.-]+)/posts/(?:[^/?#]+/)?(?P<post>\d+|pfbid\w+){_REST}",
        "https://facebook.com/${name}/posts/${post}",
        ids={"post": ("{post}", "{known}_{post}")},
    ),
    Page(
        "facebook.com",
        rf"/groups/(?P<target>[^/?#]+)(?:/(?:permalink|posts)/|{_QUERY}multi_permalinks=)(?P<post>\d+)(?:[/?&#].*)?",
        "https://facebook.com/groups/${target}/posts/${post}",
    ),
    Page("facebook.com", r"/groups/(?P<target>[^/?#]+)"),
    Page(
        "facebook.com",
        rf"(?:/[^/?#]+/videos/(?:[^/?#]+/)*|/(?:watch(?:/live)?|video\.php){_QUERY}v=)(?P<post>\d+)(?:[/?&#].*)?",
        "https://facebook.com/watch?v=${post}",
    ),
    Page(
        "facebook.com",
        rf"(?:/[^/?#]+/photos/(?:[^/?#]+/)*|/photo(?:\.php)?{_QUERY}fbid=)(?P<post>\d+)(?:[/?&#].*)?",
        "https://facebook.com/photo?fbid=${post}",
    ),
    Page("facebook.com", rf"/reel/(?P<post>\d+){_REST}", "https://facebook.com/reel/${post}"),
    Page("facebook.com", r"/share/.*", is_short=True),
    Page("facebook.com", r"/(?P<account>\d+)_(?P<post>\d+)", "https://facebook.com/${account}/posts/${post}"),
    Page("facebook.com", rf"/profile\.php{_QUERY}id=(?P<account>\d+)(?:[&#].*)?", "https://facebook.com/${account}"),
    Page("facebook.com", r"/people/[^/?#]+/(?P<account>\d+)(?:[?#].*)?", "https://facebook.com/${account}"),
    Page("facebook.com", r"/(?P<account>\d+)"),
    Page("facebook.com", rf"/(?P<name>[A-Za-z0-9.]{{2,}}){_SHOWN}", "https://facebook.com/${name}", folds=True),
    # Instagram, Threads, TikTok.
    Page(
        "instagram.com",
        rf"(?:/[A-Za-z0-9._]+)?/(?:p|reels?|tv)/(?P<post>{_WORD}{{6,}}){_REST}",
        "https://instagram.com/p/${post}",
    ),
    Page(
        "instagram.com",
        rf"/stories/{_DOTTED}/(?P<post>\d+){_REST}",
        "https://instagram.com/stories/${name}/${post}",
        folds=True,
    ),
    Page("instagram.com", rf"/{_DOTTED}{_SHOWN}", "https://instagram.com/${name}", folds=True),
    Page("threads.net", rf"/(?:@[^/?#]+/post|t)/(?P<post>{_WORD}+){_REST}", "https://threads.net/t/${post}"),
    Page("threads.net", rf"/@{_DOTTED}{_SHOWN}", "https://threads.net/@${name}", folds=True),
    Page(
        "tiktok.com",
        rf"/@{_DOTTED}/(?P<kind>video|photo)/(?P<post>\d+){_REST}",
        "https://tiktok.com/@${name}/${kind}/${post}",
        folds=True,
    ),
    Page("tiktok.com", rf"/@{_DOTTED}{_SHOWN}", "https://tiktok.com/@${name}", folds=True),
    Page("tiktok.com", r"/t/.*", is_short=True),
    # Truth Social, Gab, VK, OK, LinkedIn.
    Page(
        "truthsocial.com",
        rf"/(?:@|users/){_DOTTED}/(?:posts/|statuses/)?(?P<post>\d+){_REST}",
        "https://truthsocial.com/@${name}/posts/${post}",
        folds=True,
    ),
    Page("truthsocial.com", rf"/@{_DOTTED}", "https://truthsocial.com/@${name}", folds=True),
    Page("truthsocial.com", r"/group/(?P<target>[^/?#]+)"),
    Page("gab.com", rf"/{_X_NAME}/posts/(?P<post>\d+){_REST}", "https://gab.com/${name}/posts/${post}", folds=True),
    Page("gab.com", r"/groups/(?P<target>\d+)"),
    Page("gab.com", rf"/{_X_NAME}", "https://gab.com/${name}", folds=True),
    Page(
        "vk.com",
        rf"/(?:[^?#]*{_QUERY}[wz]=)?wall(?P<account>-?\d+)_(?P<post>\d+)(?:[?&%#/].*)?",
        "https://vk.com/wall${account}_${post}",
        ids={"post": ("{account}_{post}", "wall{account}_{post}", "{post}")},
    ),
    Page("vk.com", r"/id(?P<account>\d+)"),
    Page("vk.com", r"/(?:club|public|event)(?P<account>\d+)", ids={"account": ("-{account}", "{account}")}),
    Page("vk.com", r"/(?P<name>[A-Za-z0-9._]+)", "https://vk.com/${name}", folds=True),
    Page("ok.ru", r"/profile/(?P<account>\d+)/statuses/(?P<post>\d+)"),
    Page("ok.ru", r"/profile/(?P<account>\d+)"),
    Page("ok.ru", r"/group/(?P<target>\d+)/topic/(?P<post>\d+)"),
    Page("linkedin.com", r"/slink(?:\?.*)?", is_short=True),
    # Mastodon and its kin, on any server.
    Page(
        ANY,
        r"(?:/(?:web|deck))?/@(?P<name>[\w.-]+)@(?P<host2>[\w.-]+)/(?P<post>\d+)",
        "https://${host}/@${name}@${host2}/${post}",
        ids={"name": ("{name}@{host2}",), "post": ("{post}",)},
    ),
    Page(
        ANY,
        r"(?:/(?:(?:web|deck)/)?@(?P<name>[\w.-]+)/)(?P<post>\d+)(?:/embed)?",
        "https://${host}/@${name}/${post}",
        ids=_STATUS | _AT_HOST,
    ),
    Page(
        ANY,
        r"/users/(?P<name>[\w.-]+)/statuses/(?P<post>\d+)(?:/activity)?",
        "https://${host}/@${name}/${post}",
        ids=_STATUS | _AT_HOST,
    ),
    Page(ANY, r"/(?:(?:web|deck)/)?@(?P<name>[\w.-]+)@(?P<host2>[\w.-]+)", ids={"name": ("{name}@{host2}",)}),
    Page(ANY, r"/(?:web|deck)/@(?P<name>[\w.-]+)", "https://${host}/@${name}", ids=_AT_HOST),
    Page(ANY, r"/(?:@|users?/|u/|profile/)(?P<name>[\w.-]+)", ids=_AT_HOST),
)  # fmt: skip


def with_one_address(links: pl.DataFrame, /) -> pl.DataFrame:
    """Return links `raw, url, site, tokens, is_shortener`, in any order, with one address for each page.

    A page is told by the address alone; the first of `PAGES` that fits counts.
    """
    of_sites = pages_of_sites()
    is_known = pl.col("site").is_in([name for name in of_sites if name]).fill_null(False)
    known, others = links.filter(is_known), links.filter(~is_known)
    parts = [
        others.filter(~_IS_GENERAL),
        _one_address(others.filter(_IS_GENERAL), of_sites[ANY]),
        *(
            _one_address(part, of_sites[str(site)])
            for (site,), part in known.partition_by("site", as_dict=True).items()
        ),
    ]
    return pl.concat(parts)


# What those general pages have in common that have another form, to look no closer at any other address.
_IS_GENERAL = (
    pl.col("url").str.contains("/statuses/", literal=True) | pl.col("url").str.contains("/@", literal=True)
).fill_null(False)


def _one_address(links: pl.DataFrame, pages: Iterable[Page]) -> pl.DataFrame:
    """Return links by the first of the pages that fits each."""
    url, site, is_short = pl.col("url"), pl.col("site"), pl.col("is_shortener")
    for page in reversed(list(pages)):
        fits = pl.col("url").str.contains(page.pattern)
        form = pl.col("url").str.replace(page.pattern, page.form) if page.form else pl.col("url")
        url = pl.when(fits).then(form.str.to_lowercase() if page.folds else form).otherwise(url)
        is_short = (
            pl.when(fits).then(page.is_short | (is_short if not page.form else False)).otherwise(is_short)
        )
        if page.form and page.site:
            site = pl.when(fits).then(pl.lit(_site_of(page))).otherwise(site)
    return links.with_columns(url=url, site=site, is_shortener=is_short)


def _site_of(page: Page) -> str:
    return page.form.removeprefix("https://").partition("/")[0]


@cache
def pages_of_sites() -> Mapping[str, tuple[Page, ...]]:
    """Return the pages of each site, in the order in which they are tried."""
    of_sites: dict[str, list[Page]] = {}
    for page in PAGES:
        of_sites.setdefault(page.site, []).append(page)
    return {site: tuple(pages) for site, pages in of_sites.items()}
