"""Links and hashtags in a text, plain or Markdown: `[the story](https://...)` hides a link that a log lists nowhere."""

import polars as pl

# A link may hold one pair of parentheses, `/Water_(film)`, but not the one that Markdown closes it with.
_LINK = r"(?i)https?://[^\s<>\"'()\[\]]+(?:\([^\s()]*\)[^\s<>\"'()\[\]]*)*"
_AFTER_LINK = ".,;:!?*_~`’”»"
_HASHTAG = r"(?:^|[^\w&/#＃])[#＃]\w+"


def links_in(text: pl.Expr, /) -> pl.Expr:
    """Return the links in a text, each once, without the punctuation around them; an empty list for none."""
    links = text.fill_null("").str.extract_all(_LINK)
    return links.list.eval(pl.element().str.strip_chars_end(_AFTER_LINK)).list.unique(maintain_order=True)


def without_links(text: pl.Expr, /) -> pl.Expr:
    """Return the text with a blank for each link, whose path or `#section` may look like a name or hashtag."""
    return text.str.replace_all(_LINK, " ")


def hashtags_in(text: pl.Expr, /) -> pl.Expr:
    """Return the hashtags in a text, without #."""
    return without_links(text).str.extract_all(_HASHTAG).list.eval(pl.element().str.extract(r"(\w+)$"))
