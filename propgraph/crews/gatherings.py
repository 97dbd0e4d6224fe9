"""How near the members of a group stand to each other in one object, and what chance gives: the kernels.

A **gathering** is an object of the tested half that several members of a group posted. Its statistic is the sum over
the members of -ln of the chance that the nearest other member stands so near, as if all were dealt to the posts. What
the sum would be by chance is drawn: by the deal (any distinct posts of the object), and with habits (each member's
posts with its own weights, see `synchrony.habits`).
"""

from __future__ import annotations

import numpy as np

from propgraph.arrays.kernels import kernel
from propgraph.arrays.types import Bool, Float64, Int32, Int64
from propgraph.synchrony.habits import WEIGHTS, Int16, count_sessions_of, weight_of, weights_without

# Draws of a gathering: as many as make about so many posts, within bounds.
_DRAWN_POSTS, _FEWEST_DRAWS, _MOST_DRAWS = 20_000, 40, 400
_LEAST_CHANCE = 1e-12
_TRIES = 30


@kernel
def moments_of(
    begin: Int64,
    place: Int64,
    member: Int64,
    seed: int,
    start: Int64,
    position: Int64,
    listed: Int32,
    session: Int32,
    offsets: Int64,
    first: Int64,
    last: Int64,
    kind: Int16,
    first_cell: Int64,
    cell: Int64,
    usual: Float64,
    vote: Int16,
    leads: Bool,
) -> Float64:
    """Return the statistic of each gathering, and its mean, variance and third central moment by both nulls.

    Parameters
    ----------
    begin
        int64[n_gatherings + 1]; gathering `k` has the shares `begin[k]:begin[k + 1]` of the following.
    place, member
        int64; places in the accounts' lists, and the accounts; account by account.
    seed
        Of the draws; those of a gathering depend on it and the gathering's number alone.
    start, position, listed, session, offsets, first, last
        As in `PreparedShares`, its log and gaps.
    kind, first_cell, cell, usual, vote, leads
        As in `Habits`.

    Returns
    -------
    float64[n_gatherings, 7]
    """
    found = np.empty((begin.size - 1, 7))
    line, votes = count_sessions_of(np.unique(member), start, vote, leads)
    for k in range(begin.size - 1):
        low, size = begin[k], begin[k + 1] - begin[k]
        o = listed[place[low]]
        at, n = offsets[o], offsets[o + 1] - offsets[o]
        who = np.empty(size, np.int64)  # the members, numbered
        post = np.empty(size, np.int64)
        n_members = 0
        # The shares stand member by member: at the top `n_members` is the number of the latest.
        for x in range(size):
            if x > 0 and member[low + x] != member[low + x - 1]:
                n_members += 1
            who[x] = n_members
            post[x] = position[place[low + x]] - at
        n_members += 1
        np.random.seed((seed * 1_000_003 + k * 7_919) & 0x7FFFFFFF)
        found[k, 0] = nearness(post, who, n_members, n, first, last, at)
        draws = min(max(_DRAWN_POSTS // size, _FEWEST_DRAWS), _MOST_DRAWS)
        taken = np.zeros(n, np.bool_)
        by_deal, by_habit = np.empty(draws), np.empty(draws)
        # The deal first, then with habits: each fills `post` anew, whose members stay.
        for d in range(draws):
            _deal(post, n, taken)
            by_deal[d] = nearness(post, who, n_members, n, first, last, at)
        c_low, c_high = first_cell[o], first_cell[o + 1]
        up_to = np.zeros((n_members, c_high - c_low + 1))
        _weigh_cells(
            up_to, who, place[low : low + size], member[low : low + size], c_low, start, listed, session, kind, cell,
            usual, vote, line, votes,
        )  # fmt: skip
        for d in range(draws):
            _deal_by_habit(post, who, n, taken, up_to, cell[c_low : c_high + 1])
            by_habit[d] = nearness(post, who, n_members, n, first, last, at)
        for null in range(2):
            drawn = by_deal if null == 0 else by_habit
            mean = drawn.mean()
            found[k, 1 + 3 * null] = mean
            found[k, 2 + 3 * null] = ((drawn - mean) ** 2).mean()
            found[k, 3 + 3 * null] = ((drawn - mean) ** 3).mean()
    return found


@kernel
def _weigh_cells(
    up_to: Float64,
    who: Int64,
    place: Int64,
    member: Int64,
    c_low: int,
    start: Int64,
    listed: Int32,
    session: Int32,
    kind: Int16,
    cell: Int64,
    usual: Float64,
    vote: Int16,
    line: Int64,
    votes: Float64,
) -> None:
    """Fill `up_to` with the weight up to each cell of an object, the first of which is `c_low`; one line a member.

    `line` is where an account's sessions stand in `votes` (see `habits.count_sessions_of`).
    """
    weights = np.empty(WEIGHTS)
    x = 0
    # Member by member: at the top `x` is the first of one's shares of the gathering.
    while x < who.size:
        x_stop = x + 1
        while x_stop < who.size and who[x_stop] == who[x]:
            x_stop += 1
        a = member[x]
        y = place[x]
        y_stop = y
        while y_stop < start[a + 1] and listed[y_stop] == listed[y]:
            y_stop += 1
        weights_without(y, y_stop, session, vote, votes[line[a]], usual, weights)
        for c in range(up_to.shape[1] - 1):
            at = c_low + c
            weight = weight_of(kind[cell[at]], weights) * (cell[at + 1] - cell[at])
            up_to[who[x], c + 1] = up_to[who[x], c] + weight
        x = x_stop


@kernel
def nearness(post: Int64, who: Int64, n_members: int, n: int, first: Int64, last: Int64, at: int) -> float:
    """Return the sum over members of -ln of the chance that the nearest other member stands so near.

    `post` are positions in the object, `who` whose they are; the gap of two posts is with ties (see `synchrony.gaps`).
    """
    order = np.argsort(post)
    best = np.full(n_members, n, np.int64)
    n_own = np.zeros(n_members, np.int64)
    # Nearest to a post stands the next one before or after it by another member; its own between are passed over.
    for x in range(order.size):
        i = order[x]
        n_own[who[i]] += 1
        y = x + 1
        while y < order.size and who[order[y]] == who[i]:
            y += 1
        if y < order.size:
            k = order[y]
            gap = last[at + post[k]] - first[at + post[i]]
            best[who[i]] = min(best[who[i]], gap)
        y = x - 1
        while y >= 0 and who[order[y]] == who[i]:
            y -= 1
        if y >= 0:
            k = order[y]
            gap = last[at + post[i]] - first[at + post[k]]
            best[who[i]] = min(best[who[i]], gap)
    total = 0.0
    # The nearest of all others' posts to any of the member's own: as many chances as there are pairs of these.
    for m in range(n_members):
        others = order.size - n_own[m]
        apart = 1.0 - min(1.0, 2.0 * best[m] / n)
        chance = 1.0 - apart ** (others * n_own[m])
        total -= np.log(max(chance, _LEAST_CHANCE))
    return total


@kernel
def _deal(post: Int64, n: int, taken: np.ndarray) -> None:
    """Fill `post` with distinct positions out of n; `taken` is left as it was, all False."""
    for x in range(post.size):
        p = np.random.randint(n)
        while taken[p]:
            p = np.random.randint(n)
        taken[p] = True
        post[x] = p
    for x in range(post.size):
        taken[post[x]] = False


@kernel
def _deal_by_habit(post: Int64, who: Int64, n: int, taken: np.ndarray, up_to: Float64, cell: Int64) -> None:
    """Fill `post` likewise, each position with its member's weights; after many tries in vain the next free one."""
    last = up_to.shape[1] - 1
    for x in range(post.size):
        line = up_to[who[x]]
        p = 0
        for _ in range(_TRIES):
            u = np.random.random() * line[last]
            c = min(np.searchsorted(line, u, side="right") - 1, last - 1)
            p = cell[c] - cell[0] + np.random.randint(cell[c + 1] - cell[c])
            if not taken[p]:
                break
        while taken[p]:
            p = (p + 1) % n
        taken[p] = True
        post[x] = p
    for x in range(post.size):
        taken[post[x]] = False
