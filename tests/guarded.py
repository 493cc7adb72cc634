"""Arrays inside larger ones whose borders are a known pattern: what writes a byte too far changes it.

`Guards` makes such arrays, `guards.array(values, layout)`, and checks all of their borders, `guards.check()`. For a torch
tensor: `torch.from_numpy(guards.array(values))`, of bfloat16 through its bits (`values.view(np.uint16)`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

LAYOUTS = ("C", "F", "strided", "reversed", "offset", "misaligned")
PATTERN = 0xA5
BORDER = 96
"""Bytes on each side: more than a vector register, and whole numbers of every dtype."""


def _span(shape: tuple[int, ...], layout: str, item: int) -> tuple[int, int, tuple[int, ...]]:
    """Bytes that an array takes, where in them it begins, and its strides."""
    step = 2 * item if layout == "strided" else item
    strides, reach = [0] * len(shape), step
    for axis in range(len(shape)) if layout == "F" else reversed(range(len(shape))):
        strides[axis] = reach
        reach *= max(shape[axis], 1)
    start = 0
    if layout == "reversed" and shape:
        start = (shape[0] - 1) * strides[0] if shape[0] else 0
        strides[0] = -strides[0]
    return reach, start, tuple(strides)


class Guards:
    """Arrays with patterned borders, and between their elements too where they lie apart."""

    def __init__(self) -> None:
        self.held: list[tuple[Any, Any]] = []

    def array(self, values: Any, layout: str = "C") -> Any:
        """An array of these values, of this layout (one of LAYOUTS), inside a larger one."""
        values = np.asarray(values)
        reach, start, strides = _span(values.shape, layout, values.itemsize)
        shift = {"misaligned": 1, "offset": values.itemsize}.get(layout, 0)
        whole = np.full(2 * BORDER + reach + shift + 64, PATTERN, np.uint8)
        begin = -(whole.ctypes.data + BORDER) % 64 + BORDER + shift
        made = np.ndarray(values.shape, values.dtype, whole, begin + start, strides)
        made[...] = values
        free = np.ones(whole.size, bool)
        if made.size:
            places = np.array(begin + start)
            for length, stride in zip(made.shape, made.strides, strict=True):
                places = places[..., None] + np.arange(length) * stride
            free[(places.ravel()[:, None] + np.arange(values.itemsize)).ravel()] = False
        self.held.append((whole, free))
        return made

    def check(self) -> None:
        """Raise AssertionError where a border is not what it was."""
        for whole, free in self.held:
            assert (whole[free] == PATTERN).all(), f"written outside an array, at {np.flatnonzero(free & (whole != PATTERN))}"
