"""Ordinary life, which every simulated campaign hides in: people, the press, and how posts travel.

Communities of people post the articles of some sixty sites, and reshare each other. Among them live innocents
that look organised: a newsroom that shares its own articles at once, a fan club that reshares its star at once,
and a breaking story that a third of everybody shares within the hour. All names, sites and headlines are
invented.

Accounts, groups, sites, articles and posts are numbers until the last step (`logs.py`).
"""

from __future__ import annotations

import numpy as np

from propgraph.arrays.types import Bool, Int64
from propgraph.simulate.draws import AWAKE, DAY, Rng, attention, lognormal, weighted, when_awake
from propgraph.simulate.people import HIRED, N_FANS, N_STAFF
from propgraph.simulate.posts import (
    CHATTER,
    LINK_ODDS,
    N_STAR_LINES,
    ORIGINAL,
    REPLY,
    RESHARE,
    STAFF_LINK,
    Posts,
    join,
    make_posts,
)
from propgraph.simulate.press import N_NEWS_SITES, NEWSROOM_SITE
from propgraph.simulate.world import World


def background(rng: Rng, world: World) -> tuple[Posts, Int64]:
    """Return what starts ordinary cascades, and the accounts that took part in the breaking story."""
    log = join(_everyday(rng, world), _newsroom(rng, world))
    log = log.take((log.time >= 0) & (log.time < world.end))
    log = join(log, _fan_club(rng, world, log.n))
    burst = _breaking(rng, world, log.n)
    return join(log, burst), burst.account


def _everyday(rng: Rng, world: World) -> Posts:
    """People post the articles of the sites that their community likes, now and then into a group."""
    people, press = world.people, world.press
    n_communities = int(people.community.max()) + 1
    article = press.ordinary
    site = press.article_site[article]
    popularity = 1 / (1 + np.arange(N_NEWS_SITES))
    popularity[NEWSROOM_SITE] *= 5
    buzz = popularity[site] * lognormal(rng, 1.0, 1.0, article.size)
    per_day = 0.18 * people.role.size / AWAKE
    article = np.repeat(article, rng.poisson(per_day * (world.end / DAY + 1) * buzz / buzz.sum()))
    site = press.article_site[article]
    taste = lognormal(rng, 1.0, 1.0, n_communities * N_NEWS_SITES).reshape(N_NEWS_SITES, n_communities)
    account = np.zeros(article.size, dtype=np.int64)
    browses = np.where(people.role == HIRED, 0.0, people.activity)
    for one in range(N_NEWS_SITES):
        here = np.flatnonzero(site == one)
        account[here] = weighted(rng, browses * taste[one][people.community], here.size)
    # One in twelve follows the site's alerts; the others come across the article in the next hours.
    alert = rng.random(account.size) < 1 / 12
    delay = np.where(alert, lognormal(rng, 120, 0.8, account.size), lognormal(rng, 9000, 1.2, account.size))
    time = press.article_time[article] + 1 + delay.astype(np.int64)
    awake = rng.random(account.size) < attention(time, people.zone[account])
    _, once = np.unique(account * press.article_site.size + article, return_index=True)
    keep = np.sort(once[awake[once]])
    return _linked(rng, world, account[keep], time[keep], article[keep])


def _linked(rng: Rng, world: World, account: Int64, time: Int64, article: Int64) -> Posts:
    """Return ordinary posts of articles: links as people write them, one in four into a group."""
    people, of = world.people, world.audience.group_community
    groups = [np.flatnonzero(of == c) for c in range(int(people.community.max()) + 1)]
    first = np.array([row[0] for row in groups])[people.community[account]]
    many = np.array([row.size for row in groups])[people.community[account]]
    group = first + (rng.random(account.size) ** 2 * many).astype(np.int64)
    return make_posts(
        account,
        time,
        article=article,
        group=np.where(rng.random(account.size) < 0.25, group, -1),
        link=weighted(rng, LINK_ODDS, account.size),
        text=weighted(rng, np.array([4.0, 1, 1, 1, 1]), account.size),
    )


def _newsroom(rng: Rng, world: World) -> Posts:
    """Look-alike: staff who share their outlet's articles within a minute or two, often with its token."""
    press = world.press
    article = press.ordinary[press.article_site[press.ordinary] == NEWSROOM_SITE]
    row, column = np.nonzero(rng.random((article.size, N_STAFF)) < 0.6)
    delay = lognormal(rng, 60, 0.7, row.size).astype(np.int64)
    return make_posts(
        world.people.who("newsroom")[column],
        press.article_time[article[row]] + 1 + delay,
        article=article[row],
        link=np.where(rng.random(row.size) < 0.6, STAFF_LINK, 0),
    )


def _fan_club(rng: Rng, world: World, offset: int) -> Posts:
    """Look-alike: fans who reshare a star's posts within minutes, whenever they are awake."""
    people, end = world.people, world.end
    fans = people.who("fan")
    star = fans[-1:] + 1
    n_posts = max(1, round(4 * end / DAY))
    zero, zone = np.zeros(n_posts, dtype=np.int64), np.repeat(people.zone[star], n_posts)
    posted = np.sort(when_awake(rng, lambda rows: rng.uniform(0, 0.99 * end, rows.size), zero, zone))
    line = rng.integers(0, N_STAR_LINES, n_posts)
    row, column = np.nonzero(rng.random((n_posts, N_FANS)) < 0.75)
    time = posted[row] + 1 + lognormal(rng, 180, 1.0, row.size).astype(np.int64)
    keep = (rng.random(row.size) < attention(time, people.zone[fans[column]])) & (time < end)
    row, column, time = row[keep], column[keep], time[keep]
    kind = np.full(row.size, RESHARE)
    return join(
        make_posts(np.repeat(star, n_posts), posted, text=line),
        make_posts(fans[column], time, kind=kind, root=offset + row),
    )


def _breaking(rng: Rng, world: World, offset: int) -> Posts:
    """Look-alike: a third of everybody, the hired too, shares one story in a burst that soon decays."""
    people, press = world.people, world.press
    n = round(rng.uniform(0.30, 0.40) * people.role.size)
    account = rng.permutation(people.role.size)[:n]
    choice = weighted(rng, np.array([0.6, 0.3, 0.1])[: press.breaking.size], n)
    quick = rng.exponential(360, n)
    delay = np.sort(np.where(rng.random(n) < 0.8, quick, lognormal(rng, 1500, 0.8, n))).clip(max=6 * 3600)
    time = int(press.article_time[press.breaking].max()) + 30 + delay.astype(np.int64)
    # Whoever comes late finds it posted already, and reshares one of the first posts.
    reshare = (rng.random(n) < 0.45) & (np.arange(n) >= 10)
    originals = np.flatnonzero(~reshare)
    seen = np.minimum(np.cumsum(~reshare), 30)
    root = np.where(reshare, originals[(rng.random(n) ** 2 * seen).astype(np.int64)], -1)
    return make_posts(
        account,
        np.where(reshare, np.maximum(time, time[root] + 1), time),
        kind=np.where(reshare, RESHARE, ORIGINAL),
        root=np.where(reshare, offset + root, -1),
        article=np.where(reshare, -1, press.breaking[choice]),
        link=weighted(rng, LINK_ODDS, n),
    )


def spread(rng: Rng, world: World, log: Posts, since: int) -> Posts:
    """Let the posts of `log` from row `since` on be reshared, generation by generation.

    A branching process: each post draws a Poisson number of reshares from those who see it (the group's
    members, or the account's followers), in proportion to the article's appeal and the audience's reach.
    Delays are lognormal (median 25 min); who would be asleep then never sees the post. Every twentieth
    answers instead. The result belongs right behind `log`: parents are numbered so.
    """
    people, audience, press = world.people, world.audience, world.press
    n = people.role.size
    rows = np.flatnonzero((np.arange(log.n) >= since) & (log.kind != REPLY))
    account, time, post = log.account[rows], log.time[rows], rows
    root = np.where(log.root[rows] < 0, rows, log.root[rows])
    # Who has shared an article, by whichever post, does not share it again.
    origin = np.where(log.root < 0, np.arange(log.n), log.root)
    story = np.where(log.article[origin] < 0, press.article_site.size + origin, log.article[origin])
    taken = story * n + log.account
    row = np.where(log.group[rows] < 0, account, n + log.group[rows])
    born: list[Posts] = []
    n_posts = log.n
    for generation in range(30):
        article = log.article[root]
        # A saturated story, and a star's chat, go less far than news.
        fame = np.where((article < 0) | np.isin(article, press.breaking), 0.25, 0.5)
        drive = np.minimum(fame * np.where(article < 0, 1, press.appeal[article]), 0.85)
        mean = drive * audience.reach[row] * 0.9**generation
        children = np.repeat(np.arange(root.size), rng.poisson(np.minimum(mean, 60) / AWAKE))
        pick = (rng.random(children.size) * audience.size[row[children]]).astype(np.int64)
        account = audience.member[audience.start[row[children]] + pick]
        time = time[children] + 1 + lognormal(rng, 1500, 1.5, children.size).astype(np.int64)
        root, parent = root[children], post[children]
        awake = (rng.random(time.size) < attention(time, people.zone[account])) & (time < world.end)
        keep = np.flatnonzero(awake & _first_time(taken, story[root] * n + account, time))
        account, time, root, parent = account[keep], time[keep], root[keep], parent[keep]
        taken = np.concatenate([taken, story[root] * n + account])
        if not keep.size:
            break
        reply = rng.random(keep.size) < 0.05
        line = rng.integers(N_STAR_LINES, len(CHATTER), keep.size)
        kind = np.where(reply, REPLY, RESHARE)
        born.append(make_posts(account, time, kind=kind, root=root, parent=parent, text=line))
        post = n_posts + np.flatnonzero(~reply)
        n_posts += keep.size
        account, time, root = account[~reply], time[~reply], root[~reply]
        row = account
    return join(log.take(np.arange(0)), *born)


def _first_time(taken: Int64, key: Int64, time: Int64) -> Bool:
    """Return which of `key` are the earliest of their kind and not among `taken`."""
    order = np.argsort(time, kind="stable")
    _, first = np.unique(key[order], return_index=True)
    result = np.zeros(key.size, dtype=np.bool_)
    result[order[first]] = True
    return result & ~np.isin(key, taken)


def ordinary_side(rng: Rng, world: World, log: Posts, n_background: int) -> Posts:
    """Give each who is hired an ordinary side, a fifth to two fifths of the posts: others' news, at human hours.

    The first `n_background` posts of `log` are others', all after them the hired ones' own.
    """
    people = world.people
    pushed = np.bincount(log.account[n_background:], minlength=people.role.size)
    share = rng.uniform(0.2, 0.4, people.role.size)
    account = np.repeat(np.arange(people.role.size), rng.poisson(pushed * share / (1 - share)))
    article = log.article[:n_background]
    news = np.flatnonzero((article >= 0) & ~np.isin(article, world.press.breaking))
    model = rng.choice(news, account.size) if account.size else account
    time = when_awake(
        rng, lambda rows: lognormal(rng, 3600, 1.0, rows.size), log.time[model], people.zone[account]
    )
    reshare = rng.random(account.size) < 0.6
    link = weighted(rng, LINK_ODDS, account.size)
    disguise = make_posts(
        account,
        time,
        kind=np.where(reshare, RESHARE, ORIGINAL),
        root=np.where(reshare, model, -1),
        article=np.where(reshare, -1, log.article[model]),
        link=link,
    )
    _, once = np.unique(np.stack([account, log.article[model]]), axis=1, return_index=True)
    return disguise.take(np.sort(once))
