"""The public names: documented, annotated, few positional parameters; and every column of every table told."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.metadata
import inspect
import pkgutil
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import polars as pl
import pytest

import propgraph
from propgraph.errors import PropgraphError
from propgraph.schema import TABLES, tables_of

PUBLIC = {name: getattr(propgraph, name) for name in propgraph.__all__}
FUNCTIONS = {name: thing for name, thing in PUBLIC.items() if inspect.isfunction(thing)}
CLASSES = {name: thing for name, thing in PUBLIC.items() if inspect.isclass(thing)}
METHODS = {
    f"{name}.{method}": thing.__func__ if isinstance(thing, classmethod) else thing
    for name, kind in CLASSES.items()
    for method, thing in vars(kind).items()
    if not method.startswith("_") and (inspect.isfunction(thing) or isinstance(thing, classmethod))
}
SECTIONS = r"^(\w[\w ]*)\n-{3,}$"


def sections(thing):
    """Numpydoc sections of a docstring and what stands under each."""
    parts = re.split(SECTIONS, inspect.cleandoc(thing.__doc__), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def documented(text):
    """Names in a section of parameters."""
    heads = re.findall(r"^(\w+(?:, \w+)*)$", text, flags=re.MULTILINE)
    return {name for head in heads for name in head.split(", ")}


def own_parameters(function):
    return [
        parameter
        for parameter in inspect.signature(function).parameters.values()
        if parameter.name not in ("self", "cls")
    ]


def test_the_names_are_sorted_and_there():
    assert sorted(set(propgraph.__all__)) == propgraph.__all__
    assert {"build", "find_clusters", "Study", "read_log", "simulate_veles", "write_network"} <= set(PUBLIC)
    assert set(FUNCTIONS) | set(CLASSES) == set(PUBLIC)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        propgraph.nonsense  # noqa: B018


def test_dir_lists_the_names():
    assert dir(propgraph) == sorted(propgraph.__all__)


def test_type_checkers_see_the_same_names():
    source = inspect.getsource(propgraph)
    [block] = re.findall(r"^if TYPE_CHECKING:\n((?:    .*\n)+)", source, flags=re.MULTILINE)
    imports = dict(re.findall(r"import (\w+) as (\w+)", block))
    assert all(name == alias for name, alias in imports.items())
    assert sorted(imports) == propgraph.__all__
    homes = dict(re.findall(r"from ([\w.]+) import (\w+)", block))
    for home, name in homes.items():
        assert hasattr(importlib.import_module(home), name)


def test_importing_the_package_is_light():
    script = "import sys, propgraph; dir(propgraph); print({'polars', 'numba', 'igraph', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_what_takes_a_second_to_load_waits_until_it_is_needed():
    heavy = "{'scipy.stats', 'scipy.special', 'scipy.optimize', 'igraph', 'filelock'}"
    script = f"import sys, propgraph.jobs.build, propgraph.synchrony.joint; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_the_version_is_that_of_the_distribution():
    assert propgraph.__version__ == importlib.metadata.version("propgraph")


def test_the_source_distribution_holds_what_its_tests_read():
    root = Path(__file__).parents[1]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    held = set(project["tool"]["hatch"]["build"]["targets"]["sdist"]["include"])
    assert {"docs", "data", "benchmarks", "tests", "propgraph", "README.md"} <= held
    assert all((root / name).exists() for name in held)


@pytest.mark.parametrize("name", [*FUNCTIONS, *METHODS])
def test_docstrings_are_numpydoc(name):
    function = (FUNCTIONS | METHODS)[name]
    text = inspect.cleandoc(function.__doc__ or "")
    assert re.match(r"[A-Z].*[.]$", text.split("\n\n", maxsplit=1)[0].replace("\n", " ")), "no summary"
    found = sections(function)
    if name in FUNCTIONS:
        names = {parameter.name for parameter in own_parameters(function)}
        assert not names or documented(found["Parameters"]) == names
        returns = inspect.signature(function).return_annotation  # as it is written
        assert ("Returns" in found) == (returns != "None")
        assert set(found) <= {
            "Parameters", "Returns", "Yields", "Raises", "See Also", "Notes", "References", "Examples",
        }  # fmt: skip


@pytest.mark.parametrize("name", list(CLASSES))
def test_classes_say_what_they_are(name):
    assert CLASSES[name].__doc__
    if issubclass(CLASSES[name], Exception):
        assert issubclass(CLASSES[name], PropgraphError)
        assert CLASSES[name].exit_code in (1, 2)


@pytest.mark.parametrize("name", [*FUNCTIONS, *METHODS])
def test_everything_is_annotated(name):
    function = (FUNCTIONS | METHODS)[name]
    for parameter in own_parameters(function):
        assert parameter.annotation is not parameter.empty, parameter.name
    assert inspect.signature(function).return_annotation is not inspect.Signature.empty


@pytest.mark.parametrize("name", [*FUNCTIONS, *METHODS])
def test_at_most_three_positional_parameters(name):
    # What has a default is an option, and options are named.
    positional = [
        parameter
        for parameter in own_parameters((FUNCTIONS | METHODS)[name])
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]
    assert len(positional) <= 3
    assert all(parameter.default is parameter.empty for parameter in positional)
    assert all(parameter.kind is not parameter.VAR_KEYWORD for parameter in positional)


@pytest.mark.parametrize("table", list(TABLES))
def test_every_column_is_told(table):
    declared = TABLES[table]
    assert declared.name == table
    assert declared.row
    assert set(declared.key) <= set(declared.columns)
    for name, column in declared.columns.items():
        assert column.meaning, name
        assert column.unit or column.dtype in (pl.String, pl.Boolean, pl.List(pl.String)), name
        if name.endswith("_id"):
            assert column.dtype == pl.String, name
        if isinstance(column.dtype, pl.Datetime):
            assert (column.dtype, column.unit) == (pl.Datetime("ms", "UTC"), "UTC"), name
        if name.endswith("_s"):
            assert (column.dtype, column.unit) == (pl.Float64, "s"), name
        if column.unit == "s":
            assert name.endswith("_s"), name
    assert declared.empty().schema == declared.dtypes


def test_every_module_can_be_imported_and_says_what_it_is():
    for module in pkgutil.walk_packages(propgraph.__path__, "propgraph."):
        if module.name != "propgraph.__main__":
            assert importlib.import_module(module.name).__doc__, module.name


def test_results_are_frozen():
    for name, kind in vars(importlib.import_module("propgraph.evaluation.simulated")).items():
        if dataclasses.is_dataclass(kind):
            assert kind.__dataclass_params__.frozen, name


def test_a_table_says_which_job_makes_it():
    assert {table.job for table in TABLES.values()} == {"build", "clusters", "stability", "power"}
    assert tables_of("stability") == ["stability"]
    assert tables_of("power") == ["power"]
