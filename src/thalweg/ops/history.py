"""Concrete values for decisions in an @around method, and its past tensors: memory of kind `history`."""

from __future__ import annotations

from thalweg.ops.calling import X
from thalweg.values.arrays import framework, is_traced
from thalweg.values.scalars import Scalar
from thalweg.values.symbols import Symbol


def known(x: X) -> X:
    """Return a number of the whole model as a Python float, for `if` and `while`.

    Raises TypeError if there is no single concrete value: under `jax.jit`, or with lanes in a method that is not declared
    with `decides=True`.
    """
    if isinstance(x, Symbol):
        return x
    if is_traced(x):
        raise TypeError("this method decides on values as it goes, so under jax.jit it cannot run; call its step outside of jit")
    if isinstance(x, Scalar) and x.values.ndim:
        raise TypeError("`known` takes one value, not one a lane; declare the method with @around(decides=True)")
    return float(x.values if isinstance(x, Scalar) else x)


def append(seen: X, x: X) -> X:
    """Append a tensor to the past ones (shape (k, *shape)) and drop the oldest."""
    if isinstance(seen, Symbol):
        return Symbol.of("append", seen, x)
    if hasattr(seen, "leaves"):  # whole trees
        return type(seen)([append(a, b) for a, b in zip(seen.leaves, x.leaves, strict=True)])
    return framework(seen).concatenate([seen[1:], x[None]], axis=0)
