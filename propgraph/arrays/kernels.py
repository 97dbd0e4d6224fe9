"""Compiled kernels: how they are compiled, and where their machine code waits for the next start.

Compiling takes half a second a kernel, so what was compiled once is kept in the user's cache folder, outside the
package: it may be installed where nobody can write. numba's own cache knows a kernel by the file that it stands in,
and so runs old code after an upgrade that changed only what the kernel calls; and two processes that start at once may
write into each other's index. Here a file's name is a digest of all that the machine code comes from, without index.
"""

from __future__ import annotations

import gc
import hashlib
import logging
import os
import pickle
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from enum import EnumMeta
from errno import ENOENT
from functools import cache, cached_property
from pathlib import Path
from tempfile import NamedTemporaryFile
from types import CodeType, ModuleType
from typing import Any

import llvmlite
import numba
import numpy as np
from numba import types
from numba.core import config, sigutils
from numba.core.caching import _Cache
from numba.core.compiler import CompileResult
from numba.core.dispatcher import Dispatcher
from numba.core.serialize import dumps
from numba.misc.appdirs import AppDirs

_log = logging.getLogger(__name__)

#: Days after which machine code that nobody used is taken out, when newer code of the same kernel is put in.
_KEPT_DAYS = 60
_DAY_S = 86_400
_CHECK = hashlib.sha256().digest_size


def kernel(function: Callable[..., Any], /) -> Any:
    """Return a function compiled on its first call, or taken from the cache; it lets other threads run."""
    return _compiled(function)


def inlined(function: Callable[..., Any], /) -> Any:
    """Return a kernel that is put into those that call it, where a call would take longer than what it does."""
    return _compiled(function, inline="always")


def _compiled(function: Callable[..., Any], **options: Any) -> Any:
    # Nothing here is called from C, and a way in for it takes a tenth of the time to compile.
    made: Any = numba.njit(nogil=True, no_cfunc_wrapper=True, **options)(function)
    if hasattr(made, "_cache"):  # and not the plain function, with NUMBA_DISABLE_JIT
        made._cache = KernelCache(made)
        _compile_once(made)
    return made


def _compile_once(made: Any) -> None:
    """Have a kernel that is called with a number written in the code compiled as for any number.

    numba compiles it for each such number by itself. While it compiles, no garbage is looked for: there is next to
    none, and looking takes a tenth of the time.
    """
    asked, compiled = made.get_call_template, made._compiler.compile

    def get_call_template(args: Any, kws: Any) -> Any:
        return asked(
            tuple(map(types.unliteral, args)), {name: types.unliteral(kind) for name, kind in kws.items()}
        )

    def compile(args: Any, return_type: Any) -> Any:
        looked = gc.isenabled()
        gc.disable()
        try:
            return compiled(args, return_type)
        finally:
            if looked:
                gc.enable()

    made.get_call_template, made._compiler.compile = get_call_template, compile


@cache
def cache_folder() -> Path | None:
    """Return where machine code is kept; None where it can be kept nowhere, and is compiled at every start.

    That is `NUMBA_CACHE_DIR` where it is set, else the platform's folder for the user's caches. Never a folder for all
    users: who can write there chooses what we run.
    """
    chosen = config.CACHE_DIR or AppDirs(appname="propgraph", appauthor=False).user_cache_dir
    folder = Path(chosen) / ("propgraph-kernels" if config.CACHE_DIR else "kernels")
    try:
        # Whom the machine gives no home, as containers do that run as any number, has a folder named "~" for it.
        if not config.CACHE_DIR and not folder.is_absolute():
            raise FileNotFoundError(ENOENT, "no home folder")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=folder):
            pass
    except OSError as error:
        _log.warning(
            "compiled code cannot be kept in %s (%s), so that every start takes longer; "
            "NUMBA_CACHE_DIR names another folder",
            folder,
            error.strerror,
        )
        return None
    return folder


class KernelCache(_Cache):  # type: ignore[misc]
    """The machine code of one kernel on disk: a file for each types of arguments, written whole or not at all."""

    def __init__(self, dispatcher: Any) -> None:
        self._dispatcher = dispatcher
        self._enabled = True

    @property
    def cache_path(self) -> str | None:
        """The folder, or None."""
        return None if (folder := cache_folder()) is None else str(folder)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return what was compiled for arguments of these types, or None."""
        target_context.refresh()  # or what the code calls of numba has no address yet, and running it crashes
        path = self._file(sig, target_context.codegen()) if self._enabled else None
        if path is None:
            return None
        try:
            data = path.read_bytes()
            # A file that the disk lost a part of is compiled anew, not run.
            if hashlib.sha256(data[_CHECK:]).digest() != data[:_CHECK]:
                return None
            if time.time() - path.stat().st_mtime > _DAY_S:
                os.utime(path)
        except OSError:
            return None
        return CompileResult._rebuild(target_context, *pickle.loads(data[_CHECK:]))

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep what was compiled, where it can be."""
        path = self._file(sig, data.codegen) if self._enabled else None
        if path is None or data.lifted or data.library.has_dynamic_globals:
            return
        payload = dumps(data._reduce())
        with suppress(OSError):  # a full disk, or another process has it open: the next start compiles it
            _write(path, hashlib.sha256(payload).digest() + payload)
            _take_out_old(path)

    def enable(self) -> None:
        """Read and write again."""
        self._enabled = True

    def disable(self) -> None:
        """Neither read nor write."""
        self._enabled = False

    def flush(self) -> None:
        """Take out what is kept of this kernel."""
        if (folder := cache_folder()) is not None:
            for path in folder.glob(f"{self._name}-*"):
                path.unlink(missing_ok=True)

    @property
    def _name(self) -> str:
        function = self._dispatcher.py_func
        return f"{function.__module__}.{function.__qualname__}".replace("<", "").replace(">", "")

    @cached_property
    def _origin(self) -> bytes:
        """Digest of the kernel, of all that it calls and takes from around it, and of what compiles them."""
        parts = hashlib.sha256()
        for part in (*_compilers(), *_parts(self._dispatcher, set())):
            parts.update(part.encode("utf-8", "surrogatepass") + b"\0")
        return parts.digest()

    def _file(self, sig: Any, codegen: Any) -> Path | None:
        folder, kinds = cache_folder(), str(sigutils.normalize_signature(sig))
        # A type that is told by its address is another one in the next process.
        if folder is None or " at 0x" in kinds:
            return None
        told = f"{kinds}\0{codegen.magic_tuple()}".encode()
        return folder / f"{self._name}-{hashlib.sha256(self._origin + told).hexdigest()[:32]}"


def _compilers() -> Iterator[str]:
    yield from (numba.__version__, llvmlite.__version__, np.__version__, sys.implementation.cache_tag or "")
    for name in ("OPT", "LOOP_VECTORIZE", "SLP_VECTORIZE", "BOUNDSCHECK", "DEBUGINFO_DEFAULT", "USING_SVML"):
        yield f"{name}={getattr(config, name, None)}"


def _parts(dispatcher: Any, seen: set[int]) -> Iterator[str]:
    """Yield all that a kernel's machine code comes from, each kernel that it calls once."""
    if id(dispatcher) in seen:
        return
    seen.add(id(dispatcher))
    function = dispatcher.py_func
    yield f"{function.__module__}.{function.__qualname__}{function.__defaults__}"
    yield f"{sorted(dispatcher.targetoptions.items())}"
    names: list[str] = []
    yield from _code(function.__code__, names)
    around = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    for name in names:
        if name in around:
            yield from _value(name, around[name].cell_contents, seen)
        elif name in function.__globals__:
            found = function.__globals__[name]
            yield from _value(name, found, seen)
            if isinstance(found, ModuleType) and found.__name__.startswith("propgraph"):
                for below in names:
                    yield from _value(below, getattr(found, below, None), seen)


def _code(code: CodeType, names: list[str]) -> Iterator[str]:
    """Yield what code does, whatever line it stands in; add the names that it looks up."""
    names.extend((*code.co_names, *code.co_freevars))
    yield f"{code.co_code.hex()}{code.co_names}{code.co_varnames}{code.co_freevars}{code.co_cellvars}"
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _code(constant, names)
        else:
            yield repr(constant)


def _value(name: str, value: Any, seen: set[int]) -> Iterator[str]:
    """Yield what a kernel takes from around it: numba compiles values in."""
    if isinstance(value, Dispatcher):
        yield from _parts(value, seen)
    elif isinstance(value, np.ndarray):
        yield f"{name}={value.dtype}{value.shape}{value.tobytes().hex()}"
    elif isinstance(value, EnumMeta):
        yield f"{name}={[(member.name, member.value) for member in value]}"  # type: ignore[var-annotated]
    elif isinstance(value, ModuleType) or callable(value):
        yield f"{name}={getattr(value, '__module__', '')}.{getattr(value, '__qualname__', value.__name__)}"
    else:
        yield f"{name}={value!r}"


def _write(path: Path, data: bytes) -> None:
    with NamedTemporaryFile(dir=path.parent, prefix="new-", delete=False) as file:
        try:
            file.write(data)
            file.close()
            os.replace(file.name, path)
        except BaseException:
            file.close()
            os.unlink(file.name)
            raise


def _take_out_old(path: Path) -> None:
    """Take out what is older of the same kernel, and what a process that was killed left half written."""
    for pattern, days in ((f"{path.name.rpartition('-')[0]}-*", _KEPT_DAYS), ("new-*", 1)):
        for other in path.parent.glob(pattern):
            if other.stat().st_mtime < time.time() - days * _DAY_S:
                other.unlink(missing_ok=True)
