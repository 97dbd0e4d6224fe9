"""What this log cannot show: how finely it tells, what is missing, how small a crew would have been found."""

from __future__ import annotations

import polars as pl

from propgraph.report.document import cell
from propgraph.report.explain.people import UNKNOWN
from propgraph.report.page.findings import Findings
from propgraph.report.page.markup import items, paragraphs, terms
from propgraph.report.words import how_it_holds, power_headline, would_be_flagged

_COLUMNS = {
    "text": "texts of posts", "target_id": "groups, pages or channels posted into", "platform": "platforms",
    "language": "languages", "parent_content_id": "whom a post answers or passes on",
}  # fmt: skip
_HOLDS = 20


def limits(findings: Findings) -> str:
    """Return what the log lacks, what was tested, how well crews are found in it, and what nobody can know."""
    parts = [
        "<h3>What cannot be known</h3>" + paragraphs(UNKNOWN.lines),
        "<h3>What the log lacks</h3>" + items(_lacking(findings)),
        "<h3>How much is chance</h3>" + paragraphs(_chance(findings)),
        "<h3>What would have been found</h3>" + _power(findings),
        "<h3>Does it hold</h3>" + _holds(findings) + _overturned(findings),
        _notes(findings),
    ]
    return "".join(parts)


def _lacking(findings: Findings) -> list[str]:
    """Say what the log does not tell, or only of some posts."""
    posts = findings.study.scan("posts")
    there = posts.select(pl.col(*_COLUMNS).is_not_null().mean()).collect().row(0, named=True)
    made = findings.study.scan("accounts").select(pl.col("created_at").is_not_null().mean()).collect().item()
    known = {_COLUMNS[name]: part for name, part in there.items()} | {"when accounts were made": made}
    lines = [
        f"{name}: not told" if not part else f"{name}: told of {part:.0%}"
        for name, part in known.items()
        if part is None or part < 0.995
    ]
    build = findings.run["build"]
    if build["counts"]["rejected"]:
        why = ", ".join(f"{reason}: {n:,}" for reason, n in build.get("rejected_by_reason", {}).items())
        lines.append(f"{build['counts']['rejected']:,} rows could not be used ({why})")
    else:
        lines.append("No row was rejected")
    return [f"{line}." for line in findings.lines(lines)]


def _chance(findings: Findings) -> list[str]:
    chosen, counts = findings.run["clusters"]["parameters"], findings.run["clusters"]["counts"]
    lines = []
    tests = findings.run["clusters"].get("tests_by_trace", {})
    total = int(sum(one["total"] for one in tests.values()))
    if total:
        n = counts["synchronised_pairs"]
        lines.append(
            f"{total:,} pairs of accounts were held against chance; {n:,} stand nearer to each other in the order of "
            f"posts than chance and their own hours put them, at a false discovery rate of {chosen['q']:g}: about "
            f"{n * chosen['q']:,.0f} of these would be there by chance alone."
        )
    by_window = findings.flagged.filter(pl.col("evidence") == "window").height
    if by_window:
        lines.append(
            f"Found another way: {by_window:,} of {findings.flagged.height:,} flagged groups, by posts of the same "
            "things within the time window, held against how often outsiders' posts of these lie within it."
        )
    lines.append(
        f"A group or site is flagged from a score of {chosen['min_score']:g} on, a site if the log has two of its "
        "links or more. The score counts reasons, weakest ones least; it is no probability. Each reason has a "
        "threshold of its own, and most are held against other people of this very log, of whom some may be "
        "organised, too."
    )
    return lines


def _power(findings: Findings) -> str:
    power = findings.table("power")
    if power is None:
        return paragraphs(
            (f"Not measured: `propgraph power {_name(findings)}` plants crews in this log and counts.",)
        )
    rows = power.to_dicts()
    return paragraphs((power_headline(rows),)) + items(would_be_flagged(row) for row in rows)


def _holds(findings: Findings) -> str:
    if "stability" not in findings.run:
        return paragraphs(
            (f"Not tried: `propgraph stability {_name(findings)}` finds it anew by other choices.",)
        )
    rows = findings.flagged.select("cluster_id").join(
        findings.study.stability, on="cluster_id", maintain_order="left"
    )
    return items(how_it_holds(row) for row in rows.head(_HOLDS).to_dicts())


def _overturned(findings: Findings) -> str:
    if findings.flagged.is_empty():
        return ""
    name = findings.flagged["cluster_id"][0]
    return paragraphs((
        f"Which single thing or member a flag hangs on: `propgraph explain {_name(findings)} {name} --overturn`.",
    ))  # fmt: skip


def _notes(findings: Findings) -> str:
    notes = [note for job in ("build", "clusters") for note in findings.run[job].get("notes", [])]
    return f"<h3>What the programs noted</h3>{items(findings.lines(notes))}" if notes else ""


def _name(findings: Findings) -> str:
    return findings.study.path.resolve().name


def choices(findings: Findings) -> str:
    """Return the choices of the analysis, by name."""
    chosen = findings.run["clusters"]["parameters"]
    return terms((name, cell(value)) for name, value in chosen.items() if value is not None)
