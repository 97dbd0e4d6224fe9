"""What a study's figures are called in sentences: readings, headlines, choices."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from propgraph.clusters.baseline import told_apart

#: The innocent readings of clusters (column `innocent`), and of sites.
READINGS = {
    "one-outlet": "one outlet's newsroom, syndication or devoted readers",
    "fans": "fans of one account",
    "breaking-news": "one breaking story",
    "institution": "desks or spokesmen of one institution that repost its own account at once",
    "one-hand": "one person or office posting to several accounts by a tool",
    "habits": "people with the same hours, or who react at once to the same feed",
    "one-list": "readers of one feed, newsletter, digest or thread, who go through it in its order",
    "no-comparison": "too few others shared the same to say what is usual",
    "activists": "volunteers, supporters or activists who say so in the open",
    "own-outlet": "an outlet that posts its own articles by its own accounts",
    "chain": "several titles of one declared owner",
    "new-outlet": "a new outlet that is here to stay",
    "local-paper": "a newspaper of some place",
    "parody": "a parody that says so",
}
#: Said where none of them fits.
NO_READING = "also fits: none of the innocent readings that are looked for; that proves nothing"

_CHOICES = {
    "without": "without trace {}",
    "time_window": "window {} s",
    "tau": "tau {}",
    "neighbours": "{} neighbours",
    "q": "q {}",
    "resolution": "resolution {}",
}
_LEVELS = {
    "without=none": "with all traces",
    "drawn=yes": "with part of the objects",
    "drawn=no": "with all objects",
}
_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))
_ONCE, _MANY_TIMES, _CROWD, _BUSY = 0.8, 0.2, 10, 0.99
_MANY = 6  # choices beyond which a line names none; the table has them all


def headline(row: dict[str, Any], /) -> str:
    """Return a cluster's figures in one line.

    Parameters
    ----------
    row
        A row of `clusters`, with `n_runs` and `holds_share` of `stability` where that is known.
    """
    parts = [f"{row['n_accounts']:,} accounts"]
    if row["n_objects"] is not None:
        parts.append(f"{row['n_objects']:,} objects co-shared")
    if row["median_delta_s"] is not None:
        apart, resolution_s = row["median_delta_s"], row.get("time_resolution_s")
        finer = resolution_s is not None and resolution_s > 1 and apart < resolution_s
        parts.append(
            f"median {told_apart(apart, resolution_s).told()}" if finer else f"median {apart:.0f} s apart"
        )
    if row["n_sites"]:
        parts.append(f"{row['n_sites']:,} sites")
    parts += crowd_or_machine(row)
    if row.get("n_runs"):
        parts.append(f"holds in {round(row['holds_share'] * row['n_runs']):,} of {row['n_runs']:,} runs")
    return f"{row['cluster_id']}  score {row['score']:.2f}  " + ", ".join(parts)


#: From which score on a finding is called how.
_SURENESS = ((0.9, "very strong"), (0.7, "strong"), (0.5, "some"), (0.0, "weak"))


def sureness(score: float, /) -> str:
    """Return in a word how much of what organised behaviour looks like is there, by a score (0..1)."""
    return next(word for least, word in _SURENESS if score >= least)


def days(first: datetime | None, last: datetime | None, /) -> str:
    """Return from which day to which day (UTC) something went on, as short as can be."""
    if first is None or last is None:
        return ""
    if first.date() == last.date():
        return f"{first:%Y-%m-%d}"
    end = f"{last:%m-%d}" if first.year == last.year else f"{last:%Y-%m-%d}"
    return f"{first:%Y-%m-%d} to {end}"


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
        told.append("one post each of an object" + (": a crowd" if row["n_accounts"] >= _CROWD else ""))
    elif index <= _MANY_TIMES and row["n_busiest"] * 2 <= row["n_accounts"]:
        told.append(
            f"{row['n_busiest']:,} {'account makes' if row['n_busiest'] == 1 else 'accounts make'} "
            f"{row['busiest_share']:.0%} of {row['n_shares']:,} posts: a tool or a zealot"
        )
    else:
        each = f"{1 / index:.1f} posts each of an object"
        told.append(each + (": tools or zealots" if index <= _MANY_TIMES else ""))
    if row["posts_per_day_pct"] is not None and row["posts_per_day_pct"] >= _BUSY:
        told.append(
            f"{row['posts_per_day']:,.0f} posts a day each, more than {row['posts_per_day_pct']:.1%} of accounts"
        )
    return told


def campaign_headline(row: dict[str, Any], /) -> list[str]:
    """Return in lines what clusters are one campaign, and why, by a row of `campaigns`."""
    first = (
        f"{row['campaign_id']}  one crowd in {row['n_clusters']:,} clusters, {row['n_accounts']:,} accounts: "
    )
    shown = row["cluster_ids"][:_MANY]
    first += ", ".join(shown) + (
        f" and {row['n_clusters'] - len(shown):,} more" if row["n_clusters"] > _MANY else ""
    )
    if row["n_flagged"] < row["n_clusters"]:
        first += f" ({row['n_flagged']:,} flagged)"
    why = []
    if "gatherings" in row["ties"]:
        why.append(
            f"gather at the same moments ({row['n_coinciding']:,} of {row['n_gatherings']:,} sessions, by the hours of "
            f"other days {row['expected_coinciding']:.1f})"
        )
    if "tokens" in row["ties"]:
        why.append("carry tracking tokens that hardly anybody else does (" + ", ".join(row["tokens"]) + ")")
    if "pairs" in row["ties"]:
        why.append("have members who are synchronised across clusters")
    return [first, "they " + "; ".join(why)]


def nothing_found(record: dict[str, Any], /) -> str:
    """Return why there is no cluster at all, by the run record of `propgraph clusters`."""
    chosen, counts = record["parameters"], record["counts"]
    if chosen["evidence"] == "synchrony":
        if not counts["synchronised_pairs"]:
            return (
                f"No two accounts stand nearer in the order of posts than chance puts them, at --q {chosen['q']:g}. "
                "Objects that hardly anybody else posts cannot tell: --evidence both asks the window, too."
            )
        return f"{counts['synchronised_pairs']:,} synchronised pairs, but no group of --min-size {chosen['min_size']}."
    return (
        f"No community has --min-size {chosen['min_size']} accounts or more: nobody, or hardly anybody, co-shared "
        "often enough."
    )


def how_it_holds(row: dict[str, Any], /) -> str:
    """Return in how many runs a cluster holds, and under which choices it vanishes, by its row of `stability`."""
    held = round(row["holds_share"] * row["n_runs"])
    text = f"{row['cluster_id']}  holds in {held:,} of {row['n_runs']:,} runs, similarity {row['jaccard_mean']:.2f}"
    if len(row["vanishes"]) > _MANY:
        text += f"; vanishes under {len(row['vanishes'])} choices"
    elif row["vanishes"]:
        text += "; vanishes: " + ", ".join(choice(label) for label in row["vanishes"])
    return text


def would_be_flagged(row: dict[str, Any], /) -> str:
    """Return how often a kind of crew was flagged, by its row of `power`, in whole numbers."""
    n = row["n_planted"]
    low, high = round(row["power_low"] * n), round(row["power_high"] * n)
    crew, times = _crew(row), "time" if row["n_flagged"] == 1 else "times"
    return f"{crew[0].upper()}{crew[1:]}: flagged {row['n_flagged']:,} {times} in {n:,} ({low:,} to {high:,})"


def power_headline(rows: Sequence[dict[str, Any]], /) -> str:
    """Return the smallest crew that was flagged eight times in ten or more, by the rows of `power`.

    Of the smallest, that with the fewest objects; of these, that with the longest span.
    """
    found = [row for row in rows if row["n_flagged"] * 10 >= row["n_planted"] * 8]
    if not found:
        return "None of these crews would be found eight times in ten."
    least = min(found, key=lambda row: (row["n_accounts"], row["n_objects"], -row["span_s"]))
    return f"The smallest crew that would be found eight times in ten: {_crew(least)}."


def _crew(row: dict[str, Any]) -> str:
    objects = "object" if row["n_objects"] == 1 else "objects"
    return (
        f"a crew of {row['n_accounts']:,} with {row['n_objects']:,} {objects} in common, each within "
        f"{duration(row['span_s'])}"
    )


def duration(seconds: float, /) -> str:
    """Return a time in the largest unit of which it is a whole number."""
    for size, unit in _UNITS:
        if seconds and seconds % size == 0:
            n = round(seconds / size)
            return f"{n:,} {unit}{'s' * (n > 1)}"
    return f"{seconds:,g} s"


def how_a_campaign_holds(row: dict[str, Any], /) -> str:
    """Return how much of a campaign of several clusters is found again, by its row of `campaigns`."""
    return (
        f"{row['campaign_id']}  one crowd in {row['n_clusters']:,} clusters, {row['n_accounts']:,} accounts: "
        f"similarity {row['stability']:.2f}"
    )


def choice(label: str, /) -> str:
    """Return a choice of the grid, `name=level`, in words."""
    if label in _LEVELS:
        return _LEVELS[label]
    name, _, level = label.partition("=")
    return _CHOICES[name].format(level)
