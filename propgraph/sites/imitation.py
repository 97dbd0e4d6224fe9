"""Names that look like another site's: its brand in them, a letter or two away, look-alike letters, another suffix."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl

SUFFIX, LETTERS, DISTANCE, INSIDE = "other suffix", "look-alike letters", "edit distance", "brand in the name"

WELL_KNOWN = 100
"""So many accounts of the log make a site one that others may imitate; of these the first `MOST_KNOWN`."""

MOST_KNOWN = 300
_TIMES_LESS = 10  # an imitation is shared by so many times fewer accounts than its model

# Shorter names are a letter or two from many others by chance.
_ONE_OFF, _TWO_OFF, _INSIDE = 5, 8, 6
_BLOCK = 4096

#: What newspapers call themselves: a name made of these alone is nobody's brand.
PAPER_WORDS = frozenset(
    """
    abend allgemeine american beobachter blatt bote breaking bulletin buzz channel chronicle chronik chronique
    correo corriere courier courrier daily depeche diario dispatch eagle echo el en examiner expres express
    figaro free gazeta gazette giornale globe guardian herald heraldo heute independent info inquirer
    international journal kurier la latest le ledger liberty life live local mail media messenger mirror morning
    morgenpost nachrichten nacional national network new news noticias notizie observer online opinion post
    posten presse press public radio real report reporter republic review rundschau sentinel sport standard star
    sun sunday tageblatt tagblatt tagesspiegel telegraph telegraaf the times today tribune tribuna tv us usa
    voice weekly welt wire world zeit zeitung
    """.split()  # noqa: SIM905 - a hundred quotation marks read worse
)


@dataclass(frozen=True)
class _Name:
    """A site's name: the label that was registered, in letters as people read them, and what follows it."""

    site: str
    label: str
    suffix: str


def imitations(table: pl.DataFrame, known: Collection[str] = (), /) -> pl.DataFrame:
    """Return which sites' names look like a well-known site's, and how.

    Well-known are sites of the log that `WELL_KNOWN` accounts or more share, and ten times as many as share the
    imitation, and the user's list, whose own sites imitate nobody. Of several models the closest is taken: another
    suffix, letters that look alike (Unicode's confusables), an edit distance of 1 (of 2 in names of eight letters or
    more; Damerau-Levenshtein, adjacent letters swapped count 1), the brand within a longer name. Names that differ in
    digits alone follow one template and imitate nobody.

    Parameters
    ----------
    table
        `site, n_accounts, n_urls`; sites of one URL are left out.
    known
        Registrable domains that the user calls well-known.

    Returns
    -------
    pl.DataFrame
        `site, imitates, imitates_how, distance`.
    """
    of_log = table.filter(pl.col("n_accounts") >= WELL_KNOWN).sort(
        ["n_accounts", "site"], descending=[True, False]
    )
    accounts = dict(table.select("site", "n_accounts").iter_rows())
    listed = sorted(set(known))
    models = [
        *_names(listed),
        *_names(site for site in of_log["site"].head(MOST_KNOWN) if site not in set(listed)),
    ]
    own = set(listed)
    seen = table.filter(pl.col("n_urls") >= 2)["site"].sort()
    names = [name for name in _names(seen) if name.site not in own]
    found: dict[str, tuple[int, float, str, str]] = {}
    for name, model, how, distance in _alike(names, models):
        if name.site == model.site or (
            model.site not in own and accounts[model.site] < _TIMES_LESS * accounts[name.site]
        ):
            continue
        rank = (_ORDER[how], distance, model.site, how)
        found[name.site] = min(found.get(name.site, rank), rank)
    rows = [(site, model, how, distance) for site, (_, distance, model, how) in sorted(found.items())]
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


_SCHEMA = {"site": pl.String, "imitates": pl.String, "imitates_how": pl.String, "distance": pl.Float64}
_ORDER = {how: k for k, how in enumerate((LETTERS, SUFFIX, DISTANCE, INSIDE))}


def _names(sites: Iterator[str] | Collection[str] | pl.Series) -> Iterator[_Name]:
    for site in sites:
        # A registrable domain is what was registered, and a public suffix.
        label, _, suffix = site.partition(".")
        if label and suffix and not suffix.rpartition(".")[2].isdecimal():
            yield _Name(site, _as_read(label), suffix)


def _as_read(label: str) -> str:
    """Return a label out of punycode, in lower case; as it stands where that is broken."""
    if label.startswith("xn--"):
        try:
            read = label[4:].encode("ascii").decode("punycode").lower()
            # Half of a surrogate pair is no character, though punycode can write it.
            read.encode()
            return read
        except (UnicodeError, ValueError):
            return label
    return label


@cache
def _looks_like(char: str) -> str:
    """Return the Latin letter, or letters, that a character can be taken for; itself where there is none."""
    # Imported here, as the table is large and few jobs need it.
    from confusable_homoglyphs.confusables import confusables_data  # noqa: PLC0415

    if char.isascii() and char.isalpha() and char != "m":
        # A capital i is an l to the eye, and names are written in either case.
        return "l" if char == "i" else char
    base = "".join(part for part in unicodedata.normalize("NFKD", char) if not unicodedata.combining(part))
    for known in (char, base):
        alike = sorted({str(one["c"]).lower() for one in confusables_data.get(known, ())})
        letters = [one for one in alike if one.isascii() and one.isalpha()]
        if letters:
            return "l" if letters[0] == "i" else letters[0]
    return base.lower() or char


def skeleton(label: str, /) -> str:
    """Return a name as the eye takes it: look-alikes are one (`rn` and `m`, `0` and `o`, Cyrillic and Latin)."""
    return "".join(map(_looks_like, label))


def _alike(names: list[_Name], models: list[_Name]) -> Iterator[tuple[_Name, _Name, str, float]]:
    """Go through pairs of a name and a model that look alike."""
    if not names or not models:
        return
    by_label: dict[str, list[_Name]] = {}
    by_eye: dict[str, list[_Name]] = {}
    for model in models:
        by_label.setdefault(model.label, []).append(model)
        by_eye.setdefault(skeleton(model.label), []).append(model)
    for name in names:
        for model in by_label.get(name.label, ()):
            if len(name.label) >= 3:
                yield name, model, SUFFIX, 0.0
        for model in by_eye.get(skeleton(name.label), ()):
            if model.label != name.label:
                yield name, model, LETTERS, 0.0
    yield from _near(names, models)
    yield from _inside(names, models)


def _near(names: list[_Name], models: list[_Name]) -> Iterator[tuple[_Name, _Name, str, float]]:
    # Imported here, as they take a while to load.
    from rapidfuzz.distance import OSA  # noqa: PLC0415
    from rapidfuzz.process import cdist  # noqa: PLC0415

    long = [model for model in models if len(model.label) >= _ONE_OFF]
    labels = [model.label for model in long]
    for begin in range(0, len(names), _BLOCK):
        block = names[begin : begin + _BLOCK]
        apart = cdist(
            [name.label for name in block], labels, scorer=OSA.distance, score_cutoff=2, dtype=np.int32
        )
        for row, column in np.argwhere((apart > 0) & (apart <= 2)).tolist():
            name, model, distance = block[row], long[column], float(apart[row, column])
            shorter = min(len(name.label), len(model.label))
            if shorter < (_ONE_OFF if distance == 1 else _TWO_OFF):
                continue
            if _template(name.label) != _template(model.label):
                yield name, model, DISTANCE, distance


def _template(label: str) -> str:
    """Return a name with each number as one sign: `channel#news`."""
    return re.sub(r"\d+", "#", label)


def _inside(names: list[_Name], models: list[_Name]) -> Iterator[tuple[_Name, _Name, str, float]]:
    brands = {
        model.label: model
        for model in reversed(models)
        if len(model.label) >= 3 and not is_generic(model.label)
    }
    if not brands:
        return
    labels = pl.DataFrame({"label": [name.label for name in names]}, schema={"label": pl.String})
    found = labels.select(pl.col("label").str.extract_many(sorted(brands), overlapping=True))[
        "label"
    ].to_list()
    for name, hits in zip(names, found, strict=True):
        for brand in set(hits):
            if _template(brand) != _template(name.label) and _stands_in(brand, name.label):
                yield name, brands[brand], INSIDE, float(len(name.label) - len(brand))


def _stands_in(brand: str, label: str) -> bool:
    """Tell whether a brand stands in a longer name as a word of its own; a long one may stand anywhere."""
    if len(brand) >= _INSIDE or brand in label.split("-"):
        return True
    return label.startswith(brand) and is_generic(label[len(brand) :])


def is_generic(label: str, /) -> bool:
    """Tell whether a name is made of nothing but `PAPER_WORDS`, numbers and hyphens."""
    rest = label.strip("-0123456789")
    if not rest:
        return True
    # The longest word first, so that `news` is not read as `new` and a rest.
    return any(
        is_generic(rest[size:]) for size in range(min(len(rest), 12), 1, -1) if rest[:size] in PAPER_WORDS
    )


def has_paper_word(site: pl.Expr, /) -> pl.Expr:
    """Return whether a site's name holds a word that newspapers call themselves (of four letters or more)."""
    return site.str.contains_any(sorted(word for word in PAPER_WORDS if len(word) >= 4))
