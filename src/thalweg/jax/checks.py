"""Checks of what an update receives: of trees, shapes and kinds of numbers, never of values."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from thalweg.core.checks import check_parameter
from thalweg.jax.trees import Outline, State, Tree, leaves_of

ANEW = "init(params) makes its own"


def kinds(tree: Tree) -> tuple[Any, list[Any]]:
    """Return all that the checks look at: the structure, and each leaf's shape and dtype."""
    leaves, structure = jax.tree.flatten(tree)
    return structure, [(getattr(x, "shape", type(x)), getattr(x, "dtype", None)) for x in leaves]


def check_numbers(name: str, x: Any) -> None:
    """Raise TypeError unless a leaf is a number or an array of numbers."""
    if _kind(x) is None:
        raise TypeError(f"the leaf '{name}' is {_told(x)}, no array of numbers")


def check_floating(name: str, p: Any) -> None:
    """Raise TypeError if a parameter is of whole numbers, to which a gradient would be rounded."""
    check_numbers(name, p)
    if _kind(p) is bool:
        check_parameter(name, jnp.asarray(p), None)


def check_alike(what: str, name: str, x: Any, whose: str, like: Any) -> None:
    """Raise ValueError for another shape, which would broadcast silently, and TypeError for a complex x beside a real one."""
    if _shape(x) != _shape(like):
        raise ValueError(f"the {what} of '{name}' has shape {_shape(x)}, the {whose} {_shape(like)}")
    if _kind(x) is complex and _kind(like) is not complex:
        mine, theirs = jnp.result_type(x), jnp.result_type(like)
        raise TypeError(f"the {what} of '{name}' is {mine}, the {whose} {theirs}; hand over its real part, x.real")


def check_loss(value: Any, name: str) -> None:
    """Raise ValueError if the loss is an array of several numbers, TypeError if it is not real."""
    if _shape(value):
        raise ValueError(f"the loss has shape {_shape(value)}, and {name} reads one number: value=")
    check_numbers("value", value)
    if _kind(value) is complex:
        raise TypeError(f"the loss is {jnp.result_type(value)}, and {name} reads a real number: value=")


def check_type(state: Any, kind: type, name: str) -> None:
    """Raise TypeError if a state is not of this type."""
    if not isinstance(state, kind):
        parts = f" of {', '.join(type(x).__name__ for x in state)}" if type(state) in (tuple, list) and state else ""
        raise TypeError(f"the state is {_told(state)}{parts}, not what init(params) and update of this {name} return")


def check_memory_type(memory: Any, name: str) -> None:
    """Raise TypeError if the memory is not by stage and slot."""
    if not isinstance(memory, dict):
        raise TypeError(f"the state's memory is {_told(memory)}, not the dict that init(params) and update of this {name} return")


def check_count(state: State, counts: bool, name: str) -> None:
    """Raise ValueError if the transformation reads a count that the state lacks, or the other way round."""
    if counts and state.count is None:
        raise ValueError(f"the state is of another transformation: it has no count, and this is {name}, which reads one; {ANEW}")
    if not counts and state.count is not None:
        raise ValueError(
            f"the state is of another transformation: it has a count, and this is {name}, which reads none; {ANEW}, and "
            "state._replace(count=None) goes on without"
        )
    if counts and not _is_one(state.count):
        raise ValueError(f"the state's count is {_told(state.count)}; wanted is an array of one number")


def check_walked(state: State, moves: bool, points: Mapping[str, Any], outline: Outline, name: str) -> None:
    """Raise ValueError if the method moves an iterate that the state lacks, or the other way round."""
    if moves != (state.walked is not None):
        has, wants = ("no updated iterate", "reads one") if moves else ("an updated iterate", "reads none")
        raise ValueError(f"the state is of another transformation: it has {has}, and this is {name}, which {wants}; {ANEW}")
    for leaf, x in leaves_of(state.walked, outline) if moves else ():
        check_array("updated iterate", leaf, x, complex_too=False)
        check_shape("updated iterate", leaf, x.shape, points[leaf].shape)


def check_array(slot: str, leaf: str, x: Any, *, complex_too: bool) -> None:
    """Raise TypeError if memory is no array of floating point, or of complex numbers for a complex tensor."""
    if not hasattr(x, "dtype") or _kind(x) not in ((float, complex) if complex_too else (float,)):
        wanted = "floating-point or complex" if complex_too else "floating-point"
        raise TypeError(f"the state's {slot} for '{leaf}' is {_told(x)}; wanted is an array of {wanted} numbers")


def check_number(slot: str, x: Any) -> None:
    """Raise ValueError if a number of the whole model is anything else."""
    if not (_is_one(x) and _kind(x) is float):
        raise ValueError(f"the state's {slot} is {_told(x)}; wanted is an array of one floating-point number")


def check_shape(slot: str, leaf: str, shape: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    """Raise ValueError if memory has another shape."""
    if tuple(shape) != tuple(wanted):
        raise ValueError(
            f"the state's {slot} for '{leaf}' has shape {tuple(shape)}; wanted is {tuple(wanted)}: it is of other parameters; "
            f"{ANEW}"
        )


def _kind(x: Any) -> type | None:
    """Return complex, float, or bool for whole numbers and bools; None for what is no number."""
    try:
        return _kind_of(x.dtype if hasattr(x, "dtype") else jnp.result_type(x))
    except (TypeError, ValueError):
        return None


@functools.cache
def _kind_of(dtype: Any) -> type | None:
    kinds = ((complex, jnp.complexfloating), (float, jnp.floating), (bool, jnp.integer), (bool, jnp.bool_))
    return next((kind for kind, above in kinds if jnp.issubdtype(dtype, above)), None)


def _shape(x: Any) -> tuple[int, ...]:
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)


def _is_one(x: Any) -> bool:
    return hasattr(x, "dtype") and x.shape == ()


def _told(x: Any) -> str:
    if not hasattr(x, "dtype"):
        return repr(x) if x is None else f"of type {type(x).__name__}"
    return f"{'float0' if x.dtype == jax.dtypes.float0 else x.dtype} of shape {_shape(x)}"
