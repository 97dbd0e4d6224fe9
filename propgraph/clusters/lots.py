"""Lots: many accounts of a cluster made within a short time, several times over.

A scan statistic: the fraction of some accounts that lie in a window of creation times which holds several of them, over
windows from an hour to a month; each window's fraction is held against draws of as many accounts, and the least
of these p-values against the least of the draws (Kulldorff, 1997, A spatial scan statistic; several lots count, not the
densest alone).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np

from propgraph.arrays.types import Bool, Float64, Int64

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
#: Windows in which a lot may lie, ms.
WIDTHS = (HOUR_MS, DAY_MS, 3 * DAY_MS, 7 * DAY_MS, 30 * DAY_MS)
_FEWEST = 3  # accounts are a lot
_PART = 20  # and no less than a twentieth of all
_MOST = 0.75
_BESIDE, _SIGMAS = 10, 3.0  # spans before and after; standard deviations by which a wave stands out


@dataclass(frozen=True)
class Scan:
    """What a scan for lots found.

    Attributes
    ----------
    share
        Fraction of the accounts in lots, in the window that stands out most.
    width_ms
        That window, ms.
    limit, expected
        The 99 % point and the mean of that fraction over the draws.
    p
        Chance of a fraction that stands out so much in any of the windows.
    """

    share: float
    width_ms: int
    limit: float
    expected: float
    p: float


#: What is found where no window holds enough.
NO_LOTS = Scan(0.0, WIDTHS[-1], 0.0, 0.0, 1.0)


def least_of(n: int, /) -> int:
    """Return how many of `n` accounts a lot holds at least."""
    return max(_FEWEST, -(-n // _PART))


def in_lots(times: Int64, /, *, width: float, least: int) -> Bool:
    """Return which of `times` lie in a window of `width` that holds `least` of them.

    Parameters
    ----------
    times
        Rows of times, each row ascending.
    width
        The window, in the unit of the times; its bounds are included.
    least
        How many times a window holds, 1 or more.
    """
    inside = np.zeros(times.shape, dtype=np.bool_)
    n = times.shape[1]
    if n < least:
        return inside
    first = times[:, least - 1 :] - times[:, : n - least + 1] <= width
    for k in range(least):
        inside[:, k : n - least + 1 + k] |= first
    return inside


def scan(times: Int64, draws: Int64, /) -> Scan:
    """Return how much the lots among some creation times stand out among those of draws of as many accounts.

    Parameters
    ----------
    times
        Creation times, ms, ascending.
    draws
        Creation times of accounts drawn, ms, a row a draw.
    """
    least = least_of(times.size)
    ordered = np.sort(draws, axis=1)
    own: Float64 = np.array([in_lots(times[None], width=width, least=least).mean() for width in WIDTHS])
    theirs = np.stack([in_lots(ordered, width=width, least=least).mean(axis=1) for width in WIDTHS])
    n = draws.shape[0]
    p = (1 + (theirs >= own[:, None]).sum(axis=1)) / (1 + n)
    # The narrowest of the windows that stand out most in which most of the accounts in lots are.
    best = int(np.argmax((p <= p.min()) & (own >= _MOST * own[p <= p.min()].max())))
    least_p = np.stack([_ranks(row) for row in theirs]).min(axis=0)
    return Scan(
        float(own[best]),
        WIDTHS[best],
        float(np.quantile(theirs[best], 0.99)),
        float(theirs[best].mean()),
        float((1 + (least_p <= p[best]).sum()) / (1 + n)),
    )


def _ranks(values: Float64) -> Float64:
    """Return for each value the fraction of `values` that are as large or larger, as the p-values of draws are."""
    ordered = np.sort(values)
    ranks: Float64 = (1 + values.size - np.searchsorted(ordered, values)) / (1 + values.size)
    return ranks


def lots_of(times: Int64, width_ms: int, /) -> list[tuple[int, int]]:
    """Return the first and the last row of each lot in `times` (ms, ascending), apart from each other."""
    inside = in_lots(times[None], width=width_ms, least=least_of(times.size))[0]
    rows = np.flatnonzero(inside)
    if not rows.size:
        return []
    # A gap wider than the window, or an account in no lot, ends one.
    ends = np.flatnonzero((np.diff(rows) > 1) | (np.diff(times[rows]) > width_ms)) + 1
    return [(int(part[0]), int(part[-1])) for part in np.split(rows, ends)]


def own_lots(times: Int64, width_ms: int, others: Int64, /) -> list[tuple[int, int]]:
    """Return the lots that are no part of a wave of new accounts: first and last row of each.

    Where as many others as members, beyond the rate of the ten spans before and after, were made within the lot's time,
    it was a time at which many came.

    Parameters
    ----------
    times, width_ms
        As for `lots_of`.
    others
        Creation times of accounts in no cluster, ms, ascending.
    """
    beside = _BESIDE * max(width_ms, 7 * DAY_MS)
    kept = []
    for first, last in lots_of(times, width_ms):
        start, end = int(times[first]), int(times[last])
        # A lot shorter than the span is looked at with what is around it, within the span.
        start, end = min(start, end - width_ms), max(end, start + width_ms)
        low, begin, stop, high = np.searchsorted(others, [start - beside, start, end + 1, end + 1 + beside])
        usual = ((begin - low) + (high - stop)) * (end + 1 - start) / (2 * beside)
        excess = (stop - begin) - usual
        if excess < last - first + 1 or excess < _SIGMAS * np.sqrt(max(usual, 1.0)):
            kept.append((first, last))
    return kept


def told(times: Int64, lots: list[tuple[int, int]], /) -> list[str]:
    """Return each lot in words, the largest first: `2016-02-03: 7` or `2016-02-03 to 2016-02-05: 7`."""
    lots = sorted(lots, key=lambda lot: (lot[0] - lot[1], lot[0]))
    return [f"{_days(int(times[first]), int(times[last]))}: {last - first + 1:,}" for first, last in lots]


def lot_of(written: str, /) -> tuple[date, date, int]:
    """Return the first and the last day of a lot, and its accounts, as `told` wrote it."""
    span, n = written.rsplit(": ", 1)
    first, last = span.split(" to ") if " to " in span else (span, span)
    return date.fromisoformat(first), date.fromisoformat(last), int(n.replace(",", ""))


def _days(first: int, last: int) -> str:
    # Reckoned from 1970 by hand: the system's own conversion fails on years before that on some machines.
    one, other = (
        (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=t)).date() for t in (first, last)
    )
    return f"{one}" if one == other else f"{one} to {other}"
