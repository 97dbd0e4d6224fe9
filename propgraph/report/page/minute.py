"""What the page says in one minute: a few sentences, each with its counts, and words tied to fixed rules."""

from __future__ import annotations

from datetime import datetime
from statistics import median
from typing import Any

import polars as pl

from propgraph.report.boosts import boosts_headline
from propgraph.report.page.findings import Findings
from propgraph.report.page.markup import folded, paragraphs, terms
from propgraph.report.words import nothing_found, power_headline, sureness, with_reason
from propgraph.words.said import named, said, tell

#: The words for how sure something is; what they stand for is in the files of sentences.
SCALE = ("no-sign", "some", "strong", "very-strong")


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
    scale = terms((named("sureness", word), named("scale", word)) for word in SCALE)
    return paragraphs(findings.lines(lines)) + folded(tell("minute.scale"), scale)


def _verdict(findings: Findings) -> str:
    counts, found, flagged = findings.run["build"]["counts"], findings.clusters, findings.flagged
    log = {"n_accounts": counts["accounts"], "n_posts": counts["posts"]}
    if flagged.is_empty():
        nothing = found.is_empty() and not findings.n_hidden
        why = nothing_found(findings.run["clusters"]) if nothing else tell("minute.looked-at", n=found.height)
        return tell("minute.no-sign", **log, why=why)
    n, best = int(flagged["n_accounts"].sum()), float(flagged["score"].to_list()[0])
    return tell(
        "minute.flagged", **log, n=n, part=n / max(counts["accounts"], 1), n_flagged=flagged.height,
        n_clusters=found.height, signs=sureness(best), score=best,
    )  # fmt: skip


def _strongest(findings: Findings) -> list[str]:
    """Say what the strongest campaign or cluster did, with the first of its reasons."""
    if findings.flagged.is_empty():
        return []
    top = findings.flagged.row(0, named=True)
    lines = []
    campaign = next((one for one in findings.campaigns if top["cluster_id"] in one["cluster_ids"]), None)
    if campaign is not None:
        span = _span(campaign)
        lines.append(
            tell(
                "minute.campaign", n=campaign["n_clusters"], n_accounts=campaign["n_accounts"],
                campaign=campaign["campaign_id"], when=None if span is None else said("minute.from", span=span),
            )
        )  # fmt: skip
    span = _span(top)
    why = reasons(findings, "cluster", top["cluster_id"])
    first = (
        None if why.is_empty() else said("minute.first-of-all", why=_in_words(why.row(0, named=True), top))
    )
    lines.append(
        tell(
            "minute.strongest", cluster=top["cluster_id"], n=top["n_accounts"], n_reasons=len(top["flags"]),
            when=None if span is None else said("minute.when", span=span), first=first,
        )
    )  # fmt: skip
    return [*lines, *_striking(findings, why)]


def _span(row: dict[str, Any]) -> tuple[datetime, datetime] | None:
    return None if row["first_time"] is None else (row["first_time"], row["last_time"])


def _in_words(reason: dict[str, Any], row: dict[str, Any]) -> str:
    """Return a reason as people say it."""
    often = reason["value"] / reason["expected"] if reason["expected"] else 0
    if reason["rule"] == "at-once" and often >= 2 and row["time_window_s"] is not None:
        return tell("minute.at-once", window=row["time_window_s"], times=float(often))
    return with_reason(reason)


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
    span = said("words.same-second") if seconds < 1 else said("minute.within", n=round(seconds))
    return [
        tell(
            "minute.striking", n=one["n"], trace=one["trace"], span=span, moment=one["first"],
            thing=said("words.in-brackets", what=[thing]) if thing else None,
        )
    ]  # fmt: skip


def reasons(findings: Findings, kind: str, name: str, /) -> pl.DataFrame:
    """Return the evidence of one cluster or site, in its order."""
    return findings.study.scan("evidence").filter(subject_type=kind, subject_id=name).collect()


def _sites(findings: Findings) -> list[str]:
    sites, seeded = findings.sites, findings.seeded
    if sites.is_empty():
        return []
    if seeded.is_empty():
        return [tell("minute.no-site", n=sites.height)]
    early = sorted(seeded["early_share"].drop_nulls().to_list())
    half = None
    if early and not findings.flagged.is_empty():
        part = median(early)
        half = said("minute.early-all") if part == 1 else said("minute.early-part", part=part)
    return [tell("minute.sites", n=seeded.height, n_all=sites.height, half=half)]


def _paid(findings: Findings) -> list[str]:
    """Say how much was paid for, where a table of adverts tells."""
    if "boosts" not in findings.study.tables or findings.study.boosts.is_empty():
        return []
    return [tell("minute.paid", told=boosts_headline(findings.study.boosts.to_dicts()))]


def _innocent(findings: Findings) -> list[str]:
    flagged = findings.flagged
    if flagged.is_empty():
        return []
    fits = flagged.filter(pl.col("innocent").list.len() > 0).height
    rest = flagged.height - fits
    if not fits:
        return [tell("minute.none-fits-it") if rest == 1 else tell("minute.none-fits", n=rest)]
    proves = said("minute.others-prove-nothing", n=rest) if rest else None
    return [tell("minute.innocent", n=fits, n_all=flagged.height, rest=proves)]


def _unknown(findings: Findings) -> str:
    """Say what the log cannot show."""
    power = findings.table("power")
    told = power_headline(power.to_dicts()) if power is not None else tell("minute.no-power")
    return tell("minute.unknown", told=told)
