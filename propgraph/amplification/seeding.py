"""How much of each cascade's beginning flagged clusters made."""

from __future__ import annotations

import polars as pl

from propgraph.study import Study

FIRST = 10  # posts below the root that count as seeding


def seeded(study: Study, /) -> pl.DataFrame | None:
    """Return how much of each cascade's beginning members of flagged clusters made.

    Parameters
    ----------
    study
        The study.

    Returns
    -------
    pl.DataFrame or None
        `cascade_id`, `seeded` (0..1, of the first ten posts below the root), of cascades where it is above 0;
        None when the study has no clusters yet.
    """
    if not {"clusters", "members"} <= set(study.tables):
        return None
    flagged = study.scan("clusters").filter("flagged").select("cluster_id")
    if "amplification" in study.tables:
        share = study.scan("amplification").join(flagged, on="cluster_id", how="semi")
        made = share.group_by("cascade_id").agg(seeded=pl.col("first_10_share").sum().clip(0, 1))
    else:
        members = (
            study.scan("members").join(flagged, on="cluster_id", how="semi").select("account_id").unique()
        )
        new = pl.col("cascade_id") != pl.col("cascade_id").shift(1).fill_null("")
        first = (
            study.scan("cascade_nodes")
            .select("cascade_id", "account_id", "parent_source")
            .filter(pl.col("parent_source") != "root")
            .with_row_index("row")
            .with_columns(pl.col("row").cast(pl.Int64))
            .with_columns(place=pl.col("row") - pl.when(new).then("row").forward_fill())
            .filter(pl.col("place") < FIRST)
            .join(members.with_columns(member=pl.lit(True)), on="account_id", how="left")
        )
        made = first.group_by("cascade_id").agg(seeded=pl.col("member").fill_null(False).mean())
    return made.filter(pl.col("seeded") > 0).sort("cascade_id").collect()
