"""Accounts on their own: who posts one object over and over, and who makes most posts of several sites.

A crowd shows in clusters; one tool, or one zealot, meets nobody. Evidence of it says how an account acts, and gives
neither flag nor score to any cluster or site.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
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
from propgraph.schema import EVIDENCE
from propgraph.study import Study

OVER_AND_OVER, MAIN_SOURCE = "over-and-over", "main-source"
#: From so many posts of one object on an account may post it over and over; the main source of a site makes so many of
#: its posts and so much of them, at so many sites.
POSTS, POSTS_OF_SITE, HALF, SITES = 20, 10, 0.5, 3
# Objects that one post makes on purpose; a hashtag or a site is posted again and again by whoever has a subject.
_TRACES = {"object": "object", "url": "URL"}
_ALIKE, _USUAL, _SHOWN, _NAMED = 200, 0.95, 20, 3
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


def accounts_alone(*, study: Study, logs: Mapping[str, Incidence], options: ClusterOptions) -> Alone:
    """Look for accounts that make so many posts of an object, or of several sites, as neither they nor these explain.

    Parameters
    ----------
    study
        The study.
    logs
        The shares of each trace of the network; `object` and `url` are looked at.
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
    return _told(study, [best[key] for key in sorted(best)])


def _over_and_over(log: Incidence, trace: str, *, q: float) -> list[dict[str, Any]]:
    pairs = _pairs(log.account, log.whole_object)
    often = _beyond(pairs, log.account, log.whole_object, least=POSTS, q=q)
    if often.is_empty():
        return []
    posts = np.bincount(log.account, minlength=len(log.accounts))
    busy = pairs.group_by("account").agg(most=pl.col("n").max()).sort("account")
    busy = busy.with_columns(n=pl.Series(posts[busy["account"].to_numpy()])).sort("n", "account")
    accounts, most = busy["account"].to_numpy(), busy["most"].to_numpy()
    rows = []
    for (account,), part in often.partition_by("account", as_dict=True).items():
        top = part.sort(["n", "unit"], descending=[True, False])
        n, expected, n_posts = top.select("n", "expected", "of_account").row(0)
        alike = _alike(most, int(np.flatnonzero(accounts == account)[0]))
        usual = float(np.quantile(alike, _USUAL)) if alike.size else 0.0
        if n > usual:
            rows.append(
                {
                    "account_id": log.accounts[account], "rule": OVER_AND_OVER, "trace": trace, "n": n,
                    "n_posts": n_posts, "expected": expected, "usual": usual, "n_alike": alike.size,
                    "objects": log.objects.gather(top["unit"].head(_SHOWN)).to_list(), "n_objects": top.height,
                    "value": float(n), "threshold": max(float(POSTS), usual),
                }
            )  # fmt: skip
    return rows


def _alike(values: Any, place: int) -> Any:
    """Return the values of the accounts nearest in number of posts to the one at `place`, without its own."""
    low = max(0, min(place - _ALIKE // 2, values.size - _ALIKE - 1))
    return np.delete(values[low : low + _ALIKE + 1], place - low)


def _main_sources(study: Study, log: Incidence, *, q: float) -> list[dict[str, Any]]:
    names, of_object = _sites(study, log)
    site = of_object[log.object]
    pairs = _pairs(log.account, site).filter(pl.col("unit") < len(names))
    main = _beyond(pairs, log.account, site, least=POSTS_OF_SITE, q=q).filter(
        pl.col("n") >= HALF * pl.col("of_unit")
    )
    rows = []
    for (account,), part in main.partition_by("account", as_dict=True).items():
        top = part.sort(["n", "unit"], descending=[True, False])
        if top.height >= SITES:
            rows.append(
                {
                    "account_id": log.accounts[account], "rule": MAIN_SOURCE, "trace": "url", "n": top["n"].sum(),
                    "n_of_sites": top["of_unit"].sum(), "expected": top["expected"].sum(),
                    "sites": names.gather(top["unit"]).to_list(), "value": float(top.height), "threshold": float(SITES),
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


def _pairs(account: Any, unit: Any) -> pl.DataFrame:
    """Return `account, unit, n`: how many posts of each object or site each account made, by codes."""
    posts = pl.DataFrame({"account": account.astype(np.int64), "unit": unit.astype(np.int64)})
    return posts.group_by("account", "unit").agg(n=pl.len().cast(pl.Int64))


def _beyond(pairs: pl.DataFrame, account: Any, unit: Any, *, least: int, q: float) -> pl.DataFrame:
    """Return the pairs of so many posts, beyond what others' would give; with `of_account, of_unit, expected`."""
    often = pairs.filter(pl.col("n") >= least).sort("account", "unit")
    if often.is_empty():
        return often.with_columns(of_account="n", of_unit="n", expected=pl.col("n").cast(pl.Float64))
    n = often["n"].to_numpy()
    of_account = np.bincount(account)[often["account"].to_numpy()]
    of_unit = np.bincount(unit)[often["unit"].to_numpy()]
    chance = np.minimum((of_unit - n + 1) / (account.size - of_account + 1), 1.0)
    # Pairs with fewer posts are not looked at: they count as tests that gave nothing.
    q_values = false_discovery_rate(binomial_tail(n, of_account, chance), n_tests=pairs.height)
    more = {"of_account": of_account, "of_unit": of_unit, "expected": of_account * chance}
    return often.with_columns(pl.Series(name, values) for name, values in more.items()).filter(
        pl.Series(q_values <= q)
    )


def _told(study: Study, rows: list[dict[str, Any]]) -> Alone:
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
    kept = [row for row in rows if not _declared(row, who[row["account_id"]]["name"], _sites_of(study, row))]
    posts, rates = _posts(study, kept), rates_of(study)
    evidence = [
        {
            "subject_type": "account", "subject_id": row["account_id"], "rule": row["rule"], "value": row["value"],
            "threshold": row["threshold"], "expected": row["expected"],
            "content_ids": posts.get((row["account_id"], row["rule"]), []),
            "sentence": _sentence(row) + _pace(who[row["account_id"]]["rate"], rates) + _LOOK_ALIKES[row["rule"]],
        }
        for row in kept
    ]  # fmt: skip
    n_declared = len({row["account_id"] for row in rows} - {row["account_id"] for row in kept})
    return Alone(EVIDENCE.conform(pl.DataFrame(evidence, schema=EVIDENCE.dtypes)), n_declared)


def _sites_of(study: Study, row: dict[str, Any]) -> list[str]:
    if "sites" in row:
        return list(row["sites"])
    of = pl.DataFrame({"object_id": row["objects"], "trace": [row["trace"]] * len(row["objects"])})
    objects = study.scan("objects").select("object_id", "trace", "site")
    sites = objects.join(of.lazy(), on=["object_id", "trace"], how="semi").collect()["site"].drop_nulls()
    return sites.unique().sort().to_list()


def _declared(row: dict[str, Any], name: str, sites: list[str]) -> bool:
    """Ask whether an account says that it is a feed or a bot, or bears the name of all the sites that it posts."""
    if _FEED.search(name.strip()):
        return True
    plain = re.sub(r"[^0-9a-z]", "", name)
    stems = [re.sub(r"[^0-9a-z]", "", site.split(".")[0].lower()) for site in sites]
    return bool(stems) and len(plain) >= _LEAST_NAME and all(
        len(stem) >= _LEAST_NAME and (stem in plain or plain in stem) for stem in stems
    )  # fmt: skip


def _posts(study: Study, rows: list[dict[str, Any]]) -> dict[tuple[str, str], list[str]]:
    """Return by account and rule the posts that show it: the first of each object in turn."""
    shown: dict[tuple[str, str], list[str]] = {}
    if not rows:
        return shown
    ids = pl.DataFrame({"account_id": [row["account_id"] for row in rows]}).unique().lazy()
    objects = study.scan("objects").select("trace", "object_id", "site")
    mine = (
        study.scan("shares")
        .filter(pl.col("trace").is_in(list(_TRACES)))
        .join(ids, on="account_id", how="semi")
        .join(objects, on=["trace", "object_id"], how="left")
        .select("account_id", "content_id", "timestamp", "trace", "object_id", "site")
        .collect()
        .sort("timestamp", "content_id", "object_id")
    )
    for row in rows:
        of, wanted = ("site", row["sites"]) if "sites" in row else ("object_id", row["objects"])
        there = mine.filter(
            pl.col("account_id") == row["account_id"],
            pl.col("trace") == row["trace"],
            pl.col(of).is_in(wanted),
        )
        there = there.with_columns(turn=pl.int_range(pl.len()).over(of)).sort("turn", maintain_order=True)
        ids_of = there["content_id"].unique(maintain_order=True).head(_SHOWN).to_list()
        shown[row["account_id"], row["rule"]] = ids_of
    return shown


_LOOK_ALIKES = {
    OVER_AND_OVER: "; a tool or a zealot; who answers many people with one link, or posts its own page, looks the same",
    MAIN_SOURCE: "; a tool or a zealot; the owner of these sites, or a feed of them, looks the same",
}


def _sentence(row: dict[str, Any]) -> str:
    if row["rule"] == MAIN_SOURCE:
        named = ", ".join(row["sites"][:_NAMED]) + (", ..." if len(row["sites"]) > _NAMED else "")
        return (
            f"makes {row['n']:,} of the {row['n_of_sites']:,} posts of {len(row['sites']):,} sites ({named}), half or "
            f"more of each; as many posts by others as it made would lead there {row['expected']:,.1f} times"
        )
    thing = _TRACES[row["trace"]]
    more = f" (and {row['n_objects'] - 1:,} more {POSTS} times or more)" if row["n_objects"] > 1 else ""
    usual = "" if not row["n_alike"] else (
        f", and nineteen in twenty of the {row['n_alike']:,} accounts nearest in number of posts post no {thing} more "
        f"than {'once' if row['usual'] == 1 else '{:,.0f} times'.format(row['usual'])}"
    )  # fmt: skip
    return (
        f"posts the same {thing} {row['n']:,} times{more}; as many posts by others, {row['n_posts']:,}, would lead "
        f"there {row['expected']:,.1f} times{usual}"
    )


def _pace(posts_a_day: float | None, rates: Float64) -> str:
    """Return how many posts a day an account makes, and how many accounts make fewer, in words."""
    if posts_a_day is None or not rates.size:
        return ""
    # The most of all is no more than 99.9 % of them.
    below = min(float(np.searchsorted(rates, posts_a_day, "left")) / rates.size, 0.999)
    return f"; {posts_a_day:,.1f} posts a day, more than {below:.1%} of accounts"
