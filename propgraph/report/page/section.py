"""One section of the page: its anchor, its heading, what is in it."""

from __future__ import annotations

from dataclasses import dataclass

from propgraph.report.page.markup import shown


@dataclass(frozen=True)
class Section:
    """A landmark of the page with a heading of the second level.

    Attributes
    ----------
    id
        What a link within the page leads to.
    title
        The heading.
    body
        Markup.
    """

    id: str
    title: str
    body: str

    def markup(self) -> str:
        """Return the section as markup."""
        return (
            f'<section id="{self.id}" aria-labelledby="{self.id}-h"><h2 id="{self.id}-h">{shown(self.title)}</h2>'
            f"{self.body}</section>"
        )
