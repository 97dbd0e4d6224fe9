"""Logs of any size for the benchmarks: heavy-tailed accounts and objects, bursts that decay.

At 10 M shares: 1 M accounts, 0.5 M objects, and some 80 M pairs of posts within 60 s.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

START = 1_630_000_000


def make_log(n_shares: int, *, seed: int = 0) -> pl.DataFrame:
    """Return a log in CooRTweet's layout, rows in random order; ten shares an account, twenty an object."""
    rng = np.random.default_rng(seed)
    n_accounts, n_objects = n_shares // 10, n_shares // 20
    account = (n_accounts * rng.power(0.5, n_shares)).astype(np.int64) % n_accounts
    # Popularity is drawn from one bounded distribution, so that logs of any size have the same objects.
    popularity = np.cumsum(np.minimum((1 - rng.random(n_objects)) ** (-1 / 1.3), 1000))
    object_ = np.searchsorted(popularity, rng.random(n_shares) * popularity[-1])
    born = rng.integers(0, 30 * 86_400, n_objects)
    delay = rng.lognormal(np.log(900), 1.6, n_shares).astype(np.int64)
    return pl.DataFrame(
        {
            "object_id": object_,
            "account_id": account,
            "content_id": np.arange(n_shares) + 10**9,
            "timestamp_share": START + born[object_] + delay,
        }
    ).select(
        pl.format("url_{}", "object_id").alias("object_id"),
        pl.format("user_{}", "account_id").alias("account_id"),
        pl.col("content_id").cast(pl.String),
        "timestamp_share",
    )


def log_file(folder: Path, n_shares: int, suffix: str) -> Path:
    """Return the path of a log of `n_shares` as `csv` or `parquet`, made if it is not there."""
    path = folder / f"log_{n_shares}.{suffix}"
    if not path.exists():
        frame = make_log(n_shares)
        if suffix == "csv":
            frame.write_csv(path)
        else:
            frame.write_parquet(path)
    return path
