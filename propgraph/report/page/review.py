"""The review sheet: what a person makes of each flagged cluster, to be saved and read back."""

from __future__ import annotations

from propgraph.report.page.findings import Findings
from propgraph.report.page.markup import paragraphs, shown
from propgraph.words.said import named, tell

#: What a person may say of a cluster: that it is organised, that it is not, or that it cannot be told.
VERDICTS = ("yes", "no", "unsure")
_MOST = 200


def review(findings: Findings) -> str:
    """Return a form with a row a flagged cluster; the script of the page saves it as JSON."""
    rows = findings.flagged.head(_MOST)["cluster_id"].to_list()
    if not rows:
        return f"<p>{shown(tell('review.none'))}</p>"
    build = shown(str(findings.study.ids.get("clusters", "")))
    return (
        paragraphs((tell("review.how"),))
        + f'<form id="review" data-clusters="{build}"><p><label>{shown(tell("review.reviewer"))} '
        '<input name="reviewer" autocomplete="off"></label></p>'
        + "".join(map(_row, rows))
        + f'<p><button type="button" id="save" hidden>{shown(tell("review.save"))}'
        '</button> <output id="saved" aria-live="polite"></output></p></form>'
    )


def _row(name: str) -> str:
    safe = shown(name)
    choices = "".join(
        f'<label><input type="radio" name="verdict-{safe}" value="{verdict}"> {shown(named("answer", verdict))}</label>'
        for verdict in VERDICTS
    )
    return (
        f'<fieldset data-cluster-id="{safe}"><legend><a href="#cluster-{safe}">{safe}</a></legend>{choices}'
        f'<label class="note">{shown(tell("review.note"))} <input name="note-{safe}" autocomplete="off"></label>'
        "</fieldset>"
    )
