"""Whether rank synchrony's probabilities hold: real logs whose accounts were dealt anew to each object's posts.

    python -m benchmarks calibration FOLDER [--draws 3] [--pairs 1000000] [--every 1]

FOLDER holds `weibo_trees.parquet` (cascade_id, content_id, account_id, date), `hoaxy_edges.parquet` (tweet_id, url,
to_user_id, created_at), and `german_urls.parquet`, `german_domains.parquet`, `german_hashtags.parquet` (object_id,
account_id, content_id, timestamp_share); what is not there is left out. Posts, times and objects stay; the accounts
of each object change places, so that whoever stands near whom does so by chance. Then

- of pairs that could be tested, drawn at random, P(p <= x) must be at most x: told as P(p <= x) / x, with two
  standard errors (over pairs, as if these were independent);
- over all pairs, those with p <= x must be at most x times the number of pairs tested: the far tail;
- nothing is to be discovered: with nothing true every discovery is false, and the false discovery rate is the
  share of draws with any at q <= 0.05;
- "uncorrected" are the same pairs without the correction for several posts of an account: so one that fails looks.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.timing import header, row
from propgraph.arrays.encoding import grouped
from propgraph.arrays.incidence import Incidence, incidence
from propgraph.arrays.p_values import false_discovery_rate, truncated_product
from propgraph.schema import TIME
from propgraph.synchrony.candidates import shares_that_count
from propgraph.synchrony.gaps import chance_at
from propgraph.synchrony.pairs import PairEvidence, near_pairs, pairs_at
from propgraph.synchrony.prepared import PreparedShares, prepare_shares
from propgraph.synchrony.testable import count_tests

LEVELS = (0.1, 0.01, 0.001, 1e-4)
FAR = (1e-3, 1e-4, 1e-5, 1e-6)


def main() -> None:
    """Read the logs, deal, print two tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument(
        "--pairs", type=int, default=1_000_000, help="pairs drawn of those tested, in each draw"
    )
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    header("log", "draw", "pairs tested", "near", "found at q <= .05", *(f"P(p <= {x:g}) / x" for x in LEVELS),
           *(f"all: n(p <= {x:g}) / allowed" for x in FAR),
           *(f"uncorrected: n(p <= {x:g})" for x in FAR))  # fmt: skip
    for name, log in logs(options.folder):
        found = [told(name, log, draw, options) for draw in range(options.draws)]
        print(
            f"{name}: false discovery rate at q <= .05 {sum(n > 0 for n in found)}/{len(found)}", flush=True
        )


def told(name: str, log: Incidence, draw: int, options: argparse.Namespace) -> int:
    """Deal once, print a row, return the number of discoveries."""
    rng = np.random.default_rng(draw)
    prepared = prepare_shares(dealt(log, rng))
    n_tests = count_tests(
        prepared.log, prepared.gaps.least, tau=prepared.tau, threads=options.threads, budget=10**12
    ).total
    near, _ = near_pairs(prepared, max_p=1.0, threads=options.threads)
    some = sample(prepared, rng, options)
    p_wrong = uncorrected(prepared, near)
    p_some, p_near = np.exp(some.log_p), np.exp(near.log_p)
    n_found = int((false_discovery_rate(p_near, n_tests=n_tests) <= 0.05).sum())
    row(name, draw, f"{int(n_tests):,}", f"{p_near.size:,}", n_found,
        *(ratio(p_some, x) for x in LEVELS), *(f"{(p_near <= x).sum()} / {x * n_tests:.3g}" for x in FAR),
        *((p_wrong <= x).sum() for x in FAR))  # fmt: skip
    return n_found


def ratio(p_values: np.ndarray, x: float) -> str:
    """Return P(p <= x) / x with two standard errors."""
    n = p_values.size
    part = (p_values <= x).mean() / x
    return f"{part:.3f} ± {2 * math.sqrt(max(part, 1 / (n * x)) / (n * x)):.3f}"


def uncorrected(prepared: PreparedShares, pairs: PairEvidence) -> np.ndarray:
    """Return the p-values of pairs as if the closest of their posts were the only ones."""
    log, gaps = prepared.log, prepared.gaps
    posts: dict[int, dict[int, np.ndarray]] = {}
    for a in np.union1d(pairs.source, pairs.target).tolist():
        mine = prepared.position[prepared.start[a] : prepared.start[a + 1]]
        mine = mine[gaps.least[log.object[mine]] <= prepared.tau]
        objects, begin = np.unique(log.object[mine], return_index=True)
        posts[a] = dict(zip(objects.tolist(), np.split(mine, begin[1:]), strict=True))
    found = np.empty(pairs.source.size)
    for e, (a, b) in enumerate(zip(pairs.source.tolist(), pairs.target.tolist(), strict=True)):
        shared = posts[a].keys() & posts[b].keys()
        total = 0.0
        for o in shared:
            p, q = posts[a][o][:, None], posts[b][o][None, :]
            gap = int(
                (np.maximum(gaps.last[p], gaps.last[q]) - np.minimum(gaps.first[p], gaps.first[q])).min()
            )
            n = int(log.offsets[o + 1] - log.offsets[o])
            total += max(math.log(prepared.tau / chance_at(gap, o, n, gaps.counted, gaps.chance)), 0.0)
        found[e] = math.exp(truncated_product(len(shared), total, prepared.tau))
    return found


def dealt(log: Incidence, rng: np.random.Generator) -> Incidence:
    """Return the log with the accounts of each object's posts in random order; sorted again within each time."""
    order = np.lexsort((rng.random(log.n_shares), log.object))
    account = log.account[order]
    order = np.lexsort((account, log.time, log.object))
    post = log.post[order] if log.post.size else log.post
    return Incidence(
        accounts=log.accounts, objects=log.objects, offsets=log.offsets, account=account[order],
        object=log.object[order], time=log.time[order], post=post, row=log.row[order],
    )  # fmt: skip


def sample(prepared: PreparedShares, rng: np.random.Generator, options: argparse.Namespace) -> PairEvidence:
    """Return what ranks say of pairs drawn at random of those that share two objects that carry something.

    An account is drawn by its number of partners, all of which are counted, then a partner.
    """
    log = prepared.log.keep(shares_that_count(prepared.log, prepared.carries))
    start, position = grouped(log.account, len(log.accounts))
    busy = np.flatnonzero(np.diff(start))
    hubs, leaves, total = [], [], 0
    for a in rng.permutation(busy):
        objects = np.unique(log.object[position[start[a] : start[a + 1]]])
        others = [np.unique(log.account[log.offsets[o] : log.offsets[o + 1]]) for o in objects]
        names, times = np.unique(np.concatenate(others), return_counts=True)
        partners = names[(times >= 2) & (names != a)]
        hubs.append(np.full(partners.size, a, np.int64))
        leaves.append(partners.astype(np.int64))
        total += partners.size
        if total >= options.pairs:
            break
    ends = np.sort(np.column_stack([np.concatenate(hubs), np.concatenate(leaves)]), axis=1)
    ends = np.unique(ends, axis=0)
    return pairs_at(prepared, ends[:, 0].copy(), ends[:, 1].copy(), threads=options.threads)


def logs(folder: Path) -> list[tuple[str, Incidence]]:
    """Return the logs that the folder holds."""
    columns = {
        "weibo_trees": ("cascade_id", "account_id", "content_id", "date"),
        "hoaxy_edges": ("url", "to_user_id", "tweet_id", "created_at"),
        "german_urls": ("object_id", "account_id", "content_id", "timestamp_share"),
        "german_domains": ("object_id", "account_id", "content_id", "timestamp_share"),
        "german_hashtags": ("object_id", "account_id", "content_id", "timestamp_share"),
        "ira_link_shares": ("object_id", "account_id", None, "timestamp"),
    }
    found = []
    for name, (object_, account, content, time) in columns.items():
        path = folder / f"{name}.parquet"
        if not path.exists():
            continue
        shares = pl.read_parquet(path).with_row_index("line")
        shares = shares.select(
            object_id=pl.col(object_).cast(pl.String),
            account_id=pl.col(account).cast(pl.String),
            content_id=pl.format("{}", content or "line"),
            timestamp=moment(time, shares.schema[time]),
        ).drop_nulls()
        found.append((name, incidence(shares)))
    return found


def moment(name: str, dtype: pl.DataType) -> pl.Expr:
    """Return a column of seconds, times or texts as times; what is no time as null."""
    if dtype == pl.Int64:
        return pl.from_epoch(name, time_unit="s").cast(TIME)
    if dtype == pl.String:
        return pl.col(name).str.head(19).str.replace("T", " ").str.to_datetime(
            "%Y-%m-%d %H:%M:%S", strict=False, time_zone="UTC", time_unit="ms"
        )  # fmt: skip
    return pl.col(name).cast(TIME)


if __name__ == "__main__":
    main()
