"""What the times of a cascade's nodes, and its accounts' record, say about who reshared from whom."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from propgraph.arrays.kernels import kernel
from propgraph.arrays.types import Bool, Float64, Int32, Int64

# Nodes on either side over which a quickening is looked for.
_SPANS = (1, 3, 8, 20, 60)

# The same for the cascade as a whole, with the spread and the 3 % point that a cascade too short gets.
_WHOLE_SPANS = ((2, 1.0, -1.5), (10, 0.6, -1.0), (40, 0.6, -1.0))

_QUARTERS = (0.25, 0.5, 0.75)
_TENTHS = (0.1, 0.25, 0.5, 0.75, 0.9)

#: Names of the columns of `Clues.sharer`: log pace before over pace after it; how the account did before; place.
SHARER_CLUES = (*(f"quickening_{span}" for span in _SPANS), "audience", "known", "log_place", "log_after")

#: Names of the columns of `Clues.root`.
ROOT_CLUES = (
    "one", "log_place", "log_age", "place", "quickening_1", "quickening_8", "quickening_20", "quickening_60",
    "known", "audience", "log_size", "log_duration", *(f"log_age_{q:.0%}" for q in _QUARTERS),
    *(f"log_gap_{q:.0%}" for q in _TENTHS),
    *(f"{what}_{span}" for span, _, _ in _WHOLE_SPANS for what in ("bursts", "sharpest")),
)  # fmt: skip


@dataclass(frozen=True)
class Audience:
    """How accounts did in trees whose parents are known.

    Attributes
    ----------
    posts
        Nodes of each account below a root, by account code; shape (accounts,).
    children
        Children of these nodes; shape (accounts,).
    """

    posts: Float64
    children: Float64


@dataclass(frozen=True)
class Clues:
    """Clues about each node, as a sharer whom others may follow and as one who may have followed the root.

    Attributes
    ----------
    sharer
        Columns of `SHARER_CLUES`; shape (nodes, clues).
    root
        Columns of `ROOT_CLUES`; shape (nodes, clues).
    """

    sharer: Float64
    root: Float64


def audience_of(account: Int32, parent: Int64, *, trusted: Bool, n_accounts: int) -> Audience:
    """Count the posts and the children of each account.

    Parameters
    ----------
    account
        Code of each node's account, -1 where unknown; shape (nodes,).
    parent
        Row of each node's parent, -1 at a root or where unknown; shape (nodes,).
    trusted
        Which nodes lie in trees that count; shape (nodes,).
    n_accounts
        Number of codes.

    Returns
    -------
    Audience
        Of the accounts of trusted nodes that are no roots.
    """
    children = np.bincount(parent[parent >= 0], minlength=parent.size)
    counts = trusted & (parent >= 0) & (account >= 0)
    return Audience(
        np.bincount(account[counts], minlength=n_accounts).astype(np.float64),
        np.bincount(account[counts], weights=children[counts], minlength=n_accounts).astype(np.float64),
    )


def clues_of(
    offsets: Int64,
    *,
    time: Int64,
    account: Int32,
    audience: Audience | None,
    without: Int64 | None = None,
) -> Clues:
    """Gather the clues about each node.

    They look at the whole cascade, after the node as well as before it: a burst right after a post tells of
    its audience. The root's own time is not used, for often it is not known.

    Parameters
    ----------
    offsets
        Where each cascade begins, and the number of nodes at the end; rows, shape (cascades + 1,).
    time
        When each node was posted, in ms; shape (nodes,).
    account
        Code of each node's account, -1 where unknown; shape (nodes,).
    audience
        How the accounts did elsewhere; None where nothing is known.
    without
        Parents, where `audience` was counted on these very trees: what it has from a node's own cascade is
        left out for that node, as it would have to be for a cascade never seen. Shape (nodes,).

    Returns
    -------
    Clues
        Both tables.
    """
    size = np.diff(offsets)
    n_nodes = time.size
    place = np.arange(n_nodes) - np.repeat(offsets[:-1], size)
    after = np.repeat(size, size) - place
    quickening = np.empty((n_nodes, len(_SPANS)))
    whole = np.empty((size.size, len(ROOT_CLUES) - 10))
    age = np.empty(n_nodes)
    _quickenings(offsets, time, np.array(_SPANS), quickening, age)
    _wholes(offsets, time, np.array(_WHOLE_SPANS), np.array(_QUARTERS), np.array(_TENTHS), whole)
    reach, known = _reach(offsets, account, audience, without)
    log_place = np.log1p(place)
    own = (np.ones(n_nodes), log_place, np.log1p(age), place / (place + after))
    return Clues(
        np.column_stack([quickening, reach, known, log_place, np.log(1.0 + after)]),
        np.column_stack([*own, quickening[:, [0, 2, 3, 4]], known, reach, np.repeat(whole, size, axis=0)]),
    )


def _reach(
    offsets: Int64,
    account: Int32,
    audience: Audience | None,
    without: Int64 | None,
) -> tuple[Float64, Float64]:
    """Return each node's log children a post of its account elsewhere (0 if unknown), and whether known."""
    if audience is None:
        return np.zeros(account.size), np.zeros(account.size)
    code = np.maximum(account, 0)
    posts, children = audience.posts[code], audience.children[code]
    if without is not None:
        cascade = np.repeat(np.arange(offsets.size - 1), np.diff(offsets))
        pair = cascade * audience.posts.size + code
        _, group = np.unique(pair, return_inverse=True)
        below = np.bincount(without[without >= 0], minlength=account.size)
        counts = (without >= 0) & (account >= 0)
        posts = posts - np.bincount(group, weights=counts)[group]
        children = children - np.bincount(group, weights=counts * below)[group]
    known = (account >= 0) & (posts > 0)
    rate = (np.maximum(children, 0) + 0.5) / (np.maximum(posts, 0) + 0.5)
    return np.where(known, np.log(rate), 0.0), known.astype(np.float64)


@kernel
def _pace(time: Int64, first: int, last: int) -> float:
    """Return the mean gap between the nodes `first` and `last`, in s, for a log: a second is added to the span."""
    return float(((time[last] - time[first]) / 1000.0 + 1.0) / max(last - first, 0.5))


@kernel
def _quickenings(
    offsets: Int64,
    time: Int64,
    spans: Int64,
    quickening: Float64,
    age: Float64,
) -> None:
    """Fill in the log of the gaps before each node over the gaps after it, and seconds since the first reshare."""
    for c in range(offsets.size - 1):
        lo, hi = offsets[c], offsets[c + 1]
        for i in range(lo, hi):
            age[i] = max(time[i] - time[min(lo + 1, hi - 1)], 0) / 1000.0
            # So many nodes on either side, or as many as there are: `_pace` divides by those it got.
            for k in range(spans.size):
                before = _pace(time, max(i - spans[k], lo), i)
                after = _pace(time, i, min(i + spans[k], hi - 1))
                quickening[i, k] = min(max(np.log(before / after), -4.0), 4.0)


@kernel
def _wholes(  # noqa: PLR0917 (compiled functions take no keyword-only parameters)
    offsets: Int64,
    time: Int64,
    spans: Float64,
    quarters: Float64,
    tenths: Float64,
    whole: Float64,
) -> None:
    """Fill in what is said of each cascade as a whole: size, ages, gaps, bursts; of the reshares only."""
    # `at` is the next column of `whole`; the order is that of `ROOT_CLUES` from `log_size` on.
    for c in range(offsets.size - 1):
        own = time[min(offsets[c] + 1, offsets[c + 1]) : offsets[c + 1]]
        n = own.size
        if n == 0:
            whole[c] = 0.0
            continue
        whole[c, 0] = np.log(n)
        whole[c, 1] = np.log1p((own[-1] - own[0]) / 1000.0)
        at = 2
        for q in quarters:
            whole[c, at] = np.log1p((own[int(q * (n - 1))] - own[0]) / 1000.0)
            at += 1
        gaps = np.sort(np.diff(own)) if n > 1 else np.zeros(1, np.int64)
        for q in tenths:
            whole[c, at] = np.log1p(gaps[int(q * (gaps.size - 1))] / 1000.0)
            at += 1
        for k in range(spans.shape[0]):
            span = int(spans[k, 0])
            whole[c, at], whole[c, at + 1] = spans[k, 1], spans[k, 2]
            if n >= 2 * span + 5:
                change = np.empty(n - 2 * span)
                # Nodes with a whole span on either side, so that all paces are of as many nodes.
                for i in range(span, n - span):
                    after = (own[i + span] - own[i]) / 1000.0 + 1.0
                    change[i - span] = np.log(after / ((own[i] - own[i - span]) / 1000.0 + 1.0))
                whole[c, at] = change.std()
                change.sort()
                whole[c, at + 1] = change[int(0.03 * (change.size - 1))]
            at += 2
