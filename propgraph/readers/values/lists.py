"""Columns of lists: what joins the words of a cell is found from the column as a whole, and told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import polars as pl

from propgraph.errors import InputError
from propgraph.readers.values.brackets import KEYS, are_bracketed, read_cell
from propgraph.readers.values.cells import list_series
from propgraph.readers.values.joints import BARS, JOINTS, MARKS, ODD, seems_to_part, split
from propgraph.readers.values.missing import MAYBE_TAGS, NEVER_TAGS, WORDS
from propgraph.schema import IDS

LIST_COLUMNS = ("url", *KEYS)


class Choice(NamedTuple):
    """How a column is read: what joins words, and which words are none, alone in a cell or beside others."""

    joints: str = ""
    alone: frozenset[str] = frozenset()
    beside: frozenset[str] = frozenset()


@dataclass
class ListFacts:
    """What is found out about one column of lists while its rows are read.

    Attributes
    ----------
    joined
        Cells that each of `joints.JOINTS` seems to part.
    empty, marked
        Cells with nothing in them, and those with the mark of a hashtag or a mention.
    alone, beside
        Words for a missing value that may be a tag or a name as well, alone in a cell or beside others.
    forms
        Cells in brackets, by how they are written.
    strange
        Keys of objects that have none that is known.
    used
        What rows were read by: a field of `Choice`, a joint or word, and whether it was in that field.
    settled
        The choice by all rows, where the file is read for a second time.
    """

    joined: Counter[str] = field(default_factory=Counter)
    empty: int = 0
    marked: int = 0
    alone: Counter[str] = field(default_factory=Counter)
    beside: Counter[str] = field(default_factory=Counter)
    forms: Counter[str] = field(default_factory=Counter)
    strange: Counter[str] = field(default_factory=Counter)
    used: set[tuple[str, str, bool]] = field(default_factory=set)
    settled: Choice | None = None

    def choice(self, kind: str, elsewhere: Collection[str], /) -> Choice:
        """Return how to read the column by all rows seen.

        Parameters
        ----------
        kind
            `urls`, `hashtags`, `mentions` or `images`.
        elsewhere
            Words that other columns of the file have for a missing value.
        """
        if kind in MARKS:
            most = max(self.joined[bar] for bar in BARS)
            joints = BARS + (" " if self.joined[" "] >= most else "")
        else:
            # A link may hold a comma or a blank even before another, `a?next=x,https://b`; what else comes before one
            # joins them, though another cell is joined by something else.
            most = max(self.joined.values(), default=0)
            joints = "".join(
                joint
                for joint in JOINTS
                if self.joined[joint] * 2 > most or (self.joined[joint] and joint in "|;")
            )
        # Where posts without a tag have an empty cell, or tags bear a mark, such a word is a tag, or is none.
        telling = self.empty == 0 or self.marked > 0
        return Choice(
            joints,
            frozenset(word for word in self.alone if telling or word in elsewhere),
            frozenset(word for word in self.beside if word in elsewhere),
        )

    def was_read_as(self, choice: Choice, /) -> bool:
        """Return whether all rows were read as `choice` has it."""
        return all((what in getattr(choice, where)) == taken for where, what, taken in self.used)

    def take(self, where: str, whats: Collection[str], choice: Choice, /) -> None:
        """Note that rows with any of `whats` in them are read by a field of a choice."""
        self.used |= {(where, what, what in getattr(choice, where)) for what in whats}

    @property
    def how(self) -> str:
        """How lists are written, in words; empty where no cell is one."""
        used = sorted(
            what for where, what, taken in self.used if where == "joints" and taken and self.joined[what]
        )
        told = (
            [f"joined by {' or '.join('blanks' if joint == ' ' else repr(joint) for joint in used)}"]
            if used
            else []
        )
        told += [f"written as {' or '.join(sorted(self.forms))}"] if self.forms else []
        return "lists " + ", or ".join(told) if told else ""

    @property
    def is_odd(self) -> bool:
        """Whether lists are written in another way than `a b` or `["a", "b"]`."""
        return any(self.joined[bar] for bar in BARS) or bool(set(self.forms) - {"[...]"})

    def told(self, name: str, /) -> list[str]:
        """Return what the user has to know of the column, beside `how`."""
        notes = [
            f"{name}: {n:,} rows say {word!r} {'alone' if where == 'alone' else 'beside others'}: taken for a word "
            "like others, not as missing"
            for where, counts in (("alone", self.alone), ("beside", self.beside))
            for word, n in sorted(counts.items())
            if (where, word, False) in self.used
        ]
        if self.strange:
            kind = "urls" if name == "url" else name
            notes.append(
                f"{name}: objects without any of the keys {', '.join(KEYS[kind])} are left out; they have "
                f"{', '.join(sorted(self.strange)[:20])}"
            )
        return notes


def read_lists(
    values: pl.Series, facts: ListFacts, /, *, elsewhere: Collection[str], source: str, is_json: bool
) -> tuple[pl.Series, Counter[tuple[str, str]]]:
    """Return a column of `LIST_COLUMNS` as lists of Strings, and the words in it that were taken as missing.

    Parameters
    ----------
    values
        The column, by its canonical name: lists, or text.
    facts
        What is known of it so far; it is added to.
    elsewhere
        Words that other columns of the file have for a missing value.
    source
        The file, for messages.
    is_json
        A string is what it says, never a missing value.

    Raises
    ------
    InputError
        When it holds something else, or objects without a known key.
    """
    kind = "urls" if values.name == "url" else values.name
    if values.dtype.is_nested():
        lists = _of_nested(values, kind, source)
        _count_nested(lists, kind, facts)
    else:
        text = values.cast(pl.String)
        joints = _find_joints(text, kind, facts)
        lists = _parted(text, values.name, joints, facts, source=source)
    missing: Counter[tuple[str, str]] = Counter()
    if not is_json:
        lists, missing = _without_missing(lists, kind, facts, elsewhere)
    return _clean(lists, kind).alias(values.name), Counter(
        {(values.name, word): n for (_, word), n in missing.items()}
    )


def _of_nested(values: pl.Series, kind: str, source: str) -> pl.Series:
    """Return lists of Strings from the lists or objects of a binary file."""
    inner: Any = getattr(values.dtype, "inner", None)
    if isinstance(values.dtype, pl.Struct):
        return _of_nested(pl.select(pl.concat_list(values)).to_series().alias(values.name), kind, source)
    lists = values.cast(pl.List(inner))
    if isinstance(inner, pl.Struct):
        keys = [one.name for one in inner.fields]
        known = [key for key in KEYS[kind] if key in keys]
        if not known:
            raise InputError(_no_key(source, values.name, kind, keys))
        texts = [pl.element().struct.field(key).cast(pl.String, strict=False) for key in known]
        return lists.list.eval(pl.coalesce(pl.when(text.str.len_bytes() > 0).then(text) for text in texts))
    if inner.is_nested():
        raise InputError(
            f"{source}: the column for {values.name!r} holds {values.dtype}, not {kind}; map another"
        )
    return lists.cast(IDS)


def _count_nested(lists: pl.Series, kind: str, facts: ListFacts) -> None:
    facts.empty += int((lists.list.len().fill_null(0) == 0).sum())
    if kind in MARKS:
        facts.marked += int(
            lists.explode(empty_as_null=True, keep_nulls=True).str.contains(f"[{MARKS[kind]}]").sum()
        )


def _no_key(source: str, name: str, kind: str, keys: Collection[str]) -> str:
    return (
        f"{source}: {name}: its objects have none of the keys {', '.join(KEYS[kind])}; found "
        f"{', '.join(sorted(keys)[:20]) or 'none'}; map a column or path that holds the {kind} themselves"
    )


def _find_joints(text: pl.Series, kind: str, facts: ListFacts) -> str:
    """Count what parts cells, other than those in brackets, and return the joints by which to read these rows."""
    facts.empty += text.null_count()
    odd = text.filter(text.str.contains(ODD).fill_null(False))
    odd = odd.filter(~are_bracketed(odd, kind)).str.strip_chars()
    if kind in MARKS:
        facts.marked += int(odd.str.contains(f"[{MARKS[kind]}]").sum())
    parts = {joint: int(seems_to_part(odd, kind, joint).sum()) for joint in JOINTS}
    facts.joined.update(parts)
    choice = facts.settled or facts.choice(kind, ())
    seen = [joint for joint in BARS if parts[joint]] + ([" "] if odd.str.contains(r"\s").any() else [])
    facts.take("joints", seen, choice)
    return choice.joints


def _parted(text: pl.Series, name: str, joints: str, facts: ListFacts, *, source: str) -> pl.Series:
    """Return text as lists, word by word only where there may be more in a cell than one."""
    cell = pl.col("cell")
    single = (
        text.alias("cell")
        .to_frame()
        .select(pl.when(cell.is_not_null()).then(pl.concat_list(cell)))
        .to_series()
    )
    odd = (text.str.contains(ODD) | are_bracketed(text, name)).fill_null(False)
    if not odd.any():
        return single
    cells = text.filter(odd)
    bracketed = are_bracketed(cells, name)
    lists = split(cells, name, joints)
    if bracketed.any():
        listed = _listed(cells.set(~bracketed, None), name, facts, source)
        lists = pl.select(pl.when(bracketed).then(listed).otherwise(lists)).to_series()
    place = (odd.cum_sum() - 1).cast(pl.UInt32).set(~odd, None)
    return pl.select(pl.when(odd).then(lists.gather(place)).otherwise(single)).to_series()


def _listed(cells: pl.Series, name: str, facts: ListFacts, source: str) -> pl.Series:
    """Return bracketed cells as lists, each distinct one read once."""
    kind = "urls" if name == "url" else name
    counts = cells.drop_nulls().value_counts(name="n").sort(cells.name)
    read = [read_cell(cell, kind) for cell in counts[cells.name]]
    for cell, n in zip(read, counts["n"], strict=True):
        if cell.items:
            facts.forms[cell.form] += n
        for key in cell.strange:
            facts.strange[key] += n
    if facts.strange and not any(cell.items for cell in read):
        raise InputError(_no_key(source, name, kind, facts.strange))
    lists = counts.select(cell=cells.name).with_columns(
        words=list_series("words", [cell.items for cell in read])
    )
    wanted = cells.alias("cell").to_frame()
    return wanted.join(lists, on="cell", how="left", maintain_order="left")["words"]


def _without_missing(
    lists: pl.Series, kind: str, facts: ListFacts, elsewhere: Collection[str]
) -> tuple[pl.Series, Counter[tuple[str, str]]]:
    """Return lists without words for a missing value, null where nothing else was in one, and those words."""
    words = lists.explode(empty_as_null=True, keep_nulls=True)
    never = NEVER_TAGS if kind in MARKS else WORDS
    if not words.is_in([*never, *MAYBE_TAGS]).any():
        return lists, Counter()
    is_alone = lists.list.len() == 1
    alone, beside = never, never
    if kind in MARKS:
        found = [
            _counts(part.explode(empty_as_null=True, keep_nulls=True), MAYBE_TAGS)
            for part in (lists.filter(is_alone), lists.filter(~is_alone))
        ]
        facts.alone.update(found[0])
        facts.beside.update(found[1])
        choice = facts.settled or facts.choice(kind, elsewhere)
        facts.take("alone", found[0], choice)
        facts.take("beside", found[1], choice)
        alone, beside = [*never, *sorted(choice.alone)], [*never, *sorted(choice.beside)]
    word = pl.element()
    frame = pl.DataFrame({"lists": lists, "is_alone": is_alone})
    kept = frame.select(
        pl.when(pl.col("is_alone") & pl.col("lists").list.first().is_in(alone)).then(None)
        .when("is_alone").then("lists")
        .otherwise(pl.col("lists").list.eval(word.filter(~word.is_in(beside).fill_null(False))))
    ).to_series()  # fmt: skip
    gone = _counts(lists.filter(is_alone).list.first(), alone)
    gone.update(_counts(lists.filter(~is_alone).explode(empty_as_null=True, keep_nulls=True), beside))
    return kept, Counter({(kind, word): n for word, n in gone.items()})


def _counts(words: pl.Series, known: list[str]) -> Counter[str]:
    found = words.filter(words.is_in(known).fill_null(False)).str.strip_chars().value_counts()
    return Counter(dict(found.iter_rows()))


def _clean(lists: pl.Series, kind: str) -> pl.Series:
    """Return lists without empty words; hashtags and mentions in lower case, without their marks."""
    word = pl.element()
    if kind in MARKS:
        word = word.str.strip_chars(f"{MARKS[kind]}, ").str.to_lowercase()
        return lists.list.eval(word.filter(word.str.len_bytes() > 0))
    words = lists.explode(empty_as_null=True, keep_nulls=True)
    if not ((words.str.len_bytes() == 0).any() or words.null_count() > lists.null_count()):
        return lists
    return lists.list.eval(word.filter(word.str.len_bytes() > 0))
