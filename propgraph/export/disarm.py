"""Techniques of the DISARM red framework (2025-02) that may be meant by what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Technique = tuple[str, str]
"""Its id, and what it is called."""

_AMPLIFY = ("T0049.001", "Trolls Amplify and Manipulate (or T0049.003: human or machine not told)")
_AUTOMATED = (
    "T0049.003",
    "Bots Amplify via Automated Forwarding and Reposting (or T0049.001: human or machine not told)",
)
#: By the rules that fired. None of them is a finding of its own.
_BY_FLAG: Mapping[str, tuple[tuple[str, str], ...]] = {
    **dict.fromkeys(
        ("synchronised", "at-once", "in-step", "within-seconds", "own-bursts"), (_AMPLIFY, _AUTOMATED)
    ),
    "turnout": (("T0049.005", "Conduct Swarming"),),
    "template-text": (("T0084.001", "Use Copypasta"),),
    "many-groups": (("T0119.001", "Post across Groups"),),
}
_BY_TRACE: Mapping[str, tuple[tuple[str, str], ...]] = {
    "hashtag": (("T0049.002", "Flood Existing Hashtag"),),
    "text": (("T0084.001", "Use Copypasta"),),
    "near-text": (("T0084.001", "Use Copypasta"),),
}
_PLATFORMS = (("T0119.002", "Post across Platform"),)
_SITES = (("T0049.007", "Inauthentic Sites Amplify News and Narratives"),)
#: All that could be offered, and others on the same subject that no log of posts shows.
_NOT_SHOWN = (
    ("T0060", "Continue to Amplify"),
    ("T0084.002", "Plagiarise Content"),
    ("T0093", "Acquire/Recruit Network"),
    ("T0098.001", "Create Inauthentic News Sites"),
    ("T0118", "Amplify Existing Narrative"),
)
SITES = _SITES


def techniques_of(
    row: Mapping[str, Any], /, *, traces: Iterable[str], n_platforms: int, seeds_sites: bool
) -> list[Technique]:
    """Return the techniques that may be meant by what was measured of a cluster, by id.

    Parameters
    ----------
    row
        Its row of the table `clusters`.
    traces
        Those in which its campaign met.
    n_platforms
        On how many platforms its members post.
    seeds_sites
        Whether it pushed a flagged site most.
    """
    offered = [one for flag in row["flags"] for one in _BY_FLAG.get(flag, ())]
    for trace in traces:
        offered += _BY_TRACE.get(trace, ())
    offered += _PLATFORMS if n_platforms > 1 else ()
    offered += _SITES if seeds_sites else ()
    return sorted(set(offered))


def all_techniques() -> Sequence[Technique]:
    """Return all techniques that are offered or named as not shown, by id."""
    tables = (*_BY_FLAG.values(), *_BY_TRACE.values(), _PLATFORMS, _SITES, _NOT_SHOWN)
    return sorted({one for table in tables for one in table})


def flags_of(technique: Technique, /) -> list[str]:
    """Return the rules by which a technique is offered."""
    return [flag for flag, offered in _BY_FLAG.items() if technique in offered]
