"""Torch's tensors as the rooms of this house take them: memory as arrays and rows, complex numbers as pairs of real ones."""

from __future__ import annotations

from typing import Any

import torch

Tensor = torch.Tensor

PLAIN = frozenset({Tensor, torch.nn.Parameter})
DENSE = torch.strided


def as_array(tensor: Tensor) -> Any:
    """A tensor's memory as NumPy sees it."""
    tensor = tensor.detach()
    return tensor.view(torch.uint16).numpy() if tensor.dtype is torch.bfloat16 else tensor.numpy()


def scalar_dtype() -> torch.dtype:
    return torch.float64 if torch.get_default_dtype() is torch.float64 else torch.float32


def flat(x: Tensor, p: Tensor) -> Tensor:
    """A tensor of a parameter's shape as one row, in the order in which the parameter lies in memory."""
    order = sorted(range(p.ndim), key=p.stride, reverse=True)
    return x.permute(order).reshape(-1)


def flat_into(x: Tensor, row: Any) -> Tensor:
    """Write such a row, or a number for all of it, back into a tensor."""
    order = sorted(range(x.ndim), key=x.stride, reverse=True)
    into = x.permute(order)
    into.copy_(row.reshape(into.shape) if isinstance(row, Tensor) and row.numel() == x.numel() else torch.as_tensor(row))
    return x


def loss_number(loss: Any) -> float:
    """A closure's loss, a tensor of one number or a number."""
    return float(loss.detach()) if isinstance(loss, Tensor) else float(loss)


def gradient_of(p: Tensor) -> Tensor:
    """Its gradient. Raises ValueError where it has none."""
    if p.grad is None:
        raise ValueError("a parameter has no gradient after the closure; a method that looks at several points needs them all")
    return p.grad


def like(x: Tensor, p: Tensor) -> Tensor:
    """Numbers computed for a parameter as it has them: complex again where it is."""
    return torch.complex(*x) if p.is_complex() and x.shape == (2, *p.shape) else x


def real(x: Any) -> Any:
    """A complex tensor's real and imaginary parts, along a first axis of two; a real one as it is."""
    return torch.view_as_real(x).movedim(-1, 0) if isinstance(x, Tensor) and x.is_complex() else x


def curvature(p: Tensor, who: str) -> Any:
    """What was estimated of it, and laid beside the gradient. Raises TypeError where nothing was."""
    found = getattr(p, "curvature", None)
    if found is None:
        raise TypeError(f"{who} asks for the curvature: thalweg.torch.hutchinson(loss, model.parameters()) before the step")
    return real(found)
