"""What the field does, each as one score an account: honest re-implementations of published descriptions.

Each function takes the shares of one trace (`content_id`, `account_id`, `object_id`, `timestamp`; any order) and
returns `account_id`, `score` (higher: more suspect) and `flagged` (by the method's own rule, at its own defaults),
for the accounts that the method says anything of; the others score 0. Where a method makes a network, an account
is as suspect as its heaviest edge, unless the method ranks accounts itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, eigsh

from propgraph import cosharing_edges
from propgraph.arrays.kernels import kernel

BLOCK = 128
STEPS = 100_000


def activity(shares: pl.DataFrame, /) -> pl.DataFrame:
    """Score by the number of shares: what a method has to beat. It flags nobody."""
    return shares.group_by("account_id").agg(score=pl.len().cast(pl.Float64), flagged=pl.lit(False))


def best_window(shares: pl.DataFrame, /, *, time_window: float = 60.0) -> pl.DataFrame:
    """Score by distinct objects co-shared within a sliding window with one other account; two or more flag.

    Keller and Schoch et al. (2020) count so, at 60 s.
    """
    edges = cosharing_edges(
        shares, time_window=time_window, min_participation=1, min_edge_weight=1, burst_cap=0
    )
    return _heaviest(edges, pl.col("n_objects"), pl.col("n_objects") >= 2)


def window_null(shares: pl.DataFrame, /, *, time_window: float = 60.0) -> pl.DataFrame:
    """Score by -log10 of the chance of the heaviest co-sharing, times permuted within objects (Poisson).

    propgraph's own closed form for windows, before rank synchrony. Flags at 1e-6.
    """
    edges = cosharing_edges(
        shares, time_window=time_window, min_participation=1, min_edge_weight=1, burst_cap=0
    )
    evidence = -pl.col("p_value").clip(1e-300).log10()
    return _heaviest(edges, evidence, evidence >= 6)


def coortweet(
    shares: pl.DataFrame, /, *, time_window: float = 60.0, edge_quantile: float = 0.5
) -> pl.DataFrame:
    """Score by pairs of posts of one object within a sliding window, as CooRTweet's weight.

    Righetti and Balluff (2025): `min_participation` 2 before and after pairing; the weight counts pairs of posts;
    edges strictly above the quantile of the weights flag. propgraph's kernel gives the same edges as CooRTweet
    2.1.3, row by row, and so stands in for it here.
    """
    edges = cosharing_edges(
        shares,
        time_window=time_window,
        min_participation=2,
        min_edge_weight=1,
        edge_weight="events",
        burst_cap=0,
    )
    cut = edges["n_events"].quantile(edge_quantile, "linear") or 0.0
    return _heaviest(edges, pl.col("n_events"), pl.col("n_events") > cut)


def coornet(shares: pl.DataFrame, /, *, time_window: float = 60.0, percentile: float = 0.9) -> pl.DataFrame:
    """Score by distinct objects that two accounts both shared in a hurry, in fixed bins, as CooRnet's weight.

    Giglietto et al. (2020), and CooRnet's source: the shares of each URL that several accounts shared are binned,
    the first bin beginning at its first share; shares in a bin with others are coordinated; two accounts are
    joined by the number of URLs of which both have coordinated shares, in one bin or not. Edges at or above the
    0.9 quantile of the weights flag.
    """
    t = pl.col("timestamp").dt.timestamp("ms")
    bins = (t - t.min().over("object_id")) // round(time_window * 1000)
    together = (
        shares.filter(pl.col("account_id").n_unique().over("object_id") > 1)
        .with_columns(bin=bins)
        .filter(pl.len().over("object_id", "bin") > 1)
        .select("account_id", "object_id")
        .unique()
    )
    together = together.filter(pl.len().over("object_id") > 1)
    if together.is_empty():
        return _scores(pl.Series([], dtype=pl.String), np.empty(0), np.empty(0, np.bool_))
    # A pair of weight two has two accounts of two objects: only those are multiplied out, and the rest counted.
    n = pl.len().over("account_id")
    several = together.filter(n > 1)
    accounts, matrix = _incidence(several)
    heaviest, weights = np.ones(len(accounts)), np.zeros(1, np.int64)
    for rows, product in _products(matrix):
        heaviest[rows] = np.maximum(product.max(axis=1).toarray().ravel(), 1)
        found = np.bincount(product.data.astype(np.int64))
        weights = _added(weights, found)
    weights = weights // 2
    of_one = together.group_by("object_id").len()["len"].cast(pl.Int64)
    pairs = int((of_one * (of_one - 1) // 2).sum())
    weights = _added(weights, np.zeros(2, np.int64))
    weights[1] = pairs - int((weights[2:] * np.arange(2, weights.size)).sum())
    cut = _quantile(weights, percentile)
    alone = together.filter(n == 1)["account_id"]
    score = np.append(heaviest, np.ones(alone.len()))
    return _scores(pl.concat([accounts, alone]), score, score >= cut)


def pacheco(
    shares: pl.DataFrame, /, *, min_shares: int = 10, min_objects: int = 2, top: float = 0.005
) -> pl.DataFrame:
    """Score by the greatest cosine with another account, TF-IDF over objects, among the top half per cent of edges.

    Pacheco et al. (2021): accounts of ten shares and more, and of two objects and more (one object alone makes a
    cosine of 1); idf is log(accounts / accounts that shared it); of all pairs that have something in common the
    0.5 % most alike stay, ties at the cut included. Whoever keeps no edge scores 0.

    No pair is stored: the product is made in blocks of rows, of which the greatest cosine of each row and a
    histogram of all cosines, in steps of 1e-5, are kept; the cut is the lower end of its step.
    """
    n_shares, n_objects = pl.len().over("account_id"), pl.col("object_id").n_unique().over("account_id")
    busy = shares.filter((n_shares >= min_shares) & (n_objects >= min_objects))
    accounts, counts = _incidence(busy)
    matrix = tf_idf(counts)
    greatest, histogram = np.zeros(len(accounts)), np.zeros(STEPS + 1, np.int64)
    for rows, product in _products(matrix):
        greatest[rows] = product.max(axis=1).toarray().ravel()
        histogram += np.bincount(_step(product.data), minlength=STEPS + 1)
    kept = np.cumsum(histogram[::-1])[::-1]  # pairs at or above each step
    enough = np.flatnonzero(kept >= max(top * kept[0], 1))
    cut = int(enough[-1]) if enough.size else STEPS + 1
    linked = (_step(greatest) >= cut) & (greatest > 0)
    return _scores(accounts, np.where(linked, greatest, 0.0), linked)


def luceri(
    traces: Sequence[pl.DataFrame], /, *, min_objects: int = 2, percentile: float = 0.95
) -> pl.DataFrame:
    """Score by eigenvector centrality in the fused similarity network of all traces; the top percentiles are kept.

    Luceri et al. (2024): in each trace accounts are joined by the cosine of their TF-IDF vectors; the networks are
    laid over one another (here their weights add up), and nodes are pruned by a percentile of their centrality.
    The score is the centrality before pruning; who stays is flagged. Accounts of one object in a trace are left
    out there, for their cosines are all 1.

    The network is never made: its product with a vector is that of the sparse matrices one after the other.
    """
    accounts = pl.concat([shares["account_id"] for shares in traces]).unique().sort()
    matrices = []
    for shares in traces:
        several = shares.filter(pl.col("object_id").n_unique().over("account_id") >= min_objects)
        own, counts = _incidence(several)
        place = accounts.search_sorted(own).to_numpy()
        lift = sparse.csr_matrix(
            (np.ones(place.size), (place, np.arange(place.size))), (len(accounts), place.size)
        )
        matrices.append(lift @ tf_idf(counts))
    diagonal = sum(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel() for matrix in matrices)
    linked = np.asarray(diagonal) > 0
    if linked.sum() < 3:
        return _scores(accounts, np.zeros(len(accounts)), np.zeros(len(accounts), np.bool_))

    def times(v: np.ndarray) -> np.ndarray:
        v = np.asarray(v).ravel()
        found: np.ndarray = sum(matrix @ (matrix.T @ v) for matrix in matrices) - diagonal * v
        return found

    network = LinearOperator((len(accounts), len(accounts)), matvec=times, dtype=np.float64)
    _, vectors = eigsh(network, k=1, which="LA", v0=np.ones(len(accounts)))
    score = np.abs(vectors[:, 0])
    score[score < 1e-12] = 0.0
    return _scores(accounts, score, linked & (score > 0) & (score >= np.quantile(score[linked], percentile)))


def qut(shares: pl.DataFrame, /, *, time_window: float = 60.0, min_edge_weight: int = 2) -> pl.DataFrame:
    """Score by messages with a match in another account, as the QUT toolkit's weight; two or more flag.

    Graham and QUT Digital Observatory's coordination-network-toolkit: an edge from u to v weighs the distinct
    messages of u with at least one message of v about the same object within the window, the bound included. Its
    README says 60 s. An account is as suspect as the heaviest edge from or to it.
    """
    rows = shares.sort("object_id", "timestamp", "account_id", "content_id")
    accounts, account = _codes(rows["account_id"])
    _, message = _codes(rows["content_id"])
    _, object_ = _codes(rows["object_id"])
    order = np.lexsort((message, account)).astype(np.int64)
    start = np.searchsorted(account[order], np.arange(len(accounts) + 1)).astype(np.int64)
    moment = rows["timestamp"].dt.timestamp("ms").to_numpy()
    weight = _messages_matched(start, order, message, object_, account, moment, round(time_window * 1000))
    return _scores(accounts, weight.astype(np.float64), weight >= min_edge_weight)


def tf_idf(counts: sparse.csr_matrix, /) -> sparse.csr_matrix:
    """Return rows of counts times log(rows / rows that have the column), each of length 1, or 0 where all is 0."""
    n = np.bincount(counts.indices, minlength=counts.shape[1])
    weighted = counts @ sparse.diags(np.log(counts.shape[0] / np.maximum(n, 1)))
    length = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    result = (sparse.diags(1 / np.where(length > 0, length, 1)) @ weighted).tocsr()
    result.eliminate_zeros()
    return result


@kernel
def _messages_matched(
    start: np.ndarray,
    order: np.ndarray,
    message: np.ndarray,
    object_: np.ndarray,
    account: np.ndarray,
    time: np.ndarray,
    window: int,
) -> np.ndarray:
    """Return the weight of each account's heaviest edge, from or to it."""
    n_accounts = start.size - 1
    latest = np.full(n_accounts, -1, np.int64)  # the latest message of this account that the other matched
    count = np.zeros(n_accounts, np.int64)
    touched = np.empty(n_accounts, np.int64)
    heaviest = np.zeros(n_accounts, np.int64)
    for a in range(n_accounts):
        used = 0
        for k in range(start[a], start[a + 1]):
            p = order[k]
            for step in (-1, 1):
                q = p + step
                while 0 <= q < object_.size and object_[q] == object_[p] and abs(time[q] - time[p]) <= window:
                    b = account[q]
                    if b != a and latest[b] != message[p]:
                        if count[b] == 0:
                            touched[used] = b
                            used += 1
                        latest[b] = message[p]
                        count[b] += 1
                    q += step
        for k in range(used):
            b = touched[k]
            heaviest[a] = max(heaviest[a], count[b])
            heaviest[b] = max(heaviest[b], count[b])
            count[b] = 0
            latest[b] = -1
    return heaviest


def _heaviest(edges: pl.DataFrame, score: pl.Expr, flagged: pl.Expr) -> pl.DataFrame:
    """Return for each account the greatest score of its edges, and whether one of them is flagged."""
    judged = edges.with_columns(score=score.cast(pl.Float64), flagged=flagged)
    ends = [judged.select("score", "flagged", account_id=end) for end in ("source", "target")]
    return pl.concat(ends).group_by("account_id").agg(pl.col("score").max(), pl.col("flagged").any())


def _scores(accounts: pl.Series, score: np.ndarray, flagged: np.ndarray) -> pl.DataFrame:
    frame = pl.DataFrame({"account_id": accounts, "score": score, "flagged": flagged})
    return frame.filter(pl.col("score") > 0)


def _codes(column: pl.Series) -> tuple[pl.Series, np.ndarray]:
    """Return the sorted values and where each row's stands among them."""
    labels = column.unique().sort()
    return labels, labels.search_sorted(column).to_numpy().astype(np.int64)


def _incidence(shares: pl.DataFrame) -> tuple[pl.Series, sparse.csr_matrix]:
    """Return accounts and how often each (rows) shared each object (columns)."""
    accounts, row = _codes(shares["account_id"])
    objects, column = _codes(shares["object_id"])
    matrix = sparse.coo_matrix((np.ones(row.size), (row, column)), (len(accounts), len(objects)))
    return accounts, matrix.tocsr()


def _products(matrix: sparse.csr_matrix) -> Iterator[tuple[slice, sparse.csr_matrix]]:
    """Yield the products of each block of rows with all rows, without those of a row with itself."""
    turned = matrix.T.tocsr()
    for first in range(0, matrix.shape[0], BLOCK):
        rows = slice(first, min(first + BLOCK, matrix.shape[0]))
        product = (matrix[rows] @ turned).tocsr()
        product.setdiag(0, first)
        product.eliminate_zeros()
        yield rows, product


def _step(cosine: np.ndarray) -> np.ndarray:
    """Return the step of the histogram that a cosine falls in; rounding may carry one beyond 1."""
    return np.minimum((cosine * STEPS + 1e-6).astype(np.int64), STEPS)


def _added(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    size = max(one.size, other.size)
    found: np.ndarray = np.pad(one, (0, size - one.size)) + np.pad(other, (0, size - other.size))
    return found


def _quantile(histogram: np.ndarray, q: float) -> float:
    """Return the quantile (linear, R's type 7) of whole numbers of which there are so many each."""
    last = np.cumsum(histogram)
    place = (last[-1] - 1) * q
    low = int(np.floor(place))
    lower, upper = (int(np.searchsorted(last, k, side="right")) for k in (low, min(low + 1, last[-1] - 1)))
    return float(lower + (place - low) * (upper - lower))
