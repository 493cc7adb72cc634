"""optax's arguments as a dialect's row takes them: numbers, schedules and masks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp

from thalweg.core.arrange import Arranged
from thalweg.core.compose import Choose
from thalweg.core.leaf import Leaf, in_parts
from thalweg.core.stage import At, Chain, chain
from thalweg.jax.trees import apart

Tree = Any


class OptaxArguments:
    """Arguments as a dialect's row takes them; a schedule is called with optax's count, which is 0 at the first update."""

    def __init__(self, arguments: dict[str, Any]) -> None:
        self.arguments = arguments

    def static(self, name: str) -> Any:
        """A value that chooses the algorithm."""
        return self.arguments[name]

    def dynamic(self, name: str, part: int | None = None) -> Any:
        """A number, a schedule, or whatever JAX traces."""
        value = self.arguments[name]
        return by_count(value if part is None else value[part])

    def dynamic_or_zero(self, name: str) -> Any:
        """The same; a plain 0, or None, leaves out what it would do."""
        return 0.0 if self.arguments[name] is None else self.dynamic(name)

    def leaves(self, name: str) -> Callable[[Leaf], bool] | None:
        """Which leaves a mask names: a tree of truths like the parameters or a prefix of that, or a function that makes one."""
        told = self.told(name)
        return None if told is None else lambda leaf: bool(told(leaf))

    def told(self, name: str) -> Callable[[Leaf], Any] | None:
        """What a tree says of each leaf: one like the parameters or a prefix of that, or a function that makes one."""
        tree = self.arguments[name]
        return None if tree is None else lambda leaf: _now.get().of(tree)[leaf.name]


def by_count(value: Any) -> Any:
    """A schedule of optax's count, a whole number, as one of t = 1, 2, ..."""
    return (lambda t: value(jnp.asarray(t, jnp.int32) - 1)) if callable(value) else value


@dataclass
class _Said:
    """What is said of a leaf, so that JAX takes it for one."""

    value: Any


def _says(x: Any) -> bool:
    """Whether it speaks of what is under it: nothing, or which axes are reduced."""
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
                name: said.value for name, said in zip(apart(self.tree)[1].names, jax.tree.leaves(spread), strict=True)
            }
        return self.found[id(mask)]


_now: ContextVar[_Masks] = ContextVar("masks over the tree of this update")


@contextmanager
def masks_over(tree: Tree, complexes: Iterable[str]) -> Iterator[None]:
    """Within it, masks are over this tree, and the tensors of these names are complex."""
    token = _now.set(_Masks(tree))
    try:
        with in_parts(complexes):
            yield
    finally:
        _now.reset(token)


def keeping(stage: Any, dtypes: dict[str, Any]) -> Any:
    """The stage with slots of memory kept in other dtypes: {"adam.m": bfloat16}; None is the parameter's."""
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
