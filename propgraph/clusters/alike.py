"""Accounts alike by how they were made: names by one template, account ids in sequence, equal numbers of followers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from propgraph.arrays.types import Float64, Int64
from propgraph.clusters.lots import in_lots, least_of

NAMES, IDS, FOLLOWERS = "names", "ids", "followers"
#: Followers below which equal numbers are usual.
FEW_FOLLOWERS = 10
_BY_APPEARANCE = 0.9  # rank correlation of ids and first posts: numbers given by whoever made the log
_DIGITS = 6  # an id in a sequence has so many or more
_DRAWS = 400


@dataclass(frozen=True)
class Alike:
    """What the accounts of a cluster have in common.

    Attributes
    ----------
    by
        `names`, `ids` or `followers`.
    share
        Fraction of the members that have it in common with fellows.
    expected
        The same of as many others.
    p
        Chance of so many, by what others are like; for the number of templates looked at, corrected.
    what
        What it is, in words: the template, the first id, the number.
    rows
        Which members.
    """

    by: str
    share: float
    expected: float
    p: float
    what: str
    rows: Int64


class Pool:
    """Accounts of one platform that members are held against; each look at them is taken once, when it is asked for.

    Parameters
    ----------
    accounts
        `account_id, name, created_at, followers, first_seen`.
    """

    def __init__(self, accounts: pl.DataFrame, /) -> None:
        self.accounts = accounts

    @cached_property
    def created_ms(self) -> Int64:
        """Return the creation times that are known, ms."""
        return self.accounts["created_at"].drop_nulls().dt.timestamp("ms").to_numpy()

    @cached_property
    def followers(self) -> Int64:
        """Return the numbers of followers that are known."""
        return self.accounts["followers"].drop_nulls().to_numpy()

    @cached_property
    def n_named(self) -> int:
        """Return how many have a name."""
        return self.accounts["name"].count()

    @cached_property
    def templates(self) -> pl.DataFrame:
        """Return `template`, `n_others`: how many names follow each template."""
        return templates_of(self.accounts).group_by("template").len("n_others")

    @cached_property
    def numbers(self) -> pl.DataFrame:
        """Return `account_id, first_seen, number` of those with a long number for an id, by that."""
        return _numbers(self.accounts).sort("number")


def alike_names(mine: pl.DataFrame, pool: Pool, /, *, only: str | None = None) -> Alike | None:
    """Look for the template that members' names (`name`) follow oftener than others'.

    A template is a name with its digits masked (`maria###`), or with its letters masked as well (letters and 8 digits);
    only names with digits have one. `only` one template is looked at where it is given, in words.
    """
    from scipy.stats import binom  # noqa: PLC0415 - slow to import

    own = templates_of(mine)
    counts = own.group_by("template").len("n").filter(pl.col("n") >= least_of(mine.height))
    if only is not None:
        counts = counts.filter(
            pl.Series([_in_words(t) == only for t in counts["template"]], dtype=pl.Boolean)
        )
    if counts.is_empty() or pool.n_named < mine.height:
        return None
    table = counts.join(pool.templates, on="template", how="left").with_columns(
        pl.col("n_others").fill_null(0)
    )
    # One more, so that what no other has is not impossible.
    rate = (table["n_others"].to_numpy() + 1) / (pool.n_named + 2)
    p = np.minimum(binom.sf(table["n"].to_numpy() - 1, mine.height, rate) * table.height, 1)
    best = int(np.lexsort((table["template"].to_numpy(), p))[0])
    template = table["template"][best]
    rows = own.filter(pl.col("template") == template)["row"].to_numpy().astype(np.int64)
    return Alike(NAMES, rows.size / mine.height, float(rate[best]), float(p[best]), _in_words(template), rows)


def templates_of(accounts: pl.DataFrame, /) -> pl.DataFrame:
    """Return `row` and `template`, of each name with digits the two that it follows."""
    names = accounts.select("name").with_row_index("row").filter(pl.col("name").str.contains(r"\d"))
    digits = pl.col("name").str.replace_all(r"\d", "0")
    letters = digits.str.replace_all(r"\p{L}+", "a")
    return pl.concat(
        [
            names.select("row", template=pl.concat_str(pl.lit("digits "), digits)),
            names.select("row", template=pl.concat_str(pl.lit("letters "), letters)),
        ]
    )


def _in_words(template: str) -> str:
    """Return a template as people read it: `maria###`, or `letters and 8 digits`."""
    kind, shape = template.split(" ", 1)
    if kind == "digits":
        return shape.replace("0", "#")
    plain = re.fullmatch(r"a(0+)", shape)
    return f"letters and {len(plain[1])} digits" if plain else shape.replace("a", "abc").replace("0", "#")


def alike_ids(mine: pl.DataFrame, pool: Pool, rng: np.random.Generator, /) -> Alike | None:
    """Look for members whose numeric ids follow each other with no other account's between.

    Where ids come in the order of the accounts' first posts, whoever made the log gave them, and they say nothing.

    Parameters
    ----------
    mine
        `account_id`, `first_seen` of members.
    pool
        The others.
    rng
        For the draws: as many places in the row of all ids.
    """
    own = _numbers(mine)
    if own.height < mine.height or pool.numbers.height < mine.height:
        return None
    n, least = mine.height, least_of(mine.height)
    order = np.argsort(own["number"].to_numpy(), kind="stable")
    place = np.searchsorted(pool.numbers["number"].to_numpy(), own["number"].to_numpy()[order])
    inside = in_lots(place[None], width=0, least=least)[0]
    if not inside.any() or _by_appearance(pl.concat([own, pool.numbers])):
        return None
    n_all = n + pool.numbers.height
    draws = np.sort(
        np.stack([rng.choice(n_all, n, replace=False, shuffle=False) for _ in range(_DRAWS)]), axis=1
    )
    usual = in_lots(draws - np.arange(n), width=0, least=least).mean(axis=1)
    rows = np.sort(order[inside])
    return Alike(
        IDS, rows.size / n, float(usual.mean()), _of_draws(usual, rows.size / n),
        f"from {own['account_id'][int(order[inside][0])]} on", rows,
    )  # fmt: skip


def _numbers(accounts: pl.DataFrame) -> pl.DataFrame:
    """Return `account_id`, `first_seen` and `number`, of the accounts whose ids end in a long number."""
    number = pl.col("account_id").str.extract(rf"(\d{{{_DIGITS},18}})$", 1).cast(pl.Int64, strict=False)
    return accounts.select("account_id", "first_seen", number=number).drop_nulls("number")


def _by_appearance(accounts: pl.DataFrame) -> bool:
    known = accounts.drop_nulls("first_seen")
    ranks = known.select(pl.corr(pl.col("number").rank(), pl.col("first_seen").rank()).abs()).item()
    return ranks is not None and ranks >= _BY_APPEARANCE


def alike_followers(mine: pl.DataFrame, pool: Pool, rng: np.random.Generator, /) -> Alike | None:
    """Look for members (`followers`) that have exactly as many followers as others of them."""
    own, known = mine["followers"].fill_null(-1).to_numpy(), pool.followers
    if (own < 0).any() or known.size < own.size:
        return None
    least = least_of(own.size)
    rows = np.flatnonzero(_equal(own, least))
    if not rows.size:
        return None
    draws = [known[rng.choice(known.size, own.size, replace=False, shuffle=False)] for _ in range(_DRAWS)]
    usual = np.array([_equal(row, least).mean() for row in draws])
    values, counts = np.unique(own[rows], return_counts=True)
    return Alike(
        FOLLOWERS, rows.size / own.size, float(usual.mean()), _of_draws(usual, rows.size / own.size),
        f"{values[counts.argmax()]:,} followers each", rows,
    )  # fmt: skip


def _equal(followers: Int64, least: int) -> Int64:
    """Return which of these numbers (1 or 0) stand there `least` times, small ones left out."""
    _, inverse, counts = np.unique(followers, return_inverse=True, return_counts=True)
    equal: Int64 = ((counts[inverse] >= least) & (followers >= FEW_FOLLOWERS)).astype(np.int64)
    return equal


def _of_draws(usual: Float64, value: float) -> float:
    return float((1 + (usual >= value).sum()) / (1 + usual.size))
