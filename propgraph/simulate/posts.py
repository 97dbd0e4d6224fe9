"""Posts as parallel arrays, and what stands in them: accounts, articles, links and texts are numbers."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from propgraph.arrays.types import Bool, Int64

ORIGINAL, RESHARE, REPLY = 0, 1, 2
KINDS = ("original", "reshare", "reply")

# How a link is written: what stands before the site and after the path. Innocent links carry tokens too.
LINKS = (
    ("https://www.", ""), ("https://", ""), ("http://www.", ""), ("http://", ""), ("https://m.", ""),
    ("https://www.", "?utm_source=twitter&utm_medium=social"), ("https://www.", "?utm_source=newsletter"),
    ("https://www.", "?ref=home"), ("https://www.", "?utm_source=staff&utm_medium=social"),
    ("https://www.", "?utm_source=desk&utm_medium=social"), ("https://www.", "?utm_campaign=volunteers"),
)  # fmt: skip
LINK_ODDS = np.array([0.70, 0.07, 0.05, 0.03, 0.05, 0.05, 0.03, 0.02, 0.0, 0.0, 0.0])
STAFF_LINK, DESK_LINK, VOLUNTEER_LINK = 8, 9, 10
REMARKS = ("", "Worth a read: ", "Hm. ", "So this happened: ", "Today: ")
SLOGANS = ("", "SHARE before it is gone: ", "They hide this! ", "Pass it on: ", "Wake up: ")
CHATTER = (
    "Good morning!", "Thank you all", "What a night", "New song soon", "On the road again", "Love this city",
    "So true", "No way", "Source?", "Ha!", "Not sure about that", "Agreed", "Again?", "Well said",
)  # fmt: skip
N_STAR_LINES = 6  # the first lines of CHATTER are the star's, the others are replies


@dataclass(frozen=True)
class Posts:
    """Posts as parallel arrays; -1 stands for none. A reshare takes article, link and text from its root.

    `root` is the original that a cascade goes back to, `parent` the post that was seen and answered: where it
    is not given it is the root.
    """

    account: Int64
    time: Int64
    kind: Int64
    root: Int64
    parent: Int64
    group: Int64
    article: Int64
    link: Int64
    text: Int64

    @property
    def n(self) -> int:
        """How many posts."""
        return int(self.account.size)

    def take(self, rows: Int64 | Bool) -> Posts:
        """Return some of the posts; their numbers, and what points to them, stay as they were."""
        return Posts(*(getattr(self, field.name)[rows] for field in fields(self)))


def make_posts(account: Int64, time: Int64, **columns: Int64) -> Posts:
    """Build posts; columns not given are -1, but the kind is original, the link and the text plain."""
    names = ("kind", "root", "parent", "group", "article", "link", "text")
    default = dict(zip(names, (ORIGINAL, -1, -1, -1, -1, 0, 0), strict=True))
    filled = {name: columns.get(name, np.full(account.size, value)) for name, value in default.items()}
    return Posts(account, time, **filled)


def join(*parts: Posts) -> Posts:
    """Return all the posts, one part after another."""
    return Posts(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Posts)))
