"""Slow and obvious twins of the providers of parents: one node after the other, every pair looked at."""

from __future__ import annotations

from itertools import pairwise
from math import exp


def follow_parents(offsets, account, pairs):
    """Return for each row the latest row above by an account that its own account follows, else -1."""
    parents = []
    for start, end in pairwise(offsets):
        for row in range(start, end):
            above = [
                other
                for other in range(start, row)
                if min(account[row], account[other]) >= 0
                and account[other] != account[row]
                and (account[row], account[other]) in pairs
            ]
            parents.append(max(above, default=-1))
    return parents


def pdi_chances(time, followers, gamma, alpha):
    """Return for each node of one cascade the chance of each node above it (DeVerna et al. 2024)."""
    chances = []
    for i in range(len(time)):
        delay = [max((time[i] - time[j]) / 1000, 1.0) ** -alpha for j in range(i)]
        audience = followers[:i]
        if sum(audience) > 0:
            chances.append(
                [gamma * audience[j] / sum(audience) + (1 - gamma) * delay[j] / sum(delay) for j in range(i)]
            )
        else:
            chances.append([one / sum(delay) for one in delay])
    return chances


def step(number):
    """Return k where 2 ** k <= number < 2 ** (k + 1)."""
    return int(number).bit_length() - 1


def learned_chances(time, attraction, root_odds, lag, rank):
    """Return for each node of one cascade the chance of each node above it under a learned law."""
    chances = []
    for i in range(len(time)):
        odds = []
        for j in range(i):
            delay = (time[i] - time[j]) // 1000 + 1
            steps = lag[min(step(delay), len(lag) - 1)] + rank[min(step(i - j), len(rank) - 1)]
            odds.append(root_odds[i] if j == 0 else attraction[j] * exp(steps))
        chances.append([one / sum(odds) for one in odds])
    return chances
