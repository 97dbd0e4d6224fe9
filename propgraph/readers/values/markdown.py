"""Links and hashtags in a text, plain or Markdown: `[the story](https://...)` hides a link that a log lists nowhere."""

import polars as pl

# A link may hold brackets in pairs, `/Water_(film)`, `?id[]=1`, but not the one that Markdown closes it with.
_PLAIN = r"[^\s<>\"'()\[\]]"
_LINK = rf"(?i)https?://{_PLAIN}+(?:(?:\([^\s()]*\)|\[[^\s()\[\]]*\]){_PLAIN}*)*"
# What a sentence puts behind a link; a single `_` may be the end of a name.
_AFTER_LINK = ".,;:!?*~`’”»}"
# Not after a letter, `&` (&#39; is an apostrophe) or `/`; a mark behind it makes an emoji of it.
_HASHTAG = r"(?:^|[^\w&/#＃])[#＃][\w--\p{M}]\w*"


def links_in(text: pl.Expr, /) -> pl.Expr:
    """Return the links in a text, each once, without the punctuation around them; an empty list for none.

    Platforms that cut a text after so many characters end it in an ellipsis: half a link is none.
    """
    link = (
        pl.element().str.strip_chars_end(_AFTER_LINK).str.strip_suffix("__").str.strip_chars_end(_AFTER_LINK)
    )
    links = text.fill_null("").str.extract_all(_LINK)
    return links.list.eval(link.filter(~link.str.ends_with("…"))).list.unique(maintain_order=True)


def without_links(text: pl.Expr, /) -> pl.Expr:
    """Return the text with a blank for each link, whose path or `#section` may look like a name or hashtag."""
    return text.str.replace_all(_LINK, " ")


def hashtags_in(text: pl.Expr, /) -> pl.Expr:
    """Return the hashtags in a text, without #."""
    return without_links(text).str.extract_all(_HASHTAG).list.eval(pl.element().str.extract(r"(\w+)$"))
