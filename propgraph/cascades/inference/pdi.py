"""Parents drawn by probabilistic diffusion inference: how many follow a sharer, and how long ago it shared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from propgraph.arrays.kernels import kernel
from propgraph.arrays.types import Float64, Int64, UInt64
from propgraph.cascades.inference.draws import most_drawn, node_key, place_in, uniform
from propgraph.cascades.inference.ensemble import Drawn, Nodes
from propgraph.errors import UsageError

#: DeVerna et al. try gamma .25, .5, .75 and alpha 1.1, 1.5, 2, 2.5, 3 and prefer none; these are the middle.
GAMMA, ALPHA = 0.5, 2.0

# Two levels of delay an octave, from 1 s up: 72 reach beyond two thousand years.
_LEVELS = 72


@dataclass(frozen=True)
class PDI:
    """Draws parents after DeVerna et al.

    Node i hangs under an earlier node j of its cascade with probability
    gamma f_j / sum(f) + (1 - gamma) g(t_i - t_j) / sum(g), where f counts followers and g(s) is
    max(s, 1 s) ** -alpha. The draws follow this law exactly. The first part is a search in the cumulated
    followers. For the second, earlier nodes are kept in levels of delay, two an octave: a level is drawn by
    its number of nodes times its greatest g, a node of it evenly, and kept with chance g / greatest g
    (at least 2 ** (-alpha / 2)). So a node costs the number of levels, not the nodes above it.

    Where all followers are 0 the delay alone decides. The authors' code adds 0.1 s to a delay where x_min
    is used here; it matters below a few seconds only.

    Attributes
    ----------
    nodes
        The cascades.
    followers
        Followers of each node's account, not negative; shape (nodes,).
    gamma
        Weight of the followers, 0 to 1.
    alpha
        Exponent of the delay, above 0 and at most 20.

    References
    ----------
    DeVerna, M. R., Pierri, F., Aiyappa, R., Pacheco, D., Bryden, J., & Menczer, F. (2024). Information
    diffusion assumptions can distort our understanding of social network dynamics. arXiv:2410.21554.
    """

    nodes: Nodes
    followers: Float64
    gamma: float = GAMMA
    alpha: float = ALPHA

    def __post_init__(self) -> None:
        if not 0.0 <= self.gamma <= 1.0:
            raise UsageError(f"{self.gamma} is not in 0..1", option="gamma")
        if not 0.0 < self.alpha <= 20.0:  # beyond, rejection takes a thousand turns, and nothing changes
            raise UsageError(f"{self.alpha} is not in 0 < alpha <= 20", option="alpha")
        if self.followers.shape != self.nodes.time.shape or not (self.followers >= 0).all():
            raise UsageError("give one number for each node, none negative", option="followers")

    def draw(self, first: int, last: int, /, *, samples: range, seed: int) -> Drawn:
        """Draw the parents of the cascades `first:last`; see `ensemble.Sampler`."""
        drawn = self.nodes.part(first, last, samples)
        part = slice(self.nodes.offsets[first], self.nodes.offsets[last])
        _draw(
            self.nodes.offsets[first : last + 1] - self.nodes.offsets[first],
            self.nodes.time[part],
            self.nodes.known_in(part),
            np.ascontiguousarray(self.followers[part], np.float64),
            self.gamma,
            self.alpha,
            self.nodes.keys[first:last],
            np.uint64(seed),
            samples.start,
            drawn.parents,
            drawn.likeliest,
            drawn.times_drawn,
        )
        return drawn


def known_followers(followers: Float64) -> Float64:
    """Return followers with those unknown (NaN, infinite or negative) set to the median of the known ones.

    Parameters
    ----------
    followers
        Followers of each node's account; shape (nodes,).

    Returns
    -------
    numpy.ndarray
        The same without gaps; all 1 where none is known, so that every sharer counts alike.
    """
    known = np.isfinite(followers) & (followers >= 0)
    return np.where(known, followers, np.median(followers[known]) if known.any() else 1.0)


@kernel
def _draw(  # noqa: PLR0917 (compiled functions take no keyword-only parameters)
    offsets: Int64,
    time: Int64,
    known: Int64,
    followers: Float64,
    gamma: float,
    alpha: float,
    keys: UInt64,
    seed: np.uint64,
    first_sample: int,
    out: Int64,
    likeliest: Int64,
    times_drawn: Int64,
) -> None:
    """Fill in the parents of each sample (where `out` has room for the nodes) and the one most often drawn."""
    edges = np.array([1000.0 * 2.0 ** (0.5 * (level + 1)) for level in range(_LEVELS)])
    heights = np.array([2.0 ** (-0.5 * alpha * level) for level in range(_LEVELS)])
    cumulated = np.zeros(_LEVELS + 1)
    rows = np.empty(out.shape[0], np.int64)
    for c in range(offsets.size - 1):
        lo, hi = offsets[c], offsets[c + 1]
        audience = np.zeros(hi - lo + 1)
        begin = np.full(_LEVELS, lo, np.int64)  # first row of each level of delay; the one before ends there
        for i in range(lo, hi):
            audience[i - lo + 1] = audience[i - lo] + followers[i]
            if i == lo or known[i] >= 0:
                rows[:] = known[i]
            else:
                # Delays from i only grow with i, so where a level begins only moves down; it ends where the one of
                # shorter delays begins.
                for level in range(_LEVELS - 1):
                    while begin[level] < i and time[i] - time[begin[level]] >= edges[level]:
                        begin[level] += 1
                    end = i if level == 0 else begin[level - 1]
                    cumulated[level + 1] = cumulated[level] + heights[level] * (end - begin[level])
                begin[_LEVELS - 1] = lo
                rest = heights[_LEVELS - 1] * (begin[_LEVELS - 2] - lo)
                cumulated[_LEVELS] = cumulated[_LEVELS - 1] + rest
                key = node_key(keys[c], seed, i - lo)
                # By followers with chance gamma, else by the delay; without any follower by the delay in any case.
                for s in range(rows.size):
                    sample = first_sample + s
                    if uniform(key, sample, 0) < gamma and audience[i - lo] > 0.0:
                        value = uniform(key, sample, 1) * audience[i - lo]
                        rows[s] = lo + place_in(audience, 0, i - lo, value)
                    else:
                        rows[s] = _by_delay(i, time, begin, cumulated, heights, alpha, key, sample)
            if out.shape[1] > 0:
                out[:, i] = rows
            likeliest[i], times_drawn[i] = most_drawn(rows, lo, 1.0) if i > lo else (-1, rows.size)


@kernel
def _by_delay(  # noqa: PLR0917
    i: int,
    time: Int64,
    begin: Int64,
    cumulated: Float64,
    heights: Float64,
    alpha: float,
    key: np.uint64,
    sample: int,
) -> int:
    """Return a row above `i` drawn by the power law of the delay: by the level's height, then by rejection."""
    turn = 2
    # A level's height is the most that the law has there: a row drawn in it is taken with the fraction of the height
    # that the law has at its delay. Each try uses three numbers of its own; 0 and 1 are the caller's.
    while True:
        level = place_in(cumulated, 0, _LEVELS, uniform(key, sample, turn) * cumulated[_LEVELS])
        end = i if level == 0 else begin[level - 1]
        row = begin[level] + np.int64(uniform(key, sample, turn + 1) * (end - begin[level]))
        delay_s = max((time[i] - time[row]) / 1000.0, 1.0)
        if uniform(key, sample, turn + 2) * heights[level] < delay_s**-alpha:
            return int(row)
        turn += 3
