"""In which order an account takes things: the trace whose objects are "this before that, in one session"."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from propgraph.arrays.incidence import Incidence, incidence
from propgraph.arrays.sessions import MOST_OBJECTS, common_steps, sessions_of
from propgraph.traces.material import Material
from propgraph.traces.parents import reshares

#: What stands between the two objects of a step in its id.
BEFORE = " > "


@dataclass(frozen=True)
class _Taken:
    """What posts share, as arrays, and the first row of each share's post."""

    log: Incidence
    row: pl.Series


def orders(of: Material, /) -> pl.DataFrame:
    """Return `row, object_id`: for each post what its account had taken before in the same session, and what now.

    An object is "A > B": A, then B, by one account in one session (posts at most 30 min apart), both in the log before
    the session began, and each at the account's first share of it. Only steps that two accounts or more took are kept.
    Things are the log's own objects; without any, links, and what posts without a link reshare. Of a session the first
    `MOST_OBJECTS` count.
    """
    taken = _taken(of)
    if taken is None:
        return pl.DataFrame(schema={"row": pl.UInt32, "object_id": pl.String})
    steps = common_steps(taken.log)
    before, after = (taken.log.objects.gather(codes) for codes in (steps.before, steps.after))
    names = (before + BEFORE + after).alias("object_id")
    rows = taken.row.gather(taken.log.row[steps.row])
    return pl.DataFrame([rows.alias("row"), names.gather(steps.kind)])


def sessions_note(of: Material, /) -> str | None:
    """Return what a reader has to know of sessions too long to be taken whole; None where there are none."""
    taken = _taken(of)
    n = 0 if taken is None else sessions_of(taken.log).n_cut
    if not n:
        return None
    return (
        f"order: of {n:,} {'session' if n == 1 else 'sessions'} with more objects than {MOST_OBJECTS} the first "
        f"{MOST_OBJECTS} count, for the pairs of a session grow with the square"
    )


def _taken(of: Material) -> _Taken | None:
    """Return what posts share: the log's own objects, else links and, without these, what is reshared."""
    posts = of.posts
    if "object_id" in posts.columns and posts["object_id"].null_count() < posts.height:
        made = posts.select("row", pl.col("object_id").cast(pl.String)).drop_nulls()
    else:
        parts = [pl.DataFrame(schema={"row": pl.UInt32, "object_id": pl.String})]
        if {"urls", "text"}.intersection(posts.columns):
            parts.append(of.links.shares("url").cast({"object_id": pl.String}))
        if {"kind", "parent_content_id"}.issubset(posts.columns):
            again = reshares(posts).cast({"object_id": pl.String})
            parts.append(again.join(parts[-1], on="row", how="anti", maintain_order="left"))
        made = pl.concat(parts)
    if made.is_empty():
        return None
    names = [
        name
        for name in ("account_id", "content_id", "timestamp", "time_resolution_s")
        if name in posts.columns
    ]
    shares = (
        posts.select("row", *names).unique("row", keep="first").join(made, on="row", maintain_order="right")
    )
    return _Taken(incidence(shares), shares["row"])
