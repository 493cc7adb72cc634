"""Checks of an optimizer's arguments: parameters, gradients, states."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from thalweg.core.around_stage import AroundStage
from thalweg.core.function_stage import FunctionStage
from thalweg.core.stage import Chain
from thalweg.form.hyper import ByLeaf
from thalweg.values.arrays import Array, dtype_name, framework, is_floating
from thalweg.values.trees import instead

LARGEST = 2**63 - 1
"""Beyond any count of updates that a kernel can take: the next one would not fit into its integers."""
MORE = {"walked", "calls", "accumulated"}
"""What only some optimizers keep beside counts and memory."""
NATIVE = ".astype(array.dtype.newbyteorder('='))"


class Kept(NamedTuple):
    """What an optimizer's state has of MORE, and the stages that are declared functions, by the key of their memory."""

    more: set[str]
    functions: dict[str, FunctionStage]


def check_parameters(arrays: dict[str, Any], lanes: int | None) -> None:
    """Raise TypeError or ValueError for what is no parameter, and for none at all."""
    if not arrays:
        raise ValueError("there are no parameters: the tree is empty")
    for name, p in arrays.items():
        floating = is_array(p) and is_floating(p) and not isinstance(p, np.ma.MaskedArray)
        if not floating or (lanes is not None and p.shape[:1] != (lanes,)):
            check_parameter(name, p, lanes)


def check_parameter(name: str, p: Any, lanes: int | None) -> None:
    if isinstance(p, int | float) and not isinstance(p, np.generic):
        raise TypeError(f"parameter '{name}' is {p!r}, no array; wrap it: numpy.array({p!r}, dtype=float)")
    if not is_array(p):
        raise TypeError(f"parameter '{name}' is {'None' if p is None else f'a {type(p).__name__}'}, no array{instead(p)}")
    check_unmasked(f"parameter '{name}'", p)
    if not is_floating(p):
        if isinstance(p, np.ndarray) and not p.dtype.isnative:
            raise TypeError(f"parameter '{name}' has dtype {p.dtype.str}, another byte order than this machine's: {NATIVE}")
        cure = "its parts, stack([x.real, x.imag])" if dtype_name(p).startswith("complex") else ".astype('float32')"
        raise TypeError(f"parameter '{name}' has dtype {dtype_name(p)}; optimizers need floating point: {cure}")
    if lanes is not None and (p.ndim == 0 or p.shape[0] != lanes):
        raise ValueError(f"parameter '{name}' has shape {tuple(p.shape)}; with lanes={lanes} its first axis has that length")


def check_gradients(gradients: dict[str, Any], arrays: dict[str, Array]) -> None:
    """Raise TypeError or ValueError for a gradient that is not as its parameter."""
    for name, g in gradients.items():
        p = arrays[name]
        if type(g) is not type(p) or g.dtype != p.dtype or g.shape != p.shape or isinstance(g, np.ma.MaskedArray):
            check_gradient(name, p, g)


def check_gradient(name: str, p: Array, g: Any) -> None:
    if g is None:
        return
    if framework(g) is not framework(p) or not is_array(g):
        theirs = framework(g).name if is_array(g) else type(g).__name__
        raise TypeError(f"the gradient of '{name}' is a {theirs} value, the parameter a {framework(p).name} array{instead(g)}")
    check_unmasked(f"the gradient of '{name}'", g)
    if tuple(g.shape) != tuple(p.shape):
        raise ValueError(f"the gradient of '{name}' has shape {tuple(g.shape)}, the parameter {tuple(p.shape)}")
    if dtype_name(g) != dtype_name(p):
        raise TypeError(f"the gradient of '{name}' is {dtype_name(g)}, the parameter {dtype_name(p)}; cast one of them")


def _said(x: Any) -> str:
    return f"a dict of {', '.join(map(str, x)) or 'nothing'}" if isinstance(x, dict) else f"a {type(x).__name__}"


def is_array(x: Any) -> bool:
    return framework(x) is not None and hasattr(x, "dtype")  # other objects of a framework, such as a module, are not arrays


def check_unmasked(what: str, x: Any) -> None:
    """Raise TypeError for a masked array, or a list that holds one: NumPy would go on with the numbers that are hidden."""
    if isinstance(x, np.ma.MaskedArray):
        raise TypeError(f"{what} is a masked array, of which no rule says what is to happen; hand over array.filled(0.0)")
    if isinstance(x, list | tuple):
        for part in x:
            if isinstance(part, np.ma.MaskedArray | list | tuple):
                check_unmasked(f"a part of {what}", part)


def as_array(what: str, x: Any) -> np.ndarray[Any, Any]:
    """x as a NumPy array. Raises TypeError for a masked one."""
    check_unmasked(what, x)
    return np.asarray(x)


def check_options(seed: Any, nonfinite: Any, lanes: Any) -> None:
    """Raise TypeError or ValueError for an option that an optimizer cannot have."""
    if nonfinite not in ("propagate", "skip", "raise"):
        raise ValueError(f"nonfinite is one of 'propagate', 'skip' or 'raise', not {nonfinite!r}")
    if lanes is not None and (isinstance(lanes, bool) or not isinstance(lanes, int | np.integer)):
        raise TypeError(f"lanes is a whole number or None, not {lanes!r}")
    if isinstance(seed, bool | float | str) or seed is None or (isinstance(seed, int) and seed < 0):
        raise ValueError(f"seed is a whole number from 0 on, or with lanes one for each, not {seed!r}")
    if lanes is not None and lanes < 1:
        raise ValueError(f"lanes counts the trials in the first axis, so it is 1 or more, not {lanes}")


def check_settings(optimizer: Any) -> None:
    """Raise TypeError or ValueError for an optimizer that cannot be: its options, its numbers, its @around methods."""
    check_options(optimizer.seed, optimizer.nonfinite, optimizer.lanes)
    check_numbers(optimizer.lr, optimizer.chain, optimizer.lanes)
    arounds = optimizer.chain.items(AroundStage)
    if len(arounds) > 1:
        raise ValueError(f"{optimizer.chain.name}: one @around method at a time")
    if arounds and optimizer.accumulates > 1:
        raise ValueError(
            f"{optimizer.rule.name}: every(n, ...) takes means of gradients handed in; {arounds[0][1].name} asks for its own"
        )


class Handed(NamedTuple):
    """How a step is handed gradients at several points, the loss, and the curvature: the call, as messages write it."""

    grad_fn: str
    loss: str
    curvature: str


PURE = Handed(
    "step(params, None, state, grad_fn=...)",
    "step(params, grads, state, loss=...)",
    "step(params, grads, state, curvature=...), or grad_fn=",
)


def check_asks(optimizer: Any, loss: Any, grad_fn: Any, curvature: Any, handed: Handed = PURE) -> None:
    """Raise TypeError if a step is not handed what the rules ask for."""
    around, asks, name = optimizer._around, optimizer.asks, optimizer.chain.name
    if around is not None and grad_fn is None:
        raise TypeError(f"{around[1].name} asks for gradients itself: {handed.grad_fn}")
    if "loss" in asks and loss is None and grad_fn is None:
        raise TypeError(f"{name} asks for the loss: {handed.loss}")
    if "curvature" in asks and curvature is None and (grad_fn is None or around is not None):
        raise TypeError(f"{name} asks for the curvature: {handed.curvature}")


def check_numbers(lr: Any, stages: Chain, lanes: int | None) -> None:
    """Raise ValueError for a learning rate or a hyper-parameter that is a vector, and not one number for each lane."""
    check_lanes("the learning rate", lr, lanes)
    for function in stages.functions:
        for name, hyper in function.rule.hyper.items():
            if not hyper.static and name in function.config:
                check_lanes(f"{function.name}'s {name}", function.config[name], lanes)


def check_lanes(what: str, value: Any, lanes: int | None) -> None:
    """Raise ValueError for a vector of numbers that is not one for each lane."""
    for own in value.values.values() if isinstance(value, ByLeaf) else (value,):
        shape = () if callable(own) else np.shape(own)
        if shape not in ((), (lanes,)):
            wanted = f"there are {lanes} lanes" if lanes is not None else "it is one number, or with lanes= one for each"
            raise ValueError(f"{what} has shape {tuple(shape)}; {wanted}")


def is_state(state: Any, names: Iterable[str], kept: Kept) -> bool:
    """Whether a state is as `init` and `step` return it; any other is looked at part by part."""
    if not (type(state) is dict and type(state.get("t")) is type(state.get("memory")) is dict):
        return False
    counts, memory = state["t"], state["memory"]
    slots = {key: function.memory.keys() for key, function in kept.functions.items() if function.memory}
    alike = slots == {key: held.keys() if type(held) is dict else None for key, held in memory.items()}
    counted = counts.keys() == set(names) and all(type(t) is int and 0 <= t < LARGEST for t in counts.values())
    return alike and counted and MORE & state.keys() == kept.more


def check_state(names: Iterable[str], state: Any, chain: Chain, kept: Kept) -> None:
    """Raise TypeError if it is not a state, ValueError if it belongs to another optimizer or other parameters."""
    if not isinstance(state, dict) or not isinstance(state.get("t"), dict) or not isinstance(state.get("memory"), dict):
        raise TypeError(f"the state is {_said(state)}, not what init(params) and step return")
    foreign = [key for key in state["memory"] if key not in chain.keys]
    if foreign:
        raise ValueError(
            f"the state is of another optimizer: it has the memory of {' + '.join(map(str, state['memory']))}, and this is "
            f"{chain.name}; init(params) makes its own"
        )
    told = _foreign(state, kept)
    if told:
        raise ValueError(f"the state is of another optimizer: it {told}; init(params) makes the one of {chain.name}")
    emptied = next((key for key, held in state["memory"].items() if isinstance(held, dict) and not held), None)
    if emptied is not None:
        raise ValueError(f"the state lacks all memory of {emptied}; hand over what init(params) or step returned")
    if state["t"].keys() != set(names):
        theirs, mine = (", ".join(map(str, keys)) for keys in (state["t"], names))
        raise ValueError(f"the state is of other parameters: it has {theirs}, and these are {mine}")
    odd = next((name for name, t in state["t"].items() if not (type(t) is int and 0 <= t < LARGEST) and not _counts(t)), None)
    if odd is not None:
        raise ValueError(f"the state counts {state['t'][odd]!r} updates of '{odd}'; a count is a whole number from 0 on")


def _foreign(state: dict[str, Any], kept: Kept) -> str:
    """Return what a state has too much or too little, in words; "" if nothing."""
    for key, function in kept.functions.items():
        held, slots = state["memory"].get(key), function.declaration.memory.keys()
        if isinstance(held, dict) and not held.keys() <= slots:
            return f"has the memory {', '.join(sorted(held.keys() - slots))} of {key}"
    more = MORE & state.keys()
    if more == kept.more:
        return ""
    return f"has {', '.join(sorted(more))}" if more else f"lacks {', '.join(sorted(kept.more))}"


def _counts(t: Any) -> bool:
    """Whether t may count updates; numbers that are traced, or that lie with another framework, are not looked at."""
    if not isinstance(t, int | float | np.ndarray | np.generic):
        return framework(t) is not None
    found = np.asarray(t)
    if found.dtype.kind == "f":
        found = found.astype(np.float64)
    return found.dtype.kind in "iuf" and bool(np.all((found >= 0) & (found < LARGEST) & (found == np.floor(found))))


def update_count(value: Any, where: str, shape: tuple[int, ...] = ()) -> Any:
    """Return a count of updates as an integer, or as integers in this shape.

    Raises ValueError for another shape, and for what is not whole, below 0 or not below LARGEST.
    """
    if type(value) is int and not shape and 0 <= value < LARGEST:
        return value
    found = np.asarray(value)
    if found.dtype.kind in "iuf" and found.shape != shape:
        raise ValueError(f"{where} has shape {found.shape}; wanted is {shape or 'one number'}")
    if not _counts(found):
        raise ValueError(f"{where} is {value!r}; it counts updates, so it is a whole number from 0 on, below 2**63")
    return found.astype(int) if shape else int(found)
