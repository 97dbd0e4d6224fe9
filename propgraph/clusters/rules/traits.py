"""Rules about what members do: where their links lead, what they write, into how many groups they post."""

from __future__ import annotations

import math

from propgraph.clusters.baseline import Baseline, Row
from propgraph.clusters.rules.rule import Finding
from propgraph.words.said import said

SINGLE_SITE, LOW_ORIGINALITY = "single-site", "low-originality"
TEMPLATE_TEXT = "template-text"
MANY_GROUPS, REGULAR_GAPS = "many-groups", "regular-gaps"

_MANY = 5  # groups
_CLOCKWORK = 0.25  # spread of the logarithms of lags
_RARE, _ACCOUNTS = 0.01, 3
_ORIGINALS = 0.2
_TEMPLATES, _TOLD = 0.2, 3


def single_site(row: Row, base: Baseline) -> Finding | None:
    """Ask whether nearly all links lead to one site that the rest of the log links little."""
    if row["top_site"] is None or row["n_links"] < 10:
        return None
    value, expected = row["top_site_share"], base.site_share.get(row["top_site"], 0.0)
    return Finding(
        SINGLE_SITE, value, 0.8, expected, value >= 0.8 and expected < 0.5,
        said("rules.single-site", value=value, n=row["n_links"], site=row["top_site"], expected=expected),
    )  # fmt: skip


def low_originality(row: Row, base: Baseline) -> Finding | None:
    """Ask whether hardly any post is an original, where those of accounts of the same platform as active are.

    A fifth of these accounts' posts have to be, and the members' share has to lie under the 1 % point of draws: of a
    few accounts that seldom write themselves often none does.
    """
    value, expected = row["original_share"], row.get("original_expected")
    if value is None or expected is None:
        return None
    threshold = min(0.1, row["original_limit"])
    usual = expected >= _ORIGINALS and value < expected / 2
    return Finding(
        LOW_ORIGINALITY, value, threshold, expected, usual and value <= 0.1 and value < row["original_limit"],
        said("rules.low-originality", value=value, n=row["n_like"], expected=expected),
    )  # fmt: skip


def template_text(row: Row, base: Baseline) -> Finding | None:
    """Ask whether a fifth of the originals hold remarks that fellows write word for word, and nobody else does.

    Half of the members have to write such, and more of their posts have to hold them than in any draw of as many
    accounts as active (see `clusters.templates`).
    """
    value, n = row.get("template_share"), row.get("n_template_accounts") or 0
    if value is None:
        return None
    expected, limit = row["template_expected"], row["template_limit"] or 0.0
    remarks = [
        said("words.quoted", text=text.rsplit(": ", 1)[0]) for text in (row["templates"] or [])[:_TOLD]
    ]
    usual = (
        said("words.part-and-tenths", part=expected) if expected is not None else said("words.too-few-to-say")
    )
    return Finding(
        TEMPLATE_TEXT, value, max(_TEMPLATES, limit), expected,
        value >= _TEMPLATES and value > limit and 2 * n >= row["n_accounts"],
        said(
            "rules.template-text", value=value, n_texts=row["n_texts"], remarks=remarks, n=n,
            n_accounts=row["n_accounts"], usual=usual,
        ),
    )  # fmt: skip


def many_groups(row: Row, base: Baseline) -> Finding | None:
    """Hold into how many groups one and the same object is put against accounts with as many posts into groups."""
    value, expected = row.get("groups_per_object"), row.get("groups_per_object_expected")
    if value is None or expected is None or not row["typical_targets"]:
        return None
    threshold = max(2.0, row["groups_per_object_limit"])
    return Finding(
        MANY_GROUPS, value, threshold, expected,
        value >= threshold and value > expected and row["typical_targets"] >= _MANY,
        said(
            "rules.many-groups", groups=row["typical_targets"], value=value, n=row["n_group_peers"], expected=expected
        ),
    )  # fmt: skip


def regular_gaps(row: Row, base: Baseline) -> Finding | None:
    """Ask whether half of the members, three or more, go from group to group as by the clock.

    An account is, whose lags differ by less than a quarter (see `clusters.fan_out`); beside others who post into
    groups, and beside their lags dealt to the members, or where they have too few, moments at random.
    """
    value, n = row.get("lag_spread"), row.get("n_regular")
    if value is None or not n:
        return None
    limit = row["lag_spread_limit"]
    threshold = _CLOCKWORK if limit is None else min(_CLOCKWORK, limit)
    others = said("rules.random-moments" if limit is None else "rules.others-into-groups")
    return Finding(
        REGULAR_GAPS, value, threshold, row["lag_spread_expected"],
        value <= threshold and row["lag_p"] <= _RARE and n >= _ACCOUNTS and 2 * n >= row["n_accounts"],
        said(
            "rules.regular-gaps", n=n, n_accounts=row["n_accounts"], n_lags=row["n_lags"], lag=row["group_lag_s"],
            spread=math.expm1(value), others=others, usual=math.expm1(row["lag_spread_expected"]),
        ),
    )  # fmt: skip
