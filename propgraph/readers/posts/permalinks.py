"""A post's own address: nobody shares it by posting, so it is no link of the post.

It is told by the post's own id in it: where that is long, by any part of the path or query that is the id; where it is
short, by its place in the address of a post on a platform, `/status/12`, or on Telegram and VK by the channel.
A column that is called `permalink` holds nothing else; nor does one whose every cell is the address of another post
on a platform, if ids cannot tell and it is called `post_url` or bears the names of who posted, or there are many.
The address of another post, quoted or answered, is a link like others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from propgraph.readers.base import MADE
from propgraph.readers.posts.scoped import channel_name
from propgraph.readers.values.markdown import links_in
from propgraph.schema import ID, IDS

# What a column of posts' own addresses is called, and what it is called where they are those of other posts.
_PERMALINK = "permalink"
_OF_POST = r"(?:^|\.)(?:own|the)?[_ -]?(?:post|tweet|status|message|msg|toot)[._ -]?(?:url|uri|link)$"
_OF_ANOTHER = (
    r"quot|shared|repost|retweet|reblog|forward|fwd|parent|origin|repl|answer|linked|embed|mention|sourc"
)
# An id this long stands in no other address by chance.
_LONG = 8
_BEFORE_ID = (
    "status", "statuses", "post", "posts", "permalink", "comments", "video", "videos", "story_fbid", "fbid", "notes",
)  # fmt: skip
_NAMES = ("target_id", "account_id", "account_name")
# Numbers that count within a channel or on a wall only: whose, and the number.
_CHANNELS = r"(?:t|telegram)\.me/(?:s/|c/)?([^/?#]+)/(\d+)", r"vk\.com/(?:[^#]*[?&][wz]=)?wall(-?\d+)_(\d+)"
_WITHIN = rf"(?i)^https?://(?:[\w-]+\.)*(?:{'|'.join(_CHANNELS)})(?:[/?#&%]|$)"
# Of posts on platforms, whatever their ids.
_POST = (
    r"(?i)^https?://(?:[\w-]+\.)*(?:"
    r"(?:twitter|x)\.com/[^/?#]+(?:/web)?/status(?:es)?/\d+|(?:t|telegram)\.me/(?:[sc]/)?[^/?#]+/\d+|"
    r"facebook\.com/[^?#]*(?:(?:/posts/|/videos/|/permalink/|/reel/|\?(?:[^#]*&)?(?:story_fbid|fbid|v)=)\w|\d+_\d+)|"
    r"instagram\.com/(?:[^/?#]+/)?(?:p|reel|tv)/|threads\.(?:net|com)/@[^/?#]+/post/|"
    r"tiktok\.com/@[^/?#]+/(?:video|photo)/\d+|reddit\.com/(?:r|user)/[^/?#]+/comments/|redd\.it/\w+(?:[?#]|$)|"
    r"bsky\.app/profile/[^/?#]+/post/|vk\.com/[^#]*wall-?\d+_\d+|"
    r"truthsocial\.com/@[^/?#]+/(?:posts/)?\d+|gab\.com/[^/?#]+/posts/\d+|"
    r"[\w.-]+/(?:@[^/?#]+|users/[^/?#]+/statuses)/\d{15,})"
)
_WHOSE = (
    r"(?i)^https?://(?:[\w-]+\.)*(?:(?:twitter|x)\.com/|(?:t|telegram)\.me/(?:s/)?|[\w.-]+/(?:@|profile/|users/))"
    r"([^/?#]{2,})/"
)
_IS_NUMBER = r"^\d[\d_]{7,}$"  # an id of the same kind as the numbers in addresses
_HAS_NUMBER = r"[/=]\d{8,}(?:[/?#&]|$)"
_LEAST, _LEAST_NAMED = 10, 3
_MOST = 0.9
_LOOKED_AT = 1000


@dataclass
class PermalinkFacts:
    """What is found out about one column of links while its rows are read.

    Attributes
    ----------
    called
        It bears a name such as `post_url`.
    rows, links
        Rows, and those with links.
    posts, distinct, pairs
        Rows with one link alone, to a post on a platform; such links, and such links of one post, each once in
        each batch.
    named
        Such links with the name of who posted the row.
    accounts, names
        Accounts with such links, and the names in the links of each account, each once in each batch.
    comparable
        Such links with a number in them, of rows whose ids are numbers: the id tells own ones from others.
    own
        Links left out because they are the posts' own addresses.
    settled
        Whether the column holds nothing but these, by all rows; None on the first reading.
    """

    called: bool = False
    rows: int = 0
    links: int = 0
    posts: int = 0
    distinct: int = 0
    pairs: int = 0
    named: int = 0
    accounts: int = 0
    names: int = 0
    comparable: int = 0
    own: int = 0
    settled: bool | None = None

    def add(self, posts: pl.DataFrame, name: str, /) -> None:
        """Count more rows of a column."""
        if self.posts < self.links or self.comparable or self.own:
            return  # it is none of this kind
        lists = posts[name].list.len().fill_null(0)
        one = posts.filter(lists == 1).with_columns(pl.col(name).list.first().alias("_link"))
        self.rows += posts.height
        self.links += int((lists > 0).sum())
        if one.is_empty() or not one["_link"].head(_LOOKED_AT).str.contains(_POST).all():
            return
        one = one.filter(of_posts(pl.col("_link")))
        owner = [key for key in ("content_id", "account_id", "timestamp") if key in posts.columns][:2]
        self.posts += one.height
        self.distinct += one["_link"].n_unique()
        self.pairs += one.n_unique([*owner, "_link"])
        numbers = pl.col("_link").str.contains(_HAS_NUMBER) & _id(posts).str.contains(_IS_NUMBER)
        self.comparable += int(one.select(numbers.sum()).item())
        named = one.with_columns(pl.col("_link").str.extract(_WHOSE).str.to_lowercase().alias("_whose"))
        is_named = [channel_name(pl.col(key)) == pl.col("_whose") for key in _NAMES if key in posts.columns]
        self.named += int(named.select(pl.any_horizontal(pl.lit(False), *is_named).sum()).item())
        named = named.filter(pl.col("_whose").is_not_null())
        self.accounts += named["account_id"].n_unique()
        self.names += named.n_unique(["account_id", "_whose"])

    @property
    def is_own(self) -> bool:
        """Whether every cell is the address of another post, and nothing says that it is another than the row's."""
        if not self.links or self.own or self.comparable:
            return False
        if not (self.posts == self.links and self.distinct == self.pairs):
            return False
        # Who quotes others quotes several; in own addresses an account has one name.
        if self.names * _MOST > self.accounts:
            return False
        is_named = self.named >= _MOST * self.posts or self.accounts * 2 <= self.posts == self.links
        least = _LEAST_NAMED if is_named and self.accounts else _LEAST
        return self.called or self.links >= max(least, _MOST * self.rows)


def of_posts(links: pl.Expr, /) -> pl.Expr:
    """Return whether each link is the address of a post on a platform, whosever it is."""
    return links.str.contains(_POST)


def facts_of(column: str, /) -> PermalinkFacts:
    """Return what is known of a column of links by what the log calls it."""
    name = column.lower()
    if re.search(_OF_ANOTHER, name):
        return PermalinkFacts()
    called = re.search(_OF_POST, name) is not None
    return PermalinkFacts(called=called, settled=True if _PERMALINK in name else None)


def without_own(posts: pl.DataFrame, name: str, facts: PermalinkFacts, /) -> pl.DataFrame:
    """Return posts without their own addresses in the column `urls` or `url`; null where no other link is left.

    Parameters
    ----------
    posts
        Lists of links, and `content_id`, `target_id`, `account_id, account_name` where known.
    name
        The column.
    facts
        What is known of it so far; it is added to.
    """
    if facts.settled:
        facts.own += int(posts[name].list.len().sum() or 0)
        return posts.with_columns(pl.lit(None, posts.schema[name]).alias(name))
    if "content_id" in posts.columns:
        pairs = _pairs(posts, _keys(posts), pl.col(name))
        own = _own(pairs)
        if own.any():
            facts.own += int(own.sum())
            return _with_lists(posts, *_left(pairs, own), name)
    if facts.settled is None:
        facts.add(posts, name)
    return posts


def without_own_in_texts(posts: pl.DataFrame, facts: PermalinkFacts, /) -> pl.DataFrame:
    """Return posts with `urls` where a text holds its post's own address: the other links in it, if only none."""
    if not {"text", "content_id"}.issubset(posts.columns):
        return posts
    listed = pl.col("urls").is_not_null() if "urls" in posts.columns else pl.lit(False)
    keys, text = _keys(posts), pl.col("text")
    key = pl.col("_key")
    holds = (key.str.len_bytes() >= _LONG) & text.str.contains(key, literal=True) & ~listed
    rows = posts.with_columns(keys).select(holds.fill_null(False)).to_series().arg_true()
    if rows.is_empty():
        return posts
    pairs = _pairs(posts[rows], keys.gather(rows), links_in(text))
    own = _own(pairs)
    if not own.any():
        return posts
    facts.own += int(own.sum())
    place, lists = _left(pairs, own)
    none = pl.Series([[]], dtype=IDS)
    return _with_lists(posts, rows.gather(place), lists.fill_null(none), "urls")


def _id(posts: pl.DataFrame) -> pl.Expr:
    """Return the posts' ids, null where the reader made them."""
    number = pl.col("content_id") if "content_id" in posts.columns else pl.lit(None, ID)
    return pl.when(~number.str.starts_with(MADE)).then(number)


def _keys(posts: pl.DataFrame) -> pl.Series:
    """Return what addresses hold of the posts' ids: the last part, without Reddit's `t3_`."""
    ids = posts.select(_id(posts).alias("_key")).to_series()
    if not ids.str.contains("[^A-Za-z0-9]").any():
        return ids  # it saves a second a million
    return ids.str.extract(r"([\w-]+)/?$").str.replace(r"^t\d_", "")


def _pairs(posts: pl.DataFrame, keys: pl.Series, lists: pl.Expr) -> pl.DataFrame:
    """Return each link with its post: `_row, _id, _key, item`, and the names of who and where."""
    names = [name for name in _NAMES if name in posts.columns]
    return (
        posts.lazy().with_columns(keys).select(_id(posts).alias("_id"), "_key", *names, item=lists)
        .with_row_index("_row")
        .explode("item", empty_as_null=True)
        .filter(pl.col("item").is_not_null())
        .collect()
    )  # fmt: skip


def _own(pairs: pl.DataFrame) -> pl.Series:
    """Return which of `pairs` are the addresses of their posts."""
    link, key = pl.col("item"), pl.col("_key")
    if pairs["_key"].str.contains("[_-]").any():
        key = pl.coalesce(key.str.extract(r"[_-](\d+)$"), key)
    # Most links hold nothing of the id, and most own addresses end in it: neither is looked at any closer.
    near = pairs.select(link.str.contains(key, literal=True).fill_null(False)).to_series()
    if not near.any():
        return near
    ends = link.str.ends_with(pl.format("/{}", "_key")) & ~link.str.ends_with(pl.format("//{}", "_key"))
    surely = pairs.select((pl.col("_key").str.len_bytes() >= _LONG) & ends).to_series().fill_null(False)
    open_ = near & ~surely
    some = pairs.filter(open_).rechunk()  # of pieces of one row and none Polars takes one for all, and panics
    return surely.scatter(open_.arg_true(), some.select(_is_own(pairs)).to_series())


def _is_own(pairs: pl.DataFrame) -> pl.Expr:
    """Return whether each `item` of `_pairs` is the address of its post."""
    link, key = pl.col("item"), pl.col("_key")
    page, number = (key.str.extract(r"^(-?\d+)_(\d+)$", group) for group in (1, 2))
    last = pl.coalesce(number, key)
    path = link.str.replace(r"^[A-Za-z]+://[^/?#]*", "").str.replace_all(r"[?&=#]", "/")
    path = path.str.strip_chars_end("/") + "/"
    path = path.str.replace("/wall", "/", literal=True)  # VK's: /wall-77_12
    long = (key.str.len_bytes() >= _LONG) & path.str.contains(pl.format("/{}/", key), literal=True)
    of_page = page.is_null() | ~path.str.contains(r"/\d+/posts/") | link.str.contains(page, literal=True)
    short = of_page & link.str.contains(_POST) & ~link.str.contains(_WITHIN)
    ends = [path.str.ends_with(pl.format("/{}/", last))]
    ends += [path.str.contains(pl.format(f"/{word}/{{}}/", last), literal=True) for word in _BEFORE_ID]
    named = (link == pl.col("_id")) | long | (short & pl.any_horizontal(ends))
    return (named | _is_within(pairs, link, last)).fill_null(False)


def _is_within(posts: pl.DataFrame, link: pl.Expr, last: pl.Expr) -> pl.Expr:
    """Return whether a number that counts within a channel is the post's own, the channel being the post's own."""
    groups = link.str.extract_groups(_WITHIN).struct
    channel, number = (pl.coalesce(groups.field(str(k)), groups.field(str(k + 2))) for k in (1, 2))
    channel = channel.str.to_lowercase()
    names = [channel_name(pl.col(name)) for name in _NAMES if name in posts.columns]
    own = pl.col("_id").str.to_lowercase()
    whole = [own == pl.format(f"{{}}{mark}{{}}", channel, number) for mark in "/-_:"]
    same = pl.any_horizontal(pl.lit(False), *((name == channel).fill_null(False) for name in names))
    # Of a log that knows channels by their numbers alone nobody can tell.
    unknown = ~pl.any_horizontal(
        pl.lit(False), *(name.str.contains("[a-z]").fill_null(False) for name in names)
    )
    here = same | (unknown & ~channel.str.contains(r"^-?\d+$"))
    return pl.any_horizontal(*whole, (number == last) & here)


def _left(pairs: pl.DataFrame, own: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return the rows of own addresses, and the other links of each, null where there are none."""
    rows = pairs["_row"].filter(own).unique().sort()
    others = pairs.filter(~own).join(rows.to_frame(), on="_row", how="semi", maintain_order="left")
    left = others.group_by("_row", maintain_order=True).agg("item")
    return rows, rows.to_frame().join(left, on="_row", how="left", maintain_order="left")["item"]


def _with_lists(posts: pl.DataFrame, rows: pl.Series, lists: pl.Series, name: str) -> pl.DataFrame:
    """Return posts with other lists in some rows of a column."""
    place = pl.Series([None], dtype=pl.UInt32).new_from_index(0, posts.height)
    place = place.scatter(rows, pl.int_range(len(rows), dtype=pl.UInt32, eager=True))
    before = pl.col(name) if name in posts.columns else pl.lit(None, IDS)
    return posts.with_columns(
        pl.when(place.is_not_null()).then(lists.gather(place)).otherwise(before).alias(name)
    )


def told(facts: Mapping[str, PermalinkFacts], /) -> list[str]:
    """Return a sentence for each column of which links were left out."""
    return [
        f"{name}: {links.own:,} links are the posts' own addresses, which nobody shares by them; left out"
        for name, links in sorted(facts.items())
        if links.own
    ]
