"""Shares of one trace as the flat table that cascades are made of: objects one after another, their roots first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from propgraph.arrays.encoding import (
    all_distinct,
    codes_in,
    codes_of,
    decode,
    encode,
    group_offsets,
    labels_of,
)
from propgraph.arrays.types import Int32, Int64
from propgraph.schema import TIME


@dataclass(frozen=True)
class Named:
    """What the log says of parents: codes of each node's post, its parent's post, its origin's account.

    `repeated` tells whether some post has several rows, which may name several parents.
    """

    content: Int64
    parent: Int64
    origin: Int32
    repeated: bool = False


@dataclass(frozen=True)
class Flat:
    """All nodes of all cascades of a trace, by cascade and time; account codes into `accounts`."""

    objects: pl.Series
    accounts: pl.Series
    offsets: Int64
    object_id: pl.Series
    content_id: pl.Series
    account_id: pl.Series
    account: Int32
    time: Int64
    timestamp: pl.Series
    named: Named | None
    roots_later: int = 0


def reordered(flat: Flat, order: Int64, time: Int64) -> Flat:
    """Return the nodes in another order, at other times; a node's time is shown raised, never lowered."""
    position = pl.Series(order.astype(np.uint32))
    own = flat.time[order]
    timestamp = flat.timestamp.gather(position)
    raised = pl.Series((time > own) & timestamp.is_not_null().to_numpy())
    return replace(
        flat,
        content_id=flat.content_id.gather(position),
        account_id=flat.account_id.gather(position),
        account=flat.account[order],
        time=time,
        timestamp=timestamp.zip_with(~raised, pl.Series(time).cast(TIME)),
        named=None,
    )


def plain(shares: pl.DataFrame, posts: pl.DataFrame) -> Flat:
    """Return the shares of objects that are no posts: the first of each is its root."""
    objects = labels_of(shares["object_id"])
    object_ = codes_of(shares["object_id"])
    known = [name for name in ("parent_content_id", "origin_account_id") if name in posts.columns]
    labels, named = labels_of(shares["account_id"]), None
    if any(posts[name].null_count() < posts.height for name in known):
        row = shares["row"].to_numpy()
        labels, origin = _origins(shares, posts)
        content = _content_codes(posts)
        repeated = bool((content != np.arange(content.size)).any())
        named = Named(content[row], _parent_codes(posts)[row], origin, repeated)
    return Flat(
        objects=objects,
        accounts=labels,
        offsets=group_offsets(object_, len(objects)),
        object_id=shares["object_id"],
        content_id=shares["content_id"],
        account_id=shares["account_id"],
        account=_recode(shares["account_id"], labels),
        time=shares["timestamp"].dt.timestamp("ms").to_numpy(),
        timestamp=shares["timestamp"],
        named=named,
    )


def with_roots(shares: pl.DataFrame, posts: pl.DataFrame) -> Flat:
    """Put a row for the original first in each cascade: its own post, or one without a time."""
    flat = plain(shares, posts)
    n, named = len(flat.objects), flat.named or _nothing_named(flat.account.size)
    own_row = codes_in(flat.objects, posts["content_id"])
    in_log = own_row >= 0
    own_row = np.maximum(own_row, 0)
    first_time = flat.time[flat.offsets[:-1]]
    own_time = posts["timestamp"].dt.timestamp("ms").to_numpy()[own_row]
    root_time = posts["timestamp"].gather(pl.Series(own_row)).set(pl.Series(~in_log), None)
    own_account = _recode(encode(posts["account_id"]), flat.accounts)[own_row]
    object_ = codes_of(flat.object_id)
    # A reshare that names the original as its parent hangs under the row made for it.
    parent, row = named.parent, named.content
    if "parent_content_id" in posts.columns:
        names = posts["parent_content_id"].gather(shares["row"])
        of_root = (flat.object_id.cast(pl.String) == names).fill_null(False).to_numpy()
        parent = np.where(of_root & ~in_log[object_], posts.height + object_.astype(np.int64), parent)
    none = np.full(n, -1, np.int32)
    order = np.argsort(np.concatenate([np.arange(n), object_]), kind="stable")
    position = pl.Series(order.astype(np.uint32))

    def merged(of_root: npt.NDArray[Any], of_rest: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.concatenate([of_root, of_rest]).astype(of_rest.dtype)[order]

    # An original that the log does not hold belongs to the account that its reshares name first.
    account = merged(np.where(in_log, own_account, _first_known(named.origin, flat.offsets)), flat.account)
    return Flat(
        objects=flat.objects,
        accounts=flat.accounts,
        offsets=flat.offsets + np.arange(n + 1),
        object_id=decode(merged(np.arange(n), object_), flat.objects),
        content_id=pl.concat([flat.objects.alias("content_id"), flat.content_id]).gather(position),
        account_id=account_ids(account, flat.accounts),
        account=account,
        # A root that the log dates later than its reshares comes first all the same, with its own time.
        time=merged(np.where(in_log, np.minimum(own_time, first_time), first_time), flat.time),
        timestamp=pl.concat([root_time, shares["timestamp"]]).gather(position),
        named=Named(
            content=merged(np.where(in_log, own_row, posts.height + np.arange(n)), row),
            parent=merged(none, parent),
            origin=merged(none, named.origin),
            repeated=named.repeated,
        ),
        roots_later=int((in_log & (own_time > first_time)).sum()),
    )


def _nothing_named(n: int) -> Named:
    return Named(np.arange(n, dtype=np.int64), np.full(n, -1, np.int64), np.full(n, -1, np.int32))


def _origins(shares: pl.DataFrame, posts: pl.DataFrame) -> tuple[pl.Series, Int32]:
    """Return labels for all accounts, origins included, and each share's origin code (-1 unknown)."""
    labels = labels_of(shares["account_id"])
    if "origin_account_id" not in posts.columns:
        return labels, np.full(shares.height, -1, np.int32)
    origin = posts["origin_account_id"].cast(pl.String)
    labels = pl.concat([labels, origin.drop_nulls().unique().alias(labels.name)]).unique().sort()
    return labels, codes_in(origin, labels)[shares["row"].to_numpy()].astype(np.int32)


def _recode(ids: pl.Series, labels: pl.Series) -> Int32:
    own = labels_of(ids)
    codes = codes_of(ids)
    return (codes if len(own) == len(labels) else codes_in(own, labels)[codes]).astype(np.int32)


def _content_codes(posts: pl.DataFrame) -> Int64:
    """Return for each post the first row of `posts` with its id: a post may have a row for each object."""
    if all_distinct(posts["content_id"]):
        return np.arange(posts.height, dtype=np.int64)
    return codes_in(posts["content_id"], posts["content_id"])


def _parent_codes(posts: pl.DataFrame) -> Int64:
    """Return for each post the code of its parent's post, -1 where the log names none."""
    if "parent_content_id" not in posts.columns:
        return np.full(posts.height, -1, np.int64)
    parent = posts["parent_content_id"]
    code = codes_in(parent, posts["content_id"])
    # Named but not in the log: a code that no node has, so that it is counted as absent.
    return np.where((code < 0) & parent.is_not_null().to_numpy(), 2 * posts.height, code)


def _first_known(origin: Int32, offsets: Int64) -> Int64:
    frame = pl.DataFrame(
        {"cascade": np.repeat(np.arange(offsets.size - 1), np.diff(offsets)), "origin": origin}
    )
    known = pl.col("origin").filter(pl.col("origin") >= 0).first().fill_null(-1)
    first = frame.lazy().group_by("cascade", maintain_order=True).agg(known).collect()
    return first["origin"].to_numpy().astype(np.int64)


def account_ids(account: Int32, labels: pl.Series) -> pl.Series:
    """Return the ids behind codes, null below zero."""
    ids = labels.gather(pl.Series(np.maximum(account, 0).astype(np.uint32)))
    unknown = account < 0
    return ids.scatter(np.flatnonzero(unknown), None) if unknown.any() else ids
