"""Slow and obvious twin of `propgraph.synchrony.standing`: post by post, by definition.

A row is a tuple `(content_id, account_id, object_id, time)`; `members` are the accounts of the group.
"""

from __future__ import annotations

from math import comb, exp, factorial, inf, isqrt, log

SESSION_MS = 3_600_000


def standing(rows, members, tau):
    """Return `{account: (n_tested, n_near, ln P)}` of all that can be told something over two objects or more."""
    found = {}
    for account in sorted({row[1] for row in rows}):
        held = set(members) - {account}
        n_tested, n_near, sessions, total = 0, 0, set(), 0.0
        for name in sorted({row[2] for row in rows}):
            place = placed([row for row in rows if row[2] == name], account, held, tau)
            if place is None:
                continue
            hour, value = place
            n_tested += 1
            n_near += value <= tau
            if value <= tau and hour not in sessions:
                total -= log(value / tau)
            sessions.add(hour)
        if n_tested >= 2:
            found[account] = (n_tested, n_near, tail(len(sessions), total, tau))
    return found


def placed(posts, account, held, tau, fellows=1):
    """Return the hour of the account's first post of an object, and its p; None where it tells nothing."""
    theirs = [post for post in posts if post[1] in held]
    free = [post for post in posts if post[1] not in held]
    own = sorted((post for post in free if post[1] == account), key=lambda post: (post[3], post[0]))
    if not theirs or not own or len(free) < 2:
        return None
    gaps = {post: gap_to(posts, post, theirs, fellows) for post in free}

    def p(size):
        return len(own) * sum(gaps[post] <= size for post in free) / len(free)

    if p(min(gaps.values())) > tau:
        return None
    best = min(own, key=lambda post: gaps[post])
    return own[0][3] // SESSION_MS, p(gaps[best])


def gap_to(posts, one, theirs, fellows):
    """Return the gap to the k-th nearest of some posts, k the whole root of their number, `fellows` at most."""
    k = min(isqrt(len(theirs)), fellows)
    return sorted(gap(posts, one, other) for other in theirs)[k - 1]


def gap(posts, one, other):
    """Return how many places two posts are apart if all ties are counted against them."""
    low, high = sorted((one[3], other[3]))
    return sum(low <= post[3] <= high for post in posts) - 1


def tail(k, total, tau):
    """Return ln P(sum of -ln(p / tau) over the p <= tau is `total` or more) for k uniform p."""
    if total == 0:
        return 0.0
    result = 0.0
    for j in range(1, k + 1):
        erlang = sum(exp(-total) * total**i / factorial(i) for i in range(j))
        result += comb(k, j) * tau**j * (1 - tau) ** (k - j) * erlang
    return log(result) if result > 0 else -inf
