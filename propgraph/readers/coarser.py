"""Accounts whose times are coarser than those of the others in their file, which is then put together of several.

Where one export has whole hours and another seconds, and somebody put both into one file, no column need say so. But an
account all of whose times are whole hours had them cut, or posts by a schedule that strikes the hour: either way two
of its kind that stand on one hour say no more than that. Of the 93,000 accounts with five times and more in the
public logs at hand, in seconds or minutes, there is none all of whose times are multiples of five minutes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from propgraph.readers.resolution import NAMED_MS, STEPS_MS, SURE_BITS, bits, on_grid

Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

#: So many accounts have to be of a coarser step, each with so many different times.
LEAST_ACCOUNTS, LEAST_TIMES = 3, 5
# Whole minutes are some people's habit in logs of seconds, too.
_HABIT_MS, _LEAST_MS = 60_000, 300_000
_DAY_MS, _HOUR_MS = 86_400_000, 3_600_000


def coarser_accounts(
    times: Int64, account: npt.NDArray[np.integer], /, *, than_s: float | None
) -> list[tuple[Int64, float]]:
    """Return the accounts whose times are coarser than those of the others: sets of them, and each set's step (s).

    Parameters
    ----------
    times
        int64; milliseconds since 1970, one a post, of files that are alike.
    account
        Of each post, a number from 0.
    than_s
        How fine the times are together (s), None where nobody knows.

    Returns
    -------
    list of tuple
        The accounts (sorted), the step; by the step. Of three accounts or more the times, five different ones or
        more each, all have to lie on one grid of five minutes or more, which those of one account among them all
        would by chance once in a million. Any account all of whose times lie on that grid is then of the set.
    """
    known = max(round((than_s or 0.0) * 1000), _HABIT_MS)
    steps = [
        step for step in sorted(STEPS_MS)
        if step >= _LEAST_MS and step > known and (known < _LEAST_MS or step in NAMED_MS)
    ]  # fmt: skip
    if not steps or times.size < LEAST_ACCOUNTS * LEAST_TIMES:
        return []
    n_posts = np.bincount(account)
    could = _could_be(times, account, steps, n_posts=n_posts)
    if np.count_nonzero(could) < LEAST_ACCOUNTS:
        return []
    mine = could[account]
    some, (names, who) = times[mine], np.unique(account[mine], return_inverse=True)
    least = SURE_BITS + math.log2(np.count_nonzero(n_posts >= LEAST_TIMES))
    found, usual = np.zeros(n_posts.size, np.int64), np.full(names.size, known)
    n_times = _n_distinct(some, who)
    for step in steps:
        enough = _enough(n_times, step, usual, least=least)
        for sure in _on_one_grid(some, who, step, enough=enough):
            starts = np.unique(some[sure[who]] % step)
            found[_all_of(np.isin(times % step, starts), account, n_posts)] = step
            if step in NAMED_MS:
                usual[sure] = step
    return [(np.flatnonzero(found == step), step / 1000) for step in np.unique(found[found > 0]).tolist()]


def _could_be(
    times: Int64, account: npt.NDArray[np.integer], steps: Sequence[int], *, n_posts: Int64
) -> Bool:
    """Mark the accounts (by number) of enough posts whose times can all be of one of the steps (ms), by any start."""
    base = math.gcd(*steps)
    start = np.zeros(n_posts.size, np.int64)
    start[account] = times  # of any one of its posts
    after = (times - start[account]) % base
    off = after != 0
    if base % _DAY_MS == 0:  # days begin an hour earlier in summer
        off &= (after != _HOUR_MS) & (after != base - _HOUR_MS)
    could = n_posts >= LEAST_TIMES
    could[account[off]] = False
    return could


def _n_distinct(times: Int64, who: Int64) -> Int64:
    """Return how many different times each account (by number) has."""
    order = np.lexsort((times, who))
    times, who = times[order], who[order]
    fresh = np.concatenate([[True], (times[1:] != times[:-1]) | (who[1:] != who[:-1])])
    return np.bincount(who[fresh])


def _enough(n_times: Int64, step: int, usual: Int64, *, least: float) -> Bool:
    """Mark the accounts whose times, of so many, chance does not put on a step (ms), being multiples of `usual`."""
    enough = n_times >= LEAST_TIMES
    for finer in np.unique(usual).tolist():
        mine = usual == finer
        enough[mine] &= bits(n_times[mine], step, finer) >= least
    return enough


def _on_one_grid(times: Int64, who: Int64, step: int, *, enough: Bool) -> Iterator[Bool]:
    """Yield sets of accounts (marked) that are enough, all of whose times lie on one grid: one for each zone's start.

    No other start counts: whoever strikes seven past the hour knows the minute.
    """
    left = np.ones(enough.size, np.bool_)
    while left.any():
        mine = left[who]
        all_on = _all_of(on_grid(times[mine], step), who[mine], left)
        if np.count_nonzero(all_on & enough) < LEAST_ACCOUNTS:
            return
        yield all_on & enough
        left &= ~all_on


def _all_of(on: Bool, account: npt.NDArray[np.integer], every: npt.NDArray[np.generic]) -> Bool:
    """Mark the accounts (by number, out of `every`) that have posts, all of them marked."""
    all_on = np.zeros(every.size, np.bool_)
    all_on[account] = True
    all_on[account[~on]] = False
    return all_on
