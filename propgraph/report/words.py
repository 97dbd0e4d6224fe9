"""What a study's figures are called in sentences: readings, headlines, choices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl

from propgraph.clusters.baseline import told_apart
from propgraph.words.said import Said, formatted, joined, named, retold, said, tell

#: The innocent readings of clusters (column `innocent`) and of sites; what they mean stands in the files of sentences.
READINGS = (
    "one-outlet", "fans", "breaking-news", "institution", "one-hand", "habits", "one-list", "no-comparison",
    "activists", "own-outlet", "chain", "new-outlet", "local-paper", "parody",
)  # fmt: skip

_ONCE, _MANY_TIMES, _CROWD, _BUSY = 0.8, 0.2, 10, 0.99
_MANY = 6  # choices beyond which a line names none; the table has them all


def headline(row: dict[str, Any], /) -> str:
    """Return a cluster's figures in one line.

    Parameters
    ----------
    row
        A row of `clusters`, with `n_runs` and `holds_share` of `stability` where that is known.
    """
    parts = [tell("headline.accounts", n=row["n_accounts"])]
    if row["n_objects"] is not None:
        parts.append(tell("headline.objects", n=row["n_objects"]))
    if row["median_delta_s"] is not None:
        apart, resolution_s = row["median_delta_s"], row.get("time_resolution_s")
        finer = resolution_s is not None and resolution_s > 1 and apart < resolution_s
        parts.append(
            tell("headline.median-near", nearby=told_apart(apart, resolution_s))
            if finer
            else tell("headline.median", n=float(apart))
        )
    if row["n_sites"]:
        parts.append(tell("headline.sites", n=row["n_sites"]))
    parts += crowd_or_machine(row)
    if row.get("n_runs"):
        parts.append(held_in(row))
    return tell("headline.cluster", cluster=row["cluster_id"], score=row["score"], parts=parts)


def held_in(row: Mapping[str, Any], /) -> str:
    """Return in how many runs under other choices a cluster is found again, by its row of `stability`."""
    return tell("headline.holds", n=round(row["holds_share"] * row["n_runs"]), n_runs=row["n_runs"])


#: From which score on a finding is called how.
_SURENESS = ((0.9, "very-strong"), (0.7, "strong"), (0.5, "some"), (0.0, "weak"))


def sureness(score: float, /) -> str:
    """Return in a word how much of what organised behaviour looks like is there, by a score (0..1)."""
    return named("sureness", next(word for least, word in _SURENESS if score >= least))


def days(first: datetime | None, last: datetime | None, /) -> str:
    """Return from which day to which day (UTC) something went on, as short as can be."""
    return "" if first is None or last is None else formatted((first, last), "when")


def crowd_or_machine(row: dict[str, Any], /) -> list[str]:
    """Return in words whether one post an account or many make a cluster, by its row; nothing where that is unknown.

    From eight accounts in ten posts of an object on, members post it once each: ten or more are a crowd. Down from two
    in ten, few make many posts: that is a tool or a zealot, and which of the two nobody can tell from here.
    """
    index = row.get("accounts_per_post")
    if index is None:
        return []
    told = []
    if index >= _ONCE:
        told.append(tell("crowd.a-crowd" if row["n_accounts"] >= _CROWD else "crowd.one-post-each"))
    elif index <= _MANY_TIMES and row["n_busiest"] * 2 <= row["n_accounts"]:
        told.append(
            tell(
                "crowd.few-make-most", n=row["n_busiest"], part=row["busiest_share"], n_posts=row["n_shares"]
            )
        )
    else:
        told.append(tell("crowd.tools" if index <= _MANY_TIMES else "crowd.posts-each", n=1 / index))
    if row["posts_per_day_pct"] is not None and row["posts_per_day_pct"] >= _BUSY:
        told.append(tell("crowd.a-day", n=float(row["posts_per_day"]), part=row["posts_per_day_pct"]))
    return told


def campaign_headline(row: dict[str, Any], /) -> list[str]:
    """Return in lines what clusters are one campaign, and why, by a row of `campaigns`."""
    n, n_more = row["n_clusters"], row["n_clusters"] - _MANY
    first = tell(
        "headline.campaign", campaign=row["campaign_id"], n=n, n_accounts=row["n_accounts"],
        clusters=row["cluster_ids"][:_MANY], more=said("words.more", n=n_more) if n_more > 0 else None,
        flagged=said("headline.so-many-flagged", n=row["n_flagged"]) if row["n_flagged"] < n else None,
    )  # fmt: skip
    why = []
    if "gatherings" in row["ties"]:
        why.append(
            said(
                "ties.gatherings",
                n=row["n_coinciding"],
                n_all=row["n_gatherings"],
                expected=row["expected_coinciding"],
            )
        )
    if "tokens" in row["ties"]:
        why.append(said("ties.tokens", tokens=row["tokens"]))
    if "pairs" in row["ties"]:
        why.append(said("ties.pairs"))
    return [first, tell("ties.they", why=joined(why))]


def nothing_found(record: dict[str, Any], /) -> str:
    """Return why there is no cluster at all, by the run record of `propgraph clusters`."""
    chosen, counts = record["parameters"], record["counts"]
    if chosen["evidence"] == "synchrony":
        if not counts["synchronised_pairs"]:
            return tell("nothing.no-pair", q=chosen["q"])
        return tell("nothing.no-group", n=counts["synchronised_pairs"], least=chosen["min_size"])
    return tell("nothing.no-community", least=chosen["min_size"])


def how_it_holds(row: dict[str, Any], /) -> str:
    """Return in how many runs a cluster holds, and under which choices it vanishes, by its row of `stability`."""
    vanishes = row["vanishes"]
    under = None
    if len(vanishes) > _MANY:
        under = said("holds.vanishes-often", n=len(vanishes))
    elif vanishes:
        under = said("holds.vanishes", choices=list(map(choice, vanishes)))
    return tell(
        "holds.cluster",
        cluster=row["cluster_id"],
        holds=held_in(row),
        similarity=row["jaccard_mean"],
        under=under,
    )


def would_be_flagged(row: dict[str, Any], /) -> str:
    """Return how often a kind of crew was flagged, by its row of `power`, in whole numbers."""
    n = row["n_planted"]
    crew = _crew(row).told()
    return tell(
        "power.flagged", crew=crew[0].upper() + crew[1:], n=row["n_flagged"], n_all=n, low=round(row["power_low"] * n),
        high=round(row["power_high"] * n),
    )  # fmt: skip


def power_headline(rows: Sequence[dict[str, Any]], /) -> str:
    """Return the smallest crew that was flagged eight times in ten or more, by the rows of `power`.

    Of the smallest, that with the fewest objects; of these, that with the longest span.
    """
    found = [row for row in rows if row["n_flagged"] * 10 >= row["n_planted"] * 8]
    if not found:
        return tell("power.none")
    least = min(found, key=lambda row: (row["n_accounts"], row["n_objects"], -row["span_s"]))
    return tell("power.smallest", crew=_crew(least))


def _crew(row: dict[str, Any]) -> Said:
    return said("power.crew", n=row["n_accounts"], n_objects=row["n_objects"], span=row["span_s"])


def duration(seconds: float, /) -> str:
    """Return a time in the largest unit of which it is a whole number."""
    return formatted(seconds, "duration")


def how_a_campaign_holds(row: dict[str, Any], /) -> str:
    """Return how much of a campaign of several clusters is found again, by its row of `campaigns`."""
    return tell(
        "holds.campaign", campaign=row["campaign_id"], n=row["n_clusters"], n_accounts=row["n_accounts"],
        similarity=row["stability"],
    )  # fmt: skip


_CHOICES = {
    "without": "choice.without",
    "time_window": "choice.time-window",
    "tau": "choice.tau",
    "neighbours": "choice.neighbours",
    "q": "choice.q",
    "resolution": "choice.resolution",
}
_LEVELS = {
    "without=none": "choice.all-traces",
    "drawn=yes": "choice.some-objects",
    "drawn=no": "choice.all-objects",
}


def choice(label: str, /) -> str:
    """Return a choice of the grid, `name=level`, in words."""
    if label in _LEVELS:
        return tell(_LEVELS[label])
    name, _, level = label.partition("=")
    return tell(_CHOICES[name], level=level)


def reason(row: Mapping[str, Any], /) -> str:
    """Return the sentence of a row of `evidence` in the reader's language."""
    return retold(row["sentence"], row.get("said"))


def rule_name(rule: str, /) -> str:
    """Return what a rule, or a reading, is called in the reader's language; commands take its name in `evidence`."""
    return named("rule", rule)


def rule_heading(rule: str, /) -> str:
    """Return what a rule is called, with the name that commands take where that is another."""
    name = rule_name(rule)
    return name if name == rule else f"{name[0].upper()}{name[1:]} ({rule})"


def rule_names(lists: pl.Series, /) -> pl.Series:
    """Return lists of rules or readings as people read them."""
    told = [None if names is None else ", ".join(map(rule_name, names)) for names in lists.to_list()]
    return pl.Series(lists.name, told, dtype=pl.String)


def renamed(values: pl.Series, table: str, /) -> pl.Series:
    """Return values as a table of names calls them; in no thread of another, which knows no reader's language."""
    told = [None if value is None else named(table, value) for value in values.to_list()]
    return pl.Series(values.name, told, dtype=pl.String)


def with_reason(row: Mapping[str, Any], /) -> str:
    """Return the name of a row's rule and its sentence."""
    return tell("words.named", name=rule_name(row["rule"]), what=reason(row))
