"""What the readers make of broken logs: every fixture, its lines mutated, read by its own reader and by detection.

    python -m benchmarks fuzz [--lines 100000] [--seed 0] [--reader NAME] [--jobs 1]

Two files of five are treated as a whole, too: cut off, packed (twice), in an archive, in another encoding, under
lines of prose, as Parquet. Prints counts by reader and by treatment: files, lines, posts, rejected rows, files refused
with a message, seconds. What is no refusal but a fault of propgraph's (an exception, a row that is lost without a
word) is told with the place it comes from, and ends the command with 1. One seed gives the same mutants, with any
number of jobs.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import re
import sys
import tempfile
import time
import traceback
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

from benchmarks import ROOT
from benchmarks.mutants import break_bytes, break_json, break_row
from benchmarks.treatments import Treated, treated
from propgraph.errors import InputError
from propgraph.readers.find import find_logs
from propgraph.readers.log import Log
from propgraph.readers.plan import plan_logs
from propgraph.readers.read import read_logs
from propgraph.readers.registry import READERS

FIXTURES = ROOT / "tests" / "fixtures"
FILE_LINES = 250
# What a document that ends too early is told by.
_CUT_OFF = re.compile(r"bytes from byte|is it cut off|which do not end|quote opens|no JSON|not JSON")


@dataclass
class Tally:
    """What came of some mutants."""

    files: int = 0
    lines: int = 0
    posts: int = 0
    rejected: int = 0
    refused: int = 0
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Add what came of others."""
        for name in ("files", "lines", "posts", "rejected", "refused", "seconds", "faults"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


def fixtures() -> list[Path]:
    """Return the fixtures of the readers: those whose names begin with a reader's; of a folder, one log in it."""
    folders = (FIXTURES, FIXTURES / "ten")
    named = sorted(
        path for folder in folders for path in folder.iterdir() if path.name.startswith(tuple(READERS))
    )
    return [path if path.is_file() else _log_in(path) for path in named]


def _log_in(folder: Path) -> Path:
    """Return the first log in a folder that another file lies beside, which tells more of its posts."""
    beside = READERS[reader_of(folder)].beside
    assert beside is not None
    return min(path for path in folder.rglob("*") if beside(path.name) and _beside(path))


def _beside(file: Path) -> Path | None:
    """Return the file beside a fixture that tells more of its posts."""
    beside = READERS[reader_of(file)].beside
    other = file.with_name((beside and beside(file.name)) or file.name)
    return other if other != file and other.is_file() else None


def reader_of(file: Path) -> str:
    """Return the reader whose name a fixture's name, or that of a folder it is in, begins with."""
    names = [file.name, *(folder.name for folder in file.parents if FIXTURES in folder.parents)]
    return max((name for name in READERS for one in names if one.startswith(name)), key=len)


def fuzz(file: Path, folder: Path, /, *, n_lines: int, seed: int) -> dict[str, Tally]:
    """Read some `n_lines` mutated lines of a fixture; return what comes of them, by what was done to the files."""
    tallies: dict[str, Tally] = {}
    done = part = 0
    while done < n_lines:
        rng = random.Random(f"{seed} {file.name} {part}")
        content, n = mutated(file, rng, min(FILE_LINES, n_lines - done))
        other = _beside(file)
        beside = None if other is None else {other.name: other.read_bytes()}
        what = treated(content, rng, name=file.name, n_head=head_lines(file), beside=beside)
        path = folder / (f"{part}-{file.name}" if other is None else file.name)
        if other is not None:
            path.with_name(other.name).write_bytes(other.read_bytes())
        tally = tallies.setdefault(what.name, Tally())
        tally.files, tally.lines = tally.files + 1, tally.lines + n
        start = time.perf_counter()
        for format in (reader_of(file), None):
            if fault := _fault(path, content, what, format=format, tally=tally):
                tally.faults.append(f"{path.name} (seed {seed}, format {format}, {what.name}): {fault}")
        tally.seconds += time.perf_counter() - start
        path.unlink()
        done, part = done + n, part + 1
    return tallies


def _fault(path: Path, content: bytes, what: Treated, *, format: str | None, tally: Tally) -> str | None:
    """Read a file; return what is wrong with propgraph, if anything."""
    path.write_bytes(what.content)
    log = _read(path, format)
    if log is None:
        tally.refused += 1
    elif isinstance(log, str):
        return log
    else:
        tally.posts += log.posts.height
        tally.rejected += log.rejected.height
    if what.same:
        path.write_bytes(content)
        plain = _read(path, format)
        if _size(log) != _size(plain):
            return f"{_size(log)} posts and rejected rows, where the file as it is has {_size(plain)}"
    return None if log is None else _lost(path, what, log)


def _size(log: Log | str | None) -> tuple[int, int] | str | None:
    return (log.posts.height, log.rejected.height) if isinstance(log, Log) else log


def _read(path: Path, format: str | None) -> Log | str | None:
    """Return what was read, None where it is refused, or the fault."""
    try:
        return read_logs([path], format=format)
    except InputError:
        return None
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException as error:  # a panic of Polars is no Exception
        return f"{type(error).__name__}: {str(error)[:200]} at {_place(error)}"


def _lost(path: Path, what: Treated, log: Log) -> str | None:
    """Return which rows are lost without a word, if any."""
    n_read = sum(source["rows"] for source in log.sources)
    if n_read != log.n_rows:
        return f"{n_read} rows read, {log.n_rows} posts and rejected rows"
    if what.name not in ("as it is", "cut off"):
        return None
    file = find_logs([path])[0][0]
    n_records = sum(1 for line in what.content.split(b"\n") if line.strip())
    if file.layout == "ndjson" and log.n_rows < n_records:
        return f"{n_records} lines, {log.n_rows} posts and rejected rows"
    if file.layout == "csv" and not re.search(rb'["\0\r]', what.content):
        n_records = sum(map(bool, what.content.split(b"\n")[file.skip_lines :])) - 1
        if log.n_rows != n_records:
            return f"{n_records} lines under the header, {log.n_rows} posts and rejected rows"
    told = log.rejected["reason"].str.contains(_CUT_OFF.pattern).any()
    if file.layout == "json" and what.name == "cut off" and not told:
        return "a document that is cut off, and nothing told"
    return None


def _place(error: BaseException) -> str:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "propgraph" in frame.filename]
    return " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames[:-4:-1])


@cache
def head_lines(file: Path, /) -> int:
    """Return how many lines a fixture has up to its header."""
    return plan_logs([file]).files[0].file.skip_lines + 1 if file.suffix == ".csv" else 0


def mutated(file: Path, rng: random.Random, n_lines: int, /) -> tuple[bytes, int]:
    """Return a broken copy of a fixture, and of how many lines or records.

    A table keeps its header and a file of lines its first lines, mostly, so that the rest is read at all.
    """
    content = file.read_bytes()
    if file.suffix in (".json", ".js"):
        return _document(content, rng)
    lines = content.splitlines()
    n_head = head_lines(file)
    head, body = lines[:n_head], lines[n_head:]
    mutate = {".csv": break_row, ".txt": break_bytes}.get(file.suffix, break_json)
    made = [*head, *body[:3]]
    if rng.random() < 0.1:
        at = max(0, n_head - 1)
        made[at] = break_bytes(made[at], rng)
    if rng.random() < 0.1:  # a log with hardly a line in it
        made, n_lines = head, min(n_lines, 2)
    for _ in range(n_lines):
        line = rng.choice(body)
        for _ in range(rng.choice((1, 1, 1, 2, 5))):
            line = (mutate if rng.random() < 0.6 else break_bytes)(line, rng)
        made.append(line)
    ends = rng.choice((b"\n", b"\n", b"\n", b"\r\n"))
    return ends.join(made) + rng.choice((ends, b"", b"\0" * 50)), n_lines


def _document(content: bytes, rng: random.Random) -> tuple[bytes, int]:
    """Return one large JSON value, broken; it counts as ten lines."""
    start, stop = content.find(b"["), content.find(b"=") + 1
    script, content = (content[:stop], content[stop:]) if 0 < stop < start else (b"", content)
    for _ in range(rng.choice((1, 2, 5, 20))):
        content = (break_json if rng.random() < 0.8 else break_bytes)(content, rng)
    return script + content, 10


def _fuzz_all(seed: int, n_lines: int, file: Path) -> dict[str, Tally]:
    with tempfile.TemporaryDirectory() as folder:
        return fuzz(file, Path(folder), n_lines=n_lines, seed=seed)


def _table(title: str, tallies: dict[str, Tally]) -> None:
    print(
        f"{title:32}{'files':>8}{'lines':>10}{'posts':>10}{'rejected':>10}{'refused':>9}{'faults':>8}{'seconds':>9}"
    )
    for name, tally in sorted(tallies.items()):
        print(
            f"{name:32}{tally.files:8,}{tally.lines:10,}{tally.posts:10,}{tally.rejected:10,}{tally.refused:9,}"
            f"{len(tally.faults):8,}{tally.seconds:9.1f}"
        )


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--reader", choices=sorted(READERS), help="only this one")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    files = [file for file in fixtures() if options.reader in (None, reader_of(file))]
    by_reader: dict[str, Tally] = {}
    by_treatment: dict[str, Tally] = {}
    work = partial(_fuzz_all, options.seed, -(-options.lines // len(files)))
    # Polars does not outlive a fork.
    with ProcessPoolExecutor(options.jobs, multiprocessing.get_context("spawn")) as pool:
        for file, tallies in zip(files, pool.map(work, files), strict=True):
            for name, tally in tallies.items():
                by_reader.setdefault(reader_of(file), Tally()).add(tally)
                by_treatment.setdefault(name, Tally()).add(tally)
    _table("reader", by_reader)
    print()
    _table("files", by_treatment)
    total = sum(tally.lines for tally in by_reader.values())
    print(f"{total:,} lines of {len(files)} fixtures, each read twice: by its reader and by detection")
    faults = [fault for tally in by_reader.values() for fault in tally.faults]
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
