"""The method in plain words, and the words of the page."""

from __future__ import annotations

from propgraph.report.page.markup import folded, paragraphs, shown, terms
from propgraph.words.said import named, tell

#: Words that are explained, in the order in which they are read; what they mean stands in the files of sentences.
WORDS = (
    "account", "object", "share", "cluster", "campaign", "flagged", "score", "reason", "reading", "outsiders", "seeded",
    "operator", "cascade", "stability", "power",
)  # fmt: skip


def method(choices: str) -> str:
    """Return how it was done, the words, the choices made, and how to cite it."""
    paragraphs_of = ("method.more-than-chance", "method.accounts", "method.clusters", "method.sites")
    words = ((named("word", word), named("word-means", word)) for word in WORDS)
    return (
        paragraphs(map(tell, paragraphs_of))
        + f"<h3>{shown(tell('method.words'))}</h3>{terms(words)}"
        + folded(tell("method.choices"), choices)
        + f"<h3>{shown(tell('method.to-cite'))}</h3>{paragraphs((tell('method.cite'),))}"
    )
