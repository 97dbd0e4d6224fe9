"""`propgraph cascades`: the cascades worth a look, and one of them as a tree."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from propgraph.cli.options import check_suffixes

if TYPE_CHECKING:
    import polars as pl

    from propgraph.study import Study
    from propgraph.trees import Tree

FORMATS = ("table", "json", "csv", "parquet")

LARGE = 10
"""Posts from which on a cascade's shape and beginning say something."""

NO_LARGE = "none: no cascade is so large"
NO_DEEP = "none: all of them are stars, and a star's virality says no more than its size"
NO_SEEDED = "none: no flagged cluster made any of their first ten posts"


def cascades(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="A study that `propgraph build` made.", show_default=False)],
    cascade: Annotated[str | None, typer.Argument(metavar="ID", help="One cascade: its id, its object's, or how either begins.", show_default=False)] = None,
    trace: Annotated[str | None, typer.Option("--trace", metavar="NAME", help="Only cascades of this trace: object, reshare or url.", show_default=False)] = None,
    top: Annotated[int, typer.Option("--top", metavar="N", help="Show at most N cascades a table.")] = 10,
    reference: Annotated[Path | None, typer.Option("--reference", metavar="FILE", help="Rank shapes among the cascades of this study or table, not of STUDY.", show_default=False)] = None,
    graphml: Annotated[Path | None, typer.Option("--graphml", metavar="FILE", help="Write the tree of ID for Gephi.", show_default=False)] = None,
    gexf: Annotated[Path | None, typer.Option("--gexf", metavar="FILE", help="The same as GEXF, with times, for Gephi's timeline and Gephi Lite.", show_default=False)] = None,
    png: Annotated[Path | None, typer.Option("--png", metavar="FILE", help="Draw the tree of ID as a picture.", show_default=False)] = None,
    svg: Annotated[Path | None, typer.Option("--svg", metavar="FILE", help="The same as SVG, to print in any size.", show_default=False)] = None,
    format: Annotated[str, typer.Option("--format", metavar="table|json|csv|parquet", help="What goes to stdout: something to read, or data: all cascades, or the posts of ID.")] = "table",
) -> None:  # fmt: skip
    """List the largest, most viral and most seeded cascades, or draw one as a tree."""
    from propgraph.cli.output import err
    from propgraph.errors import UsageError, check_at_least, check_choice
    from propgraph.export.tables import render
    from propgraph.study import Study, unchanged

    check_choice("format", format, FORMATS)
    check_at_least("top", top, 0)
    check_suffixes(graphml, gexf)
    files = {"graphml": graphml, "gexf": gexf, "png": png, "svg": svg}
    if cascade is None and any(path is not None for path in files.values()):
        raise UsageError("--graphml, --gexf, --png and --svg write one cascade: name it after the study")
    found = Study.open(study)
    with unchanged(found):
        tree = None if cascade is None else _tree(found, cascade, trace, reference)
        notes = [] if tree is None else _write(found, tree, files)
        if format != "table":
            sys.stdout.buffer.write(
                render(_listed(found, trace, reference) if tree is None else tree.nodes, format)
            )
            sys.stdout.buffer.flush()
            for kind, text in notes:
                err(f"wrote {kind} {text}")
        elif tree is None:
            _show_all(
                found,
                _listed(found, trace, reference),
                top=top,
                of="this study" if reference is None else str(reference),
            )
        else:
            _show_one(tree, notes)


def _tree(study: Study, name: str, trace: str | None, reference: Path | None) -> Tree:
    from propgraph.trees import find_cascade, read_tree

    if trace is not None:
        _check_trace(study, trace)
    tree = read_tree(study, find_cascade(study, name, trace=trace))
    if reference is None:
        return tree
    ranked = _listed(study, trace, reference).filter(cascade_id=tree.cascade["cascade_id"])
    return replace(tree, cascade=ranked.row(0, named=True))


def _check_trace(study: Study, trace: str) -> None:
    from propgraph.errors import check_choice

    there = study.scan("cascades").select("trace").unique().collect()["trace"].sort().to_list()
    check_choice("trace", trace, there)


def _listed(study: Study, trace: str | None, reference: Path | None) -> pl.DataFrame:
    """Return the cascades, ranked among those of the `reference` where one is given."""
    table = study.scan("cascades")
    if trace is not None:
        _check_trace(study, trace)
        table = table.filter(trace=trace)
    if reference is None:
        return table.collect()
    from propgraph.cascades.shapes.percentiles import with_percentiles
    from propgraph.cascades.shapes.reference import read_reference

    return with_percentiles(table.collect(), reference=read_reference(reference))


def _write(study: Study, tree: Tree, files: dict[str, Path | None]) -> list[tuple[str, str]]:
    """Write what is asked for; return what was written where."""
    asked = {kind: path for kind, path in files.items() if path is not None}
    if not asked:
        return []
    from propgraph.export.tree_marks import tree_marks
    from propgraph.export.tree_network import write_tree
    from propgraph.export.tree_picture import write_tree_png, write_tree_svg

    marks, n, notes = tree_marks(study, tree), tree.nodes.height, []
    for kind, path in asked.items():
        if kind in ("graphml", "gexf"):
            write_tree(path, tree, marks=marks)
            notes.append((kind, f"{path}  (open it in Gephi)"))
            continue
        drawn = (write_tree_png if kind == "png" else write_tree_svg)(path, tree, marks=marks)
        notes.append((kind, f"{path}" + (f"  (the first {drawn:,} of {n:,} posts)" if drawn < n else "")))
    return notes


def _show_all(study: Study, found: pl.DataFrame, *, top: int, of: str) -> None:
    from propgraph.cli.output import say

    say(
        f"{found.height:,} cascades of {found['size'].sum():,} posts (a post counts in each cascade that it is in)"
    )
    if found.is_empty():
        return
    if _knows_no_parent(study, found):
        say(
            "No parent is known: every cascade is taken for a star under its first post, so that depth and virality "
            "say nothing. `propgraph build --parents learned` (or pdi, follow) guesses them."
        )
    if top:
        _show_tables(study, found, top=top, of=of)
    say()
    command = shlex.join(["propgraph", "cascades", str(study.path)])
    say(f"one as a tree  {command} ID   (all ids whole: --format csv)", wrap=False)


def _knows_no_parent(study: Study, found: pl.DataFrame) -> bool:
    """Tell whether the log names no parent and none was guessed: all trees are stars for want of them."""
    asked = study.run["build"]["parameters"].get("parents")
    below = found.filter(found["size"] > 1)
    named = below["observed_share"].fill_null(0) > 0
    return asked in (None, "observed", "star") and not below.is_empty() and not named.any()


def _show_tables(study: Study, found: pl.DataFrame, *, top: int, of: str) -> None:
    import polars as pl

    _table(
        "The largest", found.sort("size", "cascade_id", descending=[True, False], nulls_last=True).head(top)
    )
    large = found.filter(pl.col("size") >= LARGE)
    _show_viral(large, top=top, of=of)
    _show_seeded(study, large, top=top)


def _show_viral(large: pl.DataFrame, *, top: int, of: str) -> None:
    import polars as pl

    from propgraph.cli.output import say

    rank = "structural_virality_pct"
    deep = large.filter(pl.col("depth") > 1)  # a star is as viral as its size lets it be
    if deep.is_empty():
        _table(f"The most viral of {LARGE} posts or more", deep, none=NO_DEEP if large.height else NO_LARGE)
    elif rank in deep.columns and deep[rank].null_count() < deep.height:
        order = [rank, "size", "cascade_id"]
        matched = deep.filter(pl.col(rank).is_not_null())
        viral = matched.sort(order, descending=[True, True, False]).head(top)
        _table(f"The most viral for their size, of {LARGE} posts or more", viral)
        say(f"pct: percentile of the virality among cascades of like size in {of}", indent=4)
    else:
        order = ["structural_virality", "cascade_id"]
        viral = deep.sort(order, descending=[True, False], nulls_last=True).head(top)
        _table(
            f"The most viral of {LARGE} posts or more (too few of like size in {of} for percentiles)", viral
        )


def _show_seeded(study: Study, large: pl.DataFrame, *, top: int) -> None:
    from propgraph.amplification.seeding import seeded
    from propgraph.cli.output import say

    share = seeded(study)
    if share is None:
        say()
        say("The most seeded are known after `propgraph clusters`.")
        return
    order = ["seeded", "size", "cascade_id"]
    most = large.join(share, on="cascade_id").sort(order, descending=[True, True, False]).head(top)
    title = f"The most seeded of {LARGE} posts or more (first ten posts that flagged clusters made)"
    _table(title, most, none=NO_SEEDED if large.height else NO_LARGE)


def _figures(row: dict[str, Any]) -> dict[str, str]:
    cells = {"size": f"{row['size']:,}", "accounts": f"{row['n_accounts']:,}", "depth": f"{row['depth']:,}"}
    cells["breadth"] = f"{row['max_breadth']:,}"
    virality, low, high = (row.get(f"structural_virality{end}") for end in ("", "_low", "_high"))
    cells["virality"] = "" if virality is None else f"{virality:.2f}"
    cells["5-95 %"] = "" if low is None or high is None else f"{low:.1f}-{high:.1f}"
    percentile = row.get("structural_virality_pct")
    cells["pct"] = "" if percentile is None else f"{100 * percentile:.0f}"
    cells["observed"] = "" if row["observed_share"] is None else f"{row['observed_share']:.0%}"
    if "seeded" in row:
        cells["seeded"] = f"{row['seeded']:.0%}"
    return cells


def _table(title: str, frame: pl.DataFrame, *, none: str = "") -> None:
    from rich.cells import cell_len, set_cell_size

    from propgraph.cli.output import WIDTH, say
    from propgraph.export.text import clean_terminal

    say()
    say(title, bold=True)
    if frame.is_empty():
        say(none, indent=4)
        return
    rows = [_figures(row) for row in frame.to_dicts()]
    header = [name for name in rows[0] if any(row[name] for row in rows)]
    widths = [max(len(name), *(len(row[name]) for row in rows)) + 2 for name in header]
    room = min(WIDTH - sum(widths), 50)
    names = ["cascade", *(clean_terminal(name, width=room) for name in frame["cascade_id"])]
    room = max(map(cell_len, names))
    for k, name in enumerate(names):
        cells = header if k == 0 else [rows[k - 1][column] for column in header]
        figures = "".join(f"{cell:>{n}}" for cell, n in zip(cells, widths, strict=True))
        say(set_cell_size(name, room) + figures, wrap=False)


def _show_one(tree: Tree, notes: list[tuple[str, str]]) -> None:
    from propgraph.cli.output import WIDTH, say
    from propgraph.export.tree_text import figures, growth, tree_lines

    cascade, nodes = tree.cascade, tree.nodes
    say(cascade["cascade_id"], bold=True, wrap=False)
    say(figures(cascade))
    ranks = {name: cascade.get(f"{name}_pct") for name in ("depth", "max_breadth", "structural_virality")}
    told = [f"{name.replace('_', ' ')} {100 * rank:.0f}" for name, rank in ranks.items() if rank is not None]
    if told:
        say(f"for size {', '.join(told)}  (percentiles among cascades of like size)")
    start = cascade["start"]
    if start is not None:
        unseen = "" if nodes["timestamp"][0] is not None else ", the first reshare: delays count from it"
        say(f"from     {start:%Y-%m-%d %H:%M:%S} UTC{unseen}")
    sources = nodes["parent_source"][1:].value_counts(sort=True)
    counted = [f"{n:,} {source}" for source, n in sorted(sources.iter_rows(), key=lambda s: (-s[1], s[0]))]
    if counted:
        say("parents  " + ", ".join(counted))
    if cascade.get("structural_virality_low") is not None:
        say(
            "         drawn many times: the figures are medians (5 to 95 %), the tree has the likeliest parents"
        )
    say("growth   " + growth(tree), wrap=False)
    say()
    for line in tree_lines(tree, width=WIDTH):
        say(line, wrap=False)
    if nodes["parent_source"].str.starts_with("inferred").any():
        say()
        say("~ the parent is inferred; times are after the root")
    for kind, text in notes:
        say(f"{kind:<9}{text}", wrap=False)
