"""Parents drawn by a law of delays and audiences that was learned on trees whose parents are known.

A node's parent is the root with odds exp(r), an earlier node j with odds exp(a_j + lag(t_i - t_j) + rank(i - j)).
`lag` and `rank` are steps, one an octave of seconds and of nodes; r and a are linear in the clues of
`propgraph.cascades.inference.clues`. All earlier nodes of one step of both are summed by cumulated attractions, so that
a node costs the number of steps, not the nodes above it, in fitting as in drawing, and without approximation.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from propgraph.arrays.types import Float64, Int32, Int64
from propgraph.cascades.inference.clues import (
    ROOT_CLUES,
    SHARER_CLUES,
    Audience,
    Clues,
    audience_of,
    clues_of,
)
from propgraph.cascades.inference.ensemble import Drawn, Nodes
from propgraph.cascades.inference.law_kernels import LAGS, RANKS, draw, find_chances, loss_of
from propgraph.errors import UsageError

#: A log's own trees are learned from where it has so many that are complete, with so many nodes in all.
LEAST_TREES, LEAST_NODES = 50, 5_000

# Nodes that are enough to fit: the figures do not change with more.
_ENOUGH = 150_000

_PENALTY = 1.0
_LARGEST = 30.0  # of a log of odds


@dataclass(frozen=True)
class Law:
    """The fitted law.

    Attributes
    ----------
    lag
        Log of the odds by delay: step k is from 2**k - 1 s to 2**(k + 1) - 1 s; shape (28,).
    rank
        Log of the odds by the nodes between, both ends counted: step k is from 2**k; shape (24,).
    sharer, root
        Weights of the clues, standardised; shape (clues,).
    sharer_seen, root_seen
        Mean, standard deviation, least and greatest of each clue in fitting; shape (4, clues). What lies
        beyond the extremes is taken for the extreme.
    spread
        Standard deviation, over cascades, of the log of the root's odds around what the clues tell.
    favour
        The root is named as the one parent unless another is so many times as likely.
    """

    lag: Float64
    rank: Float64
    sharer: Float64
    root: Float64
    sharer_seen: Float64
    root_seen: Float64
    spread: float
    favour: float

    def to_json(self) -> str:
        """Return the law as JSON, to four decimals."""
        return json.dumps(
            {name: np.round(value, 4).tolist() for name, value in asdict(self).items()}, indent=1
        )

    @classmethod
    def from_json(cls, text: str) -> Law:
        """Return the law that `to_json` wrote."""
        read: dict[str, Any] = json.loads(text)
        arrays: dict[str, Any] = {
            name: np.array(value) if isinstance(value, list) else value for name, value in read.items()
        }
        return cls(**arrays)

    def odds(self, clues: Clues, offsets: Int64) -> tuple[Float64, ...]:
        """Return each node's attraction as a sharer (0 for roots) and the root's odds for it; shape (nodes,)."""
        sharer = _standard(clues.sharer, self.sharer_seen) @ self.sharer
        root = _standard(clues.root, self.root_seen) @ self.root
        return _attraction(sharer, offsets), np.exp(np.clip(root, -_LARGEST, _LARGEST))


@cache
def default_law() -> Law:
    """Return the law fitted on 1,694 Weibo cascades of up to a thousand posts, 2010 to 2015 (rumours and others).

    `python -m benchmarks parents --fit` made it.
    """
    return Law.from_json(files("propgraph.cascades").joinpath("weibo.json").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Learned:
    """Draws parents by a learned law.

    In every sample each cascade has its own tilt towards the root, drawn from the law's `spread`: how far
    cascades differ beyond what the clues tell is part of what is not known.

    Attributes
    ----------
    nodes
        The cascades.
    law
        The law.
    attraction, root_odds
        As `Law.odds` gives them; shape (nodes,).
    """

    nodes: Nodes
    law: Law
    attraction: Float64
    root_odds: Float64

    def draw(self, first: int, last: int, /, *, samples: range, seed: int) -> Drawn:
        """Draw the parents of the cascades `first:last`; see `ensemble.Sampler`."""
        drawn = self.nodes.part(first, last, samples)
        part = slice(self.nodes.offsets[first], self.nodes.offsets[last])
        draw(
            self.nodes.offsets[first : last + 1] - self.nodes.offsets[first],
            self.nodes.time[part],
            self.nodes.known_in(part),
            self.attraction[part],
            self.root_odds[part],
            np.exp(self.law.lag),
            np.exp(self.law.rank),
            self.law.spread,
            self.law.favour,
            self.nodes.keys[first:last],
            np.uint64(seed),
            samples.start,
            drawn.parents,
            drawn.likeliest,
            drawn.times_drawn,
        )
        return drawn


def learned_sampler(
    nodes: Nodes, *, account: Int32, law: Law | None = None, audience: Audience | None = None
) -> Learned:
    """Return what draws the parents of `nodes`.

    Parameters
    ----------
    nodes
        The cascades, and the parents already known.
    account
        Code of each node's account, -1 where unknown; shape (nodes,).
    law
        The law; that of the package if None.
    audience
        How the accounts did in known trees, by the same codes; None where nothing is known.

    Returns
    -------
    Learned
        The sampler.
    """
    law = law or default_law()
    clues = clues_of(nodes.offsets, time=nodes.time, account=account, audience=audience)
    return Learned(nodes, law, *law.odds(clues, nodes.offsets))


def fit_on_known(nodes: Nodes, *, account: Int32) -> tuple[Law | None, Audience | None]:
    """Fit the law on the cascades whose parents are all but all known, where there are enough of them.

    A cascade counts where nine in ten of its nodes have a known parent: a log that names parents only where
    they are not the root would otherwise teach that nobody reshares from the root.

    Parameters
    ----------
    nodes
        The cascades; `known` holds the known parents.
    account
        Code of each node's account, -1 where unknown; shape (nodes,).

    Returns
    -------
    law
        None where fewer than 50 cascades or 5,000 nodes are known so well.
    audience
        Of the accounts in these cascades; None with them.
    """
    size = np.diff(nodes.offsets)
    cascade = np.repeat(np.arange(size.size), size)
    n_known = np.bincount(cascade[nodes.known >= 0], minlength=size.size)
    chosen = (size > 2) & (n_known >= 0.9 * (size - 1))
    if chosen.sum() < LEAST_TREES or size[chosen].sum() < LEAST_NODES:
        return None, None
    audience = audience_of(
        account, nodes.known, trusted=chosen[cascade], n_accounts=int(account.max(initial=-1)) + 1
    )
    return fit_law(nodes, account=account, audience=audience, trees=np.flatnonzero(chosen)), audience


def fit_law(nodes: Nodes, *, account: Int32, audience: Audience | None, trees: Int64) -> Law:
    """Fit the law to known trees by penalised maximum likelihood (L-BFGS); the same input gives the same law.

    Parameters
    ----------
    nodes
        The cascades; `known` holds the known parents, and nodes without one teach nothing.
    account
        Code of each node's account, -1 where unknown; shape (nodes,).
    audience
        How the accounts did in these trees; what is from a tree itself is left out for its own nodes.
    trees
        Which cascades to learn from; of many, some are chosen by their keys, 150,000 nodes in all.

    Returns
    -------
    Law
        The law.

    Raises
    ------
    UsageError
        If there is no tree to learn from.
    """
    if not trees.size:
        raise UsageError("there is none to learn from", option="trees")
    order = trees[np.argsort(nodes.keys[trees], kind="stable")]
    order = order[: max(1, int(np.searchsorted(np.cumsum(np.diff(nodes.offsets)[order]), _ENOUGH)))]
    offsets, rows = _gathered(nodes.offsets, order)
    shift = rows - np.arange(rows.size)
    known = np.where(nodes.known[rows] < 0, -1, nodes.known[rows] - shift)
    time = np.ascontiguousarray(nodes.time[rows])
    clues = clues_of(offsets, time=time, account=account[rows], audience=audience, without=known)
    seen = _seen(clues.sharer), _seen(clues.root)
    sharer, root = _standard(clues.sharer, seen[0]), _standard(clues.root, seen[1])

    def loss(weights: Float64) -> tuple[float, Float64]:
        return _penalised(weights, offsets, time, known, sharer, root)

    start = np.zeros(LAGS + RANKS + len(SHARER_CLUES) + len(ROOT_CLUES))
    # Loading it takes longer than a small log to build, and only a fit needs it.
    from scipy.optimize import minimize  # noqa: PLC0415

    weights = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 100}).x
    lag, rank, of_sharer, of_root = _split(weights)
    law = Law(lag, rank, of_sharer, of_root, *seen, spread=0.0, favour=1.0)
    chance = _chances(law, sharer, root, offsets, time)
    spread = _spread(chance[0], known, offsets)
    return replace(law, spread=spread, favour=_favour(*chance, known, offsets))


def _split(weights: Float64) -> list[Float64]:
    """Return lag, rank (fitted as the rises from step to step) and the weights of sharer's and root's clues."""
    lag, rank, sharer, root = np.split(weights, np.cumsum([LAGS, RANKS, len(SHARER_CLUES)]))
    return [np.cumsum(lag), np.cumsum(rank), sharer, root]


def _gathered(offsets: Int64, cascades: Int64) -> tuple[Int64, ...]:
    """Return offsets and rows of some cascades put one after the other."""
    size = np.diff(offsets)[cascades]
    own = np.concatenate([[0], np.cumsum(size)])
    return own, np.repeat(offsets[cascades] - own[:-1], size) + np.arange(own[-1])


def _seen(clues: Float64) -> Float64:
    """Return mean, standard deviation, least and greatest of each clue; a constant is left as it is."""
    mean, scale = clues.mean(axis=0), clues.std(axis=0)
    fixed = scale < 1e-9
    seen = [np.where(fixed, 0.0, mean), np.where(fixed, 1.0, scale), clues.min(axis=0), clues.max(axis=0)]
    return np.stack(seen)


def _standard(clues: Float64, seen: Float64) -> Float64:
    standard: Float64 = (np.clip(clues, seen[2], seen[3]) - seen[0]) / seen[1]
    return standard


def _attraction(logs: Float64, offsets: Int64) -> Float64:
    """Return attractions from their logs; a root has its own odds and none here."""
    attraction = np.exp(np.clip(logs, -_LARGEST, _LARGEST))
    attraction[offsets[:-1][np.diff(offsets) > 0]] = 0.0
    return attraction


def _penalised(  # noqa: PLR0917 (as many as the loss has parts)
    weights: Float64,
    offsets: Int64,
    time: Int64,
    known: Int64,
    sharer: Float64,
    root: Float64,
) -> tuple[float, Float64]:
    """Return the penalised mean negative log-likelihood of a node's parent, and its gradient."""
    lag, rank, of_sharer, of_root = _split(weights)
    root_log = np.clip(root @ of_root, -_LARGEST, _LARGEST)
    by_sharer, by_root = np.zeros(time.size), np.zeros(time.size)
    by_lag, by_rank = np.zeros(LAGS), np.zeros(RANKS)
    loss = loss_of(
        offsets, time, known, _attraction(sharer @ of_sharer, offsets), root_log, np.exp(lag), np.exp(rank),
        by_sharer, by_root, by_lag, by_rank,
    )  # fmt: skip
    by_rise = [np.cumsum(by[::-1])[::-1] for by in (by_lag, by_rank)]
    gradient = np.concatenate([*by_rise, sharer.T @ by_sharer, root.T @ by_root])
    loss += _PENALTY * float(weights @ weights)
    return loss / time.size, (gradient + 2 * _PENALTY * weights) / time.size


def _chances(
    law: Law,
    sharer: Float64,
    root: Float64,
    offsets: Int64,
    time: Int64,
) -> tuple[Float64, Float64, Int64]:
    """Return for each node the root's chance, the best other's chance, and that one's row (-1 if none)."""
    of_root, of_other, other = np.zeros(time.size), np.zeros(time.size), np.full(time.size, -1, np.int64)
    odds = np.exp(np.clip(root @ law.root, -_LARGEST, _LARGEST))
    attraction = _attraction(sharer @ law.sharer, offsets)
    find_chances(offsets, time, attraction, odds, np.exp(law.lag), np.exp(law.rank), of_root, of_other, other)
    return of_root, of_other, other


def _spread(of_root: Float64, known: Int64, offsets: Int64) -> float:
    """Return the spread of cascades' tilts that makes the known choices likeliest, by quadrature."""
    cascade = np.repeat(np.arange(offsets.size - 1), np.diff(offsets))
    told = (known >= 0) & (of_root < 1.0)
    chance = np.clip(of_root[told], 1e-12, 1 - 1e-12)
    logit = np.log(chance / (1 - chance))
    sign = np.where(known[told] == offsets[cascade[told]], 1.0, -1.0)
    points, mass = np.polynomial.hermite_e.hermegauss(31)
    grid = np.arange(0.0, 2.01, 0.05)
    total = np.empty(grid.size)
    for g, spread in enumerate(grid):
        likelihood = np.stack(
            [
                np.bincount(
                    cascade[told], -np.logaddexp(0, -sign * (logit + spread * point)), offsets.size - 1
                )
                for point in points
            ]
        )
        best = likelihood.max(axis=0)
        total[g] = (best + np.log(mass @ np.exp(likelihood - best))).sum()
    return float(grid[np.argmax(total)])


def _favour(
    of_root: Float64,
    of_other: Float64,
    other: Int64,
    known: Int64,
    offsets: Int64,
) -> float:
    """Return how many times as likely as the root another must be to be named, 1 to 10.

    The largest such figure is taken that finds as many parents as the best one, within one standard error
    over cascades: few nodes decide, and where naming another gains nothing the root is the simpler answer.
    """
    cascade = np.repeat(np.arange(offsets.size - 1), np.diff(offsets))
    told = (known >= 0) & (other >= 0)
    root = offsets[cascade[told]]
    gain = (other[told] == known[told]).astype(np.float64) - (root == known[told])
    ratio = of_other[told] / of_root[told]
    grid = np.exp(np.linspace(0.0, np.log(10.0), 24))
    gains = np.stack([np.bincount(cascade[told], gain * (ratio > one), offsets.size - 1) for one in grid])
    lost = gains[np.argmax(gains.sum(axis=1))] - gains
    error = lost.std(axis=1) * np.sqrt(lost.shape[1])
    return float(grid[np.flatnonzero(lost.sum(axis=1) <= error)[-1]])
