"""The campaign of content farms: their articles, the crews that push them, and what hides the crews."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from propgraph.arrays.types import Int64
from propgraph.simulate.draws import DAY, Rng, lognormal, weighted, when_awake
from propgraph.simulate.operators import Operators
from propgraph.simulate.organic import ordinary_side
from propgraph.simulate.people import HIRED, People
from propgraph.simulate.posts import LINK_ODDS, LINKS, REMARKS, SLOGANS, Posts, join, make_posts
from propgraph.simulate.press import Press, coin_words, headlines
from propgraph.simulate.world import World

BAIT = (
    ("Insider", "General", "Nurse", "Senator", "Actor", "Whistleblower", "Bishop", "Agent", "Pilot", "Judge"),
    ("exposes", "slams", "destroys", "reveals", "admits", "leaks", "confirms", "bans"),
    ("secret vote", "hidden cure", "plot", "fake census", "cover-up", "gold file", "arrest list", "the tape"),
)
FARMS = ("patriotwire", "truthdaily", "libertybuzz", "eaglenews", "realreport", "freepress", "flagtoday")
FARM_ENDS = (".com", ".com", ".net", ".info", ".xyz")


def with_farms(rng: Rng, press: Press, *, end: int, n_farms: int, strength: float) -> Press:
    """Add the farms and their articles behind the ordinary ones."""
    n_sites, n_articles = press.site.size, press.article_site.size
    coins = [coin for coin in coin_words(rng, n_sites + n_farms) if coin not in press.coins][:n_farms]
    farms = [c + FARMS[i % len(FARMS)] + FARM_ENDS[i % len(FARM_ENDS)] for i, c in enumerate(coins)]
    site, time = _farm_articles(rng, end, n_farms, strength)
    headline = headlines(rng, BAIT, site.size)
    return replace(
        press,
        site=np.array([*press.site.tolist(), *farms]),
        site_role=np.array([*press.site_role.tolist(), *["farm"] * len(farms)]),
        article_site=np.concatenate([press.article_site, site + n_sites]),
        article_time=np.concatenate([press.article_time, time]),
        appeal=np.concatenate([press.appeal, lognormal(rng, 0.5, 0.7, site.size)]),
        headline=np.array([*press.headline.tolist(), *headline]),
        farm=np.arange(n_articles, n_articles + site.size),
    )


def _farm_articles(rng: Rng, end: int, n_farms: int, strength: float) -> tuple[Int64, Int64]:
    """Each farm lives for a quarter to half of the log, and publishes in its readers' waking hours."""
    opens = rng.uniform(0, 0.55 * end, n_farms)
    life = rng.uniform(0.25, 0.45, n_farms) * end
    site = np.repeat(np.arange(n_farms), 1 + rng.poisson(5 * strength * end / (14 * DAY), n_farms))
    clock = np.full(site.size, -5 * 3600.0)
    first = opens[site].astype(np.int64)
    return site, when_awake(rng, lambda rows: life[site[rows]] * rng.random(rows.size), first, clock)


def with_imitations(press: Press) -> tuple[Press, dict[str, str]]:
    """Let every eighth farm take the name of a well-known site, and return whose by farm.

    By turns another suffix, a word behind the name, a letter less, and a digit that looks like a letter.
    """
    site = press.site.tolist()
    first = press.site_role.tolist().index("farm") if "farm" in press.site_role else len(site)
    whose = {}
    for number, place in enumerate(range(first + 3, len(site), 8)):
        known = str(press.site[number % 5])
        word, end = known.split(".", 1)
        zero = word.replace("o", "0", 1) if "o" in word else word.replace("l", "1", 1)
        names = (f"{word}.com.co", f"{word}-news.com", f"{word[:-2]}{word[-1]}.{end}", f"{zero}.{end}")
        site[place] = names[number % len(names)]
        whose[site[place]] = known
    return replace(press, site=np.array(site)), whose


def missions(rng: Rng, world: World, operators: Operators, strength: float) -> Posts:
    """Each farm article goes to a recruiter of its operator, whose crew pushes it into partisan groups at once."""
    people, audience, press = world.people, world.audience, world.press
    seeders = people.who(HIRED)
    if not seeders.size or not press.farm.size:
        return make_posts(seeders[:0], seeders[:0])
    article, who = _crews(rng, people, press, operators)
    groups = np.flatnonzero(np.isin(audience.group_community, people.partisan))
    known = np.array([rng.permutation(groups)[:8] for _ in seeders])  # the groups each has joined
    gap = rng.uniform(20, 90, seeders.size)
    release = press.article_time + 60 + lognormal(rng, 600, 0.7, press.article_time.size)
    start = release[article] + lognormal(rng, 40 / strength**2, 0.9, article.size)
    n_groups = rng.integers(1, 6, article.size)
    step = np.concatenate([np.arange(k) for k in n_groups])
    mission = np.repeat(np.arange(article.size), n_groups)
    order = np.argsort(rng.random((article.size, known.shape[1])), axis=1)
    member = who[mission]
    beat = step * gap[member] * rng.normal(1, 0.08 / strength, mission.size).clip(0.2, 2)
    recruiter = recruiters(seeders.size)[member]
    copied = rng.random(mission.size) < 0.7  # the others drop the slogan
    return make_posts(
        seeders[member],
        (start[mission] + beat).astype(np.int64),
        article=article[mission],
        group=known[member, order[mission, step]],
        link=len(LINKS) + recruiter,
        text=np.where(copied, len(REMARKS) + 1 + recruiter % (len(SLOGANS) - 1), 0),
    )


def n_recruiters(n_seeders: int) -> int:
    """Return how many recruiters so many seeders have: one for about 25."""
    return max(1, round(n_seeders / 25))


def recruiters(n_seeders: int) -> Int64:
    """Return the recruiter of each seeder."""
    recruiter: Int64 = np.arange(n_seeders) % n_recruiters(n_seeders)
    return recruiter


def by_template(rng: Rng, names: pl.Series, seeders: Int64) -> pl.Series:
    """Name the profiles of every third recruiter as a seller's tool does: a word and eight digits."""
    lot = seeders[recruiters(seeders.size) % 3 == 0]
    digits = rng.integers(10_000_000, 100_000_000, lot.size)
    words = names.gather(lot).str.replace(r"\d+$", "")
    return names.scatter(lot, pl.select(pl.format("{}{}", words, pl.Series(digits))).to_series())


def _crews(rng: Rng, people: People, press: Press, operators: Operators) -> tuple[Int64, Int64]:
    """Return the article and the seeder (its rank) of each mission; a seeder stops at the quota."""
    seeders = people.who(HIRED)
    recruiter = recruiters(seeders.size)
    operator = operators.of_articles(press)
    left = operators.quotas(operator, seeders.size)[recruiter]
    articles, crews = [], []
    for place in np.argsort(press.article_time[press.farm], kind="stable"):
        own = operators.serves[operator[place]]
        free = np.bincount(recruiter[left > 0], minlength=own.size) * own
        # A recruiter whose people are done takes no more; towards the end, the last ones take all.
        able = np.flatnonzero(own & (free >= min(20, free.max())))
        pool = np.flatnonzero((recruiter == rng.choice(able)) & (left > 0))
        crew = rng.permutation(pool)[: rng.integers(5, 21)]
        left[crew] -= 1
        articles.append(np.full(crew.size, press.farm[place]))
        crews.append(crew)
    return np.concatenate(articles), np.concatenate(crews)


def camouflage(rng: Rng, world: World, log: Posts, n_background: int) -> Posts:
    """Give each seeder an ordinary side, and let ordinary people copy some of the farms' links, without token."""
    disguise = ordinary_side(rng, world, log, n_background)
    return join(disguise, _copied(rng, world.people, log, n_background))


def _copied(rng: Rng, people: People, log: Posts, n_background: int) -> Posts:
    """Ordinary people of the partisan communities who post a farm's link that they came across."""
    pushed = np.arange(n_background, log.n)
    model = np.repeat(pushed, rng.poisson(0.1, pushed.size))
    believes = np.isin(people.community, people.partisan) & (people.role != HIRED)
    account = weighted(rng, np.where(believes, people.activity, 0.0), model.size)
    time = when_awake(
        rng, lambda rows: lognormal(rng, 5400, 1.2, rows.size), log.time[model], people.zone[account]
    )
    link, text = weighted(rng, LINK_ODDS, model.size), rng.integers(0, len(REMARKS), model.size)
    posts = make_posts(account, time, article=log.article[model], link=link, text=text)
    _, once = np.unique(np.stack([account, posts.article]), axis=1, return_index=True)
    return posts.take(np.sort(once))
