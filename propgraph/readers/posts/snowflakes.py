"""Times that stand in the ids of posts: to the millisecond, where a log's own times stop at seconds or minutes.

An X id is `(unix ms - 1288834974657) << 22` and some counters, since November 2010.
"""

from __future__ import annotations

import polars as pl

from propgraph.schema import TIME

# Shift and epoch of the ids of X and of Truth Social, as their readers name them.
_SCHEMES = ((22, 1_288_834_974_657), (16, 0))
# Ids from before, or that are no such ids, lie here.
_FIRST_DAY_MS = 86_400_000
# Longest that a time cut to minutes, or to seconds, lags behind.
_MINUTE_MS, _SECOND_MS = 60_000, 1000


def count_ids(ids: pl.Series, /) -> tuple[int, int]:
    """Return how many ids there are, and how many of them are whole numbers as ids with a time in them are."""
    return len(ids) - ids.null_count(), int(ids.str.contains(r"^\d{1,19}$").sum() or 0)


def with_id_times(posts: pl.DataFrame, snowflakes: tuple[int, int], /) -> tuple[pl.DataFrame, int, int]:
    """Return posts with times from their ids where these only add digits to the time that the log gives.

    Parameters
    ----------
    posts
        `content_id, timestamp`, and `parent_content_id, parent_timestamp` where the log has them.
    snowflakes
        Shift (bits) and epoch (unix ms) of the ids.

    Returns
    -------
    tuple
        The posts, `parent_timestamp` filled by the parent's id where it was null; how many times were
        made exact; how many ids say another time than the log, whose time then stands.
    """
    stated = pl.col("timestamp").cast(pl.Int64)
    by_id = _time_in("content_id", snowflakes)
    later = by_id - stated
    cut = (
        pl.when(stated % _MINUTE_MS == 0)
        .then(_MINUTE_MS)
        .when(stated % _SECOND_MS == 0)
        .then(_SECOND_MS)
        .otherwise(1)
    )
    exact = later.is_between(0, cut, closed="left").fill_null(False)
    counted = posts.select(
        gained=(exact & (later > 0)).sum(), other=(~exact & by_id.is_not_null()).fill_null(False).sum()
    )
    columns = [pl.when(exact).then(by_id).otherwise(stated).cast(TIME).alias("timestamp")]
    if "parent_content_id" in posts.columns:
        known = pl.col("parent_timestamp") if "parent_timestamp" in posts.columns else pl.lit(None, TIME)
        by_parent = _time_in("parent_content_id", snowflakes).cast(TIME)
        columns.append(pl.coalesce(known, by_parent).alias("parent_timestamp"))
    return posts.with_columns(columns), int(counted["gained"][0]), int(counted["other"][0])


def parents_by_id(posts: pl.DataFrame, /) -> pl.Series:
    """Tell which `parent_timestamp` are to the millisecond what the parent's id says, on whatever clock the log is."""
    if "parent_content_id" not in posts.columns:
        return pl.repeat(False, posts.height, eager=True)
    stated = pl.col("parent_timestamp").cast(pl.Int64)
    # Where the log holds several platforms, theirs stands before the id.
    ids = pl.col("parent_content_id").str.extract(r"(?:^|:)(\d{1,19})$")
    same = pl.any_horizontal((_time_of(ids, scheme) == stated).fill_null(False) for scheme in _SCHEMES)
    return posts.select(same.alias("same")).to_series()


def _time_in(name: str, snowflakes: tuple[int, int]) -> pl.Expr:
    """Return the time in an id as unix ms, null where the id is none of these."""
    return _time_of(pl.col(name), snowflakes)


def _time_of(ids: pl.Expr, snowflakes: tuple[int, int]) -> pl.Expr:
    shift, epoch = snowflakes
    since = ids.cast(pl.Int64, strict=False) // (1 << shift)
    return pl.when(since >= _FIRST_DAY_MS).then(since + epoch)
