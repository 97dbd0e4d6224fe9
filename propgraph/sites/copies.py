"""Who copied whose articles: nearly the same text on another site before, told apart from agencies and editions."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from propgraph.arrays.p_values import binomial_tail, false_discovery_rate
from propgraph.arrays.types import Int64
from propgraph.schema import COPIES, COUNT, ID
from propgraph.sites.facts import owners_of
from propgraph.traces.near import near_leaders

MIN_SIMILARITY = 0.25
"""Two articles are nearly the same when their runs of three words have this Jaccard similarity or more (0..1).

Where a fifth of the words were changed, at random, (4/5)^3 of the runs are left: a similarity of .34. Articles about
one event, quotes included, have less than .05.
"""

MANY_HOUSES = 5
"""A text on so many houses' sites may be an agency's."""

MIN_STORIES, MIN_SHARED = 5, 0.3
"""A site is tested where it has so many stories in common with others, and they are so large a part of its articles."""

# Pairs at the bound meet in some band with 1 - (1 - .25 ** 2) ** 60 = .98, pairs at .02 with .02.
_BANDS, _ROWS = 60, 2
# Words as characters: what is no character (surrogates) is left out, and beyond the last one words share it.
_FIRST_CHAR, _SURROGATES, _N_SURROGATES, _N_CHARS = 0x100, 0xD800, 0x800, 0x10FFFF - 0x100 - 0x800
_WORD = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]|[\p{L}\p{N}\p{M}]+"
_EXAMPLES = 5


@dataclass(frozen=True)
class Copies:
    """What the articles of a log say.

    Attributes
    ----------
    pairs
        `schema.COPIES`.
    sites
        `site, n_articles, n_shared, n_copied, n_compared, n_later, lag_s, copies_q, sources`, a row a site.
    urls
        `url` of the articles that are copies.
    n_undated
        Articles left out, as no time is told and nobody shares them.
    """

    pairs: pl.DataFrame
    sites: pl.DataFrame
    urls: pl.DataFrame
    n_undated: int = 0


def copies_in_log(articles: pl.DataFrame, links: pl.DataFrame, facts: pl.DataFrame, /) -> Copies:
    """Return which sites' articles stood on other sites before; undated ones count from their first share.

    Parameters
    ----------
    articles
        As from `articles.read_articles`.
    links
        All links of the log: `url, timestamp`.
    facts
        `schema.SITE_FACTS`, of which those on owners count.
    """
    first = links.group_by("url").agg(first=pl.col("timestamp").min())
    dated = articles.join(first, on="url", how="left", maintain_order="left").with_columns(
        published=pl.coalesce("published", "first")
    )
    owners = owners_of(facts).unique("site", keep="first", maintain_order=True)
    found = find_copies(dated.drop("first").drop_nulls("published"), owners)
    return replace(found, n_undated=dated["published"].null_count())


def find_copies(articles: pl.DataFrame, owners: pl.DataFrame, /) -> Copies:
    """Return which sites' articles stood on other sites before, and of whom.

    Articles with nearly the same text are one story; the earliest of each site counts. A site has copied a story where
    it stood on another house's site before. A house are the sites of one owner (by the user's facts) or of one name
    (`bbc.com`, `bbc.co.uk`): its editions are no copies. Nor is an article that names an agency or its source, nor
    one of an agency's stories: those on `MANY_HOUSES` houses' sites or more, of which half or more of the later ones
    are first with some other story.

    Of two sites that have stories in common either is as likely to be the later if neither copies: a binomial tail,
    with the false discovery rate over all ordered pairs with `MIN_STORIES` or more. Over all its stories a site is held
    against one other of each (see `_against_givers`), in the same way.

    Parameters
    ----------
    articles
        `url, site, text, published` (when, or first shared), `credited`, as from `read_articles`; without nulls.
    owners
        `site, owner` where known.

    References
    ----------
    Broder, "On the Resemblance and Containment of Documents", Compression and Complexity of Sequences (1997).
    """
    stories = _stories(articles).join(
        owners.select("site", "owner"), on="site", how="left", maintain_order="left"
    )
    name = pl.col("site").str.extract(r"^([^.]+)\.", 1).fill_null(pl.col("site"))
    stories = stories.with_columns(house=pl.coalesce(pl.format("owner {}", "owner"), name))
    stories = stories.filter(pl.col("house").n_unique().over("story") > 1)
    # The first of each house tells whether a house had it from another; ties are nobody's copies.
    stories = stories.with_columns(at_house=pl.col("published").min().over("story", "house"))
    stories = stories.with_columns(agency=_is_agency(stories))
    free = stories.filter(~pl.col("agency"))
    later = _pairs(free)
    copied = _copied(free)
    pairs = _tested(later, articles)
    return Copies(pairs, _by_site(articles, free, copied, pairs), copied.select("url").sort("url"))


def _stories(articles: pl.DataFrame) -> pl.DataFrame:
    """Return `story, site, url, published, credited`: the earliest article of each site and story."""
    ordered = articles.sort("published", "url")
    coded = _as_characters(ordered["text"])
    # Near texts are looked for among distinct ones.
    texts = pl.DataFrame({"coded": coded}).with_row_index("row")
    first = texts.unique("coded", keep="first", maintain_order=True)
    leader = near_leaders(first["coded"], min_similarity=MIN_SIMILARITY, bands=_BANDS, rows=_ROWS)
    story = texts.join(
        first.select("coded", story=pl.Series(leader)), on="coded", how="left", maintain_order="left"
    )
    return (
        ordered.select("site", "url", "published", "credited")
        .with_columns(story["story"])
        .unique(["story", "site"], keep="first", maintain_order=True)
    )


def _as_characters(texts: pl.Series) -> pl.Series:
    """Return texts with each word as one character, so that three characters are three words."""
    words = texts.str.extract_all(_WORD)
    flat = words.explode(empty_as_null=False, keep_nulls=False)
    code = flat.rank("dense").cast(pl.UInt32).to_numpy().astype(np.uint32) % np.uint32(_N_CHARS)
    code += np.uint32(_FIRST_CHAR)
    code[code >= _SURROGATES] += np.uint32(_N_SURROGATES)
    whole = code.astype("<u4").tobytes().decode("utf-32-le")
    ends = words.list.len().to_numpy().cumsum()
    starts = ends - words.list.len().to_numpy()
    return pl.Series(
        "coded", [whole[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)], pl.String
    )


def _is_agency(stories: pl.DataFrame) -> pl.Series:
    """Tell which rows are of an agency's stories: on many houses' sites, and in no one direction."""
    table = stories.with_columns(
        first=pl.col("published").min().over("story"), n=pl.col("house").n_unique().over("story")
    )
    table = table.with_columns(is_first=pl.col("published") == pl.col("first"))
    # A house gives that is first with some other story.
    table = table.with_columns(
        gives=pl.col("is_first").sum().over("house").cast(pl.Int64) - pl.col("is_first").cast(pl.Int64) > 0
    )
    n_giving = (pl.col("gives") & ~pl.col("is_first")).sum().over("story")
    n_later = (~pl.col("is_first")).sum().over("story")
    return table.select(agency=(pl.col("n") >= MANY_HOUSES) & (n_giving * 2 >= n_later))["agency"]


def _pairs(free: pl.DataFrame) -> pl.DataFrame:
    """Return a row for each story and ordered pair of sites of two houses, one strictly later than the other."""
    mine = free.filter(~pl.col("credited")).select("story", "site", "house", "url", "published")
    theirs = free.select("story", source_site="site", source_house="house", source_at="published")
    return mine.join(theirs, on="story").filter(
        pl.col("house") != pl.col("source_house"), pl.col("published") != pl.col("source_at")
    )


def _copied(free: pl.DataFrame) -> pl.DataFrame:
    """Return the articles that are copies: another house was earlier than any site of theirs, and nobody is named."""
    return free.with_columns(source_at=pl.col("published").min().over("story")).filter(
        ~pl.col("credited"), pl.col("source_at") < pl.col("at_house")
    )


def _tested(later: pl.DataFrame, articles: pl.DataFrame) -> pl.DataFrame:
    """Return `schema.COPIES`: of ordered pairs, with one copied story or more, how often the one was later."""
    was_later = pl.col("published") > pl.col("source_at")
    lag = (pl.col("published") - pl.col("source_at")).dt.total_milliseconds() / 1000
    table = (
        later.group_by("site", "source_site")
        .agg(
            n_shared=pl.len().cast(COUNT),
            n_copied=was_later.sum().cast(COUNT),
            median_lag_s=lag.filter(was_later).median(),
            urls=pl.col("url")
            .filter(was_later)
            .sort_by(lag.filter(was_later), pl.col("url").filter(was_later))
            .head(_EXAMPLES),
        )
        .sort("site", "source_site")
    )
    p, q = _tail(table["n_copied"], table["n_shared"])
    own = articles.group_by("site").agg(n_articles=pl.len().cast(COUNT))
    found = table.with_columns(p_value=p, q_value=q).filter(pl.col("n_copied") > 0)
    return COPIES.conform(found.join(own, on="site", how="left", maintain_order="left"))


def _by_site(
    articles: pl.DataFrame, free: pl.DataFrame, copied: pl.DataFrame, pairs: pl.DataFrame
) -> pl.DataFrame:
    """Return the figures of each site."""
    shared = free.filter(~pl.col("credited")).group_by("site").agg(n_shared=pl.len())
    lag = (pl.col("published") - pl.col("source_at")).dt.total_milliseconds() / 1000
    taken = copied.group_by("site").agg(n_copied=pl.len(), lag_s=lag.median())
    sources = (
        pairs.sort(["site", "n_copied", "source_site"], descending=[False, True, False])
        .group_by("site", maintain_order=True)
        .agg(sources=pl.col("source_site"))
    )
    table = articles.group_by("site").agg(n_articles=pl.len())
    for part in (shared, taken, sources, _against_givers(free)):
        table = table.join(part, on="site", how="left")
    counts = ("n_shared", "n_copied", "n_compared", "n_later")
    table = table.with_columns(pl.col(counts).fill_null(0)).sort("site")
    # How many of its articles stand elsewhere, before or after, says nothing of the direction: to test only sites of
    # which that holds for many keeps the rate of false discoveries.
    elsewhere = pl.col("n_shared") >= MIN_SHARED * pl.col("n_articles")
    tested = table.filter(elsewhere & (pl.col("n_shared") >= MIN_STORIES))
    q = tested.select("site", copies_q=_tail(tested["n_later"], tested["n_compared"])[1])
    return table.join(q, on="site", how="left", maintain_order="left").select(
        pl.col("site").cast(ID),
        pl.col("n_articles", *counts).cast(COUNT),
        "lag_s",
        "copies_q",
        pl.col("sources").cast(pl.List(pl.String)),
    )


def _against_givers(free: pl.DataFrame) -> pl.DataFrame:
    """Return `site, n_compared, n_later`: over its stories, how often a site was later than who else gives most.

    Where a text stands on several sites it is compared with that other house's site which is oftenest earlier than
    others in stories that the site has not: chosen without a look at this story's times, so that either is as likely to
    be the later if neither copies.
    """
    rank = pl.col("published").rank("average").over("story")
    gives = (pl.len().over("story") + 1 - 2 * rank).alias("gives")
    rows = free.select("story", "site", "house", "published", "credited", gives)
    total = rows.group_by(source_site="site").agg(total=pl.col("gives").sum())
    theirs = rows.select(
        "story", source_site="site", source_house="house", source_at="published", here="gives"
    )
    both = (
        rows.filter(~pl.col("credited"))
        .join(theirs, on="story")
        .filter(pl.col("house") != pl.col("source_house"))
    )
    both = both.join(total, on="source_site").with_columns(
        elsewhere=pl.col("total") - pl.col("here").sum().over("site", "source_site")
    )
    chosen = both.sort(
        ["site", "story", "elsewhere", "source_site"], descending=[False, False, True, False]
    ).unique(["site", "story"], keep="first", maintain_order=True)
    chosen = chosen.filter(pl.col("published") != pl.col("source_at"))
    return chosen.group_by("site").agg(
        n_compared=pl.len(), n_later=(pl.col("published") > pl.col("source_at")).sum()
    )


def _tail(k: pl.Series, n: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return the chance of being the later `k` times of `n` at one half each, and q-values.

    The q-values are over rows of `MIN_STORIES` stories or more: fewer could not tell, and have none.
    """
    times: Int64 = n.to_numpy().astype(np.int64)
    p = binomial_tail(k.to_numpy().astype(np.int64), times, np.full(times.size, 0.5))
    q = np.full(times.size, np.nan)
    enough = times >= MIN_STORIES
    q[enough] = false_discovery_rate(p[enough], n_tests=int(enough.sum()))
    return pl.Series(p, dtype=pl.Float64), pl.Series(q, dtype=pl.Float64, nan_to_null=True)


def with_copies(site_pairs: pl.DataFrame, copies: pl.DataFrame, /) -> pl.DataFrame:
    """Fill `n_copies` and `median_copy_lag_s` of `schema.SITE_PAIRS`: either way, the lag that of the way of most.

    Parameters
    ----------
    site_pairs, copies
        `schema.SITE_PAIRS`, `schema.COPIES`.
    """
    ends = ("site", "source_site")
    either = copies.sort(["n_copied", "site"], descending=[True, False]).group_by(
        source=pl.min_horizontal(ends), target=pl.max_horizontal(ends), maintain_order=True
    )
    found = either.agg(
        n_copies=pl.col("n_copied").sum().cast(COUNT), median_copy_lag_s=pl.col("median_lag_s").first()
    )
    return (
        site_pairs.drop("n_copies", "median_copy_lag_s")
        .join(found, on=["source", "target"], how="left", maintain_order="left")
        .with_columns(pl.col("n_copies").fill_null(0))
        .select(site_pairs.columns)
    )
