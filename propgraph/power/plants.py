"""Crews that are laid into a log: new accounts whose posts are copies of the log's, at times of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from propgraph.arrays.types import Int64
from propgraph.clusters.inputs import with_resolution
from propgraph.power.grid import Cell
from propgraph.readers.times.fineness import RESOLUTION
from propgraph.schema import TIME
from propgraph.study import Study

#: Crews take objects of so many shares at least, where the log has enough of them.
MANY_SHARES, FEWEST_SHARES = 20, 3
_HOUR_MS = 3_600_000
_TRIES = 8
_IDS = ("content_id", "account_id", "origin_account_id", "parent_content_id", "target_id")


@dataclass(frozen=True)
class Material:
    """What crews are made from.

    Attributes
    ----------
    trace
        The trace whose objects they have in common: of those of the network, the one with most shares.
    posts
        `content_id, account_id, timestamp, time_resolution_s`, a row a post, by time.
    shares
        `object_id, content_id, timestamp, time_resolution_s` of the objects that crews may take, by object.
    start
        int64[n_objects + 1]; where the shares of each object begin.
    accounts
        Ids of all accounts of the log, sorted.
    prefix
        No id of the log begins with it.
    """

    trace: str
    posts: pl.DataFrame
    shares: pl.DataFrame
    start: Int64
    accounts: pl.Series
    prefix: str

    @property
    def n_objects(self) -> int:
        """Objects that crews may take."""
        return self.start.size - 1


@dataclass(frozen=True)
class Plants:
    """Crews as rows of a study's tables.

    Attributes
    ----------
    crews
        `account_id`, `crew` (UInt32, its place among the cells).
    posts, shares, accounts
        Their rows of the tables of these names.
    """

    crews: pl.DataFrame
    posts: pl.DataFrame
    shares: pl.DataFrame
    accounts: pl.DataFrame


def material_of(study: Study, traces: Sequence[str], /, *, most_objects: int) -> Material:
    """Return what crews are made from in a study.

    Parameters
    ----------
    study, traces
        The study, and the traces of its network.
    most_objects
        The most objects that any crew takes: where fewer than twice as many have `MANY_SHARES`, the most shared ones of
        at least `FEWEST_SHARES` are taken.
    """
    of_network = study.scan("shares").filter(pl.col("trace").is_in(list(traces)))
    sizes = of_network.group_by("trace").len("n").sort(["n", "trace"], descending=[True, False]).collect()
    trace = sizes.item(0, "trace") if sizes.height else ""
    order = ["object_id", "timestamp", "content_id"]
    # A post that is the object itself would make its copy an object, too.
    copied = (pl.col("trace") == trace) & (pl.col("content_id") != pl.col("object_id"))
    shares = with_resolution(study, "shares").filter(copied)
    counts = shares.group_by("object_id").len("n").collect()["n"].sort(descending=True)
    wanted = min(2 * most_objects, len(counts))
    least = max(min(MANY_SHARES, counts[wanted - 1] if wanted else 0), FEWEST_SHARES)
    kept = shares.filter(pl.len().over("object_id") >= least).select(*order, RESOLUTION).sort(order).collect()
    ends = kept.select(pl.col("object_id").rle_id()).to_series().value_counts(sort=False).sort("object_id")
    start = np.concatenate([[0], np.cumsum(ends["count"].to_numpy())]).astype(np.int64)
    posts = (
        with_resolution(study, "posts")
        .select("content_id", "account_id", "timestamp", RESOLUTION)
        .unique("content_id", keep="first", maintain_order=True)
        .sort("timestamp", "account_id", "content_id")
        .collect()
    )
    accounts = posts["account_id"].unique().sort()
    return Material(trace, posts, kept, start, accounts, _unused_prefix(study))


def _unused_prefix(study: Study) -> str:
    """Return letters with which no id of the log begins."""
    table = study.scan("posts")
    number = 0
    while True:
        prefix = f"planted{number or ''}-"
        hit = [pl.col(name).str.starts_with(prefix).any() for name in _IDS]
        if not any(value for value in table.select(hit).collect().row(0)):
            return prefix
        number += 1


def plant(
    study: Study, material: Material, cells: Sequence[Cell], /, *, turnout: float, seed: Sequence[int]
) -> Plants:
    """Return crews laid into a log, each on objects of its own.

    A member posts as often, and at the very times, as an account of the log drawn at random, each time a copy of what
    somebody else posted within the same hour. Besides, it shares the crew's objects: drawn by popularity, the first
    post at the time of a random share of the object, the others within the span. Each of these posts is a copy of a
    random share of the object, at another time. Times keep the grid on which the log's lie.

    Parameters
    ----------
    study, material
        The log, and what crews are made from.
    cells
        The crews; together they take no more objects and accounts than there are.
    turnout
        The part of a crew (0..1), drawn anew for each object, that shares it; two accounts at least.
    seed
        The same seed gives the same crews.
    """
    rng = np.random.default_rng(seed)
    sizes = np.array([cell.n_accounts for cell in cells])
    total = int(sizes.sum())
    # In no order that tells the crews apart: ties are broken by ids.
    names = pl.Series([f"{material.prefix}{k}" for k in rng.permutation(total)])
    models = material.accounts.gather(np.sort(rng.choice(len(material.accounts), total, replace=False)))
    models = models.gather(rng.permutation(total))
    copies = pl.concat(
        [_of_the_crew(material, cells, names, rng, turnout=turnout), _ordinary(material, models, names, rng)]
    ).sort("timestamp", "account_id", "content_id")
    copies = copies.with_columns(
        new_id=pl.format("{}post{}", pl.lit(material.prefix), pl.int_range(pl.len()))
    )
    posts, shares = (_copied(study, name, copies) for name in ("posts", "shares"))
    crews = pl.DataFrame({"account_id": names, "crew": np.repeat(np.arange(len(cells)), sizes)})
    return Plants(
        crews.cast({"crew": pl.UInt32}), posts, shares, _profiles(study, models, names, posts, shares)
    )


def _of_the_crew(
    material: Material,
    cells: Sequence[Cell],
    names: pl.Series,
    rng: np.random.Generator,
    *,
    turnout: float,
) -> pl.DataFrame:
    """Return the crews' shares of their objects: `content_id` (what is copied), who, when, and how fine that is."""
    n = np.diff(material.start)
    objects = rng.choice(n.size, sum(cell.n_objects for cell in cells), replace=False, p=n / n.sum())
    objects = rng.permutation(objects)  # who is drawn first is popular
    times = material.shares["timestamp"].dt.epoch("ms").to_numpy()
    row, who, when = [], [], []
    first_account = first_object = 0
    for cell in cells:
        there = min(max(round(turnout * cell.n_accounts), 2), cell.n_accounts)
        for place in objects[first_object : first_object + cell.n_objects]:
            low, high = material.start[place : place + 2]
            delay = rng.integers(0, round(cell.span_s * 1000) + 1, there)
            row.append(rng.integers(low, high, there))
            who.append(first_account + rng.choice(cell.n_accounts, there, replace=False))
            when.append(times[rng.integers(low, high)] + delay - delay.min())
        first_account += cell.n_accounts
        first_object += cell.n_objects
    rows = np.concatenate(row)
    return _at(material.shares[rows], names.gather(np.concatenate(who)), np.concatenate(when))


def _at(copied: pl.DataFrame, names: pl.Series, when: Int64) -> pl.DataFrame:
    """Return copies of posts by others at other times, on the grid of the posts copied."""
    step = (copied[RESOLUTION].fill_null(0.001) * 1000).round().cast(pl.Int64).clip(1).to_numpy()
    own = copied["timestamp"].dt.epoch("ms").to_numpy()
    return copied.select(
        "content_id",
        account_id=names,
        timestamp=pl.Series(own + (when - own) // step * step).cast(TIME),
        time_resolution_s=RESOLUTION,
    )


def _ordinary(
    material: Material, models: pl.Series, names: pl.Series, rng: np.random.Generator
) -> pl.DataFrame:
    """Return what members post otherwise: at the times of their models, what others posted within the hour."""
    posts = material.posts
    of = pl.DataFrame({"account_id": models, "name": names})
    mine = posts.join(of, on="account_id", maintain_order="left")
    times = posts["timestamp"].dt.epoch("ms").to_numpy()
    at = mine["timestamp"].dt.epoch("ms").to_numpy()
    low, high = np.searchsorted(times, at - _HOUR_MS), np.searchsorted(times, at + _HOUR_MS, side="right")
    drawn = rng.integers(low, high)
    for _ in range(_TRIES):
        own = (posts["account_id"].gather(drawn) == mine["account_id"]).to_numpy()
        drawn[own] = rng.integers(low[own], high[own])
    another = posts["account_id"].gather(drawn) != mine["account_id"]
    copied = posts["content_id"].gather(drawn)
    # Where nobody else posted within the hour, a member is silent.
    return mine.select(copied, account_id="name", timestamp="timestamp", time_resolution_s=RESOLUTION).filter(
        another
    )


def _copied(study: Study, name: str, copies: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of a table that belong to the posts copied, as rows of their copies."""
    table = study.scan(name)
    columns = table.collect_schema().names()
    own = copies.lazy().rename({key: f"its_{key}" for key in ("account_id", "timestamp", RESOLUTION)})
    replaced = {"content_id": "new_id", "account_id": "its_account_id", "timestamp": "its_timestamp"}
    if RESOLUTION in columns:
        replaced[RESOLUTION] = f"its_{RESOLUTION}"
    rows = table.join(own, on="content_id").with_columns(
        pl.col(source).alias(column) for column, source in replaced.items()
    )
    return rows.select(columns).collect().sort(columns[:3])


def _profiles(
    study: Study, models: pl.Series, names: pl.Series, posts: pl.DataFrame, shares: pl.DataFrame
) -> pl.DataFrame:
    """Return the members' rows of `accounts`: made when their models were, and nameless."""
    table = study.scan("accounts")
    of = pl.LazyFrame({"account_id": models, "own": names})
    found = posts.group_by("account_id").agg(
        n_posts=pl.col("content_id").n_unique(),
        first_seen=pl.col("timestamp").min(),
        last_seen=pl.col("timestamp").max(),
    )
    counted = found.join(shares.group_by("account_id").len("n_shares"), on="account_id", how="left")
    rows = (
        table.join(of, on="account_id")
        .drop("account_id", "n_posts", "n_shares", "first_seen", "last_seen")
        .with_columns(name=None)
        .join(counted.lazy().rename({"account_id": "own"}), on="own")
        .rename({"own": "account_id"})
    )
    schema = table.collect_schema()
    return rows.select(pl.col(name).cast(kind) for name, kind in schema.items()).collect().sort("account_id")
