"""Raw columns to the columns of `posts`, typed; a row that cannot be used is rejected with its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from propgraph.errors import InputError
from propgraph.readers.base import MADE, TIMES, Reader
from propgraph.readers.layouts.batches import RAW_LIMIT, Batch, Lines
from propgraph.readers.posts.permalinks import PermalinkFacts, facts_of, without_own, without_own_in_texts
from propgraph.readers.posts.snowflakes import count_ids, with_id_times
from propgraph.readers.times.clocks import ClockCounts
from propgraph.readers.times.rounding import EXPONENT
from propgraph.readers.times.times import AS_FOUND, NONE_SEEN, Readings, TimeOptions, TimeUnit, find_time_unit
from propgraph.readers.values import missing
from propgraph.readers.values.ids import (
    ID_COLUMNS,
    MUST,
    ROUNDED_NUMBER,
    DigitFacts,
    as_text,
    read_ids,
    why_lost,
)
from propgraph.readers.values.lists import LIST_COLUMNS, Choice, ListFacts, read_lists
from propgraph.readers.values.post_kinds import kinds_of
from propgraph.schema import ID, REJECTED, TIME

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
# A JSON object or list as text; not "[deleted]", which is an account's name on Reddit.
_NESTED = r"^\{|^\[[\]\[{\d\"-]"
# Of a file's ids, what part has to look like ids with a time in them: some pseudonyms are all digits by chance.
_NEARLY_ALL = 0.99
# Polars cannot show a time outside of these years.
_FIRST_SHOWN = pl.lit(-62_135_596_800_000).cast(TIME)
_LAST_SHOWN = pl.lit(253_402_300_799_000).cast(TIME)


@dataclass
class FileFacts:
    """What is found out about one file while its batches are read.

    Attributes
    ----------
    source
        The file's path.
    units
        How each column of times is written, as soon as one was seen.
    times
        What the user says of the times.
    readings
        Of columns of dates in numbers, how they read in each order of these.
    by_others
        Those of these columns of which other files tell the order.
    clocks
        What had to be decided about local times, by column.
    ids, timed_ids
        The posts' ids, and those that can be of the kind that has a time in it.
    use_ids
        Times are taken from the posts' ids.
    given
        Rows that each canonical column has a value in, of a reader by `names`.
    implied
        Kinds that parents imply where no column says them; see `post_kinds.with_parents_kinds`.
    unknown_kinds
        Words in `kind` that mean nothing to propgraph, and how often.
    id_times, other_times
        Times made exact by the posts' ids, and ids that say another time than the log.
    is_json
        It is JSON, in which a missing value is null and a string is what it says.
    missing
        Cells that stand for a missing value, by column and word.
    lists, digits, permalinks
        What is known of each column of lists, of ids, and of links.
    made
        Ids that the reader made because the log has none, by column.
    notes
        Sentences that the user has to be told.
    """

    source: str
    times: TimeOptions = AS_FOUND
    units: dict[str, TimeUnit] = field(default_factory=dict)
    readings: dict[str, Readings] = field(default_factory=dict)
    by_others: set[str] = field(default_factory=set)
    clocks: dict[str, ClockCounts] = field(default_factory=dict)
    ids: int = 0
    timed_ids: int = 0
    use_ids: bool = True
    given: Counter[str] = field(default_factory=Counter)
    implied: Counter[str] = field(default_factory=Counter)
    unknown_kinds: Counter[str] = field(default_factory=Counter)
    id_times: int = 0
    other_times: int = 0
    is_json: bool = False
    missing: Counter[tuple[str, str]] = field(default_factory=Counter)
    lists: dict[str, ListFacts] = field(default_factory=dict)
    digits: dict[str, DigitFacts] = field(default_factory=dict)
    permalinks: dict[str, PermalinkFacts] = field(default_factory=dict)
    made: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    @property
    def written_s(self) -> float | None:
        """To what the posts' times were rounded in writing (s): they are no finer; None where they were not."""
        unit = self.units.get("timestamp")
        return None if unit is None else unit.written_s

    def to_read_again(self) -> FileFacts | None:
        """Return what is settled by all rows of the file, where it was read by something else; else None."""
        units = {name: unit for name, unit in self.units.items() if name in self.readings}
        settled = {name: replace(unit, order=self.readings[name].best[0]) for name, unit in units.items()}
        use_ids = self.use_ids and self.timed_ids >= _NEARLY_ALL * self.ids
        rounded = any(digits.settled is None and digits.loss().keeps for digits in self.digits.values())
        own = any(links.settled is None and links.is_own for links in self.permalinks.values())
        stands = self._lists_stand() and not rounded and not own
        if settled == units and use_ids == self.use_ids and stands:
            return None
        return self.again(units=settled, use_ids=use_ids)

    def again(self, **settled: Any) -> FileFacts:
        """Return what is settled of the file, to read it again by that and by what is `settled` now."""
        lists = {name: ListFacts(settled=choice) for name, choice in self._choices().items()}
        digits = {
            name: DigitFacts(settled=found.loss() if found.settled is None else found.settled)
            for name, found in self.digits.items()
        }
        permalinks = {
            name: PermalinkFacts(settled=links.is_own if links.settled is None else links.settled)
            for name, links in self.permalinks.items()
        }
        return FileFacts(
            self.source, times=self.times, is_json=self.is_json, lists=lists, digits=digits,
            permalinks=permalinks, **settled,
        )  # fmt: skip

    def elsewhere(self, column: str, /) -> set[str]:
        """Return the words for a missing value in the other columns."""
        return {word for other, word in self.missing if other != column}

    def _choices(self) -> dict[str, Choice]:
        return {
            name: found.settled or found.choice("urls" if name == "url" else name, self.elsewhere(name))
            for name, found in self.lists.items()
        }

    def _lists_stand(self) -> bool:
        return all(self.lists[name].was_read_as(choice) for name, choice in self._choices().items())


def normalise(batch: Batch, reader: Reader, facts: FileFacts) -> tuple[pl.DataFrame, Lines, pl.DataFrame]:
    """Return a batch's posts, the line of each, and the rows rejected.

    Parameters
    ----------
    batch
        Raw columns.
    reader
        Makes canonical columns of them.
    facts
        What is known of the file so far; it is added to.

    Returns
    -------
    tuple
        The columns of `base.CANONICAL` that are there, `url` being put with `urls`; lines; the columns of
        `schema.REJECTED`.

    Raises
    ------
    InputError
        When a column holds what no row of it can be used for.
    """
    try:
        raw = reader.canonical(_without_missing(batch.frame, reader, facts))
        raw = raw.with_columns(_plain(raw[name]) for name in raw.columns)
        posts = pl.DataFrame(
            [_typed(name, raw[name], facts) for name in raw.columns if name not in LIST_COLUMNS]
        )
        # After the others, which say what words stand for a missing value here.
        posts = posts.with_columns(_lists(raw[name], facts) for name in raw.columns if name in LIST_COLUMNS)
    except pl.exceptions.PolarsError as error:
        raise InputError(
            f"{facts.source}: its columns are not of the kind that reader {reader.name!r} expects "
            f"({str(error).splitlines()[0][:200]})"
        ) from error
    if batch.nested:
        must = [name for name in MUST if name in posts.columns]
        posts = posts.with_columns(pl.when(~pl.col(name).str.contains(_NESTED)).then(name) for name in must)
    posts = _without_own_addresses(posts, reader.names or {}, facts)
    if reader.names is not None:
        _count_given(posts, facts)
    if "url" in posts.columns:
        posts = _with_url(posts)
    posts = without_own_in_texts(posts, facts.permalinks.setdefault("text", PermalinkFacts()))
    posts = _with_exact_times(posts, reader, facts)
    posts = posts.hstack(batch.own)
    bad = _unusable(posts)
    if reader.names is None:
        _count_made(posts, ~bad, facts)
    if not bad.any():
        return posts, batch.line, REJECTED.empty()
    position = bad.arg_true()
    reasons = _reasons(posts[position], raw[position])
    lines = np.asarray(batch.line)
    found = [name for name in batch.frame.columns if batch.frame[name].null_count() < batch.frame.height]
    rows = batch.frame[position].select(found or batch.frame.columns)
    told = rejected_table(rows, lines[position.to_numpy()], reasons, [facts.source])
    return posts.filter(~bad), lines[(~bad).to_numpy()], told


def rejected_table(
    rows: pl.DataFrame, lines: Any, reasons: pl.Series, sources: list[str] | pl.Series
) -> pl.DataFrame:
    """Return `rows` as `schema.REJECTED`; `sources` is one for all of them, or one each."""
    shown = rows.select(_json_ready(name, dtype) for name, dtype in rows.schema.items())
    raw = shown.select(pl.struct(pl.all()).struct.json_encode().str.slice(0, RAW_LIMIT).alias("raw"))
    path = pl.lit(sources[0]) if len(sources) == 1 else pl.Series(sources)
    return REJECTED.conform(
        raw.with_columns(
            path.alias("source"), pl.Series("line", lines, dtype=pl.Int64), reasons.alias("reason")
        )
    )


def _json_ready(name: str, dtype: Any) -> pl.Expr:
    """Return a column in a form that Polars can write as JSON whatever is in it."""
    column = pl.col(name)
    if isinstance(dtype, pl.Datetime | pl.Date):
        return _show(column.cast(pl.Datetime("ms"))).alias(name)
    if dtype in (pl.Categorical, pl.Enum, pl.Decimal):
        return column.cast(pl.String)
    return column.bin.encode("hex") if dtype == pl.Binary else column


def _plain(values: pl.Series) -> pl.Series:
    """Return text as String where a file keeps it in a dictionary or as bytes."""
    as_text = isinstance(values.dtype, pl.Categorical | pl.Enum) or values.dtype == pl.Binary
    return values.cast(pl.String) if as_text else values


def _without_missing(frame: pl.DataFrame, reader: Reader, facts: FileFacts) -> pl.DataFrame:
    """Return raw columns without words for a missing value, for a reader that makes posts of them itself."""
    if reader.posts is None or facts.is_json:
        return frame
    words = missing.words_in("", is_json=False)
    return frame.with_columns(
        missing.without(_plain(frame[name]), words, counts=facts.missing)
        for name in frame.columns
        if name not in reader.texts
    )


def _lists(values: pl.Series, facts: FileFacts) -> pl.Series:
    words = missing.words_in(values.name, is_json=facts.is_json)
    values = missing.without(values, words, counts=facts.missing)
    known = facts.lists.setdefault(values.name, ListFacts())
    lists, gone = read_lists(
        values, known, elsewhere=facts.elsewhere(values.name), source=facts.source, is_json=facts.is_json
    )
    facts.missing.update(gone)
    return lists


def _typed(name: str, values: pl.Series, facts: FileFacts) -> pl.Series:
    values = missing.without(values, missing.words_in(name, is_json=facts.is_json), counts=facts.missing)
    if name in TIMES:
        return _times(name, values, facts).alias(name)
    if values.dtype.is_nested():
        raise InputError(
            f"{facts.source}: the column for {name!r} holds {values.dtype}, not one value a row; map another"
        )
    if name == "followers":
        return values.cast(pl.Float64, strict=False).cast(pl.Int64, strict=False)
    if name == "kind":
        return kinds_of(values.cast(pl.String), facts.unknown_kinds)
    is_id = name in ID_COLUMNS
    text = read_ids(values, facts.digits.setdefault(name, DigitFacts())) if is_id else as_text(values)
    empty = text.str.len_bytes() == 0
    if empty.any():
        text = text.set(empty.fill_null(False), None)
    return text.alias(name)


def _times(name: str, values: pl.Series, facts: FileFacts) -> pl.Series:
    unit = facts.units.get(name)
    if unit is None:
        try:
            unit = find_time_unit(values, column=name, source=facts.source, options=facts.times)
        except InputError as error:
            if name == "timestamp":
                raise
            facts.notes.append(f"{error}; left out")
            unit = NONE_SEEN
            values = pl.Series(name, [None] * len(values), dtype=ID)
        if unit is not NONE_SEEN:
            facts.units[name] = unit
    readings = unit.read(values, counts=facts.clocks.setdefault(name, ClockCounts()))
    if len(readings) > 1:
        facts.readings.setdefault(name, Readings()).add(readings, between=(EARLIEST, _latest()))
    return unit.own(readings)


def _without_own_addresses(posts: pl.DataFrame, names: Mapping[str, str], facts: FileFacts) -> pl.DataFrame:
    for name in ("urls", "url"):
        if name in posts.columns:
            known = facts.permalinks.setdefault(name, facts_of(names.get(name, name)))
            posts = without_own(posts, name, known)
    return posts


def _with_exact_times(posts: pl.DataFrame, reader: Reader, facts: FileFacts) -> pl.DataFrame:
    """Take times from the posts' ids, where the reader's platform makes such ids and nearly all of the file are."""
    if not reader.snowflakes or not {"content_id", "timestamp"}.issubset(posts.columns):
        return posts
    n_ids, n_timed = count_ids(posts["content_id"].filter(~posts["content_id"].str.starts_with(MADE)))
    facts.ids += n_ids
    facts.timed_ids += n_timed
    if facts.use_ids:
        posts, exact, other = with_id_times(posts, reader.snowflakes)
        facts.id_times += exact
        facts.other_times += other
    return posts


def _count_made(posts: pl.DataFrame, usable: pl.Series, facts: FileFacts) -> None:
    for name in ("content_id", "parent_content_id"):
        if name in posts.columns:
            facts.made[name] += int((posts[name].str.starts_with(MADE) & usable).sum() or 0)


def _count_given(posts: pl.DataFrame, facts: FileFacts) -> None:
    given = posts.select(
        (pl.col(name).list.len() > 0).sum() if isinstance(dtype, pl.List) else pl.col(name).count()
        for name, dtype in posts.schema.items()
    )
    facts.given.update(given.row(0, named=True))


def _with_url(posts: pl.DataFrame) -> pl.DataFrame:
    """Put the `url` of each row where it has no `urls`."""
    one = pl.col("url")
    if "urls" in posts.columns:
        one = pl.when(pl.col("urls").list.len() > 0).then("urls").otherwise(one)
    return posts.with_columns(one.alias("urls")).drop("url")


def _unusable(posts: pl.DataFrame) -> pl.Series:
    time = pl.col("timestamp")
    bad = time.is_null() | (time < EARLIEST) | (time > _latest())
    for name in MUST:
        if name in posts.columns:
            bad = bad | pl.col(name).is_null()
    return posts.select(bad.alias("bad")).to_series()


def _latest() -> datetime:
    return datetime.now(UTC) + timedelta(days=1)


def _reasons(posts: pl.DataFrame, raw: pl.DataFrame) -> pl.Series:
    """Return why each of these rows cannot be used."""
    shown = raw["timestamp"]
    text = (
        pl.Series([None] * len(shown), dtype=ID) if isinstance(shown.dtype, pl.Datetime | pl.Date) else shown
    )
    frame = posts.with_columns(text.cast(pl.String).str.strip_chars().str.slice(0, 60).alias("_shown"))
    time, as_written = pl.col("timestamp"), pl.col("_shown")
    when = pl.when(time == time.clip(_FIRST_SHOWN, _LAST_SHOWN)).then(_show(time)).otherwise(as_written)
    reason: pl.Expr = (
        pl.when(time < EARLIEST).then(pl.format("timestamp: {} lies before 1990", when.fill_null("a time")))
        .when(time > _latest()).then(pl.format("timestamp: {} lies in the future", when.fill_null("a time")))
        .when(as_written.str.contains(EXPONENT))
        .then(pl.format(f"timestamp: {{}} is {ROUNDED_NUMBER}; save the column as text", as_written))
        .when(as_written.str.len_bytes() > 0)
        .then(pl.format("timestamp: {} is not a time of this file's kind", as_written))
        .otherwise(pl.lit("timestamp: empty"))
    )  # fmt: skip
    for name in MUST:
        if name in posts.columns:
            written = raw[name].cast(pl.String).str.strip_chars()
            frame = frame.with_columns(written.alias(f"_{name}"))
            reason = pl.when(pl.col(name).is_null()).then(_no_id(name, raw[name])).otherwise(reason)
    return frame.select(reason.alias("reason")).to_series()


def _no_id(name: str, values: pl.Series) -> pl.Expr:
    written = pl.col(f"_{name}")
    lost, reason = why_lost(name, written, is_float=values.dtype.is_float())
    return (
        pl.when(written.str.contains(_NESTED)).then(pl.lit(f"{name}: a list or an object, not one value"))
        .when(lost).then(reason)
        .when(written.is_in(missing.WORDS) & (values.dtype == pl.String))
        .then(pl.format(f"{name}: {{}} stands for a missing value", written))
        .otherwise(pl.lit(f"{name}: empty"))
    )  # fmt: skip


def _show(time: pl.Expr) -> pl.Expr:
    return time.clip(_FIRST_SHOWN, _LAST_SHOWN).dt.to_string("%Y-%m-%d %H:%M:%S")
