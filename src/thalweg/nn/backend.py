"""Functions of the forward passes for arrays of NumPy, JAX and PyTorch.

For NumPy each function is a fast NumPy form. For the others it is the framework's own, differentiable function, whose
derivative at a kink equals the one that the layer's `backward` uses.
"""

from __future__ import annotations

import sys
from itertools import product
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from thalweg.nn.arrays import folded, sum_over_batch
from thalweg.values.arrays import dtype_name, framework

Array = Any
Pair = tuple[int, int]


def is_numpy(x: Array) -> bool:
    """Whether x is a NumPy array: it may be overwritten, and no derivatives are traced."""
    return isinstance(x, np.ndarray)


def functions(x: Array) -> Any:
    """`jax.nn` or `torch.nn.functional`, by the type of x. Both have activations of the same names."""
    return sys.modules["jax"].nn if framework(x).name == "jax" else sys.modules["torch"].nn.functional


def relu(x: Array) -> Array:
    """max(x, 0), with derivative 0 at 0."""
    return np.maximum(x, 0) if is_numpy(x) else functions(x).relu(x)


def gelu(x: Array) -> Array:
    """x Phi(x), the exact form."""
    return functions(x).gelu(x, **({"approximate": False} if framework(x).name == "jax" else {}))


def larger(a: Array, b: Array) -> Array:
    """max(a, b). At a tie the derivative goes to b. A NaN in b is kept."""
    return np.maximum(a, b) if is_numpy(a) else framework(a).where(a > b, a, b)


def larger_number(a: Array, least: float) -> Array:
    """max(a, least), with derivative 0 where `least` is the larger."""
    return np.maximum(a, a.dtype.type(least)) if is_numpy(a) else framework(a).where(a < least, least, a)


def log_softmax(x: Array) -> Array:
    """x - log sum exp x over the last axis."""
    return functions(x).log_softmax(x, -1)


def softmax(x: Array) -> Array:
    """exp(x) / sum exp(x) over the last axis."""
    return functions(x).softmax(x, -1)


def shares(x: Array) -> Array:
    """`softmax`, in place for NumPy. For a long last axis; for classes use `nn.softmax`."""
    if not is_numpy(x):
        return softmax(x)
    x -= x.max(axis=-1, keepdims=True)
    np.exp(x, out=x)
    x /= np.einsum("...k->...", x)[..., None]
    return x


def above_diagonal(value: float, like: Array) -> Array:
    """A matrix shaped like the last two axes of `like`: value above the diagonal, 0 elsewhere."""
    return framework(like).asarray(np.triu(np.full(tuple(like.shape[-2:]), value), 1), like)


def mean(x: Array) -> Array:
    """The mean over the last axis, which is kept. einsum is several times faster here than NumPy's mean."""
    total = np.einsum("...k->...", x)[..., None] if is_numpy(x) else x.sum(-1, keepdims=True)
    total /= x.shape[-1]
    return total


def mean_over_batch(x: Array) -> Array:
    """The mean over all axes but the lanes and the last one; all are kept."""
    flat = folded(x)
    total = sum_over_batch(flat) if is_numpy(x) else flat.sum(1)
    return (total / flat.shape[1]).reshape((len(x), *(1,) * (x.ndim - 2), -1))


def whole(x: Array) -> Array:
    """Cast to integers, for use as indices."""
    return x.astype(np.intp) if is_numpy(x) else framework(x).cast(x, "int32")


def log_from_tiny(p: Array) -> Array:
    """log max(p, tiny), with tiny the smallest normal number of the dtype. The derivative is 0 where p < tiny."""
    tiny = float(np.finfo(dtype_name(p)).tiny)
    return framework(p).log(larger_number(p, tiny))


def padded(x: Array, top: int, left: int) -> Array:
    """Images (lanes, batch, height, width, channels) with zeros on each side."""
    if not (top or left):
        return x
    if framework(x).name == "torch":
        return functions(x).pad(x, (0, 0, left, left, top, top))
    return framework(x).pad(x, ((0, 0), (0, 0), (top, top), (left, left), (0, 0)))


def cut(x: Array, size: Pair, stride: Pair) -> Array:
    """Windows of images with channels last: (lanes, batch, rows, columns, *size, channels). A view for NumPy."""
    if is_numpy(x):
        view = sliding_window_view(x, size, axis=(2, 3))[:, :, :: stride[0], :: stride[1]]
        return view.transpose(0, 1, 2, 3, 5, 6, 4)
    rows, columns = ((x.shape[2 + k] - size[k]) // stride[k] + 1 for k in (0, 1))
    parts = [
        x[:, :, i : i + stride[0] * (rows - 1) + 1 : stride[0], j : j + stride[1] * (columns - 1) + 1 : stride[1]]
        for i, j in product(range(size[0]), range(size[1]))
    ]  # XLA differentiates and compiles slices well for a CPU, and convolutions badly (jax-ml/jax#12868)
    return framework(x).stack(parts, 4).reshape((*x.shape[:2], rows, columns, *size, x.shape[-1]))


def largest(parts: Array) -> Array:
    """The maximum of each window (see `cut`). At a tie the derivative goes to the first. A NaN is kept."""
    found = parts[:, :, :, :, 0, 0]
    for i, j in list(product(range(parts.shape[4]), range(parts.shape[5])))[1:]:
        other = parts[:, :, :, :, i, j]
        found = framework(parts).where((other > found) | (other != other), other, found)
    return found


def one_hot(y: Array, classes: int) -> Array:
    """One-hot encoding: class numbers (...) -> (..., classes)."""
    space = framework(y)
    return y[..., None] == space.asarray(np.arange(classes), y)
