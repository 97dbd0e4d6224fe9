"""Whether compare finds a farm again whose accounts have other names, and no innocents: seeds by parts renamed.

python -m benchmarks returned [--seeds 8] [--first 10] [--renamed 0.5 1]

A log is cut in the middle, and of the organised accounts a part goes by other names from then on. A farm counts as
found where a cluster of it goes on or returns as a cluster of it; as wrong what goes on as another's. Last, of logs
without organised accounts, half of the people before and the others after: pairs of clusters of one fan club or
newsroom, which do the same, and of different ones, which must not be taken for each other. `compare` looks at no pair
of which neither is flagged.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.timing import header, row
from propgraph import Study, build, compare, find_clusters, simulate_veles
from propgraph.comparison.returned import Behaviour
from propgraph.comparison.side import side_of

_OTHER = "z_"
_COLUMNS = ("account_id", "origin_account_id")


def main() -> None:
    """Cut, rename, build, find, compare; a row a run, then the innocents."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--first", type=int, default=10)
    parser.add_argument("--renamed", type=float, nargs="+", default=[0.5, 1.0])
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.seeds)
    header("renamed", "seed", "farms", "found", "returned", "wrong")
    for renamed in options.renamed:
        for seed in seeds:
            row(renamed, seed, *farms(seed, renamed))
    print()
    header("seed", "one_group", "one_group_held", "different", "different_held")
    for seed in seeds:
        row(seed, *innocents(seed))


def farms(seed: int, renamed: float) -> tuple[int, int, int, int]:
    """Return the farms flagged in both halves, those found again, those by what they do, and wrong matches."""
    made = simulate_veles(seed=seed, n_accounts=800, n_days=14, n_sites=12, n_seeders=60, strength=2)
    organised = made.accounts.filter("organised")
    drawn = np.random.default_rng(seed).random(organised.height) < renamed
    others = {name: _OTHER + name for name in organised["account_id"].filter(pl.Series(drawn))}
    before, after = _halves(made.log)
    after = after.with_columns(pl.col(name).replace(others) for name in _COLUMNS)
    group = dict(organised.select("account_id", "group").iter_rows())
    with tempfile.TemporaryDirectory() as folder:
        sides = _found(before, after, Path(folder))
        labels = [_labels(study, group) for study in sides]
        table = compare(*sides).filter(subject_type="cluster")
    there = [
        set(_flagged_labels(table, side, of)) for side, of in zip(("before", "after"), labels, strict=True)
    ]
    matched = table.drop_nulls(["before_id", "after_id"]).filter(
        pl.any_horizontal("before_flagged", "after_flagged")
    )
    pairs = [
        (labels[0][one], labels[1][other], change)
        for one, other, change in matched.select("before_id", "after_id", "change").iter_rows()
    ]
    farms_there = (there[0] & there[1]) - {None}
    return (
        len(farms_there),
        len({one for one, other, _ in pairs if one == other} & farms_there),
        sum(change == "returned" for *_, change in pairs),
        sum(one != other for one, other, _ in pairs),
    )


def innocents(seed: int) -> tuple[int, int, int, int]:
    """Return pairs of clusters of one innocent group, those that hold, pairs of different ones, those that hold."""
    made = simulate_veles(seed=seed, n_accounts=1_200, n_days=14, n_sites=12, n_seeders=50, strength=2)
    people = made.accounts.filter(~pl.col("organised")).select("account_id", "group")
    some = people["account_id"].sample(fraction=0.5, seed=1).implode()
    log = made.log.join(people, on="account_id", how="semi")
    before, after = _halves(log)
    mine = pl.col("account_id").is_in(some)
    with tempfile.TemporaryDirectory() as folder:
        studies = _found(before.filter(mine), after.filter(~mine), Path(folder))
        sides = side_of(studies[0]), side_of(studies[1])
        behaviour = Behaviour(*sides, seed=0)
        labels = [_labels(study, dict(people.iter_rows())) for study in studies]
    groups = sides[0].of("cluster"), sides[1].of("cluster")
    counts: Counter[tuple[bool, bool]] = Counter()
    for one, members in groups[0].items():
        for other, others in groups[1].items():
            likeness = behaviour.likeness(members, others, taken=frozenset())
            counts[labels[0][one] == labels[1][other], likeness is not None and likeness.holds] += 1
    return (
        counts[True, True] + counts[True, False], counts[True, True],
        counts[False, True] + counts[False, False], counts[False, True],
    )  # fmt: skip


def _halves(log: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    when = pl.col("timestamp")
    middle = when.min() + (when.max() - when.min()) / 2
    return log.filter(when < middle), log.filter(when >= middle)


def _found(before: pl.DataFrame, after: pl.DataFrame, folder: Path) -> list[Study]:
    return [find_clusters(build(part, folder / name)) for name, part in (("a", before), ("b", after))]


def _labels(study: Study, group: Mapping[str, str]) -> dict[str, str | None]:
    """Return the group of most members of each cluster; None for those that have none."""
    members = study.members.with_columns(
        group=pl.col("account_id").str.strip_prefix(_OTHER).replace_strict(group, default=None)
    )
    most = members.group_by("cluster_id").agg(pl.col("group").mode(maintain_order=True).first())
    return dict(most.iter_rows())


def _flagged_labels(table: pl.DataFrame, side: str, labels: Mapping[str, str | None]) -> list[str | None]:
    return [labels[name] for name in table.filter(f"{side}_flagged")[f"{side}_id"]]


if __name__ == "__main__":
    main()
