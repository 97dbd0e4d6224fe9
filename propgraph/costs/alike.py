"""URLs of the same site and size that nobody boosted: how much of their spread came by the age at which one was."""

from __future__ import annotations

import numpy as np
import polars as pl

from propgraph.arrays.types import Int64
from propgraph.costs.counting import SharesByTime
from propgraph.schema import COUNT

LEAST, MOST = 5, 200


def with_alike(boosted: pl.DataFrame, shares: pl.DataFrame, /) -> pl.DataFrame:
    """Add how much of the spread of like URLs came by the same age, and how few that makes of the boosted one's.

    Like are URLs of the same site that nobody boosted, with half to twice as many organic shares: the nearest in size,
    at most 200. The p-value is (1 + those with as small a part or smaller) / (1 + all of them).

    Parameters
    ----------
    boosted
        `object_id, site, n` (organic shares), `first_share, begun` (by when the advert surely had begun), `by_then`.
    shares
        `object_id, site, timestamp, sponsor` of all links.

    Returns
    -------
    pl.DataFrame
        `boosted` with `expected_by_then, p_value` (null with fewer than five like URLs) and `n_like`.
    """
    others = (
        shares.filter(pl.col("sponsor").is_null())
        .join(boosted.select("site").unique(), on="site", how="semi")
        .join(boosted.select("object_id").unique(), on="object_id", how="anti")
    )
    sizes = others.group_by("site", "object_id").agg(n=pl.len(), first=pl.col("timestamp").min())
    sizes = sizes.sort("site", "n", "object_id").with_row_index("rank")
    ages = others.join(sizes.select("object_id", "rank", "first"), on="object_id").select(
        "rank", age=(pl.col("timestamp") - pl.col("first")).dt.total_milliseconds()
    )
    by_age = SharesByTime(ages["rank"].cast(pl.Int64).to_numpy(), ages["age"].to_numpy(), sizes.height)
    n = sizes["n"].cast(pl.Int64).to_numpy()
    blocks = {str(site): (int(first), int(last) + 1) for site, first, last in sizes.group_by("site").agg(
        first=pl.col("rank").min(), last=pl.col("rank").max()).iter_rows()}  # fmt: skip
    age = (pl.col("begun") - pl.col("first_share")).dt.total_milliseconds()
    rows: list[tuple[float | None, float | None, int | None]] = []
    for site, size, age_ms, share in boosted.select("site", "n", age, "by_then").iter_rows():
        if age_ms is None or share is None:
            rows.append((None, None, None))
            continue
        like = _like(n, *blocks.get(site, (0, 0)), size=size)
        before = by_age.before(like, age_ms)
        parts = before / n[like]
        enough = like.size >= LEAST
        rows.append((
            float(parts.mean()) if enough else None,
            float((1 + (parts <= share).sum()) / (1 + like.size)) if enough else None,
            int(like.size),
        ))  # fmt: skip
    schema = {"expected_by_then": pl.Float64(), "p_value": pl.Float64(), "n_like": COUNT}
    return boosted.hstack(pl.DataFrame(rows, schema=schema, orient="row"))


def _like(n: Int64, first: int, last: int, *, size: int) -> Int64:
    """Return the ranks in a site's block, sorted by size, of half to twice `size`: the nearest, at most `MOST`."""
    block = n[first:last]
    low = int(np.searchsorted(block, -(-size // 2)))
    high = int(np.searchsorted(block, 2 * size, side="right"))
    if high - low > MOST:
        middle = int(np.searchsorted(block, size))
        low = max(low, min(middle - MOST // 2, high - MOST))
        high = low + MOST
    return np.arange(first + low, first + high, dtype=np.int64)
