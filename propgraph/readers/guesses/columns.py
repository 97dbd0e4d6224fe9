"""Which column of a log is likely what, by its values first and by its name where several fit alike.

A guess is offered to the user with a cell of each column, and is nothing that is ever read by.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

import polars as pl

from propgraph.readers.base import REQUIRED
from propgraph.readers.guesses.cells import Cells
from propgraph.readers.guesses.names import plain, sounds_like
from propgraph.readers.values.post_kinds import PARENT_OF, said_by

_LINKS = ("url", "urls")
# What comes again less often is hardly an account that posts, if another column comes again more often.
_REPEATS = 1.2
_SHARED = (*_LINKS, "hashtags", "text", "object_id")


def guess_columns(columns: list[Cells], /, *, given: Mapping[str, str]) -> dict[str, str]:
    """Return the column that is likely each canonical one; those that the user has `given` are left out.

    Parameters
    ----------
    columns
        The first rows of a log.
    given
        Canonical name to column, as the user said.

    Returns
    -------
    dict
        Canonical name to column, for `base.CANONICAL`; a name of `base.REQUIRED` is missing where nothing fits.
    """
    said = {part for name, column in given.items() for part in (column, *column.split("+"))}
    found = _Found([one for one in columns if one.name not in said and len(one.there)], dict(given))
    for step in (
        _guess_time, _guess_links, _guess_text, _guess_hashtags, _guess_words, _guess_own_ids, _guess_parents,
        _guess_account, _guess_profile, _guess_group, _guess_object,
    ):  # fmt: skip
        step(found)
    order = [*REQUIRED, "content_id", *_SHARED]
    names = sorted(found.guessed, key=lambda name: order.index(name) if name in order else len(order))
    return {name: found.guessed[name] for name in names}


class _Found:
    """The columns that are left, and those that were told."""

    def __init__(self, left: list[Cells], given: dict[str, str]) -> None:
        self.left, self.given = left, given
        self.by_name = {one.name: one for one in left}
        self.guessed: dict[str, str] = {}
        self.times: list[Cells] = []

    def lacks(self, *names: str) -> bool:
        """Return whether none of these is known."""
        return not any(name in self.guessed or name in self.given for name in names)

    def cells(self, name: str) -> Cells | None:
        """Return the column that was told to be this."""
        return self.by_name.get(self.guessed.get(name, ""))

    def take(self, name: str, *columns: Cells) -> None:
        """Say what a column is, or several together."""
        self.guessed[name] = "+".join(one.name for one in columns)
        self.left = [one for one in self.left if one not in columns]

    def best(self, fits: Iterable[Cells], score: Callable[[Cells], Collection[float]]) -> Cells | None:
        """Return the first of the columns that come highest."""
        return max(fits, key=score, default=None)  # type: ignore[arg-type]


def _guess_time(found: _Found) -> None:
    if not found.lacks("timestamp"):
        return
    times = [one for one in found.left if one.is_time and one.filled > 0.5]
    best = found.best(times, lambda one: (not one.is_day, sounds_like("timestamp", one.name), one.n_distinct))
    hours = [one for one in found.left if one.is_time_of_day and one.filled > 0.5]
    if best is not None and best.is_day and hours:
        found.take("timestamp", best, hours[0])
    elif best is not None:
        found.take("timestamp", best)
    found.times = [one for one in found.left if one.is_time]
    found.left = [one for one in found.left if not (one.is_time or one.is_time_of_day)]


def _guess_links(found: _Found) -> None:
    links = [one for one in found.left if one.links > 0.5 and one.length < 2000]
    if found.lacks(*_LINKS):
        # The same address in every row is the search's or the platform's.
        links = [one for one in links if one.n_distinct > 1 or len(one.values) < 10]
        shared = [one for one in links if one.links_to_posts < 0.9 and sounds_like("url", one.name) >= 0]
        best = found.best(
            shared, lambda one: (sounds_like("url", one.name), one.repeats > 1, one.filled, one.length)
        )
        if best is not None and not (best.words > 0.2 and not best.has_several_links):
            found.take("urls" if best.has_several_links else "url", best)
    found.left = [one for one in found.left if one.links <= 0.5 or one.words > 0.2]


def _guess_text(found: _Found) -> None:
    texts = [one for one in found.left if one.words > 0.5 and one.length >= 12 and not one.is_json]
    best = found.best(texts, lambda one: (sounds_like("text", one.name), one.length))
    if best is not None and found.lacks("text") and _is_said(best):
        found.take("text", best)
    found.left = [one for one in found.left if not (one in texts and one.length >= 60)]


def _is_said(one: Cells) -> bool:
    """Return whether some words are a post's, and not the name of somebody or something."""
    return one.length >= 25 or sounds_like("text", one.name) > 0 or one.matching("https?://") > 0.1


def _guess_hashtags(found: _Found) -> None:
    tags = [one for one in found.left if one.is_hashtags]
    if tags and found.lacks("hashtags"):
        found.take("hashtags", tags[0])


def _guess_words(found: _Found) -> None:
    """Take what has few words, all of them known: languages, platforms and kinds of posts."""
    for name, fitting in (
        ("kind", [one for one in found.left if one.is_kind]),
        ("platform", [one for one in found.left if one.is_platform]),
        ("language", [one for one in found.left if one.is_language]),
        ("followers", [one for one in found.left if sounds_like("followers", one.name) > 0 and one.is_whole]),
    ):
        if fitting and found.lacks(name):
            found.take(name, fitting[0])
        found.left = [one for one in found.left if one not in fitting]


def _guess_own_ids(found: _Found) -> None:
    time = found.cells("timestamp")
    ids = [one for one in found.left if _may_be_post_id(one, time)]
    best = found.best(
        ids, lambda one: (sounds_like("content_id", one.name), plain(one.name).endswith("id"), one.length)
    )
    if best is not None and len(best.values) > 1 and found.lacks("content_id"):
        found.take("content_id", best)


def _may_be_post_id(one: Cells, time: Cells | None) -> bool:
    """Return whether cells can be ids of posts: one each, no words, no counts of anything, no numbers of rows."""
    named = sounds_like("content_id", one.name)
    if named < 0 or sounds_like("text", one.name) > named or one.words >= 0.1 or one.is_json:
        return False
    if one.is_whole and not one.has_one_length and not named:
        return False
    return (one.is_unique or _is_nearly_unique(one, time)) and not _is_row_number(one)


def _is_nearly_unique(one: Cells, time: Cells | None) -> bool:
    """Return whether most rows have an id of their own, and those of one id one time: a post of several objects."""
    often = one.filled == 1 and one.repeats < 3 and not one.is_count and not one.is_host
    return often and time is not None and _has_one_each(one, time)


def _has_one_each(one: Cells, other: Cells) -> bool:
    """Return whether all but a few values of a column stand beside one value of the other."""
    pairs = pl.DataFrame([one.values.alias("one"), other.values.alias("other")]).drop_nulls()
    n_values = pairs["one"].n_unique()
    return n_values < pairs.height and pairs.n_unique() <= 1.02 * n_values


def _is_row_number(one: Cells) -> bool:
    """Return whether cells count rows: 0, 1, 2, ...; of two files these would be one another's."""
    numbers = one.values.cast(pl.Int64, strict=False)
    return bool(
        numbers.is_not_null().all() and (numbers.diff().drop_nulls() == 1).all() and numbers[0] in (0, 1)
    )


def _guess_parents(found: _Found) -> None:
    """Take for parents what names posts of the log, or is called so."""
    own = found.cells("content_id")
    if own is None:
        return
    own_ids = own.there.unique()
    for one in [one for one in found.left if one.filled < 1 and one.words < 0.1 and not one.is_count]:
        within = one.sample.is_in(own_ids.implode()).mean()
        kind = said_by(one.name)
        known = isinstance(within, float) and within > 0.3
        is_named = kind is not None and plain(one.name).endswith("id") and "user" not in plain(one.name)
        if not (known or is_named):
            continue
        name = next((name for name, implied in PARENT_OF.items() if implied == kind), "parent_content_id")
        if found.lacks(name):
            found.take(name, one)


def _guess_account(found: _Found) -> None:
    if not found.lacks("account_id"):
        return
    post, link = found.cells("content_id"), found.cells("url")
    accounts = [
        one for one in found.left
        if not (sounds_like("account_id", one.name) <= 0 and link is not None and _has_one_each(link, one))
        and one.filled > 0.5 and one.length <= 80 and sounds_like("account_id", one.name) >= 0
        and (sounds_like("account_id", one.name) > 0 or _is_repeated_id(one))
    ]  # fmt: skip
    best = found.best(
        accounts,
        lambda one: (
            sounds_like("account_id", one.name), plain(one.name).endswith("id"), not one.is_count, one.words < 0.1,
            post is not None and _has_one_each(post, one), one.repeats >= _REPEATS, one.n_distinct,
        ),
    )  # fmt: skip
    if best is not None:
        found.take("account_id", best)
    else:
        _guess_account_of_few_rows(found)


def _guess_account_of_few_rows(found: _Found) -> None:
    """Where no id comes again, ids of accounts cannot be told from those of posts: an account there has to be."""
    post = found.cells("content_id")
    ids = [one for one in found.by_name.values() if one is post or one in found.left]
    ids = [one for one in ids if one is post or (one.is_unique and one.words < 0.1 and not one.is_json)]
    if not ids or (post is not None and len(ids) == 1 and sounds_like("content_id", post.name) > 0):
        return
    if post is not None and ids[0] is post:
        del found.guessed["content_id"]
        if len(ids) > 1:
            found.take("content_id", ids[1])
    found.take("account_id", ids[0])


def _is_repeated_id(one: Cells) -> bool:
    """Return whether cells come again, and are too many and too much alike ids to be sorts of something."""
    return one.repeats > 1 and one.n_distinct > 1 and not one.is_count and not one.is_host and one.words < 0.6


def _guess_profile(found: _Found) -> None:
    """Take what is one for each account: its name, and when it was made."""
    account = found.cells("account_id")
    if account is None or account.n_distinct < 2:
        return
    names = [one for one in found.left if one.words > 0.3 or sounds_like("account_id", one.name) > 0]
    for name, fitting in (("account_name", names), ("account_created_at", found.times)):
        known = [
            one for one in fitting
            if one.filled > 0.5 and one.n_distinct > 1 and one.name not in found.guessed.values()
            and _has_one_each(account, one) and (name == "account_created_at" or _has_one_each(one, account))
        ]  # fmt: skip
        if known and found.lacks(name):
            found.take(name, known[0])


def _guess_group(found: _Found) -> None:
    groups = [one for one in found.left if sounds_like("target_id", one.name) > 0 and not one.is_count]
    if groups and found.lacks("target_id"):
        found.take("target_id", groups[0])


def _guess_object(found: _Found) -> None:
    """Where nothing else can be shared, whatever comes again is taken for the object."""
    if not found.lacks(*_SHARED):
        return
    objects = [one for one in found.left if one.is_host or _is_repeated_id(one)]
    best = found.best(objects, lambda one: ("object" in plain(one.name), one.n_distinct))
    if best is not None:
        found.take("object_id", best)
