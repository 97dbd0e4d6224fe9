"""What can go wrong, said once and so that a person can act on it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from difflib import get_close_matches


class PropgraphError(Exception):
    """The root of every error that propgraph raises on purpose.

    The message names the place (file, row, column), what was found there and what to do about it.
    `exit_code` is what the command line ends with: 1 for bad data, 2 for bad usage.
    """

    exit_code = 1


class InputError(PropgraphError):
    """A log, a table or a column that cannot be used."""


class StudyError(PropgraphError):
    """A study folder that is missing, incomplete, in the way, or made by something else."""


class UsageError(PropgraphError):
    """An option or argument whose value makes no sense."""

    exit_code = 2


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `" (did you mean 'x'?)"` for the known word nearest to `name`, or an empty string."""
    near = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" (did you mean {near[0]!r}?)" if near else ""


def check_choice(option: str, value: str, known: Iterable[str]) -> None:
    """Raise `UsageError` unless `value` is one of the `known` words of `option`."""
    known = list(known)
    if value not in known:
        raise UsageError(f"{option}: {value!r} is not one of {', '.join(known)}{did_you_mean(value, known)}")


def check_at_least(option: str, value: float, least: float) -> None:
    """Raise `UsageError` unless `value` is a number of at least `least`."""
    if not value >= least:
        raise UsageError(f"{option}: {value} is too small; give {least} or more")


def check_seed(seed: int) -> None:
    """Raise `UsageError` unless igraph and leidenalg take this seed."""
    if not 0 <= seed < 1 << 31:
        raise UsageError(f"seed: {seed} is not in 0..2147483647")


def check_threads(threads: int | None) -> int:
    """Return the number of threads, one a processor for None; raise `UsageError` where it is less than 1."""
    check_at_least("threads", 1 if threads is None else threads, 1)
    return threads or os.cpu_count() or 1
