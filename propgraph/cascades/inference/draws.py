"""Random numbers that depend on what they decide, and on nothing else.

A draw is a hash (splitmix64) of the seed, the cascade's id, the node's place in its cascade and the number of
the sample. So it is the same on any number of threads, in whatever order the log's rows stood, and whichever
other cascades stand in the log.
"""

from __future__ import annotations

import hashlib

import numpy as np
import polars as pl

from propgraph.arrays.kernels import kernel
from propgraph.arrays.types import Float64, Int64, UInt64

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_UNIT = 2.0**-53

# A draw by rejection takes several numbers: each sample has so many of its own before the next one's begin.
_TURNS = np.uint64(1 << 20)


def cascade_keys(ids: pl.Series, /) -> UInt64:
    """Return a number for each cascade's id that is the same in every log and on every machine.

    Parameters
    ----------
    ids
        Ids of the cascades, String.

    Returns
    -------
    numpy.ndarray
        The first eight bytes of the id's BLAKE2b digest (uint64), shape (cascades,).
    """
    digests = b"".join(hashlib.blake2b(one.encode(), digest_size=8).digest() for one in ids)
    return np.frombuffer(digests, "<u8").astype(np.uint64)


@kernel
def scrambled(number: np.uint64) -> np.uint64:
    """Return the splitmix64 hash of a number (Steele, Lea & Flood 2014)."""
    number = number + _GOLDEN
    number = (number ^ (number >> np.uint64(30))) * _FIRST
    number = (number ^ (number >> np.uint64(27))) * _SECOND
    return np.uint64(number ^ (number >> np.uint64(31)))


@kernel
def node_key(cascade_key: np.uint64, seed: np.uint64, place: int) -> np.uint64:
    """Return what the draws of one node begin from; `place` counts from the root's 0."""
    return np.uint64(scrambled(scrambled(cascade_key ^ scrambled(seed)) + np.uint64(place)))


@kernel
def uniform(key: np.uint64, sample: int, turn: int) -> float:
    """Return the number in [0, 1) of one node in one sample; `turn` tells several of them apart."""
    number = scrambled(key + _GOLDEN * (np.uint64(sample) * _TURNS + np.uint64(turn)))
    return float(number >> np.uint64(11)) * _UNIT


@kernel
def normal(key: np.uint64, sample: int) -> float:
    """Return a standard normal number of one node in one sample (Box & Muller 1958)."""
    radius = np.sqrt(-2.0 * np.log(1.0 - uniform(key, sample, 0)))
    return float(radius * np.cos(2.0 * np.pi * uniform(key, sample, 1)))


@kernel
def place_in(cumulated: Float64, low: int, top: int, value: float) -> int:
    """Return the first place in `low:top` whose end, `cumulated[place + 1]`, is above `value`; else the last."""
    top -= 1
    # The place lies in `low..top`, both included: a half is cut off at each step.
    while low < top:
        middle = (low + top) // 2
        if cumulated[middle + 1] > value:
            top = middle
        else:
            low = middle + 1
    return low


@kernel
def most_drawn(drawn: Int64, root: int, favour: float) -> tuple[int, int]:
    """Return the row drawn most often and how often; sorts `drawn`.

    The root stays unless another was drawn more than `favour` times as often; of two others drawn equally
    often the earlier is taken.
    """
    of_root = 0
    # Where the root has half of the draws, nobody can have more, and nothing needs sorting.
    for row in drawn:
        of_root += row == root
    if 2 * of_root >= drawn.size:
        return root, of_root
    drawn.sort()
    best, most, run = root, 0, 0
    # Equal rows stand together: `run` is how often that of place k was met so far. Only more replaces the best.
    for k in range(drawn.size):
        run = run + 1 if k > 0 and drawn[k] == drawn[k - 1] else 1
        if drawn[k] != root and run > most:
            best, most = drawn[k], run
    return (best, most) if most > favour * of_root else (root, of_root)
