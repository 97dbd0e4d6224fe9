"""Parents by a follow graph: the latest earlier sharer whom the account follows."""

from __future__ import annotations

import numpy as np

from propgraph.arrays.encoding import group_offsets
from propgraph.arrays.kernels import kernel
from propgraph.arrays.types import Int32, Int64
from propgraph.cascades.parents import check_offsets, flat_array
from propgraph.errors import UsageError


def follow_parents(
    offsets: Int64,
    *,
    account: Int32,
    follower: Int32,
    followed: Int32,
) -> Int64:
    """Find for each node the latest earlier node of its cascade by an account that its own account follows.

    A node costs the smaller of its account's followees and the nodes above it, so that neither a hub that
    follows 100,000 accounts nor a cascade of a million nodes is slow. An account does not follow itself.

    Parameters
    ----------
    offsets
        Where each cascade begins, and the number of nodes at the end; rows, shape (cascades + 1,).
    account
        Code of each node's account, -1 where unknown; shape (nodes,).
    follower, followed
        One row for each "follower follows followed", as codes like `account`; rows with a negative code or a
        code that no node has are of no use and ignored, as are repeated ones. Shape (pairs,).

    Returns
    -------
    numpy.ndarray
        Row of the parent, -1 where none is found (always at a root); shape (nodes,).

    Raises
    ------
    UsageError
        If the arrays differ in length or are of another type.

    References
    ----------
    Goel, S., Anderson, A., Hofman, J., & Watts, D. J. (2016). The Structural Virality of Online Diffusion.
    Management Science, 62(1), 180-196. Vosoughi, S., Roy, D., & Aral, S. (2018). The spread of true and false
    news online. Science, 359(6380), 1146-1151.
    """
    offsets = flat_array("offsets", offsets, np.int64)
    account = flat_array("account", account, np.int32)
    check_offsets(offsets, account.size)
    follower = flat_array("follower", follower, np.int32)
    followed = flat_array("followed", followed, np.int32, size=follower.size)
    n_accounts = int(account.max(initial=-1)) + 1
    if n_accounts > 1 << 31:
        raise UsageError("codes must be below 2**31", option="account")
    useful = (follower >= 0) & (followed >= 0) & (follower != followed)
    useful &= (follower < n_accounts) & (followed < n_accounts)
    pairs = np.unique(follower[useful].astype(np.int64) * n_accounts + followed[useful])
    start = group_offsets(pairs // max(n_accounts, 1), n_accounts)
    parent = np.full(account.size, -1, np.int64)
    _latest_followed(offsets, account, start, pairs % max(n_accounts, 1), parent)
    return parent


@kernel
def _latest_followed(
    offsets: Int64,
    account: Int32,
    start: Int64,
    followees: Int64,
    parent: Int64,
) -> None:
    """Fill in `parent`; the followees of account `a` are `followees[start[a]:start[a + 1]]`, sorted."""
    # Never cleared: rows only grow, so an entry above this cascade was left by another one.
    last_row = np.full(start.size, -1, np.int64)
    for c in range(offsets.size - 1):
        lo = offsets[c]
        for i in range(lo, offsets[c + 1]):
            if account[i] < 0:
                continue
            own = followees[start[account[i]] : start[account[i] + 1]]
            # `last_row` holds the rows above i. The shorter way: through those followed, or up through the rows above.
            if own.size <= i - lo:
                for other in own:
                    if last_row[other] >= lo and last_row[other] > parent[i]:
                        parent[i] = last_row[other]
            else:
                # From the latest up: the first whose account is followed is the answer.
                for j in range(i - 1, lo - 1, -1):
                    at = np.searchsorted(own, np.int64(account[j]))
                    if at < own.size and own[at] == account[j]:
                        parent[i] = j
                        break
            last_row[account[i]] = i
