"""`propgraph evaluate`: a study's scores, flags and clusters held against what is known of the accounts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import polars as pl

    from propgraph.evaluation.evaluate import Evaluation

FORMATS = ("table", "json", "csv", "parquet")

NAMES = {
    "average_precision": "average precision",
    "auc": "area under the ROC curve",
    "precision_at_k": "precision at {at:,.0f}",
    "precision": "precision of the flagged",
    "recall": "recall of the flagged",
    "f1": "F1 of the flagged",
    "precision_at_q": "precision at q <= {at:g}",
    "recall_at_q": "recall at q <= {at:g}",
    "weighted_precision": "weighted precision of clusters",
    "weighted_precision_flagged": "weighted precision of the flagged",
    "nmi": "NMI of clusters and groups",
    "ari": "ARI of clusters and groups",
}
KINDS = {
    "false_flags": "Flagged among those not to be found, by kind",
    "true_flags": "Flagged among those to be found (recall), by kind",
    "true_at_q": "At q <= {at:g} among those to be found (recall), by kind",
}

WEIGHTED = (
    "Weighted precision: over the accounts to be found that are in a cluster, the mean fraction of their cluster's "
    "accounts (of those that the truth knows) that are to be found; of the flagged, the same of flagged accounts alone. "
    "Clusters with nobody to be found do not count."
)


def evaluate(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="A study that `propgraph clusters` went through.", show_default=False)],
    truth: Annotated[Path | None, typer.Option("--truth", metavar="FILE", help="What is known: a table with the columns account_id and label (true: to be found), and where known group (who runs it) and kind (or campaign).", show_default=False)] = None,
    sites_truth: Annotated[Path | None, typer.Option("--sites-truth", metavar="FILE", help="What is known of sites, in place of accounts: a table with the columns site and label, and where known operator (who runs it).", show_default=False)] = None,
    reviews: Annotated[list[Path] | None, typer.Option("--reviews", metavar="FILE", help="What reviewers made of the flagged clusters, in place of either: a sheet that a report saved. Repeatable.", show_default=False)] = None,
    label: Annotated[str, typer.Option("--label", metavar="NAME", help="The column of FILE with the label.")] = "label",
    positive: Annotated[str | None, typer.Option("--positive", metavar="NAME", help="The label of the accounts (or sites) to be found.  [default: true, 1 or yes]", show_default=False)] = None,
    others_innocent: Annotated[bool, typer.Option("--others-innocent", help="Count the accounts of the study that FILE does not name as innocent: precision is then a lower bound.")] = False,
    at: Annotated[list[int] | None, typer.Option("--at", metavar="K", help="Precision of the K highest scores. Repeatable.  [default: 50, 100, and as many as are to be found]", show_default=False)] = None,
    q: Annotated[float, typer.Option("--q", metavar="Q", help="Precision and recall of accounts at or below this false discovery rate.")] = 0.05,
    resamples: Annotated[int, typer.Option("--resamples", metavar="N", help="Bootstrap resamples of the accounts for the 95 % intervals; 0 for none.")] = 1000,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Where the draws begin.")] = 0,
    threads: Annotated[int | None, typer.Option("--threads", metavar="N", help="At most N at once.  [default: one a processor]", show_default=False)] = None,
    format: Annotated[str, typer.Option("--format", metavar="table|json|csv|parquet", help="What goes to stdout: something to read, or data.")] = "table",
) -> None:  # fmt: skip
    """Measure how well a study's scores, flags and clusters meet what is known of the accounts, or of the sites."""
    from propgraph.cli.output import err
    from propgraph.errors import UsageError, check_choice
    from propgraph.evaluation.evaluate import evaluate as job
    from propgraph.evaluation.sites import read_sites_truth
    from propgraph.evaluation.truth import read_truth
    from propgraph.export.tables import render

    check_choice("format", format, FORMATS)
    if [truth is None, sites_truth is None, not reviews].count(False) != 1:
        raise UsageError(
            "give what is known either of accounts (--truth) or of sites (--sites-truth), or what reviewers said "
            "(--reviews)",
            option="truth",
        )
    if reviews:
        _by_reviewers(study, reviews, format=format)
        return
    if truth is None:
        known = read_sites_truth(str(sites_truth), label=label, positive=positive)
        _of_sites(study, known, format=format)
        return
    made = job(
        study, read_truth(truth, label=label, positive=positive),
        others_innocent=others_innocent, at=at, q=q, resamples=resamples, seed=seed, threads=threads,
    )  # fmt: skip
    if format == "table":
        _show(made, resamples=resamples)
        return
    for note in _notes(made):
        err(f"note: {note}")
    sys.stdout.buffer.write(render(made.measures, format))
    sys.stdout.buffer.flush()


def _of_sites(study: Path, truth: pl.DataFrame, *, format: str) -> None:
    """Measure what a study says of sites."""
    from propgraph.cli.output import err, say
    from propgraph.evaluation.sites import evaluate_sites
    from propgraph.export.tables import render

    made = evaluate_sites(study, truth)
    notes = []
    if made.n_absent:
        notes.append(
            f"{made.n_absent:,} sites of the truth are not in the study ({made.n_positive_absent:,} of them to be found); "
            "they count as not found, lowest score"
        )
    if made.n_unknown:
        notes.append(f"{made.n_unknown:,} sites of the study are not in the truth; left out")
    if made.measures.filter(measure="nmi").is_empty():
        notes.append(
            "the truth does not say who runs the sites to be found (column operator); NMI and ARI are left out"
        )
    if format != "table":
        for note in notes:
            err(f"note: {note}")
        sys.stdout.buffer.write(render(made.measures, format))
        sys.stdout.buffer.flush()
        return
    say(f"{made.n_sites:,} sites known, {made.n_positive:,} of them to be found")
    for note in notes:
        say(note)
    names = {"nmi": "NMI of operators", "ari": "ARI of operators"}
    told = [names.get(row["measure"]) or _named(row) for row in made.measures.iter_rows(named=True)]
    _section("", told, made.measures)


def _by_reviewers(study: Path, files: list[Path], *, format: str) -> None:
    """Measure what reviewers made of the flagged clusters."""
    from propgraph.cli.output import err, say
    from propgraph.evaluation.reviews import evaluate_reviews
    from propgraph.export.tables import render

    made = evaluate_reviews(study, files)
    told = (
        f"{made.n_reviewed:,} of {made.n_flagged:,} flagged clusters reviewed, by {made.n_reviewers:,} "
        f"{'reviewer' if made.n_reviewers == 1 else 'reviewers'}"
    )
    notes = (
        [f"{made.n_others:,} verdicts on clusters that are not flagged; left out"] if made.n_others else []
    )
    if format != "table":
        for note in (told, *notes):
            err(f"note: {note}")
        sys.stdout.buffer.write(render(made.measures, format))
        sys.stdout.buffer.flush()
        return
    for line in (told, *notes):
        say(line)
    names = {"precision": "organised, of those told", "unsure": "left open", "agreement": "told alike by all"}
    for who, rows in made.measures.group_by("kind", maintain_order=True):
        _section(who[0] and f"By {who[0]}", [names[measure] for measure in rows["measure"]], rows)
    say()
    say(
        "Ranges are Wilson's 95 % intervals. Reviewers who looked at the same report are no independent test of it."
    )


def _notes(made: Evaluation) -> list[str]:
    notes = []
    if made.n_absent:
        notes.append(
            f"{made.n_absent:,} accounts of the truth are not in the study; they count as not found, lowest score"
        )
    if made.n_unknown:
        counted = "counted as innocent, so that precision is a lower bound"
        notes.append(
            f"{made.n_unknown:,} accounts of the study are not in the truth; "
            + (counted if made.others_innocent else "left out")
        )
    if not made.n_negative:
        left_out = made.n_unknown and not made.others_innocent
        notes.append(
            "no innocent account is known, so that no flag can be wrong: precision, F1, average precision and AUC "
            "say nothing (-); add innocent accounts to the truth (label false)"
            + (", or --others-innocent" if left_out else "")
        )
    if made.measures.filter(measure="nmi").is_empty():
        notes.append(
            "the truth does not say who runs the accounts to be found (column group); NMI and ARI are left out"
        )
    if made.n_out_of_reach:
        notes.append(
            f"{made.n_missed:,} accounts to be found are not flagged; {made.n_out_of_reach:,} of them posted fewer than "
            "two objects that anybody else posted, too: no comparison of who posted what can find them"
        )
    return notes


def _show(made: Evaluation, *, resamples: int) -> None:
    from propgraph.cli.output import say

    known = made.n_accounts - (made.n_unknown if made.others_innocent else 0)
    say(f"{known:,} accounts known, {made.n_positive:,} of them to be found")
    for note in _notes(made):
        say(note)
    measures = made.measures.filter(~made.measures["measure"].is_in(list(KINDS)))
    _section("", [_named(row) for row in measures.iter_rows(named=True)], measures)
    for measure, title in KINDS.items():
        part = made.measures.filter(measure=measure)
        if part.height:
            _section(title.format(at=part.item(0, "at") or 0), part["kind"].to_list(), part)
    if measures.filter(measure="weighted_precision").item(0, "value") is not None:
        say()
        say(WEIGHTED)
    if resamples:
        say()
        say(f"Ranges are the middle 95 % of {resamples:,} bootstrap resamples of the accounts.")


def _named(row: dict[str, object]) -> str:
    return NAMES[str(row["measure"])].format(at=row["at"])


def _section(title: str, names: list[str], rows: pl.DataFrame) -> None:
    """Print one measure a line: its name, its value, its range, and the counts behind it."""
    from rich.cells import cell_len, set_cell_size

    from propgraph.cli.output import say
    from propgraph.export.text import clean_terminal

    say()
    if title:
        say(title, bold=True)
    cleaned = [clean_terminal(name, width=40) for name in names]
    width = max(map(cell_len, cleaned)) + 2
    for name, row in zip(cleaned, rows.iter_rows(named=True), strict=True):
        cells = "   -" if row["value"] is None else f"{row['value']:4.2f}"
        cells += f"   {row['low']:.2f} .. {row['high']:.2f}" if row["low"] is not None else " " * 15
        if row["n"] is not None:
            cells += f"   {row['n']:,} of {row['of']:,}"
        say((set_cell_size(name, width) + cells).rstrip(), wrap=False)
