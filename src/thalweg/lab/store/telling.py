"""Values as nested tuples that are equal in every process: what identities are hashes of."""

from __future__ import annotations

import ast
import functools
import hashlib
import inspect
import textwrap
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from types import CodeType, FunctionType, MethodType
from typing import Any

import numpy as np


class Telling(ABC):
    """Converts values to nested tuples. A repeated object becomes its number.

    Each kind of identity is a subclass: it says which values count by themselves, how a function's code is written, and what
    an object is that is neither a function nor a container.
    """

    def __init__(self) -> None:
        self.seen: dict[int, int] = {}
        self.held: list[Any] = []

    def of(self, x: Any) -> object:
        """The tuple of a value."""
        if (plain := self.plain(x)) is not None:
            return plain
        if id(x) in self.seen:
            return "again", self.seen[id(x)]
        self.seen[id(x)] = len(self.seen)
        self.held.append(x)  # keep it alive, so that no other object gets its id
        return self.new(x)

    def plain(self, x: Any) -> object | None:
        """The tuple of a value that is not numbered, such as a number or a name; None for any other."""
        if x is None or isinstance(x, bool | int | float | complex | str | bytes):
            return type(x).__name__, repr(x)
        return None

    def new(self, x: Any) -> object:
        """The tuple of an object that was not met before."""
        if isinstance(x, FunctionType):
            return self.function(x)
        if isinstance(x, MethodType):
            return "method", self.of(x.__func__), self.of(x.__self__)
        if isinstance(x, functools.partial):
            return "partial", self.of(x.func), self.of(x.args), self.of(x.keywords)
        if isinstance(x, Mapping):
            return "mapping", tuple((self.of(key), self.of(value)) for key, value in x.items())
        if isinstance(x, set | frozenset):
            return "set", tuple(sorted(map(repr, map(self.of, x))))
        if isinstance(x, list | tuple):
            return type(x).__name__, tuple(map(self.of, x))
        return self.other(x)

    def function(self, function: FunctionType) -> object:
        """The tuple of a function: its code, and the values that it reaches."""
        known = function.__globals__
        enclosed = [_content(cell) for cell in function.__closure__ or ()]
        used = {name: known[name] for name in sorted(set(_names(function.__code__))) if name in known}
        given = enclosed, function.__defaults__, function.__kwdefaults__, used
        return "function", function.__qualname__, self.code(function), *map(self.of, given)

    @abstractmethod
    def code(self, function: FunctionType) -> str:
        """The function's code as text."""

    @abstractmethod
    def other(self, x: Any) -> object:
        """The tuple of an object of any other class."""


def by_name(x: Any) -> object:
    """The tuple of a module, class or function that its name identifies."""
    return "name", getattr(x, "__module__", ""), getattr(x, "__qualname__", getattr(x, "__name__", ""))


def array_told(array: np.ndarray[Any, Any]) -> object:
    """The tuple of an array."""
    return "array", array.dtype.str, array.shape, hashlib.sha256(array.tobytes()).hexdigest()


def source_of(x: FunctionType | CodeType) -> str | None:
    """The source without comments and docstrings; None if there is none."""
    try:
        return code_of(ast.parse(textwrap.dedent(inspect.getsource(x))))
    except (OSError, TypeError, SyntaxError):
        return None


def code_of(tree: ast.AST) -> str:
    """Source code as text without comments and docstrings. Changes the tree."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
                node.body = node.body[1:]
    return ast.dump(tree)


def compiled(code: CodeType) -> str:
    """The bytecode as text."""
    constants = [compiled(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts]
    return repr((code.co_code, constants, code.co_names, code.co_varnames))


def _names(code: CodeType) -> Iterator[str]:
    """The names that a function's code looks up, including those of inner functions."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # it is bound later
        return None
