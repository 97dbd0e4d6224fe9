"""Whether the tests would notice: small faults put into the code one at a time, and what part of them the tests find.

    pip install -e '.[dev,mutation]'
    python -m benchmarks mutation [--modules cosharing cascades/order.py ...] [--sample 200] [--seed 0] [--jobs 2]

A mutant is a module with one operator, comparison, number or loop changed by Cosmic Ray. Places are drawn at random,
one mutant a place, so that no spot counts twice; annotations and decorators are left out, for nothing runs there. Each
mutant is tested in a copy of the repository: first by the tests named after the module, then by those that import it
(where there is neither, by those of its room). Kernels that call a changed one are compiled anew, with their indices
checked. Tests that fail without any fault kill nothing: they end the command. Printed: by module how many of the
mutants die, then the lines of those that live. Some of these cannot die, because they mean the same (a larger block,
a bound that is never met): they are read by hand.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from queue import Queue

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

from benchmarks import ROOT
from benchmarks.timing import header, row

MODULES = (
    *("arrays", "cosharing", "synchrony", "likeness", "cascades", "clusters"),
    *("stability/terms.py", "stability/meetings.py"),
    *(
        "readers/times/times.py",
        "readers/times/written.py",
        "readers/times/clocks.py",
        "readers/times/rounding.py",
        "readers/times/strptime.py",
    ),
    *("traces/urls.py", "traces/addresses.py", "traces/clinging.py", "traces/hosts.py", "traces/pages.py"),
    *("traces/url_words.py", "traces/wrappers.py"),
)
# Types and identity: `is` for `==` is the same for the numbers and names here, or no sense at all.
_LEFT_OUT = ("Remove", "Variable", "Exception")
_SAME = ("_Is", "_IsNot")
_SECONDS = 600

Place = tuple[int, int]


@dataclass(frozen=True)
class Mutant:
    """One fault: where it stands, what makes it, and the line as it is and as it becomes."""

    module: Path
    place: Place
    operator: str
    code: str
    before: str
    after: str


def modules(names: list[str]) -> list[Path]:
    """Return the modules behind files and folders of `propgraph/`."""
    found: list[Path] = []
    for name in names:
        path = ROOT / "propgraph" / name
        found += sorted(path.rglob("*.py")) if path.is_dir() else [path]
    return [path for path in found if path.name != "__init__.py"]


def places(module: Path) -> list[tuple[Path, Place, list[tuple[str, int]]]]:
    """Return the places of a module that can be changed, each with the operators that can do it."""
    source = module.read_text(encoding="utf-8")
    nodes, silent = list(ast_nodes(get_ast(source))), _silent(source)
    at: dict[Place, list[tuple[str, int]]] = defaultdict(list)
    for name in operator_names():
        operator_class = get_operator(name)
        if name.split("/")[1].startswith(_LEFT_OUT) or name.endswith(_SAME) or operator_class.arguments():
            continue
        operator = operator_class()
        found = [place for node in nodes for place, _ in operator.mutation_positions(node)]
        for occurrence, place in enumerate(found):
            if not any(start <= place < end for start, end in silent):
                at[place].append((name, occurrence))
    return [(module, place, ways) for place, ways in sorted(at.items())]


def drawn(names: list[str], n: int, rng: random.Random) -> Iterator[Mutant]:
    """Draw places at random, and in each one mutant; n together, or all."""
    every = [place for module in modules(names) for place in places(module)]
    print(f"{min(n, len(every))} of {len(every)} places", flush=True)
    rng.shuffle(every)
    made = (_mutant(module, place, *rng.choice(ways)) for module, place, ways in every)
    yield from islice((mutant for mutant in made if mutant), n)


def _mutant(module: Path, place: Place, name: str, occurrence: int) -> Mutant | None:
    source = module.read_text(encoding="utf-8")
    code = mutate_code(source, get_operator(name)(), occurrence)
    if code is None or code == source or not _is_code(code):
        return None
    before, after = (text.splitlines()[place[0] - 1].strip() for text in (source, code))
    return Mutant(module, place, name.split("/")[1], code, before, after)


def _is_code(code: str) -> bool:
    """Tell whether it can be compiled at all: `//` for the bar of a signature cannot."""
    try:
        ast.parse(code)
    except SyntaxError:
        return False
    return True


def _silent(source: str) -> list[tuple[Place, Place]]:
    """Return where a change changes nothing that runs: annotations and decorators."""
    nodes: list[ast.expr | None] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            nodes += node.decorator_list
        if isinstance(node, ast.FunctionDef):
            nodes.append(node.returns)
        if isinstance(node, ast.arg | ast.AnnAssign):
            nodes.append(node.annotation)
    return [
        ((node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0))
        for node in nodes
        if node is not None
    ]


def tests_of(module: Path) -> list[list[str]]:
    """Return the tests of a module: those named after it, then those that import it; else those of its room."""
    room, name = module.relative_to(ROOT / "propgraph").parts[0], module.stem
    dotted = ".".join(module.relative_to(ROOT).with_suffix("").parts)
    parts: dict[str, list[str]] = {"own": [], "imports": [], "room": []}
    for file in sorted((ROOT / "tests").glob("test_*.py")):
        if file.name == f"test_{room}_{name}.py":
            parts["own"].append(file.name)
        elif dotted in file.read_text(encoding="utf-8"):
            parts["imports"].append(file.name)
        elif file.name.startswith(f"test_{room}_"):
            parts["room"].append(file.name)
    of_room = parts.pop("room")
    return [part for part in parts.values() if part] or [of_room]


def dependents(module: Path) -> set[Path]:
    """Return a module and all that import it, or import one that does."""
    sources = {path: path.read_text(encoding="utf-8") for path in (ROOT / "propgraph").rglob("*.py")}
    found, ahead = {module}, [module]
    while ahead:
        last = ahead.pop()
        dotted = ".".join(last.relative_to(ROOT).with_suffix("").parts)
        new = {path for path, source in sources.items() if f"from {dotted} import" in source} - found
        found |= new
        ahead += new
    return found


def forget(module: Path, copy: Path) -> None:
    """Delete what was compiled in a copy from a module and from those that build on it."""
    for path in dependents(module):
        caches = copy / path.parent.relative_to(ROOT) / "__pycache__"
        for index in caches.glob(f"{path.stem}.*.nbi"):
            index.unlink()


class Copies:
    """Copies of the repository, one for each mutant that is tested at a time."""

    def __init__(self, folder: Path, n: int) -> None:
        self._free: Queue[Path] = Queue()
        self._sound: set[tuple[str, ...]] = set()
        for k in range(n):
            copy = folder / str(k)
            shutil.copytree(
                ROOT, copy, ignore=shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", "demo")
            )
            self._free.put(copy)

    def judge(self, mutant: Mutant) -> str | None:
        """Return which tests a mutant dies by, None where it lives."""
        copy = self._free.get()
        try:
            killer = _killer(mutant, copy)
            if killer is not None:
                self._check(killer, copy)
        finally:
            self._free.put(copy)
        print(f"{'dead' if killer else 'lives'} {told(mutant)}", file=sys.stderr, flush=True)
        return None if killer is None else " ".join(killer)

    def _check(self, files: list[str], copy: Path) -> None:
        """Check once that tests pass where nothing was changed."""
        if tuple(files) not in self._sound:
            if not _pass(files, copy):
                raise SystemExit(f"fails without any fault: {' '.join(files)}")
            self._sound.add(tuple(files))


def _killer(mutant: Mutant, copy: Path) -> list[str] | None:
    target = copy / mutant.module.relative_to(ROOT)
    source = target.read_text(encoding="utf-8")
    target.write_text(mutant.code, encoding="utf-8")
    forget(mutant.module, copy)
    try:
        return next((files for files in tests_of(mutant.module) if not _pass(files, copy)), None)
    finally:
        target.write_text(source, encoding="utf-8")
        forget(mutant.module, copy)


def _pass(files: list[str], copy: Path) -> bool:
    environment = os.environ | {"NUMBA_BOUNDSCHECK": "1", "CI": "true", "PYTHONPATH": str(copy)}
    command = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    try:
        done = subprocess.run(
            [*command, *(f"tests/{name}" for name in files)],
            cwd=copy, env=environment, capture_output=True, timeout=_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return False  # it runs for ever
    return done.returncode == 0


def main() -> None:
    """Draw, test, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--modules", nargs="+", default=list(MODULES))
    parser.add_argument("--sample", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    mutants = list(drawn(options.modules, options.sample, rng))
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(options.jobs) as pool:
        killers = list(pool.map(Copies(Path(folder), options.jobs).judge, mutants))
    report(mutants, killers)
    print(f"\n{time.perf_counter() - started:.0f} s")


def told(one: Mutant) -> str:
    """Return where a fault stands and what it does, in three lines."""
    return f"{one.module.relative_to(ROOT)}:{one.place[0]} {one.operator}\n  - {one.before}\n  + {one.after}"


def report(mutants: list[Mutant], killers: list[str | None]) -> None:
    """Print what died, module by module, and what lives."""
    header("module", "mutants", "dead", "part")
    total, dead = Counter(m.module for m in mutants), Counter[Path]()
    dead.update(mutant.module for mutant, killer in zip(mutants, killers, strict=True) if killer)
    for module, n in sorted(total.items()):
        row(module.relative_to(ROOT / "propgraph"), n, dead[module], dead[module] / n)
    row("all", len(mutants), dead.total(), dead.total() / max(len(mutants), 1))
    living = [mutant for mutant, killer in zip(mutants, killers, strict=True) if not killer]
    for one in sorted(living, key=lambda mutant: (mutant.module, mutant.place)):
        print(f"\n{told(one)}")


if __name__ == "__main__":
    main()
