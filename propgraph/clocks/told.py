"""Clocks that differ, in words and for the run record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import polars as pl

from propgraph.clocks.align import n_moved
from propgraph.clocks.find import Clock
from propgraph.clocks.groups import Groups
from propgraph.clocks.peaks import NEAR_MS, QUARTER_MS
from propgraph.clocks.stretches import Stretch


def clock_notes(groups: Groups, clocks: Sequence[Clock], /, *, aligned: bool) -> Iterator[str]:
    """Yield a sentence for each clock that differs from its reference's; `aligned`: the times were moved."""
    for clock in clocks:
        if not clock.is_off:
            continue
        name, reference = groups.names[clock.group], groups.names[clock.reference]
        parts = [part for part in map(_told, clock.stretches) if part]
        n = sum(stretch.n_objects for stretch in clock.stretches if stretch.offset)
        of = sum(stretch.n_common for stretch in clock.stretches if stretch.offset)
        with_whom = "" if clock.by == clock.reference else f" with {groups.names[clock.by]}"
        evidence = (
            f"{n:,} of {of:,} common objects (trace {clock.trace}{with_whom}) lie within {NEAR_MS // 1000} s of that, "
            "as if posted to both at once"
        )
        head = f"clocks differ: by the clock of {reference}, times of {name} are {', '.join(parts)}"
        if aligned:
            yield f"{head}: {evidence}; they were moved to the clock of {reference}, which has more posts"
        else:
            yield (
                f"{head}: {evidence}. --align-clocks (in Python: align_clocks=True) moves them to the clock of "
                f"{reference}, which has more posts; times are left as they are, for a tool that posts everything "
                "again that much later looks the same"
            )


def clocks_record(
    times: pl.Series, groups: Groups, clocks: Sequence[Clock], /, *, aligned: bool
) -> dict[str, Any]:
    """Return what `run.json` says of the clocks.

    Parameters
    ----------
    times
        Of the posts, as they were read.
    groups, clocks
        Of these posts.
    aligned
        Whether they were moved.
    """
    references = {clock.reference for clock in clocks}
    known = references | {clock.group for clock in clocks}
    return {
        "by": groups.by,
        "n_rows": dict(zip(groups.names, groups.n_rows, strict=True)),
        "aligned": aligned,
        "compared": [_record(clock, groups, n_moved(times, groups, clock)) for clock in clocks],
        "not_known": [name for g, name in enumerate(groups.names) if g not in known],
    }


def _record(clock: Clock, groups: Groups, n_rows: list[int]) -> dict[str, Any]:
    return {
        "name": groups.names[clock.group],
        "reference": groups.names[clock.reference],
        "compared_with": groups.names[clock.by],
        "trace": clock.trace,
        "stretches": [
            {
                "ahead_s": stretch.offset * QUARTER_MS // 1000,
                "from": _iso(stretch.start),
                "to": _iso(stretch.stop),
                "n_objects": stretch.n_objects,
                "n_common": stretch.n_common,
                "n_rows": n,
            }
            for stretch, n in zip(clock.stretches, n_rows, strict=True)
        ],
    }


def _told(stretch: Stretch) -> str:
    """Return how a clock goes in a stretch: `4 h ahead from 2021-03-28`; nothing where it is right."""
    if not stretch.offset:
        return ""
    hours, quarters = divmod(abs(stretch.offset), 4)
    words = [f"{hours} h"] * (hours > 0) + [f"{15 * quarters} min"] * (quarters > 0)
    dates = [
        f"{word} {shown[:10]}"
        for word, shown in (("from", _iso(stretch.start)), ("to", _iso(stretch.stop)))
        if shown is not None
    ]
    return " ".join([*words, "ahead" if stretch.offset > 0 else "behind", *dates])


def _iso(time: int | None) -> str | None:
    return None if time is None else datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
