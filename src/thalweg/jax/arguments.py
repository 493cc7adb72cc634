"""optax's arguments as a dialect's row takes them: numbers, schedules and masks."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from thalweg.core.arrange import Arranged
from thalweg.core.compose import Choose
from thalweg.core.leaf import Leaf, checked_number, in_parts
from thalweg.core.stage import At, Chain, chain
from thalweg.jax.trees import names_of
from thalweg.values.arrays import real_part

Tree = Any


class OptaxArguments:
    """Arguments as a dialect's row takes them. A schedule is called with optax's count, which is 0 at the first update."""

    def __init__(self, arguments: dict[str, Any]) -> None:
        self.arguments = arguments

    def static(self, name: str) -> Any:
        """Return a value that selects the algorithm."""
        return _real(self.arguments[name])

    def dynamic(self, name: str, part: int | None = None) -> Any:
        """Return a number, a schedule, or a traced value."""
        value = self.arguments[name]
        return by_count(value if part is None else value[part])

    def dynamic_or_zero(self, name: str) -> Any:
        """Return the same; a plain 0, or None, leaves out its effect."""
        return 0.0 if self.arguments[name] is None else self.dynamic(name)

    def leaves(self, name: str) -> Callable[[Leaf], bool] | None:
        """Return the predicate of a mask: a tree of bools, like the parameters or a prefix, or a function that returns one."""
        told = self.told(name)
        return None if told is None else lambda leaf: _truth(told(leaf), name, leaf.name)

    def told(self, name: str) -> Callable[[Leaf], Any] | None:
        """Return a function from leaf to value, for a tree like the parameters, a prefix, or a function that makes one."""
        tree = self.arguments[name]
        return None if tree is None else lambda leaf: _now.get().of(tree)[leaf.name]


def by_count(value: Any) -> Any:
    """Convert a schedule of optax's count, an integer from 0, to one of t = 1, 2, ..."""
    return functools.partial(_scheduled, value) if callable(value) else _real(value)


def _scheduled(schedule: Any, t: Any) -> Any:
    """Return what a schedule of optax's count gives at t. Raises TypeError unless it is one number."""
    count = jnp.asarray(t, jnp.int32) - 1
    return checked_number(schedule, _real(schedule(count)), count, one=True)


def _real(value: Any) -> Any:
    if not isinstance(value, jax.Array) or not np.iscomplexobj(value):
        return value
    with jax.ensure_compile_time_eval():  # inside jit too, a constant's imaginary part is known
        return real_part(value)


def _truth(value: Any, mask: str, leaf: str) -> bool:
    if isinstance(value, str) or np.shape(value):
        raise TypeError(f"{mask} holds {value!r} for '{leaf}', not True or False")
    return bool(value)


@dataclass
class _Said:
    """A wrapper that JAX treats as a leaf."""

    value: Any


def _says(x: Any) -> bool:
    """Whether x is a value for the subtree below it: None, or the axes to reduce."""
    return x is None or hasattr(x, "reduction_axis")


@dataclass
class _Masks:
    """The masks over one tree, each looked up once."""

    tree: Tree
    found: dict[int, dict[str, Any]] = field(default_factory=dict)

    def of(self, mask: Any) -> dict[str, Any]:
        if id(mask) not in self.found:
            told = mask(self.tree) if callable(mask) else mask
            spread = jax.tree.map(lambda x, under: jax.tree.map(lambda _: _Said(x), under), told, self.tree, is_leaf=_says)
            self.found[id(mask)] = {
                name: said.value for name, said in zip(names_of(self.tree), jax.tree.leaves(spread), strict=True)
            }
        return self.found[id(mask)]


_now: ContextVar[_Masks] = ContextVar("masks over the tree of this update")


@contextmanager
def masks_over(tree: Tree, complexes: Iterable[str]) -> Iterator[None]:
    """Context manager: resolve masks against this tree, and treat the leaves of these names as complex."""
    token = _now.set(_Masks(tree))
    try:
        with in_parts(complexes):
            yield
    finally:
        _now.reset(token)


def keeping(stage: Any, dtypes: dict[str, Any]) -> Any:
    """Return the stage with some memory slots in other dtypes: {"adam.m": bfloat16}; None means the parameter's."""
    wanted = {place: jnp.dtype(dtype).name for place, dtype in dtypes.items() if dtype is not None}
    return _kept(stage, wanted) if wanted else stage


def _kept(stage: Any, wanted: dict[str, str]) -> Any:
    if isinstance(stage, Chain):
        return chain(*(_kept(part, wanted) for part in stage.parts))
    if isinstance(stage, Choose):
        return Choose(
            [(predicate, _kept(branch, wanted)) for predicate, branch in zip(stage.predicates, stage.stages, strict=False)],
            _kept(stage.stages[-1], wanted),
        )
    if isinstance(stage, At):
        return At(_kept(stage.inner, wanted), stage.rate)
    if isinstance(stage, Arranged):
        return Arranged(stage.axes, _kept(stage.inner, wanted))
    slots = {place.partition(".")[2]: name for place, name in wanted.items() if place.partition(".")[0] == stage.name}
    return stage.keeping(slots) if slots else stage
