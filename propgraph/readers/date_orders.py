"""Dates in numbers over the files of a log: which number is the day, and what a user has to know of times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from propgraph.readers.rows import FileFacts
from propgraph.readers.times.times import Readings


def orders_by_others(
    formats: Sequence[str], files: Sequence[FileFacts], /
) -> Iterator[tuple[int, FileFacts]]:
    """Yield the files that must be read again, and by what: in the order that others of their format show.

    Parameters
    ----------
    formats
        The reader of each file.
    files
        What all rows of each file said. Of a file whose rows cannot tell the order of its dates, it is noted where
        other files tell it: one of them alone, or all together that cannot tell alone.
    """
    known: dict[tuple[str, str], set[str]] = {}
    open_: dict[tuple[str, str], Readings] = {}
    for format, facts in zip(formats, files, strict=True):
        for name, readings in facts.readings.items():
            if readings.by_rows is not None:
                known.setdefault((format, name), set()).add(readings.by_rows)
            else:
                open_.setdefault((format, name), Readings()).fits.update(readings.fits)
    for k, (format, facts) in enumerate(zip(formats, files, strict=True)):
        others = {}
        for name, readings in facts.readings.items():
            if readings.by_rows is not None:
                continue
            shown = known.get((format, name)) or set(open_[format, name].best)
            orders = [order for order in readings.best if order in shown]
            if not orders or (len(shown) > 1 and (format, name) in known):
                continue
            if len(orders) < len(readings.best):
                facts.by_others.add(name)
            others[name] = replace(facts.units[name], order=orders[0])
        if any(unit != facts.units[name] for name, unit in others.items()):
            yield k, facts.again(units=facts.units | others, use_ids=facts.use_ids, by_others=facts.by_others)


def notes_on_times(facts: FileFacts, /) -> list[str]:
    """Return what a user has to know of how the times of a file were read, in sentences."""
    notes = [(name, unit.rounding.note) for name, unit in facts.units.items()]
    notes += [(name, _on_order(facts, name)) for name in facts.readings]
    notes += [(name, note) for name, clock in facts.clocks.items() for note in clock.notes(facts.times.zone)]
    return [f"{name}: {note}" for name, note in notes if note is not None]


def _on_order(facts: FileFacts, name: str) -> str | None:
    """Return what to tell of dates that could be read in another order as well; None where they could not."""
    taken = facts.units[name]
    as_well = facts.readings[name].as_well(taken.order)
    if not as_well:
        return None
    how = "so do other files here" if name in facts.by_others else "the rows cannot tell"
    others = " and ".join(
        f"as {taken.name_in(order)} as many rows fit ({n:,} rows then have another time)"
        for order, n in as_well.items()
    )
    return (
        f"read as {taken.name}, {how}; {others}; where that is wrong, say how they are written with --time-format "
        "(in Python: time_format=)"
    )
