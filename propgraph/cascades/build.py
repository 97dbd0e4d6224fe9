"""Shares to cascades: one tree for each object that was reshared or shared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from propgraph.cascades.parents import OBSERVED, PARENT_SOURCES, infer_parents
from propgraph.cascades.shape import cascade_shapes, node_depths
from propgraph.encoding import codes_in, codes_of, decode, labels_of
from propgraph.schema import TIME

#: Traces whose objects spread as such; a hashtag or a site is no story.
CASCADE_TRACES = ("object", "reshare", "url")


@dataclass(frozen=True)
class Cascades:
    """The trees of one trace.

    Attributes
    ----------
    cascades
        Columns of `schema.CASCADES`.
    nodes
        Columns of `schema.CASCADE_NODES`; ids may be encoded.
    counts
        Named repairs: how often the log named a parent that is later than its child, or not in the tree.
    """

    cascades: pl.DataFrame
    nodes: pl.DataFrame
    counts: dict[str, int]


def build_cascades(shares: pl.DataFrame, posts: pl.DataFrame, /, *, trace: str) -> Cascades:
    """Return the cascade of every object of one trace.

    The root of a reshare's cascade is the original; where its post is not in the log it stands there all
    the same, without a time. The root of any other cascade is the first sharer. A parent that the log
    names (the post, else the account's latest earlier post in the tree) is taken when it comes before its
    child; everyone else hangs under the root (`inferred:star`).

    Parameters
    ----------
    shares
        Shares of the trace as `make_shares` returns them (encoded ids and `row`).
    posts
        The posts that `row` points into.
    trace
        The trace's name.
    """
    flat = _with_roots(shares, posts) if trace == "reshare" else _plain(shares, posts)
    parent, source, counts = infer_parents(
        flat.offsets,
        content=flat.content,
        account=flat.account.astype(np.int32),
        time=flat.time,
        parent_content=flat.parent_content,
        origin_account=flat.origin.astype(np.int32),
    )
    depth = node_depths(flat.offsets, parent)
    nodes = _nodes_frame(flat, parent, source, depth, trace)
    return Cascades(_cascades_frame(flat, parent, source, trace), nodes, counts)


@dataclass(frozen=True)
class _Flat:
    """All nodes of all cascades of a trace, by cascade and time; codes into `labels` for accounts."""

    objects: pl.Series
    accounts: pl.Series
    offsets: npt.NDArray[np.int64]
    cascade: npt.NDArray[np.int64]
    content_id: pl.Series
    content: npt.NDArray[np.int64]
    account: npt.NDArray[np.int64]
    time: npt.NDArray[np.int64]
    has_time: npt.NDArray[np.bool_]
    parent_content: npt.NDArray[np.int64]
    origin: npt.NDArray[np.int64]


def _plain(shares: pl.DataFrame, posts: pl.DataFrame) -> _Flat:
    objects = labels_of(shares["object_id"])
    cascade = codes_of(shares["object_id"]).astype(np.int64)
    row = shares["row"].to_numpy()
    labels, origin = _origins(shares, posts)
    return _Flat(
        objects=objects,
        accounts=labels,
        offsets=_offsets(cascade, len(objects)),
        cascade=cascade,
        content_id=shares["content_id"],
        content=row.astype(np.int64),
        account=_recode(shares["account_id"], labels),
        time=shares["timestamp"].dt.timestamp("ms").to_numpy(),
        has_time=np.ones(shares.height, np.bool_),
        parent_content=_parent_rows(posts)[row],
        origin=origin,
    )


def _with_roots(shares: pl.DataFrame, posts: pl.DataFrame) -> _Flat:
    """Put a row for the original first in each cascade: its own post, or one without a time."""
    flat = _plain(shares, posts)
    n = len(flat.objects)
    own_row = codes_in(flat.objects, posts["content_id"])
    in_log = own_row >= 0
    first_time = flat.time[flat.offsets[:-1]]
    own_time = posts["timestamp"].dt.timestamp("ms").to_numpy()[np.maximum(own_row, 0)]
    own_account = _recode(posts["account_id"], flat.accounts)[np.maximum(own_row, 0)]
    # An original that the log does not hold belongs to the account that its reshares name first.
    named = _first_known(flat.origin, flat.offsets)
    parent = flat.parent_content.copy()
    if "parent_content_id" in posts.columns:
        of_root = (
            shares["object_id"].cast(pl.String) == posts["parent_content_id"][shares["row"]]
        ).fill_null(False)
        virtual = posts.height + flat.cascade
        parent = np.where(of_root.to_numpy() & ~in_log[flat.cascade], virtual, parent)
    root = {
        "cascade": np.arange(n, dtype=np.int64),
        "content": np.where(in_log, own_row, posts.height + np.arange(n)),
        "account": np.where(in_log, own_account, named),
        "time": np.where(in_log, np.minimum(own_time, first_time), first_time),
        "has_time": in_log,
        "parent_content": np.full(n, -1, np.int64),
        "origin": np.full(n, -1, np.int64),
    }
    rest = {"parent_content": parent} | {
        name: getattr(flat, name) for name in ("cascade", "content", "account", "time", "has_time", "origin")
    }
    order = np.argsort(np.concatenate([root["cascade"], flat.cascade]), kind="stable")
    both = {name: np.concatenate([root[name], rest[name]])[order] for name in root}
    content_id = pl.concat([flat.objects.alias("content_id"), flat.content_id])[
        pl.Series(order.astype(np.uint32))
    ]
    return _Flat(
        objects=flat.objects,
        accounts=flat.accounts,
        offsets=flat.offsets + np.arange(n + 1),
        content_id=content_id,
        **both,
    )


def _origins(shares: pl.DataFrame, posts: pl.DataFrame) -> tuple[pl.Series, npt.NDArray[np.int64]]:
    """Return labels for all accounts, origins included, and each share's origin code (-1 unknown)."""
    labels = labels_of(shares["account_id"])
    if "origin_account_id" not in posts.columns:
        return labels, np.full(shares.height, -1, np.int64)
    origin = posts["origin_account_id"].cast(pl.String)
    labels = pl.concat([labels, origin.drop_nulls().unique().alias(labels.name)]).unique().sort()
    return labels, codes_in(origin, labels)[shares["row"].to_numpy()]


def _recode(ids: pl.Series, labels: pl.Series) -> npt.NDArray[np.int64]:
    own = labels_of(ids)
    codes = codes_of(ids).astype(np.int64)
    return codes if len(own) == len(labels) else codes_in(own, labels)[codes]


def _parent_rows(posts: pl.DataFrame) -> npt.NDArray[np.int64]:
    """Return for each post the row of its parent in `posts`, -1 where unknown or not in the log."""
    if "parent_content_id" not in posts.columns:
        return np.full(posts.height, -1, np.int64)
    return codes_in(posts["parent_content_id"], posts["content_id"])


def _first_known(origin: npt.NDArray[np.int64], offsets: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    frame = pl.DataFrame(
        {"cascade": np.repeat(np.arange(offsets.size - 1), np.diff(offsets)), "origin": origin}
    )
    first = (
        frame.lazy()
        .group_by("cascade", maintain_order=True)
        .agg(pl.col("origin").filter(pl.col("origin") >= 0).first().fill_null(-1))
    )
    return first.collect()["origin"].to_numpy()


def _offsets(cascade: npt.NDArray[np.int64], n: int) -> npt.NDArray[np.int64]:
    offsets = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(cascade, minlength=n), out=offsets[1:])
    return offsets


def _account_ids(account: npt.NDArray[np.int64], labels: pl.Series) -> pl.Series:
    ids = decode(np.maximum(account, 0), labels)
    unknown = account < 0
    return ids.scatter(np.flatnonzero(unknown), None) if unknown.any() else ids


def _cascade_ids(flat: _Flat, trace: str) -> pl.Series:
    """Name cascades `trace:object`; a common prefix keeps the labels sorted."""
    return pl.Series("cascade_id", [trace + ":"]).new_from_index(0, len(flat.objects)) + flat.objects


def _nodes_frame(flat: _Flat, parent: Any, source: Any, depth: Any, trace: str) -> pl.DataFrame:
    is_root = parent < 0
    above = pl.Series(np.maximum(parent, 0).astype(np.uint32))
    frame = pl.DataFrame(
        {
            "cascade_id": decode(flat.cascade, _cascade_ids(flat, trace)),
            "content_id": flat.content_id,
            "account_id": _account_ids(flat.account, flat.accounts),
            "timestamp": pl.Series(flat.time).cast(TIME),
            "parent_content_id": flat.content_id.gather(above),
            "parent_source": decode(
                np.array([2, 1, 0], np.uint32)[source], pl.Series(sorted(PARENT_SOURCES))
            ),
            "depth": depth,
        }
    )
    mask = pl.Series(is_root)
    return frame.with_columns(
        pl.when(~mask).then("parent_content_id").alias("parent_content_id"),
        *(
            []
            if flat.has_time.all()
            else [pl.when(pl.Series(flat.has_time)).then("timestamp").alias("timestamp")]
        ),
    )


def _cascades_frame(flat: _Flat, parent: Any, source: Any, trace: str) -> pl.DataFrame:
    shape = cascade_shapes(flat.offsets, parent)
    first, last = flat.offsets[:-1], flat.offsets[1:] - 1
    observed = np.add.reduceat((source == OBSERVED).astype(np.int64), first) if first.size else np.empty(0)
    below = np.maximum(shape["size"].astype(np.int64) - 1, 1)
    return pl.DataFrame(
        {
            "cascade_id": _cascade_ids(flat, trace),
            "trace": pl.repeat(trace, first.size, eager=True),
            "object_id": flat.objects,
            "root_account_id": _account_ids(flat.account[first], flat.accounts),
            "start": pl.Series(flat.time[first]).cast(TIME),
            "size": shape["size"],
            "n_accounts": _distinct(flat),
            "depth": shape["depth"],
            "max_breadth": shape["max_breadth"],
            "structural_virality": pl.Series(shape["structural_virality"]).fill_nan(None),
            "duration_s": (flat.time[last] - flat.time[first]) / 1000.0,
            "observed_share": pl.Series(observed / below).set(pl.Series(shape["size"] < 2), None),
        }
    )


def _distinct(flat: _Flat) -> Any:
    frame = pl.DataFrame({"cascade": flat.cascade, "account": flat.account})
    counts = frame.lazy().unique().group_by("cascade").len().sort("cascade").collect()
    return counts["len"]
