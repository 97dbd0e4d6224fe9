"""The shares of one trace as rank synchrony reads them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from propgraph.arrays.encoding import grouped
from propgraph.arrays.grids import TOGETHER_MS, split
from propgraph.arrays.incidence import Incidence
from propgraph.arrays.types import Bool, Int32, Int64
from propgraph.options import SynchronyOptions
from propgraph.synchrony.gaps import Gaps, gaps_of
from propgraph.synchrony.habits import Habits, habits_of
from propgraph.synchrony.pair_kernels import sessions_of

#: Chance up to which two posts count as near.
TAU = SynchronyOptions.tau


@dataclass(frozen=True)
class PreparedShares:
    """The shares of one trace as rank synchrony reads them.

    Attributes
    ----------
    log
        All shares of the trace, an object's posts told apart by resolution (see `grids.split`).
    gaps
        What gaps mean in each of its objects.
    tau
        Chance up to which two posts count as near.
    start, position
        int64; account `a` has the shares `position[start[a]:start[a + 1]]`, by object and time.
    listed, opens, closes, session
        int32[n_shares]; of each of these the object, the first and last position of its tie, and the number of the
        account's session (a clock hour in which it posts): together in memory, account by account.
    """

    log: Incidence
    gaps: Gaps
    tau: float
    start: Int64
    position: Int64
    listed: Int32
    opens: Int32
    closes: Int32
    session: Int32

    @property
    def carries(self) -> Bool:
        """Objects of which some two posts can be near: the others say nothing whatever happens."""
        found: Bool = self.gaps.least <= self.tau
        return found

    @cached_property
    def habits(self) -> Habits:
        """When posts are made; looked up when it is first asked for."""
        return habits_of(self.log, start=self.start, position=self.position, session=self.session)


def prepare_shares(
    log: Incidence, /, *, tau: float = TAU, neighbours: int = SynchronyOptions.neighbours
) -> PreparedShares:
    """Return the shares of one trace as rank synchrony reads them; see `rank_synchrony` for the options."""
    log = split(log, limit_ms=TOGETHER_MS)
    start, position = grouped(log.account, len(log.accounts))
    gaps = gaps_of(log, tau=tau, neighbours=neighbours)
    opens, closes = gaps.first[position].astype(np.int32), gaps.last[position].astype(np.int32)
    session = sessions_of(start, position, log.time)
    return PreparedShares(log, gaps, tau, start, position, log.object[position], opens, closes, session)
