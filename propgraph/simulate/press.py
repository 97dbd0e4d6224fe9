"""The press: sites, the most popular first, and what they publish. All names and headlines are invented."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from propgraph.arrays.types import Float64, Int64
from propgraph.simulate.draws import DAY, Rng, Words, lognormal, when_awake

N_NEWS_SITES = 60
NEWSROOM_SITE = 7  # well known, though not the best known: its Zipf rank less one
# Sites, by the same rank, that some innocents post for where a simulation has them: eight titles of one chain, the
# site of a party, that of a club, and two outlets that are new.
CHAIN = (18, 20, 23, 25, 28, 31, 34, 37)
PARTY_SITE, CLUB_SITE, NEW_SITES = 42, 50, (30, 45)
HEADLINE = (
    ("Mayor", "Council", "Court", "Minister", "Union", "Police", "Farmers", "Coach", "Bank", "Museum"),
    ("delays", "backs", "questions", "opens", "rejects", "defends", "reviews", "presents"),
    ("bridge plan", "budget", "harbour deal", "school reform", "transfer", "tax rule", "festival", "report"),
)
SYLLABLES = (
    ("bra", "cor", "dal", "fen", "gri", "hol", "jas", "kel", "lor", "mev", "nor", "osk", "pel", "quil", "rin",
     "sol", "tav", "ulm", "ver", "wex", "yar", "zel"),
    ("a", "e", "i", "o", "u", "ai", "ea", "ou", "an", "el", "im", "or", "un"),
    ("bor", "dan", "fyr", "gan", "kin", "lix", "mar", "nev", "pok", "rus", "sten", "tor", "vik", "wyn",
     "zan"),
)  # fmt: skip
PAPERS = ("courier", "gazette", "herald", "post", "observer", "ledger", "echo", "chronicle")
PAPER_ENDS = (".com", ".com", ".org", ".net", ".co.uk")


@dataclass(frozen=True)
class Press:
    """Sites, the most popular first, and what they publish; `coins` are the words in their names.

    `farm` are the articles of a campaign's own sites.
    """

    coins: tuple[str, ...]
    site: Words
    site_role: Words
    article_site: Int64
    article_time: Int64
    appeal: Float64
    headline: Words
    breaking: Int64
    farm: Int64

    @property
    def ordinary(self) -> Int64:
        """The everyday articles."""
        special = np.concatenate([self.breaking, self.farm])
        return np.setdiff1d(np.arange(self.article_site.size), special)


def make_press(rng: Rng, end: int) -> Press:
    """Draw the ordinary sites and their articles, then the breaking story."""
    coins = coin_words(rng, N_NEWS_SITES)
    papers = [c + PAPERS[i % len(PAPERS)] + PAPER_ENDS[i % len(PAPER_ENDS)] for i, c in enumerate(coins)]
    role = np.array(["ordinary"] * len(papers), dtype="<U8")
    role[NEWSROOM_SITE] = "newsroom"

    daily = 1 + 8 / np.sqrt(np.arange(1, N_NEWS_SITES + 1))
    # A day's articles from before the log begins still circulate when it does.
    site = np.repeat(np.arange(N_NEWS_SITES), rng.poisson(daily * (end / DAY + 1)))
    clock = np.full(site.size, -5 * 3600.0)
    time = when_awake(rng, lambda rows: rng.uniform(0, end + DAY, rows.size), np.full(site.size, -DAY), clock)
    hot_site = np.arange(rng.integers(1, 4))
    hot_time = np.full(hot_site.size, end // DAY // 2 * DAY + 17 * 3600) + rng.integers(0, 300, hot_site.size)
    n = site.size + hot_site.size
    headline = headlines(rng, HEADLINE, n)
    return Press(
        coins=tuple(coins),
        site=np.array(papers),
        site_role=role,
        article_site=np.concatenate([site, hot_site]),
        article_time=np.concatenate([time, hot_time]),
        appeal=lognormal(rng, 0.9, 0.5, n),
        headline=np.array(headline),
        breaking=np.arange(site.size, n),
        farm=np.arange(n, n),
    )


def coin_words(rng: Rng, n: int) -> list[str]:
    """Return `n` different invented words."""
    first, second, third = SYLLABLES
    words = [a + b + c for a in first for b in second for c in third]
    rounds = 1 + n // len(words)
    number = rng.choice(rounds * len(words), n, replace=False)
    return [words[i % len(words)] + (str(i // len(words)) if i >= len(words) else "") for i in number]


def headlines(rng: Rng, parts: Sequence[Sequence[str]], n: int) -> list[str]:
    """Return `n` headlines, a word or two from each of `parts`."""
    drawn = [rng.integers(0, len(part), n) for part in parts]
    return [" ".join(part[i] for part, i in zip(parts, row, strict=True)) for row in zip(*drawn, strict=True)]
