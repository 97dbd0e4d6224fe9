"""What `propgraph clusters` prints of money: who paid to boost what."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from propgraph.study import Study


def show_boosts(study: Study, *, top: int) -> None:
    """Print how much was boosted and by whom, and those boosts that flagged clusters shared most; nothing without any."""
    import polars as pl

    from propgraph.cli.output import say
    from propgraph.report.boosts import boost_sentence, boosts_headline
    from propgraph.words.said import tell

    if "boosts" not in study.tables or (boosts := study.boosts).is_empty():
        return
    say()
    say(boosts_headline(boosts.to_dicts()), bold=True)
    spread = pl.col("n_before").fill_null(0) + pl.col("n_after").fill_null(0)
    # Those of others come first, and of these what flagged clusters shared.
    order = boosts.with_columns(n=spread, crews=pl.col("cluster_ids").list.len()).sort(
        ["own", "crews", "n", "site", "object_id", "ad_id"],
        descending=[False, True, True, False, False, False],
    )
    for row in order.head(top).to_dicts():
        say(boost_sentence(row), indent=2)
    if boosts.height > top:
        say(tell("screen.more-in", n=boosts.height - top, table="boosts"), indent=2)
