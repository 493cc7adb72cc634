"""The cost of a step, read from its trace: state, memory traffic, operations, and how far the rule looks."""

from __future__ import annotations

from typing import NamedTuple

from thalweg.core.stage import Stage
from thalweg.core.ways import Way, ways
from thalweg.form.trace import is_zero, steps
from thalweg.values.symbols import MATRIX_WORDS, MODEL_WORDS, NUMBER, PER_TENSOR, REDUCTIONS, TENSOR, Symbol


class Cost(NamedTuple):
    """The cost of one step per parameter: numbers of state, bytes moved, arithmetic operations; with `choose`, by branch too.

    `bytes_moved` counts each tensor read and each tensor written once, and one more read for each tensor under a norm or a
    matrix word.
    """

    state_per_parameter: float
    state_bytes: float
    bytes_moved: float
    operations: int
    branches: tuple[tuple[str, Cost], ...] = ()

    @property
    def usual(self) -> Cost:
        """The cost of the first branch if there are several: the branch for matrices, which are most of a network."""
        return self.branches[0][1]._replace(branches=self.branches) if self.branches else self


def cost(stage: Stage, itemsize: int) -> Cost:
    """Return the cost of a stage or chain, including the parameter's own update.

    With `choose` this is an upper bound: each number is the largest over the branches, and `branches` has the cost of each
    beside its condition. With `every` it is the cost of a call that steps.
    """
    each = [(way.where, _of_way(way, itemsize)) for way in ways(stage)]
    if len(each) == 1:
        return each[0][1]
    found = [own for _, own in each]
    return Cost(
        max(own.state_per_parameter for own in found),
        max(own.state_bytes for own in found),
        max(own.bytes_moved for own in found),
        max(own.operations for own in found),
        tuple(each),
    )


def _of_way(way: Way, itemsize: int) -> Cost:
    state, moved, operations = 0.0, 0.0, 2  # lr * d, and p minus it
    if way.calls > 1:  # read the sum of gradients and reset it; one + and one /
        state, moved, operations = 1.0, 2.0, 4
    reads, again = {"p", "grad"}, 1.0  # the input is read again: the gradient, or an earlier result
    for part in way.functions:
        traced = part.trace
        kinds = part.declaration.memory
        state += sum(kinds[slot].per_parameter for slot in traced.stored)
        for symbol in traced.computed:
            if symbol.op == "input" and symbol.level == TENSOR and symbol.name in kinds:
                moved += kinds[symbol.name].per_parameter
            elif symbol.op in REDUCTIONS | MODEL_WORDS or (symbol.op in MATRIX_WORDS and symbol.level == TENSOR):
                sizes = {name: kind.per_parameter for name, kind in kinds.items()} | {"g": again}
                moved += sum(sizes.get(name, 1.0) for name in _read_by(symbol))
        moved += sum(kinds[slot].per_parameter for slot in traced.changed)
        moved += again if "gnorm" in part.asks else 0.0
        again = again if traced.direction is traced.inputs.get("g") else 2.0
        reads |= {"curvature"} & part.asks  # noise is drawn where it is used
        operations += sum(s.level == TENSOR and s.op != "input" for s in traced.computed)
    moved += len(reads) + 1  # p, the gradient (and a curvature) in; p out
    return Cost(state, state * itemsize, moved * itemsize, operations)


def _read_by(word: Symbol) -> set[str]:
    """Return the tensors that a word reads once more. The result of an earlier reduction is small and does not count."""
    waiting, found = list(word.args), set()
    while waiting:
        symbol = waiting.pop()
        if (
            not isinstance(symbol, Symbol)
            or symbol.op in ("row_means", "col_means", "slice_min", "leading", "project")
            or symbol.level < TENSOR
            or is_zero(symbol)
        ):
            continue
        if symbol.op == "input":
            found.add(symbol.name)
        waiting += symbol.args
    return found


def word_kind(stage: Stage) -> str:
    """Return how far a rule looks beyond its own coordinate: 'element-wise', 'tensor norms', 'matrices' or 'whole model'."""
    kinds = {"element-wise"}
    for part in stage.functions:
        traced = part.trace
        if part.asks & {"gnorm", "loss"} or any(k.level == NUMBER for k in part.memory.values()):
            kinds.add("whole model")
        for symbol in steps(traced.results):
            if symbol.op in MODEL_WORDS:
                kinds.add("whole model")
            elif symbol.op in MATRIX_WORDS:
                kinds.add("matrices")
            elif symbol.level == PER_TENSOR:
                kinds.add("tensor norms")
    return next(k for k in ("whole model", "matrices", "tensor norms", "element-wise") if k in kinds)
