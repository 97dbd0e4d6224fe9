"""What all commands have: -h, -q, -v, completion; and --exit-code and --config where they belong."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import polars as pl
import pytest
import typer

import propgraph
from propgraph.cli.app import app, run
from propgraph.cli.config import read_config
from propgraph.errors import InputError
from propgraph.study import Study

COMMANDS = typer.main.get_command(app).commands
WHEN = 1_700_000_000


@pytest.fixture
def quiet_log(tmp_path):
    """A log in which nobody is organised, with a row that is rejected."""
    rows = [f"a{k},{WHEN + 5_000 * k},https://x{k % 3}.example/1" for k in range(12)]
    path = tmp_path / "log.csv"
    path.write_text("\n".join(["who,at,link", *rows, "nobody,never,https://x1.example/1"]) + "\n")
    return path


def built(log, study, *words):
    columns = [word for name in ("account_id=who", "timestamp=at", "url=link") for word in ("--map", name)]
    return run(["build", str(log), "-o", str(study), *words, *columns])


def changed(tmp_path, study, job, **options):
    """A copy of a study's run.json with other options."""
    record = Study.open(study).run
    record[job]["parameters"] |= options
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(record))
    return str(path)


# -h, -q, -v


@pytest.mark.parametrize(
    "words", [[], *([name] for name in COMMANDS), ["simulate", "veles"], ["formats", "show"]]
)
def test_h_is_help(words, capsys):
    assert run([*words, "-h"]) == 0
    short = capsys.readouterr().out
    assert run([*words, "--help"]) == 0
    assert short == capsys.readouterr().out
    assert "-h, --help" in short


def test_q_says_no_notes_but_errors(quiet_log, tmp_path, capsys):
    log = quiet_log
    assert built(log, tmp_path / "loud") == 0
    loud = capsys.readouterr()
    assert built(log, tmp_path / "study", "-q") == 0
    quiet = capsys.readouterr()
    assert "note:" in loud.err
    assert quiet.err == ""
    assert "rows in   13 = 12 posts + 1 rejected" in quiet.out
    assert built(log, tmp_path / "study", "--quiet") == 1
    assert "a study is there already" in capsys.readouterr().err
    # and the next command is as loud as it was
    assert built(log, tmp_path / "again") == 0
    assert capsys.readouterr().err == loud.err


def test_v_tells_the_steps(quiet_log, tmp_path, capsys):
    assert built(quiet_log, tmp_path / "study", "-v") == 0
    said = capsys.readouterr()
    steps = [step["step"] for step in Study.open(tmp_path / "study").run["build"]["steps"]]
    told = [line for line in said.err.splitlines() if line.startswith("build")]
    assert [line.split(": ")[1].rsplit(" s, peak")[0].rsplit(" ", 1)[0] for line in told[:-1]] == steps
    assert told[-1].startswith("build took ")
    assert built(quiet_log, tmp_path / "more") == 0
    assert not any(line.startswith("build: ") for line in capsys.readouterr().err.splitlines())


@pytest.mark.parametrize("name", [name for name, one in COMMANDS.items() if not hasattr(one, "commands")])
def test_every_command_takes_both(name):
    names = {option for parameter in COMMANDS[name].params for option in parameter.opts}
    assert {"-q", "--quiet", "-v", "--verbose"} <= names


# --exit-code


def test_exit_code_is_3_where_something_is_flagged(small_study, capsys):
    assert small_study.clusters["flagged"].any()
    for command in ("clusters", "sites"):
        assert run([command, str(small_study.path)]) == 0
        assert run([command, str(small_study.path), "--exit-code"]) == 3
        assert run([command, str(small_study.path), "--exit-code", "--format", "json"]) == 3
    assert "propgraph:" not in capsys.readouterr().err


def test_exit_code_is_0_where_nothing_is(quiet_log, tmp_path):
    assert built(quiet_log, tmp_path / "study") == 0
    for command in ("clusters", "sites"):
        assert run([command, str(tmp_path / "study"), "--exit-code"]) == 0
    assert run(["clusters", str(tmp_path / "none"), "--exit-code"]) == 1


# --config


def test_a_run_is_repeated(quiet_log, tmp_path):
    words = [
        "--time-window",
        "60s,600s",
        "--seed",
        "7",
        "--min-participation",
        "1",
        "--trace",
        "url",
        "--trace",
        "domain",
    ]
    assert built(quiet_log, tmp_path / "one", *words) == 0
    assert run(["build", "-o", str(tmp_path / "two"), "--config", str(tmp_path / "one" / "run.json")]) == 0
    other = ["--seed", "8", "--trace", "url"]
    assert run(["build", "-o", str(tmp_path / "three"), "--config", str(tmp_path / "one"), *other]) == 0
    one, two, three = (
        Study.open(tmp_path / name).run["build"]["parameters"] for name in ("one", "two", "three")
    )
    assert two == one
    assert one["time_window"] == [60.0, 600.0]
    assert three == one | {"seed": 8, "trace": ["url"]}
    assert Study.open(tmp_path / "one").edges.equals(Study.open(tmp_path / "two").edges)


def test_the_clusters_of_another_study_are_found_alike(own_study, tmp_path, capsys):
    file = changed(tmp_path, own_study.path, "clusters", min_score=0.7, resolution=1.5, multiplex=True)
    assert run(["clusters", str(own_study.path), "--config", file, "--seed", "3"]) == 0
    parameters = Study.open(own_study.path).run["clusters"]["parameters"]
    before = json.loads((tmp_path / "changed.json").read_text())["clusters"]["parameters"]
    assert parameters == before | {"seed": 3}
    assert capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"min_scoer": 0.3}, "clusters.parameters.min_scoer: `propgraph clusters` has no such option (did you"),
        ({"min_size": "many"}, "clusters.parameters.min_size: "),
        ({"min_size": [3]}, "clusters.parameters.min_size: [3] is not one value"),
        ({"trace": "url"}, "clusters.parameters.trace: 'url' is not a list"),
        ({"trace": {"url": 1}}, "clusters.parameters.trace: {'url': 1} is not a list"),
        ({"\x1b[31m": 1}, "clusters.parameters.␛[31m: "),
    ],
)  # fmt: skip
def test_a_fault_names_its_key(own_study, tmp_path, capsys, options, said):
    file = changed(tmp_path, own_study.path, "clusters", **options)
    assert run(["clusters", str(own_study.path), "--config", file]) == 1
    assert capsys.readouterr().err.startswith(f"propgraph: --config: {file}: {said}")


def test_a_value_out_of_range_names_its_option(own_study, tmp_path, capsys):
    file = changed(tmp_path, own_study.path, "clusters", min_score=7)
    assert run(["clusters", str(own_study.path), "--config", file]) == 2
    assert capsys.readouterr().err == "propgraph: --min-score: 7.0 is not in 0..1\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "cannot be read as JSON"), ("[1]", "not a run record"), ("{}", "no run of 'build' in it; found none"),
        ('{"build": 3}', "build.parameters: no options there"), ("[" * 100_000, "cannot be read as JSON"),
        ('{"build": {"parameters": []}}', "build.parameters: no options there"),
    ],
)  # fmt: skip
def test_what_is_no_run_record(tmp_path, text, said):
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(InputError, match=r"run\.json: ") as error:
        read_config(tmp_path, "build")
    assert said in str(error.value)
    with pytest.raises(InputError, match="no such file"):
        read_config(tmp_path / "none.json", "build")


def test_columns_that_were_mapped_are_mapped_again(tmp_path):
    days = {"day": ["2024-01-02"] * 2, "hour": ["10:00:00", "11:00:00"]}
    log = pl.DataFrame({"who": ["a", "b"], **days, "url": ["https://a.example/1"] * 2})
    log.write_csv(tmp_path / "log.csv")
    mapping = {"account_id": "who", "timestamp": "day+hour", "auto": "auto"}
    one = propgraph.build(str(tmp_path / "log.csv"), tmp_path / "one", mapping=mapping)
    assert run(["build", "-o", str(tmp_path / "two"), "--config", str(one.path)]) == 0
    assert Study.open(tmp_path / "two").run["build"]["parameters"] == one.run["build"]["parameters"]
    assert one.run["build"]["parameters"]["map"] == mapping


# Completion


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_has_a_script(shell):
    done = completed(_PROPGRAPH_COMPLETE=f"source_{shell}")
    assert "propgraph" in done
    assert done.count("_PROPGRAPH_COMPLETE") >= 1


@pytest.mark.parametrize(
    ("typed", "words"),
    [("cl", {"clusters"}), ("ex", {"explain", "export"}), ("clusters --exit", {"--exit-code"}),
     ("build --conf", {"--config"})],
)  # fmt: skip
def test_completion_knows_commands_and_options(typed, words):
    n = len(typed.split())
    done = completed(_PROPGRAPH_COMPLETE="complete_bash", COMP_WORDS=f"propgraph {typed}", COMP_CWORD=str(n))
    assert set(done.split()) == words


def completed(**environment):
    """What completion says, in a process that may open no connection."""
    script = (
        "import socket, sys\n"
        "def refused(*_): raise AssertionError('a connection')\n"
        "socket.socket.connect = refused\n"
        "from propgraph.cli.app import run\n"
        "code = run([])\n"
        "print({'polars', 'numba', 'igraph', 'numpy'} & set(sys.modules) or '', end='', file=sys.stderr)\n"
        "sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_what_an_earlier_version_did_not_make_is_said(own_study, capsys):
    path = str(own_study.path)
    assert run(["clusters", path]) == 0
    assert "earlier version" not in capsys.readouterr().out
    own_study.file("tried_readings").unlink()
    assert run(["clusters", path]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "An earlier version found these clusters, and made no tried_readings" in told
    assert f"`propgraph clusters {path} --config {path}`" in told
    assert run(["clusters", path, "--format", "csv", "--table", "tried_readings"]) == 1
    assert "an earlier version made it; find the clusters again" in capsys.readouterr().err
