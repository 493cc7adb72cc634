"""The kinds of memory: what a default in a rule's signature says about shape, first value and dtype."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from thalweg.values.arrays import HALF, Array, dtype_name, framework
from thalweg.values.symbols import NUMBER, PER_TENSOR, TENSOR

Shape = tuple[int, ...]
ROWS, COLS, SLICES = "rows", "cols", "slices"
"""The margins of a tensor: one number for each row of a matrix, for each column, or for each slice along each axis."""


@dataclass(frozen=True)
class Kind:
    """The kind of one memory slot: shape (a function of the parameter's), first value, dtype (None: the parameter's).

    Calling a kind sets first value and dtype: `per_tensor(1.0)`, `rows(0.0, dtype="float32")`. Each kind is a class below.
    """

    value: float = 0.0
    dtype: str | None = None
    size: int | str = 0
    ships: bool = False
    kind: ClassVar[str]
    """Its name in signatures."""
    words: ClassVar[str]
    """A description for readers."""
    level: ClassVar[int] = TENSOR
    full: ClassVar[bool] = False
    """Whether it is a tensor in the parameter's shape."""
    of_matrices: ClassVar[bool] = False
    """Whether it exists for matrices only."""
    drawn: ClassVar[bool] = False
    """Whether its first value is drawn with the optimizer's seed."""
    of_model: ClassVar[bool] = False
    """Whether it is one number on which all tensors agree."""
    from_parameter: ClassVar[bool] = False
    """Whether its first value is the parameter."""
    starts_as_value: ClassVar[bool] = True
    """Whether it starts as `value` everywhere, so that a slot that is never written is that number."""
    fused: ClassVar[bool] = False
    """Whether kernels read and write it element by element, or as a number of the tensor."""
    compact: ClassVar[bool] = False
    """Whether kernels may keep it in bfloat16 or int8."""
    margin: ClassVar[str] = ""
    """Which margin of the tensor it is (`ROWS`, `COLS`, `SLICES`), if kernels compute it."""

    def __call__(self, value: float = 0.0, *, dtype: str | None = None) -> Kind:
        return replace(self, value=float(value), dtype=dtype)

    def sized(self, config: dict[str, Any]) -> Kind:
        """Return the kind with its size read from the hyper-parameters, if it names one."""
        return replace(self, size=config[self.size]) if isinstance(self.size, str) else self

    @property
    def per_parameter(self) -> float:
        """Return the numbers of memory per number of the parameter, in the limit of a large tensor."""
        return 1.0 if self.full else 0.0

    def shape(self, shape: Shape) -> Shape:
        """Return the slot's shape for a parameter of this shape. Raises ValueError if it needs a matrix and this is none."""
        if self.of_matrices and len(shape) < 2:
            raise _is_no_matrix(self.kind, shape)
        return self._shape(shape)

    def _shape(self, shape: Shape) -> Shape:
        return shape

    def started(self, leaves: Sequence[Any], lanes: int | None, start: Callable[[Any], Array]) -> Any:
        """Return the slot's first memory: a table by leaf, with first values from `start`, or a number of the whole model."""
        return {leaf.name: start(leaf) for leaf in leaves}

    def table(self, before: Any, leaves: Sequence[Any], values: Sequence[Any]) -> Any:
        """Return the slot's memory with these new values for leaves."""
        return {**(before or {}), **{leaf.name: value for leaf, value in zip(leaves, values, strict=True)}}

    def start(self, p: Array, shape: Shape, lanes: int | None, draw: Callable[[], Array]) -> Array:
        """Return the slot's first value for the parameter p, of shape `shape` in each lane."""
        first = () if lanes is None else (lanes,)
        return framework(p).full(tuple(p.shape) if self.full else first + self.shape(shape), self.value, p, self.dtype)


def _is_no_matrix(kind: str, shape: Shape) -> ValueError:
    return ValueError(
        f"memory of the kind '{kind}' needs a matrix, and this parameter has shape {shape}; "
        "route it with choose((is_matrix, this_rule()), otherwise=another())"
    )


class Filled(Kind):
    kind, words, full = "filled", "one number a parameter, {value:g} at the start", True
    fused, compact = True, True


class LikeP(Kind):
    kind, words, full = "like_p", "a copy of the parameter at the start", True
    fused, from_parameter, starts_as_value = True, True, False

    def start(self, p: Array, shape: Shape, lanes: int | None, draw: Callable[[], Array]) -> Array:
        space = framework(p)
        return space.copy(p) if self.dtype is None else space.cast(space.copy(p), self.dtype)


class Gaussian(Kind):
    kind, words, full = "gaussian", "one number a parameter, drawn from the standard normal distribution at the start", True
    fused, drawn, starts_as_value = True, True, False

    def start(self, p: Array, shape: Shape, lanes: int | None, draw: Callable[[], Array]) -> Array:
        space, zeros = framework(p), super().start(p, shape, lanes, draw)
        return zeros + space.cast(draw(), zeros.dtype)  # a sum, so that JAX splits it as the parameter is


class PerTensor(Kind):
    kind, words, level = "per_tensor", "one number a tensor, {value:g} at the start", PER_TENSOR
    fused = True

    def _shape(self, shape: Shape) -> Shape:
        return ()

    def start(self, p: Array, shape: Shape, lanes: int | None, draw: Callable[[], Array]) -> Array:
        wide = "float32" if dtype_name(p) in HALF else None  # in half precision a sum soon stops growing, and squares overflow
        return framework(p).full(() if lanes is None else (lanes,), self.value, p, self.dtype or wide)


class PerModel(Kind):
    kind, words, level = "per_model", "one number for the whole model, {value:g} at the start", NUMBER
    fused, of_model = True, True

    def started(self, leaves: Sequence[Any], lanes: int | None, start: Callable[[Any], Array]) -> Any:
        if leaves and framework(leaves[0].p).name == "jax":  # a Python number would change type in the carry of lax.scan
            return framework(leaves[0].p).zeros(() if lanes is None else (lanes,)) + self.value
        return self.value if lanes is None else np.full(lanes, self.value)

    def table(self, before: Any, leaves: Sequence[Any], values: Sequence[Any]) -> Any:
        return values[-1]

    def _shape(self, shape: Shape) -> Shape:
        return ()


class Numbers(PerModel):
    kind, words = "numbers", "{size} numbers for the whole model, {value:g} at the start"


class Matrix(Kind):
    kind, words, full, of_matrices = "matrix", "one number a parameter of a matrix, {value:g} at the start", True, True
    fused = True


class Rows(Kind):
    kind, words, of_matrices = "rows", "one number a row of a matrix, {value:g} at the start", True
    margin = ROWS

    def _shape(self, shape: Shape) -> Shape:
        return (*shape[:-1], 1)


class Cols(Kind):
    kind, words, of_matrices = "cols", "one number a column of a matrix, {value:g} at the start", True
    margin = COLS

    def _shape(self, shape: Shape) -> Shape:
        return (*shape[:-2], 1, shape[-1])


class Square(Kind):
    kind, words, of_matrices = "square", "a square matrix on the rows, {value:g} at the start", True
    per_parameter = 1.0  # for a square parameter

    def _shape(self, shape: Shape) -> Shape:
        return (*shape[:-1], shape[-2])


class SquareOfCols(Kind):
    kind, words, of_matrices = "square_of_cols", "a square matrix on the columns, {value:g} at the start", True
    per_parameter = 1.0  # for a square parameter

    def _shape(self, shape: Shape) -> Shape:
        return (*shape[:-2], shape[-1], shape[-1])


class Identity(Square):
    kind, words = "identity", "a square matrix on the rows, the identity at the start"
    starts_as_value = False

    def start(self, p: Array, shape: Shape, lanes: int | None, draw: Callable[[], Array]) -> Array:
        space, own = framework(p), self.shape(shape)
        one = space.asarray(np.eye(own[-1]), p, self.dtype)
        return space.copy(space.broadcast_to(one, (() if lanes is None else (lanes,)) + own))


class IdentityOfCols(Identity):
    kind, words = "identity_of_cols", "a square matrix on the columns, the identity at the start"

    def _shape(self, shape: Shape) -> Shape:
        return (*shape[:-2], shape[-1], shape[-1])


class RandomFactor(Kind):
    kind, words, of_matrices = "random_factor", "{size} numbers a column of a matrix, drawn at the start", True
    drawn, starts_as_value = True, False

    def _shape(self, shape: Shape) -> Shape:
        return (*shape[:-2], shape[-1], min(int(self.size), *shape[-2:]))

    def start(self, p: Array, shape: Shape, lanes: int | None, draw: Callable[[], Array]) -> Array:
        space = framework(p)
        few = space.swapaxes(draw(), -1, -2)[..., : self.shape(shape)[-1]]
        return space.copy(space.cast(few, self.dtype or p.dtype))


class Slices(Kind):
    kind, words = "slices", "one number a slice along each axis, as rows and columns, {value:g} at the start"
    margin = SLICES

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


class Basis(Kind):
    kind, words, of_matrices = "basis", "all directions of a matrix's shorter side, {value:g} at the start", True

    def _shape(self, shape: Shape) -> Shape:
        return (*shape[:-2], min(shape[-2:]), min(shape[-2:]))


class Projected(Kind):
    kind, words, of_matrices = "projected", "a matrix seen in {size} directions, {value:g} at the start", True

    def _shape(self, shape: Shape) -> Shape:
        *first, rows, columns = shape
        few = min(int(self.size), rows, columns)
        return (*first, few, columns) if rows <= columns else (*first, rows, few)


per_tensor = PerTensor()
"""One number per tensor."""
per_model = PerModel()
"""One number for the whole model, on which all its tensors agree."""
matrix = Matrix()
"""One number per element of a matrix: shape (..., m, n). Vectors are refused."""
rows = Rows()
"""One number per row of a matrix: shape (..., m, 1)."""
cols = Cols()
"""One number per column of a matrix: shape (..., 1, n)."""
square = Square()
"""A square matrix for the rows: shape (..., m, m)."""
square_of_cols = SquareOfCols()
"""A square matrix for the columns: shape (..., n, n)."""
basis = Basis()
"""All directions of a matrix's shorter side, as columns: shape (..., k, k), k = min(m, n)."""
identity = Identity()
"""A square matrix for the rows, the identity at `init`: shape (..., m, m)."""
identity_of_cols = IdentityOfCols()
"""A square matrix for the columns, the identity at `init`: shape (..., n, n)."""
slices = Slices()
"""One number per slice of a tensor along each of its axes, concatenated: for an (m, n) matrix its m rows and its n columns,
shape (m + n,); for a vector one per entry, for a scalar one.
"""
like_p = LikeP()
"""A copy of the parameter at `init`."""
gaussian = Gaussian()
"""One draw from the standard normal distribution, made at `init` with the optimizer's seed."""


def per_coordinate(size: int | str, *, dtype: str | None = None) -> Kind:
    """A vector of `size` zeros per coordinate: shape of the parameter + (size,).

    size: a number, or the name of the integer hyper-parameter that holds it.
    """
    return PerCoordinate(0.0, dtype, size)


def history(size: int | str, *, dtype: str | None = None) -> Kind:
    """The last `size` tensors of one sort, newest last, initially zeros: shape (size,) + the parameter's.

    size: a number, or the name of the integer hyper-parameter that holds it.
    """
    return History(0.0, dtype, size)


def projector(size: int | str) -> Kind:
    """`size` directions of a matrix's shorter side, as columns: shape (..., min(m, n), size), or fewer if it is shorter."""
    return Projector(size=size)


def projected(size: int | str) -> Kind:
    """A matrix with its shorter side projected on `size` directions: (..., size, n) if m <= n, else (..., m, size)."""
    return Projected(size=size)


def random_factor(size: int | str) -> Kind:
    """`size` columns of normal draws for a matrix's columns, made at `init` with the optimizer's seed: shape (..., n, size).

    They are fewer if a side of the matrix is shorter. size: as in `projector`.
    """
    return RandomFactor(size=size)


def shipped(kind: Kind) -> Kind:
    """Mark memory of an after-step as the point to keep and evaluate, such as an average: `x=shipped(like_p)`."""
    return replace(kind, ships=True)


def numbers(size: int | str) -> Kind:
    """`size` numbers for the whole model, initially zero: a tuple in the rule, one slot each in a state.

    size: a number, or the name of the integer hyper-parameter that holds it.
    """
    return Numbers(size=size)


def of_default(default: Any) -> Kind | None:
    """Return the kind for a default in a signature, or None."""
    if isinstance(default, Kind):
        return default
    if isinstance(default, int | float) and not isinstance(default, bool):
        return Filled(float(default))
    return None
