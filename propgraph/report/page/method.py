"""The method in plain words, and the words of the page."""

from __future__ import annotations

from propgraph.report.page.markup import folded, paragraphs, terms

METHOD = (
    "People who share the same things at about the same time are no surprise: news breaks, fans follow, newsrooms "
    "post. What is looked for is more than that.",
    "First, accounts: of everything that two of them both shared, how near do their posts stand in the order of all "
    "posts of the same thing, and how often within a short time? That is held against chance twice: the accounts of "
    "each thing dealt at random to its posts, and each account posting at its own usual hours. Who stands nearer than "
    "both explain is tied; who is tied to the same others makes a group.",
    "Then, groups: rules with thresholds ask whether a group acts in step, was made in one go, writes by a template, "
    "posts into many groups at even gaps, carries the same tokens in its links. Each that fires is a reason; the score "
    "sums them up, and is lowered where an innocent explanation fits. Groups that gather at the same moments are one "
    "campaign.",
    "Last, sites: whose links come first from flagged accounts, again and again, and which of them share facts or "
    "first sharers.",
)

WORDS = (
    (
        "account",
        "who posts, by the id that the platform gives; one person may have several, several persons one",
    ),
    (
        "object",
        "something that several posts can have in common: a link, a post passed on, a hashtag, a picture, a text",
    ),
    ("share", "one post of one object"),
    ("group (cluster)", "accounts that act alike; it has a number, as c1"),
    (
        "campaign",
        "groups that gather at the same moments or are tied otherwise: one crowd, not one culprit; as g1",
    ),
    ("flagged", "one reason or more, and a score from the threshold on"),
    ("score", "0 to 1; counts reasons, is no probability"),
    ("reason (rule)", "something measured that reached its threshold, with the posts that show it"),
    (
        "innocent reading",
        "an explanation without any campaign that also fits, with what speaks for and against it",
    ),
    ("outsiders", "all other accounts of this log that posted the same objects"),
    (
        "seeded",
        "of a site: its links were first shared by flagged accounts, far more often than those of other sites",
    ),
    ("operator", "sites that look as if one hand pushed or ran them; it does not say whose"),
    ("cascade", "all posts of one object as a tree, from the first to those that had it from others"),
    ("stability", "in how many of the runs under other reasonable choices a group is found again"),
    ("power", "how often a crew planted in this very log is flagged"),
)


def method(choices: str) -> str:
    """Return how it was done, the words, the choices made, and how to cite it."""
    cite = (
        "propgraph: graph analysis of how fake news propagates. Every table that this page is made of is in the study; "
        "so is run.json, with versions, choices and digests."
    )
    return (
        paragraphs(METHOD)
        + f"<h3>Words</h3>{terms(WORDS)}"
        + folded("The choices of this run", choices)
        + f"<h3>To cite</h3>{paragraphs((cite,))}"
    )
