"""What clings to a link in running text: blanks, quotes, the punctuation of the sentence."""

from __future__ import annotations

import re

_INVISIBLE = "\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"
_BLANK = rf"\s\x00-\x20\x7f-\x9f{_INVISIBLE}"
_LEADING = re.compile(rf"[{_BLANK}\"'(<\[{{“”„‘’«»‹›…]+")
_CLINGING = frozenset(".,;:!?\"'“”„‘’«»‹›>…、。，！？；：")
_CLOSERS = {")": "(", "]": "[", "}": "{", "）": "（", "」": "「", "』": "『", "】": "【"}
_DELIMITERS = frozenset("/?&#=")
_IS_BLANK = re.compile(rf"[{_BLANK}]").match


def without_clinging(raw: str, /) -> str:
    """Return `raw` without the blanks, quotes and sentence punctuation around it."""
    found = None if raw[:1].isalpha() else _LEADING.match(raw)
    text = raw[found.end() :] if found else raw
    return text if text[-1:].isalnum() else text[: end_without_clinging(text, len(text))]


def end_without_clinging(text: str, end: int, /) -> int:
    """Return where `text[:end]` ends without clinging punctuation and unbalanced closing brackets.

    Brackets are balanced within the last segment or value, so that the answer is the same for a part of a
    URL and for the whole that ends in it.
    """
    surplus: dict[str, int] = {}
    while end:
        last = text[end - 1]
        if last in _CLOSERS:
            if not surplus:
                start = end
                while start and text[start - 1] not in _DELIMITERS:
                    start -= 1
                segment = text[start:end]
                surplus = {
                    closer: segment.count(closer) - segment.count(_CLOSERS[closer]) for closer in _CLOSERS
                }
            if surplus[last] <= 0:
                break
            surplus[last] -= 1
        elif last not in _CLINGING and not _IS_BLANK(last):
            break
        elif last == "?":
            surplus = {}
        end -= 1
    return end
