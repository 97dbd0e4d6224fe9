"""Many draws of the same trees: the most likely parent, and how far the shapes range."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from propgraph.arrays.types import Float64, Int64, UInt64
from propgraph.cascades.parents import check_offsets, check_times, flat_array
from propgraph.cascades.shapes.shape import cascade_shapes
from propgraph.errors import UsageError

#: What is measured on each sample.
MEASURES = ("depth", "max_breadth", "structural_virality")

# Parents kept at a time (8 bytes each): memory stays below that whatever the number of samples.
_ROOM = 1 << 24


@dataclass(frozen=True)
class Nodes:
    """What every sampler needs to know of the nodes, in the flat table of `propgraph.cascades.parents`.

    Attributes
    ----------
    offsets
        Where each cascade begins, and the number of nodes at the end; rows, shape (cascades + 1,).
    time
        When each node was posted, in ms, never falling within a cascade; shape (nodes,).
    known
        Row of the parents that need no inference, -1 where one is to be drawn; shape (nodes,).
    keys
        A number for each cascade that tells its draws from others', see `cascade_keys`; shape (cascades,).
    """

    offsets: Int64
    time: Int64
    known: Int64
    keys: UInt64

    def __post_init__(self) -> None:
        time = flat_array("time", self.time, np.int64)
        object.__setattr__(self, "time", time)
        object.__setattr__(self, "offsets", flat_array("offsets", self.offsets, np.int64))
        object.__setattr__(self, "known", flat_array("known", self.known, np.int64, size=time.size))
        check_offsets(self.offsets, time.size)
        object.__setattr__(self, "keys", flat_array("keys", self.keys, np.uint64, size=self.offsets.size - 1))
        check_times(self.offsets, time)

    def known_in(self, part: slice) -> Int64:
        """Return the known parents of a run of rows, counted from its first row."""
        known = self.known[part]
        return np.where(known < 0, -1, known - part.start)

    def part(self, first: int, last: int, samples: range) -> Drawn:
        """Return empty arrays for draws of the cascades `first:last`."""
        n_nodes = int(self.offsets[last] - self.offsets[first])
        room = n_nodes if len(samples) == 1 or n_nodes * len(samples) <= _ROOM else 0
        return Drawn(
            np.empty((len(samples), room), np.int64), np.empty(n_nodes, np.int64), np.empty(n_nodes, np.int64)
        )


@dataclass(frozen=True)
class Drawn:
    """Draws of some cascades; rows count from the first of these cascades' nodes.

    Attributes
    ----------
    parents
        Row of each node's parent in each sample, -1 at a root; shape (samples, nodes), or (samples, 0) where
        that is too large to hold.
    likeliest
        Row of the parent most often drawn, -1 at a root; shape (nodes,).
    times_drawn
        In how many samples; shape (nodes,).
    """

    parents: Int64
    likeliest: Int64
    times_drawn: Int64


class Sampler(Protocol):
    """Draws parents where none is known: `PDI` and `Learned`."""

    @property
    def nodes(self) -> Nodes:
        """The cascades."""

    def draw(self, first: int, last: int, /, *, samples: range, seed: int) -> Drawn:
        """Draw the parents of the cascades `first:last` in the samples numbered so."""


@dataclass(frozen=True)
class Ensemble:
    """What many draws say together.

    Attributes
    ----------
    parent
        Row of each node's representative parent, -1 at a root: the one most often drawn; shape (nodes,).
    support
        Part of the samples that drew it, 0 to 1; shape (nodes,).
    shapes
        For each of `MEASURES` (edges, posts, edges) `<measure>_mean`, `<measure>_median`, `<measure>_low` and
        `<measure>_high` over the samples, low and high being their 5 % and 95 % points; float64, shape
        (cascades,). NaN for the structural virality of a single node.
    """

    parent: Int64
    support: Float64
    shapes: dict[str, Float64]


def ensemble_shapes(sampler: Sampler, /, *, samples: int = 100, seed: int = 0) -> Ensemble:
    """Draw the parents many times and measure every draw's trees.

    The tree of the most likely parents is nobody's tree: it is flatter than the trees it stands for, since
    wherever several are likely the root is likeliest. Shapes are therefore to be read from the samples; the
    single parents serve where one must be named.

    Parameters
    ----------
    sampler
        The cascades and the law of their parents.
    samples
        How many trees to draw for each cascade; 1 or more.
    seed
        Where the draws begin; the same seed gives the same trees. 0 or more.

    Returns
    -------
    Ensemble
        A representative parent for each node, and the range of each cascade's shapes.

    Raises
    ------
    UsageError
        If `samples` or `seed` is out of its range.
    """
    if samples < 1:
        raise UsageError(f"{samples} is too small; give 1 or more", option="samples")
    if not 0 <= seed < 1 << 63:
        raise UsageError(f"{seed} is not in 0..2**63 - 1", option="seed")
    offsets = sampler.nodes.offsets
    n_nodes, n_cascades = int(offsets[-1]), offsets.size - 1
    parent, support = np.empty(n_nodes, np.int64), np.empty(n_nodes)
    shapes = {
        f"{name}_{of}": np.empty(n_cascades) for name in MEASURES for of in ("mean", "median", "low", "high")
    }
    for first, last in _parts(offsets, _ROOM // samples):
        rows = slice(offsets[first], offsets[last])
        drawn = sampler.draw(first, last, samples=range(samples), seed=seed)
        parent[rows] = np.where(drawn.likeliest < 0, -1, drawn.likeliest + rows.start)
        support[rows] = drawn.times_drawn / samples
        measured = _measured(sampler, first, last, drawn=drawn, samples=samples, seed=seed)
        for name, values in measured.items():
            shapes[f"{name}_mean"][first:last] = values.mean(axis=0)
            low, median, high = np.quantile(values, (0.05, 0.5, 0.95), axis=0)
            shapes[f"{name}_low"][first:last] = low
            shapes[f"{name}_median"][first:last] = median
            shapes[f"{name}_high"][first:last] = high
    return Ensemble(parent, support, shapes)


def _measured(
    sampler: Sampler, first: int, last: int, /, *, drawn: Drawn, samples: int, seed: int
) -> dict[str, Float64]:
    """Return each measure of each sample of the cascades `first:last`; shape (samples, cascades)."""
    offsets = sampler.nodes.offsets[first : last + 1] - sampler.nodes.offsets[first]
    measured = {name: np.empty((samples, last - first)) for name in MEASURES}
    step = samples if drawn.parents.shape[1] == offsets[-1] else max(1, _ROOM // int(offsets[-1]))
    for start in range(0, samples, step):
        numbers = range(start, min(start + step, samples))
        if step < samples:  # a cascade too large for all samples at once: some at a time
            drawn = sampler.draw(first, last, samples=numbers, seed=seed)
        for number, one in zip(numbers, drawn.parents, strict=True):
            shape = cascade_shapes(offsets, one)
            for name, values in measured.items():
                values[number] = shape[name]
    return measured


def _parts(offsets: Int64, room: int) -> Iterator[tuple[int, int]]:
    """Cut the cascades into runs of at most `room` nodes, or of one cascade that is larger."""
    first, n_cascades = 0, offsets.size - 1
    while first < n_cascades:
        last = int(np.searchsorted(offsets, offsets[first] + room, "right")) - 1
        last = min(max(last, first + 1), n_cascades)
        yield first, last
        first = last
