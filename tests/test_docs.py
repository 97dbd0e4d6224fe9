"""The reference says what the code does, and the README names no command that is not there."""

import importlib.util
import os
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def _wide_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")


def make_reference():
    spec = importlib.util.spec_from_file_location("make_reference", ROOT / "docs" / "make_reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", ["reference", "formats"])
def test_pages_are_what_the_code_says(page):
    assert os.environ["COLUMNS"] == "100"
    written = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    assert written == getattr(make_reference(), page)(), "run: python docs/make_reference.py"


@pytest.mark.parametrize("command", make_reference().COMMANDS, ids=" ".join)
def test_help_tells_defaults_in_one_way(command):
    told = " ".join(make_reference().usage(command).split())
    assert "Default" not in told  # `[default: ...]`, as typer has it
    assert re.findall(r"\[default: (?:None|False|\(.*?\))\]", told) == []


def test_every_option_in_the_readme_exists():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    reference = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", readme))
    assert options
    assert {option for option in options if option not in reference} == set()


def test_the_page_of_figures_shows_each_picture_and_says_what_is_to_be_seen():
    page = (ROOT / "docs" / "figures.md").read_text(encoding="utf-8")
    shown = dict(re.findall(r"!\[([^\]]+)\]\(figures/([^)]+)\)", page))
    files = {path.name: path for path in (ROOT / "docs" / "figures").iterdir()}
    assert set(shown.values()) == set(files)
    for alt, name in shown.items():
        assert ElementTree.parse(files[name]).getroot().attrib["aria-label"] == alt


def test_every_make_target_in_the_readme_exists():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^make (\w+)", readme, flags=re.MULTILINE))
    assert targets >= {"demo", "test"}
    assert all(re.search(rf"^{target}:", makefile, flags=re.MULTILINE) for target in targets)


def test_the_page_of_methods_names_every_table():
    page = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
    named = {
        name
        for row in re.findall(r"^\| (`[^|]+) \|", page, flags=re.MULTILINE)
        for name in re.findall(r"`(\w+)`", row)
    }
    assert named == set(make_reference().TABLES)


def test_sample_log_is_the_simulators(tmp_path):
    from propgraph.simulate.veles import sample, write_sample

    write_sample(tmp_path, sample())
    assert {file.name for file in tmp_path.iterdir()} | {"README.md"} == {
        file.name for file in (ROOT / "data").iterdir()
    }
    for made in sorted(tmp_path.iterdir()):
        shipped = ROOT / "data" / made.name
        if made.suffix == ".parquet":
            import polars as pl

            assert pl.read_parquet(made).equals(pl.read_parquet(shipped))
        else:
            assert made.read_bytes() == shipped.read_bytes(), made.name
    assert sum(file.stat().st_size for file in (ROOT / "data").iterdir()) < 3_200_000


def test_the_page_of_signatures_names_every_rule_with_its_weight_and_every_reading():
    from propgraph.clusters.rules import RULES
    from propgraph.report.words import READINGS
    from propgraph.sites.rules import rules

    page = (ROOT / "docs" / "signatures.md").read_text(encoding="utf-8")
    weights = dict(re.findall(r"^\| `([a-z-]+)` \| (\S+)", page, flags=re.MULTILINE))
    assert {rule.name: float(weights[rule.name]) for rule in RULES} == {
        rule.name: rule.weight for rule in RULES
    }
    assert {rule.name for rule in rules(0.5)} <= set(weights)
    assert [reading for reading in READINGS if f"`{reading}`" not in page] == []
