"""The identity of a function that is in no file: one of a notebook, a lambda, or one inside another function."""

from __future__ import annotations

import builtins
import inspect
import os
import sys
import sysconfig
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

import thalweg
from thalweg.lab.store.telling import Telling, array_told, by_name, compiled, source_of
from thalweg.lab.training.identity import digest

INSTALLED = tuple({sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib", "platstdlib")})
OURS = str(Path(thalweg.__file__).parent)


def of_function(function: Any) -> str:
    """A hash of the function's code and of all that it reaches outside installed packages: functions, classes, values."""
    return digest(repr(_Reach().of(function)))


class _Reach(Telling):
    """Tells what is installed by its name, and all else by its code and its values."""

    def plain(self, x: Any) -> object | None:
        return by_name(x) if isinstance(x, ModuleType) or _is_installed(x) else super().plain(x)

    def code(self, function: FunctionType) -> str:
        """The source of a function that has a name; a lambda's would hold its whole line."""
        code = function.__code__
        source = None if code.co_name == "<lambda>" else source_of(code)
        return source or compiled(code)

    def other(self, x: Any) -> object:
        if isinstance(x, type):
            return "class", x.__qualname__, tuple(map(self.of, x.__bases__)), self._members(x)
        if (array := _array(x)) is not None:
            return array_told(array)
        if isinstance(x, os.PathLike):
            return "path", os.fspath(x)
        known = {} if _root(type(x)) in sys.stdlib_module_names - {"__main__"} else getattr(x, "__dict__", {})
        return "object", self.of(type(x)), self.of(known)

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
