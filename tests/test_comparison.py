"""What became of clusters: by their members, by what they do, and what must not be found again."""

from __future__ import annotations

from math import comb, sqrt
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import propgraph as pg
from propgraph.arrays.p_values import hypergeometric_tail
from propgraph.cli.app import app
from propgraph.comparison.links import changes, heirs, link
from propgraph.comparison.returned import Behaviour, likeness_of, returned
from propgraph.comparison.side import side_of


def _groups(**members: str) -> dict[str, frozenset[str]]:
    return {name: frozenset(text.split()) for name, text in members.items()}


def test_clusters_are_linked_by_half_of_the_smaller_ones_members() -> None:
    before = _groups(c1="a b c d", c2="e f g h", c3="i j k")
    after = _groups(d1="a b c d z", d2="e f", d3="i x y w")
    links = link(before, after, n_accounts=1_000)
    assert [(one.before, one.after, one.n_both) for one in links] == [("c1", "d1", 4), ("c2", "d2", 2)]
    assert links[0].similarity == 4 / 5
    # All four of four in common with five of a thousand: one of the hypergeometric's terms; nine pairs.
    assert links[0].p_value == pytest.approx(9 * comb(5, 4) * comb(995, 0) / comb(1_000, 4))
    assert changes(links) == ["grew", "shrank"]


def test_members_in_common_by_chance_link_nothing() -> None:
    # Of ten accounts in all any two sets of five have some two or three in common.
    assert link(_groups(c1="a b c d e"), _groups(d1="a b c x y"), n_accounts=10) == []
    assert len(link(_groups(c1="a b c d e"), _groups(d1="a b c x y"), n_accounts=1_000)) == 1


@given(st.integers(1, 60), st.data())
def test_the_chance_in_common_is_the_hypergeometric_tail(n_all: int, data: st.DataObject) -> None:
    one, other = data.draw(st.integers(1, n_all)), data.draw(st.integers(1, n_all))
    n = data.draw(st.integers(0, min(one, other)))
    ways = sum(comb(one, k) * comb(n_all - one, other - k) for k in range(n, min(one, other) + 1))
    [chance] = hypergeometric_tail(np.array([n]), np.array([one]), np.array([other]), n_all=n_all)
    assert chance == pytest.approx(ways / comb(n_all, other))


def test_split_and_merged() -> None:
    before = _groups(c1="a b c d e f", c2="m n o", c3="p q r")
    after = _groups(d1="a b c", d2="d e f", d3="m n o p q r")
    links = link(before, after, n_accounts=1_000)
    told = dict(zip([(one.before, one.after) for one in links], changes(links), strict=True))
    assert told == {
        ("c1", "d1"): "split",
        ("c1", "d2"): "split",
        ("c2", "d3"): "merged",
        ("c3", "d3"): "merged",
    }
    # Each name goes to one: the most members in common, then the most alike, then by name.
    assert heirs(links) == {"d1": "c1", "d3": "c2"}


def test_likeness_is_stouffers_sum_over_the_kinds() -> None:
    # Two kinds and the hours; the draws: means 0.2, 0.5, 0.6, deviations 0.1, 0.01 (0.05 at least), 0.2.
    draws = np.array([[0.1, 0.2, 0.3], [0.49, 0.5, 0.51], [0.4, 0.6, 0.8]])
    found = likeness_of(np.column_stack([[0.9, 0.65, 0.5], draws]))
    by_kind = [5.0, (0.65 - 0.5) / 0.05, (0.5 - 0.6) / 0.2]  # the first lies seven above, and counts five
    assert found.z == pytest.approx(sum(by_kind) / sqrt(3))
    assert found.n_kinds == 2
    assert found.objects == pytest.approx((0.9 + 0.65) / 2)
    assert found.rhythm == 0.5
    assert found.expected == pytest.approx((0.2 + 0.5 + 0.6) / 3)
    assert found.p_value == 1 / 4


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pg.Study]:
    """A farm's log in two halves, and the second once more with all organised accounts under other names."""
    folder = tmp_path_factory.mktemp("weeks")
    made = pg.simulate_veles(n_accounts=600, n_days=12, n_sites=8, n_seeders=50, strength=2, seed=3)
    log = made.log.sort("timestamp")
    start, end = log["timestamp"].min(), log["timestamp"].max()
    middle = start + (end - start) / 2  # type: ignore[operator]
    names = made.accounts.filter("organised")["account_id"].to_list()
    others = {name: f"z_{name}" for name in names}
    second = log.filter(pl.col("timestamp") >= middle)
    parts = {
        "first": log.filter(pl.col("timestamp") < middle),
        "second": second,
        "renamed": second.with_columns(
            pl.col(column).replace(others) for column in ("account_id", "origin_account_id")
        ),
    }
    studies = {}
    for name, part in parts.items():
        part.write_parquet(folder / f"{name}.parquet")
        studies[name] = pg.find_clusters(pg.build(folder / f"{name}.parquet", folder / name))
    return studies


def _flagged(found: pl.DataFrame, subject_type: str = "cluster") -> pl.DataFrame:
    return found.filter(subject_type=subject_type).filter(
        pl.col("before_flagged").fill_null(False) | pl.col("after_flagged").fill_null(False)
    )


def test_a_study_and_itself(weeks: dict[str, pg.Study]) -> None:
    found = pg.compare(weeks["first"], weeks["first"].path)
    assert set(found["change"]) == {"stayed"}
    assert (found["before_id"] == found["after_id"]).all()
    assert found["n_silent"].null_count() == found.height


def test_clusters_go_on_in_the_next_week(weeks: dict[str, pg.Study]) -> None:
    found = _flagged(pg.compare(weeks["first"], weeks["second"]))
    assert found.height == 2
    assert set(found["change"]) <= {"stayed", "grew", "shrank"}
    assert (found["member_similarity"] > 0.5).all()
    # All that are in the later cluster were in the log before, unless somebody says so.
    assert found["n_arrived"].sum() == 0


def test_clusters_under_other_names_have_returned_each_as_itself(weeks: dict[str, pg.Study]) -> None:
    before, after = weeks["first"], weeks["renamed"]
    found = _flagged(pg.compare(before, after))
    assert found["change"].to_list() == ["returned", "returned"]
    for one, other in found.select("before_id", "after_id").iter_rows():
        mine, theirs = (
            set(study.members.filter(cluster_id=name)["account_id"].str.strip_prefix("z_"))
            for study, name in ((before, one), (after, other))
        )
        assert len(mine & theirs) > len(mine) / 2
    assert (found["n_both"] == 0).all()
    assert (found["n_silent"] == found["n_before"]).all()
    assert set(_flagged(pg.compare(before, after), "campaign")["change"]) <= {"returned"}


def test_the_same_bytes_each_time_and_another_seed_draws_others(weeks: dict[str, pg.Study]) -> None:
    one, again, other = (pg.compare(weeks["first"], weeks["renamed"], seed=seed) for seed in (0, 0, 1))
    assert one.equals(again)
    assert not one["z"].equals(other["z"])
    with pytest.raises(pg.UsageError, match="seed"):
        pg.compare(weeks["first"], weeks["renamed"], seed=-1)


def test_nobody_has_returned_in_a_log_where_nobody_is_organised(tmp_path: Path) -> None:
    made = pg.simulate_veles(n_accounts=500, n_days=12, n_sites=6, n_seeders=40, seed=5)
    log = made.log.join(made.accounts.filter("organised"), on="account_id", how="anti").sort("timestamp")
    half = log.height // 2
    # Half of the people go by another name in the second half: whoever met in both is not found by members.
    names = pl.col("account_id")
    other = log[half:].with_columns(pl.when(names.str.ends_with("1")).then("z_" + names).otherwise(names))
    for name, part in (("first", log[:half]), ("second", other)):
        pg.find_clusters(pg.build(part, tmp_path / name))
    assert "returned" not in pg.compare(tmp_path / "first", tmp_path / "second")["change"].to_list()
    # Nor if each of the clusters were flagged.
    sides = side_of(tmp_path / "first"), side_of(tmp_path / "second")
    groups = sides[0].of("cluster"), sides[1].of("cluster")
    pairs = [(one, two) for one in groups[0] for two in groups[1] if not groups[0][one] & groups[1][two]]
    assert pairs
    assert returned(Behaviour(*sides, seed=0), *groups, pairs=pairs, taken=frozenset()) == {}


def test_pseudonyms_by_different_keys_are_an_error(tmp_path: Path, weeks: dict[str, pg.Study]) -> None:
    log = weeks["first"].path.with_suffix(".parquet")
    hidden = pg.find_clusters(pg.build(log, tmp_path / "hidden", pseudonymise=True))
    with pytest.raises(pg.InputError, match="pseudonyms by different keys"):
        pg.compare(weeks["first"], hidden)


def test_the_command(weeks: dict[str, pg.Study], tmp_path: Path) -> None:
    one, other = weeks["first"].path, weeks["renamed"].path
    shown = CliRunner().invoke(app, ["compare", str(one), str(other)])
    assert shown.exit_code == 0
    assert "clusters flagged before or after: 2 returned" in shown.output
    assert len(shown.output.splitlines()) < 45
    data = CliRunner().invoke(app, ["compare", str(one), str(other), "--format", "csv"])
    assert data.output.startswith("subject_type,change,before_id,after_id,")
    alone = CliRunner().invoke(app, ["compare", str(one)])
    assert "nothing was added to it" in str(alone.exception)


def test_a_study_that_was_added_to_is_held_against_what_it_was(
    weeks: dict[str, pg.Study], tmp_path: Path
) -> None:
    files = [weeks[name].path.with_suffix(".parquet") for name in ("first", "renamed")]
    study = pg.find_clusters(pg.build(files[0], tmp_path / "study", append=True))
    study = pg.find_clusters(pg.build(files[1], study.path, append=True))
    found = pg.compare(study.path / "before", study)
    by_members = found.filter(pl.col("n_both") > 0, subject_type="cluster")
    assert by_members.filter("before_flagged").height == 2
    shown = CliRunner().invoke(app, ["compare", str(study.path)])
    assert shown.exit_code == 0, shown.output
