"""What people write above a link: headlines, paraphrases and remarks of their own; and what the hired are given.

A headline is `WHO VERB WHAT`, as `press.headlines` makes them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from propgraph.simulate.draws import Rng, Words
from propgraph.simulate.posts import LINKS, ORIGINAL, REMARKS, Posts
from propgraph.simulate.press import Press

REMARK = (
    ("", "Well, ", "Hm, ", "Honestly, ", "So, ", "Look, ", "Right, ", "No surprise: ", "Note to self: ", "Again: "),
    ("I did not see this coming", "somebody had to say it", "this will cost us", "about time", "read to the end",
     "my neighbours will talk of nothing else", "I am not sure about the numbers", "good for them", "what a mess",
     "this is closer to home than it looks", "they said the same last year", "I have a question about page two",
     "worth ten minutes", "one for the weekend", "my mother sent me this", "there is more to it, I think",
     "I was there, it was quieter", "somebody explain, please", "not what I had hoped for", "I like this town",
     "the last paragraph is the thing", "the comments are worse", "I stand corrected", "we shall see"),
    ("", ".", "...", "!", " \U0001f914", " \U0001f44d", " \U0001f62c", " \U0001f602", " \u2764\ufe0f", " /1",
     " (no paywall)"),
)  # fmt: skip
PARAPHRASES = (
    "{what}: {who} {verb}", "So the {who} {verb} the {what}", "{who} {verb} {what}, it seems", "The {what} again.",
    "{what}, and what the {who} says", "Do I read this right? {who} {verb} {what}", "{who} v. {what}",
    "{verb} the {what}, says the {who}", "The {who} and the {what}, a love story", "{what}? {who} {verb} it.",
)  # fmt: skip
#: What a recruiter hands out: every crew has its own, and who posts picks one word of each brace.
TEMPLATES = (
    "{Share|Pass on|Send round} before {it is gone|they delete it|it is too late}: ",
    "{They|The media} {hide|bury|do not show} {this|it}! ",
    "{Pass it on|Tell everybody|Wake them up}, {friends|patriots|people}: ",
    "{Wake up|Open your eyes}, {everybody|America|neighbours}: ",
    "{Nobody|No paper} {dares to print|will tell you} {this|that}: ",
    "{Like|Comment} and {share|repost} {if you agree|if you are proud}: ",
    "{Just in|Confirmed}: {must|have to} {see|read} {this|it now}. ",
    "{I cannot believe|Unbelievable, but} {this is|it is} {true|real}: ",
)
_TITLE, _BUTTON, _QUOTED, _PARAPHRASED, _REMARK = range(5)
#: How people post an article: the headline as it is, by the share button, with a remark, told anew, a remark alone.
HOW = (0.22, 0.08, 0.25, 0.22, 0.23)


def told(rng: Rng, press: Press, log: Posts) -> pl.Series:
    """Return what stands in each post that begins a cascade of an article; null for all others.

    Paid posts, known by their recruiter's token, carry the crew's template and the headline, or the headline alone.
    """
    rows = np.flatnonzero((log.kind == ORIGINAL) & (log.article >= 0))
    title = press.headline[log.article[rows]].tolist()
    recruiter = log.link[rows] - len(LINKS)
    how = np.where(recruiter >= 0, _TITLE, rng.choice(len(HOW), rows.size, p=HOW))
    remark = _remarks(rng, rows.size)
    retold = rng.integers(0, len(PARAPHRASES), rows.size).tolist()
    paper = [str(site).split(".")[0] for site in press.site[press.article_site[log.article[rows]]]]
    texts = [_own(*row) for row in zip(how.tolist(), title, remark, retold, paper, strict=True)]
    for place in np.flatnonzero((recruiter >= 0) & (log.text[rows] > len(REMARKS))).tolist():
        texts[place] = spun(rng, TEMPLATES[recruiter[place] % len(TEMPLATES)]) + title[place]
    column = np.full(log.n, None, dtype=object)
    column[rows] = texts
    return pl.Series(column.tolist(), dtype=pl.String())


def spun(rng: Rng, template: str) -> str:
    """Return a template with one alternative of each `{a|b|c}`."""
    parts = template.replace("{", "\0{").replace("}", "\0").split("\0")
    picked = [str(rng.choice(part[1:].split("|"))) if part.startswith("{") else part for part in parts]
    return "".join(picked)


def _own(how: int, title: str, remark: str, retold: int, paper: str) -> str:
    if how == _TITLE:
        return title
    if how == _BUTTON:
        return f"{title} via @{paper}"
    if how == _QUOTED:
        return f"{remark} {title}"
    if how == _REMARK:
        return remark
    who, verb, what = title.split(" ", 2)
    return PARAPHRASES[retold].format(who=who, verb=verb, what=what)


def _remarks(rng: Rng, n: int) -> list[str]:
    drawn = [_picked(rng, part, n) for part in REMARK]
    return ["".join(row) for row in zip(*drawn, strict=True)]


def _picked(rng: Rng, words: Sequence[str], n: int) -> list[str]:
    array: Words = np.array(words)
    picked: list[str] = array[rng.integers(0, len(words), n)].tolist()
    return picked
