"""A study on one screen of a notebook: what was read, what is flagged, what to type next."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import polars as pl

from propgraph.report.document import html_table
from propgraph.report.words import days, nothing_found, sureness
from propgraph.schema.sites import flagged_sites
from propgraph.study import Study

_SHOWN, _NOTES = 10, 5
_STYLE = "max-width:60rem;overflow-wrap:anywhere"


def summary_html(study: Study, /) -> str:
    """Return the summary of a study as HTML, whatever names it holds."""
    build = study.run.get("build", {}).get("counts", {})
    counted = ("posts", "rejected", "accounts", "shares", "objects", "cascades", "edges")
    parts = [
        f"<p><b>Study</b> <code>{escape(str(study.path))}</code></p>",
        f"<p>{escape(', '.join(f'{build[name]:,} {name}' for name in counted if name in build))}</p>",
        *_notes(study.run.get("build", {}).get("notes", [])),
        *(_found(study) if "clusters" in study.run else ()),
        _code(_next(study)),
    ]
    return f'<div style="{_STYLE}">{"".join(parts)}</div>'


def _notes(notes: Sequence[str]) -> list[str]:
    """Return what the log was read as, where that had to be settled."""
    told = [
        *notes[:_NOTES],
        *([f"and {len(notes) - _NOTES:,} more: study.run"] if len(notes) > _NOTES else []),
    ]
    return ["<ul>", *(f"<li><small>{escape(note)}</small></li>" for note in told), "</ul>"] if told else []


def _found(study: Study) -> list[str]:
    """Return what `find_clusters` found."""
    clusters = study.clusters
    flagged, sites = clusters.filter("flagged"), study.sites
    seeded = sites.filter(flagged_sites(sites))
    told = (
        f"{flagged.height:,} of {clusters.height:,} clusters flagged "
        f"({study.run['clusters']['counts']['flagged_accounts']:,} accounts), "
        f"{seeded.height:,} of {sites.height:,} sites flagged"
    )
    parts = [f"<p><b>{escape(told)}</b></p>"]
    if not clusters.height:
        parts.append(f"<p>{escape(nothing_found(study.run['clusters']))}</p>")
    if flagged.height:
        parts.append(html_table(_clusters(flagged.head(_SHOWN).to_dicts())))
        parts += [f"<p>and {flagged.height - _SHOWN:,} more</p>"] if flagged.height > _SHOWN else []
        parts.append(
            "<p>A flag is a reason to look, not a verdict: it says how accounts act, not who they are.</p>"
        )
    return parts


def _clusters(rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "cluster": [row["cluster_id"] for row in rows],
            "score": [f"{row['score']:.2f} {sureness(row['score'])}" for row in rows],
            "accounts": [row["n_accounts"] for row in rows],
            "when": [days(row["first_time"], row["last_time"]) for row in rows],
            "reasons": [", ".join(row["flags"]) for row in rows],
            "also fits": [", ".join(row["innocent"]) for row in rows],
        }
    )


def _next(study: Study) -> list[str]:
    """Return what to type next, as Python."""
    if "clusters" not in study.run:
        return ["study = propgraph.find_clusters(study)"]
    first = study.clusters["cluster_id"].head(1).to_list()
    about = [f"study.explain({first[0]!r})", f"study.evidence_posts({first[0]!r})"] if first else []
    return [*about, "study.plot.timeline()", 'propgraph.write_report("report.html", study)']


def _code(lines: Sequence[str]) -> str:
    return f"<p>next</p><pre>{escape(chr(10).join(lines))}</pre>"
