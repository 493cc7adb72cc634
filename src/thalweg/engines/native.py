"""Kernels as native code: compiled by Numba once per machine, then read from the user's cache folder.

A cache file holds the kernel as readable Python, and Numba's result as LLVM text. Loading it needs only llvmlite, so that
a process with cached kernels does not import Numba.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import hashlib
import importlib.metadata
import importlib.util
import os
import re
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from types import CodeType
from typing import Any

from thalweg.values import own_files

Step = Callable[..., int]

NUMBAS = ("numba_gil_ensure", "numba_gil_release")
"""Functions of Numba that a kernel calls if it raises an error, which it never does; yet while one is missing, LLVM leaves other
functions at address 0.
"""

_lock = threading.RLock()
_engines: list[Any] = []  # owners of the code, alive as long as the process


@functools.cache
def available() -> bool:
    """Whether Numba is available here; warns once if it is not."""
    try:
        found = all(importlib.util.find_spec(name) is not None for name in ("numba", "llvmlite", "platformdirs"))
    except ValueError:  # a module that was blocked on purpose
        found = False
    if not found:
        warnings.warn(
            "thalweg: Numba is not installed, so steps run unfused, several times slower; pip install numba platformdirs",
            RuntimeWarning, stacklevel=2,
        )  # fmt: skip
    return found


def cache_folder() -> Path:
    """Return the folder of cached kernels: THALWEG_CACHE, or the user's cache folder."""
    import platformdirs  # here, because it is not needed without kernels

    return Path(os.environ.get("THALWEG_CACHE") or platformdirs.user_cache_dir("thalweg")) / "kernels"


@functools.cache
def compiled(text: str, name: str, holds_gil: bool = False) -> Step:
    """Return the function `step` of a kernel module, called with addresses and integers.

    name: of its files in the cache folder. holds_gil: for work too short to release Python's lock.
    """
    with _lock:
        address = _address(text, name)
    prototype = ctypes.PYFUNCTYPE if holds_gil else ctypes.CFUNCTYPE
    return prototype(ctypes.c_int64, *[ctypes.c_int64] * _arity(text))(address)


def is_kept(text: str, name: str) -> bool:
    """Whether a compiled kernel is in the cache folder and only needs loading."""
    path = _file(text, name)
    kept = own_files.read(path)
    return kept is not None and _parts(kept, path) is not None


def _arity(text: str) -> int:
    found = re.search(r"def step\(([^)]*)\)", text)
    assert found is not None
    return len(found.group(1).split(","))


@functools.cache
def _address(text: str, name: str) -> int:
    path = _file(text, name)
    kept = own_files.read(path)
    parts = None if kept is None else _parts(kept, path)
    if parts is not None:
        with contextlib.suppress(RuntimeError):  # not what LLVM takes
            return loaded(*parts)
    symbol, code = _compile(text, path.with_suffix(".py"))
    own_files.write(path.with_suffix(".py"), text.encode())
    own_files.write(path, _kept(symbol, code, path))
    return loaded(symbol, code)


def _file(text: str, name: str) -> Path:
    versions = importlib.metadata.version("numba"), importlib.metadata.version("llvmlite"), sys.version
    words = [text, *versions, *_processor(), _words()]
    digest = hashlib.sha256("\0".join(words).encode()).hexdigest()[:16]
    return cache_folder() / f"{re.sub(r'[^a-z0-9_]+', '_', name.lower())[:60]}-{digest}.ll"


@functools.cache
def _words() -> str:
    """Return a digest of the functions that kernels call: their source decides what a kernel's text means."""
    package = Path(__file__).parent.parent
    own = [path for files in ("engines/words/*.py", "engines/generator.py", "values/draws.py") for path in package.glob(files)]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in sorted(own))).hexdigest()


@functools.cache
def _processor() -> tuple[str, str]:
    import llvmlite.binding as llvm  # here, because it takes a tenth of a second, and `import thalweg` needs no kernel

    return llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()


@functools.cache
def converts_half() -> bool:
    """Whether the processor itself converts float16 to float32; otherwise the code would need a compiler's library."""
    _, features = _processor()
    return "+f16c" in features or "+fullfp16" in features


def _compile(text: str, path: Path) -> tuple[str, str]:
    """Return the symbol of the module's function `step`, and its LLVM text, optimized by Numba."""
    scope: dict[str, Any] = {"__name__": f"thalweg.kernel.{path.stem}"}
    module: CodeType = compile(text, str(path), "exec")
    exec(module, scope)  # the text comes from this package
    step = scope["step"]
    return step.native_name, step.inspect_llvm()


def _kept(symbol: str, code: str, path: Path) -> bytes:
    """Return a cache file's content: the LLVM text, preceded by the symbol's name, a digest, and the kernel's source."""
    return f"; {symbol} {_digest(path.stem, symbol, code)}\n{code}".encode()


def _parts(kept: bytes, path: Path) -> tuple[str, str] | None:
    """Return symbol and text from a cache file; None for a damaged one, since some texts make LLVM end the process."""
    try:
        first, _, code = kept.decode().partition("\n")
        _, symbol, digest = first.split(" ")
    except ValueError:
        return None
    return (symbol, code) if digest == _digest(path.stem, symbol, code) else None


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def loaded(symbol: str, code: str) -> int:
    """The address of a function in LLVM's text, made native code."""
    import llvmlite.binding as llvm  # as in `_processor`

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    cpu, features = _processor()
    machine = llvm.Target.from_default_triple().create_target_machine(cpu=cpu, features=features, opt=3, jit=True)
    for name in NUMBAS:
        if llvm.address_of_symbol(name) is None:
            llvm.add_symbol(name, ctypes.cast(ctypes.pythonapi.PyErr_Clear, ctypes.c_void_p).value)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(code), machine)
    engine.finalize_object()
    address = engine.get_function_address(symbol)
    _engines.append(engine)
    return int(address)
