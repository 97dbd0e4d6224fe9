"""Keys of pseudonyms: where they lie, and what is made with them."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from propgraph.errors import InputError, StudyError, UsageError
from propgraph.schema import ID

MIN_KEY = 16
"""The shortest key, in bytes."""

_MAX_KEY = 4096  # a longer file is a log or a picture, named by mistake
# 80 bits: the chance that any two of 10 million ids get one pseudonym is 4 in 10^11, of a billion 4 in 10^7.
_BYTES = 10
METHOD = f"keyed BLAKE2b, {2 * _BYTES} hexadecimal digits behind a p"


@dataclass(frozen=True)
class Key:
    """What pseudonyms are made with.

    Attributes
    ----------
    secret
        The bytes that nobody else may have.
    path
        The file they stand in, or will.
    is_new
        They are not in the file yet.
    """

    secret: bytes = dataclasses.field(repr=False)
    path: Path
    is_new: bool = False

    @property
    def record(self) -> dict[str, Any]:
        """What a run record says: the method, and eight digits by which two studies can be seen to share a key."""
        fingerprint = hashlib.blake2b(self.secret, digest_size=4, person=b"fingerprint").hexdigest()
        return {"pseudonymised": True, "method": METHOD, "key_fingerprint": fingerprint}

    @property
    def notes(self) -> list[str]:
        """What whoever makes a study has to be told."""
        return [
            "accounts, names and posts are pseudonyms, in links to platforms, too, and texts are left out; times, "
            "hashtags, links to other sites and their hosts (name.wordpress.com), the inputs' paths, when accounts "
            "were made and how many follow them stay: this does not make them anonymous",
            f"the key of the pseudonyms is {self.path}: who has it can tell whether an id is in the study; keep it, "
            "and keep it apart when you pass the study on",
        ]


def read_key(study: str | Path, path: str | Path | None = None, /) -> Key:
    """Return the key for a study: the user's, else the one beside the study, else a new one.

    Parameters
    ----------
    study
        The study's folder.
    path
        The user's key file: any 16 to 4,096 bytes, blanks at the ends not counted. None takes `STUDY.key`
        beside the study, so that making a study anew gives the same pseudonyms.

    Raises
    ------
    InputError
        When the file cannot be read, or its key is too short or too long.
    UsageError
        When the file lies inside the study.
    """
    folder = Path(study).resolve()
    beside = folder.with_name(f"{folder.name}.key")
    if path is None and not beside.exists():
        return Key(secrets.token_hex(32).encode(), beside, is_new=True)
    file = beside if path is None else Path(path)
    if file.resolve().is_relative_to(folder):
        raise UsageError(
            f"{file} lies in the study and would be passed on with it; put it elsewhere", option="key"
        )
    try:
        with file.open("rb") as opened:
            found = opened.read(_MAX_KEY + 1)
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror})", option="key") from error
    secret = found.strip()  # an editor adds a line's end
    if len(secret) < MIN_KEY or len(found) > _MAX_KEY:
        size = f"only {len(secret)} bytes" if len(found) <= _MAX_KEY else f"more than {_MAX_KEY:,} bytes"
        raise InputError(
            f"{file}: {size}; a key has {MIN_KEY} to {_MAX_KEY:,}, at random (openssl rand -hex 32)",
            option="key",
        )
    return Key(secret, file)


def save_key(key: Key, /) -> None:
    """Write a new key to its file, for the user alone to read; one that is there already is left alone.

    Raises
    ------
    StudyError
        When it cannot be written.
    """
    if not key.is_new:
        return
    try:
        # Another run's key may have come in between: pseudonyms of an unknown key would be of no use.
        with os.fdopen(os.open(key.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(key.secret + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StudyError(f"{key.path}: the key cannot be written ({error.strerror})") from error


def pseudonyms(values: pl.Series, /, *, key: Key, keep: Sequence[str] = ()) -> pl.Series:
    """Return the pseudonym of each value: `p` and 20 hexadecimal digits, always the same for the same key.

    Parameters
    ----------
    values
        String, without nulls.
    key
        The key.
    keep
        What is left standing before the pseudonym where a value begins with it; `@` always is.

    Returns
    -------
    pl.Series
        String. The letter keeps spreadsheets from reading a number.
    """
    # BLAKE2b takes a key of 64 bytes at most.
    state = hashlib.blake2b(key=hashlib.blake2b(key.secret).digest(), digest_size=_BYTES)
    ahead = "|".join(re.escape(start) for start in ("@", *keep))
    starts = values.str.extract(rf"^((?:{ahead})+)") if values.str.contains(f"^(?:{ahead})").any() else None
    bare = values if starts is None else values.str.slice(starts.str.len_chars().fill_null(0))
    digits = []
    for text in bare.to_list():  # a call for each of ten million ids would cost as much again
        hashed = state.copy()
        hashed.update(text.encode())
        digits.append(hashed.hexdigest())
    made = "p" + pl.Series(values.name, digits, dtype=ID)
    return made if starts is None else starts.fill_null("") + made
