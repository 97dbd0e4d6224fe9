"""The second null: each account stands where its own habits put it, not anywhere with equal chance.

Accounts that always post in the same two hours, or always react within minutes, stand near each other in object after
object although nobody organises them. So pairs that stand out under the uniform deal (see `gaps`) are tested again:
each of the two accounts draws its post of an object, independently, with weights by the hour of the day, the day of the
week and how early in the object's life a post stands. The weights come from what the account posted in its other
sessions: the session in which it posted the object at hand is left out, since it must not explain itself. They are
smoothed, and drawn to the log's own frequencies as if the account had four more sessions like everybody's.

Weights are the same for all posts of one hour and place in the life, a **cell**. With cells as steps, the chance of so
small a gap is a sum over cells, not over pairs of posts: a popular object has hundreds of thousands of posts, and a few
hundred cells.

A crew that only ever works in its own hours looks like its own habit: what is explained by habits is not called
synchronised. That is the price of this null (docs/synchronised.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from propgraph.arrays.encoding import largest
from propgraph.arrays.incidence import Incidence
from propgraph.arrays.kernels import inlined, kernel
from propgraph.arrays.types import Bool, Float64, Int32, Int64

Int16 = npt.NDArray[np.int16]

#: Sessions like everybody's that each account is taken to have besides its own.
PRIOR_SESSIONS = 4.0
#: Bounds of the places in an object's life: the fraction of its posts that stand before.
PLACES = np.array([0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.25, 0.4, 0.55, 0.7, 0.85])
HOURS, DAYS, N_PLACES = 24, 7, PLACES.size + 1
# Where the weights of hours, days and places begin in one account's line of weights.
_DAY, _PLACE, WEIGHTS = HOURS, HOURS + DAYS, HOURS + DAYS + N_PLACES
# How many hours, days, places to either side a session speaks for, falling off in a line.
_SMOOTH_HOURS, _SMOOTH_DAYS, _SMOOTH_PLACES = 2, 1, 1
_HOUR_MS, _DAY_MS = 3_600_000, 86_400_000


@dataclass(frozen=True)
class Habits:
    """When posts are made in a log.

    Attributes
    ----------
    kind
        int16[n_shares]; the hour of the day, day of the week and place in the object's life of each share, in one
        number.
    first_cell
        int64[n_objects + 1]; object `o` has the cells `first_cell[o]:first_cell[o + 1]`.
    cell
        int64[n_cells + 1]; where the shares of each cell begin: neighbours of one kind.
    usual
        float64[43]; the log's own part of each hour, day and place, 0..1.
    vote, leads
        int16 and bool; by place in the accounts' lists: the kind of the session's first post in the list,
        and whether this is that post. Each session of an account is one vote for when it posts.
    """

    kind: Int16
    first_cell: Int64
    cell: Int64
    usual: Float64
    vote: Int16
    leads: Bool


def habits_of(log: Incidence, /, *, start: Int64, position: Int64, session: Int32) -> Habits:
    """Return when posts are made in a log, and the votes of accounts' lists `position[start[a]:start[a + 1]]`.

    Lists of some accounts alone will do where no others' votes are asked for; `session` goes with them.
    """
    kind = _kinds(log.offsets, log.time, PLACES)
    first_cell, cell = _cells(log.offsets, kind)
    usual = np.zeros(WEIGHTS)
    for k, n in enumerate(np.bincount(kind, minlength=HOURS * DAYS * N_PLACES).tolist()):
        for place in _marks(k):
            usual[place] += n
    vote, leads = _votes(start, position, session, kind)
    return Habits(kind, first_cell, cell, usual / max(kind.size, 1), vote, leads)


@inlined
def _marks(kind: int) -> tuple[int, int, int]:
    """Return where the hour, the day and the place of a kind stand in a line of weights."""
    return kind // (DAYS * N_PLACES), _DAY + kind // N_PLACES % DAYS, _PLACE + kind % N_PLACES


@kernel
def _kinds(offsets: Int64, time: Int64, places: Float64) -> Int16:
    kind = np.empty(time.size, np.int16)
    for o in range(offsets.size - 1):
        begin, n = offsets[o], offsets[o + 1] - offsets[o]
        place = 0
        # Posts stand in order of time, so the place in the object's life never goes back.
        for p in range(begin, offsets[o + 1]):
            while place < places.size and p - begin + 0.5 > places[place] * n:
                place += 1
            hour, day = time[p] // _HOUR_MS % HOURS, time[p] // _DAY_MS % DAYS
            kind[p] = (hour * DAYS + day) * (places.size + 1) + place
    return kind


@kernel
def _cells(offsets: Int64, kind: Int16) -> tuple[Int64, Int64]:
    """Return the first cell of each object, and where each cell's shares begin."""
    first = np.zeros(offsets.size, np.int64)
    n = 0
    # Counted first, for the room that is needed: at the top `n` cells lie in the objects before.
    for o in range(offsets.size - 1):
        first[o] = n
        for p in range(offsets[o], offsets[o + 1]):
            n += p == offsets[o] or kind[p] != kind[p - 1]
    first[offsets.size - 1] = n
    cell = np.empty(n + 1, np.int64)
    k = 0
    # The same walk again, now that there is room: a cell begins with its object, or where the kind changes.
    for o in range(offsets.size - 1):
        for p in range(offsets[o], offsets[o + 1]):
            if p == offsets[o] or kind[p] != kind[p - 1]:
                cell[k] = p
                k += 1
    cell[n] = kind.size
    return first, cell


@kernel
def _votes(start: Int64, position: Int64, session: Int32, kind: Int16) -> tuple[Int16, Bool]:
    """Return the vote of each place's session, and whether the place is the first of its session in the list."""
    vote, leads = np.empty(position.size, np.int16), np.empty(position.size, np.bool_)
    of = np.full(largest(session) + 1, -1, np.int16)
    # Account by account: `of` is the vote of each of its sessions met so far, -1 for the others.
    for a in range(start.size - 1):
        # All the account's sessions have smaller numbers than it has shares.
        of[: min(of.size, start[a + 1] - start[a])] = -1
        for k in range(start[a], start[a + 1]):
            leads[k] = of[session[k]] < 0
            if leads[k]:
                of[session[k]] = kind[position[k]]
            vote[k] = of[session[k]]
    return vote, leads


@kernel
def count_sessions(a: int, start: Int64, vote: Int16, leads: Bool, votes: Float64) -> None:
    """Count the sessions of account `a` by hour, day and place in `votes`, float64[43]."""
    votes[:] = 0.0
    for k in range(start[a], start[a + 1]):
        if leads[k]:
            for place in _marks(vote[k]):
                votes[place] += 1.0


@kernel
def count_sessions_of(accounts: Int64, start: Int64, vote: Int16, leads: Bool) -> tuple[Int64, Float64]:
    """Return the line of each account among some, -1 for the others, and their sessions as from `count_sessions`."""
    line = np.full(start.size - 1, -1, np.int64)
    votes = np.empty((accounts.size, WEIGHTS))
    for k in range(accounts.size):
        line[accounts[k]] = k
        count_sessions(accounts[k], start, vote, leads, votes[k])
    return line, votes


@kernel
def weights_without(
    x: int, x_stop: int, session: Int32, vote: Int16, votes: Float64, usual: Float64, weights: Float64
) -> None:
    """Fill `weights`, float64[43], with how much likelier than anybody an account posts at each hour, day and place.

    The sessions of its posts `x:x_stop` of the object at hand are left out.
    """
    left = votes.copy()
    # Its posts of the object stand in order of time, and so do the numbers of their sessions.
    for k in range(x, x_stop):
        if k == x or session[k] != session[k - 1]:
            for place in _marks(vote[k]):
                left[place] -= 1.0
    _smooth(left, 0, HOURS, _SMOOTH_HOURS, True, usual, weights)
    _smooth(left, _DAY, DAYS, _SMOOTH_DAYS, True, usual, weights)
    _smooth(left, _PLACE, N_PLACES, _SMOOTH_PLACES, False, usual, weights)


@kernel
def _smooth(
    votes: Float64, begin: int, n: int, width: int, circular: bool, usual: Float64, weights: Float64
) -> None:
    """Fill one part of the weights: votes smoothed, drawn to the usual frequency, over that frequency."""
    total = 0.0
    spread = 0.0
    smooth = np.zeros(n)
    for i in range(n):
        total += votes[begin + i]
        for step in range(-width, width + 1):
            k = i + step
            if circular:
                k %= n
            elif k < 0 or k >= n:
                continue
            part = votes[begin + i] * (1.0 - abs(step) / (width + 1.0))
            smooth[k] += part
            spread += part
    # Votes at either end of a life reach over it less; scaled to their number again.
    scale = total / spread if spread > 0 else 0.0
    for i in range(n):
        own = usual[begin + i]
        drawn = (smooth[i] * scale + PRIOR_SESSIONS * own) / (total + PRIOR_SESSIONS)
        weights[begin + i] = drawn / own if own > 0 else 1.0


@inlined
def weight_of(kind: int, weights: Float64) -> float:
    """Return the weight of a post of a kind."""
    hour, day, place = _marks(kind)
    return float(weights[hour] * weights[day] * weights[place])


@kernel
def weighted_chance(
    gap: int, o: int, kind: Int16, first_cell: Int64, cell: Int64, one: Float64, other: Float64
) -> float:
    """Return P(gap <= `gap`) in object `o` of two accounts with the weights `one` and `other`, at different posts.

    Ties are no exception: two posts are counted whose positions are so near, which is never fewer than those whose gap
    is (see `gaps`), so that the chance is an upper bound there.

    With B(x) the other's weight before position x and S(x) the sum of B before x, both known at the bounds of the
    cells and simple between them, the weight of the pairs at most g apart is, cell by cell of the one with weight a
    from l to r, a (S(r + g + 1) - S(l + g + 1) - S(r - g) + S(l - g)), less that of both at one post.
    """
    low, high = first_cell[o], first_cell[o + 1]
    m = high - low
    begin = cell[low : high + 1] - cell[low]
    mine, yours = np.empty(m), np.empty(m)
    before, sums = np.zeros(m + 1), np.zeros(m + 1)
    same = 0.0
    total = 0.0
    # At the top `before` and `sums` are known up to the cell's beginning.
    for c in range(m):
        k = kind[cell[low + c]]
        size = float(begin[c + 1] - begin[c])
        mine[c], yours[c] = weight_of(k, one), weight_of(k, other)
        before[c + 1] = before[c] + yours[c] * size
        sums[c + 1] = sums[c] + before[c] * size + yours[c] * size * (size - 1.0) / 2.0
        same += mine[c] * yours[c] * size
        total += mine[c] * size
    near = -same
    ahead = behind = 0
    last_ahead, ahead = _sum_before(begin[0] + gap + 1, begin, before, sums, yours, ahead)
    last_behind, behind = _sum_before(begin[0] - gap, begin, before, sums, yours, behind)
    # At the top both sums stand at the cell's beginning; bounds only rise, and so do the cells that they fall into.
    for c in range(m):
        next_ahead, ahead = _sum_before(begin[c + 1] + gap + 1, begin, before, sums, yours, ahead)
        next_behind, behind = _sum_before(begin[c + 1] - gap, begin, before, sums, yours, behind)
        near += mine[c] * ((next_ahead - last_ahead) - (next_behind - last_behind))
        last_ahead, last_behind = next_ahead, next_behind
    return max(near, 0.0) / (total * before[m] - same) if total * before[m] > same else 1.0


@inlined
def _sum_before(
    x: int, begin: Int64, before: Float64, sums: Float64, weight: Float64, c: int
) -> tuple[float, int]:
    """Return S(x), and the cell into which x falls, at or after cell `c`."""
    m = weight.size
    if x <= 0:
        return 0.0, c
    if x >= begin[m]:
        return sums[m] + before[m] * float(x - begin[m]), c
    while x >= begin[c + 1]:
        c += 1
    into = float(x - begin[c])
    return sums[c] + before[c] * into + weight[c] * into * (into - 1.0) / 2.0, c
