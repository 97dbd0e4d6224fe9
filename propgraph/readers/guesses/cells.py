"""What the cells of one column look like: links, times, ids that come again, words of texts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

import orjson
import polars as pl

from propgraph.errors import InputError
from propgraph.readers.posts.permalinks import of_posts
from propgraph.readers.times.times import NONE_SEEN, TimeUnit, find_time_unit
from propgraph.readers.values.missing import WORDS
from propgraph.readers.values.post_kinds import KIND_OF
from propgraph.schema import ID

_SAMPLE = 2000
_LINK = r"(?i)^[\s\[\"']*https?://"
_LINKS = r"(?i)https?://.*https?://"
_PICTURE = r"(?i)\.(?:jpe?g|png|gif|webp|mp4)(?:\?|\"|$)"
_TIME_OF_DAY = r"(?i)^\s*\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:\s*[ap]m)?\s*$"
_HOST = r"(?i)^(?:[\w-]+\.)+[a-z]{2,}$"
# Posts of platforms; an earlier number or date tells of something else.
_FROM, _TO = datetime(2004, 1, 1, tzinfo=UTC), timedelta(days=1)
_DAY_S = 86_400
# Of many posts; not of every language, or short names of people would be codes.
_LANGUAGES = """
    af am ar az be bg bn ca cs cy da de el en es et eu fa fi fr he hi hr hu hy id is it ja ka ko lt lv mk ml ms my ne
    nl no pl pt ro ru sk sl sq sr sv sw ta te th tl tr uk ur vi zh und qme qht zxx en-us en-gb pt-br zh-cn zh-tw
"""
LANGUAGES = frozenset(_LANGUAGES.split())
_PLATFORMS = """
    twitter x facebook instagram youtube tiktok telegram reddit vk bluesky mastodon threads gab parler gettr
    truthsocial whatsapp weibo linkedin web news blog forum
"""
PLATFORMS = frozenset(_PLATFORMS.split())


@dataclass(frozen=True)
class Cells:
    """One column of a log's first rows.

    Attributes
    ----------
    name
        As the log has it.
    values
        The cells as text (lists as JSON), null where nothing stands.
    """

    name: str
    values: pl.Series

    @cached_property
    def there(self) -> pl.Series:
        """The cells that are filled."""
        return self.values.drop_nulls()

    @cached_property
    def sample(self) -> pl.Series:
        """Some of them, from first to last."""
        return self.there.gather_every(max(1, len(self.there) // _SAMPLE)).head(_SAMPLE)

    @property
    def filled(self) -> float:
        """The fraction of rows that are filled."""
        return len(self.there) / max(1, len(self.values))

    @cached_property
    def n_distinct(self) -> int:
        """How many different cells there are."""
        return self.there.n_unique()

    @property
    def is_unique(self) -> bool:
        """Whether each row has a cell of its own."""
        return self.filled == 1 and self.n_distinct == len(self.values)

    @property
    def repeats(self) -> float:
        """How many rows each cell has on average."""
        return len(self.there) / max(1, self.n_distinct)

    def matching(self, pattern: str, /) -> float:
        """Return the fraction of the sample that a pattern matches."""
        return _fraction(self.sample.str.contains(pattern))

    @cached_property
    def links(self) -> float:
        """The fraction that begins with a link, and with one that is no picture's."""
        return _fraction(self.sample.str.contains(_LINK) & ~self.sample.str.contains(_PICTURE))

    @cached_property
    def has_several_links(self) -> bool:
        """Whether some cell holds more than one link, or a list of them."""
        return _fraction(self.sample.str.contains(_LINKS) | self.sample.str.starts_with("[")) > 0

    @cached_property
    def links_to_posts(self) -> float:
        """The fraction that is the address of a post on a platform."""
        return _fraction(self.sample.to_frame("link").select(of_posts(pl.col("link"))).to_series())

    @cached_property
    def words(self) -> float:
        """The fraction that has a blank between words."""
        return self.matching(r"\S\s+\S")

    @cached_property
    def length(self) -> float:
        """The median number of characters."""
        median = self.sample.str.len_chars().median()
        return float(median) if isinstance(median, int | float) else 0.0

    @cached_property
    def whole_numbers(self) -> float:
        """The fraction of whole numbers."""
        return self.matching(r"^-?\d+(?:\.0)?$")

    @property
    def is_whole(self) -> bool:
        """Whether it holds whole numbers."""
        return self.whole_numbers > 0.9

    @cached_property
    def has_one_length(self) -> bool:
        """Whether all cells have about as many characters, as ids have and counts have not."""
        lengths = self.sample.str.len_chars()
        return int(lengths.max() or 0) - int(lengths.min() or 0) <= 2  # type: ignore[arg-type]

    @property
    def is_count(self) -> bool:
        """Whether it holds numbers too short for ids, or with a fraction or an exponent."""
        short = self.is_whole and self.length < 5
        return short or self.matching(r"(?i)^-?\d+[.,]\d+(?:e\+?\d+)?$") > 0.5

    @cached_property
    def is_json(self) -> bool:
        """Whether it holds lists or objects."""
        return self.matching(r"^[\[{]") > 0.5

    @cached_property
    def time_unit(self) -> TimeUnit:
        """How its times are written; `NONE_SEEN` where it holds none."""
        if not len(self.sample) or self.links or self.length > 40:
            return NONE_SEEN
        try:
            unit = find_time_unit(self.sample, column=self.name, source="")
        except (InputError, pl.exceptions.PolarsError):
            return NONE_SEEN
        # Ids have as many digits as times in millionths of a second or less.
        if unit.to_ms is not None and unit.to_ms < 1:
            return NONE_SEEN
        fits = unit.parse(self.sample).is_between(_FROM, datetime.now(UTC) + _TO)
        return unit if _fraction(fits.fill_null(False)) >= 0.95 else NONE_SEEN

    @property
    def is_time(self) -> bool:
        """Whether it holds times, or days."""
        return self.time_unit is not NONE_SEEN

    @property
    def is_day(self) -> bool:
        """Whether it holds days without a time of day."""
        return self.is_time and (self.time_unit.written_s or 0) >= _DAY_S

    @cached_property
    def is_time_of_day(self) -> bool:
        """Whether it holds times of day without a day."""
        return self.matching(_TIME_OF_DAY) > 0.95

    @cached_property
    def is_hashtags(self) -> bool:
        """Whether most cells begin with a hashtag and hold few words else."""
        return (
            self.matching(r"^[\s\[\"']*#\w") > 0.5
            and self.matching(r"(?:^|[\s,;|\"'\[])[^\s#\"'\[,;|]{2}") < 0.2
        )

    @cached_property
    def is_language(self) -> bool:
        """Whether it holds codes of languages."""
        return self._all_of(LANGUAGES) and not self._all_of(frozenset(("no",)))  # which is Norwegian, too

    @cached_property
    def is_kind(self) -> bool:
        """Whether it holds words for kinds of posts; numbers and yes or no are none."""
        return self._all_of(frozenset(word for word in KIND_OF if len(word) > 3)) and not self._all_of(
            frozenset(("true", "false", "none"))
        )

    @cached_property
    def is_platform(self) -> bool:
        """Whether it holds names of platforms."""
        return self._all_of(PLATFORMS) and not self._all_of(frozenset("x"))

    @cached_property
    def is_host(self) -> bool:
        """Whether it holds names of sites."""
        return self.matching(_HOST) > 0.9

    def _all_of(self, known: frozenset[str]) -> bool:
        return bool(len(self.there)) and {str(word).strip().lower() for word in self.there.unique()} <= known

    @property
    def example(self) -> str:
        """A cell that is filled, fit for one line."""
        first = str(self.there[0]) if len(self.there) else ""
        return repr(first if len(first) <= 50 else first[:49] + "…")


def cells_of(frame: pl.DataFrame, /) -> list[Cells]:
    """Return the columns of a log's first rows."""
    return [Cells(name, _as_text(frame[name])) for name in frame.columns]


def _as_text(values: pl.Series) -> pl.Series:
    if values.dtype.is_nested() or values.dtype == pl.Object:
        cells = (orjson.dumps(cell, default=str).decode() if cell else None for cell in values.to_list())
        values = pl.Series(values.name, list(cells), dtype=ID)
    if values.dtype == pl.Binary:
        values = values.cast(ID, strict=False)
    if isinstance(values.dtype, pl.Datetime):
        values = values.dt.to_string("iso:strict")
    text = values.cast(ID, strict=False).str.strip_chars()
    return text.set(text.str.len_bytes().eq(0) | text.is_in(WORDS), None)


def _fraction(flags: pl.Series) -> float:
    return float(flags.sum() or 0) / max(1, len(flags))
