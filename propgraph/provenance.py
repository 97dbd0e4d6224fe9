"""The run record: what made a study, out of what, with which choices, and at what cost."""

from __future__ import annotations

import hashlib
import logging
import platform
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

_log = logging.getLogger(__name__)

LIBRARIES = (
    "propgraph",
    "polars",
    "pyarrow",
    "numpy",
    "numba",
    "scipy",
    "igraph",
    "leidenalg",
    "rensa",
    "orjson",
    "tldextract",
    "ada-url",
    "chardet",
    "lxml",
    "ural",
)


class Run:
    """One run of one job, filled step by step and written as `run.json` with the study.

    Attributes
    ----------
    record
        Plain JSON values: `job`, `id` (no other run has it), `started`, `versions`, `parameters`, `inputs`, `counts`,
        `notes`, and `steps` with wall seconds and peak memory (MB, of the whole process so far; null where the
        system does not tell) each.
    """

    def __init__(self, job: str, parameters: dict[str, Any]) -> None:
        self._start = time.perf_counter()
        self.record: dict[str, Any] = {
            "job": job,
            "id": secrets.token_hex(8),
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "versions": versions(),
            "parameters": parameters,
            "inputs": [],
            "counts": {},
            "notes": [],
            "steps": [],
        }

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time one step; an error tells in which step it came up."""
        start = time.perf_counter()
        try:
            yield
        except Exception as error:
            error.add_note(f"in the step {name!r} of {self.record['job']}")
            raise
        wall, memory = round(time.perf_counter() - start, 3), peak_memory_mb()
        self.record["steps"].append({"step": name, "wall_s": wall, "peak_memory_mb": memory})
        _log.info("%s: %s %.1f s, peak memory %s MB", self.record["job"], name, wall, memory or "?")

    def count(self, **counts: int) -> None:
        """Add named counts."""
        self.record["counts"].update(counts)

    def note(self, text: str) -> None:
        """Add a sentence that a reader of the results has to know."""
        self.record["notes"].append(text)

    def finish(self) -> dict[str, Any]:
        """Return the whole record, the wall seconds and peak memory of the run added."""
        self.record["wall_s"] = round(time.perf_counter() - self._start, 3)
        self.record["peak_memory_mb"] = peak_memory_mb()
        return self.record


def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that results can depend on."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def peak_memory_mb() -> int | None:
    """Return the largest resident size of this process so far, in MB (10^6 bytes); None where nothing tells."""
    if resource is None:
        return _peak_by_psutil()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6)


def _peak_by_psutil() -> int | None:
    try:
        import psutil  # noqa: PLC0415 - a dependency on Windows only
    except ImportError:
        return None
    memory = psutil.Process().memory_info()
    peak: int = getattr(memory, "peak_wset", memory.rss)
    return round(peak / 1e6)


def digest(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
