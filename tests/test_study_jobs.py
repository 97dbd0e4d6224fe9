"""Several jobs on one study, and what ends a job before its time."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import nullcontext
from pathlib import Path

import filelock
import polars as pl
import pytest
from test_study import (
    BUILD,
    PATIENCE_S,
    WAIT,
    WHILE_WRITING,
    beside,
    content,
    posix_only,
    propgraph,
    started,
)

from propgraph import folders
from propgraph import writing as writes
from propgraph.cli import interrupts
from propgraph.errors import StudyError
from propgraph.evaluation.evaluate import evaluate
from propgraph.export.network import write_network
from propgraph.jobs import clusters as finding
from propgraph.jobs.build import build
from propgraph.jobs.clusters import find_clusters
from propgraph.jobs.stability import measure_stability
from propgraph.schema import EDGES
from propgraph.simulate.veles import simulate_veles
from propgraph.study import Study, run_ids, unchanged
from propgraph.writing import writing


def made_log(path, seed):
    simulate_veles(n_accounts=300, n_days=2, n_sites=4, n_seeders=30, seed=seed).log.write_parquet(path)
    return path


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    return made_log(tmp_path_factory.mktemp("log") / "log.parquet", 0)


@pytest.fixture(scope="module")
def other_log(tmp_path_factory):
    return made_log(tmp_path_factory.mktemp("log") / "other.parquet", 9)


@pytest.fixture
def study(log, tmp_path):
    build([log], tmp_path / "study")
    find_clusters(tmp_path / "study")
    return tmp_path / "study"


@pytest.fixture
def no_locks(monkeypatch):
    """A file system on which locks do nothing."""
    monkeypatch.setattr(writes, "alone", lambda _: nullcontext())


# --- one at a time ---------------------------------------------------------------------------------------


@posix_only
def test_a_second_job_ends_at_once_and_names_the_first(log, study):
    before = content(study)
    with started(WHILE_WRITING.format(table="cascades") + BUILD, log, study) as first:
        assert first.stdout.readline() == "inside\n"
        second = propgraph("clusters", study, "--min-score", "0.4")
        assert (second.returncode, second.stdout) == (1, "")
        at_work = f"another job is at work on this study (process {first.pid}); wait for its end"
        assert second.stderr == f"propgraph: {study}: {at_work}, or name another folder\n"
        for job in (
            lambda: find_clusters(study),
            lambda: measure_stability(study, runs=1),
            lambda: build([log], study, overwrite=True),
        ):
            with pytest.raises(StudyError, match="another job is at work on this study"):
                job()
        assert Study.open(study).posts.height > 0  # reading is no job
        assert content(study) == before
        first.kill()
    # The lock of who is dead is none.
    find_clusters(study, min_score=0.4)
    assert beside(study) == []


@posix_only
def test_two_first_builds_of_one_study(log, other_log, tmp_path):
    target = tmp_path / "study"
    with started(WHILE_WRITING.format(table="edges") + BUILD, log, target) as first:
        assert first.stdout.readline() == "inside\n"
        with pytest.raises(StudyError, match="another job is at work on this study"):
            build([other_log], target)
        first.kill()
    build([other_log], target)
    assert beside(target) == []


def test_two_jobs_of_one_process(study):
    with writing(study) as writer:
        with pytest.raises(StudyError, match=rf"another job .*\(process {os.getpid()}\)"), writing(study):
            raise AssertionError("never reached")
        assert writer.folder.exists()  # the second does not clear up what the first is making
        writer.run = {"build": {}}
    assert beside(study) == []


def test_a_file_stands_in_where_the_file_system_has_no_locks(log, tmp_path, monkeypatch):
    class NoLocks(filelock.FileLock):
        def acquire(self, *_, **__):
            raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(filelock, "FileLock", NoLocks)
    with writing(tmp_path / "study") as writer:
        assert (tmp_path / ".study.lock").exists()
        with pytest.raises(StudyError, match="another job is at work"):
            build([log], tmp_path / "study")
        writer.run = {"build": {}}
    assert beside(tmp_path / "study") == []


def test_what_killed_jobs_left_is_cleared_up_whoever_has_their_number_now(study):
    mine = folders.partial(study.resolve())  # named after this very process, which lives
    mine.mkdir()
    (mine / "posts.parquet").write_bytes(b"half")
    not_ours = study.parent / ".study.partial-notes"
    not_ours.mkdir()
    find_clusters(study, min_score=0.4)
    assert beside(study) == [not_ours.name]


# --- what a job read is what it replaces -----------------------------------------------------------------


def test_runs_have_an_id_and_say_of_which_they_are(log, study):
    first = Study.open(study).run
    assert first["clusters"]["of"] == {"build": first["build"]["id"]}
    measure_stability(study, runs=1)
    run = Study.open(study).run
    assert run["stability"]["of"] == {job: run[job]["id"] for job in ("build", "clusters")}
    assert len({record["id"] for record in run.values()}) == 3
    build([log], study, overwrite=True)
    assert Study.open(study).run["build"]["id"] != first["build"]["id"]


def test_runs_of_an_earlier_version_are_told_apart_too():
    one = {"build": {"started": "2024-03-05T10:00:00+00:00", "wall_s": 1.25}}
    other = {"build": {"started": "2024-03-05T10:00:00+00:00", "wall_s": 1.5}}
    assert run_ids(one) == run_ids(json.loads(json.dumps(one))) != run_ids(other)
    assert run_ids({"build": {"id": "x", "wall_s": 2}}) == {"build": "x"}


def replacing(monkeypatch, log, study):
    """Let the study be replaced, by a build that knows of no lock, when `find_clusters` begins to read."""
    run_steps = finding.run_steps

    def run_later(*args, **kwargs):
        build([log], study, overwrite=True)
        return run_steps(*args, **kwargs)

    monkeypatch.setattr(finding, "run_steps", run_later)


@pytest.mark.usefixtures("no_locks")
@pytest.mark.parametrize("in_one_step", [True, False])
def test_clusters_of_a_study_that_was_replaced_meanwhile_are_not_put_into_the_new_one(
    other_log, study, tmp_path, monkeypatch, in_one_step
):
    if not in_one_step:
        monkeypatch.setattr(folders, "_libc", lambda: None)
    replacing(monkeypatch, other_log, study)
    build([other_log], tmp_path / "expected")
    with pytest.raises(
        StudyError, match=r"something else made, moved or replaced this study .* Run the job again"
    ):
        find_clusters(study)
    after = content(study)
    assert {name: after[name] for name in after if name != "run.json"} == {
        name: digest for name, digest in content(tmp_path / "expected").items() if name != "run.json"
    }
    assert set(Study.open(study).run) == {"build"}
    assert beside(study) == ["expected"]
    monkeypatch.undo()
    found = find_clusters(study)
    assert set(found.members["account_id"]) <= set(found.posts["account_id"])


@pytest.mark.usefixtures("no_locks")
def test_a_study_that_was_made_meanwhile_is_not_replaced(log, tmp_path):
    def made_twice():
        with writing(tmp_path / "study", overwrite=False) as writer:
            writer.write("edges", EDGES.empty())
            build([log], tmp_path / "study")

    with pytest.raises(StudyError, match="something else made"):
        made_twice()
    assert Study.open(tmp_path / "study").posts.height > 0


@pytest.mark.usefixtures("no_locks")
def test_a_study_that_was_moved_away_meanwhile(study, tmp_path):
    def moved():
        with writing(study, of=Study.open(study)):
            study.rename(tmp_path / "elsewhere")

    with pytest.raises(StudyError, match="moved"):
        moved()
    assert not study.exists()
    assert Study.open(tmp_path / "elsewhere").clusters.height > 0


def test_a_study_opened_before_it_was_built_anew_gives_no_tables_of_the_new_one(other_log, study):
    opened = Study.open(study)
    assert find_clusters(opened, min_score=0.4).run["clusters"]["parameters"]["min_score"] == 0.4
    assert opened.clusters.height > 0  # clusters found anew belong to the same posts
    build([other_log], study, overwrite=True)
    for read in (lambda: opened.posts, lambda: opened.scan("edges"), lambda: find_clusters(opened)):
        with pytest.raises(StudyError, match=r"built anew since it was opened; open it again"):
            read()
    assert Study.open(study).posts.height > 0


def test_who_reads_a_study_while_it_is_replaced_is_told(other_log, study):
    found = Study.open(study)

    def read(error=None):
        with unchanged(found):
            build([other_log], study, overwrite=True)
            if error is not None:
                raise error

    with pytest.raises(StudyError, match="another job replaced this study while it was read"):
        read()
    with pytest.raises(StudyError, match="another job replaced this study while it was read"):
        read(KeyError("members"))
    with pytest.raises(KeyError), unchanged(Study.open(study)):
        raise KeyError("members")  # a fault of ours stays one


@posix_only
def test_commands_that_read_tell_it_too(other_log, study, tmp_path):
    script = (
        WAIT
        + """
from propgraph import study
scan = study.Study.scan

def slow(self, name):
    if name == "cascades":
        study.Study.scan = scan
        build([sys.argv[1]], self.path, overwrite=True)
    return scan(self, name)

study.Study.scan = slow
sys.exit(run(["cascades", sys.argv[2]]))
"""
    )
    with started(script, other_log, study) as process:
        _, stderr = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert stderr.startswith(f"propgraph: {study}: ")
    assert stderr.count("\n") == 1


def test_jobs_take_an_open_study_or_its_path(study, tmp_path):
    opened = Study.open(study)
    assert find_clusters(opened).path == opened.path
    assert measure_stability(opened, runs=1).stability.height == opened.clusters.height
    truth = opened.accounts.select(
        "account_id", label=pl.col("account_id").is_in(opened.members["account_id"].implode())
    )
    truth.write_csv(tmp_path / "truth.csv")
    alone = evaluate(opened.account_scores, truth, accounts=opened.accounts, resamples=10)
    for given in (opened, study, str(study)):
        for known in (truth, tmp_path / "truth.csv"):
            assert evaluate(given, known, resamples=10).measures.equals(alone.measures)
    write_network(tmp_path / "network.graphml", opened)
    assert (tmp_path / "network.graphml").stat().st_size > 0


# --- in one step -----------------------------------------------------------------------------------------


def two_folders(tmp_path):
    for name in ("new", "study"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "what").write_text(name)
    return tmp_path / "new", tmp_path / "study"


@pytest.mark.skipif(sys.platform != "linux", reason="renameat2 is Linux's")
def test_two_folders_change_places(tmp_path):
    new, study = two_folders(tmp_path)
    assert folders.exchange(new, study)
    assert ((study / "what").read_text(), (new / "what").read_text()) == ("new", "study")
    assert not folders.exchange(new, tmp_path / "none")


@pytest.mark.parametrize("libc", [None, object()])
def test_where_no_two_folders_can_change_places_one_steps_aside(tmp_path, monkeypatch, libc):
    monkeypatch.setattr(folders, "_libc", lambda: libc)
    new, study = two_folders(tmp_path)
    assert not folders.exchange(new, study)
    folders.put_in_place(new, study)
    assert (study / "what").read_text() == "new"
    assert beside(study) == []


@pytest.mark.skipif(sys.platform != "linux", reason="renameat2 is Linux's")
def test_at_no_time_is_no_study_there(study):
    seen, stop = [], threading.Event()

    def look():
        while not stop.is_set():
            try:
                os.close(os.open(study / "run.json", os.O_RDONLY))
                seen.append(True)
            except FileNotFoundError:
                seen.append(False)

    looker = threading.Thread(target=look)
    looker.start()
    try:
        for _ in range(200):
            with writing(study) as writer:
                writer.run = {"build": {}}
    finally:
        stop.set()
        looker.join()
    assert len(seen) > 200
    assert all(seen)


def test_who_looks_between_the_two_renames_waits_for_the_second(study, monkeypatch):
    monkeypatch.setattr(folders, "_libc", lambda: None)
    between, rename = threading.Event(), Path.rename

    def slow(self, target):
        if ".partial-" in self.name:
            between.set()
            time.sleep(0.3)
        return rename(self, target)

    def replace():
        with writing(study) as writer:
            writer.run = {"build": {"id": "new"}}

    monkeypatch.setattr(Path, "rename", slow)
    job = threading.Thread(target=replace)
    job.start()
    assert between.wait(PATIENCE_S)
    assert Study.open(study).run == {"build": {"id": "new"}}
    job.join()
    assert beside(study) == []


def test_on_windows_a_folder_that_somebody_looks_into_is_renamed_a_little_later(tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "WINDOWS", True)
    monkeypatch.setattr(folders, "_libc", lambda: None)
    tries, rename = [], Path.rename

    def held(self, target):
        tries.append(self.name)
        if len(tries) < 4:
            raise PermissionError(errno.EACCES, "held")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", held)
    new, study = two_folders(tmp_path)
    folders.put_in_place(new, study)
    assert tries == ["study"] * 4 + ["new"]
    assert (study / "what").read_text() == "new"


def test_on_windows_a_file_that_is_open_elsewhere_is_told(study, monkeypatch):
    monkeypatch.setattr(folders, "WINDOWS", True)
    monkeypatch.setattr(writes, "WINDOWS", True)
    monkeypatch.setattr(folders, "_PATIENCE_S", 0.1)
    monkeypatch.setattr(folders, "_libc", lambda: None)

    def held(*_):
        raise PermissionError(errno.EACCES, "Access is denied")

    before = content(study)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", held)
        with pytest.raises(StudyError, match=r"Access is denied.*open in another program\?"), writing(study):
            pass
    assert content(study) == before
    assert beside(study) == []


@posix_only
def test_without_what_windows_lacks(log, tmp_path):
    script = """
import ctypes, os, signal, sys
import igraph, leidenalg, numba, polars, pyarrow, scipy.special

for name in ("resource", "fcntl", "pwd", "grp", "psutil"):
    sys.modules[name] = None
for module, names in ((signal, ("SIGHUP", "SIGKILL", "pthread_kill")), (os, ("link", "getuid", "fork"))):
    for name in names:
        delattr(module, name)

def no_library(*_, **__):
    raise TypeError("LoadLibrary() argument 1 must be str, not None")

ctypes.CDLL = no_library
from propgraph.cli import interrupts
from propgraph.cli.app import run

interrupts.catch()
log, study = sys.argv[1:]
for command in (["build", log, "-o", study], ["clusters", study], ["build", log, "-o", study, "--overwrite"]):
    if code := run(command):
        sys.exit(code)
"""
    with started(script, log, tmp_path / "study") as process:
        _, stderr = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, stderr) == (0, "")
    assert Study.open(tmp_path / "study").run["build"]["peak_memory_mb"] is None
    assert beside(tmp_path / "study") == []


def test_without_hard_links_tables_are_copied(study, monkeypatch):
    before = content(study)
    monkeypatch.delattr(os, "link")
    with writing(study, of=Study.open(study)):
        pass
    assert content(study) == before


# --- where it cannot be written --------------------------------------------------------------------------


def test_a_mount_point_is_not_replaced(log, tmp_path, monkeypatch):
    (tmp_path / "volume").mkdir()
    monkeypatch.setattr(os.path, "ismount", lambda path: path == tmp_path / "volume")
    with pytest.raises(
        StudyError, match=rf"a disk or a volume begins here.*name a folder in it: {tmp_path}/volume/study"
    ):
        build([log], tmp_path / "volume")
    assert build([log], tmp_path / "volume" / "study").posts.height > 0


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_a_folder_in_which_no_file_can_be_made(log):
    with pytest.raises(StudyError, match=r"/proc/study: cannot be made here \(No such file or directory\)"):
        build([log], "/proc/study")


def test_a_folder_that_may_only_be_read(log, study, monkeypatch):
    before = content(study)

    opened = os.open

    def read_only(path, flags, *rest, **options):
        if flags & os.O_CREAT:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return opened(path, flags, *rest, **options)

    monkeypatch.setattr(os, "open", read_only)
    with pytest.raises(StudyError, match=r"cannot be made here \(Read-only file system\)"):
        build([log], study, overwrite=True)
    monkeypatch.undo()
    assert content(study) == before


# --- signals ---------------------------------------------------------------------------------------------

SLOW_TIDYING = """
import shutil
rmtree = shutil.rmtree

def slow(path, **kwargs):
    if ".partial-" in str(path):
        print("tidying", flush=True)
        time.sleep(1)
    rmtree(path, **kwargs)

shutil.rmtree = slow
"""
MAIN = """
from propgraph.__main__ import main
sys.argv = ["propgraph", "build", sys.argv[1], "-o", sys.argv[2], "--overwrite"]
main()
"""
SAID = f"propgraph: {interrupts.INTERRUPTED}\n"


@posix_only
@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_every_signal_that_ends_a_job_leaves_the_earlier_study(log, study, name, code):
    before = content(study)
    with started(WHILE_WRITING.format(table="edges") + MAIN, log, study) as process:
        assert process.stdout.readline() == "inside\n"
        process.send_signal(getattr(signal, name))
        stdout, stderr = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, stdout, stderr) == (code, "", SAID)
    assert content(study) == before
    assert beside(study) == []


@posix_only
@pytest.mark.parametrize("pause_s", [0.0, 0.7])
def test_ctrl_c_twice_is_tidied_up_all_the_same(log, study, pause_s):
    before = content(study)
    with started(WHILE_WRITING.format(table="edges") + SLOW_TIDYING + MAIN, log, study) as process:
        assert process.stdout.readline() == "inside\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "tidying\n"
        time.sleep(pause_s)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, stderr) == (130, SAID)
    assert content(study) == before
    assert beside(study) == []


@posix_only
def test_nohup_is_heeded(log, study):
    def ignore():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    script = WHILE_WRITING.format(table="edges").replace("600", "1") + MAIN
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "preexec_fn": ignore}
    with subprocess.Popen([sys.executable, "-c", script, str(log), str(study)], **options) as process:
        assert process.stdout.readline() == "inside\n"
        process.send_signal(signal.SIGHUP)
        _, stderr = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, stderr) == (0, "")


@posix_only
@pytest.mark.parametrize(
    ("module", "name", "code"),
    [("typer", "SIGINT", 130), ("dataclasses", "SIGTERM", 143), ("numba", "SIGINT", 130)],
)
def test_a_signal_while_a_command_loads_is_one_line(tmp_path, module, name, code):
    script = f"""
import os, signal, sys

class Finder:
    def find_spec(self, name, *_):
        if name == {module!r}:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.{name})

sys.meta_path.insert(0, Finder())
from propgraph.__main__ import main
sys.argv = ["propgraph", "build", "missing.csv", "-o", "missing"]
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert (done.returncode, done.stdout, done.stderr) == (code, "", SAID)


@posix_only
def test_a_signal_inside_a_callback_comes_again():
    """What is raised in a destructor Python drops."""
    script = """
import os, signal, sys, time
from propgraph.cli import interrupts

class Dying:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        sum(range(1000))  # a moment for the handler

interrupts.catch()
try:
    Dying()
    time.sleep(60)
except KeyboardInterrupt:
    sys.exit(interrupts.exit_code())
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=PATIENCE_S
    )
    assert (done.returncode, done.stdout, done.stderr) == (143, "", "")


def test_without_sighup_as_on_windows(study, monkeypatch):
    monkeypatch.delattr(signal, "SIGHUP")
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        interrupts.catch()
        with writing(study) as writer:
            writer.run = {"build": {}}
        assert signal.getsignal(signal.SIGTERM) is interrupts._interrupt
        interrupts.let_go()
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        sys.unraisablehook = sys.__unraisablehook__
        for number, handler in handlers.items():
            signal.signal(number, handler)
