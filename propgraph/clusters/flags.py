"""Rules: what organised behaviour looks like, when it is flagged, and which innocent readings also fit.

Each rule compares a value of the cluster with a threshold and with what the rest of the log, or chance,
gives. No rule, and no score, says who is behind a cluster or that an account is automated.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from propgraph.clusters.measure import densest_half, shortest_half
from propgraph.clusters.timing import ENOUGH
from propgraph.cosharing.rows import FAST_MS
from propgraph.readers.coarse import told_apart

Row = Mapping[str, Any]

SYNCHRONISED = "synchronised"
AT_ONCE, IN_STEP, REPETITIVE, IN_SECONDS = "at-once", "in-step", "repetitive", "within-seconds"
TURNOUT = "turnout"
SINGLE_SITE, LOW_ORIGINALITY = "single-site", "low-originality"
CREATED_TOGETHER, MANY_GROUPS = "created-together", "many-groups"

# How sentences call what a trace's posts have in common.
_NOUNS = {"domain": "site", "reshare": "original post", "url": "URL"}
#: Readings that account for the synchrony itself.
EXPLAINING = ("one-outlet", "fans", "breaking-news")

# The tail is nominal: clusters are found by the very co-shares that it is about. Where times are drawn at random,
# clusters found in this way still meet five times as often as expected, at p down to 1e-5, and among thousands of
# busy innocents six times, at p down to 1e-7: so a multiple beyond that is asked for, or a tail far beyond that.
_SURE, _STRONG = (3.0, 1e-12), (10.0, 0.05)

_DRAWS = 400


@dataclass(frozen=True)
class Baseline:
    """What accounts outside every cluster do in this log (null where the log cannot tell).

    Attributes
    ----------
    original_share
        Originals over all their posts, 0..1.
    typical_targets
        Median number of groups that an account which posts into groups posts into.
    created_ms
        Creation times of all accounts, ms since 1970, sorted.
    site_share
        For each site its part of all links in the log, 0..1.
    window_s
        The window in seconds.
    q
        False discovery rate (0..1) of the pairs that are called synchronised.
    seed
        For the draws of accounts.
    """

    original_share: float | None
    typical_targets: float | None
    created_ms: Any
    site_share: Mapping[str, float]
    window_s: float
    q: float
    seed: int
    _drawn: dict[int, tuple[float, float]] = field(default_factory=dict, init=False, repr=False)

    def effective_s(self, row: Row) -> float:
        """Return what the window comes to (s) by the times that a cluster met by: over whole days a day."""
        return max(self.window_s, row["time_resolution_s"] or 0.0)

    def nearby(self, row: Row) -> str:
        """Return how near two posts in the window are, in words: `within 60 s`, or `on the same day`."""
        return told_apart(self.window_s, row["time_resolution_s"])

    def creation_draws(self, n: int) -> tuple[float, float]:
        """Return the 0.01 quantile and the median of the spans (s) that hold half of `n` accounts drawn."""
        if n not in self._drawn:
            generator = np.random.default_rng([self.seed, n])
            spans = [
                shortest_half(generator.choice(self.created_ms, n, replace=False)) / 1000
                for _ in range(_DRAWS)
            ]
            self._drawn[n] = float(np.quantile(spans, 0.01)), float(np.median(spans))
        return self._drawn[n]


@dataclass(frozen=True)
class Finding:
    """One rule held against one cluster."""

    rule: str
    value: float
    threshold: float
    expected: float | None
    fires: bool
    sentence: str


@dataclass(frozen=True)
class Rule:
    """A rule's name, what it adds to the score (0..1), and how it is checked (None: not applicable)."""

    name: str
    weight: float
    check: Callable[[Row, Baseline], Finding | None]


def _synchronised(row: Row, base: Baseline) -> Finding | None:
    if not row["n_synchronised"]:
        return None
    value, n = row["synchronised_share"], row["n_synchronised"]
    return Finding(
        SYNCHRONISED, value, 0.5, base.q, value >= 0.5,
        f"{value:.0%} of the members stand nearer to fellows in the order of posts, object after object, than chance "
        f"puts accounts: {n:,} {'pair' if n == 1 else 'pairs'} at a false discovery rate of {base.q:g} (the surest: "
        f"p <= {_rounded_up(row['best_p'])})",
    )  # fmt: skip


def _at_once(row: Row, base: Baseline) -> Finding | None:
    if row["observed"] is None or not row["compared"]:
        return None
    observed, expected, p = row["observed"], row["expected"], row["p_value"]
    multiple, limit = _SURE if p <= _SURE[1] else _STRONG
    fires = observed >= multiple * expected and p <= limit
    whose = "the outsiders' rate" if row["n_outsider_pairs"] >= ENOUGH else "the usual rate of this log"
    return Finding(
        AT_ONCE, observed, multiple * expected, expected, fires,
        f"{observed:,.0f} pairs of posts of the same {_noun(row)} {base.nearby(row)}, "
        f"where {whose} gives {expected:,.1f} (nominal p <= {_rounded_up(p)})",
    )  # fmt: skip


def _noun(row: Row) -> str:
    trace: str = row["timing_trace"]
    return _NOUNS.get(trace, trace)


def _rounded_up(p: float) -> str:
    """Return a bound with one digit that is still a bound."""
    if p < 1e-300:
        return "1e-300"
    unit = 10.0 ** math.floor(math.log10(p))
    return f"{math.ceil(round(p / unit, 6)) * unit:.1g}"


def _in_step(row: Row, base: Baseline) -> Finding | None:
    """Ask less of a comparison: where nearly everyone is organised, the outsiders' rate is no innocent one.

    Up to a minute, half of all pairs is more than people do by themselves; of a wider window, and of one over
    coarser times, that cannot be said, and twice the outsiders' rate is asked for.
    """
    value, short = row["window_rate"], base.effective_s(row) <= 60
    if value is None or not (short or row["compared"]):
        return None
    outsider_rate = row["outsider_rate"] if row["compared"] else None
    threshold = 0.5 if outsider_rate is None else max(0.5, (1.25 if short else 2.0) * outsider_rate)
    others = "nobody to compare with" if outsider_rate is None else f"outsiders: {outsider_rate:.0%}"
    return Finding(
        IN_STEP, value, threshold, outsider_rate, value >= threshold and row["co_objects"] >= 5,
        f"of members' pairs of posts of the same {_noun(row)} {value:.0%} lie {base.nearby(row)}, on average "
        f"over what they shared ({others})",
    )  # fmt: skip


def _repetitive(row: Row, base: Baseline) -> Finding | None:
    if row["co_objects"] is None:
        return None
    value, expected = row["co_objects"], row["expected_co_objects"] if row["compared"] else None
    others = "" if expected is None else f", where the outsiders' rate gives {expected:.1f}"
    return Finding(
        REPETITIVE, value, 5, expected, value >= 5 and (expected is None or value > expected),
        f"half of the members or more met fellows {base.nearby(row)} over {value:g} different "
        f"objects{others}",
    )  # fmt: skip


def _turnout(row: Row, base: Baseline) -> Finding | None:
    """Look for a crowd that is called for a few jobs: it meets seldom, but each time most of it does.

    It is held against nobody, so it rests where coarse times make more than a minute of the window.
    """
    value, n = row["turnout"], row["n_gathered"]
    if value is None or base.effective_s(row) > max(base.window_s, 60):
        return None
    return Finding(
        TURNOUT, value, 0.5, None, value >= 0.5 and n >= 5,
        f"three times, an hour or more apart, at least {n:,} of the {row['n_accounts']:,} members posted the same "
        f"{_noun(row)} {base.nearby(row)}",
    )  # fmt: skip


def _within_seconds(row: Row, base: Baseline) -> Finding | None:
    if row["fast_share"] is None or base.window_s < 20:
        return None
    value = row["fast_share"]
    return Finding(
        IN_SECONDS, value, 0.5, 10 / base.window_s, value >= 0.5,
        f"{value:.0%} of the pairs lie within 10 s, where an even spread over the window gives "
        f"{10 / base.window_s:.0%}",
    )  # fmt: skip


def _single_site(row: Row, base: Baseline) -> Finding | None:
    if row["top_site"] is None or row["n_links"] < 10:
        return None
    value, expected = row["top_site_share"], base.site_share.get(row["top_site"], 0.0)
    return Finding(
        SINGLE_SITE, value, 0.8, expected, value >= 0.8 and expected < 0.5,
        f"{value:.0%} of the members' {row['n_links']:,} links lead to {row['top_site']}, "
        f"where {expected:.1%} of all links do",
    )  # fmt: skip


def _low_originality(row: Row, base: Baseline) -> Finding | None:
    value, expected = row["original_share"], base.original_share
    if value is None or expected is None:
        return None
    return Finding(
        LOW_ORIGINALITY, value, 0.1, expected, value <= 0.1 and value < expected / 2,
        f"{value:.0%} of the members' posts are originals, where {expected:.0%} of other accounts' posts are",
    )  # fmt: skip


def _created_together(row: Row, base: Baseline) -> Finding | None:
    n, spread = row["n_created"], row["creation_spread_s"]
    if n is None or n < 5 or base.created_ms.size < 2 * n:
        return None
    threshold, expected = base.creation_draws(n)
    return Finding(
        CREATED_TOGETHER, spread, threshold, expected, spread < threshold,
        f"half of the {n:,} accounts were made within {spread / 86400:,.1f} days, where as many accounts "
        f"drawn from this log take {expected / 86400:,.0f} (1% of draws: under {threshold / 86400:,.1f})",
    )  # fmt: skip


def _many_groups(row: Row, base: Baseline) -> Finding | None:
    value, expected = row["typical_targets"], base.typical_targets
    if not row["n_targets"] or expected is None:
        return None
    threshold = max(5.0, 3 * expected)
    return Finding(
        MANY_GROUPS, value, threshold, expected, value >= threshold,
        f"half of the members or more posted into {value:g} groups or more, where {expected:g} is usual "
        "among accounts that post into groups",
    )  # fmt: skip


RULES = (
    Rule(SYNCHRONISED, 0.65, _synchronised),
    Rule(AT_ONCE, 0.40, _at_once),
    Rule(IN_STEP, 0.30, _in_step),
    Rule(REPETITIVE, 0.30, _repetitive),
    Rule(TURNOUT, 0.30, _turnout),
    Rule(CREATED_TOGETHER, 0.35, _created_together),
    Rule(MANY_GROUPS, 0.25, _many_groups),
    Rule(IN_SECONDS, 0.15, _within_seconds),
    Rule(LOW_ORIGINALITY, 0.15, _low_originality),
    Rule(SINGLE_SITE, 0.05, _single_site),
)


def innocent_readings(row: Row, /) -> list[str]:
    """Return the innocent readings that also fit a cluster, the most telling first.

    `one-outlet`: newsroom, syndication or devoted readers: what they met over is one site, far beyond its
    part of all links, which outsiders share more than the members do. `fans`: one account outside the
    cluster is behind most of what they met over. `breaking-news`: one object makes most of the pairs.
    `one-hand`: few accounts that post within seconds of each other, as a tool for several accounts does.
    `no-comparison`: the log holds too few others to say what is usual. `activists`: nothing in the log
    sets them apart from people who agreed on a time and a cause.
    """
    readings = []
    beyond = (row["met_site_share"] or 0) >= max(0.6, 2 * (row["met_site_all"] or 0))
    if beyond and (row["met_site_inside"] or 0) <= 0.5:
        readings.append("one-outlet")
    if (row["met_origin_share"] or 0) >= 0.5:
        readings.append("fans")
    if (row["top_object_share"] or 0) >= 0.5:
        readings.append("breaking-news")
    if row["n_accounts"] <= 5 and (row["fast_share"] or 0) >= 0.9:
        readings.append("one-hand")
    if row["compared"] is False:
        readings.append("no-comparison")
    return readings


def judge(row: Row, base: Baseline, /) -> tuple[float, list[Finding], list[str]]:
    """Return a cluster's score (0..1), the findings that fire, and the innocent readings that also fit.

    The score is 1 - product(1 - weight) over the rules that fire. It is halved for each innocent reading
    that accounts for the synchrony itself (one outlet, fans, breaking news; the last never where `synchronised`
    fires, for that is held against each object's own burst). Where neither `synchronised` nor
    `at-once` nor `in-step` fires it is cut to three tenths (what meets no more than outsiders do is not
    organised), and without `synchronised`, `repetitive` and `turnout` by a fifth (a few meetings prove little).
    """
    checked = [(rule, rule.check(row, base)) for rule in RULES]
    fired = [(rule, finding) for rule, finding in checked if finding is not None and finding.fires]
    score = 1 - float(np.prod([1 - rule.weight for rule, _ in fired]))
    findings = [finding for _, finding in fired]
    readings = innocent_readings(row)
    if SYNCHRONISED in {finding.rule for finding in findings}:
        # Each object's own burst is what pairs were held against, and there are several.
        readings = [reading for reading in readings if reading != "breaking-news"]
    score *= 0.5 ** sum(reading in EXPLAINING for reading in readings)
    rules = {finding.rule for finding in findings}
    if not rules & {SYNCHRONISED, AT_ONCE, IN_STEP}:
        score *= 0.3
    elif not readings and CREATED_TOGETHER not in rules:
        readings = ["activists"]
    if not rules & {SYNCHRONISED, REPETITIVE, TURNOUT}:
        score *= 0.8
    return score, findings, readings


def evidence_posts(rule: str, posts: pl.DataFrame, /, *, trace: str | None, most: int = 20) -> list[str]:
    """Return the ids of posts by a cluster that show a rule's finding best.

    Parameters
    ----------
    rule
        The rule's name.
    posts
        The cluster's posts: `account_id, content_id, timestamp, time_resolution_s, kind, target_id, created_at` (the
        account's), `is_top_site` (links to the cluster's top site), and `trace, object_id, n_fellows` (fellow members'
        posts of the object within the window), null for a post of no object. A post stands once for each
        object.
    trace
        The trace of the rules about timing; None takes all.
    most
        At most so many.
    """
    shown = _SHOWN[rule](_by_meetings(posts, trace if rule in _IN_TRACE else None))
    ids: list[str] = shown["content_id"].unique(maintain_order=True).head(most).to_list()
    return ids


def _by_meetings(posts: pl.DataFrame, trace: str | None) -> pl.DataFrame:
    """Put the posts of the objects over which fellows met most first."""
    if trace is not None:
        posts = posts.filter(pl.col("trace") == trace)
    return posts.with_columns(meetings=pl.col("n_fellows").sum().over("trace", "object_id")).sort(
        ["meetings", "trace", "object_id", "timestamp", "content_id"],
        descending=[True, False, False, False, False],
        nulls_last=True,
    )


def _met(posts: pl.DataFrame) -> pl.DataFrame:
    return posts.filter(pl.col("n_fellows") > 0)


def _some_of_each_object(posts: pl.DataFrame, n: int) -> pl.DataFrame:
    """Keep so many accounts of each object, so that several objects show."""
    once = _met(posts).unique(["object_id", "account_id"], keep="first", maintain_order=True)
    return once.filter(pl.int_range(pl.len()).over("object_id") < n)


def _met_in_seconds(posts: pl.DataFrame) -> pl.DataFrame:
    """Keep posts known to have another account's of the same object at most 10 s before or after."""
    of_object = ("trace", "object_id")
    near = (pl.col("timestamp").diff() <= pl.duration(seconds=10)) & (
        pl.col("account_id") != pl.col("account_id").shift()
    )
    fine = (pl.col("time_resolution_s") * 1000 <= FAST_MS).fill_null(True)
    marked = posts.filter(pl.col("object_id").is_not_null(), fine).with_columns(
        after=near.over(of_object).fill_null(False)
    )
    return marked.filter(pl.col("after") | pl.col("after").shift(-1).over(of_object).fill_null(False))


def _one_of_each_account(posts: pl.DataFrame) -> pl.DataFrame:
    first = posts.sort("timestamp", "content_id").unique("account_id", keep="first", maintain_order=True)
    return densest_half(first)


def _one_in_each_group(posts: pl.DataFrame) -> pl.DataFrame:
    """Keep an account's first post in each group, the accounts with most groups first."""
    once = (
        posts.drop_nulls("target_id")
        .sort("timestamp", "content_id")
        .unique(["account_id", "target_id"], keep="first", maintain_order=True)
    )
    return once.with_columns(groups=pl.len().over("account_id")).sort(
        ["groups", "account_id", "timestamp", "content_id"], descending=[True, False, False, False]
    )


_IN_TRACE = (AT_ONCE, IN_STEP, REPETITIVE, TURNOUT)
_SHOWN: Mapping[str, Callable[[pl.DataFrame], pl.DataFrame]] = {
    AT_ONCE: _met,
    IN_STEP: _met,
    REPETITIVE: lambda posts: _some_of_each_object(posts, 2),
    TURNOUT: lambda posts: _some_of_each_object(posts, 6),
    IN_SECONDS: _met_in_seconds,
    SINGLE_SITE: lambda posts: posts.filter("is_top_site"),
    LOW_ORIGINALITY: lambda posts: posts.filter(pl.col("kind") != "original"),
    CREATED_TOGETHER: _one_of_each_account,
    MANY_GROUPS: _one_in_each_group,
}
