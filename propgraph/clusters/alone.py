"""Accounts on their own: who posts one object over and over, and who makes most posts of several sites.

A crowd shows in clusters; one tool, or one zealot, meets nobody. Evidence of it says how an account acts, and gives
neither flag nor score to any cluster or site.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from propgraph.arrays.incidence import Incidence
from propgraph.arrays.p_values import binomial_tail, false_discovery_rate
from propgraph.arrays.types import Float64, Int64
from propgraph.clusters.crowd import rate, rates_of
from propgraph.clusters.declared import folded
from propgraph.options import ClusterOptions
from propgraph.schema import EVIDENCE, ID
from propgraph.study import Study
from propgraph.words.said import Said, said

OVER_AND_OVER, MAIN_SOURCE = "over-and-over", "main-source"
#: From so many posts of one object on an account may post it over and over; the main source of a site makes so many of
#: its posts and so much of them, at so many sites.
POSTS, POSTS_OF_SITE, HALF, SITES = 20, 10, 0.5, 3
# Objects that one post makes on purpose; a hashtag or a site is posted again and again by whoever has a subject.
_TRACES = ("object", "url")
_ALIKE, _USUAL, _SHOWN, _BUSY = 200, 0.95, 20, 0.9
# How feeds, and tools that say so, call themselves, at the end or as a word of the name.
_FEED = re.compile(
    r"(?:^| )(?:rss|feeds?|bots?|newsbot|newsfeed|autopost|alerts?|ticker)(?: |$)|(?:bot|rss|feed|ticker)$"
)
_LEAST_NAME = 4  # letters; shorter names stand in others by chance


@dataclass(frozen=True)
class Alone:
    """What is told of accounts on their own.

    Attributes
    ----------
    evidence
        `schema.EVIDENCE`, rows of accounts.
    declared
        How many more bear the site's name, or say that they are feeds or bots: these are no evidence.
    """

    evidence: pl.DataFrame
    declared: int


def accounts_alone(
    *,
    study: Study,
    logs: Mapping[str, Incidence],
    shares: Mapping[str, pl.DataFrame],
    options: ClusterOptions,
) -> Alone:
    """Look for accounts that make so many posts of an object, or of several sites, as neither they nor these explain.

    Parameters
    ----------
    study
        The study.
    logs, shares
        The shares of each trace of the network, as arrays and as rows; `object` and `url` are looked at.
    options
        `q`: the false discovery rate over all pairs of an account and an object, or a site.

    Notes
    -----
    The null model is binomial: each of an account's posts leads to the object as often as other accounts' posts do
    (one post added, so that what nobody else posts has a chance, too). A favourite, too, is beyond it, so a matched
    comparison is asked for: twenty posts of one object, and more than nineteen in twenty of the two hundred accounts
    nearest in number of posts have of any. One site may be an account's own; half of all posts of three sites or more,
    ten or more of each, are not what a reader or an outlet makes.
    """
    found = [
        row
        for trace, log in sorted(logs.items()) if trace in _TRACES and log.n_shares
        for row in _over_and_over(log, trace, q=options.q)
    ]  # fmt: skip
    if "url" in logs and logs["url"].n_shares:
        found += _main_sources(study, logs["url"], q=options.q)
    # An account that does so in two traces is told once, with what it posts most.
    best: dict[tuple[str, str], dict[str, Any]] = {}
    for row in found:
        key = row["account_id"], row["rule"]
        if key not in best or row["n"] > best[key]["n"]:
            best[key] = row
    return _told(study, [best[key] for key in sorted(best)], shares)


def _over_and_over(log: Incidence, trace: str, *, q: float) -> list[dict[str, Any]]:
    often = _beyond(log.account, log.whole_object, least=POSTS, q=q)
    if often.is_empty():
        return []
    posts = np.bincount(log.account, minlength=len(log.accounts))
    # Codes go by the accounts' names: ties are broken by these.
    order = np.argsort(posts, kind="stable")
    order = order[np.searchsorted(posts[order], 1) :]
    place = np.empty(posts.size, np.int64)
    place[order] = np.arange(order.size)
    like = {account: _alike(order, place[account]) for account in often["account"].unique().to_list()}
    most = _most_of_one(log, np.unique(np.concatenate([*like.values()])))
    rows = []
    for account, top in _by_account(often):
        n, expected, n_posts = top.select("n", "expected", "of_account").row(0)
        alike = most[like[account]]
        usual = float(np.quantile(alike, _USUAL)) if alike.size else 0.0
        if n > usual:
            rows.append(
                {
                    "account_id": log.accounts[account], "rule": OVER_AND_OVER, "trace": trace, "n": n,
                    "n_posts": n_posts, "expected": expected, "usual": usual, "n_alike": alike.size,
                    "objects": log.objects.gather(top["unit"].head(_SHOWN)).to_list(), "n_objects": top.height,
                    "value": float(n), "threshold": max(float(POSTS), usual),
                    "rows": _shown(log, log.whole_object, account, top["unit"]),
                }
            )  # fmt: skip
    return rows


def _by_account(pairs: pl.DataFrame) -> Iterator[tuple[int, pl.DataFrame]]:
    """Yield each account's code and its pairs, that with most posts first."""
    ordered = pairs.sort(["account", "n", "unit"], descending=[False, True, False])
    for part in ordered.partition_by("account", maintain_order=True):
        yield part["account"][0], part


def _most_of_one(log: Incidence, accounts: Int64) -> Int64:
    """Return how many posts of one object each account made at most; 0 but for these."""
    wanted = np.zeros(len(log.accounts), np.bool_)
    wanted[accounts] = True
    there = wanted[log.account]
    pairs = pl.DataFrame({"account": log.account[there], "unit": log.whole_object[there]})
    counts = pairs.group_by("account", "unit").len("n").group_by("account").agg(most=pl.col("n").max())
    most = np.zeros(wanted.size, np.int64)
    most[counts["account"].to_numpy()] = counts["most"].to_numpy()
    return most


def _shown(log: Incidence, unit: Any, account: int, units: pl.Series) -> list[int]:
    """Return the rows of shares that show what an account does: the first of each object or site in turn."""
    mine = np.flatnonzero(log.account == account)
    posts = pl.DataFrame({"unit": unit[mine], "time": log.time[mine], "row": log.row[mine]})
    there = posts.filter(pl.col("unit").is_in(units.implode())).sort("time", "unit", "row")
    turns = there.with_columns(turn=pl.int_range(pl.len()).over("unit")).sort("turn", maintain_order=True)
    return turns["row"].head(_SHOWN).to_list()


def _alike(order: Int64, place: int) -> Int64:
    """Return the accounts nearest to the one at `place` in an order by number of posts, without itself."""
    low = max(0, min(place - _ALIKE // 2, order.size - _ALIKE - 1))
    return np.delete(order[low : low + _ALIKE + 1], place - low)


def _main_sources(study: Study, log: Incidence, *, q: float) -> list[dict[str, Any]]:
    names, of_object = _sites(study, log)
    site = of_object[log.object]
    known = np.where(site < len(names), site, -1)
    often = _beyond(log.account, known, least=POSTS_OF_SITE, least_of_account=SITES * POSTS_OF_SITE, q=q)
    rows = []
    for account, top in _by_account(often.filter(pl.col("n") >= HALF * pl.col("of_unit"))):
        if top.height >= SITES:
            rows.append(
                {
                    "account_id": log.accounts[account], "rule": MAIN_SOURCE, "trace": "url", "n": top["n"].sum(),
                    "n_of_sites": top["of_unit"].sum(), "expected": top["expected"].sum(),
                    "sites": names.gather(top["unit"]).to_list(), "value": float(top.height), "threshold": float(SITES),
                    "rows": _shown(log, site, account, top["unit"]),
                }
            )  # fmt: skip
    return rows


def _sites(study: Study, log: Incidence) -> tuple[pl.Series, Int64]:
    """Return the sites, and which of them each object is on: a number past the last for none, or a short link."""
    objects = study.scan("objects").filter(pl.col("trace") == "url", ~pl.col("is_shortener").fill_null(False))
    known = objects.select("object_id", "site").drop_nulls("site").collect()
    names = known["site"].unique().sort()
    codes = known.join(pl.DataFrame({"site": names}).with_row_index("code"), on="site").select(
        "object_id", "code"
    )
    there = pl.DataFrame({"object_id": log.objects}).join(
        codes, on="object_id", how="left", maintain_order="left"
    )
    return names, there["code"].fill_null(len(names)).to_numpy().astype(np.int64)


def _beyond(account: Any, unit: Any, *, least: int, q: float, least_of_account: int = 0) -> pl.DataFrame:
    """Return the pairs of so many posts or more that are beyond what others' posts would give.

    Columns `account, unit` (codes; below 0 is no unit), `n` (posts of both), `of_account`, `of_unit` (of each),
    `expected`.
    """
    counts = np.bincount(account)
    counts_of_unit = np.bincount(unit[unit >= 0]) if (unit >= 0).any() else np.zeros(1, np.int64)
    # Of these alone can there be so many posts; what is below 0 takes the last unit's number here, and is left out.
    able = (counts[account] >= max(least, least_of_account)) & (counts_of_unit[unit] >= least) & (unit >= 0)
    often = (
        pl.DataFrame({"account": account[able].astype(np.int64), "unit": unit[able].astype(np.int64)})
        .group_by("account", "unit")
        .agg(n=pl.len().cast(pl.Int64))
        .filter(pl.col("n") >= least)
        .sort("account", "unit")
    )
    if often.is_empty():
        return often.with_columns(of_account="n", of_unit="n", expected=pl.col("n").cast(pl.Float64))
    n = often["n"].to_numpy()
    of_account, of_unit = counts[often["account"].to_numpy()], counts_of_unit[often["unit"].to_numpy()]
    chance = np.minimum((of_unit - n + 1) / (account.size - of_account + 1), 1.0)
    # There are no more pairs than posts: each counts as a test, most of which gave nothing.
    q_values = false_discovery_rate(binomial_tail(n, of_account, chance), n_tests=account.size)
    more = {"of_account": of_account, "of_unit": of_unit, "expected": of_account * chance}
    return often.with_columns(pl.Series(name, values) for name, values in more.items()).filter(
        pl.Series(q_values <= q)
    )


def _told(study: Study, rows: list[dict[str, Any]], shares: Mapping[str, pl.DataFrame]) -> Alone:
    """Return the evidence, without the accounts that say what they are."""
    if not rows:
        return Alone(EVIDENCE.empty(), 0)
    ids = pl.DataFrame({"account_id": [row["account_id"] for row in rows]}).unique()
    accounts = study.scan("accounts").join(ids.lazy(), on="account_id", how="semi")
    who = {
        row["account_id"]: row
        for row in accounts.select(
            "account_id", name=folded(pl.col("name").fill_null(pl.col("account_id"))), rate=rate()
        ).collect().to_dicts()
    }  # fmt: skip
    site_of = _sites_of(study, rows)
    kept = [row for row in rows if not _declared(row, who[row["account_id"]]["name"], site_of)]
    rates = rates_of(study)
    evidence = [
        {
            "subject_type": "account", "subject_id": row["account_id"], "rule": row["rule"], "value": row["value"],
            "threshold": row["threshold"], "expected": row["expected"],
            "content_ids": shares[row["trace"]]["content_id"].gather(row["rows"]).unique(maintain_order=True).to_list(),
            **_said(row, pace=_pace(who[row["account_id"]]["rate"], rates)).as_columns(),
        }
        for row in kept
    ]  # fmt: skip
    n_declared = len({row["account_id"] for row in rows} - {row["account_id"] for row in kept})
    return Alone(EVIDENCE.conform(pl.DataFrame(evidence, schema=EVIDENCE.dtypes)), n_declared)


def _sites_of(study: Study, rows: list[dict[str, Any]]) -> dict[str, str]:
    """Return the site of each URL that is told of."""
    urls = pl.DataFrame(
        {"object_id": [one for row in rows for one in row.get("objects", [])]}, schema={"object_id": ID}
    )
    objects = (
        study.scan("objects").filter(pl.col("trace") == "url").select("object_id", "site").drop_nulls("site")
    )
    return dict(objects.join(urls.lazy(), on="object_id", how="semi").collect().iter_rows())


def _declared(row: dict[str, Any], name: str, site_of: Mapping[str, str]) -> bool:
    """Ask whether an account says that it is a feed or a bot, or bears the name of all the sites that it posts."""
    if _FEED.search(name.strip()):
        return True
    sites = row.get("sites") or [site_of[one] for one in row["objects"] if one in site_of]
    plain = re.sub(r"[^0-9a-z]", "", name)
    stems = [re.sub(r"[^0-9a-z]", "", site.split(".")[0].lower()) for site in sites]
    return bool(stems) and len(plain) >= _LEAST_NAME and all(
        len(stem) >= _LEAST_NAME and (stem in plain or plain in stem) for stem in stems
    )  # fmt: skip


def _said(row: dict[str, Any], *, pace: Said | None) -> Said:
    if row["rule"] == MAIN_SOURCE:
        return said(
            "rules.main-source", n=row["n"], n_all=row["n_of_sites"], n_sites=len(row["sites"]), sites=row["sites"],
            expected=row["expected"], pace=pace,
        )  # fmt: skip
    n_more, most = row["n_objects"] - 1, float(row["usual"])
    times = said("rules.once") if most == 1 else said("rules.so-many-times", n=most)
    return said(
        "rules.over-and-over", trace=row["trace"], n=row["n"], n_posts=row["n_posts"], expected=row["expected"],
        more=said("rules.more-things", n=n_more, least=POSTS) if n_more else None,
        usual=said("rules.of-as-active", n=row["n_alike"], trace=row["trace"], times=times) if row["n_alike"] else None,
        pace=pace,
    )  # fmt: skip


def _pace(posts_a_day: float | None, rates: Float64) -> Said | None:
    """Return how many posts a day an account makes, and how many accounts make fewer where most do."""
    if posts_a_day is None or not rates.size:
        return None
    # The most of all is no more than 99.9 % of them.
    below = min(float(np.searchsorted(rates, posts_a_day, "left")) / rates.size, 0.999)
    # An account with one post makes one a day: a low place among such tells nothing.
    more = said("rules.more-than", part=below) if below >= _BUSY else None
    return said("rules.posts-a-day", n=float(posts_a_day), more=more)
