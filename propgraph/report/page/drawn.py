"""Figures put on the page, each with its caption; their texts for those who do not see them are in the drawings."""

from __future__ import annotations

import re
from collections.abc import Mapping

from propgraph.report.figures.figure import Figure
from propgraph.report.page.findings import Findings
from propgraph.report.page.markup import defanged, prose, shown

#: What a drawing needs as a file of its own; the policy of the page lets no style of an element in.
_ALONE = re.compile(r'(?<=<svg) xmlns="[^"]*"| style="background:[^"]*"')


def drawn(findings: Findings, figures: Mapping[str, Figure | None], /) -> str:
    """Return figures as markup by their anchors, without those that the readers may not see; nothing for none."""
    inside = "".join(
        f'<figure id="{shown(anchor)}">{_inline(made.svg)}<figcaption>{prose(made.caption)}</figcaption></figure>'
        for anchor, made in figures.items()
        if made is not None and not any(map(findings.names_somebody, (made.svg, made.alt, made.caption)))
    )
    return f'<div class="figures">{inside}</div>' if inside else ""


def _inline(svg: str) -> str:
    """Return a drawing as it stands within HTML: without its name space and paper, and no address to be opened."""
    return defanged(_ALONE.sub("", svg, count=2))
