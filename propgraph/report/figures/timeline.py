"""The timeline: all posts, those of flagged clusters coloured, and dates that the user marks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import polars as pl

from propgraph.arrays.types import Int64
from propgraph.report.figures.axes import (
    WIDTH,
    Scale,
    boxes,
    clock,
    count_axis,
    day,
    drawing,
    line,
    moment_of,
    text,
    time_axis,
)
from propgraph.report.figures.figure import INK, MUTED, Figure, hue
from propgraph.study import Study
from propgraph.words.said import formatted, named, said, tell

Event = tuple[date, str]
"""A day or moment (UTC where it names no zone), and what it is called."""

_LEFT, _RIGHT, _HEIGHT, _LANE = 58.0, 78.0, 130.0, 24.0
_LANES, _NAMED = 12, 6
_MOST, _FEW = 170, 0.001
_WIDTHS_S = (60, 600, 3600, 86_400, 7 * 86_400, 28 * 86_400, 364 * 86_400)


def timeline(
    study: Study, /, events: Sequence[Event] = (), *, least_accounts: int = 1, day_: date | None = None
) -> Figure | None:
    """Draw all posts over time in grey, with those of flagged clusters coloured, all and cluster by cluster.

    Parameters
    ----------
    study
        A study with clusters.
    events
        Days or moments to mark, each with its name, e.g. `(date(2016, 11, 8), "election")`.
    least_accounts
        Smaller clusters are not told apart from the rest.
    day_
        One day (UTC) alone, from midnight to midnight; None draws all.

    Returns
    -------
    Figure or None
        None where there are no posts.
    """
    flagged = study.clusters.filter("flagged", pl.col("n_accounts") >= least_accounts)["cluster_id"].to_list()
    span = _span(study) if day_ is None else (_moment(day_), _moment(day_) + timedelta(days=1, seconds=-1))
    if span is None:
        return None
    low, high = span[0].timestamp(), span[1].timestamp()
    width = _width(high - low)
    # Bars stand on whole hours and days of UTC.
    low = low // min(width, 86_400) * min(width, 86_400)
    n = int((high - low) // width) + 1
    counts, lanes, outside = _counts(study, flagged, start=low, width=width, n=n)
    scale = Scale(low, low + n * width, _LEFT, WIDTH - _RIGHT)
    alt = _alt(counts, flagged, width, scale, span, lanes=lanes)
    parts, height = _drawn(counts, flagged, scale, _unit(width), lanes=lanes)
    marks, notes = _marks(events, scale, height)
    rest = len(flagged) - _LANES
    caption = tell(
        "timeline.caption", unit=_unit(width), each=said("timeline.each") if flagged else None,
        rest=said("timeline.rest", n=_LANES, n_more=rest) if rest > 0 else None,
    )  # fmt: skip
    if outside and day_ is None:
        notes.append(tell("timeline.outside", n=outside))
    return Figure(drawing(height + 24, [*marks, *parts], alt=alt), alt, " ".join([caption, *notes]))


def _span(study: Study) -> tuple[datetime, datetime] | None:
    """Return the first and the last time drawn: a few posts with impossible dates are not to squeeze all others."""
    ms = pl.col("timestamp").dt.epoch("ms")
    few = {"low": ms.quantile(_FEW, "nearest"), "high": ms.quantile(1 - _FEW, "nearest")}
    ends = study.scan("posts").select(first=ms.min(), last=ms.max(), **few).collect().row(0)
    if ends[0] is None:
        return None
    first, last, low, high = (end / 1000 for end in ends)
    far = max(high - low, 86_400.0)
    return moment_of(first if low - first <= far else low), moment_of(last if last - high <= far else high)


def _width(span_s: float) -> int:
    """Return how wide bars are, s: as many bars as a week has hours at most."""
    for width in _WIDTHS_S:
        if span_s / width <= _MOST:
            return width
    return math.ceil(span_s / _WIDTHS_S[-1] / _MOST) * _WIDTHS_S[-1]


def _unit(width: int) -> str:
    """Return what a bar's width is called."""
    if width > _WIDTHS_S[-1]:
        return tell("timeline.weeks", n=width // (7 * 86_400))
    return named("bar", width)


def _counts(
    study: Study, flagged: list[str], *, start: float, width: int, n: int
) -> tuple[Int64, Int64, int]:
    """Return posts by time, a row for each flagged cluster and a last one for all others; and those at other times.

    An account may stand in several clusters: in the first rows each post counts once, for the first of them; in the
    second, without a last one, for each.
    """
    number = pl.DataFrame(
        {"cluster_id": flagged, "k": range(len(flagged))}, schema={"cluster_id": pl.String, "k": pl.Int64}
    )
    members = study.scan("members").join(number.lazy(), on="cluster_id").select("account_id", "k")
    since = pl.col("timestamp").dt.epoch("ms") - round(start * 1000)
    posts = study.scan("posts").select("account_id", "content_id", bin=since // (width * 1000))
    first = members.group_by("account_id").agg(pl.col("k").min())
    tables = []
    for whose in (first, members):
        by = posts.join(whose, on="account_id", how="left").group_by(
            "bin", pl.col("k").fill_null(len(flagged))
        )
        table = by.agg(n=pl.col("content_id").n_unique()).collect()
        inside = table.filter(pl.col("bin").is_between(0, n - 1))
        counts = np.zeros((len(flagged) + 1, n), np.int64)
        counts[inside["k"].to_numpy(), inside["bin"].to_numpy()] = inside["n"].to_numpy()
        tables.append((counts, int(table["n"].sum() - counts.sum())))
    (once, outside), (lanes, _) = tables
    return once, lanes[:-1], outside


def _drawn(
    counts: Int64, flagged: list[str], scale: Scale, unit: str, *, lanes: Int64
) -> tuple[list[str], float]:
    top, n = 40.0, counts.shape[1]
    every = counts.sum(axis=0)
    up = Scale(0, float(every.max()), top + _HEIGHT, top)
    left = [scale.start + (scale.end - scale.start) * k / n for k in range(n)]
    wide = (scale.end - scale.start) / n * (0.9 if n < 60 else 1)
    parts = [
        text(
            _LEFT,
            14,
            tell("timeline.all-and-flagged", unit=unit) if flagged else tell("timeline.all", unit=unit),
            colour=INK,
            size=13,
            bold=True,
        )
    ]
    parts += count_axis(up, left=_LEFT, right=scale.end)
    low = np.zeros(n)
    # Nobody tells more colours apart, and hundreds of clusters would make a large file.
    stacked = [*counts[: len(flagged)][:_LANES], counts[_LANES:-1].sum(axis=0)]
    for k, of_one in enumerate(stacked):
        parts.append(_bars(left, wide, up, low, of_one, fill=hue(k) if k < len(flagged[:_LANES]) else MUTED))
        low = low + of_one
    parts.append(_bars(left, wide, up, low, counts[-1], fill=MUTED, opacity=0.4))
    y = top + _HEIGHT
    parts += [line(_LEFT, y, scale.end, y)]
    if flagged:
        parts.append(text(WIDTH - 4, y + 4, tell("timeline.posts"), anchor="end"))
    for k, name in enumerate(flagged[:_LANES]):
        y += _LANE
        own = Scale(0, float(lanes[k].max()) or 1.0, y, y - _LANE + 5)
        parts += [_bars(left, wide, own, np.zeros(n), lanes[k], fill=hue(k)), line(_LEFT, y, scale.end, y)]
        parts += [text(_LEFT - 6, y - 4, name, anchor="end", colour=INK)]
        parts += [text(WIDTH - 4, y - 4, formatted(int(lanes[k].sum()), "n"), anchor="end")]
    return parts + time_axis(scale, y), y


def _bars(
    left: list[float], wide: float, up: Scale, low: np.ndarray, high: Int64, *, fill: str, opacity: float = 1
) -> str:
    tall = [(x, up(a + b), wide, up(a) - up(a + b)) for x, a, b in zip(left, low, high, strict=True)]
    return boxes(tall, fill=fill, opacity=opacity)


def _marks(events: Sequence[Event], scale: Scale, height: float) -> tuple[list[str], list[str]]:
    """Return lines at the events inside the log's time, and what is to be said of them below."""
    known = sorted((_moment(when).timestamp(), name) for when, name in events)
    inside = [event for event in known if scale.low <= event[0] <= scale.high]
    parts = []
    for k, (when, name) in enumerate(inside):
        x = scale(when)
        shown = name if len(inside) <= _NAMED else str(k + 1)
        shown = shown if len(shown) <= 26 else shown[:25] + "…"
        side = "end" if x > (scale.start + scale.end) / 2 else "start"
        parts.append(line(x, 20, x, height, colour=INK, dashes="4 3"))
        parts.append(
            text(x + (-4 if side == "end" else 4), 26 + 12 * (k % 2), shown, anchor=side, colour=INK)
        )
    notes = []
    if len(inside) > _NAMED:
        marked = [
            said("timeline.mark", k=str(k), name=name, day=moment_of(when))
            for k, (when, name) in enumerate(inside, 1)
        ]
        notes.append(tell("timeline.marked", marks=marked))
    if len(known) > len(inside):
        notes.append(tell("timeline.dates-outside", n=len(known) - len(inside)))
    return parts, notes


def _moment(when: date) -> datetime:
    moment = when if isinstance(when, datetime) else datetime.combine(when, time())
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _alt(
    counts: Int64,
    flagged: list[str],
    width: int,
    scale: Scale,
    span: tuple[datetime, datetime],
    *,
    lanes: Int64,
) -> str:
    every, n = counts.sum(axis=0), counts.shape[1]
    busiest = int(every.argmax())
    when = said("timeline.on") if width == 86_400 else said("timeline.in-the", unit=_unit(width))
    part = int(counts[:-1].sum())
    of_each = [
        said(
            "timeline.of-cluster", cluster=name, n=int(lanes[k].sum()),
            start=_start(int(lanes[k].argmax()), n, scale),
        )
        for k, name in enumerate(flagged[:_NAMED])
    ]  # fmt: skip
    by_flagged = said(
        "timeline.by-flagged",
        n=part,
        part=float(part / counts.sum()),
        n_clusters=len(flagged),
        clusters=of_each,
    )
    return tell(
        "timeline.alt", n=int(counts.sum()), span=span, when=when, start=_start(busiest, n, scale),
        most=int(every.max()), flagged=by_flagged if flagged else said("timeline.none-flagged"),
    )  # fmt: skip


def _start(k: int, n: int, scale: Scale) -> str:
    width = (scale.high - scale.low) / n
    start = moment_of(scale.low + k * width)
    return clock(start) if width < 86_400 else day(start)
