"""Compiled kernels: what is kept of them, that stale code is never run, and that starts at once do no harm."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from propgraph.arrays import kernels

ONE = """
import sys
import numpy as np
from propgraph.arrays.kernels import kernel
from callee import add, WORTH

@kernel
def twice(n):
    # Memory, a sort and an error that is said in words: machine code that calls numba's own.
    if n < 0:
        raise ValueError(f"{n} is negative")
    found = np.sort(np.array([add(n, n) + WORTH, -1]))
    return found[1]

print(twice(int(sys.argv[1])), sum(twice.stats.cache_hits.values()))
"""
CALLEE = """
from propgraph.arrays.kernels import kernel

WORTH = 0

@kernel
def add(a, b):
    return a + b
"""


@pytest.fixture
def program(tmp_path):
    """Return a function that runs two small files with a cache of their own: what they print, and their process."""
    (tmp_path / "one.py").write_text(ONE)
    (tmp_path / "callee.py").write_text(CALLEE)

    def run(number=5, wait=True, **more):
        root = Path(__file__).parent.parent
        search = os.pathsep.join((str(tmp_path), str(root)))
        process = subprocess.Popen(
            [sys.executable, str(tmp_path / "one.py"), str(number)],
            env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "kept"), "PYTHONPATH": search} | more,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        if not wait:
            return process
        out, complaint = process.communicate(timeout=60)
        assert process.returncode == 0, complaint
        return [int(word) for word in out.split()], complaint

    return run


def kept(folder):
    return sorted(folder.joinpath("kept", "propgraph-kernels").iterdir())


def test_a_second_start_takes_what_the_first_compiled(program, tmp_path):
    assert program()[0] == [10, 0]
    files = kept(tmp_path)
    assert program()[0] == [10, 1]
    assert kept(tmp_path) == files
    # What calls and what is called, each for its types.
    assert {file.name.rpartition("-")[0] for file in files} == {"__main__.twice", "callee.add"}


def test_code_that_makes_arrays_runs_in_a_second_start(program, tmp_path):
    lines = ["import numpy as np", *CALLEE.splitlines()[:-1], "    return np.full(3, a + b).sum()"]
    (tmp_path / "callee.py").write_text("\n".join(lines) + "\n")
    assert [program()[0], program()[0]] == [[30, 0], [30, 1]]


def test_no_stale_code_runs_where_only_what_is_called_has_changed(program, tmp_path):
    # numba's own cache looks at the file of `twice` alone and would answer 10.
    assert program()[0] == [10, 0]
    (tmp_path / "callee.py").write_text(CALLEE.replace("a + b", "a * b"))
    assert program()[0] == [25, 0]
    (tmp_path / "callee.py").write_text(CALLEE.replace("WORTH = 0", "WORTH = 7"))
    assert program()[0] == [17, 0]
    # And back again: both are kept.
    (tmp_path / "callee.py").write_text(CALLEE)
    assert program()[0] == [10, 1]


def test_lines_above_a_kernel_and_its_place_change_nothing(program, tmp_path):
    assert program()[0] == [10, 0]
    (tmp_path / "callee.py").write_text("# A remark.\n\n" + CALLEE + "\nOTHER = 3\n")
    assert program()[0] == [10, 1]


def test_a_damaged_file_is_compiled_anew(program, tmp_path):
    assert program()[0] == [10, 0]
    for file in kept(tmp_path):
        whole = file.read_bytes()
        file.write_bytes(whole[: len(whole) // 2])
    assert program()[0] == [10, 0]
    for file in kept(tmp_path):
        file.write_bytes(b"")
    assert program()[0] == [10, 0]
    assert program()[0] == [10, 1]


def test_starts_at_once_leave_whole_files_and_right_answers(program, tmp_path):
    several = [program(number, wait=False) for number in (1, 2, 3)]
    said = [process.communicate(timeout=60)[0].split()[0] for process in several]
    assert said == ["2", "4", "6"]
    assert not [file for file in kept(tmp_path) if file.name.startswith("new-")]
    assert program()[0] == [10, 1]


def test_where_nothing_can_be_kept_it_is_told_and_compiled(program, tmp_path):
    (tmp_path / "kept").write_text("a file, no folder")
    answer, complaint = program()
    assert answer == [10, 0]
    assert "NUMBA_CACHE_DIR names another folder" in complaint


def test_the_folder_is_the_user_s_own_for_each_platform(monkeypatch, tmp_path):
    from numba.core import config

    monkeypatch.setattr(config, "CACHE_DIR", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    kernels.cache_folder.cache_clear()
    try:
        folder = kernels.cache_folder()
    finally:
        kernels.cache_folder.cache_clear()
    assert folder == tmp_path / "xdg" / "propgraph" / "kernels" or sys.platform != "linux"
    assert os.name == "nt" or folder.stat().st_mode & 0o077 == 0  # what lies there is run


def test_old_code_of_the_same_kernel_goes_when_newer_comes(tmp_path):
    old, unused, new = (tmp_path / f"module.name-{k}" for k in "abc")
    other, half = tmp_path / "module.other-a", tmp_path / "new-x"
    for file in (old, unused, new, other, half):
        file.write_bytes(b"")
    long_ago = time.time() - 90 * 86_400
    for file in (old, other, half):
        os.utime(file, (long_ago, long_ago))
    kernels._take_out_old(new)
    assert sorted(tmp_path.iterdir()) == [unused, new, other]


def test_without_a_home_nothing_is_kept_and_no_folder_made(monkeypatch, tmp_path, caplog):
    from numba.core import config

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(config, "CACHE_DIR", "")
    monkeypatch.setattr(
        kernels, "AppDirs", lambda **_: type("Dirs", (), {"user_cache_dir": "~/.cache/propgraph"})
    )
    kernels.cache_folder.cache_clear()
    try:
        assert kernels.cache_folder() is None
    finally:
        kernels.cache_folder.cache_clear()
    assert not list(tmp_path.iterdir())
    assert "no home folder" in caplog.text
