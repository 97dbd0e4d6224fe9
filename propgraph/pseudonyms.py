"""Pseudonyms in place of accounts, names and posts, by a key that stays with whoever made the study.

A pseudonymised study is not an anonymous one. Times of posts, links to other sites, hashtags, when an account
was made and how many follow it stay as they are, since the analysis is about them: who has the platform's
data can find an account by them.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from propgraph.encoding import codes_of, decode, encode, labels_of
from propgraph.errors import InputError, StudyError, UsageError
from propgraph.readers.base import CANONICAL
from propgraph.readers.fineness import RESOLUTION
from propgraph.readers.read import Log
from propgraph.schema import ID, IDS, POSTS, REJECTED
from propgraph.traces.urls import canonicalise_urls

MIN_KEY = 16
"""The shortest key, in bytes."""

_MAX_KEY = 4096  # a longer file is a log or a picture, named by mistake
# 80 bits: the chance that any two of 10 million ids get one pseudonym is 4 in 10^11, of a billion 4 in 10^7.
_BYTES = 10
METHOD = f"keyed BLAKE2b, {2 * _BYTES} hexadecimal digits behind a p"

# Sites whose pages are somebody's profile or post.
_PLATFORMS = (
    "x.com", "twitter.com", "t.co", "bsky.app", "bsky.social", "t.me", "telegram.me", "facebook.com", "fb.com", "fb.me",
    "fb.watch", "instagram.com", "instagr.am", "threads.net", "threads.com", "tiktok.com", "truthsocial.com", "gab.com",
    "reddit.com", "redd.it", "vk.com", "ok.ru", "linkedin.com", "lnkd.in",
)  # fmt: skip
# The same by the path, on whatever host: Mastodon's servers, other front ends, profiles elsewhere.
_PERSONAL = r"^https://[^/]+/(?:web/)?(?:@|users?/|u/|profile/)|/status(?:es)?/\d"
# A platform's page inside another link: an archived copy, say.
_WRAPPED = rf"(?i)(?:[/.=@]|%2F)(?:{'|'.join(map(re.escape, _PLATFORMS))})(?:/|%2F)"

# Reasons for a rejection that quote nothing; sentences in which a value stands; what a reason is about.
_QUOTES_NOTHING = (
    r"^(no post: [\w .-]{1,60}|\w+: empty|\w+: a list or an object.*|\w+: a rounded number.*|a JSON \w+ where .*|"
    r"\d+ fields where .*|a quote opens here .*|bytes that are not UTF-8.*)$"
)
_SENTENCES = (
    r"(is not a time of this file's kind|lies before 1990|lies in the future|is another post's already.*|"
    r"shares the same in an earlier row)$"
)
_ABOUT = r"^([\w ]{1,40}):"
_QUOTED = re.compile(r"(?<!\w)(?:'([^']*)'|\"([^\"]*)\")(?!\w)")


@dataclass(frozen=True)
class Key:
    """What pseudonyms are made with.

    Attributes
    ----------
    secret
        The bytes that nobody else may have.
    path
        The file they stand in, or will.
    is_new
        They are not in the file yet.
    """

    secret: bytes = dataclasses.field(repr=False)
    path: Path
    is_new: bool = False

    @property
    def record(self) -> dict[str, Any]:
        """What a run record says: the method, and eight digits by which two studies can be seen to share a key."""
        fingerprint = hashlib.blake2b(self.secret, digest_size=4, person=b"fingerprint").hexdigest()
        return {"pseudonymised": True, "method": METHOD, "key_fingerprint": fingerprint}

    @property
    def notes(self) -> list[str]:
        """What whoever makes a study has to be told."""
        return [
            "accounts, names and posts are pseudonyms, and texts are left out; times, hashtags, links to other sites, "
            "when accounts were made and how many follow them stay: this does not make them anonymous",
            f"the key of the pseudonyms is {self.path}: who has it can tell whether an id is in the study; keep it, "
            "and keep it apart when you pass the study on",
        ]


def read_key(study: str | Path, path: str | Path | None = None, /) -> Key:
    """Return the key for a study: the user's, else the one beside the study, else a new one.

    Parameters
    ----------
    study
        The study's folder.
    path
        The user's key file: any 16 to 4,096 bytes, blanks at the ends not counted. None takes `STUDY.key`
        beside the study, so that making a study anew gives the same pseudonyms.

    Raises
    ------
    InputError
        When the file cannot be read, or its key is too short or too long.
    UsageError
        When the file lies inside the study.
    """
    folder = Path(study).resolve()
    beside = folder.with_name(f"{folder.name}.key")
    if path is None and not beside.exists():
        return Key(secrets.token_hex(32).encode(), beside, is_new=True)
    file = beside if path is None else Path(path)
    if file.resolve().is_relative_to(folder):
        raise UsageError(
            f"--key {file}: it lies in the study and would be passed on with it; put it elsewhere"
        )
    try:
        with file.open("rb") as opened:
            found = opened.read(_MAX_KEY + 1)
    except OSError as error:
        raise InputError(f"--key {file}: cannot be read ({error.strerror})") from error
    secret = found.strip()  # an editor adds a line's end
    if len(secret) < MIN_KEY or len(found) > _MAX_KEY:
        size = f"only {len(secret)} bytes" if len(found) <= _MAX_KEY else f"more than {_MAX_KEY:,} bytes"
        raise InputError(
            f"--key {file}: {size}; a key has {MIN_KEY} to {_MAX_KEY:,}, at random (openssl rand -hex 32)"
        )
    return Key(secret, file)


def save_key(key: Key, /) -> None:
    """Write a new key to its file, for the user alone to read; one that is there already is left alone.

    Raises
    ------
    StudyError
        When it cannot be written.
    """
    if not key.is_new:
        return
    try:
        # Another run's key may have come in between: pseudonyms of an unknown key would be of no use.
        with os.fdopen(os.open(key.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(key.secret + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StudyError(f"{key.path}: the key cannot be written ({error.strerror})") from error


def pseudonyms(values: pl.Series, /, *, key: Key, keep: Sequence[str] = ()) -> pl.Series:
    """Return the pseudonym of each value: `p` and 20 hexadecimal digits, always the same for the same key.

    Parameters
    ----------
    values
        String, without nulls.
    key
        The key.
    keep
        What is left standing before the pseudonym where a value begins with it; `@` always is.

    Returns
    -------
    pl.Series
        String. The letter keeps spreadsheets from reading a number.
    """
    # BLAKE2b takes a key of 64 bytes at most.
    state = hashlib.blake2b(key=hashlib.blake2b(key.secret).digest(), digest_size=_BYTES)
    ahead = "|".join(re.escape(start) for start in ("@", *keep))
    starts = values.str.extract(rf"^((?:{ahead})+)") if values.str.contains(f"^(?:{ahead})").any() else None
    bare = values if starts is None else values.str.slice(starts.str.len_chars().fill_null(0))
    digits = []
    for text in bare.to_list():  # a call for each of ten million ids would cost as much again
        hashed = state.copy()
        hashed.update(text.encode())
        digits.append(hashed.hexdigest())
    made = "p" + pl.Series(values.name, digits, dtype=ID)
    return made if starts is None else starts.fill_null("") + made


@dataclass(frozen=True)
class _Rules:
    """How the distinct values of a column, sorted, become pseudonyms; a method for each kind of value.

    Attributes
    ----------
    key
        The key.
    keep
        How ids begin that name their platform, where the log holds several.
    """

    key: Key
    keep: tuple[str, ...]

    def ids(self, values: pl.Series) -> pl.Series:
        """Return those of accounts, posts and groups, and of all else that only has to be told apart."""
        return pseudonyms(values, key=self.key, keep=self.keep)

    def names(self, values: pl.Series) -> pl.Series:
        """Return those of names, in whatever case: an account's name and a mention of it are one."""
        return pseudonyms(values.str.strip_chars("@ ").str.to_lowercase(), key=self.key)

    def sponsors(self, values: pl.Series) -> pl.Series:
        """Return those of payers; `yes` says no more than that there is one."""
        return self.names(values).set(values == "yes", "yes")

    def links(self, values: pl.Series) -> pl.Series:
        """Return links in canonical form, since a tracking token may lead to who copied the link."""
        known = _canonical(values)
        hidden = pseudonyms(known["url"].fill_null(known["raw"]), key=self.key)
        return _links(known, hidden, known["url"].fill_null(hidden))

    def objects(self, values: pl.Series) -> pl.Series:
        """Return the log's own objects: links and hashtags stay, anything else may be a post or a person."""
        hidden = self.ids(values)
        known = _canonical(values.filter(values.str.contains("(?i)^https?://"))).drop_nulls("url")
        place = values.search_sorted(known["raw"])
        hidden = hidden.scatter(place, _links(known, hidden.gather(place), known["raw"]))
        return hidden.zip_with(~values.str.starts_with("#"), values)


def _canonical(links: pl.Series) -> pl.DataFrame:
    """Return `raw, url, site` and whether a link `is_personal`: somebody's profile or post."""
    url, site = pl.col("url"), pl.col("site")
    on_platform = site.is_in(_PLATFORMS) & (url != "https://" + site)
    is_personal = on_platform | url.str.contains(_PERSONAL) | url.str.contains(_WRAPPED)
    return canonicalise_urls(links).select("raw", "url", "site", is_personal=is_personal.fill_null(False))


def _links(known: pl.DataFrame, hidden: pl.Series, shown: pl.Series) -> pl.Series:
    """Return `hidden` behind the site of the links that are personal, `shown` for the others."""
    return ("https://" + known["site"] + "/" + hidden).zip_with(known["is_personal"], shown)


_Rule = Callable[[_Rules, pl.Series], pl.Series]
_TIMES = ("timestamp", RESOLUTION)
# What is neither here nor kept is left out: the text, and columns that posts may get one day.
_OF_POSTS: Mapping[str, _Rule] = {
    "content_id": _Rules.ids, "account_id": _Rules.ids, "parent_content_id": _Rules.ids,
    "origin_account_id": _Rules.ids, "target_id": _Rules.ids, "object_id": _Rules.objects, "urls": _Rules.links,
    "mentions": _Rules.names, "images": _Rules.ids, "sponsor": _Rules.sponsors,
}  # fmt: skip
_KEPT = (*_TIMES, "kind", "parent_timestamp", "hashtags", "language", "platform")
# Objects of traces that are not here are ids.
_OF_TRACES: Mapping[str, _Rule] = {"object": _Rules.objects, "url": _Rules.links, "mention": _Rules.names}
_KEPT_TRACES = ("domain", "hashtag", "hashtag-sequence")


def with_pseudonyms(
    log: Log, shares: Mapping[str, pl.DataFrame], /, *, key: Key
) -> tuple[Log, dict[str, pl.DataFrame]]:
    """Return a log and its shares with pseudonyms for all that names or leads to an account.

    - Ids of accounts, posts and groups, names, mentions and images are replaced, by one function: what was
      equal is equal, in this study and in any other of the same key. `@` and, where the log holds several
      platforms, their names stay before an id.
    - Links to profiles and posts keep their site only; other links stay, in canonical form. Of the log's own
      objects links and hashtags stay.
    - Texts go, and what rejected rows said.
    - Times, kinds, hashtags, languages, and when accounts were made and how many follow them stay.

    Parameters
    ----------
    log
        As `read_logs` returns it.
    shares
        Its shares as `make_shares` returns them; what they share may come from the texts.
    key
        The key.

    Returns
    -------
    tuple
        The same, again in canonical order.
    """
    rules = _Rules(key, platform_marks(log.posts))
    posts, moved = _posts(log.posts, rules)
    profiles = log.profiles.with_columns(
        _replaced(log.profiles[name].cast(ID), rules, rule)
        for name, rule in (("account_id", _Rules.ids), ("name", _Rules.names))
        if name in log.profiles.columns
    )
    told = dataclasses.replace(
        log, posts=posts, profiles=profiles, rejected=_rejected(log.rejected),
        notes=[*(_QUOTED.sub(_unquoted, note) for note in log.notes), *key.notes],
    )  # fmt: skip
    return told, {name: _shares(part, rules, posts, moved) for name, part in shares.items()}


def platform_marks(posts: pl.DataFrame) -> tuple[str, ...]:
    """Return how ids begin in a log of several platforms: `x:123`."""
    names = posts["platform"].drop_nulls().unique().sort() if "platform" in posts.columns else ()
    return tuple(f"{name}:" for name in names) if len(names) > 1 else ()


def _posts(posts: pl.DataFrame, rules: _Rules) -> tuple[pl.DataFrame, npt.NDArray[np.uint32]]:
    """Return the posts in canonical order, and where each row of before is now."""
    new = pl.DataFrame([
        _replaced(posts[name], rules, _OF_POSTS[name]) if name in _OF_POSTS else posts[name]
        for name in posts.columns
        if name in _OF_POSTS or name in _KEPT
    ]).with_row_index("was")  # fmt: skip
    new = new.sort([name for name in POSTS.key if name in new.columns], maintain_order=True)
    moved = np.empty(new.height, np.uint32)
    moved[new["was"].to_numpy()] = np.arange(new.height)
    return new.drop("was"), moved


def _shares(
    shares: pl.DataFrame, rules: _Rules, posts: pl.DataFrame, moved: npt.NDArray[np.uint32]
) -> pl.DataFrame:
    trace = shares["trace"][0]
    columns = [pl.Series("row", moved[shares["row"].to_numpy()]), shares["trace"]]
    objects = shares["object_id"]
    if trace not in _KEPT_TRACES:
        objects = _replaced(objects, rules, _OF_TRACES.get(trace, _Rules.ids))
    columns += [
        _replaced(shares[name], rules, rule)
        for name, rule in (("tokens", _Rules.ids), ("via", _Rules.links))
        if name in shares.columns
    ]
    # Posts stand in order of time, account and id.
    new = pl.DataFrame([objects, *columns]).sort("object_id", "row")
    kept = [name for name in ("content_id", "account_id", *_TIMES) if name in posts.columns]
    return posts.select(kept)[new["row"]].hstack(new)


def _replaced(values: pl.Series, rules: _Rules, rule: _Rule) -> pl.Series:
    """Return a column by a rule for its distinct values; encoded where it was."""
    if isinstance(values.dtype, pl.Enum):
        new = encode(rule(rules, labels_of(values)).alias(values.name))
        return decode(codes_of(new)[codes_of(values)], labels_of(new))
    if values.dtype == IDS:
        return _replaced_in_lists(values, rules, rule)
    old = values.drop_nulls().unique().sort()
    return _looked_up(values, old, rule(rules, old))


def _looked_up(values: pl.Series, old: pl.Series, new: pl.Series) -> pl.Series:
    table = pl.DataFrame({values.name: old, "new": new})
    found = values.to_frame().join(table, on=values.name, how="left", maintain_order="left")
    return found["new"].alias(values.name)


def _replaced_in_lists(lists: pl.Series, rules: _Rules, rule: _Rule) -> pl.Series:
    name = lists.name
    rows = lists.to_frame().with_row_index("row").filter(pl.col(name).list.len() > 0).explode(name)
    rows = (
        rows.with_columns(_replaced(rows[name], rules, rule)).group_by("row", maintain_order=True).agg(name)
    )
    numbered = pl.int_range(len(lists), dtype=pl.UInt32, eager=True).alias("row").to_frame()
    new = numbered.join(rows, on="row", how="left", maintain_order="left")[name]
    return new.zip_with(lists.list.len() > 0, lists)


def _rejected(rejected: pl.DataFrame) -> pl.DataFrame:
    """Return rejected rows without what they said; of a reason only what quotes no value is left."""
    reason = pl.col("reason")
    about = reason.str.extract(_ABOUT)
    plain = pl.coalesce(
        reason.str.extract(_QUOTES_NOTHING),
        pl.format("{}: … {}", about, reason.str.extract(_SENTENCES)),
        about,
        pl.lit("it cannot be used"),
    )
    return rejected.with_columns(reason=plain, raw=pl.lit(None, ID)).sort(*REJECTED.key)


def _unquoted(quoted: re.Match[str]) -> str:
    """Return what a note quotes if it is a column's name, else that something is left out."""
    return quoted[0] if (quoted[1] or quoted[2]) in CANONICAL else "…"
