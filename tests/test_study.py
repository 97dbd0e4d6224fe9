from __future__ import annotations

import hashlib
import json
import os
import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from propgraph import provenance
from propgraph.errors import StudyError
from propgraph.jobs.build import build
from propgraph.jobs.clusters import find_clusters
from propgraph.jobs.stability import measure_stability
from propgraph.provenance import Run
from propgraph.schema import CLUSTERS, EDGES, TABLES, tables_of
from propgraph.simulate.veles import simulate_veles
from propgraph.study import Study, is_study
from propgraph.writing import check_target, writing

posix_only = pytest.mark.skipif(os.name != "posix", reason="signals and limits are POSIX's")
PATIENCE_S = 60

# Each script makes a job stop at some point, say so, and wait for its end.
WAIT = """
import os, signal, sys, time
from pathlib import Path
import polars
from propgraph import build, find_clusters
from propgraph.cli.app import run
from propgraph.provenance import Run
from propgraph.writing import StudyWriter

def wait():
    print("inside", flush=True)
    time.sleep(600)

"""
WHILE_WRITING = (
    WAIT
    + """
real = StudyWriter.write
StudyWriter.write = lambda self, name, frame: wait() if name == "{table}" else real(self, name, frame)
"""
)
BEFORE_THE_RECORD = (
    WAIT
    + """
Run.finish = lambda self: wait()
"""
)
BETWEEN_RENAMES = (
    WAIT
    + """
import propgraph.folders
propgraph.folders.exchange = lambda *_: False  # as on a system that cannot
real, calls = Path.rename, []

def rename(self, target):
    calls.append(self)
    return wait() if len(calls) == {n} else real(self, target)

Path.rename = rename
"""
)
# Polars asks Python for dtypes from inside its Rust code; the interrupt comes right there.
INTERRUPT_INSIDE_POLARS = (
    WAIT
    + """
import propgraph.writing
make_folder, make_dtype = propgraph.writing._make, polars.Datetime.__init__

def interrupted(self, *args, **kwargs):
    polars.Datetime.__init__ = make_dtype
    os.kill(os.getpid(), signal.SIGINT)
    make_dtype(self, *args, **kwargs)

def make(*args):
    polars.Datetime.__init__ = interrupted
    make_folder(*args)

propgraph.writing._make = make
"""
)
BUILD = "build([sys.argv[1]], sys.argv[2], overwrite=True)"
RUN = "sys.exit(run(['build', sys.argv[1], '-o', sys.argv[2], '--overwrite']))"


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """A small log, in which there is something to find."""
    path = tmp_path_factory.mktemp("log") / "log.parquet"
    simulate_veles(n_accounts=300, n_days=2, n_sites=4, n_seeders=30).log.write_parquet(path)
    return path


@pytest.fixture(scope="module")
def whole(log, tmp_path_factory):
    """A whole study of all jobs; copied before it is put at risk."""
    path = tmp_path_factory.mktemp("whole") / "study"
    build([log], path)
    find_clusters(path)
    measure_stability(path, runs=2)
    return path


@pytest.fixture
def study(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "study")


def content(folder):
    """Return the digest of every file in a folder."""
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}


def beside(study):
    """Return what lies beside a study, hidden or not."""
    return sorted(path.name for path in study.parent.iterdir() if path != study)


def partials(study):
    return [name for name in beside(study) if ".partial-" in name]


def started(script, *arguments):
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def killed_inside(script, *arguments):
    """Run a script until it says that it is inside, and kill it there and then."""
    with started(script, *arguments) as process:
        told = process.stdout.readline()
        process.kill()
        assert told == "inside\n", process.stderr.read()
    assert process.returncode == -signal.SIGKILL


def propgraph(*arguments, **options):
    command = [sys.executable, "-m", "propgraph", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S, **options)


# --- killed ----------------------------------------------------------------------------------------------


@posix_only
def test_a_build_killed_in_the_middle_leaves_the_earlier_study(log, study):
    before = content(study)
    killed_inside(WHILE_WRITING.format(table="cascades") + BUILD, log, study)
    assert content(study) == before
    (partial,) = partials(study)
    half = study.parent / partial
    assert (half / "posts.parquet").exists()
    assert not is_study(half)
    with pytest.raises(StudyError, match="not a study"):
        Study.open(half)
    # What was left lying there does not matter to those who come after.
    assert Study.open(study).clusters.height == pl.read_parquet(study / "clusters.parquet").height
    build([log], study, overwrite=True)
    assert set(Study.open(study).run) == {"build"}
    assert beside(study) == []  # the next run clears up


@posix_only
def test_a_first_build_killed_in_the_middle_leaves_no_study(log, tmp_path):
    target = tmp_path / "new"
    killed_inside(BEFORE_THE_RECORD + BUILD, log, target)
    assert not target.exists()
    (partial,) = partials(target)
    # Every table was written by then; without a run record it is no study all the same.
    assert (target.parent / partial / "edges.parquet").exists()
    assert not is_study(target.parent / partial)
    with pytest.raises(StudyError, match="no such study"):
        Study.open(target)
    build([log], target)
    assert Study.open(target).posts.height == pl.read_parquet(log).height


@posix_only
def test_clusters_killed_in_the_middle_leave_the_earlier_study(study):
    before = content(study)
    script = WHILE_WRITING.format(table="sites") + "find_clusters(sys.argv[1], resolution=2.0, min_score=0.1)"
    killed_inside(script, study)
    assert content(study) == before
    (partial,) = partials(study)
    # A table that is just being written may be gone; those of the other job are there.
    assert (study.parent / partial / "edges.parquet").exists()
    assert not is_study(study.parent / partial)
    find_clusters(study, min_score=0.1)
    assert Study.open(study).run["clusters"]["parameters"]["min_score"] == 0.1


@posix_only
@pytest.mark.parametrize("next_step", ["open", "build", "overwrite", "clusters"])
def test_killed_between_the_two_renames_the_earlier_study_comes_back(log, study, next_step):
    before = content(study)
    killed_inside(BETWEEN_RENAMES.format(n=2) + BUILD, log, study)
    assert not study.exists()
    assert ".study.previous" in beside(study)
    if next_step == "open":
        assert Study.open(study).path == study
        assert content(study) == before
        assert ".study.previous" not in beside(study)
    elif next_step == "build":
        with pytest.raises(StudyError, match="--overwrite"):
            build([log], study)
        assert content(study) == before
    elif next_step == "clusters":
        find_clusters(study)
        assert set(Study.open(study).run) == {"build", "clusters"}
        after = content(study)
        # What was measured of the clusters before is gone with them.
        assert set(before) - set(after) == {"stability.parquet"}
        left = [name for name, table in TABLES.items() if table.job not in ("stability", "power")]
        assert {name for name in left if after[f"{name}.parquet"] != before[f"{name}.parquet"]} <= {
            "members", "clusters", "campaigns", "sites", "evidence"
        }  # fmt: skip
    else:
        build([log], study, overwrite=True)
        assert set(Study.open(study).run) == {"build"}


@posix_only
def test_killed_before_the_first_rename_the_earlier_study_stays(log, study):
    before = content(study)
    killed_inside(BETWEEN_RENAMES.format(n=1) + BUILD, log, study)
    assert Study.open(study).path == study
    assert content(study) == before


def test_a_study_left_over_from_an_earlier_swap_does_not_come_back(study, whole):
    # Killed after the second rename: the new study stands, and the old one lies beside it still.
    shutil.copytree(whole, study.parent / ".study.previous")
    after = content(study)
    assert Study.open(study).path == study
    assert content(study) == after
    with writing(study) as writer:
        writer.write("edges", EDGES.empty())
        writer.run = {"build": {"job": "build"}}
    assert Study.open(study).tables == ["edges"]
    assert beside(study) == []


# --- a full disk and Ctrl-C ------------------------------------------------------------------------------


@posix_only
@pytest.mark.parametrize("part", [0.1, 0.9])
def test_a_full_disk_is_told_and_leaves_the_earlier_study(log, study, part):
    before = content(study)
    written = [study / f"{name}.parquet" for name in tables_of("build")]
    limit = int(part * max(file.stat().st_size for file in written if file.exists()))

    def fill_the_disk():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    done = propgraph("build", log, "-o", study, "--overwrite", preexec_fn=fill_the_disk)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("propgraph: ")
    assert "cannot be written" in done.stderr
    assert "disk full" in done.stderr
    assert "internal error" not in done.stderr
    assert "Traceback" not in done.stderr
    assert content(study) == before
    assert beside(study) == []


@posix_only
def test_a_disk_too_full_for_the_run_record(study):
    before = content(study)

    def full():
        with writing(study, of=Study.open(study)) as writer:
            writer.run = {"build": {"note": "x" * 20_000}}

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(StudyError, match=r"cannot be written.*disk full"):
            full()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert content(study) == before
    assert beside(study) == []


@posix_only
@pytest.mark.parametrize("table", ["posts", "edges"])
def test_ctrl_c_ends_with_130_and_leaves_the_earlier_study(log, study, table):
    before = content(study)
    with started(WHILE_WRITING.format(table=table) + RUN, log, study) as process:
        assert process.stdout.readline() == "inside\n"
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, stdout) == (130, "")
    assert stderr == "propgraph: interrupted; nothing is left half made\n"
    assert content(study) == before
    assert beside(study) == []


@posix_only
@pytest.mark.parametrize("n_logs", [1, 2])
def test_ctrl_c_inside_polars_ends_with_130(log, study, tmp_path, n_logs):
    # Of two logs in a folder the first is left out as damaged, and the build goes on to its end.
    before = content(study)
    logs = tmp_path / "logs"
    logs.mkdir()
    for number in range(n_logs):
        shutil.copy(log, logs / f"{number}.parquet")
    with started(INTERRUPT_INSIDE_POLARS + RUN, logs, study) as process:
        _, stderr = process.communicate(timeout=PATIENCE_S)
    assert content(study) == before
    assert beside(study) == ["logs"]
    assert process.returncode == 130
    assert "propgraph: interrupted" in stderr


@posix_only
@pytest.mark.parametrize("delay_s", [0.0, 0.3])
def test_ctrl_c_at_any_time_leaves_the_earlier_study(study, tmp_path, delay_s):
    before = content(study)
    log = tmp_path / "large.parquet"
    large = simulate_veles(n_accounts=6_000, n_days=30, n_sites=20, n_seeders=200).log
    ids = pl.col("content_id", "parent_content_id")
    pl.concat(large.with_columns(ids + f"-{number}") for number in range(4)).write_parquet(log)
    with started(WAIT + RUN, log, study) as process:
        wait_until(lambda: any(".study.partial-" in name for name in beside(study)), process)
        time.sleep(delay_s)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=PATIENCE_S)
    # 130, but see the test above: inside Polars it can be 1.
    assert process.returncode in (1, 130), stderr
    assert stdout == ""
    assert content(study) == before
    assert beside(study) == ["large.parquet"]


def wait_until(happened, process):
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_ctrl_c_in_the_moment_the_folder_is_made(study, monkeypatch):
    real = Path.mkdir

    def mkdir(self, *args, **kwargs):
        real(self, *args, **kwargs)
        if ".partial-" in self.name:
            raise KeyboardInterrupt

    monkeypatch.setattr(Path, "mkdir", mkdir)
    with pytest.raises(KeyboardInterrupt), writing(study):
        raise AssertionError("never reached")
    assert beside(study) == []


# --- writing ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_error_inside_leaves_the_earlier_study(study, error):
    before = content(study)

    def fail():
        with writing(study, of=Study.open(study)) as writer:
            writer.write("clusters", CLUSTERS.empty())
            writer.run = {}
            raise error

    with pytest.raises(error):
        fail()
    assert content(study) == before
    assert beside(study) == []


def test_nothing_shows_before_it_is_whole(tmp_path):
    target = tmp_path / "deep" / "study"
    with writing(target) as writer:
        writer.write("edges", EDGES.empty())
        writer.run = {"build": {"notes": ["naïve ☃"]}}
        assert not target.exists()
        assert not is_study(writer.folder)
    assert Study.open(target).tables == ["edges"]
    assert Study.open(target).run == {"build": {"notes": ["naïve ☃"]}}
    assert beside(target) == []


def test_keep_replaces_what_is_written_and_keeps_the_rest(study):
    before = content(study)
    with writing(study, of=Study.open(study)) as writer:
        assert set(writer.run) == {"build", "clusters", "stability"}
        writer.write("clusters", CLUSTERS.empty())
    after = content(study)
    assert {name for name in before if before[name] != after[name]} == {"clusters.parquet"}
    assert set(after) == set(before)
    assert Study.open(study).clusters.is_empty()


def test_without_keep_nothing_of_the_earlier_study_stays(study):
    with writing(study) as writer:
        writer.run = {"build": {}}
    assert list(content(study)) == ["run.json"]


def test_a_study_may_be_read_by_others(study):
    with writing(study, of=Study.open(study)):
        pass
    assert study.stat().st_mode & 0o777 == 0o755


def test_what_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StudyError, match="cannot be made here"), writing(tmp_path / "file" / "study"):
        pass


def test_tables_with_unknown_columns_are_refused(tmp_path):
    def wrong():
        with writing(tmp_path / "study") as writer:
            writer.write("edges", pl.DataFrame({"sorce": ["a"]}))

    with pytest.raises(Exception, match=r"'sorce' .*did you mean 'source'"):
        wrong()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["shares.csv", "my shares.csv"])
def test_a_file_is_no_study(tmp_path, name):
    file = tmp_path / name
    file.write_text("account_id,timestamp,object_id\n")
    with pytest.raises(StudyError) as told:
        Study.open(file)
    assert f"{file}: a file, and a study is a folder" in str(told.value)
    # The command that it says can be copied: the file is the log, and not the folder to make.
    [command] = re.findall("`(.*)`", str(told.value))
    assert shlex.split(command) == ["propgraph", "build", str(file), "-o", "STUDY"]


def test_a_table_of_a_study_is_no_study(small_study):
    with pytest.raises(StudyError, match="a file, and a study is a folder; it lies in one: ") as told:
        Study.open(small_study.file("edges"))
    assert str(told.value).endswith(str(small_study.path))


def test_errors_name_what_python_calls_an_option(tmp_path, own_study):
    own_study.file("members").unlink()
    with pytest.raises(
        StudyError, match=r"no table 'members' in it, .* --config .* \(in Python: propgraph.find_clusters\)"
    ):
        own_study.scan("members")
    with pytest.raises(StudyError, match=r"add --overwrite \(in Python: overwrite=True\)"):
        check_target(own_study.path, overwrite=False)
    with pytest.raises(StudyError, match=r"make one with .* \(in Python: propgraph.build\)"):
        Study.open(tmp_path / "none")


# --- what is in the way ----------------------------------------------------------------------------------


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_is_no_study_is_never_replaced(log, tmp_path, what, overwrite):
    target = tmp_path / "thesis"
    precious = target if what == "file" else target / "chapter1.txt"
    precious.parent.mkdir(exist_ok=True)
    precious.write_text("ten years of work")
    with pytest.raises(StudyError, match="not a study is in the way"):
        build([log], target, overwrite=overwrite)
    assert precious.read_text() == "ten years of work"
    assert beside(target) == []


def test_a_study_is_replaced_only_on_demand(study):
    with pytest.raises(StudyError, match="add --overwrite"):
        check_target(study, overwrite=False)
    check_target(study, overwrite=True)


def test_an_empty_folder_or_none_is_fine(log, tmp_path):
    (tmp_path / "empty").mkdir()
    check_target(tmp_path / "none", overwrite=False)
    check_target(tmp_path / "empty", overwrite=False)
    assert build([log], tmp_path / "empty").posts.height == pl.read_parquet(log).height
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty"]


# --- reading ---------------------------------------------------------------------------------------------


def test_tables_are_attributes(whole):
    study = Study.open(whole)
    # All but that of the one job which was not run.
    assert study.tables == [name for name in TABLES if name != "power"]
    for name in study.tables:
        assert getattr(study, name).equals(pl.read_parquet(whole / f"{name}.parquet"))
    assert isinstance(study.scan("edges"), pl.LazyFrame)
    assert study.run == json.loads((whole / "run.json").read_text(encoding="utf-8"))
    assert set(TABLES) | {"open", "run", "scan", "tables", "path"} <= set(dir(study))
    assert repr(study).startswith("Study(")
    assert "cascade_nodes" in repr(study)


def test_unknown_tables_name_the_nearest(whole):
    study = Study.open(whole)
    with pytest.raises(AttributeError, match=r"'edge'.*did you mean 'edges'"):
        _ = study.edge
    with pytest.raises(StudyError, match=r"'clusterz'.*did you mean 'clusters'"):
        study.scan("clusterz")
    assert not hasattr(study, "__deepcopy__")
    assert not hasattr(study, "qqq")


def test_tables_of_a_job_not_run_yet_name_the_job(log, tmp_path):
    study = build([log], tmp_path / "study")
    for name in ("members", "clusters", "sites", "evidence"):
        with pytest.raises(StudyError, match="run `propgraph clusters` first"):
            getattr(study, name)
    with pytest.raises(StudyError, match="run `propgraph stability` first"):
        _ = study.stability
    (study.path / "edges.parquet").unlink()
    with pytest.raises(StudyError, match="run `propgraph build` first"):
        _ = study.edges


def test_what_is_not_there_cannot_be_opened(tmp_path):
    with pytest.raises(StudyError, match="no such study"):
        Study.open(tmp_path / "none")
    with pytest.raises(StudyError, match=r"not a study \(no run.json in it\)"):
        Study.open(tmp_path)


# --- the run record --------------------------------------------------------------------------------------


def test_a_run_notes_steps_counts_and_versions():
    run = Run("build", {"seed": 3})
    with run.step("read"):
        time.sleep(0.02)
    run.count(posts=4)
    run.count(rows=5)
    run.note("said")
    record = run.finish()
    assert (record["job"], record["parameters"], record["notes"]) == ("build", {"seed": 3}, ["said"])
    assert record["counts"] == {"posts": 4, "rows": 5}
    (step,) = record["steps"]
    assert step["step"] == "read"
    assert 0.02 <= step["wall_s"] <= record["wall_s"]
    assert record["peak_memory_mb"] >= step["peak_memory_mb"] > 10
    assert record["versions"]["polars"] == pl.__version__
    assert record["versions"]["python"] == ".".join(map(str, sys.version_info[:3]))
    json.dumps(record)


def test_where_nothing_tells_the_memory_it_is_not_known(log, tmp_path):
    """As on Windows, which has no `resource`; psutil comes with propgraph there, and tells."""
    script = "import sys; sys.modules['resource'] = sys.modules['psutil'] = None\n" + WAIT + RUN
    with started(script, log, tmp_path / "study") as process:
        stdout, stderr = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, stderr) == (0, "")
    assert "memory" not in stdout
    run = Study.open(tmp_path / "study").run["build"]
    assert {run["peak_memory_mb"], *(step["peak_memory_mb"] for step in run["steps"])} == {None}


def test_psutil_tells_the_memory_where_the_system_does_not(monkeypatch):
    memory = SimpleNamespace(rss=5_000_000, peak_wset=71_400_000)
    psutil = SimpleNamespace(Process=lambda: SimpleNamespace(memory_info=lambda: memory))
    monkeypatch.setattr(provenance, "resource", None)
    monkeypatch.setitem(sys.modules, "psutil", psutil)
    assert provenance.peak_memory_mb() == 71


def test_a_study_is_not_replaced_under_ones_feet(log, tmp_path, monkeypatch):
    build([log], tmp_path / "study")
    monkeypatch.chdir(tmp_path / "study")
    with pytest.raises(StudyError, match="go up"):
        find_clusters(".")
    with pytest.raises(StudyError, match="go up"):
        build([log], ".", overwrite=True)


def test_what_else_lies_in_a_study_stays_there(log, tmp_path):
    build([log], tmp_path / "study")
    (tmp_path / "study" / "figures").mkdir()
    (tmp_path / "study" / "figures" / "one.txt").write_text("mine")
    (tmp_path / "study" / "notes.md").write_text("mine too")
    find_clusters(tmp_path / "study")
    assert (tmp_path / "study" / "figures" / "one.txt").read_text() == "mine"
    assert (tmp_path / "study" / "notes.md").read_text() == "mine too"


@posix_only
def test_a_link_to_a_study_stays_a_link(log, tmp_path):
    build([log], tmp_path / "study")
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "study")
    for _ in range(2):
        find_clusters(link)
    assert link.is_symlink()
    assert "clusters" in Study.open(link).tables
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "study"]
