"""Hashes of texts that are the same on any machine, in any version, and in any order of the rows.

The hash is our own choice, MurmurHash64A (Appleby, 2008): that of a library may be another in its next version, or on
another machine.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from propgraph.arrays.kernels import inlined, kernel
from propgraph.arrays.types import Int64, UInt8, UInt64


def text_hashes(texts: pl.Series, /, *, seed: int = 0) -> UInt64:
    """Return a 64-bit hash of each text (String, without nulls); 0 for an empty one."""
    hashes = np.zeros(len(texts), np.uint64)
    add_hashes(hashes, *bytes_of_texts(texts), np.uint64(seed))
    return hashes


def bytes_of_texts(texts: pl.Series, /) -> tuple[Int64, UInt8]:
    """Return where the bytes (UTF-8) of each text begin, and where the last end, and the bytes; null is empty."""
    found = texts.fill_null("").rechunk().to_arrow()
    _, offsets, data = found.buffers()
    place = np.frombuffer(offsets, np.int64)[found.offset : found.offset + len(found) + 1]
    return place, np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)


@kernel
def add_hashes(hashes: UInt64, offsets: Int64, data: UInt8, seed: np.uint64) -> None:
    """Add to `hashes` those of the values `data[offsets[k]:offsets[k + 1]]`; an empty one adds nothing."""
    for row in range(hashes.size):
        if offsets[row + 1] > offsets[row]:
            hashes[row] += _murmur(data, offsets[row], offsets[row + 1], seed)


@inlined
def _murmur(data: UInt8, begin: int, end: int, seed: np.uint64) -> np.uint64:
    """Return MurmurHash64A of `data[begin:end]`."""
    factor, shift = np.uint64(0xC6A4A7935BD1E995), np.uint64(47)
    result = seed ^ (np.uint64(end - begin) * factor)
    whole = begin + ((end - begin) // 8) * 8
    for start in range(begin, whole, 8):
        # Eight bytes as one number; the compiler makes one load of it.
        word = np.uint64(0)
        for k in range(8):
            word |= np.uint64(data[start + k]) << np.uint64(8 * k)
        word *= factor
        word ^= word >> shift
        result ^= word * factor
        result *= factor
    if whole < end:
        word = np.uint64(0)
        for k in range(end - whole):
            word |= np.uint64(data[whole + k]) << np.uint64(8 * k)
        result ^= word
        result *= factor
    result ^= result >> shift
    result *= factor
    return result ^ (result >> shift)
