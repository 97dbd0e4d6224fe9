"""The review sheet: what a person makes of each flagged cluster, to be saved and read back."""

from __future__ import annotations

from propgraph.report.page.findings import Findings
from propgraph.report.page.markup import paragraphs, shown

#: What a person may say of a cluster: that it is organised, that it is not, or that it cannot be told.
VERDICTS = ("yes", "no", "unsure")
_MOST = 200


def review(findings: Findings) -> str:
    """Return a form with a row a flagged cluster; the script of the page saves it as JSON."""
    rows = findings.flagged.head(_MOST)["cluster_id"].to_list()
    if not rows:
        return "<p>No group is flagged, so there is nothing to review.</p>"
    said = (
        "Is this group organised? Look at its posts first. Nothing leaves this page: the answers are saved as a file "
        "on your machine, which `propgraph evaluate STUDY --reviews FILE` reads. Without JavaScript, print it and fill "
        "it in by pen.",
    )
    build = shown(str(findings.study.ids.get("clusters", "")))
    return (
        paragraphs(said)
        + f'<form id="review" data-clusters="{build}"><p><label>Reviewer <input name="reviewer" autocomplete="off">'
        "</label></p>"
        + "".join(map(_row, rows))
        + '<p><button type="button" id="save" hidden>Save the review as JSON'
        '</button> <output id="saved" aria-live="polite"></output></p></form>'
    )


def _row(name: str) -> str:
    safe = shown(name)
    choices = "".join(
        f'<label><input type="radio" name="verdict-{safe}" value="{verdict}"> {verdict}</label>'
        for verdict in VERDICTS
    )
    return (
        f'<fieldset data-cluster-id="{safe}"><legend><a href="#cluster-{safe}">{safe}</a></legend>{choices}'
        f'<label class="note">Note <input name="note-{safe}" autocomplete="off"></label></fieldset>'
    )
