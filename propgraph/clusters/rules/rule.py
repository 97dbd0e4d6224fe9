"""What a rule is: a value of a cluster held against a threshold and against what is usual, with a sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from propgraph.clusters.baseline import Baseline, Row
from propgraph.words.said import Said, said


@dataclass(frozen=True)
class Finding:
    """One rule held against one cluster; `said` is the reason with its facts."""

    rule: str
    value: float
    threshold: float
    expected: float | None
    fires: bool
    said: Said

    @property
    def sentence(self) -> str:
        """The reason in English, as the table `evidence` has it."""
        return self.said.english


@dataclass(frozen=True)
class Rule:
    """One rule, whole.

    Attributes
    ----------
    name
        As in the column `flags`.
    weight
        What it adds to the score, 0..1.
    check
        Holds it against a cluster's figures; None where it does not apply.
    shows
        Picks the posts that show a finding best out of the cluster's (see `evidence.posts_of_finding`). None where
        pairs, or posts chosen with the figures, show it.
    in_trace
        Only posts of the trace whose timing is shown count.
    posts
        The figure that holds the ids of the posts that show it, where they are chosen with the figures.
    all_posts
        Picks all posts that show it, of which `shows` takes the best; None where that is no number of posts.
    all_pairs
        The figure that counts the pairs of posts that show it, where it is about pairs of posts.
    """

    name: str
    weight: float
    check: Callable[[Row, Baseline], Finding | None]
    shows: Callable[[pl.DataFrame], pl.DataFrame] | None
    in_trace: bool = False
    posts: str | None = None
    all_posts: Callable[[pl.DataFrame], pl.DataFrame] | None = None
    all_pairs: str | None = None


def about(expected: float) -> Said:
    """Return a number that chance, or the others, would give: whole, or fewer than one."""
    return said("words.fewer-than-one") if expected < 1 else said("words.count", n=expected)
