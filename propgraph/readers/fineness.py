"""How fine each post's times are: what its file, on its platform, can tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from propgraph.encoding import codes_of, encode, grouped, labels_of
from propgraph.readers.resolution import resolutions_of
from propgraph.schema import SECONDS

#: Column of posts that says which file each comes from, by its number; it is never written.
SOURCE = "_source"
RESOLUTION = "time_resolution_s"


@dataclass(frozen=True)
class Fineness:
    """How fine the times of one file are, on one platform.

    Attributes
    ----------
    source
        The file's number.
    path
        The file's path.
    platform
        None where the posts have one platform, or none is known.
    n_posts
        Posts with such times.
    resolution_s
        Seconds; None where too few posts can tell.
    """

    source: int
    path: str
    platform: str | None
    n_posts: int
    resolution_s: float | None

    @property
    def what(self) -> str:
        """The file, and the platform where there are several."""
        return self.path if self.platform is None else f"{self.path} ({self.platform})"


def with_resolutions(
    posts: pl.DataFrame, sources: Sequence[dict[str, Any]], /
) -> tuple[pl.DataFrame, list[Fineness]]:
    """Return posts with `time_resolution_s` (where any is known) in the place of `SOURCE`, and what was found.

    Parameters
    ----------
    posts
        In canonical order: `content_id`, `timestamp`, `SOURCE` (a number), and `platform` where it is known.
    sources
        Of each file `path`, `reader`, `time_unit`, and `time_resolution_s`: how fine its times can be at most, by
        how they are written (s), None where that says nothing.
    """
    platforms, code = _platforms(posts)
    group = posts[SOURCE].to_numpy().astype(np.int64) * len(platforms) + code
    ids = posts["content_id"]
    first = np.flatnonzero((ids != ids.shift(1)).fill_null(True).to_numpy())  # a post may have several rows
    start, position = grouped(group[first], len(sources) * len(platforms))
    ms = posts["timestamp"].dt.timestamp("ms").to_numpy()[first]
    there = np.flatnonzero(np.diff(start)).tolist()
    of = [(sources[g // len(platforms)], platforms[g % len(platforms)]) for g in there]
    found = resolutions_of([
        ((one["reader"], one["time_unit"], platform), ms[position[start[g] : start[g + 1]]])
        for g, (one, platform) in zip(there, of, strict=True)
    ])  # fmt: skip
    times = [
        Fineness(
            g // len(platforms), one["path"], platform if len(platforms) > 1 else None, int(start[g + 1] - start[g]),
            max(step or 0.0, one[RESOLUTION] or 0.0) or None,
        )
        for g, (one, platform), step in zip(there, of, found, strict=True)
    ]  # fmt: skip
    return _with_column(posts.drop(SOURCE), group, dict(zip(there, times, strict=True))), times


def _platforms(posts: pl.DataFrame) -> tuple[list[str | None], Any]:
    """Return the platforms, None for where it is not known, and the number of each post's."""
    if "platform" not in posts.columns:
        return [None], 0
    if posts["platform"].n_unique() == 1:
        return [posts.item(0, "platform")], 0
    names = encode(posts["platform"].fill_null(""))
    return [name or None for name in labels_of(names)], codes_of(names).astype(np.int64)


def _with_column(posts: pl.DataFrame, group: Any, times: dict[int, Fineness]) -> pl.DataFrame:
    found = {g: one.resolution_s for g, one in times.items()}
    steps = set(found.values())
    if steps == {None}:
        return posts
    if len(steps) == 1:  # a constant takes no memory
        return posts.with_columns(pl.lit(steps.pop(), SECONDS).alias(RESOLUTION))
    by_group = pl.Series([found.get(g) for g in range(max(found) + 1)], dtype=SECONDS)
    return posts.with_columns(by_group.gather(pl.Series(group)).alias(RESOLUTION))


def of_sources(sources: Sequence[dict[str, Any]], times: Sequence[Fineness], /) -> list[dict[str, Any]]:
    """Return what `run.json` says of files, with what is known of their times: by platform where that differs."""
    told = []
    for k, source in enumerate(sources):
        mine = [one for one in times if one.source == k]
        new = {name: value for name, value in source.items() if name != RESOLUTION}
        if (step := coarsest(mine)) is not None:
            new[RESOLUTION] = step
        if len({one.resolution_s for one in mine}) > 1:
            new["time_resolution_s_by_platform"] = {one.platform or "": one.resolution_s for one in mine}
        told.append(new)
    return told


def coarsest(times: Sequence[Fineness], /) -> float | None:
    """Return the coarsest resolution (s), None where none is known."""
    return max((one.resolution_s for one in times if one.resolution_s is not None), default=None)
