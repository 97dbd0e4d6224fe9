"""All readers, and the choice among them by a file's columns.

A new platform is one file with a `READER` and one line here.
"""

from __future__ import annotations

from collections.abc import Mapping

from propgraph.errors import InputError, UsageError, check_choice, did_you_mean
from propgraph.readers import columns, coortweet, hoaxy, qut
from propgraph.readers.base import CANONICAL, REQUIRED, Reader, renamed

READERS: Mapping[str, Reader] = {
    module.READER.name: module.READER for module in (coortweet, hoaxy, qut, columns)
}

# What people call the columns that every log has, for the advice in an error.
_LIKELY = {
    "account_id": ("account", "user", "author", "page", "from_id", "screen_name", "username"),
    "timestamp": ("time", "date", "created", "posted", "when"),
    "object_id": ("object", "link", "url", "hashtag"),
}


def parse_mapping(pairs: list[str], /) -> dict[str, str]:
    """Return `{canonical: column}` from `canonical=column` words.

    Raises
    ------
    UsageError
        When a word is not of that form, or the canonical name is unknown or named twice.
    """
    mapping: dict[str, str] = {}
    for pair in pairs:
        name, equals, column = pair.partition("=")
        if not equals or not column:
            raise UsageError(f"--map {pair!r}: write NAME=COLUMN, for instance account_id=user")
        if name not in CANONICAL:
            raise UsageError(
                f"--map {pair!r}: {name!r} is not a name that propgraph knows"
                f"{did_you_mean(name, CANONICAL)}; it knows {', '.join(CANONICAL)}"
            )
        if name in mapping:
            raise UsageError(f"--map {pair!r}: {name} is mapped already, to {mapping[name]!r}")
        mapping[name] = column
    return mapping


def choose_reader(
    found: list[str], /, *, source: str, format: str | None, mapping: Mapping[str, str]
) -> Reader:
    """Return the reader for a file with the columns `found`.

    Of those whose needs are met, the one that needs most is taken; `format` overrules it, and with a
    `mapping` the columns are the user's own.

    Raises
    ------
    InputError
        When no reader fits: what was found, what each reader misses, what was likely meant.
    UsageError
        When `format` is no reader's name, or one whose columns a `mapping` cannot change.
    """
    if format is not None:
        check_choice("--format", format, READERS)
        if mapping and format != columns.READER.name:
            raise UsageError(f"--format {format}: its columns are known; --map is for columns of your own")
    if format is not None and not mapping:
        reader = READERS[format]
        if any(name not in found for name in reader.needs):
            raise InputError(_no_fit(found, source, [reader]))
        return reader
    if mapping:
        return _mapped(found, source, mapping)
    fitting = [reader for reader in READERS.values() if all(name in found for name in reader.needs)]
    if not fitting:
        raise InputError(_no_fit(found, source, list(READERS.values())))
    return max(fitting, key=lambda reader: len(reader.needs))


def _mapped(found: list[str], source: str, mapping: Mapping[str, str]) -> Reader:
    for name, column in mapping.items():
        if column not in found:
            raise InputError(
                f"{source}: --map {name}={column}: no such column{did_you_mean(column, found)}; "
                f"found {_listed(found)}"
            )
    names = {name: name for name in CANONICAL if name in found} | dict(mapping)
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise InputError(f"{source}: no column for {' and '.join(missing)}. {_advice(found, missing)}")
    return Reader(
        name="columns",
        title="columns by --map",
        needs=tuple(dict.fromkeys(names.values())),
        posts=renamed(**names),
    )


def _no_fit(found: list[str], source: str, readers: list[Reader]) -> str:
    misses = "; ".join(
        f"{reader.name} misses {', '.join(name for name in reader.needs if name not in found)}"
        for reader in readers
    )
    missing = [name for name in REQUIRED if name not in found]
    advice = _advice(found, missing) if missing else "Without --format its columns are taken as your own"
    verdict = "no reader knows these columns" if len(readers) > 1 else "not the columns of this reader"
    return f"{source}: {verdict}. Found: {_listed(found)}. {misses}. {advice}"


def _listed(names: list[str]) -> str:
    """Return names as one line, however many there are."""
    more = f" and {len(names) - 50} more" if len(names) > 50 else ""
    return (", ".join(name[:80] for name in names[:50]) + more) or "none"


def _advice(found: list[str], missing: list[str]) -> str:
    guesses = []
    for name in [*missing, "object_id"]:
        near = next((column for word in _LIKELY[name] for column in found if word in column.lower()), None)
        guesses.append(f"{name}={near or 'COLUMN'}")
    return "Name them, for instance: --map " + " --map ".join(guesses)
