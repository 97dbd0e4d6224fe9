"""The flag `one-operator`: a site that the same accounts share first as two others or more, and nobody says why."""

from __future__ import annotations

import polars as pl

from propgraph.schema import EVIDENCE, SITES
from propgraph.sites.operators import MIN_SITES
from propgraph.sites.pairs import Q

ONE_OPERATOR = "one-operator"
_SHOWN = 20


def with_operators(
    sites: pl.DataFrame,
    evidence: pl.DataFrame,
    /,
    *,
    pairs: pl.DataFrame,
    operators: pl.DataFrame,
    links: pl.DataFrame,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the `sites` table with each site's operator and the flag `one-operator`, and the evidence with its rows.

    Flagged is a site of an operator of which the same accounts share three sites or more first, beyond activity,
    popularity and a common audience. A shared fact alone does not flag (a registrar's customer may be a publisher in
    the open), nor does a chain whose owner the user's tables name.

    Parameters
    ----------
    sites, evidence
        `schema.SITES` and `schema.EVIDENCE`, without it.
    pairs, operators
        `schema.SITE_PAIRS`, `schema.OPERATORS`.
    links
        All links: `site, url, account_id, content_id, timestamp`.
    """
    of_site = operators.select("operator_id", site="sites").explode("site")
    sites = sites.drop("operator_id", strict=False).join(
        of_site, on="site", how="left", maintain_order="left"
    )
    rows = _reasons(pairs, operators)
    is_one = pl.col("site").is_in(rows["subject_id"].implode())
    flags = pl.when(is_one).then(pl.concat_list("flags", pl.lit([ONE_OPERATOR]))).otherwise("flags")
    sites = SITES.conform(sites.with_columns(flags=flags).select(*SITES.columns))
    if rows.is_empty():
        return sites, evidence
    ordered = sites.select(subject_id="site").join(rows, on="subject_id", maintain_order="left")
    shown = ordered.join(
        _posts(links, of_site, operators), on="subject_id", how="left", maintain_order="left"
    )
    return sites, pl.concat([evidence, EVIDENCE.conform(shown.with_columns(subject_type=pl.lit("site")))])


def _reasons(pairs: pl.DataFrame, operators: pl.DataFrame) -> pl.DataFrame:
    """Return a row of evidence for each site that is flagged: its surest pair."""
    undeclared = operators.filter(pl.col("declared_owner").is_null())["operator_id"]
    sure = pairs.filter((pl.col("q_value") <= Q) & pl.col("operator_id").is_in(undeclared.implode()))
    both = pl.concat(
        [
            sure.select(pl.all(), site=end, other=other)
            for end, other in (("source", "target"), ("target", "source"))
        ]
    )
    both = both.filter(pl.col("site").n_unique().over("operator_id") >= MIN_SITES)
    best = (
        both.with_columns(n_others=pl.len().over("site"))
        .sort("site", "p_value", "other")
        .unique("site", keep="first", maintain_order=True)
    )
    return best.select(
        subject_id="site",
        rule=pl.lit(ONE_OPERATOR),
        value="q_value",
        threshold=pl.lit(Q),
        expected=pl.max_horizontal("expected", "expected_order"),
        sentence=pl.format(
            "the accounts that share its URLs first share those of {} other sites of group {} first, too: {} accounts "
            "are among the first of both it and {}, where activity and popularity give {}, and readers of both in any "
            "order {} (false discovery rate {})",
            "n_others", "operator_id", "n_first_sharers", "other", pl.col("expected").round(1),
            pl.col("expected_order").round(1), _short("q_value"),
        ),
    )  # fmt: skip


def _short(name: str) -> pl.Expr:
    """Return a probability in words: three digits after the point, or the power of ten that it is at most."""
    power = pl.col(name).clip(lower_bound=1e-300).log10().ceil().cast(pl.Int64)
    return pl.when(pl.col(name) >= 0.001).then(pl.format("{}", pl.col(name).round(3))).otherwise(
        pl.format("<= 1e{}", power)
    )  # fmt: skip


def _posts(links: pl.DataFrame, of_site: pl.DataFrame, operators: pl.DataFrame) -> pl.DataFrame:
    """Return of each site the earliest posts by its operator's seeders."""
    seeders = operators.select("operator_id", account_id="seeders").explode("account_id")
    posts = (
        links.lazy()
        .join(of_site.lazy(), on="site")
        .join(seeders.lazy(), on=["operator_id", "account_id"])
        .select("timestamp", "content_id", subject_id="site")
        .unique()
        .sort("subject_id", "timestamp", "content_id")
        .collect()
    )
    return posts.group_by("subject_id", maintain_order=True).agg(
        content_ids=pl.col("content_id").unique(maintain_order=True).head(_SHOWN)
    )
