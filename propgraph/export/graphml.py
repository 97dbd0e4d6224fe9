"""Networks as GraphML, for Gephi, igraph, NetworkX and every other tool that reads it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from propgraph.errors import InputError, lacking
from propgraph.export.tables import plain, whole_file
from propgraph.export.text import clean_xml_column, xml_id, xml_ids

__all__ = ["UNFLAGGED", "palette", "write_graphml"]

UNFLAGGED = (160, 160, 160)
"""Red, green and blue (0..255) of whatever belongs to no flagged cluster."""

# Okabe and Ito's colours, black last since it is the only one that looks like text.
_OKABE_ITO = (
    (230, 159, 0), (86, 180, 233), (0, 158, 115), (213, 94, 0),
    (0, 114, 178), (204, 121, 167), (240, 228, 66), (0, 0, 0),
)  # fmt: skip

_COLOUR = ("r", "g", "b")
_NUMBERS = {"node": ("x", "y", "z", "size"), "edge": ("weight",)}
# Rows turned into text at a time: fewer cost time, more cost memory.
_SLICE = 10_000
_CONTENT = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}
# A parser turns the white space of an attribute into spaces unless it stands as a character reference.
_ATTRIBUTE = _CONTENT | {'"': "&quot;", "\t": "&#9;", "\n": "&#10;"}


def palette(n: int) -> list[tuple[int, int, int]]:
    """Return colours that colour-blind people can tell apart, most distinct first.

    The first eight are those of Okabe and Ito [1]_; the rest are tints of them (black excepted, whose tints
    are greys like `UNFLAGGED`), evenly spread towards white. Nobody can tell some dozens of colours apart.

    Parameters
    ----------
    n
        How many colours.

    Returns
    -------
    Red, green and blue of each, 0..255.

    References
    ----------
    .. [1] Okabe, M., & Ito, K. (2008). Color Universal Design: How to make figures and presentations that are
       friendly to colorblind people.
    """
    chosen = list(_OKABE_ITO[:n])
    hues = _OKABE_ITO[:-1]
    rounds = -(-max(n - len(_OKABE_ITO), 0) // len(hues))
    for step in range(1, rounds + 1):
        white = 0.7 * step / rounds
        for r, g, b in hues:
            chosen.append((_tint(r, white), _tint(g, white), _tint(b, white)))
    return chosen[:n]


def _tint(value: int, white: float) -> int:
    return round(value + (255 - value) * white)


def write_graphml(
    path: str | Path, nodes: pl.DataFrame, edges: pl.DataFrame, *, directed: bool = False
) -> None:
    r"""Write a network as GraphML, whole or not at all.

    Rows are written in the order given, some thousands at a time. The file is plain GraphML; the names
    that Gephi takes as properties are marked below. Texts lose the characters that XML forbids; ids lose
    nothing: see `propgraph.export.text.xml_id` for the few that are escaped.

    Parameters
    ----------
    path
        The file; one that exists is replaced.
    nodes
        `id` (`String`, unique): becomes the node's XML id, which is its Id in Gephi. Optional, for Gephi:
        `label` (`String`); `x`, `y`, `z`, `size` (numbers); `r`, `g`, `b` (integers 0..255). Any other
        columns become attributes.
    edges
        `source`, `target` (`String`, ids of nodes). Optional: `id` (`String`, unique); for Gephi `label`
        (`String`), `weight` (number), `r`, `g`, `b` (integers 0..255). Any other columns become attributes,
        but none may be called `type`.
    directed
        The edges go from source to target.

    Raises
    ------
    InputError
        When a column is missing or has values that it must not have, an id is null or stands twice, or an
        edge's end is not a node; all faults are named together.
    UsageError
        When `path` is a folder or lies in none.

    Notes
    -----
    Dtypes become GraphML types: integers `long` (colours `int`), floats `double`, `Boolean` `boolean`, all
    else `string`. Times are ISO 8601, durations are seconds as `double`, lists are joined by `|`, integers
    too large for a `long` are `string`. A null, a NaN or an infinity is left out, and so is a colour that
    lacks a part.

    Two faults of igraph 1.0 as a reader: it gives `&` in an XML id as `&#38;` (where that matters, repeat
    the id in an attribute of its own), and in place of the edges' ids it gives the nodes'.

    Examples
    --------
    >>> import polars as pl
    >>> import propgraph as pg
    >>> nodes = pl.DataFrame({"id": ["ana", "bo"], "label": ["Ana", "Bo"], "size": [2.0, 1.0]})
    >>> edges = pl.DataFrame({"source": ["ana"], "target": ["bo"], "weight": [3]})
    >>> pg.write_graphml("network.graphml", nodes, edges)
    >>> import igraph
    >>> graph = igraph.Graph.Read_GraphML("network.graphml")
    >>> graph.vs["label"], graph.es["weight"]
    (['Ana', 'Bo'], [3.0])
    """
    faults = [*_id_faults(nodes, edges), *_column_faults(nodes, "node"), *_column_faults(edges, "edge")]
    if faults:
        raise InputError("the network cannot be written as GraphML: " + "; ".join(faults))
    for frame in (nodes, edges):
        plain(frame.clear(), join_lists=True)  # refuses dtypes before a byte is written
    node_keys, edge_keys = _keys(nodes, "node", {"id"}), _keys(edges, "edge", {"id", "source", "target"})
    with whole_file(path) as file:
        file.write(b'<?xml version="1.0" encoding="UTF-8"?>\n')
        file.write(b'<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n')
        for column, (key, kind) in (*node_keys.items(), *edge_keys.items()):
            name = _attribute(xml_id(column))
            owner = "node" if key.startswith("v_") else "edge"
            file.write(f'<key id="{key}" for="{owner}" attr.name="{name}" attr.type="{kind}"/>\n'.encode())
        file.write(f'<graph edgedefault="{"directed" if directed else "undirected"}">\n'.encode())
        for text in _elements(nodes, "node", keys=node_keys):
            file.write(text.encode())
        for text in _elements(edges, "edge", keys=edge_keys):
            file.write(text.encode())
        file.write(b"</graph>\n</graphml>\n")


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
    for name in _COLOUR:
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


def _keys(frame: pl.DataFrame, owner: str, ids: Collection[str]) -> dict[str, tuple[str, str]]:
    """Return the key id and the GraphML type of each attribute column.

    Gephi takes the key id as the column's, and mistakes the key ids `d3` and `d7`, which NetworkX writes, for
    labels: so they are made of the column's name, with igraph's prefix, or of its position where the name
    will not do.
    """
    keys: dict[str, tuple[str, str]] = {}
    taken = set()
    for position, column in enumerate(frame.columns):
        if column in ids:
            continue
        fit = re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", column) and column.lower() not in taken
        taken.add(column.lower())
        key = f"{'v' if owner == 'node' else 'e'}_{column if fit else position}"
        keys[column] = (key, _kind(frame[column]))
    return keys


def _kind(values: pl.Series) -> str:
    """Return the GraphML type that holds all of a column's values."""
    dtype: Any = values.dtype
    if values.name in _COLOUR:
        return "int"
    if dtype.is_float() or dtype.is_decimal() or isinstance(dtype, pl.Duration):
        return "double"
    if dtype.is_integer():
        return "long" if values.cast(pl.Int64, strict=False).null_count() == values.null_count() else "string"
    return "boolean" if isinstance(dtype, pl.Boolean) else "string"


def _elements(frame: pl.DataFrame, owner: str, *, keys: Mapping[str, tuple[str, str]]) -> Iterator[str]:
    """Yield the XML of the rows, a slice of the frame at a time."""
    ids = [name for name in ("id", "source", "target") if name in frame.columns and name not in keys]
    pieces = [pl.lit(f"<{owner}")]
    for name in ids:
        value = pl.col(name).str.replace_many(_ATTRIBUTE)
        pieces.append(pl.concat_str(pl.lit(f' {name}="'), value, pl.lit('"')))
    pieces.append(pl.lit(">"))
    for column, (key, _) in keys.items():
        value = pl.col(column).str.replace_many(_CONTENT)
        pieces.append(pl.concat_str(pl.lit(f'<data key="{key}">'), value, pl.lit("</data>")))
    pieces.append(pl.lit(f"</{owner}>\n"))
    # A null makes its own piece null, and only that: the value is left out of the row.
    row = pl.concat_str(pieces, ignore_nulls=True)
    for part in frame.iter_slices(_SLICE):
        yield _text(part, ids).select(row.str.join("")).item()


def _text(part: pl.DataFrame, ids: Collection[str]) -> pl.DataFrame:
    """Return the rows with every value as text that XML can hold."""
    colour = [name for name in _COLOUR if name in part.columns]
    if colour:
        part = part.with_columns(
            pl.when(pl.all_horizontal(pl.col(colour).is_not_null())).then(pl.col(colour))
        )
    flat = plain(part, join_lists=True).cast(pl.String)
    return flat.select(
        xml_ids(values) if values.name in ids else clean_xml_column(values) for values in flat.iter_columns()
    )


def _attribute(text: str) -> str:
    return "".join(_ATTRIBUTE.get(character, character) for character in text)
