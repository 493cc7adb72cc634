"""A fingerprint of what a configured optimizer computes: the graphs of its stages, not their source files."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

import numpy as np

from thalweg.core.around_stage import AroundStage
from thalweg.core.function_stage import FunctionStage
from thalweg.core.rule_stage import RuleStage
from thalweg.form import trace
from thalweg.lab.data.problem import Problem
from thalweg.lab.store import user_code
from thalweg.lab.store.holding import Unseen, attributes, held
from thalweg.lab.store.telling import Telling, array_told, by_name, compiled, source_of
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
        _RuleTelling().of((rule.name, rule.lr, [hyper.default for hyper in rule.hyper.values()], configured(rule, problem)))
    )


def _digest(told: object) -> str:
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


class _RuleTelling(Telling):
    """Tells a stage by its graph, and the code around it by its source."""

    def plain(self, x: Any) -> object | None:
        if (plain := super().plain(x)) is not None:
            return plain
        if isinstance(x, np.ndarray | np.generic):
            return array_told(np.asarray(x))
        if isinstance(x, ModuleType) and user_code.is_own(getattr(x, "__file__", None)):
            return "module", tuple(user_code.told([Path(str(x.__file__))]))
        return by_name(x) if isinstance(x, ModuleType | type | BuiltinFunctionType) else None

    def new(self, x: Any) -> object:
        if isinstance(x, FunctionStage):
            return self._stage(x)
        if isinstance(x, Rule):
            return "rule", x.name, self.of(x.lr), self.of([h.default for h in x.hyper.values()]), self.of(x.function)
        if any("__getstate__" in vars(kind) for kind in type(x).__mro__ if kind.__module__.startswith("thalweg.")):
            state: dict[str, Any] = x.__getstate__() or {}  # caches are not part of the value
            kept = {name: value for name, value in state.items() if not name.startswith("_")}
            return type(x).__module__, type(x).__qualname__, self.of(kept)
        return super().new(x)

    def function(self, function: FunctionType) -> object:
        of_others = (function.__module__ or "").partition(".")[0] in OF_OTHERS
        return by_name(function) if of_others else super().function(function)

    def code(self, function: FunctionType) -> str:
        return source_of(function) or compiled(function.__code__)

    def other(self, x: Any) -> object:
        try:
            parts = held(x)
        except Unseen:
            parts = (attributes(x),)
        return type(x).__module__, type(x).__qualname__, *map(self.of, parts)

    def _stage(self, stage: FunctionStage) -> object:
        declaration = stage.declaration
        known: dict[str, Any] = {}
        if isinstance(stage, RuleStage):
            known = {"owns_step": stage.owns_step, "given_grad_fn": stage.rule.given_grad_fn}
        elif isinstance(stage, AroundStage):
            known = {"owns_step": stage.owns_step, "decides": stage.decides}
        told = stage.name, self.of(known), declaration.order, self.of(declaration.memory), self.of(stage.config)
        ranges = tuple((hyper.name, hyper.static) for hyper in declaration.hyper.values())
        traces = self._graph(stage.trace), self._graph(trace.Trace(stage, general=True))
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
