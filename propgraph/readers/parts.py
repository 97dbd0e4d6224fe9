"""What one file of a log gives: its posts batch by batch, its rejected rows, and what is told of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from propgraph.readers.base import OWN
from propgraph.readers.beside import opened
from propgraph.readers.date_orders import notes_on_times
from propgraph.readers.kept import keep
from propgraph.readers.layouts.batches import Batch, Lines
from propgraph.readers.layouts.tabular import read_batches
from propgraph.readers.own import own_values
from propgraph.readers.plan import PlannedFile
from propgraph.readers.posts import permalinks
from propgraph.readers.rows import FileFacts, normalise
from propgraph.readers.times.fineness import RESOLUTION
from propgraph.readers.times.times import NONE_SEEN
from propgraph.readers.values import ids, missing, post_kinds


@dataclass
class Part:
    """What one file gives: its posts batch by batch, with the lines they stand in; what is known of it by now."""

    planned: PlannedFile
    facts: FileFacts
    posts: list[pl.DataFrame] = field(default_factory=list)
    lines: list[Lines] = field(default_factory=list)
    rejected: list[pl.DataFrame] = field(default_factory=list)
    n_rows: int = 0
    beside: dict[str, str] | None = None


def read_part(one: PlannedFile, tell: Callable[[int], None] | None, /) -> Part:
    """Read one file; once more, where all its rows say that it was read wrongly by what the first ones say."""
    part = read_by(one, FileFacts(one.file.name, is_json=one.file.is_nested, times=one.times), tell)
    settled = part.facts.to_read_again()
    return part if settled is None else read_by(one, settled, None)


def read_by(one: PlannedFile, facts: FileFacts, tell: Callable[[int], None] | None, /) -> Part:
    """Read one file by what is settled of it; what it tells beyond that is added to `facts`."""
    batches, beside, fault = _batches(one, tell)
    part = Part(one, facts, beside=beside)
    facts.notes += [fault] if fault else []
    kept = _own(one)
    for batch in batches:
        facts.notes += batch.notes
        part.n_rows += batch.frame.height + batch.rejected.height
        batch.own, batch.frame = own_values(batch.frame, kept), batch.frame.select(one.columns)
        posts, lines, rejected = normalise(batch, one.reader, facts)
        part.posts.append(posts)
        part.lines.append(lines)
        part.rejected += [batch.rejected, rejected]
    if any(posts.height and "content_id" not in posts.columns for posts in part.posts):
        facts.notes.append("no post ids; made from account, time and content (post:...)")
    return part


def _own(one: PlannedFile) -> list[str]:
    """Return how the columns are called that are kept as they are."""
    # Of records the reader makes columns, and beside them stand keys as they are.
    return [name if one.reader.rows is None else OWN + name for name in one.kept]


def _batches(
    one: PlannedFile, tell: Callable[[int], None] | None
) -> tuple[Iterable[Batch], dict[str, str] | None, str | None]:
    """Return what stands in a file, what is known of the file beside it, and what is wrong with that."""
    if one.part is not None:
        return one.part.batches(), one.part.told["beside"], one.part.told["fault"]
    reader, beside, fault = opened(one.reader, one.file, one.beside)
    columns = list(dict.fromkeys([*one.columns, *_own(one)]))
    batches = read_batches(one.file, columns, reader=reader, progress=tell)
    if one.parts is None:
        return batches, beside, fault
    told = {
        "name": one.file.name, "path": str(one.file.given or one.file.path), "layout": one.file.layout,
        "by_name": one.file.by_name, "bytes": one.n_bytes, "reader": one.reader.name,
        "names": dict(one.reader.names or {}) if one.mapped else None, "columns": one.columns,
        "unread": one.unread, "mapped": one.mapped, "kept": one.kept, "beside": beside, "fault": fault,
    }  # fmt: skip
    return keep(batches, one.parts, told=told), beside, fault


def source_of(part: Part, /) -> dict[str, Any]:
    """Return what `run.json` says of a file; see `Log.sources`."""
    one = part.planned
    source: dict[str, Any] = {
        "path": part.facts.source, "bytes": one.n_bytes, "reader": one.reader.name,
        "rows": part.n_rows, "time_unit": part.facts.units.get("timestamp", NONE_SEEN).name,
        RESOLUTION: part.facts.written_s,
    }  # fmt: skip
    if part.beside:
        source["beside"] = part.beside
    if one.mapped:
        source["columns"] = _columns(one.reader.names or {}, part.facts)
    return source


def _columns(names: Mapping[str, str], facts: FileFacts) -> dict[str, dict[str, Any]]:
    """Return what each column of the log gave: `column`, `rows`, and how `lists` are written, by canonical name."""
    columns: dict[str, dict[str, Any]] = {
        name: {"column": column, "rows": facts.given[name]} for name, column in names.items()
    }
    for name, found in facts.lists.items():
        if found.how:
            columns[name]["lists"] = found.how.removeprefix("lists ")
    if facts.implied:
        columns["kind"] = {
            "column": " or ".join(post_kinds.parents_columns(names)), "rows": facts.implied.total(),
            "implied": ", ".join(sorted(facts.implied)),
        }  # fmt: skip
    return columns


def notes_on(part: Part, /) -> list[str]:
    """Return the sentences that the user has to be told of a file, each with its name."""
    facts = part.facts
    notes = list(facts.notes)
    if (implied := post_kinds.told(facts.implied, part.planned.reader.names or {})) is not None:
        notes.append(implied)
    notes += notes_on_times(facts)
    notes += missing.told(facts.missing) + ids.told(facts.digits) + permalinks.told(facts.permalinks)
    notes += [note for name, found in sorted(facts.lists.items()) for note in found.told(name)]
    if not part.planned.mapped:
        notes += [f"{name}: {found.how}" for name, found in sorted(facts.lists.items()) if found.is_odd]
    if facts.id_times:
        notes.append(f"{facts.id_times:,} times made exact to the millisecond by the posts' ids")
    if facts.other_times:
        notes.append(
            f"{facts.other_times:,} posts have an id that says another time; the log's own time stands"
        )
    notes += [
        f"{name}: {n:,} made from what the row says (made:...), the log has none"
        for name, n in sorted(facts.made.items())
        if n
    ]
    if facts.unknown_kinds:
        word, _ = min(facts.unknown_kinds.items(), key=lambda item: (-item[1], item[0]))
        notes.append(
            f"kind: {facts.unknown_kinds.total():,} rows say {word!r} or another word that is none of original, "
            "reshare, quote, reply; taken as not known"
        )
    return [note if note.startswith(facts.source) else f"{facts.source}: {note}" for note in notes]
