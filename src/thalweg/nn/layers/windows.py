"""Windows of images and the adjoint operation, shared by convolution and pooling.

Images are (lanes, batch, height, width, channels): channels last, because then the product of the windows with the
filters comes out in the right order without a transposition.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from thalweg.nn.arrays import Array, Shape

Pair = tuple[int, int]


def output_size(shape: Shape, size: Pair, stride: Pair, padding: Pair, who: str) -> Pair:
    """The number of rows and columns of windows that fit into an image. A remainder at its end is not used.

    Raises ValueError if the shape is not that of an image, or no window fits.
    """
    if len(shape) != 3:
        raise ValueError(
            f"{who} was given samples of shape {shape}, but wants images (height, width, channels), for example (28, 28, 1)"
        )
    high, wide = shape[0] + 2 * padding[0], shape[1] + 2 * padding[1]
    if high < size[0] or wide < size[1]:
        raise ValueError(
            f"{who} has windows of {size[0]} x {size[1]}, but its input is {high} x {wide} with padding: use smaller "
            "windows or more padding"
        )
    return (high - size[0]) // stride[0] + 1, (wide - size[1]) // stride[1] + 1


def windows(x: Array, size: Pair, stride: Pair) -> Array:
    """A view (lanes, batch, rows, columns, channels, size[0], size[1]) of x; nothing is copied."""
    return sliding_window_view(x, size, axis=(2, 3))[:, :, :: stride[0], :: stride[1]]


def add_up(parts: Array, shape: Shape, stride: Pair) -> Array:
    """The adjoint of `windows`: parts (lanes, batch, rows, columns, *size, channels) summed into images of `shape`."""
    rows, columns, high, wide, channels = parts.shape[2:]
    x = np.zeros((*parts.shape[:2], *shape[:2], channels), parts.dtype)
    for i in range(high):
        for j in range(wide):
            x[:, :, i : i + stride[0] * rows : stride[0], j : j + stride[1] * columns : stride[1]] += parts[:, :, :, :, i, j]
    return x
