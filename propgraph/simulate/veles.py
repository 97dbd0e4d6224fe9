"""A made-up fortnight of shares with a known truth: a Veles-like seeding campaign among ordinary life.

The shape is that of the content farms of Veles: throw-away sites, a pool of bought profiles, recruiters who
send crews of them into partisan groups. It lives in the world of `simulate.organic`, with its three innocents
that look like a campaign: a newsroom, a fan club and a breaking story.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from propgraph.arrays.types import Int64
from propgraph.errors import LARGEST_SEED, check_at_least
from propgraph.schema import ID
from propgraph.simulate.draws import DAY, STRONGEST, Rng, lognormal, weighted, when_awake
from propgraph.simulate.logs import log_frame, number_accounts, roles_and_groups, write_log
from propgraph.simulate.organic import background, ordinary_side, spread
from propgraph.simulate.people import HIRED, People, make_audience, make_people
from propgraph.simulate.posts import LINK_ODDS, LINKS, REMARKS, SLOGANS, Posts, join, make_posts
from propgraph.simulate.press import Press, coin_words, headlines, make_press
from propgraph.simulate.world import World

BAIT = (
    ("Insider", "General", "Nurse", "Senator", "Actor", "Whistleblower", "Bishop", "Agent", "Pilot", "Judge"),
    ("exposes", "slams", "destroys", "reveals", "admits", "leaks", "confirms", "bans"),
    ("secret vote", "hidden cure", "plot", "fake census", "cover-up", "gold file", "arrest list", "the tape"),
)
FARMS = ("patriotwire", "truthdaily", "libertybuzz", "eaglenews", "realreport", "freepress", "flagtoday")
FARM_ENDS = (".com", ".com", ".net", ".info", ".xyz")


@dataclass(frozen=True)
class VelesLog:
    """A simulated log and the truth about its accounts and sites.

    Attributes
    ----------
    log
        One row per post, sorted by `timestamp, content_id`. Columns: `content_id, account_id, account_name`
        (`String`), `account_created_at` (`Datetime("ms", "UTC")`), `followers` (`Int64`, accounts),
        `timestamp` (`Datetime("ms", "UTC")`, whole seconds, as platform exports give them), `kind`
        (`original, reshare, reply`), `parent_content_id` (the *root* of the cascade, as platforms give
        it; null for originals), `origin_account_id` (the root's author), `target_id` (the group posted
        into, or null), `url` (as written; null without a link), `text, platform` (`String`). A reshare
        carries its root's `url`, and neither target nor text of its own.
    accounts
        One row per account, those that never posted included, sorted by `account_id`. Columns:
        `account_id, role` (`organic, breaking, newsroom, fan, seeder`)`, group` (`String`: the community,
        `breaking`, the newsroom's site, `fanclub`, the recruiter), `organised` (`Boolean`, true for the
        seeders only). `breaking` are organic accounts that took part in the breaking story.
    sites
        One row per site, sorted by `site`. Columns: `site` (registrable domain)`, role`
        (`farm, newsroom, ordinary`), all `String`.
    """

    log: pl.DataFrame
    accounts: pl.DataFrame
    sites: pl.DataFrame


def simulate_veles(
    *,
    n_accounts: int = 3000,
    n_days: int = 14,
    n_sites: int = 40,
    n_seeders: int = 200,
    strength: float = 1.0,
    seed: int = 0,
) -> VelesLog:
    """Simulate a seeding campaign among ordinary sharing, with look-alikes and the truth.

    Ordinary life depends on `n_accounts, n_days, n_seeders, seed` only: two strengths of the same seed have
    the same background, so that they can be compared.

    Parameters
    ----------
    n_accounts
        All accounts, seeders included; at least `n_seeders + 100`.
    n_days
        Length of the log, days; at least 1.
    n_sites
        The campaign's content farms, beside sixty ordinary news sites. 0 leaves the campaign out.
    n_seeders
        Bought profiles, in sub-crowds of about 25, each with its recruiter. 0 leaves the campaign out.
    strength
        How hard the campaign pushes, 0.1 to 100: the farms' articles are proportional to it, and a crew's
        median delay is 40 s / `strength`². 0.5 is weak, 2 is strong.
    seed
        Seed of the one random generator, 0 or more. The same parameters give the same bytes.

    Returns
    -------
    VelesLog
        The frames `log`, `accounts` and `sites`; their columns are described there.

    Raises
    ------
    UsageError
        When a parameter is too small.

    Examples
    --------
    >>> import propgraph as pg
    >>> made = pg.simulate_veles(n_accounts=300, n_days=3, n_sites=5, n_seeders=50)
    >>> made.log.height, made.log["account_id"].n_unique()
    (1372, 258)
    >>> made.accounts["role"].value_counts().sort("role").rows()
    [('breaking', 69), ('fan', 40), ('newsroom', 12), ('organic', 129), ('seeder', 50)]
    >>> made.sites["role"].value_counts().sort("role").rows()
    [('farm', 5), ('newsroom', 1), ('ordinary', 59)]
    """
    for option, value, least in (
        ("n_days", n_days, 1), ("n_sites", n_sites, 0), ("n_seeders", n_seeders, 0),
        ("n_accounts", n_accounts, n_seeders + 100),
    ):  # fmt: skip
        check_at_least(option, value, least)
    check_at_least("strength", strength, 0.1, most=STRONGEST)
    check_at_least("seed", seed, 0, most=LARGEST_SEED)
    # One stream for each phenomenon: a change in one leaves the others as they were.
    streams = iter(np.random.default_rng(seed).spawn(10))
    end = n_days * DAY
    people = make_people(next(streams), n_accounts, n_seeders)
    audience = make_audience(next(streams), people)
    press = make_press(next(streams), end)
    press = _with_farms(next(streams), press, end=end, n_farms=n_sites, strength=strength)
    world = World(people, audience, press, end)

    log, lit = background(next(streams), world)
    log = join(log, spread(next(streams), world, log, 0))
    n_background = log.n
    log = join(log, _missions(next(streams), world, strength))
    log = join(log, _camouflage(next(streams), world, log, n_background))
    # Nobody has answered what lies beyond the end yet, so that the rows before it keep their numbers.
    log = log.take(log.time < end)
    log = join(log, spread(next(streams), world, log, n_background))
    return _frames(next(streams), world, log, lit)


def write_sample(folder: str | Path, veles: VelesLog) -> None:
    """Write a simulated log and its truth into `folder`, byte for byte the same for the same log.

    Files: `veles.parquet` (zstd) and `veles.csv.gz` (times in ISO 8601), the same log twice, and the truth,
    `truth_accounts.csv` and `truth_sites.csv`. Files of these names are replaced.

    Parameters
    ----------
    folder
        Where to write; made when it is not there.
    veles
        What `simulate_veles` returned.
    """
    write_log(folder, "veles", veles.log)
    veles.accounts.write_csv(Path(folder) / "truth_accounts.csv")
    veles.sites.write_csv(Path(folder) / "truth_sites.csv")


# The campaign


def _with_farms(rng: Rng, press: Press, *, end: int, n_farms: int, strength: float) -> Press:
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


def _missions(rng: Rng, world: World, strength: float) -> Posts:
    """Each farm article goes to a recruiter, whose crew pushes it into partisan groups at once."""
    people, audience, press = world.people, world.audience, world.press
    seeders = people.who(HIRED)
    if not seeders.size or not press.farm.size:
        return make_posts(seeders[:0], seeders[:0])
    article, who = _crews(rng, people, press)
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
    recruiter = _recruiters(seeders.size)[member]
    copied = rng.random(mission.size) < 0.7  # the others drop the slogan
    return make_posts(
        seeders[member],
        (start[mission] + beat).astype(np.int64),
        article=article[mission],
        group=known[member, order[mission, step]],
        link=len(LINKS) + recruiter,
        text=np.where(copied, len(REMARKS) + 1 + recruiter % (len(SLOGANS) - 1), 0),
    )


def _recruiters(n_seeders: int) -> Int64:
    """Return the recruiter of each seeder: about 25 have the same."""
    recruiter: Int64 = np.arange(n_seeders) % max(1, round(n_seeders / 25))
    return recruiter


def _crews(rng: Rng, people: People, press: Press) -> tuple[Int64, Int64]:
    """Return the article and the seeder (its rank) of each mission; a seeder stops at the quota."""
    seeders = people.who(HIRED)
    recruiter = _recruiters(seeders.size)
    quota = int(np.ceil(12.5 * press.farm.size / seeders.size))
    left = np.full(seeders.size, quota)
    articles, crews = [], []
    for article in press.farm[np.argsort(press.article_time[press.farm], kind="stable")]:
        free = np.bincount(recruiter[left > 0], minlength=int(recruiter.max()) + 1)
        # A recruiter whose people are done takes no more; towards the end, the last ones take all.
        able = np.flatnonzero(free >= min(20, free.max()))
        pool = np.flatnonzero((recruiter == rng.choice(able)) & (left > 0))
        crew = rng.permutation(pool)[: rng.integers(5, 21)]
        left[crew] -= 1
        articles.append(np.full(crew.size, article))
        crews.append(crew)
    return np.concatenate(articles), np.concatenate(crews)


def _camouflage(rng: Rng, world: World, log: Posts, n_background: int) -> Posts:
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


# Numbers to names


def _frames(rng: Rng, world: World, log: Posts, lit: Int64) -> VelesLog:
    """Write ids, names and links."""
    people, press = world.people, world.press
    accounts = number_accounts(rng, people.role.size)
    # Half of the recruiters count with a plain parameter, half with one that analytics tools know.
    n_recruiters = max(0, int(log.link.max()) + 1 - len(LINKS))
    tokens = [f"?{'utm_campaign' if i % 2 else 'ref'}=r{i:02d}" for i in range(n_recruiters)]
    return VelesLog(
        log=log_frame(world, log, accounts=accounts, tokens=tokens),
        accounts=_account_truth(world, lit, accounts[0]),
        sites=pl.DataFrame(
            {"site": press.site, "role": press.site_role}, schema={"site": ID, "role": ID}
        ).sort("site"),
    )


def _account_truth(world: World, lit: Int64, account_ids: pl.Series) -> pl.DataFrame:
    role, group = roles_and_groups(world, lit)
    seeders = world.people.who(HIRED)
    role[seeders] = "seeder"
    group[seeders] = [f"r{i:02d}" for i in _recruiters(seeders.size).tolist()]
    return pl.DataFrame(
        {"account_id": account_ids, "role": role, "group": group, "organised": role == "seeder"},
        schema={"account_id": ID, "role": ID, "group": ID, "organised": pl.Boolean()},
    ).sort("account_id")
