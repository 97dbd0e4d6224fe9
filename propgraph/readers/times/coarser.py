"""Posts whose times are coarser than those of the others in their file, which is then put together of several.

Where one export has whole hours and another seconds, and somebody put both into one file, no column need say so. But an
account all of whose times are whole hours had them cut, or posts by a schedule that strikes the hour: either way two
of its kind that stand on one hour say no more than that. Of the accounts with five times and more in the public logs
at hand, in seconds or minutes, there is none all of whose times are multiples of five minutes. And of the posts in
these logs one in a hundred more than chance puts there stands at such a multiple; where one in ten does, posts that
do are coarse whoever made them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from propgraph.arrays.types import Bool, Int64
from propgraph.resolution import DAY_MS, HOUR_MS, NAMED_MS, QUARTER_MS, STEPS_MS, SURE_BITS, bits, on_grid

#: So many accounts have to be of a coarser step, each with so many different times.
LEAST_ACCOUNTS, LEAST_TIMES = 3, 5
#: Or so many different times on one grid, and of all posts so many more than chance puts there.
LEAST_ON_GRID, _MANY = 20, 0.1
_NEARLY_ALL = 0.9
# Whole minutes are some people's habit in logs of seconds, too.
_HABIT_MS, _LEAST_MS = 60_000, 300_000


def coarser_posts(times: Int64, account: npt.NDArray[np.integer], /, *, than_s: float | None) -> Int64 | None:
    """Return for each post the step (ms) on which its time lies more coarsely than others do, 0 for those others.

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
    Int64 or None
        None where no post is coarser. Of three accounts or more the times, five different ones or more each, all
        have to lie on one grid of five minutes or more, which those of one account among them all would by chance
        once in a million; any account all of whose times lie on that grid is then coarse. Or a tenth of all posts
        more than chance puts there lie on such a grid, at twenty different times or more; then each post that does.
    """
    known = max(round((than_s or 0.0) * 1000), _HABIT_MS)
    steps = [
        step for step in sorted(STEPS_MS)
        if step >= _LEAST_MS and step > known and (known < _LEAST_MS or step in NAMED_MS)
    ]  # fmt: skip
    if not steps or times.size < LEAST_ACCOUNTS * LEAST_TIMES:
        return None
    found = np.zeros(np.max(account) + 1, np.int64)
    for accounts, step in _accounts_of_steps(times, account, steps, known=known):
        found[accounts & (found == 0)] = step
    by_post = found[account] if found.any() else None
    left = times if by_post is None else times[by_post == 0]
    for starts, step in _posts_of_steps(left, steps, known=known):
        by_post = np.zeros(times.size, np.int64) if by_post is None else by_post
        by_post[(by_post == 0) & np.isin(times % step, starts)] = step
    return by_post


def _accounts_of_steps(
    times: Int64, account: npt.NDArray[np.integer], steps: Sequence[int], *, known: int
) -> Iterator[tuple[Bool, int]]:
    """Yield the accounts (marked, by number) all of whose times lie on a step (ms), the coarsest step first."""
    n_posts = np.bincount(account)
    could = _could_be(times, account, steps, n_posts=n_posts)
    if np.count_nonzero(could) < LEAST_ACCOUNTS:
        return
    mine = could[account]
    some, (names, who) = times[mine], np.unique(account[mine], return_inverse=True)
    least = SURE_BITS + math.log2(np.count_nonzero(n_posts >= LEAST_TIMES))
    usual = np.full(names.size, known)
    n_times = _n_distinct(some, who)
    sets: list[tuple[Bool, int]] = []
    for step in steps:
        for sure in _on_one_grid(some, who, step, enough=_enough(n_times, step, usual, least=least)):
            sets.append((sure, step))
            if step in NAMED_MS:
                usual[sure] = step
    # Whole hours are whole quarters of an hour, too: a finer step counts by those alone that are of no coarser one.
    taken = np.zeros(names.size, np.bool_)
    for sure, step in reversed(sets):
        if np.count_nonzero(sure & ~taken) >= LEAST_ACCOUNTS:
            taken |= sure
            yield _all_of(np.isin(times % step, np.unique(some[sure[who]] % step)), account, n_posts), step


def _posts_of_steps(times: Int64, steps: Sequence[int], *, known: int) -> Iterator[tuple[Int64, int]]:
    """Yield where a step (ms) begins on which many more posts lie than chance puts there, the coarsest step first.

    By chance half of the whole hours lie on every other hour. Where nearly all posts that lie on the finer step lie on
    the coarser one, it is that; at what hours people post is no chance, so that beyond whole hours nothing else counts.
    """
    base, least = math.gcd(*steps, QUARTER_MS), _MANY * times.size
    n_known = int(np.count_nonzero(times % known == 0))
    coarse = times[times % base == 0] if base < _LEAST_MS else times[:0]
    if coarse.size - n_known * known / math.lcm(known, base) < least:
        return
    starts_of: dict[int, Int64] = {}
    n_on = {known: n_known}
    for step in steps:
        some = coarse[on_grid(coarse, step)]
        likely = some.size >= least + max(n * finer / step for finer, n in n_on.items())
        nearly = bool(starts_of) and some.size >= _NEARLY_ALL * n_on[max(starts_of)]
        if (nearly or (likely and (step <= HOUR_MS or HOUR_MS not in n_on))) and (
            np.unique(some).size >= LEAST_ON_GRID
        ):
            starts_of[step], n_on[step] = np.unique(some % step), some.size
    for step in reversed(starts_of):
        on = np.isin(coarse % step, starts_of[step])
        if np.count_nonzero(on) >= n_known * known / step + least:
            yield starts_of[step], step
            coarse, n_known = coarse[~on], n_known - int(np.count_nonzero(on))


def _could_be(
    times: Int64, account: npt.NDArray[np.integer], steps: Sequence[int], *, n_posts: Int64
) -> Bool:
    """Mark the accounts (by number) of enough posts whose times can all be of one of the steps (ms), by any start."""
    base = math.gcd(*steps)
    start = np.zeros(n_posts.size, np.int64)
    start[account] = times  # of any one of its posts
    after = (times - start[account]) % base
    off = after != 0
    if base % DAY_MS == 0:  # days begin an hour earlier in summer
        off &= (after != HOUR_MS) & (after != base - HOUR_MS)
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
