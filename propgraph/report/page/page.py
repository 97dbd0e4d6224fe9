"""The page put together: head, landmarks, one style, one script, and a policy that lets nothing else in or out."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files

import polars as pl

from propgraph.report.figures.figure import style as figure_style
from propgraph.report.figures.network_map import network_map
from propgraph.report.figures.timeline import timeline
from propgraph.report.page.alone import alone
from propgraph.report.page.annex import annex
from propgraph.report.page.cards import cards
from propgraph.report.page.disarm import disarm
from propgraph.report.page.drawn import drawn
from propgraph.report.page.findings import Findings
from propgraph.report.page.glance import at_a_glance
from propgraph.report.page.head import head, title_of
from propgraph.report.page.limits import choices, limits
from propgraph.report.page.markup import shown, table
from propgraph.report.page.method import method
from propgraph.report.page.minute import in_one_minute
from propgraph.report.page.nearest import nearest
from propgraph.report.page.places import sites
from propgraph.report.page.review import review
from propgraph.report.page.section import Section
from propgraph.report.page.spread import cascades
from propgraph.report.page.zoom import zoom
from propgraph.words.said import formatted, language, named, tell

_PAGE = """<!DOCTYPE html>
<html lang="{language}"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer">
<title>{title}</title><style>{style}</style></head><body{texts}>
<a class="skip" href="#minute">{skip}</a>
<header><h1>{title}</h1>{head}</header>
<nav aria-label="{sections}"><ul>{contents}</ul></nav>
<main>{main}</main>
<footer><p>{made}</p></footer>
<script>{script}</script></body></html>
"""


def page(findings: Findings, /, *, title: str | None = None) -> str:
    """Return the whole page; without a title it bears the name of the log and the days that this spans."""
    title = title or title_of(findings)
    parts = sections(findings)
    style, script = figure_style() + _beside("page.css"), _beside("page.js")
    return _PAGE.format(
        policy=policy(style, script), title=shown(title), style=style, script=script, head=head(findings),
        contents="".join(f'<li><a href="#{part.id}">{shown(part.title)}</a></li>' for part in parts),
        main="".join(part.markup() for part in parts),
        made=shown(tell("page.made", version=findings.run["clusters"]["versions"]["propgraph"])),
        language=language(), skip=shown(tell("page.skip")), sections=shown(tell("page.sections")),
        texts=f' data-filter="{shown(tell("page.filter"))}" data-saved="{shown(tell("page.saved"))}"',
    )  # fmt: skip


def sections(findings: Findings) -> list[Section]:
    """Return the sections that there is something to say in, in the order in which they are read."""
    made = [
        ("minute", in_one_minute(findings)),
        ("glance", at_a_glance(findings)),
        ("timeline", _when(findings) + zoom(findings) + _dates(findings)),
        ("map", _map(findings)),
        ("cards", cards(findings) + alone(findings)),
        ("sites", sites(findings)),
        ("cascades", cascades(findings)),
        ("nearest", nearest(findings)),
        ("limits", limits(findings)),
        ("method", method(choices(findings))),
        ("annex", annex(findings) + disarm(findings)),
        ("review-sheet", review(findings)),
    ]
    return [Section(name, named("section", name), body) for name, body in made if body]


def _when(findings: Findings) -> str:
    made = timeline(findings.study, findings.events, least_accounts=findings.audience.least or 1)
    return drawn(findings, {"timeline-figure": made})


def _map(findings: Findings) -> str:
    made = network_map(findings.study, least_accounts=findings.audience.least or 1)
    return drawn(findings, {"map-figure": made})


def _dates(findings: Findings) -> str:
    """Return the dates that the reader gave, as a table."""
    rows = pl.DataFrame(
        [(formatted(event.day, "date"), event.label) for event in findings.events],
        schema={"day": pl.String, "event": pl.String}, orient="row",
    )  # fmt: skip
    return table(findings.cleared(rows), tell("page.dates"))


def policy(style: str, script: str, /) -> str:
    """Return the content security policy: this style, this script, pictures out of the page, nothing else."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _beside(name: str) -> str:
    return files("propgraph.report.page").joinpath(name).read_text(encoding="utf-8")
