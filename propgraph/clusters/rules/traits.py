"""Rules about what members do: where their links lead, what they write, into how many groups they post."""

from __future__ import annotations

from propgraph.clusters.baseline import Baseline, Row
from propgraph.clusters.rules.rule import Finding

SINGLE_SITE, LOW_ORIGINALITY = "single-site", "low-originality"
MANY_GROUPS = "many-groups"


def single_site(row: Row, base: Baseline) -> Finding | None:
    """Ask whether nearly all links lead to one site that the rest of the log links little."""
    if row["top_site"] is None or row["n_links"] < 10:
        return None
    value, expected = row["top_site_share"], base.site_share.get(row["top_site"], 0.0)
    return Finding(
        SINGLE_SITE, value, 0.8, expected, value >= 0.8 and expected < 0.5,
        f"{value:.0%} of the members' {row['n_links']:,} links lead to {row['top_site']}, "
        f"where {expected:.1%} of all links do",
    )  # fmt: skip


def low_originality(row: Row, base: Baseline) -> Finding | None:
    """Ask whether hardly any post is an original, where those of others are."""
    value, expected = row["original_share"], base.original_share
    if value is None or expected is None:
        return None
    return Finding(
        LOW_ORIGINALITY, value, 0.1, expected, value <= 0.1 and value < expected / 2,
        f"{value:.0%} of the members' posts are originals, where {expected:.0%} of other accounts' posts are",
    )  # fmt: skip


def many_groups(row: Row, base: Baseline) -> Finding | None:
    """Hold the groups posted into against what is usual for accounts that post into any."""
    value, expected = row["typical_targets"], base.typical_targets
    if not row["n_targets"] or expected is None:
        return None
    threshold = max(5.0, 3 * expected)
    return Finding(
        MANY_GROUPS, value, threshold, expected, value >= threshold,
        f"half of the members or more posted into {value:g} groups or more, where {expected:g} is usual "
        "among accounts that post into groups",
    )  # fmt: skip
