"""Sums over the whole model as symbols: each is known by the stage that takes it, whose tensors are those that it sums over."""

from __future__ import annotations

from typing import Any

from thalweg.form import trace
from thalweg.values.symbols import NUMBER, Symbol

MODEL_SUMS = frozenset({"model_total", "model_norm"})


def model_norm(x: Symbol) -> Symbol:
    """The norm of what arrives at a stage, over all tensors that do."""
    return Symbol("model_norm", (x,), NUMBER)


def sums_of(results: list[Any]) -> list[str]:
    """The words of sums over the model that results are computed from."""
    return [symbol.op for symbol in trace.steps(results) if symbol.op in MODEL_SUMS]


def belong_to(path: tuple[str, ...], results: list[Any]) -> None:
    """Give the sums over the model that a stage takes names with its path in them, equal ones one name.

    Two stages' sums are of different tensors, though they may be alike in the graph of one of them.
    """
    first = trace.shared(results)
    names: dict[int, str] = {}
    for symbol in trace.every(results):
        if symbol.op in MODEL_SUMS and not symbol.name:
            symbol.name = names.setdefault(id(first[id(symbol)]), f"{'/'.join(path)}/{len(names)}")
