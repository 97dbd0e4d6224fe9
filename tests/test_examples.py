"""The example of each public name runs, and gives what it says."""

import doctest
import inspect
import re

import pytest

import propgraph

PUBLIC = {name: getattr(propgraph, name) for name in propgraph.__all__}


def examples(thing):
    return doctest.DocTestParser().get_examples(inspect.getdoc(thing))


@pytest.mark.parametrize("name", PUBLIC)
def test_the_example_of_a_public_name_gives_what_it_says(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    test = doctest.DocTest(examples(PUBLIC[name]), {}, name, None, None, None)
    told = []
    result = doctest.DocTestRunner(verbose=False).run(test, out=told.append)
    assert result.attempted >= 2
    assert result.failed == 0, "".join(told)


@pytest.mark.parametrize("name", PUBLIC)
def test_the_example_of_a_public_name_is_its_own_and_shows_something(name):
    text = inspect.getdoc(PUBLIC[name])
    assert re.search(r"^Examples\n--------\n>>> import", text, flags=re.MULTILINE)
    lines = examples(PUBLIC[name])
    assert lines[0].source.startswith("import ")
    assert any(name in re.findall(r"pg\.(\w+)", line.source) for line in lines)
    assert lines[-1].want.strip()
    assert not any(line.options for line in lines)  # nothing is skipped
    assert len(lines) <= 12


def members(kind):
    """Public methods and properties of a class, those that it has of classes below it in this package, too."""
    for name, thing in inspect.getmembers(kind):
        inner = thing.fget if isinstance(thing, property) else getattr(thing, "__func__", thing)
        if (
            not name.startswith("_")
            and inspect.isfunction(inner)
            and inner.__module__.startswith("propgraph")
        ):
            yield f"{kind.__name__}.{name}", inner


MEMBERS = dict(pair for kind in PUBLIC.values() if inspect.isclass(kind) for pair in members(kind))


def test_the_methods_that_are_looked_at_are_those_of_a_study():
    assert {"Study.open", "Study.explain", "Study.plot", "Study.tables", "Study.cascade"} <= set(MEMBERS)


@pytest.mark.parametrize("name", MEMBERS)
def test_the_example_of_a_public_method_gives_what_it_says(name, tmp_path, monkeypatch):
    lines = examples(MEMBERS[name])
    assert lines, "no example"
    own = name.rpartition(".")[2]
    assert any(f".{own}" in line.source for line in lines)
    assert lines[-1].want.strip()
    assert not any(line.options for line in lines)
    monkeypatch.chdir(tmp_path)
    told = []
    test = doctest.DocTest(lines, {}, name, None, None, None)
    result = doctest.DocTestRunner(verbose=False).run(test, out=told.append)
    assert result.failed == 0, "".join(told)
