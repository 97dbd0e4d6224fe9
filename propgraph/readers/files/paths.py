"""Names to files: what a user names, folders looked through, patterns matched, each file once."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from propgraph.readers.files.unpack import RefusedError

STDIN = "-"


@dataclass
class NamedFile:
    """One file, and how it was named.

    Attributes
    ----------
    path
        By which it was reached first.
    by_name
        The user named this very file.
    by_suffix
        The user named it, or files of its suffix: `*.zip`.
    """

    path: Path
    by_name: bool = False
    by_suffix: bool = False


@dataclass
class Named:
    """The files behind the names that a user gave.

    Attributes
    ----------
    files
        By their real path, so that a file reached in two ways is not read twice.
    stdin
        Standard input was named.
    left_out, faults
        Sentences: what was not followed or holds nothing, and what is wrong with a name.
    """

    files: dict[str, NamedFile] = field(default_factory=dict)
    stdin: bool = False
    left_out: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def add(self, path: Path, *, by_name: bool = False, by_suffix: bool = False) -> None:
        """Add a file, or another way to it."""
        file = self.files.setdefault(os.path.realpath(path), NamedFile(path))
        file.by_name |= by_name
        file.by_suffix |= by_suffix or by_name


def find_named(names: Iterable[str | Path], /) -> Named:
    """Return the files behind `names`: files, folders, globs, `-` for standard input."""
    named = Named()
    for name in map(str, names):
        try:
            _expand(name, named)
        except OSError as error:
            named.faults.append(f"{name}: {unreadable(error)}")
    return named


def unreadable(error: BaseException, /) -> str:
    """Return in words why a file cannot be read.

    Raises
    ------
    KeyboardInterrupt
        When that is why: Polars makes a panic of it.
    """
    if "KeyboardInterrupt" in str(error):
        raise KeyboardInterrupt from error
    if isinstance(error, RefusedError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be read ({error.strerror})"
    return f"cannot be read to its end ({str(error)[:300]}); is it cut off or damaged?"


def _expand(name: str, named: Named) -> None:
    path = Path(name)
    if name == STDIN:
        named.stdin = True
    elif path.is_dir():
        _walk(path, named)
    elif path.is_file():
        named.add(path, by_name=True)
    elif path.exists():
        named.faults.append(
            f"{name}: not a file (a pipe?); write it to a file first, or name - and pipe it into the command"
        )
    else:
        files = [Path(match) for match in glob.glob(name, recursive=True) if Path(match).is_file()]
        if not files:
            matches_nothing = " (the pattern matches nothing)" if glob.has_magic(name) else ""
            named.faults.append(f"{name}: no such file or folder{matches_nothing}")
        for file in files:
            named.add(file, by_suffix=file.suffix != "" and file.suffix == path.suffix)


def _walk(folder: Path, named: Named) -> None:
    """Add the files of a folder; what links lead to comes last and once, so that no circle is run through."""
    links: list[Path] = []
    seen: set[str] = set()
    n_files = _walk_real(folder, named, seen, links)
    for link in links:  # grows while they are followed
        real = os.path.realpath(link)
        if real in seen:
            named.left_out.append(f"{link}: a link to {real}, which is read already; not followed")
        elif Path(real) in Path(os.path.realpath(link.parent)).parents:
            named.left_out.append(f"{link}: a link to {real}, which holds it itself; not followed")
        else:
            named.left_out.append(f"{link}: a link to {real}; followed")
            n_files += _walk_real(link, named, seen, links)
    if not n_files:
        named.left_out.append(f"{folder}: a folder without any file (hidden ones do not count)")


def _walk_real(folder: Path, named: Named, seen: set[str], links: list[Path]) -> int:
    """Add the files of a folder and its own subfolders, note the links to others; return how many files."""

    def cannot(error: OSError) -> None:
        named.faults.append(f"{error.filename}: {unreadable(error)}")

    n_files = 0
    for here, names, files in os.walk(folder, onerror=cannot):
        seen.add(os.path.realpath(here))
        folders = [Path(here, name) for name in sorted(names) if not name.startswith(".")]
        links += [path for path in folders if path.is_symlink()]
        names[:] = [path.name for path in folders if os.path.realpath(path) not in seen]
        for path in (Path(here, name) for name in sorted(files) if not name.startswith(".")):
            if path.is_file():
                named.add(path)
                n_files += 1
            else:
                named.left_out.append(f"{path}: left out, no file (a pipe, or a link that leads nowhere)")
    return n_files
