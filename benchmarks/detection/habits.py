"""Whether habits pass for coordination: null logs of accounts with habits, in which nobody coordinates.

    python -m benchmarks habits [--kinds NAME ...] [--draws 1] [--first 0] [--data ../shared/data]

Whatever `build` and `find_clusters` call synchronised or flag here is false. Simulated (5,000 accounts, 400 objects
published over 120 days, some 98,000 shares, each after an exponential delay of mean 18 h cut at 3 days):

- none: accounts post whenever; awake: for 16 hours of the day, in six zones; interests: 20 of them, an object of
  another interest is a tenth as likely; slot-8, slot-4, slot-2: only in one slot of so many hours, in six zones (of two
  hours: in twelve, so that slots fill the day);
- quick-2, quick-10: so many percent of the accounts always react within 5 minutes of publication; slot-4-quick-10:
  both; slot-4-quick-10-interests: these and 20 interests;
- feed: a source publishes 100 of the objects between 8 and 18 h; 60 accounts share 90 % of these, after delays of
  mean 6 h, awake at the same hours; feed-quick: they share each within the hour.

Semi-real: the accounts of a real log change places within each object, so that every object keeps its times and every
account its objects, and roughly its habits:

- LOG-cells: uniformly among posts of the same two hours of the day and the same twelfth of the object's life;
- LOG-weights: with weights of each account's hours of the day and places in objects' lives: keeps much less of the
  real log than cells do.

Seeds 0 to 9 are for tuning, 100 and up for showing.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks import SHARED
from benchmarks.detection.calibration import moment
from benchmarks.detection.graft import ORGANIC
from benchmarks.timing import header, row
from propgraph import Study, build, find_clusters
from propgraph.arrays.kernels import kernel

HOUR = 3600
DAY = 24 * HOUR
BEGIN = 1_600_000_000 // DAY * DAY
#: Bounds of the classes of a post's place in its object's life, (rank - 0.5) / (number of posts).
LIFE = (0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.25, 0.4, 0.55, 0.7, 0.85)
N_LIFE = len(LIFE) + 1


@dataclass(frozen=True)
class Habits:
    """What the accounts of a simulated null log are in the habit of.

    Attributes
    ----------
    slot, zones
        Hours of the day in which an account posts, from one of so many hours on; None: at any hour.
    quick
        Fraction of the accounts that always react within 300 s.
    interests
        Kinds of objects and of accounts.
    readers
        Accounts that share the objects of the feed.
    attendance
        Fraction of the feed's objects that each of them shares.
    within
        Hours in which they react; None: at leisure.
    """

    slot: float | None = None
    zones: int = 6
    quick: float = 0.0
    interests: int = 1
    readers: int = 0
    attendance: float = 0.9
    within: float | None = None


SIMULATED = {
    "none": Habits(),
    "awake": Habits(slot=16),
    "interests": Habits(interests=20),
    "slot-8": Habits(slot=8),
    "slot-4": Habits(slot=4),
    "slot-2": Habits(slot=2, zones=12),
    "quick-2": Habits(quick=0.02),
    "quick-10": Habits(quick=0.1),
    "slot-4-quick-10": Habits(slot=4, quick=0.1),
    "slot-4-quick-10-interests": Habits(slot=4, quick=0.1, interests=20),
    "feed": Habits(readers=60),
    "feed-quick": Habits(readers=60, attendance=1.0, within=1.0),
}
FEED_OBJECTS = 100
FEED_HOURS = (8.0, 10.0)
FEED_DELAY = 6.0


def german(data: Path = SHARED, /) -> pl.DataFrame:
    """Return the links of the German log (pages and groups, 2021) as shares."""
    links = pl.read_parquet(data / "german_urls.parquet")
    when = moment("timestamp_share", links.schema["timestamp_share"])
    return links.select("account_id", "object_id", timestamp=when).drop_nulls()


REAL: dict[str, Callable[[Path], pl.DataFrame]] = ORGANIC | {"german": german}
KINDS = (*SIMULATED, *(f"{log}-{way}" for log in REAL for way in ("cells", "weights")))


def null_log(kind: str, seed: int = 0, *, data: Path = SHARED) -> pl.DataFrame:
    """Return one log in which nobody coordinates.

    Parameters
    ----------
    kind
        One of `KINDS`.
    seed
        The same seed gives the same log.
    data
        Where the real logs are.

    Returns
    -------
    pl.DataFrame
        `content_id`, `account_id`, `object_id` (String), `timestamp` (Datetime ms, UTC), by time.
    """
    if kind in SIMULATED:
        return simulated(SIMULATED[kind], seed)
    name, way = kind.rsplit("-", 1)
    return swapped(REAL[name](data), seed, cells=way == "cells")


def simulated(
    habits: Habits, seed: int = 0, *, n_accounts: int = 5000, n_objects: int = 400, mean: float = 20
) -> pl.DataFrame:
    """Return a log of accounts with habits that know nothing of each other; columns as `null_log`.

    An account shares at least `mean` / 2 objects, drawn by popularity; how many more has a heavy tail.
    """
    rng = np.random.default_rng(seed)
    activity = np.minimum(np.round(mean / 2 * (1 + rng.pareto(2.0, n_accounts))), n_objects // 2)
    zone = rng.integers(0, habits.zones, n_accounts) * 24 / habits.zones
    published = rng.uniform(0, 120 * DAY, n_objects)
    kinds = [rng.integers(0, habits.interests, n) for n in (n_accounts, n_objects)]
    liking = rng.lognormal(0, 0.8, n_objects) * np.where(kinds[0][:, None] == kinds[1], 1, 0.1)
    shared = _shared(liking, activity.astype(np.int64), rng)
    slot = np.full(n_accounts, 24.0 if habits.slot is None else habits.slot)
    is_quick = rng.random(n_accounts) < habits.quick
    if habits.readers:
        published[:FEED_OBJECTS] = _feed_times(rng)
        shared[: habits.readers, :FEED_OBJECTS] = (
            rng.random((habits.readers, FEED_OBJECTS)) < habits.attendance
        )
        zone[: habits.readers], slot[: habits.readers] = FEED_HOURS
    account, object_ = np.nonzero(shared)
    of_feed = (account < habits.readers) & (object_ < FEED_OBJECTS)
    delay = _delays(
        published[object_] / HOUR,
        zone[account],
        slot[account],
        np.where(of_feed, FEED_DELAY, 18.0),
        rng,
    )
    delay = np.where(is_quick[account], rng.uniform(0, 300 / HOUR, account.size), delay)
    if habits.within is not None:
        delay = np.where(of_feed, rng.uniform(0, habits.within, account.size), delay)
    seconds = np.floor(published[object_] + delay * HOUR)
    there = ~np.isnan(seconds)
    return as_log(
        pl.DataFrame({"account": account[there], "object": object_[there], "t": seconds[there]}).select(
            pl.format("a{}", "account").alias("account_id"),
            pl.format("o{}", "object").alias("object_id"),
            (pl.col("t").cast(pl.Int64) + BEGIN).alias("t"),
        )
    )


def _shared(liking: np.ndarray, activity: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return who shares what: of each row as many as it may, drawn by weight without replacement (Gumbel)."""
    key = np.log(liking) + rng.gumbel(size=liking.shape)
    place = np.argsort(np.argsort(-key, axis=1), axis=1)
    chosen: np.ndarray = place < activity[:, None]
    return chosen


def _feed_times(rng: np.random.Generator) -> np.ndarray:
    """Return seconds at which the feed publishes: on some of 120 days, within its hours."""
    begin, hours = FEED_HOURS
    times: np.ndarray = rng.integers(0, 120, FEED_OBJECTS) * DAY
    return times + (begin + rng.uniform(0, hours, FEED_OBJECTS)) * HOUR


def _delays(
    published: np.ndarray, begin: np.ndarray, slot: np.ndarray, mean: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return delays in hours, at most 72, exponential given that they end in the slot; NaN where none did."""
    delay = np.full(published.size, np.nan)
    left = np.arange(published.size)
    for _ in range(400):
        drawn = rng.exponential(mean[left])
        good = (drawn < 72) & ((published[left] + drawn - begin[left]) % 24 < slot[left])
        delay[left[good]] = drawn[good]
        left = left[~good]
    return delay


def swapped(log: pl.DataFrame, seed: int = 0, *, cells: bool = False, sweeps: int = 40) -> pl.DataFrame:
    """Return the log with the accounts of each object's posts in other places that suit their habits.

    Parameters
    ----------
    log
        `account_id`, `object_id` (String), `timestamp` (Datetime, UTC); rows in any order.
    seed
        The same seed gives the same log.
    cells
        Deal uniformly among posts of an object in the same two hours of the day and class of its life. Else the
        accounts of each object are dealt anew, then change places pair by pair (Metropolis), so that in the end
        account a stands at post p with a weight of how often a posts at p's hour of the day and at p's class of an
        object's life: both of its counts smoothed by half of each neighbour, plus the log's own as one post.
    sweeps
        Swaps that are proposed for each post.

    Returns
    -------
    pl.DataFrame
        Columns as `null_log`. Each object keeps its times, each account its number of posts of each object.
    """
    rng = np.random.default_rng(seed)
    shares = log.select("account_id", "object_id", t=pl.col("timestamp").dt.epoch("ms"))
    shares = shares.sort("object_id", "t", "account_id")
    account = shares["account_id"].rank("dense").to_numpy().astype(np.int64) - 1
    object_ = shares["object_id"].rank("dense").to_numpy().astype(np.int64) - 1
    ends = np.append(0, np.cumsum(np.bincount(object_)))
    place = np.arange(object_.size) - ends[object_]
    life = np.searchsorted(LIFE, (place + 0.5) / np.diff(ends)[object_])
    hour = shares["t"].to_numpy() // (1000 * HOUR) % 24
    cell = (object_ * 12 + hour // 2) * N_LIFE + life if cells else object_
    order = np.lexsort((rng.random(cell.size), cell))
    who = np.empty_like(order)  # for each post the row whose account comes to it
    who[np.argsort(cell, kind="stable")] = order
    if not cells:
        n = int(account.max()) + 1
        by_hour = _profiles(account, hour, n, around=True, classes=24)
        by_life = _profiles(account, life, n, around=False, classes=N_LIFE)
        _swap(who, account, ends, hour, life, by_hour, by_life, sweeps, int(rng.integers(2**31)))
    dealt = shares.with_columns(account_id=shares["account_id"].gather(who))
    return as_log(dealt, unit="ms")


def _profiles(
    account: np.ndarray, class_: np.ndarray, n_accounts: int, *, around: bool, classes: int
) -> np.ndarray:
    """Return each account's logarithm of how likely a class is to it, up to a constant of the class."""
    counts = np.bincount(account * classes + class_, minlength=n_accounts * classes)
    counts = counts.reshape(n_accounts, classes).astype(np.float32)
    padded = np.pad(counts, ((0, 0), (1, 1)), mode="wrap" if around else "constant")
    smooth = (padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]) / 2
    own = smooth / smooth.sum(axis=1, keepdims=True) * counts.sum(axis=1, keepdims=True)
    overall = np.maximum(smooth.sum(axis=0) / smooth.sum(), 1e-6)
    profile: np.ndarray = np.log((own + overall) / overall).astype(np.float32)
    return profile


@kernel
def _swap(who, account, ends, hour, life, by_hour, by_life, sweeps, seed):  # type: ignore[no-untyped-def]
    """Let the accounts of each object change places; `who` is overwritten."""
    np.random.seed(seed)
    for o in range(ends.size - 1):
        begin, n = ends[o], ends[o + 1] - ends[o]
        if n < 2:
            continue
        for _ in range(sweeps * n):
            p, q = begin + np.random.randint(n), begin + np.random.randint(n)
            a, b = account[who[p]], account[who[q]]
            if a == b:
                continue
            gain = by_hour[a, hour[q]] + by_hour[b, hour[p]] - by_hour[a, hour[p]] - by_hour[b, hour[q]]
            gain += by_life[a, life[q]] + by_life[b, life[p]] - by_life[a, life[p]] - by_life[b, life[q]]
            if gain >= 0 or np.random.random() < np.exp(gain):
                who[p], who[q] = who[q], who[p]


def as_log(shares: pl.DataFrame, *, unit: str = "s") -> pl.DataFrame:
    """Return shares with their `t` in some unit as a log, by time."""
    t = pl.col("t") * (1000 if unit == "s" else 1)
    shares = shares.sort("t", "account_id", "object_id")
    return shares.select(
        pl.format("post{}", pl.int_range(pl.len())).alias("content_id"),
        "account_id",
        "object_id",
        timestamp=t.cast(pl.Datetime("ms", "UTC")),
    )


def found_in(study: Study) -> dict[str, int | float | None]:
    """Return what a study calls synchronised, and what it flags."""
    pairs = study.synchrony.filter(pl.col("q_value") <= 0.05)
    clusters = study.clusters
    flagged = clusters.filter("flagged")
    in_pairs = pl.concat([pairs["source"], pairs["target"]]).n_unique()
    return {
        "pairs at q <= .05": pairs.height,
        "accounts in them": in_pairs,
        "synchronised pairs": study.network.filter("synchronised").height,
        "clusters": clusters.height,
        "flagged clusters": flagged.height,
        "of these by the window alone": flagged.filter(pl.col("evidence") == "window").height,
        "flagged accounts": study.members.join(flagged, on="cluster_id", how="semi")["account_id"].n_unique(),
        "least p_value of a cluster": clusters["p_value"].min(),  # type: ignore[dict-item]
    }


def searched(
    log: pl.DataFrame, *, windows: Sequence[float] = (60,)
) -> tuple[dict[str, int | float | None], float]:
    """Return what is found in a log, and the seconds that the search took."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        log.write_parquet(folder / "log.parquet")
        begun = time.perf_counter()
        study = find_clusters(build([folder / "log.parquet"], folder / "study", time_window=windows).path)
        return found_in(study), time.perf_counter() - begun


def main() -> None:
    """Make the logs, search them, print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS), metavar="NAME")
    parser.add_argument("--draws", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--windows", type=float, nargs="+", default=[60], metavar="SECONDS")
    parser.add_argument("--data", type=Path, default=SHARED)
    options = parser.parse_args()
    clean = total = 0
    for kind in options.kinds:
        for seed in range(options.first, options.first + options.draws):
            log = null_log(kind, seed, data=options.data)
            figures, seconds = searched(log, windows=options.windows)
            if not total:
                header("log", "seed", "shares", *figures, "s")
            cells = [
                "-" if value is None else f"{value:.2g}" if isinstance(value, float) else f"{value:,}"
                for value in figures.values()
            ]
            row(kind, seed, f"{log.height:,}", *cells, seconds)
            clean += not figures["pairs at q <= .05"] and not figures["flagged clusters"]
            total += 1
    print(f"\nclean: {clean} of {total} logs")


if __name__ == "__main__":
    main()
