"""What a reader is: the columns it needs, the columns it can use, and how they become posts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import polars as pl

# The columns a reader may fill, all optional but the first two; `read.py` turns them into `posts`.
CANONICAL: Mapping[str, str] = {
    "account_id": "who posted",
    "timestamp": "when",
    "content_id": "the post's own id",
    "kind": "original, reshare, quote, reply (or the platform's own word for these)",
    "parent_content_id": "the post reshared, quoted or replied to",
    "origin_account_id": "the account reshared, quoted or replied to",
    "target_id": "the group, page or channel posted into",
    "object_id": "the log's own object id",
    "urls": "links, as a list, a JSON list, or separated by blanks",
    "url": "one link",
    "hashtags": "hashtags, as a list, a JSON list, or separated by blanks",
    "text": "the post's text",
    "language": "language code",
    "platform": "platform",
    "account_name": "the account's name",
    "account_created_at": "when the account was made",
    "followers": "the account's followers",
}
REQUIRED = ("account_id", "timestamp")


@dataclass(frozen=True)
class Reader:
    """One layout of logs.

    Attributes
    ----------
    name
        As `--format` takes it.
    title
        What it is, for people.
    needs
        Columns that have to be there; a file with all of them is recognised.
    uses
        Further columns that are read where they are there.
    posts
        Frame of raw columns in, frame of `CANONICAL` columns out, row by row.
    """

    name: str
    title: str
    needs: tuple[str, ...]
    posts: Callable[[pl.DataFrame], pl.DataFrame]
    uses: tuple[str, ...] = field(default=())

    def wanted(self, columns: list[str], /) -> list[str]:
        """Return those of `columns` that this reader reads."""
        return [name for name in columns if name in self.needs or name in self.uses]


def renamed(**names: str) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Return a mapping that renames raw columns: `canonical=raw`; raw columns not there are passed over."""

    def posts(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.select(pl.col(raw).alias(name) for name, raw in names.items() if raw in frame.columns)

    return posts
