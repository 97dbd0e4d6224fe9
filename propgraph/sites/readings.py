"""Innocent readings of sites: which explanations without any campaign also fit, and what speaks for and against each.

That a reading fits does not make it true, and that none fits proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from propgraph.sites.facts import owners_of
from propgraph.sites.figures import SiteInputs, posts_in_groups
from propgraph.sites.imitation import has_paper_word
from propgraph.sites.rules import COPIES, FEW_HANDS, IMITATES, ONE_OPERATOR, PUSHED, SHORTLY_S, Row
from propgraph.words.said import Said, said

OWN_OUTLET, CHAIN, NEW_OUTLET = "own-outlet", "chain", "new-outlet"
LOCAL_PAPER, PARODY = "local-paper", "parody"
BY_NAME = "its name says so"
"""Of a parody that no table calls one."""

#: What an outlet's own accounts explain.
OWN_EXPLAINS = (FEW_HANDS, PUSHED)

_OWN = 0.5  # such a part of the first shares is by accounts called as the site, or that post mostly it
# Of an account's links so many lead to a site whose own it is; where it pushes no other site so, the smaller part.
_MOSTLY, _MUCH = 0.5, 0.3
_OFTEN = 5  # with fewer links an account is nobody's own by what it links
_ONCE = 3.0  # an outlet posts a story so many times at most on its page, and in each of its groups
_SOME_GROUPS = 10  # an outlet, or a club, has no more
_NAME = 4  # a shorter name stands in others by chance
_OLD_S = 3 * 365 * 86_400.0
_SAYS_PARODY = r"(?i)\b(parod|satir|humou?r|spoof)"
_SAYS_LOCAL = r"(?i)\b(local|newspaper|paper|regional|town|lokal|zeitung|journal)"


@dataclass(frozen=True)
class Reading:
    """One innocent reading of sites: expressions over the table that the rules see, with `flags`.

    Attributes
    ----------
    name
        As in the table `readings`.
    explains
        Rules that it accounts for: it halves what they weigh. Never `seeded`, for clusters were weighed before.
    fits
        Whether it fits a site for which a rule fires; where it explains some rules, for which one of these does.
    value, threshold
        What was measured, and from where on it fits.
    said_for, said_against
        What speaks for it, by a row of the table, and against it.
    """

    name: str
    explains: tuple[str, ...]
    fits: pl.Expr
    value: pl.Expr
    threshold: pl.Expr
    said_for: Callable[[Row], Said]
    said_against: Said


def readings() -> tuple[Reading, ...]:
    """Return all readings, the most telling first.

    `own-outlet`: half or more of the first shares are by accounts that are called as the site is, or that link above
    all to it and post a story at most three times on their page and in each of ten groups or fewer. `chain`: the user's
    facts name one owner of several of the sites. `parody`: the user's facts, or the name itself, call it one.
    `local-paper`: a newspaper's word in its name is true by the user's facts, or the site is three years old or more.
    `new-outlet`: it is young, and still shared when the log ends.
    """
    n = pl.col("own_share")
    still = pl.col("to_end_s") < pl.col("span_s") / 10
    return (
        Reading(
            OWN_OUTLET, explains=OWN_EXPLAINS, fits=n >= _OWN, value=n, threshold=pl.lit(_OWN),
            said_for=lambda row: said("why.own-outlet", part=row["own_share"], called=row["named_share"]),
            said_against=said("but.own-outlet"),
        ),
        Reading(
            CHAIN, explains=(ONE_OPERATOR, COPIES, FEW_HANDS), fits=pl.col("owned_sites") >= 2,
            value=pl.col("owned_sites").cast(pl.Float64), threshold=pl.lit(2.0),
            said_for=lambda row: said("why.chain", n=row["owned_sites"], owner=row["owner"]),
            said_against=said("but.chain"),
        ),
        Reading(
            PARODY, explains=(IMITATES,), fits=pl.col("says_parody").is_not_null(), value=pl.lit(1.0),
            threshold=pl.lit(1.0),
            said_for=lambda row: (
                said("why.parody-by-name")
                if row["says_parody"] == BY_NAME
                else said("why.parody", label=row["says_parody"])
            ),
            said_against=said("but.parody"),
        ),
        Reading(
            LOCAL_PAPER, explains=(IMITATES,),
            fits=pl.col("paper_word") & (pl.col("says_local").is_not_null() | pl.col("is_old")),
            value=pl.col("age_at_first_share_s"), threshold=pl.lit(_OLD_S),
            said_for=lambda row: (
                said("why.old-paper", years=row["age_at_first_share_s"] / (365 * 86_400))
                if row["says_local"] is None
                else said("why.local-paper", label=row["says_local"])
            ),
            said_against=said("but.local-paper"),
        ),
        Reading(
            NEW_OUTLET, explains=(), fits=(pl.col("age_at_first_share_s").is_between(0, SHORTLY_S)) & still,
            value=pl.col("age_at_first_share_s"), threshold=pl.lit(SHORTLY_S),
            said_for=lambda row: said("why.new-outlet", days=round(row["age_at_first_share_s"] / 86_400)),
            said_against=said("but.new-outlet"),
        ),
    )  # fmt: skip


def with_readings(
    table: pl.DataFrame, inputs: SiteInputs, links: pl.DataFrame, makers: pl.DataFrame, /
) -> pl.DataFrame:
    """Add what the readings go by.

    Parameters
    ----------
    table
        A row for each site.
    inputs, links, makers
        As for `figures.figures_of`; makers of the sites of which it is asked whether these are their own.
    """
    for part in (_own_shares(inputs, links, makers), _said(inputs, table["site"])):
        table = table.join(part, on="site", how="left", maintain_order="left")
    by_itself = pl.when(pl.col("site").str.contains(r"parod|satir|spoof")).then(pl.lit(BY_NAME))
    return table.with_columns(
        says_parody=pl.coalesce("says_parody", by_itself),
        paper_word=has_paper_word(pl.col("site")),
        is_old=(pl.col("age_at_first_share_s") >= _OLD_S).fill_null(False),
    )


def _own_shares(inputs: SiteInputs, links: pl.DataFrame, makers: pl.DataFrame) -> pl.DataFrame:
    """Return what part of half of a site's first shares is by makers that are its own, by name or by conduct."""
    own = links.join(makers.select("account_id").unique(), on="account_id", how="semi")
    groups = posts_in_groups(inputs, own).select("site", "content_id", "target_id").unique()
    # A post into two groups is one in each; one into none stands in its own page.
    own = own.join(groups, on=["site", "content_id"], how="left")
    conduct = (
        own.group_by("account_id", "site")
        .agg(
            n=pl.col("content_id").n_unique(),
            n_places=pl.struct("url", "target_id").n_unique(),
            n_groups=pl.col("target_id").drop_nulls().n_unique(),
            n_posts=pl.len(),
        )
        .with_columns(
            of_all=pl.col("n") / pl.col("n").sum().over("account_id"),
            each=pl.col("n_posts") / pl.col("n_places"),
        )
    )
    table = makers.join(conduct, on=["site", "account_id"], how="left")
    names = inputs.accounts
    if names is not None:
        wanted = names.join(makers.select("account_id").unique(), on="account_id", how="semi")
        table = table.join(wanted.select("account_id", "name"), on="account_id", how="left")
    else:
        table = table.with_columns(name=pl.lit(None, pl.String))
    brand = _letters(pl.col("site").str.extract(r"^([^.]+)\.", 1))
    called = pl.any_horizontal(
        (_letters(pl.col(of)) == brand)
        | ((brand.str.len_chars() >= _NAME) & _letters(pl.col(of)).str.contains(brand, literal=True))
        for of in ("name", "account_id")
    ).fill_null(False)
    by_conduct = (
        (pl.col("n") >= _OFTEN)
        & (pl.col("of_all") >= pl.when(pl.len().over("account_id") == 1).then(_MUCH).otherwise(_MOSTLY))
        & (pl.col("each") <= _ONCE)
        & (pl.col("n_groups") <= _SOME_GROUPS)
    )
    of_site = links.filter("early").group_by("site").agg(of=pl.len())
    table = table.with_columns(named=called, own=called | by_conduct).join(of_site, on="site")
    # Makers make half: what they make is held against that half, rounded up.
    half = (pl.col("of").first() + 1) // 2
    mine = pl.col("n_early")
    return table.group_by("site").agg(
        own_share=pl.min_horizontal(mine.filter("own").sum() / half, pl.lit(1.0)) * 1.0,
        named_share=pl.min_horizontal(mine.filter("named").sum() / half, pl.lit(1.0)) * 1.0,
    )


def _letters(text: pl.Expr) -> pl.Expr:
    """Return a name in lower-case letters and digits alone, without accents."""
    plain = text.str.normalize("NFKD").str.to_lowercase()
    return plain.str.replace_all(r"[^\p{L}\p{N}]+", "")


def _said(inputs: SiteInputs, sites: pl.Series) -> pl.DataFrame:
    """Return what the user's facts say of the log's sites that speaks for an innocent reading."""
    facts = inputs.facts
    if facts is None:
        return pl.DataFrame(
            schema={
                "site": pl.String, "owner": pl.String, "owned_sites": pl.UInt32, "says_parody": pl.String,
                "says_local": pl.String,
            }
        )  # fmt: skip
    facts = facts.filter(pl.col("site").is_in(sites.implode()))
    owners = owners_of(facts).with_columns(
        owned_sites=pl.col("site").n_unique().over("owner").cast(pl.UInt32)
    )
    owner = owners.sort(["site", "owned_sites", "owner"], descending=[False, True, False]).unique(
        "site", keep="first", maintain_order=True
    )
    words = facts.filter(pl.col("fact").is_in(["label", "kind", "title"])).sort("site", "fact", "value")
    value = pl.col("value")
    said = words.group_by("site").agg(
        says_parody=value.filter(value.str.contains(_SAYS_PARODY)).first(),
        says_local=value.filter(value.str.contains(_SAYS_LOCAL)).first(),
    )
    return owner.join(said, on="site", how="full", coalesce=True)
