"""Nearly the same texts, found without comparing all pairs: MinHash, LSH, and the exact measure at the end."""

from __future__ import annotations

from itertools import chain
from typing import Any

import numpy as np
import polars as pl

from propgraph.arrays.kernels import kernel
from propgraph.arrays.types import Int64, UInt8, UInt32, UInt64

MIN_SIMILARITY = 0.8
"""Two texts are nearly the same when their shingles have this Jaccard similarity or more (0..1)."""

SHINGLE = 3
"""Characters of a shingle: three of them fit into 64 bits, so that none is mistaken for another."""

MAX_CHARS = 10_000
"""Of a longer text only so many characters count: in long texts nearly every shingle of a language occurs."""

MAX_CANDIDATES = 16
"""How many leaders a text is compared with: those it shares most bands with, of equals the earliest."""

# Pairs at the bound meet in some band with 1 - (1 - 0.8 ** 5) ** 16 = 0.998, pairs at 0.4 with 0.15.
_BANDS, _ROWS = 16, 5
_SEED = 1
_BATCH = 1 << 10  # the signatures come as numbers of Python's, which are quick while they fit into its cache
_LOOKS = 64  # leaders looked at in one band, the latest first: copies of a text come soon after it


def near_leaders(
    texts: pl.Series, /, *, min_similarity: float = MIN_SIMILARITY, bands: int = _BANDS, rows: int = _ROWS
) -> Int64:
    """Return for each text the position of the leader that it is nearly the same as, often its own.

    Text by text, in the order given: a text joins the earliest of its candidates that has a Jaccard
    similarity of `min_similarity` or more with it, over shingles of `SHINGLE` characters; where none has,
    it becomes a leader itself. So every text is that similar to its leader, and groups do not drift.
    Candidates are leaders whose MinHash signatures agree with the text's in a band (Broder 1997; Leskovec
    et al. 2020, chapter 3), at most `MAX_CANDIDATES`: of pairs right at the bound some 2 in 1,000 are missed.

    Parameters
    ----------
    texts
        Distinct, of dtype String without nulls; of each the first `MAX_CHARS` characters count.
    min_similarity
        The bound, 0..1.
    bands, rows
        Of a signature: a pair of similarity s meets in some band with 1 - (1 - s ** rows) ** bands.
    """
    data, start = _utf8(texts.str.slice(0, MAX_CHARS))
    keys = np.empty((len(texts), bands), np.uint64)
    for begin in range(0, len(texts), _BATCH):
        part = start[begin : begin + _BATCH + 1]
        keys[begin : begin + _BATCH] = _bands(
            _signatures(*_all_shingles(data, part), n_hashes=bands * rows), bands
        )
    leader: Int64 = _lead(data, start, keys, min_similarity)
    return leader


def _utf8(texts: pl.Series) -> tuple[UInt8, Int64]:
    """Return the bytes of all texts, one after the other, and where each begins, and the last ends."""
    start = np.zeros(len(texts) + 1, np.int64)
    np.cumsum(texts.str.len_bytes().to_numpy(), out=start[1:])
    return np.frombuffer("".join(texts.to_list()).encode(), np.uint8), start


def _signatures(shingles: UInt64, offsets: Int64, *, n_hashes: int) -> UInt32:
    # Imported here, as few logs are asked for near texts.
    from rensa import RMinHash  # noqa: PLC0415

    matrix = RMinHash.digest_matrix_from_flat_token_hashes(
        shingles, offsets.astype(np.uint64), n_hashes, _SEED
    )
    values = np.fromiter(chain.from_iterable(matrix.to_rows()), np.uint32)
    return values.reshape(-1, n_hashes)


@kernel
def _mixed(key: np.uint64) -> np.uint64:
    """Return `key` with its bits spread, one to one (the finaliser of SplitMix64)."""
    key = (key ^ (key >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    key = (key ^ (key >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return key ^ (key >> np.uint64(31))


@kernel
def _shingles(data: UInt8, begin: int, end: int) -> UInt64:
    """Return the distinct shingles of one text, sorted; a text shorter than a shingle is one itself."""
    found = np.empty(max(end - begin, 1), np.uint64)
    n = n_chars = 0
    window = np.uint64(0)
    keep = np.uint64((1 << (21 * SHINGLE)) - 1)
    i = begin
    while i < end:
        first = data[i]
        length = 1 if first < 0x80 else 2 if first < 0xE0 else 3 if first < 0xF0 else 4
        char = np.uint64(first) if length == 1 else np.uint64(first) & np.uint64(0x7F >> length)
        for k in range(1, length):
            char = (char << np.uint64(6)) | (np.uint64(data[i + k]) & np.uint64(0x3F))
        window = ((window << np.uint64(21)) | char) & keep
        i += length
        n_chars += 1
        if n_chars >= SHINGLE:
            found[n] = _mixed(window)
            n += 1
    if n == 0:
        found[0] = _mixed(window)
        n = 1
    found = np.sort(found[:n])
    n = 1
    for k in range(1, found.size):
        if found[k] != found[n - 1]:
            found[n] = found[k]
            n += 1
    return found[:n]


@kernel
def _all_shingles(data: UInt8, start: Int64) -> tuple[UInt64, Int64]:
    """Return the shingles of texts, text by text, and where each text's begin, and the last's end."""
    flat = np.empty(start[-1] - start[0] + start.size, np.uint64)
    offsets = np.zeros(start.size, np.int64)
    for text in range(start.size - 1):
        own = _shingles(data, start[text], start[text + 1])
        offsets[text + 1] = offsets[text] + own.size
        for k in range(own.size):
            flat[offsets[text] + k] = own[k]
    return flat[: offsets[-1]], offsets


@kernel
def _bands(signatures: UInt32, n_bands: int) -> UInt64:
    """Return a key for each band of each signature; equal keys are the same band with the same values."""
    keys = np.empty((signatures.shape[0], n_bands), np.uint64)
    n_rows = signatures.shape[1] // n_bands
    for text in range(signatures.shape[0]):
        for band in range(n_bands):
            key = np.uint64(band)
            for row in range(band * n_rows, (band + 1) * n_rows):
                key = _mixed(key + np.uint64(0x9E3779B97F4A7C15) + np.uint64(signatures[text, row]))
            keys[text, band] = key
    return keys


@kernel
def _lead(data: UInt8, start: Int64, bands: UInt64, min_similarity: float) -> Int64:
    """Return each text's leader."""
    n, n_bands = bands.shape
    leader = np.arange(n)
    slots = 1 << 10
    while slots < n * n_bands:
        slots *= 2
    mask = np.uint64(slots - 1)
    # Bands of leaders with equal last bits of their keys make a chain: the latest, then each one's forerunner.
    latest = np.full(slots, -1, np.int64)
    before = np.empty(n * n_bands, np.int64)
    found = np.empty(n_bands * _LOOKS, np.int64)
    # Before each text, the bands of all leaders among the texts before it are in their chains, and no others.
    for text in range(n):
        n_found = _look_up(bands, text, latest, before, found)
        if n_found:
            own = _shingles(data, start[text], start[text + 1])
            # No candidate before this one, an earlier text each, is near enough.
            for candidate in _most_frequent(np.sort(found[:n_found]), MAX_CANDIDATES):
                other = _shingles(data, start[candidate], start[candidate + 1])
                if _jaccard(own, other) >= min_similarity:
                    leader[text] = candidate
                    break
        if leader[text] == text:
            for band in range(n_bands):
                slot = np.int64(bands[text, band] & mask)
                before[text * n_bands + band] = latest[slot]
                latest[slot] = text * n_bands + band
    return leader


@kernel
def _look_up(bands: UInt64, text: int, latest: Int64, before: Int64, found: Int64) -> int:
    """Write into `found` each leader once for each band that it has in common with a text; return how many."""
    mask = np.uint64(latest.size - 1)
    n_bands = bands.shape[1]
    n = 0
    # Before each band, `found[:n]` holds the leaders of the bands before it.
    for band in range(n_bands):
        key = bands[text, band]
        entry = latest[np.int64(key & mask)]
        looks = 0
        # `entry` is in the chain of this key's slot, `looks` places behind the latest; another key may share the slot.
        while entry >= 0 and looks < _LOOKS:
            if bands[entry // n_bands, entry % n_bands] == key:
                found[n] = entry // n_bands
                n += 1
            looks += 1
            entry = before[entry]
    return n


@kernel
def _most_frequent(values: Int64, most: int) -> Any:
    """Return those of sorted `values` that stand there most often (of equals the lowest), sorted, each once."""
    distinct = np.empty(values.size, np.int64)
    rank = np.empty(values.size, np.int64)
    n = 0
    for k in range(values.size):
        if k == 0 or values[k] != values[k - 1]:
            distinct[n] = values[k]
            rank[n] = 0
            n += 1
        rank[n - 1] -= 1
    if n <= most:
        return distinct[:n]
    chosen = np.argsort(rank[:n], kind="mergesort")[:most]
    return np.sort(distinct[:n][chosen])


@kernel
def _jaccard(a: UInt64, b: UInt64) -> float:
    """Return the Jaccard similarity of two sorted sets."""
    i = j = both = 0
    while i < a.size and j < b.size:
        if a[i] == b[j]:
            both += 1
            i += 1
            j += 1
        elif a[i] < b[j]:
            i += 1
        else:
            j += 1
    return both / (a.size + b.size - both)
