"""The kinds of memory a rule may keep: what its default in the signature says of shape, start and dtype."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from thalweg.values.arrays import Array, framework, is_traced, leaf_key
from thalweg.values.scalars import Scalar
from thalweg.values.symbols import NUMBER, PER_TENSOR, TENSOR

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Kind:
    """What one slot of memory is: its shape from the parameter's, its first value, its dtype (the parameter's if None).

    Calling a kind sets the first value and the dtype: `per_tensor(1.0)`, `rows(0.0, dtype="float32")`. Each kind is a class
    below, with all that is to be known of it.
    """

    value: float = 0.0
    dtype: str | None = None
    size: int | str = 0
    ships: bool = False
    kind: ClassVar[str]
    """What its rules' authors call it."""
    words: ClassVar[str]
    """What it keeps, for readers."""
    level: ClassVar[int] = TENSOR
    full: ClassVar[bool] = False
    """Whether it is a tensor like the parameter, in its shape."""
    of_matrices: ClassVar[bool] = False
    """Whether a vector has no such memory."""

    def __call__(self, value: float = 0.0, *, dtype: str | None = None) -> Kind:
        return replace(self, value=float(value), dtype=dtype)

    def sized(self, config: dict[str, Any]) -> Kind:
        """The same, its size read from the hyper-parameters where it is one of them."""
        return replace(self, size=config[self.size]) if isinstance(self.size, str) else self

    @property
    def per_parameter(self) -> float:
        """Numbers of memory for each number of the parameter, in the limit of a large tensor."""
        return 1.0 if self.full else 0.0

    def shape(self, shape: Shape) -> Shape:
        """Its shape beside a parameter of this shape. Raises ValueError where a matrix is needed and this is none."""
        if self.of_matrices and len(shape) < 2:
            raise ValueError(
                f"memory of the kind '{self.kind}' needs a matrix, and this parameter has shape {shape}; "
                "route it with choose((is_matrix, this_rule()), otherwise=another())"
            )
        return self._shape(shape)

    def _shape(self, shape: Shape) -> Shape:
        return shape

    def start(self, p: Array, shape: Shape, lanes: int | None, draw: Callable[[], Array]) -> Array:
        """The slot's first value for the parameter p, of shape `shape` in each lane."""
        first = () if lanes is None else (lanes,)
        return framework(p).full(first + self.shape(shape), self.value, p, self.dtype)


class Filled(Kind):
    kind, words, full = "filled", "one number a parameter, {value:g} at the start", True


class LikeP(Kind):
    kind, words, full = "like_p", "a copy of the parameter at the start", True

    def start(self, p: Array, shape: Shape, lanes: int | None, draw: Callable[[], Array]) -> Array:
        space = framework(p)
        return space.copy(p) if self.dtype is None else space.cast(space.copy(p), self.dtype)


class Gaussian(Kind):
    kind, words, full = "gaussian", "one number a parameter, drawn from the standard normal distribution at the start", True

    def start(self, p: Array, shape: Shape, lanes: int | None, draw: Callable[[], Array]) -> Array:
        return draw()


class PerTensor(Kind):
    kind, words, level = "per_tensor", "one number a tensor, {value:g} at the start", PER_TENSOR

    def _shape(self, shape: Shape) -> Shape:
        return ()


class PerModel(Kind):
    kind, words, level = "per_model", "one number for the whole model, {value:g} at the start", NUMBER

    def _shape(self, shape: Shape) -> Shape:
        return ()


class Numbers(PerModel):
    kind, words = "numbers", "{size} numbers for the whole model, {value:g} at the start"


class Matrix(Kind):
    kind, words, full, of_matrices = "matrix", "one number a parameter of a matrix, {value:g} at the start", True, True


class Rows(Kind):
    kind, words, of_matrices = "rows", "one number a row of a matrix, {value:g} at the start", True

    def _shape(self, shape: Shape) -> Shape:
        return (*shape[:-1], 1)


class Cols(Kind):
    kind, words, of_matrices = "cols", "one number a column of a matrix, {value:g} at the start", True

    def _shape(self, shape: Shape) -> Shape:
        return (*shape[:-2], 1, shape[-1])


class Square(Kind):
    kind, words, of_matrices = "square", "a square matrix on the rows, {value:g} at the start", True
    per_parameter = 1.0  # of a square matrix, which a parameter's may be

    def _shape(self, shape: Shape) -> Shape:
        return (*shape[:-1], shape[-2])


class Slices(Kind):
    kind, words = "slices", "one number a slice along each axis, as rows and columns, {value:g} at the start"

    def _shape(self, shape: Shape) -> Shape:
        return (sum(shape) if shape else 1,)


class PerCoordinate(Kind):
    kind, words = "per_coordinate", "{size} numbers a parameter, {value:g} at the start"

    @property
    def per_parameter(self) -> float:
        return float(self.size)

    def _shape(self, shape: Shape) -> Shape:
        return (*shape, int(self.size))


class History(PerCoordinate):
    kind, words = "history", "the last {size} tensors of one sort, {value:g} at the start"

    def _shape(self, shape: Shape) -> Shape:
        return (int(self.size), *shape)


class Projector(Kind):
    kind, words, of_matrices = "projector", "{size} directions of a matrix's shorter side, {value:g} at the start", True

    def _shape(self, shape: Shape) -> Shape:
        return (*shape[:-2], min(shape[-2:]), min(int(self.size), *shape[-2:]))


class Projected(Kind):
    kind, words, of_matrices = "projected", "a matrix seen in {size} directions, {value:g} at the start", True

    def _shape(self, shape: Shape) -> Shape:
        *first, rows, columns = shape
        few = min(int(self.size), rows, columns)
        return (*first, few, columns) if rows <= columns else (*first, rows, few)


per_tensor = PerTensor()
"""One number for each tensor."""
per_model = PerModel()
"""One number for the whole model; all its tensors must agree on it."""
matrix = Matrix()
"""One number for each parameter of a matrix: shape (..., m, n). A vector is refused."""
rows = Rows()
"""One number for each row of a matrix: shape (..., m, 1)."""
cols = Cols()
"""One number for each column of a matrix: shape (..., 1, n)."""
square = Square()
"""A square matrix on the rows: shape (..., m, m)."""
slices = Slices()
"""One number for each slice of a tensor along each of its axes, end to end: of an (m, n) matrix its m rows and its n
columns, shape (m + n,); of a vector one for each entry, of a number one."""
like_p = LikeP()
"""A copy of the parameter as it is at `init`."""
gaussian = Gaussian()
"""One draw from the standard normal distribution, made at `init` from the optimizer's seed."""


def per_coordinate(size: int, *, dtype: str | None = None) -> Kind:
    """A vector of `size` zeros for each coordinate: shape of the parameter + (size,)."""
    return PerCoordinate(0.0, dtype, size)


def history(size: int | str, *, dtype: str | None = None) -> Kind:
    """The last `size` tensors of one sort, the newest last, zeros before there are any: shape (size,) + the parameter's.

    size: a number, or the name of the rule's whole-number hyper-parameter that says it.
    """
    return History(0.0, dtype, size)


def projector(size: int | str) -> Kind:
    """So many directions of a matrix's shorter side, as columns: shape (..., min(m, n), size), or fewer where it is shorter."""
    return Projector(size=size)


def projected(size: int | str) -> Kind:
    """A matrix with its shorter side projected on so many directions: (..., size, n) where m <= n, else (..., m, size)."""
    return Projected(size=size)


def shipped(kind: Kind) -> Kind:
    """This memory of an after-step is the point to keep and evaluate, as an average is: `x=shipped(like_p)`."""
    return replace(kind, ships=True)


def numbers(size: int | str) -> Kind:
    """So many numbers for the whole model, zeros at the start: a tuple in the rule, and in a state a slot for each.

    size: a number, or the name of the rule's whole-number hyper-parameter that says it.
    """
    return Numbers(size=size)


def of_default(default: Any) -> Kind | None:
    """The kind that a default in a signature stands for; None where it is none."""
    if isinstance(default, Kind):
        return default
    if isinstance(default, int | float) and not isinstance(default, bool):
        return Filled(float(default))
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
