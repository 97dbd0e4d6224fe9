from __future__ import annotations

import inspect
import io
import json
import os
import re
import subprocess
import sys
from importlib.metadata import version

import polars as pl
import pytest
import typer
from polars.testing import assert_frame_equal

import propgraph
from propgraph.cli.app import app, run
from propgraph.cli.output import say, seconds, time_window
from propgraph.errors import InputError, UsageError
from propgraph.report.words import sureness
from propgraph.schema import tables_of
from propgraph.simulate.veles import write_sample
from propgraph.study import Study
from propgraph.words.said import named

COMFORTS = {"help", "quiet", "verbose"}
COMMANDS = (("build",), ("clusters",), ("demo",), ("simulate",), ("simulate", "veles"))


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    path = tmp_path_factory.mktemp("log") / "log.parquet"
    veles = propgraph.simulate_veles(n_accounts=600, n_days=5, n_sites=6, n_seeders=40)
    veles.log.write_parquet(path)
    return path


def command(*words):
    """What typer made of a command."""
    found = typer.main.get_command(app)
    for word in words:
        found = found.commands[word]
    return found


def options(*words):
    """Options and arguments of a command by their longest name without dashes in front."""
    return {max(param.opts, key=len).lstrip("-"): param for param in command(*words).params}


def parameters(function):
    return {
        name.replace("_", "-"): parameter
        for name, parameter in inspect.signature(function).parameters.items()
        if name != "progress"
    }


# Help


@pytest.mark.parametrize("words", [(), *COMMANDS])
def test_help_names_every_option(words, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    assert run([*words, "--help"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert said.out.startswith(f"Usage: {' '.join(('propgraph', *words))}")
    for name, param in options(*words).items():
        assert f"--{name} " in said.out or f"  {param.metavar} " in said.out
        assert param.help
    if words in ((), ("simulate",)):
        assert all(name in said.out for name in command(*words).commands)


def test_version_is_the_packages(capsys):
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"{version('propgraph')}\n"


def test_no_command_is_bad_usage(capsys):
    assert run([]) == 2
    assert "Commands:" in "".join(capsys.readouterr())


def test_help_is_light():
    # numba, igraph and Polars take longer to load than a person waits for help.
    script = (
        "import sys; from propgraph.cli.app import run; code = run(['--help']); "
        "print(code, {'polars', 'numba', 'igraph', 'numpy', 'scipy', 'lxml'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("0 set()\n")
    assert done.stderr == ""


# One word for one thing


def test_build_is_called_like_its_function():
    ours, api = options("build"), parameters(propgraph.build)
    # The one word that differs: `--map NAME=COLUMN`, once for each entry of `mapping`.
    assert {name.replace("map", "mapping") if name == "map" else name for name in ours} - {
        *COMFORTS,
        "config",
    } == set(api)
    for name, param in ours.items():
        if name in api and name not in ("logs", "study", "time-window"):
            assert (param.default or None) == (api[name].default or None), name
    assert seconds("--time-window", ours["time-window"].default) == api["time-window"].default


def test_clusters_is_called_like_its_function():
    ours, api = options("clusters"), parameters(propgraph.find_clusters)
    own = {*COMFORTS, "config", "exit-code", "graphml", "gexf", "stix", "format", "table", "top", "language"}
    assert set(ours) - own == set(api)
    for name in set(api) - {"study", "trace", "partition", "ads", "prices", "sites", "threads"}:
        # Left open, so that without a word on the analysis what was found before is shown.
        assert ours[name].default is None
        if api[name].default not in (None, False, ()):
            assert f"[default: {api[name].default}]" in ours[name].help, name


def test_simulate_is_called_like_its_function():
    ours, api = options("simulate", "veles"), parameters(propgraph.simulate_veles)
    assert set(ours) - {"help"} == set(api) | {"folder"}
    assert "folder" in parameters(write_sample)
    for name, parameter in api.items():
        assert ours[name].default == parameter.default, name


def test_run_json_uses_the_same_words(small_study):
    words = {"-".join(name.split("_")) for name in small_study.run["clusters"]["parameters"]}
    assert words == set(parameters(propgraph.find_clusters)) - {"study"}
    built = {"-".join(name.split("_")) for name in small_study.run["build"]["parameters"]}
    assert built == set(options("build")) - {*COMFORTS, "study", "overwrite", "config", "append"}


# The happy path


def test_build_then_clusters(log, tmp_path, capsys):
    study = tmp_path / "study"
    assert run(["build", str(log), "-o", str(study)]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    rows = pl.read_parquet(log).height
    assert f"rows in   {rows:,} = {rows:,} posts + 0 rejected\n" in said.out
    assert said.out.splitlines()[-1] == f"next      propgraph clusters {study}"
    assert run(["clusters", str(study), "--graphml", str(tmp_path / "network.graphml")]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    flagged = Study.open(study).clusters["flagged"].sum()
    assert re.match(
        rf"{flagged} of \d+ clusters flagged \(\d+ accounts\), \d+ of \d+ sites flagged\n", said.out
    )
    assert "A flag is a reason to look, not a verdict" in said.out
    assert not re.search(r"\bbots?\b", said.out, re.IGNORECASE)
    assert (tmp_path / "network.graphml").stat().st_size > 0


def test_a_log_in_which_nothing_is_shared_ends_with_what_to_name(tmp_path, capsys):
    path = tmp_path / "l.csv"
    path.write_text("who,when,my_link,mood\n" + "".join(f"u{k},2020-09-13,below,m\n" for k in range(4)))
    words = [
        "build",
        str(path),
        "-o",
        str(tmp_path / "s"),
        "--map",
        "account_id=who",
        "--map",
        "timestamp=when",
    ]
    assert run(words) == 0
    said = capsys.readouterr()
    out = " ".join(said.out.split())
    assert "next propgraph clusters" not in out
    last = out[out.index("note: no post shares anything") :]
    assert (
        "no column for it was named: domain, fast-reshare, hashtag, hashtag-sequence, image, object, " in last
    )
    assert "Columns that were not read: my_link, mood." in last
    for advice in (
        "--map url=my_link (links)",
        "--map hashtags=COLUMN",
        "--map text=COLUMN",
        "--map object_id=",
    ):
        assert advice in last
    assert "shares anything" not in said.err
    # Columns are named by whoever made the log: what is to be typed is quoted, and nothing reaches the terminal raw.
    hostile = path.with_name("hostile.csv")
    hostile.write_text(path.read_text().replace("my_link", "my link;\u202e$(id)"))
    assert run([words[0], str(hostile), *words[2:], "--overwrite"]) == 0
    out = capsys.readouterr().out
    assert "\u202e" not in out
    assert "--map 'url=my link;$(id)' (links)" in " ".join(out.split())
    # Named, but no links: what stands there is shown.
    assert run([*words, "--map", "url=my_link", "--overwrite"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "looked for domain (in urls), url (in urls) and found none" in out
    assert "what stands in urls is not a link (the first: 'below')" in out
    path.write_text(path.read_text().replace("below", "https://a.example/x"))
    assert run([*words, "--map", "url=my_link", "--overwrite"]) == 0
    out = capsys.readouterr().out
    assert "next      propgraph clusters" in out
    assert "shares anything" not in out


def test_what_is_no_log_is_told(tmp_path, capsys):
    script, empty = tmp_path / "mk.py", tmp_path / "empty"
    script.write_text("import os, sys\n\nprint(1)\n")
    empty.mkdir()
    for logs, told in (
        ([script], "mk.py: not a log, neither by its name nor by its first line, 'import os, sys'"),
        ([empty], "empty: a folder without any file"),
        ([empty, script], "mk.py: not a log"),
    ):
        assert run(["build", *map(str, logs), "-o", str(tmp_path / "s")]) == 1
        said = capsys.readouterr().err
        assert told in said
        assert "reader" not in said
    # A log by another name is one where its columns are named, or known.
    other = tmp_path / "log.dat"
    other.write_text("account_id,timestamp,object_id\nu,2020-09-13,o\n")
    assert run(["build", str(other), str(empty), "-o", str(tmp_path / "s")]) == 0
    assert "empty: a folder without any file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["LOG", "--edge-quantile", "7"], "--edge-quantile: 7.0"),
        (["LOG", "--time-window", "1e9d"], "--time-window: "),
        (["LOG", "--trace", "urls"], "did you mean 'url'"),
        (["LOG", "--samples", "0"], "--samples: 0"),
        (["LOG", "--parents", "follow"], "--follows"),
        (["LOG", "--key", "k"], "--pseudonymise"),
        (["LOG", "--pseudonymise", "--key", "NONE"], "NONE"),
        (["LOG", "--follows", "NONE"], "NONE: no such file"),
        (["LOG", "--resolved", "NONE"], "NONE: no such file"),
        (["LOG", "--map", "account_id=who"], "no column 'who'"),
        (["LOG", "--format", "hoaxy"], "hoaxy"),
        (["NONE"], "NONE: no such file"),
        (["LOG"], "a study is there already"),
    ],
)
def test_what_is_wrong_is_told_before_what_is_in_the_way(words, told, log, own_study, capsys):
    words = [str(log) if word == "LOG" else word for word in words]
    before = own_study.run
    assert run(["build", *words, "-o", str(own_study.path)]) in (1, 2)
    said = capsys.readouterr().err
    assert told in said
    assert ("there already" in said) == ("there already" in told)
    assert own_study.run == before


def test_every_option_of_build_arrives(log, tmp_path, capsys):
    key = tmp_path / "my.key"
    key.write_text("sixteen bytes or more")
    sites = tmp_path / "sites.csv"
    sites.write_text("site,owner\na.example,Ana\n")
    words = {
        "format": "columns", "trace": "url", "key": str(key), "time-window": "2m", "min-participation": "3",
        "min-edge-weight": "4", "edge-weight": "events", "edge-quantile": "0.5", "burst-cap": "500", "threads": "1",
        "parents": "pdi", "samples": "3", "seed": "5", "encoding": "mac-roman", "skip-lines": "0",
        "sites": str(sites),
    }  # fmt: skip
    flags = [word for name, value in words.items() for word in (f"--{name}", value)]
    flags += ["--map", "account_name=account_id", "--map", "auto", "--pseudonymise", "--align-clocks"]
    assert run(["build", str(log), "--study", str(tmp_path / "s"), *flags]) == 0
    assert Study.open(tmp_path / "s").run["build"]["parameters"] == {
        "logs": [str(log)], "format": "columns", "map": {"account_name": "account_id", "auto": "auto"},
        "trace": ["url"], "time_window": 120.0, "min_participation": 3, "min_edge_weight": 4, "edge_weight": "events",
        "edge_quantile": 0.5, "burst_cap": 500, "threads": 1, "resolved": None, "pseudonymise": True, "key": str(key),
        "parents": "pdi", "follows": None, "sites": [str(sites)], "samples": 3, "seed": 5,
        "encoding": "mac-roman", "skip_lines": 0, "time_format": None, "time_zone": None, "align_clocks": True,
        "keep": None,
    }  # fmt: skip
    # A second time only with --overwrite.
    assert run(["build", str(log), "-o", str(tmp_path / "s")]) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert run(["build", str(log), "-o", str(tmp_path / "s"), "--overwrite"]) == 0
    assert Study.open(tmp_path / "s").run["build"]["parameters"]["time_window"] == 60.0


def test_every_option_of_clusters_arrives(own_study, capsys):
    words = {
        "trace": "reshare", "objective": "CPM", "resolution": "0.25", "partition": "Surprise", "seed": "3",
        "min-size": "4", "min-score": "0.75", "evidence": "window", "q": "0.2", "neighbours": "20", "threads": "1",
    }  # fmt: skip
    flags = [word for name, value in words.items() for word in (f"--{name}", value)] + ["--multiplex"]
    assert run(["clusters", str(own_study.path), *flags]) == 0
    assert own_study.run["clusters"]["parameters"] == {
        "trace": ["reshare"], "objective": "CPM", "resolution": 0.25, "partition": "Surprise", "seed": 3,
        "min_size": 4, "min_score": 0.75, "evidence": "window", "q": 0.2, "neighbours": 20, "threads": 1,
        "multiplex": True, "ads": [], "articles": [], "known_sites": None, "prices": None, "sites": None,
        "names_from": None,
    }  # fmt: skip


@pytest.mark.parametrize("table", tables_of("clusters"))
def test_tables_as_data(own_study, table, capfdbinary):
    def data(format):
        assert run(["clusters", str(own_study.path), "--format", format, "--table", table]) == 0
        said = capfdbinary.readouterr()
        assert said.err == b""
        return said.out

    frame = own_study.scan(table).collect()
    assert_frame_equal(pl.read_parquet(data("parquet")), frame)
    as_csv = pl.read_csv(io.BytesIO(data("csv")), infer_schema=False)
    assert (as_csv.columns, as_csv.height) == (frame.columns, frame.height)
    as_json = pl.read_json(data("json"), infer_schema_length=None)
    if frame.is_empty():  # JSON of no rows names no columns
        assert json.loads(data("json")) == []
        return
    assert (set(as_json.columns), as_json.height) == (set(frame.columns), frame.height)
    for rows in (as_csv, as_json):
        name = frame.columns[0]
        assert rows[name].to_list() == frame[name].to_list()
    assert json.loads(data("json"))


def test_the_help_names_the_tables_that_the_command_makes(capsys):
    assert run(["clusters", "--help"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    named = told.split("with --format csv, json or parquet: ")[1].split(".")[0].split(", ")
    assert sorted(named) == sorted(tables_of("clusters"))


def test_graphml_beside_data_is_told_on_stderr(own_study, tmp_path, capsys):
    words = ["--format", "csv", "--graphml", str(tmp_path / "n.graphml")]
    assert run(["clusters", str(own_study.path), *words]) == 0
    said = capsys.readouterr()
    assert pl.read_csv(io.StringIO(said.out)).height == own_study.clusters.height
    assert said.err == f"wrote {tmp_path / 'n.graphml'}\n"


def test_top_says_what_is_left_out(own_study, capsys):
    assert run(["clusters", str(own_study.path), "--top", "1"]) == 0
    one = capsys.readouterr().out
    flagged = own_study.clusters["flagged"].sum()
    assert len(re.findall(r"^ *c\d+ +0\.\d\d", one.partition("Not flagged")[0], re.MULTILINE)) == 1
    assert f"... and {flagged - 1} more: add --top {flagged}, or --format csv --table clusters" in one
    assert run(["clusters", str(own_study.path), "--top", "0"]) == 0
    assert not re.search(r"^ *c\d+ +\d\.\d\d", capsys.readouterr().out, re.MULTILINE)


def test_coarse_times_are_not_told_in_seconds(own_study, capsys):
    table = own_study.path / "clusters.parquet"
    assert run(["explain", str(own_study.path), "c1"]) == 0
    assert re.search(r"^c1 .*median \d+ s", capsys.readouterr().out, re.MULTILINE)
    pl.read_parquet(table).with_columns(time_resolution_s=86_400.0).write_parquet(table)
    assert run(["explain", str(own_study.path), "c1"]) == 0
    headlines = re.findall(r"^c\d+ .*(?:\n +.*sites)?", capsys.readouterr().out, re.MULTILINE)
    assert headlines
    assert all("median on the same day" in line and not re.search(r"\d s apart", line) for line in headlines)


def test_nothing_flagged_is_said(own_study, capsys):
    assert run(["clusters", str(own_study.path), "--min-score", "1"]) == 0
    said = capsys.readouterr()
    assert "No cluster stands out from what the rest of the log does." in said.out
    assert said.err == (
        "this replaced what was found before by other choices (min_score 0.5); copy a study to keep both\n"
    )
    # What is nearest to it is told all the same, with its flags and the innocent readings.
    first = own_study.clusters.row(0, named=True)
    line = next(line for line in said.out.splitlines() if line.startswith("c1 "))
    assert line.startswith(f"c1  {first['score']:.2f} {sureness(first['score'])} ")
    assert f" {first['n_accounts']} " in line
    assert ", ".join(first["flags"][:2]) in line
    assert run(["clusters", str(own_study.path), "--min-size", "5000", "--evidence", "window"]) == 0
    assert "No community has --min-size 5000 accounts or more" in capsys.readouterr().out
    assert run(["clusters", str(own_study.path), "--evidence", "synchrony"]) == 0
    assert "No two accounts stand nearer in the order of posts than chance puts them" in " ".join(
        capsys.readouterr().out.split()
    )


def test_readings_are_told_with_what_speaks_for_and_against_them(own_study, capsys):
    assert run(["clusters", str(own_study.path), "--min-score", "0.1"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    found = Study.open(own_study.path)
    readings = found.readings.filter(subject_type="cluster")
    assert readings.height
    assert readings.rows() == [
        (
            "cluster",
            row["cluster_id"],
            reading,
            *readings.filter(subject_id=row["cluster_id"], reading=reading).row(0)[3:],
        )
        for row in found.clusters.to_dicts()
        for reading in row["innocent"]
    ]
    for row in found.clusters.head(5).to_dicts():
        if row["innocent"]:
            assert f"also fits: {', '.join(row['innocent'])}" in told
            assert all(told.count(named("meaning", reading)) == 1 for reading in row["innocent"])
        assert run(["explain", str(own_study.path), row["cluster_id"]]) == 0
        explained = " ".join(capsys.readouterr().out.split())
        for fit in readings.filter(subject_id=row["cluster_id"]).to_dicts():
            assert f"For it: {fit['speaks_for']}. Against it: {fit['speaks_against']}." in explained
        without = "none of the innocent readings that are looked for; that proves nothing" in explained
        assert without == (not row["innocent"])


def test_choices_nobody_spoke_of_are_told_where_they_change(own_study, capsys):
    words = ["clusters", str(own_study.path)]
    assert run([*words, "--resolution", "0.5", "--trace", "url", "--multiplex"]) == 0
    capsys.readouterr()
    assert run([*words, "--seed", "1"]) == 0
    traces = own_study.run["clusters"]["parameters"]["trace"]
    of_traces = "" if traces == ["url"] else "trace url, "
    assert f"({of_traces}multiplex yes, resolution 0.5, seed 0)" in capsys.readouterr().err


def test_threads_are_no_choice_about_the_analysis(own_study, capsys):
    before = own_study.file("clusters").stat().st_mtime_ns, own_study.run["clusters"]
    assert run(["clusters", str(own_study.path), "--threads", "1"]) == 0
    assert (own_study.file("clusters").stat().st_mtime_ns, own_study.run["clusters"]) == before
    assert run(["clusters", str(own_study.path), "--threads", "1", "--seed", "0"]) == 0
    assert own_study.run["clusters"]["parameters"]["threads"] == 1
    assert capsys.readouterr().err == ""


def test_tables_go_out_as_data_only(own_study, capsys):
    assert run(["clusters", str(own_study.path), "--table", "members"]) == 2
    assert "--table: members: tables go out as data; add --format" in capsys.readouterr().err


def test_how_often_clusters_hold_is_shown_once_it_is_known(own_study, capsys):
    assert run(["stability", str(own_study.path), "--runs", "3"]) == 0
    capsys.readouterr()
    assert run(["clusters", str(own_study.path), "--top", "1"]) == 0
    held = Study.open(own_study.path).stability
    first = held.row(by_predicate=pl.col("cluster_id") == "c1", named=True)
    said = " ".join(capsys.readouterr().out.split())
    assert f"holds in {round(3 * first['holds_share'])} of 3 runs" in said
    # It is about these clusters, and goes when others take their place.
    assert run(["clusters", str(own_study.path), "--min-score", "0.9"]) == 0
    said = capsys.readouterr()
    assert "the table stability was about those clusters and is taken out" in said.err
    assert "holds in" not in said.out


def test_without_a_word_on_the_analysis_what_was_found_is_shown_again(own_study, capsys):
    assert run(["clusters", str(own_study.path), "--min-score", "0.99", "--format", "csv"]) == 0
    strict = capsys.readouterr().out
    assert run(["clusters", str(own_study.path), "--format", "csv"]) == 0
    assert capsys.readouterr().out == strict
    assert run(["clusters", str(own_study.path), "--min-score", "0.5", "--format", "csv"]) == 0
    assert capsys.readouterr().out != strict


@pytest.mark.parametrize(
    "words", [["clusters", "--seed", "0"], ["clusters", "--format", "csv", "--seed", "0"]]
)
def test_progress_goes_to_stderr(own_study, words, capsys, monkeypatch):
    assert run([words[0], str(own_study.path), *words[1:]]) == 0
    quiet = capsys.readouterr()
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    assert run([words[0], str(own_study.path), *words[1:]]) == 0
    shown = capsys.readouterr()
    assert "communities" in shown.err
    assert shown.out == quiet.out
    assert quiet.err == ""


# What goes wrong


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["bild"], "No such command"),
        (["build"], "Missing"),
        (["build", "LOG"], "Missing option"),
        (["build", "LOG", "-o", "STUDY", "--time-widnow", "5"], "No such option"),
        (["build", "LOG", "-o", "STUDY", "--time-window", "soon"], "--time-window: 'soon'"),
        (["build", "LOG", "-o", "STUDY", "--time-window", "-5s"], "--time-window: '-5s'"),
        (["build", "LOG", "-o", "STUDY", "--min-edge-weight", "two"], "--min-edge-weight"),
        (["build", "LOG", "-o", "STUDY", "--min-edge-weight", "0"], "--min-edge-weight: 0"),
        (["build", "LOG", "-o", "STUDY", "--edge-weight", "object"], "did you mean 'objects'"),
        (["build", "LOG", "-o", "STUDY", "--edge-quantile", "1"], "--edge-quantile: 1.0"),
        (["build", "LOG", "-o", "STUDY", "--format", "colums"], "did you mean 'columns'"),
        (["build", "LOG", "-o", "STUDY", "--trace", "urls"], "did you mean 'url'"),
        (["build", "LOG", "-o", "STUDY", "--map", "account_id"], "NAME=COLUMN"),
        (["clusters"], "Missing argument"),
        (["clusters", "SMALL", "--format", "cvs"], "did you mean 'csv'"),
        (["clusters", "SMALL", "--table", "cluster"], "did you mean 'clusters'"),
        (["clusters", "SMALL", "--top", "-1"], "--top"),
        (["clusters", "SMALL", "--seed", "-1"], "--seed: -1"),
        (["clusters", "SMALL", "--min-size", "0"], "--min-size: 0"),
        (["clusters", "SMALL", "--min-score", "1.1"], "--min-score: 1.1"),
        (["clusters", "SMALL", "--min-score", "nan"], "--min-score: nan"),
        (["clusters", "SMALL", "--resolution", "-1"], "--resolution: -1.0"),
        (["clusters", "SMALL", "--objective", "cpm"], "--objective: 'cpm'"),
        (["clusters", "SMALL", "--partition", "CPM2"], "did you mean 'CPM'"),
        (["clusters", "SMALL", "--trace", "ulr"], "did you mean 'url'"),
        (["clusters", "SMALL", "--graphml", "NOWHERE/n.graphml"], "does not exist"),
        (
            ["clusters", "SMALL", "--graphml", "n.gexf"],
            "--graphml: n.gexf: that is called GEXF; write it with --gexf",
        ),
        (["clusters", "SMALL", "--gexf", "n.xml"], "--gexf: n.xml: call it n.gexf"),
        (["simulate", "veles"], "Missing option"),
        (["simulate", "veles", "-o", "STUDY", "--strength", "0"], "--strength: 0.0"),
        (["simulate", "veles", "-o", "STUDY", "--n-accounts", "200"], "--n-accounts: 200"),
    ],
)
def test_bad_usage_ends_with_2(words, told, log, own_study, tmp_path, capsys):
    places = {"LOG": str(log), "STUDY": str(tmp_path / "new"), "SMALL": str(own_study.path)}
    before = {name: own_study.file(name).read_bytes() for name in ("clusters", "members")}
    words = [places.get(word, word.replace("NOWHERE", str(tmp_path / "nowhere"))) for word in words]
    assert run(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert told in said.err
    assert "Traceback" not in said.err
    assert not (tmp_path / "new").exists()
    if "n.graphml" not in words[-1]:
        assert before == {name: own_study.file(name).read_bytes() for name in before}


def test_bad_data_ends_with_1(log, tmp_path, capsys):
    empty = tmp_path / "empty"
    empty.mkdir()
    csv = tmp_path / "log.csv"
    csv.write_text("who,what\na,b\n")
    for words, told in (
        (["clusters", str(tmp_path / "none")], "no such study; make one with `propgraph build"),
        (["clusters", str(empty)], "not a study"),
        (["build", str(tmp_path / "none.csv"), "-o", str(tmp_path / "s")], "none.csv"),
        (["build", str(csv), "-o", str(tmp_path / "s")], "no known format has these columns"),
        (["build", str(log), "-o", str(csv)], "in the way"),
    ):
        assert run(words) == 1
        said = capsys.readouterr()
        assert said.out == ""
        assert told in said.err
        assert said.err.startswith("propgraph: ")
        assert said.err.count("\n") == 1 or "no known format" in told
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (MemoryError(), 1, "out of memory"),
        (PermissionError(13, "Permission denied", "/x/y"), 1, "propgraph: /x/y: Permission denied\n"),
        (OSError(28, "No space left on device"), 1, "propgraph: No space left on device\n"),
        (InputError("a\x1b[31m\nb"), 1, "propgraph: a␛[31m␊b\n"),
        (UsageError("no"), 2, "propgraph: no\n"),
        (ZeroDivisionError("why"), 1, "internal error (ZeroDivisionError: why)"),
    ],
)
def test_no_traceback_reaches_a_user(error, code, told, capsys, monkeypatch):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr("propgraph.study.Study.open", fail)
    monkeypatch.delenv("PROPGRAPH_DEBUG", raising=False)
    assert run(["clusters", "study"]) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert told in said.err
    assert "Traceback" not in said.err
    if isinstance(error, ZeroDivisionError):
        monkeypatch.setenv("PROPGRAPH_DEBUG", "1")
        with pytest.raises(ZeroDivisionError):
            run(["clusters", "study"])


def test_a_reader_that_leaves_is_no_drama(own_study):
    # As `| head` does: the other end of the pipe is closed before anything is written.
    reading, writing = os.pipe()
    os.close(reading)
    words = ["clusters", str(own_study.path), "--format", "csv"]
    done = subprocess.run(
        [sys.executable, "-m", "propgraph", *words],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert done.stderr == ""
    assert done.returncode == 1


# What a person sees


def test_say_wraps_without_a_trace(capsys):
    say("word " * 60, indent=4)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("    word")
    assert all(line.startswith("        word") for line in lines[1:])
    assert all(len(line) <= 100 and line == line.rstrip() for line in lines)
    say("x" * 250, wrap=False)
    assert capsys.readouterr().out == "x" * 250 + "\n"
    say("[bold]not markup[/bold] :smile:\n\x1b[31m\u202e")
    assert capsys.readouterr().out == "[bold]not markup[/bold] :smile:␊␛[31m\n"
    say()
    assert capsys.readouterr().out == "\n"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("60", 60),
        ("60s", 60),
        ("1.5h", 5400),
        ("5m", 300),
        ("5 min", 300),
        ("250ms", 0.25),
        ("2d", 172_800),
        ("0", 0),
    ],
)
def test_durations(text, value):
    assert seconds("time_window", text) == value


def test_a_window_is_a_duration_or_left_to_the_log():
    assert time_window("time_window", " auto ") == "auto"
    assert time_window("time_window", "5m") == 300
    assert time_window("time_window", "60s, 10m,1h") == [60, 600, 3600]
    with pytest.raises(UsageError, match=r"^time_window: 'auto' is no duration"):
        time_window("time_window", "auto,1h")


@pytest.mark.parametrize("text", ["", "s", "soon", "1y", "-1s", "inf", "nan", "1h30m", "60S", "1e999"])
def test_no_durations(text):
    with pytest.raises(UsageError, match=r"^time_window: "):
        seconds("time_window", text)


def test_a_terminal_without_utf8_shows_what_it_can(own_study, monkeypatch):
    sites = own_study.sites.with_columns(site=pl.lit("новости.мк"), flags=pl.lit(["seeded"]))
    found = Study(own_study.path)
    monkeypatch.setattr("propgraph.jobs.clusters.find_clusters", lambda *_, **__: found)
    sites.write_parquet(own_study.file("sites"))
    screen = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", screen)
    assert run(["clusters", str(own_study.path)]) == 0
    screen.flush()
    assert b"\\u043d\\u043e\\u0432" in screen.buffer.getvalue()


def test_simulate_writes_a_sample(tmp_path, capsys):
    words = ["--n-accounts", "300", "--n-days", "2", "--n-sites", "3", "--n-seeders", "30", "--seed", "5"]
    assert run(["simulate", "veles", "-o", str(tmp_path / "my sample"), *words]) == 0
    out = capsys.readouterr().out
    files = {"veles.parquet", "veles.csv.gz", "truth_accounts.csv", "truth_sites.csv"}
    assert {file.name for file in (tmp_path / "my sample").iterdir()} == files
    assert all(str(tmp_path / "my sample" / name) in out for name in files)
    # The next command can be copied as it stands, blanks and all.
    assert f"next      propgraph build '{tmp_path / 'my sample' / 'veles.parquet'}' -o study\n" in out
    made = propgraph.simulate_veles(n_accounts=300, n_days=2, n_sites=3, n_seeders=30, seed=5)
    assert_frame_equal(pl.read_parquet(tmp_path / "my sample" / "veles.parquet"), made.log)


def test_demo_finds_the_campaign(tmp_path, capsys):
    words = ["demo", "--folder", str(tmp_path / "demo"), "--data", str(tmp_path / "data")]
    assert run(words) == 0
    said = capsys.readouterr()
    assert said.err == ""
    [accounts] = re.findall(r"^accounts  precision ([\d.]+), recall ([\d.]+)$", said.out, re.MULTILINE)
    [sites] = re.findall(
        r"^sites     precision ([\d.]+), recall ([\d.]+); lowest farm ([\d.]+), highest other ([\d.]+)$",
        said.out, re.MULTILINE,
    )  # fmt: skip
    assert min(map(float, accounts)) >= 0.9
    assert min(map(float, sites[:2])) >= 0.9
    assert float(sites[2]) > float(sites[3])
    for role in ("fan", "newsroom"):
        assert re.search(rf"^ +{role} +0 of +\d+ accounts flagged$", said.out, re.MULTILINE)
    files = (("sites", "site_facts.csv"), ("articles", "articles.csv.gz"), ("ads", "ads.csv"))
    beside = " ".join(f"--{option} {tmp_path / 'data' / name}" for option, name in files)
    assert f"\n\n$ propgraph clusters {tmp_path / 'demo' / 'study'} {beside} --graphml" in said.out
    assert "␊" not in said.out
    for line in said.out.splitlines():
        assert line == line.rstrip()
        assert len(line) <= 100 or str(tmp_path) in line
    # What it says it typed does the same.
    typed = re.findall(r"^\$ propgraph (.*)$", said.out, re.MULTILINE)
    before = Study.open(tmp_path / "demo" / "study").clusters
    assert [run(line.split()) for line in typed] == [0, 0]
    assert_frame_equal(Study.open(tmp_path / "demo" / "study").clusters, before)
    # A log of one's own without its truth is no sample.
    (tmp_path / "data" / "truth_sites.csv").unlink()
    capsys.readouterr()
    assert run(words) == 1
    assert "truth" in capsys.readouterr().err
