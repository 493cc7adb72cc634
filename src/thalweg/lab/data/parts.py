"""Data in three parts: split, standardised by the training part alone, and identified by a hash."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

SPLIT_SEED = 0
SHARES = (0.6, 0.8)
"""Cumulative shares at which the training and the validation part end; the rest is the test part."""
PREPARED = 1 << 22
"""Numbers standardised at once, in float64: 32 MiB."""


@dataclass(frozen=True)
class Part:
    """Samples x (n, features) in float32, and targets y: class numbers (n,) or values (n, 1) in float32."""

    x: Array
    y: Array


@dataclass(frozen=True)
class DataSet:
    """Samples x (n, features) of any real dtype and their classes y (n,), before the split.

    shape: the network's sample shape, if not (features,). alike: all features are of one kind, such as pixels, and are
    standardised by one mean and one standard deviation, so that neighbours stay comparable. block: which split, as for `split`.
    """

    x: Array
    y: Array
    shape: tuple[int, ...] = ()
    alike: bool = False
    block: int = 0

    def features(self, rows: Array) -> Array:
        """x in the network's sample shape, standardised by the statistics of `rows`."""
        x, width = self.x, self.x.shape[1]
        if self.alike:
            x, rows = x.reshape(-1, 1), (rows[:, None] * width + np.arange(width)).ravel()
        return standardised(x, rows).reshape(len(self.x), *(self.shape or (width,)))


def split(groups: Array, block: int = 0) -> list[Array]:
    """The sorted rows of the training, validation and test parts: 60/20/20 of each group, by a fixed seed for each block."""
    random = np.random.default_rng(SPLIT_SEED + block)
    parts: list[list[Array]] = [[], [], []]
    for group in np.unique(groups):
        order = random.permutation(np.flatnonzero(groups == group))
        for part, rows in zip(parts, np.split(order, [round(share * len(order)) for share in SHARES]), strict=True):
            part.append(rows)
    return [np.sort(np.concatenate(part)) for part in parts]


def standardised(x: Array, rows: Array) -> Array:
    """x (n, features) in float32, each feature with mean 0 and standard deviation 1 over `rows`, or 0 if constant there."""
    found = np.empty(x.shape, np.float32)
    width = max(1, PREPARED // len(x))  # a few columns at a time: as float64, uint8 images may not fit into memory
    with np.errstate(all="ignore"):
        for i in range(0, x.shape[1], width):
            found[:, i : i + width] = _standardised(x[:, i : i + width].astype(np.float64), rows)
    return found


def _standardised(x: Array, rows: Array) -> Array:
    known = x[rows]
    constant = (known == known[0]).all(axis=0)
    largest = np.where(constant, 1, np.abs(known).max(axis=0))  # divided by it first, so that squares do not overflow
    known = known / largest
    mean = known.mean(axis=0)
    spread = np.where(constant, 1, (known - mean).std(axis=0))
    return np.where(constant, 0, (x / largest - mean) / spread)


def digest(text: str, *arrays: Array) -> str:
    """SHA-256 of a text and arrays, in hexadecimal."""
    found = hashlib.sha256(text.encode())
    for array in arrays:
        found.update(f"{array.dtype.str}{array.shape}".encode())
        found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()
