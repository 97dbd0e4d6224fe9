"""Links that name an account or a post: the same links with pseudonyms in the place of what they name.

What a page of a platform names is known (`traces.pages`), and gets the pseudonyms that it has elsewhere in the
study, so that a link to a post of the log can be joined to it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import polars as pl

from propgraph.pseudonyms.keys import Key, pseudonyms
from propgraph.traces.pages import ANY, Page, pages_of_sites
from propgraph.traces.urls import canonicalise_urls

# Sites whose pages are somebody's profile, post or words; of what is no known page only the site is left.
PLATFORMS = (
    "twitter.com", "t.co", "bsky.app", "bsky.social", "t.me", "facebook.com", "fb.me", "fb.watch", "instagram.com",
    "threads.net", "tiktok.com", "truthsocial.com", "gab.com", "reddit.com", "redd.it", "vk.com", "ok.ru",
    "linkedin.com", "lnkd.in", "youtube.com", "youtu.be", "whatsapp.com", "wa.me", "m.me", "snapchat.com",
)  # fmt: skip
# Other names of these, as they may stand inside another link.
_ALSO = (
    "x.com",
    "telegram.me",
    "fb.com",
    "instagr.am",
    "threads.com",
    "nitter.net",
    "fxtwitter.com",
    "vxtwitter.com",
)
# Pages of persons by the path, on whatever host: Mastodon's servers, other front ends, profiles elsewhere.
_PERSONAL = r"^https://[^/]+/(?:(?:web|deck)/)?(?:@|users?/|u/|profile/)|/status(?:es)?/\d"
# A platform's page inside another link: a copy in an archive without the name of the archive in our list, say.
_SLASH = r"(?:/|%(?:25)*2F)"
_WRAPPED = rf"(?i)(?:[/.=@]|%(?:25)*(?:2F|3D|40))(?:{'|'.join(map(re.escape, (*PLATFORMS, *_ALSO)))}){_SLASH}"

# What a word in a link elsewhere has to be like to be an id or a name of the log, and not a word like others: so
# long, and of letters with a digit or `_` among them, or a long number, or a DID.
_WORD = re.compile(r"%[0-9A-F]{2}|did(?::|%3A)[a-z0-9]+(?::|%3A)[A-Za-z0-9._-]+|[A-Za-z0-9_]+")
_LEAST = 6
_TELLING = r"^(?:did(?::|%3A).*|\d{15,}|[0-9_]+[A-Za-z]\w*|[A-Za-z]+[0-9_]\w*)$"

# Where a word is somebody's name if the log knows it for one, whatever it is like.
_BY_WHOM = re.compile(
    r"([?&#](?:via|by|from|user|username|screen_name|account|handle|name|profile|author|creator|owner|writer)=@?"
    r"|/(?:by|authors?|writers?|people|members?|accounts?|channels?|creators?)/@?|^/)([A-Za-z0-9_.-]+)"
)

_NAMED = ("name", "account", "target", "post", "parent")  # groups of `pages.Page` that name something


class Known(NamedTuple):
    """What a log names, without the platforms' marks before ids; distinct, no nulls.

    Attributes
    ----------
    posts
        Ids of posts, those that others answer to included.
    accounts
        Ids of accounts.
    groups
        Ids of groups, pages and channels.
    names
        `name` (lower case) of accounts, once each, and the `account_id`, null where the log does not tell it.
    """

    posts: pl.Series
    accounts: pl.Series
    groups: pl.Series
    names: pl.DataFrame


class _Part(NamedTuple):
    """A part of a link that names something: where it stands, and how logs may write it, the likeliest first."""

    start: int
    end: int
    group: str
    texts: tuple[str, ...]


def hide_links(raw: pl.Series, known: Known, /, *, key: Key) -> pl.DataFrame:
    """Return what stands in the place of links that name an account or a post.

    Parameters
    ----------
    raw
        The links as written; String.
    known
        What the log names.
    key
        The key of the pseudonyms.

    Returns
    -------
    pl.DataFrame
        `raw`, distinct and sorted; `hidden` (String): the canonical link with pseudonyms for all that it names, the
        link's site and a pseudonym of all else where it is a page of a platform that nothing more is known of, a
        pseudonym where it is no link, else the canonical link itself; `is_hidden`: whether anything was replaced.
    """
    links = canonicalise_urls(raw).select("raw", "url", "site")
    found = links.drop_nulls("url").unique("url").sort("url").with_columns(is_personal=_is_personal())
    personal, others = found.filter("is_personal"), found.filter(~pl.col("is_personal"))
    hidden = pl.concat([
        personal.with_columns(hidden=_with_pages(personal, known, key)),
        others.with_columns(hidden=_with_words(others["url"], known, key)),
    ])  # fmt: skip
    # What was different stays different, though a name is one in upper and lower case.
    merged = pl.col("hidden").is_duplicated() & (pl.col("hidden") != pl.col("url"))
    hidden = hidden.with_columns(hidden=pl.when(merged).then(_site_only(hidden, key)).otherwise("hidden"))
    table = links.join(hidden.select("url", "hidden"), on="url", how="left", maintain_order="left")
    return table.select(
        "raw",
        hidden=pl.col("hidden").fill_null(pseudonyms(table["raw"], key=key)),
        is_hidden=pl.col("hidden").ne_missing(pl.col("url")) | pl.col("url").is_null(),
    )


def _is_personal() -> pl.Expr:
    url, site = pl.col("url"), pl.col("site")
    on_platform = site.is_in(PLATFORMS) & (url != "https://" + site)
    return on_platform | url.str.contains(_PERSONAL) | url.str.contains(_WRAPPED)


def _site_only(links: pl.DataFrame, key: Key) -> pl.Series:
    return "https://" + links["site"] + "/" + pseudonyms(links["url"], key=key)


def _page(url: str, site: str) -> tuple[Page, re.Match[str]] | None:
    """Return the page that a canonical link is, if it names anything."""
    pages = pages_of_sites()
    for page, pattern in zip(pages.get(site, pages[ANY]), _patterns(site), strict=True):
        if found := pattern.match(url):
            return (page, found) if set(found.groupdict()).intersection(_NAMED) else None
    return None


@lru_cache(maxsize=256)
def _patterns(site: str) -> tuple[re.Pattern[str], ...]:
    pages = pages_of_sites()
    return tuple(re.compile(f"{page.pattern[:-1]}\\Z") for page in pages.get(site, pages[ANY]))


def _with_pages(links: pl.DataFrame, known: Known, key: Key) -> pl.Series:
    """Return personal links with pseudonyms for what their pages name; of unknown pages the site alone."""
    urls = links["url"].to_list()
    pages = [_page(url, site) for url, site in zip(urls, links["site"].to_list(), strict=True)]
    names = {text.lower() for one in pages if one for text in _forms(*one, "name")}
    accounts = _accounts_of(names, known)
    parts = [None if one is None else _parts(*one, accounts) for one in pages]
    as_logged = _as_logged({text for some in parts for part in some or () for text in part.texts}, known)
    chosen = [[_choose(part, as_logged, accounts) for part in some or ()] for some in parts]
    needed = pl.Series(sorted({text for some in chosen for text in some}), dtype=pl.String)
    made = dict(zip(needed, pseudonyms(needed, key=key), strict=True))
    hidden = []
    for url, whole, one, some, texts in zip(urls, _site_only(links, key), pages, parts, chosen, strict=True):
        if one is None or some is None:
            hidden.append(whole)
        elif one[0].is_public and not any(text in as_logged for part in some for text in part.texts):
            hidden.append(url)
        else:
            hidden.append(_replaced(url, some, [made[text] for text in texts]))
    return pl.Series(hidden, dtype=pl.String)


def _forms(page: Page, found: re.Match[str], group: str, account: str | None = None) -> tuple[str, ...]:
    """Return how logs may write what a group of a page holds, the likeliest first."""
    fields = found.groupdict()
    if not fields.get(group):
        return ()
    forms = page.ids.get(group, (f"{{{group}}}",))
    return tuple(
        form.format(**fields, known=account) for form in forms if account is not None or "{known}" not in form
    )


def _parts(page: Page, found: re.Match[str], accounts: Mapping[str, str | None]) -> list[_Part]:
    """Return the parts of a link that name something, from left to right."""
    names = (text.lower() for text in _forms(page, found, "name"))
    account = next((accounts[name] for name in names if name in accounts), None)
    return sorted(
        _Part(*found.span(group), group, _forms(page, found, group, account))
        for group in _NAMED
        if found.groupdict().get(group)
    )


def _accounts_of(names: set[str], known: Known) -> dict[str, str | None]:
    """Return those of `names` that the log knows, and whose they are."""
    return dict(
        known.names.filter(pl.col("name").is_in(sorted(names))).select("name", "account_id").iter_rows()
    )


def _as_logged(texts: set[str], known: Known) -> dict[str, str]:
    """Return those of `texts` that are ids of the log, groups in whatever case, and how the log writes them."""
    wanted = pl.Series(sorted(texts), dtype=pl.String)
    lower = {text.lower(): text for text in wanted}
    found = known.groups.filter(known.groups.str.to_lowercase().is_in(list(lower)))
    as_logged = {lower[text.lower()]: text for text in found.sort(descending=True)}
    for ids in (known.accounts, known.posts):
        as_logged |= {text: text for text in ids.filter(ids.is_in(wanted.implode()))}
    return as_logged


def _choose(part: _Part, as_logged: Mapping[str, str], accounts: Mapping[str, str | None]) -> str:
    """Return how the log writes what a part of a link names, or the likeliest way to write it."""
    if part.group == "name":
        lower = [text.lower() for text in part.texts]
        return next((text for text in lower if text in accounts), lower[0])
    return next((as_logged[text] for text in part.texts if text in as_logged), part.texts[0])


def _replaced(url: str, parts: list[_Part], names: list[str]) -> str:
    pieces, end = [], 0
    for part, name in zip(parts, names, strict=True):
        pieces += [url[end : part.start], name]
        end = part.end
    return "".join([*pieces, url[end:]])


def _with_words(urls: pl.Series, known: Known, key: Key) -> pl.Series:
    """Return links elsewhere with pseudonyms for words that are ids or names of the log, behind the host."""
    tail = urls.str.replace(r"^https://[^/?#]+", "")
    ids, names = _telling_words(tail, known), _names_by_place(tail, known)
    if not ids and not names:
        return urls
    needed = pl.Series(sorted({*ids.values(), *names.values()}), dtype=pl.String)
    made = dict(zip(needed, pseudonyms(needed, key=key), strict=True))

    def by_whom(found: re.Match[str]) -> str:
        is_it = found[2] in names and (found[1] != "/" or found.end() == len(found.string))
        return f"{found[1]}{made[names[found[2]]]}" if is_it else found[0]

    def word(found: re.Match[str]) -> str:
        return made[ids[found[0]]] if found[0] in ids else found[0]

    has_one = tail.str.contains_any(sorted({*ids, *names}))
    new = [
        url[: -len(end)] + _WORD.sub(word, _BY_WHOM.sub(by_whom, end)) if hit else url
        for url, end, hit in zip(urls.to_list(), tail.to_list(), has_one.to_list(), strict=True)
    ]
    return pl.Series(urls.name, new, pl.String)


def _telling_words(tail: pl.Series, known: Known) -> dict[str, str]:
    """Return the words in links that are ids or names of the log and like no other words, and how the log has them."""
    words = tail.str.extract_all(_WORD.pattern).explode(empty_as_null=False, keep_nulls=False).unique()
    telling = words.filter((words.str.len_bytes() >= _LEAST) & words.str.contains(_TELLING)).sort()
    texts = {word: word.replace("%3A", ":") for word in telling}
    as_logged = _as_logged(set(texts.values()), known)
    accounts = _accounts_of({text.lower() for text in texts.values()}, known)
    return {
        word: as_logged.get(text, text.lower())
        for word, text in texts.items()
        if text in as_logged or text.lower() in accounts
    }


def _names_by_place(tail: pl.Series, known: Known) -> dict[str, str]:
    """Return the words in links that are names of the log and stand where a name stands, and the names."""
    found = tail.str.extract_all(_BY_WHOM.pattern).explode(empty_as_null=False, keep_nulls=False).unique()
    words = found.str.extract(_BY_WHOM.pattern, 2).unique().sort()
    accounts = _accounts_of({word.lower() for word in words}, known)
    return {word: word.lower() for word in words if word.lower() in accounts}
