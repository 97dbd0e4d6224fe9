"""What to tell of times that are coarse: how near two posts are known to be, and what a window makes of them."""

from __future__ import annotations

from collections.abc import Sequence

from propgraph.readers.times.fineness import Fineness

_UNITS = {"day": 86_400, "hour": 3600, "minute": 60, "second": 1}
_NAMED = {seconds: name for name, seconds in _UNITS.items()}
_SHOWN = 3


def coarse_notes(times: Sequence[Fineness], /, *, time_window: float) -> list[str]:
    """Return what a user has to know of times that a window (s) is not wider than.

    One sentence where all files are alike; else one for each resolution, the coarsest first, that names the files.
    """
    known = [one for one in times if one.resolution_s is not None]
    steps = sorted({one.resolution_s for one in known if one.resolution_s is not None}, reverse=True)
    coarse = [step for step in steps if step >= 1 and time_window <= step]
    if not coarse:
        return []
    if len(steps) == 1 and len(known) == len(times):
        return [coarse_note(time_window, steps[0])]
    return [
        _coarser_note([one for one in known if one.resolution_s == step], time_window, step)
        for step in coarse
    ]


def coarse_note(time_window: float, resolution_s: float, /) -> str:
    """Return what a user has to know where all times are no finer than a window (s)."""
    finer = (
        "" if resolution_s == 1 else "; flags that need finer times (within-seconds, for one) are left out"
    )
    return (
        f"times are {steps(resolution_s)}: a window of {time_window:g} s cannot tell anything finer, and takes two "
        f"posts {_met(time_window, resolution_s)} for a co-share{finer}"
    )


def _coarser_note(times: list[Fineness], time_window: float, resolution_s: float) -> str:
    """Return what a user has to know of the files whose times are coarser than others'."""
    n = sum(one.n_posts for one in times)
    more = f" and {len(times) - _SHOWN} more" if len(times) > _SHOWN else ""
    some = any(one.n_accounts is not None for one in times)
    why = " (where some posts of a file: it was put together of several, or they were made by a schedule)"
    told = (
        f"{', '.join(one.what for one in times[:_SHOWN])}{more}: times are {steps(resolution_s)}, and other times "
        f"are finer{why if some else ''}: these {n:,} posts count in who shares what; "
    )
    if time_window < resolution_s:
        return told + (
            f"in time they are compared with each other only, and two of them {_same(resolution_s)} count as a "
            "co-share; flags that need finer times (within-seconds, for one) do not go by them"
        )
    return told + f"two of them {_met(time_window, resolution_s)} count as a co-share"


def steps(resolution_s: float, /) -> str:
    """Return a resolution (s) in words: `whole hours`, `steps of 15 minutes`."""
    name = _name(resolution_s)
    return f"steps of {_span(resolution_s)}" if name is None else f"whole {name}s"


def _name(resolution_s: float) -> str | None:
    return _NAMED.get(round(resolution_s)) if resolution_s == round(resolution_s) else None


def _span(seconds: float) -> str:
    for name, unit in _UNITS.items():
        if unit > 1 and seconds % unit == 0:
            n = round(seconds / unit)
            return f"{n:,} {name}{'s' if n > 1 else ''}"
    return f"{seconds:,.0f} s" if seconds == round(seconds) else f"{seconds:,} s"


def _same(resolution_s: float) -> str:
    name = _name(resolution_s)
    if name is None:
        return f"in the same {_span(resolution_s)}"
    return f"{'on' if name == 'day' else 'in'} the same {name}"


def _met(time_window: float, resolution_s: float) -> str:
    """Return in words which posts the window puts together."""
    if time_window < resolution_s:
        return _same(resolution_s)
    name = _name(resolution_s)
    if name == "day":
        return f"{_same(resolution_s)} or on the next"
    return f"{_same(resolution_s)} or in {'steps' if name is None else f'{name}s'} next to each other"
