"""The notebooks that are shipped run from their first cell to their last, and each shows what it is there to show."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import polars as pl
import pytest

from propgraph.report.document import Document
from propgraph.report.figures.figure import Figure
from propgraph.study import Study

BOOKS = sorted((Path(__file__).parents[1] / "docs" / "notebooks").glob("*.ipynb"))


def run(cell: str, names: dict[str, object]) -> object:
    """Run a cell as Jupyter does, and return the value of the last line, if it is one."""
    *body, last = ast.parse(cell).body
    value = None
    if not isinstance(last, ast.Expr):
        body.append(last)
    exec(compile(ast.Module(body, []), "cell", "exec"), names)
    if isinstance(last, ast.Expr):
        value = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
    return value


@pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_shows_what_it_tells_of(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__main__"}
    shown = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            value = run("".join(cell["source"]), names)
            shown.append(type(value))
            if hasattr(value, "_repr_html_"):
                assert "<" in value._repr_html_()
    assert shown.count(Study) >= 1
    # Figures, documents or frames: no notebook is text alone.
    assert sum(kind in (Figure, Document, pl.DataFrame) for kind in shown) >= 2


def test_three_are_shipped_as_jupyter_writes_them_without_outputs():
    assert [path.stem for path in BOOKS] == ["evidence", "first_look", "your_own_log"]
    for path in BOOKS:
        book = json.loads(path.read_text(encoding="utf-8"))
        assert (book["nbformat"], book["nbformat_minor"]) == (4, 5)
        cells = book["cells"]
        assert len({cell["id"] for cell in cells}) == len(cells)
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
        assert cells[0]["source"][0].startswith("# ")
