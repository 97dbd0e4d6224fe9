"""Sessions: posts of one account with no long pause between them, and what it was free to choose in each.

Of a session count the objects that stood in the log before it began, at the account's first share of them: what came
up meanwhile could not be taken earlier, so that its order would be that of publication.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from propgraph.arrays.encoding import group_offsets, grouped
from propgraph.arrays.incidence import Incidence
from propgraph.arrays.kernels import kernel
from propgraph.arrays.types import Bool, Int32, Int64

#: A pause (ms) that ends a session.
PAUSE_MS = 30 * 60 * 1000
#: So many objects of a session count at most, the first: its pairs grow with the square.
MOST_OBJECTS = 16


@dataclass(frozen=True)
class Sessions:
    """What was shared in sessions, account by account and session by session, in the order of time.

    Attributes
    ----------
    first
        int64[n_sessions + 1]; session `s` has the items `first[s]:first[s + 1]`, one or more.
    row
        int64[n_items]; the item's share in the log.
    n_cut
        How many sessions hold more than `MOST_OBJECTS`.
    """

    first: Int64
    row: Int64
    n_cut: int


@dataclass(frozen=True)
class Steps:
    """Steps of accounts from one item of a session to a later one.

    Attributes
    ----------
    before, after
        int64[n_steps]; items of `Sessions`.
    """

    before: Int64
    after: Int64


@dataclass(frozen=True)
class CommonSteps:
    """Steps that two accounts or more took: "this before that, in one session".

    Attributes
    ----------
    kind
        int64[n_steps]; which step it is, by number.
    row
        int64[n_steps]; the later share in the log.
    before, after
        int64[n_kinds]; codes of the two objects of each.
    n_cut
        As in `Sessions`.
    """

    kind: Int64
    row: Int64
    before: Int64
    after: Int64
    n_cut: int


def common_steps(log: Incidence, /) -> CommonSteps:
    """Return the steps in a trace that two accounts or more took."""
    sessions = sessions_of(log)
    steps = steps_of(log, sessions)
    code = log.object[sessions.row].astype(np.int64)
    key = code[steps.before] * len(log.objects) + code[steps.after]
    order = np.argsort(key, kind="stable")
    # An account takes each step once at most, so that a step is common where the next or the last is the same.
    again = key[order[1:]] == key[order[:-1]]
    common = np.concatenate([again, [False]]) | np.concatenate([[False], again])
    order = order[common] if key.size else order
    kinds, kind = np.unique(key[order], return_inverse=True)
    before, after = np.divmod(kinds, max(len(log.objects), 1))
    return CommonSteps(kind, sessions.row[steps.after[order]], before, after, sessions.n_cut)


def incidence_of_steps(log: Incidence, steps: CommonSteps, /) -> Incidence:
    """Return who took which step when, as the shares of a trace whose objects are the steps."""
    account, time = log.account[steps.row], log.time[steps.row]
    order = np.lexsort((account, time, steps.kind))
    n_kinds = steps.before.size
    return Incidence(
        accounts=log.accounts,
        objects=pl.Series(np.arange(n_kinds)).cast(pl.String),
        offsets=group_offsets(steps.kind, n_kinds),
        account=account[order],
        object=steps.kind[order].astype(np.int32),
        time=time[order],
        post=np.empty(0, np.int64),
        row=steps.row[order],
    )


def sessions_of(log: Incidence, /, *, mask: Bool | None = None) -> Sessions:
    """Return the sessions of a trace, or of those of its shares that `mask` keeps."""
    rows = np.arange(log.n_shares) if mask is None else np.flatnonzero(mask)
    start, position = grouped(log.account[rows], len(log.accounts))
    # The log stands by object, so that what an account shared at one time stays in the order of the objects.
    _by_time(start, position, log.time[rows])
    rows = rows[position]
    there = np.flatnonzero(np.diff(log.offsets))
    came = np.zeros(len(log.objects), np.int64)
    came[there] = log.time[log.offsets[there]]
    first, row, n_cut = _sessions(log.account[rows], log.object[rows], log.time[rows], came)
    return Sessions(first, rows[row], n_cut)


def steps_of(log: Incidence, sessions: Sessions, /) -> Steps:
    """Return all pairs of items of a session of which the log's times tell the order."""
    resolution = log.resolution if log.resolution.size > 1 else np.broadcast_to(log.resolution, log.n_shares)
    time, grain = log.time[sessions.row], np.ascontiguousarray(resolution[sessions.row])
    return Steps(*_steps(sessions.first, time, grain))


@kernel
def _by_time(start: Int64, position: Int64, time: Int64) -> None:
    """Put the rows of each group in the order of time; those of one time keep theirs."""
    for g in range(start.size - 1):
        begin, end = start[g], start[g + 1]
        if end - begin > 1:
            own = position[begin:end].copy()
            order = np.argsort(time[own], kind="mergesort")
            for k in range(own.size):
                position[begin + k] = own[order[k]]


@kernel
def _sessions(account: Int32, object_: Int32, time: Int64, came: Int64) -> tuple[Int64, Int64, int]:
    """Return the bounds of sessions and the positions of their items, of shares in order of account and time."""
    latest = np.full(came.size, -1, np.int64)
    first, row = np.empty(account.size + 1, np.int64), np.empty(account.size, np.int64)
    n_sessions, n, n_cut, begun, size = 0, 0, 0, 0, 0
    # `first[:n_sessions]` are where the sessions with items begin; the one at hand began at `begun` and holds `size`.
    for p in range(account.size):
        new = p == 0 or account[p] != account[p - 1] or time[p] - time[p - 1] > PAUSE_MS
        if new:
            begun, size = time[p], 0
        o = object_[p]
        # Accounts stand together, so the latest account that shared an object tells whether this one did before.
        if latest[o] == account[p]:
            continue
        latest[o] = account[p]
        if came[o] >= begun:
            continue
        size += 1
        if size == MOST_OBJECTS + 1:
            n_cut += 1
        if size > MOST_OBJECTS:
            continue
        if size == 1:
            first[n_sessions] = n
            n_sessions += 1
        row[n] = p
        n += 1
    first[n_sessions] = n
    return first[: n_sessions + 1].copy(), row[:n].copy(), n_cut


@kernel
def _steps(first: Int64, time: Int64, grain: Int64) -> tuple[Int64, Int64]:
    most = 0
    for s in range(first.size - 1):
        size = first[s + 1] - first[s]
        most += size * (size - 1) // 2
    before, after = np.empty(most, np.int64), np.empty(most, np.int64)
    n = 0
    for s in range(first.size - 1):
        for i in range(first[s], first[s + 1]):
            for j in range(i + 1, first[s + 1]):
                # Of times no finer than their difference nobody knows which came first.
                if time[j] - time[i] > 0 and time[j] - time[i] >= max(grain[i], grain[j]):
                    before[n], after[n] = i, j
                    n += 1
    return before[:n].copy(), after[:n].copy()
