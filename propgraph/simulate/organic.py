"""Ordinary life, which every simulated campaign hides in: people, the press, and how posts travel.

Communities of people post the articles of some sixty sites, and reshare each other. Among them live innocents
that look organised: a newsroom that shares its own articles at once, a fan club that reshares its star at once,
and a breaking story that a third of everybody shares within the hour. All names, sites and headlines are
invented.

Times are whole seconds since `START`; accounts, groups, sites, articles and posts are numbers until the last
step, which writes them as ids that tell nothing about roles.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from propgraph.schema import ID, TIME

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Words = npt.NDArray[np.str_]
Rng = np.random.Generator

START = datetime(2016, 10, 24, tzinfo=UTC)
DAY = 86_400
YEAR = 365 * DAY

#: The role of those who are paid, until their simulator names it; they see no posts, and read no news.
HIRED = "hired"

N_STAFF = 12
N_FANS = 40
N_NEWS_SITES = 60
NEWSROOM_SITE = 7  # well known, though not the best known: its Zipf rank less one

# How much of the day's attention each local hour gets; the night is thin but never empty.
RHYTHM: Floats = np.array(
    [.25, .14, .08, .06, .06, .10, .30, .60, .75, .76, .74, .76,
     .84, .80, .74, .74, .76, .82, .88, .95, 1.0, .98, .82, .50]
)  # fmt: skip
AWAKE = float(RHYTHM.mean())

ORIGINAL, RESHARE, REPLY = 0, 1, 2
KINDS = ("original", "reshare", "reply")

# How a link is written: what stands before the site and after the path. Innocent links carry tokens too.
LINKS = (
    ("https://www.", ""), ("https://", ""), ("http://www.", ""), ("http://", ""), ("https://m.", ""),
    ("https://www.", "?utm_source=twitter&utm_medium=social"), ("https://www.", "?utm_source=newsletter"),
    ("https://www.", "?ref=home"), ("https://www.", "?utm_source=staff&utm_medium=social"),
)  # fmt: skip
LINK_ODDS = np.array([0.70, 0.07, 0.05, 0.03, 0.05, 0.05, 0.03, 0.02, 0.0])
STAFF_LINK = 8

REMARKS = ("", "Worth a read: ", "Hm. ", "So this happened: ", "Today: ")
SLOGANS = ("", "SHARE before it is gone: ", "They hide this! ", "Pass it on: ", "Wake up: ")
CHATTER = (
    "Good morning!", "Thank you all", "What a night", "New song soon", "On the road again", "Love this city",
    "So true", "No way", "Source?", "Ha!", "Not sure about that", "Agreed", "Again?", "Well said",
)  # fmt: skip
N_STAR_LINES = 6  # the first lines of CHATTER are the star's, the others are replies

HEADLINE = (
    ("Mayor", "Council", "Court", "Minister", "Union", "Police", "Farmers", "Coach", "Bank", "Museum"),
    ("delays", "backs", "questions", "opens", "rejects", "defends", "reviews", "presents"),
    ("bridge plan", "budget", "harbour deal", "school reform", "transfer", "tax rule", "festival", "report"),
)
SYLLABLES = (
    ("bra", "cor", "dal", "fen", "gri", "hol", "jas", "kel", "lor", "mev", "nor", "osk", "pel", "quil", "rin",
     "sol", "tav", "ulm", "ver", "wex", "yar", "zel"),
    ("a", "e", "i", "o", "u", "ai", "ea", "ou", "an", "el", "im", "or", "un"),
    ("bor", "dan", "fyr", "gan", "kin", "lix", "mar", "nev", "pok", "rus", "sten", "tor", "vik", "wyn",
     "zan"),
)  # fmt: skip
PAPERS = ("courier", "gazette", "herald", "post", "observer", "ledger", "echo", "chronicle")
PAPER_ENDS = (".com", ".com", ".org", ".net", ".co.uk")


@dataclass(frozen=True)
class People:
    """The accounts: role (the hired first), and what drives their behaviour."""

    role: Words
    community: Ints
    zone: Floats  # seconds to add to UTC for the account's own clock
    activity: Floats
    followers: Ints
    created: Ints
    partisan: Ints  # communities, not accounts

    def who(self, role: str) -> Ints:
        """Return the accounts of a role."""
        return np.flatnonzero(self.role == role)


@dataclass(frozen=True)
class Audience:
    """Who sees a post: one row for each account (its followers), then one for each group (its members)."""

    start: Ints
    size: Ints
    member: Ints
    reach: Floats
    group_community: Ints


@dataclass(frozen=True)
class Press:
    """Sites, the most popular first, and what they publish; `coins` are the words in their names.

    `farm` are the articles of a campaign's own sites.
    """

    coins: tuple[str, ...]
    site: Words
    site_role: Words
    article_site: Ints
    article_time: Ints
    appeal: Floats
    headline: Words
    breaking: Ints
    farm: Ints

    @property
    def ordinary(self) -> Ints:
        """The everyday articles."""
        special = np.concatenate([self.breaking, self.farm])
        return np.setdiff1d(np.arange(self.article_site.size), special)


@dataclass(frozen=True)
class World:
    """What stands before anybody posts; `end` is the length of the log, s."""

    people: People
    audience: Audience
    press: Press
    end: int


@dataclass(frozen=True)
class Posts:
    """Posts as parallel arrays; -1 stands for none. A reshare takes article, link and text from its root.

    `root` is the original that a cascade goes back to, `parent` the post that was seen and answered: where it
    is not given it is the root.
    """

    account: Ints
    time: Ints
    kind: Ints
    root: Ints
    parent: Ints
    group: Ints
    article: Ints
    link: Ints
    text: Ints

    @property
    def n(self) -> int:
        """How many posts."""
        return int(self.account.size)

    def take(self, rows: Ints | Bools) -> Posts:
        """Return some of the posts; their numbers, and what points to them, stay as they were."""
        return Posts(*(getattr(self, field.name)[rows] for field in fields(self)))


# Small tools


def lognormal(rng: Rng, median: float, sigma: float, n: int) -> Floats:
    """Draw `n` numbers whose logarithm is normal with standard deviation `sigma`."""
    drawn: Floats = median * np.exp(sigma * rng.standard_normal(n))
    return drawn


def _attention(time: Ints, zone: Floats | float) -> Floats:
    """Return how likely a person is to be online at `time`, 0..1."""
    hour: Ints = ((time + zone) // 3600).astype(np.int64) % 24
    level: Floats = RHYTHM[hour]
    return level


def when_awake(rng: Rng, draw: Callable[[Ints], Floats], after: Ints, zone: Floats) -> Ints:
    """Return `after` plus 1 s plus `draw(rows)`, drawn again for the rows who would be asleep then."""
    rows = np.arange(after.size)
    time = after + 1 + draw(rows).astype(np.int64)
    for _ in range(40):
        rows = rows[rng.random(rows.size) > _attention(time[rows], zone[rows])]
        if not rows.size:
            break
        time[rows] = after[rows] + 1 + draw(rows).astype(np.int64)
    return time


def weighted(rng: Rng, weight: Floats, n: int) -> Ints:
    """Draw `n` positions with replacement, in proportion to `weight`."""
    heap = np.cumsum(weight)
    drawn: Ints = np.searchsorted(heap, rng.random(n) * heap[-1], side="right").astype(np.int64)
    return np.minimum(drawn, weight.size - 1)


def make_posts(account: Ints, time: Ints, **columns: Ints) -> Posts:
    """Build posts; columns not given are -1, but the kind is original, the link and the text plain."""
    names = ("kind", "root", "parent", "group", "article", "link", "text")
    default = dict(zip(names, (ORIGINAL, -1, -1, -1, -1, 0, 0), strict=True))
    filled = {name: columns.get(name, np.full(account.size, value)) for name, value in default.items()}
    return Posts(account, time, **filled)


def join(*parts: Posts) -> Posts:
    """Return all the posts, one part after another."""
    return Posts(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Posts)))


# People and who sees whom


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


def _creation(rng: Rng, role: Words) -> Ints:
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


# The press


def make_press(rng: Rng, end: int) -> Press:
    """Draw the ordinary sites and their articles, then the breaking story."""
    coins = coin_words(rng, N_NEWS_SITES)
    papers = [c + PAPERS[i % len(PAPERS)] + PAPER_ENDS[i % len(PAPER_ENDS)] for i, c in enumerate(coins)]
    role = np.array(["ordinary"] * len(papers), dtype="<U8")
    role[NEWSROOM_SITE] = "newsroom"

    daily = 1 + 8 / np.sqrt(np.arange(1, N_NEWS_SITES + 1))
    # A day's articles from before the log begins still circulate when it does.
    site = np.repeat(np.arange(N_NEWS_SITES), rng.poisson(daily * (end / DAY + 1)))
    clock = np.full(site.size, -5 * 3600.0)
    time = when_awake(rng, lambda rows: rng.uniform(0, end + DAY, rows.size), np.full(site.size, -DAY), clock)
    hot_site = np.arange(rng.integers(1, 4))
    hot_time = np.full(hot_site.size, end // DAY // 2 * DAY + 17 * 3600) + rng.integers(0, 300, hot_site.size)
    n = site.size + hot_site.size
    headline = headlines(rng, HEADLINE, n)
    return Press(
        coins=tuple(coins),
        site=np.array(papers),
        site_role=role,
        article_site=np.concatenate([site, hot_site]),
        article_time=np.concatenate([time, hot_time]),
        appeal=lognormal(rng, 0.9, 0.5, n),
        headline=np.array(headline),
        breaking=np.arange(site.size, n),
        farm=np.arange(n, n),
    )


def coin_words(rng: Rng, n: int) -> list[str]:
    """Return `n` different invented words."""
    first, second, third = SYLLABLES
    words = [a + b + c for a in first for b in second for c in third]
    rounds = 1 + n // len(words)
    number = rng.choice(rounds * len(words), n, replace=False)
    return [words[i % len(words)] + (str(i // len(words)) if i >= len(words) else "") for i in number]


def headlines(rng: Rng, parts: Sequence[Sequence[str]], n: int) -> list[str]:
    """Return `n` headlines, a word or two from each of `parts`."""
    drawn = [rng.integers(0, len(part), n) for part in parts]
    return [" ".join(part[i] for part, i in zip(parts, row, strict=True)) for row in zip(*drawn, strict=True)]


# Ordinary life and its look-alikes


def background(rng: Rng, world: World) -> tuple[Posts, Ints]:
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
    awake = rng.random(account.size) < _attention(time, people.zone[account])
    _, once = np.unique(account * press.article_site.size + article, return_index=True)
    keep = np.sort(once[awake[once]])
    return _linked(rng, world, account[keep], time[keep], article[keep])


def _linked(rng: Rng, world: World, account: Ints, time: Ints, article: Ints) -> Posts:
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
    keep = (rng.random(row.size) < _attention(time, people.zone[fans[column]])) & (time < end)
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
        awake = (rng.random(time.size) < _attention(time, people.zone[account])) & (time < world.end)
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


def _first_time(taken: Ints, key: Ints, time: Ints) -> Bools:
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


# Numbers to names


def number_accounts(rng: Rng, n: int) -> tuple[pl.Series, pl.Series]:
    """Return ids and names of `n` accounts, in an order that tells nothing about roles."""
    account_ids = id_series("a", rng.permutation(n), 5)
    coins = coin_words(rng, 2000)
    names = [
        coins[i].capitalize() + str(j)
        for i, j in zip(rng.integers(0, 2000, n), rng.integers(1, 99, n), strict=True)
    ]
    return account_ids, pl.Series(names)


def log_frame(
    world: World,
    log: Posts,
    *,
    accounts: tuple[pl.Series, pl.Series],
    tokens: Sequence[str] = (),
    true_parents: bool = False,
) -> pl.DataFrame:
    """Write posts as rows of a log, sorted by time.

    Parameters
    ----------
    world
        Who posts, and what there is to link to.
    log
        The posts.
    accounts
        Ids and names, as `number_accounts` gives them.
    tokens
        What stands behind the path of links beyond `LINKS`.
    true_parents
        Name the post that was seen as the parent, instead of the root as most platforms do.
    """
    people, (account_ids, names) = world.people, accounts
    order = np.argsort(log.time, kind="stable")
    rank = np.empty(log.n, dtype=np.int64)
    rank[order] = np.arange(log.n)
    content_ids = id_series("p", np.arange(log.n), 7)
    post = log.take(order)
    origin = np.where(post.root < 0, -1, log.account[post.root])
    source = np.where(post.kind == RESHARE, post.root, order)
    parent = np.where((post.parent < 0) | (not true_parents), post.root, post.parent)
    group_ids = id_series("g", np.arange(max(0, int(log.group.max())) + 1), 3)
    return pl.DataFrame(
        {
            "content_id": content_ids,
            "account_id": _look_up(account_ids, post.account),
            "account_name": _look_up(names, post.account),
            "account_created_at": _times(people.created[post.account]),
            "followers": people.followers[post.account],
            "timestamp": _times(post.time),
            "kind": _look_up(pl.Series(KINDS), post.kind),
            "parent_content_id": _look_up(content_ids, np.where(parent < 0, -1, rank[parent])),
            "origin_account_id": _look_up(account_ids, origin),
            "target_id": _look_up(group_ids, post.group),
            "url": _urls(world.press, log.take(source), tokens),
            "text": _texts(world.press, post),
            "platform": pl.Series(["simulated"]).new_from_index(0, log.n),
        }
    )


def id_series(letter: str, number: Ints, width: int) -> pl.Series:
    """Return ids: a letter and the number, padded with zeros to `width` digits."""
    return pl.Series([f"{letter}{i:0{width}d}" for i in number.tolist()], dtype=ID)


def _look_up(values: pl.Series, index: Ints) -> pl.Series:
    """Return `values` at `index`; null where it is -1."""
    where: Any = pl.Series(index).set(pl.Series(index < 0), None)
    return values.gather(where)


def _times(seconds: Ints) -> pl.Series:
    start = int(START.timestamp()) * 1000
    return pl.Series(start + seconds * 1000).cast(TIME)


def _urls(press: Press, post: Posts, tokens: Sequence[str]) -> pl.Series:
    """Return the links as written; null where the post has none."""
    before = pl.Series([link[0] for link in LINKS] + ["http://"] * len(tokens))
    after = pl.Series([link[1] for link in LINKS] + list(tokens))
    slugs = [
        f"{headline.lower().replace(' ', '-')}-{i}" for i, headline in enumerate(press.headline.tolist())
    ]
    parts = pl.DataFrame(
        {
            "before": _look_up(before, post.link),
            "site": _look_up(
                pl.Series(press.site), np.where(post.article < 0, -1, press.article_site[post.article])
            ),
            "path": _look_up(pl.Series(slugs), post.article),
            "after": _look_up(after, post.link),
        }
    )
    return parts.select(url=pl.format("{}{}/{}{}", "before", "site", "path", "after")).to_series()


def _texts(press: Press, post: Posts) -> pl.Series:
    """Return a remark and the headline, or chatter where there is no link; null for reshares."""
    linked, reshared = post.article >= 0, post.kind == RESHARE
    remark = _look_up(pl.Series(REMARKS + SLOGANS), np.where(linked, post.text, -1))
    headline = _look_up(pl.Series(press.headline), post.article)
    chatter = _look_up(pl.Series(CHATTER), np.where(linked | reshared, -1, post.text))
    return (remark + headline).fill_null(chatter)


def roles_and_groups(world: World, lit: Ints) -> tuple[Words, Words]:
    """Return each account's role and the group it acts with, as truth tables tell them; `lit` broke the story."""
    people = world.people
    took_part = np.zeros(people.role.size, dtype=np.bool_)
    took_part[lit] = True
    role = np.where(took_part & (people.role == "organic"), "breaking", people.role)
    group = np.array([f"community{i:02d}" for i in people.community.tolist()], dtype="<U40")
    group[role == "breaking"] = "breaking"
    group[role == "newsroom"] = world.press.site[NEWSROOM_SITE]
    group[role == "fan"] = "fanclub"
    return role, group


def write_log(folder: str | Path, name: str, log: pl.DataFrame, /) -> None:
    """Write a log into `folder` as `NAME.parquet` (zstd) and `NAME.csv.gz` (times in ISO 8601).

    The same log gives the same bytes. The folder is made when it is not there; files of these names are replaced.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    log.write_parquet(folder / f"{name}.parquet", compression="zstd", compression_level=19)
    text = log.write_csv(datetime_format="%Y-%m-%dT%H:%M:%SZ").encode()
    packed = io.BytesIO()
    # Neither a time nor a name in the gzip header, or the same log would give other bytes tomorrow.
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=packed, mtime=0) as file:
        file.write(text)
    (folder / f"{name}.csv.gz").write_bytes(packed.getvalue())
