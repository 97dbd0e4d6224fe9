"""Errors bear the option's name: underscores in Python, dashes on the command line, and one sentence for columns."""

import inspect
import pickle
import re
import typing

import polars as pl
import pytest
import typer

import propgraph
from propgraph.cli.app import app, run
from propgraph.errors import InputError, UsageError, check_columns, lacking
from propgraph.networks import join_traces, to_igraph


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Return the paths of a small log and of its study, without clusters."""
    folder = tmp_path_factory.mktemp("errors")
    rows = [f"p{k},a{k % 4},o{k // 4},{1_600_000_000 + 600 * (k // 4) + k % 4}" for k in range(24)]
    (folder / "log.csv").write_text("\n".join(["content_id,account_id,object_id,timestamp", *rows]))
    propgraph.build(folder / "log.csv", folder / "study")
    return folder / "log.csv", folder / "study"


@pytest.fixture(scope="module")
def clustered(built, tmp_path_factory):
    study = tmp_path_factory.mktemp("clustered") / "study"
    propgraph.build(built[0], study)
    propgraph.find_clusters(study)
    return study


def commands(command=None, words=()):
    """Yield each command of the command line, with the words that call it."""
    command = command or typer.main.get_command(app)
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, (*words, name))
    if words and not hasattr(command, "commands"):
        yield words, command


def options_of(kinds):
    """Return the words of each command with the options that take a value of these types."""
    return [
        (words, option.opts[0])
        for words, command in commands()
        for option in command.params
        if option.opts[0].startswith("-") and option.name in (of := inspect.signature(command.callback).parameters)
        and re.match(rf"(list\[)?({kinds})\b", taken(of[option.name].annotation))
    ]  # fmt: skip


def taken(annotation):
    """Return what an option takes, as it is written: `int`, `list[str] | None`."""
    if isinstance(annotation, str):
        return annotation.removeprefix("Annotated[")
    kind = typing.get_args(annotation)[0]
    return kind.__name__ if isinstance(kind, type) and not typing.get_args(kind) else str(kind)


NUMBERS = options_of("int|float")
# A name of a column or of a study may be any word.
WORDS = [
    (words, option)
    for words, option in options_of("str")
    if words[0] in ("build", "clusters") and option not in ("--keep", "--names-from")
]


@pytest.mark.parametrize("value", ["-1", "9" * 23])
@pytest.mark.parametrize(("words", "option"), NUMBERS, ids=str)
def test_a_bad_number_is_told_as_the_command_line_writes_the_option(
    words, option, value, built, clustered, tmp_path, capsys
):
    log, study = built
    (tmp_path / "truth.csv").write_text("account_id,label\na0,1\na1,0\n")
    needed = {
        "build": [log, "-o", tmp_path / "new"],
        "cascades": [study],
        "clusters": [study],
        "evaluate": [clustered, "--truth", tmp_path / "truth.csv"],
        "stability": [clustered],
        "power": [clustered],
        "compare": [clustered, clustered],
        "explain": [clustered, "c1"],
        "sites": [clustered],
        "simulate": ["-o", tmp_path / "new"],
    }
    if option == "--resolution" and value != "-1":
        value = "inf"  # Leiden takes any other
    assert run([*words, *map(str, needed[words[0]]), option, value]) == 2
    said = capsys.readouterr()
    assert re.match(
        rf"propgraph: {option}: (-1|9|1e\+23|inf)\S* (s )?is (not|too small|too large|no|more)\b", said.err
    )
    assert said.out == ""
    assert not (tmp_path / "new").exists()


def test_the_walk_goes_through_all_commands_with_numbers():
    assert {words[0] for words, _ in NUMBERS} == {
        "build", "cascades", "clusters", "compare", "evaluate", "explain", "power", "simulate", "sites", "stability",
    }  # fmt: skip
    assert len(NUMBERS) > 30


@pytest.mark.parametrize(("words", "option"), WORDS, ids=str)
def test_a_bad_word_is_told_as_the_command_line_writes_the_option(words, option, built, tmp_path, capsys):
    log, study = built
    needed = {"build": [log, "-o", tmp_path / "new"], "clusters": [study]}
    assert run([*words, *map(str, needed[words[0]]), option, "%Q, no such word"]) == 2
    # Of a list of durations the first that is none is named.
    found = "'%Q'" if option == "--time-window" else "'%Q, no such word'"
    assert re.match(rf"propgraph: {option}: (over no )?{found}", capsys.readouterr().err)


FUNCTIONS = {
    "build": ("LOG", "NEW"),
    "find_clusters": ("BUILT",),
    "measure_stability": ("CLUSTERED",),
    "measure_power": ("CLUSTERED",),
    "evaluate": (
        pl.DataFrame({"account_id": ["a"], "score": [1.0]}),
        pl.DataFrame({"account_id": ["a"], "label": [True]}),
    ),
    "simulate_veles": (),
    "simulate_crowdturf": (),
    "simulate_app": (),
    "simulate_workforce": (),
    "cosharing_edges": (pl.DataFrame(),),
}  # fmt: skip
PARAMETERS = [
    (name, parameter.name)
    for name in FUNCTIONS
    for parameter in inspect.signature(getattr(propgraph, name)).parameters.values()
    if re.match(r"(int|float)\b", str(parameter.annotation))
]


@pytest.mark.parametrize(("function", "parameter"), PARAMETERS)
def test_a_bad_number_is_told_as_python_writes_the_parameter(function, parameter, built, clustered, tmp_path):
    places = {"LOG": built[0], "NEW": tmp_path / "new", "BUILT": built[1], "CLUSTERED": clustered}
    given = [places[word] if isinstance(word, str) else word for word in FUNCTIONS[function]]
    with pytest.raises(UsageError, match=rf"^{parameter}: -1 ") as caught:
        getattr(propgraph, function)(*given, **{parameter: -1})
    assert caught.value.option == parameter


def test_every_parameter_of_a_job_bears_on_the_command_line_its_name_in_python():
    jobs = {
        "build": "build",
        "clusters": "find_clusters",
        "stability": "measure_stability",
        "power": "measure_power",
        "evaluate": "evaluate",
    }
    shown = dict(commands())
    for command, job in jobs.items():
        here = {parameter.name for parameter in shown[(command,)].params}
        there = set(inspect.signature(getattr(propgraph, job)).parameters) - {"progress", "accounts"}
        assert there <= here, command


def test_an_option_of_another_name_and_an_argument(built, tmp_path, capsys):
    with pytest.raises(UsageError, match=r"^mapping: 'usr=x': 'usr' is not a name"):
        propgraph.build(built[0], tmp_path / "new", mapping={"usr": "x"})
    assert run(["build", str(built[0]), "-o", str(tmp_path / "new"), "--map", "usr=x"]) == 2
    assert capsys.readouterr().err.startswith("propgraph: --map: 'usr=x': 'usr' is not a name")
    assert run(["formats", "show", "hoaxi"]) == 2
    assert capsys.readouterr().err.startswith("propgraph: NAME: 'hoaxi' is not one of ")


def test_an_error_keeps_its_option_wherever_it_is_sent():
    error = pickle.loads(pickle.dumps(UsageError("3 is not in 0..1", option="min_score")))
    assert (str(error), error.message, error.option) == (
        "min_score: 3 is not in 0..1", "3 is not in 0..1", "min_score",
    )  # fmt: skip
    assert str(InputError("log.csv: is empty")) == "log.csv: is empty"


def test_columns_that_are_not_there():
    assert lacking("posts", ("a", "b"), ["b", "a"]) == []
    assert lacking("posts", ("account_id", "b"), ["acount_id", "c"]) == [
        "posts: no column 'account_id' (did you mean 'acount_id'?), no column 'b'; found acount_id, c; rename or add "
        "what is missing"
    ]
    assert lacking("t", ("a",), [], advice="name it") == ["t: no column 'a'; found none; name it"]
    many = lacking("t", ("a",), [f"column {k}" for k in range(60)])[0]
    assert "column 49 and 10 more; " in many
    check_columns("posts", ("a",), ["a"])
    with pytest.raises(InputError, match=r"^posts: no column 'a'; found b; "):
        check_columns("posts", ("a",), ["b"])


EMPTY = pl.DataFrame({"strange": [1]})


@pytest.mark.parametrize(
    ("call", "frame"),
    [
        (lambda: propgraph.cosharing_edges(EMPTY), "shares"),
        (lambda: propgraph.make_shares(EMPTY), "posts"),
        (lambda: join_traces(EMPTY), "edges"),
        (lambda: to_igraph(EMPTY), "edges"),
        (lambda: propgraph.evaluate(EMPTY, EMPTY), "scores"),
    ],
)
def test_every_function_tells_of_columns_in_the_same_words(call, frame):
    with pytest.raises(
        InputError, match=rf"^{frame}: no column '.*; found strange; rename or add what is missing"
    ):
        call()
