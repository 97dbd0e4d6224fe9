"""Adverts as ad libraries list them: who paid how much, from when to when, to show what."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from propgraph.costs.layouts import AdLayout, find_layout, no_layout, plain_name
from propgraph.costs.spend import read_amount, read_range
from propgraph.errors import InputError
from propgraph.readers.files.logfile import LogFile
from propgraph.readers.find import find_logs
from propgraph.readers.layouts.tabular import columns_of, read_batches
from propgraph.readers.times.times import find_time_unit
from propgraph.schema import ID, IDS, TIME

#: Columns of what `read_ads` returns.
ADS = {
    "ad_id": ID, "page": ID, "payer": ID, "links": IDS, "spend_low": pl.Float64(), "spend_high": pl.Float64(),
    "currency": ID, "start": TIME, "stop": TIME, "start_resolution_s": pl.Float64(),
}  # fmt: skip
_PAGE = "data[]."  # a page of Meta's API: its adverts stand in a list
_IN_TEXT = r"https?://[^\s\"'<>\\\])}]+"
_IN_CELL = r"[^\s\"'<>\\\[\](){},;|]+\.[^\s\"'<>\\\[\](){},;|]+"
_MOST_LINKS = 20  # of one advert


def read_ads(
    ads: str | Path | pl.DataFrame | Iterable[str | Path | pl.DataFrame], /
) -> tuple[pl.DataFrame, list[str]]:
    """Return the adverts of exports of ad libraries, and what to tell of them.

    Recognised by their columns are Meta's Ad Library (the API's JSON, whole pages of it or an advert a line; the CSV of
    the site; what R and Python packages make of it) and its report (a row a page and payer, without dates and links),
    the table `creative-stats` of Google's political ads transparency bundle (also the whole archive), and plain tables
    with `ad_id` and `url` (or `site`) and, where known, `page, payer, spend_low, spend_high, currency, start, stop`.

    Nothing is converted: where an advert has its spend in several currencies, the first that is not zero counts, and
    the others are told. Of rows on one advert that with the highest spend counts: spend only grows. An amount, a time
    or a currency that cannot be read is null, and counted, too.

    Parameters
    ----------
    ads
        Tables, or paths of CSV, TSV, JSON, NDJSON, Parquet or Arrow files, plain or packed.

    Returns
    -------
    pl.DataFrame
        `ad_id, page, payer` (String), `links` (as written, of the advert's cells that can hold any), `spend_low,
        spend_high` (in `currency`; null: not known, or open above), `start, stop`, `start_resolution_s` (86400 where
        dates alone are given).
    list of str
        Notes: how many adverts of which library a file holds, and what could not be read.

    Raises
    ------
    InputError
        When a file cannot be read, or is no export of an ad library by its columns.
    """
    given = [ads] if isinstance(ads, str | Path | pl.DataFrame) else list(ads)
    parts: list[pl.DataFrame] = [pl.DataFrame(schema=ADS)]
    notes: list[str] = []
    for one in given:
        if isinstance(one, pl.DataFrame):
            layout = find_layout(one.columns)
            if layout is None:
                raise no_layout("ads", one.columns)
            parts.append(_adverts(one, layout, "ads", notes))
        else:
            parts += _of_files(one, notes)
    found = pl.concat(parts)
    once = most_spent_first(found.with_row_index("row")).unique(
        ["ad_id", "payer", "links", "start"], keep="first", maintain_order=True
    )
    distinct = once.sort("row").drop("row")
    if again := found.height - distinct.height:
        notes.append(f"ads: {again:,} rows say again what another says of the same advert; left out")
    return distinct, notes


def most_spent_first(ads: pl.DataFrame, /) -> pl.DataFrame:
    """Return adverts in an order that is the same whatever order they came in, those with the highest spend first."""
    return ads.sort(
        "spend_low", "spend_high", "stop", "currency", "page",
        descending=[True, True, True, False, False], nulls_last=[True, False, True, True, True],
    )  # fmt: skip


def _of_files(path: str | Path, notes: list[str]) -> list[pl.DataFrame]:
    """Return the adverts of what a path holds: of an archive those files that list any."""
    files, left_out = find_logs([path])
    notes += left_out
    layouts = [(file, columns_of(file)) for file in files]
    known = [(file, columns, layout) for file, columns in layouts if (layout := _layout(columns)) is not None]
    if not known:
        raise no_layout(files[0].name, _own(layouts[0][1]))
    read = {file.name for file, *_ in known}
    notes += [f"{file.name}: left out, it lists no adverts" for file in files if file.name not in read]
    return [_adverts(_frame(file, columns), layout, file.name, notes) for file, columns, layout in known]


def _own(columns: Sequence[str]) -> list[str]:
    """Return the columns of adverts, which in a page of the API are those of its list."""
    inner = [name.removeprefix(_PAGE) for name in columns if name.startswith(_PAGE)]
    return inner or list(columns)


def _layout(columns: Sequence[str]) -> AdLayout | None:
    return find_layout(_own(columns))


def _frame(file: LogFile, columns: Sequence[str]) -> pl.DataFrame:
    """Return a file's adverts as columns of text; a record that is no row gives a row of nulls, to be counted."""
    paged = any(name.startswith(_PAGE) for name in columns)
    # A name twice in a header is one column.
    wanted = ["data"] if paged else list(dict.fromkeys(columns))
    parts = []
    for batch in read_batches(file, wanted):
        parts.append(batch.frame.select(pl.col(wanted).cast(ID, strict=False)))
        parts.append(pl.DataFrame({name: [None] * batch.rejected.height for name in wanted}).cast(ID))
    frame = pl.concat(parts) if parts else pl.DataFrame(schema=dict.fromkeys(wanted, ID))
    return _unpaged(frame["data"], _own(columns)) if paged else frame


def _unpaged(pages: pl.Series, columns: Sequence[str]) -> pl.DataFrame:
    """Return the adverts of pages of the API, each a list in JSON; what is no list gives a row of nulls."""
    rows: list[list[str | None]] = []
    for page in pages.to_list():
        try:
            adverts = orjson.loads(page or "null")
        except orjson.JSONDecodeError:
            adverts = None
        listed = adverts if isinstance(adverts, list) else [None]
        rows += [[_cell(advert, name) for name in columns] for advert in listed]
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, ID), orient="row")


def _cell(advert: Any, path: str) -> str | None:
    """Return what stands in an advert under a path of keys, as text."""
    for key in path.split("."):
        advert = advert.get(key) if isinstance(advert, dict) else None
    if advert is None or isinstance(advert, str):
        return advert or None
    return orjson.dumps(advert).decode()


def _adverts(frame: pl.DataFrame, layout: AdLayout, where: str, notes: list[str]) -> pl.DataFrame:
    """Return the adverts of a table in a layout, with the columns of `ADS`."""
    names: dict[str, str] = {}
    for column in frame.columns:
        names.setdefault(plain_name(column), column)
    columns = {field: [names[n] for n in known if n in names] for field, known in layout.fields.items()}
    table = frame.with_columns(pl.all().exclude(pl.Datetime, pl.Date).cast(ID, strict=False))
    faults: dict[str, int] = {}
    money = _money(table, columns, layout, names, faults)
    start, step = _times(frame, columns.get("start", []), where, faults)
    stop, _ = _times(frame, columns.get("stop", []), where, faults)
    adverts = table.select(
        pl.int_range(pl.len()).alias("row"),
        ad_id=_first(columns.get("ad_id", [])),
        page=_first(columns.get("page", [])),
        payer=pl.coalesce(_names(columns.get("payer", [])), _first(columns.get("page", []))),
        links=_links(columns.get("links", []), columns.get("texts", [])),
    ).with_columns(*money, start=start, stop=stop, start_resolution_s=step)
    before = (pl.col("stop") < pl.col("start")).fill_null(False)
    faults["stops before the start"] = int(adverts.select(before.sum()).item())
    adverts = adverts.with_columns(stop=pl.when(~before).then("stop"))
    nobody = pl.col("ad_id").is_null() & (pl.col("links").list.len() == 0)
    faults["rows without an id and a link"] = int(adverts.select(nobody.sum()).item())
    # An advert without an id is called by its row.
    called = pl.format("row {}", pl.col("row") + 1)
    adverts = adverts.filter(~nobody).with_columns(ad_id=pl.coalesce("ad_id", called))
    notes.append(f"{where}: {adverts.height:,} adverts ({layout.library})")
    notes += [f"{where}: {n:,} {what}, left empty or out" for what, n in faults.items() if n]
    return adverts.select(pl.col(name).cast(dtype) for name, dtype in ADS.items())


def _first(columns: Sequence[str]) -> pl.Expr:
    """Return the first cell that is filled, without blanks around it."""
    filled = [pl.col(name).str.strip_chars().replace("", None) for name in columns]
    return pl.coalesce(filled) if filled else pl.lit(None, ID)


def _names(columns: Sequence[str]) -> pl.Expr:
    """Return the same, of a list in JSON its words: `["A", "B"]` is `A; B`."""
    plain = _first(columns)
    words = (
        plain.str.strip_prefix("[")
        .str.strip_suffix("]")
        .str.replace_all(r'"\s*,\s*"', "; ")
        .str.strip_chars('" ')
    )
    return pl.when(plain.str.starts_with("[")).then(words).otherwise(plain).replace("", None)


def _links(cells: Sequence[str], texts: Sequence[str]) -> pl.Expr:
    """Return all that may be a link, each once: in texts, only what begins with http."""
    found = [pl.col(name).fill_null("").str.extract_all(_IN_CELL) for name in cells]
    found += [pl.col(name).fill_null("").str.extract_all(_IN_TEXT) for name in texts]
    if not found:
        return pl.lit([], dtype=IDS)
    return pl.concat_list(found).list.unique(maintain_order=True).list.head(_MOST_LINKS)


def _money(
    table: pl.DataFrame, columns: dict[str, list[str]], layout: AdLayout, names: dict[str, str], faults: dict[str, int]
) -> list[pl.Series]:  # fmt: skip
    """Return `spend_low, spend_high, currency`; an amount without a currency says nothing."""
    low, high = read_range(_first(columns.get("spend", [])))
    ends = [_first(columns.get(field, [])) for field in ("spend_low", "spend_high")]
    written = [_first(columns.get(field, [])).is_not_null() for field in ("spend", "spend_low", "spend_high")]
    # A row a row of the table, whatever columns there are.
    money = table.select(
        pl.int_range(pl.len()).alias("row"),
        low=pl.coalesce(read_amount(ends[0]), low),
        high=pl.coalesce(read_amount(ends[1]), high),
        code=_first(columns.get("currency", [])).str.to_uppercase(),
        written=pl.any_horizontal(written),
    ).drop("row")
    named = [_of_currency(table, *one) for one in _currencies(layout, names)]
    money = _first_currency(money, named, faults)
    wrong = (pl.col("low") > pl.col("high")).fill_null(False)
    unread = pl.col("written") & (pl.all_horizontal(pl.col("low", "high").is_null()) | wrong)
    coded = pl.col("code").str.contains(r"^[A-Z]{3}$").fill_null(False)
    faults["amounts that cannot be read"] = int(money.select(unread.sum()).item())
    uncoded = pl.col("written") & ~unread & ~coded
    faults["amounts without a currency of three letters"] = int(money.select(uncoded.sum()).item())
    kept = coded & pl.col("written") & ~unread
    shown = money.select(
        spend_low=pl.when(kept).then("low"),
        spend_high=pl.when(kept).then("high"),
        currency=pl.when(kept).then("code"),
    )
    return shown.get_columns()


def _first_currency(
    money: pl.DataFrame, named: Sequence[pl.DataFrame], faults: dict[str, int]
) -> pl.DataFrame:
    """Return the amounts in the first currency in which one is not zero; without any, in the first that is given."""
    if not named:
        return money
    some = [(one["high"].fill_null(one["low"]).fill_null(0) > 0).alias(str(k)) for k, one in enumerate(named)]
    n = pl.DataFrame(some).select(pl.sum_horizontal(pl.all())).to_series()
    faults["further currencies of adverts that give their spend in several"] = int((n - 1).clip(0).sum())
    for test in ("written", "some"):
        for one, is_some in reversed(list(zip(named, some, strict=True))):
            rows = is_some if test == "some" else one["written"] & (n == 0)
            money = money.with_columns(
                money[name].zip_with(~rows, one[name].cast(money[name].dtype)) for name in money.columns
            )
    return money


def _currencies(
    layout: AdLayout, names: dict[str, str]
) -> list[tuple[str, str | None, str | None, str | None]]:
    """Return, in the file's order, each currency with the columns of its range, or of its lower and upper end."""
    found: dict[str, dict[str, str]] = {}
    for name, column in names.items():
        if layout.spend_in and (match := re.fullmatch(layout.spend_in, name)):
            end = match.groupdict().get("end") or "range"
            found.setdefault(match.groups()[-1].upper(), {})[end] = column
    return [(code, of.get("range"), of.get("min"), of.get("max")) for code, of in found.items()]


def _of_currency(
    table: pl.DataFrame, code: str, span: str | None, least: str | None, most: str | None
) -> pl.DataFrame:
    """Return `low, high, code, written` of one currency."""
    low, high = read_range(pl.col(span) if span else pl.lit(None, ID))
    if least or most:
        low, high = (read_amount(pl.col(name) if name else pl.lit(None, ID)) for name in (least, most))
    some = [pl.col(name).is_not_null() for name in (span, least, most) if name]
    return table.select(low=low, high=high, code=pl.lit(code), written=pl.any_horizontal(some))


def _times(
    frame: pl.DataFrame, columns: Sequence[str], where: str, faults: dict[str, int]
) -> tuple[pl.Series | pl.Expr, float | None]:
    """Return the times of the first column that has any, and to how many seconds they are rounded, if at all."""
    for name in columns:
        values = frame[name]
        if values.dtype == ID:
            values = values.str.strip_chars().replace("", None)
        if values.null_count() == values.len():
            continue
        try:
            unit = find_time_unit(values, column=name, source=where)
        except InputError:
            faults[f"times in {name!r} that cannot be read"] = values.len() - values.null_count()
            continue
        times = unit.parse(values).cast(TIME)
        faults[f"times in {name!r} that cannot be read"] = times.null_count() - values.null_count()
        return times, unit.written_s
    return pl.lit(None, TIME), None
