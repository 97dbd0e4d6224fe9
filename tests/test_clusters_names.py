"""Names that clusters keep from one study to the next."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

import propgraph as pg
from propgraph.cli.app import app

# Tables that name clusters, and the columns in which they do.
_NAMING = {
    "members": "cluster_id", "clusters": "cluster_id", "amplification": "cluster_id", "evidence": "subject_id",
    "readings": "subject_id", "campaigns": "cluster_ids",
    "tried_readings": "subject_id",
}  # fmt: skip


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("days")
    made = pg.simulate_veles(n_accounts=500, n_days=8, n_sites=8, n_seeders=50, strength=2, seed=3)
    log = made.log.sort("timestamp")
    files = [folder / "day1.parquet", folder / "day2.parquet"]
    log[: log.height // 2].write_parquet(files[0])
    log[log.height // 2 :].write_parquet(files[1])
    return files


def _by_number(study: pg.Study) -> dict[str, frozenset[str]]:
    rows = study.members.group_by("cluster_id").agg("account_id").iter_rows()
    return {name: frozenset(members) for name, members in rows}


def _other_names(study: pg.Study) -> pg.Study:
    """Give the clusters of a study the names c7, c6, ... in the place of c1, c2, ..."""
    for name in ("members", "clusters"):
        table = pl.read_parquet(study.file(name))
        number = pl.col("cluster_id").str.slice(1).cast(pl.Int64)
        table.with_columns(cluster_id=pl.format("c{}", 8 - number)).write_parquet(study.file(name))
    return pg.Study.open(study.path)


def test_a_cluster_keeps_its_name_after_logs_were_added(days: list[Path], tmp_path: Path) -> None:
    study = pg.find_clusters(pg.build(days[0], tmp_path / "study", append=True))
    before = _by_number(_other_names(study))
    flagged = study.clusters.filter("flagged")["cluster_id"].to_list()
    assert flagged[:2] == ["c7", "c6"]
    after = pg.find_clusters(pg.build(days[1], study.path, append=True))
    now = _by_number(after)
    for name in flagged:
        assert len(before[name] & now[name]) >= len(before[name]) / 2
    # Whoever is new is numbered on; nobody takes the place of one that is gone.
    new = [int(name[1:]) for name in now if name not in before]
    assert sorted(new) == list(range(8, 8 + len(new)))
    assert after.run["clusters"]["names"]["highest"] == 7 + len(new)
    assert any("keep its name" in note for note in after.run["clusters"]["notes"])
    known = set(now)
    for table, column in _NAMING.items():
        named = after.scan(table).select(pl.col(column)).collect()
        if table in ("evidence", "readings"):
            named = after.scan(table).filter(subject_type="cluster").select(column).collect()
        values = named.explode(column)[column] if column == "cluster_ids" else named[column]
        assert set(values.drop_nulls()) <= known
    # Numbered by score where that is asked for, the same tables but for the names.
    plain = pg.find_clusters(after.path, names_from="none")
    assert set(_by_number(plain).values()) == set(now.values())
    assert plain.clusters["cluster_id"].to_list() == [f"c{k}" for k in range(1, len(now) + 1)]
    assert plain.clusters["score"].to_list() == after.clusters["score"].to_list()


def test_names_of_another_study(days: list[Path], tmp_path: Path) -> None:
    first = _other_names(pg.find_clusters(pg.build(days[0], tmp_path / "first")))
    built = pg.build(days[1], tmp_path / "second")
    plain = pg.find_clusters(built)
    assert plain.clusters["cluster_id"][0] == "c1"
    second = pg.find_clusters(built.path, names_from=first)
    found = pg.compare(first, second).filter(pl.col("n_both") > 0, subject_type="cluster")
    same = found.filter(pl.col("before_id") == pl.col("after_id"))
    assert same["before_flagged"].sum() == 2
    assert second.run["clusters"]["parameters"]["names_from"] == str(first.path)
    again = CliRunner().invoke(app, ["clusters", str(built.path), "--names-from", str(first.path)])
    assert again.exit_code == 0, again.output
    assert pg.Study.open(built.path).clusters.equals(second.clusters)


def test_a_study_without_clusters_gives_no_names(days: list[Path], tmp_path: Path) -> None:
    bare = pg.build(days[0], tmp_path / "bare")
    with pytest.raises(pg.StudyError, match="no table 'clusters' yet"):
        pg.find_clusters(bare, names_from=bare.path)
