"""Ids of posts for logs that have none: made of what a row says, and of nothing else.

Not of the file that a row stands in, nor of its place there, nor of the other rows, so that a log gives the same ids
whole, in parts, packed and shuffled.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import polars as pl

from propgraph.arrays.hashes import add_hashes, bytes_of_texts
from propgraph.arrays.types import Int64, UInt8, UInt64
from propgraph.readers.base import OWN

_ROWS = 1 << 19  # at a time, so that no column is copied as a whole


def with_made_ids(posts: pl.DataFrame, /) -> tuple[pl.DataFrame, int]:
    """Return posts with a `content_id` in every row, and how many of those made are of a row said before.

    An id is `post:` and a number made of all that the row says. Rows that say the same are numbered: `post:7`,
    `post:7-1`, `post:7-2`. As they are the same, it does not matter which of them is which.

    Parameters
    ----------
    posts
        Columns of `base.CANONICAL`: String, List(String), integers or times; the rows of the whole log.
    """
    if "content_id" not in posts.columns:
        posts = posts.with_columns(content_id=pl.lit(None, pl.String))
    without = posts["content_id"].is_null()
    if not without.any():
        return posts, 0
    # A column of the user's own that is kept changes no id.
    said = posts.select(name for name in posts.columns if name != "content_id" and not name.startswith(OWN))
    key = pl.Series("key", row_hashes(said if without.all() else said.filter(without)))
    ids = key.to_frame().select(pl.format("post:{}", "key")).to_series()
    again = (
        key.to_frame()
        .with_row_index("row")
        .filter(key.is_duplicated())
        .with_columns(n=pl.int_range(pl.len()).over("key"))
        .filter(pl.col("n") > 0)
    )
    ids = ids.scatter(again["row"], again.select(pl.format("post:{}-{}", "key", "n")).to_series())
    made = posts["content_id"].scatter(without.arg_true(), ids)
    return posts.with_columns(made), again.height


def row_hashes(rows: pl.DataFrame, /) -> UInt64:
    """Return a 64-bit hash of each row: the sum of the hashes of its values, each seeded by its column's name.

    A value that is not there (null, an empty text or list) adds nothing, as if there were no such column; and so the
    order of the columns does not count either.
    """
    hashes = np.zeros(rows.height, np.uint64)

    def add(start: int) -> None:
        for values in rows.slice(start, _ROWS).iter_columns():
            add_hashes(hashes[start : start + _ROWS], *_bytes_of(values), _seed(values.name))

    with ThreadPoolExecutor() as pool:
        list(pool.map(add, range(0, rows.height, _ROWS)))
    return hashes


def _seed(name: str) -> np.uint64:
    return np.uint64(int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little"))


def _bytes_of(values: pl.Series) -> tuple[Int64, UInt8]:
    """Return where the bytes of each value begin, and the bytes: UTF-8, or integers with the lowest byte first."""
    if isinstance(values.dtype, pl.List):
        there = values.list.len().fill_null(0)
        offsets, data = _bytes_of(values.filter(there > 0).explode())
        items = np.zeros(offsets.size - 1, np.uint64)
        # A list is what its items' hashes are, in their order.
        add_hashes(items, offsets, data, np.uint64(0))
        return _offsets(there.to_numpy() * 8), _as_bytes(items)
    if values.dtype == pl.String:
        return bytes_of_texts(values)
    numbers = values.drop_nulls().cast(pl.Int64).to_numpy()
    return _offsets(values.is_not_null().to_numpy() * 8), _as_bytes(numbers)


def _offsets(lengths: npt.NDArray[np.integer]) -> Int64:
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])


def _as_bytes(numbers: npt.NDArray[np.integer]) -> UInt8:
    return np.ascontiguousarray(numbers, numbers.dtype.newbyteorder("<")).view(np.uint8)
