"""The grid of reasonable choices over which a study is gone through again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from propgraph.communities import WITH_RESOLUTION
from propgraph.options import LONGEST_WINDOW_S, ClusterOptions
from propgraph.synchrony.prepared import TAU

_Q = (0.01, 0.05, 0.2)
_TAU = (0.1, TAU)
_FACTORS = (0.5, 1.0, 2.0)


@dataclass(frozen=True)
class Setting:
    """One run's choices.

    Attributes
    ----------
    number
        0 is the study's own.
    without
        Trace left out; None for none.
    time_window
        Seconds.
    tau, neighbours, q, resolution
        As for `rank_synchrony` and `find_clusters`.
    drawn
        Only objects that were drawn count.
    seed
        Of the communities, and together with `number` of the draw.
    """

    number: int
    without: str | None
    time_window: float
    tau: float
    neighbours: int
    q: float
    resolution: float
    drawn: bool
    seed: int

    def draw(self, n_objects: int, trace: int, /) -> np.ndarray:
        """Return bool[n_objects]; the objects that count in the trace of this number."""
        if not self.drawn:
            return np.ones(n_objects, np.bool_)
        draw = np.random.default_rng([self.seed, self.number, trace])
        kept = np.zeros(n_objects, np.bool_)
        kept[draw.integers(0, max(n_objects, 1), n_objects)] = True
        return kept


@dataclass(frozen=True)
class Grid:
    """The levels of each choice that is varied, the study's own first, and the runs.

    Attributes
    ----------
    levels
        Name of the choice to its levels.
    settings
        The runs; the first is the study's own.
    """

    levels: dict[str, list[Any]]
    settings: list[Setting]

    def labels(self, setting: Setting, /) -> list[str]:
        """Return a run's levels in words, `choice=level`."""
        return [f"{name}={shown(name, getattr(setting, name))}" for name in self.levels]


def grid_of(
    traces: list[str], choices: ClusterOptions, /, *, time_window: float, runs: int, seed: int
) -> Grid:
    """Return a balanced grid of `runs` runs around a study's choices.

    A Latin hypercube over levels: in the runs after the first, each level of a choice stands in equally many
    (but for one), and the choices are shuffled independently of each other. Every run has its own seed of the
    communities, and every run with drawn objects its own draw.

    Parameters
    ----------
    traces
        The traces of the network.
    choices
        The study's own.
    time_window
        The study's own, in seconds.
    runs
        Number of runs, the first included.
    seed
        Of the grid and the draws.

    References
    ----------
    McKay, Beckman and Conover, "A Comparison of Three Methods for Selecting Values of Input Variables",
    Technometrics 21 (1979).
    """
    levels: dict[str, list[Any]] = {"without": [None, *(traces if len(traces) > 1 else [])]}
    if choices.evidence != "synchrony":
        wide = [min(factor * time_window, LONGEST_WINDOW_S) for factor in _FACTORS]
        levels["time_window"] = _around(time_window, wide)
    if choices.evidence != "window":
        levels["tau"] = _around(TAU, _TAU)
        near = [max(1, round(factor * choices.neighbours)) for factor in _FACTORS]
        levels["neighbours"] = _around(choices.neighbours, near)
        levels["q"] = _around(choices.q, _Q)
    if choices.partition is None or choices.partition in WITH_RESOLUTION:
        fine = [factor * choices.resolution for factor in _FACTORS]
        levels["resolution"] = _around(choices.resolution, fine)
    levels["drawn"] = [False, True]
    levels = {name: found for name, found in levels.items() if len(found) > 1}
    own = Setting(
        0, None, time_window, TAU, choices.neighbours, choices.q, choices.resolution, False, choices.seed
    )
    draw = np.random.default_rng(seed)
    columns = {
        name: [found[k] for k in draw.permutation(np.arange(runs - 1) % len(found))]
        for name, found in levels.items()
    }
    settings = [own]
    for k in range(1, runs):
        varied = {name: column[k - 1] for name, column in columns.items()}
        settings.append(Setting(**{**vars(own), **varied, "number": k, "seed": (seed + k) % (1 << 31)}))
    return Grid(levels, settings)


def shown(name: str, level: Any, /) -> str:
    """Return a level of a choice in words."""
    if name == "without":
        return level or "none"
    if name == "drawn":
        return "yes" if level else "no"
    return f"{level:.10g}"


def _around(own: Any, levels: Any) -> list[Any]:
    return [own, *sorted(set(levels) - {own})]
