"""Cascades that flagged clusters touched: how large, how much of them is theirs, how early."""

from __future__ import annotations

import polars as pl

from propgraph.export.tree_marks import tree_marks
from propgraph.export.tree_picture import tree_svg
from propgraph.report.figures.figure import Figure
from propgraph.report.page.drawn import drawn
from propgraph.report.page.findings import Findings
from propgraph.report.page.markup import paragraphs, shown, table
from propgraph.report.words import renamed
from propgraph.trees import find_cascade, read_tree
from propgraph.words.said import formatted, tell

_MOST, _TREES, _LARGEST = 20, 3, 1_500


def cascades(findings: Findings) -> str:
    """Return the cascades in which flagged groups posted most, the first of them drawn."""
    if "amplification" not in findings.study.tables or findings.flagged.is_empty():
        return f"<p>{shown(tell('spread.none'))}</p>"
    ids = findings.flagged["cluster_id"].to_list()
    touched = (
        findings.study.scan("amplification")
        .filter(pl.col("cluster_id").is_in(ids), pl.col("n_nodes") > 1)
        .sort(["n_nodes", "share", "cascade_id", "cluster_id"], descending=[True, True, False, False])
        .head(_MOST)
        .join(
            findings.study.scan("cascades").select("cascade_id", "object_id", "size", "depth", "start"),
            on="cascade_id", how="left", maintain_order="left",
        )
        .collect()
    )  # fmt: skip
    if touched.is_empty():
        return f"<p>{shown(tell('spread.none-of-two'))}</p>"
    rows = touched.select(
        cluster="cluster_id", kind=renamed(touched["trace"], "thing"), what="object_id",
        start=pl.Series(["" if one is None else formatted(one, "minute") for one in touched["start"]]),
        posts="size", their_posts="n_nodes", depth="depth", began_it="started",
        theirs=_percent("share"), below=_percent("share_below"), of_first_10=_percent("first_10_share"),
    )  # fmt: skip
    if not findings.audience.accounts:
        rows = rows.drop("what")
    told = paragraphs((tell("spread.columns"),)) + table(rows, tell("spread.cascades"))
    return told + _trees(findings, touched)


def _trees(findings: Findings, touched: pl.DataFrame) -> str:
    """Draw the first of these cascades that fit a picture, flagged groups' posts in rings of their colours."""
    if not findings.audience.accounts:
        return ""  # a tree names those who were passed on most
    small = touched.filter(pl.col("size") <= _LARGEST)["cascade_id"].unique(maintain_order=True).head(_TREES)
    figures = {}
    for k, cascade_id in enumerate(small, 1):
        tree = read_tree(findings.study, find_cascade(findings.study, cascade_id))
        told = tell("spread.posts-of", n=tree.cascade["size"], what=tree.cascade["object_id"])
        caption = tell("spread.tree", told=told)
        svg = tree_svg(tree, marks=tree_marks(findings.study, tree))
        figures[f"tree-{k}"] = Figure(svg, tell("spread.tree-of", told=told), caption)
    return drawn(findings, figures)


def _percent(column: str) -> pl.Expr:
    return (pl.col(column) * 100).round(0)
