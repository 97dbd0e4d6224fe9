"""Posts to shares: which objects each post shares, one frame a trace."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from propgraph.encoding import codes_of, encode, grouped, labels_of
from propgraph.errors import UsageError, check_choice
from propgraph.traces.urls import canonicalise_urls

_LINK = r"https?://[^\s<>\"']+"
_HASHTAG = r"[#＃](\w+)"


@dataclass(frozen=True)
class Trace:
    """A kind of object: the columns of `posts` it can be made from, any of them, and how."""

    name: str
    title: str
    needs: tuple[str, ...]
    make: Callable[[pl.DataFrame], pl.DataFrame]


def make_shares(posts: pl.DataFrame, /, *, traces: list[str] | None = None) -> dict[str, pl.DataFrame]:
    """Return the shares of each trace, by trace in sorted order.

    Parameters
    ----------
    posts
        Columns of `schema.POSTS` (those known), in canonical order.
    traces
        Names of traces; None takes all that the log supports.

    Returns
    -------
    dict of pl.DataFrame
        For each trace `account_id`, `object_id` (both encoded), `content_id`, `timestamp`, `trace`,
        `tokens` (trace `url` only) and `row` (UInt32, the post's row in `posts`), sorted by object, time,
        account and post. One row for each post and object.

    Raises
    ------
    UsageError
        When a trace is unknown, or asked for and not supported by the log.
    """
    for name in traces or []:
        check_choice("--trace", name, TRACES)
    posts = posts.with_columns(encode(posts["account_id"])).with_row_index("row")
    known = {name for name in posts.columns if posts[name].null_count() < posts.height}
    shares = {}
    for name in sorted(traces or TRACES):
        trace = TRACES[name]
        made = trace.make(posts) if known.intersection(trace.needs) else None
        if made is not None and made.height:
            shares[name] = _by_object(made, posts).with_columns(trace=pl.lit(name, dtype=_NAMES))
        elif traces:
            raise UsageError(
                f"--trace {name}: the log has none; it needs {' or '.join(trace.needs)}, and the log has "
                f"{', '.join(column for column in posts.columns if column in known and column != 'row')}"
            )
    return shares


def _by_object(made: pl.DataFrame, posts: pl.DataFrame) -> pl.DataFrame:
    """Sort shares by object; within it they keep the posts' canonical order."""
    object_ = encode(made["object_id"])
    _, order = grouped(codes_of(object_), len(labels_of(object_)))
    position = pl.Series(order, dtype=pl.UInt32)
    row = made["row"].gather(position)
    of_post = posts.select("content_id", "account_id", "timestamp")[row]
    shares = of_post.with_columns(object_.gather(position).alias("object_id"), row.alias("row"))
    if "tokens" in made.columns:
        shares = shares.with_columns(made["tokens"].gather(position))
    return shares


def _objects(posts: pl.DataFrame) -> pl.DataFrame:
    return posts.lazy().select("row", "object_id").drop_nulls().collect()


def _urls(posts: pl.DataFrame) -> pl.DataFrame:
    """Return `row, object_id, site, tokens`: each post's links, canonical, each once."""
    links = posts.lazy().select(
        "row", pl.col("urls") if "urls" in posts.columns else pl.lit(None, pl.List(pl.String)).alias("urls")
    )
    if "text" in posts.columns:
        found = posts.lazy().select(pl.col("text").str.extract_all(_LINK).alias("found"))
        links = pl.concat([links, found], how="horizontal").select(
            "row", urls=pl.when(pl.col("urls").list.len() > 0).then("urls").otherwise("found")
        )
    raw = links.explode("urls", empty_as_null=True).drop_nulls().rename({"urls": "raw"}).collect()
    canonical = canonicalise_urls(raw["raw"])
    return (
        raw.lazy()
        .join(canonical.lazy(), on="raw", how="left", maintain_order="left")
        .drop_nulls("url")
        .unique(["row", "url"], keep="first", maintain_order=True)
        .select("row", "site", "tokens", object_id="url")
        .collect()
    )


def _url(posts: pl.DataFrame) -> pl.DataFrame:
    return _urls(posts).drop("site")


def _domain(posts: pl.DataFrame) -> pl.DataFrame:
    return _urls(posts).select("row", object_id="site").drop_nulls().unique(maintain_order=True)


def _hashtag(posts: pl.DataFrame) -> pl.DataFrame:
    if "hashtags" in posts.columns:
        tags = pl.col("hashtags")
    else:
        tags = (
            pl.col("text").str.to_lowercase().str.extract_all(_HASHTAG).list.eval(pl.element().str.slice(1))
        )
    exploded = posts.lazy().select("row", tags.alias("object_id")).explode("object_id", empty_as_null=True)
    return exploded.filter(pl.col("object_id").str.len_bytes() > 0).unique(maintain_order=True).collect()


def _reshare(posts: pl.DataFrame) -> pl.DataFrame:
    """Return `row, object_id`: for each reshare the original it goes back to.

    Where the log does not say which post was reshared but whose, the original is that account's first
    post of the same link if the log has it, else it is called `of:ACCOUNT:LINK`.
    """
    if "kind" not in posts.columns:
        return pl.DataFrame(schema={"row": pl.UInt32, "object_id": pl.String})
    reshares = posts.filter(pl.col("kind") == "reshare")
    parent = reshares["parent_content_id"] if "parent_content_id" in posts.columns else None
    made = reshares.select(
        "row", object_id=_roots(posts, parent) if parent is not None else pl.lit(None, pl.String)
    )
    if made["object_id"].null_count() and "origin_account_id" in posts.columns:
        guessed = _by_origin(posts, reshares)
        made = made.with_columns(pl.col("object_id").fill_null(guessed))
    return made.drop_nulls()


def _roots(posts: pl.DataFrame, parent: pl.Series) -> pl.Series:
    """Follow reshares of reshares to the original, in doubling steps; a cycle ends where it is found."""
    reshares = posts.lazy().filter((pl.col("kind") == "reshare") & pl.col("parent_content_id").is_not_null())
    up = (
        reshares.select(node="content_id", up="parent_content_id")
        .unique("node", keep="first", maintain_order=True)
        .collect()
    )
    root = pl.DataFrame({"root": parent})
    for _ in range(32):
        next_root = root.join(up, left_on="root", right_on="node", how="left", maintain_order="left").select(
            root=pl.coalesce("up", "root")
        )
        if next_root.equals(root):
            break
        root = next_root
        up = up.join(up, left_on="up", right_on="node", how="left", maintain_order="left").select(
            "node", up=pl.coalesce("up_right", "up")
        )
    return root.to_series()


def _by_origin(posts: pl.DataFrame, reshares: pl.DataFrame) -> pl.Series:
    told = "object_id" if "object_id" in posts.columns else None
    told = "urls" if "urls" in posts.columns else told
    what = {"urls": pl.col("urls").list.first(), "object_id": pl.col("object_id").cast(pl.String)}.get(
        told or "", pl.col("text") if "text" in posts.columns else pl.lit("")
    )
    original = (
        posts.filter((pl.col("kind") != "reshare").fill_null(True))
        .select(origin=pl.col("account_id").cast(pl.String), what=what, original="content_id")
        .drop_nulls()
        .unique(["origin", "what"], keep="first", maintain_order=True)
    )
    wanted = reshares.select(origin=pl.col("origin_account_id").cast(pl.String), what=what)
    return (
        wanted.join(original, on=["origin", "what"], how="left", maintain_order="left")
        .select(pl.coalesce("original", pl.format("of:{}:{}", "origin", "what")))
        .to_series()
    )


TRACES: Mapping[str, Trace] = {
    trace.name: trace
    for trace in (
        Trace("domain", "registrable domain of a link", ("urls", "text"), _domain),
        Trace("hashtag", "hashtag", ("hashtags", "text"), _hashtag),
        Trace("object", "the log's own object id", ("object_id",), _objects),
        Trace(
            "reshare", "the original that was reshared", ("parent_content_id", "origin_account_id"), _reshare
        ),
        Trace("url", "canonical link", ("urls", "text"), _url),
    )
}
_NAMES = pl.Enum(sorted(TRACES))
