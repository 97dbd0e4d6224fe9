"""`propgraph demo`: the two jobs on the sample log, then the comparison with its truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from propgraph.study import Study


def demo(
    folder: Annotated[Path, typer.Option("--folder", "-o", metavar="FOLDER", help="Where the study and its GraphML go.")] = Path("demo"),
    data: Annotated[Path, typer.Option("--data", metavar="FOLDER", help="The sample; it is simulated there if it is missing.")] = Path("data"),
) -> None:  # fmt: skip
    """Run build and clusters on the sample log, and compare what is flagged with the truth."""
    from propgraph.cli import build, clusters
    from propgraph.cli.output import console, progress
    from propgraph.export.network import write_network
    from propgraph.export.text import clean_terminal
    from propgraph.pipeline import build as build_job
    from propgraph.pipeline import find_clusters
    from propgraph.simulate.veles import simulate_veles, write_sample

    log, study, graphml = data / "veles.parquet", folder / "study", folder / "network.graphml"
    if not log.exists():
        write_sample(data, simulate_veles())
    out = console()
    with progress() as tell:
        made = build_job([log], study, overwrite=True, progress=tell)
    out.print(clean_terminal(f"$ propgraph build {log} -o {study} --overwrite"))
    build.show(made)
    with progress() as tell:
        made = find_clusters(study, progress=tell)
        write_network(graphml, made)
    out.print(clean_terminal(f"\n$ propgraph clusters {study} --graphml {graphml}"))
    clusters.show(made, graphml=graphml)
    out.print("\nAgainst the truth that the simulator knows:")
    _compare(made, data)


def _compare(study: Study, data: Path) -> None:
    import polars as pl

    from propgraph.cli.output import console
    from propgraph.simulate.compare import compare

    flagged = study.members.join(study.clusters.filter("flagged").select("cluster_id"), on="cluster_id")
    result = compare(
        study.accounts, flagged, study.sites,
        truth_accounts=pl.read_csv(data / "truth_accounts.csv", schema_overrides={"account_id": pl.String, "group": pl.String}),
        truth_sites=pl.read_csv(data / "truth_sites.csv"),
    )  # fmt: skip
    out = console()
    out.print(f"accounts  precision {result.precision:.2f}, recall {result.recall:.2f}")
    out.print(
        f"sites     precision {result.sites_precision:.2f}, recall {result.sites_recall:.2f}; lowest farm {result.lowest_farm_score:.2f}, highest other {result.highest_other_score:.2f}"
    )
    for role, n, hit in result.flagged_by_role.iter_rows():
        out.print(f"          {role:<10} {hit:>5} of {n:>5} accounts flagged")
