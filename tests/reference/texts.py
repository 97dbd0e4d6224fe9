"""Slow and obvious twins of `propgraph.traces.text` and `propgraph.traces.near`."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Default_Ignorable_Code_Point of Unicode, as far as it is not of category Cf.
_IGNORABLE = {*"\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0", *map(chr, range(0xFE00, 0xFE10))}
_UNSPACED = r"\u3040-\u30ff\u4e00-\u9fff\u0e00-\u0e7f"


def normal(text):
    """Return what a text says, None if that is less than four words."""
    text = unicodedata.normalize("NFKC", text[:100_000])
    text = "".join(
        c for c in text if c.isspace() or not (unicodedata.category(c) in {"Cc", "Cf"} or c in _IGNORABLE)
    )
    text = re.sub(r"(https?://|\bwww\.|\bpic\.twitter\.com/)\S*", " ", text, flags=re.IGNORECASE)
    text = " ".join(text.split())
    while found := re.match(r"(rt )?[.'\"“]?@\w+:? ?", text, flags=re.IGNORECASE):
        text = text[found.end() :]
    n_words = len(re.findall(rf"[^\W{_UNSPACED}]+", text)) + len(re.findall(f"[{_UNSPACED}]", text)) // 2
    return text.casefold() if n_words >= 4 else None


@lru_cache(maxsize=1000)
def shingles(text):
    """Return the distinct runs of three characters of a text's first 10,000; of a shorter one all of it."""
    text = text[:10_000]
    return {text[i : i + 3] for i in range(len(text) - 2)} or {text}


def similarity(a, b):
    """Return the Jaccard similarity of two texts' shingles."""
    both = len(shingles(a) & shingles(b))
    return both / (len(shingles(a)) + len(shingles(b)) - both)


def leaders(texts):
    """Return for each text the position of the earliest leader at least 0.8 similar, else its own."""
    found = []
    for position, text in enumerate(texts):
        near = (k for k in range(position) if found[k] == k and similarity(text, texts[k]) >= 0.8)
        found.append(next(near, position))
    return found
