"""Originals that a log does not name by their id, only by whose they are: found in the log, or given a name.

4CAT's exports and Hoaxy say whom a post was reshared from, not which post it was. The original is then that
account's first post of the same link (else object, else text), unless that is known to be later. Reshares of which
the log says neither post nor author are taken to be of one original where their texts are the same. X's archives cut
long reshares: a text that ends in an ellipsis is the only one of its author's that begins with it.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left

import polars as pl

from propgraph.readers.times.fineness import RESOLUTION
from propgraph.readers.values.missing import WORDS
from propgraph.schema import ID

_RESHARE_MARK = r"^RT @\w+:\s*"
_TEXT_MARK = "\x1ftext:"  # no link begins so
_TELLING_WORDS = 4
_ELLIPSIS = r"\s*(?:…|\.\.\.)$"
_LEAST_CUT = 20  # characters that tell a text
_TEXT = 200  # characters of a text that stand for all of it: platforms cut reshares short


def with_origins(posts: pl.DataFrame, names: pl.DataFrame, /) -> tuple[pl.DataFrame, dict[str, int]]:
    """Return posts with `origin_account_id` by name, and with the originals of reshares that name none.

    Parameters
    ----------
    posts
        Posts in canonical order; `origin_account_name`, where there, is taken out.
    names
        `account_id, account_name` of each post.

    Returns
    -------
    tuple
        Posts: `origin_account_id` is `@name` where nobody, or more than one, in the log has that name;
        `parent_content_id` of a reshare without one is its original's, where the log has it, else
        `of:ACCOUNT:LINK` (`of:ACCOUNT:` and a hash of the text; `of:?:` and a hash where the author is not
        known, for texts of four words or more). And the counts of all three.
    """
    if "origin_account_name" in posts.columns:
        posts = _by_name(posts, names)
    if "kind" not in posts.columns:
        return posts, {}
    lacking = (pl.col("kind") == "reshare").fill_null(False)
    if "parent_content_id" in posts.columns:
        lacking = lacking & pl.col("parent_content_id").is_null()
    what = _what(posts)
    if what is None or not posts.select(lacking.any()).item():
        return posts, {}
    if "origin_account_id" not in posts.columns:
        posts = posts.with_columns(origin_account_id=pl.lit(None, ID))
    return _with_originals(posts, lacking, what)


def _by_name(posts: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    owner = (
        names.select(pl.col("account_id").cast(ID), name=_plain(pl.col("account_name")))
        .drop_nulls()
        .unique()
        .filter(pl.col("name").is_unique())
    )
    wanted = posts.select(name=_plain(pl.col("origin_account_name")))
    known = pl.col("origin_account_id").cast(ID) if "origin_account_id" in posts.columns else pl.lit(None, ID)
    found = wanted.join(owner, on="name", how="left", maintain_order="left")
    named = found.select(pl.coalesce("account_id", pl.format("@{}", "name")).alias("_named")).to_series()
    return posts.with_columns(named).with_columns(
        origin_account_id=pl.coalesce(known, "_named")
    ).drop("_named", "origin_account_name")  # fmt: skip


def _plain(name: pl.Expr) -> pl.Expr:
    return name.cast(ID).str.strip_chars("@ ").str.to_lowercase()


def _what(posts: pl.DataFrame) -> pl.Expr | None:
    """Return what a post tells: its first link, else object, else text."""
    told: list[pl.Expr] = []
    if "urls" in posts.columns:
        told.append(pl.col("urls").list.first())
    if "object_id" in posts.columns:
        told.append(pl.col("object_id").cast(ID))
    if "text" in posts.columns:
        told.append(pl.when(_text().str.len_bytes() > 0).then(pl.format(_TEXT_MARK + "{}", _text())))
    return pl.coalesce(told) if told else None


def _with_originals(
    posts: pl.DataFrame, lacking: pl.Expr, what: pl.Expr
) -> tuple[pl.DataFrame, dict[str, int]]:
    original = (
        posts.filter((pl.col("kind") != "reshare").fill_null(True))
        .select(origin=pl.col("account_id").cast(ID), what=what, original="content_id", made="timestamp")
        .drop_nulls()
        .unique(["origin", "what"], keep="first", maintain_order=True)
    )
    wanted = (
        posts.with_row_index("_row")
        .filter(lacking)
        .select(
            "_row",
            "timestamp",
            step=pl.col(RESOLUTION).fill_null(0.0) if RESOLUTION in posts.columns else 0.0,
            origin=pl.col("origin_account_id").cast(ID),
            what=what,
            text=_telling_text(posts),
        )
        .with_columns(what=pl.when(pl.col("origin").is_null()).then("text").otherwise("what"))
    )
    wanted = wanted.with_columns(_uncut(wanted, original))
    found = wanted.join(original, on=["origin", "what"], how="left", maintain_order="left")
    # What its author posted only later cannot have been reshared: the original is an earlier one, not in the log. A
    # time in whole hours may be that of any moment of the hour.
    later = (pl.col("made") - pl.col("timestamp")).dt.total_milliseconds()
    told = (later <= 0) | (later < pl.col("step") * 1000)
    found = found.with_columns(pl.when(told).then(name).alias(name) for name in ("original", "made"))
    found = found.with_columns(
        pl.col("what").replace(_hashes(found.filter(pl.col("original").is_null())["what"]))
    )
    made_up = pl.format("of:{}:{}", pl.col("origin").fill_null("?"), "what")
    names = found.select("_row", "origin", "original", "made", _id=pl.coalesce("original", made_up))
    named = names.filter(pl.col("_id").is_not_null())
    counts = {
        "originals_by_author": named["original"].count(),
        "originals_not_in_log": named.filter(pl.col("original").is_null())["origin"].count(),
        "originals_by_text": named["origin"].null_count(),
    }
    posts = posts.with_row_index("_row").join(
        named.drop("origin", "original"), on="_row", how="left", maintain_order="left"
    )
    parent, time = (
        pl.col(name) if name in posts.columns else pl.lit(None, dtype)
        for name, dtype in (("parent_content_id", ID), ("parent_timestamp", posts.schema["made"]))
    )
    return posts.with_columns(
        parent_content_id=pl.coalesce(parent, "_id"), parent_timestamp=pl.coalesce(time, "made")
    ).drop("_row", "_id", "made"), counts


def _uncut(wanted: pl.DataFrame, original: pl.DataFrame) -> pl.Series:
    """Return the `what` of reshares, a text that was cut as the one text of its `origin` that begins so, if it is."""
    key = pl.format("{}\x1f{}", pl.col("origin").fill_null(""), "what")
    cut = wanted.select(key=key).filter(pl.col("key").str.contains(_ELLIPSIS)).to_series().unique()
    if cut.is_empty():
        return wanted["what"]
    known = (
        pl.concat([frame.select(key=key).to_series() for frame in (original, wanted)]).drop_nulls().unique()
    )
    whole = known.filter(~known.str.contains(_ELLIPSIS)).sort().to_list()
    uncut: dict[str, str] = {}
    said = set(original.select(key=key).to_series())
    for text, stem in zip(cut, cut.str.replace(_ELLIPSIS, ""), strict=True):
        place = bisect_left(whole, stem)
        begun = [other for other in whole[place : place + 2] if other.startswith(stem)]
        is_text = len(stem.partition(_TEXT_MARK)[2]) >= _LEAST_CUT
        if is_text and len(begun) == 1 and text not in said:
            uncut[text] = begun[0].partition("\x1f")[2]
    return wanted.select(
        key.replace_strict(uncut, default=pl.col("what"), return_dtype=ID).alias("what")
    ).to_series()


def _telling_text(posts: pl.DataFrame) -> pl.Expr:
    """Return texts long enough that two of them are hardly the same by chance, as `_what` gives them."""
    if "text" not in posts.columns:
        return pl.lit(None, ID)
    text = _text()
    return pl.when(text.str.count_matches(r"\S+") >= _TELLING_WORDS).then(pl.format(_TEXT_MARK + "{}", text))


def _text() -> pl.Expr:
    """Return texts to know posts by; `NA` and the like is no such text, whether a person wrote it or a program."""
    text = pl.col("text").str.replace(_RESHARE_MARK, "").str.strip_chars().str.slice(0, _TEXT)
    return pl.when(~text.is_in(WORDS)).then(text)


def _hashes(whats: pl.Series) -> dict[str, str]:
    """Return what stands in an id for each text; links stand as they are."""
    texts = whats.drop_nulls().filter(whats.drop_nulls().str.starts_with(_TEXT_MARK)).unique()
    return {
        text: hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).hexdigest() for text in texts
    }
