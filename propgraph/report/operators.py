"""What is said of a group of sites that look as if one hand pushed or ran them."""

from __future__ import annotations

from typing import Any

from propgraph.words.said import said, tell

_SITES_NAMED = 4


def operator_lines(row: dict[str, Any], /) -> list[str]:
    """Return what to say of an operator, a sentence a line, the headline first."""
    n_more = row["n_sites"] - _SITES_NAMED
    lines = [
        tell(
            "operators.headline", operator=row["operator_id"], n=row["n_sites"], sites=row["sites"][:_SITES_NAMED],
            more=said("words.more", n=n_more) if n_more > 0 else None,
        )
    ]  # fmt: skip
    if row["n_pairs"]:
        lines.append(
            tell(
                "operators.shared-first", n_pairs=row["n_pairs"], n=row["n_seeders"], part=row["seeder_share"],
                n_urls=row["n_urls"],
            )
        )  # fmt: skip
    facts = [kind for kind in row["evidence"] if kind not in ("first-sharers", "names", "copies")]
    if facts:
        lines.append(tell("operators.facts", facts=facts))
    if row["name_template"]:
        lines.append(tell("operators.names", template=row["name_template"]))
    if row["declared_owner"]:
        lines.append(tell("operators.owner", owner=row["declared_owner"]))
    if row["first_seen"] is not None:
        lines.append(tell("operators.seen", first=row["first_seen"], last=row["last_seen"]))
    # Whoever shares a chain's or a publisher's sites may be of a cluster; that says nothing of those.
    if row["clusters"] and row["n_pairs"]:
        lines.append(tell("operators.clusters", clusters=row["clusters"][:10]))
    return lines
