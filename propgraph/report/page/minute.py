"""What the page says in one minute: a few sentences, each with its counts, and words tied to fixed rules."""

from __future__ import annotations

from statistics import median
from typing import Any

import polars as pl

from propgraph.report.boosts import boosts_headline
from propgraph.report.page.findings import Findings
from propgraph.report.page.markup import paragraphs, terms
from propgraph.report.words import days, duration, nothing_found, power_headline, sureness

#: What the words for how sure something is stand for.
SCALE = (
    ("no sign", "nothing is flagged: no score reaches the least that flags"),
    ("some", "a score from 0.5 up to 0.7"),
    ("strong", "a score from 0.7 up to 0.9"),
    ("very strong", "a score of 0.9 or more"),
)


def in_one_minute(findings: Findings) -> str:
    """Return three to seven sentences, and what their words for sureness mean."""
    lines = [
        _verdict(findings),
        *_strongest(findings),
        *_sites(findings),
        *_paid(findings),
        *_innocent(findings),
        _unknown(findings),
    ]
    return paragraphs(findings.lines(lines)) + (
        f'<details><summary>What "some", "strong" and "very strong" mean</summary>{terms(SCALE)}</details>'
    )


def _verdict(findings: Findings) -> str:
    counts, found, flagged = findings.run["build"]["counts"], findings.clusters, findings.flagged
    log = f"Of {counts['accounts']:,} accounts with {counts['posts']:,} posts"
    if flagged.is_empty():
        why = nothing_found(findings.run["clusters"]) if found.is_empty() and not findings.n_hidden else (
            f"{_many(found.height, 'group')} that {'acts alike was' if found.height == 1 else 'act alike were'} looked "
            "at, and none stands out from what the rest of the log does."
        )  # fmt: skip
        return f"{log}: no sign of organised behaviour. {why}"
    n, best = int(flagged["n_accounts"].sum()), float(flagged["score"].to_list()[0])
    return (
        f"{log}, {n:,} ({n / max(counts['accounts'], 1):.1%}) are in groups flagged for acting in step: "
        f"{flagged.height:,} of {_many(found.height, 'group')} looked at, {sureness(best)} signs at "
        f"the most (score {best:.2f})."
    )


def _strongest(findings: Findings) -> list[str]:
    """Say what the strongest campaign or cluster did, with the first of its reasons."""
    if findings.flagged.is_empty():
        return []
    top = findings.flagged.row(0, named=True)
    lines = []
    campaign = next((one for one in findings.campaigns if top["cluster_id"] in one["cluster_ids"]), None)
    if campaign is not None:
        lines.append(
            f"{campaign['n_clusters']:,} of these groups ({campaign['n_accounts']:,} accounts) are tied to each other "
            f"as one crowd, {campaign['campaign_id']}, from {days(campaign['first_time'], campaign['last_time'])}."
        )
    when = days(top["first_time"], top["last_time"])
    why = reasons(findings, "cluster", top["cluster_id"])
    first = "" if why.is_empty() else f", first of all {_in_words(why.row(0, named=True), top)}"
    lines.append(
        f"The strongest group, {top['cluster_id']} ({top['n_accounts']:,} accounts{', ' + when if when else ''}), "
        f"is flagged for {_many(len(top['flags']), 'reason')}{first}."
    )
    return [*lines, *_striking(findings, why)]


def _in_words(reason: dict[str, Any], row: dict[str, Any]) -> str:
    """Return a reason as people say it."""
    often = reason["value"] / reason["expected"] if reason["expected"] else 0
    if reason["rule"] == "at-once" and often >= 2 and row["time_window_s"] is not None:
        return (
            f"for posting the same things within {duration(row['time_window_s'])} of each other {often:,.0f} times as "
            f"often as other people who shared those things"
        )
    return f"{reason['rule']}: {reason['sentence']}"


def _striking(findings: Findings, why: pl.DataFrame) -> list[str]:
    """Return the moment at which most members posted one and the same thing within a minute, of the posts kept."""
    ids = list(dict.fromkeys(one for row in why["content_ids"].to_list() for one in row))
    traces = findings.run["clusters"]["parameters"]["trace"]
    shares = findings.study.scan("shares").filter(
        pl.col("content_id").is_in(ids), pl.col("trace").is_in(traces)
    )
    objects = findings.study.scan("objects").select("trace", "object_id", "site")
    moments = (
        shares.join(objects, on=["trace", "object_id"], how="left")
        .sort("timestamp")
        .group_by_dynamic("timestamp", every="1m", group_by=["trace", "object_id", "site"])
        .agg(
            n=pl.col("account_id").n_unique(), first=pl.col("timestamp").min(), last=pl.col("timestamp").max()
        )
        .collect()
        .sort(["n", "first", "object_id"], descending=[True, False, False])
    )
    if moments.is_empty() or moments["n"][0] < 3:
        return []
    one = moments.row(0, named=True)
    thing = one["site"] if one["site"] is not None or not findings.audience.accounts else one["object_id"]
    if findings.audience.accounts and one["trace"] == "url":
        thing = one["object_id"]
    seconds = (one["last"] - one["first"]).total_seconds()
    span = "in the same second" if seconds < 1 else f"within {_many(round(seconds), 'second')}"
    return [
        f"Among its posts: {one['n']:,} of these accounts posted the same {_NOUNS.get(one['trace'], 'thing')}"
        f"{f' ({thing})' if thing else ''} {span}, on {one['first']:%Y-%m-%d} from "
        f"{one['first']:%H:%M:%S} UTC on."
    ]


_NOUNS = {"url": "link", "reshare": "post", "hashtag": "hashtag", "image": "picture", "text": "text"}


def reasons(findings: Findings, kind: str, name: str, /) -> pl.DataFrame:
    """Return the evidence of one cluster or site, in its order."""
    return findings.study.scan("evidence").filter(subject_type=kind, subject_id=name).collect()


def _sites(findings: Findings) -> list[str]:
    sites, seeded = findings.sites, findings.seeded
    if sites.is_empty():
        return []
    if seeded.is_empty():
        return [f"None of the {_many(sites.height, 'site')} is flagged."]
    early = sorted(seeded["early_share"].drop_nulls().to_list())
    line = f"{seeded.height:,} of {_many(sites.height, 'site')} are flagged"
    if early and not findings.flagged.is_empty():
        half = median(early)
        part = "all" if half == 1 else f"{half:.0%} or more"
        line += f"; of half of these, flagged accounts made {part} of the first ten shares of their links"
    return [line + "."]


def _paid(findings: Findings) -> list[str]:
    """Say how much was paid for, where a table of adverts tells."""
    if "boosts" not in findings.study.tables or findings.study.boosts.is_empty():
        return []
    return [f"{boosts_headline(findings.study.boosts.to_dicts())}, as adverts say."]


def _innocent(findings: Findings) -> list[str]:
    flagged = findings.flagged
    if flagged.is_empty():
        return []
    fits = flagged.filter(pl.col("innocent").list.len() > 0).height
    rest = flagged.height - fits
    if not fits:
        which = "it" if rest == 1 else f"any of the {rest:,} flagged groups"
        return [f"None of the innocent explanations that are looked for fits {which}; that proves nothing."]
    line = f"An innocent explanation also fits {fits:,} of the {_many(flagged.height, 'flagged group')}"
    return [line + (f"; that none fits the other {rest:,} proves nothing." if rest else ".")]


def _unknown(findings: Findings) -> str:
    """Say what the log cannot show."""
    power = findings.table("power")
    told = (
        power_headline(power.to_dicts())
        if power is not None
        else "How small a crew would have been found here was not measured (`propgraph power` does)."
    )
    return f"No log can tell who is behind an account, or whether anybody was paid to post. {told}"


def _many(n: int, noun: str) -> str:
    return f"{n:,} {noun}" + ("" if n == 1 else "s")
