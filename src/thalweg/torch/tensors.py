"""Conversions of torch's tensors: memory as NumPy arrays and flat rows, complex numbers as pairs of real ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

Tensor = torch.Tensor

PLAIN = frozenset({Tensor, torch.nn.Parameter})
DENSE = torch.strided


class _Memory:
    """A tensor's memory for NumPy; `tensor.numpy()` would forbid any later resize of the tensor."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor, bits = tensor, tensor.dtype is torch.bfloat16
        dtype = np.dtype("uint16" if bits else str(tensor.dtype).removeprefix("torch."))
        strides = tuple(stride * dtype.itemsize for stride in tensor.stride())
        place = tensor.data_ptr(), False
        self.__array_interface__ = {
            "version": 3, "data": place, "shape": tuple(tensor.shape), "strides": strides, "typestr": dtype.str,
        }  # fmt: skip


def as_array(tensor: Tensor) -> Any:
    """Return a tensor's memory as a NumPy array; for bfloat16, the bits."""
    return np.asarray(_Memory(tensor.detach()))


def scalar_dtype() -> torch.dtype:
    return torch.float64 if torch.get_default_dtype() is torch.float64 else torch.float32


def flat(x: Tensor, p: Tensor) -> Tensor:
    """Flatten a tensor of a parameter's shape to one row, in the parameter's memory order."""
    order = sorted(range(p.ndim), key=p.stride, reverse=True)
    return x.permute(order).reshape(-1)


def flat_into(x: Tensor, row: Any, p: Tensor) -> Tensor:
    """Write such a row, or a number for all of it, back into a tensor of the parameter's shape or into a row."""
    into = x.permute(sorted(range(p.ndim), key=p.stride, reverse=True)) if x.shape == p.shape else x
    into.copy_(row.reshape(into.shape) if isinstance(row, Tensor) and row.numel() == x.numel() else torch.as_tensor(row))
    return x


def loss_number(loss: Any) -> float:
    """Return a closure's loss, a 1-element tensor or a number, as a float."""
    return float(loss.detach()) if isinstance(loss, Tensor) else float(loss)


def gradient_of(p: Tensor) -> Tensor:
    """Return the parameter's gradient. Raises ValueError if it has none."""
    if p.grad is None:
        raise ValueError("a parameter has no gradient after the closure; a method that looks at several points needs them all")
    return p.grad


def like(x: Tensor, p: Tensor) -> Tensor:
    """Convert a parameter's result to its own form: complex again if the parameter is."""
    return torch.complex(*x) if p.is_complex() and x.shape == (2, *p.shape) else x


def put(state: dict[str, Any], key: str, value: Tensor) -> None:
    """Write into the state's tensor; store the value itself if there is none of this shape."""
    found = state.get(key)
    if isinstance(found, Tensor) and found.shape == value.shape:
        found.copy_(value)
    else:
        state[key] = value


def put_all(state: dict[str, Any], values: dict[str, Tensor]) -> None:
    """Write these values into the state's tensors of their keys.

    A rule whose memories take turns returns one's own tensor as the other's new value: it is copied before it is written over.
    """
    held = {id(x): key for key, x in state.items() if isinstance(x, Tensor)}
    own = {key: {held[id(x)] for x in (value, value._base) if id(x) in held} for key, value in values.items()}
    apart = {key: value.clone() if own[key] - {key} else value for key, value in values.items()}
    for key, value in apart.items():
        put(state, key, value)


def same_numbers(x: Tensor, y: Tensor) -> bool:
    """Whether y, cast to the dtype and device of x, has the numbers of x. Subclasses are not looked into."""
    return type(x) not in PLAIN or (x.shape == y.shape and torch.allclose(x, y.to(x), rtol=0.0, atol=0.0, equal_nan=True))


def real(x: Any) -> Any:
    """Return a complex tensor's real and imaginary parts along a new first axis; a real tensor unchanged."""
    return torch.view_as_real(x).movedim(-1, 0) if isinstance(x, Tensor) and x.is_complex() else x


def curvature(p: Tensor, who: str) -> Any:
    """Return a parameter's `.curvature`, beside the gradient. Raises TypeError if there is none, ValueError for another shape."""
    found = getattr(p, "curvature", None)
    if found is None:
        raise TypeError(f"{who} asks for the curvature: thalweg.torch.hutchinson(loss, model.parameters()) before the step")
    if not isinstance(found, Tensor) or found.shape != p.shape:
        there = f"of the shape {tuple(found.shape)}" if isinstance(found, Tensor) else repr(found)
        raise ValueError(f"{who}: a parameter's curvature is a tensor of its shape {tuple(p.shape)}, and not {there}")
    return real(found)


def check_shape(who: str, name: str, key: str, found: Any, wanted: tuple[int, ...]) -> None:
    """Raise RuntimeError if the state's entry is no tensor of the wanted shape."""
    if not isinstance(found, Tensor) or tuple(found.shape) != wanted:
        there = f"has the shape {tuple(found.shape)}" if isinstance(found, Tensor) else f"is {found!r}"
        raise RuntimeError(
            f"{who}: the state's '{key}' of parameter {name} {there}, and {wanted} is wanted; is it another "
            "model's state? Load the one that was saved with these parameters, or none"
        )
