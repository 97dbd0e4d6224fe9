"""Which organised campaigns are found: ten kinds (one of them twice), each laid into a real log with a known truth.

    python -m benchmarks campaigns [--hosts weibo hoaxy twitter15] [--kinds NAME ...] [--draws 3] [--first 0]
                                     [--windows 60 600 3600] [--data ../shared/data]

- small-crews: 4 crews of 5, six objects each, within half an hour;
- ten-at-a-time: 100 accounts, ten of them (drawn anew) at each of 60 objects, 2 h;
- many-at-a-time: 300 accounts, 63 of them at each of 100 objects, 1 h;
- camouflage: 40 accounts, 12 objects, half an hour, behind 20 times as many other shares;
- quota: 300 accounts, 116 of them at each of 30 objects, spread over 2 days; quota-brought: they bring each of 30
  objects that have 20 to 96 shares to 116;
- whole-burst: 8 links of their own, 50 accounts within an hour; 10 accounts of the host share each in the days after;
- days-late: 30 accounts, 20 of them at each of 20 objects, within a day that begins 2 to 5 days after a share of it;
- own-links: 30 accounts, 20 of them at each of 12 links that nobody else shares, five minutes;
- in-turn: two crews of 20 at the same 16 objects, within half an hour each, one 3 h after the other, in turn;
- two-traces: 40 accounts, 20 of them at each of 24 objects, half an hour; half of all objects are links, half hashtags.

A campaign takes objects of at least 20 shares, drawn by popularity (evenly where it brings them to a number), its
first post at the time of a random share of the object. Its members also share other objects as everybody does, by
default twice as many as of the campaign. Beside each member stand three innocents as active as it is: two decoys, who
share objects drawn by popularity, and a fan, who shares the same objects of the campaign as the member, at the moments
of random shares by others.

Figures are means over the draws, with the least and greatest. Accounts of the host count as innocent, although nobody
knows: "precision" is a lower bound; "among those laid in" leaves them out. Seeds 0 to 9 are for tuning, 100 and up for
showing.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks import SHARED
from benchmarks.detection.graft import DAY, ORGANIC, Field, finished, in_seconds
from benchmarks.detection.layers import as_traces
from benchmarks.detection.methods import Case, figures, told
from benchmarks.timing import header, row
from propgraph import Study, build, find_clusters

HOUR = 3600
MIN_SHARES = 20
INNOCENTS = ("decoy", "decoy", "fan")


class TooFewObjectsError(ValueError):
    """A host that has not enough objects for a campaign."""


@dataclass(frozen=True)
class Campaign:
    """How one campaign goes about it.

    Attributes
    ----------
    accounts
        Members of each crew.
    objects
        Objects of each crew.
    span
        Hours from the first to the last possible post of one crew about one object.
    at_a_time
        Members, drawn anew for each object, that share it; None: all. Who is never drawn is not in the log.
    brought_to
        Shares to which they bring each object, of which the host has 20 fewer or less; None: as many as they are.
    crews, in_turn
        Crews; and whether they share the same objects, the second `RELIEF` hours after the first, in turn.
    camouflage
        Other shares of a member for each share of the campaign, rounded up.
    own, later
        Whether the objects are their own, and so many accounts of the host share each in the days after.
    late
        Least and greatest days from the host's share to the campaign's first.
    traces
        Whether half of all objects are links and half hashtags.
    """

    accounts: int
    objects: int
    span: float
    at_a_time: int | None = None
    brought_to: int | None = None
    crews: int = 1
    in_turn: bool = False
    camouflage: float = 2.0
    own: bool = False
    later: int = 0
    late: tuple[float, float] = (0.0, 0.0)
    traces: bool = False


RELIEF = 3.0
CAMPAIGNS = {
    "small-crews": Campaign(accounts=5, objects=6, span=0.5, crews=4),
    "ten-at-a-time": Campaign(accounts=100, objects=60, span=2, at_a_time=10),
    "many-at-a-time": Campaign(accounts=300, objects=100, span=1, at_a_time=63),
    "camouflage": Campaign(accounts=40, objects=12, span=0.5, camouflage=20),
    "quota": Campaign(accounts=300, objects=30, span=48, at_a_time=116),
    "quota-brought": Campaign(accounts=300, objects=30, span=48, brought_to=116),
    "whole-burst": Campaign(accounts=50, objects=8, span=1, own=True, later=10),
    "days-late": Campaign(accounts=30, objects=20, span=24, at_a_time=20, late=(2, 5)),
    "own-links": Campaign(accounts=30, objects=12, span=1 / 12, at_a_time=20, own=True),
    "in-turn": Campaign(accounts=20, objects=16, span=0.5, crews=2, in_turn=True),
    "two-traces": Campaign(accounts=40, objects=24, span=0.5, at_a_time=20, traces=True),
}


def lay(host: pl.DataFrame, kind: str | Campaign, seed: int = 0) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return a log of the host's shares with a campaign and innocents among them, and what each account is.

    Parameters
    ----------
    host
        `account_id`, `object_id` (String), `timestamp` (Datetime, UTC); rows in any order.
    kind
        One of `CAMPAIGNS`, or one of the caller's own.
    seed
        The same seed gives the same log.

    Returns
    -------
    tuple
        The log: `content_id`, `account_id`, `object_id` (String; with two traces `urls` and `hashtags`, lists of
        String), `timestamp` (Datetime ms, UTC), by time. The truth: `account_id`, `label` (Boolean), `kind` (operator,
        decoy, fan, organic), `group` (the crew). The names of accounts laid in say nothing of their kind.

    Raises
    ------
    TooFewObjectsError
        When the host has too few objects for the campaign.
    """
    campaign = CAMPAIGNS[kind] if isinstance(kind, str) else kind
    rng = np.random.default_rng(seed)
    organic = in_seconds(host)
    field = Field(organic)
    acts, others = _acts(campaign, organic, rng)
    active = acts.group_by("member", maintain_order=True).len("n").sort("member")
    n_camouflage = np.ceil(active["n"].to_numpy() * campaign.camouflage).astype(np.int64)
    parts = [acts, _ordinary(active["member"], n_camouflage, field, rng, lag=600)]
    laid = [pl.concat(parts, how="diagonal").with_columns(kind=pl.lit("operator"), beside=-1)]
    for number, innocent in enumerate(INNOCENTS):
        n_shares = n_camouflage if innocent == "fan" else n_camouflage + active["n"].to_numpy()
        shares = _ordinary(active["member"], n_shares, field, rng, lag=60)
        if innocent == "fan":
            shares = pl.concat([shares, _fans(acts, organic, field, rng)])
        laid.append(shares.with_columns(kind=pl.lit(innocent), beside=number))
    return _joined(organic, others, pl.concat(laid, how="diagonal"), rng, campaign=campaign, seed=seed)


def _acts(
    campaign: Campaign, organic: pl.DataFrame, rng: np.random.Generator
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the shares of the campaign's objects: `member`, `object_id`, `t`; and those by others later."""
    n_lists = 1 if campaign.in_turn else campaign.crews
    names, begin, n_there = _objects(campaign, organic, n_lists * campaign.objects, rng)
    crew = np.repeat(np.arange(campaign.crews), campaign.objects)  # a row for each object of each crew
    place = np.arange(crew.size) % len(names)
    first = begin[place]
    if campaign.in_turn:
        first = first + np.where((place + crew) % 2, RELIEF * HOUR, 0).astype(np.int64)
    lots = rng.random((crew.size, campaign.accounts)).argsort(axis=1)
    there = np.arange(campaign.accounts) < n_there[place][:, None]
    delay = rng.integers(0, int(campaign.span * HOUR) + 1, lots.shape)
    delay -= np.where(there, delay, delay.max()).min(axis=1, keepdims=True)
    acts = pl.DataFrame(
        {
            "member": (crew[:, None] * campaign.accounts + lots)[there],
            "object_id": names.gather(np.repeat(place, n_there[place])),
            "t": (first[:, None] + delay)[there],
        }
    )
    size = campaign.later * len(names)
    others = pl.DataFrame(
        {
            "account_id": organic["account_id"].gather(rng.integers(0, organic.height, size)),
            "object_id": names.gather(np.repeat(np.arange(len(names)), campaign.later)),
            "t": np.repeat(begin, campaign.later)
            + int(campaign.span * HOUR)
            + rng.integers(1, 5 * DAY, size),
        }
    )
    return acts, others


def _objects(
    campaign: Campaign, organic: pl.DataFrame, size: int, rng: np.random.Generator
) -> tuple[pl.Series, np.ndarray, np.ndarray]:
    """Return distinct objects of a campaign, when it begins with each, and how many members share each."""
    if campaign.brought_to:
        organic = organic.filter(pl.len().over("object_id") <= campaign.brought_to - MIN_SHARES)
    field = Field(organic, min_shares=MIN_SHARES)
    if not campaign.own and field.n.size < size:
        raise TooFewObjectsError(
            f"the host has {field.n.size} objects of the right size; the campaign takes {size}"
        )
    weight = np.ones(field.n.size) if campaign.brought_to else field.n  # the unpopular need helpers most
    places = rng.choice(field.n.size, size=size, replace=campaign.own, p=weight / weight.sum())
    late = rng.uniform(*campaign.late, size) * DAY
    begin = field.moments(places, rng) + late.astype(np.int64)
    n_there = np.full(size, campaign.at_a_time or campaign.accounts)
    if campaign.brought_to:
        n_there = campaign.brought_to - field.n[places]
    names = pl.Series([f"own{k}" for k in range(size)]) if campaign.own else field.objects.gather(places)
    return names, begin, n_there


def _ordinary(
    member: pl.Series, n_shares: np.ndarray, field: Field, rng: np.random.Generator, *, lag: int
) -> pl.DataFrame:
    """Return shares of objects drawn by popularity, up to `lag` s after random shares of them."""
    size = int(n_shares.sum())
    places = field.draw(size, rng)
    return pl.DataFrame(
        {
            "member": np.repeat(member.to_numpy(), n_shares),
            "object_id": field.objects.gather(places),
            "t": field.moments(places, rng) + rng.integers(0, lag, size),
        }
    )


def _fans(acts: pl.DataFrame, organic: pl.DataFrame, field: Field, rng: np.random.Generator) -> pl.DataFrame:
    """Return the members' shares of the host's objects at other moments; in place of their own links any object."""
    own = ~acts["object_id"].is_in(field.objects.implode()).to_numpy()
    places = field.draw(acts.height, rng)
    places[~own] = field.places(acts["object_id"].filter(pl.Series(~own)))
    return acts.select(
        "member",
        object_id=field.objects.gather(places),
        t=pl.Series(field.moments(places, rng) + rng.integers(0, 60, acts.height)),
    )


def _joined(
    organic: pl.DataFrame,
    others: pl.DataFrame,
    laid: pl.DataFrame,
    rng: np.random.Generator,
    *,
    campaign: Campaign,
    seed: int,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    names = laid.select("beside", "member").unique().sort("beside", "member")
    names = names.with_columns(account_id=pl.format("laid{}", pl.Series(rng.permutation(names.height))))
    laid = laid.join(names, on=["beside", "member"], maintain_order="left")
    host = pl.concat([organic, others.select(organic.columns)]).with_columns(kind=pl.lit("organic"))
    log, truth = finished(pl.concat([host, laid.select(host.columns)]))
    crews = names.filter(pl.col("beside") < 0).select(
        "account_id", group=pl.format("crew{}", pl.col("member") // campaign.accounts)
    )
    truth = truth.join(crews, on="account_id", how="left", maintain_order="left")
    return (as_traces(log, "split", seed) if campaign.traces else log), truth


def searched(log: pl.DataFrame, folder: Path, *, windows: Sequence[float] = (60,)) -> Study:
    """Return the study of a log, clusters found, over both traces where it has two."""
    log.write_parquet(folder / "log.parquet")
    trace = ["url", "hashtag"] if "hashtags" in log.columns else None
    study = build([folder / "log.parquet"], folder / "study", trace=trace, time_window=windows)
    return find_clusters(study.path, trace=trace)


def measured(study: Study, log: pl.DataFrame, truth: pl.DataFrame) -> dict[str, float | None]:
    """Return how well a study meets the truth."""
    scores = study.account_scores
    found = figures(scores, Case(log, log, truth))
    kinds = scores.filter("flagged").join(truth, on="account_id")["kind"]
    hits, host = int((kinds == "operator").sum()), int((kinds == "organic").sum())
    operators = truth.filter("label")
    members = study.members.join(study.clusters.filter("flagged"), on="cluster_id", how="semi")
    pairs = study.network.filter("synchronised")
    both = pairs.join(operators, left_on="source", right_on="account_id", how="semi").join(
        operators, left_on="target", right_on="account_id", how="semi"
    )
    return {
        "AP": found["AP"],
        "recall": found["recall"],
        "precision": found["precision"],
        "among those laid in": hits / (len(kinds) - host) if len(kinds) > host else None,
        "flagged of the host": host,
        "fans flagged": found["fan flagged"],
        "decoys flagged": found["decoy flagged"],
        "synchronised pairs": pairs.height,
        "of these members'": both.height,
        "flagged clusters with members": members.join(operators, on="account_id")["cluster_id"].n_unique(),
    }


def drawn(host: pl.DataFrame, kind: str, seed: int, *, windows: Sequence[float]) -> dict[str, float | None]:
    """Return how well one campaign is found."""
    log, truth = lay(host, kind, seed)
    with tempfile.TemporaryDirectory() as folder:
        return measured(searched(log, Path(folder), windows=windows), log, truth)


def shown(name: str, values: list[float | None]) -> str:
    """Return the mean of a figure over the draws, in whole numbers where it counts."""
    if not name.startswith(("AP", "recall", "precision", "among")) and "s flagged" not in name:
        counts = [round(value) for value in values if value is not None]
        mean = f"{sum(counts) / len(counts):,.0f}"
        return mean if len(counts) == 1 else f"{mean} ({min(counts):,}-{max(counts):,})"
    return told(values, percent="s flagged" in name)


def main() -> None:
    """Lay, search, print a table for each host."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--hosts", nargs="+", choices=ORGANIC, default=list(ORGANIC))
    parser.add_argument("--kinds", nargs="+", choices=CAMPAIGNS, default=list(CAMPAIGNS), metavar="NAME")
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--windows", type=float, nargs="+", default=[60], metavar="SECONDS")
    options = parser.parse_args()
    for name in options.hosts:
        host = ORGANIC[name](options.data)
        print(f"\n{name.capitalize()}, {options.draws} draws from seed {options.first}\n")
        headed = False
        for kind in options.kinds:
            begun = time.perf_counter()
            try:
                draws = [
                    drawn(host, kind, options.first + draw, windows=options.windows)
                    for draw in range(options.draws)
                ]
            except TooFewObjectsError as fault:
                row(kind, fault)
                continue
            seconds = (time.perf_counter() - begun) / options.draws
            if not headed:
                header("campaign", *draws[0], "s a draw")
            headed = True
            row(kind, *(shown(column, [one[column] for one in draws]) for column in draws[0]), seconds)


if __name__ == "__main__":
    main()
