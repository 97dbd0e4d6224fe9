"""A made-up fortnight of shares with a known truth: a Veles-like seeding campaign among ordinary life.

The shape is that of the content farms of Veles: throw-away sites, a pool of bought profiles, recruiters who
send crews of them into partisan groups. It lives in the world of `simulate.organic`, with its three innocents
that look like a campaign: a newsroom, a fan club and a breaking story.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from propgraph.arrays.types import Int64
from propgraph.errors import LARGEST_SEED, check_at_least, check_choice
from propgraph.schema import ID
from propgraph.simulate.articles import write_articles
from propgraph.simulate.boosts import boost
from propgraph.simulate.draws import DAY, STRONGEST, Rng
from propgraph.simulate.export import small_export
from propgraph.simulate.farms import (
    by_template,
    camouflage,
    missions,
    n_recruiters,
    recruiters,
    with_farms,
    with_imitations,
)
from propgraph.simulate.logs import log_frame, number_accounts, roles_and_groups, write_log, write_table
from propgraph.simulate.look_alikes import look_alikes, with_newcomers
from propgraph.simulate.operators import Operators, one_operator, several_operators
from propgraph.simulate.organic import background, spread
from propgraph.simulate.payments import payments
from propgraph.simulate.people import HIRED, make_audience, make_people
from propgraph.simulate.posts import LINKS, Posts, join
from propgraph.simulate.press import CHAIN, CLUB_SITE, PARTY_SITE, make_press
from propgraph.simulate.site_facts import site_facts
from propgraph.simulate.wording import told
from propgraph.simulate.world import World

SETTINGS = ("plain", "full")


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
        seeders only). `breaking` are organic accounts that took part in the breaking story. In the full
        setting innocents who look alike have roles of their own: `admin, scheduler, section, volunteer, desk,
        newcomer` (see `simulate.look_alikes`).
    sites
        One row per site, sorted by `site`. Columns: `site` (registrable domain)`, role`
        (`farm, newsroom, ordinary`; in the full setting also `chain, party, club`)`, operator` (who runs a farm,
        `operator1` the largest, or `chain`)`, heir` (the operator that takes it over half-way)`, imitates` (the
        site whose name it borrows), all `String`, null where there is none; `organised` (`Boolean`, the farms).
    tables
        In the full setting what else there is to know, by the name of its file: `site_facts` (see
        `simulate.site_facts`), `articles` and `truth_articles` (`simulate.articles`), `ads`
        (`simulate.boosts`), `truth_payments` (`simulate.payments`). Empty in the plain one.
    """

    log: pl.DataFrame
    accounts: pl.DataFrame
    sites: pl.DataFrame
    tables: dict[str, pl.DataFrame]


def simulate_veles(
    *,
    n_accounts: int = 3000,
    n_days: int = 14,
    n_sites: int = 40,
    n_seeders: int = 200,
    strength: float = 1.0,
    setting: str = "plain",
    seed: int = 0,
) -> VelesLog:
    """Simulate a seeding campaign among ordinary sharing, with look-alikes and the truth.

    Ordinary life depends on `n_accounts, n_days, n_seeders, setting, seed` only: two strengths of the same seed have
    the same background, so that they can be compared.

    Parameters
    ----------
    n_accounts
        All accounts, seeders included; at least `n_seeders + 100`, in the full setting `n_seeders + 300`.
    n_days
        Length of the log, days; at least 1.
    n_sites
        The campaign's content farms, beside sixty ordinary news sites. 0 leaves the campaign out.
    n_seeders
        Bought profiles, in sub-crowds of about 25, each with its recruiter. 0 leaves the campaign out.
    strength
        How hard the campaign pushes, 0.1 to 100: the farms' articles are proportional to it, and a crew's
        median delay is 40 s / `strength`². 0.5 is weak, 2 is strong.
    setting
        `plain`: one operator, and posts that are headlines. `full`: three operators, two of whom share a crew;
        farms that borrow names, copy articles and boost posts; ordinary people who write in words of their own;
        and six more kinds of innocents, of whom some post a link into several groups. With fewer than a hundred
        seeders or twelve farms there is still one operator.
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
    check_choice("setting", setting, SETTINGS)
    full = setting == "full"
    for option, value, least in (
        ("n_days", n_days, 1), ("n_sites", n_sites, 0), ("n_seeders", n_seeders, 0),
        ("n_accounts", n_accounts, n_seeders + (300 if full else 100)),
    ):  # fmt: skip
        check_at_least(option, value, least)
    check_at_least("strength", strength, 0.1, most=STRONGEST)
    check_at_least("seed", seed, 0, most=LARGEST_SEED)
    # One stream for each phenomenon: a change in one leaves the others as they were.
    every = np.random.default_rng(seed).spawn(19)
    streams, more = iter(every[:10]), iter(every[10:])
    end = n_days * DAY
    people = make_people(next(streams), n_accounts, n_seeders)
    joined = next(more)
    kinds: dict[str, Int64] = {}
    if full:
        people, kinds["newcomer"] = with_newcomers(joined, people)
    audience = make_audience(next(streams), people)
    press = make_press(next(streams), end)
    press = with_farms(next(streams), press, end=end, n_farms=n_sites, strength=strength)
    campaign = _campaign(next(more), n_sites, n_seeders, end=end, full=full)
    press, imitates = with_imitations(press) if full else (press, {})
    world = World(people, audience, press, end)

    log, lit = background(next(streams), world)
    innocents = next(more)
    if full:
        others = look_alikes(innocents, world)
        log, kinds = join(log, others.posts), kinds | others.kind
    log = join(log, spread(next(streams), world, log, 0))
    n_background = log.n
    log = join(log, missions(next(streams), world, campaign, strength))
    log = join(log, camouflage(next(streams), world, log, n_background))
    # Nobody has answered what lies beyond the end yet, so that the rows before it keep their numbers.
    log = log.take(log.time < end)
    log = join(log, spread(next(streams), world, log, n_background))
    truth = _Truth(campaign, kinds, imitates, lit)
    return _frames(next(streams), world, log, truth, more if full else None)


def sample() -> VelesLog:
    """Return the log of `data/` and of `propgraph demo`: the full setting, in a draw that shows all of it."""
    return simulate_veles(setting="full", seed=14)


def write_sample(folder: str | Path, veles: VelesLog) -> None:
    """Write a simulated log and its truth into `folder`, byte for byte the same for the same log.

    Files: `veles.parquet` (zstd) and `veles.csv.gz` (times in ISO 8601), the same log twice, the truth,
    `truth_accounts.csv` and `truth_sites.csv`, and a CSV a table of `veles.tables` (`articles.csv.gz`, for its
    size). In the full setting also `shares.csv`, a week of it as a tool exports it, and `known.csv`, its accounts
    with a label (see `simulate.export`). Files of these names are replaced.

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
    for name, table in veles.tables.items():
        write_table(folder, name, table)
    if veles.tables:
        shares, known = small_export(veles.log, veles.accounts, veles.sites)
        shares.write_csv(Path(folder) / "shares.csv")
        known.write_csv(Path(folder) / "known.csv")


@dataclass(frozen=True)
class _Truth:
    """What only the simulator knows: who runs what, the innocents by kind, whose names farms borrow."""

    operators: Operators
    kinds: dict[str, Int64]
    imitates: dict[str, str]
    lit: Int64


def _campaign(rng: Rng, n_farms: int, n_seeders: int, *, end: int, full: bool) -> Operators:
    n = n_recruiters(n_seeders)
    return (
        several_operators(rng, n_farms=n_farms, n_recruiters=n, end=end) if full else one_operator(n_farms, n)
    )


# Numbers to names


def _frames(rng: Rng, world: World, log: Posts, truth: _Truth, more: Iterator[Rng] | None) -> VelesLog:
    """Write ids, names and links; in the full setting texts, facts and adverts, too, each from its own stream."""
    press = world.press
    ids, names = number_accounts(rng, world.people.role.size)
    # Half of the recruiters count with a plain parameter, half with one that analytics tools know.
    n = max(0, int(log.link.max()) + 1 - len(LINKS))
    tokens = [f"?{'utm_campaign' if i % 2 else 'ref'}=r{i:02d}" for i in range(n)]
    columns, tables = {}, {}
    if more:
        # Who speaks for a party says so, and a club posts in its own name.
        speakers, club = truth.kinds["volunteer"], str(press.site[CLUB_SITE]).split(".")[0]
        names = names.scatter(speakers, [f"Volunteer {k:02d}" for k in range(speakers.size)])
        names = names.scatter(truth.kinds["scheduler"], [club])
        boosts = boost(next(more), press, truth.operators, log)
        columns = {"sponsor": boosts.sponsor, "text": told(next(more), press, log)}
        articles = write_articles(next(more), press, np.unique(log.article[log.article >= 0]))
        tables = {
            "site_facts": site_facts(next(more), press, truth.operators),
            "articles": articles.pages, "truth_articles": articles.truth, "ads": boosts.adverts,
            "truth_payments": payments(
                next(more), press, truth.operators, log,
                n_seeders=world.people.who(HIRED).size, adverts=boosts.paid,
            ),
        }  # fmt: skip
        names = by_template(next(more), names, world.people.who(HIRED))
    return VelesLog(
        log=log_frame(world, log, accounts=(ids, names), tokens=tokens, columns=columns),
        accounts=_account_truth(world, truth, ids),
        sites=_site_truth(world, truth, full=more is not None),
        tables=tables,
    )


def _account_truth(world: World, truth: _Truth, account_ids: pl.Series) -> pl.DataFrame:
    role, group = roles_and_groups(world, truth.lit)
    role = role.astype("<U12")
    for kind, who in truth.kinds.items():
        role[who] = kind
        group[who] = (
            kind if kind != "newcomer" else [f"community{c:02d}" for c in world.people.community[who]]
        )
    seeders = world.people.who(HIRED)
    role[seeders] = "seeder"
    group[seeders] = [f"r{i:02d}" for i in recruiters(seeders.size).tolist()]
    return pl.DataFrame(
        {"account_id": account_ids, "role": role, "group": group, "organised": role == "seeder"},
        schema={"account_id": ID, "role": ID, "group": ID, "organised": pl.Boolean()},
    ).sort("account_id")


def _site_truth(world: World, truth: _Truth, *, full: bool) -> pl.DataFrame:
    press, operators = world.press, truth.operators
    role = press.site_role.astype("<U12")
    first = role.size - operators.site.size
    if full:
        role[list(CHAIN)], role[PARTY_SITE], role[CLUB_SITE] = "chain", "party", "club"
    named = [f"operator{k + 1}" for k in range(operators.n)]
    heirs = [named[k] if k >= 0 else None for k in operators.heir.tolist()]
    return pl.DataFrame(
        {
            "site": press.site,
            "role": role,
            "operator": [
                *("chain" if word == "chain" else None for word in role[:first].tolist()),
                *(named[k] for k in operators.site.tolist()),
            ],
            "heir": [None] * first + heirs,
            "imitates": [truth.imitates.get(site) for site in press.site.tolist()],
            "organised": role == "farm",
        },
        schema={
            "site": ID,
            "role": ID,
            "operator": ID,
            "heir": ID,
            "imitates": ID,
            "organised": pl.Boolean(),
        },
    ).sort("site")
