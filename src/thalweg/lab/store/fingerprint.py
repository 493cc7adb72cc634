"""A fingerprint of what a configured optimizer computes: the graphs of its stages, not their source files."""

from __future__ import annotations

import ast
import functools
import hashlib
import inspect
import sys
import textwrap
from collections.abc import Iterator, Mapping
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from thalweg.core.around_stage import AroundStage
from thalweg.core.function_stage import FunctionStage
from thalweg.form import trace
from thalweg.lab.data.problem import Problem
from thalweg.lab.trials.configured import configured
from thalweg.rule import Rule
from thalweg.values.symbols import Symbol

OF_OTHERS = frozenset({*sys.stdlib_module_names, "numpy", "scipy", "jax", "jaxlib", "torch"}) - {"__main__"}
"""Packages whose functions are identified by name."""


def fingerprint(rule: Rule, problem: Problem) -> str:
    """A hash of what an untuned rule computes on a problem: each stage's graph with its memory and hyper-parameters, their
    composition, and the code that runs untraced: predicates, schedules, methods around the step.

    Comments, docstrings, local names and the location of a helper do not change it; its arithmetic does.
    """
    return _digest(
        _Telling().of((rule.name, rule.lr, [hyper.default for hyper in rule.hyper.values()], configured(rule, problem)))
    )


def _digest(told: object) -> str:
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


class _Telling:
    """Converts values to nested tuples that are equal in every process. A repeated object becomes its number."""

    def __init__(self) -> None:
        self.seen: dict[int, int] = {}
        self.held: list[Any] = []

    def of(self, x: Any) -> object:
        """The tuple of a value."""
        if x is None or isinstance(x, bool | int | float | complex | str | bytes):
            return type(x).__name__, repr(x)
        if isinstance(x, np.ndarray | np.generic):
            array = np.asarray(x)
            return "array", array.dtype.str, array.shape, hashlib.sha256(array.tobytes()).hexdigest()
        if isinstance(x, ModuleType | type | BuiltinFunctionType):
            return "name", getattr(x, "__module__", ""), getattr(x, "__qualname__", x.__name__)
        if id(x) in self.seen:
            return "again", self.seen[id(x)]
        self.seen[id(x)] = len(self.seen)
        self.held.append(x)  # keep it alive, so that no other object gets its id
        return self._new(x)

    def _new(self, x: Any) -> object:
        if isinstance(x, FunctionStage):
            return self._stage(x)
        if isinstance(x, FunctionType):
            return self._function(x)
        if isinstance(x, MethodType):
            return "method", self.of(x.__func__), self.of(x.__self__)
        if isinstance(x, Rule):
            return "rule", x.name, self.of(x.lr), self.of([h.default for h in x.hyper.values()]), self.of(x.function)
        if isinstance(x, functools.partial):
            return "partial", self.of(x.func), self.of(x.args), self.of(x.keywords)
        if any("__getstate__" in vars(kind) for kind in type(x).__mro__ if kind.__module__.startswith("thalweg.")):
            state: dict[str, Any] = x.__getstate__() or {}  # caches are not part of the value
            kept = {name: value for name, value in state.items() if not name.startswith("_")}
            return type(x).__module__, type(x).__qualname__, self.of(kept)
        if isinstance(x, Mapping):
            return "mapping", tuple((self.of(key), self.of(value)) for key, value in x.items())
        if isinstance(x, set | frozenset):
            return "set", tuple(sorted(map(repr, map(self.of, x))))
        if isinstance(x, list | tuple):
            return type(x).__name__, tuple(map(self.of, x))
        return type(x).__module__, type(x).__qualname__, self.of({**_slots(x), **getattr(x, "__dict__", {})})

    def _stage(self, stage: FunctionStage) -> object:
        declaration = stage.declaration
        known = {name: value for name, value in vars(stage).items() if name in ("owns_step", "decides", "given_grad_fn")}
        told = stage.name, self.of(known), declaration.order, self.of(declaration.memory), self.of(stage.config)
        ranges = tuple((hyper.name, hyper.static) for hyper in declaration.hyper.values())
        traces = self._graph(stage.trace), self._graph(trace.general(stage))
        code = self.of(stage.function) if isinstance(stage, AroundStage) else None  # its control flow may depend on values
        return type(stage).__qualname__, *told, ranges, *traces, code

    def _graph(self, found: trace.Trace) -> object:
        """The operations of a trace with their operands, and the indices of its results."""
        made = [found.direction, *found.memory.values(), *found.evaluations]
        same = trace.shared(made)
        place = {id(symbol): i for i, symbol in enumerate(trace.steps(made))}

        def told(x: Any) -> object:
            return ("step", place[id(same[id(x)])]) if isinstance(x, Symbol) else self.of(x)

        graph = tuple((s.op, s.name, s.level, tuple(map(told, s.args))) for s in trace.steps(made))
        return graph, tuple(map(told, made)), tuple(sorted(found.stored))

    def _function(self, function: FunctionType) -> object:
        if (function.__module__ or "").partition(".")[0] in OF_OTHERS:
            return "name", function.__module__, function.__qualname__
        known = function.__globals__
        enclosed = [cell.cell_contents for cell in function.__closure__ or ()]
        used = {name: known[name] for name in sorted(set(names_of(function.__code__))) if name in known}
        given = enclosed, function.__defaults__, function.__kwdefaults__, used
        return "function", function.__qualname__, _code(function), *map(self.of, given)


def _slots(x: Any) -> dict[str, Any]:
    names = [name for kind in type(x).__mro__ for name in getattr(kind, "__slots__", ())]
    return {name: getattr(x, name) for name in names if hasattr(x, name)}


def names_of(code: CodeType) -> Iterator[str]:
    """The names that a function's code looks up, including those of inner functions."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from names_of(constant)


def _code(function: FunctionType) -> str:
    """The source without comments and docstrings, or the bytecode if there is no source."""
    try:
        return code_of(ast.parse(textwrap.dedent(inspect.getsource(function))))
    except (OSError, TypeError, SyntaxError):
        return _compiled(function.__code__)


def code_of(tree: ast.AST) -> str:
    """Source code as text without comments and docstrings. Changes the tree."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
                node.body = node.body[1:]
    return ast.dump(tree)


def _compiled(code: CodeType) -> str:
    constants = [_compiled(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts]
    return repr((code.co_code, constants, code.co_names, code.co_varnames))
