"""A made-up fortnight of shares with a known truth: a Veles-like seeding campaign among ordinary life.

The shape is that of the content farms of Veles: throw-away sites, a pool of bought profiles, recruiters who
send crews of them into partisan groups. Beside the campaign live three innocents that look like it: a
newsroom that shares its own articles at once, a fan club that reshares its star at once, and a breaking
story that a third of everybody shares within the hour. All names, sites and headlines are invented.

Times inside this module are whole seconds since `START`; accounts, groups, sites, articles and posts are
numbers until the last step, which writes them as ids that tell nothing about roles.
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

from propgraph.errors import check_at_least
from propgraph.schema import ID, TIME

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Words = npt.NDArray[np.str_]
Rng = np.random.Generator

START = datetime(2016, 10, 24, tzinfo=UTC)
DAY = 86_400
YEAR = 365 * DAY

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
BAIT = (
    ("Insider", "General", "Nurse", "Senator", "Actor", "Whistleblower", "Bishop", "Agent", "Pilot", "Judge"),
    ("exposes", "slams", "destroys", "reveals", "admits", "leaks", "confirms", "bans"),
    ("secret vote", "hidden cure", "plot", "fake census", "cover-up", "gold file", "arrest list", "the tape"),
)
SYLLABLES = (
    ("bra", "cor", "dal", "fen", "gri", "hol", "jas", "kel", "lor", "mev", "nor", "osk", "pel", "quil", "rin",
     "sol", "tav", "ulm", "ver", "wex", "yar", "zel"),
    ("a", "e", "i", "o", "u", "ai", "ea", "ou", "an", "el", "im", "or", "un"),
    ("bor", "dan", "fyr", "gan", "kin", "lix", "mar", "nev", "pok", "rus", "sten", "tor", "vik", "wyn",
     "zan"),
)  # fmt: skip
PAPERS = ("courier", "gazette", "herald", "post", "observer", "ledger", "echo", "chronicle")
FARMS = ("patriotwire", "truthdaily", "libertybuzz", "eaglenews", "realreport", "freepress", "flagtoday")
PAPER_ENDS = (".com", ".com", ".org", ".net", ".co.uk")
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


@dataclass(frozen=True)
class _People:
    """The accounts: role, the seeder's recruiter (else -1), and what drives their behaviour."""

    role: Words
    recruiter: Ints
    community: Ints
    zone: Floats  # seconds to add to UTC for the account's own clock
    activity: Floats
    followers: Ints
    created: Ints
    partisan: Ints  # communities, not accounts

    def who(self, role: str) -> Ints:
        return np.flatnonzero(self.role == role)


@dataclass(frozen=True)
class _Audience:
    """Who sees a post: one row for each account (its followers), then one for each group (its members)."""

    start: Ints
    size: Ints
    member: Ints
    reach: Floats
    group_community: Ints


@dataclass(frozen=True)
class _Press:
    """Sites, the most popular first, and what they publish."""

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
class _World:
    """What stands before anybody posts; `end` is the length of the log, s."""

    people: _People
    audience: _Audience
    press: _Press
    end: int


@dataclass(frozen=True)
class _Posts:
    """Posts as parallel arrays; -1 stands for none. A reshare takes article, link and text from its root."""

    account: Ints
    time: Ints
    kind: Ints
    root: Ints
    group: Ints
    article: Ints
    link: Ints
    text: Ints

    @property
    def n(self) -> int:
        return int(self.account.size)

    def take(self, rows: Ints | Bools) -> _Posts:
        return _Posts(*(getattr(self, field.name)[rows] for field in fields(self)))


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
        How hard the campaign pushes, 0.1 or more: the farms' articles are proportional to it, and a crew's
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
    """
    for option, value, least in (
        ("n_days", n_days, 1), ("n_sites", n_sites, 0), ("n_seeders", n_seeders, 0),
        ("n_accounts", n_accounts, n_seeders + 100), ("strength", strength, 0.1), ("seed", seed, 0),
    ):  # fmt: skip
        check_at_least(option, value, least)
    # One stream for each phenomenon: a change in one leaves the others as they were.
    streams = iter(np.random.default_rng(seed).spawn(10))
    end = n_days * DAY
    people = _people(next(streams), n_accounts, n_seeders)
    audience = _audience(next(streams), people)
    press = _press(next(streams), next(streams), end, n_sites, strength)
    world = _World(people, audience, press, end)

    log, lit = _background(next(streams), world)
    log = _join(log, _spread(next(streams), world, log, 0))
    n_background = log.n
    log = _join(log, _missions(next(streams), world, strength))
    log = _join(log, _camouflage(next(streams), world, log, n_background))
    # Nobody has answered what lies beyond the end yet, so that the rows before it keep their numbers.
    log = log.take(log.time < end)
    log = _join(log, _spread(next(streams), world, log, n_background))
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
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    veles.log.write_parquet(folder / "veles.parquet", compression="zstd", compression_level=19)
    text = veles.log.write_csv(datetime_format="%Y-%m-%dT%H:%M:%SZ").encode()
    packed = io.BytesIO()
    # Neither a time nor a name in the gzip header, or the same log would give other bytes tomorrow.
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=packed, mtime=0) as file:
        file.write(text)
    (folder / "veles.csv.gz").write_bytes(packed.getvalue())
    veles.accounts.write_csv(folder / "truth_accounts.csv")
    veles.sites.write_csv(folder / "truth_sites.csv")


# Small tools


def _lognormal(rng: Rng, median: float, sigma: float, n: int) -> Floats:
    drawn: Floats = median * np.exp(sigma * rng.standard_normal(n))
    return drawn


def _attention(time: Ints, zone: Floats | float) -> Floats:
    """Return how likely a person is to be online at `time`, 0..1."""
    hour: Ints = ((time + zone) // 3600).astype(np.int64) % 24
    level: Floats = RHYTHM[hour]
    return level


def _awake(rng: Rng, draw: Callable[[Ints], Floats], after: Ints, zone: Floats) -> Ints:
    """Return `after` plus 1 s plus `draw(rows)`, drawn again for the rows who would be asleep then."""
    rows = np.arange(after.size)
    time = after + 1 + draw(rows).astype(np.int64)
    for _ in range(40):
        rows = rows[rng.random(rows.size) > _attention(time[rows], zone[rows])]
        if not rows.size:
            break
        time[rows] = after[rows] + 1 + draw(rows).astype(np.int64)
    return time


def _pick(rng: Rng, weight: Floats, n: int) -> Ints:
    """Draw `n` positions with replacement, in proportion to `weight`."""
    heap = np.cumsum(weight)
    drawn: Ints = np.searchsorted(heap, rng.random(n) * heap[-1], side="right").astype(np.int64)
    return np.minimum(drawn, weight.size - 1)


def _posts(account: Ints, time: Ints, **columns: Ints) -> _Posts:
    """Build posts; columns not given are -1, but the kind is original, the link and the text plain."""
    default = {"kind": ORIGINAL, "root": -1, "group": -1, "article": -1, "link": 0, "text": 0}
    filled = {name: columns.get(name, np.full(account.size, value)) for name, value in default.items()}
    return _Posts(account, time, **filled)


def _join(*parts: _Posts) -> _Posts:
    return _Posts(
        *(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(_Posts))
    )


# People and who sees whom


def _people(rng: Rng, n: int, n_seeders: int) -> _People:
    role = np.full(n, "organic", dtype="<U8")
    role[:n_seeders] = "seeder"
    role[n_seeders : n_seeders + N_STAFF] = "newsroom"
    role[n_seeders + N_STAFF : n_seeders + N_STAFF + N_FANS] = "fan"
    star = n_seeders + N_STAFF + N_FANS  # the next account: an organic one, much followed
    n_communities = int(np.clip(n // 250, 8, 20))
    community = _pick(rng, 1 / np.arange(3, n_communities + 3), n)
    community[role == "fan"] = community[star]
    partisan = np.sort(rng.permutation(n_communities)[: max(3, round(0.35 * n_communities))])
    community[:n_seeders] = rng.choice(partisan, n_seeders)
    # Mostly American clocks, some European; and everybody is an owl or a lark.
    hours = rng.permutation(np.resize([-5, 0, -8, -6, 1, -5, -7, 2], n_communities))
    zone = (hours[community] + rng.normal(0, 1.5, n)) * 3600
    zone[:n_seeders] = rng.normal(1, 1.5, n_seeders) * 3600
    activity = _lognormal(rng, 1.0, 1.2, n)
    activity[(role == "fan") | (role == "newsroom")] *= 2.5  # keen, in this as in the rest
    followers = np.minimum(30 * (1 + rng.pareto(1.1, n)), 400_000).astype(np.int64)
    followers[:n_seeders] = (4 * (1 + rng.pareto(1.3, n_seeders))).astype(np.int64).clip(max=2000)
    followers[star] = 250_000
    return _People(
        role=role,
        recruiter=np.where(role == "seeder", np.arange(n) % max(1, round(n_seeders / 25)), -1),
        community=community,
        zone=zone,
        activity=activity,
        followers=followers,
        created=_creation(rng, role),
        partisan=partisan,
    )


def _creation(rng: Rng, role: Words) -> Ints:
    """Creation times: years apart, except for the seeders, bought in a few lots and some of them aged."""
    created = -(rng.beta(1.1, 1.4, role.size) * 8 * YEAR + 2 * DAY)
    seeders = np.flatnonzero(role == "seeder")
    lots = -rng.uniform(20, 300, 5) * DAY
    young = seeders[rng.random(seeders.size) < 0.85]
    created[young] = rng.choice(lots, young.size) + rng.exponential(0.6 * DAY, young.size)
    return created.astype(np.int64)


def _audience(rng: Rng, people: _People) -> _Audience:
    """Draw followers mostly from the own community, the active first; a few accounts have most of them.

    Seeders see nothing: those who are paid by the post do not browse. What they reshare is camouflage.
    """
    n_communities = int(people.community.max()) + 1
    per_community = np.where(np.isin(np.arange(n_communities), people.partisan), 8, 4)
    group_community = np.repeat(np.arange(n_communities), per_community)
    n, n_groups = people.role.size, group_community.size
    home = np.concatenate([people.community, group_community])
    crowd = np.concatenate([people.followers, _lognormal(rng, 150, 0.8, n_groups).astype(np.int64)])
    size = np.clip(crowd**0.7, 3, n / 4).astype(np.int64)
    row = np.repeat(np.arange(n + n_groups), size)
    weight = np.where(people.role == "seeder", 0.0, people.activity)
    member = _pick(rng, weight, row.size)
    # A group's members are of its community; a person's followers are so four times in five.
    near = (rng.random(row.size) < 0.8) | (row >= n)
    for community in range(n_communities):
        here = np.flatnonzero(near & (home[row] == community))
        local = weight * (people.community == community)
        if local.any():
            member[here] = _pick(rng, local, here.size)
    reach = np.minimum(crowd, 20_000) ** 0.4
    reach /= np.average(reach[:n], weights=weight)
    return _Audience(np.cumsum(size) - size, size, member, reach, group_community)


# The press


def _press(rng: Rng, farm_rng: Rng, end: int, n_farms: int, strength: float) -> _Press:
    """Sites and articles: the ordinary first, then the breaking story, then the farms."""
    coins = _coin(rng, N_NEWS_SITES)
    papers = [c + PAPERS[i % len(PAPERS)] + PAPER_ENDS[i % len(PAPER_ENDS)] for i, c in enumerate(coins)]
    coins = [coin for coin in _coin(farm_rng, N_NEWS_SITES + n_farms) if coin not in coins][:n_farms]
    farms = [c + FARMS[i % len(FARMS)] + FARM_ENDS[i % len(FARM_ENDS)] for i, c in enumerate(coins)]
    role = np.array(["ordinary"] * len(papers) + ["farm"] * len(farms))
    role[NEWSROOM_SITE] = "newsroom"

    daily = 1 + 8 / np.sqrt(np.arange(1, N_NEWS_SITES + 1))
    # A day's articles from before the log begins still circulate when it does.
    site = np.repeat(np.arange(N_NEWS_SITES), rng.poisson(daily * (end / DAY + 1)))
    clock = np.full(site.size, -5 * 3600.0)
    time = _awake(rng, lambda rows: rng.uniform(0, end + DAY, rows.size), np.full(site.size, -DAY), clock)
    hot_site = np.arange(rng.integers(1, 4))
    hot_time = np.full(hot_site.size, end // DAY // 2 * DAY + 17 * 3600) + rng.integers(0, 300, hot_site.size)
    farm_site, farm_time = _farm_articles(farm_rng, end, n_farms, strength)

    sizes = np.cumsum([site.size, hot_site.size, farm_site.size])
    headline = _headlines(rng, HEADLINE, int(sizes[1])) + _headlines(farm_rng, BAIT, farm_site.size)
    return _Press(
        site=np.array(papers + farms),
        site_role=role,
        article_site=np.concatenate([site, hot_site, farm_site + N_NEWS_SITES]),
        article_time=np.concatenate([time, hot_time, farm_time]),
        appeal=np.concatenate(
            [_lognormal(rng, 0.9, 0.5, int(sizes[1])), _lognormal(farm_rng, 0.5, 0.7, farm_site.size)]
        ),
        headline=np.array(headline),
        breaking=np.arange(sizes[0], sizes[1]),
        farm=np.arange(sizes[1], sizes[2]),
    )


def _farm_articles(rng: Rng, end: int, n_farms: int, strength: float) -> tuple[Ints, Ints]:
    """Each farm lives for a quarter to half of the log, and publishes in its readers' waking hours."""
    opens = rng.uniform(0, 0.55 * end, n_farms)
    life = rng.uniform(0.25, 0.45, n_farms) * end
    site = np.repeat(np.arange(n_farms), 1 + rng.poisson(5 * strength * end / (14 * DAY), n_farms))
    clock = np.full(site.size, -5 * 3600.0)
    first = opens[site].astype(np.int64)
    return site, _awake(rng, lambda rows: life[site[rows]] * rng.random(rows.size), first, clock)


def _coin(rng: Rng, n: int) -> list[str]:
    """Return `n` different invented words."""
    first, second, third = SYLLABLES
    words = [a + b + c for a in first for b in second for c in third]
    rounds = 1 + n // len(words)
    number = rng.choice(rounds * len(words), n, replace=False)
    return [words[i % len(words)] + (str(i // len(words)) if i >= len(words) else "") for i in number]


def _headlines(rng: Rng, parts: Sequence[Sequence[str]], n: int) -> list[str]:
    drawn = [rng.integers(0, len(part), n) for part in parts]
    return [" ".join(part[i] for part, i in zip(parts, row, strict=True)) for row in zip(*drawn, strict=True)]


# Ordinary life and its look-alikes


def _background(rng: Rng, world: _World) -> tuple[_Posts, Ints]:
    """Return what starts ordinary cascades, and the accounts that took part in the breaking story."""
    log = _join(_everyday(rng, world), _newsroom(rng, world))
    log = log.take((log.time >= 0) & (log.time < world.end))
    log = _join(log, _fan_club(rng, world, log.n))
    burst = _breaking(rng, world, log.n)
    return _join(log, burst), burst.account


def _everyday(rng: Rng, world: _World) -> _Posts:
    """People post the articles of the sites that their community likes, now and then into a group."""
    people, press = world.people, world.press
    n_communities = int(people.community.max()) + 1
    article = press.ordinary
    site = press.article_site[article]
    popularity = 1 / (1 + np.arange(N_NEWS_SITES))
    popularity[NEWSROOM_SITE] *= 5
    buzz = popularity[site] * _lognormal(rng, 1.0, 1.0, article.size)
    per_day = 0.18 * people.role.size / AWAKE
    article = np.repeat(article, rng.poisson(per_day * (world.end / DAY + 1) * buzz / buzz.sum()))
    site = press.article_site[article]
    taste = _lognormal(rng, 1.0, 1.0, n_communities * N_NEWS_SITES).reshape(N_NEWS_SITES, n_communities)
    account = np.zeros(article.size, dtype=np.int64)
    browses = np.where(people.role == "seeder", 0.0, people.activity)
    for one in range(N_NEWS_SITES):
        here = np.flatnonzero(site == one)
        account[here] = _pick(rng, browses * taste[one][people.community], here.size)
    # One in twelve follows the site's alerts; the others come across the article in the next hours.
    alert = rng.random(account.size) < 1 / 12
    delay = np.where(alert, _lognormal(rng, 120, 0.8, account.size), _lognormal(rng, 9000, 1.2, account.size))
    time = press.article_time[article] + 1 + delay.astype(np.int64)
    awake = rng.random(account.size) < _attention(time, people.zone[account])
    _, once = np.unique(account * press.article_site.size + article, return_index=True)
    keep = np.sort(once[awake[once]])
    return _linked(rng, world, account[keep], time[keep], article[keep])


def _linked(rng: Rng, world: _World, account: Ints, time: Ints, article: Ints) -> _Posts:
    """Return ordinary posts of articles: links as people write them, one in four into a group."""
    people, of = world.people, world.audience.group_community
    groups = [np.flatnonzero(of == c) for c in range(int(people.community.max()) + 1)]
    first = np.array([row[0] for row in groups])[people.community[account]]
    many = np.array([row.size for row in groups])[people.community[account]]
    group = first + (rng.random(account.size) ** 2 * many).astype(np.int64)
    return _posts(
        account,
        time,
        article=article,
        group=np.where(rng.random(account.size) < 0.25, group, -1),
        link=_pick(rng, LINK_ODDS, account.size),
        text=_pick(rng, np.array([4.0, 1, 1, 1, 1]), account.size),
    )


def _newsroom(rng: Rng, world: _World) -> _Posts:
    """Look-alike: staff who share their outlet's articles within a minute or two, often with its token."""
    press = world.press
    article = press.ordinary[press.article_site[press.ordinary] == NEWSROOM_SITE]
    row, column = np.nonzero(rng.random((article.size, N_STAFF)) < 0.6)
    delay = _lognormal(rng, 60, 0.7, row.size).astype(np.int64)
    return _posts(
        world.people.who("newsroom")[column],
        press.article_time[article[row]] + 1 + delay,
        article=article[row],
        link=np.where(rng.random(row.size) < 0.6, STAFF_LINK, 0),
    )


def _fan_club(rng: Rng, world: _World, offset: int) -> _Posts:
    """Look-alike: fans who reshare a star's posts within minutes, whenever they are awake."""
    people, end = world.people, world.end
    fans = people.who("fan")
    star = fans[-1:] + 1
    n_posts = max(1, round(4 * end / DAY))
    zero, zone = np.zeros(n_posts, dtype=np.int64), np.repeat(people.zone[star], n_posts)
    posted = np.sort(_awake(rng, lambda rows: rng.uniform(0, 0.99 * end, rows.size), zero, zone))
    line = rng.integers(0, N_STAR_LINES, n_posts)
    row, column = np.nonzero(rng.random((n_posts, N_FANS)) < 0.75)
    time = posted[row] + 1 + _lognormal(rng, 180, 1.0, row.size).astype(np.int64)
    keep = (rng.random(row.size) < _attention(time, people.zone[fans[column]])) & (time < end)
    row, column, time = row[keep], column[keep], time[keep]
    kind = np.full(row.size, RESHARE)
    return _join(
        _posts(np.repeat(star, n_posts), posted, text=line),
        _posts(fans[column], time, kind=kind, root=offset + row),
    )


def _breaking(rng: Rng, world: _World, offset: int) -> _Posts:
    """Look-alike: a third of everybody, seeders too, shares one story in a burst that soon decays."""
    people, press = world.people, world.press
    n = round(rng.uniform(0.30, 0.40) * people.role.size)
    account = rng.permutation(people.role.size)[:n]
    choice = _pick(rng, np.array([0.6, 0.3, 0.1])[: press.breaking.size], n)
    quick = rng.exponential(360, n)
    delay = np.sort(np.where(rng.random(n) < 0.8, quick, _lognormal(rng, 1500, 0.8, n))).clip(max=6 * 3600)
    time = int(press.article_time[press.breaking].max()) + 30 + delay.astype(np.int64)
    # Whoever comes late finds it posted already, and reshares one of the first posts.
    reshare = (rng.random(n) < 0.45) & (np.arange(n) >= 10)
    originals = np.flatnonzero(~reshare)
    seen = np.minimum(np.cumsum(~reshare), 30)
    root = np.where(reshare, originals[(rng.random(n) ** 2 * seen).astype(np.int64)], -1)
    return _posts(
        account,
        np.where(reshare, np.maximum(time, time[root] + 1), time),
        kind=np.where(reshare, RESHARE, ORIGINAL),
        root=np.where(reshare, offset + root, -1),
        article=np.where(reshare, -1, press.breaking[choice]),
        link=_pick(rng, LINK_ODDS, n),
    )


def _spread(rng: Rng, world: _World, log: _Posts, since: int) -> _Posts:
    """Let the posts of `log` from row `since` on be reshared, generation by generation.

    A branching process: each post draws a Poisson number of reshares from those who see it (the group's
    members, or the account's followers), in proportion to the article's appeal and the audience's reach.
    Delays are lognormal (median 25 min); who would be asleep then never sees the post. Every twentieth
    answers instead.
    """
    people, audience, press = world.people, world.audience, world.press
    n = people.role.size
    rows = np.flatnonzero((np.arange(log.n) >= since) & (log.kind != REPLY))
    account, time = log.account[rows], log.time[rows]
    root = np.where(log.root[rows] < 0, rows, log.root[rows])
    # Who has shared an article, by whichever post, does not share it again.
    origin = np.where(log.root < 0, np.arange(log.n), log.root)
    story = np.where(log.article[origin] < 0, press.article_site.size + origin, log.article[origin])
    taken = story * n + log.account
    row = np.where(log.group[rows] < 0, account, n + log.group[rows])
    born: list[_Posts] = []
    for generation in range(30):
        article = log.article[root]
        # A saturated story, and a star's chat, go less far than news.
        fame = np.where((article < 0) | np.isin(article, press.breaking), 0.25, 0.5)
        drive = np.minimum(fame * np.where(article < 0, 1, press.appeal[article]), 0.85)
        mean = drive * audience.reach[row] * 0.9**generation
        children = np.repeat(np.arange(root.size), rng.poisson(np.minimum(mean, 60) / AWAKE))
        pick = (rng.random(children.size) * audience.size[row[children]]).astype(np.int64)
        account = audience.member[audience.start[row[children]] + pick]
        time = time[children] + 1 + _lognormal(rng, 1500, 1.5, children.size).astype(np.int64)
        root = root[children]
        awake = (rng.random(time.size) < _attention(time, people.zone[account])) & (time < world.end)
        keep = np.flatnonzero(awake & _first_time(taken, story[root] * n + account, time))
        account, time, root = account[keep], time[keep], root[keep]
        taken = np.concatenate([taken, story[root] * n + account])
        if not keep.size:
            break
        reply = rng.random(keep.size) < 0.05
        line = rng.integers(N_STAR_LINES, len(CHATTER), keep.size)
        kind = np.where(reply, REPLY, RESHARE)
        born.append(_posts(account, time, kind=kind, root=root, text=line))
        account, time, root = account[~reply], time[~reply], root[~reply]
        row = account
    return _join(log.take(np.arange(0)), *born)


def _first_time(taken: Ints, key: Ints, time: Ints) -> Bools:
    """Return which of `key` are the earliest of their kind and not among `taken`."""
    order = np.argsort(time, kind="stable")
    _, first = np.unique(key[order], return_index=True)
    result = np.zeros(key.size, dtype=np.bool_)
    result[order[first]] = True
    return result & ~np.isin(key, taken)


# The campaign


def _missions(rng: Rng, world: _World, strength: float) -> _Posts:
    """Each farm article goes to a recruiter, whose crew pushes it into partisan groups at once."""
    people, audience, press = world.people, world.audience, world.press
    seeders = people.who("seeder")
    if not seeders.size or not press.farm.size:
        return _posts(seeders[:0], seeders[:0])
    article, who = _crews(rng, people, press)
    groups = np.flatnonzero(np.isin(audience.group_community, people.partisan))
    known = np.array([rng.permutation(groups)[:8] for _ in seeders])  # the groups each has joined
    gap = rng.uniform(20, 90, seeders.size)
    release = press.article_time + 60 + _lognormal(rng, 600, 0.7, press.article_time.size)
    start = release[article] + _lognormal(rng, 40 / strength**2, 0.9, article.size)
    n_groups = rng.integers(1, 6, article.size)
    step = np.concatenate([np.arange(k) for k in n_groups])
    mission = np.repeat(np.arange(article.size), n_groups)
    order = np.argsort(rng.random((article.size, known.shape[1])), axis=1)
    member = who[mission]
    beat = step * gap[member] * rng.normal(1, 0.08 / strength, mission.size).clip(0.2, 2)
    recruiter = people.recruiter[seeders[member]]
    copied = rng.random(mission.size) < 0.7  # the others drop the slogan
    return _posts(
        seeders[member],
        (start[mission] + beat).astype(np.int64),
        article=article[mission],
        group=known[member, order[mission, step]],
        link=len(LINKS) + recruiter,
        text=np.where(copied, len(REMARKS) + 1 + recruiter % (len(SLOGANS) - 1), 0),
    )


def _crews(rng: Rng, people: _People, press: _Press) -> tuple[Ints, Ints]:
    """Return the article and the seeder (its rank) of each mission; a seeder stops at the quota."""
    seeders = people.who("seeder")
    recruiter = people.recruiter[seeders]
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


def _camouflage(rng: Rng, world: _World, log: _Posts, n_background: int) -> _Posts:
    """Give each seeder an ordinary side, a fifth to two fifths of the posts: others' news, at human hours.

    And let ordinary people copy some of the farms' links, without the recruiter's token.
    """
    people = world.people
    pushed = np.bincount(log.account[n_background:], minlength=people.role.size)
    share = rng.uniform(0.2, 0.4, people.role.size)
    account = np.repeat(np.arange(people.role.size), rng.poisson(pushed * share / (1 - share)))
    article = log.article[:n_background]
    news = np.flatnonzero((article >= 0) & ~np.isin(article, world.press.breaking))
    model = rng.choice(news, account.size) if account.size else account
    time = _awake(
        rng, lambda rows: _lognormal(rng, 3600, 1.0, rows.size), log.time[model], people.zone[account]
    )
    reshare = rng.random(account.size) < 0.6
    link = _pick(rng, LINK_ODDS, account.size)
    disguise = _posts(
        account,
        time,
        kind=np.where(reshare, RESHARE, ORIGINAL),
        root=np.where(reshare, model, -1),
        article=np.where(reshare, -1, log.article[model]),
        link=link,
    )
    _, once = np.unique(np.stack([account, log.article[model]]), axis=1, return_index=True)
    return _join(disguise.take(np.sort(once)), _copied(rng, people, log, n_background))


def _copied(rng: Rng, people: _People, log: _Posts, n_background: int) -> _Posts:
    """Ordinary people of the partisan communities who post a farm's link that they came across."""
    pushed = np.arange(n_background, log.n)
    model = np.repeat(pushed, rng.poisson(0.1, pushed.size))
    believes = np.isin(people.community, people.partisan) & (people.role != "seeder")
    account = _pick(rng, np.where(believes, people.activity, 0.0), model.size)
    time = _awake(
        rng, lambda rows: _lognormal(rng, 5400, 1.2, rows.size), log.time[model], people.zone[account]
    )
    link, text = _pick(rng, LINK_ODDS, model.size), rng.integers(0, len(REMARKS), model.size)
    posts = _posts(account, time, article=log.article[model], link=link, text=text)
    _, once = np.unique(np.stack([account, posts.article]), axis=1, return_index=True)
    return posts.take(np.sort(once))


# Numbers to names


def _frames(rng: Rng, world: _World, log: _Posts, lit: Ints) -> VelesLog:
    """Write ids, names and links, in an order that tells nothing about roles."""
    people, press = world.people, world.press
    n = people.role.size
    account_ids = _ids("a", rng.permutation(n), 5)
    coins = _coin(rng, 2000)
    names = [
        coins[i].capitalize() + str(j)
        for i, j in zip(rng.integers(0, 2000, n), rng.integers(1, 99, n), strict=True)
    ]
    return VelesLog(
        log=_log_frame(people, press, log, account_ids, pl.Series(names)),
        accounts=_account_truth(people, press, lit, account_ids),
        sites=pl.DataFrame(
            {"site": press.site, "role": press.site_role}, schema={"site": ID, "role": ID}
        ).sort("site"),
    )


def _log_frame(
    people: _People, press: _Press, log: _Posts, account_ids: pl.Series, names: pl.Series
) -> pl.DataFrame:
    order = np.argsort(log.time, kind="stable")
    rank = np.empty(log.n, dtype=np.int64)
    rank[order] = np.arange(log.n)
    content_ids = _ids("p", np.arange(log.n), 7)
    post = log.take(order)
    origin = np.where(post.root < 0, -1, log.account[post.root])
    source = np.where(post.kind == RESHARE, post.root, order)
    group_ids = _ids("g", np.arange(max(0, int(log.group.max())) + 1), 3)
    return pl.DataFrame(
        {
            "content_id": content_ids,
            "account_id": _look_up(account_ids, post.account),
            "account_name": _look_up(names, post.account),
            "account_created_at": _times(people.created[post.account]),
            "followers": people.followers[post.account],
            "timestamp": _times(post.time),
            "kind": _look_up(pl.Series(KINDS), post.kind),
            "parent_content_id": _look_up(content_ids, np.where(post.root < 0, -1, rank[post.root])),
            "origin_account_id": _look_up(account_ids, origin),
            "target_id": _look_up(group_ids, post.group),
            "url": _urls(press, log.take(source)),
            "text": _texts(press, post),
            "platform": pl.Series(["simulated"]).new_from_index(0, log.n),
        }
    )


def _ids(letter: str, number: Ints, width: int) -> pl.Series:
    return pl.Series([f"{letter}{i:0{width}d}" for i in number.tolist()], dtype=ID)


def _look_up(values: pl.Series, index: Ints) -> pl.Series:
    """Return `values` at `index`; null where it is -1."""
    where: Any = pl.Series(index).set(pl.Series(index < 0), None)
    return values.gather(where)


def _times(seconds: Ints) -> pl.Series:
    start = int(START.timestamp()) * 1000
    return pl.Series(start + seconds * 1000).cast(TIME)


def _urls(press: _Press, post: _Posts) -> pl.Series:
    """Return the links as written; null where the post has none."""
    n_recruiters = max(0, int(post.link.max()) + 1 - len(LINKS))
    # Half of the recruiters count with a plain parameter, half with one that analytics tools know.
    tokens = [f"?{'utm_campaign' if i % 2 else 'ref'}=r{i:02d}" for i in range(n_recruiters)]
    before = pl.Series([link[0] for link in LINKS] + ["http://"] * n_recruiters)
    after = pl.Series([link[1] for link in LINKS] + tokens)
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


def _texts(press: _Press, post: _Posts) -> pl.Series:
    """Return a remark and the headline, or chatter where there is no link; null for reshares."""
    linked, reshared = post.article >= 0, post.kind == RESHARE
    remark = _look_up(pl.Series(REMARKS + SLOGANS), np.where(linked, post.text, -1))
    headline = _look_up(pl.Series(press.headline), post.article)
    chatter = _look_up(pl.Series(CHATTER), np.where(linked | reshared, -1, post.text))
    return (remark + headline).fill_null(chatter)


def _account_truth(people: _People, press: _Press, lit: Ints, account_ids: pl.Series) -> pl.DataFrame:
    took_part = np.zeros(people.role.size, dtype=np.bool_)
    took_part[lit] = True
    role = np.where(took_part & (people.role == "organic"), "breaking", people.role)
    group = np.array([f"community{i:02d}" for i in people.community.tolist()], dtype="<U40")
    group[role == "breaking"] = "breaking"
    group[role == "newsroom"] = press.site[NEWSROOM_SITE]
    group[role == "fan"] = "fanclub"
    seeders = people.who("seeder")
    group[seeders] = [f"r{i:02d}" for i in people.recruiter[seeders].tolist()]
    return pl.DataFrame(
        {"account_id": account_ids, "role": role, "group": group, "organised": role == "seeder"},
        schema={"account_id": ID, "role": ID, "group": ID, "organised": pl.Boolean()},
    ).sort("account_id")
