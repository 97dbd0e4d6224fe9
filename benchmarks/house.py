"""How the code is built: the length of its files and functions, and how much of it is explained.

    python -m benchmarks house [FOLDER]

Function length: lines with code in the body, its docstring, comments and empty lines left out. Complexity: McCabe's, by
ruff, whatever the code asks to overlook. Comments: lines that are a comment, in 100 lines with code or a comment.
Public: modules, and classes and functions whose name has no leading underscore. Then the longest files, and the
functions over 50 lines, by name.
"""

from __future__ import annotations

import argparse
import ast
import io
import json
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import ROOT
from benchmarks.timing import header, row

LONG_FILE, LONG_FUNCTION, COMPLEX = 450, 50, 10
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One file: its lines, which of them hold code and which a comment, and its tree."""

    path: Path
    n_lines: int
    code: frozenset[int]
    comments: frozenset[int]
    tree: ast.Module


def read(path: Path) -> Module:
    """Return a file taken apart."""
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    docstrings = {line for node in ast.walk(tree) for line in _docstring_lines(node)}
    code: set[int] = set()
    comments: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        lines = range(token.start[0], token.end[0] + 1)
        if token.type == tokenize.COMMENT:
            if source.splitlines()[token.start[0] - 1].lstrip().startswith("#"):
                comments.add(token.start[0])
        elif token.type not in (
            tokenize.NL,
            tokenize.NEWLINE,
            tokenize.INDENT,
            tokenize.DEDENT,
            tokenize.ENDMARKER,
        ):
            code.update(line for line in lines if line not in docstrings)
    return Module(path, len(source.splitlines()), frozenset(code), frozenset(comments), tree)


def _docstring_lines(node: ast.AST) -> range:
    body = getattr(node, "body", None)
    first = body[0] if isinstance(body, list) and body else None
    if (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    ):
        return range(first.lineno, (first.end_lineno or first.lineno) + 1)
    return range(0)


def functions(module: Module) -> Iterator[tuple[Function, int]]:
    """Return every function, and the lines with code in its body."""
    for node in ast.walk(module.tree):
        if isinstance(node, Function):
            inside = range(node.body[0].lineno, (node.end_lineno or 0) + 1)
            yield node, sum(line in module.code for line in inside)


def public(tree: ast.AST) -> Iterator[ast.AST]:
    """Return the module, and all its public classes, functions and methods."""
    yield tree
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            yield from public(node) if isinstance(node, ast.ClassDef) else (node,)


def commented(modules: list[Module]) -> float:
    """Return how many lines in a hundred with code or a comment are comments."""
    n_comments, n_code = (
        sum(len(getattr(module, name)) for module in modules) for name in ("comments", "code")
    )
    return 100 * n_comments / max(n_comments + n_code, 1)


def complexities(folder: Path) -> list[str]:
    """Return where McCabe's complexity is above ten: file, line and what ruff says."""
    command = [
        *(sys.executable, "-m", "ruff", "check", str(folder), "--isolated", "--ignore-noqa", "--exit-zero"),
        *("--select", "C901", "--config", f"lint.mccabe.max-complexity={COMPLEX}", "--output-format", "json"),
    ]
    found = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    return [f"{Path(one['filename']).name}:{one['location']['row']} {one['message']}" for one in found]


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "propgraph")
    folder = parser.parse_args().folder
    modules = [read(path) for path in sorted(folder.rglob("*.py"))]
    lengths = np.array([module.n_lines for module in modules])
    every = [(module, *found) for module in modules for found in functions(module)]
    bodies = np.array([n for *_, n in every])
    arguments = [
        argument
        for _, node, _ in every
        for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
        if argument.arg not in ("self", "cls")
    ]
    shown = [node for module in modules for node in public(module.tree)]
    kernels = [module for module in modules if "\n@kernel" in module.path.read_text(encoding="utf-8")]
    tangled = complexities(folder)
    header("measure", "value")
    row("files / lines", f"{len(modules)} / {lengths.sum():,}")
    row("file length median / p90 / max", _quantiles(lengths))
    row("functions", len(every))
    row("function length median / p90 / max", _quantiles(bodies))
    row(f"functions over {LONG_FUNCTION} lines", int((bodies > LONG_FUNCTION).sum()))
    row(f"complexity over {COMPLEX}", len(tangled))
    row("public docstrings", f"{np.mean([ast.get_docstring(node) is not None for node in shown]):.0%}")  # type: ignore[arg-type]
    row("comments in 100 lines", f"{commented(modules):.1f}")
    row("comments in 100 lines where kernels are", f"{commented(kernels):.1f}")
    row("arguments annotated", f"{np.mean([argument.annotation is not None for argument in arguments]):.0%}")
    row("returns annotated", f"{np.mean([node.returns is not None for _, node, _ in every]):.0%}")
    for module in sorted(modules, key=lambda module: -module.n_lines):
        if module.n_lines > LONG_FILE:
            print(f"long file      {module.path.relative_to(folder)}: {module.n_lines} lines")
    for module, node, n in sorted(every, key=lambda one: -one[2]):
        if n > LONG_FUNCTION:
            print(f"long function  {module.path.relative_to(folder)}:{node.lineno} {node.name}: {n} lines")
    for line in tangled:
        print(f"complex        {line}")


def _quantiles(values: np.ndarray) -> str:
    return f"{np.median(values):.0f} / {np.quantile(values, 0.9):.0f} / {values.max()}"


if __name__ == "__main__":
    main()
