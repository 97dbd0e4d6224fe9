"""Names of sites that differ in a number alone: channel22news.com and channel45news.com."""

from __future__ import annotations

import polars as pl

_LETTERS = 4  # fewer beside the number are an abbreviation that strangers share: tv5, abc7


def templates(sites: pl.Series, /) -> pl.Series:
    """Return the template of each site's name: `channel#news` of `channel22news.com`; null where there is none.

    It is the first label of the domain with `#` for each run of digits, if there is one and four letters or more
    are left.

    Parameters
    ----------
    sites
        Registrable domains; String.
    """
    label = sites.str.split(".").list.first()
    template = label.str.replace_all(r"\d+", "#")
    letters = template.str.count_matches(r"[a-z]")
    return template.set(~label.str.contains(r"\d") | (letters < _LETTERS), None).alias("name_template")
