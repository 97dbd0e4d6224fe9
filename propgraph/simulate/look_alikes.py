"""Innocents who post one link in several places, or for several sites, as hired crews do.

Beside those of `simulate.organic`: group admins who cross-post by hand, a club's scheduler, the sections of a
party, its declared volunteers, the social desk of a newspaper chain, and newcomers who joined in one week.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from propgraph.arrays.types import Int64
from propgraph.simulate.draws import DAY, Rng, lognormal, weighted, when_awake
from propgraph.simulate.people import People
from propgraph.simulate.posts import DESK_LINK, LINK_ODDS, VOLUNTEER_LINK, Posts, join, make_posts
from propgraph.simulate.press import CHAIN, CLUB_SITE, PARTY_SITE
from propgraph.simulate.world import World

N_ADMINS, N_SECTIONS, N_VOLUNTEERS, N_DESK = 24, 16, 12, 6
#: Papers, by rank, that the party's volunteers like: none is theirs.
LIKED = (2, 5, 9, 12, 16)


@dataclass(frozen=True)
class LookAlikes:
    """What the innocents post, and who they are: accounts by kind."""

    posts: Posts
    kind: dict[str, Int64]


def with_newcomers(rng: Rng, people: People) -> tuple[People, Int64]:
    """Let a third of a community join in one week, a month before the log; return them, too."""
    innocent = people.role == "organic"
    sizes = np.bincount(people.community[innocent])
    community = rng.choice(np.flatnonzero(sizes >= min(60, sizes.max())))
    here = np.flatnonzero(innocent & (people.community == community))
    new = np.sort(rng.permutation(here)[: here.size // 3])
    created = people.created.copy()
    created[new] = -30 * DAY + rng.integers(0, 7 * DAY, new.size)
    return replace(people, created=created), new


def look_alikes(rng: Rng, world: World) -> LookAlikes:
    """Draw all of them from the organic accounts, the active first; their posts begin cascades as others do."""
    people = world.people
    innocent = np.flatnonzero(people.role == "organic")
    wanted = {
        "admin": N_ADMINS,
        "scheduler": 1,
        "section": N_SECTIONS,
        "volunteer": N_VOLUNTEERS,
        "desk": N_DESK,
    }
    keen = innocent[np.argsort(-people.activity[innocent], kind="stable")][: 4 * sum(wanted.values())]
    ends = np.cumsum(list(wanted.values()))[:-1]
    lots = np.split(rng.permutation(keen)[: sum(wanted.values())], ends)
    kind = dict(zip(wanted, lots, strict=True))
    posts = join(
        _admins(rng, world, kind["admin"]),
        _scheduler(rng, world, kind["scheduler"]),
        _sections(rng, world, kind["section"]),
        _volunteers(rng, world, kind["volunteer"]),
        _desk(rng, world, kind["desk"]),
    )
    return LookAlikes(posts.take((posts.time >= 0) & (posts.time < world.end)), kind)


def _admins(rng: Rng, world: World, who: Int64) -> Posts:
    """Post an article into two to four groups that they look after, by hand: the gaps are as they come."""
    people, press = world.people, world.press
    n = rng.poisson(0.8 * world.end / DAY, who.size)
    account = np.repeat(who, n)
    article = press.ordinary[weighted(rng, 1 / (1.0 + press.article_site[press.ordinary]), account.size)]
    first = when_awake(
        rng,
        lambda rows: lognormal(rng, 9000, 1.2, rows.size),
        press.article_time[article],
        people.zone[account],
    )
    n_groups = rng.integers(2, 5, account.size)
    row = np.repeat(np.arange(account.size), n_groups)
    gap = lognormal(rng, 240, 1.3, row.size).astype(np.int64)
    begin = np.cumsum(n_groups) - n_groups
    step = np.arange(row.size) - begin[row]
    since = np.cumsum(gap) - np.cumsum(gap)[begin[row]]
    return make_posts(
        account[row],
        first[row] + since,
        article=article[row],
        group=_own_group(world, account[row], step),
        link=weighted(rng, LINK_ODDS, account.size)[row],
    )


def _own_group(world: World, account: Int64, number: Int64) -> Int64:
    """Return the `number`-th group of each account's own community, from one that is the account's on."""
    of = world.audience.group_community
    home = world.people.community[account]
    many = np.bincount(of)[home]
    first: Int64 = np.searchsorted(of, home)
    return first + (account + number) % many


def _scheduler(rng: Rng, world: World, who: Int64) -> Posts:
    """Post each of the club's own articles into four groups, a minute apart to the second: one account, one site."""
    article = _articles_of(world, [CLUB_SITE])
    row = np.repeat(np.arange(article.size), 4)
    step = np.tile(np.arange(4), article.size)
    start = world.press.article_time[article] + 300
    account = np.full(row.size, who[0])
    return make_posts(
        account,
        start[row] + 60 * step + rng.integers(0, 2, row.size),
        article=article[row],
        group=_own_group(world, account, step),
    )


def _sections(rng: Rng, world: World, who: Int64) -> Posts:
    """Share the party's articles within the day, each section with its own two groups."""
    people, press = world.people, world.press
    article = _articles_of(world, [PARTY_SITE])
    row, column = np.nonzero(rng.random((article.size, who.size)) < 0.5)
    account = who[column]
    time = when_awake(
        rng,
        lambda rows: lognormal(rng, 3 * 3600, 0.9, rows.size),
        press.article_time[article[row]],
        people.zone[account],
    )
    again = np.flatnonzero(rng.random(row.size) < 0.5)
    later = time[again] + lognormal(rng, 900, 1.2, again.size).astype(np.int64)
    both = np.concatenate([np.arange(row.size), again])
    step = np.concatenate([np.zeros(row.size, dtype=np.int64), np.ones(again.size, dtype=np.int64)])
    return make_posts(
        account[both],
        np.concatenate([time, later]),
        article=article[row[both]],
        group=_own_group(world, account[both], step),
    )


def _volunteers(rng: Rng, world: World, who: Int64) -> Posts:
    """Share other papers' articles that please the party, at leisure, with the address that its page makes for them."""
    article = _articles_of(world, list(LIKED))
    pleasing = article[rng.random(article.size) < 0.15]
    row, column = np.nonzero(rng.random((pleasing.size, who.size)) < 0.25)
    account = who[column]
    time = when_awake(
        rng,
        lambda rows: lognormal(rng, 4 * 3600, 1.0, rows.size),
        world.press.article_time[pleasing[row]],
        world.people.zone[account],
    )
    return make_posts(account, time, article=pleasing[row], link=np.full(row.size, VOLUNTEER_LINK))


def _desk(rng: Rng, world: World, who: Int64) -> Posts:
    """Post each article of the chain's titles once, by whoever is on duty, minutes after it is out."""
    article = _articles_of(world, list(CHAIN))
    duty = who[(world.press.article_time[article] // (8 * 3600)) % who.size]
    time = world.press.article_time[article] + 1 + lognormal(rng, 120, 0.7, article.size).astype(np.int64)
    return make_posts(duty, time, article=article, link=np.full(article.size, DESK_LINK))


def _articles_of(world: World, sites: list[int]) -> Int64:
    """Return the everyday articles of some sites."""
    press = world.press
    return press.ordinary[np.isin(press.article_site[press.ordinary], sites)]
