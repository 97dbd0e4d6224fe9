"""A network as two tables, whatever it is written as: what they must hold, and their values as text for XML."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import polars as pl

from propgraph.errors import InputError, lacking
from propgraph.export.tables import plain
from propgraph.export.text import clean_xml_column, xml_ids

COLOUR = ("r", "g", "b")
_NUMBERS = {"node": ("x", "y", "z", "size"), "edge": ("weight",)}
# Rows turned into text at a time: fewer cost time, more cost memory.
_SLICE = 10_000
CONTENT = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}
# A parser turns the white space of an attribute into spaces unless it stands as a character reference.
ATTRIBUTE = CONTENT | {'"': "&quot;", "\t": "&#9;", "\n": "&#10;"}


def check_network(nodes: pl.DataFrame, edges: pl.DataFrame, /, *, written_as: str) -> None:
    """Raise `InputError` with all that is wrong with a network's tables, before a byte is written."""
    faults = [*_id_faults(nodes, edges), *_column_faults(nodes, "node"), *_column_faults(edges, "edge")]
    if faults:
        raise InputError(f"the network cannot be written as {written_as}: " + "; ".join(faults))
    for frame in (nodes, edges):
        plain(frame.clear(), join_lists=True)  # refuses dtypes


def _id_faults(nodes: pl.DataFrame, edges: pl.DataFrame) -> list[str]:
    """Return what is wrong with the ids of nodes, of edges and of their ends, one sentence a fault."""
    faults = []
    for table, frame, needed in (("nodes", nodes, ["id"]), ("edges", edges, ["source", "target"])):
        present = [
            name for name in ("id", "source", "target") if name in frame.columns and name in (*needed, "id")
        ]
        faults += lacking(table, needed, frame.columns)
        for name in present:
            ids = frame[name]
            if ids.dtype != pl.String:
                faults.append(f"column {name!r} of the {table} is {ids.dtype}, not String")
            elif ids.null_count() and (name != "id" or table == "nodes"):
                faults.append(f"column {name!r} of the {table} has {ids.null_count():,} nulls")
            elif name == "id" and (twice := ids.filter(ids.is_duplicated()).drop_nulls()).len():
                faults.append(f"{table} have the id {twice[0]!r} more than once")
    if faults:
        return faults
    for name in ("source", "target"):
        strangers = edges.select(pl.col(name).alias("id")).join(
            nodes, on="id", how="anti", maintain_order="left"
        )
        if strangers.height:
            faults.append(
                f"{strangers.height:,} edges have a {name} that is not a node: {strangers.item(0, 0)!r}"
            )
    return faults


def _column_faults(frame: pl.DataFrame, owner: str) -> list[str]:
    """Return what is wrong with the columns that Gephi reads, one sentence a fault."""
    faults = [
        f"{owner} column {name!r} is {frame.schema[name]}, not a number"
        for name in _NUMBERS[owner]
        if name in frame.columns and not frame.schema[name].is_numeric()
    ]
    for name in COLOUR:
        if name not in frame.columns:
            continue
        if not frame.schema[name].is_integer():
            faults.append(f"{owner} column {name!r} is {frame.schema[name]}, not an integer")
        elif not frame[name].cast(pl.Float64).is_between(0, 255).all():
            faults.append(f"{owner} column {name!r} has values outside 0..255")
    if owner == "edge":
        faults += [
            f"edge column {name!r} clashes with Gephi's own; call it 'trace' or something else"
            for name in frame.columns
            if name.lower() == "type"
        ]
    return faults


def kind_of(values: pl.Series) -> str:
    """Return the type that holds all of a column's values: `int`, `long`, `double`, `boolean`, `string`."""
    dtype: Any = values.dtype
    if values.name in COLOUR:
        return "int"
    if dtype.is_float() or dtype.is_decimal() or isinstance(dtype, pl.Duration):
        return "double"
    if dtype.is_integer():
        return "long" if values.cast(pl.Int64, strict=False).null_count() == values.null_count() else "string"
    return "boolean" if isinstance(dtype, pl.Boolean) else "string"


def rows_as_text(frame: pl.DataFrame, pieces: Sequence[pl.Expr], /, *, ids: Collection[str]) -> Iterator[str]:
    """Yield the XML of the rows, a slice of the frame at a time: `pieces` of each, those without a value left out.

    Parameters
    ----------
    frame
        The nodes or edges.
    pieces
        Expressions over the frame's columns, which hold text then; a null piece is left out of its row.
    ids
        Columns with ids of nodes or edges.
    """
    row = pl.concat_str(pieces, ignore_nulls=True)
    for part in frame.iter_slices(_SLICE):
        yield _text(part, ids).select(row.str.join("")).item()


def _text(part: pl.DataFrame, ids: Collection[str]) -> pl.DataFrame:
    """Return the rows with every value as text that XML can hold."""
    colour = [name for name in COLOUR if name in part.columns]
    if colour:
        part = part.with_columns(
            pl.when(pl.all_horizontal(pl.col(colour).is_not_null())).then(pl.col(colour))
        )
    flat = plain(part, join_lists=True).cast(pl.String)
    return flat.select(
        xml_ids(values) if values.name in ids else clean_xml_column(values) for values in flat.iter_columns()
    )


def attribute(text: str, /) -> str:
    """Return a text as the value of an XML attribute."""
    return "".join(ATTRIBUTE.get(character, character) for character in text)
