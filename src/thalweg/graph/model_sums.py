"""Sums over the whole model as symbols, each identified by its stage, over whose tensors it runs."""

from __future__ import annotations

from typing import Any

from thalweg.form import trace
from thalweg.values.symbols import NUMBER, Symbol

MODEL_SUMS = frozenset({"model_total", "model_norm"})


def model_norm(x: Symbol) -> Symbol:
    """The norm over all tensors that arrive at a stage."""
    return Symbol("model_norm", (x,), NUMBER)


def sums_of(results: list[Any]) -> list[str]:
    """Return the names of the model-wide sums that the results depend on."""
    return [symbol.op for symbol in trace.steps(results) if symbol.op in MODEL_SUMS]


def belong_to(path: tuple[str, ...], results: list[Any]) -> None:
    """Rename a stage's model-wide sums so that they contain its path; equal sums share a name.

    The sums of two stages run over different tensors, even if they look alike in the graph of one tensor.
    """
    first = trace.shared(results)
    names: dict[int, str] = {}
    for symbol in trace.every(results):
        if symbol.op in MODEL_SUMS and not symbol.name:
            symbol.name = names.setdefault(id(first[id(symbol)]), f"{'/'.join(path)}/{len(names)}")
