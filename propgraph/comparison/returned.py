"""Clusters that came back under other names: other accounts that do the same, held against others of their kind.

The null: as many accounts as the later cluster has, drawn from all others of its log that are as active and share what
its members share most. Two groups of readers of one paper are alike because they read it, and so are the draws.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse

from propgraph.comparison.side import Side, doings, hours

#: Draws for each pair of clusters.
DRAWS = 99
#: How far above the draws a pair has to lie, and over how many kinds of traces (the hours are one) by how far each.
LEAST_Z, LEAST_KINDS, LEAST_OF_KIND = 2.5, 2, 2.0
# One kind decides nothing, and what nearly nobody has in common varies by next to nothing.
_MOST_OF_KIND, _LEAST_DEVIATION = 5.0, 0.05
# Accounts nearest in activity out of which one is drawn, and below how many on the same topic all accounts will do.
_NEAREST, _LEAST_POOL = 20, 10
_HOURS = 48

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Likeness:
    """How alike what two clusters do is, by accounts that are in one of them alone.

    Attributes
    ----------
    objects, rhythm
        Similarities, 0..1; see `COMPARISON`.
    expected
        The mean similarity of the draws, over all kinds.
    z
        How many standard deviations of the draws the pair lies above them: the sum over the kinds, by the root of how
        many there are (Stouffer's), none counted with more than five.
    n_kinds
        Kinds in which it lies two or more above them.
    p_value
        Fraction of the draws that come as near, by the same sum.
    """

    objects: float
    rhythm: float
    expected: float
    z: float
    n_kinds: int
    p_value: float

    @property
    def holds(self) -> bool:
        """Whether it is beyond what accounts of this kind have in common."""
        return self.z >= LEAST_Z and self.n_kinds >= LEAST_KINDS and self.p_value <= 1 / (DRAWS + 1)


def likeness_of(similarity: Floats, /) -> Likeness:
    """Return how alike two clusters are.

    Parameters
    ----------
    similarity
        A row a kind, the hours last; in the first column that of the clusters, in the others those of the draws.
    """
    null = similarity[:, 1:]
    deviation = np.maximum(null.std(axis=1, ddof=1), _LEAST_DEVIATION)
    by_kind = (similarity - null.mean(axis=1, keepdims=True)) / deviation[:, None]
    z = np.clip(by_kind, -_MOST_OF_KIND, _MOST_OF_KIND).sum(axis=0) / np.sqrt(len(similarity))
    return Likeness(
        objects=float(similarity[:-1, 0].mean()) if len(similarity) > 1 else 0.0,
        rhythm=float(similarity[-1, 0]),
        expected=float(null.mean()),
        z=float(z[0]),
        n_kinds=int((by_kind[:, 0] >= LEAST_OF_KIND).sum()),
        p_value=float((1 + (z[1:] >= z[0]).sum()) / z.size),
    )


class Behaviour:
    """What accounts of two studies do, side by side.

    Parameters
    ----------
    before, after
        The studies.
    seed
        Of the draws.
    """

    def __init__(self, before: Side, after: Side, /, *, seed: int) -> None:
        self.draws = np.random.default_rng(seed)
        self._accounts = [side.accounts.sort("account_id") for side in (before, after)]
        self._place = [
            {name: k for k, name in enumerate(accounts["account_id"].to_list())}
            for accounts in self._accounts
        ]
        done = [doings(side) for side in (before, after)]
        kinds = sorted(set(done[0]["kind"].to_list()) & set(done[1]["kind"].to_list()))
        self.kinds = [self._of_kind([part.filter(kind=kind) for part in done]) for kind in kinds]
        self.rhythm = [self._hours(hours(side), k) for k, side in enumerate((before, after))]
        self._topics = self._topics_of(done[1].filter(pl.col("kind").is_in(_topic_kinds(kinds))))
        self._n_posts = self._accounts[1]["n_posts"].to_numpy()

    def _of_kind(self, parts: Sequence[pl.DataFrame]) -> list[sparse.csr_matrix]:
        """Return of each study accounts by items, weighed by how few accounts of the study after share an item."""
        items = (
            pl.concat([part.select("item") for part in parts]).unique().sort("item").with_row_index("column")
        )
        n_after = self._accounts[1].height
        counts = parts[1].group_by("item").len("n")
        weights = (
            items.join(counts, on="item", how="left", maintain_order="left")["n"].fill_null(1).to_numpy()
        )
        weight = np.log(n_after / weights)
        made = []
        for k, part in enumerate(parts):
            column = part.join(items, on="item", maintain_order="left")["column"].to_numpy()
            row = self._rows(part["account_id"], k)
            shape = (self._accounts[k].height, items.height)
            made.append(sparse.csr_matrix((weight[column], (row, column)), shape=shape))
        return made

    def _rows(self, accounts: pl.Series, side: int) -> npt.NDArray[np.int64]:
        names = self._accounts[side].select("account_id").with_row_index("row")
        rows = accounts.to_frame("account_id").join(names, on="account_id", maintain_order="left")["row"]
        return rows.to_numpy().astype(np.int64)

    def _hours(self, table: pl.DataFrame, side: int) -> Floats:
        """Return for each account which part of its posts falls into each hour."""
        made: Floats = np.zeros((self._accounts[side].height, _HOURS))
        made[self._rows(table["account_id"], side), table["hour"].to_numpy()] = table["n"].to_numpy()
        made /= np.maximum(made.sum(axis=1, keepdims=True), 1)
        return made

    def _topics_of(self, done: pl.DataFrame) -> dict[str, list[str]]:
        """Return who shares what, for the draws: accounts of the study after by kind and item."""
        key = pl.concat_str("kind", "item", separator=" ")
        return dict(done.group_by(key.alias("topic")).agg(pl.col("account_id").sort()).iter_rows())

    def similarities(self, mine: Sequence[int], sets: sparse.csr_matrix) -> Floats:
        """Return how like accounts before each of some sets of accounts after is: a row a kind, the hours last."""
        found = []
        for before, after in self.kinds:
            one = np.asarray(before[list(mine)].sum(axis=0)).ravel()
            if one.any():
                others = sets @ after
                norms = np.sqrt(np.asarray(others.multiply(others).sum(axis=1)).ravel()) * np.linalg.norm(one)
                found.append(np.asarray(others @ one).ravel() / np.where(norms == 0, 1, norms))
        at = self.rhythm[0][list(mine)].mean(axis=0)
        hours_of = np.asarray(sets @ self.rhythm[1]) / np.asarray(sets.sum(axis=1)).reshape(-1, 1)
        found.append(1 - np.abs(hours_of - at).sum(axis=1) / 2)
        return np.stack(found)

    def likeness(
        self, before: frozenset[str], after: frozenset[str], /, *, taken: frozenset[str]
    ) -> Likeness | None:
        """Return how alike two clusters are by accounts that are in one of them alone; None where none are left.

        Parameters
        ----------
        before, after
            Their members.
        taken
            Accounts that are not drawn: members of flagged clusters.
        """
        alone, new = sorted(before - after), sorted(after - before)
        if not alone or not new:
            return None
        mine = [self._place[0][name] for name in alone if name in self._place[0]]
        sets = self._sets(new, without=taken | before | after)
        return likeness_of(self.similarities(mine, sets))

    def _sets(self, new: Sequence[str], *, without: frozenset[str]) -> sparse.csr_matrix:
        """Return accounts of the study after as rows of a matrix: the cluster's own, then those of each draw."""
        place = self._place[1]
        pools = {}
        for name, topic in self._top_topics(new).items():
            same = [place[one] for one in self._topics.get(topic, ()) if one not in without]
            pools[name] = same if len(same) >= _LEAST_POOL else None
        everyone = [k for one, k in place.items() if one not in without]
        rows, columns = [0] * len(new), [place[name] for name in new]
        for name in new:
            pool = np.asarray(pools.get(name) or everyone or [place[name]])
            distance = np.abs(np.log1p(self._n_posts[pool]) - np.log1p(self._n_posts[place[name]]))
            nearest = pool[np.argsort(distance, kind="stable")[:_NEAREST]]
            columns += self.draws.choice(nearest, DRAWS).tolist()
            rows += range(1, DRAWS + 1)
        shape = (DRAWS + 1, len(place))
        return sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=shape)

    def _top_topics(self, accounts: Sequence[str]) -> dict[str, str]:
        """Return what each account shares that most of these accounts share, the one that fewest others do at a tie."""
        mine = set(accounts)
        counts: dict[str, list[tuple[int, int, str]]] = {}
        for topic, who in self._topics.items():
            inside = [one for one in who if one in mine]
            for one in inside:
                counts.setdefault(one, []).append((len(inside), -len(who), topic))
        return {one: max(found)[2] for one, found in counts.items()}


def _topic_kinds(kinds: Sequence[str]) -> list[str]:
    """Return what tells of a topic: sites and hashtags; where the log has none, whatever it has."""
    broad = [kind for kind in ("domain", "hashtag", "group") if kind in kinds]
    return broad or list(kinds)


def returned(
    behaviour: Behaviour, before: Mapping[str, frozenset[str]], after: Mapping[str, frozenset[str]], /, *,
    pairs: Sequence[tuple[str, str]], taken: frozenset[str],
) -> dict[tuple[str, str], Likeness]:  # fmt: skip
    """Return how alike the pairs of clusters are that stand nearest to each other, each of them once, and hold.

    Parameters
    ----------
    behaviour
        What accounts do.
    before, after
        Members by cluster.
    pairs
        Those to look at.
    taken
        Accounts that are not drawn.
    """
    found = {}
    for one, other in pairs:
        likeness = behaviour.likeness(before[one], after[other], taken=taken)
        if likeness is not None and likeness.holds:
            found[one, other] = likeness
    kept: dict[tuple[str, str], Likeness] = {}
    for pair in sorted(found, key=lambda pair: (-found[pair].z, pair)):
        if not any(pair[0] == one or pair[1] == other for one, other in kept):
            kept[pair] = found[pair]
    return kept
