"""`propgraph demo`: the two jobs on the sample log, then the comparison with its truth."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from propgraph.study import Study

TRUTH = ("truth_accounts.csv", "truth_sites.csv")
#: What lies beside the sample log, by the option of `clusters` that takes it.
BESIDE = {"sites": "site_facts.csv", "articles": "articles.csv.gz", "ads": "ads.csv"}


def demo(
    folder: Annotated[Path, typer.Option("--folder", "-o", metavar="FOLDER", help="Where the study and its GraphML go.")] = Path("demo"),
    data: Annotated[Path, typer.Option("--data", metavar="FOLDER", help="The sample; it is simulated there if it is missing.")] = Path("data"),
) -> None:  # fmt: skip
    """Run build and clusters on the sample log, and compare what is flagged with the truth."""
    from propgraph.cli import build, findings
    from propgraph.cli.output import progress, say
    from propgraph.errors import InputError
    from propgraph.export.network import write_network
    from propgraph.jobs.build import build as build_job
    from propgraph.jobs.clusters import find_clusters
    from propgraph.simulate.veles import sample, write_sample

    log, study, graphml = data / "veles.parquet", folder / "study", folder / "network.graphml"
    if not log.exists():
        write_sample(data, sample())
    for name in (*TRUTH, *BESIDE.values()):
        if not (data / name).exists():
            raise InputError(f"{data / name}: a part of the sample, its truth or what lies beside it, is missing; "
                             "give another --data")  # fmt: skip
    with progress() as tell:
        made = build_job([log], study, overwrite=True, progress=tell)
    say(_command("build", log, "-o", study, "--overwrite"), wrap=False)
    build.show(made)
    beside: dict[str, Any] = {option: data / name for option, name in BESIDE.items()}
    with progress() as tell:
        made = find_clusters(study, progress=tell, **beside)
        write_network(graphml, made)
    say()
    options = [word for option, path in beside.items() for word in (f"--{option}", path)]
    say(_command("clusters", study, *options, "--graphml", graphml), wrap=False)
    findings.show(made, written={"graphml": graphml})
    say()
    _compare(made, data)


def _command(*words: str | Path) -> str:
    return "$ " + shlex.join(["propgraph", *map(str, words)])


def _compare(study: Study, data: Path) -> None:
    import polars as pl

    from propgraph.cli.output import say
    from propgraph.clusters.judge import flagged_members
    from propgraph.evaluation.simulated import compare

    accounts, sites = (
        pl.read_csv(data / name, schema_overrides={"account_id": pl.String, "group": pl.String})
        for name in TRUTH
    )
    flagged = flagged_members(study.clusters, study.members)
    found = compare(study.accounts, flagged, study.sites, truth_accounts=accounts, truth_sites=sites)
    say("Against the truth that the simulator knows:")
    say(f"accounts  precision {found.precision:.2f}, recall {found.recall:.2f}")
    say(f"sites     precision {found.sites_precision:.2f}, recall {found.sites_recall:.2f}; lowest farm "
        f"{found.lowest_farm_score:.2f}, highest other {found.highest_other_score:.2f}")  # fmt: skip
    for role, n, hit in found.flagged_by_role.iter_rows():
        say(f"          {role:<10} {hit:>5,} of {n:>5,} accounts flagged")
