"""What sort of post a row is: the log's own word for it, else what its parent implies."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

import polars as pl

from propgraph.schema import ID

_KINDS = {
    "original": ("original", "origin", "o", "post", "tweet", "toot", "status", "none", "0", "false"),
    "reshare": (
        "reshare", "retweet", "retweeted", "repost", "reposted", "r", "rt", "share", "shared", "boost", "reblog",
        "forward", "1", "true",
    ),
    "quote": ("quote", "quoted", "q"),
    "reply": ("reply", "replied_to", "comment", "answer"),
}  # fmt: skip
KIND_OF = {word: kind for kind, words in _KINDS.items() for word in words}

# Columns for the id of a parent that say themselves what it makes of the row; the first that is filled counts.
PARENT_OF = {"reshare_of": "reshare", "quote_of": "quote", "reply_of": "reply"}
# What else tells of a parent, the first that is filled again.
_OF_PARENT = ("parent_content_id", "origin_account_id", "origin_account_name")
# What the name of a log's column says of the posts that it names.
_SAID = {
    "reshare": re.compile(r"retweet|reshare|repost|reblog|boost|forward|fwd|shared|(?<![a-z])rt(?![a-z])"),
    "quote": re.compile(r"quot"),
    "reply": re.compile(r"repl(?:y|ie)|comment|answer"),
}
# A row with a parent and a text of which only the whole log tells whether it is the parent's.
_UNSETTLED = "reshare or reply"
_RESHARE_MARK = r"(?i)^\s*RT @"


def kinds_of(words: pl.Series, unknown: Counter[str], /) -> pl.Series:
    """Return the kinds that a log's `words` stand for; those that mean nothing here are counted in `unknown`."""
    plain = words.str.strip_chars().str.to_lowercase()
    kinds = plain.replace_strict(KIND_OF, default=None, return_dtype=ID)
    if kinds.null_count() > words.null_count():
        strange = plain.filter(kinds.is_null() & (plain.str.len_bytes() > 0))
        unknown.update(dict(strange.value_counts().iter_rows()))
    return kinds.alias("kind")


def said_by(column: str, /) -> str | None:
    """Return the kind that the name of a column of parents says: reply of `in_reply_to_id`; None of `parent`."""
    return next((kind for kind, words in _SAID.items() if words.search(column.lower())), None)


def with_parents_kinds(
    files: Sequence[list[pl.DataFrame]], columns: Mapping[str, str], /, *, by_log: bool
) -> list[tuple[list[pl.DataFrame], Counter[str]]]:
    """Return posts with `kind` and `parent_content_id` as the columns of `PARENT_OF`, or a parent alone, imply.

    Parameters
    ----------
    files
        Canonical columns of all files that have the same ones, in parts, so that nothing hangs on how a log is cut
        into files; those of `PARENT_OF` are taken out.
    columns
        What the log calls each of them.
    by_log
        The log itself has kinds: then nothing is implied by a parent that does not say of what kind it is.

    Returns
    -------
    list of tuple
        For each file the parts. A row with a parent that is not itself is what the name of the parents' column says;
        where that says nothing a reshare, unless it has a text that is not `RT @...`, which is left to `settled`. A
        row whose parent's author alone is known is what the name of that column says. All other rows are originals,
        if there is one such row. And how many are of each kind that a parent implies.
    """
    every = [part for parts in files for part in parts]
    if any(name in part.columns and part[name].count() for part in every for name in PARENT_OF):
        return [([_with_said(part) for part in parts], Counter()) for parts in files]
    plain = [[part.drop(PARENT_OF, strict=False) for part in parts] for parts in files]
    if by_log:
        return [(parts, Counter()) for parts in plain]
    kinds = [[part.select(_implied(part, columns)).to_series() for part in parts] for parts in plain]
    implied = [_counted(some) for some in kinds]
    if not any(implied):
        return list(zip(plain, implied, strict=True))
    return [
        ([part.with_columns(of.fill_null("original")) for part, of in zip(parts, some, strict=True)], counts)
        for parts, some, counts in zip(plain, kinds, implied, strict=True)
    ]


def _counted(kinds: list[pl.Series]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for kind in kinds:
        counts.update(dict(kind.drop_nulls().value_counts().iter_rows()))
    return counts


def _with_said(posts: pl.DataFrame) -> pl.DataFrame:
    said = [name for name in PARENT_OF if name in posts.columns]
    kind = pl.coalesce(
        *(pl.when(pl.col(name).is_not_null()).then(pl.lit(PARENT_OF[name])) for name in said),
        pl.lit("original"),
    )
    by_log = {name: [name] if name in posts.columns else [] for name in ("kind", "parent_content_id")}
    return posts.with_columns(
        kind=pl.coalesce(*by_log["kind"], kind),
        parent_content_id=pl.coalesce(*by_log["parent_content_id"], *said, pl.lit(None, ID)),
    ).drop(said)


def _implied(posts: pl.DataFrame, columns: Mapping[str, str]) -> pl.Expr:
    """Return the kind that a parent implies, null where there is none."""
    implied = [pl.lit(None, ID)]
    for name in _OF_PARENT:
        kind = said_by(columns.get(name, name))
        if name not in posts.columns or (kind is None and name != "parent_content_id"):
            continue
        filled = pl.col(name).is_not_null()
        if name == "parent_content_id" and "content_id" in posts.columns:
            filled = filled & pl.col(name).ne_missing(pl.col("content_id"))
        what: pl.Expr = pl.lit(kind or "reshare")
        if kind is None and "text" in posts.columns:
            own = (pl.col("text").str.len_bytes() > 0) & ~pl.col("text").str.contains(_RESHARE_MARK)
            what = pl.when(own).then(pl.lit(_UNSETTLED)).otherwise(what)
        implied.append(pl.when(filled).then(what))
    return pl.coalesce(implied).alias("kind")


def parents_columns(columns: Mapping[str, str], /) -> list[str]:
    """Return what the log calls the columns by which parents imply kinds."""
    return [
        column for name, column in columns.items()
        if name == "parent_content_id" or (name in _OF_PARENT and said_by(column))
    ]  # fmt: skip


def told(implied: Mapping[str, int], columns: Mapping[str, str], /) -> str | None:
    """Return what the user has to know of kinds that parents imply, and how many; None where none is.

    `columns` is what the log calls each canonical column.
    """
    parts = [
        f"{n:,} as {kind if kind != _UNSETTLED else 'a reshare or a reply, by their texts'}"
        for kind, n in sorted(implied.items())
    ]
    if not parts:
        return None
    return (
        f"kind: no column says it; of the rows with something in {' or '.join(parents_columns(columns))} are taken "
        f"{', '.join(parts)}; say otherwise with --map kind=COLUMN, reshare_of=, "
        "quote_of= or reply_of= (in Python: mapping=)"
    )


def settled(posts: pl.DataFrame, /) -> tuple[pl.DataFrame, Counter[str]]:
    """Return posts of which each row with a parent is a reshare or a reply, and how many the text made either.

    A row whose text is that of its parent in the log is a reshare, one with any other text a reply: a reply taken
    for a reshare would tie strangers together.

    Parameters
    ----------
    posts
        `content_id, parent_content_id, kind, text`, in canonical order.
    """
    if "kind" not in posts.columns or not (open_ := posts["kind"] == _UNSETTLED).any():
        return posts, Counter()
    texts = posts.select(parent_content_id="content_id", _said="text").unique(
        "parent_content_id", keep="first", maintain_order=True
    )
    said = posts.select("parent_content_id").join(
        texts, on="parent_content_id", how="left", maintain_order="left"
    )["_said"]
    same = (said.str.strip_chars() == posts["text"].str.strip_chars()).fill_null(False)
    reply, reshare = (pl.lit(kind) for kind in ("reply", "reshare"))
    kinds = posts.select(
        pl.when(~open_).then("kind").when(same).then(reshare).otherwise(reply).alias("kind")
    )["kind"]
    counts = Counter({"reshare": int((open_ & same).sum()), "reply": int((open_ & ~same).sum())})
    return posts.with_columns(kinds), counts
