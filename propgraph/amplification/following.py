"""Who stands under whom in cascade after cascade, against parents drawn among the earlier posts of each.

An account *stands under* another in a cascade when its first post there that is not right under the origin has a post
of the other above it, below the origin. Were its parent drawn at random among the earlier posts below the origin, it
would stand there with the chance of these posts' part that lies at or below the other's first post. This keeps who is
in which cascade, when, and all that others did: a relay that most of a cascade hangs below has most of the chance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from propgraph.amplification.forest import Forest, known_depths, subtrees
from propgraph.arrays.kernels import kernel
from propgraph.arrays.p_values import binomial_tail, false_discovery_rate
from propgraph.arrays.types import Bool, Int64

#: Cascades in which an account has to stand under another to be looked at.
CASCADES = 3

# So many posts up are looked at. In longer chains the count can only be too low, and the p-value too large.
_STEPS = 100


@dataclass(frozen=True)
class Following:
    """Which accounts stand under which in three cascades or more; accounts as positions in `Forest.accounts`.

    Attributes
    ----------
    pairs
        `account, relay, n_under` (cascades in which it stands under the relay)`, n_common` (in which it could)`,
        expected` (of `n_under`)`, p_value`, sorted by account and relay.
    under
        `account, relay, cascade, row, relay_row`: once for each of these cascades, the account's first post that is
        not right under the origin and the relay's first, in that order.
    n_tests
        At least as many as there are pairs of accounts that could have been looked at.
    """

    pairs: pl.DataFrame
    under: pl.DataFrame
    n_tests: float

    @property
    def q_value(self) -> pl.Series:
        """Each pair's false discovery rate among all pairs that could have been looked at."""
        p_value = self.pairs["p_value"].to_numpy()
        return pl.Series("q_value", false_discovery_rate(p_value, n_tests=self.n_tests))


def measure_following(cascades: Forest, /, relays: Int64 | None = None) -> Following:
    """Return who stands under whom in three cascades or more, and how surely not by chance.

    For each cascade in which the account's first post not right under the origin comes after the relay's first post
    below the origin, let c be the chance to stand under the relay (see the top of this file). The number of cascades in
    which it does is a sum of such draws, and P(X >= n_under) of a binomial variable of n_common trials at their
    mean is at least its tail (Hoeffding 1956), so that the p-value is exact or too large, never too small. It is 1
    where `n_under` is less than one above `expected`.

    Parameters
    ----------
    cascades
        The cascades, as `forest` returns them; only parents that are known from the log, not drawn, tell anything.
    relays
        Only these accounts count as relays (positions in `Forest.accounts`); None takes all.

    References
    ----------
    Hoeffding, W. (1956). On the distribution of the number of successes in independent trials. The Annals of
    Mathematical Statistics, 27(3), 713-721.
    """
    depth = known_depths(cascades.parent, cascades.known)
    below = depth > 0
    theirs = below & (cascades.account >= 0) & (cascades.account != cascades.account[cascades.root])
    above = _first_posts(cascades, theirs if relays is None else theirs & np.isin(cascades.account, relays))
    hung = _first_posts(cascades, theirs & (depth > 1))
    marked = np.zeros(depth.size, np.bool_)
    marked[above["row"].to_numpy()] = True
    rows = hung["row"].to_numpy()
    row, relay_row = _posts_above(rows, cascades.parent, marked, _STEPS)
    under = pl.DataFrame({"row": row, "relay_row": relay_row}).with_columns(
        account=pl.Series(cascades.account[row]),
        relay=pl.Series(cascades.account[relay_row]),
        cascade=pl.Series(cascades.cascade[row]),
    )
    under = under.filter(pl.col("account") != pl.col("relay"), pl.len().over("account", "relay") >= CASCADES)
    pairs = under.group_by("account", "relay").agg(n_under=pl.len()).sort("account", "relay")
    before = np.concatenate([[0], np.cumsum(marked)])
    # Who is looked at shares three cascades or more, and each of them was counted there.
    n_tests = float((before[rows] - before[cascades.root[rows]]).sum()) / CASCADES
    return Following(
        _tested(cascades, pairs, hung=hung, above=above, below=below),
        under.select("account", "relay", "cascade", "row", "relay_row").sort("row", "relay_row"),
        max(n_tests, 1.0),
    )


def _first_posts(cascades: Forest, which: Bool) -> pl.DataFrame:
    """Return `account, cascade, row`: each account's first of these posts in a cascade; of three cascades or more."""
    n_accounts = len(cascades.accounts)
    rows = np.flatnonzero(_first_in_cascade(cascades.account, cascades.cascade, which, n_accounts))
    account = cascades.account[rows]
    often = np.bincount(account, minlength=n_accounts)[account] >= CASCADES
    rows = rows[often]
    return pl.DataFrame({"account": account[often], "cascade": cascades.cascade[rows], "row": rows})


@kernel
def _first_in_cascade(account: Int64, cascade: Int64, which: Bool, n_accounts: int) -> Bool:
    """Tell which of the rows in `which` are the first of their account in their cascade; a cascade's stand together."""
    latest = np.full(n_accounts, -1, np.int64)
    first = np.zeros(account.size, np.bool_)
    for i in range(account.size):
        # A cascade is new to an account unless it is the latest that was seen there.
        if which[i] and latest[account[i]] != cascade[i]:
            latest[account[i]] = cascade[i]
            first[i] = True
    return first


def _tested(
    cascades: Forest, pairs: pl.DataFrame, *, hung: pl.DataFrame, above: pl.DataFrame, below: Bool
) -> pl.DataFrame:
    """Add `n_common`, `expected` and `p_value`."""
    trials = (
        pairs.select("account", "relay")
        .join(hung, on="account")
        .join(
            above.rename({"account": "relay", "row": "relay_row"}),
            on=["relay", "cascade"],
        )
        .filter(pl.col("relay_row") < pl.col("row"))
        .sort("row", "relay_row")
    )
    row, relay_row = trials["row"].to_numpy(), trials["relay_row"].to_numpy()
    trees = subtrees(cascades.parent)
    n_below = _earlier_below(row, relay_row, cascades.root[row], trees.first, trees.size)
    before = np.concatenate([[0], np.cumsum(below)])
    n_before = before[row] - before[cascades.root[row]]
    sums = (
        trials.with_columns(chance=pl.Series(n_below / n_before))
        .group_by("account", "relay", maintain_order=True)
        .agg(n_common=pl.len().cast(pl.Int64), expected=pl.col("chance").sum())
    )
    table = pairs.join(sums, on=["account", "relay"], how="left", maintain_order="left")
    n, k = table["n_under"].to_numpy().astype(np.int64), table["n_common"].to_numpy()
    expected = table["expected"].to_numpy()
    tail = binomial_tail(n, k, expected / np.maximum(k, 1))
    return table.with_columns(p_value=pl.Series(np.where(n - 1 >= expected, tail, 1.0)))


@kernel
def _posts_above(rows: Int64, parent: Int64, marked: Bool, steps: int) -> tuple[Int64, Int64]:
    """Return `rows`, each once for every marked post above it, and that post; at most `steps` posts up."""
    n = 0
    # Twice the same walk: first to count, then to write.
    for k in range(rows.size):
        above = parent[rows[k]]
        for _ in range(steps):
            if above < 0:
                break
            n += marked[above]
            above = parent[above]
    row = np.empty(n, np.int64)
    found = np.empty(n, np.int64)
    n = 0
    for k in range(rows.size):
        above = parent[rows[k]]
        for _ in range(steps):
            if above < 0:
                break
            if marked[above]:
                row[n] = rows[k]
                found[n] = above
                n += 1
            above = parent[above]
    return row, found


@kernel
def _earlier_below(rows: Int64, tops: Int64, roots: Int64, first: Int64, size: Int64) -> Int64:
    """Return how many rows before each of `rows` lie at or below each of `tops`; `rows` ascend."""
    n_below = np.empty(rows.size, np.int64)
    tree = np.zeros(1, np.int64)  # a Fenwick tree over the places of one cascade's walk
    k = 0
    # Cascade by cascade: rows take their place in the tree in order, and each query is answered when those before its
    # row have theirs. What lies below a post has places in one piece (see `Subtrees`).
    while k < rows.size:
        root = roots[k]
        n = size[root]
        if tree.size <= n:
            tree = np.zeros(n + 1, np.int64)
        tree[: n + 1] = 0
        begin = first[root]
        placed = root
        while k < rows.size and roots[k] == root:
            while placed < rows[k]:
                place = first[placed] - begin + 1
                while place <= n:
                    tree[place] += 1
                    place += place & -place
                placed += 1
            count = 0
            place = first[tops[k]] - begin + size[tops[k]]
            while place > 0:
                count += tree[place]
                place -= place & -place
            place = first[tops[k]] - begin
            while place > 0:
                count -= tree[place]
                place -= place & -place
            n_below[k] = count
            k += 1
    return n_below
