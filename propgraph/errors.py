"""What can go wrong, said once and so that a person can act on it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from importlib.util import find_spec
from types import MappingProxyType

LARGEST = (1 << 31) - 1  # for counts
LARGEST_SEED = (1 << 63) - 1  # for seeds of numpy's generators; igraph takes less, see `check_seed`
_SHOWN = 50  # names of columns; a table of thousands is not told in full


class PropgraphError(Exception):
    """The root of every error that propgraph raises on purpose.

    The message names the place (file, row, column), what was found there and what to do about it.
    `exit_code` is what the command line ends with: 1 for bad data, 2 for bad usage.

    Parameters
    ----------
    message
        What is wrong, without the name of the option.
    option
        The Python name of the parameter that is to blame, where there is one: `str(error)` begins with it. The
        command line alone writes `--min-score` for `min_score` (see `cli.app`).

    Examples
    --------
    >>> import propgraph as pg
    >>> try:
    ...     pg.read_log("nowhere.csv")
    ... except pg.PropgraphError as error:
    ...     print(type(error).__name__, error.exit_code, error, sep=" | ")
    InputError | 1 | nowhere.csv: no such file or folder
    """

    exit_code = 1

    def __init__(self, message: str, /, *, option: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.option = option

    def __str__(self) -> str:
        return self.message if self.option is None else f"{self.option}: {self.message}"


class InputError(PropgraphError):
    """A log, a table or a column that cannot be used.

    Examples
    --------
    >>> import polars as pl
    >>> import propgraph as pg
    >>> try:
    ...     pg.to_igraph(pl.DataFrame({"from": ["ana"], "target": ["bo"]}))
    ... except pg.InputError as error:
    ...     print(error)
    edges: no column 'source'; found from, target; rename or add what is missing
    """


class UnknownColumnsError(InputError):
    """Columns that no reader knows: what they likely are, to be confirmed by the user.

    Attributes
    ----------
    mapping
        Canonical name to column, as `propgraph.build` takes it; `COLUMN` where the user has to say.
    new
        What of it the user has not said yet.
    lines
        What to show below the message, a line each: what is likely what, and a cell of each.
    details
        What else was tried, for those who ask.

    Examples
    --------
    >>> import polars as pl
    >>> import propgraph as pg
    >>> rows = [(who, "2024-03-05 10:00", "https://mill.example/1") for who in ("ana", "bo", "ana")]
    >>> log = pl.DataFrame(rows, schema=["qui", "quand", "lien"], orient="row")
    >>> try:
    ...     pg.read_log(log)
    ... except pg.UnknownColumnsError as error:
    ...     print(error.mapping)
    {'account_id': 'qui', 'timestamp': 'quand', 'url': 'lien'}
    """

    def __init__(
        self,
        message: str,
        /,
        *,
        details: str = "",
        mapping: Mapping[str, str] = MappingProxyType({}),
        new: Mapping[str, str] = MappingProxyType({}),
        lines: Iterable[str] = (),
    ) -> None:
        super().__init__(message)
        self.details = details
        self.mapping, self.new = dict(mapping), dict(new)
        self.lines = list(lines)

    def __str__(self) -> str:
        offered = [f"If that is right: mapping={self.mapping}"] if self.new else []
        return "\n".join([self.message, *self.lines, *offered])


class StudyError(PropgraphError):
    """A study folder that is missing, incomplete, in the way, or made by something else.

    Examples
    --------
    >>> import polars as pl
    >>> import propgraph as pg
    >>> log = [{"account_id": who, "timestamp": 1_700_000_000, "url": "https://a.example/1"} for who in ("ana", "bo")]
    >>> study = pg.build(pl.DataFrame(log), "study", mapping={"auto": "auto"})
    >>> try:
    ...     study.clusters
    ... except pg.StudyError as error:
    ...     print(error)
    study: no table 'clusters' yet; run `propgraph clusters` first (in Python: propgraph.find_clusters)
    """


class UsageError(PropgraphError):
    """An option or argument whose value makes no sense.

    Examples
    --------
    >>> import propgraph as pg
    >>> try:
    ...     pg.simulate_veles(strength=0)
    ... except pg.UsageError as error:
    ...     print(error, error.option, error.exit_code, sep=" | ")
    strength: 0 is too small; give 0.1 or more | strength | 2
    """

    exit_code = 2


def check_extra(library: str, /, *, extra: str, what: str, option: str) -> None:
    """Raise `UsageError`, with the line to type, where a library is not installed that only an extra brings."""
    if find_spec(library) is None:
        raise UsageError(f"{what} a library: pip install 'propgraph[{extra}]'", option=option)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `" (did you mean 'x'?)"` for the known word nearest to `name`, or an empty string."""
    near = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" (did you mean {near[0]!r}?)" if near else ""


def listed(names: Iterable[str], /, *, shown: int = _SHOWN) -> str:
    """Return names as one line, however many and however long they are."""
    names = list(names)
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return (", ".join(name[:80] for name in names[:shown]) + more) or "none"


def lacking(
    where: str,
    needed: Iterable[str],
    found: Iterable[str],
    /,
    *,
    advice: str = "rename or add what is missing",
) -> list[str]:
    """Return one sentence on the columns that are needed and not there, or an empty list where all are.

    Parameters
    ----------
    where
        The file, or what the frame is called.
    needed, found
        Names of columns.
    advice
        What to do.
    """
    found = list(found)
    absent = [f"{name!r}{did_you_mean(name, found)}" for name in needed if name not in found]
    if not absent:
        return []
    return [f"{where}: no column {', no column '.join(absent)}; found {listed(found)}; {advice}"]


def check_columns(where: str, needed: Iterable[str], found: Iterable[str], /) -> None:
    """Raise `InputError` unless all columns that are `needed` are among those `found`."""
    if faults := lacking(where, needed, found):
        raise InputError(faults[0])


def check_choice(option: str, value: str, known: Iterable[str]) -> None:
    """Raise `UsageError` unless `value` is one of the `known` words of `option`."""
    known = list(known)
    if value not in known:
        raise UsageError(
            f"{value!r} is not one of {', '.join(known)}{did_you_mean(value, known)}", option=option
        )


def check_at_least(option: str, value: float, least: float, /, *, most: float = LARGEST) -> None:
    """Raise `UsageError` unless `value` is a number of at least `least`, and one that arrays can hold."""
    if not value >= least:
        raise UsageError(f"{value} is too small; give {least} or more", option=option)
    if value > most:
        raise UsageError(f"{value} is too large; give {most} or less", option=option)


def check_seed(seed: int) -> None:
    """Raise `UsageError` unless igraph and leidenalg take this seed."""
    if not 0 <= seed < 1 << 31:
        raise UsageError(f"{seed} is not in 0..2147483647", option="seed")


def check_threads(threads: int | None) -> int:
    """Return the number of threads, one a processor for None; raise `UsageError` where it is less than 1."""
    check_at_least("threads", 1 if threads is None else threads, 1)
    return threads or os.cpu_count() or 1
