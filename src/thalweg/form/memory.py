"""The kinds of memory a rule may keep: what its default in the signature says of shape, start and dtype."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from thalweg.values.arrays import Array, framework, is_traced, leaf_key
from thalweg.values.scalars import Scalar
from thalweg.values.symbols import NUMBER, PER_TENSOR, TENSOR

Shape = tuple[int, ...]


def _matrix(kind: str, shape: Shape) -> Shape:
    if len(shape) < 2:
        raise ValueError(
            f"memory of the kind '{kind}' needs a matrix, and this parameter has shape {shape}; "
            "route it with choose((is_matrix, this_rule()), otherwise=another())"
        )
    return shape


_SHAPES: dict[str, Callable[[Shape], Shape]] = {
    "filled": lambda s: s,
    "like_p": lambda s: s,
    "gaussian": lambda s: s,
    "per_tensor": lambda s: (),
    "per_model": lambda s: (),
    "matrix": lambda s: _matrix("matrix", s),
    "rows": lambda s: (*_matrix("rows", s)[:-1], 1),
    "cols": lambda s: (*_matrix("cols", s)[:-2], 1, s[-1]),
    "square": lambda s: (*_matrix("square", s)[:-1], s[-2]),
    "slices": lambda s: (sum(s) if s else 1,),
}
_SIZED: dict[str, Callable[[Shape, int], Shape]] = {
    "per_coordinate": lambda s, size: (*s, size),
    "history": lambda s, size: (size, *s),
    "projector": lambda s, size: (*_matrix("projector", s)[:-2], min(s[-2:]), min(size, *s[-2:])),
    "projected": lambda s, size: (
        *_matrix("projected", s)[:-2],
        *((min(size, s[-2]), s[-1]) if s[-2] <= s[-1] else (s[-2], min(size, s[-1]))),
    ),
}


@dataclass(frozen=True)
class Kind:
    """What one slot of memory is: its shape from the parameter's, its first value, its dtype (the parameter's if None).

    Calling a kind sets the first value and the dtype: `per_tensor(1.0)`, `rows(0.0, dtype="float32")`.
    """

    kind: str
    value: float = 0.0
    dtype: str | None = None
    size: int | str = 0

    def __call__(self, value: float = 0.0, *, dtype: str | None = None) -> Kind:
        return replace(self, value=float(value), dtype=dtype)

    def sized(self, config: dict[str, Any]) -> Kind:
        """The same, its size read from the hyper-parameters where it is one of them."""
        return replace(self, size=config[self.size]) if isinstance(self.size, str) else self

    @property
    def full(self) -> bool:
        """Whether it is a tensor like the parameter."""
        return self.kind in ("filled", "like_p", "gaussian", "matrix")

    @property
    def level(self) -> int:
        return {"per_model": NUMBER, "per_tensor": PER_TENSOR}.get(self.kind, TENSOR)

    @property
    def per_parameter(self) -> float:
        """Numbers of memory for each number of the parameter, in the limit of a large tensor."""
        small = ("per_model", "per_tensor", "rows", "cols", "slices", "projector", "projected")
        return 0.0 if self.kind in small else float(self.size) if self.kind in _SIZED else 1.0

    @property
    def of_matrices(self) -> bool:
        """Whether a vector has no such memory."""
        return self.kind in ("matrix", "rows", "cols", "square", "projector", "projected")

    def shape(self, shape: Shape) -> Shape:
        if self.kind in _SIZED:
            return _SIZED[self.kind](shape, int(self.size))
        return _SHAPES[self.kind](shape)

    def start(self, p: Array, shape: Shape, lanes: int | None, draw: Callable[[], Array]) -> Array:
        """The slot's first value for the parameter p, of shape `shape` in each lane."""
        space = framework(p)
        if self.kind == "like_p":
            return space.copy(p) if self.dtype is None else space.cast(space.copy(p), self.dtype)
        if self.kind == "gaussian":
            return draw()
        first = () if lanes is None else (lanes,)
        return space.full(first + self.shape(shape), self.value, p, self.dtype)


per_tensor = Kind("per_tensor")
"""One number for each tensor."""
per_model = Kind("per_model")
"""One number for the whole model; all its tensors must agree on it."""
matrix = Kind("matrix")
"""One number for each parameter of a matrix: shape (..., m, n). A vector is refused."""
rows = Kind("rows")
"""One number for each row of a matrix: shape (..., m, 1)."""
cols = Kind("cols")
"""One number for each column of a matrix: shape (..., 1, n)."""
square = Kind("square")
"""A square matrix on the rows: shape (..., m, m)."""
slices = Kind("slices")
"""One number for each slice of a tensor along each of its axes, end to end: of an (m, n) matrix its m rows and its n
columns, shape (m + n,); of a vector one for each entry, of a number one."""
like_p = Kind("like_p")
"""A copy of the parameter as it is at `init`."""
gaussian = Kind("gaussian")
"""One draw from the standard normal distribution, made at `init` from the optimizer's seed."""


def per_coordinate(size: int, *, dtype: str | None = None) -> Kind:
    """A vector of `size` zeros for each coordinate: shape of the parameter + (size,)."""
    return Kind("per_coordinate", 0.0, dtype, size)


def history(size: int | str, *, dtype: str | None = None) -> Kind:
    """The last `size` tensors of one sort, the newest last, zeros before there are any: shape (size,) + the parameter's.

    size: a number, or the name of the rule's whole-number hyper-parameter that says it.
    """
    return Kind("history", 0.0, dtype, size)


def projector(size: int | str) -> Kind:
    """So many directions of a matrix's shorter side, as columns: shape (..., min(m, n), size), or fewer where it is shorter."""
    return Kind("projector", size=size)


def projected(size: int | str) -> Kind:
    """A matrix with its shorter side projected on so many directions: (..., size, n) where m <= n, else (..., m, size)."""
    return Kind("projected", size=size)


def numbers(size: int | str) -> Kind:
    """So many numbers for the whole model, zeros at the start: a tuple in the rule, and in a state a slot for each.

    size: a number, or the name of the rule's whole-number hyper-parameter that says it.
    """
    return Kind("numbers", size=size)


def of_default(default: Any) -> Kind | None:
    """The kind that a default in a signature stands for; None where it is none."""
    if isinstance(default, Kind):
        return default
    if isinstance(default, int | float) and not isinstance(default, bool):
        return Kind("filled", float(default))
    return None


def draw(seed: Any, t: Any, words: Sequence[str], p: Array, lanes: int | None) -> Array:
    """Standard normal numbers for a leaf: a function of (seed, t, the leaf's name), so resuming is exact.

    With lanes, `seed` may hold one seed a lane: lane i then draws what a run with seed[i] draws.
    """
    space = framework(p)
    leaf = leaf_key("/".join(words)) & 0x7FFFFFFF
    if lanes is None:
        return space.normal((seed, t, leaf), tuple(p.shape), p)
    seeds = [seed] * lanes if np.ndim(seed) == 0 else list(seed)
    times = list(t.values) if isinstance(t, Scalar) else [t] * lanes
    keys = [(_whole(s), _whole(i), leaf) for s, i in zip(seeds, times, strict=True)]
    traced = any(is_traced(number) for key in keys for number in key)
    distinct = {key: space.normal(key, tuple(p.shape[1:]), p) for key in ([] if traced else dict.fromkeys(keys))}
    return space.stack([space.normal(key, tuple(p.shape[1:]), p) if traced else distinct[key] for key in keys], axis=0)


def _whole(x: Any) -> Any:
    return int(x) if isinstance(x, np.generic) else x
