"""Archives of logs, zip and tar: each member that is a log by its name, in a temporary file of its own.

Nothing is ever written under a member's name, so that no archive can put a file anywhere.
"""

from __future__ import annotations

import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Self

from propgraph.readers.files.spool import Spool
from propgraph.readers.files.unpack import RefusedError, check_growth, open_unpacked

ZIP_MARKS = (b"PK\x03\x04", b"PK\x05\x06")
TAR_MARK_STOP = 262
_TAR_MARK = b"ustar"
_MOST_MEMBERS = 100_000
_ENCRYPTED = 1
# Why tarfile finds no other header; it keeps its silence on all of them.
_END_MARK, _NO_MORE_BYTES = tarfile.EOFHeaderError, tarfile.EmptyHeaderError  # type: ignore[attr-defined]
# What is raised, beside OSError, where an archive is damaged or packed in a way that Python does not know.
_DAMAGED = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, NotImplementedError, EOFError,
)  # fmt: skip


@dataclass(frozen=True)
class Member:
    """One file of an archive: its name there, how many bytes it has, and where they are, packed by zstd."""

    name: str
    size: int
    spool: Spool


def is_tar(start: bytes, /) -> bool:
    """Return whether the first bytes of a file, `TAR_MARK_STOP` or more, are those of a tar archive."""
    return start[:TAR_MARK_STOP].endswith(_TAR_MARK)


def read_zip(path: Path, wanted: Callable[[str], bool], left_out: list[str], /) -> Iterator[Member]:
    """Yield the members of a zip archive whose names are `wanted`.

    What else is there is said in `left_out`, each as what follows the name of the archive in a sentence.

    Raises
    ------
    OSError
        When the archive is damaged, encrypted or hostile.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = [info.filename for info in archive.infolist() if not info.is_dir()]
            # Of members of one name it gives the last, as unzip does that unpacks one after the other.
            chosen = [archive.getinfo(name) for name in _chosen(names, wanted, left_out)]
            _check_zip(chosen, path.stat().st_size)
            for info in chosen:
                with archive.open(info) as stream:
                    yield Member(info.filename, info.file_size, Spool(stream, packed=True))
    except _DAMAGED as error:
        raise OSError(str(error)) from error


def read_tar(
    path: Path, packed: tuple[str, ...], wanted: Callable[[str], bool], left_out: list[str], /
) -> Iterator[Member]:
    """Yield the members of a tar archive, packed or not; as `read_zip` does."""
    n_bytes, size = 0, path.stat().st_size

    def count(piece: bytes) -> None:
        nonlocal n_bytes
        n_bytes += len(piece)
        check_growth(n_bytes, size)

    read: dict[str, Member] = {}
    try:
        with open_unpacked(path, packed) as stream, _Tar.open(fileobj=stream, mode="r|") as archive:
            for info in archive:
                archive.members = []  # type: ignore[attr-defined]  # it would keep them all
                for name in _chosen([info.name] if info.isreg() else [], wanted, left_out):
                    if name in read:
                        left_out.append(_repeated(name))
                    content = archive.extractfile(info)
                    assert content is not None
                    read[name] = Member(name, info.size, Spool(content, packed=True, check=count))
                if info.issym() or info.islnk():
                    left_out.append(f"/{info.name}: left out, a link")
                _check_number(len(read))
            archive.check_end(left_out)
    except _DAMAGED as error:
        raise OSError(str(error)) from error
    yield from read.values()


class _Header(tarfile.TarInfo):
    """A header that tells its archive why there is no other after the last."""

    @classmethod
    def fromtarfile(cls, tarfile_: tarfile.TarFile) -> Self:
        try:
            return super().fromtarfile(tarfile_)
        except tarfile.HeaderError as error:
            tarfile_.end = error  # type: ignore[attr-defined]
            raise


class _Tar(tarfile.TarFile):
    tarinfo = _Header
    end: tarfile.HeaderError | None = None

    def check_end(self, left_out: list[str], /) -> None:
        """Tell where the archive ends without its mark; raise where it is damaged."""
        if isinstance(self.end, _NO_MORE_BYTES):
            left_out.append(": does not end as a tar archive ends; is it cut off?")
        elif not isinstance(self.end, _END_MARK):
            raise OSError(f"damaged after {self.offset:,} bytes of it, {self.end}")


def _chosen(names: Iterable[str], wanted: Callable[[str], bool], left_out: list[str]) -> list[str]:
    """Return the names of logs, each once; say what else there is."""
    chosen: dict[str, None] = {}
    for name in names:
        parts = PurePosixPath(name.replace("\\", "/")).parts
        if ".." in parts or name.startswith(("/", "\\")) or name[1:3] in (":/", ":\\"):
            raise RefusedError(f"its member {name!r} would lie outside of it; nothing of it is read")
        if any(part.startswith(".") or part == "__MACOSX" for part in parts):
            continue  # hidden, as in a folder
        if not wanted(name):
            left_out.append(f"/{name}: left out, not a log by its name")
        elif name in chosen:
            left_out.append(_repeated(name))
        else:
            chosen[name] = None
    _check_number(len(chosen))
    return list(chosen)


def _repeated(name: str) -> str:
    return f"/{name}: there more than once; the last of them is read"


def _check_number(n: int) -> None:
    if n > _MOST_MEMBERS:
        raise RefusedError(f"it holds more than {_MOST_MEMBERS:,} logs; unpack it and name the folder")


def _check_zip(chosen: list[zipfile.ZipInfo], size: int) -> None:
    """Check what a zip says of its members before any is unpacked; they cannot give more than it says."""
    check_growth(sum(info.file_size for info in chosen), size)
    end = 0
    for info in sorted(chosen, key=lambda info: info.header_offset):
        if info.flag_bits & _ENCRYPTED:
            raise RefusedError(f"its member {info.filename!r} is encrypted; unpack it with its password")
        if info.header_offset < end:
            raise RefusedError(f"its member {info.filename!r} lies in the midst of another")
        end = info.header_offset + info.compress_size
