"""Posts that somebody paid the platform to show: a farm's, and an outlet's own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from propgraph.arrays.types import Int64
from propgraph.schema import ID
from propgraph.simulate.draws import DAY, Rng, lognormal
from propgraph.simulate.logs import article_urls, times
from propgraph.simulate.operators import Operators
from propgraph.simulate.posts import LINKS, ORIGINAL, STAFF_LINK, Posts
from propgraph.simulate.press import NEWSROOM_SITE, Press

#: The firms in whose names operators pay.
FIRMS = ("Kelvik Media", "Norlix Web", "Tavsten Digital")


@dataclass(frozen=True)
class Boosts:
    """Who paid for which post (in the log's own order, null for nobody), and the adverts as a library lists them.

    `adverts` has a row a boosted post: `ad_id, page, url, sponsor, currency` (`String`)`, spend_low, spend_high`
    (`Float64`, in that currency)`, start, stop`; the range is the one that a library gives, and holds what was paid.
    `paid` is that, by sponsor, US dollars.
    """

    sponsor: pl.Series
    adverts: pl.DataFrame
    paid: dict[str, float]


def boost(rng: Rng, press: Press, operators: Operators, log: Posts) -> Boosts:
    """Let operators boost the first post of one farm article in five, and the newsroom one in eight of its own."""
    rows, sponsor = _boosted(rng, press, operators, log)
    spend = lognormal(rng, 40, 0.8, rows.size)
    edges = np.array([0, 10, 50, 100, 500, 1000, 5000])
    step = np.clip(np.searchsorted(edges, spend, side="right"), 1, edges.size - 1)
    begin = log.time[rows] + lognormal(rng, 3600, 0.6, rows.size).astype(np.int64)
    stop = begin + rng.integers(1, 4, rows.size) * DAY
    column = np.full(log.n, None, dtype=object)
    column[rows] = sponsor
    return Boosts(
        sponsor=pl.Series(column.tolist(), dtype=ID),
        adverts=pl.DataFrame(
            {
                "ad_id": [f"ad{k:05d}" for k in range(rows.size)],
                "page": sponsor,
                "url": article_urls(press).gather(log.article[rows]),
                "sponsor": sponsor,
                "currency": ["USD"] * rows.size,
                "spend_low": edges[step - 1].astype(np.float64),
                "spend_high": edges[step].astype(np.float64),
                "start": times(begin),
                "stop": times(stop),
            },
            schema_overrides=dict.fromkeys(("ad_id", "page", "sponsor", "currency"), ID),
        ),
        paid={
            firm: round(float(spend[[who == firm for who in sponsor]].sum()), 2)
            for firm in sorted(set(sponsor))
        },
    )


def _boosted(rng: Rng, press: Press, operators: Operators, log: Posts) -> tuple[Int64, list[str]]:
    """Return the posts that are boosted, and by whom."""
    paid = np.flatnonzero((log.link >= len(LINKS)) & (log.kind == ORIGINAL))
    order = paid[np.argsort(log.time[paid], kind="stable")]
    pushed, first = np.unique(log.article[order], return_index=True)
    some = rng.random(pushed.size) < 0.2
    operator = operators.of_articles(press)[np.searchsorted(press.farm, pushed[some])]
    staff = np.flatnonzero((log.link == STAFF_LINK) & (log.kind == ORIGINAL))
    articles, once = np.unique(log.article[staff], return_index=True)
    own = staff[once[rng.random(articles.size) < 1 / 8]]
    outlet = str(press.site[NEWSROOM_SITE])
    return (
        np.concatenate([order[first[some]], own]),
        [*(FIRMS[k] for k in operator.tolist()), *[outlet] * own.size],
    )
