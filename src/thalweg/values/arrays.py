"""One interface to the arrays of NumPy, PyTorch and JAX, with what `ops` and the optimizers need.

Nothing here imports torch or jax: their arrays exist only if the user has imported them.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

Array = Any  # an array of one of the three frameworks (or a tracer of one)


class _NumPy:
    """NumPy's own functions, and the constructors that differ between the frameworks."""

    name = "numpy"

    def __getattr__(self, word: str) -> Any:
        found = self.__dict__[word] = getattr(np, word)  # cached
        return found

    def __getstate__(self) -> dict[str, Any]:
        return {}  # without the cache

    def asarray(self, x: Any, like: Array, dtype: str | None = None) -> Array:
        return np.asarray(x, dtype=dtype or like.dtype)

    def full(self, shape: tuple[int, ...], value: Any, like: Array, dtype: str | None = None) -> Array:
        return np.full(shape, value, dtype=dtype or like.dtype)

    def cast(self, x: Array, dtype: Any) -> Array:
        return np.asarray(x).astype(dtype, copy=False)

    def copy(self, x: Array) -> Array:
        return np.array(x)

    def no_grad(self) -> contextlib.AbstractContextManager[Any]:
        return np.errstate(all="ignore")  # inf and NaN are valid results; `nonfinite=` decides about them

    # Matrix products in a given dtype, each result rounded once. NumPy holds narrow dtypes in float32.

    def rounded(self, x: Array, dtype: str) -> Array:
        if dtype == "bfloat16":
            x = np.asarray(x, np.float32)
            bits = x.view(np.uint32)
            nearest = (bits + (0x7FFF + ((bits >> 16) & 1))) & np.uint32(0xFFFF0000)  # ties to even
            return np.where(np.isfinite(x), nearest.view(np.float32), x)
        return x.astype(np.float16).astype(np.float32) if dtype == "float16" else np.asarray(x, dtype)

    def product(self, x: Array, y: Array, dtype: str) -> Array:
        return self.rounded(x @ y, dtype)

    def product_and(self, alpha: Any, x: Array, y: Array, beta: Any, z: Array, dtype: str) -> Array:
        """Return alpha x y + beta z."""
        return self.rounded(alpha * (x @ y) + beta * z, dtype)

    def size_of_matrix(self, x: Array, dtype: str) -> Array:
        return self.rounded(np.sqrt(np.sum(x * x, axis=(-2, -1), keepdims=True)), dtype)


class _Jax(_NumPy):
    name = "jax"

    def __getattr__(self, word: str) -> Any:
        return getattr(sys.modules["jax"].numpy, word)

    def asarray(self, x: Any, like: Array, dtype: str | None = None) -> Array:
        return sys.modules["jax"].numpy.asarray(x, dtype=dtype or like.dtype)

    def full(self, shape: tuple[int, ...], value: Any, like: Array, dtype: str | None = None) -> Array:
        if shape == like.shape:
            return sys.modules["jax"].numpy.full_like(like, value, dtype=dtype)  # it keeps the sharding, full(shape) drops it
        return self._full_beside(shape, value, like, dtype)

    def _full_beside(self, shape: tuple[int, ...], value: Any, like: Array, dtype: str | None) -> Array:
        jnp, own = sys.modules["jax"].numpy, tuple(like.shape)
        # so that memory of rows, columns or coordinates is sharded as the parameter is
        if len(shape) == len(own) and all(n in (1, m) for n, m in zip(shape, own, strict=True)):
            axes = tuple(axis for axis, n in enumerate(shape) if n != own[axis])
            return jnp.full_like(jnp.sum(like, axis=axes, keepdims=True), value, dtype=dtype)
        if shape[:-1] == own:
            return jnp.full_like(jnp.broadcast_to(like[..., None], shape), value, dtype=dtype)
        return jnp.full(shape, value, dtype=dtype or like.dtype)

    def cast(self, x: Array, dtype: Any) -> Array:
        return sys.modules["jax"].numpy.asarray(x).astype(dtype)

    def copy(self, x: Array) -> Array:
        return sys.modules["jax"].numpy.copy(x)  # immutable, but the caller may donate the original

    def no_grad(self) -> contextlib.AbstractContextManager[Any]:
        return np.errstate(all="ignore")

    def rounded(self, x: Array, dtype: str) -> Array:
        return x.astype(dtype)

    def product(self, x: Array, y: Array, dtype: str) -> Array:
        return self.rounded(self._wide_product(x, y), dtype)

    def product_and(self, alpha: Any, x: Array, y: Array, beta: Any, z: Array, dtype: str) -> Array:
        wide = self._wide_product(x, y)
        return self.rounded(alpha * wide + beta * z.astype(wide.dtype), dtype)

    def size_of_matrix(self, x: Array, dtype: str) -> Array:
        jnp = sys.modules["jax"].numpy
        wide = x.astype(jnp.promote_types(x.dtype, "float32"))
        return self.rounded(jnp.sqrt(jnp.sum(wide * wide, axis=(-2, -1), keepdims=True)), dtype)

    def _is_split(self, x: Any) -> bool:
        """Whether an array's type says that it lies on several devices of a mesh with explicit axes."""
        spec = getattr(getattr(getattr(x, "aval", None), "sharding", None), "spec", ())
        return any(axis is not None for axis in spec)

    def where(self, condition: Any, a: Any, b: Any) -> Array:
        """Choose; what is in one piece is split as the others, as explicit axes want it."""
        jax, given = sys.modules["jax"], (condition, a, b)
        like = next((x for x in given if self._is_split(x)), None)
        if like is not None:
            given = tuple(
                jax.sharding.reshard(x, like.aval.sharding)
                if getattr(x, "shape", None) == like.shape and not self._is_split(x)
                else x
                for x in given
            )
        return jax.numpy.where(*given)

    def whole(self, x: Array) -> Array:
        """Gather the array on a mesh with explicit axes, where operations over a sharded axis must name an output sharding."""
        if not self._is_split(x):
            return x
        return sys.modules["jax"].sharding.reshard(x, sys.modules["jax"].sharding.PartitionSpec(*[None] * x.ndim))

    def concatenate(self, xs: Sequence[Array], axis: int) -> Array:
        return sys.modules["jax"].numpy.concatenate([self.whole(x) for x in xs], axis=axis)

    def _wide_product(self, x: Array, y: Array) -> Array:
        jnp = sys.modules["jax"].numpy
        x, y = self.whole(x), self.whole(y)
        return jnp.matmul(x, y, preferred_element_type=jnp.promote_types(x.dtype, "float32"))

    def cond(self, truth: Any, yes: Any, no: Any) -> Array:
        return sys.modules["jax"].lax.cond(truth, yes, no)


class _Torch:
    name = "torch"

    def __getattr__(self, word: str) -> Any:
        return getattr(sys.modules["torch"], word)

    def _dtype(self, dtype: Any) -> Any:
        return getattr(sys.modules["torch"], dtype) if isinstance(dtype, str) else dtype

    def asarray(self, x: Any, like: Array, dtype: str | None = None) -> Array:
        return sys.modules["torch"].as_tensor(x, dtype=self._dtype(dtype or like.dtype), device=like.device)

    def full(self, shape: tuple[int, ...], value: Any, like: Array, dtype: str | None = None) -> Array:
        if shape == tuple(like.shape):
            return sys.modules["torch"].full_like(like, value, dtype=self._dtype(dtype), requires_grad=False)
        return like.new_full(shape, value, dtype=self._dtype(dtype))

    def cast(self, x: Array, dtype: Any) -> Array:
        return x.to(self._dtype(dtype))

    def copy(self, x: Array) -> Array:
        return x.detach().clone()

    def no_grad(self) -> contextlib.AbstractContextManager[Any]:
        return _torch_quiet()

    # torch's binary functions refuse plain numbers; NumPy's and JAX's accept them.
    def maximum(self, a: Any, b: Any) -> Array:
        return sys.modules["torch"].maximum(*self._both(a, b))

    def minimum(self, a: Any, b: Any) -> Array:
        return sys.modules["torch"].minimum(*self._both(a, b))

    def where(self, condition: Any, a: Any, b: Any) -> Array:
        if isinstance(condition, bool):  # from numbers on the host
            return a if condition else b
        return sys.modules["torch"].where(condition, a, b)

    def sum(self, x: Array, axis: tuple[int, ...], keepdims: bool) -> Array:
        return sys.modules["torch"].sum(x, dim=axis, keepdim=keepdims) if axis else x

    def stack(self, xs: Sequence[Array], axis: int) -> Array:
        return sys.modules["torch"].stack(list(xs), dim=axis)

    def split(self, x: Array, parts: int, axis: int) -> Sequence[Array]:
        return list(sys.modules["torch"].chunk(x, parts, dim=axis))

    def rounded(self, x: Array, dtype: str) -> Array:
        return x.to(self._dtype(dtype))

    def product(self, x: Array, y: Array, dtype: str) -> Array:
        return x @ y

    def product_and(self, alpha: Any, x: Array, y: Array, beta: Any, z: Array, dtype: str) -> Array:
        if x.ndim > 3 or not (isinstance(alpha, int | float) and isinstance(beta, int | float)):
            return self.rounded(alpha * (x @ y) + beta * z, dtype)
        multiply = sys.modules["torch"].addmm if x.ndim == 2 else sys.modules["torch"].baddbmm
        return multiply(z, x, y, beta=beta, alpha=alpha)

    def size_of_matrix(self, x: Array, dtype: str) -> Array:
        return sys.modules["torch"].linalg.vector_norm(x, dim=(-2, -1), keepdim=True)

    def _both(self, a: Any, b: Any) -> tuple[Array, ...]:
        like = a if hasattr(a, "dtype") else b
        return tuple(x if hasattr(x, "dtype") else like.new_full((), x) for x in (a, b))  # sent to a GPU, it would be waited for


@contextlib.contextmanager
def _torch_quiet() -> Iterator[None]:
    with sys.modules["torch"].no_grad(), np.errstate(all="ignore"):
        yield


_JAX = _Jax()
_FRAMEWORKS: dict[str, Any] = {"numpy": _NumPy(), "jax": _JAX, "jaxlib": _JAX, "torch": _Torch()}


@functools.cache
def _framework_of_type(kind: Any) -> Any:
    packages = (base.__module__.partition(".")[0] for base in kind.__mro__)  # a torch.nn.Parameter, a user's subclass of ndarray
    return next((_FRAMEWORKS[package] for package in packages if package in _FRAMEWORKS), None)


def framework(x: Any) -> Any:
    """Return the framework of the array `x`, or None if it is not an array."""
    return _framework_of_type(type(x))  # type: ignore[arg-type]  # mypy takes type[Any] for unhashable


def is_traced(x: Any) -> bool:
    """Whether x is a JAX tracer, whose value is unknown, so that Python cannot branch on it."""
    jax = sys.modules.get("jax")
    return jax is not None and isinstance(x, jax.core.Tracer)


def real_part(x: Array) -> Array:
    """Return a complex array's real part if its imaginary part is 0, or a tracer's; any other array unchanged.

    Beside complex parameters, `optax.inject_hyperparams` makes each number complex.
    """
    if not dtype_name(x).startswith("complex"):
        return x
    return x.real if is_traced(x) or not bool((x.imag != 0).any()) else x


HALF = frozenset({"float16", "bfloat16"})
"""Dtypes for storage only, not for arithmetic."""


def widened(x: Array) -> Array:
    """Return the array in the dtype of the arithmetic: float32 for half precision."""
    return framework(x).cast(x, "float32") if dtype_name(x) in HALF else x


def is_floating(x: Array) -> bool:
    """Whether the dtype is real and floating: float16 to float64, bfloat16."""
    return "float" in str(x.dtype)


def dtype_name(x: Array) -> str:
    """Return 'float32' for NumPy's, torch's and JAX's float32 alike."""
    return _name_of_dtype(x.dtype)


@functools.cache
def _name_of_dtype(dtype: Any) -> str:
    return str(dtype).removeprefix("torch.")
