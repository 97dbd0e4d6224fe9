"""Networks as GraphML, for Gephi, igraph, NetworkX and every other tool that reads it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import polars as pl

from propgraph.export.graph_tables import ATTRIBUTE, CONTENT, attribute, check_network, kind_of, rows_as_text
from propgraph.export.tables import whole_file
from propgraph.export.text import xml_id
from propgraph.readers.taken import takes_frames


@takes_frames
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
    check_network(nodes, edges, written_as="GraphML")
    node_keys, edge_keys = _keys(nodes, "node", {"id"}), _keys(edges, "edge", {"id", "source", "target"})
    with whole_file(path) as file:
        file.write(b'<?xml version="1.0" encoding="UTF-8"?>\n')
        file.write(b'<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n')
        for column, (key, kind) in (*node_keys.items(), *edge_keys.items()):
            name = attribute(xml_id(column))
            owner = "node" if key.startswith("v_") else "edge"
            file.write(f'<key id="{key}" for="{owner}" attr.name="{name}" attr.type="{kind}"/>\n'.encode())
        file.write(f'<graph edgedefault="{"directed" if directed else "undirected"}">\n'.encode())
        for text in _elements(nodes, "node", keys=node_keys):
            file.write(text.encode())
        for text in _elements(edges, "edge", keys=edge_keys):
            file.write(text.encode())
        file.write(b"</graph>\n</graphml>\n")


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
        keys[column] = (key, kind_of(frame[column]))
    return keys


def _elements(frame: pl.DataFrame, owner: str, *, keys: Mapping[str, tuple[str, str]]) -> Iterator[str]:
    """Yield the XML of the rows, a slice of the frame at a time."""
    ids = [name for name in ("id", "source", "target") if name in frame.columns and name not in keys]
    pieces = [pl.lit(f"<{owner}")]
    for name in ids:
        value = pl.col(name).str.replace_many(ATTRIBUTE)
        pieces.append(pl.concat_str(pl.lit(f' {name}="'), value, pl.lit('"')))
    pieces.append(pl.lit(">"))
    for column, (key, _) in keys.items():
        value = pl.col(column).str.replace_many(CONTENT)
        pieces.append(pl.concat_str(pl.lit(f'<data key="{key}">'), value, pl.lit("</data>")))
    pieces.append(pl.lit(f"</{owner}>\n"))
    # A null makes its own piece null, and only that: the value is left out of the row.
    yield from rows_as_text(frame, pieces, ids=ids)
