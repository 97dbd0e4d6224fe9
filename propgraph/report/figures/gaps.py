"""How soon members of a cluster follow each other, beside the same times dealt out anew."""

from __future__ import annotations

import numpy as np
import polars as pl

from propgraph.arrays.types import Float64, Int64
from propgraph.report.figures.axes import WIDTH, Scale, boxes, count_axis, drawing, line, text
from propgraph.report.figures.figure import INK, MARK, MUTED, Figure
from propgraph.report.figures.inputs import common
from propgraph.study import Study
from propgraph.words.said import named, said, tell

_UNTIL_S = (1, 10, 60, 600, 3600, 6 * 3600, 86_400, 7 * 86_400)
_LEFT, _TOP, _HEIGHT = 50.0, 58.0, 150.0
_OBJECTS, _DRAWS, _LEAST = 300, 20, 10


def gaps(study: Study, cluster_id: str, /) -> Figure | None:
    """Draw how long after one member the next shares the same, beside dealing the times out anew among all sharers.

    Parameters
    ----------
    study
        A study with clusters.
    cluster_id
        The cluster.

    Returns
    -------
    Figure or None
        None where members followed each other fewer than ten times at what others shared, too.
    """
    shares = common(study, cluster_id).with_columns(
        mine=(pl.col("cluster_id") == cluster_id).fill_null(False)
    )
    objects = (
        shares.group_by("object_id")
        .agg(n=pl.len(), mine=pl.sum("mine"))
        .filter(pl.col("n") > pl.col("mine"))
        .sort("mine", "object_id", descending=[True, False])
    )
    rows = shares.join(
        objects.head(_OBJECTS).select("object_id"), on="object_id", how="semi", maintain_order="left"
    )
    until = _bins(study, cluster_id)
    seen, dealt = _counted(rows, until)
    if seen.sum() < _LEAST:
        return None
    n = min(objects.height, _OBJECTS)
    names = [tell("gaps.at-most", span=span) for span in _spans(until)] + [tell("gaps.longer")]
    alt = _alt(seen, dealt, _spans(until), n)
    parts = _drawn(seen / seen.sum(), dealt / dealt.sum(), names)
    rest = said("gaps.of-things", n=objects.height) if objects.height > n else None
    caption = tell("gaps.caption", n_steps=float(seen.sum()), n=n, n_deals=_DRAWS, rest=rest)
    return Figure(drawing(_TOP + _HEIGHT + 42, parts, alt=alt), alt, caption)


def _spans(until: Float64) -> list[str]:
    """Return the ends of the bins as people read them."""
    return [named("until", int(end)) for end in until]


def _bins(study: Study, cluster_id: str) -> Float64:
    """Return the ends of the bins, s: none finer than the times."""
    row = study.scan("clusters").filter(cluster_id=cluster_id).collect()
    fineness = row["time_resolution_s"].item() or 0.0
    return np.array([end for end in _UNTIL_S if end >= fineness], np.float64)


def _counted(rows: pl.DataFrame, until: Float64) -> tuple[Float64, Float64]:
    """Return steps between members by length, as they are and dealt anew; a last bin holds all longer ones."""
    ms, mine = rows["timestamp"].dt.epoch("ms").to_numpy(), rows["mine"].to_numpy()
    number = rows["object_id"].rle_id().to_numpy()
    start = np.searchsorted(number, np.arange(number[-1] + 2)) if number.size else np.zeros(1, np.int64)
    rng = np.random.default_rng(0)
    seen, dealt = np.zeros(until.size + 1), np.zeros(until.size + 1)
    for first, end in zip(start[:-1].tolist(), start[1:].tolist(), strict=True):
        times, own = ms[first:end], mine[first:end]
        seen += _steps(times[own], until)
        drawn = rng.permuted(np.tile(times, (_DRAWS, 1)), axis=1)[:, : int(own.sum())]
        dealt += _steps(np.sort(drawn, axis=1), until)
    return seen, dealt / _DRAWS


def _steps(times: Int64, until: Float64) -> Float64:
    steps = (np.diff(times) / 1000).ravel()
    return np.bincount(np.searchsorted(until, steps, "left"), minlength=until.size + 1).astype(np.float64)


def _drawn(seen: Float64, dealt: Float64, names: list[str]) -> list[str]:
    up = Scale(0, float(max(seen.max(), dealt.max())), _TOP + _HEIGHT, _TOP)
    wide = (WIDTH - _LEFT - 8) / len(names)
    parts = [text(_LEFT, 14, tell("gaps.title"), colour=INK, size=13, bold=True)]
    parts += [boxes([(_LEFT, 26, 12, 12)], fill=MARK), text(_LEFT + 18, 36, tell("gaps.as-it-was"))]
    parts += [boxes([(_LEFT + 100, 26, 12, 12)], fill=MUTED, opacity=0.5)]
    parts += [text(_LEFT + 118, 36, tell("gaps.dealt"))]
    parts += count_axis(up, left=_LEFT, right=WIDTH - 8, in_percent=True)
    for k, name in enumerate(names):
        x = _LEFT + k * wide
        parts += [boxes([(x + 4, up(seen[k]), wide / 2 - 5, up(0) - up(seen[k]))], fill=MARK)]
        parts += [
            boxes([(x + wide / 2, up(dealt[k]), wide / 2 - 5, up(0) - up(dealt[k]))], fill=MUTED, opacity=0.5)
        ]
        parts += [text(x + wide / 2, _TOP + _HEIGHT + 17, name, anchor="middle")]
    y = _TOP + _HEIGHT
    return [*parts, line(_LEFT, y, WIDTH - 8, y), text(_LEFT, y + 35, tell("gaps.note"))]


def _alt(seen: Float64, dealt: Float64, spans: list[str], n: int) -> str:
    of_seen, of_dealt = seen.cumsum() / seen.sum(), dealt.cumsum() / dealt.sum()
    steps = [
        said("gaps.within", span=span, part=float(of_seen[k]), dealt=float(of_dealt[k]))
        for k, span in enumerate(spans)
    ]
    return tell("gaps.alt", n_steps=float(seen.sum()), n=n, steps=steps)
