"""Local times to UTC, where clocks are put forward and back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from zoneinfo import available_timezones

import polars as pl

from propgraph.errors import UsageError, did_you_mean
from propgraph.readers.times.calendar_words import AMBIGUOUS_ZONES, ZONES


@dataclass
class ClockCounts:
    """What had to be decided about the times of one column.

    Attributes
    ----------
    doubled
        Local times that clocks show twice, when they are put back.
    skipped
        Local times that clocks never show, when they are put forward.
    zones
        Abbreviations of zones that mean several, as far as any was found.
    """

    doubled: int = 0
    skipped: int = 0
    zones: set[str] = field(default_factory=set)

    def notes(self, zone: str | None) -> list[str]:
        """Return what a user has to know of it, in sentences."""
        notes = []
        if self.doubled:
            notes.append(
                f"{self.doubled:,} times are shown twice by the clocks of {zone}, which were put back; taken as "
                "the earlier of the two"
            )
        if self.skipped:
            notes.append(
                f"{self.skipped:,} times are never shown by the clocks of {zone}, which were put forward; taken as "
                "by a clock that had not been"
            )
        if self.zones:
            told = ", ".join(
                f"{name} as {_shown(ZONES[name.lower()])} ({taken}, not {other})"
                for name, (taken, other) in AMBIGUOUS_ZONES.items()
                if name in self.zones
            )
            notes.append(
                f"zones by their abbreviations: {told}; where that is wrong, put the abbreviation into "
                "--time-format and say the zone with --time-zone (in Python: time_format=, time_zone=)"
            )
        return notes


def check_time_zone(zone: str | None, /) -> None:
    """Raise `UsageError` unless `zone` is None or a name of the IANA time zone database."""
    if zone is not None and not _is_zone(zone):
        near = did_you_mean(zone, sorted(available_timezones()))
        raise UsageError(
            f"{zone!r} is no zone of the IANA database{near}; give one such as Europe/Paris or UTC",
            option="time_zone",
        )


def _is_zone(name: str) -> bool:
    try:
        pl.Series([None], dtype=pl.Datetime("ms")).dt.replace_time_zone(name)
    except pl.exceptions.PolarsError:
        return False
    return name != ""


def to_utc(local: pl.Series, zone: str | None, /, *, counts: ClockCounts | None = None) -> pl.Series:
    """Return local times in UTC.

    Parameters
    ----------
    local
        Times without a zone, `Datetime`.
    zone
        By whose clocks, an IANA name; None takes them for UTC.
    counts
        Is added to.

    Returns
    -------
    pl.Series
        `Datetime` in UTC. Of two times that a clock shows alike, the earlier; a time that it never shows is
        read as by a clock that was not put forward.
    """
    if zone is None:
        return local.dt.replace_time_zone("UTC")
    once = _by_clock(local, zone, "null")
    if once.null_count() == local.null_count():
        return once
    earlier = _by_clock(local, zone, "earliest")
    if counts is not None:
        counts.doubled += once.null_count() - earlier.null_count()
        counts.skipped += earlier.null_count() - local.null_count()
    # A day before, the clocks had not been put forward yet.
    day = timedelta(days=1)
    return earlier.zip_with(earlier.is_not_null(), _by_clock(local - day, zone, "earliest") + day)


def _by_clock(local: pl.Series, zone: str, doubled: str) -> pl.Series:
    times = local.dt.replace_time_zone(zone, ambiguous=doubled, non_existent="null")  # type: ignore[arg-type]
    return times.dt.convert_time_zone("UTC")


def _shown(minutes: int) -> str:
    return f"UTC{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
