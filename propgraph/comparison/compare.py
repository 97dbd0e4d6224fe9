"""What became of the clusters, campaigns and flagged sites of one study in another."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from propgraph.comparison.links import GROWTH, Link, changes, link
from propgraph.comparison.returned import Behaviour, Likeness, returned
from propgraph.comparison.side import Side, check_same_names, side_of
from propgraph.errors import check_seed
from propgraph.schema import COMPARISON
from propgraph.study import Study

Row = dict[str, Any]
Groups = Mapping[str, frozenset[str]]


def compare(before: Study | str | Path, after: Study | str | Path, /, *, seed: int = 0) -> pl.DataFrame:
    """Return what became of the clusters of a study in another: of a later log, of a longer one, or by other options.

    A cluster goes on as another that has half of the smaller one's members in common, more than chance gives. Where
    none does, one of the two is flagged, and other accounts do what its own did (the same sites, links, hashtags,
    texts, groups, tracking tokens, the same hours), it is said to have returned under other names: against draws of as
    many other accounts that are as active and share what these share most.

    Parameters
    ----------
    before, after
        The studies, open or by their paths, with their clusters.
    seed
        Of the draws.

    Returns
    -------
    pl.DataFrame
        `schema.COMPARISON`: the flagged first, then by score.

    Raises
    ------
    InputError
        When the accounts of the two have pseudonyms by different keys.
    StudyError
        When there is no study, or it has no clusters.
    UsageError
        When the seed is out of its range.

    Examples
    --------
    >>> import polars as pl
    >>> import propgraph as pg
    >>> log = pg.simulate_veles(n_accounts=300, n_days=6, n_sites=5, n_seeders=50, strength=3).log
    >>> day = pl.col("timestamp").dt.date().rank("dense")
    >>> first = pg.find_clusters(pg.build(log.filter(day <= 3), "first"))
    >>> second = pg.find_clusters(pg.build(log.filter(day > 3), "second"))
    >>> found = pg.compare(first, second).filter("before_flagged", subject_type="cluster")
    >>> found.select("change", "n_before", "n_after", "n_both").row(0)
    ('stayed', 25, 21, 21)
    """
    check_seed(seed)
    sides = side_of(before), side_of(after)
    check_same_names(*(side.study for side in sides))
    clusters = _of_clusters(*sides, seed=seed)
    rows = clusters + _of_campaigns(*sides, clusters) + _of_sites(*sides)
    table = COMPARISON.conform(pl.DataFrame(rows, schema=COMPARISON.dtypes))
    kind = pl.col("subject_type").replace_strict({"cluster": 0, "campaign": 1, "site": 2})
    flagged = pl.any_horizontal(
        pl.col("before_flagged").fill_null(False), pl.col("after_flagged").fill_null(False)
    )
    score = pl.max_horizontal("before_score", "after_score")
    return table.sort(
        kind,
        flagged,
        score,
        "before_id",
        "after_id",
        descending=[False, True, True, False, False],
        nulls_last=True,
    )


def _of_clusters(before: Side, after: Side, *, seed: int) -> list[Row]:
    groups = before.of("cluster"), after.of("cluster")
    links = _links(before, after, *groups)
    flagged = [set(side.clusters.filter("flagged", subject_type="cluster")["id"]) for side in (before, after)]
    gone = [name for name in groups[0] if name not in {one.before for one in links}]
    new = [name for name in groups[1] if name not in {one.after for one in links}]
    pairs = [(one, other) for one in gone for other in new if one in flagged[0] or other in flagged[1]]
    found: dict[tuple[str, str], Likeness] = {}
    if pairs:
        taken = frozenset().union(*(groups[1][name] for name in flagged[1]))
        found = returned(Behaviour(before, after, seed=seed), *groups, pairs=pairs, taken=taken)
    rows = _rows("cluster", before, after, links, also=list(found))
    for row in rows:
        likeness = found.get((row["before_id"], row["after_id"]))
        if likeness is not None:
            row |= {
                "change": "returned", "object_similarity": likeness.objects, "rhythm_similarity": likeness.rhythm,
                "expected_similarity": likeness.expected, "z": likeness.z, "p_value": likeness.p_value,
            }  # fmt: skip
    return rows


def _of_campaigns(before: Side, after: Side, clusters: list[Row]) -> list[Row]:
    """Return rows of campaigns; one has returned as another if a cluster of it has as a cluster of the other."""
    links = _links(before, after, before.of("campaign"), after.of("campaign"))
    linked = {one.before for one in links}, {one.after for one in links}
    of = [dict(side.study.campaigns.select("cluster_ids", "campaign_id").explode("cluster_ids").iter_rows())
          for side in (before, after)]  # fmt: skip
    pairs = [
        (of[0].get(row["before_id"]), of[1].get(row["after_id"]))
        for row in clusters
        if row["change"] == "returned"
    ]
    also = [(one, other) for one, other in dict.fromkeys(pairs)
            if one and other and one not in linked[0] and other not in linked[1]]  # fmt: skip
    rows = _rows("campaign", before, after, links, also=also)
    return [
        row | {"change": "returned"} if (row["before_id"], row["after_id"]) in also else row for row in rows
    ]


def _links(before: Side, after: Side, one: Groups, other: Groups) -> list[Link]:
    everyone = pl.concat([before.accounts["account_id"], after.accounts["account_id"]]).n_unique()
    return link(one, other, n_accounts=everyone)


def _rows(
    subject_type: str, before: Side, after: Side, links: list[Link], *, also: list[tuple[str, str]]
) -> list[Row]:
    """Return a row for each link, for each pair that is linked otherwise, and for whatever is left on either side."""
    groups = before.of(subject_type), after.of(subject_type)
    by_pair = {(one.before, one.after): one for one in links}
    told = dict(zip(by_pair, changes(links), strict=True))
    pairs: list[tuple[str | None, str | None]] = [*by_pair, *also]
    pairs += [(name, None) for name in groups[0] if name not in {one for one, _ in pairs}]
    pairs += [(None, name) for name in groups[1] if name not in {other for _, other in pairs}]
    facts = [{row["id"]: row for row in _facts(side, subject_type)} for side in (before, after)]
    known = set(before.accounts["account_id"])
    silent = _silent(before, after)
    rows = []
    for one, other in pairs:
        mine = groups[0].get(one, frozenset()) if one else frozenset()
        others = groups[1].get(other, frozenset()) if other else frozenset()
        linked = by_pair.get((one, other))  # type: ignore[arg-type]
        rows.append({
            "subject_type": subject_type,
            "change": told.get((one, other)) or ("new" if one is None else "vanished"),  # type: ignore[arg-type]
            "before_id": one, "after_id": other,
            "before_flagged": facts[0][one]["flagged"] if one else None,
            "after_flagged": facts[1][other]["flagged"] if other else None,
            "before_score": facts[0][one]["score"] if one else None,
            "after_score": facts[1][other]["score"] if other else None,
            "n_before": len(mine) if one else None, "n_after": len(others) if other else None,
            "n_both": len(mine & others) if one and other else None,
            "n_silent": len(mine & silent) if one and silent is not None else None,
            "n_arrived": len(others - known) if other else None,
            "member_similarity": len(mine & others) / len(mine | others) if one and other else None,
            "p_value": None if linked is None else linked.p_value,
        })  # fmt: skip
    return rows


def _facts(side: Side, subject_type: str) -> list[Row]:
    return side.clusters.filter(subject_type=subject_type).to_dicts()


def _silent(before: Side, after: Side) -> frozenset[str] | None:
    """Return the accounts before that have not posted since; None where the log after ends no later."""
    if before.end is None or after.end is None or after.end <= before.end:
        return None
    since = after.accounts.filter(pl.col("last_seen") > before.end)["account_id"]
    return frozenset(before.accounts["account_id"]) - frozenset(since)


def _of_sites(before: Side, after: Side) -> list[Row]:
    columns = {"score": "score", "flagged": "flagged", "n_accounts": "n"}
    tables = [
        side.study.sites.select(
            "site", *(pl.col(name).alias(f"{when}_{new}") for name, new in columns.items())
        )
        for side, when in ((before, "before"), (after, "after"))
    ]
    both = tables[0].join(tables[1], on="site", how="full", coalesce=True, maintain_order="left_right")
    flagged = both.filter(
        pl.col("before_flagged").fill_null(False) | pl.col("after_flagged").fill_null(False)
    )
    there = [pl.col("before_n").is_not_null(), pl.col("after_n").is_not_null()]
    return flagged.select(
        pl.lit("site").alias("subject_type"),
        pl.when(~there[0]).then(pl.lit("new")).when(~there[1]).then(pl.lit("vanished"))
        .when(pl.col("after_n") >= (1 + GROWTH) * pl.col("before_n")).then(pl.lit("grew"))
        .when(pl.col("after_n") <= (1 - GROWTH) * pl.col("before_n")).then(pl.lit("shrank"))
        .otherwise(pl.lit("stayed")).alias("change"),
        pl.when(there[0]).then("site").alias("before_id"), pl.when(there[1]).then("site").alias("after_id"),
        "before_flagged", "after_flagged", "before_score", "after_score", n_before="before_n", n_after="after_n",
    ).to_dicts()  # fmt: skip
