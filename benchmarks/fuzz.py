"""What the readers make of broken logs: every fixture, its lines mutated, read by its own reader and by detection.

    python benchmarks/fuzz.py [--lines 100000] [--seed 0] [--reader NAME]

Prints counts by reader: lines, posts, rejected rows, files refused with a message, seconds. What is no refusal
but a fault of propgraph's (an exception, a row that is lost) is told with the place it comes from, and ends
the command with 1.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from propgraph.errors import InputError
from propgraph.readers.files import find_logs
from propgraph.readers.read import plan_logs, read_logs
from propgraph.readers.registry import READERS

FIXTURES = Path(__file__).parent.parent / "tests" / "fixtures"
FILE_LINES = 250
_DEEP = "@deep@"
_DEEP_JSON = b"[" * 2000 + b"]" * 2000
_TOKENS = (
    b'"', b"'", b"\0", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xff\xfe", b"\r", b"\n", b"\r\n", b",", b";", b"\t",
    b"{", b"}", b"[", b"]", b":", b"\\", b"\\ud800", "\u2028".encode(), "\u202e".encode(), b"null", b"1e999", b"-",
    b"x" * 50_000,
)  # fmt: skip
_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 10**30, 2**63, 1e308, float("nan"), float("inf"), -1.5, "", " ", "0", "x", "\0", "\ud800",
    "x" * 50_000, "1e999", "9" * 40, "-99999999999", "2024-13-45T99:99:99Z", "0000-00-00", "[]", "{}", "[[[", "@", "#",
    "http://", "https://[::1", "=1+1", [], {}, [None], [[]], [{}], {"": None}, [1, "a", None, {}], {"a": {"b": []}},
    _DEEP,
)  # fmt: skip


@dataclass
class Tally:
    """What one reader did with its mutants."""

    lines: int = 0
    posts: int = 0
    rejected: int = 0
    refused: int = 0
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)


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


def fuzz(file: Path, folder: Path, /, *, n_lines: int, seed: int, tally: Tally) -> None:
    """Read some `n_lines` mutated lines of a fixture and add up what comes of them in `tally`."""
    done = part = 0
    while done < n_lines:
        rng = random.Random(f"{seed} {file.name} {part}")
        content, n = mutated(file, rng, min(FILE_LINES, n_lines - done))
        other = _beside(file)
        path = folder / (f"{part}-{file.name}" if other is None else file.name)
        path.write_bytes(content)
        if other is not None:
            path.with_name(other.name).write_bytes(other.read_bytes())
        for format in (reader_of(file), None):
            start = time.perf_counter()
            fault = _read(path, format, tally)
            tally.seconds += time.perf_counter() - start
            if fault:
                tally.faults.append(f"{path.name} (seed {seed}, format {format}): {fault}")
        path.unlink()
        done, part = done + n, part + 1
    tally.lines += done


def _read(path: Path, format: str | None, tally: Tally) -> str | None:
    """Read one file; return what is wrong with propgraph, if anything."""
    try:
        log = read_logs([path], format=format)
    except InputError:
        tally.refused += 1
        return None
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException as error:  # a panic of Polars is no Exception
        return f"{type(error).__name__}: {str(error)[:200]} at {_place(error)}"
    tally.posts += log.posts.height
    tally.rejected += log.rejected.height
    n_read = sum(source["rows"] for source in log.sources)
    if n_read != log.n_rows:
        return f"{n_read} rows read, {log.n_rows} posts and rejected rows"
    n_records = sum(1 for line in path.read_bytes().split(b"\n") if line.strip())
    if find_logs([path])[0][0].layout == "ndjson" and log.n_rows < n_records:
        return f"{n_records} lines, {log.n_rows} posts and rejected rows"
    return None


def _place(error: BaseException) -> str:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "propgraph" in frame.filename]
    return " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames[:-4:-1])


def mutated(file: Path, rng: random.Random, n_lines: int, /) -> tuple[bytes, int]:
    """Return a broken copy of a fixture, and of how many lines or records.

    A table keeps its header and a file of lines its first lines, mostly, so that the rest is read at all.
    """
    content = file.read_bytes()
    if file.suffix in (".json", ".js"):
        return _document(content, rng)
    lines = content.splitlines()
    n_head = plan_logs([file]).files[0].file.skip_lines + 1 if file.suffix == ".csv" else 0
    head, body = lines[:n_head], lines[n_head:]
    mutate = {".csv": _csv_line, ".txt": _bytes}.get(file.suffix, _json_line)
    made = [*head, *body[:3]]
    if rng.random() < 0.1:
        at = max(0, n_head - 1)
        made[at] = _bytes(made[at], rng)
    if rng.random() < 0.1:  # a log with hardly a line in it
        made, n_lines = head, min(n_lines, 2)
    for _ in range(n_lines):
        line = rng.choice(body)
        for _ in range(rng.choice((1, 1, 1, 2, 5))):
            line = (mutate if rng.random() < 0.6 else _bytes)(line, rng)
        made.append(line)
    ends = rng.choice((b"\n", b"\n", b"\n", b"\r\n"))
    return ends.join(made) + rng.choice((ends, b"", b"\0" * 50)), n_lines


def _document(content: bytes, rng: random.Random) -> tuple[bytes, int]:
    """Return one large JSON value, broken; it counts as ten lines."""
    start, stop = content.find(b"["), content.find(b"=") + 1
    script, content = (content[:stop], content[stop:]) if 0 < stop < start else (b"", content)
    for _ in range(rng.choice((1, 2, 5, 20))):
        content = (_json_line if rng.random() < 0.8 else _bytes)(content, rng)
    return script + content, 10


def _bytes(line: bytes, rng: random.Random) -> bytes:
    """Break a line as a disk or a network would."""
    at, to = sorted((rng.randrange(len(line) + 1), rng.randrange(len(line) + 1)))
    to = min(to, at + 200)
    ways: tuple[Callable[[], bytes], ...] = (
        lambda: line[:at] + bytes([rng.randrange(256)]) + line[at + 1 :],
        lambda: line[:at] + line[to:],
        lambda: line[:to] + line[at:],
        lambda: line[:at],
        lambda: line[:at] + rng.choice(_TOKENS) + line[at:],
        lambda: line[:at] + rng.choice(_TOKENS) + line[to:],
        lambda: line + line,
        lambda: b"",
    )
    return rng.choice(ways)()


def _csv_line(line: bytes, rng: random.Random) -> bytes:
    """Break a line as a spreadsheet or a script would: fields moved, left out, doubled or of another kind."""
    try:
        (fields,) = csv.reader([line.decode()])
    except (ValueError, csv.Error):
        return line
    if not fields:
        return line
    place, other = rng.randrange(len(fields)), rng.randrange(len(fields))
    way = rng.randrange(5)
    if way == 0:
        fields[place], fields[other] = fields[other], fields[place]
    elif way == 1:
        del fields[place]
    elif way == 2:
        fields.insert(place, fields[other])
    else:
        value = rng.choice(_VALUES)
        fields[place] = value if isinstance(value, str) else json.dumps(value)
    out = io.StringIO()
    csv.writer(out, lineterminator="", quoting=rng.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL))).writerow(
        fields
    )
    return out.getvalue().encode("utf-8", "surrogatepass").replace(_DEEP.encode(), _DEEP_JSON)


def _json_line(line: bytes, rng: random.Random) -> bytes:
    """Break a JSON value: keys and items left out, swapped, doubled, or of another kind."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return line
    places = list(_places(value))
    if not places:
        return line
    (box, place), (other_box, other) = rng.choice(places), rng.choice(places)
    way = rng.randrange(6)
    if way == 0:
        del box[place]
    elif way == 1:
        # Copies, or one might come to stand in itself.
        one, two = (json.dumps(which) for which in (box[place], other_box[other]))
        box[place], other_box[other] = json.loads(two), json.loads(one)
    elif way == 2 and isinstance(box, dict):
        box[rng.choice(("", "x", "id", "\ud800", str(other)))] = box.pop(place)
    elif way == 3 and isinstance(value, dict):
        again = rng.choice(list(value))
        twice = f"{{{json.dumps(again)}: {json.dumps(rng.choice(_VALUES))}, "
        return _written(value).replace(b"{", twice.encode(), 1).replace(b'"@deep@"', _DEEP_JSON)
    else:
        box[place] = rng.choice(_VALUES)
    return _written(value)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for place, inner in list(inside):
        yield value, place
        yield from _places(inner)


def _written(value: Any) -> bytes:
    return json.dumps(value).encode().replace(f'"{_DEEP}"'.encode(), _DEEP_JSON)


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--reader", choices=sorted(READERS), help="only this one")
    options = parser.parse_args()
    files = [file for file in fixtures() if options.reader in (None, reader_of(file))]
    tallies: dict[str, Tally] = {}
    with tempfile.TemporaryDirectory() as folder:
        for file in files:
            tally = tallies.setdefault(reader_of(file), Tally())
            fuzz(file, Path(folder), n_lines=-(-options.lines // len(files)), seed=options.seed, tally=tally)
    print(f"{'reader':28}{'lines':>9}{'posts':>9}{'rejected':>10}{'refused':>9}{'faults':>8}{'seconds':>9}")
    for name, tally in sorted(tallies.items()):
        print(
            f"{name:28}{tally.lines:9,}{tally.posts:9,}{tally.rejected:10,}{tally.refused:9,}"
            f"{len(tally.faults):8,}{tally.seconds:9.1f}"
        )
    total = sum(tally.lines for tally in tallies.values())
    print(f"{total:,} lines of {len(files)} fixtures, each read twice: by its reader and by detection")
    faults = [fault for tally in tallies.values() for fault in tally.faults]
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
