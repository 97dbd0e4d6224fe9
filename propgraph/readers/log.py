"""The log of all files: their posts in one frame, in one order, each once, and what they say of accounts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from propgraph.arrays.encoding import decode, encode
from propgraph.readers.order import Origins, in_order_once
from propgraph.readers.posts.made_ids import with_made_ids
from propgraph.readers.posts.origins import with_origins
from propgraph.readers.posts.scoped import with_scopes
from propgraph.readers.times.fineness import SOURCE, Fineness, of_sources, with_resolutions
from propgraph.readers.values import post_kinds
from propgraph.schema import ACCOUNTS, REJECTED

_PROFILE = ("account_name", "account_created_at", "followers")
_ENCODED = ("account_id", "object_id")
_ALWAYS = ("content_id", "account_id", "timestamp")
# Ids that mean something on their own platform only.
_OF_PLATFORM = (
    "content_id", "account_id", "parent_content_id", "origin_account_id", "origin_account_name", "target_id",
)  # fmt: skip
_ORIGINALS = {
    "originals_by_author": "unnamed posts: {:,} found in the log, by their author and link or text",
    "originals_not_in_log": "unnamed posts: {:,} not found in the log, called of:AUTHOR:LINK",
    "originals_by_text": "unnamed posts: {:,} without an author either, one original for each text",
}


@dataclass(frozen=True)
class Log:
    """What was read.

    Attributes
    ----------
    posts
        The columns of `schema.POSTS` that hold anything, `account_id`, `object_id` and `source` encoded; in
        canonical order (time, account, post, object).
    profiles
        `account_id, name, created_at, followers` for each post that carries any of them.
    rejected
        The columns of `schema.REJECTED`.
    sources
        For each file: path, bytes, reader, rows, unit of time, how fine its times are (s); of columns of one's own
        what each of them gave: `columns`, by canonical name the `column` and the `rows` it has a value in.
    notes
        Sentences that the user has to be told.
    times
        How fine the times of each file are, on each of its platforms.
    files
        The file of each row of `posts`, by its number in sorted order of the paths; None where there is one.
    """

    posts: pl.DataFrame
    profiles: pl.DataFrame
    rejected: pl.DataFrame
    sources: list[dict[str, Any]]
    notes: list[str] = field(default_factory=list)
    times: list[Fineness] = field(default_factory=list)
    files: pl.Series | None = None

    @property
    def n_rows(self) -> int:
        """Rows in: posts and rejected rows."""
        return self.posts.height + self.rejected.height


def assemble(
    posts: list[pl.DataFrame],
    origins: Origins,
    rejected: list[pl.DataFrame],
    /,
    *,
    sources: list[dict[str, Any]],
    notes: list[str],
) -> Log:
    """Return the log of all files.

    Parameters
    ----------
    posts
        The posts of each batch; the list is emptied, for the copies would double the memory.
    origins
        The file of each batch, and the lines its posts stand in.
    rejected
        Columns of `schema.REJECTED`; the rows that repeat another one are added.
    sources, notes
        As in `Log`; what is told of all files together is added.
    """
    # One file alone `concat` leaves in pieces, out of which lists are gathered ten times as slowly.
    frame = pl.concat([part for part in posts if part.height], how="diagonal_relaxed").rechunk()
    posts.clear()
    by_path = sorted(sources, key=lambda source: str(source["path"]))

    # Ids: made where the log has none, and widened where an id means another post in another place.
    frame, n_again = with_made_ids(frame)
    frame = frame.with_columns(_file_numbers(origins, by_path))  # by now, for an id does not hang on the file
    frame, scoped = with_scopes(frame)
    mixed = _platforms_mix(frame)
    if mixed:
        frame = frame.with_columns(_of_platform(name) for name in _OF_PLATFORM if name in frame.columns)

    # Rows: in one order, and each post once.
    frame = frame.drop(name for name in frame.columns if _says_nothing(frame[name]))
    encoded = [name for name in _ENCODED if name in frame.columns and not frame[name].null_count()]
    frame = _with_codes(frame, encoded)
    frame, repeats = in_order_once(frame, origins)
    frame, by_text = post_kinds.settled(frame)
    if repeats.height:  # whoever stands in rejected rows alone is no account of this log
        frame = _with_codes(frame, encoded)

    # What a post says of others: how fine its time is, and whose post it passes on.
    files = frame[SOURCE] if len(by_path) > 1 else None
    frame = frame.with_columns(_paths(frame[SOURCE], [str(source["path"]) for source in by_path]))
    frame, times = with_resolutions(frame, by_path)
    frame, originals = with_origins(frame, _names(frame, mixed=mixed))
    return Log(
        posts=frame.drop(_PROFILE, strict=False),
        profiles=_profiles(frame),
        rejected=pl.concat([*rejected, repeats]).sort(*REJECTED.key),
        sources=of_sources(sources, times),
        notes=[*notes, *_told(n_again, scoped, mixed=mixed, by_text=by_text, originals=originals)],
        times=times,
        files=files,
    )


def _file_numbers(origins: Origins, sources: list[dict[str, Any]]) -> pl.Series:
    """Return the number of each row's file, by its path: what is kept of a post in two does not hang on their order."""
    number = {source["path"]: k for k, source in enumerate(sources)}
    of_parts = np.repeat([number[path] for path, _ in origins], [len(lines) for _, lines in origins])
    return pl.Series(SOURCE, of_parts, dtype=pl.UInt32)


def _paths(number: pl.Series, paths: list[str]) -> pl.Series:
    """Return the file of each row, encoded; a file that was given twice is one."""
    labels = list(dict.fromkeys(paths))
    of = np.array([labels.index(path) for path in paths], np.uint32)
    return decode(of[number.to_numpy()], pl.Series(labels)).alias("source")


def _platforms_mix(frame: pl.DataFrame) -> bool:
    return "platform" in frame.columns and frame["platform"].drop_nulls().n_unique() > 1


def _of_platform(name: str) -> pl.Expr:
    """Return ids with their platform before them: 123 on one is not 123 on another."""
    plain = pl.col(name).cast(pl.String).str.strip_prefix("@")
    return pl.coalesce(pl.col("platform") + ":" + plain, name).alias(name)


def _says_nothing(column: pl.Series) -> bool:
    return column.name not in _ALWAYS and column.null_count() == len(column)


def _with_codes(frame: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """Encode columns by the values that are in them now."""
    with ThreadPoolExecutor() as pool:
        return frame.with_columns(list(pool.map(lambda name: encode(frame[name].cast(pl.String)), names)))


def _names(frame: pl.DataFrame, *, mixed: bool) -> pl.DataFrame:
    """Return the account of each post and its name, null where the log has no names."""
    if "account_name" not in frame.columns:
        return frame.select("account_id", pl.lit(None, pl.String).alias("account_name"))
    return frame.select("account_id", _of_platform("account_name") if mixed else "account_name")


def _profiles(frame: pl.DataFrame) -> pl.DataFrame:
    found = [name for name in _PROFILE if name in frame.columns]
    if not found:
        return ACCOUNTS.empty().select("account_id")
    return frame.select("account_id", *(pl.col(name).alias(name.removeprefix("account_")) for name in found))


def _told(
    n_again: int,
    scoped: list[str],
    /,
    *,
    mixed: bool,
    by_text: Mapping[str, int],
    originals: Mapping[str, int],
) -> Iterator[str]:
    """Yield what is to be told of all files together, in the order in which it was settled."""
    if n_again:
        yield (
            f"{n_again:,} rows without a post id say the same as another; each counts as a post of its own, so if "
            "a file was given twice, or two files overlap, leave one out"
        )
    yield from scoped
    if mixed:
        yield "several platforms: ids of accounts, posts and groups begin with theirs (x:123)"
    if by_text:
        yield (
            f"kind: {by_text['reshare']:,} rows with a parent that say what it says are reshares, "
            f"{by_text['reply']:,} with another text replies"
        )
    yield from (f"reshares of {_ORIGINALS[kind].format(n)}" for kind, n in originals.items() if n)
