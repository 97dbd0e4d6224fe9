"""What each signature of paid campaigns finds, what innocents it touches, and what it says of logs without a campaign.

    python -m benchmarks signatures [--worlds veles app reshares crowd machine] [--seeds 2] [--first 100]
                                      [--strengths 0.5 1 2] [--nulls 2] [--first-null 200]

A row is one flag (of a cluster or a site) on one simulated world at one strength:

- found: of the accounts (sites) that the truth says the signature is of, those in a cluster with the flag (with the
  flag); precision: of all accounts (sites) with it, those organised;
- AP: of the ranking of all accounts (sites) by the score of the whole, for whoever the campaign is;
- innocents fired: accounts by kind (sites by role) that are not organised and have the flag, of how many there are,
  summed over the seeds; those of no kind are "ordinary";
- nulls: the same world without its campaign: clusters (sites) with the flag, of how many, summed over the seeds.

Worlds: `simulate veles --setting full` with its facts, articles and adverts; `simulate app`; `simulate crowdturf`
(distributed); `simulate workforce`, by a crowd and by a machine. Then a table of what is measured and is no flag. A
signature whose flag no rule gives is left out. Seeds 0 to 9 are for tuning, 100 and up for showing.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import log
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.timing import header, row
from propgraph import (
    Study,
    build,
    evaluate,
    find_clusters,
    simulate_app,
    simulate_crowdturf,
    simulate_veles,
    simulate_workforce,
)
from propgraph.clusters.rules import RULE
from propgraph.simulate.budget import crowdturf_payments
from propgraph.simulate.logs import file_of, write_table
from propgraph.sites.rules import rules as site_rules

#: Modest worlds, so that the whole table takes minutes.
VELES = {"n_accounts": 1500, "n_days": 10, "n_sites": 24, "n_seeders": 100}
APP = {"n_accounts": 1500, "n_days": 10}
RESHARES = {"n_accounts": 1500, "n_days": 10, "n_workers": 80, "n_missions": 30}
WORKFORCE = {"n_accounts": 1500, "n_days": 10, "n_posts": 3000}


@dataclass(frozen=True)
class Made:
    """A simulated log, its truth, and what lies beside it: options of `find_clusters` and their tables."""

    log: pl.DataFrame
    accounts: pl.DataFrame
    sites: pl.DataFrame | None = None
    beside: dict[str, pl.DataFrame] = field(default_factory=dict)
    payments: pl.DataFrame | None = None


def _veles(seed: int, strength: float | None) -> Made:
    options = VELES | ({"n_sites": 0} if strength is None else {"strength": strength})
    made = simulate_veles(setting="full", seed=seed, **options)
    names = {"sites": "site_facts", "articles": "articles", "ads": "ads"}
    beside = {option: made.tables[name] for option, name in names.items()}
    return Made(made.log, made.accounts, made.sites, beside, made.tables["truth_payments"])


def _app(seed: int, strength: float | None) -> Made:
    options = {"n_militants": 0} if strength is None else {"strength": strength}
    made = simulate_app(seed=seed, **APP, **options)  # type: ignore[arg-type]
    return Made(made.log, made.accounts)


def _reshares(seed: int, strength: float | None) -> Made:
    options = {"n_missions": 0} if strength is None else {"strength": strength}
    made = simulate_crowdturf(seed=seed, **RESHARES | options)
    return Made(made.log, made.accounts, payments=crowdturf_payments(made.log, made.accounts))


def _workforce(kind: str) -> Callable[[int, float | None], Made]:
    def make(seed: int, strength: float | None) -> Made:
        options = {"n_posts": 0} if strength is None else {"strength": strength}
        made = simulate_workforce(kind=kind, seed=seed, **WORKFORCE | options)
        return Made(made.log, made.accounts)

    return make


WORLDS: dict[str, Callable[[int, float | None], Made]] = {
    "veles": _veles,
    "app": _app,
    "reshares": _reshares,
    "crowd": _workforce("crowd"),
    "machine": _workforce("machine"),
}


#: What a signature is of: clusters, by their members; sites; accounts on their own, by their evidence.
SUBJECTS = ("clusters", "sites", "accounts")


@dataclass(frozen=True)
class Signature:
    """One flag: of clusters or accounts, with the roles that it is of, or of sites, with the truth's column."""

    flag: str
    of: str
    true: tuple[str, ...] | str


#: Evidence of accounts on their own, which is no flag of a cluster.
ALONE = ("over-and-over", "main-source")
#: Not a flag of its own: whether the whole, with all its flags, says that a cluster or site is worth a look.
WHOLE = "any: flagged"


FARM = "organised"
SEEDER, MILITANT, HIRED = ("seeder",), ("militant",), ("worker", "relay", "organiser")
SIGNATURES: dict[str, tuple[Signature, ...]] = {
    "veles": (
        Signature(WHOLE, "clusters", SEEDER),
        Signature(WHOLE, "sites", FARM),
        Signature("seeded", "sites", FARM),
        Signature("one-operator", "sites", FARM),
        Signature("few-hands", "sites", FARM),
        Signature("throw-away", "sites", FARM),
        Signature("imitates", "sites", "imitates"),
        Signature("copies", "sites", FARM),
        Signature("pushed-into-groups", "sites", FARM),
        Signature("recruiter-token", "clusters", SEEDER),
        Signature("created-together", "clusters", SEEDER),
        Signature("alike-profiles", "clusters", SEEDER),
        Signature("many-groups", "clusters", SEEDER),
        Signature("regular-gaps", "clusters", SEEDER),
        Signature("template-text", "clusters", SEEDER),
        *(Signature(name, "accounts", SEEDER) for name in ALONE),
    ),
    "app": (
        Signature(WHOLE, "clusters", MILITANT),
        Signature("mission-order", "clusters", MILITANT),
        Signature("quota-stop", "clusters", MILITANT),
        Signature("release-burst", "clusters", MILITANT),
        Signature("shift", "clusters", MILITANT),
    ),
    "reshares": (
        Signature(WHOLE, "clusters", HIRED),
        Signature("relayed", "clusters", HIRED),
        Signature("low-originality", "clusters", HIRED),
    ),
    "crowd": (
        Signature(WHOLE, "clusters", ("worker",)),
        *(Signature(name, "accounts", ("worker",)) for name in ALONE),
        Signature(WHOLE, "sites", FARM),
        Signature("few-hands", "sites", FARM),
    ),
    "machine": (
        Signature(WHOLE, "clusters", ("tool",)),
        *(Signature(name, "accounts", ("tool",)) for name in ALONE),
        Signature(WHOLE, "sites", FARM),
        Signature("few-hands", "sites", FARM),
    ),
}


@dataclass(frozen=True)
class Run:
    """One study of a simulated world, and its truth: sites with an `organised`, accounts with theirs."""

    study: Study
    made: Made
    strength: float | None

    def subjects(self, of: str) -> pl.DataFrame:
        """Return a row an account or site of the log: `id, kind, organised, flags, score` and the truth's columns.

        `flags` holds `WHOLE` where the cluster or site is flagged.
        """
        study, made = self.study, self.made
        if of == "sites":
            truth = made.sites if made.sites is not None else _sites_of(made)
            known = with_whole(study, of).select("site", "flags", "score").join(truth, on="site")
            return known.rename({"site": "id", "role": "kind"})
        if of == "accounts":
            alone = study.evidence.filter(subject_type="account").rename({"subject_id": "account_id"})
            flags = alone.group_by("account_id").agg(flags="rule")
        else:
            clusters = with_whole(study, of).select("cluster_id", "flags")
            flags = study.members.select("account_id", "cluster_id").join(clusters, on="cluster_id")
        nothing = pl.lit([], dtype=pl.List(pl.String))
        known = (
            study.accounts.select("account_id")
            .join(made.accounts, on="account_id")
            .join(flags, on="account_id", how="left")
            .join(study.account_scores.select("account_id", "score"), on="account_id", how="left")
            .with_columns(pl.col("flags").fill_null(nothing), pl.col("score").fill_null(0.0))
        )
        return known.rename({"account_id": "id", "role": "kind"})


def with_whole(study: Study, of: str) -> pl.DataFrame:
    """Return the clusters or sites; `flags` holds `WHOLE` where they are flagged."""
    table = study.sites if of == "sites" else study.clusters
    return table.with_columns(
        flags=pl.when("flagged")
        .then(pl.col("flags").list.concat(pl.lit([WHOLE], dtype=pl.List(pl.String))))
        .otherwise("flags")
    )


def _sites_of(made: Made) -> pl.DataFrame:
    """Return the sites that only organised accounts link to at first: the workforce's farms, by their names."""
    ends = "patriotwire|truthdaily|libertybuzz|eaglenews|realreport|freepress|flagtoday"
    site = pl.col("url").str.extract(r"^https?://(?:www\.|m\.)?([^/]+)")
    sites = made.log.select(site=site).drop_nulls().unique().sort("site")
    farm = pl.col("site").str.contains(ends)
    return sites.with_columns(
        organised=farm, role=pl.when(farm).then(pl.lit("farm")).otherwise(pl.lit("ordinary"))
    )


def studied(made: Made, folder: Path, strength: float | None = None) -> Run:
    """Build a simulated log, find its clusters with what lies beside it, and return both."""
    made.log.write_parquet(folder / "log.parquet")
    beside = {option: folder / file_of(option, table) for option, table in made.beside.items()}
    for option, table in made.beside.items():
        write_table(folder, option, table)
    options: dict[str, Any] = beside
    study = build([folder / "log.parquet"], folder / "study", overwrite=True)
    return Run(find_clusters(study.path, **options), made, strength)


def fired(run: Run, signature: Signature) -> dict[str, Any]:
    """Return how well a flag meets its truth, and whom else it touches.

    Returns
    -------
    dict
        `recall, precision` (None of nothing), and `innocents`: by kind how many have the flag, of how many.
    """
    subjects = run.subjects(signature.of).with_columns(has=pl.col("flags").list.contains(signature.flag))
    if isinstance(signature.true, tuple):
        is_it = pl.col("kind").is_in(signature.true)
    else:
        truth = pl.col(signature.true)
        is_it = truth if subjects.schema[signature.true] == pl.Boolean() else truth.is_not_null()
    subjects = subjects.with_columns(true=is_it)
    n_true, n_has = int(subjects["true"].sum()), int(subjects["has"].sum())
    right = subjects.filter(pl.col("has") & pl.col("organised")).height
    kinds = subjects.filter(~pl.col("organised")).group_by("kind").agg(pl.col("has").sum(), n=pl.len())
    return {
        "recall": subjects.filter("true", "has").height / n_true if n_true else None,
        "precision": right / n_has if n_has else None,
        "innocents": {kind: (n, of) for kind, n, of in kinds.sort("kind").iter_rows()},
    }


def average_precision(run: Run, of: str) -> float | None:
    """Return how well the whole ranks the campaign's accounts or sites."""
    subjects = run.subjects(of).select("score", account_id="id", label="organised")
    if subjects["label"].n_unique() < 2:
        return None
    truth = subjects.select("account_id", "label")
    found = evaluate(subjects.select("account_id", "score"), truth, accounts=truth, resamples=0).measures
    value: float = found.filter(measure="average_precision").item(0, "value")
    return value


def flags_of(run: Run, of: str) -> tuple[dict[str, int], int]:
    """Return how many clusters or sites have each flag, and how many there are."""
    table = run.subjects(of) if of == "accounts" else with_whole(run.study, of)
    counts = table.select(pl.col("flags").explode().drop_nulls()).to_series().value_counts()
    return dict(counts.iter_rows()), table.height


def runs(world: str, seeds: range, strength: float | None) -> Iterator[Run]:
    """Yield the studies of a world, one after another: each is gone when the next one comes."""
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            yield studied(WORLDS[world](seed, strength), Path(folder), strength)


def mean(values: list[float | None]) -> str:
    """Return the mean of what is there with the least and greatest, or a dash."""
    there = [value for value in values if value is not None]
    if not there:
        return "-"
    one = f"{sum(there) / len(there):.2f}"
    return one if max(there) - min(there) < 0.005 else f"{one} ({min(there):.2f}-{max(there):.2f})"


def touched(all_innocents: list[dict[str, tuple[int, int]]]) -> str:
    """Return the innocents that a flag touches by kind, over some runs: "desk 6 of 12; none of 2,800 others"."""
    kinds = sorted({kind for one in all_innocents for kind in one})
    sums = {
        kind: tuple(sum(one.get(kind, (0, 0))[k] for one in all_innocents) for k in (0, 1)) for kind in kinds
    }
    hit = [f"{kind} {n:,} of {of:,}" for kind, (n, of) in sums.items() if n]
    rest = sum(of for n, of in sums.values() if not n)
    return "; ".join([*hit, f"none of {rest:,}{' others' if hit else ''}"])


def known_flags() -> set[str]:
    """Return the flags that some rule gives, of clusters, of sites, or of accounts on their own."""
    return {WHOLE, *RULE, *(rule.name for rule in site_rules(0.5)), *ALONE}


def measured(world: str, options: argparse.Namespace) -> list[tuple[str, float, str, float]]:
    """Print the rows of one world, a signature and a strength each; return the facts of its runs."""
    null_seeds = range(options.first_null, options.first_null + options.nulls)
    nulls = [{of: flags_of(run, of) for of in SUBJECTS} for run in runs(world, null_seeds, None)]
    signatures = [one for one in SIGNATURES[world] if one.flag in known_flags()]
    told = []
    for strength in options.strengths:
        found: dict[Signature, list[dict[str, Any]]] = {}
        precision: dict[str, list[float | None]] = {of: [] for of in SUBJECTS}
        for run in runs(world, range(options.first, options.first + options.seeds), strength):
            for of, values in precision.items():
                values.append(average_precision(run, of))
            for one in signatures:
                found.setdefault(one, []).append(fired(run, one))
            told += [(world, strength, name, value) for name, value in facts(run).items()]
        for signature, results in found.items():
            row(
                world, signature.flag, signature.of, strength,
                mean([one["recall"] for one in results]), mean([one["precision"] for one in results]),
                mean(precision[signature.of]), touched([one["innocents"] for one in results]),
                null_of(signature, [one[signature.of] for one in nulls]),
            )  # fmt: skip
    return told


def null_of(signature: Signature, nulls: list[tuple[dict[str, int], int]]) -> str:
    """Return how often a flag is there where nobody is organised."""
    n, of = sum(counts.get(signature.flag, 0) for counts, _ in nulls), sum(size for _, size in nulls)
    return f"{n} of {of} {signature.of}"


def facts(run: Run) -> dict[str, float]:
    """Return what is measured and is no flag, by name.

    Of the clusters that are mostly the campaign's: medians of what tells a crowd from a machine. Of the whole: by what
    factor the range of the hypothetical costs of all flagged clusters misses what was paid (1: it holds it), and how
    well groups of sites agree with the operators of the farms.
    """
    members = run.study.members.join(run.made.accounts, on="account_id")
    mostly = members.group_by("cluster_id").agg(pl.col("organised").mean()).filter(pl.col("organised") > 0.5)
    theirs = run.study.clusters.join(mostly, on="cluster_id", how="semi")
    names = ("accounts_per_post", "busiest_share", "posts_per_day_pct")
    told: dict[str, Any] = {name: theirs[name].median() for name in names}
    told["costs miss what was paid by"] = _missed(run)
    told["operators: NMI with the truth"] = _operators(run)
    return {name: float(value) for name, value in told.items() if value is not None}


def _missed(run: Run) -> float | None:
    """Return how far off the costs of profiles and posts are, as a factor, 1 where the range holds what was paid."""
    items, costs = ("profiles", "tasks"), run.study.costs.filter(subject_type="cluster", currency="USD")
    paid = run.made.payments
    if paid is None or paid.is_empty() or costs.is_empty():
        return None
    true = float(paid.filter(pl.col("item").is_in(items))["amount"].sum())
    ends = costs.filter(pl.col("item").is_in(items)).select(pl.col("low", "high").sum()).row(0)
    return float(max(ends[0] / true, true / ends[1], 1.0))


def _operators(run: Run) -> float | None:
    """Return the normalised mutual information of groups of sites and operators, over the farms; alone is a group."""
    if run.made.sites is None or "operator_id" not in run.study.sites.columns:
        return None
    farms = run.study.sites.join(run.made.sites.filter("organised"), on="site")
    if farms.is_empty():
        return None
    labels = farms.select(pl.coalesce("operator_id", "site").rank("dense"), pl.col("operator").rank("dense"))
    return nmi(labels["operator_id"].to_list(), labels["operator"].to_list())


def nmi(one: list[int], other: list[int]) -> float:
    """Return the normalised mutual information (arithmetic mean) of two partitions, 1 where they are the same."""
    n = len(one)
    sizes = [Counter(one), Counter(other)]
    entropies = [-sum(k / n * log(k / n) for k in size.values()) for size in sizes]
    mutual = sum(
        k / n * log(k * n / (sizes[0][a] * sizes[1][b]))
        for (a, b), k in Counter(zip(one, other, strict=True)).items()
    )
    return mutual / (sum(entropies) / 2) if sum(entropies) > 0 else 1.0


def main() -> None:
    """Simulate, find, compare; a table of flags, then one of facts."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--worlds", nargs="+", choices=WORLDS, default=list(WORLDS), metavar="WORLD")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--first", type=int, default=100)
    parser.add_argument("--strengths", type=float, nargs="+", default=[0.5, 1.0, 2.0])
    parser.add_argument("--nulls", type=int, default=2)
    parser.add_argument("--first-null", type=int, default=200)
    options = parser.parse_args()
    header("world", "flag", "of", "strength", "found", "precision", "AP", "innocents fired", "nulls")
    told = [fact for world in options.worlds for fact in measured(world, options)]
    print()
    header("world", "strength", "fact", "value")
    table = pl.DataFrame(told, schema=["world", "strength", "fact", "value"], orient="row")
    for (world, strength, fact), values in table.group_by("world", "strength", "fact", maintain_order=True):
        row(world, strength, fact, mean(values["value"].to_list()))


if __name__ == "__main__":
    main()
