"""What a cluster's score is made of: what adds to it, and what cuts it."""

from __future__ import annotations

from propgraph.clusters.judge import FEW_MEETINGS, NO_SYNCHRONY, weigh
from propgraph.clusters.rules import RULE
from propgraph.report.figures.axes import WIDTH, Scale, boxes, drawing, line, text
from propgraph.report.figures.figure import AGAINST, INK, MARK, MUTED, Figure
from propgraph.study import Study
from propgraph.words.said import formatted, named, said, tell

_LEFT, _RIGHT, _TOP, _ROW = 274.0, 50.0, 34.0, 20.0
_LONGEST = 36

_CUTS = (NO_SYNCHRONY, FEW_MEETINGS)


def waterfall(study: Study, cluster_id: str, /) -> Figure | None:
    """Draw what adds to a cluster's score and what cuts it, in the order in which it is weighed.

    Parameters
    ----------
    study
        A study with clusters.
    cluster_id
        The cluster.

    Returns
    -------
    Figure or None
        None where no rule fired.
    """
    row = study.scan("clusters").filter(cluster_id=cluster_id).collect().row(0, named=True)
    weighed = weigh(row["flags"], row["innocent"])
    if not weighed:
        return None
    least: float = study.run["clusters"]["parameters"]["min_score"]
    before = [0.0, *(score for _, score in weighed[:-1])]
    steps = [(name, a, b) for (name, b), a in zip(weighed, before, strict=True)]
    alt = _alt(cluster_id, steps, least)
    height = _TOP + (len(steps) + 1) * _ROW + 24
    caption = tell("waterfall.caption", least=least)
    return Figure(drawing(height, _drawn(steps, least), alt=alt), alt, caption)


def _drawn(steps: list[tuple[str, float, float]], least: float) -> list[str]:
    across = Scale(0, 1, _LEFT, WIDTH - _RIGHT)
    bottom = _TOP + (len(steps) + 1) * _ROW
    parts = [text(_LEFT, 14, tell("waterfall.score"), colour=INK, size=13, bold=True)]
    for k in range(5):
        parts.append(f'<g opacity=".3">{line(across(k / 4), _TOP - 4, across(k / 4), bottom)}</g>')
        parts.append(text(across(k / 4), bottom + 16, formatted(k / 4, "g"), anchor="middle"))
    for k, (name, a, b) in enumerate(steps):
        y = _TOP + k * _ROW
        left, right = across(min(a, b)), across(max(a, b))
        fill = MARK if b >= a else AGAINST
        parts += [text(_LEFT - 8, y + 13, label(name), anchor="end", colour=INK)]
        parts += [boxes([(left, y + 2, max(right - left, 1.0), _ROW - 5)], fill=fill)]
        parts += [line(across(b), y + _ROW - 3, across(b), y + _ROW + 2)]
        parts += [text(WIDTH - 4, y + 13, _change(b - a), anchor="end")]
    score, y = steps[-1][2], _TOP + len(steps) * _ROW
    parts += [text(_LEFT - 8, y + 13, tell("waterfall.sum"), anchor="end", colour=INK, bold=True)]
    parts += [boxes([(_LEFT, y + 2, max(across(score) - _LEFT, 1.0), _ROW - 5)], fill=MUTED)]
    parts += [text(WIDTH - 4, y + 13, formatted(score, "n2"), anchor="end", colour=INK, bold=True)]
    parts += [line(across(least), _TOP - 4, across(least), bottom, colour=INK, dashes="4 3")]
    return [*parts, text(across(least) + 4, _TOP - 6, tell("waterfall.from", least=least), colour=INK)]


def label(name: str, /) -> str:
    """Return what a part of the score is called in a figure."""
    if name in _CUTS:
        words = named("short-cut", name)
    elif name in RULE:
        words = named("reason", name)
    else:
        words = tell("waterfall.or", reading=named("meaning", name).split(",")[0])
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"


def _alt(cluster_id: str, steps: list[tuple[str, float, float]], least: float) -> str:
    score = steps[-1][2]
    told = [said("waterfall.step", name=label(name), change=b - a) for name, a, b in steps]
    key = "waterfall.at-or-above" if score >= least else "waterfall.below"
    return tell(key, cluster=cluster_id, score=score, least=least, steps=told)


def _change(change: float) -> str:
    return f"{'+' if change >= 0 else '−'}{formatted(abs(change), 'n2')}"
