"""Steps of tensors kept in ways that no kernel here can read: each tensor's program word by word."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from thalweg.core.function_stage import model_number
from thalweg.core.leaf import resolve
from thalweg.form.memory import draw
from thalweg.graph.model_sums import sums_of
from thalweg.graph.program import NotTraced, Program, program
from thalweg.graph.storage import key_of
from thalweg.torch import interpreter as unfused
from thalweg.torch.groups import DTYPES, Method
from thalweg.torch.lots import keepers
from thalweg.torch.tensors import DENSE, PLAIN, Tensor, flat, flat_into, gradient_of

if TYPE_CHECKING:
    from thalweg.torch.face import Face


def by_programs(face: Face, loss: Any) -> None:
    """The step word by word, for tensors kept in ways that no kernel here can read."""
    unscaled, found_inf = getattr(face, "grad_scale", None), getattr(face, "found_inf", None)
    if found_inf is not None and bool(found_inf):
        return
    numbers = {path: (face.state[p], key) for path, (p, key) in keepers(face).items()}
    written: dict[tuple[str, ...], float] = {}
    writes = []
    for group in face.param_groups:
        method = Method(face._row, group, face._seed)
        params = [p for p in group["params"] if p.grad is not None]
        for i, (p, name) in enumerate(zip(params, face._named(params), strict=True)):
            made = _program(face, method, name, p)
            models = {slot.path: numbers[slot.path] for slot in made.slots if slot.path in numbers}
            new, write = _by_program(face, made, method, (i, p, name), loss, unscaled, models)
            written |= new
            writes.append(write)
    for write in writes:
        write()
    for path, value in written.items():
        state, key = numbers[path]
        state[key] = value


def _program(face: Face, method: Method, name: str, p: Tensor) -> Program:
    """Its steps as symbols. Raises TypeError where it is more than one pass over a dense, real tensor."""
    try:
        way = method.way(name, p)
        made = program(way, moves=method.pure.moves, kept=method.given.storage(p.dtype), dtype=DTYPES[p.dtype])
        asked = [*sums_of(made.results), *made.norms, *(["curvature"] if "curvature" in made.inputs else [])]
        if method.pure.moves or asked:
            raise NotTraced(", ".join(asked) or "a point that moves")
    except NotTraced as reason:
        raise TypeError(f"{type(face).__name__}: rounding= and state_dtype= are for element-wise rules ({reason})") from None
    if gradient_of(p).layout is not DENSE or type(p) not in PLAIN:
        raise TypeError(f"{type(face).__name__}: rounding= and state_dtype= are for dense tensors")
    return made


def _by_program(
    face: Face, made: Program, method: Method, which: tuple[int, Tensor, str], loss: Any, unscaled: Any, models: dict[Any, Any]
) -> tuple[dict[tuple[str, ...], float], Callable[[], None]]:
    """Work out the step of one tensor: the new numbers of the model, and what writes the rest.

    models: where the old numbers are in the state.
    """
    i, p, name = which
    t, kept = face._updates(p) + 1, face._kept(p, name, method, made)
    gradient = flat(gradient_of(p).to(p.dtype), p)
    given: dict[str, Any] = {"p": flat(p.detach(), p), "g": gradient if unscaled is None else gradient / unscaled, "t": t}
    given["loss"], given["key"] = face._loss_number(loss, method.pure), key_of(face._seed, t)
    for word, value in made.hyper.items():
        given[word] = resolve(method.pure.lr if value is None else value, t, name)
    for column, (_, tensor) in kept.items():
        given[column] = flat(tensor, p) if tensor.shape == p.shape and column not in made.blocked else tensor
    for column, stage in made.draws.items():
        given[column] = flat(draw(face._seed, t, (stage, name), p.detach(), None), p)
    for slot in made.slots:
        if slot.path in models:
            state, key = models[slot.path]
            given[slot.old.name] = state.get(key, slot.kind.value)
    point, memory, beside = unfused.run(made, given, i)
    new = {slot.path: float(model_number(value)) for slot, value in zip(made.slots, memory, strict=True) if slot.path in models}

    def write() -> None:
        flat_into(p.detach(), point, p)
        for slot, value in zip(made.slots, memory, strict=True):
            if slot.path not in models:
                flat_into(kept[slot.old.name][1], value, p)
        for word, value in beside.items():
            flat_into(kept[word][1], value, p)
        if face._row.counts or "key" in made.inputs:
            face._count(p).fill_(t)

    return new, write
