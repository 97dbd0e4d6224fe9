"""Rules about sites: what seeding, throwing away, imitating and copying look like, and the posts that show it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from propgraph.sites.copies import MIN_SHARED, MIN_STORIES
from propgraph.sites.matched import FEW_EARLY
from propgraph.sites.pairs import Q
from propgraph.words.said import Said, said

Row = Mapping[str, Any]

SEEDED, FEW_HANDS, ONE_OPERATOR = "seeded", "few-hands", "one-operator"
COPIES, PUSHED, THROW_AWAY, IMITATES = "copies", "pushed-into-groups", "throw-away", "imitates"

SHORTLY_S = 180 * 86_400.0
"""A site registered at most so long (s) before its first share was made for the occasion, or is young."""

ENOUGH_SHARES = 10
"""With fewer shares than this a site's life is short by itself."""

SILENT_S = 7 * 86_400.0
"""Without a share for less than this (s) a site is not thrown away: a log of some days cannot tell."""

FEW = pl.min_horizontal("few_half_seeders", pl.col("usual_half_seeders") / 4)
"""From so few accounts on, that make half of the first shares, they are few hands."""

_DAY_S = 86_400.0
_MOST_POSTS = 20


@dataclass(frozen=True)
class Rule:
    """One rule about sites, whole: expressions over the table that `judge._with_usual` makes.

    Attributes
    ----------
    name
        As in the column `flags`.
    weight
        What it adds to the score where it fires, 0..1.
    value, threshold, expected
        What was measured, what the rule asks for, and what sites that are not flagged, or chance, give.
    fires
        Whether it fires; null counts as no.
    said
        The reason, by a row of the table.
    shows
        Picks out of a site's links (with `early, seeder, is_maker, by_seeder, n_into, copied`) those that show it.
    is_conduct
        It is about what is done with the site. Without any of these the score is cut: a name or a date alone flags
        nobody.
    """

    name: str
    weight: pl.Expr
    value: pl.Expr
    threshold: pl.Expr
    expected: pl.Expr
    fires: pl.Expr
    said: Callable[[Row], Said]
    shows: Callable[[pl.DataFrame], pl.DataFrame]
    is_conduct: bool = True


def _early_seeded(links: pl.DataFrame) -> pl.DataFrame:
    return links.filter(pl.col("early") & pl.col("seeder"))


def _early_by_makers(links: pl.DataFrame) -> pl.DataFrame:
    return links.filter(pl.col("early") & pl.col("is_maker"))


def _early(links: pl.DataFrame) -> pl.DataFrame:
    return links.filter("early")


def _by_seeders_of_several(links: pl.DataFrame) -> pl.DataFrame:
    return links.filter("by_seeder")


def _into_several(links: pl.DataFrame) -> pl.DataFrame:
    return links.filter(pl.col("n_into") > 1)


def _of_copies(links: pl.DataFrame) -> pl.DataFrame:
    return links.filter("copied")


def _all(links: pl.DataFrame) -> pl.DataFrame:
    return links


def _of_other_sites(name: str) -> pl.Expr:
    return pl.col(f"usual_{name}")


def rules(min_score: float) -> tuple[Rule, ...]:
    """Return all rules, in the order in which flags are told; `min_score` is from where on (0..1) a site is seeded."""
    return (*_by_seeders(min_score), *_by_operators(), *_by_traits())


def _by_seeders(min_score: float) -> tuple[Rule, ...]:
    several = pl.col("n_urls") >= 2
    return (
        Rule(
            SEEDED, weight=pl.col("seeded"), value=pl.col("seeded"), threshold=pl.lit(min_score),
            expected=_of_other_sites("seeded"), fires=several & (pl.col("seeded") >= min_score),
            said=_said_seeded,
            shows=_early_seeded,
        ),
        Rule(
            FEW_HANDS, weight=pl.lit(0.55), value=pl.col("n_half_seeders").cast(pl.Float64), threshold=FEW,
            expected=pl.col("usual_half_seeders"),
            fires=several
            & (pl.col("n_early") >= FEW_EARLY)
            & (pl.col("n_half_seeders_pct") <= 0.01)
            & (pl.col("n_half_seeders") <= FEW),
            said=_said_few_hands,
            shows=_early_by_makers,
        ),
    )  # fmt: skip


def _by_operators() -> tuple[Rule, ...]:
    several = pl.col("n_urls") >= 2
    return (
        Rule(
            ONE_OPERATOR, weight=pl.lit(0.40), value=pl.col("operator_q"), threshold=pl.lit(Q),
            expected=pl.max_horizontal("expected", "expected_order"), fires=pl.col("operator_q").is_not_null(),
            said=_said_one_operator,
            shows=_by_seeders_of_several,
        ),
        Rule(
            PUSHED, weight=pl.lit(0.35), value=pl.col("groups_per_url"), threshold=_groups_asked(),
            expected=_of_other_sites("groups"),
            fires=(pl.col("groups_per_url") >= _groups_asked()) & (pl.col("n_fanning") >= 5)
            & (pl.col("n_fanners") >= 3) & several,
            said=_said_pushed,
            shows=_into_several,
        ),
    )  # fmt: skip


def _by_traits() -> tuple[Rule, ...]:
    several = pl.col("n_urls") >= 2
    # A register knows days: the first share may stand some hours before.
    young = pl.col("age_at_first_share_s").is_between(-_DAY_S, SHORTLY_S) | (
        pl.col("age_at_first_share_s").is_null() & (pl.col("since_start_s") >= pl.col("span_s") / 10)
    )
    # A site that is still shared near the end of the log may go on living, and so may one that rests for a weekend.
    ended = pl.col("to_end_s") >= pl.max_horizontal("life_s", pl.col("span_s") / 10, pl.lit(SILENT_S))
    return (
        Rule(
            COPIES, weight=pl.lit(0.40), value=pl.col("copied_share"), threshold=pl.lit(MIN_SHARED),
            expected=_of_other_sites("copied"),
            fires=(pl.col("copied_share") >= MIN_SHARED) & (pl.col("n_copied") >= MIN_STORIES)
            & (pl.col("copies_q") <= 0.05),
            said=_said_copies,
            shows=_of_copies,
        ),
        Rule(
            THROW_AWAY, weight=pl.lit(0.25), value=pl.col("life_s"), threshold=pl.col("short_life"),
            expected=pl.col("usual_life"),
            fires=young & ended & several & (pl.col("n_shares") >= ENOUGH_SHARES)
            # Where all live about equally long, or for a moment, nobody's life is short.
            & (pl.col("life_s") <= pl.min_horizontal("short_life", pl.col("usual_life") / 2))
            & (pl.col("usual_life") > 0),
            said=_said_throw_away,
            shows=_all, is_conduct=False,
        ),
        Rule(
            IMITATES, weight=pl.lit(0.25), value=pl.col("distance"),
            threshold=pl.when(pl.col("imitates_how") == "edit distance").then(2.0),
            expected=pl.lit(None, pl.Float64), fires=pl.col("imitates").is_not_null(),
            said=_said_imitates,
            shows=_early, is_conduct=False,
        ),
    )  # fmt: skip


def _groups_asked() -> pl.Expr:
    return pl.max_horizontal(pl.lit(2.0), _of_other_sites("groups") * 1.5)


def _said_seeded(row: Row) -> Said:
    # Never 100 %: some draw might have fewer.
    draws = min(math.floor(row["early_share_pct"] * 1000) / 1000, 0.999)
    return said(
        "rules.seeded", part=row["early_share"], n_urls=row["n_urls"], n=row["n_seeded"], n_early=row["n_early"],
        usual=_part(row["usual_early"]), draws=draws,
    )  # fmt: skip


def _said_few_hands(row: Row) -> Said:
    return said(
        "rules.few-hands", n_urls=row["n_urls"], n_early=row["n_early"], n=row["n_half_seeders"],
        usual=float(row["usual_half_seeders"]), part=_none_or_part(row["n_half_seeders_pct"]),
    )  # fmt: skip


def _said_one_operator(row: Row) -> Said:
    return said(
        "rules.one-operator", n_others=row["n_others"], group=row["operator_id"], n=row["n_first_sharers"],
        other=row["other"], expected=float(row["expected"]), in_any_order=float(row["expected_order"]),
    )  # fmt: skip


def _said_pushed(row: Row) -> Said:
    usual = row["usual_groups"]
    return said(
        "rules.pushed-into-groups", groups=float(row["groups_per_url"]), n=row["n_fanners"], n_groups=row["n_groups"],
        usual=said("rules.none-there") if usual is None else said("words.count-and-tenths", n=float(usual)),
    )  # fmt: skip


def _said_copies(row: Row) -> Said:
    return said(
        "rules.copies", n_articles=row["n_articles"], n=row["n_copied"], sources=(row["sources"] or [])[:3],
        lag=_in_time(row["median_copy_lag_s"]), n_later=row["n_later"], n_compared=row["n_compared"],
        usual=_part(row["usual_copied"]),
    )  # fmt: skip


def _said_throw_away(row: Row) -> Said:
    return said(
        "rules.throw-away", life=_in_time(row["life_s"]), rest=_in_time(row["to_end_s"]),
        usual=_in_time(row["usual_life"]), short=_in_time(row["short_life"]), young=_how_young(row),
    )  # fmt: skip


def _how_young(row: Row) -> Said:
    age = row["age_at_first_share_s"]
    if age is None:
        return said("rules.after-start", time=_in_time(row["since_start_s"]))
    return said("rules.registered-that-day" if age < 0 else "rules.registered-before", time=_in_time(age))


def _said_imitates(row: Row) -> Said:
    return said(
        "rules.imitates", site=row["imitates"], how=row["imitates_how"], usual=_part(row["usual_imitating"])
    )


def _part(part: float | None) -> Said:
    """Return a part of other sites, in words where there are none."""
    return said("rules.none-there") if part is None else said("words.part", part=part)


def _none_or_part(part: float) -> Said:
    return said("words.none") if round(part * 100) == 0 else said("words.part", part=part)


def _in_time(seconds: float) -> Said:
    """Return a time in hours, or days where it is longer than two."""
    in_days = seconds > 2 * _DAY_S
    return (
        said("words.days-and-tenths", n=seconds / _DAY_S)
        if in_days
        else said("words.hours", n=seconds / 3600)
    )


def posts_shown(rule: Rule, links: pl.DataFrame, /) -> pl.DataFrame:
    """Return `site`, `content_ids` that show a rule, at most 20, in the order of time, and of how many (`n_all`).

    Parameters
    ----------
    rule
        The rule.
    links
        The links of the sites for which it fires, as `shows` takes them.
    """
    posts = rule.shows(links).sort("timestamp", "content_id")
    return posts.group_by("site", maintain_order=True).agg(
        content_ids=pl.col("content_id").unique(maintain_order=True).head(_MOST_POSTS),
        n_all=pl.col("content_id").n_unique(),
    )
