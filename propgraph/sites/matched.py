"""Sites held against sites of like size: how unusual their seeding, their few hands and their short life are."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from propgraph.arrays.nearest import nearest_in
from propgraph.arrays.types import Float64, Int64
from propgraph.sites.figures import FIRST

Complex = npt.NDArray[np.complex128]

MIN_MATCHED = 20
"""With fewer sites to compare with nothing is said."""

MOST_MATCHED = 200
"""A site is held against at most so many others, those nearest in size."""

FEW_EARLY = 10
"""With fewer first shares than this a site says nothing of how many hands make half of them."""

# A normal log's one thousandth lies 3.1 standard deviations below its middle; sites are many.
_DEVIATIONS = 3.5
_LEAST_SPREAD = 0.25  # in logarithms: what the count of a handful of accounts spreads by itself
# Only sites with half of the usual hands or fewer, or one for ten first shares, are looked at one by one.
_NARROW, _ALWAYS_NARROW = 0.5, 0.1


def nearest(size: float, pool: Float64, /) -> slice:
    """Return where in sorted `pool` the sizes nearest to one lie; nowhere where the pool is too small.

    A fifth of the pool, but at least `MIN_MATCHED` and at most `MOST_MATCHED`, half of them on either side where there
    are as many, and all that equal the first or the last of these, so that the order among equals says nothing.
    """
    n = pool.size
    if n < MIN_MATCHED:
        return slice(0, 0)
    k = min(max(n // 5, MIN_MATCHED), MOST_MATCHED)
    [begin], _ = nearest_in(pool, np.array([size]), n=k)
    first, last = pool[begin], pool[begin + k - 1]
    return slice(int(np.searchsorted(pool, first)), int(np.searchsorted(pool, last, side="right")))


def matched_quantile(table: pl.DataFrame, value: str, /, *, size: str, among: pl.Expr, q: float) -> pl.Series:
    """Return for each site a quantile of `value` over the sites of like `size`, null where they are too few.

    Parameters
    ----------
    table
        A row for each site.
    value, size
        Columns.
    among
        Which sites are held against; those without a value are left out.
    q
        Of the quantile, 0..1.
    """
    pool = table.filter(among, pl.col(value).is_not_null()).sort(size)
    sizes, values = _floats(pool[size]), _floats(pool[value])
    if sizes.size < MIN_MATCHED:
        return pl.Series(value, [None] * table.height, pl.Float64)
    # Sites of one size are held against the same others: each size is gone through once.
    own, which = np.unique(_floats(table[size]), return_inverse=True)
    usual = np.array([np.quantile(values[nearest(one, sizes)], q) for one in own.tolist()])
    return pl.Series(value, usual[which])


def few_hands(table: pl.DataFrame, makers: pl.DataFrame, /) -> pl.DataFrame:
    """Hold the accounts that make half of a site's first shares against those of sites with as many first shares.

    A site is not compared with those of which the same accounts make half of the first shares, too: they are the same
    hands. Compared is the logarithm of accounts over first shares, by its median and its median absolute deviation, so
    that one of few sites has to be the least: `few` lies 3.5 deviations below.

    Parameters
    ----------
    table
        `site, n_early, n_half_seeders`.
    makers
        `site, account_id, n_early`, as from `figures.makers_of_half`.

    Returns
    -------
    pl.DataFrame
        `site`, `n_half_seeders_pct` (share of the sites of like size with as few or fewer, 0..1), `usual_half_seeders`
        and `few_half_seeders` (accounts); no row where first shares or sites are too few.
    """
    pool = table.filter(pl.col("n_early") >= FEW_EARLY).sort("n_early", "site")
    if pool.height <= MIN_MATCHED:
        return _FEW.clear()
    sizes, n_half = _floats(pool["n_early"]), _floats(pool["n_half_seeders"])
    ratio = np.log(n_half / sizes)
    pct, middle, spread = (np.empty(pool.height) for _ in range(3))
    for size in np.unique(sizes).tolist():
        same = sizes == size
        like = np.sort(ratio[nearest(size, sizes)])
        # The site itself is one of those that are as low.
        pct[same] = (np.searchsorted(like, ratio[same], side="right") - 1) / (like.size - 1)
        middle[same], spread[same] = _middle(like)
    narrow = ratio <= np.maximum(middle + np.log(_NARROW), np.log(_ALWAYS_NARROW))
    for site, others in _same_hands(pool, makers, np.flatnonzero(narrow)).items():
        kept = np.setdiff1d(np.arange(pool.height), others, assume_unique=True)
        like = ratio[kept][nearest(float(sizes[site]), sizes[kept])]
        if not like.size:
            pct[site] = middle[site] = spread[site] = np.nan
            continue
        pct[site] = np.mean(like <= ratio[site])
        middle[site], spread[site] = _middle(like)
    return _FEW.clear().vstack(
        pl.DataFrame(
            {
                "site": pool["site"],
                "n_half_seeders_pct": pct,
                "usual_half_seeders": np.exp(middle) * sizes,
                "few_half_seeders": np.exp(middle - _DEVIATIONS * spread) * sizes,
            },
            nan_to_null=True,
        )
    )


_FEW = pl.DataFrame(
    schema={
        "site": pl.String, "n_half_seeders_pct": pl.Float64, "usual_half_seeders": pl.Float64,
        "few_half_seeders": pl.Float64,
    }
)  # fmt: skip


def _floats(values: pl.Series) -> Float64:
    return values.cast(pl.Float64).to_numpy()


def _middle(values: Float64) -> tuple[float, float]:
    """Return the median, and the spread about it (1.4826 times the median absolute deviation)."""
    middle = float(np.median(values))
    return middle, max(1.4826 * float(np.median(np.abs(values - middle))), _LEAST_SPREAD)


def _same_hands(pool: pl.DataFrame, makers: pl.DataFrame, narrow: Int64) -> Mapping[int, Int64]:
    """Return for each of these sites those, itself among them, of which its makers make half of the first shares."""
    places = pool.select("site", of="n_early").with_row_index("place")
    counts = makers.join(places, on="site").select("place", "account_id", "n_early", "of")
    mine = counts.filter(pl.col("place").is_in(narrow)).select("account_id", mine="place")
    # Its own half is there by what makers are, so that each site is among its own.
    shared = (
        mine.join(counts, on="account_id")
        .group_by("mine", "place")
        .agg(n=pl.col("n_early").sum(), of=pl.col("of").first())
        .filter(pl.col("n") * 2 >= pl.col("of"))
        .sort("mine", "place")
    )
    return {
        int(mine[0]): part["place"].to_numpy().astype(np.int64)
        for mine, part in shared.partition_by("mine", as_dict=True).items()
    }


def early_percentiles(links: pl.DataFrame, /) -> pl.DataFrame:
    """Return what part of sites made of URLs of like size would have fewer first shares by flagged clusters.

    If sites' names were dealt anew to URLs of like size (as many first shares, and of those with ten as many shares to
    within a factor of two), a site's count of seeded first shares would be a sum of draws, one a URL: its distribution
    is their convolution, exact but that draws are made with replacement.

    Parameters
    ----------
    links
        `site, url, early, seeder`.

    Returns
    -------
    pl.DataFrame
        `site` and `early_share_pct`, P(fewer), 0..1: 0 where no first share is seeded.
    """
    urls = links.group_by("site", "url").agg(
        n=pl.len(), n_early=pl.col("early").sum(), seeded=(pl.col("early") & pl.col("seeder")).sum()
    )
    # Ten first shares is the most: beyond it size is told by all shares, in powers of two.
    urls = urls.with_columns(
        size=pl.col("n_early").cast(pl.Int64) * 100 + pl.col("n").log(2).floor().cast(pl.Int64)
    )
    of_size = urls.group_by("size", "seeded").len()
    laws: dict[int, Float64] = {}
    for (size,), part in of_size.partition_by("size", as_dict=True).items():
        law = np.zeros(FIRST + 1)
        law[part["seeded"].to_numpy()] = part["len"].to_numpy() / part["len"].sum()
        laws[int(size)] = law
    sites = urls.group_by("site").agg("size", pl.col("seeded").sum(), n=pl.len())
    some = sites.filter(pl.col("seeded") > 0).sort("site")
    spectra: dict[tuple[int, int], Complex] = {}
    pct = [
        _fewer(laws, spectra, sizes, seeded) for sizes, seeded in some.select("size", "seeded").iter_rows()
    ]
    known = some.select("site", early_share_pct=pl.Series(pct, dtype=pl.Float64))
    return (
        sites.select("site")
        .join(known, on="site", how="left")
        .with_columns(pl.col("early_share_pct").fill_null(0.0))
    )


def _fewer(
    laws: Mapping[int, Float64], spectra: dict[tuple[int, int], Complex], sizes: list[int], seeded: int
) -> float:
    """Return the chance that the draws for URLs of these sizes come to less than `seeded`."""
    drawn, times = np.unique(np.array(sizes), return_counts=True)
    most = sum((laws[int(size)].size - 1) * int(n) for size, n in zip(drawn, times, strict=True))
    length = 1 << int(most).bit_length()
    product = np.ones(length // 2 + 1, np.complex128)
    for size, n in zip(drawn.tolist(), times.tolist(), strict=True):
        if (size, length) not in spectra:
            spectra[size, length] = np.fft.rfft(laws[size], length)
        product *= spectra[size, length] ** n
    law = np.fft.irfft(product, length)
    return float(np.clip(law[:seeded].sum(), 0.0, 1.0))
