"""One made-up campaign done twice: by a crowd of workers with ten posts each, and by three tools with thousands.

Both post the same links at the same times into the same groups, in the same ordinary world; nothing but who
posts differs. What measures a crowd or a machine has to tell the two apart.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from propgraph.arrays.types import Int64
from propgraph.errors import LARGEST_SEED, check_at_least, check_choice
from propgraph.schema import COUNT, ID
from propgraph.simulate.draws import DAY, STRONGEST, Rng, lognormal
from propgraph.simulate.farms import with_farms
from propgraph.simulate.logs import log_frame, number_accounts, roles_and_groups, write_log
from propgraph.simulate.organic import background, ordinary_side, spread
from propgraph.simulate.people import HIRED, make_audience, make_people
from propgraph.simulate.posts import Posts, join, make_posts
from propgraph.simulate.press import make_press
from propgraph.simulate.world import World

KINDS = ("crowd", "machine")
EACH = 10  # posts of a worker
N_TOOLS = 3
N_FARMS = 10


@dataclass(frozen=True)
class WorkforceLog:
    """A simulated log and the truth about its accounts and its campaign.

    Attributes
    ----------
    log
        One row per post, with the columns of `VelesLog.log`.
    accounts
        One row per account, sorted by `account_id`: `account_id, role` (`organic, breaking, newsroom, fan`, and
        `worker` or `tool`)`, group` (`campaign` for these)`, organised` (`Boolean`, true for these).
    campaigns
        One row for the campaign: `campaign, kind` (`String`)`, n_posts, n_workers, n_links` (`UInt32`)`, strength`
        (`Float64`).
    """

    log: pl.DataFrame
    accounts: pl.DataFrame
    campaigns: pl.DataFrame


def simulate_workforce(
    *,
    kind: str = "crowd",
    n_accounts: int = 3000,
    n_days: int = 14,
    n_posts: int = 10_000,
    strength: float = 1.0,
    seed: int = 0,
) -> WorkforceLog:
    """Simulate a campaign by a crowd or by a machine, among ordinary sharing, with the truth.

    What is posted where and when depends on `n_accounts, n_days, n_posts, strength, seed` only, not on `kind`.

    Parameters
    ----------
    kind
        Who posts: `crowd`, workers with ten posts each, or `machine`, three tools that take all of them.
    n_accounts
        All accounts; at least 300 more than the workers of a crowd.
    n_days
        Length of the log, days; at least 1.
    n_posts
        Posts of the campaign at strength 1, over some sixty links to ten farms; 0 leaves the campaign out.
    strength
        How hard it pushes, 0.1 to 100: posts and links are proportional to it, and the median delay after a link is
        out is 1 h / `strength`². 0.5 is weak, 2 is strong.
    seed
        Seed of the one random generator, 0 or more. The same parameters give the same bytes.

    Returns
    -------
    WorkforceLog
        The frames `log`, `accounts` and `campaigns`; their columns are described there.

    Raises
    ------
    UsageError
        When the kind is unknown or a parameter too small.

    Examples
    --------
    >>> import propgraph as pg
    >>> crowd, machine = (
    ...     pg.simulate_workforce(kind=kind, n_accounts=600, n_days=2, n_posts=1000) for kind in ("crowd", "machine")
    ... )
    >>> crowd.campaigns.select("n_posts", "n_workers").row(0), machine.campaigns.select("n_posts", "n_workers").row(0)
    ((1000, 100), (1000, 3))
    """
    check_choice("kind", kind, KINDS)
    check_at_least("strength", strength, 0.1, most=STRONGEST)
    check_at_least("seed", seed, 0, most=LARGEST_SEED)
    n = round(n_posts * strength)
    n_hired = max(N_TOOLS, -(-n // EACH)) if n else 0
    for option, value, least in (
        ("n_days", n_days, 1), ("n_posts", n_posts, 0), ("n_accounts", n_accounts, n_hired + 300),
    ):  # fmt: skip
        check_at_least(option, value, least)
    # One stream for each phenomenon: a change in one leaves the others as they were.
    streams = iter(np.random.default_rng(seed).spawn(12))
    end = n_days * DAY
    people = make_people(next(streams), n_accounts, n_hired)
    audience, press = make_audience(next(streams), people), make_press(next(streams), end)
    press = with_farms(next(streams), press, end=end, n_farms=N_FARMS if n else 0, strength=strength)
    world = World(people, audience, press, end)

    log, lit = background(next(streams), world)
    log = join(log, spread(next(streams), world, log, 0))
    n_background = log.n
    work = _work(next(streams), world, n, strength)
    by_crowd, by_tools = next(streams), next(streams)
    hired = _crowd(by_crowd, n, n_hired) if kind == "crowd" else by_tools.integers(0, N_TOOLS, n)
    log = join(log, replace(work, account=hired))
    log = join(log, ordinary_side(next(streams), world, log, n_background))
    log = log.take(log.time < end)
    log = join(log, spread(next(streams), world, log, n_background))
    ids, names = number_accounts(next(streams), people.role.size)
    workers = np.unique(hired)
    return WorkforceLog(
        log=log_frame(world, log, accounts=(ids, names)),
        accounts=_account_truth(world, lit, workers, kind=kind, account_ids=ids),
        campaigns=pl.DataFrame(
            {"campaign": ["campaign"], "kind": [kind], "n_posts": [n], "n_workers": [workers.size],
             "n_links": [press.farm.size], "strength": [strength]},
            schema_overrides={"n_posts": COUNT, "n_workers": COUNT, "n_links": COUNT},
        ),
    )  # fmt: skip


def write_workforce(folder: str | Path, made: WorkforceLog, /) -> None:
    """Write a simulated log and its truth into `folder`, byte for byte the same for the same log.

    Files: `workforce.parquet` and `workforce.csv.gz`, the same log twice, and the truth,
    `truth_accounts.csv` and `truth_campaigns.csv`. Files of these names are replaced.

    Parameters
    ----------
    folder
        Where to write; made when it is not there.
    made
        What `simulate_workforce` returned.
    """
    write_log(folder, "workforce", made.log)
    made.accounts.write_csv(Path(folder) / "truth_accounts.csv")
    made.campaigns.write_csv(Path(folder) / "truth_campaigns.csv")


def _work(rng: Rng, world: World, n: int, strength: float) -> Posts:
    """Return what is posted, by nobody yet: each link about as often, half of the posts into partisan groups."""
    press, of = world.press, world.audience.group_community
    article = np.sort(np.resize(press.farm, n)) if n else press.farm[:0]
    time = press.article_time[article] + 60 + lognormal(rng, 3600 / strength**2, 1.0, n).astype(np.int64)
    groups = np.flatnonzero(np.isin(of, world.people.partisan))
    into = np.where(rng.random(n) < 0.5, rng.choice(groups, n), -1)
    # What would come after the end comes before it: the campaign keeps its number of posts.
    return make_posts(np.full(n, -1), np.minimum(time, world.end - 1), article=article, group=into)


def _crowd(rng: Rng, n: int, n_workers: int) -> Int64:
    """Deal the posts out in rounds, in each of which every worker takes one."""
    rounds = [rng.permutation(n_workers) for _ in range(EACH)]
    return np.concatenate(rounds)[:n] if n else np.zeros(0, dtype=np.int64)


def _account_truth(
    world: World, lit: Int64, workers: Int64, *, kind: str, account_ids: pl.Series
) -> pl.DataFrame:
    role, group = roles_and_groups(world, lit)
    # Whom a machine puts out of work is as the others are.
    role[role == HIRED] = "organic"
    role[workers] = {"crowd": "worker", "machine": "tool"}[kind]
    group[workers] = "campaign"
    return pl.DataFrame(
        {
            "account_id": account_ids,
            "role": role,
            "group": group,
            "organised": np.isin(role, ["worker", "tool"]),
        },
        schema={"account_id": ID, "role": ID, "group": ID, "organised": pl.Boolean()},
    ).sort("account_id")
