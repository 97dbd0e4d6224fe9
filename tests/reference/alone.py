"""Accounts that post one object over and over, one post after another."""

from __future__ import annotations

from collections import Counter
from math import comb

import numpy as np


def beyond(posts, *, least, q):
    """Return `{(account, unit): expected}` of the pairs of so many posts that others' posts would not give."""
    pairs, of_account, of_unit = Counter(posts), Counter(), Counter()
    for (account, unit), n in pairs.items():
        of_account[account] += n
        of_unit[unit] += n
    tested = {}
    for (account, unit), n in pairs.items():
        if n >= least:
            chance = min(1.0, (of_unit[unit] - n + 1) / (len(posts) - of_account[account] + 1))
            trials = of_account[account]
            tail = sum(
                comb(trials, k) * chance**k * (1 - chance) ** (trials - k) for k in range(n, trials + 1)
            )
            tested[account, unit] = min(tail, 1.0), trials * chance
    order = sorted(tested.values())
    found = {}
    for pair, (p, expected) in tested.items():
        rates = [
            other * len(posts) / sum(p_value <= other for p_value, _ in order)
            for other, _ in order if other >= p
        ]  # fmt: skip
        if min(rates) <= q:
            found[pair] = expected
    return found


def usual_of(posts, account, *, alike, quantile):
    """Return what part of the accounts nearest in number of posts post of one object, at most."""
    of_account = Counter(name for name, _ in posts)
    most = {name: max(n for (who, _), n in Counter(posts).items() if who == name) for name in of_account}
    order = sorted(of_account, key=lambda name: (of_account[name], name))
    place = order.index(account)
    low = max(0, min(place - alike // 2, len(order) - alike - 1))
    near = [name for name in order[low : low + alike + 1] if name != account]
    return float(np.quantile([most[name] for name in near], quantile)) if near else 0.0
