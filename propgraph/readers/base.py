"""What a reader is: how it knows its logs, and how they become posts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import TYPE_CHECKING, Any

import orjson
import polars as pl

from propgraph.schema import ID

if TYPE_CHECKING:
    from propgraph.readers.files.logfile import LogFile

# The columns a reader may fill, all optional but the first two; `read.py` turns them into `posts`.
CANONICAL: Mapping[str, str] = {
    "account_id": "who posted",
    "timestamp": "when; date and time in two columns: `date+time`",
    "content_id": "the post's own id",
    "kind": "original, reshare, quote, reply (or the platform's own word for these)",
    "parent_content_id": "the post reshared, quoted or replied to; without `kind` it makes the row a reshare, or what "
    "its column's name says (`in_reply_to_id`: a reply); where that says nothing, a reply if the text is not the "
    "parent's",
    "reshare_of": "the post reshared: a row that has one is a reshare",
    "quote_of": "the post quoted, likewise",
    "reply_of": "the post replied to, likewise",
    "parent_timestamp": "when that post was made",
    "origin_account_id": "the account reshared, quoted or replied to",
    "origin_account_name": "its name, where the log gives no id of it",
    "target_id": "the group, page or channel posted into",
    "object_id": "the log's own object id",
    "urls": "links, as a list or in one cell",
    "url": "one link",
    "hashtags": "hashtags, as a list or in one cell",
    "mentions": "accounts named in the post (without @), as a list or in one cell",
    "images": "perceptual or other hashes of the post's images, as a list or in one cell",
    "text": "the post's text",
    "language": "language code",
    "platform": "platform",
    "sponsor": "who paid for the post; `yes` where the platform only marks it as paid",
    "account_name": "the account's name",
    "account_created_at": "when the account was made",
    "followers": "the account's followers",
}
_FIRST_DAY = date(1900, 1, 1)  # of spreadsheets; some begin with the day before
# How an id begins that no platform gave, because the log has none: a hash of what is known instead.
MADE = "made:"
# How columns are called that a log has beyond these, where they are kept (`build --keep`).
OWN = "own:"
REQUIRED = ("account_id", "timestamp")
TIMES = ("timestamp", "parent_timestamp", "account_created_at")
LISTS = ("urls", "hashtags", "mentions", "images")

Record = Mapping[str, Any]
# A post as canonical names and values (text, number, or for `LISTS` a list of text); None where not known.
Row = dict[str, Any]
Rows = Callable[[Record], "Iterable[Row | NoPost]"]


@dataclass(frozen=True)
class NoPost:
    """What a reader yields for a record that is whole but no post: a like, a deletion, a service message.

    Attributes
    ----------
    what
        In a few words that do not differ from record to record: `app.bsky.feed.like`.
    """

    what: str


class NotThisFormatError(Exception):
    """Raised by a reader whose record lacks what every such record has; its words are the reason told."""


@dataclass(frozen=True)
class Reader:
    """One layout of logs. It reads tables by `names` or `posts`, nested JSON by `rows`.

    Attributes
    ----------
    name
        As `--format` takes it.
    title
        What it is, for people.
    layouts
        Sets of columns; a file that has any one of them whole is recognised. Of JSON: keys, those of
        objects inside objects joined by a dot, those of objects in lists by `[].` (`data[].author_id`).
    fields
        Canonical name to where it comes from, in the platform's words; all that the reader fills.
    sample
        A few lines of such a log, invented.
    checked
        Where the field names were found, and which of them could not be verified.
    uses
        Further columns that are read where they are there.
    names
        Canonical name to column, for a table that needs no more than other names.
    posts
        Frame of raw columns in, frame of `CANONICAL` columns out, row by row. All columns of `layouts` and
        `uses` are in the frame, of type String and null where the file lacks them (unless a binary file
        has them in another type).
    rows
        One JSON record in, its posts out. What it raises rejects the record.
    tables
        Its columns are those of a table only: the same keys in JSON are another reader's.
    lists
        Where one large JSON document keeps its records: `messages`, `chats.list[].messages`. `rows` then
        gets them one by one, each in an object like the one that holds the list.
    beside
        The name of a log in, that of a file beside it out which tells more of its posts (whose they are, what
        the accounts are called), None for no such file. It is no log of its own.
    opened
        A log and the JSON value in the file beside it (None where there is none) in, the `rows` of this log out.
    texts
        Of a table, the raw columns of people's own words (texts, hashtags, mentions), in which `NA` or `None`
        may be what somebody wrote; in all others `posts` gets null in the place of such words.
    snowflakes
        Shift and epoch (unix ms) of the post ids, where the time is in them: `(id >> shift) + epoch`.
    """

    name: str
    title: str
    layouts: tuple[tuple[str, ...], ...]
    fields: Mapping[str, str]
    sample: str
    checked: str
    uses: tuple[str, ...] = ()
    names: Mapping[str, str] | None = None
    posts: Callable[[pl.DataFrame], pl.DataFrame] | None = None
    rows: Rows | None = None
    tables: bool = False
    lists: tuple[str, ...] = ()
    beside: Callable[[str], str | None] | None = None
    opened: Callable[[LogFile, Any], Rows] | None = None
    texts: tuple[str, ...] = ()
    snowflakes: tuple[int, int] | None = None

    def layout_in(self, columns: Iterable[str], /) -> tuple[str, ...] | None:
        """Return the largest of the layouts that is whole in `columns`."""
        there = set(columns)
        whole = [layout for layout in self.layouts if there.issuperset(layout)]
        return max(whole, key=len, default=None)

    @property
    def reads(self) -> tuple[str, ...]:
        """All columns that the reader may read, each once."""
        return tuple(dict.fromkeys([name for layout in self.layouts for name in layout] + list(self.uses)))

    def canonical(self, frame: pl.DataFrame, /) -> pl.DataFrame:
        """Return raw columns as canonical ones."""
        if self.rows is not None:
            return frame
        if self.names is not None:
            there = {name: columns_of_name(name, raw, frame.columns) for name, raw in self.names.items()}
            return frame.select(
                joined([frame[column] for column in columns]).alias(name)
                for name, columns in there.items()
                if columns
            )
        if self.posts is None:
            raise TypeError(f"reader {self.name} has neither names, posts nor rows")
        absent = [name for name in self.reads if name not in frame.columns]
        frame = frame.with_columns(
            as_json(frame[name]) for name, dtype in frame.schema.items() if dtype.is_nested()
        )
        return self.posts(frame.with_columns(pl.lit(None, ID).alias(name) for name in absent))


def columns_of_name(name: str, raw: str, found: Collection[str], /) -> tuple[str, ...]:
    """Return the columns that a word of a mapping means: one, or for a time several with a plus between them.

    None where any is not there. A column whose own name has a plus in it comes first.
    """
    parts = (raw,) if raw in found or name not in TIMES else tuple(raw.split("+"))
    return parts if set(found).issuperset(parts) else ()


def joined(columns: Sequence[pl.Series], /) -> pl.Series:
    """Return columns with a blank between them, as text; one column as it is."""
    if len(columns) == 1:
        return columns[0]
    parts = [_part_of_time(column).fill_null("").str.strip_chars() for column in columns]
    frame = pl.DataFrame([part.alias(str(k)) for k, part in enumerate(parts)])
    # A day without its time of day is no time: what is missing stays visible.
    together = pl.concat_str(pl.all().replace("", "(none)"), separator=" ")
    return frame.select(pl.when(pl.any_horizontal(pl.all() != "")).then(together)).to_series()


def _part_of_time(values: pl.Series) -> pl.Series:
    """Return a part of a time as text: of a spreadsheet's times the date, or the time of its first day."""
    if values.dtype.is_float():
        whole = values.cast(pl.Int64, strict=False)
        return whole.cast(ID) if (whole == values).all() else values.cast(ID)
    if not isinstance(values.dtype, pl.Datetime):
        return values.cast(ID)
    if (values.dt.time() == time()).all():
        return values.dt.date().cast(ID)
    return (values.dt.time() if (values.dt.date() <= _FIRST_DAY).all() else values).cast(ID)


def as_json(values: pl.Series, /) -> pl.Series:
    """Return lists and structs of a binary file as a text file would hold them."""
    cells = (None if cell is None else orjson.dumps(cell, default=str).decode() for cell in values.to_list())
    return pl.Series(values.name, cells, dtype=ID)


def at(record: Any, /, *path: str | int) -> Any:
    """Return what stands at `path` in nested JSON, None where something on the way is not there."""
    for step in path:
        if isinstance(record, dict):
            record = record.get(step)
        elif isinstance(record, list) and isinstance(step, int) and -len(record) <= step < len(record):
            record = record[step]
        else:
            return None
    return record


def objects(value: Any, /) -> list[dict[str, Any]]:
    """Return the JSON objects in a list, none where `value` is no list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def filled(name: str, /) -> pl.Expr:
    """Return a column as text without blanks around it, null where nothing is left."""
    text = pl.col(name).cast(pl.String).str.strip_chars()
    return pl.when(text.str.len_bytes() > 0).then(text)


def unescaped(text: pl.Expr, /) -> pl.Expr:
    """Return texts with the three characters that platforms escape as they were written."""
    return text.str.replace_many(["&lt;", "&gt;", "&amp;"], ["<", ">", "&"])


def is_yes(name: str, /) -> pl.Expr:
    """Return whether a column says yes: true, yes, t or 1, in any case; False where it is null."""
    return filled(name).str.to_lowercase().is_in(["true", "yes", "t", "1", "1.0"]).fill_null(False)


def made_id(*parts: str | None) -> str:
    """Return an id made of what is known of a post where the log has none; it is counted, and told."""
    text = "\x1f".join(part or "" for part in parts)
    return MADE + hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).hexdigest()


def made_ids(*parts: pl.Expr) -> pl.Expr:
    """Return `made_id` of columns, null where all of them are."""
    known = pl.any_horizontal(part.is_not_null() for part in parts)
    text = pl.concat_str([part.fill_null("") for part in parts], separator="\x1f")
    made = text.map_batches(
        lambda texts: pl.Series([made_id(one) for one in texts.to_list()], dtype=ID), return_dtype=ID
    )
    return pl.when(known).then(made)
