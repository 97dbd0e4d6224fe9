"""Chats as WhatsApp exports them: text, each message headed by its date and author, and often over several lines.

The phone writes the date as its language and its clock have it, `[05.03.24, 10:00:00] Ana: Look` (iPhone) or
`05/03/2024, 10:00 - Ana: Look` (Android), with invisible marks among the characters. What has no such head goes on with
the message above it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePath
from typing import IO

from propgraph.readers.layouts.batches import Fault, fault

# Nothing of these is ever seen; U+200E, which stays here, marks what WhatsApp itself says.
_UNSEEN = re.compile("[\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_BLANKS = " \t\r\n\u00a0\u200e\u202f"
_HEAD = re.compile(
    r"[\u200e\s]*(?P<open>\[)?"
    r"(?P<date>\d{1,4}(?P<between>[./-])\s?\d{1,2}(?P=between)\s?\d{1,4})\.?(?:\s?г\.)?"
    r"(?P<comma>,?)\s*(?:(?P<word>[^\W\d_]{1,4}\.?)\s*|(?<=[\s,]))"
    r"(?P<clock>\d{1,2}[:.]\d{2}(?:[:.]\d{2})?)(?:\s?(?P<half>[^\W\d_]{1,2}\.?(?:\s?[^\W\d_]\.?)?))?"
    r"(?(open)\]|\s[-–—]\s)\s*(?P<rest>.*)",
    re.DOTALL,
)
_HALVES = dict.fromkeys(("am", "上午", "午前", "오전", "πμ", "ص", "öö"), " AM") | dict.fromkeys(
    ("pm", "下午", "午後", "오후", "μμ", "م", "ös"), " PM"
)
_AUTHOR = re.compile(
    r"(?P<author>[^\s{\[<\"][^\n]{0,150}?)\s?:(?:[ \u00a0]|(?=[\u200e\r\n])|$)(?P<message>.*)", re.DOTALL
)
# Some iPhones write no blank after the author.
_CLOSE_AUTHOR = re.compile(r"(?P<author>[^\s{\[<\":][^\n:]{0,150}?):(?![/\d])(?P<message>.*)", re.DOTALL)
_QUOTES = re.compile('["“”„«»]')
# The authors of programs' logs, whose lines look alike: `production.ERROR`.
_LEVEL = re.compile(
    r"(?i)(?:[\w.-]+[. ])?(?:trace|debug|info|notice|warn(?:ing)?|error|critical|fatal|severe)"
)
# How an export is called, in the phone's language, with what stands before the chat's name.
_NAMED = re.compile(
    r"(?i)(?:WhatsApp[ -]Chat (?:with|mit|met|-)|(?:Discussion|Conversa|Chat|Czat|Чат) (?:d[eo] )?WhatsApp "
    r"(?:avec|com|con|z|с)) (?P<name>.+)"
)
_SUFFIX = re.compile(r"(?i)(?:\.(?:txt|zip|gz|zst|bz2|xz))+$")
_COPY = re.compile(r" ?\(\d+\)$")

# A message has 65,536 characters at the most; a file may be none.
_LONGEST = 1 << 20
_LOOKED_AT = 100


def is_chat(head: bytes, /) -> bool:
    """Return whether a text (UTF-8) is a chat, by its first lines.

    The first of them begins a message, or most of them do and those before are what is left of one; and somebody says
    something who is no level of a program's log.
    """
    lines = [line for line in head.decode("utf-8", "replace").split("\n") if line.strip()][:_LOOKED_AT]
    heads = [_head(line) for line in lines]
    begun = [one for one in heads if one is not None]
    authors = [author for *_, author, _ in begun if author is not None]
    if not any(not _LEVEL.fullmatch(author) for author in authors):
        return False
    before = lines[: next(k for k, one in enumerate(heads) if one is not None)]
    # In a table a cell of several lines stands in quotes.
    return not before or (2 * len(begun) > len(lines) and not any('"' in line for line in before))


def chat_name(file: str, /) -> str | None:
    """Return the name of a chat, which its file is called by, or the archive or folder that `_chat.txt` is in."""
    path = PurePath(file)
    for part in (path.name, path.parent.name):
        if named := _NAMED.fullmatch(_SUFFIX.sub("", part)):
            return _COPY.sub("", named["name"]).strip(_BLANKS) or None
    return None


def messages(
    stream: IO[bytes], /, *, first: int, chat: str | None
) -> Iterator[tuple[int, dict[str, dict[str, str | None]] | None, None, Fault | None]]:
    """Yield the line that a message begins in, and what it says; or what is wrong with a line that belongs to none.

    Parameters
    ----------
    stream
        Text in UTF-8.
    first
        The number of its first line.
    chat
        Its name.

    Returns
    -------
    iterator
        `{"whatsapp": {"date", "author", "message", "chat"}}`, the author None where WhatsApp itself speaks.
    """
    begun: tuple[int, str, str | None] | None = None
    said: list[str] = []
    size = 0
    for number, line in enumerate(_lines(stream), first):
        found = _head(line)
        if found is None and begun is not None and size + len(line) <= _LONGEST:
            said.append(line)
            size += len(line)
        elif found is None and line.strip():
            reason = "in no message: nothing before it has a date and an author" if begun is None else (
                f"in no message: the one above has {_LONGEST:,} characters already"
            )  # fmt: skip
            yield number, None, None, fault(number, reason, line)
        elif found is not None:
            if begun is not None:
                yield _message(begun, "".join(said), chat)
            date, author, text = found
            begun, said, size = (number, date, author), [text], len(text)
    if begun is not None:
        yield _message(begun, "".join(said), chat)


def _lines(stream: IO[bytes]) -> Iterator[str]:
    while line := stream.readline(_LONGEST):
        yield line.decode("utf-8", "surrogateescape")


def _message(
    begun: tuple[int, str, str | None], text: str, chat: str | None
) -> tuple[int, dict[str, dict[str, str | None]] | None, None, Fault | None]:
    line, date, author = begun
    if any(
        "\udc80" <= letter <= "\udcff"
        for part in (author, text)
        if part and not part.isascii()
        for letter in part
    ):
        return line, None, None, fault(line, "bytes that are not UTF-8", text)
    return line, {"whatsapp": {"date": date, "author": author, "message": text, "chat": chat}}, None, None


def _head(line: str) -> tuple[str, str | None, str] | None:
    """Return the date, the author (None where there is none) and the text of a line that begins a message."""
    found = _HEAD.match(_UNSEEN.sub("", line))
    if found is None:
        return None
    halves = [(found[name] or "").lower().translate(_NO_POINTS) for name in ("word", "half")]
    if halves[1] and halves[1] not in _HALVES:
        return None
    half = next((_HALVES[word] for word in halves if word in _HALVES), "")
    date = _ascii(f"{found['date']}{found['comma']} {found['clock'].replace('.', ':')}{half}")
    rest = found["rest"]
    said = _AUTHOR.match(rest) or (_CLOSE_AUTHOR.match(rest) if found["open"] else None)
    # Who changes a group's name to one with a colon says nothing: a quotation is open there.
    if said is None or len(_QUOTES.findall(said["author"])) % 2:
        return date, None, rest
    author = re.sub(r"\s+", " ", said["author"]).strip(_BLANKS)
    return date, author or None, said["message"]


_NO_POINTS = dict.fromkeys(map(ord, ". \u00a0\u202f"))


def _ascii(date: str) -> str:
    """Return a date with the digits that every language writes."""
    return date if date.isascii() else re.sub(r"\d", lambda digit: str(int(digit[0])), date)
