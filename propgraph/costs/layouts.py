"""How ad libraries write their exports: which column holds what, recognised by the columns alone.

Names are compared in lower case with one `_` for whatever is no letter and no digit, so that `Amount spent (USD)` is
`amount_spent_usd` and the key `lower_bound` in the object `spend` is `spend_lower_bound`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from propgraph.errors import InputError, did_you_mean, listed


@dataclass(frozen=True)
class AdLayout:
    """One way to write adverts.

    Attributes
    ----------
    library
        What it is called in errors and notes.
    needs
        Groups of names: of each, one column has to be there.
    fields
        Which columns hold what, the one that counts first. `page`, `payer`, `ad_id`, `currency`, `start`, `stop`;
        `spend` (a range in one cell), `spend_low`, `spend_high`; `links` (all of them are looked through, for
        anything that is a link), `texts` (for links that begin with http alone).
    spend_in
        Regular expression for columns that name their currency, which its first group holds; whether the column is
        the lower or the upper end says its group `end`, without which it holds a range.
    """

    library: str
    needs: tuple[tuple[str, ...], ...]
    fields: Mapping[str, tuple[str, ...]]
    spend_in: str | None = None


# Fields of Meta's `ads_archive` (Graph API) and of the CSV that its site gives; older names beside newer ones. The
# packages that fetch it write the ends of a range as columns of their own.
_META = AdLayout(
    "Meta's Ad Library",
    (("ad_archive_id", "id"), ("page_name", "page_id"), ("ad_delivery_start_time", "ad_creation_time")),
    {
        "ad_id": ("ad_archive_id", "id"),
        "page": ("page_name", "page_id"),
        "payer": ("bylines", "byline", "funding_entity"),
        "spend": ("spend",),
        "spend_low": ("spend_lower_bound", "spend_lower"),
        "spend_high": ("spend_upper_bound", "spend_upper"),
        "currency": ("currency", "spend_currency"),
        "start": ("ad_delivery_start_time", "ad_creation_time"),
        "stop": ("ad_delivery_stop_time",),
        "links": ("ad_creative_link_captions", "ad_creative_link_caption", "link_url"),
        "texts": ("ad_creative_bodies", "ad_creative_body", "ad_creative_link_descriptions"),
    },
)
# The report sums up each page and payer: no single advert, no link, no dates.
_META_REPORT = AdLayout(
    "Meta's Ad Library Report",
    (("page_name",), ("disclaimer",), ("number_of_ads_in_library", "number_of_ads_in_archive")),
    {"ad_id": ("page_id",), "page": ("page_name",), "payer": ("disclaimer",), "links": ("page_name", "disclaimer")},
    r"amount_spent_([a-z]{3})",
)  # fmt: skip
# google-political-ads-creative-stats.csv of the political ads transparency bundle. It names no landing page: where an
# advertiser is called by its site, that is the link; `url` is what a user adds.
_GOOGLE = AdLayout(
    "Google's political ads transparency bundle",
    (("ad_id",), ("advertiser_name",), ("date_range_start",)),
    {
        "ad_id": ("ad_id",),
        "page": ("advertiser_name",),
        "payer": ("advertiser_name",),
        "start": ("first_served_timestamp", "date_range_start"),
        "stop": ("last_served_timestamp", "date_range_end"),
        "links": ("url", "landing_page", "destination_url", "advertiser_name"),
    },
    r"spend_(?:range_(?P<end>min|max)_)?([a-z]{3})",
)
_PLAIN = AdLayout(
    "a table of adverts",
    (("ad_id", "advert_id"), ("url", "link", "landing_page", "site", "domain")),
    {
        "ad_id": ("ad_id", "advert_id"),
        "page": ("page", "page_name", "advertiser"),
        "payer": ("payer", "sponsor", "paid_by", "paid_for_by"),
        "spend": ("spend",),
        "spend_low": ("spend_low", "spend_min", "spend_lower_bound"),
        "spend_high": ("spend_high", "spend_max", "spend_upper_bound"),
        "currency": ("currency",),
        "start": ("start", "start_time", "start_date", "started"),
        "stop": ("stop", "stop_time", "end", "end_time", "end_date", "stopped"),
        "links": ("url", "link", "landing_page", "site", "domain"),
    },
)
LAYOUTS = (_META, _META_REPORT, _GOOGLE, _PLAIN)


def plain_name(column: str, /) -> str:
    """Return a column's name as layouts spell it."""
    return re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_")


def find_layout(columns: Iterable[str], /) -> AdLayout | None:
    """Return the first layout all of whose needs these columns meet; None where there is none."""
    there = {plain_name(column) for column in columns}
    return next((one for one in LAYOUTS if all(there & set(names) for names in one.needs)), None)


def no_layout(where: str, columns: Iterable[str], /) -> InputError:
    """Return the error of a file in no layout: what was found, and what to do."""
    columns = list(columns)
    known = [name for name in ("ad_id", "url") if name not in columns]
    near = "".join(did_you_mean(name, columns) for name in known[:1])
    return InputError(
        f"{where}: no export of an ad library by its columns{near}; found {listed(columns)}; it takes the CSV or JSON "
        "of Meta's Ad Library (ad_archive_id or id, page_name, ad_delivery_start_time), its report, Google's "
        "creative-stats (Ad_ID, Advertiser_Name, Date_Range_Start), or a table with ad_id and url (or site), and as "
        "known page, payer, spend_low, spend_high, currency, start, stop"
    )
