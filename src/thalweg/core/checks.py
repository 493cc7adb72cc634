"""Checks of an optimizer's arguments: parameters, gradients, states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg.core.stage import Chain
from thalweg.values.arrays import Array, dtype_name, framework, is_floating
from thalweg.values.trees import instead

NATIVE = ".astype(array.dtype.newbyteorder('='))"


def check_parameter(name: str, p: Any, lanes: int | None) -> None:
    if isinstance(p, int | float) and not isinstance(p, np.generic):
        raise TypeError(f"parameter '{name}' is {p!r}, no array; wrap it: numpy.array({p!r}, dtype=float)")
    if not _is_array(p):
        raise TypeError(f"parameter '{name}' is {'None' if p is None else f'a {type(p).__name__}'}, no array{instead(p)}")
    _check_unmasked(f"parameter '{name}'", p)
    if not is_floating(p):
        if isinstance(p, np.ndarray) and not p.dtype.isnative:
            raise TypeError(f"parameter '{name}' has dtype {p.dtype.str}, another byte order than this machine's: {NATIVE}")
        cure = "its parts, stack([x.real, x.imag])" if dtype_name(p).startswith("complex") else ".astype('float32')"
        raise TypeError(f"parameter '{name}' has dtype {dtype_name(p)}; optimizers need floating point: {cure}")
    if lanes is not None and (p.ndim == 0 or p.shape[0] != lanes):
        raise ValueError(f"parameter '{name}' has shape {tuple(p.shape)}; with lanes={lanes} its first axis has that length")


def check_gradient(name: str, p: Array, g: Any) -> None:
    if g is None:
        return
    if framework(g) is not framework(p) or not _is_array(g):
        theirs = framework(g).name if _is_array(g) else type(g).__name__
        raise TypeError(f"the gradient of '{name}' is a {theirs} value, the parameter a {framework(p).name} array{instead(g)}")
    _check_unmasked(f"the gradient of '{name}'", g)
    if tuple(g.shape) != tuple(p.shape):
        raise ValueError(f"the gradient of '{name}' has shape {tuple(g.shape)}, the parameter {tuple(p.shape)}")
    if dtype_name(g) != dtype_name(p):
        raise TypeError(f"the gradient of '{name}' is {dtype_name(g)}, the parameter {dtype_name(p)}; cast one of them")


def _said(x: Any) -> str:
    return f"a dict of {', '.join(map(str, x)) or 'nothing'}" if isinstance(x, dict) else f"a {type(x).__name__}"


def _is_array(x: Any) -> bool:
    return framework(x) is not None and hasattr(x, "dtype")  # other objects of a framework, such as a module, are not arrays


def _check_unmasked(what: str, x: Any) -> None:
    if isinstance(x, np.ma.MaskedArray):
        raise TypeError(f"{what} is a masked array, of which no rule says what is to happen; hand over array.filled(0.0)")


def check_state(names: Sequence[str], state: Any, chain: Chain) -> None:
    """Raise TypeError if it is not a state, ValueError if it belongs to another optimizer or other parameters."""
    if not isinstance(state, dict) or not isinstance(state.get("t"), dict) or not isinstance(state.get("memory"), dict):
        raise TypeError(f"the state is {_said(state)}, not what init(params) and step return")
    foreign = [key for key in state["memory"] if key not in chain.keys]
    if foreign:
        raise ValueError(
            f"the state is of another optimizer: it has the memory of {' + '.join(map(str, state['memory']))}, and this is "
            f"{chain.name}; init(params) makes its own"
        )
    emptied = next((key for key, held in state["memory"].items() if isinstance(held, dict) and not held), None)
    if emptied is not None:
        raise ValueError(f"the state lacks all memory of {emptied}; hand over what init(params) or step returned")
    if state["t"].keys() != set(names):
        theirs, mine = (", ".join(map(str, keys)) for keys in (state["t"], names))
        raise ValueError(f"the state is of other parameters: it has {theirs}, and these are {mine}")
    early = next((name for name, t in state["t"].items() if isinstance(t, int) and t < 0), None)
    if early is not None:
        raise ValueError(f"the state counts {state['t'][early]} updates of '{early}'; a count is 0 or more")
