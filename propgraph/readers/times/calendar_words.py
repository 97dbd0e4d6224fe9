"""Names of months and weekdays as logs write them, and what abbreviated names of time zones mean."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

# English, French, German, Spanish, Italian, Portuguese and Dutch; in lower case, without accents and dots.
# No word stands for two months, nor for two weekdays: what would (Dutch and French `ma`) is left out.
_MONTHS = (
    "january jan janvier janv januar janner enero ene gennaio gen janeiro januari",
    "february feb fevrier fevr fev februar febrero febbraio fevereiro februari",
    "march mar mars marz maerz mrz marzo marco maart mrt",
    "april apr avril avr abril abr aprile",
    "may mai mayo maggio mag maio mei",
    "june jun juin juni junio giugno giu junho",
    "july jul juillet juil juill juli julio luglio lug julho",
    "august aug aout aou agosto ago augustus",
    "september sept sep septembre septiembre setiembre settembre sett set setembro",
    "october oct octobre oktober okt octubre ottobre ott outubro out",
    "november nov novembre noviembre novembro",
    "december dec decembre dezember dez diciembre dic dicembre dezembro",
)
_WEEKDAYS = (
    "monday mon lundi lun montag mo lunes lunedi segunda seg maandag",
    "tuesday tue tues mardi mar dienstag di martes martedi terca ter dinsdag",
    "wednesday wed mercredi mer mittwoch mi miercoles mie mercoledi quarta qua woensdag wo",
    "thursday thu thur thurs jeudi jeu donnerstag do jueves jue giovedi gio quinta qui donderdag",
    "friday fri vendredi ven freitag fr viernes vie venerdi sexta sex vrijdag vr",
    "saturday sat samedi sam samstag sa sonnabend sabado sab sabato zaterdag za",
    "sunday sun dimanche dim sonntag so domingo dom domenica zondag zo",
)


def _numbered(lines: Iterable[str]) -> dict[str, int]:
    return {word: number for number, line in enumerate(lines, 1) for word in line.split()}


MONTHS = _numbered(_MONTHS)
#: Monday is 1; of words that stand before any day, `ANY_DAY`.
ANY_DAY = 0
WEEKDAYS = _numbered(_WEEKDAYS) | dict.fromkeys(("le", "the", "on", "am", "den", "el"), ANY_DAY)

# Minutes ahead of UTC. Left out is what is as often one thing as another (AMT, ECT, GST, SST, WST).
ZONES = {
    "z": 0, "utc": 0, "ut": 0, "gmt": 0, "wet": 0, "west": 60, "cet": 60, "cest": 120, "met": 60, "mest": 120,
    "mez": 60, "mesz": 120, "eet": 120, "eest": 180, "msk": 180, "trt": 180, "bst": 60, "ist": 330, "idt": 180,
    "nst": -210, "ndt": -150, "ast": -240, "adt": -180, "est": -300, "edt": -240, "cst": -360, "cdt": -300,
    "mst": -420, "mdt": -360, "pst": -480, "pdt": -420, "akst": -540, "akdt": -480, "hst": -600, "brt": -180,
    "art": -180, "wat": 60, "cat": 120, "sast": 120, "eat": 180, "pkt": 300, "npt": 345, "wib": 420, "ict": 420,
    "sgt": 480, "hkt": 480, "awst": 480, "jst": 540, "kst": 540, "acst": 570, "acdt": 630, "aest": 600,
    "aedt": 660, "nzst": 720, "nzdt": 780,
}  # fmt: skip
#: Abbreviations with several meanings: the one taken, and those that are not.
AMBIGUOUS_ZONES = {
    "AST": ("Atlantic time", "Arabia's"),
    "BST": ("British summer time", "Bangladesh's"),
    "CDT": ("North America's central time", "Cuba's"),
    "CST": ("North America's central time", "China's or Cuba's"),
    "EDT": ("North America's eastern time", "Australia's"),
    "EST": ("North America's eastern time", "Australia's"),
    "IST": ("India's time", "Israel's or Ireland's"),
    "MST": ("North America's mountain time", "Malaysia's or Myanmar's"),
    "PST": ("North America's Pacific time", "the Philippines'"),
}
_OFFSET = r"([+-])(\d{1,2})(?::?(\d\d))?"
_ZONE = re.compile(rf"(?:(z|utc|gmt|ut)? ?{_OFFSET}(?: .*)?|([a-z]{{1,5}}))", re.IGNORECASE)
_WIDEST = 14 * 60


def month_of(word: str, /) -> int | None:
    """Return the number of a month by its name, long or short, in any case, with or without accents."""
    return MONTHS.get(_folded(word))


def weekday_of(word: str, /) -> int | None:
    """Return the number of a weekday by its name, Monday being 1; `ANY_DAY` for `le` or `on`."""
    return WEEKDAYS.get(_folded(word))


def zone_offset(zone: str, /) -> int | None:
    """Return how many minutes a zone such as `+0100`, `GMT+2` or `(CET)` is ahead of UTC; None where unknown."""
    if (zone[:1], zone[-1:]) in (("(", ")"), ("[", "]")):
        zone = zone[1:-1]
    found = _ZONE.fullmatch(zone.strip())
    if found is None:
        return None
    _, sign, hours, minutes, name = found.groups()
    if name is not None:
        return ZONES.get(name.lower())
    ahead = int(hours) * 60 + int(minutes or 0)
    if ahead > _WIDEST or int(minutes or 0) > 59:
        return None
    return -ahead if sign == "-" else ahead


def _folded(word: str) -> str:
    plain = unicodedata.normalize("NFKD", word.casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).strip(".")
