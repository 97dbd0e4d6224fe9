"""How many distinct URLs a second are brought to one form.

    python -m benchmarks urls [--urls 1000000] [--runs 3]

The URLs are as logs have them: one site in ten is popular, half of the links carry a query, a third tracking
parameters, some are AMP forms, videos, short or wrapped links, or written oddly.
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np
import polars as pl

from benchmarks.timing import header, row
from propgraph.traces.urls import canonicalise_urls

WAYS = {
    "plain": (0.45, "https://{}/2020/08/{}-story-of-the-day"),
    "plain, www, http, slash": (0.10, "http://www.{}/news/{}/"),
    "query": (0.10, "https://{}/index.php?page=2&id={}"),
    "tracking": (0.20, "https://www.{}/a/{}?utm_source=fb&utm_medium=social&fbclid=IwAR0xYz"),
    "mobile or AMP": (0.05, "https://m.{}/story/{}/amp?amp=1"),
    "video": (0.03, "https://youtu.be/{1:0>11}?t=4"),
    "short": (0.04, "https://bit.ly/{1}"),
    "wrapped": (0.01, "https://l.facebook.com/l.php?u=https%3A%2F%2F{}%2F{}&h=AT0"),
    "odd": (0.02, "HTTPS://User@{}:443/b/../Ünïcode-{}?b=2&a=%e4#top"),
}


def make_urls(n: int, way: str, *, seed: int = 0) -> pl.Series:
    """Return `n` distinct URLs written in one way, in random order."""
    rng = np.random.default_rng(seed)
    n_sites = max(n // 50, 10)
    sites = (n_sites * rng.power(0.5, n)).astype(np.int64) % n_sites
    pattern = WAYS[way][1]
    return pl.Series(
        "url",
        [pattern.format(f"site-{s}.example.com" if s % 10 else f"news{s}.org", k)
         for k, s in enumerate(sites.tolist(), seed * 10_000_000)],
    )  # fmt: skip


def measure(urls: pl.Series, runs: int) -> float:
    """Return the median seconds that canonicalisation takes."""
    walls = []
    for _ in range(runs):
        start = time.perf_counter()
        canonicalise_urls(urls)
        walls.append(time.perf_counter() - start)
    return statistics.median(walls)


def main() -> None:
    """Make URLs, measure, print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--urls", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    canonicalise_urls(make_urls(1000, "odd"))  # loads the suffix list
    header("URLs", "distinct", "seconds", "URLs a second")
    mixed = []
    for seed, (way, (share, _)) in enumerate(WAYS.items()):
        urls = make_urls(round(share * options.urls), way, seed=seed)
        mixed.append(urls)
        wall = measure(urls, options.runs)
        row(way, f"{len(urls):,}", wall, f"{len(urls) / wall:,.0f}")
    urls = pl.concat(mixed)
    wall = measure(urls, options.runs)
    row("all together", f"{len(urls):,}", wall, f"{len(urls) / wall:,.0f}")


if __name__ == "__main__":
    main()
