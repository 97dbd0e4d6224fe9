"""Who shared what and when, as flat arrays: the one form that every co-sharing kernel reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from propgraph.arrays.encoding import all_distinct, codes_of, encode, group_offsets, labels_of
from propgraph.arrays.kernels import kernel
from propgraph.arrays.types import Bool, Int32, Int64, Progress
from propgraph.errors import InputError, check_columns

NEEDED = ("account_id", "object_id", "content_id", "timestamp")


@dataclass(frozen=True)
class Incidence:
    """The shares of one trace, sorted by object, time, account and post.

    Attributes
    ----------
    accounts, objects
        Labels (String, sorted) behind the codes.
    offsets
        int64[n_objects + 1]; object `o` has the shares `offsets[o]:offsets[o + 1]`.
    account, object
        int32[n_shares]; codes.
    time
        int64[n_shares]; milliseconds since 1970.
    post
        int64[n_shares]; equal numbers mean the same post. Empty where every share is a post of its own.
    row
        int64[n_shares]; where the share stands in the frame it came from.
    resolution
        int64[n_shares], or int64[1] where all are alike; how fine the time is (ms), 0 where nobody knows.
    whole
        int32[n_objects]; of which object each is a part, by number; empty where each is whole (see `grids.split`).
    own_account, own_post
        int32 and int64[n]; shares whose object is their own post. They pair with nobody (the original of a
        reshare does not co-share with those who reshare it), but count as participation.
    """

    accounts: pl.Series
    objects: pl.Series
    offsets: Int64
    account: Int32
    object: Int32
    time: Int64
    post: Int64
    row: Int64
    resolution: Int64 = field(default_factory=lambda: np.zeros(1, np.int64))
    whole: Int32 = field(default_factory=lambda: np.empty(0, np.int32))
    own_account: Int32 = field(default_factory=lambda: np.empty(0, np.int32))
    own_post: Int64 = field(default_factory=lambda: np.empty(0, np.int64))

    @property
    def whole_object(self) -> Int32:
        """Codes of the objects of which the shares' objects are parts."""
        return self.whole[self.object] if self.whole.size else self.object

    @property
    def n_shares(self) -> int:
        """Number of shares."""
        return int(self.account.size)

    def keep(self, mask: Bool) -> Incidence:
        """Return the incidence of the shares that `mask` keeps; codes stay as they are."""
        if bool(mask.all()):
            return self
        account, object_, time, post, row = _kept(
            mask, self.account, self.object, self.time, self.post, self.row
        )
        return Incidence(
            accounts=self.accounts,
            objects=self.objects,
            offsets=group_offsets(object_, len(self.objects)),
            account=account,
            object=object_,
            time=time,
            post=post,
            row=row,
            resolution=self.resolution[mask] if self.resolution.size > 1 else self.resolution,
            whole=self.whole,
            own_account=self.own_account,
            own_post=self.own_post,
        )


def incidence(shares: pl.DataFrame, /) -> Incidence:
    """Return the incidence of the `shares` of one trace.

    Parameters
    ----------
    shares
        Columns `account_id`, `object_id`, `content_id` (String or encoded) and `timestamp`
        (`Datetime("ms", "UTC")`), without nulls, and `time_resolution_s` where it is known. Rows in any order.

    Returns
    -------
    Incidence
        The shares that can pair; those of a post's own id stand aside.

    Raises
    ------
    InputError
        When a column is missing or holds a null.
    """
    check_shares(shares)
    columns = pl.DataFrame([encode(shares["account_id"]), encode(shares["object_id"]), shares["content_id"]])
    time = shares["timestamp"].dt.timestamp("ms").to_numpy()
    account = codes_of(columns["account_id"]).astype(np.int32)
    object_ = codes_of(columns["object_id"]).astype(np.int32)
    row = np.arange(len(time), dtype=np.int64)
    if not _is_sorted(object_, time, account):
        keys = pl.DataFrame(
            {"o": object_, "t": time, "a": account, "c": columns["content_id"].cast(pl.String)}
        )
        row = keys.select(pl.arg_sort_by("o", "t", "a", "c")).to_series().to_numpy()
        row = row.astype(np.int64)
        account, object_, time = account[row], object_[row], time[row]
    post = np.empty(0, np.int64)
    if not all_distinct(columns["content_id"]):
        post = codes_of(encode(columns["content_id"].cast(pl.String))).astype(np.int64)[row]
    objects = labels_of(columns["object_id"])
    resolution = _resolutions(shares)
    result = Incidence(
        accounts=labels_of(columns["account_id"]),
        objects=objects,
        offsets=group_offsets(object_, len(objects)),
        account=account,
        object=object_,
        time=time,
        post=post,
        row=row,
        resolution=resolution[row] if resolution.size > 1 else resolution,
    )
    own = _shares_of_own_id(objects, object_, columns["content_id"], row)
    if not own.any():
        return result
    return replace(
        result.keep(~own),
        own_account=account[own],
        own_post=post[own] if post.size else np.empty(0, np.int64),
    )


def check_shares(shares: pl.DataFrame, /) -> None:
    """Raise `InputError` unless `shares` has the columns needed, without nulls, and times as times."""
    check_columns("shares", NEEDED, shares.columns)
    nulls = [name for name in (*NEEDED, "trace") if name in shares.columns and shares[name].null_count()]
    if nulls:
        raise InputError(f"shares hold nulls in the column(s) {', '.join(nulls)}; drop these rows first")
    if not isinstance(shares["timestamp"].dtype, pl.Datetime):
        raise InputError(
            f"shares: column 'timestamp' is {shares['timestamp'].dtype}, not a Datetime; "
            "for unix seconds use pl.from_epoch('timestamp', time_unit='s')"
        )


def _resolutions(shares: pl.DataFrame) -> Int64:
    """Return how fine times are (ms), 0 where nobody knows: one number where all are alike."""
    if "time_resolution_s" not in shares.columns:
        return np.zeros(1, np.int64)
    seconds = shares["time_resolution_s"]
    if seconds.n_unique() <= 1:
        seconds = seconds.head(1)
    ms = (seconds.cast(pl.Float64) * 1000).round(0).fill_null(0.0).cast(pl.Int64).to_numpy()
    return ms if ms.size else np.zeros(1, np.int64)


def parts_by_trace(shares: pl.DataFrame, /) -> list[tuple[str, pl.DataFrame]]:
    """Return the name and the shares of each trace, in order; `object` where the frame does not say."""
    if "trace" not in shares.columns:
        return [("object", shares)]
    names = sorted(shares["trace"].cast(pl.String).unique().to_list())
    if len(names) == 1:
        return [(names[0], shares)]
    return [(name, shares.filter(pl.col("trace") == name)) for name in names]


def named(progress: Progress | None, label: str, /) -> Callable[[float], None]:
    """Return what tells `progress` under a label; nothing where there is none."""
    return (lambda done: progress(label, done)) if progress else (lambda _: None)


def _shares_of_own_id(objects: pl.Series, object_: Int32, content: pl.Series, row: Int64) -> Bool:
    """Mark shares whose object is their own post: told by 64-bit hash, and by string where that fires."""
    content = content.cast(pl.String)
    same: Bool = np.asarray(objects.hash().to_numpy()[object_] == content.hash().to_numpy()[row])
    places = np.flatnonzero(same)
    if places.size:
        same[places] = (objects.gather(object_[places]) == content.gather(row[places])).to_numpy()
    return same


@kernel
def _kept(
    mask: Bool, account: Int32, object_: Int32, time: Int64, post: Int64, row: Int64
) -> tuple[Int32, Int32, Int64, Int64, Int64]:
    n = np.count_nonzero(mask)
    kept_account, kept_object = np.empty(n, np.int32), np.empty(n, np.int32)
    kept_time, kept_row = np.empty(n, np.int64), np.empty(n, np.int64)
    kept_post = np.empty(n if post.size else 0, np.int64)
    k = 0
    # The first k places are filled, in the order of the shares, and k never passes p.
    for p in range(mask.size):
        if mask[p]:
            kept_account[k], kept_object[k], kept_time[k], kept_row[k] = (
                account[p],
                object_[p],
                time[p],
                row[p],
            )
            if post.size:
                kept_post[k] = post[p]
            k += 1
    return kept_account, kept_object, kept_time, kept_post, kept_row


@kernel
def _is_sorted(object_: Int32, time: Int64, account: Int32) -> bool:
    # Neighbours are enough: all before p are in order. A key is looked at only where those before it are equal.
    for p in range(1, object_.size):
        if object_[p] != object_[p - 1]:
            if object_[p] < object_[p - 1]:
                return False
        elif time[p] != time[p - 1]:
            if time[p] < time[p - 1]:
                return False
        elif account[p] < account[p - 1]:
            return False
    return True
