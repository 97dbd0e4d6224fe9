"""What traces are made of: the posts, and what several traces find in them, found once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import polars as pl

from propgraph.traces.links import Links, find_links
from propgraph.traces.tags import find_hashtags
from propgraph.traces.text import Texts, find_texts


@dataclass(frozen=True, eq=False)
class Material:
    """Posts as the traces take them.

    Attributes
    ----------
    posts
        Columns of `schema.POSTS` (those known), and `row`: the first row of each row's post.
    resolved
        Where short links lead, as `usable_links` returns it; None where nobody knows.
    asked
        Traces that were asked for by name.
    """

    posts: pl.DataFrame
    resolved: pl.DataFrame | None = None
    asked: tuple[str, ...] = ()

    @cached_property
    def links(self) -> Links:
        """The links of the posts, canonical."""
        return find_links(self.posts, self.resolved)

    @cached_property
    def texts(self) -> Texts:
        """The texts of the posts, normalised."""
        return find_texts(self.posts)

    @cached_property
    def hashtags(self) -> pl.Series:
        """The hashtags of each post, in order of writing."""
        return find_hashtags(self.posts)
