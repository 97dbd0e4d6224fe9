"""A study that was added to is the one that all its logs together would give, to the byte."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_clocks import HOUR, MAP, cross_posted
from typer.testing import CliRunner

import propgraph as pg
from propgraph.cli.app import app
from propgraph.jobs.append import BEFORE, PARTS
from propgraph.provenance import digest
from propgraph.schema import tables_of

SHARED = Path(__file__).parents[2] / "shared" / "data"
T0 = 1_700_000_000


def _bytes(study: pg.Study) -> dict[str, str]:
    return {name: digest(study.file(name)) for name in study.tables if name in tables_of("build")}


def _same(one: pg.Study, other: pg.Study) -> None:
    assert one.tables == other.tables
    differing = [name for name in _bytes(one) if _bytes(one)[name] != _bytes(other)[name]]
    assert differing == []
    counts = [study.run["build"]["counts"] for study in (one, other)]
    assert counts[0] == counts[1]
    assert sorted(s["sha256"] for s in one.run["build"]["inputs"]) == sorted(
        s["sha256"] for s in other.run["build"]["inputs"]
    )


def _log(n: int = 60, *, seed: int = 0) -> pl.DataFrame:
    draw = random.Random(seed)
    rows = [
        {
            "content_id": f"p{k}",
            "account_id": f"a{draw.randrange(8)}",
            "timestamp": T0 + draw.randrange(5_000),
            "url": f"https://s{draw.randrange(3)}.example/{draw.randrange(5)}",
            "text": draw.choice(["so it is", "no it is not", "what then"]) + f" {draw.randrange(9)}",
        }
        for k in range(n)
    ]
    return pl.DataFrame(rows)


def _in_parts(folder: Path, files: list[Path], /, **options: Any) -> pg.Study:
    for file in files:
        study = pg.build(file, folder, append=True, **options)
    return study


@pytest.fixture
def halves(tmp_path: Path) -> list[Path]:
    log = _log().sort("timestamp")
    files = [tmp_path / "day1.csv", tmp_path / "day2.csv"]
    log[:35].write_csv(files[0])
    log[35:].write_csv(files[1])
    return files


# What a file may be like: posts that other files have, too, times cut to minutes or hours, a platform of its own, dates
# in numbers of which the rows alone do not tell which is the day, rows that are none.
_KINDS = ("plain", "minutes", "platform", "dates", "broken", "ndjson")


def _written(rows: pl.DataFrame, path: Path, kind: str) -> Path:
    if kind == "minutes":
        rows = rows.with_columns(pl.col("timestamp") // 60 * 60)
    if kind == "platform":
        rows = rows.with_columns(platform=pl.lit("y"))
    if kind == "dates":
        when = pl.from_epoch("timestamp").dt.to_string("%d/%m/%Y %H:%M:%S")
        rows = rows.with_columns(when.alias("timestamp"))
    if kind == "ndjson":
        path = path.with_suffix(".ndjson")
        rows.write_ndjson(path)
        return path
    rows.write_csv(path)
    if kind == "broken":
        with path.open("a") as file:
            file.write("px,a1,never,https://s0.example/0,no time\npy,a1\npz,,1700000000,,no account\n")
    return path


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(2, 40),
    kinds=st.lists(st.sampled_from(_KINDS), min_size=2, max_size=4),
    how=st.sampled_from(["time", "rows", "overlapping"]),
)
def test_same_tables_however_a_log_is_cut_into_files_and_builds(
    tmp_path_factory: pytest.TempPathFactory, seed: int, n: int, kinds: list[str], how: str
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    draw = random.Random(seed)
    log = _log(n, seed=seed)
    log = log.sort("timestamp") if how == "time" else log
    cuts = sorted(draw.randrange(n + 1) for _ in kinds[1:])
    # Names in no order, for a later file may stand before an earlier one.
    names = draw.sample("abcdefg", len(kinds))
    files: list[Path] = []
    for kind, name, start, stop in zip(kinds, names, [0, *cuts], [*cuts, n], strict=True):
        rows = log[max(0, start - 5 * (how == "overlapping")) : stop]
        if rows.height:
            files.append(_written(rows, folder / f"{name}.csv", kind))
    files = list({digest(file): file for file in files}.values())  # one that is there twice is left out
    together = pg.build(files, folder / "together")
    _same(_in_parts(folder / "added", files), together)


@pytest.mark.parametrize(
    "options",
    [
        {"trace": ["url", "text", "near-text"], "time_window": [60, 600]},
        {"parents": "learned", "samples": 5},
        {"parents": "pdi", "samples": 5},
        {"time_window": "auto", "min_participation": 1},
        {"mapping": {"auto": "auto", "object_id": "url"}},
        {"align_clocks": True, "keep": "all"},
    ],
)
def test_same_tables_by_any_options(tmp_path: Path, halves: list[Path], options: dict[str, Any]) -> None:
    _same(_in_parts(tmp_path / "added", halves, **options), pg.build(halves, tmp_path / "both", **options))


def test_clocks_that_differ_are_aligned_over_all_files(tmp_path: Path) -> None:
    log = cross_posted(shift=lambda time: 4 * HOUR + 0 * time)
    files = [tmp_path / "x.csv", tmp_path / "fb.csv"]
    for file in files:
        log.filter(platform=file.stem).write_csv(file)
    together = pg.build(files, tmp_path / "both", mapping=MAP, align_clocks=True)
    assert together.run["build"]["clocks"]["aligned"]
    _same(_in_parts(tmp_path / "added", files, mapping=MAP, align_clocks=True), together)


@pytest.mark.parametrize("name", ["german_urls", "hoaxy_edges"])
def test_same_tables_of_real_logs_cut_by_time(tmp_path: Path, name: str) -> None:
    path = SHARED / f"{name}.parquet"
    if not path.exists():
        pytest.skip(f"{path} is not here")
    log = pl.read_parquet(path)
    when = "created_at" if "created_at" in log.columns else "timestamp_share"
    log = log.sort(when)[:30_000]
    files = []
    for k, part in enumerate((log[:10_000], log[10_000:22_000], log[21_900:])):
        files.append(tmp_path / f"{k}.parquet")
        part.write_parquet(files[-1])
    _same(_in_parts(tmp_path / "added", files), pg.build(files, tmp_path / "all"))


def test_all_ten_posts_of_each_format_are_kept_as_they_were_read(tmp_path: Path) -> None:
    files = sorted(file for file in (Path(__file__).parent / "fixtures" / "ten").iterdir() if file.is_file())
    usable = []
    for file in files:
        try:
            pg.read_log(file)
            usable.append(file)
        except pg.InputError:
            continue
    assert len(usable) > 25
    half = len(usable) // 2
    added = pg.build(usable[half:], tmp_path / "added", append=True)
    added = pg.build(usable[:half], tmp_path / "added", append=True)
    _same(added, pg.build(usable, tmp_path / "all"))


def test_the_earlier_files_may_be_gone(tmp_path: Path, halves: list[Path]) -> None:
    both = pg.build(halves, tmp_path / "both")
    pg.build(halves[0], tmp_path / "added", append=True)
    halves[0].unlink()
    _same(pg.build(halves[1], tmp_path / "added", append=True), both)


def test_a_study_built_without_parts_reads_its_files_once_more(tmp_path: Path, halves: list[Path]) -> None:
    both = pg.build(halves, tmp_path / "both")
    plain = pg.build(halves[0], tmp_path / "plain")
    assert not (plain.path / PARTS).exists()
    added = pg.build(halves[1], tmp_path / "plain", append=True)
    _same(added, both)
    assert len(list((added.path / PARTS).iterdir())) == 2
    # Not where they are gone, or hold something else.
    pg.build(halves[0], tmp_path / "gone")
    halves[0].write_text(halves[0].read_text() + "\n")
    with pytest.raises(pg.InputError, match=r"day1\.csv: another content than when it was read"):
        pg.build(halves[1], tmp_path / "gone", append=True)
    halves[0].unlink()
    with pytest.raises(pg.InputError, match=r"day1\.csv: no such file"):
        pg.build(halves[1], tmp_path / "gone", append=True)


def test_a_file_that_is_there_already_is_left_out_and_told(tmp_path: Path, halves: list[Path]) -> None:
    first = pg.build(halves, tmp_path / "study", append=True)
    again = tmp_path / "copy.csv"
    again.write_bytes(halves[0].read_bytes())
    same = pg.build(again, first.path, append=True)
    assert same.ids == first.ids
    third = tmp_path / "day3.csv"
    _log(9, seed=3).with_columns("q" + pl.col("content_id")).write_csv(third)
    study = pg.build([again, third], first.path, append=True)
    assert (
        f"{again}: in the study already, as {halves[0]} (the same SHA-256); left out"
        in study.run["build"]["notes"]
    )
    _same(study, pg.build([*halves, third], tmp_path / "all"))


def test_a_file_that_grew_takes_its_own_place_and_one_that_changed_is_an_error(
    tmp_path: Path, halves: list[Path]
) -> None:
    study = pg.build(halves[0], tmp_path / "study", append=True)
    with halves[0].open("a") as file:
        file.write("p_new,a1,1700000009,https://s0.example/0,later\n")
    study = pg.build(halves[0], study.path, append=True)
    _same(study, pg.build(halves[0], tmp_path / "all"))
    assert any("grew since it was read" in note for note in study.run["build"]["notes"])
    halves[1].rename(halves[0])
    before = _bytes(study)
    with pytest.raises(pg.InputError, match="give the new one another name"):
        pg.build(halves[0], study.path, append=True)
    assert _bytes(pg.Study.open(study.path)) == before


def test_frames_are_numbered_on(tmp_path: Path) -> None:
    log = _log()
    together = pg.build([log[:20], log[20:50], log[50:]], tmp_path / "all", mapping={"auto": "auto"})
    pg.build([log[:20], log[20:50]], tmp_path / "added", append=True, mapping={"auto": "auto"})
    added = pg.build(log[50:], tmp_path / "added", append=True, mapping={"auto": "auto"})
    assert [source["path"] for source in added.run["build"]["inputs"]] == ["frame", "frame 2", "frame 3"]
    _same(added, together)


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("time_window", 300, "time_window: 300, but the study was built with 60"),
        ("trace", ["url"], "trace: url, but the study was built with none"),
        ("mapping", {"account_id": "account_id", "timestamp": "timestamp"}, "mapping: account_id=account_id"),
        ("parents", "learned", "parents: learned, but"),
        ("pseudonymise", True, "pseudonymise: True, but"),
        ("time_zone", "Europe/Paris", "time_zone: Europe/Paris, but"),
        ("align_clocks", True, "align_clocks: True, but"),
    ],
)
def test_another_option_is_an_error_that_names_it(
    tmp_path: Path, halves: list[Path], option: str, value: Any, told: str
) -> None:
    study = pg.build(halves[0], tmp_path / "study", append=True)
    before = _bytes(study)
    with pytest.raises(pg.UsageError, match=told):
        pg.build(halves[1], study.path, append=True, **{option: value})
    assert _bytes(pg.Study.open(study.path)) == before
    with pytest.raises(pg.UsageError, match="append: it adds to a study"):
        pg.build(halves[1], study.path, append=True, overwrite=True)


def test_pseudonyms_are_those_of_the_key_and_nothing_is_kept_as_it_was_read(
    tmp_path: Path, halves: list[Path]
) -> None:
    key = tmp_path / "a.key"
    key.write_text("0123456789abcdef0123456789abcdef")
    options = {"pseudonymise": True, "key": key}
    together = pg.build(halves, tmp_path / "all", **options)
    added = _in_parts(tmp_path / "added", halves, **options)
    _same(added, together)
    assert not (added.path / PARTS).exists()
    assert "a1" not in added.accounts["account_id"].to_list()
    other = tmp_path / "other.key"
    other.write_text("fedcba9876543210fedcba9876543210")
    with pytest.raises(pg.UsageError, match=r"key: .*other\.key: not the key of this study's pseudonyms"):
        pg.build(halves[1], added.path, append=True, pseudonymise=True, key=other)


def test_tables_of_later_jobs_are_taken_out_and_the_clusters_set_aside(
    tmp_path: Path, halves: list[Path]
) -> None:
    study = pg.find_clusters(pg.build(halves[0], tmp_path / "study", append=True))
    (study.path / "mine").mkdir()
    (study.path / "mine" / "note.txt").write_text("stays")
    clusters, shares, members = study.clusters, study.shares, study.members["account_id"]
    added = pg.build(halves[1], study.path, append=True)
    assert set(added.tables) == set(tables_of("build"))
    assert set(added.run) == {"build"}
    assert (added.path / "mine" / "note.txt").read_text() == "stays"
    before = pg.Study.open(added.path / BEFORE)
    assert before.clusters.equals(clusters)
    assert before.shares.equals(shares.filter(pl.col("account_id").is_in(members.implode())))
    assert [part["files"] for part in added.run["build"]["parts"]] == [[str(halves[0])], [str(halves[1])]]
    # Added to once more without a look at the clusters: what they were then is still the last that was known.
    third = tmp_path / "day3.csv"
    _log(9, seed=3).with_columns("q" + pl.col("content_id")).write_csv(third)
    again = pg.build(third, study.path, append=True)
    assert pg.Study.open(again.path / BEFORE).clusters.equals(clusters)


def test_a_kill_in_the_middle_leaves_the_study_as_it_was(tmp_path: Path, halves: list[Path]) -> None:
    study = pg.build(halves[0], tmp_path / "study", append=True)
    before, kept = _bytes(study), sorted(study.path.rglob("*"))
    program = f"""
        import os, signal
        import propgraph as pg, propgraph.jobs.build as job
        def killed(*_, **__):
            os.kill(os.getpid(), signal.SIGKILL)
        job.edges_and_bursts = killed
        pg.build({str(halves[1])!r}, {str(study.path)!r}, append=True)
    """
    end = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env=os.environ | {"PYTHONPATH": str(Path(pg.__file__).parents[1])},
        check=False, capture_output=True,
    )  # fmt: skip
    assert end.returncode == -9
    assert _bytes(pg.Study.open(study.path)) == before
    assert sorted(study.path.rglob("*")) == kept
    _same(pg.build(halves[1], study.path, append=True), pg.build(halves, tmp_path / "all"))


def test_a_part_that_cannot_be_read_is_told(tmp_path: Path, halves: list[Path]) -> None:
    study = pg.build(halves[0], tmp_path / "study", append=True)
    part = next((study.path / PARTS).iterdir())
    (part / "0.rows.arrow").write_bytes(b"no arrow")
    with pytest.raises(pg.StudyError, match=r"0\.rows\.arrow: cannot be read"):
        pg.build(halves[1], study.path, append=True)
    (part / "part.json").write_text("{")
    with pytest.raises(pg.StudyError, match=r"part\.json: cannot be read"):
        pg.build(halves[1], study.path, append=True)


def test_facts_about_sites_stay_and_those_given_again_are_read_again(
    tmp_path: Path, halves: list[Path]
) -> None:
    facts = tmp_path / "sites.csv"
    facts.write_text("site,owner\ns0.example,Ana\n")
    added = _in_parts(tmp_path / "added", halves, sites=facts)
    _same(added, pg.build(halves, tmp_path / "all", sites=facts))
    third = tmp_path / "day3.csv"
    _log(9, seed=3).with_columns("q" + pl.col("content_id")).write_csv(third)
    with pytest.raises(pg.UsageError, match=r"sites: the study was built with .*sites\.csv; give that again"):
        pg.build(third, added.path, append=True)


def test_the_record_names_each_part(tmp_path: Path, halves: list[Path]) -> None:
    study = _in_parts(tmp_path / "study", halves)
    record = json.loads((study.path / "run.json").read_text())["build"]
    assert [part["files"] for part in record["parts"]] == [[str(file)] for file in halves]
    assert record["parts"][-1]["id"] == record["id"]
    assert record["parameters"]["logs"] == [str(file) for file in halves]


def _command(*words: object) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_the_same_command_each_day(tmp_path: Path, halves: list[Path]) -> None:
    study = tmp_path / "study"
    first = _command("build", "--append", halves[0], "-o", study, "--time-window", "5m")
    assert first.exit_code == 0
    # What is left out is as the study was built; what is given has to be that.
    second = _command("build", "--append", halves[1], "-o", study)
    assert second.exit_code == 0, second.output
    assert "kept      1 files, 35 rows, of earlier builds" in second.output
    _same(pg.Study.open(study), pg.build(halves, tmp_path / "all", time_window=300))
    again = _command("build", "--append", halves[1], "-o", study, "--time-window", "300s")
    assert again.exit_code == 0
    assert "nothing to add" in again.output
    other = _command("build", "--append", halves[1], "-o", study, "--time-window", "60s")
    assert str(other.exception).startswith("time_window: 60.0, but the study was built with 300.0")
