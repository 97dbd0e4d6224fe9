"""One reason: its sentence, the posts that show it, and of how many."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from propgraph.report.document import Part
from propgraph.report.explain.timeline import timeline
from propgraph.report.words import reason as sentence
from propgraph.report.words import rule_heading
from propgraph.study import Study
from propgraph.words.said import said, tell


def reason_part(study: Study, reason: dict[str, Any], posts: int, /) -> Part:
    """Return a row of `evidence` with the posts that show it, at most so many."""
    shown = timeline(study, reason["content_ids"], most=posts)
    told = [sentence(reason)]
    if shown.height:
        told.append(of_how_many(reason, shown.height))
    return Part(rule_heading(reason["rule"]), tuple(told), shown if shown.height else None, reason["rule"])


def once(parts: Iterable[Part], /) -> list[Part]:
    """Return reasons with the same posts shown under the first of them only, the others naming it."""
    kept: list[Part] = []
    for part in parts:
        like = next((one for one in kept if _same(one, part)), None)
        told = () if like is None else (tell("explain.shown-under", name=like.heading),)
        kept.append(part if like is None else Part(part.heading, (*part.lines, *told), None, part.name))
    return kept


def _same(one: Part, other: Part) -> bool:
    return one.table is not None and other.table is not None and one.table.equals(other.table)


def of_how_many(reason: dict[str, Any], n: int, /) -> str:
    """Return of how many posts, or pairs of posts, `n` posts are shown; `reason` is a row of `evidence`."""
    kept, n_all = len(reason["content_ids"]), reason.get("n_all")
    of = said("explain.posts-of-kept", n=n, kept=kept) if n < kept else said("explain.posts", n=n)
    if n_all is None:
        return tell("explain.shown", of=of)
    if reason["counted"] == "posts":
        return tell("explain.shown-of-all", n=n, n_all=n_all)
    return tell("explain.shown-pairs", of=of, n_shown=reason["n_shown"], n_all=n_all)
