"""How large the report is and how long it takes to write, and to open in a browser, by the number of flagged clusters.

    python -m benchmarks report_size --clusters 10,100,1000

Crews of six post eight links of their own each, within half a minute, among twice as many people who post at random.
The page is opened in Chromium by Playwright, where both are there: until it is read (`open_s`), and until something is
seen.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from propgraph.jobs.build import build
from propgraph.jobs.clusters import find_clusters
from propgraph.report.page.report import write_report

MEMBERS, LINKS, OTHERS, LATER = 6, 8, 12, 14
DAYS = 20


def crews(n: int, *, seed: int = 0) -> pl.DataFrame:
    """Return a log of `n` crews: each link of a crew is posted by all of its members, then by some other people."""
    rng = np.random.default_rng(seed)
    start = 1_700_000_000
    link = np.arange(n * LINKS)
    began = start + rng.integers(0, DAYS * 86_400, link.size)
    crew = np.repeat(link, MEMBERS)
    account = (crew // LINKS) * MEMBERS + np.tile(np.arange(MEMBERS), link.size)
    when = began[crew] + rng.integers(0, 30, crew.size)
    later = np.repeat(link, LATER)
    person = n * MEMBERS + rng.integers(0, n * OTHERS, later.size)
    after = began[later] + rng.integers(60, 3 * 86_400, later.size)
    accounts, links = np.concatenate([account, person]), np.concatenate([crew, later])
    return pl.DataFrame({
        "content_id": [f"p{k}" for k in range(accounts.size)], "account_id": [f"a{k}" for k in accounts],
        "timestamp": np.concatenate([when, after]), "url": [f"https://site{k % 97}.example/{k}" for k in links],
    })  # fmt: skip


def opening(path: Path) -> tuple[float, float] | None:
    """Return how long a browser takes until a page is read, and until something is seen (s); None without one."""
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 - a development extra
    except ImportError:
        return None
    import shutil  # noqa: PLC0415 - as above

    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        return None
    with sync_playwright() as driver:
        page = driver.chromium.launch(executable_path=browser, args=["--no-sandbox"]).new_page()
        page.goto(path.as_uri())
        read, seen = page.evaluate(
            "[performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd,"
            " performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0]"
        )
    return read / 1000, seen / 1000


def measured(n: int, folder: Path) -> dict[str, Any]:
    """Return what there is to say of a log with `n` crews."""
    study = find_clusters(build(crews(n), folder / f"study{n}", overwrite=True))
    path = folder / f"report{n}.html"
    began = time.perf_counter()
    write_report(path, study)
    wall = time.perf_counter() - began
    opened = opening(path)
    return {
        "crews": n, "flagged": study.clusters["flagged"].sum(), "write_s": round(wall, 1),
        "MB": round(path.stat().st_size / 1e6, 2),
        "open_s": None if opened is None else round(opened[0], 2),
        "seen_s": None if opened is None else round(opened[1], 2),
    }  # fmt: skip


def main() -> None:
    """Print a line for each number of crews."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clusters", default="10,100,1000", help="numbers of crews, with commas between")
    asked = [int(n) for n in parser.parse_args().clusters.split(",")]
    with tempfile.TemporaryDirectory() as folder:
        for n in asked:
            print(measured(n, Path(folder)), flush=True)


if __name__ == "__main__":
    main()
