"""Dispatch of words: on symbols, in an array framework, on the host, or on each tensor of the whole model."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

import numpy as np

from thalweg.values.arrays import framework
from thalweg.values.per_tensor import Each, each
from thalweg.values.scalars import Scalar, in_one_framework
from thalweg.values.symbols import Symbol

X = Any  # any argument of a word: see `thalweg.ops`
has_lanes: ContextVar[bool] = ContextVar("has_lanes", default=False)


def lanes(present: bool) -> contextlib.AbstractContextManager[None]:
    """Context manager: the first axis of each tensor counts lanes, and reductions keep it."""
    return contextlib.nullcontext() if has_lanes.get() == present else _lanes(present)


@contextlib.contextmanager
def _lanes(present: bool) -> Iterator[None]:
    token = has_lanes.set(present)
    try:
        yield
    finally:
        has_lanes.reset(token)


def call(word: str, *args: X) -> X:
    """Apply an element-wise word according to its arguments: on symbols, in an array framework, or on the host."""
    like = space = None
    for arg in args:
        if isinstance(arg, Symbol):
            return Symbol.of(word, *args)
        if isinstance(arg, Each):
            return each(functools.partial(call, word), *args)
        own = framework(arg)
        if own is not None and (like is None or "bool" in str(like.dtype)):  # a condition does not determine the dtype
            like, space = arg, own
    if space is None:
        return _on_host(word, args)
    return getattr(space, word)(*(a.meet(like) if isinstance(a, Scalar) else a for a in args))


def _on_host(word: str, args: tuple[X, ...]) -> X:
    values = in_one_framework(*(a.values if isinstance(a, Scalar) else a for a in args))
    space = next((framework(v) for v in values if framework(v) is not None), np)
    with np.errstate(all="ignore"):
        result = getattr(space, word)(*values)
    return Scalar(result) if any(isinstance(a, Scalar) for a in args) else result.item()


def by_tensor(word: Callable[..., X]) -> Callable[..., X]:
    """Decorate a word on one tensor so that it applies to each tensor of the whole model."""

    @functools.wraps(word)
    def said(*args: X) -> X:
        return each(word, *args) if any(isinstance(arg, Each) for arg in args) else word(*args)

    return said


def in_one_piece(word: Callable[..., X]) -> Callable[..., X]:
    """Decorate a word of whole matrices, as `by_tensor`: one that JAX has split over a mesh's explicit axes is gathered first.

    A product over such an axis would have to say where its result is to lie, and no factor of a matrix is found in parts.
    """

    @functools.wraps(word)
    def said(*args: X) -> X:
        return word(*[arg if (space := framework(arg)) is None or space.name != "jax" else space.whole(arg) for arg in args])

    return by_tensor(said)
