"""`propgraph simulate`: logs with a known truth."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import polars as pl

app = typer.Typer(help="Make logs with a known truth.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def root() -> None:
    """Make logs with a known truth."""


@app.command("veles")
def veles(
    folder: Annotated[Path, typer.Option("--folder", "-o", metavar="FOLDER", help="Where to write the log and its truth.", show_default=False)],
    n_accounts: Annotated[int, typer.Option("--n-accounts", metavar="N", help="Accounts in all.")] = 3000,
    n_days: Annotated[int, typer.Option("--n-days", metavar="N", help="Days of the log.")] = 14,
    n_sites: Annotated[int, typer.Option("--n-sites", metavar="N", help="Farm sites; 0 for no campaign.")] = 40,
    n_seeders: Annotated[int, typer.Option("--n-seeders", metavar="N", help="Bought profiles.")] = 200,
    strength: Annotated[float, typer.Option("--strength", metavar="X", help="Rate and synchrony of the campaign: 0.5 weak, 1 normal, 2 strong.")] = 1.0,
    setting: Annotated[str, typer.Option("--setting", metavar="plain|full", help="full: three operators, copied articles, adverts, facts about sites, and more innocents who look alike.")] = "plain",
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="The same seed gives the same log.")] = 0,
) -> None:  # fmt: skip
    """Simulate organic sharing, one content-farm campaign over it, and innocent look-alikes."""
    from propgraph.simulate.logs import file_of
    from propgraph.simulate.veles import simulate_veles, write_sample

    made = simulate_veles(
        n_accounts=n_accounts,
        n_days=n_days,
        n_sites=n_sites,
        n_seeders=n_seeders,
        strength=strength,
        setting=setting,
        seed=seed,
    )
    write_sample(folder, made)
    beside = [file_of(name, table) for name, table in made.tables.items()]
    truth = ["truth_accounts.csv", "truth_sites.csv", *(name for name in beside if name.startswith("truth_"))]
    _tell(folder, made.log, name="veles", truth=truth, more=[name for name in beside if name not in truth])


@app.command("crowdturf")
def crowdturf(
    folder: Annotated[Path, typer.Option("--folder", "-o", metavar="FOLDER", help="Where to write the log and its truth.", show_default=False)],
    kind: Annotated[str, typer.Option("--kind", metavar="centralised|distributed|pyramid", help="How the campaign is organised.")] = "distributed",
    n_accounts: Annotated[int, typer.Option("--n-accounts", metavar="N", help="Accounts in all.")] = 3000,
    n_days: Annotated[int, typer.Option("--n-days", metavar="N", help="Days of the log.")] = 14,
    n_workers: Annotated[int, typer.Option("--n-workers", metavar="N", help="Workers of the campaign.")] = 120,
    n_missions: Annotated[int, typer.Option("--n-missions", metavar="N", help="Posts that it pushes at strength 1; 0 for no campaign.")] = 40,
    strength: Annotated[float, typer.Option("--strength", metavar="X", help="Rate and synchrony of the campaign: 0.5 weak, 1 normal, 2 strong.")] = 1.0,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="The same seed gives the same log.")] = 0,
) -> None:  # fmt: skip
    """Simulate organic sharing, one campaign of paid reshares over it, and innocent look-alikes."""
    from propgraph.simulate.crowdturf import simulate_crowdturf, write_crowdturf

    made = simulate_crowdturf(
        kind=kind,
        n_accounts=n_accounts,
        n_days=n_days,
        n_workers=n_workers,
        n_missions=n_missions,
        strength=strength,
        seed=seed,
    )
    write_crowdturf(folder, made)
    _tell(
        folder,
        made.log,
        name="crowdturf",
        truth=("truth_accounts.csv", "truth_campaigns.csv", "truth_payments.csv"),
    )


@app.command("app")
def app_with_tasks(
    folder: Annotated[Path, typer.Option("--folder", "-o", metavar="FOLDER", help="Where to write the log and its truth.", show_default=False)],
    n_accounts: Annotated[int, typer.Option("--n-accounts", metavar="N", help="Accounts in all.")] = 3000,
    n_days: Annotated[int, typer.Option("--n-days", metavar="N", help="Days of the log.")] = 14,
    n_militants: Annotated[int, typer.Option("--n-militants", metavar="N", help="Accounts that use the app; 0 for no campaign.")] = 80,
    n_tasks: Annotated[int, typer.Option("--n-tasks", metavar="N", help="Tasks that it releases at strength 1.")] = 80,
    target: Annotated[int, typer.Option("--target", metavar="N", help="Shares at which three tasks in five leave the list; 0 for none.")] = 24,
    list_order: Annotated[str, typer.Option("--list-order", metavar="points|newest|oldest", help="How the list is sorted for everybody.")] = "points",
    obedience: Annotated[float, typer.Option("--obedience", metavar="X", help="Chance that a militant takes the task on top, 0 to 1.")] = 0.9,
    own_share: Annotated[float, typer.Option("--own-share", metavar="X", help="Share of the tasks that link to the campaign's own site, 0 to 1.")] = 0.5,
    strength: Annotated[float, typer.Option("--strength", metavar="X", help="Rate of tasks and sessions: 0.5 weak, 1 normal, 2 strong.")] = 1.0,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="The same seed gives the same log.")] = 0,
) -> None:  # fmt: skip
    """Simulate organic sharing, one campaign whose app deals out tasks over it, and innocent look-alikes."""
    from propgraph.simulate.app import simulate_app, write_app

    made = simulate_app(
        n_accounts=n_accounts,
        n_days=n_days,
        n_militants=n_militants,
        n_tasks=n_tasks,
        target=target,
        list_order=list_order,
        obedience=obedience,
        own_share=own_share,
        strength=strength,
        seed=seed,
    )
    write_app(folder, made)
    _tell(folder, made.log, name="app", truth=("truth_accounts.csv", "truth_tasks.csv"))


@app.command("workforce")
def workforce(
    folder: Annotated[Path, typer.Option("--folder", "-o", metavar="FOLDER", help="Where to write the log and its truth.", show_default=False)],
    kind: Annotated[str, typer.Option("--kind", metavar="crowd|machine", help="Who posts: workers with ten posts each, or three tools.")] = "crowd",
    n_accounts: Annotated[int, typer.Option("--n-accounts", metavar="N", help="Accounts in all.")] = 3000,
    n_days: Annotated[int, typer.Option("--n-days", metavar="N", help="Days of the log.")] = 14,
    n_posts: Annotated[int, typer.Option("--n-posts", metavar="N", help="Posts of the campaign at strength 1; 0 for no campaign.")] = 10_000,
    strength: Annotated[float, typer.Option("--strength", metavar="X", help="Rate and synchrony of the campaign: 0.5 weak, 1 normal, 2 strong.")] = 1.0,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="The same seed gives the same log.")] = 0,
) -> None:  # fmt: skip
    """Simulate organic sharing, and one campaign over it: by many workers, or by three tools."""
    from propgraph.simulate.workforce import simulate_workforce, write_workforce

    made = simulate_workforce(
        kind=kind, n_accounts=n_accounts, n_days=n_days, n_posts=n_posts, strength=strength, seed=seed
    )
    write_workforce(folder, made)
    _tell(folder, made.log, name="workforce", truth=("truth_accounts.csv", "truth_campaigns.csv"))


def _tell(
    folder: Path, log: pl.DataFrame, *, name: str, truth: Sequence[str], more: Sequence[str] = ()
) -> None:
    """Say what was simulated, what was written, and what to do with it."""
    from propgraph.cli.output import say

    say(f"simulated {log.height:,} posts by {log['account_id'].n_unique():,} accounts")
    for label, names in (
        ("log", (f"{name}.parquet", f"{name}.csv.gz")),
        ("beside it", more),
        ("truth", truth),
    ):
        for file in names:
            say(f"{label:<10}{folder / file}", wrap=False)
    command = shlex.join(["propgraph", "build", str(folder / f"{name}.parquet"), "-o", "study"])
    say(f"next      {command}", wrap=False)
