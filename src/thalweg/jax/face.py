"""A pure optimizer with optax's interface: on any pytree, with state trees like the parameters."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax

from thalweg import ops
from thalweg.core.answers import host_scalar
from thalweg.core.array_step import ArrayStep
from thalweg.core.checks import check_asks
from thalweg.core.compose import looks_at_time
from thalweg.core.leaf import Leaf, value_at
from thalweg.core.optimizer import Optimizer as Pure
from thalweg.core.step import directed, taken
from thalweg.form.hyper import Role
from thalweg.jax.apart import Apart
from thalweg.jax.arguments import masks_over
from thalweg.jax.checks import check_loss
from thalweg.jax.expected import Expected
from thalweg.jax.hessian import hutchinson
from thalweg.jax.trees import Outline, State, Tree, in_dtypes_of, renamed, to_tables, to_trees, unlike


class Face:
    """An optimizer's functions on any pytree.

    starts: first values of slots, by path ("adam.v"), if they differ from the rule's. names: the state's names for slots.
    """

    def __init__(
        self, stage: Any, rate: Any, seed: Any, starts: dict[str, Any] | None = None, names: dict[str, str] | None = None
    ) -> None:
        self.pure = Pure(stage, rate, seed=seed)
        self.starts, self.names = starts or {}, names or {}
        self.typed = frozenset(slot.rpartition(".")[2] for slot, kind in self.pure.chain.memory.items() if kind.dtype is not None)
        if self.pure.accumulates > 1:
            raise ValueError("every(n, ...) counts calls itself; write optax.MultiSteps(transformation, n)")
        self.whole = self.pure.asks_gradients or bool(self.pure._afters)
        self.counts = self.whole or callable(self.pure.lr) or looks_at_time(self.pure.chain)
        self._seen: Outline | None = None
        self.expected = Expected(self.pure, self.names, self.counts)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_seen": None}  # a tree structure may contain classes that cannot be pickled

    def init(self, params: Tree) -> State:
        """Return the state before the first step."""
        here = Apart.of(params)
        arrays = here.by_name()
        with masks_over(params, here.complexes):
            pure: Any = self.pure.init(arrays) if arrays else self._of_nothing()
        for place, value in self.starts.items():
            stage, slot = place.split(".")
            held = pure["memory"].get(stage, {})
            if slot in held:
                first = value(list(arrays.values())) if callable(value) else value
                held[slot] = jax.tree.map(lambda x, first=first: jnp.full_like(x, first), held[slot])
        return State(
            jnp.zeros([], jnp.int32) if self.counts else None, self._told(pure["memory"], here), self._walked(pure, here)
        )

    def _of_nothing(self) -> Any:
        """Return the state of no parameters, or of the placeholder of `optax.tree.map_params`: each slot is the empty tree."""
        walked: dict[str, Any] = {"walked": {}} if self.pure.moves else {}
        return {"memory": self.pure.chain.init([], ArrayStep(None, self.pure.seed)), **walked}

    def _told(self, memory: Any, here: Apart) -> Any:
        """Convert memory by leaf to trees, with the state's names for slots."""
        trees = to_trees(memory, here.outline, here.complexes, self.typed)
        return renamed(trees, self.names) if self.names else trees

    def _walked(self, pure: Any, here: Apart) -> Tree:
        return here.outline.structure.unflatten([pure["walked"][n] for n in here.outline.names]) if "walked" in pure else None

    def _kept(self, state: State, here: Apart) -> dict[str, Any]:
        """Convert a state to the pure functions' form."""
        memory = to_tables(self.expected.memory(state), self.expected.table, here.outline, here.complexes)
        pure: dict[str, Any] = {"memory": memory, "seed": self.pure.seed}
        if state.walked is not None:
            walked = here.outline.structure.flatten_up_to(state.walked)
            pure["walked"] = dict(zip(here.outline.names, walked, strict=True))
        return pure

    def received(self, grads: Tree, state: Any, params: Tree, extras: dict[str, Tree]) -> tuple[Apart, Apart]:
        """Return the gradients and the parameters, after the checks of what an update receives."""
        given = Apart.of(grads, self._seen)
        outline = self._seen = given.outline
        here = given if params is None else Apart.of(params, outline)
        if here.outline is not outline and here.outline.names != outline.names:
            raise ValueError(unlike(outline.names, here.outline.names, "parameters"))
        self.expected.check(given, here, state, extras)
        return given.updating(here), here

    def update(
        self, grads: Tree, state: State, params: Tree = None, *,
        value: Any = None, value_fn: Callable[[Tree], Any] | None = None, noise: Tree = None, curvature: Tree = None,
        **others: Any,
    ) -> tuple[Tree, State]:  # fmt: skip
        """Return the updates to add to the parameters, and the new state. Raises ValueError if an input is missing."""
        handed = {word: tree for word, tree in (("noise", noise), ("curvature", curvature)) if tree is not None}
        given, here = self.received(grads, state, params, handed)
        outline = given.outline
        count = optax.safe_increment(state.count) if self.counts else None
        if not outline.names:
            return grads, state._replace(count=count)
        if params is None and (self.whole or self._looks_at_parameters):
            raise ValueError(f"{self.pure.chain.name} looks at the parameters: update(grads, state, params)")
        pure = self._kept(state, given)
        if curvature is None and value_fn is not None and params is not None and "curvature" in self.pure.asks:
            curvature = handed["curvature"] = self._estimated(value_fn, params, state.count)
        gradients = given.by_name()
        points = gradients if params is None else dict(zip(outline.names, here.arrays(), strict=True))
        arrived = {n: g.astype(p.dtype) for (n, g), p in zip(gradients.items(), points.values(), strict=True)}
        extras = {word: dict(zip(outline.names, Apart.of(tree, outline).arrays(), strict=True)) for word, tree in handed.items()}
        if "loss" not in self.pure.asks:
            value = None  # it is for the transformations beside this one
        elif value is not None:
            check_loss(value, self.pure.chain.name)
            value = jnp.asarray(value, jnp.result_type(float))  # a fixed dtype, as the state's must be
        if self.pure.needs_more:
            check_asks(self.pure, value, None if params is None and not self.whole else value_fn, curvature)
        with masks_over(grads, given.complexes):
            if self.whole:
                pure["t"] = {name: _real(state.count, p) for name, p in points.items()}
                ask = self._asker(value_fn, here) if self.pure.asks_gradients and value_fn is not None else None
                moved, new = self.pure.step(points, arrived, pure, loss=value, grad_fn=ask, **extras)
                updates = [moved[n] - p for n, p in points.items()]
            else:
                updates, new = self._directions(points, arrived, count, pure, value, extras)
        after = State(count, self._told(new["memory"], given), self._walked(new, given))
        return given.tree(updates), in_dtypes_of(after, state)

    @functools.cached_property
    def _looks_at_parameters(self) -> bool:
        return "p" in self.pure.asks or any(kind.kind == "like_p" for kind in self.pure.chain.memory.values())

    def _directions(
        self, here: dict[str, Any], grads: dict[str, Any], count: Any, pure: Any, value: Any, extras: dict[str, dict[str, Any]]
    ) -> tuple[list[Any], Any]:
        """Return -lr d for each tensor, without the parameters.

        t is computed from the new count; from the old one, XLA would keep a copy.
        """
        # shared objects keep the trace small
        likes = {p.dtype: p for p in here.values()}
        times = {dtype: _real(count, p) if self.counts else None for dtype, p in likes.items()}
        rates = {dtype: value_at(self.pure.lr, t, "") for dtype, t in times.items()}
        leaves = []
        for name, p in here.items():
            found, t, rate = {word: values[name] for word, values in extras.items()}, times[p.dtype], rates[p.dtype]
            leaves.append(Leaf(name, tuple(p.shape), p, grads[name], t, rate, grads[name], extras=found).widened())
        with ops.lanes(present=False):
            step = ArrayStep(None, pure["seed"], None if value is None else host_scalar(value), remembers=True)
            memory = directed(self.pure.chain.transforms, leaves, pure["memory"], step)
            return [-taken(leaf, step) for leaf in leaves], {"memory": memory}

    @functools.cached_property
    def interval(self) -> int:
        """The number of steps between two estimates of the curvature."""
        return min(int(f.value_of(Role.INTERVAL, 1)) for f in self.pure.chain.functions if "curvature" in f.asks)

    def _estimated(self, value_fn: Callable[[Tree], Any], params: Tree, count: Any) -> Tree:
        """Return the curvature in the steps that read it, zeros in the others."""
        key = jax.random.fold_in(jax.random.key(self.pure.seed), count)
        looked_at = functools.partial(hutchinson, value_fn, params, key)
        return jax.lax.cond(count % self.interval == 0, looked_at, lambda: jax.tree.map(jnp.zeros_like, params))

    def _asker(self, value_fn: Callable[[Tree], Any], params: Apart) -> Callable[[Any], Any]:
        names = params.outline.names

        def ask(points: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
            loss, found = jax.value_and_grad(value_fn)(params.tree(points[n] for n in names))
            return loss, dict(zip(names, Apart.of(found, params.outline).arrays(), strict=True))

        return ask

    def ship(self, params: Tree, state: State) -> Tree:
        """See `Transformation.ship`."""
        here = Apart.of(params)
        self.expected.check(here, here, state, {})
        shipped = self.pure.ship(here.by_name(), self._kept(state, here))
        return here.tree(shipped[n] for n in here.outline.names)


def _real(count: Any, p: Any) -> Any:
    """Convert a count to a float in a tensor's precision: JAX computes roots and quotients of int32 in float32."""
    return count.astype(jnp.promote_types(p.dtype, jnp.float32))
