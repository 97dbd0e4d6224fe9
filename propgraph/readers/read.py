"""Logs to posts: every input row becomes one row of `posts` or one of `rejected`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from propgraph.encoding import all_distinct, codes_of, encode
from propgraph.errors import InputError
from propgraph.readers.base import Reader
from propgraph.readers.files import LogFile, find_logs
from propgraph.readers.registry import choose_reader
from propgraph.readers.tabular import RAW_LIMIT, Batch, columns_of, read_batches
from propgraph.readers.times import TimeUnit, find_time_unit
from propgraph.schema import ACCOUNTS, ID, POSTS, REJECTED, TIME

PROFILE = ("account_name", "account_created_at", "followers")
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_KINDS = {
    "original": ("original", "origin", "o", "post", "tweet", "toot", "status", "none", "0", "false"),
    "reshare": ("reshare", "retweet", "retweeted", "repost", "reposted", "r", "rt", "share", "shared", "boost",
                "reblog", "forward", "1", "true"),
    "quote": ("quote", "quoted", "q"),
    "reply": ("reply", "replied_to", "comment", "answer"),
}  # fmt: skip
_KIND_OF = {word: kind for kind, words in _KINDS.items() for word in words}

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Log:
    """What was read.

    Attributes
    ----------
    posts
        The columns of `schema.POSTS` that are known, `account_id` and `object_id` encoded; in canonical
        order (time, account, post, object).
    profiles
        `account_id, name, created_at, followers` for each post that carries any of them.
    rejected
        The columns of `schema.REJECTED`.
    sources
        For each file: path, bytes, reader, rows, unit of time.
    notes
        Sentences that the user has to be told.
    """

    posts: pl.DataFrame
    profiles: pl.DataFrame
    rejected: pl.DataFrame
    sources: list[dict[str, Any]]
    notes: list[str] = field(default_factory=list)

    @property
    def n_rows(self) -> int:
        """Rows in: posts and rejected rows."""
        return self.posts.height + self.rejected.height


def read_log(
    *logs: str | Path,
    format: str | None = None,
    mapping: Mapping[str, str] | None = None,
) -> pl.DataFrame:
    """Return the posts in `logs` as one frame.

    Parameters
    ----------
    logs
        Files, folders or globs; CSV, TSV, NDJSON, Parquet or Arrow IPC, plain, gzip or zstd.
    format
        Name of a reader; None chooses by the columns.
    mapping
        Columns of one's own, `{"account_id": "user", ...}`.

    Returns
    -------
    pl.DataFrame
        The columns of `posts` (`schema.POSTS`), sorted by time, account and post. Rows that cannot be
        used are left out and counted in a log message; `read_logs` returns them.

    Raises
    ------
    InputError
        When a file cannot be read, no reader fits, or no row can be used.
    """
    return POSTS.conform(read_logs(logs, format=format, mapping=mapping).posts)


def read_logs(
    logs: Iterable[str | Path],
    /,
    *,
    format: str | None = None,
    mapping: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> Log:
    """Return all that `logs` hold; see `read_log` for the parameters and errors."""
    files, notes = find_logs(logs)
    total = sum(file.path.stat().st_size for file in files) or 1
    done = 0
    posts, rejected, sources = [], [], []
    for file in files:
        size = file.path.stat().st_size
        tell = _scaled(progress, file, done / total, size / total)
        frames, bad, source, told = _read_file(file, format, mapping or {}, tell)
        done += size
        posts += frames
        rejected += bad
        sources.append(source)
        notes += told
        if progress:
            progress("reading", done / total)
    if not any(frame.height for frame in posts):
        raise InputError(_nothing_left(sources, pl.concat(rejected) if rejected else REJECTED.empty()))
    return _assemble(posts, rejected, sources, notes)


def _scaled(
    progress: Progress | None, file: LogFile, start: float, share: float
) -> Callable[[int], None] | None:
    if progress is None:
        return None
    size, seen = file.path.stat().st_size, 0

    def tell(n_bytes: int) -> None:
        nonlocal seen
        seen += n_bytes  # unpacked bytes: of a packed file more than its size
        progress("reading", start + share * min(1.0, seen / size))

    return tell


def _read_file(
    file: LogFile, format: str | None, mapping: Mapping[str, str], tell: Callable[[int], None] | None
) -> tuple[list[pl.DataFrame], list[pl.DataFrame], dict[str, Any], list[str]]:
    columns = columns_of(file)
    reader = choose_reader(columns, source=str(file.path), format=format, mapping=mapping)
    repeated = [name for name, n in Counter(columns).items() if n > 1]
    if repeated:
        raise InputError(f"{file.path}: the header names {repeated[0]!r} more than once; rename one of them")
    posts, rejected, units = [], [], {}
    rows = 0
    for batch in read_batches(file, reader.wanted(columns), progress=tell):
        rows += batch.frame.height + batch.rejected.height
        good, bad = _normalise(batch, reader, str(file.path), units)
        posts.append(good)
        rejected += [batch.rejected, bad]
    told = []
    if "content_id" not in (posts[0].columns if posts else ["content_id"]):
        posts = [_with_made_ids(pl.concat(posts, how="diagonal_relaxed"))]
        told.append(f"{file.path}: no post ids; made from account, time and content (post:...)")
    unit = units.get("timestamp")
    source = {
        "path": str(file.path),
        "bytes": file.path.stat().st_size,
        "reader": reader.name,
        "rows": rows,
        "time_unit": unit.name if unit else "none seen",
    }
    return posts, rejected, source, told


def _normalise(
    batch: Batch, reader: Reader, source: str, units: dict[str, TimeUnit]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    raw = reader.posts(batch.frame)
    typed = {name: _typed(name, raw[name], units, source) for name in raw.columns}
    if "url" in typed:
        one = typed.pop("url").reshape((-1, 1)).arr.to_list()
        one = pl.select(pl.when(typed_not_null(one)).then(one)).to_series()
        typed["urls"] = (
            one
            if "urls" not in typed
            else pl.select(pl.when(typed["urls"].is_null()).then(one).otherwise(typed["urls"])).to_series()
        )
    posts = pl.DataFrame([series.alias(name) for name, series in typed.items()])
    reasons = _reasons(posts, raw)
    bad = reasons.is_not_null()
    if not bad.any():
        return posts, REJECTED.empty()
    return posts.filter(~bad), _rejected(batch.frame, batch.line, reasons, source)


def typed_not_null(lists: pl.Series) -> pl.Series:
    """Return which one-element lists hold a value."""
    return lists.list.first().is_not_null()


def _typed(name: str, values: pl.Series, units: dict[str, TimeUnit], source: str) -> pl.Series:
    if name in ("timestamp", "account_created_at"):
        if name not in units:
            try:
                units[name] = find_time_unit(values, column=name, source=source)
            except InputError:
                if name == "timestamp":
                    raise
                return pl.Series(name, [None] * len(values), dtype=TIME)
        return units[name].parse(values)
    if name == "followers":
        return values.cast(pl.Float64, strict=False).cast(pl.Int64, strict=False)
    if name in ("urls", "hashtags"):
        return _lists(name, values)
    if values.dtype.is_nested():
        raise InputError(
            f"{source}: the column for {name!r} holds {values.dtype}, not one value a row; map another"
        )
    text = values.cast(pl.String)
    if name == "kind":
        return (
            text.str.strip_chars().str.to_lowercase().replace_strict(_KIND_OF, default=None, return_dtype=ID)
        )
    if name == "text":
        return text
    return text.set((text.str.len_bytes() == 0).fill_null(False), None) if text.len() else text


def _lists(name: str, values: pl.Series) -> pl.Series:
    """Return lists of Strings from lists, JSON lists, bracketed lists or words separated by blanks."""
    if isinstance(values.dtype, pl.List):
        lists = values.cast(pl.List(pl.String))
    else:
        plain = (
            values.cast(pl.String).str.replace_all(r"""^\[|\]$|["']""", "").str.replace_all(r"[,;|]\s+", " ")
        )
        plain = plain.str.replace_all(",http", " http", literal=True)
        lists = plain.str.extract_all(r"\S+")
    if name == "hashtags":
        lists = lists.list.eval(pl.element().str.strip_chars("#, ").str.to_lowercase())
    return lists.list.drop_nulls()


def _reasons(posts: pl.DataFrame, raw: pl.DataFrame) -> pl.Series:
    """Return why each row cannot be used, null where it can."""
    latest = datetime.now(UTC) + timedelta(days=1)
    shown = raw["timestamp"].cast(pl.String, strict=False) if not raw["timestamp"].dtype.is_nested() else None
    if shown is None:
        shown = pl.Series([None] * raw.height, dtype=pl.String)
    time = pl.col("timestamp")
    found = pl.format("timestamp: {} is not a time of this file's kind", shown.str.slice(0, 60))
    reason = (
        pl.when(pl.col("account_id").is_null()).then(pl.lit("account_id: empty"))
        .when(shown.is_null()).then(pl.lit("timestamp: empty"))
        .when(time.is_null()).then(found)
        .when(time < EARLIEST).then(pl.format("timestamp: {} lies before 1990", time.dt.to_string("%Y-%m-%d %H:%M:%S")))
        .when(time > latest).then(pl.format("timestamp: {} lies in the future", time.dt.to_string("%Y-%m-%d %H:%M:%S")))
    )  # fmt: skip
    if "content_id" in posts.columns:
        reason = pl.when(pl.col("content_id").is_null()).then(pl.lit("content_id: empty")).otherwise(reason)
    return posts.select(reason.alias("reason")).to_series()


def _rejected(frame: pl.DataFrame, line: pl.Series, reasons: pl.Series, source: str) -> pl.DataFrame:
    bad = reasons.is_not_null()
    raw = frame.filter(bad).select(
        pl.struct(pl.all()).struct.json_encode().str.slice(0, RAW_LIMIT).alias("raw")
    )
    return REJECTED.conform(
        raw.with_columns(
            pl.lit(source).alias("source"),
            line.filter(bad).alias("line"),
            reasons.filter(bad).alias("reason"),
        )
    )


def _with_made_ids(posts: pl.DataFrame) -> pl.DataFrame:
    """Add `content_id`s made from what a row says; rows that say the same are numbered."""
    said = [name for name in POSTS.columns if name in posts.columns]
    key = pl.struct(said).hash(seed=0)
    return (
        posts.with_columns(key.alias("_key"))
        .with_columns(content_id=pl.format("post:{}-{}", pl.col("_key"), pl.int_range(pl.len()).over("_key")))
        .drop("_key")
    )


def _nothing_left(sources: list[dict[str, Any]], rejected: pl.DataFrame) -> str:
    where = ", ".join(source["path"] for source in sources)
    if rejected.is_empty():
        return f"{where}: a header but no rows"
    first = rejected.row(0, named=True)
    return (
        f"{where}: none of {rejected.height} rows can be used; the first, line {first['line']}: {first['reason']} "
        f"(row: {first['raw'][:200]})"
    )


def _assemble(
    posts: list[pl.DataFrame], rejected: list[pl.DataFrame], sources: list[dict[str, Any]], notes: list[str]
) -> Log:
    frame = pl.concat([part for part in posts if part.height], how="diagonal_relaxed", rechunk=True)
    posts.clear()
    encoded = [
        name for name in ("account_id", "object_id") if name in frame.columns and not frame[name].null_count()
    ]
    with ThreadPoolExecutor() as pool:
        frame = frame.with_columns(list(pool.map(lambda name: encode(frame[name]), encoded)))
    unique = all_distinct(frame["content_id"])
    frame = frame[_canonical_order(frame, unique)]
    if not unique:
        frame, repeats = _without_repeats(frame, sources)
        rejected.append(repeats)
    profiles = frame.select(
        "account_id",
        *(pl.col(name).alias(name.removeprefix("account_")) for name in PROFILE if name in frame.columns),
    )
    bad = pl.concat(rejected).sort(*REJECTED.key, nulls_last=True) if rejected else REJECTED.empty()
    return Log(
        posts=frame.drop(PROFILE, strict=False),
        profiles=profiles if profiles.width > 1 else ACCOUNTS.empty().select("account_id"),
        rejected=bad,
        sources=sources,
        notes=notes,
    )


def _canonical_order(frame: pl.DataFrame, unique: bool) -> pl.Series:
    """Return the rows' order by time, account, post and all else: the same for rows in any order."""
    time = frame["timestamp"].dt.timestamp("ms").to_numpy()
    account = codes_of(encode(frame["account_id"])).astype(np.uint64)
    span = int(time.max() - time.min()).bit_length()
    bits = int(account.max()).bit_length()
    if span + bits <= 64:
        key = ((time - time.min()).astype(np.uint64) << np.uint64(bits)) | account
        order = np.argsort(key)
        key = key[order]
        tied = np.zeros(len(key), np.bool_)
        tied[1:] = key[1:] == key[:-1]
        tied[:-1] |= tied[1:]
    else:
        order, tied = np.lexsort((account, time)), np.ones(len(time), np.bool_)
    if tied.any():
        order[tied] = _settle(frame, order[tied], unique)
    return pl.Series(order.astype(np.uint32))


def _settle(frame: pl.DataFrame, rows: Any, unique: bool) -> Any:
    """Return the positions of posts of one account and time, sorted by all that a row says."""
    keys = ["timestamp", "account_id", "content_id"]
    if not unique:
        keys += [name for name in frame.columns if name not in keys]
    some = frame.select(keys)[pl.Series(rows.astype(np.uint32))]
    flat = some.with_columns(
        pl.col(name).list.join(" ") for name, dtype in some.schema.items() if isinstance(dtype, pl.List)
    )
    return rows[flat.select(pl.arg_sort_by(keys)).to_series().to_numpy()]


def _without_repeats(frame: pl.DataFrame, sources: list[dict[str, Any]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Drop rows that say again what a row before said, or that contradict it about the post's author or time."""
    shares = [
        name
        for name in ("object_id", "urls", "hashtags", "parent_content_id", "target_id")
        if name in frame.columns
    ]
    flat = frame.select("content_id", "account_id", "timestamp", *shares).with_row_index()
    doubtful = flat.filter(pl.col("content_id").is_duplicated())
    first = pl.col("index").min().over("content_id")
    doubtful = doubtful.with_columns(
        other=(pl.col("account_id") != pl.col("account_id").first().over("content_id", order_by="index"))
        | (pl.col("timestamp") != pl.col("timestamp").first().over("content_id", order_by="index")),
        again=pl.struct("content_id", "account_id", "timestamp", *shares).is_first_distinct().not_(),
    )
    bad = doubtful.filter(pl.col("other") | pl.col("again"))
    if bad.is_empty():
        return frame, REJECTED.empty()
    rows = frame[bad["index"]]
    reasons = bad.select(
        pl.when("other")
        .then(pl.format("content_id: {} is another post's already (other account or time)", "content_id"))
        .otherwise(pl.format("duplicate: post {} shares the same in an earlier row", "content_id"))
    ).to_series()
    source = sources[0]["path"] if len(sources) == 1 else "several files"
    told = _rejected(
        rows.with_columns(pl.col("account_id").cast(pl.String)),
        pl.Series([None] * rows.height, dtype=pl.Int64),
        reasons,
        source,
    )
    keep = np.ones(frame.height, np.bool_)
    keep[bad["index"].to_numpy()] = False
    return frame.filter(pl.Series(keep)), told
