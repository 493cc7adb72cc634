"""Values as nested tuples that are equal in every process: what identities are hashes of."""

from __future__ import annotations

import ast
import hashlib
import inspect
import textwrap
from abc import ABC, abstractmethod
from functools import WRAPPER_ASSIGNMENTS
from types import CodeType, FunctionType, MappingProxyType, MethodType
from typing import Any

import numpy as np

from thalweg.lab.store.holding import held

PLAIN = (bool, int, float, complex, str, bytes)
"""Kinds of values that their `repr` tells. Not those of a subclass: it may hold more, and its `repr` is the user's code."""


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
        return (type(x).__name__, repr(x)) if x is None or type(x) in PLAIN else None

    def new(self, x: Any) -> object:
        """The tuple of an object that was not met before."""
        if isinstance(x, FunctionType):
            return self.function(x)
        if isinstance(x, MethodType):
            return "method", self.of(x.__func__), self.of(x.__self__)
        if isinstance(x, CodeType):
            return "code", compiled(x)
        if type(x) in (dict, MappingProxyType):
            copied = WRAPPER_ASSIGNMENTS if "__wrapped__" in x else ()  # of the function that is told as what is wrapped
            return "mapping", tuple((self.of(key), self.of(value)) for key, value in x.items() if key not in copied)
        if type(x) in (set, frozenset):
            return "set", tuple(sorted(map(repr, map(self.of, x))))
        if type(x) in (list, tuple):
            return type(x).__name__, tuple(map(self.of, x))
        return self.other(x)

    def function(self, function: FunctionType) -> object:
        """The tuple of a function: its code, and the values that it reaches."""
        known = function.__globals__
        used = {name: known[name] for name in sorted(names(function.__code__)) if name in known}
        given = closure(function), function.__defaults__, function.__kwdefaults__, used, function.__dict__
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
    return "array", str(array.dtype), array.shape, hashlib.sha256(array.tobytes()).hexdigest()


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
    return dumped(tree)


def dumped(x: Any) -> str:
    """A syntax tree as text, the same in each version of Python: `ast.dump` as of 3.11, where later ones have other fields."""
    if isinstance(x, list):
        return f"[{', '.join(map(dumped, x))}]"
    if not isinstance(x, ast.AST):
        return repr(x)
    fields = [
        f"{name}={dumped(value)}"
        for name, value in ast.iter_fields(x)
        if not (value is None and getattr(type(x), name, ...) is None) and not (name == "type_params" and not value)
    ]
    return f"{type(x).__name__}({', '.join(fields)})"


def compiled(code: CodeType) -> str:
    """The bytecode as text."""
    return repr((code.co_code, list(map(_constant, code.co_consts)), code.co_names, code.co_varnames))


def _constant(x: Any) -> str:
    if isinstance(x, CodeType):
        return compiled(x)
    return repr(sorted(map(repr, x))) if isinstance(x, frozenset) else repr(x)


def names(code: CodeType) -> set[str]:
    """The names that a function's code looks up, including those of inner functions, and texts that may be names."""
    found = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found |= names(constant)
        elif isinstance(constant, str) and constant.isidentifier():
            found.add(constant)
    return found


def closure(function: FunctionType) -> list[Any]:
    """The values of the enclosing function that a function uses."""
    return [value for cell in function.__closure__ or () for value in held(cell)]
