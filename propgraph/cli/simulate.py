"""`propgraph simulate`: logs with a known truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Make logs with a known truth.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def root() -> None:
    """Make logs with a known truth."""


@app.command("veles")
def veles(
    folder: Annotated[Path, typer.Option("--folder", "-o", metavar="FOLDER", help="Where to write the log and its truth.", show_default=False)],
    accounts: Annotated[int, typer.Option("--accounts", metavar="N", help="Accounts in all.")] = 3000,
    days: Annotated[int, typer.Option("--days", metavar="N", help="Days of the log.")] = 14,
    sites: Annotated[int, typer.Option("--sites", metavar="N", help="Farm sites; 0 for no campaign.")] = 40,
    seeders: Annotated[int, typer.Option("--seeders", metavar="N", help="Bought profiles.")] = 200,
    strength: Annotated[float, typer.Option("--strength", metavar="X", help="Rate and synchrony of the campaign: 0.5 weak, 1 normal, 2 strong.")] = 1.0,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="The same seed gives the same log.")] = 0,
) -> None:  # fmt: skip
    """Simulate organic sharing, one content-farm campaign over it, and innocent look-alikes."""
    from propgraph.cli.output import console
    from propgraph.export.text import clean_terminal
    from propgraph.simulate.veles import simulate_veles, write_sample

    made = simulate_veles(
        n_accounts=accounts, n_days=days, n_sites=sites, n_seeders=seeders, strength=strength, seed=seed
    )
    write_sample(folder, made)
    out = console()
    out.print(f"simulated {made.log.height:,} posts by {made.log['account_id'].n_unique():,} accounts")
    out.print(clean_terminal(f"log       {folder / 'veles.parquet'}, {folder / 'veles.csv.gz'}"))
    out.print(clean_terminal(f"truth     {folder / 'truth_accounts.csv'}, {folder / 'truth_sites.csv'}"))
    out.print(clean_terminal(f"next      propgraph build {folder / 'veles.parquet'} -o study"))
