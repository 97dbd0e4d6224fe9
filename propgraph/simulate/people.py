"""People, their communities and groups, and who sees whom."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from propgraph.arrays.types import Float64, Int64
from propgraph.simulate.draws import DAY, YEAR, Rng, Words, lognormal, weighted

#: The role of those who are paid, until their simulator names it; they see no posts, and read no news.
HIRED = "hired"
N_STAFF = 12
N_FANS = 40


@dataclass(frozen=True)
class People:
    """The accounts: role (the hired first), and what drives their behaviour."""

    role: Words
    community: Int64
    zone: Float64  # seconds to add to UTC for the account's own clock
    activity: Float64
    followers: Int64
    created: Int64
    partisan: Int64  # communities, not accounts

    def who(self, role: str) -> Int64:
        """Return the accounts of a role."""
        return np.flatnonzero(self.role == role)


@dataclass(frozen=True)
class Audience:
    """Who sees a post: one row for each account (its followers), then one for each group (its members)."""

    start: Int64
    size: Int64
    member: Int64
    reach: Float64
    group_community: Int64


def make_people(rng: Rng, n: int, n_hired: int) -> People:
    """Draw `n` accounts, of which the first `n_hired` are hired, then staff, fans and their star."""
    role = np.full(n, "organic", dtype="<U8")
    role[:n_hired] = HIRED
    role[n_hired : n_hired + N_STAFF] = "newsroom"
    role[n_hired + N_STAFF : n_hired + N_STAFF + N_FANS] = "fan"
    star = n_hired + N_STAFF + N_FANS  # the next account: an organic one, much followed
    n_communities = int(np.clip(n // 250, 8, 20))
    community = weighted(rng, 1 / np.arange(3, n_communities + 3), n)
    community[role == "fan"] = community[star]
    partisan = np.sort(rng.permutation(n_communities)[: max(3, round(0.35 * n_communities))])
    community[:n_hired] = rng.choice(partisan, n_hired)
    # Mostly American clocks, some European; and everybody is an owl or a lark.
    hours = rng.permutation(np.resize([-5, 0, -8, -6, 1, -5, -7, 2], n_communities))
    zone = (hours[community] + rng.normal(0, 1.5, n)) * 3600
    zone[:n_hired] = rng.normal(1, 1.5, n_hired) * 3600
    activity = lognormal(rng, 1.0, 1.2, n)
    activity[(role == "fan") | (role == "newsroom")] *= 2.5  # keen, in this as in the rest
    followers = np.minimum(30 * (1 + rng.pareto(1.1, n)), 400_000).astype(np.int64)
    followers[:n_hired] = (4 * (1 + rng.pareto(1.3, n_hired))).astype(np.int64).clip(max=2000)
    followers[star] = 250_000
    return People(
        role=role,
        community=community,
        zone=zone,
        activity=activity,
        followers=followers,
        created=_creation(rng, role),
        partisan=partisan,
    )


def _creation(rng: Rng, role: Words) -> Int64:
    """Creation times: years apart, except for the hired, made in a few lots and some of them aged."""
    created = -(rng.beta(1.1, 1.4, role.size) * 8 * YEAR + 2 * DAY)
    hired = np.flatnonzero(role == HIRED)
    lots = -rng.uniform(20, 300, 5) * DAY
    young = hired[rng.random(hired.size) < 0.85]
    created[young] = rng.choice(lots, young.size) + rng.exponential(0.6 * DAY, young.size)
    return created.astype(np.int64)


def make_audience(rng: Rng, people: People) -> Audience:
    """Draw followers mostly from the own community, the active first; a few accounts have most of them.

    The hired see nothing: those who are paid by the post do not browse. What they reshare is camouflage.
    """
    n_communities = int(people.community.max()) + 1
    per_community = np.where(np.isin(np.arange(n_communities), people.partisan), 8, 4)
    group_community = np.repeat(np.arange(n_communities), per_community)
    n, n_groups = people.role.size, group_community.size
    home = np.concatenate([people.community, group_community])
    crowd = np.concatenate([people.followers, lognormal(rng, 150, 0.8, n_groups).astype(np.int64)])
    size = np.clip(crowd**0.7, 3, n / 4).astype(np.int64)
    row = np.repeat(np.arange(n + n_groups), size)
    weight = np.where(people.role == HIRED, 0.0, people.activity)
    member = weighted(rng, weight, row.size)
    # A group's members are of its community; a person's followers are so four times in five.
    near = (rng.random(row.size) < 0.8) | (row >= n)
    for community in range(n_communities):
        here = np.flatnonzero(near & (home[row] == community))
        local = weight * (people.community == community)
        if local.any():
            member[here] = weighted(rng, local, here.size)
    reach = np.minimum(crowd, 20_000) ** 0.4
    reach /= np.average(reach[:n], weights=weight)
    return Audience(np.cumsum(size) - size, size, member, reach, group_community)
