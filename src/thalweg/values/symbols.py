"""Symbols: a rule runs on them to reveal its operations, formula and cost without any numbers."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from thalweg.values.arithmetic import Arithmetic, Operation

NUMBER, PER_TENSOR, TENSOR = 0, 1, 2  # extent of a symbol: one number, one per tensor, or one per element

REDUCTIONS = frozenset({"norm", "total", "mean"})
MODEL_WORDS = frozenset({"model_total", "inverse_hessian", "strong_wolfe"})  # over all tensors at once
MATRIX_WORDS = frozenset(
    {"row_means", "col_means", "orthogonal", "rows", "cols", "slice_max", "slice_min", "leading", "project", "lift"}
    | {"row_products", "col_products", "turn", "turn_back", "inverse_root", "eigenvectors", "sketch", "short_means"}
    | {"matmul", "transposed", "orthonormal", "upper", "inverse", "spectral_norm"}
)
LEVELS = {**dict.fromkeys((*REDUCTIONS, "rows", "cols"), PER_TENSOR), "model_total": NUMBER}
"""The extent of a word's result, where it is not the largest of its arguments'."""


class Symbol(Arithmetic):
    """A named input (op "input") or one operation of a rule: its name and its arguments.

    nonzero: whether it is an input that is never 0, so that `symbol == 0` is known. compute: of a word that takes a whole matrix
    and returns one of the same shape, the function of arrays, called with values for `args`.
    """

    __slots__ = ("args", "compute", "level", "name", "nonzero", "op")

    def __init__(
        self, op: str, args: tuple[Any, ...], level: int, name: str = "", nonzero: bool = False,
        compute: Callable[..., Any] | None = None,
    ) -> None:  # fmt: skip
        self.op, self.args, self.level, self.name, self.nonzero = op, args, level, name, nonzero
        self.compute = compute

    @classmethod
    def input(cls, name: str, level: int, nonzero: bool = False) -> Symbol:
        return cls("input", (), level, name, nonzero)

    @classmethod
    def of(cls, op: str, *args: Any, compute: Callable[..., Any] | None = None) -> Symbol:
        """Return the symbol for `op(*args)`."""
        level = LEVELS[op] if op in LEVELS else max(a.level for a in args if isinstance(a, Symbol))
        return cls(op, args, level, compute=compute)

    def _with(self, operate: Operation, other: Any, *, swapped: bool) -> Any:
        if not isinstance(other, Symbol | int | float):
            return NotImplemented
        if self.nonzero and operate is operator.eq and not isinstance(other, Symbol) and other == 0:
            return False
        op = operate.__name__.rstrip("_")
        return Symbol.of(op, other, self) if swapped else Symbol.of(op, self, other)

    def __neg__(self) -> Symbol:
        return Symbol.of("neg", self)

    def __abs__(self) -> Symbol:
        return Symbol.of("abs", self)

    def __array__(self, *wanted: Any, **more: Any) -> Any:
        raise TypeError("a function of NumPy's, which would take a symbol for a number")

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        raise TypeError("a function of NumPy's, which would take a symbol for a number")

    def __bool__(self) -> bool:
        what = f"'{self.name}'" if self.name else "a computed value"
        raise TypeError(
            f"`if` on {what}, whose value is not known when the rule is compiled; "
            "write where(condition, a, b), or off(x) to leave work out for a plain 0"
        )

    def __repr__(self) -> str:
        return self.name or f"{self.op}({', '.join(map(repr, self.args))})"
