"""Windows and macOS, as far as it can be tried on another system; and what is handed out: versions, links, citation."""

import ast
import datetime
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import propgraph
from propgraph import provenance

ROOT = Path(__file__).parent.parent
PACKAGE = Path(propgraph.__file__).parent
UNIX_ONLY = (
    "crypt", "fcntl", "grp", "nis", "ossaudiodev", "posix", "pty", "pwd", "readline", "resource", "spwd", "syslog",
    "termios", "tty",
)  # fmt: skip
RESERVED = {"con", "prn", "aux", "nul", *(f"{kind}{k}" for kind in ("com", "lpt") for k in range(1, 10))}


def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_every_module_loads_without_what_only_unix_has():
    script = f"""
import builtins, importlib, pkgutil, sys

load, hidden = builtins.__import__, set({UNIX_ONLY!r})

def without(name, globals=None, *rest, **more):
    # Hidden from us alone: what we build on asks in its own way whether it is there.
    if name in hidden and (globals or {{}}).get("__name__", "").startswith("propgraph"):
        raise ImportError(f"no {{name}} on Windows")
    return load(name, globals, *rest, **more)

builtins.__import__ = without
import propgraph

names = [found.name for found in pkgutil.walk_packages(propgraph.__path__, "propgraph.")]
for name in names:
    if name != "propgraph.__main__":
        importlib.import_module(name)
from propgraph.provenance import peak_memory_mb, resource

print(len(names) > 200, resource)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "True None\n"), done.stderr[-2000:]


def test_what_only_unix_has_is_asked_for_before_it_is_used():
    """No bare `os.fork` and the like: each such name is looked up by `getattr`, or where the system is known."""
    lacking = {
        "os": {"fork", "getuid", "geteuid", "getpgid", "killpg", "mkfifo", "nice", "setsid", "statvfs", "sync", "uname",
               "wait4", "WNOHANG", "O_DIRECTORY", "O_NOFOLLOW"},
        "signal": {"SIGHUP", "SIGKILL", "SIGUSR1", "SIGALRM", "SIGPIPE", "alarm", "setitimer"},
    }  # fmt: skip
    used = [
        f"{file.relative_to(PACKAGE)}:{node.lineno}: {node.value.id}.{node.attr}"
        for file in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.attr in lacking.get(node.value.id, ())
    ]
    assert used == []


def test_every_text_file_is_opened_with_its_encoding():
    """Windows takes cp1252 where none is named."""
    unnamed = []
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            named = {keyword.arg for keyword in node.keywords}
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            of_text = called in ("read_text", "write_text") or (
                isinstance(node.func, ast.Name) and called == "open" and not _is_binary(node)
            )
            if of_text and "encoding" not in named:
                unnamed.append(f"{file.relative_to(PACKAGE)}:{node.lineno}")
    assert unnamed == []


def _is_binary(call):
    modes = [value.value for value in (*call.args[1:2], *(k.value for k in call.keywords if k.arg == "mode"))]
    return any("b" in mode for mode in modes)


@pytest.mark.parametrize("encoding", ["cp1252", "cp850", "ascii", "cp932"])
def test_a_console_of_another_encoding_is_written_to(encoding, small_study):
    """Names in Cyrillic, arrows and dashes: what the console lacks is escaped, and nothing breaks."""
    words = [["--help"], ["formats"], ["clusters", str(small_study.path)]]
    script = "import sys; from propgraph.cli.app import run; sys.exit(max(run(w) for w in eval(sys.argv[1])))"
    done = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-c", script, repr(words)], capture_output=True, check=False,
        env=os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert b"Traceback" not in done.stderr
    assert b"propgraph" in done.stdout
    assert done.stdout.decode(encoding)


def test_names_of_files_are_such_as_windows_takes():
    folders = [
        ROOT / name for name in ("propgraph", "tests", "docs", "data", "benchmarks", "packaging", ".ci")
    ]
    files = [file for folder in folders for file in folder.rglob("*") if "__pycache__" not in file.parts]
    paths = [str(file.relative_to(ROOT)) for file in files]
    assert len(paths) > 500
    assert [
        path for path in paths if re.search(r'[<>:"|?*\\\x00-\x1f]|[. ](/|$)', path) or len(path) > 150
    ] == []
    assert [
        path for path in paths if {part.split(".")[0].lower() for part in path.split("/")} & RESERVED
    ] == []
    assert len({path.casefold() for path in paths}) == len(paths)


def test_memory_is_told_in_the_unit_of_the_system(monkeypatch):
    class Usage:
        ru_maxrss = 50_000_000

    class Resource:
        RUSAGE_SELF = 0

        @staticmethod
        def getrusage(_):
            return Usage

    monkeypatch.setattr(provenance, "resource", Resource)
    monkeypatch.setattr(provenance.sys, "platform", "darwin")  # bytes
    assert provenance.peak_memory_mb() == 50
    monkeypatch.setattr(provenance.sys, "platform", "linux")  # kilobytes
    assert provenance.peak_memory_mb() == 51_200


# What is handed out


def test_one_version_is_told_everywhere():
    version = project()["project"]["version"]
    assert propgraph.__version__ == version
    citation = ROOT.joinpath("CITATION.cff").read_text(encoding="utf-8")
    recipe = ROOT.joinpath("packaging", "conda", "recipe.yaml").read_text(encoding="utf-8")
    assert re.findall(r"^version: (.*)$", citation, re.MULTILINE) == [version]
    assert re.findall(r'^  version: "(.*)"$', recipe, re.MULTILINE) == [version]
    # A place for the DOI, which only who publishes can fill.
    assert re.search(r"^(# )?doi: 10\.\d+/\S+$", citation, re.MULTILINE)


def test_the_changelog_is_dated():
    log = ROOT.joinpath("CHANGELOG.md").read_text(encoding="utf-8")
    heads = re.findall(r"^## \[(.+?)\](.*)$", log, re.MULTILINE)
    assert heads
    for name, rest in heads:
        if name == "Unreleased":
            assert rest == ""
        else:
            assert re.fullmatch(r"\d+\.\d+\.\d+", name)
            assert datetime.date.fromisoformat(rest.removeprefix(" - "))
    dates = [rest for name, rest in heads if name != "Unreleased"]
    assert dates == sorted(dates, reverse=True)


def test_the_recipe_asks_for_what_the_package_does():
    recipe = ROOT.joinpath("packaging", "conda", "recipe.yaml").read_text(encoding="utf-8")
    run = recipe.split("  run:\n")[1].split("\n\n")[0]
    asked = {line.strip("- ").replace(" ", "") for line in run.splitlines()} - {"python>=3.11"}
    told = {need.split(";")[0].strip() for need in project()["project"]["dependencies"]}
    # By the names that conda has for them.
    renamed = {"backports.zstd>=1.0": "backports-zstd>=1.0", "python-igraph>=1.0": "igraph>=1.0"}
    assert {renamed.get(need, need) for need in asked} == told


def test_all_links_of_the_readme_become_whole():
    readme = ROOT.joinpath("README.md").read_text(encoding="utf-8")
    hook = project()["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]
    for change in hook["substitutions"]:
        readme = re.sub(change["pattern"], change["replacement"], readme)
    links = re.findall(r"\]\(([^)\s]+)", readme)
    assert links
    assert [link for link in links if not link.startswith(("https://", "#"))] == []
    home = project()["project"]["urls"]["Homepage"]
    files = [link.removeprefix(f"{home}/blob/main/").split("#")[0] for link in links if link.startswith(home)]
    assert files
    assert [file for file in files if not ROOT.joinpath(file).exists()] == []
