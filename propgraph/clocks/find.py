"""Which groups of posts have clocks that differ, by the objects that two of them share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from propgraph.arrays.encoding import codes_of, encode
from propgraph.arrays.kernels import kernel
from propgraph.arrays.types import Int8, Int64, UInt32
from propgraph.clocks.groups import Groups
from propgraph.clocks.peaks import NEAR_MS, QUARTER_MS
from propgraph.clocks.stretches import Stretch, find_stretches
from propgraph.readers.times.fineness import RESOLUTION

#: Traces whose objects go from place to place with who posts them, the most telling first. Domains are too coarse, and
#: what is reshared or replied to stays on its platform.
TRACES = ("url", "object", "image", "text", "hashtag-sequence", "hashtag")
# So many common objects are enough to stop at a trace; else the one with most of them is taken.
_ENOUGH_OBJECTS = 100


@dataclass(frozen=True)
class Clock:
    """How the clock of one group goes by that of another.

    Attributes
    ----------
    group
        The group's number.
    by
        The number of the group that it was compared with, on whose clock or on that of the reference by now.
    reference
        The group on whose clock all are that were compared with each other: the one with most posts.
    trace
        Whose objects were compared.
    stretches
        Offsets from the reference's clock, in order of time; one of 0 where they agree.
    """

    group: int
    by: int
    reference: int
    trace: str
    stretches: tuple[Stretch, ...]

    @property
    def is_off(self) -> bool:
        """Whether it differs from the reference's at any time."""
        return any(stretch.offset for stretch in self.stretches)

    def shift(self, time: Int64, /) -> Int64:
        """Return what has to be added to times (ms) of the group to have them by the reference's clock."""
        starts = [stretch.start for stretch in self.stretches if stretch.start is not None]
        offsets = np.array([stretch.offset for stretch in self.stretches])
        return np.asarray(-QUARTER_MS * offsets[np.searchsorted(starts, time, side="right")])


@dataclass(frozen=True)
class _Firsts:
    """The first share of each object in each group; rows by object.

    Attributes
    ----------
    object, account, post
        Numbers of the object, the account and the post's row.
    time
        ms since 1970.
    """

    object: UInt32
    account: Int64
    post: Int64
    time: Int64


def find_clocks(shares: Mapping[str, pl.DataFrame], groups: Groups, /) -> list[Clock]:
    """Return the clocks of all groups but the references, as far as they can be told.

    From the group with most posts on, that one of the others is taken next which has most objects at the offset from a
    group that was taken already, and is put on its clock. When none has a peak, the largest of those left is the next
    reference.

    Parameters
    ----------
    shares
        As `make_shares` returns them.
    groups
        Of the posts of which the shares were made.
    """
    firsts = {trace: _firsts(shares[trace], groups) for trace in TRACES if trace in shares}
    left = sorted(range(len(groups.names)), key=lambda g: (-groups.n_rows[g], g))
    found: list[Clock] = []
    while left:
        reference = left.pop(0)
        placed = [reference]
        tried: dict[tuple[int, int], Clock | None] = {}
        while left:
            for g in left:
                if (g, placed[-1]) not in tried:
                    tried[g, placed[-1]] = _compared(firsts, g, placed[-1], reference)
            told = [clock for by in placed for g in left if (clock := tried[g, by]) is not None]
            best = max(told, key=_n_objects, default=None)
            if best is None:
                break
            found.append(best)
            placed.append(best.group)
            left.remove(best.group)
            _put_right(firsts, best)
    return found


def _n_objects(clock: Clock, /) -> int:
    return sum(stretch.n_objects for stretch in clock.stretches)


def _put_right(firsts: Mapping[str, list[_Firsts]], clock: Clock) -> None:
    for of_groups in firsts.values():
        one = of_groups[clock.group]
        one.time[:] += clock.shift(one.time)


def _compared(firsts: Mapping[str, list[_Firsts]], g: int, by: int, reference: int) -> Clock | None:
    best, most = None, 0
    for trace, of_groups in firsts.items():
        common = np.intersect1d(
            of_groups[g].object, of_groups[by].object, assume_unique=True, return_indices=True
        )
        if common[0].size > most:
            best, most = (trace, common[1], common[2]), common[0].size
        if most >= _ENOUGH_OBJECTS:
            break
    if best is None:
        return None
    trace, own, others = best
    stretches = find_stretches(*_differences(firsts[trace][g], firsts[trace][by], own, others))
    return Clock(g, by, reference, trace, tuple(stretches)) if stretches else None


def _differences(one: _Firsts, other: _Firsts, rows: Int64, others: Int64) -> tuple[Int64, Int64, Int64]:
    """Return times, differences and pairs of accounts as `find_stretches` takes them: each pair of posts once."""
    if not _are_distinct(one.post[rows]):
        posts = pl.DataFrame({"own": one.post[rows], "other": other.post[others]}).with_row_index("place")
        place = posts.unique(["own", "other"], keep="first", maintain_order=True)["place"].to_numpy()
        rows, others = rows[place], others[place]
    pair = one.account[rows] * (int(other.account.max()) + 1) + other.account[others]
    return one.time[rows], one.time[rows] - other.time[others], pair


def _firsts(shares: pl.DataFrame, groups: Groups) -> list[_Firsts]:
    """Return the first shares in each group, of objects that several groups share; of posts fine enough in time."""
    objects, posts = codes_of(shares["object_id"]), shares["row"].to_numpy()
    code = groups.code
    if RESOLUTION in shares.columns and (shares[RESOLUTION] > NEAR_MS / 1000).any():
        code = code.copy()
        code[posts[(shares[RESOLUTION] > NEAR_MS / 1000).fill_null(False).to_numpy()]] = -1
    rows = _first_rows(objects, posts, code, len(groups.names))
    found = shares.select("account_id", "timestamp")[pl.Series(rows.astype(np.uint32))]
    account = codes_of(encode(found["account_id"])).astype(np.int64)
    time = found["timestamp"].dt.timestamp("ms").to_numpy()
    return [
        _Firsts(objects[rows[here]], account[here], posts[rows[here]].astype(np.int64), time[here])
        for here in _each(code[posts[rows]], len(groups.names))
    ]


def _are_distinct(rows: Int64) -> bool:
    seen = np.zeros(int(rows.max(initial=0)) + 1, np.bool_)
    seen[rows] = True
    return int(np.count_nonzero(seen)) == rows.size


def _each(code: Int8, n: int) -> Iterator[Int64]:
    return (np.flatnonzero(code == k) for k in range(n))


@kernel
def _first_rows(objects: UInt32, posts: UInt32, code: Int8, n_groups: int) -> Int64:
    """Return the first row of each group in each object (rows by object and time) that two groups or more share."""
    found = np.empty(objects.size, np.int64)
    seen = np.full(n_groups, -1, np.int64)
    n, start = 0, 0
    # At the top `found[start:n]` are the first rows of the object at hand, `found[:start]` those of the objects before.
    for row in range(objects.size):
        if row and objects[row] != objects[row - 1]:
            n = n if n - start > 1 else start
            start = n
        group = code[posts[row]]
        if group >= 0 and seen[group] != objects[row]:
            seen[group] = objects[row]
            found[n] = row
            n += 1
    return found[: n if n - start > 1 else start].copy()
