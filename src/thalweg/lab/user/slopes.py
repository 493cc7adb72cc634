"""A user's loss and its gradient: by the user's function `grad`, or differentiated by JAX or PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from thalweg.core.checks import check_unmasked
from thalweg.values import trees

Tree = Any
Loss = Callable[..., Any]
"""(params, *batch) -> one number."""
Slopes = Callable[..., tuple[Any, Tree]]
"""(params, *batch) -> the loss and its gradient, a tree. Parameters and results are NumPy arrays or convertible."""


def speaks(module: ModuleType) -> str:
    """ "numpy" if the file defines `grad`; otherwise "torch" or "jax", whichever it imports; otherwise ""."""
    if hasattr(module, "grad"):
        return "numpy"
    values = vars(module).values()
    homes = [value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None) for value in values]
    roots = {home.partition(".")[0] for home in homes if isinstance(home, str)}
    return next((name for name in ("torch", "jax") if name in roots), "")


def by_hand(loss: Loss, grad: Callable[..., Tree]) -> tuple[Loss, Slopes]:
    """The user's loss and grad, on NumPy arrays."""
    return loss, lambda params, *batch: (loss(params, *batch), grad(params, *batch))


def by_jax(loss: Loss) -> tuple[Loss, Slopes]:
    """Differentiated and compiled by JAX, in float32 unless the file sets jax_enable_x64."""
    import jax

    return jax.jit(loss), jax.jit(jax.value_and_grad(loss))


def by_torch(loss: Loss) -> tuple[Loss, Slopes]:
    """Differentiated by PyTorch, eagerly on the CPU. Arrays of the batch become tensors too."""
    import torch

    def tensors(tree: Tree, follow: bool = False) -> Tree:
        names, leaves = trees.flatten(tree)
        found = {
            name: torch.tensor(leaf, requires_grad=follow) if isinstance(leaf, np.ndarray) else leaf
            for name, leaf in zip(names, leaves, strict=True)
        }
        return trees.rebuild(tree, found)

    def value(params: Tree, *batch: Any) -> Any:
        with torch.no_grad():
            return loss(tensors(params), *tensors(batch))

    def slopes(params: Tree, *batch: Any) -> tuple[Any, Tree]:
        followed = tensors(params, follow=True)
        names, leaves = trees.flatten(followed)
        found = loss(followed, *tensors(batch))
        if not isinstance(found, torch.Tensor) or found.ndim:
            raise TypeError(f"loss gave {_shown(found)}, wanted a tensor with one number")
        found_slopes = torch.autograd.grad(found, leaves, allow_unused=True)
        both = zip(names, leaves, found_slopes, strict=True)
        return found.detach(), trees.rebuild(
            followed, {name: torch.zeros_like(leaf) if slope is None else slope for name, leaf, slope in both}
        )

    return value, slopes


def number(x: Any, who: str) -> float:
    """One real number. Raises TypeError for anything else."""
    found = array(x)
    if found is None or found.shape or found.dtype.kind not in "fiu":
        raise TypeError(f"{who} gave {_shown(x)}, wanted one real number")
    return float(found)


def array(x: Any) -> np.ndarray[Any, Any] | None:
    """x as a NumPy array, from any framework; None if it is not an array of numbers. Raises TypeError for a masked one."""
    check_unmasked("what the problem gave", x)
    if hasattr(x, "detach"):
        x = x.detach().cpu().numpy()
    try:
        found = np.asarray(x)
    except (ValueError, TypeError):
        return None
    return found if found.dtype.kind in "fiub" else None


def _shown(x: Any) -> str:
    """A short description of x."""
    shape = getattr(x, "shape", None)
    return f"an array of shape {tuple(shape)}" if shape else f"{x!r:.40}"
