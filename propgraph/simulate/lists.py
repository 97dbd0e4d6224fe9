"""Innocents who share what one list gives them, in its order: a newsletter, a digest, a feed.

They look like people whom an app deals tasks to, and nobody tells them to do anything. A newsletter's readers
share some of its ten links from top to bottom; digests, each run by its own tool, post the day's most shared
links in that order; the readers of one feed go through what is new, the newest first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from propgraph.arrays.types import Float64, Int64
from propgraph.simulate.draws import DAY, Rng, lognormal, weighted, when_awake
from propgraph.simulate.posts import LINK_ODDS, ORIGINAL, Posts, join, make_posts
from propgraph.simulate.world import World

N_NEWSLETTER, N_DIGESTS, N_FEED = 30, 3, 40
N_LINKS = 10  # of a newsletter, and of a digest
FEED_SITES = (0, 1, 2, 3)  # the best known; the newsroom's own is not among them


@dataclass(frozen=True)
class Readers:
    """The posts of those who read a list, and who they are, by kind."""

    posts: Posts
    kinds: dict[str, Int64]


def readers(rng: Rng, world: World, log: Posts) -> Readers:
    """Let some ordinary people share from lists; the result belongs right behind `log`."""
    sizes = {"newsletter": N_NEWSLETTER, "digest": N_DIGESTS, "feed": N_FEED}
    some = rng.permutation(world.people.who("organic"))[: sum(sizes.values())]
    newsletter, digest, feed = np.split(some, np.cumsum(list(sizes.values()))[:-1])
    posts = join(
        _newsletter(rng, world, log, newsletter), _digests(rng, world, log, digest), _feed(rng, world, feed)
    )
    # Who has posted an article already does not post it again, and nobody posts one twice.
    key = posts.account * world.press.article_site.size + posts.article
    told = log.account * world.press.article_site.size + log.article
    _, once = np.unique(key, return_index=True)
    once = np.sort(once)
    kept = once[~np.isin(key[once], told[log.article >= 0]) & (posts.time[once] < world.end)]
    return Readers(posts.take(kept), {"newsletter": newsletter, "digest": digest, "feed": feed})


def _newsletter(rng: Rng, world: World, log: Posts, readers: Int64) -> Posts:
    """Send ten links of the day before each morning, in an order that the editor likes."""
    parts = []
    for sent in np.arange(DAY + 6 * 3600, world.end, DAY):
        links = rng.permutation(_most_shared(log, int(sent) - DAY, int(sent), 3 * N_LINKS))[:N_LINKS]
        who = readers[rng.random(readers.size) < 0.6]
        opened = _opened(rng, world, who, int(sent))
        parts.append(_shared_in_order(rng, who, opened, links, share=0.4))
    return _all(parts)


def _digests(rng: Rng, world: World, log: Posts, accounts: Int64) -> Posts:
    """Post the ten links most shared within a day, the first first, each digest at an hour of its own."""
    parts = []
    for account, hour in zip(accounts, rng.uniform(8, 20, accounts.size), strict=True):
        for due in np.arange(DAY + hour * 3600, world.end, DAY).astype(np.int64):
            links = _most_shared(log, int(due) - DAY, int(due), N_LINKS)
            parts.append(
                make_posts(np.full(links.size, account), due + 20 * np.arange(links.size), article=links)
            )
    return _all(parts)


def _feed(rng: Rng, world: World, readers: Int64) -> Posts:
    """Go through what four sites published since yesterday, the newest first, once a day or less."""
    press, parts = world.press, []
    listed = press.ordinary[np.isin(press.article_site[press.ordinary], FEED_SITES)]
    listed = listed[np.argsort(-press.article_time[listed], kind="stable")]
    for day in np.arange(0, world.end, DAY):
        who = readers[rng.random(readers.size) < 0.7]
        opened = _opened(rng, world, who, int(day), median=10 * 3600)
        for account, time in zip(who, opened, strict=True):
            age = time - press.article_time[listed]
            shown = listed[(age > 0) & (age < DAY)]
            one, at = np.array([account]), np.array([time])
            parts.append(_shared_in_order(rng, one, at, shown, share=min(1.0, 4 / max(1, shown.size))))
    return _all(parts)


def _most_shared(log: Posts, since: int, until: int, n: int) -> Int64:
    """Return the articles with most original posts in a stretch of the log, the first first."""
    there = (log.kind == ORIGINAL) & (log.article >= 0) & (log.time >= since) & (log.time < until)
    article, count = np.unique(log.article[there], return_counts=True)
    return article[np.argsort(-count, kind="stable")][:n]


def _opened(rng: Rng, world: World, who: Int64, sent: int, *, median: float = 2 * 3600) -> Int64:
    """Return when each opens what was sent, some hours later and awake."""
    zone: Float64 = world.people.zone[who]
    after = np.full(who.size, sent)
    return when_awake(rng, lambda rows: lognormal(rng, median, 0.7, rows.size), after, zone)


def _shared_in_order(rng: Rng, who: Int64, opened: Int64, links: Int64, *, share: float) -> Posts:
    """Let each share some of the links, from top to bottom, a minute or so apart."""
    row, place = np.nonzero(rng.random((who.size, links.size)) < share)
    pause = lognormal(rng, 60, 0.6, row.size).astype(np.int64) + 1
    since = np.cumsum(pause)
    first = np.searchsorted(row, np.arange(who.size))
    before = np.where(first > 0, since[np.maximum(first - 1, 0)], 0) if row.size else first
    return make_posts(
        who[row],
        opened[row] + since - before[row],
        article=links[place],
        link=weighted(rng, LINK_ODDS, row.size),
    )


def _all(parts: list[Posts]) -> Posts:
    none = np.zeros(0, dtype=np.int64)
    return join(make_posts(none, none), *parts)
