"""What a log holds all in all: the tables of accounts and of objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from propgraph.arrays.encoding import (
    all_distinct,
    codes_of,
    distinct_in_groups,
    encode,
    group_offsets,
    labels_of,
)
from propgraph.readers.log import Log
from propgraph.schema import ACCOUNTS, OBJECTS
from propgraph.traces.text import TEXT_TRACES
from propgraph.traces.urls import canonicalise_urls

if TYPE_CHECKING:
    pass


_SHOWN_CHARS = 280  # of a text, in the table of objects: as long as a post on X was for most of its life


def accounts_table(log: Log, shares: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return the `accounts` table of a log and its shares."""
    ids = encode(log.posts["account_id"])
    labels, code = labels_of(ids), codes_of(ids)
    rows = np.arange(code.size, dtype=np.uint32)
    # Posts stand in order of time, and the last value written to a place stays.
    first, last = np.empty(len(labels), np.uint32), np.empty(len(labels), np.uint32)
    first[code[::-1]], last[code] = rows[::-1], rows
    table = pl.DataFrame(
        {
            "account_id": labels,
            "n_posts": np.bincount(code[_first_of_posts(log.posts["content_id"])], minlength=len(labels)),
            "n_shares": sum(
                (
                    np.bincount(codes_of(part["account_id"]), minlength=len(labels))
                    for part in shares.values()
                ),
                start=np.zeros(len(labels), np.int64),
            ),
            "first_seen": log.posts["timestamp"].gather(pl.Series(first)),
            "last_seen": log.posts["timestamp"].gather(pl.Series(last)),
        }
    )
    if log.profiles.width > 1:
        known = set(log.profiles.columns)
        picks = {
            "name": pl.col("name").drop_nulls().last(),
            "created_at": pl.col("created_at").min(),
            "followers": pl.col("followers").max(),
        }
        profiles = (
            log.profiles.lazy()
            .group_by("account_id")
            .agg(**{name: pick for name, pick in picks.items() if name in known})
        )
        table = table.join(
            profiles.with_columns(pl.col("account_id").cast(pl.String)).collect(), on="account_id", how="left"
        )
    return ACCOUNTS.conform(table).sort("account_id")


def _first_of_posts(content_id: pl.Series) -> Any:
    """Return where a post stands first: it may have a row for each object or group."""
    return slice(None) if all_distinct(content_id) else content_id.is_first_distinct().to_numpy()


def objects_table(shares: Mapping[str, pl.DataFrame], posts: pl.DataFrame, /) -> pl.DataFrame:
    """Return the `objects` table of the shares of all traces, made of `posts`."""
    frames = [OBJECTS.empty()]
    for name, part in shares.items():
        objects = labels_of(part["object_id"])
        offsets = group_offsets(codes_of(part["object_id"]), len(objects))
        first = pl.Series(offsets[:-1])
        table = pl.DataFrame(
            {
                "trace": pl.repeat(name, len(objects), eager=True),
                "object_id": objects,
                "n_shares": np.diff(offsets),
                "n_accounts": distinct_in_groups(
                    offsets, codes_of(part["account_id"]).astype(np.int64), len(labels_of(part["account_id"]))
                ),
                "first_share": part["timestamp"].gather(first),
                "first_account_id": part["account_id"].gather(first).cast(pl.String),
            }
        )
        if name == "url":
            known = (
                canonicalise_urls(objects)
                .rename({"raw": "object_id"})
                .select("object_id", "url", "site", "is_shortener")
            )
            table = table.join(known, on="object_id", how="left", maintain_order="left")
        elif name == "domain":
            table = table.with_columns(pl.col("object_id").alias("site"))
        elif name in TEXT_TRACES and "text" in posts.columns:
            written = posts["text"].gather(part["row"].gather(first))
            table = table.with_columns(written.str.slice(0, _SHOWN_CHARS).alias("text"))
        frames.append(OBJECTS.conform(table))
    return pl.concat(frames)
