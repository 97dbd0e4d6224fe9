"""Ids as numbers and back: every id column becomes codes into its sorted labels.

Codes follow the sorted order of the ids, so that whatever is numbered, sorted or summed by them does
not depend on the order of the rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from propgraph.arrays.kernels import inlined, kernel
from propgraph.arrays.types import Int64, UInt32, UInt64


def encode(ids: pl.Series, /) -> pl.Series:
    """Return `ids` as an `Enum` whose categories are its distinct values, sorted.

    Parameters
    ----------
    ids
        Ids without nulls, String; an `Enum` with sorted categories is returned as it is.

    Returns
    -------
    pl.Series
        The same ids, `pl.Enum`; `to_physical()` gives codes in sorted order of the ids.
    """
    dtype = ids.dtype  # of an Enum Polars builds it anew at each look, in time linear in the labels
    if isinstance(dtype, pl.Enum):
        if dtype.categories.is_sorted():
            return ids
        ids = ids.cast(pl.String)
    codes, labels = _codes_and_labels(ids.cast(pl.String))
    return decode(codes, labels).alias(ids.name)


def decode(codes: npt.NDArray[Any], labels: pl.Series, /) -> pl.Series:
    """Return an `Enum` Series over the sorted `labels` from their `codes`."""
    return pl.Series(labels.name, codes.astype(np.uint32, copy=False)).cat.to(pl.Enum(labels))


def labels_of(ids: pl.Series, /) -> pl.Series:
    """Return the labels (String, sorted) behind an encoded Series."""
    dtype = ids.dtype
    if not isinstance(dtype, pl.Enum):
        raise TypeError(f"expected an encoded Series, found {dtype}")
    return dtype.categories.alias(ids.name)


def codes_of(ids: pl.Series, /) -> UInt32:
    """Return the codes (uint32) behind an encoded Series, without a copy where possible."""
    return ids.to_physical().to_numpy().astype(np.uint32, copy=False)


def codes_in(ids: pl.Series, labels: pl.Series, /) -> Int64:
    """Return for each of `ids` (String, nulls allowed) its first position in `labels`, else -1."""
    index = pl.DataFrame({"id": labels.cast(pl.String), "code": np.arange(len(labels), dtype=np.int64)})
    if not all_distinct(labels):
        index = index.unique("id", keep="first", maintain_order=True)
    found = pl.DataFrame({"id": ids.cast(pl.String)}).join(index, on="id", how="left", maintain_order="left")
    return found["code"].fill_null(-1).to_numpy()


def groups_of(labels: pl.Series, ids: pl.Series, groups: pl.Series, /) -> Int64:
    """Return the group (a number) of each of `labels`, -1 for those that are not among `ids`."""
    found = np.full(len(labels), -1, np.int64)
    code = codes_in(ids, labels)
    found[code[code >= 0]] = groups.to_numpy()[code >= 0]
    return found


def all_distinct(ids: pl.Series, /) -> bool:
    """Tell whether no two of `ids` are equal; two ids of one 64-bit hash count as equal."""
    hashes = np.sort(ids.hash().to_numpy())
    return not bool((hashes[1:] == hashes[:-1]).any())


def grouped(codes: npt.NDArray[Any], n_groups: int, /) -> tuple[Int64, Int64]:
    """Return `(start, position)`: group `g` has the rows `position[start[g]:start[g + 1]]`, ascending.

    `position` alone is the stable order of the rows by group, in linear time.
    """
    start = group_offsets(codes, n_groups)
    return start, _positions(codes, start)


def group_offsets(codes: npt.NDArray[Any], n_groups: int, /) -> Int64:
    """Return where each group begins when the rows stand by group, and the number of rows at the end."""
    start = np.zeros(n_groups + 1, np.int64)
    np.cumsum(np.bincount(codes, minlength=n_groups), out=start[1:])
    return start


@kernel
def largest(codes: npt.NDArray[Any]) -> int:
    """Return the largest of some codes, -1 of none; `max` takes several times as long to compile."""
    found = -1
    for code in codes:
        found = max(found, int(code))
    return found


@kernel
def longest_part(offsets: Int64) -> int:
    """Return how many rows the longest part has, of parts of which `offsets` says where each begins."""
    longest = 0
    for k in range(1, offsets.size):
        longest = max(longest, offsets[k] - offsets[k - 1])
    return longest


@kernel
def distinct_in_groups(offsets: Int64, codes: npt.NDArray[Any], n_codes: int) -> Int64:
    """Return how many distinct codes (below 0: none) each group `offsets[g]:offsets[g + 1]` holds."""
    latest = np.full(n_codes, -1, np.int64)
    count = np.zeros(offsets.size - 1, np.int64)
    # `latest` is the last group in which each code was seen: never cleared, for no group comes twice.
    for g in range(offsets.size - 1):
        for row in range(offsets[g], offsets[g + 1]):
            if codes[row] >= 0 and latest[codes[row]] != g:
                latest[codes[row]] = g
                count[g] += 1
    return count


@kernel
def _positions(codes: npt.NDArray[Any], start: Int64) -> Int64:
    cursor = start[:-1].copy()
    position = np.empty(codes.size, np.int64)
    # `cursor` is the next free place of each group, so the rows of a group stay in their order.
    for row in range(codes.size):
        position[cursor[codes[row]]] = row
        cursor[codes[row]] += 1
    return position


def _codes_and_labels(ids: pl.Series) -> tuple[UInt32, pl.Series]:
    if len(ids) == 0:
        return np.empty(0, np.uint32), ids
    # Two independent 64-bit hashes stand for the string; Polars then touches only one string per label.
    first, second = ids.hash(seed=1).to_numpy(), ids.hash(seed=2).to_numpy()
    codes, example, clash = _number_by_first_sight(first, second)
    if clash:
        labels = ids.unique().sort()
        return codes_of(ids.cast(pl.Enum(labels))), labels
    labels = ids.gather(example)
    order = labels.arg_sort().to_numpy()
    rank = np.empty(len(order), np.uint32)
    rank[order] = np.arange(len(order), dtype=np.uint32)
    return rank[codes], labels.gather(order)


@kernel
def _number_by_first_sight(first: UInt64, second: UInt64) -> tuple[UInt32, Int64, bool]:
    n = first.size
    codes = np.empty(n, np.uint32)
    # One row of the table is one cache line's worth: both hashes, the first row seen, the code + 1.
    table = np.zeros((1 << 12, 4), np.uint64)
    known = np.uint64(0)
    clash = False
    # At the top the table holds the `known` distinct ids of the rows before i, and is at most half full.
    for i in range(n):
        slot = _find(table, first[i])
        if table[slot, 3] == 0:
            known += np.uint64(1)
            table[slot, 0] = first[i]
            table[slot, 1] = second[i]
            table[slot, 2] = np.uint64(i)
            table[slot, 3] = known
            codes[i] = known - np.uint64(1)
            if known * np.uint64(2) > np.uint64(table.shape[0]):
                grown = np.zeros((table.shape[0] * 4, 4), np.uint64)
                # A row's place depends on the size of the table, so each is looked for anew.
                for old in range(table.shape[0]):
                    if table[old, 3] != 0:
                        place = _find(grown, table[old, 0])
                        for column in range(4):
                            grown[place, column] = table[old, column]
                table = grown
        else:
            # One hash and not the other: two ids, which the caller then tells apart by the strings themselves.
            clash = clash or table[slot, 1] != second[i]
            codes[i] = table[slot, 3] - np.uint64(1)
    example = np.empty(known, np.int64)
    # The table's order is that of the hashes; by their codes the ids come back in the order in which they were seen.
    for slot in range(table.shape[0]):
        if table[slot, 3] != 0:
            example[table[slot, 3] - np.uint64(1)] = table[slot, 2]
    return codes, example, clash


@inlined
def _find(table: UInt64, key: np.uint64) -> np.uint64:
    mask = np.uint64(table.shape[0] - 1)
    slot = key & mask
    # The table is never full, so the walk from place to place, round its end, meets the key or a free place (code 0).
    while table[slot, 3] != 0 and table[slot, 0] != key:
        slot = (slot + np.uint64(1)) & mask
    return slot
