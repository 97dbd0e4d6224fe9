"""What stands on the pages that a log links to, and who copied it from whom."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from propgraph.arrays.types import Int64
from propgraph.schema import ID
from propgraph.simulate.draws import DAY, Rng, Words
from propgraph.simulate.logs import article_urls, times
from propgraph.simulate.press import CHAIN, N_NEWS_SITES, Press, coin_words

HOUR = 3600
LINKING = (
    "the", "of", "and", "to", "in", "that", "for", "with", "on", "was", "by", "as", "from", "which", "has", "its",
    "their", "not", "will", "more", "said", "after", "before", "over",
)  # fmt: skip
N_WORDS = 1200
AGENCY = "(Orvin News Agency)"
#: Stories of the agency a day, and the ordinary sites that print each.
STORIES, PRINTED_BY = 2, 10


@dataclass(frozen=True)
class Articles:
    """The pages, and the truth about their texts.

    Attributes
    ----------
    pages
        `url, title, text, published`, a row an article, sorted by `url`.
    truth
        Those whose text is not theirs alone: `url, origin` (`copy, agency, edition`)`, source` (the address of the
        first of the same text, which may be itself), sorted by `url`.
    """

    pages: pl.DataFrame
    truth: pl.DataFrame


def write_articles(rng: Rng, press: Press, linked: Int64) -> Articles:
    """Write a text for every article of the press, and return those that the log links to and their sources.

    Four farm articles in five copy an ordinary one that came 1 to 12 h before, with 5 to 20 % of its words changed.
    Two agency stories a day stand on ten ordinary sites each, within 8 h, nearly word for word and with the
    agency's name. Two in five articles of the chain are editions of one text. The agency's first text may be on
    any site: its copies go both ways.
    """
    n = press.article_site.size
    vocabulary = np.array([*LINKING, *coin_words(rng, N_WORDS)])
    texts = [_words(rng, vocabulary, size) for size in rng.integers(50, 100, n).tolist()]
    origin = np.full(n, "own", dtype="<U8")
    source = np.full(n, -1)
    for kind, groups in (("agency", _agency(rng, press)), ("edition", _editions(rng, press))):
        for group in groups:
            free = group[origin[group] == "own"]
            _print(rng, vocabulary, texts, free, changed=0.02)
            origin[free], source[free] = kind, free[0] if free.size else -1
    for copy, model in _copies(rng, press):
        texts[copy] = _changed(rng, vocabulary, texts[model], rng.uniform(0.05, 0.20))
        origin[copy], source[copy] = "copy", model
    source[origin == "own"] = -1
    return _tables(
        press, texts, origin, source=source, rows=np.union1d(linked, source[linked][source[linked] >= 0])
    )


def _words(rng: Rng, vocabulary: Words, n: int) -> Words:
    """Return `n` words, every second or so one that links others."""
    linking = rng.random(n) < 0.45
    place = np.where(
        linking, rng.integers(0, len(LINKING), n), rng.integers(len(LINKING), vocabulary.size, n)
    )
    return vocabulary[place]


def _changed(rng: Rng, vocabulary: Words, text: Words, part: float) -> Words:
    """Return a text with a part of its words replaced by others."""
    copy = text.copy()
    place = rng.permutation(text.size)[: round(part * text.size)]
    copy[place] = _words(rng, vocabulary, place.size)
    return copy


def _print(rng: Rng, vocabulary: Words, texts: list[Words], group: Int64, *, changed: float) -> None:
    """Give all articles of a group the first one's text, with hardly a word changed."""
    for article in group[1:]:
        texts[article] = _changed(rng, vocabulary, texts[group[0]], changed)


def _agency(rng: Rng, press: Press) -> list[Int64]:
    """Return the articles that print each story: ten of ten ordinary sites, within 8 h, the first first."""
    article = press.ordinary[~np.isin(press.article_site[press.ordinary], CHAIN)]
    time = press.article_time[article]
    groups = []
    n_days = int(time.max(initial=0)) // DAY + 1
    for begin in np.sort(rng.uniform(0, n_days * DAY, STORIES * n_days)):
        near = article[(time >= begin) & (time < begin + 8 * HOUR)]
        near = rng.permutation(near)
        _, once = np.unique(press.article_site[near], return_index=True)
        chosen = rng.permutation(near[once])[:PRINTED_BY]
        groups.append(chosen[np.argsort(press.article_time[chosen], kind="stable")])
    return groups


def _editions(rng: Rng, press: Press) -> list[Int64]:
    """Return the articles of the chain that are one text: of each title the nearest within 6 h."""
    title = press.ordinary[np.isin(press.article_site[press.ordinary], CHAIN)]
    time, site = press.article_time[title], press.article_site[title]
    groups = []
    for lead in rng.permutation(title)[: title.size // 20]:
        gap = np.abs(time - press.article_time[lead])
        order = np.argsort(gap, kind="stable")
        _, once = np.unique(site[order], return_index=True)
        group = title[order[once]][gap[order[once]] <= 6 * HOUR]
        groups.append(group[np.argsort(press.article_time[group], kind="stable")])
    return groups


def _copies(rng: Rng, press: Press) -> list[tuple[int, int]]:
    """Return each farm article that copies, and what: an ordinary one, 1 to 12 h older, of a site in view."""
    time = press.article_time[press.ordinary]
    weight = 1 / (1.0 + np.minimum(press.article_site[press.ordinary], N_NEWS_SITES))
    pairs = []
    for farm in press.farm[rng.random(press.farm.size) < 0.8].tolist():
        lag = press.article_time[farm] - time
        near = np.flatnonzero((lag >= HOUR) & (lag <= 12 * HOUR))
        if near.size:
            chosen = rng.choice(near, p=weight[near] / weight[near].sum())
            pairs.append((farm, int(press.ordinary[chosen])))
    return pairs


def _tables(press: Press, texts: list[Words], origin: Words, *, source: Int64, rows: Int64) -> Articles:
    url = article_urls(press)
    credit = np.where(origin == "agency", f" {AGENCY}", "")
    pages = pl.DataFrame(
        {
            "url": url.gather(rows),
            "title": press.headline[rows],
            "text": [" ".join(texts[k]).capitalize() + "." + str(credit[k]) for k in rows],
            "published": times(press.article_time[rows]),
        },
        schema_overrides={"title": ID, "text": ID},
    )
    where = pl.Series(source[rows]).replace(-1, None)
    truth = pl.DataFrame(
        {"url": url.gather(rows), "origin": origin[rows], "source": url.gather(where)},
        schema_overrides={"origin": ID},
    )
    return Articles(pages.sort("url"), truth.filter(pl.col("origin") != "own").sort("url"))
