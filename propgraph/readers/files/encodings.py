"""The encoding of a text file: what its mark or the user says, or what its bytes tell where they are not UTF-8."""

from __future__ import annotations

import codecs
import unicodedata
import warnings
from collections.abc import Iterator
from encodings.aliases import aliases

from propgraph.errors import UsageError, did_you_mean
from propgraph.readers.files.logfile import LogFile

# The longer mark first: UTF-32's begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Encodings of names and of source code.
_NO_FILE_ENCODINGS = {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined"}
_WIDE = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
# Of a handful of words a rare encoding fits as well as the one that they are in.
_COMMON = (
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "mac-roman", "mac-cyrillic", "koi8-r",
    "cp866", "iso8859-1", "iso8859-2", "cp932", "euc-jp", "gb18030", "big5", "cp949",
)  # fmt: skip
_FEW_LINES = 10
# How many lines that are not UTF-8 make an encoding, and not damage: two, and one in two hundred, or fifty.
_LEAST_LINES, _LEAST_SHARE, _MANY_LINES = 2, 0.005, 50
# How many of the characters have to be where characters of words are.
_LEAST_IN_WORDS = 0.8
_MARKS_OF_TEXT = frozenset("‘’‚“”„–—…«»‹›€£°§·•¿¡\u00a0©®™№")
_SAMPLE_BYTES, _READ_BYTES, _PIECE = 1 << 20, 1 << 28, 1 << 16
# What damage leaves: a byte of all ones, which is no letter of any common language in Windows-1252.
_ALL_ONES, _ALL_ONES_IN_1252 = b"\xff", "ÿ"
_LOOKED_AT = 10_000
_LATER_BYTES = bytes(range(0x80, 0xC0))  # of a character in UTF-8


def check_encoding(name: str, /) -> None:
    """Raise `UsageError` where Python knows no encoding of text files by this name."""
    try:
        known = codecs.lookup(name)
    except (LookupError, ValueError):
        known = None
    if known is None or known.name in _NO_FILE_ENCODINGS or not getattr(known, "_is_text_encoding", True):
        names = sorted({name.replace("_", "-") for name in (*aliases, *aliases.values())})
        raise UsageError(
            f"{name!r} is no encoding of text that Python knows{did_you_mean(name, names)}; common ones "
            "are windows-1252, windows-1251, iso-8859-2, mac-roman, utf-16-le, gb18030, shift-jis",
            option="encoding",
        )


def marked_encoding(start: bytes, /) -> str | None:
    """Return the encoding that a byte order mark names."""
    return next((name for mark, name in _MARKS if start.startswith(mark)), None)


def wide_encoding(head: bytes, /) -> str | None:
    """Return the encoding of text with zero bytes and without a mark: UTF-16 or UTF-32, or None where it is no text."""
    name = _detected(head, among=_WIDE)
    if name not in _WIDE:
        return None
    text = codecs.getincrementaldecoder(name)(errors="replace").decode(head)
    is_text = "\ufffd" not in text and not any(c < " " and c not in "\t\r\n\f" for c in text)
    return name if is_text else None


def guess_encoding(file: LogFile, /) -> str | None:
    """Return the encoding of a file that is not UTF-8 all through; None where that is but damage.

    A file is in another encoding where lines that are not UTF-8 are many, hardly any other line has a character
    beyond ASCII, and the guessed encoding makes words of their bytes.
    """
    foreign: list[bytes] = []
    n_lines = n_utf8 = 0
    in_header = False
    for line in _lines(file):
        n_lines += 1
        if line.isascii():
            continue
        if is_utf8(line):
            n_utf8 += 1
        else:
            foreign.append(line)
            in_header = in_header or n_lines == 1
    text = b"\n".join(foreign)
    if text.translate(None, _ALL_ONES).isascii():
        return None
    enough = len(foreign) >= max(_LEAST_LINES, min(_MANY_LINES, _LEAST_SHARE * n_lines))
    if not (enough or in_header) or n_utf8 * 20 > len(foreign):
        return None
    name = _detected(text, among=_COMMON if len(foreign) < _FEW_LINES else None)
    if name in (None, "utf-8"):
        return None
    return name if _in_words(text, name) >= _LEAST_IN_WORDS else None


def _detected(data: bytes, *, among: tuple[str, ...] | None) -> str | None:
    from chardet import detect  # noqa: PLC0415  # it takes a while to load, and few logs need it

    with warnings.catch_warnings():
        # That it found none, and would have taken one that it was not asked about.
        warnings.simplefilter("ignore", UserWarning)
        name = detect(data, include_encodings=among)["encoding"]
    # What calls itself Latin-1 is Windows-1252, which has a character where the other has none.
    return None if name is None else {"iso-8859-1": "windows-1252"}.get(name.lower(), name.lower())


def _lines(file: LogFile) -> Iterator[bytes]:
    """Yield the first lines of a file, as they are; of one that is very long, piece by piece."""
    n_read = n_foreign = 0
    whole = True
    with file.open_raw() as stream:
        while n_read < _READ_BYTES and n_foreign < _SAMPLE_BYTES and (line := stream.readline(_PIECE)):
            n_read += len(line)
            n_foreign += 0 if line.isascii() else len(line)
            # The rest of a character of several bytes that the piece before has begun.
            yield line if whole else line.lstrip(_LATER_BYTES)
            whole = line.endswith(b"\n")


def is_utf8(line: bytes, /) -> bool:
    """Return whether a line, or as much of it as there is, is UTF-8."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(line, final=line.endswith(b"\n"))
    except UnicodeDecodeError:
        return False
    return True


def _in_words(data: bytes, encoding: str) -> float:
    """Return what part of the characters beyond ASCII are letters in words, or marks of text."""
    text = f" {data.decode(encoding, 'replace')} "
    places = [k for k, character in enumerate(text) if not character.isascii()]
    well = sum(
        text[k] in _MARKS_OF_TEXT or _stands_well(text[k - 1], text[k], text[k + 1])
        for k in places[:_LOOKED_AT]
    )
    return well / len(places[:_LOOKED_AT]) if places else 0.0


def _stands_well(before: str, letter: str, after: str) -> bool:
    """Return whether a letter beyond ASCII stands where a word has one: no Cyrillic letter beside a Latin one."""
    if not letter.isalpha() or letter == _ALL_ONES_IN_1252:
        return False
    if unicodedata.name(letter, "").startswith("LATIN"):
        return before.isalpha() or after.isalpha() or not (before.isalnum() or after.isalnum())
    beside = [other for other in (before, after) if other.isalpha()]
    return bool(beside) and not any(other.isascii() for other in beside)


def told_guess(encoding: str, /) -> str:
    """Return what to tell where an encoding was guessed."""
    return (
        f"not UTF-8; read as {encoding}, which it looks like; where it is another, name it with --encoding "
        "(in Python: encoding=)"
    )
