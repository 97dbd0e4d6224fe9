"""Numbers of posts that count within their channel only, as Telegram's do: an id is then the channel and the number."""

from __future__ import annotations

import polars as pl

from propgraph.arrays.encoding import all_distinct
from propgraph.schema import ID

# Within what numbers may count, the likelier first.
_SCOPES = {"target_id": "group, page or channel", "account_id": "account"}
# Longer ones carry a time, and are of a whole platform.
_NUMBER = r"^\d{1,12}$"
# From so many numbers on, and from such a part of all, it is no slip that they stand for several posts.
_LEAST, _LEAST_PART = 2, 0.01
# Of those numbers, what part has to stand for one post in each scope.
_NEARLY_ALL = 0.9


def with_scopes(posts: pl.DataFrame, /) -> tuple[pl.DataFrame, list[str]]:
    """Return posts with ids that are unique over the log, and a sentence for each platform whose ids were not.

    Of a platform, ids that are numbers count within each target where two of them or more, and one in a hundred of
    all, stand for posts of several times, and nine in ten of these for one post in each of several targets. Without
    targets that do, accounts are looked at in the same way. An id is then `TARGET/NUMBER`, and so is that of a
    parent, which is taken to be of the target that the row names as its origin (a channel forwarded from), else of
    the same target. Other repeats stay as they are.

    Parameters
    ----------
    posts
        `content_id, account_id, timestamp`, and `target_id`, `parent_content_id`, `kind`, `origin_account_id`,
        `origin_account_name` and `platform` where known.
    """
    is_number = posts["content_id"].str.contains(_NUMBER)
    if not is_number.any() or all_distinct(posts["content_id"]):
        return posts, []
    of = pl.col("platform").fill_null("") if "platform" in posts.columns else pl.lit("")
    scopes = [name for name in _SCOPES if name in posts.columns]
    names = ["content_id", "timestamp", *dict.fromkeys(["account_id", *scopes])]
    numbered = posts.lazy().filter(is_number).select(of.alias("_of"), *names)
    notes = []
    for platform, (scope, n) in sorted(_find_scopes(numbered, scopes).items()):
        here = (of == platform) & pl.col(scope).is_not_null()
        own = pl.col(scope).cast(ID)
        example = posts.lazy().filter(here & is_number).select(pl.format("{}/{}", own, "content_id").min())
        ids = [_scoped("content_id", own, here)]
        if "parent_content_id" in posts.columns:
            ids.append(_scoped("parent_content_id", _parents_scope(posts.filter(here), scope), here))
        shown = example.collect().item()
        posts = posts.with_columns(ids)
        where = f" of {platform}" if platform else ""
        notes.append(
            f"content_id: {n:,} numbers{where} stand for another post under another {_SCOPES[scope]}: they count "
            f"within it only, so that an id is {scope} and number here ({shown}), a parent's likewise"
        )
    return posts, notes


def channel_name(name: pl.Expr, /) -> pl.Expr:
    """Return a channel's or an account's name as addresses have it; Telegram's programs write -100NUMBER for NUMBER."""
    return name.str.to_lowercase().str.strip_chars("@ ").str.replace(r"^(?:-100|channel)(\d{5,})$", "${1}")


def _scoped(name: str, scope: pl.Expr, here: pl.Expr) -> pl.Expr:
    number = pl.col(name)
    whole = pl.format("{}/{}", scope, number)
    return pl.when(here & number.str.contains(_NUMBER)).then(whole).otherwise(number).alias(name)


def _parents_scope(posts: pl.DataFrame, scope: str) -> pl.Expr:
    """Return within what a parent's number counts: the channel that a post was forwarded from, else the post's own."""
    own = pl.col(scope).cast(ID)
    origins = [name for name in ("origin_account_id", "origin_account_name") if name in posts.columns]
    if not origins:
        return own
    known = posts.select(value=own, name=channel_name(own)).unique("name", keep="first", maintain_order=True)
    as_known = [
        channel_name(pl.col(name).cast(ID)).replace_strict(
            known["name"], known["value"], default=None, return_dtype=ID
        )
        for name in origins
    ]
    # Who posts here may be the origin of a post here; whoever does not is a channel that is not in the log.
    accounts = posts["account_id"].cast(ID).unique()
    origin = pl.coalesce(pl.col(origins).cast(ID))
    is_reshare = (pl.col("kind") == "reshare") if "kind" in posts.columns else pl.lit(False)
    other = pl.when(is_reshare & ~origin.is_in(accounts.implode())).then(origin)
    return pl.coalesce(*as_known, other, own)


def _find_scopes(numbered: pl.LazyFrame, scopes: list[str]) -> dict[str, tuple[str, int]]:
    """Return, for the platforms whose numbers do, within what they count, and how many numbers show it."""
    key = ["_of", "content_id"]
    time = pl.col("timestamp")
    by_number = numbered.group_by(key).agg(several=time.min() != time.max())
    counts = by_number.group_by("_of").agg(pl.len(), pl.col("several").sum()).collect()
    n_ids = {of: n for of, n, several in counts.iter_rows() if several >= max(_LEAST, _LEAST_PART * n)}
    if not n_ids:
        return {}
    several = numbered.join(by_number.filter("several"), on=key, how="semi").collect().lazy()
    found: dict[str, tuple[str, int]] = {}
    for scope in scopes:
        post = pl.struct("account_id", "timestamp").n_unique()
        by_scope = several.filter(pl.col(scope).is_not_null()).group_by(*key, scope).agg(posts=post)
        one_each = by_scope.group_by(key).agg(one=(pl.col("posts") == 1).all() & (pl.len() > 1))
        for of, one, n in one_each.group_by("_of").agg(pl.col("one").sum(), pl.len()).collect().iter_rows():
            if of in n_ids and one >= max(_LEAST, _LEAST_PART * n_ids[of], _NEARLY_ALL * n):
                found.setdefault(of, (scope, one))
    return found
