"""What this log cannot show: how finely it tells, what is missing, how small a crew would have been found."""

from __future__ import annotations

import polars as pl

from propgraph.report.document import cell
from propgraph.report.explain.people import unknown
from propgraph.report.page.findings import Findings
from propgraph.report.page.markup import items, paragraphs, shown, terms
from propgraph.report.words import how_it_holds, power_headline, would_be_flagged
from propgraph.words.said import named, said, tell

_COLUMNS = ("text", "target_id", "platform", "language", "parent_content_id")
_HOLDS = 20


def limits(findings: Findings) -> str:
    """Return what the log lacks, what was tested, how well crews are found in it, and what nobody can know."""
    parts = [
        _heading("limits.unknown") + paragraphs(unknown().lines),
        _heading("limits.lacking") + items(_lacking(findings)),
        _heading("limits.chance") + paragraphs(_chance(findings)),
        _heading("limits.power") + _power(findings),
        _heading("explain.holds") + _holds(findings) + _overturned(findings),
        _notes(findings),
    ]
    return "".join(parts)


def _heading(key: str) -> str:
    return f"<h3>{shown(tell(key))}</h3>"


def _lacking(findings: Findings) -> list[str]:
    """Say what the log does not tell, or only of some posts."""
    posts = findings.study.scan("posts")
    there = posts.select(pl.col(*_COLUMNS).is_not_null().mean()).collect().row(0, named=True)
    made = findings.study.scan("accounts").select(pl.col("created_at").is_not_null().mean()).collect().item()
    known = there | {"created_at": made}
    lines = [
        tell("limits.told-of", what=named("lacking", name), part=part)
        if part
        else tell("limits.not-told", what=named("lacking", name))
        for name, part in known.items()
        if part is None or part < 0.995
    ]
    build = findings.run["build"]
    if build["counts"]["rejected"]:
        reasons = build.get("rejected_by_reason", {}).items()
        why = [said("words.named-count", name=reason, n=n) for reason, n in reasons]
        lines.append(tell("limits.rejected", n=build["counts"]["rejected"], why=why))
    else:
        lines.append(tell("limits.none-rejected"))
    return [tell("words.sentence", what=line) for line in findings.lines(lines)]


def _chance(findings: Findings) -> list[str]:
    chosen, counts = findings.run["clusters"]["parameters"], findings.run["clusters"]["counts"]
    lines = []
    tests = findings.run["clusters"].get("tests_by_trace", {})
    total = int(sum(one["total"] for one in tests.values()))
    if total:
        n = counts["synchronised_pairs"]
        lines.append(tell("limits.pairs", n_tests=total, n=n, by_chance=float(n * chosen["q"])))
    by_window = findings.flagged.filter(pl.col("evidence") == "window").height
    if by_window:
        lines.append(tell("limits.by-window", n=by_window, n_all=findings.flagged.height))
    lines.append(tell("limits.score", least=chosen["min_score"]))
    return lines


def _power(findings: Findings) -> str:
    power = findings.table("power")
    if power is None:
        return paragraphs((tell("limits.no-power", study=_name(findings)),))
    rows = power.to_dicts()
    return paragraphs((power_headline(rows),)) + items(would_be_flagged(row) for row in rows)


def _holds(findings: Findings) -> str:
    if "stability" not in findings.run:
        return paragraphs((tell("limits.no-stability", study=_name(findings)),))
    rows = findings.flagged.select("cluster_id").join(
        findings.study.stability, on="cluster_id", maintain_order="left"
    )
    return items(how_it_holds(row) for row in rows.head(_HOLDS).to_dicts())


def _overturned(findings: Findings) -> str:
    if findings.flagged.is_empty():
        return ""
    name = findings.flagged["cluster_id"][0]
    return paragraphs((tell("limits.overturn", study=_name(findings), cluster=name),))


def _notes(findings: Findings) -> str:
    notes = [note for job in ("build", "clusters") for note in findings.run[job].get("notes", [])]
    if not notes:
        return ""
    # Notes stand in run.json as they were written, in English.
    return f'{_heading("limits.notes")}<div lang="en">{items(findings.lines(notes))}</div>'


def _name(findings: Findings) -> str:
    return findings.study.path.resolve().name


def choices(findings: Findings) -> str:
    """Return the choices of the analysis, by name."""
    chosen = findings.run["clusters"]["parameters"]
    return terms((name, cell(value)) for name, value in chosen.items() if value is not None)
