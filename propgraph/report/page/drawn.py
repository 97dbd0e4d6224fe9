"""Figures put on the page, each with its caption and its text for those who do not see it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from propgraph.report.page.findings import Findings
from propgraph.report.page.markup import prose, shown

#: What a drawing needs as a file of its own; the policy of the page lets no style of an element in.
_ALONE = re.compile(r'(?<=<svg) xmlns="[^"]*"| style="background:[^"]*"')


def drawn(findings: Findings, names: Sequence[str], *arguments: Any, **options: Any) -> str:
    """Return some figures as markup, those left out that the log cannot tell or the readers may not see."""
    inside = []
    for name in names:
        where = f"propgraph.report.figures.{name}"
        if find_spec("propgraph.report.figures") is None or find_spec(where) is None:
            continue
        made = getattr(import_module(where), name)(findings.study, *arguments, **options)
        if made is None or any(findings.names_somebody(text) for text in (made.svg, made.alt, made.caption)):
            continue
        inside.append(
            f'<figure id="{_anchor(name, arguments)}">{_inline(made.svg)}'
            f"<figcaption>{prose(made.caption)}</figcaption></figure>"
        )
    return f'<div class="figures">{"".join(inside)}</div>' if inside else ""


def _anchor(name: str, arguments: Sequence[Any]) -> str:
    return shown("-".join(["figure", name, *map(str, arguments)]))


def _inline(svg: str) -> str:
    """Return a drawing as it stands within HTML: without its name space, and its paper, which is the page's."""
    return _ALONE.sub("", svg, count=2)
