"""A log and its shares with pseudonyms in place of accounts, names and posts.

A pseudonymised study is not an anonymous one. Times of posts, links to other sites, hashtags, when an account
was made and how many follow it stay as they are, since the analysis is about them: who has the platform's
data can find an account by them. A hashtag may be somebody's name, a site somebody's blog (`name.wordpress.com`), and
a link elsewhere may quote a text. Paths of the input files and names of their columns stay in `run.json`.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from propgraph.arrays.encoding import codes_of, decode, encode, labels_of
from propgraph.arrays.types import UInt32
from propgraph.pseudonyms.keys import Key, pseudonyms
from propgraph.pseudonyms.links import Known, hide_links
from propgraph.readers.base import CANONICAL, OWN
from propgraph.readers.log import Log
from propgraph.readers.times.fineness import RESOLUTION
from propgraph.schema import ID, IDS, POSTS, REJECTED

# Reasons for a rejection that quote nothing; sentences in which a value stands; what a reason is about.
_QUOTES_NOTHING = (
    r"^(no post: [\w .-]{1,60}|\w+: empty|\w+: a list or an object.*|\w+: a rounded number.*|a JSON \w+ where .*|"
    r"\d+ fields where .*|a quote opens here .*|bytes that are not UTF-8.*)$"
)
_SENTENCES = (
    r"(is not a time of this file's kind|lies before 1990|lies in the future|is another post's already.*|"
    r"shares the same in an earlier row)$"
)
_A_LINK = "(?i)^https?://"
_LANGUAGE = r"^[A-Za-z]{2,3}(?:[_-][A-Za-z0-9]{1,8}){0,3}$"
_ABOUT = r"^([\w ]{1,40}):"
_QUOTED = re.compile(r"(?<!\w)(?:'([^']*)'|\"([^\"]*)\")(?!\w)")


@dataclass(frozen=True, eq=False)
class _Rules:
    """How the distinct values of a column, sorted, become pseudonyms; a method for each kind of value.

    Attributes
    ----------
    key
        The key.
    keep
        How ids begin that name their platform, where the log holds several.
    hidden
        All links of the log and what stands in their place, as `hide_links` returns them.
    """

    key: Key
    keep: tuple[str, ...]
    hidden: pl.DataFrame

    def ids(self, values: pl.Series) -> pl.Series:
        """Return those of accounts, posts and groups, and of all else that only has to be told apart."""
        return pseudonyms(values, key=self.key, keep=self.keep)

    def names(self, values: pl.Series) -> pl.Series:
        """Return those of names, in whatever case: an account's name and a mention of it are one."""
        return pseudonyms(values.str.strip_chars("@ ").str.to_lowercase(), key=self.key)

    def sponsors(self, values: pl.Series) -> pl.Series:
        """Return those of payers; `yes` says no more than that there is one."""
        return self.names(values).set(values == "yes", "yes")

    def languages(self, values: pl.Series) -> pl.Series:
        """Return codes of languages as they are, anything else as an id."""
        return self.ids(values).zip_with(~values.str.contains(_LANGUAGE), values)

    def links(self, values: pl.Series) -> pl.Series:
        """Return links in canonical form, since a tracking token may lead to who copied the link."""
        return self._hidden(values)["hidden"]

    def objects(self, values: pl.Series) -> pl.Series:
        """Return the log's own objects: links and hashtags stay, anything else may be a post or a person."""
        ids = self.ids(values)
        links = values.filter(values.str.contains(_A_LINK))
        known = self._hidden(links)
        # Two objects of a log may be one link, and have to stay two.
        told = known["hidden"].zip_with(
            ~known["hidden"].is_duplicated(), ids.gather(values.search_sorted(links))
        )
        ids = ids.scatter(values.search_sorted(links), told.zip_with(known["is_hidden"], links))
        return ids.zip_with(~values.str.starts_with("#"), values)

    def _hidden(self, links: pl.Series) -> pl.DataFrame:
        return links.to_frame("raw").join(self.hidden, on="raw", how="left", maintain_order="left")


_Rule = Callable[[_Rules, pl.Series], pl.Series]
_TIMES = ("timestamp", RESOLUTION)
# What is neither here nor kept is left out: the text, and columns that posts may get one day.
_OF_POSTS: Mapping[str, _Rule] = {
    "content_id": _Rules.ids, "account_id": _Rules.ids, "parent_content_id": _Rules.ids,
    "origin_account_id": _Rules.ids, "target_id": _Rules.ids, "object_id": _Rules.objects, "urls": _Rules.links,
    "mentions": _Rules.names, "images": _Rules.ids, "sponsor": _Rules.sponsors, "language": _Rules.languages,
    "source": _Rules.ids,  # a chat's file bears the group's name
}  # fmt: skip
_KEPT = (*_TIMES, "kind", "parent_timestamp", "hashtags", "platform", "line")
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
    - Links to profiles and posts, copies in archives included, stay links with pseudonyms for what they name: the
      account's name gets that of `accounts.name` and mentions, the post's id that of `content_id` (without the
      platform before it), so that they can be joined; where nothing is known of a platform's page the site alone is
      left. In links to other sites ids and names of the log are replaced where they can be told from other words.
      Other links stay, in canonical form. Of the log's own objects links and hashtags stay.
    - Texts go, and what rejected rows said.
    - Columns of the user's own that were named to be kept stay.
    - Times, kinds, hashtags, codes of languages, and when accounts were made and how many follow them stay.

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
    marks = platform_marks(log.posts)
    rules = _Rules(key, marks, hide_links(_links_of(log.posts, shares), _known(log, marks), key=key))
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


def _links_of(posts: pl.DataFrame, shares: Mapping[str, pl.DataFrame]) -> pl.Series:
    """Return all links that a log and its shares hold, as they stand there."""
    parts = [pl.Series(dtype=ID)]
    if "urls" in posts.columns:
        parts.append(posts["urls"].explode(empty_as_null=False, keep_nulls=False))
    if "object_id" in posts.columns:
        objects = _labels(posts["object_id"])
        parts.append(objects.filter(objects.str.contains(_A_LINK)))
    if "url" in shares:
        parts += [
            _labels(shares["url"][name]) for name in ("object_id", "via") if name in shares["url"].columns
        ]
    return pl.concat([part.alias("raw") for part in parts]).unique()


def _known(log: Log, marks: tuple[str, ...]) -> Known:
    """Return what the log names, for `hide_links`."""
    posts = log.posts
    mark = f"^(?:{'|'.join(map(re.escape, marks))})" if marks else None

    def of(*columns: str) -> pl.Series:
        parts = [_labels(posts[name]) for name in columns if name in posts.columns]
        ids = pl.concat([pl.Series(dtype=ID), *(part.alias("") for part in parts)]).unique()
        return ids if mark is None else ids.str.replace(mark, "")

    return Known(
        of("content_id", "parent_content_id"),
        of("account_id", "origin_account_id"),
        of("target_id"),
        _names(log, mark),
    )


def _names(log: Log, mark: str | None) -> pl.DataFrame:
    """Return `name` and `account_id` of what the log calls accounts; of several accounts the first by id."""
    nobody = pl.lit(None, ID).alias("account_id")
    tables = [pl.DataFrame(schema={"name": ID, "account_id": ID})]
    if "name" in log.profiles.columns:
        tables.append(log.profiles.select(pl.col("name", "account_id").cast(ID)))
    if "mentions" in log.posts.columns:
        mentioned = log.posts["mentions"].explode(empty_as_null=False, keep_nulls=False)
        tables.append(mentioned.unique().to_frame("name").with_columns(nobody))
    if "origin_account_id" in log.posts.columns:
        origins = _labels(log.posts["origin_account_id"])
        tables.append(origins.filter(origins.str.contains("@")).to_frame("name").with_columns(nobody))
    named = pl.concat(tables).drop_nulls("name")
    if mark is not None:
        named = named.with_columns(pl.all().str.replace(mark, ""))
    bare = pl.col("name").str.strip_chars("@ ").str.to_lowercase()
    return named.group_by(bare).agg(pl.col("account_id").min())


def _labels(values: pl.Series) -> pl.Series:
    return labels_of(values) if isinstance(values.dtype, pl.Enum) else values.drop_nulls().unique()


def platform_marks(posts: pl.DataFrame) -> tuple[str, ...]:
    """Return how ids begin in a log of several platforms: `x:123`."""
    names = posts["platform"].drop_nulls().unique().sort() if "platform" in posts.columns else ()
    return tuple(f"{name}:" for name in names) if len(names) > 1 else ()


def _posts(posts: pl.DataFrame, rules: _Rules) -> tuple[pl.DataFrame, UInt32]:
    """Return the posts in canonical order, and where each row of before is now."""
    new = pl.DataFrame([
        _replaced(posts[name], rules, _OF_POSTS[name]) if name in _OF_POSTS else posts[name]
        for name in posts.columns
        if name in _OF_POSTS or name in _KEPT or name.startswith(OWN)
    ]).with_row_index("was")  # fmt: skip
    new = new.sort([name for name in POSTS.key if name in new.columns], maintain_order=True)
    moved = np.empty(new.height, np.uint32)
    moved[new["was"].to_numpy()] = np.arange(new.height)
    return new.drop("was"), moved


def _shares(shares: pl.DataFrame, rules: _Rules, posts: pl.DataFrame, moved: UInt32) -> pl.DataFrame:
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
