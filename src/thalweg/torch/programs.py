"""Interpreted steps, for tensors in layouts that no kernel here can read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from thalweg.core.function_stage import to_float_or_lanes
from thalweg.core.leaf import number_at
from thalweg.form.draws import draw
from thalweg.form.trace import steps
from thalweg.graph.model_sums import sums_of
from thalweg.graph.program import NotTraced, Program, program
from thalweg.torch import interpreter as interpreter
from thalweg.torch.groups import DTYPES, ConfiguredGroup, Members
from thalweg.torch.ledger import Ledger
from thalweg.torch.tensors import DENSE, PLAIN, Tensor, flat, flat_into, gradient_of
from thalweg.values.draws import MASK, halves, hashed
from thalweg.values.noise import halves_of
from thalweg.values.symbols import MATRIX_WORDS


def by_programs(members: Iterable[Members], ledger: Ledger, loss: Any, scale: Any) -> None:
    """Interpret the step of each tensor's program.

    members: parameters with gradients. scale: the factor of the gradients, if a scaler set one.
    """
    worked_out = [_Worked(own, i, ledger, loss, scale) for own in members for i in range(len(own.params))]
    numbers = {path: number for each in worked_out for path, number in each.numbers().items()}
    for each in worked_out:
        each.write()
    for state, key, value in numbers.values():
        state[key] = value


class _Worked:
    """A computed step of the i-th parameter, not yet written."""

    def __init__(self, own: Members, i: int, ledger: Ledger, loss: Any, scale: Any) -> None:
        self.p, self.name, self.method, self.ledger = own.params[i], own.names[i], own.method, ledger
        self.made = _program(self.method, self.name, self.p, ledger.who)
        self.models = {slot.path: (state, key) for state, key, slot in ledger.models(self.made)}
        self.t = ledger.updates(self.p) + 1
        self.kept = ledger.kept(self.p, self.name, self.method, self.made)
        self.point, self.memory, self.beside = interpreter.run(self.made, self._given(loss, scale), self._uniform)

    def _given(self, loss: Any, scale: Any) -> dict[str, Any]:
        """Return the inputs of the program."""
        made, method, p, t, seed = self.made, self.method, self.p, self.t, self.method.seed
        gradient = flat(gradient_of(p).to(p.dtype), p)
        given: dict[str, Any] = {"p": flat(p.detach(), p), "g": gradient if scale is None else gradient / scale, "t": t}
        given["loss"] = method.loss(loss)
        for word, value in made.hyper.items():
            given[word] = number_at(method.pure.lr if value is None else value, t, self.name)
        for column, (_, tensor) in self.kept.items():
            given[column] = flat(tensor, p) if tensor.shape == p.shape and column not in made.blocked else tensor
        for column, stage in made.draws.items():
            given[column] = flat(draw(seed, t, (stage, self.name), p.detach(), None), p)
        for slot in made.slots:
            if slot.path in self.models:
                state, key = self.models[slot.path]
                given[slot.old.name] = state.get(key, slot.kind.value)
        return given

    def _uniform(self, draw: int) -> Tensor:
        """Return the numbers between 0 and 1 of one of the update's draws."""
        words = *halves_of(self.method.seed), *halves(hashed(self.name)), self.t & MASK, draw
        return interpreter.uniform(words, self.p.numel(), self.p.device)

    def numbers(self) -> dict[tuple[str, ...], tuple[dict[str, Any], str, float]]:
        """Return the new numbers of the whole model, by slot: the state and key of each, and the number."""
        new = {slot.path: value for slot, value in zip(self.made.slots, self.memory, strict=True)}
        return {path: (state, key, float(to_float_or_lanes(new[path]))) for path, (state, key) in self.models.items()}

    def write(self) -> None:
        """Write the rest into the parameter and its state."""
        p = self.p
        flat_into(p.detach(), self.point, p)
        for slot, value in zip(self.made.slots, self.memory, strict=True):
            if slot.path not in self.models:
                flat_into(self.kept[slot.old.name][1], value, p)
        for word, value in self.beside.items():
            flat_into(self.kept[word][1], value, p)
        if self.method.row.counts or self.made.draws_itself:
            self.ledger.count(p).fill_(self.t)


def _program(method: ConfiguredGroup, name: str, p: Tensor, who: str) -> Program:
    """Return the step's program. Raises TypeError unless it is one pass over a dense, real tensor."""
    try:
        route = method.route(name, p)
        made = program(route, moves=method.pure.moves, kept=method.given.storage(p.dtype), dtype=DTYPES[p.dtype])
        asked = [*sums_of(made.results), *made.norms, *(["curvature"] if "curvature" in made.inputs else [])]
        if made.margins or made.flat or MATRIX_WORDS & {symbol.op for symbol in steps(made.results)}:
            raise NotTraced("rows and columns")
        if method.pure.moves or asked:
            raise NotTraced(", ".join(asked) or "a point that moves")
    except NotTraced as reason:
        raise TypeError(f"{who}: rounding= and state_dtype= are for element-wise rules ({reason})") from None
    if gradient_of(p).layout is not DENSE or type(p) not in PLAIN:
        raise TypeError(f"{who}: rounding= and state_dtype= are for dense tensors")
    return made
