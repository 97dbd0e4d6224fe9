"""All readers, and the choice among them by a file's columns.

A new platform is one file with its `READERS` and one line here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from propgraph.errors import (
    InputError,
    UnknownColumnsError,
    UsageError,
    check_choice,
    did_you_mean,
    lacking,
    listed,
)
from propgraph.readers.base import CANONICAL, REQUIRED, TIMES, Reader, columns_of_name
from propgraph.readers.platforms import (
    bluesky,
    brandwatch,
    columns,
    coortweet,
    crowdtangle,
    dmi_tcat,
    hoaxy,
    ira,
    mastodon,
    meltwater,
    meta,
    qut,
    reddit,
    rtweet,
    snscrape,
    talkwalker,
    telegram,
    threads,
    tiktok,
    truthsocial,
    twarc_csv,
    twitwi,
    vk,
    whatsapp,
    x_api,
    x_archive,
    x_personal,
    x_scraped,
    youtube,
    zeeschuimer_x,
)

_PLATFORMS = (
    bluesky, brandwatch, coortweet, crowdtangle, dmi_tcat, hoaxy, ira, mastodon, meltwater, meta, qut,
    reddit, rtweet, snscrape, talkwalker, telegram, threads, tiktok, truthsocial, twarc_csv, twitwi, vk,
    whatsapp, x_api, x_archive, x_personal, x_scraped, youtube, zeeschuimer_x, columns,
)  # fmt: skip
READERS: Mapping[str, Reader] = {reader.name: reader for module in _PLATFORMS for reader in module.READERS}
OWN = READERS["columns"]
# Where any reader's JSON documents keep their records.
PLACES_OF_RECORDS = tuple(dict.fromkeys(path for reader in READERS.values() for path in reader.lists))

# As a word of --map: columns that bear propgraph's own names are read as well.
AUTO = "auto"

_TOLD = 4  # readers whose misses are spelled out
_SHOWN = 12  # columns that an error names


def parse_mapping(pairs: list[str], /) -> dict[str, str]:
    """Return `{canonical: column}` from `canonical=column` words; the word `auto` stands there as itself.

    Raises
    ------
    UsageError
        When a word is not of that form, or the canonical name is unknown or named twice.
    """
    mapping: dict[str, str] = {}
    for pair in pairs:
        if pair == AUTO:
            mapping[AUTO] = AUTO
            continue
        name, equals, column = pair.partition("=")
        if not equals or not column:
            raise UsageError(
                f"{pair!r}: write NAME=COLUMN, for instance account_id=user, or {AUTO}"
                f"{did_you_mean(pair, [AUTO])}",
                option="mapping",
            )
        _check_known(name, pair)
        if name in mapping:
            raise UsageError(f"{pair!r}: {name} is mapped already, to {mapping[name]!r}", option="mapping")
        mapping[name] = column
    return mapping


def _check_known(name: str, pair: str) -> None:
    if name not in CANONICAL:
        raise UsageError(
            f"{pair!r}: {name!r} is not a name that propgraph knows"
            f"{did_you_mean(name, CANONICAL)}; it knows {', '.join(CANONICAL)}",
            option="mapping",
        )


def choose_reader(
    found: list[str],
    /,
    *,
    source: str,
    nested: bool = False,
    format: str | None = None,
    mapping: Mapping[str, str] | None = None,
) -> Reader:
    """Return the reader for a file with the columns `found`.

    Of the readers with a layout that is whole there, one is dropped where its layout is but a part of
    another's, and columns of one's own give way to any platform's; `format` overrules all that, and with a
    `mapping` the columns are the user's own.

    Parameters
    ----------
    found
        Columns of a table, or paths of the keys in JSON.
    source
        The file, for messages.
    nested
        It is JSON: readers of nested records can be had.
    format
        Name of a reader; None chooses.
    mapping
        Canonical name to column: of a table only these are read, unless a key `auto` (of any value) adds
        those that bear canonical names themselves.

    Raises
    ------
    InputError
        When no reader fits, or several do: what was found, what each reader misses, what was likely meant.
    UsageError
        When `format` is no reader's name, or one whose columns a `mapping` cannot change.
    """
    if format is not None:
        check_choice("format", format, READERS)
        if mapping and format != OWN.name:
            raise UsageError(
                f"the columns of {format} are known; --map is for columns of your own (in Python: mapping=)",
                option="format",
            )
    if mapping:
        return _mapped(found, source, mapping)
    readers = [READERS[format]] if format is not None else list(READERS.values())
    readable = [reader for reader in readers if not (reader.tables if nested else reader.rows)]
    if not readable:
        read = "tables, and this is none" if nested else "no tables, and this is one"
        raise InputError(f"{source}: the format {format} reads {read}")
    fitting = {reader.name: layout for reader in readable if (layout := reader.layout_in(found))}
    best = [
        name for name, layout in fitting.items()
        if not any(set(layout) < set(other) for other in fitting.values())
        and (name != OWN.name or len(fitting) == 1)
    ]  # fmt: skip
    if not best:
        raise _no_fit(found, source, readable, by_name=format is not None)
    if len(best) > 1:
        told = "; ".join(f"{name} ({', '.join(fitting[name])})" for name in best)
        raise InputError(
            f"{source}: {len(best)} readers know these columns: {told}. Say which: --format {best[0]} "
            f"(in Python: format={best[0]!r})"
        )
    return READERS[best[0]]


def _mapped(found: list[str], source: str, mapping: Mapping[str, str]) -> Reader:
    mapped = {name: column for name, column in mapping.items() if name != AUTO}
    for name, column in mapped.items():
        _check_known(name, f"{name}={column}")
        if not columns_of_name(name, column, found):
            parts = column.split("+") if name in TIMES else [column]
            advice = f"name another by --map {name}=COLUMN (in Python: mapping=)"
            raise InputError("; ".join(lacking(source, parts, found, advice=advice)))
    own = {name: name for name in CANONICAL if name in found}
    names = (own | mapped) if AUTO in mapping else mapped
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        if set(missing) <= set(own):
            lacks = " and ".join(missing)
            raise InputError(
                f"{source}: no column for {lacks}. The log calls {lacks} so itself: add --map {AUTO} "
                f"(in Python: mapping={{{AUTO!r}: {AUTO!r}}}) to take them"
            )
        raise UnknownColumnsError(
            f"{source}: no column for {' and '.join(missing)}. Found: {listed(found, shown=_SHOWN)}.",
            details=f"{source}: all columns: {listed(found)}",
            mapping=mapping,
        )
    layout = tuple(part for name, raw in names.items() for part in columns_of_name(name, raw, found))
    return replace(OWN, title="columns by --map", layouts=(layout,), uses=(), names=names)


def _no_fit(found: list[str], source: str, readers: list[Reader], /, *, by_name: bool) -> InputError:
    """Return what was found, and what the readers that come nearest miss."""
    misses = {reader.name: _nearest_miss(reader, found) for reader in readers}
    nearest = sorted(misses, key=lambda name: (-misses[name][0], len(misses[name][1]), name))
    told = "; ".join(f"{name} misses {', '.join(misses[name][1])}" for name in nearest[:_TOLD])
    if by_name:
        without = "" if set(REQUIRED) - set(found) else ". Without a format given they are taken as your own"
        return InputError(
            f"{source}: not the columns of this reader. Found: {listed(found)}. {told}{without}"
        )
    others = f"; further from it: {', '.join(sorted(nearest[_TOLD:]))}" if len(nearest) > _TOLD else ""
    return UnknownColumnsError(
        f"{source}: no known format has these columns. Found: {listed(found, shown=_SHOWN)}.",
        details=f"{source}: all columns: {listed(found)}. {told}{others}",
    )


def _nearest_miss(reader: Reader, found: list[str]) -> tuple[float, list[str]]:
    """Return what part of the reader's best layout is there, and what is not."""
    there = set(found)
    layout = max(reader.layouts, key=lambda names: len(there.intersection(names)) / len(names))
    missing = [name for name in layout if name not in there]
    return 1 - len(missing) / len(layout), missing
