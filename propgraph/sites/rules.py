"""Rules about sites: what seeding, throwing away, imitating and copying look like, and the posts that show it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from propgraph.sites.copies import MIN_SHARED, MIN_STORIES
from propgraph.sites.matched import FEW_EARLY
from propgraph.sites.pairs import Q

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
    sentence
        The reason in words.
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
    sentence: pl.Expr
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


def percent(value: pl.Expr, /, *, none: str = "none are there") -> pl.Expr:
    """Return a share of 0..1 in whole per cent, in words where there is none."""
    return pl.format("{}%", (value * 100).round(0).cast(pl.Int64)).fill_null(none)


def short_p(p: pl.Expr, /) -> pl.Expr:
    """Return a probability in words: three digits after the point, or the power of ten that it is at most."""
    power = p.clip(lower_bound=1e-300).log10().ceil().cast(pl.Int64)
    return pl.when(p >= 0.001).then(pl.format("{}", p.round(3))).otherwise(pl.format("<= 1e{}", power))


def in_time(seconds: pl.Expr, /) -> pl.Expr:
    """Return a time in hours, or days where it is longer than two."""
    days, hours = (seconds / _DAY_S).round(1), (seconds / 3600).round(1)
    return (
        pl.when(seconds > 2 * _DAY_S).then(pl.format("{} days", days)).otherwise(pl.format("{} hours", hours))
    )


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
            sentence=pl.format(
                "flagged clusters made {} of the first ten shares in this log of its {} URLs ({} of {}); of sites that "
                "are not seeded {}; as many URLs of like size, drawn from all sites, have fewer in {} of draws",
                percent(pl.col("early_share")), "n_urls", "n_seeded", "n_early", percent(_of_other_sites("early")),
                _least_percent(pl.col("early_share_pct")),
            ),
            shows=_early_seeded,
        ),
        Rule(
            FEW_HANDS, weight=pl.lit(0.55), value=pl.col("n_half_seeders").cast(pl.Float64), threshold=FEW,
            expected=pl.col("usual_half_seeders"),
            fires=several
            & (pl.col("n_early") >= FEW_EARLY)
            & (pl.col("n_half_seeders_pct") <= 0.01)
            & (pl.col("n_half_seeders") <= FEW),
            sentence=pl.format(
                "half of the first ten shares in this log of its {} URLs ({} in all) were made by {}, where sites with "
                "as many first shares have {}; {} of them have as few",
                "n_urls", "n_early", _accounts("n_half_seeders"), pl.col("usual_half_seeders").round(0).cast(pl.Int64),
                percent(pl.col("n_half_seeders_pct")).replace("0%", "none"),
            ),
            shows=_early_by_makers,
        ),
    )  # fmt: skip


def _by_operators() -> tuple[Rule, ...]:
    several = pl.col("n_urls") >= 2
    return (
        Rule(
            ONE_OPERATOR, weight=pl.lit(0.40), value=pl.col("operator_q"), threshold=pl.lit(Q),
            expected=pl.max_horizontal("expected", "expected_order"), fires=pl.col("operator_q").is_not_null(),
            sentence=pl.format(
                "the accounts that share its URLs first share those of {} other sites of group {} first, too: {} "
                "accounts are among the first of both it and {}, where activity and popularity give {}, and readers of "
                "both in any order {} (false discovery rate {})", "n_others", "operator_id", "n_first_sharers",
                "other", pl.col("expected").round(1), pl.col("expected_order").round(1), short_p(pl.col("operator_q")),
            ),
            shows=_by_seeders_of_several,
        ),
        Rule(
            PUSHED, weight=pl.lit(0.35), value=pl.col("groups_per_url"), threshold=_groups_asked(),
            expected=_of_other_sites("groups"),
            fires=(pl.col("groups_per_url") >= _groups_asked()) & (pl.col("n_fanning") >= 5)
            & (pl.col("n_fanners") >= 3) & several,
            sentence=pl.format(
                "an account that posts one of its links into groups posts it into {} on average ({} accounts into "
                "several, {} groups in all), where for sites that are not flagged it is {}",
                pl.col("groups_per_url").round(1), "n_fanners", "n_groups", _of_other_sites("groups").round(1),
            ),
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
            sentence=pl.format(
                "of its {} articles {} stood on another site before, nearly word for word and without credit ({}; "
                "half of them for {} or longer); held against one other site of each story it was later in {} of {} "
                "(false discovery rate {}); of sites that are not flagged {} stood elsewhere before",
                "n_articles", "n_copied", pl.col("sources").list.head(3).list.join(", "),
                in_time(pl.col("median_copy_lag_s")), "n_later", "n_compared", short_p(pl.col("copies_q")),
                percent(_of_other_sites("copied")),
            ),
            shows=_of_copies,
        ),
        Rule(
            THROW_AWAY, weight=pl.lit(0.25), value=pl.col("life_s"), threshold=pl.col("short_life"),
            expected=pl.col("usual_life"),
            fires=young & ended & several & (pl.col("n_shares") >= ENOUGH_SHARES)
            # Where all live about equally long, or for a moment, nobody's life is short.
            & (pl.col("life_s") <= pl.min_horizontal("short_life", pl.col("usual_life") / 2))
            & (pl.col("usual_life") > 0),
            sentence=pl.format(
                "it was shared for {} and then no more for the {} that the log goes on, where sites with as many "
                "shares that are not flagged are for {} (a tenth of them: {} or less); {}",
                in_time(pl.col("life_s")), in_time(pl.col("to_end_s")), in_time(pl.col("usual_life")),
                in_time(pl.col("short_life")), _how_young(),
            ),
            shows=_all, is_conduct=False,
        ),
        Rule(
            IMITATES, weight=pl.lit(0.25), value=pl.col("distance"),
            threshold=pl.when(pl.col("imitates_how") == "edit distance").then(2.0),
            expected=pl.lit(None, pl.Float64), fires=pl.col("imitates").is_not_null(),
            sentence=pl.format(
                "its name looks like that of {}: {}; of the other sites that are not flagged {} look like some "
                "well-known one", "imitates", "imitates_how", percent(_of_other_sites("imitating")),
            ),
            shows=_early, is_conduct=False,
        ),
    )  # fmt: skip


def _groups_asked() -> pl.Expr:
    return pl.max_horizontal(pl.lit(2.0), _of_other_sites("groups") * 1.5)


def _accounts(name: str) -> pl.Expr:
    n = pl.col(name)
    return pl.when(n == 1).then(pl.lit("1 account")).otherwise(pl.format("{} accounts", n))


def _least_percent(value: pl.Expr) -> pl.Expr:
    """Return a share near 1 in per cent: never 100 %."""
    shown = pl.min_horizontal((value * 1000).floor() / 10, pl.lit(99.9))
    return pl.format("{}%", shown)


def _how_young() -> pl.Expr:
    age = pl.col("age_at_first_share_s")
    return (
        pl.when(age.is_not_null())
        .then(
            pl.when(age < 0)
            .then(pl.lit("it was registered on the day of its first share or the next"))
            .otherwise(pl.format("it was registered {} before its first share", in_time(age)))
        )
        .otherwise(
            pl.format("its first share comes {} after the log begins", in_time(pl.col("since_start_s")))
        )
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
