"""What a cluster's score is made of: what adds to it, and what cuts it."""

from __future__ import annotations

from propgraph.clusters import rules
from propgraph.clusters.judge import FEW_MEETINGS, NO_SYNCHRONY, weigh
from propgraph.report.figures.axes import WIDTH, Scale, boxes, drawing, line, text
from propgraph.report.figures.figure import AGAINST, INK, MARK, MUTED, Figure
from propgraph.report.words import READINGS
from propgraph.study import Study

_LEFT, _RIGHT, _TOP, _ROW = 274.0, 50.0, 34.0, 20.0
_LONGEST = 36

#: Each rule in a few plain words.
REASONS = {
    rules.SYNCHRONISED: "pairs close together beyond chance",
    rules.RELAYED: "the same few accounts pass things on",
    rules.AT_ONCE: "post the same far closer than others",
    rules.IN_STEP: "mostly at the same moment",
    rules.REPETITIVE: "met over many different things",
    rules.TURNOUT: "many of them at once, several times",
    rules.OWN_BURSTS: "whole bursts are theirs alone",
    rules.MISSION_ORDER: "take things in one order",
    rules.CREATED_TOGETHER: "accounts opened in lots",
    rules.ALIKE_PROFILES: "profiles made alike",
    rules.RECRUITER_TOKEN: "links carry tags of their own",
    rules.MANY_GROUPS: "put one link into many groups",
    rules.REGULAR_GAPS: "even gaps from group to group",
    rules.TEMPLATE_TEXT: "the same remarks word for word",
    rules.IN_SECONDS: "within seconds of each other",
    rules.LOW_ORIGINALITY: "hardly any posts of their own",
    rules.QUOTA_STOP: "stop at the same number of shares",
    rules.RELEASE_BURST: "start at once after a release",
    rules.SHIFT: "fewer hours a day than others",
    rules.SINGLE_SITE: "nearly all about one site",
}
_CUTS = {NO_SYNCHRONY: "no closer in time than others are", FEW_MEETINGS: "few meetings, which prove little"}


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
    caption = (
        "From 0 to the score, part by part: blue adds (+), orange cuts (−). Each further reason adds less, for the "
        f"score cannot pass 1. From {least:g} on (dashed) a cluster is flagged. The score is no probability."
    )
    return Figure(drawing(height, _drawn(steps, least), alt=alt), alt, caption)


def _drawn(steps: list[tuple[str, float, float]], least: float) -> list[str]:
    across = Scale(0, 1, _LEFT, WIDTH - _RIGHT)
    bottom = _TOP + (len(steps) + 1) * _ROW
    parts = [text(_LEFT, 14, "Score", colour=INK, size=13, bold=True)]
    for k in range(5):
        parts.append(f'<g opacity=".3">{line(across(k / 4), _TOP - 4, across(k / 4), bottom)}</g>')
        parts.append(text(across(k / 4), bottom + 16, f"{k / 4:g}", anchor="middle"))
    for k, (name, a, b) in enumerate(steps):
        y = _TOP + k * _ROW
        left, right = across(min(a, b)), across(max(a, b))
        fill = MARK if b >= a else AGAINST
        parts += [text(_LEFT - 8, y + 13, label(name), anchor="end", colour=INK)]
        parts += [boxes([(left, y + 2, max(right - left, 1.0), _ROW - 5)], fill=fill)]
        parts += [line(across(b), y + _ROW - 3, across(b), y + _ROW + 2)]
        parts += [text(WIDTH - 4, y + 13, f"{'+' if b >= a else '−'}{abs(b - a):.2f}", anchor="end")]
    score, y = steps[-1][2], _TOP + len(steps) * _ROW
    parts += [text(_LEFT - 8, y + 13, "score", anchor="end", colour=INK, bold=True)]
    parts += [boxes([(_LEFT, y + 2, max(across(score) - _LEFT, 1.0), _ROW - 5)], fill=MUTED)]
    parts += [text(WIDTH - 4, y + 13, f"{score:.2f}", anchor="end", colour=INK, bold=True)]
    parts += [line(across(least), _TOP - 4, across(least), bottom, colour=INK, dashes="4 3")]
    return [*parts, text(across(least) + 4, _TOP - 6, f"flagged from {least:g} on", colour=INK)]


def label(name: str, /) -> str:
    """Return what a part of the score is called in a figure."""
    words = REASONS.get(name) or _CUTS.get(name) or f"or: {READINGS.get(name, name).split(',')[0]}"
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"


def _alt(cluster_id: str, steps: list[tuple[str, float, float]], least: float) -> str:
    score = steps[-1][2]
    side = "at or above" if score >= least else "below"
    told = "; ".join(f"{label(name)} {b - a:+.2f}" for name, a, b in steps)
    return f"The score of {cluster_id} is {score:.2f}, {side} the {least:g} from which a cluster is flagged: {told}."
