"""A log with a known truth: the timing of real operators grafted into a real, mostly organic log.

    python -m benchmarks graft [--data ../shared/data] [--organic weibo|hoaxy|twitter15] [--accounts 200] [--seed 0]
                               [--slow 1] [--out FOLDER]

How operators keep time with each other is theirs; what they share, and whom they hide among, is the organic
log's. In a window of days, drawn so that busy times are likelier:

- Operators are drawn from the accounts with 5 to 2,000 shares there. Each object that two or more of them shared
  (a link) is laid on an organic object, drawn by popularity, its first share at the time of a random organic share
  of that object. The delays between operators stay, times `slow`; the seconds within the minute are drawn, for
  the operators' log knows minutes.
- What an operator shared alone becomes camouflage, at most `camouflage` for each of its shares of links: a share
  of an organic object drawn by popularity, 1 to 599 s after a random organic share of it.
- Beside each operator come `decoys` innocents, each as active as it is. Half of them share organic objects drawn by
  popularity, half (fans) objects drawn as the operators share them; all at most a minute after random organic
  shares of those objects.

So neither being active, nor liking the same objects, nor coming right after somebody in a burst tells an operator;
only meeting the same others again and again does. An operator that shared no link has nothing to be found by and
is not in the log. Organic accounts count as innocent, although nobody knows: precision is a lower bound.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks import SHARED

SHARE = ("account_id", "object_id", "timestamp")
DAY = 86_400
X_EPOCH_MS = 1_288_834_974_657
ACTIVE = (5, 2000)
MIN_SHARES = 3


def graft(
    organic: pl.DataFrame,
    operators: pl.DataFrame,
    *,
    n_accounts: int = 200,
    seed: int = 0,
    slow: float = 1.0,
    days: int = 60,
    decoys: int = 10,
    camouflage: float = 2.0,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return a log of organic shares with operators and decoys among them, and what each account is.

    Parameters
    ----------
    organic, operators
        `account_id`, `object_id` (String), `timestamp` (Datetime, UTC); rows in any order.
    n_accounts
        Operators to draw; as many as there are, where there are fewer.
    seed
        The same seed gives the same log.
    slow
        The delays between operators times this.
    days
        Length of the window of the operators' log.
    decoys
        Innocents as active as each operator; the even ones by popularity, the odd ones fans.
    camouflage
        Shares of its own kept for each share of a link, per operator, rounded up.

    Returns
    -------
    tuple
        The log: `content_id`, `account_id`, `object_id` (String), `timestamp` (Datetime ms, UTC), by time. The
        truth: `account_id`, `label` (Boolean), `kind` (operator, decoy, fan, organic). The names of grafted
        accounts say nothing of their kind.
    """
    rng = np.random.default_rng(seed)
    field = Field(in_seconds(organic))
    links, alone = _drawn(in_seconds(operators), rng, n_accounts=n_accounts, days=days)
    alone = _at_most(alone, links, rng, camouflage)
    acts = pl.concat([_laid(links, field, rng, slow), _camouflage(alone, field, rng)])
    own = acts.group_by("account_id").len("n").sort("account_id")
    grafted = pl.concat(
        [
            acts.with_columns(kind=pl.lit("operator")),
            *(_decoys(own, acts, field, rng, number=number) for number in range(decoys)),
        ]
    )
    names = grafted.select("account_id", "kind").unique().sort("kind", "account_id")
    names = names.with_columns(name=pl.format("graft{}", pl.Series(rng.permutation(names.height))))
    grafted = grafted.join(names, on=["account_id", "kind"]).select(
        "object_id", "t", "kind", account_id="name"
    )
    return finished(
        pl.concat([in_seconds(organic).with_columns(kind=pl.lit("organic")), grafted], how="diagonal")
    )


def weibo(data: Path = SHARED, /) -> pl.DataFrame:
    """Return Weibo's reposts (Ma et al. 2016) as shares; rows without a whole date are left out."""
    when = pl.col("date").str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="ms", time_zone="UTC", strict=False)
    rows = pl.read_parquet(data / "weibo_trees.parquet")
    return rows.select("account_id", object_id="cascade_id", timestamp=when).drop_nulls()


def hoaxy(data: Path = SHARED, /) -> pl.DataFrame:
    """Return Hoaxy's posts (Shao et al. 2016) as shares of URLs; a post is one share of a URL, by its author.

    The author stands at `to_user_id` of a retweet or quote, else, and in every mention, at `from_user_id`.
    """
    mention = pl.col("is_mention").str.to_lowercase() == "true"
    author_is_from = pl.col("type").is_in(["origin", "reply"]) | mention
    return (
        pl.read_parquet(data / "hoaxy_edges.parquet")
        .select(
            "tweet_id",
            account_id=pl.when(author_is_from).then("from_user_id").otherwise("to_user_id"),
            object_id="url",
            timestamp="created_at",
        )
        .drop_nulls()
        .unique()
        .select(SHARE)
    )


def twitter15(data: Path = SHARED, /) -> pl.DataFrame:
    """Return the retweets of Twitter15's stories (Ma et al. 2017) as shares.

    The log has minutes after the source; when that was made is in its id, which names the cascade (the upper bits are
    ms after the epoch of X's ids).
    """
    source_ms = pl.col("cascade_id").cast(pl.Int64) // (1 << 22) + X_EPOCH_MS
    delay_ms = (pl.col("delay_min").cast(pl.Float64) * 60_000).round().cast(pl.Int64)
    return (
        pl.read_parquet(data / "twitter15_trees.parquet")
        .filter(pl.col("account_id") != "ROOT")
        .unique(["cascade_id", "content_id", "account_id"])
        .select(
            "account_id",
            object_id="cascade_id",
            timestamp=(source_ms + delay_ms).cast(pl.Datetime("ms", "UTC")),
        )
        .drop_nulls()
        .unique()
        .sort("timestamp", "object_id", "account_id")
    )


def ira(data: Path = SHARED, /) -> pl.DataFrame:
    """Return the links that accounts of the Internet Research Agency posted, 2012 to 2016, to the minute."""
    return pl.read_parquet(data / "ira_link_shares.parquet").select(SHARE)


ORGANIC: dict[str, Callable[[Path], pl.DataFrame]] = {"weibo": weibo, "hoaxy": hoaxy, "twitter15": twitter15}


class Field:
    """The organic objects of at least so many shares: their times, and how likely each is to be drawn."""

    def __init__(self, organic: pl.DataFrame, *, min_shares: int = MIN_SHARES) -> None:
        n = pl.len().over("object_id")
        shares = organic.filter(n >= min_shares).sort("object_id", "t")
        counts = shares.group_by("object_id", maintain_order=True).len("n")
        self.objects = counts["object_id"]
        self.times = shares["t"].to_numpy()
        self.n = counts["n"].to_numpy().astype(np.int64)
        self.start = np.cumsum(self.n) - self.n

    def draw(self, size: int, rng: np.random.Generator) -> np.ndarray:
        """Return places of objects drawn by popularity."""
        return rng.choice(self.n.size, size=size, p=self.n / self.n.sum())

    def moments(self, places: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return the time of a random share of each of the objects."""
        drawn: np.ndarray = self.times[self.start[places] + rng.integers(0, self.n[places])]
        return drawn

    def places(self, objects: pl.Series) -> np.ndarray:
        """Return where objects stand."""
        return self.objects.search_sorted(objects).to_numpy()


def in_seconds(shares: pl.DataFrame) -> pl.DataFrame:
    """Return the shares with their seconds `t`, in an order of their own."""
    t = pl.col("timestamp").dt.epoch("s")
    return shares.select("account_id", "object_id", t=t).drop_nulls().sort("t", "account_id", "object_id")


def _drawn(
    shares: pl.DataFrame, rng: np.random.Generator, *, n_accounts: int, days: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the shares of some operators in a window, of links (with their first time) and of all else."""
    middle = shares.item(int(rng.integers(shares.height)), "t")
    low = middle - days * DAY // 2
    window = shares.filter(pl.col("t").is_between(low, low + days * DAY))
    active = (
        window.group_by("account_id").len().filter(pl.col("len").is_between(*ACTIVE))["account_id"].sort()
    )
    chosen = active.gather(rng.choice(active.len(), size=min(n_accounts, active.len()), replace=False))
    own = window.filter(pl.col("account_id").is_in(chosen.implode()))
    own = own.with_columns(
        first=pl.col("t").min().over("object_id"), sharers=pl.col("account_id").n_unique().over("object_id")
    )
    return own.filter(pl.col("sharers") >= 2), own.filter(pl.col("sharers") < 2)


def _at_most(
    alone: pl.DataFrame, links: pl.DataFrame, rng: np.random.Generator, camouflage: float
) -> pl.DataFrame:
    """Return as many of each account's shares, drawn at random, as it may keep."""
    room = links.group_by("account_id").agg(room=(pl.len() * camouflage).ceil())
    shuffled = alone.with_columns(lot=pl.Series(rng.random(alone.height), dtype=pl.Float64)).sort("lot")
    kept = shuffled.join(room, on="account_id", maintain_order="left").filter(
        pl.int_range(pl.len()).over("account_id") < pl.col("room")
    )
    return kept.sort("t", "account_id", "object_id")


def _laid(links: pl.DataFrame, field: Field, rng: np.random.Generator, slow: float) -> pl.DataFrame:
    """Return the operators' shares of links as shares of organic objects, with the delays between them."""
    names = links["object_id"].unique().sort()
    places = field.draw(names.len(), rng)
    where = pl.DataFrame(
        {"object_id": names, "to": field.objects.gather(places), "at": field.moments(places, rng)}
    )
    delay = ((pl.col("t") - pl.col("first")) * slow).cast(pl.Int64)
    return links.join(where, on="object_id", maintain_order="left").select(
        "account_id",
        object_id="to",
        t=pl.col("at") + delay + pl.Series(rng.integers(0, 60, links.height), dtype=pl.Int64),
    )


def _camouflage(alone: pl.DataFrame, field: Field, rng: np.random.Generator) -> pl.DataFrame:
    places = field.draw(alone.height, rng)
    t = field.moments(places, rng) + rng.integers(1, 600, alone.height)
    return alone.select("account_id", object_id=field.objects.gather(places), t=pl.Series(t, dtype=pl.Int64))


def _decoys(
    own: pl.DataFrame, acts: pl.DataFrame, field: Field, rng: np.random.Generator, *, number: int
) -> pl.DataFrame:
    """Return the shares of one innocent beside each operator, as many as the operator's."""
    size, fans = int(own["n"].sum()), number % 2 == 1
    if fans:
        pool = field.places(acts.sort("object_id", "t", "account_id")["object_id"])
        places = pool[rng.integers(0, pool.size, size)]
    else:
        places = field.draw(size, rng)
    return pl.DataFrame(
        {
            "account_id": np.repeat([f"{number} {name}" for name in own["account_id"]], own["n"].to_numpy()),
            "object_id": field.objects.gather(places),
            "t": field.moments(places, rng) + rng.integers(0, 60, size),
            "kind": np.repeat("fan" if fans else "decoy", size),
        }
    )


def finished(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the log and the truth of rows of `account_id`, `object_id`, `t`, `kind`."""
    rows = rows.sort("t", "account_id", "object_id")
    log = rows.select(
        pl.format("post{}", pl.int_range(pl.len())).alias("content_id"),
        "account_id",
        "object_id",
        timestamp=pl.from_epoch("t", "s").cast(pl.Datetime("ms")).dt.replace_time_zone("UTC"),
    )
    truth = rows.select("account_id", "kind").unique().sort("account_id")
    return log, truth.select("account_id", (pl.col("kind") == "operator").alias("label"), "kind")


def main() -> None:
    """Write one such log and its truth."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--organic", choices=ORGANIC, default="weibo")
    parser.add_argument("--accounts", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--slow", type=float, default=1.0)
    parser.add_argument("--out", type=Path, default=Path("graft"))
    options = parser.parse_args()
    log, truth = graft(
        ORGANIC[options.organic](options.data), ira(options.data),
        n_accounts=options.accounts, seed=options.seed, slow=options.slow,
    )  # fmt: skip
    options.out.mkdir(parents=True, exist_ok=True)
    log.write_parquet(options.out / "log.parquet")
    truth.write_csv(options.out / "truth.csv")
    shares = log.join(truth, on="account_id").group_by("kind").agg(
        accounts=pl.col("account_id").n_unique(), shares=pl.len()
    )  # fmt: skip
    for kind, accounts, n in shares.sort("kind").iter_rows():
        print(f"{kind:<10} {accounts:>8,} accounts {n:>9,} shares")


if __name__ == "__main__":
    main()
