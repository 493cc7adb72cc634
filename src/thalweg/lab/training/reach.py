"""The identity of a function that is in no file: one of a notebook, a lambda, or one inside another function."""

from __future__ import annotations

import builtins
import functools
import hashlib
import inspect
import os
import sys
import sysconfig
import textwrap
from ast import parse
from collections.abc import Mapping
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

import thalweg
from thalweg.lab.store.fingerprint import code_of, names_of
from thalweg.lab.training.identity import digest

INSTALLED = tuple({sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib", "platstdlib")})
OURS = str(Path(thalweg.__file__).parent)


def of_function(function: Any) -> str:
    """A hash of the function's code and of all that it reaches outside installed packages: functions, classes, values."""
    return digest(repr(_Reach().of(function)))


class _Reach:
    """Converts values to nested tuples. A repeated object becomes its number."""

    def __init__(self) -> None:
        self.seen: dict[int, int] = {}
        self.held: list[Any] = []

    def of(self, x: Any) -> object:
        """The tuple of a value."""
        if x is None or isinstance(x, bool | int | float | complex | str | bytes):
            return type(x).__name__, repr(x)
        if isinstance(x, ModuleType) or _is_installed(x):
            return "name", getattr(x, "__module__", ""), getattr(x, "__qualname__", getattr(x, "__name__", ""))
        if id(x) in self.seen:
            return "again", self.seen[id(x)]
        self.seen[id(x)] = len(self.seen)
        self.held.append(x)  # keep it alive, so that no other object gets its id
        return self._new(x)

    def _new(self, x: Any) -> object:
        if isinstance(x, FunctionType):
            return self._function(x)
        if isinstance(x, MethodType):
            return "method", self.of(x.__func__), self.of(x.__self__)
        if isinstance(x, functools.partial):
            return "partial", self.of(x.func), self.of(x.args), self.of(x.keywords)
        if isinstance(x, type):
            return "class", x.__qualname__, [self.of(base) for base in x.__bases__], self._members(x)
        if isinstance(x, Mapping):
            return "mapping", [(self.of(key), self.of(value)) for key, value in x.items()]
        if isinstance(x, set | frozenset):
            return "set", sorted(repr(self.of(each)) for each in x)
        if isinstance(x, list | tuple):
            return type(x).__name__, [self.of(each) for each in x]
        if (array := _array(x)) is not None:
            return "array", array.dtype.str, array.shape, hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
        if isinstance(x, os.PathLike):
            return "path", os.fspath(x)
        known = {} if _root(type(x)) in sys.stdlib_module_names - {"__main__"} else getattr(x, "__dict__", {})
        return "object", self.of(type(x)), self.of(known)

    def _function(self, function: FunctionType) -> object:
        known = function.__globals__
        enclosed = [_content(cell) for cell in function.__closure__ or ()]
        used = {name: known[name] for name in sorted(set(names_of(function.__code__))) if name in known}
        given = enclosed, function.__defaults__, function.__kwdefaults__, used
        return "function", function.__qualname__, _code(function.__code__), *map(self.of, given)

    def _members(self, kind: type) -> list[object]:
        return [
            (name, self.of(value.__func__ if isinstance(value, staticmethod | classmethod) else value))
            for name, value in sorted(vars(kind).items())
            if not (name.startswith("__") and not isinstance(value, FunctionType))
        ]


def _is_installed(x: Any) -> bool:
    """Whether it is a function or class of a package, which its name identifies."""
    if isinstance(x, FunctionType):
        return x.__code__.co_filename.startswith((*INSTALLED, OURS))
    if not isinstance(x, type) and not inspect.isbuiltin(x):
        return False
    root = _root(x)
    if root == "__main__":
        return False
    if root == "builtins":  # also what a class of code run by `exec` says
        return hasattr(builtins, x.__name__) or not isinstance(x, type)
    file = getattr(sys.modules.get(root), "__file__", None)
    return root == "thalweg" or file is None or file.startswith(INSTALLED)


def _root(x: Any) -> str:
    """The package of a function or class."""
    return (getattr(x, "__module__", None) or "builtins").partition(".")[0]


def _array(x: Any) -> np.ndarray[Any, Any] | None:
    """x as an array, if it is one of any framework."""
    if not hasattr(x, "dtype") or not hasattr(x, "shape"):
        return None
    try:
        return np.asarray(x.detach().cpu() if hasattr(x, "detach") else x)
    except Exception:  # an array of a dtype that NumPy lacks
        return None


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # it is bound later
        return None


def _code(code: CodeType) -> str:
    """The source without comments and docstrings; of a lambda, and without a source, the bytecode."""
    if code.co_name != "<lambda>":
        try:
            return code_of(parse(textwrap.dedent(inspect.getsource(code))))
        except (OSError, TypeError, SyntaxError):
            pass
    inner = [_code(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts]
    return repr((code.co_code, inner, code.co_names, code.co_varnames))
