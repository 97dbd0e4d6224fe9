"""Posts to shares: which objects each post shares, one frame a trace."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from propgraph.arrays.encoding import codes_of, encode, grouped, labels_of
from propgraph.errors import InputError, UsageError, check_choice, check_columns
from propgraph.readers.base import LISTS
from propgraph.readers.taken import takes_frames
from propgraph.readers.times.fineness import RESOLUTION
from propgraph.traces.material import Material
from propgraph.traces.orders import orders
from propgraph.traces.parents import fast_reshares, replies, reshares
from propgraph.traces.resolved import usable_links
from propgraph.traces.tags import hashtag_sequences, hashtags, mentions

_READ_FIRST = (
    "propgraph.read_log(frame) makes posts of a log, with mapping= where its columns have other names"
)
# What readers turn into other columns of posts.
_OF_LOGS = ("url", "reshare_of", "quote_of", "reply_of")


@dataclass(frozen=True)
class Trace:
    """A kind of object, and how shares of it are made.

    Attributes
    ----------
    name
        As `--trace` takes it.
    title
        What it is, for people.
    needs
        Columns of `posts`, any of which is enough.
    make
        Posts in, `row` and `object_id` out, by row; what a post shares twice may stand there twice.
    also
        A column of `posts` without which the others do not help.
    by_default
        Whether it is made unless asked for. Not if it takes long (`near-text`, `order`), or if strangers share such
        objects all the time and so would make most of the edges, and the least telling (`mention`, `reply`).
    """

    name: str
    title: str
    needs: tuple[str, ...]
    make: Callable[[Material], pl.DataFrame]
    also: str = "content_id"
    by_default: bool = True


@takes_frames
def make_shares(
    posts: pl.DataFrame,
    /,
    *,
    trace: str | Sequence[str] | None = None,
    resolved: pl.DataFrame | None = None,
) -> dict[str, pl.DataFrame]:
    """Return the shares of each trace, by trace in sorted order.

    Parameters
    ----------
    posts
        Columns of `schema.POSTS` (those known), in canonical order.
    trace
        Names of traces, or one; None takes all that the log supports and that are made by default: not `mention`,
        `near-text`, `order` and `reply`, and of `fast-reshare` only what times of 10 s or finer can tell.
    resolved
        Where short links lead: `url` and `resolved_url` (String), a row each. A link whose canonical form is
        that of a `url` counts as its target, in the traces `url` and `domain`. None: as they stand.

    Returns
    -------
    dict of pl.DataFrame
        For each trace `account_id`, `object_id` (both encoded), `content_id`, `timestamp`,
        `time_resolution_s` (where the posts have it), `trace`, `tokens` and, with `resolved`, `via` (trace `url`
        only) and `row` (UInt32, the post's first row in
        `posts`), sorted by object, time, account and post. One row for each post and object.

    Raises
    ------
    UsageError
        When a trace is unknown, or asked for and not supported by the log.
    InputError
        When `posts` or `resolved` lacks a column; when `posts` are still a log: times as text or numbers, links as
        one text, columns by other names. `read_log` makes posts of it.

    Examples
    --------
    >>> import polars as pl
    >>> import propgraph as pg
    >>> log = pl.DataFrame(
    ...     {
    ...         "content_id": ["p1", "p2"],
    ...         "account_id": ["ana", "bo"],
    ...         "timestamp": ["2024-03-05T10:00:00Z", "2024-03-05T10:00:20Z"],
    ...         "text": ["https://www.example.com/a?utm_source=x #news", "RT this! http://example.com/a/ #News"],
    ...     }
    ... )
    >>> traces = pg.make_shares(pg.read_log(log), trace=["url", "hashtag"])
    >>> traces["url"].select("content_id", pl.col("object_id").cast(pl.String), "tokens").rows()
    [('p1', 'https://example.com/a', 'utm_source=x'), ('p2', 'https://example.com/a', None)]
    >>> traces["hashtag"].select("content_id", pl.col("object_id").cast(pl.String)).rows()
    [('p1', 'news'), ('p2', 'news')]
    """
    asked = check_traces(trace)
    _check_posts(posts)
    material = material_of(posts, resolved=resolved, asked=asked)
    posts = material.posts
    known = {name for name in posts.columns if posts[name].null_count() < posts.height}
    known -= {"row", RESOLUTION}
    shares = {}
    for name in sorted(set(asked or (name for name, kind in TRACES.items() if kind.by_default))):
        kind = TRACES[name]
        fits = kind.also in known and known.intersection(kind.needs)
        made = kind.make(material) if fits else None
        if made is not None and made.height:
            shares[name] = _by_object(made, posts).with_columns(trace=pl.lit(name, dtype=_NAMES))
        elif asked:
            also = f"{kind.also} and " if kind.also not in known else ""
            raise UsageError(
                f"{name!r}: the log has none; it needs {also}{' or '.join(kind.needs)}, "
                f"and the log has {', '.join(column for column in posts.columns if column in known)}",
                option="trace",
            )
    return shares


def _check_posts(posts: pl.DataFrame) -> None:
    """Raise `InputError` for what is no frame of posts, but may well be a log."""
    if not isinstance(posts, pl.DataFrame):
        raise InputError(f"posts: {type(posts).__name__} is no frame; {_READ_FIRST}")
    check_columns("posts", ("content_id", "account_id", "timestamp"), posts.columns)
    found = posts.schema
    if not isinstance(found["timestamp"], pl.Datetime):
        raise InputError(f"posts: column 'timestamp' holds {found['timestamp']}, not times; {_READ_FIRST}")
    texts = [name for name in LISTS if name in found and not isinstance(found[name], pl.List | pl.Null)]
    if texts:
        raise InputError(f"posts: column {texts[0]!r} holds {found[texts[0]]}, not lists; {_READ_FIRST}")
    if known := [name for name in _OF_LOGS if name in found]:
        raise InputError(f"posts: column {known[0]!r} is a log's, and no trace is made of it; {_READ_FIRST}")


def material_of(
    posts: pl.DataFrame, /, *, resolved: pl.DataFrame | None = None, asked: Iterable[str] = ()
) -> Material:
    """Return posts as traces take them, by the options of `make_shares`."""
    posts = posts.with_columns(encode(posts["account_id"]), _first_rows(posts["content_id"]))
    return Material(posts, None if resolved is None else usable_links(resolved)[0], tuple(asked))


def names_of(trace: str | Sequence[str] | None, /) -> list[str]:
    """Return what an option `trace=` names: nothing, one trace by itself, or several."""
    return [trace] if isinstance(trace, str) else list(trace or ())


def check_traces(trace: str | Sequence[str] | None, /) -> list[str]:
    """Return the traces that an option names, as `names_of` does; raise `UsageError` unless they are some."""
    names = names_of(trace)
    for name in names:
        check_choice("trace", name, TRACES)
    return names


def nothing_shared(posts: pl.DataFrame, /, *, unread: Iterable[str] = ()) -> str:
    """Return what to tell of posts that share nothing: what was looked for where, and how to name it.

    Parameters
    ----------
    posts
        Columns of `schema.POSTS` (those known).
    unread
        Columns of the log that were not read; those that sound right are suggested.
    """
    unread = list(unread)
    known = {name for name in posts.columns if posts[name].null_count() < posts.height}
    looked: list[str] = []
    unlooked: list[str] = []
    for name, trace in TRACES.items():
        if trace.by_default:
            there = [column for column in trace.needs if column in known and trace.also in known]
            (looked if there else unlooked).append(name + (f" (in {' or '.join(there)})" if there else ""))
    found = f"looked for {', '.join(looked)} and found none" if looked else "no column holds any"
    if unlooked:
        found += f"; not looked for, because no column for it was named: {', '.join(unlooked)}"
    if "urls" in known:
        first = posts["urls"].list.first().drop_nulls()
        shown = f" (the first: {first[0][:60]!r})" if len(first) else ""
        found += f"; what stands in urls is not a link{shown}"
    maps = []
    for name, (what, words) in _MAPPED.items():
        near = next((column for word in words for column in unread if word in column.lower()), "COLUMN")
        if name not in known:
            maps.append(f"--map {shlex.quote(f'{name}={near}')} ({what})")
    more = f" and {len(unread) - _SHOWN} more" if len(unread) > _SHOWN else ""
    columns = f" Columns that were not read: {', '.join(unread[:_SHOWN])}{more}." if unread else ""
    return (
        f"no post shares anything that another could share too, so there is nothing to compare: {found}.{columns} "
        f"Name what posts have in common: {', '.join(maps)}; in Python mapping={{NAME: COLUMN}}"
    )


def _first_rows(content_ids: pl.Series) -> pl.Series:
    """Return the first row of each row's post.

    A log may have one row for each object of a post; in canonical order they stand together.
    """
    row = pl.int_range(len(content_ids), dtype=pl.UInt32, eager=True).alias("row")
    same = (content_ids == content_ids.shift(1)).fill_null(False)
    if not same.any():
        return row
    return pl.select(pl.when(~same).then(row).forward_fill().alias("row")).to_series()


def _by_object(made: pl.DataFrame, posts: pl.DataFrame) -> pl.DataFrame:
    """Sort shares by object, each post and object once; within an object they keep the posts' order."""
    object_ = encode(made["object_id"])
    codes = codes_of(object_)
    _, order = grouped(codes, len(labels_of(object_)))
    row = made["row"].to_numpy()[order]
    # What a post shares twice now stands together.
    same_row = np.flatnonzero(row[1:] == row[:-1]) + 1
    again = same_row[codes[order[same_row]] == codes[order[same_row - 1]]]
    if again.size:
        order, row = np.delete(order, again), np.delete(row, again)
    position, of_post = pl.Series(order, dtype=pl.UInt32), pl.Series("row", row)
    kept = ("content_id", "account_id", "timestamp", RESOLUTION)
    shares = posts.select(name for name in kept if name in posts.columns)[of_post]
    shares = shares.with_columns(object_.gather(position).alias("object_id"), of_post)
    also = made.drop("row", "object_id")
    return shares.hstack(also[position]) if also.width else shares


def _objects(posts: pl.DataFrame) -> pl.DataFrame:
    return posts.lazy().select("row", "object_id").drop_nulls().collect()


def _images(posts: pl.DataFrame) -> pl.DataFrame:
    listed = posts.lazy().select("row", object_id="images").explode("object_id", empty_as_null=True)
    return listed.filter(pl.col("object_id").str.len_bytes() > 0).collect()


TRACES: Mapping[str, Trace] = {
    trace.name: trace
    for trace in (
        Trace(
            "domain",
            "registrable domain of a link",
            ("urls", "text"),
            lambda of: of.links.shares("site"),
        ),
        Trace(
            "fast-reshare",
            "author reshared within 10 seconds",
            ("parent_timestamp", "parent_content_id"),
            lambda of: fast_reshares(of.posts, coarse="fast-reshare" in of.asked),
            also="kind",
        ),
        Trace("hashtag", "hashtag", ("hashtags", "text"), lambda of: hashtags(of.posts, of.hashtags)),
        Trace(
            "hashtag-sequence",
            "three hashtags or more, in one order",
            ("hashtags", "text"),
            lambda of: hashtag_sequences(of.posts, of.hashtags),
        ),
        Trace("image", "image, by its hash", ("images",), lambda of: _images(of.posts)),
        Trace(
            "mention",
            "account mentioned",
            ("mentions", "text"),
            lambda of: mentions(of.posts),
            by_default=False,
        ),
        Trace("near-text", "nearly the same text", ("text",), lambda of: of.texts.near(), by_default=False),
        Trace("object", "the log's own object id", ("object_id",), lambda of: _objects(of.posts)),
        Trace(
            "order",
            "one thing before another, in one session",
            ("object_id", "urls", "text", "parent_content_id"),
            orders,
            by_default=False,
        ),
        Trace(
            "reply",
            "post replied to",
            ("parent_content_id",),
            lambda of: replies(of.posts),
            also="kind",
            by_default=False,
        ),
        Trace(
            "reshare",
            "the original that was reshared",
            ("parent_content_id",),
            lambda of: reshares(of.posts),
            also="kind",
        ),
        Trace("text", "the same text, word for word", ("text",), lambda of: of.texts.exact()),
        Trace(
            "url",
            "canonical link",
            ("urls", "text"),
            lambda of: of.links.shares("url", also=("tokens", "via")),
        ),
    )
}
# What a user may name by --map so that posts have something in common, and how such columns are often called.
_MAPPED = {
    "url": ("links", ("url", "link")),
    "text": ("texts, with the links and hashtags in them", ("text", "message", "content", "body")),
    "hashtags": ("hashtags", ("tag",)),
    "images": ("hashes of images", ("image", "hash")),
    "object_id": ("ids of your own", ("object",)),
    "parent_content_id": ("the post reshared, quoted or replied to", ("parent", "retweet", "reshare")),
}
_SHOWN = 20
_NAMES = pl.Enum(sorted(TRACES))
