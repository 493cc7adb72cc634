"""The identity of a live function: its code, and all the values that it reaches."""

from __future__ import annotations

import dis
import functools
import sys
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from thalweg.lab.store import user_code
from thalweg.lab.store.holding import Unseen, held
from thalweg.lab.store.telling import Telling, array_told, by_name, closure, compiled, names, source_of
from thalweg.lab.training.identity import digest

NO_CODE = {
    *("__module__", "__qualname__", "__doc__", "__dict__", "__weakref__", "__firstlineno__", "__static_attributes__"),
    *("__slotnames__", "_abc_impl"),
}
"""What stands in the dictionary of a class and decides nothing."""
COMPILERS = ("numba.", "torch._dynamo.")
"""Packages whose compiled functions hold what differs from process to process; the function itself is their `__wrapped__`."""
HEAP = 1 << 9
"""The flag of a class that is made while Python runs; the others are part of it."""


@dataclass(frozen=True)
class Reached:
    """The identity of a function, and the kinds of objects that it reaches and nothing can look into: with one, the identity
    is new each time.
    """

    digest: str
    unseen: tuple[str, ...]


def of_function(function: Any) -> str:
    """A hash of the function's code and of all that it reaches outside installed packages: functions, classes, values, files."""
    return reached(function).digest


def reached(function: Any) -> Reached:
    """The identity of a function."""
    reach = _Reach()
    try:
        told = repr(reach.of(function))
    except RecursionError:
        told = reach.hidden("values in values without end")
    return Reached(digest(told, *user_code.told(reach.files)), tuple(sorted(reach.unseen)))


class _Reach(Telling):
    """Tells what is installed by its name, and all else by its code, its file and its values."""

    def __init__(self) -> None:
        super().__init__()
        self.files: set[Path] = set()
        self.unseen: set[str] = set()

    def plain(self, x: Any) -> object | None:
        if (plain := super().plain(x)) is not None:
            return plain
        if isinstance(x, ModuleType):
            self._count(x)
            return by_name(x)
        return by_name(x) if _is_installed(x) else None

    def function(self, function: FunctionType) -> object:
        known, code = function.__globals__, function.__code__
        if str(known.get("__name__")).startswith(COMPILERS) and hasattr(function, "__wrapped__"):
            return self.of(function.__wrapped__)
        enclosed = closure(function)
        if not user_code.is_own(code.co_filename):  # a package made it, perhaps around a function of the user's
            return "made", known.get("__name__"), code.co_qualname, self.of((enclosed, function.__defaults__, function.__dict__))
        self._count_file(code.co_filename)
        for one in _imports(code):
            self.files.update(user_code.imported(one, Path()))
        used = names(code)
        modules = [x for x in (*enclosed, *(known[name] for name in sorted(used) if name in known)) if isinstance(x, ModuleType)]
        return super().function(function), self.of(_values(modules, used))

    def code(self, function: FunctionType) -> str:
        """The source of a function that has a name; a lambda's would hold its whole line."""
        code = function.__code__
        source = None if code.co_name == "<lambda>" else source_of(code)
        return source or compiled(code)

    def other(self, x: Any) -> object:
        if isinstance(x, type):
            self._count(sys.modules.get(x.__module__))
            members = [(name, self.of(value)) for name, value in sorted(vars(x).items()) if name not in NO_CODE]
            return "class", x.__qualname__, self.of(type(x)), tuple(map(self.of, x.__bases__)), members
        if isinstance(x, BuiltinFunctionType):
            self._count(sys.modules.get(x.__module__ or ""))
            return "bound", x.__name__, self.of(x.__self__)
        if (type(x) is np.ndarray or isinstance(x, np.generic)) and not x.dtype.hasobject:
            return array_told(np.asarray(x))
        if any(x is stream for stream in (sys.stdout, sys.stderr, sys.stdin)):
            return "stream"
        return "object", self.of(type(x)), self._holding(x)

    def _holding(self, x: Any) -> object:
        """What an object holds; of a function that a package has compiled, the function."""
        wrapped = getattr(x, "__dict__", {}).get("__wrapped__")
        if wrapped is not None and type(x).__module__.startswith(COMPILERS):
            return self.of(wrapped)
        try:
            parts = held(x)
        except Unseen:
            if wrapped is not None and not user_code.is_own(_file(type(x).__module__)):
                return self.of(wrapped)
            return self.hidden(f"{type(x).__module__}.{type(x).__qualname__}".removeprefix("builtins."))
        return tuple(map(self.of, parts))

    def hidden(self, kind: str) -> str:
        """A word for what nothing can look into, another one each time."""
        self.unseen.add(kind)
        return uuid.uuid4().hex

    def _count(self, module: ModuleType | None) -> None:
        """Count the file of a module, if it is the user's own."""
        self._count_file(getattr(module, "__file__", None))

    def _count_file(self, file: str | None) -> None:
        if file is not None and user_code.is_own(file) and Path(file).is_file():
            self.files.add(Path(file))


def _is_installed(x: Any) -> bool:
    """Whether it is a part of a package, which its name identifies."""
    if isinstance(x, BuiltinFunctionType):
        return (x.__self__ is None or isinstance(x.__self__, ModuleType)) and not _is_own(x.__module__ or "builtins")
    if isinstance(x, type):
        return not x.__flags__ & HEAP or _is_found(x)
    return (isinstance(x, FunctionType) or _is_installed(type(x))) and _is_found(x)


def _is_found(x: Any) -> bool:
    """Whether a package has the object under the name that it says, as pickles ask."""
    module, name = getattr(x, "__module__", None), getattr(x, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(name, str) or _is_own(module):
        return False
    return functools.reduce(lambda o, part: getattr(o, part, None), name.split("."), sys.modules.get(module)) is x


def _is_own(module: str) -> bool:
    """Whether a module of this name is the user's own: it has a file that is, or none, as the main module of a notebook."""
    if (file := _file(module)) is not None:
        return user_code.is_own(file)
    root = module.partition(".")[0]
    if root != module:
        return _is_own(root)
    return module == "__main__" or module not in sys.stdlib_module_names


def _file(module: str) -> str | None:
    return getattr(sys.modules.get(module), "__file__", None)


def _values(modules: Iterable[ModuleType], used: set[str]) -> dict[str, Any]:
    """The values that code may read as attributes of own modules, and of own modules in these."""
    found, todo, seen = dict[str, Any](), list(modules), set[str]()
    while todo:
        module = todo.pop()
        if module.__name__ in seen or not _is_own(module.__name__):
            continue
        seen.add(module.__name__)
        for name in sorted(used & vars(module).keys()):
            value = vars(module)[name]
            if isinstance(value, ModuleType):
                todo.append(value)
            found[f"{module.__name__}.{name}"] = value
    return dict(sorted(found.items()))


def _imports(code: CodeType) -> Iterator[user_code.Import]:
    """The modules that code imports, or names in a text, as for `import_module`."""
    yield from (user_code.Import(0, each.argval) for each in dis.get_instructions(code) if each.opname == "IMPORT_NAME")
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _imports(constant)
        elif isinstance(constant, str):
            yield from user_code.in_text(constant)
