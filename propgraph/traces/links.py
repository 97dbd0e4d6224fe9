"""Links of posts: canonical URLs and their sites."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from propgraph.arrays.encoding import codes_of, encode, labels_of
from propgraph.arrays.types import UInt32
from propgraph.readers.values.markdown import links_in
from propgraph.schema import IDS
from propgraph.traces.urls import canonicalise_urls


@dataclass(frozen=True, eq=False)
class Links:
    """The links of posts, each distinct one described once.

    Attributes
    ----------
    row
        The row of the post (UInt32), once for each of its links.
    link
        Which row of `canonical` that link is.
    canonical
        `url, site, tokens` as `canonicalise_urls` returns them, of the target where the link is resolved;
        then also `via`: the short link that led there, canonical (all String; null where there is none).
    """

    row: pl.Series
    link: UInt32
    canonical: pl.DataFrame

    def shares(self, column: str, /, *, also: tuple[str, ...] = ()) -> pl.DataFrame:
        """Return `row`, `object_id` (a `column` of `canonical`, encoded) and those columns of `also` there are."""
        has_one = self.canonical[column].is_not_null()
        # Each distinct link is encoded, not each row: its rows then only take over its code.
        known = self.canonical.filter(has_one)
        told = [name for name in also if name in known.columns]
        known = known.select(encode(known[column]).alias("object_id"), *told)
        place = (has_one.cum_sum() - 1).cast(pl.UInt32).set(~has_one, None)
        of_row = place.gather(pl.Series(self.link))
        there = of_row.is_not_null()
        return self.row.filter(there).to_frame("row").hstack(known[of_row.filter(there)])


def find_links(posts: pl.DataFrame, resolved: pl.DataFrame | None, /) -> Links:
    """Return the links of posts: the log's own, and those in the text of posts whose links it does not list.

    An empty list says that a post has no link: what looks like one in its text (t.co) leads to a picture.

    Parameters
    ----------
    posts
        `row`, and `urls` or `text` or both.
    resolved
        `url` and `resolved_url` as `usable_links` returns them. None: no link is resolved.
    """
    links = posts.lazy().select(
        "row", pl.col("urls") if "urls" in posts.columns else pl.lit(None, IDS).alias("urls")
    )
    if "text" in posts.columns:
        found = posts.lazy().select(links_in(pl.col("text")).alias("found"))
        links = pl.concat([links, found], how="horizontal").select(
            "row", urls=pl.when(pl.col("urls").is_not_null()).then("urls").otherwise("found")
        )
    raw = links.explode("urls", empty_as_null=True).drop_nulls().collect()
    # By code, since a join on a few links that everyone shares has been seen to take 5 s and 4 GB.
    link = encode(raw["urls"])
    canonical = canonicalise_urls(labels_of(link)).select("url", "site", "tokens")
    if resolved is not None and resolved.height:
        canonical = _led_on(canonical, resolved)
    return Links(raw["row"], codes_of(link), canonical)


def _led_on(canonical: pl.DataFrame, resolved: pl.DataFrame) -> pl.DataFrame:
    """Return `canonical` with each link that is in `resolved` as its target; tokens of both stay."""
    facts = canonicalise_urls(resolved["resolved_url"]).select(
        resolved_url="raw", to_url="url", to_site="site", to_tokens="tokens"
    )
    targets = resolved.join(facts, on="resolved_url", how="left")
    led = canonical.join(targets, on="url", how="left", maintain_order="left")
    is_led = pl.col("to_url").is_not_null()
    tokens = pl.concat_str("tokens", "to_tokens", separator="&", ignore_nulls=True)
    return led.select(
        url=pl.coalesce("to_url", "url"),
        site=pl.coalesce("to_site", "site"),
        tokens=pl.when(tokens.str.len_bytes() > 0).then(tokens),
        via=pl.when(is_led).then("url"),
    )
