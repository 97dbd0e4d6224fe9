"""How many shares of an object came before a time: for many objects and times at once."""

from __future__ import annotations

import numpy as np

from propgraph.arrays.types import Int64


class SharesByTime:
    """The shares of numbered objects in the order of time.

    One number says which object and when, so that one sorted list of these counts the shares of all objects.

    Parameters
    ----------
    code, ms
        Of each share: which object (0, 1, ...), and when (ms).
    n
        How many objects.
    """

    def __init__(self, code: Int64, ms: Int64, n: int) -> None:
        self._first = int(ms.min()) if ms.size else 0
        # As many bits as the times take, and one moment after the last: the more objects have room above them.
        self._bits = (int(ms.max()) - self._first + 1).bit_length() if ms.size else 1
        self._sorted = np.sort((code << self._bits) + (ms - self._first))
        self._begin = np.searchsorted(self._sorted, np.arange(n, dtype=np.int64) << self._bits)

    def before(self, code: Int64, ms: Int64 | int, /) -> Int64:
        """Return how many shares of each of these objects came before its time."""
        since = np.clip(ms - self._first, 0, (1 << self._bits) - 1)
        found: Int64 = np.searchsorted(self._sorted, (code << self._bits) + since) - self._begin[code]
        return found
