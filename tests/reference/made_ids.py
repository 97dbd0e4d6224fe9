"""Slow and obvious twin of `propgraph.readers.posts.made_ids`: MurmurHash64A as its author wrote it, value by value."""

from __future__ import annotations

import hashlib
from collections import Counter

FACTOR, MASK = 0xC6A4A7935BD1E995, (1 << 64) - 1


def murmur(data, seed):
    """Return the MurmurHash64A of bytes."""
    result = seed ^ (len(data) * FACTOR & MASK)
    while len(data) >= 8:
        word = int.from_bytes(data[:8], "little") * FACTOR & MASK
        word = (word ^ word >> 47) * FACTOR & MASK
        result = (result ^ word) * FACTOR & MASK
        data = data[8:]
    if data:
        result = (result ^ int.from_bytes(data, "little")) * FACTOR & MASK
    result = (result ^ result >> 47) * FACTOR & MASK
    return result ^ result >> 47


def as_bytes(value):
    """Return what stands for a value: a text, a whole number, a time (ms), or a list of texts."""
    if value is None:
        return b""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, list):
        return b"".join(murmur(item.encode(), 0).to_bytes(8, "little") for item in value)
    return value.to_bytes(8, "little", signed=True)


def row_hash(row):
    """Return the hash of a row: column name to value."""
    total = 0
    for name, value in row.items():
        if data := as_bytes(value):
            seed = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")
            total += murmur(data, seed)
    return total & MASK


def made_ids(rows):
    """Return the id of each row."""
    seen = Counter()
    ids = []
    for row in rows:
        key = row_hash(row)
        ids.append(f"post:{key}-{seen[key]}" if seen[key] else f"post:{key}")
        seen[key] += 1
    return ids
