"""Networks as GEXF, for Gephi, with its timeline, and Gephi Lite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from propgraph.errors import InputError
from propgraph.export.graph_tables import ATTRIBUTE, COLOUR, attribute, check_network, kind_of, rows_as_text
from propgraph.export.tables import whole_file
from propgraph.export.text import xml_id
from propgraph.readers.taken import takes_frames

_XMLNS = "http://www.gexf.net/1.2draft"
_TYPES = {"int": "integer", "long": "long", "double": "double", "boolean": "boolean", "string": "string"}
_TIMES = ("start", "end")
# What the format has a place for, beside the attributes.
_OWN = {
    "node": ("id", "label", *_TIMES, "x", "y", "z", "size", *COLOUR),
    "edge": ("id", "source", "target", "label", "weight", *_TIMES, *COLOUR),
}


@takes_frames
def write_gexf(path: str | Path, nodes: pl.DataFrame, edges: pl.DataFrame, *, directed: bool = False) -> None:
    """Write a network as GEXF 1.2, whole or not at all.

    Parameters
    ----------
    path
        The file; one that exists is replaced.
    nodes, edges
        As for `write_graphml`; in both, `start` and `end` (times) say when it is there: Gephi has a timeline then.
    directed
        The edges go from source to target.

    Raises
    ------
    InputError
        As by `write_graphml`, or where `start` and `end` are no times.
    UsageError
        When `path` is a folder or lies in none.

    Examples
    --------
    >>> import polars as pl
    >>> import propgraph as pg
    >>> nodes = pl.DataFrame({"id": ["ana", "bo"], "label": ["Ana", "Bo"], "size": [2.0, 1.0]})
    >>> edges = pl.DataFrame({"source": ["ana"], "target": ["bo"], "weight": [3]})
    >>> pg.write_gexf("network.gexf", nodes, edges)
    >>> import networkx
    >>> networkx.read_gexf("network.gexf").edges["ana", "bo"]["weight"]
    3.0
    """
    check_network(nodes, edges, written_as="GEXF")
    frames = {"node": nodes, "edge": _numbered(edges)}
    for owner, frame in frames.items():
        for name in set(_TIMES) & set(frame.columns):
            if not frame.schema[name].is_temporal():
                raise InputError(f"{owner} column {name!r} is {frame.schema[name]}, not a time")
    timed = any(name in frame.columns for frame in frames.values() for name in _TIMES)
    kind = "directed" if directed else "undirected"
    # Times of day and all: Gephi reads them under this name, too, and NetworkX knows no other.
    mode = 'mode="dynamic" timeformat="date"' if timed else 'mode="static"'
    with whole_file(path) as file:
        file.write(b'<?xml version="1.0" encoding="UTF-8"?>\n')
        file.write(f'<gexf xmlns="{_XMLNS}" xmlns:viz="{_XMLNS}/viz" version="1.2">\n'.encode())
        file.write(f'<graph defaultedgetype="{kind}" {mode}>\n'.encode())
        for owner, frame in frames.items():
            file.write(_declared(frame, owner).encode())
        for owner, frame in frames.items():
            file.write(f"<{owner}s>\n".encode())
            for text in _elements(frame, owner):
                file.write(text.encode())
            file.write(f"</{owner}s>\n".encode())
        file.write(b"</graph>\n</gexf>\n")


def _numbered(edges: pl.DataFrame) -> pl.DataFrame:
    """Give edges an id, which the format asks for."""
    if "id" in edges.columns:
        return edges
    return edges.with_columns(id=pl.format("e{}", pl.int_range(pl.len())))


def _attributes(frame: pl.DataFrame, owner: str) -> list[str]:
    return [name for name in frame.columns if name not in _OWN[owner]]


def _declared(frame: pl.DataFrame, owner: str) -> str:
    told = [
        f'<attribute id="{k}" title="{attribute(xml_id(name))}" type="{_TYPES[kind_of(frame[name])]}"/>\n'
        for k, name in enumerate(_attributes(frame, owner))
    ]
    return f'<attributes class="{owner}" mode="static">\n' + "".join(told) + "</attributes>\n"


def _elements(frame: pl.DataFrame, owner: str) -> Iterator[str]:
    """Yield the XML of the rows, a slice of the frame at a time."""
    there = set(frame.columns)

    def named(column: str) -> pl.Expr:
        return pl.col(column).str.replace_many(ATTRIBUTE)

    ids = [name for name in ("id", "source", "target") if name in there and name in _OWN[owner]]
    pieces = [pl.lit(f"<{owner}")]
    # A null makes its own piece null, and only that: the value is left out of the row.
    pieces += [
        pl.concat_str(pl.lit(f' {name}="'), named(name), pl.lit('"'))
        for name in _OWN[owner]
        if name in there and name not in (*COLOUR, "x", "y", "z", "size")
    ]
    pieces.append(pl.lit("><attvalues>"))
    pieces += [
        pl.concat_str(pl.lit(f'<attvalue for="{k}" value="'), named(name), pl.lit('"/>'))
        for k, name in enumerate(_attributes(frame, owner))
    ]
    pieces.append(pl.lit("</attvalues>"))
    for element, parts in (("color", COLOUR), ("position", ("x", "y", "z"))):
        if (element == "position" and not {"x", "y"} <= there) or (
            element == "color" and not set(parts) <= there
        ):
            continue
        values = [
            pl.concat_str(pl.lit(f' {name}="'), named(name) if name in there else pl.lit("0"), pl.lit('"'))
            for name in parts
        ]
        pieces.append(pl.concat_str(pl.lit(f"<viz:{element}"), *values, pl.lit("/>")))
    if "size" in there and owner == "node":
        pieces.append(pl.concat_str(pl.lit('<viz:size value="'), named("size"), pl.lit('"/>')))
    pieces.append(pl.lit(f"</{owner}>\n"))
    yield from rows_as_text(frame, pieces, ids=ids)
