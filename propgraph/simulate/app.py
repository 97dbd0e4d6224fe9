"""A made-up campaign whose app deals out tasks worth points, among ordinary life, with a known truth.

Nobody is paid and nobody posts in step. Militants open the app when they like; it lists what there is to share,
in one order for all, and takes a task off when as many shares are in as it was to get. They live in the world
of `simulate.organic`, beside its newsroom, fan club and breaking story, and beside those who share what another
list gives them (`simulate.lists`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from propgraph.arrays.types import Int64
from propgraph.errors import LARGEST_SEED, check_at_least, check_choice
from propgraph.schema import COUNT, ID, TIME
from propgraph.simulate.draws import DAY, STRONGEST, Rng, lognormal, weighted
from propgraph.simulate.lists import Readers, readers
from propgraph.simulate.logs import (
    article_links,
    log_frame,
    number_accounts,
    roles_and_groups,
    times,
    write_log,
)
from propgraph.simulate.organic import background, ordinary_side, spread
from propgraph.simulate.people import HIRED, N_FANS, N_STAFF, People, make_audience, make_people
from propgraph.simulate.posts import LINK_ODDS, Posts, join, make_posts
from propgraph.simulate.press import Press, coin_words, headlines, make_press
from propgraph.simulate.tasks import (
    ORDERS,
    Done,
    Tasks,
    articles_of_others,
    listed,
    release_tasks,
    sessions,
    work,
)
from propgraph.simulate.world import World

OWN = (
    ("Our candidate", "The movement", "Our deputies", "The campaign", "Our volunteers"),
    ("answers", "promises", "presents", "visits", "defends", "calls for"),
    ("the retirement plan", "the referendum", "free schools", "the north", "fair wages", "the debate"),
)


@dataclass(frozen=True)
class AppLog:
    """A simulated log and the truth about its accounts and tasks.

    Attributes
    ----------
    log
        One row per post, with the columns of `VelesLog.log`.
    accounts
        One row per account, those that never posted included, sorted by `account_id`: `account_id, role`
        (`organic, breaking, newsroom, fan, newsletter, digest, feed, militant`; the three before the last share
        what an innocent list gives them)`, group` (`String`: the community, `breaking`, the newsroom's site,
        `fanclub`, `newsletter`, `digest`, `feed`, `campaign`)`, organised` (`Boolean`, true for the militants).
    tasks
        One row per task, sorted by `release, task`: `task` (`String`)`, object` (its link as `shares.object_id`
        has it)`, own` (`Boolean`, of the campaign's own site)`, release` (`Datetime("ms", "UTC")`)`, points`
        (1 to 3)`, place` (in the list, from 0 for the top)`, target` (shares by militants at which it leaves the
        list; null where it has none)`, n_done` (shares by militants; `UInt32`, all four)`, stopped_at`
        (`Datetime("ms", "UTC")`, when it met its target, else null).
    """

    log: pl.DataFrame
    accounts: pl.DataFrame
    tasks: pl.DataFrame


def simulate_app(
    *,
    n_accounts: int = 3000,
    n_days: int = 14,
    n_militants: int = 80,
    n_tasks: int = 80,
    target: int = 24,
    list_order: str = "points",
    obedience: float = 0.9,
    own_share: float = 0.5,
    strength: float = 1.0,
    seed: int = 0,
) -> AppLog:
    """Simulate a campaign whose app deals out tasks, among ordinary sharing, with look-alikes and the truth.

    Ordinary life depends on `n_accounts, n_days, n_militants, seed` only, so that the rest can be compared.

    Parameters
    ----------
    n_accounts
        All accounts; at least the militants and 300 more.
    n_days
        Length of the log, days; at least 1.
    n_militants
        Accounts that use the app. 0 leaves the campaign out.
    n_tasks
        Tasks that the app releases at strength 1, three times a day; proportional to the strength.
    target
        Shares by militants at which three tasks in five leave the list; 0 for none. The others leave after
        three days.
    list_order
        How the list is sorted for everybody: `points` (most first, those of equal points as the app likes),
        `newest` or `oldest` first.
    obedience
        Chance that a militant takes the task on top and not any other, 0 to 1.
    own_share
        Share of the tasks that link to the campaign's own site, 0 to 1; the others are of the press.
    strength
        How hard the campaign pushes, 0.1 to 100: tasks and sessions are proportional to it, and so is the part
        that opens the app at a release (one in ten at 1, median 7 min / `strength` later). 0.5 is weak, 2 is
        strong.
    seed
        Seed of the one random generator, 0 or more. The same parameters give the same bytes.

    Returns
    -------
    AppLog
        The frames `log`, `accounts` and `tasks`; their columns are described there.

    Raises
    ------
    UsageError
        When a parameter is too small or too large, or the order unknown.

    Examples
    --------
    >>> import propgraph as pg
    >>> made = pg.simulate_app(n_accounts=500, n_days=3, n_militants=40, n_tasks=20)
    >>> made.log.height, made.log["account_id"].n_unique()
    (2518, 436)
    >>> made.tasks.select("points", "target", "n_done").head(2).rows()
    [(2, 24, 24), (1, 24, 16)]
    """
    check_choice("list_order", list_order, ORDERS)
    for option, value, least in (
        ("n_days", n_days, 1), ("n_militants", n_militants, 0), ("n_tasks", n_tasks, 0), ("target", target, 0),
        ("n_accounts", n_accounts, n_militants + 300),
    ):  # fmt: skip
        check_at_least(option, value, least)
    check_at_least("obedience", obedience, 0, most=1)
    check_at_least("own_share", own_share, 0, most=1)
    check_at_least("strength", strength, 0.1, most=STRONGEST)
    check_at_least("seed", seed, 0, most=LARGEST_SEED)
    # One stream for each phenomenon: a change in one leaves the others as they were.
    streams = iter(np.random.default_rng(seed).spawn(12))
    end = n_days * DAY
    people = _like_others(next(streams), make_people(next(streams), n_accounts, n_militants), n_militants)
    audience, press = make_audience(next(streams), people), make_press(next(streams), end)
    n = round(n_tasks * strength) if n_militants else 0
    tasks = release_tasks(next(streams), end, n=n, target=target, own_share=own_share)
    press, tasks = _with_articles(next(streams), press, tasks)
    world = World(people, audience, press, end)

    log, lit = background(next(streams), world)
    others = readers(next(streams), world, log)
    log = join(log, others.posts)
    log = join(log, spread(next(streams), world, log, 0))
    n_background, campaign = log.n, next(streams)
    place = listed(campaign, tasks, list_order)
    opened = sessions(campaign, tasks.release, people.zone[:n_militants], end=end, strength=strength)
    done = work(campaign, tasks, place, opened, obedience)
    log = join(log, _pushed(campaign, people, tasks, done))
    log = log.take(log.time < end)
    log = join(log, _ordinary(campaign, world, log, n_background))
    log = join(log, spread(campaign, world, log, n_background))
    ids, names = number_accounts(next(streams), n_accounts)
    return AppLog(
        log=log_frame(world, log, accounts=(ids, names)),
        accounts=_account_truth(world, others, lit=lit, account_ids=ids),
        tasks=_task_truth(press, tasks, place, done, end=end),
    )


def write_app(folder: str | Path, made: AppLog, /) -> None:
    """Write a simulated log and its truth into `folder`, byte for byte the same for the same log.

    Files: `app.parquet` and `app.csv.gz`, the same log twice, and the truth, `truth_accounts.csv` and
    `truth_tasks.csv`. Files of these names are replaced.

    Parameters
    ----------
    folder
        Where to write; made when it is not there.
    made
        What `simulate_app` returned.
    """
    write_log(folder, "app", made.log)
    made.accounts.write_csv(Path(folder) / "truth_accounts.csv")
    made.tasks.write_csv(Path(folder) / "truth_tasks.csv", datetime_format="%Y-%m-%dT%H:%M:%SZ")


# The campaign


def _like_others(rng: Rng, people: People, n: int) -> People:
    """Let the militants be made when anybody is, in one country: they are people, not bought profiles."""
    created, zone, followers = people.created.copy(), people.zone.copy(), people.followers.copy()
    models = n + N_STAFF + N_FANS + 1 + rng.permutation(people.role.size - n - N_STAFF - N_FANS - 1)[:n]
    created[:n], followers[:n] = created[models], np.minimum(followers[models], 20_000)
    zone[:n] = rng.normal(1, 1.0, n) * 3600
    return replace(people, created=created, zone=zone, followers=followers)


def _with_articles(rng: Rng, press: Press, tasks: Tasks) -> tuple[Press, Tasks]:
    """Add the campaign's own site and its articles, one a task of its own; other tasks have others' articles."""
    n_sites, first = press.site.size, press.article_site.size
    coin = next(word for word in coin_words(rng, n_sites + 1) if word not in press.coins)
    n_own = int(tasks.own.sum())
    article = articles_of_others(rng, press, tasks.release)
    article[tasks.own] = np.arange(first, first + n_own)
    whole = replace(
        press,
        site=np.array([*press.site.tolist(), f"{coin}2017.org"]),
        site_role=np.array([*press.site_role.tolist(), "own"]),
        article_site=np.concatenate([press.article_site, np.full(n_own, n_sites)]),
        article_time=np.concatenate([press.article_time, tasks.release[tasks.own]]),
        appeal=np.concatenate([press.appeal, lognormal(rng, 0.5, 0.7, n_own)]),
        headline=np.array([*press.headline.tolist(), *headlines(rng, OWN, n_own)]),
        farm=np.arange(first, first + n_own),
    )
    return whole, replace(tasks, article=article)


def _pushed(rng: Rng, people: People, tasks: Tasks, done: Done) -> Posts:
    """Return the posts of the tasks that were done, with links as anybody writes them."""
    return make_posts(
        people.who(HIRED)[done.who],
        done.time,
        article=tasks.article[done.task],
        link=weighted(rng, LINK_ODDS, done.who.size),
    )


def _ordinary(rng: Rng, world: World, log: Posts, n_background: int) -> Posts:
    """Give each militant an ordinary side, too; what he was told to share he does not share again."""
    posts = ordinary_side(rng, world, log, n_background)
    n = world.press.article_site.size
    article = np.where(posts.article < 0, log.article[posts.root], posts.article)
    taken = (log.account * n + log.article)[log.article >= 0]
    militant = np.isin(posts.account, world.people.who(HIRED))
    return posts.take(militant & ~np.isin(posts.account * n + article, taken) & (posts.time < world.end))


# The truth


def _account_truth(world: World, others: Readers, *, lit: Int64, account_ids: pl.Series) -> pl.DataFrame:
    role, group = roles_and_groups(world, lit)
    role = role.astype("<U10")
    militants = world.people.who(HIRED)
    role[militants], group[militants] = "militant", "campaign"
    for kind, accounts in others.kinds.items():
        role[accounts], group[accounts] = kind, kind
    return pl.DataFrame(
        {"account_id": account_ids, "role": role, "group": group, "organised": role == "militant"},
        schema={"account_id": ID, "role": ID, "group": ID, "organised": pl.Boolean()},
    ).sort("account_id")


def _task_truth(press: Press, tasks: Tasks, place: Int64, done: Done, *, end: int) -> pl.DataFrame:
    n = tasks.release.size
    stopped = np.where(done.stopped < end, done.stopped, -1)
    in_log = done.task[done.time < end]
    return pl.DataFrame(
        {
            "task": [f"t{i:04d}" for i in range(n)],
            "object": article_links(press, tasks.article),
            "own": tasks.own,
            "release": times(tasks.release),
            "points": tasks.points,
            "place": place,
            "target": pl.Series(tasks.target).replace(-1, None),
            "n_done": np.bincount(in_log, minlength=n),
            "stopped_at": pl.select(pl.when(pl.Series(stopped) >= 0).then(times(stopped))).to_series(),
        },
        schema={
            "task": ID, "object": ID, "own": pl.Boolean(), "release": TIME, "points": COUNT, "place": COUNT,
            "target": COUNT, "n_done": COUNT, "stopped_at": TIME,
        },
    )  # fmt: skip
