"""Objects cut into halves, several times over: what is found on one half is tested on the other.

Nothing that found a group may test it. So each split deals the objects into two halves, by a hash of their names: on
which half an object lies does not depend on which others are in the log. Under the deal of accounts to posts objects
are independent of each other, but in life an account's posts of one session are not: who reads a list posts many
objects in a row. So a session lies on one side: on that of one of its objects, chosen by hash, and of its other objects
those on the other side are not used in that split.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from propgraph.arrays.encoding import largest
from propgraph.arrays.hashes import text_hashes
from propgraph.arrays.kernels import kernel
from propgraph.arrays.types import Int32, Int64, UInt8, UInt64
from propgraph.synchrony.prepared import PreparedShares

#: How often the objects are cut into halves.
N_SPLITS = 3


@dataclass(frozen=True)
class Halves:
    """Splits of the objects of one trace; bit `s` of a number is about split `s`.

    Attributes
    ----------
    side
        uint8[n_objects]; on which half each object lies.
    usable
        uint8[n_shares]; whether a share counts, for its session lies on its object's half; by its place in the
        accounts' lists (see `PreparedShares`).
    """

    side: UInt8
    usable: UInt8

    def lies_on(self, split: int, half: int, /) -> np.ndarray:
        """Mark the objects on one half (0 or 1) of a split."""
        found: np.ndarray = (self.side >> split & 1) == half
        return found


NO_HALVES = Halves(np.empty(0, np.uint8), np.empty(0, np.uint8))


def halves_of(prepared: PreparedShares, /, *, seed: int = 0) -> Halves:
    """Return the splits of the objects of one trace; the parts of one object lie on the same half."""
    bits = text_hashes(prepared.log.objects, seed=seed)
    side = (bits & np.uint64(255)).astype(np.uint8)
    return Halves(side, _usable(prepared.start, prepared.listed, prepared.session, bits, side))


@kernel
def _usable(start: Int64, listed: Int32, session: Int32, bits: UInt64, side: UInt8) -> UInt8:
    usable = np.empty(listed.size, np.uint8)
    n_sessions = largest(session) + 1
    first = np.empty(n_sessions, np.uint64)  # the least hash of each session of an account
    lies = np.empty(n_sessions, np.uint8)  # on which halves that object lies
    for a in range(start.size - 1):
        # All the account's sessions have smaller numbers than it has shares.
        first[: min(n_sessions, start[a + 1] - start[a])] = np.uint64(0xFFFFFFFFFFFFFFFF)
        for k in range(start[a], start[a + 1]):
            s = session[k]
            if bits[listed[k]] <= first[s]:
                first[s] = bits[listed[k]]
                lies[s] = side[listed[k]]
        for k in range(start[a], start[a + 1]):
            usable[k] = ~(side[listed[k]] ^ lies[session[k]])
    return usable
