"""How fine each post's times are: what its file, on its platform, can tell.

A file may be put together of several exports. Posts that are coarser than the others in it are taken as if they stood
in a file of their own; see `coarser`.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from propgraph.arrays.encoding import codes_of, encode, grouped, labels_of
from propgraph.arrays.types import Int64, UInt32
from propgraph.readers.times.coarser import coarser_posts
from propgraph.resolution import resolutions_of
from propgraph.schema import SECONDS

#: Column of posts that says which file each comes from, by its number; it is never written.
SOURCE = "_source"
RESOLUTION = "time_resolution_s"


@dataclass(frozen=True)
class Fineness:
    """How fine the times of one file are, on one platform; or those of some posts there.

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
        How many accounts have them, where it is some posts that are coarser than the others there; else None.
    """

    path: str
    platform: str | None
    n_posts: int
    resolution_s: float | None
    n_accounts: int | None = None

    @property
    def what(self) -> str:
        """The file, and the platform where there are several; where it is some of the posts, of how many accounts."""
        some = [] if self.n_accounts is None else [f"posts of {self.n_accounts:,} accounts"]
        parts = [*([] if self.platform is None else [self.platform]), *some]
        return f"{self.path} ({', '.join(parts)})" if parts else self.path


@dataclass(frozen=True)
class _Groups:
    """The posts of each file on each platform.

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
    account: UInt32
    ms: Int64
    start: Int64
    position: Int64
    kinds: Mapping[int, Hashable]

    def posts(self, *groups: int) -> Int64:
        """Return the places of the posts of some groups."""
        parts = [self.position[self.start[g] : self.start[g + 1]] for g in groups]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)


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
    known = {g: one.resolution_s for g, one in times.items()}
    coarser = _coarser(log, times)
    if coarser is None:
        return _with_column(posts.drop(SOURCE), group, known), list(times.values())
    n_rows = np.diff(np.append(first, posts.height))
    for number, step in enumerate(np.unique(coarser[coarser > 0]).tolist(), start.size):
        group[np.repeat(coarser == step, n_rows)] = number
        known[number] = step / 1000
    return _with_column(posts.drop(SOURCE), group, known), list(_told(log, times, coarser))


def _coarser(log: _Groups, times: dict[int, Fineness]) -> Int64 | None:
    """Return the step (ms) of posts that are coarser than others of their kind's files, 0 for others; None: no post is.

    Files of one kind that are as fine as each other are looked at together.
    """
    alike: dict[tuple[Hashable, float | None], list[int]] = {}
    for g, one in times.items():
        alike.setdefault((log.kinds[g], one.resolution_s), []).append(g)
    coarser = None
    for (_, step), groups in alike.items():
        where = log.posts(*groups)
        found = coarser_posts(log.ms[where], log.account[where], than_s=step)
        if found is not None:
            coarser = np.zeros(log.ms.size, np.int64) if coarser is None else coarser
            coarser[where] = found
    return coarser


def _told(log: _Groups, times: dict[int, Fineness], coarser: Int64) -> Iterator[Fineness]:
    """Yield how fine the times of each group are, and those of the posts that are coarser there."""
    for g, one in times.items():
        account, step = log.account[log.posts(g)], coarser[log.posts(g)]
        for apart in np.unique(step).tolist():
            mine = account[step == apart]
            told = replace(one, n_posts=mine.size)
            if apart:
                told = replace(told, resolution_s=apart / 1000, n_accounts=np.unique(mine).size)
            yield told


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
    # Of a file's rows each may belong to a post that began in another: nothing is known of that file's own.
    by_group = pl.Series([known.get(g) for g in range(int(group.max()) + 1)], dtype=SECONDS)
    return posts.with_columns(by_group.gather(pl.Series(group)).alias(RESOLUTION))


def of_sources(sources: Sequence[dict[str, Any]], times: Sequence[Fineness], /) -> list[dict[str, Any]]:
    """Return what `run.json` says of files, with what is known of their times: by platform where that differs.

    And of posts that are coarser than the others of their file.
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
            new["coarser_posts"] = [
                {"n_accounts": one.n_accounts, "n_posts": one.n_posts, RESOLUTION: one.resolution_s}
                for one in apart
            ]
        told.append(new)
    return told


def coarsest(times: Sequence[Fineness], /) -> float | None:
    """Return the coarsest resolution (s), None where none is known."""
    return max((one.resolution_s for one in times if one.resolution_s is not None), default=None)
