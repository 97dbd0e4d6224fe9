"""Cascades that flagged clusters touched: how large, how much of them is theirs, how early."""

from __future__ import annotations

import polars as pl

from propgraph.export.tree_marks import tree_marks
from propgraph.export.tree_picture import tree_svg
from propgraph.report.figures.figure import Figure
from propgraph.report.page.drawn import drawn
from propgraph.report.page.findings import Findings
from propgraph.report.page.markup import paragraphs, table
from propgraph.trees import find_cascade, read_tree

_MOST, _TREES, _LARGEST = 20, 3, 1_500


def cascades(findings: Findings) -> str:
    """Return the cascades in which flagged groups posted most, the first of them drawn."""
    if "amplification" not in findings.study.tables or findings.flagged.is_empty():
        return "<p>No flagged group was seen in a cascade.</p>"
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
        return "<p>No flagged group was seen in a cascade of two posts or more.</p>"
    rows = touched.select(
        group="cluster_id", kind="trace", what="object_id", start=pl.col("start").dt.to_string("%Y-%m-%d %H:%M"),
        posts="size", their_posts="n_nodes", depth="depth",
        began_it=pl.when("started").then(pl.lit("yes")).otherwise(pl.lit("no")),
        theirs=_percent("share"), below=_percent("share_below"), of_first_10=_percent("first_10_share"),
    )  # fmt: skip
    if not findings.audience.accounts:
        rows = rows.drop("what")
    said = (
        "A cascade is all posts of one thing, from the first to those that had it from others. Theirs, of first 10: "
        "the part of the posts after the first, and of the first ten of these, that the group's members made; below: "
        "the part that stands below one of theirs in the tree (in per cent). Where the log does not say from whom a "
        "post was had, the tree is a guess.",
    )
    told = paragraphs(said) + table(rows, "The cascades in which flagged groups posted most")
    return told + _trees(findings, touched)


def _trees(findings: Findings, touched: pl.DataFrame) -> str:
    """Draw the first of these cascades that fit a picture, flagged groups' posts in rings of their colours."""
    if not findings.audience.accounts:
        return ""  # a tree names those who were passed on most
    small = touched.filter(pl.col("size") <= _LARGEST)["cascade_id"].unique(maintain_order=True).head(_TREES)
    figures = {}
    for k, cascade_id in enumerate(small, 1):
        tree = read_tree(findings.study, find_cascade(findings.study, cascade_id))
        told = f"{tree.cascade['size']:,} posts of {tree.cascade['object_id']}"
        caption = (
            f"{told}: each dot is a post, joined to the one that it was had from, the first in the middle or on top; "
            "rings: posts of flagged groups, each in its colour on the map."
        )
        svg = tree_svg(tree, marks=tree_marks(findings.study, tree))
        figures[f"tree-{k}"] = Figure(svg, f"Tree of {told}", caption)
    return drawn(findings, figures)


def _percent(column: str) -> pl.Expr:
    return (pl.col(column) * 100).round(0)
