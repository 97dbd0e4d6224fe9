"""The options of the jobs, each once: its default, its range and its help.

The functions of the jobs, the command line, `run.json` and the grid of `propgraph stability` all read them here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import Field, asdict, dataclass, field, fields
from typing import Any

from propgraph.errors import LARGEST, LARGEST_SEED, UsageError, check_at_least, check_choice, check_seed

Check = Callable[[str, Any], None]

EVIDENCE_KINDS = ("both", "synchrony", "window")
EDGE_WEIGHTS = ("objects", "events")
OBJECTIVES = ("modularity", "CPM")
PARTITIONS = ("Modularity", "CPM", "RBConfiguration", "RBER", "Significance", "Surprise")
PROVIDERS = ("observed", "follow", "pdi", "learned", "star")
#: The longest window: a hundred years, in seconds.
LONGEST_WINDOW_S = 3.2e9
#: In place of a time window: the log chooses it; see `cosharing.choice`.
AUTO = "auto"
#: As many pairs of posts as the first look at an edge counts.
MANY = 2**31 - 2


def option(default: Any, help: str, /, *, metavar: str | None = None, check: Check | None = None) -> Any:
    """Return a field of an `Options` class.

    Parameters
    ----------
    default
        The value where nobody says another.
    help
        One sentence or two for `--help`.
    metavar
        What stands for the value there; None for a switch.
    check
        Raises `UsageError` for a value out of range.
    """
    return field(default=default, metadata={"help": help, "metavar": metavar, "check": check})


def one_of(*known: str | None) -> Check:
    """Return a check that a value is one of some words; with None among them, that there may be none."""

    def check(name: str, value: Any) -> None:
        if value is not None or None not in known:
            check_choice(name, value, [word for word in known if word is not None])

    return check


def at_least(least: float, /, *, at_most: float = LARGEST) -> Check:
    """Return a check that a number is of a size."""

    def check(name: str, value: Any) -> None:
        check_at_least(name, value, least, most=at_most)

    return check


def between(words: str, within: Callable[[float], bool], /, *, unit: str = "") -> Check:
    """Return a check that a number is in a range, which `words` name."""

    def check(name: str, value: Any) -> None:
        if not within(value):
            raise UsageError(f"{value}{unit} is not in {words}", option=name)

    return check


def each(check: Check, /) -> Check:
    """Return a check that there are some values, and that each passes another check."""

    def every(name: str, values: Any) -> None:
        if not len(values):
            raise UsageError("no value; give one or more", option=name)
        for value in values:
            check(name, value)

    return every


def or_word(word: str, check: Check, /) -> Check:
    """Return a check that a value is a word, or passes another check, or that all of several do."""

    def either(name: str, value: Any) -> None:
        if isinstance(value, str):
            check_choice(name, value, [word])
        elif isinstance(value, Sequence):
            if not value:
                raise UsageError("give one or several", option=name)
            for one in value:
                if isinstance(one, str):
                    raise UsageError(
                        f"{one!r} is not one of several; give numbers, or {word} alone", option=name
                    )
                check(name, one)
        else:
            check(name, value)

    return either


@dataclass(frozen=True)
class Options:
    """A set of options that go together; made, they are in range.

    Raises
    ------
    UsageError
        When a value is out of its range.
    """

    def __post_init__(self) -> None:
        self.check(**{one.name: getattr(self, one.name) for one in fields(self)})

    @classmethod
    def spec(cls, name: str, /) -> Field[Any]:
        """Return what is said of an option, in its `default` and its `metadata`."""
        return {one.name: one for one in fields(cls)}[name]

    @classmethod
    def check(cls, **values: Any) -> None:
        """Raise `UsageError` where one of these values is out of range; for functions that take some of the options."""
        for name, value in values.items():
            if (check := cls.spec(name).metadata["check"]) is not None:
                check(name, value)

    def record(self) -> dict[str, Any]:
        """Return the options for `run.json`."""
        return asdict(self)


def same(of: type[Options], name: str, /) -> Any:
    """Return an option of another set as a field of this one."""
    spec = of.spec(name)
    return field(default=spec.default, metadata=spec.metadata)


@dataclass(frozen=True)
class WindowOptions(Options):
    """How edges are found in the time window; see `cosharing_edges`."""

    time_window: float | str | Sequence[float] = option(
        60.0,
        "Two shares this close are a co-share: 60s, 5m, 1h; auto: as long as the objects that are shared again soonest "
        "take to get half of their shares. Several (60s,10m,1h): the shortest is that of the edges; in the wider ones "
        "clusters looks for crowds whose whole bursts are theirs.",
        metavar="TIME",
        check=or_word(
            AUTO,
            between(f"0..{LONGEST_WINDOW_S:g} (a hundred years)", lambda s: 0 <= s <= LONGEST_WINDOW_S, unit=" s"),
        ),
    )  # fmt: skip
    min_participation: int = option(
        2, "An account needs N shares, and N of them in some pair at one end of each edge.", metavar="N",
        check=at_least(1),
    )  # fmt: skip
    min_edge_weight: int = option(
        2, "Keep edges of weight N or more.", metavar="N", check=at_least(1, at_most=MANY)
    )
    edge_weight: str = option(
        "objects",
        "What the weight counts, and so the minimum and the quantile: distinct objects, or pairs of posts.",
        metavar="|".join(EDGE_WEIGHTS), check=one_of(*EDGE_WEIGHTS),
    )  # fmt: skip
    edge_quantile: float = option(
        0.0, "Keep edges whose weight lies strictly above this quantile of all weights; 0 keeps all.",
        metavar="Q", check=between("0 <= q < 1", lambda q: 0 <= q < 1),
    )  # fmt: skip
    # The busiest of the logs at hand have 650 (ten million made-up shares) and 530 accounts (retweets of rumours, 2015)
    # at one object within a minute: these are still paired one by one.
    burst_cap: int = option(
        1_000,
        "Where more than N accounts share an object within the window, an even sample of their pairs is looked at for "
        "edges, and it is reported; 0 looks at all pairs.",
        metavar="N", check=at_least(0),
    )  # fmt: skip

    @property
    def seconds(self) -> float:
        """The window of the edges (s), once it is no word any more (see `cosharing.choice.settled`)."""
        return self.windows[0]

    @property
    def windows(self) -> tuple[float, ...]:
        """All windows (s), ascending, each once."""
        several = self.time_window if isinstance(self.time_window, Sequence) else [self.time_window]
        return tuple(sorted({float(one) for one in several}))


@dataclass(frozen=True)
class ClockOptions(Options):
    """What is done about platforms, or files, whose clocks differ; see `clocks.find_clocks`."""

    align_clocks: bool = option(
        False,
        "Where two platforms (or files) differ by a whole number of quarters of an hour, as clocks of two time zones "
        "do, move the times of the smaller one to the clock of the one with most posts. Without it, it is only told.",
    )


@dataclass(frozen=True)
class CascadeOptions(Options):
    """Where the parents that a log does not name come from; see `build_cascades`."""

    parents: str | None = option(
        None,
        "Who gives the parents that the log does not name, in cascades: who follows whom (--follows), draws by "
        "followers and delay (pdi), or by a law fitted to observed trees (learned).  [default: the root]",
        metavar="|".join(PROVIDERS), check=one_of(None, *PROVIDERS),
    )  # fmt: skip
    samples: int = option(100, "Trees drawn for each cascade (pdi, learned).", metavar="N", check=at_least(1))
    seed: int = option(0, "Where the draws begin.", metavar="N", check=at_least(0, at_most=LARGEST_SEED))


@dataclass(frozen=True)
class SynchronyOptions(Options):
    """When two posts are near each other in rank, and which pairs are kept; see `rank_synchrony`."""

    tau: float = option(
        0.2, "Chance up to which two posts count as near.", metavar="X",
        check=between("0 < tau < 1", lambda tau: 0 < tau < 1),
    )  # fmt: skip
    neighbours: int = option(
        50, "Nearness is looked for among N posts of an object before and after each.", metavar="N",
        check=at_least(1),
    )  # fmt: skip
    max_p: float = option(
        0.01, "Pairs are kept up to this p-value.", metavar="X",
        check=between("0 < p <= 1", lambda p: 0 < p <= 1),
    )  # fmt: skip


@dataclass(frozen=True)
class ClusterOptions(Options):
    """How clusters are looked for and flagged; see `find_clusters`."""

    evidence: str = option(
        "both",
        "What finds clusters: pairs nearer in rank than chance puts them, co-shares in the window, or the first and "
        "then the second among the rest.",
        metavar="|".join(EVIDENCE_KINDS), check=one_of(*EVIDENCE_KINDS),
    )  # fmt: skip
    q: float = option(
        0.05, "False discovery rate up to which pairs are called synchronised.", metavar="X",
        check=between("0 < q < 1", lambda q: 0 < q < 1),
    )  # fmt: skip
    neighbours: int = same(SynchronyOptions, "neighbours")
    multiplex: bool = option(
        False, "Take the traces as layers, not as one joint network; with pip install 'propgraph[leidenalg]'."
    )
    objective: str = option(
        "modularity",
        "What Leiden optimises, by igraph.",
        metavar="|".join(OBJECTIVES),
        check=one_of(*OBJECTIVES),
    )
    resolution: float = option(
        1.0, "Higher gives smaller communities.", metavar="X",
        check=between("0 <= resolution < infinity", lambda x: 0 <= x < math.inf),
    )  # fmt: skip
    partition: str | None = option(
        None,
        "A quality of leidenalg's instead: Surprise, Significance, RBConfiguration, RBER, Modularity, CPM; "
        "with pip install 'propgraph[leidenalg]'.",
        metavar="NAME", check=one_of(None, *PARTITIONS),
    )  # fmt: skip
    seed: int = option(0, "Of Leiden, draws and layout.", metavar="N", check=lambda _, seed: check_seed(seed))
    min_size: int = option(3, "Leave out smaller communities.", metavar="N", check=at_least(1))
    min_score: float = option(
        0.5, "Flag clusters and sites from this score on, 0..1.", metavar="X",
        check=between("0..1", lambda score: 0 <= score <= 1),
    )  # fmt: skip


@dataclass(frozen=True)
class PowerOptions(Options):
    """Which crews are planted to see whether they would be found; see `measure_power`."""

    sizes: tuple[int, ...] = option(
        (5, 10, 20, 50), "Accounts of a crew.", metavar="N,N,...", check=each(at_least(2, at_most=100_000))
    )
    objects: tuple[int, ...] = option(
        (4, 6, 10, 20), "Objects that its members have in common.", metavar="N,N,...", check=each(at_least(1))
    )
    spans: tuple[float, ...] = option(
        (60.0, 1_800.0, 21_600.0), "Within how long of each other its members post each of them.",
        metavar="TIME,TIME,...",
        check=each(between("0..3e+07 (a year)", lambda s: 0 <= s <= 3e7, unit=" s")),
    )  # fmt: skip
    turnout: float = option(
        1.0, "The part of a crew that posts each of them, drawn anew each time; two accounts at least.", metavar="X",
        check=between("0 < turnout <= 1", lambda x: 0 < x <= 1),
    )  # fmt: skip
    runs: int = option(10, "Crews of each kind.", metavar="N", check=at_least(1, at_most=100_000))
    seed: int = option(0, "Of the crews.", metavar="N", check=lambda _, seed: check_seed(seed))
