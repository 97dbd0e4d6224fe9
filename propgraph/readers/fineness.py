"""How fine each post's times are: what its file, on its platform, can tell.

A file may be put together of several exports. Accounts all of whose times are coarser than those of the others in it
are taken as if they stood in a file of their own; see `coarser`.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from propgraph.encoding import codes_of, encode, grouped, labels_of
from propgraph.readers.coarser import coarser_accounts
from propgraph.readers.resolution import resolutions_of
from propgraph.schema import SECONDS

Int64 = npt.NDArray[np.int64]

#: Column of posts that says which file each comes from, by its number; it is never written.
SOURCE = "_source"
RESOLUTION = "time_resolution_s"


@dataclass(frozen=True)
class Fineness:
    """How fine the times of one file are, on one platform; or those of some accounts there.

    Attributes
    ----------
    path
        The file's path.
    platform
        None where the posts have one platform, or none is known.
    n_posts
        Posts with such times.
    resolution_s
        Seconds; None where too few posts can tell.
    n_accounts
        How many accounts, where it is some all of whose times are coarser than those of the others; else None.
    """

    path: str
    platform: str | None
    n_posts: int
    resolution_s: float | None
    n_accounts: int | None = None

    @property
    def what(self) -> str:
        """The file, and the platform where there are several, and how many accounts where it is some."""
        some = [] if self.n_accounts is None else [f"{self.n_accounts:,} accounts"]
        parts = [*([] if self.platform is None else [self.platform]), *some]
        return f"{self.path} ({', '.join(parts)})" if parts else self.path


@dataclass(frozen=True)
class _Groups:
    """The posts of each file on each platform, and of some accounts there.

    Attributes
    ----------
    of
        The file's and the platform's number, one a post.
    account
        The number of its account.
    ms
        Its time.
    start, position
        The posts of group `g` are `position[start[g]:start[g + 1]]`.
    kinds
        What was written by the same program in the same way, by group.
    """

    of: Int64
    account: npt.NDArray[np.uint32]
    ms: Int64
    start: Int64
    position: Int64
    kinds: Mapping[int, Hashable]

    def posts(self, *groups: int) -> Int64:
        """Return the places of the posts of some groups."""
        parts = [self.position[self.start[g] : self.start[g + 1]] for g in groups]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)


@dataclass(frozen=True)
class _Apart:
    """Accounts (marked, by number) of some groups whose times are coarser than those of the others there (s)."""

    groups: list[int]
    accounts: npt.NDArray[np.bool_]
    resolution_s: float


def with_resolutions(
    posts: pl.DataFrame, sources: Sequence[dict[str, Any]], /
) -> tuple[pl.DataFrame, list[Fineness]]:
    """Return posts with `time_resolution_s` (where any is known) in the place of `SOURCE`, and what was found.

    Parameters
    ----------
    posts
        In canonical order: `content_id`, `account_id`, `timestamp`, `SOURCE` (a number), and `platform` where it is
        known.
    sources
        Of each file `path`, `reader`, `time_unit`, and `time_resolution_s`: how fine its times can be at most, by
        how they are written (s), None where that says nothing.
    """
    platforms, code = _platforms(posts)
    group = posts[SOURCE].to_numpy().astype(np.int64) * len(platforms) + code
    account = codes_of(encode(posts["account_id"]))
    ids = posts["content_id"]
    first = np.flatnonzero((ids != ids.shift(1)).fill_null(True).to_numpy())  # a post may have several rows
    start, position = grouped(group[first], len(sources) * len(platforms))
    of = {
        g: (sources[g // len(platforms)], platforms[g % len(platforms)])
        for g in np.flatnonzero(np.diff(start)).tolist()
    }
    kinds = {g: (one["reader"], one["time_unit"], platform) for g, (one, platform) in of.items()}
    ms = posts["timestamp"].dt.timestamp("ms").to_numpy()[first]
    log = _Groups(group[first], account[first], ms, start, position, kinds)
    found = resolutions_of([(kind, log.ms[log.posts(g)]) for g, kind in kinds.items()])
    times = {
        g: Fineness(
            one["path"], platform if len(platforms) > 1 else None, log.posts(g).size,
            max(step or 0.0, one[RESOLUTION] or 0.0) or None,
        )
        for (g, (one, platform)), step in zip(of.items(), found, strict=True)
    }  # fmt: skip
    apart = list(_apart(log, times))
    known = {g: one.resolution_s for g, one in times.items()}
    for number, some in enumerate(apart, start.size):
        group[np.isin(group, some.groups) & some.accounts[account]] = number
        known[number] = some.resolution_s
    return _with_column(posts.drop(SOURCE), group, known), list(_told(log, times, apart))


def _apart(log: _Groups, times: dict[int, Fineness]) -> Iterator[_Apart]:
    """Yield accounts that are coarser than others, among the files of one kind that are as fine."""
    alike: dict[tuple[Hashable, float | None], list[int]] = {}
    for g, one in times.items():
        alike.setdefault((log.kinds[g], one.resolution_s), []).append(g)
    for (_, step), groups in alike.items():
        where = log.posts(*groups)
        for accounts, coarser in coarser_accounts(log.ms[where], log.account[where], than_s=step):
            marked = np.zeros(int(log.account.max()) + 1, np.bool_)
            marked[accounts] = True
            yield _Apart(groups, marked, coarser)


def _told(log: _Groups, times: dict[int, Fineness], apart: Sequence[_Apart]) -> Iterator[Fineness]:
    """Yield how fine the times of each group are, and those of the accounts that are apart there."""
    for g, one in times.items():
        left, others = one.n_posts, []
        for some in (some for some in apart if g in some.groups):
            account = log.account[log.posts(g)]
            mine = account[some.accounts[account]]
            if mine.size:
                left -= mine.size
                n_accounts = np.unique(mine).size
                others.append(
                    replace(one, n_posts=mine.size, resolution_s=some.resolution_s, n_accounts=n_accounts)
                )
        yield from [replace(one, n_posts=left)] if left else []
        yield from others


def _platforms(posts: pl.DataFrame) -> tuple[list[str | None], Any]:
    """Return the platforms, None for where it is not known, and the number of each post's."""
    if "platform" not in posts.columns:
        return [None], 0
    if posts["platform"].n_unique() == 1:
        return [posts.item(0, "platform")], 0
    names = encode(posts["platform"].fill_null(""))
    return [name or None for name in labels_of(names)], codes_of(names).astype(np.int64)


def _with_column(posts: pl.DataFrame, group: Int64, known: dict[int, float | None]) -> pl.DataFrame:
    steps = set(known.values())
    if steps == {None}:
        return posts
    if len(steps) == 1:  # a constant takes no memory
        return posts.with_columns(pl.lit(steps.pop(), SECONDS).alias(RESOLUTION))
    by_group = pl.Series([known.get(g) for g in range(max(known) + 1)], dtype=SECONDS)
    return posts.with_columns(by_group.gather(pl.Series(group)).alias(RESOLUTION))


def of_sources(sources: Sequence[dict[str, Any]], times: Sequence[Fineness], /) -> list[dict[str, Any]]:
    """Return what `run.json` says of files, with what is known of their times: by platform where that differs.

    And of accounts that are coarser than the others of their file.
    """
    told = []
    for source in sources:
        mine = [one for one in times if one.path == source["path"]]
        new = {name: value for name, value in source.items() if name != RESOLUTION}
        if (step := coarsest(mine)) is not None:
            new[RESOLUTION] = step
        by_platform = {one.platform or "": one.resolution_s for one in mine if one.n_accounts is None}
        if len(set(by_platform.values())) > 1:
            new["time_resolution_s_by_platform"] = by_platform
        apart = [one for one in mine if one.n_accounts is not None]
        if apart:
            new["coarser_accounts"] = [
                {"n_accounts": one.n_accounts, "n_posts": one.n_posts, RESOLUTION: one.resolution_s}
                for one in apart
            ]
        told.append(new)
    return told


def coarsest(times: Sequence[Fineness], /) -> float | None:
    """Return the coarsest resolution (s), None where none is known."""
    return max((one.resolution_s for one in times if one.resolution_s is not None), default=None)
