"""A cluster explained on one screen: the reasons in a line each, a few posts, what else would fit, and what decides."""

from __future__ import annotations

from dataclasses import replace

from propgraph.clusters.rules import RULE
from propgraph.report.document import Document, Part
from propgraph.report.explain.tried import TRIED
from propgraph.words.said import tell

_POSTS = 3


def brief(document: Document, /, *, command: str) -> Document:
    """Return the same of a cluster in few lines; other things as they are.

    Parameters
    ----------
    document
        As `explain` returns it.
    command
        What is typed to see all of it.
    """
    if document.kind != "cluster" or ":" in document.subject:
        return document
    reasons = [part for part in document.parts if part.name in RULE]
    first, *others = (part for part in document.parts if part.name not in RULE)
    parts = [first, *_why(reasons), *(_short(part) for part in others if _answers(part))]
    return replace(document, parts=(*parts, Part(tell("brief.rest"), (tell("brief.more", command=command),))))


def _why(reasons: list[Part]) -> list[Part]:
    """Return all reasons as one part, with the first posts that show the first of them."""
    if not reasons:
        return []
    lines = tuple(
        tell("brief.reason", rule=part.heading, sentence=part.lines[0] if part.lines else "")
        for part in reasons
    )
    shown = next((part for part in reasons if part.table is not None), None)
    if shown is None or shown.table is None:
        return [Part(tell("brief.why"), lines)]
    posts = shown.table.head(_POSTS)
    told = tell("brief.posts", n=posts.height, rule=shown.heading)
    return [Part(tell("brief.why"), lines), Part(told, (), posts)]


def _answers(part: Part) -> bool:
    """Tell whether a part says something without its table."""
    return bool(part.lines) and not (
        part.table is not None and {"who", "one", "shared"} & set(part.table.columns)
    )


def _short(part: Part) -> Part:
    """Return a part without its table; of readings that do not fit their names alone."""
    if part.name != TRIED:
        return Part(part.heading, part.lines, name=part.name)
    names = [line.split(":")[0].strip() for line in part.lines]
    return Part(part.heading, (tell("brief.tried", names=names),))
