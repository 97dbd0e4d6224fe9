"""From a site's figures to its score, its flags, the evidence for them, and the innocent readings that also fit."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from propgraph.schema import EVIDENCE, READINGS, SITES
from propgraph.sites.figures import DOUBT, SiteInputs, figures_of, in_order, makers_of_half, posts_in_groups
from propgraph.sites.imitation import imitations
from propgraph.sites.matched import early_percentiles, few_hands, matched_quantile
from propgraph.sites.readings import OWN_EXPLAINS, readings, with_readings
from propgraph.sites.rules import ENOUGH_SHARES, FEW, Rule, posts_shown, rules

# What is not about conduct weighs so much alone.
_DESCRIBES = 0.3
_HALVED = 0.5
# One share in so many, at either end of the log, does not say when it begins or ends.
_ASIDE = 100


@dataclass(frozen=True)
class JudgedSites:
    """The tables about sites, as in `schema`: the sites, the reasons for their flags, what else fits."""

    sites: pl.DataFrame
    evidence: pl.DataFrame
    readings: pl.DataFrame


def judge_sites(inputs: SiteInputs, /, *, min_score: float = 0.5, known: Collection[str] = ()) -> JudgedSites:
    """Judge every site: hold its figures against rules and against sites of like size.

    The score is 1 - product(1 - weight) over the rules that fire, where `seeded` weighs what part of the URLs' first
    ten shares flagged clusters made, smoothed: early / (all early + 2), also below `min_score`. An innocent reading
    halves the weights of the rules that it explains. Where no rule about conduct fires, a name and a date count three
    tenths of their weights, and nothing beside the seeding that there is. A site is flagged from `min_score` on if it
    has two URLs or more: one URL is no site's policy.

    Parameters
    ----------
    inputs
        What the figures are made from.
    min_score
        From which score on a site is flagged, 0..1.
    known
        Sites that the user calls well-known: names may imitate them.

    Returns
    -------
    JudgedSites
        Highest score first.
    """
    if inputs.links.is_empty():
        return JudgedSites(SITES.empty(), EVIDENCE.empty(), READINGS.empty())
    links = in_order(inputs)
    makers = makers_of_half(links)
    table = figures_of(inputs, links, makers)
    for part in (early_percentiles(links), few_hands(table, makers), imitations(table, known)):
        table = table.join(part, on="site", how="left", maintain_order="left")
    found = rules(min_score)
    table = _with_usual(table, min_score, extent=_extent(links)).with_columns(
        rule.fires.fill_null(False).alias(f"fires {rule.name}") for rule in found
    )
    # Whose accounts push a site is asked of the few sites where it matters.
    asked = table.filter(_fires_any(OWN_EXPLAINS)).select("site")
    table = with_readings(table, inputs, links, makers.join(asked, on="site", how="semi"))
    table = _scored(table, found, min_score)
    fired = table.filter(pl.col("flags").list.len() > 0)
    shown = _marked(links, fired, makers, inputs)
    evidence = pl.concat([_evidence(rule, fired, shown) for rule in found])
    order = {site: k for k, site in enumerate(table["site"])}
    place = pl.col("subject_id").replace_strict(order, return_dtype=pl.UInt32)
    return JudgedSites(
        SITES.conform(table.select(*SITES.columns)),
        EVIDENCE.conform(evidence.sort(place, maintain_order=True)),
        READINGS.conform(_fits(fired).sort(place, maintain_order=True)),
    )


def _extent(links: pl.DataFrame) -> tuple[datetime, datetime]:
    """Return when a log begins and ends, a hundredth of the shares at either end aside.

    One post with a wrong date would make the log decades long, so that no site has ended, and all come late.
    """
    times = links["timestamp"].sort()
    k = len(times) // _ASIDE
    return times[k], times[-1 - k]


def _with_usual(table: pl.DataFrame, min_score: float, *, extent: tuple[datetime, datetime]) -> pl.DataFrame:
    """Add what is usual for sites of like size that neither flagged clusters nor few hands push.

    `extent` is when the log begins and ends.
    """
    others = ~(
        (pl.col("seeded") >= min_score)
        | (pl.col("n_half_seeders") <= FEW).fill_null(False)
        | pl.col("operator_q").is_not_null()
    )
    start, end = (pl.lit(moment) for moment in extent)
    seconds = {
        "since_start_s": pl.col("first_seen") - start,
        "to_end_s": end - pl.col("last_seen"),
        "span_s": end - start,
    }
    of_others = table.filter(others)
    table = table.with_columns(
        **{name: length.dt.total_milliseconds() / 1000 for name, length in seconds.items()},
        usual_seeded=_ratio(of_others.with_columns(pl.col("n_early") + DOUBT), "n_seeded", "n_early"),
        usual_early=_ratio(of_others, "n_seeded", "n_early"),
        usual_groups=pl.lit(of_others.select(pl.col("groups_per_url").median()).item(), pl.Float64),
        usual_copied=_ratio(of_others, "n_copied", "n_articles"),
        usual_imitating=_of_the_rest(pl.col("imitates").is_not_null() & others, others),
    )
    lasting = others & (pl.col("n_urls") >= 2) & (pl.col("n_shares") >= ENOUGH_SHARES)
    return table.with_columns(
        matched_quantile(table, "life_s", size="n_shares", among=lasting, q=0.1).alias("short_life"),
        matched_quantile(table, "life_s", size="n_shares", among=lasting, q=0.5).alias("usual_life"),
    )


def _ratio(others: pl.DataFrame, part: str, whole: str) -> pl.Expr:
    """Return the sum of one column over the sum of another; null where that is 0."""
    of = others.select(pl.when(pl.col(whole).sum() > 0).then(pl.col(part).sum() / pl.col(whole).sum()))
    return pl.lit(of.item(), pl.Float64)


def _of_the_rest(those: pl.Expr, among: pl.Expr) -> pl.Expr:
    """Return for each site what part of the others `among` are `those`; null where there are none."""
    n, k = among.sum() - among.cast(pl.Int64), those.sum() - those.cast(pl.Int64)
    return pl.when(n > 0).then(k / n)


def _scored(table: pl.DataFrame, found: tuple[Rule, ...], min_score: float) -> pl.DataFrame:
    """Add `flags`, `score` and `flagged`, highest score first."""
    table = table.with_columns(
        (one.fits.fill_null(False) & _fires_any(one.explains)).alias(f"fits {one.name}") for one in readings()
    )
    several = pl.col("n_urls") >= 2
    seeded, *others = found
    conduct, left, left_of_traits = pl.col(f"fires {seeded.name}"), 1.0 - seeded.weight, pl.lit(1.0)
    for rule in others:
        weight = rule.weight
        for one in readings():
            if rule.name in one.explains:
                weight = weight * pl.when(f"fits {one.name}").then(_HALVED).otherwise(1.0)
        remains = pl.when(f"fires {rule.name}").then(1.0 - weight).otherwise(1.0)
        left = left * remains
        if rule.is_conduct:
            conduct = conduct | pl.col(f"fires {rule.name}")
        else:
            left_of_traits = left_of_traits * remains
    alone = pl.max_horizontal(seeded.weight, _DESCRIBES * (1.0 - left_of_traits))
    score = pl.when(conduct).then(1.0 - left).otherwise(alone)
    names = [pl.when(f"fires {rule.name}").then(pl.lit(rule.name)) for rule in found]
    return (
        table.with_columns(score=score, flags=pl.concat_list(names).list.drop_nulls())
        .with_columns(flagged=(pl.col("score") >= min_score) & several)
        .sort(["score", "n_seeded", "n_shares", "site"], descending=[True, True, True, False])
    )


def _fires_any(names: tuple[str, ...]) -> pl.Expr:
    """Return whether one of these rules fires; True of no rules."""
    return pl.any_horizontal(f"fires {name}" for name in names) if names else pl.lit(True)


def _marked(
    links: pl.DataFrame, fired: pl.DataFrame, makers: pl.DataFrame, inputs: SiteInputs
) -> pl.DataFrame:
    """Return the links of sites for which a rule fires, with what picks those that show it."""
    of_sites = links.join(fired.select("site"), on="site", how="semi")
    into = (
        posts_in_groups(inputs, of_sites)
        .drop_nulls("target_id")
        .group_by("site", "url", "account_id")
        .agg(n_into=pl.col("target_id").n_unique())
    )
    whose = makers.select("site", "account_id", is_maker=pl.lit(True))
    seeders = inputs.seeders if inputs.seeders is not None else makers.select("site", "account_id").clear()
    return (
        of_sites.join(whose, on=["site", "account_id"], how="left")
        .join(seeders.unique().with_columns(by_seeder=pl.lit(True)), on=["site", "account_id"], how="left")
        .join(into, on=["site", "url", "account_id"], how="left")
        .with_columns(pl.col("is_maker", "by_seeder").fill_null(False), pl.col("n_into").fill_null(0))
    )


def _evidence(rule: Rule, fired: pl.DataFrame, links: pl.DataFrame) -> pl.DataFrame:
    mine = fired.filter(f"fires {rule.name}")
    shown = posts_shown(rule, links.join(mine.select("site"), on="site", how="semi"))
    told = [rule.said(row).as_columns() for row in mine.to_dicts()]
    rows = (
        mine.join(shown, on="site", how="left", maintain_order="left")
        .select(
            subject_type=pl.lit("site"),
            subject_id="site",
            rule=pl.lit(rule.name),
            value=rule.value,
            threshold=rule.threshold,
            expected=rule.expected,
            content_ids=pl.col("content_ids").fill_null([]),
            n_all=pl.col("n_all").fill_null(0),
        )
        .with_columns(pl.DataFrame(told, schema={"sentence": pl.String, "said": pl.String}))
    )
    return EVIDENCE.conform(rows)


def _fits(fired: pl.DataFrame) -> pl.DataFrame:
    """Return a row for each reading that fits a site for which a rule fires."""
    parts = []
    for one in readings():
        mine = fired.filter(f"fits {one.name}")
        told = [
            one.said_for(row).as_columns("speaks_for", "said_for")
            | one.said_against.as_columns("speaks_against", "said_against")
            for row in mine.to_dicts()
        ]
        rows = mine.select(
            subject_type=pl.lit("site"), subject_id="site", reading=pl.lit(one.name), value=one.value,
            threshold=one.threshold,
        )  # fmt: skip
        parts.append(rows.with_columns(pl.DataFrame(told, schema=dict.fromkeys(_TOLD, pl.String))))
    return pl.concat([READINGS.conform(part) for part in parts])


_TOLD = ("speaks_for", "said_for", "speaks_against", "said_against")
