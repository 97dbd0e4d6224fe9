"""The time window that a log itself speaks for: how fast its fastest objects go round."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np
import polars as pl

from propgraph.arrays.types import Float64
from propgraph.options import AUTO, WindowOptions

#: The longest window that is chosen: within more, people meet without any help.
LONGEST_CHOSEN_S = 3600.0
_LEAST_S = 1.0
_QUICKEST = 0.1


@dataclass(frozen=True)
class ChosenWindow:
    """A window chosen from a log, and why.

    Attributes
    ----------
    window_s
        The window (s).
    found_s
        Median time (s) in which the quickest objects had more than half of their shares; None where no object was
        shared twice.
    second_share_s
        Delay (s) up to which an object's second share makes it one of the quickest.
    n_objects, n_quickest
        Objects of two shares or more, and the quickest of these.
    time_resolution_s
        How fine the times of half of the shares are at least (s); None where nobody knows.
    """

    window_s: float
    found_s: float | None
    second_share_s: float | None
    n_objects: int
    n_quickest: int
    time_resolution_s: float | None

    def record(self) -> dict[str, Any]:
        """Return what was chosen for `run.json`."""
        return asdict(self)

    def note(self) -> str:
        """Return what was chosen, and why, in a sentence."""
        if self.found_s is None:
            return f"time window: {self.window_s:g} s, the default: no object was shared twice"
        why = (
            f"time window: {self.window_s:g} s, chosen from the log: of {self.n_objects:,} objects of two shares or "
            f"more, {self.n_quickest:,} had the second within {self.second_share_s:,.4g} s (the quickest tenth), and "
            f"half of these had more than half of their shares within {self.found_s:,.4g} s"
        )
        if self.window_s < self.found_s:
            return (
                f"{why}; a window of more than an hour is not chosen: what people share goes round as slowly"
            )
        if self.window_s > self.found_s:
            fine = self.time_resolution_s or 0.0
            told = f"times are no finer than {fine:g} s" if fine >= self.window_s else "1 s is the least"
            return f"{why}; {told}"
        return why


def settled(
    options: WindowOptions, shares: Mapping[str, pl.DataFrame], /
) -> tuple[WindowOptions, ChosenWindow | None]:
    """Return the options with the window that the log chooses, and why; as they are where none is asked for."""
    if options.time_window != AUTO:
        return options, None
    chosen = choose_window(shares)
    return replace(options, time_window=chosen.window_s), chosen


def window_options(built: Mapping[str, Any], /) -> WindowOptions:
    """Return how a study's edges were found, by the record of its `build`; one of an earlier version lacks some."""
    given = built["parameters"]
    known = {one.name: given[one.name] for one in fields(WindowOptions) if one.name in given}
    if known["time_window"] == AUTO:
        known["time_window"] = built["time_window"]["window_s"]
    return WindowOptions(**known)


def choose_window(shares: Mapping[str, pl.DataFrame], /) -> ChosenWindow:
    """Return the window in which the objects that are shared again soonest get more than half of their shares.

    Of the objects of two shares or more, those count whose second share came within the 0.1 quantile (linear) of all
    second shares' delays. The window is the median of the times from their first share to the one that makes more
    than half: at least 1 s and the resolution of the times, at most an hour.

    Parameters
    ----------
    shares
        By trace: `object_id`, `timestamp` (`Datetime`), and `time_resolution_s` (s) where it is known. The objects of
        all traces count alike.

    References
    ----------
    Giglietto, Righetti, Rossi and Marino, "It takes a village to manipulate the media: coordinated link sharing
    behavior during 2018 and 2019 Italian elections", Information, Communication and Society 23 (2020); the R package
    CooRnet (`estimate_coord_interval`).

    Examples
    --------
    >>> import polars as pl
    >>> from propgraph.cosharing.choice import choose_window
    >>> shares = pl.DataFrame({"object_id": ["a", "a", "a", "b", "b"], "timestamp": [0, 4, 30, 0, 900]})
    >>> choose_window({"url": shares.with_columns(pl.from_epoch("timestamp"))}).window_s
    4.0
    """
    second, half = _delays(shares)
    fine = _resolution(shares)
    if not second.size:
        return ChosenWindow(WindowOptions().seconds, None, None, 0, 0, fine)
    cut = float(np.quantile(second, _QUICKEST))
    quickest = half[second <= cut]
    found = float(np.median(quickest))
    window = min(max(found, _LEAST_S, fine or 0.0), LONGEST_CHOSEN_S)
    return ChosenWindow(window, found, cut, second.size, quickest.size, fine)


def _delays(shares: Mapping[str, pl.DataFrame]) -> tuple[Float64, Float64]:
    """Return for each object of two shares or more how long after its first came its second, and more than half (s)."""
    ms, n = pl.col("ms"), pl.len()
    later = [
        part.lazy()
        .select("object_id", ms=pl.col("timestamp").dt.timestamp("ms"))
        .group_by("object_id")
        .agg(
            n.alias("n"),
            second=ms.sort().slice(1, 1).first() - ms.min(),
            half=ms.sort().get(n // 2) - ms.min(),
        )
        .filter(pl.col("n") > 1)
        .select("second", "half")
        .collect()
        for part in shares.values()
    ]
    found = pl.concat([pl.DataFrame(schema={"second": pl.Int64, "half": pl.Int64}), *later])
    return found["second"].to_numpy() / 1000, found["half"].to_numpy() / 1000


def _resolution(shares: Mapping[str, pl.DataFrame]) -> float | None:
    known = [part["time_resolution_s"] for part in shares.values() if "time_resolution_s" in part.columns]
    return pl.concat([series.cast(pl.Float64) for series in known]).median() if known else None  # type: ignore[return-value]
