"""URLs as written to one canonical form: the same story is the same object, however it was linked.

Nothing is fetched: no shortener is resolved, no suffix list is downloaded, no file is written.
"""

from __future__ import annotations

import polars as pl

from propgraph.errors import InputError
from propgraph.traces.addresses import read_address
from propgraph.traces.hosts import Hosts, parser
from propgraph.traces.pages import with_one_address
from propgraph.traces.url_words import read_query
from propgraph.traces.wrappers import unwrapped, wraps

MAX_CHARS = 65_536
"""The longest URL that is parsed, in characters; a longer one is kept as a row without `url`."""

_SCHEMA = {
    "raw": pl.String(),
    "url": pl.String(),
    "site": pl.String(),
    "tokens": pl.String(),
    "is_shortener": pl.Boolean(),
}

# Every URL that this matches comes out of `_canonicalise` as its own pieces put together again, so that
# the pieces can be worked on as columns. What it leaves out (user names, ports, dot segments, odd
# punctuation, characters to encode, lower-case percent triplets) goes through the parser.
_TRIPLET = r"%(?:2[0-9A-CF]|3[A-F]|40|5[B-E]|60|7[B-DF]|[0189A-F][0-9A-F])"
_ENDS = rf"(?:[A-Za-z0-9_~+@$*-]|{_TRIPLET})"
_IN_PATH = rf"(?:[A-Za-z0-9_~+@$*.,:!-]|{_TRIPLET})"
_IN_PARAM = rf"(?:[A-Za-z0-9_~+@$*.,:!=/-]|{_TRIPLET})"
_PARAM = rf"{_IN_PARAM}*(?:[=/]|{_ENDS})"
_PLAIN = (
    r"\A[Hh][Tt][Tt][Pp][Ss]?://(?<host>[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)"
    rf"(?<path>(?:/(?:{_ENDS}(?:{_IN_PATH}*{_ENDS})?)?)*)"
    rf"(?:\?(?<query>{_PARAM}(?:&{_PARAM})*))?(?:#(?:[A-Za-z0-9_-][A-Za-z0-9._-]*)?)?\z"
)


def canonicalise_urls(urls: pl.Series, /) -> pl.DataFrame:
    """Bring URLs to one form, name the site of each, and keep the tracking tokens that were taken off.

    Two links to one story should give one object. The URL is parsed by the WHATWG standard; then

    - `http` and `https` become one (`https`), as is the custom in co-sharing research;
    - user names, default ports, fragments (but not the routes `#!...` and `#/...`) and the leading host labels
      `www`, `m`, `mobile` and `amp` go, unless the label is itself the registered name, as in `m.co.uk`;
    - trailing slashes, AMP marks (`/amp`, `.amp.html`, `?amp=1`, `outputType=amp`) and punctuation that
      clings to a link in running text go; percent triplets are written in one way;
    - wrappers are taken off, at most three, one inside the other (deeper nests are kept as they are): pages for
      outgoing links, copies in web archives, AMP viewers, translations, mail scanners (`wrappers.WRAPPERS`);
    - one platform has one host: `x.com`, `nitter.net` and `fxtwitter.com` are `twitter.com`, `telegram.me` is
      `t.me`, `old.reddit.com` is `reddit.com` (`hosts`), and every country's address of a Blogger blog
      becomes `NAME.blogspot.com`;
    - one post has one address, by what tells it apart (`pages.PAGES`): on X and Reddit that is the id alone, so
      that posts are `https://twitter.com/i/status/ID`, which X forwards, and `https://reddit.com/comments/ID`;
      a YouTube video is `https://youtube.com/watch?v=ID`, whatever the list or the start time;
    - parameters that track the reader or name their session go to `tokens`; the others are sorted by name, equal
      names in their order. A link without a scheme is read as `https` if its host ends in a public suffix.

    Nothing is fetched: links by a shortener stay what they are and are marked.

    A site is what one party can register, by the Public Suffix List that comes with `tldextract`, with its
    private section and some free hosts more: on shared hosting each `NAME.blogspot.com` or
    `NAME.wordpress.com` is a site of its own, or a farm of throw-away blogs would look like one big site.

    Parameters
    ----------
    urls
        Links as written; dtype String. Nulls and duplicates are allowed, and no content is an error.

    Returns
    -------
    pl.DataFrame
        One row for each distinct non-null string of `urls`, sorted by `raw`:

        - `raw` (String): the string as given;
        - `url` (String): the canonical URL; null when `raw` is not a web URL (http or https, with a valid
          host) or is longer than 65,536 characters, as given or encoded. A canonical URL is its own
          canonical form;
        - `site` (String): the registrable domain, lower case, in punycode; the host itself for an IP
          address, a public suffix or a host without one; null where `url` is;
        - `tokens` (String): the tracking parameters taken off, `key=value` joined by `&` in the order
          found; null when there were none;
        - `is_shortener` (Boolean): whether the link is by a known shortener; never null.

    Raises
    ------
    InputError
        When `urls` is not of dtype String.

    Examples
    --------
    >>> import polars as pl
    >>> import propgraph as pg
    >>> links = pl.Series(["http://www.example.com/a/?utm_source=x&b=2", "https://m.example.com/a?b=2#top"])
    >>> for row in pg.canonicalise_urls(links).select("raw", "url", "site", "tokens").iter_rows():
    ...     print(*row)
    http://www.example.com/a/?utm_source=x&b=2 https://example.com/a?b=2 example.com utm_source=x
    https://m.example.com/a?b=2#top https://example.com/a?b=2 example.com None
    >>> pg.canonicalise_urls(pl.Series(["bit.ly/3abc"])).row(0, named=True)
    {'raw': 'bit.ly/3abc', 'url': 'https://bit.ly/3abc', 'site': 'bit.ly', 'tokens': None, 'is_shortener': True}
    """
    if urls.dtype not in {pl.String(), pl.Null()}:
        raise InputError(f"URLs are text, but {urls.name!r} is of dtype {urls.dtype}; cast it to String")
    raw = urls.cast(pl.String).drop_nulls().unique().sort().to_frame("raw")
    hosts = Hosts()
    short = raw.filter(pl.col("raw").str.len_chars() <= MAX_CHARS)
    plain, odd = _split_plain(short, hosts)
    rows = [(text, *_canonicalise(text, hosts)) for text in odd]
    too_long = raw.filter(pl.col("raw").str.len_chars() > MAX_CHARS).with_columns(is_shortener=pl.lit(False))
    found = pl.concat([plain, pl.DataFrame(rows, schema=_SCHEMA, orient="row"), too_long], how="diagonal")
    return with_one_address(found).sort("raw")


def _split_plain(raw: pl.DataFrame, hosts: Hosts) -> tuple[pl.DataFrame, list[str]]:
    """Return the plain URLs of `raw`, done column by column, and the others as they are."""
    pieces = pl.col("raw").str.extract_groups(_PLAIN).alias("pieces")
    # The streaming engine works on one column with all cores.
    parts = raw.lazy().with_columns(pieces).unnest("pieces").collect(engine="streaming")
    parts = parts.with_columns(pl.col("host").str.to_lowercase(), pl.col("path").str.strip_chars_end("/"))
    facts = _plain_hosts(parts["host"].drop_nulls().unique().sort(), hosts)
    parts = parts.join(facts, on="host", how="left", maintain_order="left")
    is_amp = pl.col("path").str.ends_with("/amp") | pl.col("path").str.ends_with(".amp.html")
    is_plain = pl.col("name").is_not_null() & ~is_amp
    odd = parts.filter(~is_plain)["raw"].to_list()
    parts = _with_queries(parts.filter(is_plain), hosts)
    url = pl.concat_str(pl.lit("https://"), "name", "path", "query")
    return parts.select("raw", url.alias("url"), "site", "tokens", "is_shortener"), odd


def _plain_hosts(names: pl.Series, hosts: Hosts) -> pl.DataFrame:
    """Return the facts of those hosts of `names` that the parser leaves as they are and that wrap nothing."""
    parse = parser()
    rows = [
        (name, host.name, host.site, host.is_shortener)
        for name in names
        if parse(f"https://{name}") == f"https://{name}/" and (host := hosts[name]) and not wraps(host.name)
    ]
    schema = {"host": pl.String, "name": pl.String, "site": pl.String, "is_shortener": pl.Boolean}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _with_queries(parts: pl.DataFrame, hosts: Hosts) -> pl.DataFrame:
    """Return `parts` with the `query` that is kept, with its `?` or empty, and the `tokens`."""
    bare = parts.filter(pl.col("query").is_null())
    full = parts.filter(pl.col("query").is_not_null())
    queries: list[str] = []
    tokens: list[str | None] = []
    for query, name in zip(full["query"].to_list(), full["host"].to_list(), strict=True):
        host = hosts[name]
        kept, stripped = read_query(query, host) if host else ((), ())
        queries.append("?" + "&".join(kept) if kept else "")
        tokens.append("&".join(stripped) or None)
    return pl.concat(
        [
            bare.with_columns(query=pl.lit(""), tokens=pl.lit(None, pl.String)),
            full.with_columns(pl.Series("query", queries, pl.String), pl.Series("tokens", tokens, pl.String)),
        ]
    )


def _canonicalise(raw: str, hosts: Hosts) -> tuple[str | None, str | None, str | None, bool]:
    """Return `url`, `site`, `tokens` and `is_shortener` of one link of any shape, on a platform not yet its one."""
    link = read_address(raw, hosts)
    if link is None:
        return None, None, None, False
    link = unwrapped(link, hosts)
    url = str(link)
    # Encoding may lengthen a URL beyond what would be parsed again.
    if len(url) > MAX_CHARS:
        return None, None, None, False
    return url, link.host.site, "&".join(link.tokens) or None, link.host.is_shortener
