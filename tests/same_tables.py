"""Whether two studies say the same, but for where in the logs each post was read."""

from __future__ import annotations

PLACES = ("source", "line")


def same(one, other, name):
    """Tell whether a table is the same in two studies, byte by byte; of posts but for the places they stand in."""
    if name != "posts":
        return one.file(name).read_bytes() == other.file(name).read_bytes()
    first, second = (study.posts.drop(PLACES) for study in (one, other))
    return first.equals(second)
