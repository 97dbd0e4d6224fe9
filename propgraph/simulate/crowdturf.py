"""Made-up campaigns of reshares, organised in three ways, among ordinary life, with a known truth.

Some accounts are hired to carry posts that are not their own. In a *centralised* campaign workers reshare an
organiser's post when it is released. In a *distributed* one recruiters reshare it, and each recruiter's crew,
which serves no other, reshares the recruiter. In a *pyramid* a few influencers reshare it, the community of
each reshares the influencer, and outer followers reshare somebody of that community.

Beside the campaign live, in the world of `simulate.organic`, innocents of like shape: a star's fan club (a
crowd right under one origin), the staff of a newsroom, a breaking story, and communities whose loyal members
reshare whatever viral post their favourite has reshared, at their leisure (tiers that widen). Every reshare
names the post that its author saw, so that the log shows true trees.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from propgraph.arrays.types import Int64
from propgraph.errors import LARGEST_SEED, check_at_least, check_choice
from propgraph.schema import ID
from propgraph.simulate.budget import crowdturf_payments
from propgraph.simulate.draws import DAY, STRONGEST, Rng, lognormal, weighted, when_awake
from propgraph.simulate.logs import log_frame, number_accounts, roles_and_groups, write_log
from propgraph.simulate.organic import background, ordinary_side, spread
from propgraph.simulate.people import HIRED, People, make_audience, make_people
from propgraph.simulate.posts import N_STAR_LINES, RESHARE, Posts, join, make_posts
from propgraph.simulate.press import make_press
from propgraph.simulate.world import World

KINDS = ("centralised", "distributed", "pyramid")

N_ORGANISERS = 3
CREW = 20  # workers of a recruiter
N_INFLUENCERS = 4
N_HUBS, N_LOYAL = 6, 20  # favourites of innocent communities, and the loyal members of each


@dataclass(frozen=True)
class CrowdturfLog:
    """A simulated log and the truth about its accounts and its campaign.

    Attributes
    ----------
    log
        One row per post, with the columns of `VelesLog.log`; `parent_content_id` is the post that was
        seen, `origin_account_id` the author of the original.
    accounts
        One row per account, sorted by `account_id`: `account_id, role` (`organic, fan, organiser, relay,
        worker`; staff and those of the breaking story are `organic`, members of loyal communities `fan`)`,
        group` (`String`: the relay's number for relays and workers, `campaign`, `fanclub`, `hub..`, ...)`,
        organised` (`Boolean`).
    campaigns
        One row for the campaign: `campaign, kind` (`String`)`, n_missions` (originals pushed)`, n_organisers,
        n_relays, n_workers` (`UInt32`, accounts), `strength` (`Float64`).
    """

    log: pl.DataFrame
    accounts: pl.DataFrame
    campaigns: pl.DataFrame


@dataclass(frozen=True)
class _Hired:
    """The hired: account numbers, and for each worker its relay (position) and its tier below it."""

    organiser: Int64
    relay: Int64
    worker: Int64
    of_relay: Int64
    inner: Int64


def simulate_crowdturf(
    *,
    kind: str = "distributed",
    n_accounts: int = 3000,
    n_days: int = 14,
    n_workers: int = 120,
    n_missions: int = 40,
    strength: float = 1.0,
    seed: int = 0,
) -> CrowdturfLog:
    """Simulate a campaign of reshares among ordinary sharing, with look-alikes and the truth.

    Ordinary life does not depend on `strength` and `n_missions`: strengths of the same kind and seed have the
    same background, so that they can be compared.

    Parameters
    ----------
    kind
        How the campaign is organised: `centralised`, `distributed` or `pyramid`.
    n_accounts
        All accounts; at least those hired and 300 more.
    n_days
        Length of the log, days; at least 1.
    n_workers
        Workers, at least 20; three organisers and, whatever the kind, a relay for each twenty workers are
        hired beside them. Relays are those of a distributed campaign; a pyramid has four influencers.
    n_missions
        Originals that the campaign pushes at strength 1, 0 or more; proportional to the strength.
    strength
        How hard it pushes, 0.1 to 100: the crowd's median delay is 40 s / `strength`² (in a pyramid 120 s),
        and of a distributed crowd a tenth / `strength` misses its relay and reshares the organiser. 0.5 is
        weak, 2 is strong.
    seed
        Seed of the one random generator, 0 or more. The same parameters give the same bytes.

    Returns
    -------
    CrowdturfLog
        The frames `log`, `accounts` and `campaigns`; their columns are described there.

    Raises
    ------
    UsageError
        When the kind is unknown or a parameter too small.

    Examples
    --------
    >>> import propgraph as pg
    >>> made = pg.simulate_crowdturf(kind="pyramid", n_accounts=500, n_days=2, n_workers=40, n_missions=5)
    >>> made.log.height, made.log["account_id"].n_unique()
    (1161, 362)
    >>> made.accounts["role"].value_counts().sort("role").rows()
    [('fan', 114), ('organic', 341), ('organiser', 3), ('relay', 2), ('worker', 40)]
    """
    check_choice("kind", kind, KINDS)
    n_hired = N_ORGANISERS + _n_relays(n_workers) + n_workers
    for option, value, least in (
        ("n_days", n_days, 1), ("n_workers", n_workers, CREW), ("n_missions", n_missions, 0),
        ("n_accounts", n_accounts, n_hired + 300),
    ):  # fmt: skip
        check_at_least(option, value, least)
    check_at_least("strength", strength, 0.1, most=STRONGEST)
    check_at_least("seed", seed, 0, most=LARGEST_SEED)
    # One stream for each phenomenon: a change in one leaves the others as they were.
    streams = iter(np.random.default_rng(seed).spawn(10))
    end = n_days * DAY
    people = make_people(next(streams), n_accounts, n_hired)
    hired = _hired(kind, n_workers)
    people = _with_reach(next(streams), people, hired)
    world = World(people, make_audience(next(streams), people), make_press(next(streams), end), end)

    log, lit = background(next(streams), world)
    log = join(log, spread(next(streams), world, log, 0))
    loyal = _loyal_communities(next(streams), world, log)
    log = join(log, loyal.posts)
    n_background = log.n
    campaign, n = next(streams), round(n_missions * strength)
    missions = _missions(campaign, hired, kind=kind, n=n, strength=strength, end=end, offset=log.n)
    log = join(log, missions)
    log = join(log, spread(campaign, world, log, n_background))
    log = join(log, _disguise(next(streams), world, log, n_background))
    ids, names = number_accounts(next(streams), people.role.size)
    counts = (n, hired.organiser.size, hired.relay.size, hired.worker.size)
    return CrowdturfLog(
        log=log_frame(world, log, accounts=(ids, names), true_parents=True),
        accounts=_account_truth(world, hired, loyal, lit=lit, account_ids=ids),
        campaigns=_campaign_truth(kind, counts, strength),
    )


def write_crowdturf(folder: str | Path, made: CrowdturfLog, /) -> None:
    """Write a simulated log and its truth into `folder`, byte for byte the same for the same log.

    Files: `crowdturf.parquet` and `crowdturf.csv.gz`, the same log twice, and the truth,
    `truth_accounts.csv`, `truth_campaigns.csv` and `truth_payments.csv` (see `simulate.budget`).
    Files of these names are replaced.

    Parameters
    ----------
    folder
        Where to write; made when it is not there.
    made
        What `simulate_crowdturf` returned.
    """
    write_log(folder, "crowdturf", made.log)
    made.accounts.write_csv(Path(folder) / "truth_accounts.csv")
    made.campaigns.write_csv(Path(folder) / "truth_campaigns.csv")
    crowdturf_payments(made.log, made.accounts).write_csv(Path(folder) / "truth_payments.csv")


# The hired


def _n_relays(n_workers: int) -> int:
    return max(2, round(n_workers / CREW))


def _hired(kind: str, n_workers: int) -> _Hired:
    """Share out the first accounts. Relays that a kind does not need work."""
    most = _n_relays(n_workers)
    n = {"centralised": 0, "distributed": most, "pyramid": min(N_INFLUENCERS, most)}[kind]
    rest = np.arange(N_ORGANISERS, N_ORGANISERS + most + n_workers)
    worker = rest[n:]
    rank = np.arange(worker.size)
    return _Hired(
        organiser=np.arange(N_ORGANISERS),
        relay=rest[:n],
        worker=worker,
        of_relay=rank % n if n else np.full(worker.size, -1),
        # In a pyramid every third is of the inner community, which the others reshare.
        inner=((rank // max(n, 1)) % 3 == 0) if kind == "pyramid" else np.ones(worker.size, dtype=np.bool_),
    )


def _with_reach(rng: Rng, people: People, hired: _Hired) -> People:
    """Give relays and organisers followers of their own; workers have few."""
    followers = people.followers.copy()
    followers[hired.relay] = lognormal(rng, 1500, 0.5, hired.relay.size).astype(np.int64)
    followers[hired.organiser] = lognormal(rng, 400, 0.5, hired.organiser.size).astype(np.int64)
    return replace(people, followers=followers)


# The look-alike: loyal communities


@dataclass(frozen=True)
class _Loyal:
    """Reshares in innocent communities; the account of each favourite, and of each one's loyal members."""

    posts: Posts
    hub: Int64
    member: Int64


def _loyal_communities(rng: Rng, world: World, log: Posts) -> _Loyal:
    """Let favourites reshare viral posts, and their loyal members reshare the favourite within the hours.

    A favourite takes up one or two of the day's posts with twenty reshares or more, and two in five of its
    members follow it. Favourites have members of their own community, some of whom have several favourites.
    """
    people, end = world.people, world.end
    ordinary = np.flatnonzero(people.role == "organic")
    hub = rng.permutation(ordinary[np.argsort(-people.followers[ordinary], kind="stable")][: 4 * N_HUBS])[
        :N_HUBS
    ]
    member = np.stack(
        [weighted(rng, people.activity * (people.community == people.community[one]) * (people.role == "organic"),
                  N_LOYAL) for one in hub]
    )  # fmt: skip
    reshares = log.kind == RESHARE
    viral = np.flatnonzero(np.bincount(log.root[reshares], minlength=log.n) >= 20)
    n_taken = min(viral.size, max(1, round(1.5 * end / DAY)))
    taken = np.concatenate([rng.permutation(viral)[:n_taken] for _ in hub]) if viral.size else viral
    who = np.repeat(np.arange(N_HUBS), n_taken)[: taken.size]
    zone = people.zone[hub[who]]
    time = when_awake(rng, lambda rows: lognormal(rng, 7200, 0.8, rows.size), log.time[taken], zone)
    first = time < end
    taken, who, time = taken[first], who[first], time[first]
    row, column = np.nonzero(rng.random((taken.size, N_LOYAL)) < 0.4)
    account = member[who[row], column]
    _, once = np.unique(np.stack([row, account]), axis=1, return_index=True)
    row, account = row[np.sort(once)], account[np.sort(once)]
    later = when_awake(
        rng, lambda rows: lognormal(rng, 1500, 1.3, rows.size), time[row], people.zone[account]
    )
    kept = later < end
    row, account, later = row[kept], account[kept], later[kept]
    kind = np.full(taken.size, RESHARE)
    posts = join(
        make_posts(hub[who], time, kind=kind, root=taken, parent=taken),
        make_posts(account, later, kind=np.full(row.size, RESHARE), root=taken[row], parent=log.n + row),
    )
    return _Loyal(posts, hub, member)


# The campaign


def _missions(rng: Rng, hired: _Hired, *, kind: str, n: int, strength: float, end: int, offset: int) -> Posts:
    """Organisers post, the crowd carries, by `end` (s); the result belongs behind a log of `offset` posts."""
    posted = np.sort(rng.uniform(0, 0.97 * end, n)).astype(np.int64)
    originals = make_posts(
        hired.organiser[rng.integers(0, N_ORGANISERS, n)], posted, text=rng.integers(0, N_STAR_LINES, n)
    )
    crowd = {"centralised": _centralised, "distributed": _distributed, "pyramid": _pyramid}[kind]
    return _placed(crowd(rng, hired, originals, strength), end=end, offset=offset)


def _centralised(rng: Rng, hired: _Hired, originals: Posts, strength: float) -> Posts:
    """Release each original some minutes after it was posted, to two in five of the workers at once."""
    release = originals.time + 60 + lognormal(rng, 300, 0.7, originals.n).astype(np.int64)
    mission, rank = np.nonzero(rng.random((originals.n, hired.worker.size)) < 0.4)
    crowd = _reshares(
        rng, hired.worker[rank], after=release[mission], pace=40 / strength**2, root=mission, parent=mission
    )
    return join(originals, crowd)


def _distributed(rng: Rng, hired: _Hired, originals: Posts, strength: float) -> Posts:
    """Let half of the recruiters reshare each original, and three in five of their crews reshare them."""
    log = join(originals, _relayed(rng, hired, originals, share=0.5))
    post, rank = _crews(rng, hired, log, np.arange(originals.n, log.n))
    # Some miss their recruiter's post and reshare the organiser's.
    missed = rng.random(post.size) < min(0.1 / strength, 0.9)
    crew = _reshares(
        rng,
        hired.worker[rank],
        after=log.time[post],
        pace=40 / strength**2,
        root=log.root[post],
        parent=np.where(missed, log.root[post], post),
    )
    return join(log, crew)


def _pyramid(rng: Rng, hired: _Hired, originals: Posts, strength: float) -> Posts:
    """Let influencers reshare each original, inner communities reshare them, and outer followers reshare those."""
    pace = 120 / strength**2
    log = join(originals, _relayed(rng, hired, originals, share=0.8))
    post, rank = _crews(rng, hired, log, np.arange(originals.n, log.n))
    inner = _reshares(
        rng, hired.worker[rank], after=log.time[post], pace=pace, root=log.root[post], parent=post
    )
    first, log = log.n, join(log, inner)
    # Each outer follower has seen one of the inner posts below the influencer's.
    seen, start, n_seen = np.unique(post, return_index=True, return_counts=True)
    outer = np.flatnonzero(~hired.inner)
    number = np.searchsorted(hired.relay, log.account[seen])
    some = rng.random((seen.size, outer.size)) < 0.6
    below, who = np.nonzero(some & (hired.of_relay[outer] == number[:, None]))
    parent = first + start[below] + (rng.random(below.size) * n_seen[below]).astype(np.int64)
    followers = _reshares(
        rng,
        hired.worker[outer[who]],
        after=log.time[parent],
        pace=pace,
        root=log.root[parent],
        parent=parent,
    )
    return join(log, followers)


def _relayed(rng: Rng, hired: _Hired, originals: Posts, *, share: float) -> Posts:
    """Let each relay take each original with chance `share`, two relays at least, within some ten minutes."""
    luck = rng.random((originals.n, hired.relay.size))
    second = np.sort(luck, axis=1)[:, 1]
    mission, number = np.nonzero(luck <= np.maximum(share, second)[:, None])
    after = originals.time[mission] + 60
    return _reshares(rng, hired.relay[number], after=after, pace=600, root=mission, parent=mission)


def _crews(rng: Rng, hired: _Hired, log: Posts, posts: Int64) -> tuple[Int64, Int64]:
    """Return which of the relays' `posts` are reshared by which of their own inner workers, by post."""
    number = np.searchsorted(hired.relay, log.account[posts])
    takes_part = rng.random((posts.size, hired.worker.size)) < 0.6
    which, rank = np.nonzero(takes_part & (hired.of_relay == number[:, None]) & hired.inner)
    return posts[which], rank


def _reshares(rng: Rng, account: Int64, *, after: Int64, pace: float, root: Int64, parent: Int64) -> Posts:
    """Return reshares made at a median `pace` (s) after a time (s)."""
    time = after + 1 + lognormal(rng, pace, 0.9, account.size).astype(np.int64)
    return make_posts(account, time, kind=np.full(account.size, RESHARE), root=root, parent=parent)


def _placed(posts: Posts, *, end: int, offset: int) -> Posts:
    """Leave out what lies beyond the end, and number what is left from `offset` on.

    What is left answers nothing that is left out, for an answer comes later than what it answers.
    """
    kept = posts.time < end
    place = offset + np.cumsum(kept) - 1
    root, parent = (np.where(rows < 0, -1, place[rows]) for rows in (posts.root, posts.parent))
    return replace(posts, root=root, parent=parent).take(kept)


def _disguise(rng: Rng, world: World, log: Posts, n_background: int) -> Posts:
    posts = ordinary_side(rng, world, log, n_background)
    hired = np.flatnonzero(world.people.role == HIRED)
    return posts.take((posts.time < world.end) & np.isin(posts.account, hired))


# The truth


def _account_truth(
    world: World, hired: _Hired, loyal: _Loyal, *, lit: Int64, account_ids: pl.Series
) -> pl.DataFrame:
    role, group = roles_and_groups(world, lit)
    role = np.where(np.isin(role, ["fan", HIRED]), role, "organic").astype("<U9")
    for number, members in enumerate(loyal.member):
        role[members] = "fan"
        group[members] = f"hub{number:02d}"
    role[hired.organiser], group[hired.organiser] = "organiser", "campaign"
    role[hired.relay] = "relay"
    role[hired.worker] = "worker"
    group[hired.relay] = [f"r{i:02d}" for i in range(hired.relay.size)]
    group[hired.worker] = [f"r{i:02d}" if i >= 0 else "campaign" for i in hired.of_relay.tolist()]
    return pl.DataFrame(
        {
            "account_id": account_ids,
            "role": role,
            "group": group,
            "organised": np.isin(role, ["organiser", "relay", "worker"]),
        },
        schema={"account_id": ID, "role": ID, "group": ID, "organised": pl.Boolean()},
    ).sort("account_id")


def _campaign_truth(kind: str, counts: tuple[int, int, int, int], strength: float) -> pl.DataFrame:
    names = ("n_missions", "n_organisers", "n_relays", "n_workers")
    return pl.DataFrame(
        {
            "campaign": ["campaign"],
            "kind": [kind],
            **{name: [n] for name, n in zip(names, counts, strict=True)},
            "strength": [strength],
        },
        schema_overrides=dict.fromkeys(names, pl.UInt32()),
    )
