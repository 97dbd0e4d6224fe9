"""Times as people and programs write them: a table of dates, one grammar for the time of day, whole numbers.

Each line of `_DATES` becomes a regular expression, with the time of day after the date, before it or missing. A row
that no expression matches whole gives null, and so does a date that no calendar has: nothing is guessed. What
`3/5/2024` and `3/5/24` mean is left open: they are read in every order of the numbers that is in use, and all rows
of a file decide (`times.Readings`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import polars as pl

from propgraph.readers.times.calendar_words import AMBIGUOUS_ZONES, ANY_DAY, month_of, weekday_of, zone_offset

#: The orders of the numbers of a date, the first being taken where nothing tells.
ORDERS = ("MDY", "DMY", "YMD")

# Where a line has several readings, all rows of a file decide. With points, the day stands before the month.
# The time of day stands behind the date or before it, or where there is an @.
_DATES = (
    ("YYYY-M-D",), ("YYYY/M/D",), ("YYYY.M.D",),
    ("M/D/YYYY", "D/M/YYYY"), ("M-D-YYYY", "D-M-YYYY"), ("D.M.YYYY",),
    ("M/D/YY", "D/M/YY", "YY/M/D"), ("M-D-YY", "D-M-YY", "YY-M-D"), ("D.M.YY", "YY.M.D"),
    ("Mmm D @ YYYY",), ("D Mmm YYYY",), ("Mmm D YYYY",), ("YYYY Mmm D",), ("D Mmm YY", "YY Mmm D"), ("Mmm D YY",),
    ("YYYYMMDD",),
)  # fmt: skip
_PART = re.compile("(YYYY|YY|Mmm|MM|M|DD|D)")
_DIGITS = {"YYYY": "{4}", "YY": "{2}", "MM": "{2}", "DD": "{2}", "M": "{1,2}", "D": "{1,2}"}
_MONTH = r"(?P<mon>[^\W\d_]{3,})"
# Between a month's name and a number: `5-Mar-2024`, `Mar 5`, `5 de marzo de 2024`, `05MAR2024`, `1er mars`.
_BESIDE_WORD = r"(?:(?:st|nd|rd|th|er)\b|º)?[-/.,\s]*(?:(?:de|del|of)\s+)?"
_BETWEEN_NUMBERS = r"(?:(?:st|nd|rd|th)\b)?[-/.,\s]+"

_WEEKDAY = r"(?:(?:le|the|on|am|den|el)\s+)?(?:(?P<w>[^\W\d_]{2,})(?:-feira)?\.?,?\s+)?"
_CLOCK = (
    r"(?P<h>[0-9]{1,2})(?:(?::|\s?h\s?)(?P<mi>[0-9]{1,2})(?:(?::|\s?m(?:in)?\s?)(?P<s>[0-9]{1,2})(?:[.,](?P<f>[0-9]{1,9}))?)?"
    r"(?:\s?(?:h|hrs|uhr|s)\b\.?)?(?:\s?(?P<ap>[ap])\.?\s?m\b\.?)?|\s?(?P<ap2>[ap])\.?\s?m\b\.?)"
)
_CLOCK_OF_DIGITS = r"(?P<h>[0-9]{2})(?P<mi>[0-9]{2})(?:(?P<s>[0-9]{2})(?:[.,]?(?P<f>[0-9]{3}|[0-9]{6}))?)?"
_OFFSET = r"[+-][0-9]{1,2}(?::?[0-9]{2})?"
_ZONE = (
    rf"(?:\s*(?P<z>[a-z]{{1,5}}\b(?:\s?{_OFFSET})?|{_OFFSET}(?:\s[a-z+-][a-z0-9]{{1,4}})?|\([a-z]{{1,5}}(?:{_OFFSET})?\))"
    r"(?:\s?[(\[][^()\[\]]{1,60}[)\]])?)?"
)
_BREAK = r"(?:\s*[,;|·•]\s*|,?\s+(?:(?:at|à|a|um|om|às|alle|on|le|am)\s+)?|\s+[-–—]\s+)"
_BLANKS = " \t\r\n\u00a0\u202f\u200e\u200f\ufeff"

_SHOWN = {"h": " H", "mi": ":MM", "s": ":SS", "ap": " AM/PM", "ap2": " AM/PM", "z": " +ZZZZ"}
_MOST_LAYOUTS = 200
_LONGEST = 100
_BLANK_TO_PYTHON = re.compile("[\x1c-\x1f]")
_PROBE = 1000
_SHORTEST = 5  # 24035, by %y%m%d
_SLICE_ROWS = 1 << 16  # the parts of all rows at once would take more memory than the log
_INDEX = pl.get_index_type()
_NOTHING = pl.DataFrame(schema={"row": _INDEX, **dict.fromkeys(ORDERS, pl.Int64), "naive": pl.Boolean})
_DAY_MS = 86_400_000
_PIVOT = 69  # as POSIX has it: 68 is 2068, 69 is 1969


@dataclass(frozen=True)
class Shape:
    """One arrangement of the parts of a time.

    Attributes
    ----------
    regex
        With the groups `h, mi, s, f, ap, ap2, z, w` (hour, minute, second, fraction, AM or PM, zone, weekday) as
        far as it has them, `mon` for a month's name, and those in `parts`.
    parts
        The groups of year, month and day, by the order of the numbers.
    names
        How the date is written, by the order of the numbers; for the user.
    """

    regex: str
    parts: Mapping[str, tuple[str, str, str]]
    names: Mapping[str, str]

    def reading(self, order: str, /) -> str | None:
        """Return which reading of the date belongs to an order; None where it cannot be read in that."""
        if order in self.parts:
            return order
        return next(iter(self.parts)) if len(self.parts) == 1 or order == ORDERS[0] else None


def _shapes() -> tuple[Shape, ...]:
    """Return the shapes of all dates: first those with the time of day behind them."""
    time, digits = f"{_CLOCK}{_ZONE}", f"{_CLOCK_OF_DIGITS}{_ZONE}"
    after, before = [], []
    for names in _DATES:
        date = _date_regex(names[0])
        # 5/Mar/2024:10:00 has its year; in 5 Mar 10:00:00 the 10 is none.
        to_time = f"(?:t|_|:|{_BREAK})" if names[0].endswith("Mmm YYYY") else f"(?:t|_|{_BREAK})"
        if "@" in date:
            after.append(_shape(names, date.replace("@", time)))
            continue
        after.append(_shape(names, f"{date}(?:{to_time}{time})?"))
        before.append(_shape(names, f"{_CLOCK}{_BREAK}{date}{_ZONE}"))
    return (*after, _shape(("YYYYMMDD",), f"{_date_regex('YYYYMMDD')}[-t_\\s]?{digits}"), *before)


def _shape(names: Sequence[str], regex: str) -> Shape:
    parts, by_order = {}, {}
    for name in names:
        groups = {part[0]: f"n{k}" for k, part in enumerate(_PART.findall(name), 1)}
        order = "".join(groups)
        parts[order] = (groups["Y"], "mon" if "Mmm" in name else groups["M"], groups["D"])
        by_order[order] = name
    return Shape(rf"(?i)^{_WEEKDAY}{regex}$", parts, by_order)


def _date_regex(name: str) -> str:
    """Return the expression of a date of `_DATES`, with `@` where the time of day goes."""
    regex, worded, k, last = "", "Mmm" in name, 0, ""
    for piece in _PART.split(name):
        if piece in _DIGITS or piece == "Mmm":
            k += 1
            regex += _MONTH if piece == "Mmm" else f"(?P<n{k}>[0-9]{_DIGITS[piece]})"
            last = piece
        elif piece == " @ ":
            regex += rf"{_BREAK}@\s+"
        elif piece == " " and worded:
            numbers = last != "Mmm" and "Mmm" not in name.partition(last)[2]
            regex += _BETWEEN_NUMBERS if numbers else _BESIDE_WORD
        elif piece:
            regex += re.escape(piece) + (r"\s?" if piece == "." else "")
    return regex


#: Every arrangement that is understood without being told.
SHAPES = _shapes()


@dataclass(frozen=True)
class Layout:
    """Where in a text the parts of a shape stand, in times that all are as long: for most rows of most files.

    Attributes
    ----------
    regex
        Of the texts with this layout.
    spans
        Start and length of each group of the shape.
    """

    shape: Shape
    regex: str
    spans: Mapping[str, tuple[int, int]]

    @property
    def zoned(self) -> bool:
        """Whether its times have a zone of their own."""
        return "z" in self.spans

    def name(self, order: str, /) -> str:
        """Return how its times are written, for the user."""
        date = self.shape.names[self.shape.reading(order) or next(iter(self.shape.names))]
        time = "".join(word for group, word in _SHOWN.items() if group in self.spans)
        weekday = "Www " if "w" in self.spans else ""
        return weekday + (date.replace(" @", time) if "@" in date else date + time)


def find_layouts(sample: pl.Series, shapes: Sequence[Shape], /) -> list[tuple[Layout, int]]:
    """Return the layouts of a sample of times, and how many times have each, most first.

    Of texts with other letters than those of ASCII, one stands for all that are as long.
    """
    plain = sample.drop_nulls().str.strip_chars(_BLANKS).alias("text")
    key = pl.col("text").str.replace_all("[0-9]", "0").str.replace_all("[A-Za-z]", "a")
    counts = plain.to_frame().group_by(key.alias("key")).agg(pl.len().alias("n"), pl.col("text").min())
    rows = counts.sort("n", "key", descending=[True, False]).head(_MOST_LAYOUTS).select("text", "n").rows()
    found = ((_layout(text, shapes), n) for text, n in rows)
    return [(layout, n) for layout, n in found if layout is not None]


def _layout(text: str, shapes: Sequence[Shape]) -> Layout | None:
    # No time is so long, and Python's expressions, unlike Polars', can take very long; four control characters are
    # blanks to Python alone.
    if len(text) > _LONGEST or _BLANK_TO_PYTHON.search(text):
        return None
    tried = ((shape, re.match(shape.regex, text)) for shape in shapes)
    shape, match = next(((shape, match) for shape, match in tried if match), (None, None))
    if shape is None or match is None:
        return None
    spans = {name: match.span(name) for name, value in match.groupdict().items() if value}
    classes = [re.escape(letter) for letter in text]
    for name, (start, stop) in spans.items():
        for k in range(start, stop):
            classes[k] = _like(text[k], name, stop - start)
    places = {name: (start, stop - start) for name, (start, stop) in spans.items()}
    return Layout(shape, f"(?i)^{''.join(classes)}$", places)


def _like(letter: str, group: str, length: int) -> str:
    """Return the expression of what may stand in the place of a letter in a text of the same layout."""
    if letter.isdecimal():
        return "[0-9]"
    if letter in "+-":
        return "[+-]"
    if group in ("ap", "ap2"):
        return "[ap]"
    # Where a zone has two letters, AM and PM are no zones.
    if not letter.isalpha() or (group == "z" and length == 2):
        return re.escape(letter)
    return "[a-z]" if letter.isascii() else r"[^\W\d_]"


@dataclass(frozen=True)
class Written:
    """A column of times as read.

    Attributes
    ----------
    ms
        Milliseconds since 1970, of times with a zone in UTC, of others by their clock: one Series, or one for each
        of `ORDERS` where they differ.
    naive
        Whether a time has no zone of its own; null where there is no time.
    zones
        Abbreviations of zones that mean several, as far as any was found.
    """

    ms: tuple[pl.Series, ...]
    naive: pl.Series
    zones: frozenset[str]


def read_written(text: pl.Series, shapes: Sequence[Shape], layouts: Sequence[Layout] = (), /) -> Written:
    """Read times as text.

    Parameters
    ----------
    text
        String.
    shapes
        What is understood; each is tried on the rows that those before it did not match.
    layouts
        Where the parts stand in most rows; they save time and change nothing.
    """
    if len(text) > _PROBE and text.head(_PROBE).n_unique() < _PROBE // 2:
        distinct = text.alias("text").unique()
        return _repeated(read_written(distinct, shapes, layouts), distinct, text)
    rows = text.str.strip_chars(_BLANKS).alias("text").to_frame().with_row_index("row").drop_nulls()
    found, left, zones = _over_slices(rows, layouts)
    if left.height:
        # A text that no layout fits is mostly no time, and the same as others: "", "n/a".
        could_be = (pl.col("text").str.len_bytes() >= _SHORTEST) & pl.col("text").str.contains("[0-9]")
        candidates = left.select("text").unique().filter(could_be).with_row_index("row")
        others, _, more = _over_slices(candidates, shapes)
        times = candidates.join(pl.concat([_NOTHING, *others]), on="row").drop("row")
        found.append(left.join(times, on="text").drop("text"))
        zones |= more
    return _in_order(found, len(text), zones)


def _repeated(one: Written, distinct: pl.Series, text: pl.Series) -> Written:
    """Return what was read of distinct texts for all texts: whole minutes or days come many times."""
    places = distinct.to_frame().with_row_index("row")
    texts = text.alias("text").to_frame()
    rows = texts.join(places, on="text", how="left", maintain_order="left")["row"]
    return Written(tuple(ms.gather(rows) for ms in one.ms), one.naive.gather(rows), one.zones)


def _over_slices(
    rows: pl.DataFrame, forms: Sequence[Layout] | Sequence[Shape]
) -> tuple[list[pl.DataFrame], pl.DataFrame, set[str]]:
    """Return the times of the rows that any form matches, the rows that none does, and the zones seen."""
    slices = list(rows.iter_slices(_SLICE_ROWS)) or [rows]
    if len(slices) == 1:
        return _by_forms(rows, forms)
    with ThreadPoolExecutor() as pool:
        parts = list(pool.map(lambda part: _by_forms(part, forms), slices))
    found, left, zones = zip(*parts, strict=True)
    return [frame for frames in found for frame in frames], pl.concat(left), set().union(*zones)


def _by_forms(
    rows: pl.DataFrame, forms: Sequence[Layout] | Sequence[Shape]
) -> tuple[list[pl.DataFrame], pl.DataFrame, set[str]]:
    found = []
    zones: set[str] = set()
    for form in forms:
        if rows.is_empty():
            break
        parts, matched = _parts(rows, form)
        if matched.any():
            found.append(_times(parts, form.shape if isinstance(form, Layout) else form))
            if "z" in parts.columns:
                zones.update(parts["z"].drop_nulls().unique().to_list())
            rows = rows.filter(~matched)
    return found, rows, zones


def _in_order(found: list[pl.DataFrame], n_rows: int, zones: Iterable[str]) -> Written:
    """Return times by the number of their rows, nothing for rows that are not among them."""
    table = pl.concat([_NOTHING, *found])
    if table.height == n_rows and table["row"].is_sorted():
        table = table.drop("row")
    else:
        rows = pl.DataFrame({"row": pl.int_range(n_rows, eager=True, dtype=_INDEX)})
        table = rows.join(table, on="row", how="left", maintain_order="left")
    ms = tuple(table[order] for order in ORDERS)
    same = all(ms[0].equals(other) for other in ms[1:])
    names = frozenset(zone.strip("()").upper() for zone in zones)
    return Written(ms[:1] if same else ms, table["naive"], names.intersection(AMBIGUOUS_ZONES))


def _parts(rows: pl.DataFrame, form: Shape | Layout) -> tuple[pl.DataFrame, pl.Series]:
    """Return the groups of the rows that a form matches, and which rows these are."""
    if isinstance(form, Layout):
        matched = rows["text"].str.contains(form.regex)
        rows = rows if matched.all() else rows.filter(matched)
        text = pl.col("text")
        groups = [text.str.slice(start, n).alias(name) for name, (start, n) in form.spans.items()]
        return rows.select("row", *groups), matched
    parts = rows["text"].str.extract_groups(form.regex).struct.unnest().with_columns(rows["row"])
    matched = parts[next(iter(form.parts.values()))[0]].is_not_null()
    return parts.filter(matched), matched


def _times(parts: pl.DataFrame, shape: Shape) -> pl.DataFrame:
    """Return `row`, the milliseconds by each of `ORDERS`, and `naive`, of times that all have this shape."""
    absent = {"h", "mi", "s", "f", "ap", "ap2", "z", "w"}.difference(parts.columns)
    parts = parts.with_columns(pl.lit(None, pl.String).alias(name) for name in absent)
    codes = [_codes(parts["z"], zone_offset).alias("offset"), _codes(parts["w"], weekday_of).alias("weekday")]
    if "mon" in parts.columns:
        codes.append(_codes(parts["mon"], month_of))
    parts = parts.with_columns(codes)
    shift = pl.when(pl.col("z").is_null()).then(0).otherwise(pl.col("offset").cast(pl.Int64) * 60_000)
    clock = parts.select(
        "row", "weekday", any_day=pl.col("w").is_null(), naive=pl.col("z").is_null(), clock=_ms_of_day() - shift,
        **{order: _epoch_day(*groups) for order, groups in shape.parts.items()},
    )  # fmt: skip
    readings = {order: shape.reading(order) for order in ORDERS}
    ms = {order: _on_day(order) for order in shape.parts}
    nothing = pl.lit(None, pl.Int64)
    return clock.select(
        "row", *((ms[own] if own else nothing).alias(order) for order, own in readings.items()), "naive"
    )


def _on_day(order: str) -> pl.Expr:
    """Return the milliseconds since 1970, null where the weekday written is another."""
    weekday = pl.col("weekday")
    right = pl.col("any_day") | (weekday == ANY_DAY) | (weekday == (pl.col(order) + 3) % 7 + 1)
    return pl.when(right).then(pl.col(order).cast(pl.Int64) * _DAY_MS + pl.col("clock"))


def _number(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.Int32, strict=False)


def _ms_of_day() -> pl.Expr:
    """Return the milliseconds since midnight; null for a time that no clock shows."""
    hour, minute, second = _number("h"), _number("mi").fill_null(0), _number("s").fill_null(0)
    half = pl.coalesce("ap", "ap2").str.to_lowercase()
    # 13:00 PM and 00:30 AM can mean but one thing; 13:00 AM and 0:30 PM mean nothing.
    morning = pl.when(hour <= 12).then(hour % 12)
    evening = pl.when(hour == 12).then(12).when(hour > 12).then(hour).when(hour > 0).then(hour + 12)
    hour = pl.when(half.is_null()).then(hour).when(half == "a").then(morning).otherwise(evening)
    fraction = (pl.col("f") + "00").str.slice(0, 3).cast(pl.Int32, strict=False).fill_null(0)
    shown = (hour < 24) & (minute < 60) & (second < 60)
    ms = (hour * 3600 + minute * 60 + second) * 1000 + fraction
    return pl.when(pl.col("h").is_null()).then(0).when(shown).then(ms).cast(pl.Int64)


def _epoch_day(year: str, month: str, day: str) -> pl.Expr:
    """Return the days since 1970, null for a date that no calendar has."""
    n_digits, y = pl.col(year).str.len_bytes(), _number(year)
    short = y + pl.when(y < _PIVOT).then(2000).otherwise(1900)
    y = pl.when(n_digits == 4).then(y).when(n_digits == 2).then(short)
    m, d = pl.col(month) if month == "mon" else _number(month), _number(day)
    leap = (y % 4 == 0) & ((y % 100 != 0) | (y % 400 == 0))
    february = 28 + leap.cast(pl.Int32)
    length = pl.when(m == 2).then(february).when(m.is_in([4, 6, 9, 11])).then(30).otherwise(31)
    # Years that begin in March have their leap day last.
    year_from_march = y - (m <= 2).cast(pl.Int32)
    days_before = (153 * ((m + 9) % 12) + 2) // 5
    leap_days = year_from_march // 4 - year_from_march // 100 + year_from_march // 400
    number = 365 * year_from_march + leap_days + days_before + d - 719_469
    return pl.when(m.is_between(1, 12) & (d >= 1) & (d <= length)).then(number)


def _codes(words: pl.Series, code: Callable[[str], int | None]) -> pl.Series:
    """Return what `code` makes of each word, called once for each distinct one."""
    if words.null_count() == len(words):
        return pl.Series(words.name, [None], dtype=pl.Int32).new_from_index(0, len(words))
    distinct = words.drop_nulls().unique()
    return words.replace_strict(
        distinct, pl.Series([code(word) for word in distinct.to_list()], dtype=pl.Int32), default=None
    )
