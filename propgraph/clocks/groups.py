"""Whose clock each post's time is by: its platform's, else its file's."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from propgraph.arrays.encoding import codes_of, encode, labels_of
from propgraph.arrays.types import Int8
from propgraph.readers.log import Log

#: Of more, those with most posts are compared; of more files none is, for they are parts of one.
MOST_GROUPS = 12
# How ids begin where there is no column for the platform: `fb_12670`.
_MARK = r"^([A-Za-z]{1,12})[_:]."


@dataclass(frozen=True)
class Groups:
    """Posts by the clock that their times are by.

    Attributes
    ----------
    by
        What tells them apart: `platform`, `account ids` (by how they begin) or `file`.
    names
        Of each group its name, in sorted order.
    code
        The group of each row of the posts, -1 for none; shape (rows,).
    """

    by: str
    names: tuple[str, ...]
    code: Int8

    @cached_property
    def n_rows(self) -> tuple[int, ...]:
        """Rows of posts in each group."""
        return tuple(int(np.count_nonzero(self.code == g)) for g in range(len(self.names)))


def groups_of(log: Log, /) -> Groups | None:
    """Return the groups of a log's posts, None where all are by one clock for all that is known.

    Posts are grouped by platform where there are several, else by how the ids of all accounts begin where they begin
    in 2 to 12 ways (`fb_1`, `tw_2`), else by file where there are 2 to 12.
    """
    n_posts: Counter[str] = Counter()
    for one in log.times:
        n_posts.update({one.platform: one.n_posts} if one.platform is not None else {})
    accounts = encode(log.posts["account_id"])
    if len(n_posts) > 1:
        names = sorted(sorted(n_posts, key=lambda name: (-n_posts[name], name))[:MOST_GROUPS])
        return Groups("platform", tuple(names), _of_platforms(labels_of(accounts), names)[codes_of(accounts)])
    marks = labels_of(accounts).str.extract(_MARK)
    if not marks.null_count() and 1 < marks.n_unique() <= MOST_GROUPS:
        code = encode(marks)
        return Groups(
            "account ids", tuple(labels_of(code)), codes_of(code).astype(np.int8)[codes_of(accounts)]
        )
    paths = sorted({source["path"] for source in log.sources})
    if log.files is None or not 1 < len(paths) <= MOST_GROUPS:
        return None
    return Groups("file", tuple(paths), log.files.to_numpy().astype(np.int8))


def _of_platforms(accounts: pl.Series, names: list[str]) -> Int8:
    """Return the platform of each account, by what the reader put before its id; -1 where that is none of them."""
    code = np.full(len(accounts), -1, np.int8)
    # Of two names of which one begins with the other and a colon the longer one comes last, and stands.
    for name in sorted(names, key=len):
        code[accounts.str.starts_with(f"{name}:").to_numpy()] = names.index(name)
    return code
