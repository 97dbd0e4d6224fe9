"""Parents of true trees hidden, inferred and compared: each provider's score.

    python -m benchmarks parents [--data FOLDER] [--folds 5] [--samples 100]
    python -m benchmarks parents [--data FOLDER] --fit propgraph/cascades/weibo.json

FOLDER holds `weibo_trees.parquet`: reposts and comments with their parents, a null parent standing for the
root's post, which is itself no row. What is repaired is counted and printed. The cascades are split by a hash
of their ids; what is learned for a fold (law and accounts' audience) is learned on the others, never on it.

Share found is that of the parents named, which `cascade_nodes` holds; how often a single draw is right stands beside
it (a draw is spread over all likely parents, so that shapes come out right). Errors are of the natural logarithm
of an ensemble's median: bias, then the median of the absolute error. The correlation is Spearman's over
cascades. Top spreaders are the 1 % of accounts with the most descendants over all cascades of a fold (mean of
20 samples), shared with the truth. Figures are means over folds, with the least and greatest.
"""

from __future__ import annotations

import argparse
import time as clock
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from scipy.stats import spearmanr

from benchmarks import SHARED
from propgraph.arrays.kernels import kernel
from propgraph.cascades.inference.clues import Audience, audience_of
from propgraph.cascades.inference.draws import cascade_keys
from propgraph.cascades.inference.ensemble import MEASURES, Nodes, Sampler, ensemble_shapes
from propgraph.cascades.inference.learned import fit_law, learned_sampler
from propgraph.cascades.inference.pdi import PDI
from propgraph.cascades.parents import infer_parents, star_parents
from propgraph.cascades.shapes.shape import cascade_shapes

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class Trees:
    """True trees in the flat table; account -1 at the roots, which the log does not hold."""

    nodes: Nodes
    account: np.ndarray
    n_accounts: int


def second_of(post: str) -> int:
    """Return the second (Unix time, Beijing's clock) that a Weibo id of nine characters was given out in."""
    groups = (post[0], post[1:5], post[5:9])
    number = 0
    for group in groups:
        value = 0
        for character in group:
            value = value * 62 + DIGITS.index(character)
        number = number * 10**7 + value
    return (number >> 22) + 515_483_463 + 8 * 3600


def load(path: Path) -> Trees:
    """Read the trees, repair them, and print how often."""
    rows = pl.read_parquet(path)
    time = rows["date"].str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False).dt.epoch("ms")
    lacking = time.is_null()
    by_id = [1000 * second_of(post) for post in rows["content_id"].filter(lacking)]
    rows = rows.with_columns(time=time.scatter(lacking.arg_true(), by_id))
    n_rows = rows.height
    rows = rows.sort("cascade_id", "content_id", "parent_content_id", nulls_last=True)
    rows = rows.unique(["cascade_id", "content_id"], keep="first", maintain_order=True)
    rows = rows.sort("cascade_id", "time", "account_id", "content_id")
    cascades = rows.group_by("cascade_id", maintain_order=True).agg(pl.col("time").min(), pl.len())
    offsets = np.concatenate([[0], np.cumsum(cascades["len"].to_numpy() + 1)]).astype(np.int64)
    is_root = np.zeros(offsets[-1], bool)
    is_root[offsets[:-1]] = True

    def column(of_root: object, of_rest: object, dtype: type) -> np.ndarray:
        values: np.ndarray = np.empty(is_root.size, dtype)
        values[is_root], values[~is_root] = of_root, of_rest
        return values

    posts = pl.concat([rows["content_id"], rows["parent_content_id"].drop_nulls()]).unique().sort()
    accounts = rows["account_id"].unique().sort()
    account = column(-1, rows["account_id"].cast(pl.Enum(accounts)).to_physical(), np.int32)
    times = column(cascades["time"], rows["time"], np.int64)
    parents = rows["parent_content_id"].cast(pl.Enum(posts)).to_physical().cast(pl.Int64).fill_null(-1)
    inferred = infer_parents(
        offsets,
        content=column(-1, rows["content_id"].cast(pl.Enum(posts)).to_physical(), np.int64),
        account=account,
        time=times,
        parent_content=column(-1, parents, np.int64),
        origin_account=np.full(is_root.size, -1, np.int32),
    )
    print(
        f"{cascades.height:,} cascades, {rows.height:,} posts; {n_rows - rows.height:,} repeated rows left out"
        f" (one with a parent kept), {len(by_id)} dates without a year read from the post's id,"
        f" {rows['parent_content_id'].null_count():,} without a parent hung under the root, likewise"
        f" {inferred.counts['parents_absent']} whose parent is absent; {inferred.counts['times_raised']} earlier than"
        f" their parent have its time.\n"
    )
    account = account if inferred.order is None else account[inferred.order]
    nodes = Nodes(offsets, inferred.time, inferred.parent, cascade_keys(cascades["cascade_id"]))
    return Trees(nodes, account, len(accounts))


def chosen(trees: Trees, which: np.ndarray) -> Trees:
    """Return some of the cascades."""
    offsets = trees.nodes.offsets
    size = np.diff(offsets)[which]
    own = np.concatenate([[0], np.cumsum(size)])
    rows = np.repeat(offsets[which] - own[:-1], size) + np.arange(own[-1])
    known = trees.nodes.known[rows]
    known = np.where(known < 0, -1, known - np.repeat(offsets[which] - own[:-1], size))
    return Trees(
        Nodes(own, trees.nodes.time[rows], known, trees.nodes.keys[which]),
        trees.account[rows],
        trees.n_accounts,
    )


def hidden(trees: Trees) -> Nodes:
    """Return the nodes without their parents."""
    nodes = trees.nodes
    return Nodes(nodes.offsets, nodes.time, np.full(nodes.time.size, -1, np.int64), nodes.keys)


@kernel
def descendants(offsets: np.ndarray, parent: np.ndarray) -> np.ndarray:
    """Count the nodes below each node."""
    below = np.zeros(parent.size)
    for row in range(parent.size - 1, -1, -1):
        if parent[row] >= 0:
            below[parent[row]] += below[row] + 1
    return below


def top_spreaders(trees: Trees, parents: np.ndarray) -> set[int]:
    """Return the 1 % of the accounts present with the most descendants, mean over the rows of `parents`."""
    reach = np.zeros(trees.n_accounts)
    own = trees.account >= 0
    for parent in parents:
        below = descendants(trees.nodes.offsets, parent)
        reach += np.bincount(trees.account[own], below[own], trees.n_accounts)
    present = np.unique(trees.account[own])
    order = present[np.argsort(-reach[present], kind="stable")]
    return set(order[: max(1, present.size // 100)].tolist())


def score(trees: Trees, sampler: Sampler | None, *, samples: int) -> dict[str, float]:
    """Return the figures of one provider on one fold; without a sampler, of the star."""
    offsets, true = trees.nodes.offsets, trees.nodes.known
    below = true >= 0
    start = clock.perf_counter()
    if sampler is None:
        parent, _ = star_parents(offsets, n_nodes=true.size)
        shapes = {f"{name}_median": values for name, values in cascade_shapes(offsets, parent).items()}
        few = parent[None]
    else:
        ensemble = ensemble_shapes(sampler, samples=samples)
        parent, shapes = ensemble.parent, ensemble.shapes
    figures = {"seconds per million": (clock.perf_counter() - start) / true.size * 1e6}
    if sampler is not None:
        few = sampler.draw(0, offsets.size - 1, samples=range(min(samples, 20)), seed=0).parents
    figures["share found"] = (parent[below] == true[below]).mean()
    figures["single draws right"] = np.mean([(one[below] == true[below]).mean() for one in few])
    truth = cascade_shapes(offsets, true)
    for name in MEASURES:
        error = np.log(shapes[f"{name}_median"]) - np.log(truth[name])
        figures[f"{name} bias"] = error.mean()
        figures[f"{name} error"] = np.median(np.abs(error))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a star's depths, all 1, there is no correlation
            figures[f"{name} rank"] = spearmanr(shapes[f"{name}_median"], truth[name]).statistic
        if sampler is not None:
            inside = (truth[name] >= shapes[f"{name}_low"]) & (truth[name] <= shapes[f"{name}_high"])
            figures[f"{name} inside"] = inside.mean()
    best = top_spreaders(trees, true[None])
    figures["top spreaders"] = len(best & top_spreaders(trees, few)) / len(best)
    return figures


def audience_as_followers(train: Trees, test: Trees, audience: Audience) -> np.ndarray:
    """Return children a post of each account in the training trees, for want of followers; roots have theirs."""
    parent = train.nodes.known
    of_roots = np.isin(parent, train.nodes.offsets[:-1]).sum() / (train.nodes.offsets.size - 1)
    usual = audience.children.sum() / audience.posts.sum()
    code = np.maximum(test.account, 0)
    rate = (audience.children[code] + usual) / (audience.posts[code] + 1)
    found: np.ndarray = np.where(test.account < 0, of_roots, rate)
    return found


def fold_scores(trees: Trees, fold: np.ndarray, k: int, *, samples: int) -> dict[str, dict[str, float]]:
    """Return each provider's figures on fold `k`, learned on the others."""
    train, test = chosen(trees, np.flatnonzero(fold != k)), chosen(trees, np.flatnonzero(fold == k))
    audience = audience_of(
        train.account,
        train.nodes.known,
        trusted=np.ones(train.account.size, bool),
        n_accounts=trees.n_accounts,
    )
    everything = np.arange(train.nodes.offsets.size - 1)
    law = fit_law(train.nodes, account=train.account, audience=audience, trees=everything)
    bare = fit_law(train.nodes, account=train.account, audience=None, trees=everything)
    nodes, followers = hidden(test), audience_as_followers(train, test, audience)
    samplers: dict[str, Sampler | None] = {
        "star": None,
        "pdi, equal followers": PDI(nodes, np.ones(test.account.size)),
        "pdi, audience": PDI(nodes, followers),
        "pdi, audience, gamma .75, alpha 1.1": PDI(nodes, followers, gamma=0.75, alpha=1.1),
        "learned": learned_sampler(nodes, account=test.account, law=law, audience=audience),
        "learned, times only": learned_sampler(nodes, account=test.account, law=bare),
        "learned, shipped law": learned_sampler(nodes, account=test.account),
    }
    return {name: score(test, sampler, samples=samples) for name, sampler in samplers.items()}


def main() -> None:
    """Fit the shipped law, or score the providers and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--fit", type=Path, help="write the law of all these trees, times only, as JSON")
    options = parser.parse_args()
    trees = load(options.data / "weibo_trees.parquet")
    if options.fit:
        everything = np.arange(trees.nodes.offsets.size - 1)
        law = fit_law(trees.nodes, account=trees.account, audience=None, trees=everything)
        options.fit.write_text(law.to_json() + "\n")
        return
    fold = (trees.nodes.keys % np.uint64(options.folds)).astype(np.int64)
    warm = chosen(trees, np.arange(2))  # compiles
    for sampler in (
        PDI(hidden(warm), np.ones(warm.account.size)),
        learned_sampler(hidden(warm), account=warm.account),
    ):
        score(warm, sampler, samples=1)
    scores = [fold_scores(trees, fold, k, samples=options.samples) for k in range(options.folds)]
    providers = list(scores[0])
    print("| | " + " | ".join(providers) + " |")
    print("|---" * (len(providers) + 1) + "|")
    for figure in scores[0][providers[-1]]:
        cells = []
        for provider in providers:
            values = [one[provider].get(figure, np.nan) for one in scores]
            cells.append(
                "-"
                if np.isnan(values).any()
                else f"{np.mean(values):.4f} ({min(values):.4f} to {max(values):.4f})"
            )
        print(f"| {figure} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
