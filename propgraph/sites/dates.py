"""When sites were registered, as registers and tables write it, in one form."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import polars as pl

from propgraph.errors import InputError
from propgraph.readers.times.times import Readings, find_time_unit

#: The fact that is a date.
REGISTERED = "registered"
# No site is older than the first domain of all, and none is younger than whoever reads.
_FIRST = datetime(1985, 3, 15, tzinfo=UTC)
_EXAMPLES = 3


def with_days(facts: pl.DataFrame, /) -> tuple[pl.DataFrame, int, list[str]]:
    """Return facts with the dates of registration as ISO 8601 days, how many cannot be read, and what to tell of that.

    Read is whatever the time of a post may be written as; which of the numbers of `03/05/2016` is the month, all dates
    of the table decide. What is no date, or none that a site can have, stays as written and counts as not known.

    Parameters
    ----------
    facts
        `site, fact, value`, of one table.
    """
    is_date = facts["fact"] == REGISTERED
    written = facts["value"].filter(is_date)
    if written.is_empty():
        return facts, 0, []
    days, note = _days(written)
    n_unread = days.null_count()
    notes = [] if note is None else [note]
    if n_unread:
        some = written.filter(days.is_null()).unique(maintain_order=True).head(_EXAMPLES).to_list()
        notes.append(
            f"{n_unread:,} of {len(written):,} dates of registration cannot be read "
            f"({', '.join(repr(text[:60]) for text in some)}{', ...' if n_unread > len(some) else ''}); these sites "
            "count as of unknown age: write dates as 2016-01-31"
        )
    told = facts["value"].scatter(is_date.arg_true(), days.fill_null(written))
    return facts.with_columns(told), n_unread, notes


def _days(written: pl.Series) -> tuple[pl.Series, str | None]:
    """Return days as text, null where there is none, and what to tell of the order of their numbers."""
    none = pl.Series(written.name, [None] * len(written), pl.String)
    try:
        unit = find_time_unit(written, column=REGISTERED, source="")
    except InputError:
        return none, None
    between = (_FIRST, datetime.now(UTC))
    read = unit.read(written)
    note = None
    if len(read) > 1:
        readings = Readings()
        readings.add(read, between=between)
        unit = replace(unit, order=readings.best[0])
        as_well = readings.as_well(unit.order)
        if as_well:
            other, n = max(as_well.items(), key=lambda one: one[1])
            note = (
                f"dates of registration are read as {unit.order} (month, day and year by their letters), and {n:,} "
                f"would be another day as {other}: no date of the table tells which; write dates as 2016-01-31"
            )
    times = unit.own(read)
    days = times.dt.strftime("%Y-%m-%d")
    return days.zip_with(times.is_between(*between).fill_null(False), none), note
