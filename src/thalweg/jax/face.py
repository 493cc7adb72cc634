"""A pure optimizer with optax's interface: on any pytree, with state trees like the parameters."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import optax

from thalweg import ops
from thalweg.core.answers import host_scalar
from thalweg.core.array_step import ArrayStep
from thalweg.core.checks import Handed, check_asks
from thalweg.core.compose import looks_at_time
from thalweg.core.function_stage import FunctionStage
from thalweg.core.optimizer import Optimizer as Pure
from thalweg.core.step import directed, taken
from thalweg.form.hyper import Role
from thalweg.jax.apart import Apart
from thalweg.jax.arguments import masks_over
from thalweg.jax.checks import check_loss, kinds
from thalweg.jax.expected import Expected
from thalweg.jax.hessian import hutchinson
from thalweg.jax.trees import Outline, State, Tree, in_dtypes_of

Arrays: TypeAlias = dict[str, Any]
HANDED = Handed(
    "update(grads, state, params, value_fn=...)",
    "update(grads, state, params, value=...)",
    "update(grads, state, params, curvature=...), or value_fn=",
)


class Face:
    """An optimizer's functions on any pytree.

    starts: first values of slots, by path ("adam.v"), if they differ from the rule's. names: the state's names for slots.
    """

    def __init__(
        self, stage: Any, rate: Any, seed: Any, starts: dict[str, Any] | None = None, names: dict[str, str] | None = None
    ) -> None:
        self.pure = Pure(stage, rate, seed=seed)
        self.starts = starts or {}
        if self.pure.accumulates > 1:
            raise ValueError("every(n, ...) counts calls itself; write optax.MultiSteps(transformation, n)")
        self.whole = any(stage.place != 1 for stage in self.pure.chain.stages)
        self.counts = self.whole or "t" in self.pure.asks or callable(self.pure.lr) or looks_at_time(self.pure.chain)
        self.routed = any(not isinstance(stage, FunctionStage) for stage in self.pure.chain.stages)
        self._seen: Outline | None = None
        self.expected = Expected(self.pure, names or {}, self.counts)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_seen": None}  # a tree structure may contain classes that cannot be pickled

    def init(self, params: Tree) -> State:
        """Return the state before the first step."""
        here = Apart.of(params)
        arrays = here.by_name()
        with self._over(params, here):
            pure: Any = self.pure.started(arrays) if arrays else self._of_nothing()
        if self.starts:
            self._start(pure["memory"], list(arrays.values()))
        state = self._told(jnp.zeros([], jnp.int32) if self.counts else None, pure, here)
        self.expected.made(here, state)
        return state

    def _start(self, memory: Any, arrays: list[Any]) -> None:
        """Put the library's first values of slots in place of the rule's."""
        for place, value in self.starts.items():
            stage, slot = place.split(".")
            held = memory.get(stage, {})
            if slot in held:
                first = value(arrays) if callable(value) else value
                held[slot] = jax.tree.map(lambda x, first=first: jnp.full_like(x, first), held[slot])

    def _of_nothing(self) -> Any:
        """Return the state of no parameters, or of the placeholder of `optax.tree.map_params`: each slot is the empty tree."""
        walked: dict[str, Any] = {"walked": {}} if self.pure.moves else {}
        return {"memory": self.pure.chain.init([], ArrayStep(None, self.pure.seed)), **walked}

    def _over(self, tree: Tree, here: Apart) -> AbstractContextManager[None]:
        """Context manager: predicates and masks see this tree."""
        return masks_over(tree, here.complexes) if self.routed or here.complexes else nullcontext()

    def _told(self, count: Any, pure: Any, here: Apart) -> State:
        """Return the state in the form of trees."""
        walked = here.slot(pure["walked"], real=True) if self.pure.moves else None
        return State(count, self.expected.layout.trees_of(pure["memory"], here), walked)

    def _kept(self, state: State, here: Apart) -> dict[str, Any]:
        """Convert a state to the pure functions' form, with one count for all tensors."""
        memory = self.expected.layout.by_leaf_of(state.memory, here)
        pure: dict[str, Any] = {"t": state.count, "memory": memory, "seed": self.pure.seed}
        return {**pure, "walked": here.table(state.walked)} if self.pure.moves else pure

    def received(self, grads: Tree, state: Any, params: Tree, extras: dict[str, Tree]) -> tuple[Apart, Apart]:
        """Return the gradients and the parameters, after the checks of what an update receives."""
        given = Apart.of(grads, self._seen)
        outline = self._seen = given.outline
        here = given if params is None else Apart.of(params, outline)
        self.expected.check(given, here, state, extras)
        updating = given if type(given) is type(here) is Apart else given.updating(here)
        return updating, updating if params is None else here

    def update(
        self, grads: Tree, state: State, params: Tree = None, *,
        value: Any = None, value_fn: Callable[[Tree], Any] | None = None, noise: Tree = None, curvature: Tree = None,
        **others: Any,
    ) -> tuple[Tree, State]:  # fmt: skip
        """Return the updates to add to the parameters, and the new state. Raises ValueError if an input is missing."""
        handed = {word: tree for word, tree in (("noise", noise), ("curvature", curvature)) if tree is not None}
        given, here = self.received(grads, state, params, handed)
        count = optax.safe_increment(state.count) if self.counts else None
        if not given.leaves:
            return grads, state._replace(count=count)
        if params is None and (self.whole or self._looks_at_parameters):
            raise ValueError(f"{self.pure.chain.name} looks at the parameters: update(grads, state, params)")
        pure = self._kept(state, given)
        points = here.by_name()
        arrived = {n: g.astype(p.dtype) for (n, g), p in zip(given.by_name().items(), points.values(), strict=True)}
        asked = handed or self.pure.needs_more
        more = self._completed(here, state, params, value, value_fn, handed) if asked else {}
        with self._over(grads, given):
            updates, pure = (self._moves if self.whole else self._directions)(points, arrived, count, pure, **more)
        after = self._told(count, pure, given)
        return given.tree(updates), after if kinds(after) == kinds(state) else in_dtypes_of(after, state)

    def _completed(
        self, here: Apart, state: State, params: Tree, value: Any, value_fn: Callable[[Tree], Any] | None,
        handed: dict[str, Tree],
    ) -> dict[str, Any]:  # fmt: skip
        """Return the loss, a function that answers points, and noise and curvature by leaf, as far as the rules ask for them."""
        outline = here.outline
        if "curvature" in self.pure.asks and "curvature" not in handed and value_fn is not None and params is not None:
            handed["curvature"] = self._estimated(value_fn, params, state.count)
        more: dict[str, Any] = {word: Apart.of(tree, outline).by_name() for word, tree in handed.items()}
        if "loss" not in self.pure.asks:
            value = None  # it is for the transformations beside this one
        elif value is not None:
            check_loss(value, self.pure.chain.name)
            more["loss"] = value = jnp.asarray(value, jnp.result_type(float))  # a fixed dtype, as the state's must be
        if self.pure.asks_gradients and value_fn is not None:
            more["grad_fn"] = self._asker(value_fn, here)
        answers = None if params is None and not self.whole else value_fn
        check_asks(self.pure, value, answers, handed.get("curvature"), HANDED)
        return more

    @functools.cached_property
    def _looks_at_parameters(self) -> bool:
        return "p" in self.pure.asks or any(kind.from_parameter for kind in self.pure.chain.memory.values())

    def _moves(self, points: Arrays, grads: Arrays, count: Any, pure: dict[str, Any], **more: Any) -> tuple[list[Any], Any]:
        """Return the way each tensor goes in a whole step, and the new state. The step counts from the old state's count."""
        t = {name: pure["t"].astype(_wide(p.dtype)) for name, p in points.items()}
        moved, after = self.pure.step(points, grads, {**pure, "t": t}, **more)
        return [moved[n] - p for n, p in points.items()], after

    def _directions(
        self, points: Arrays, grads: Arrays, count: Any, pure: dict[str, Any], *, loss: Any = None, **extras: Arrays
    ) -> tuple[list[Any], Any]:
        """Return -lr d for each tensor, without the parameters, and the new state.

        t is computed from the new count; from the old one, XLA would keep a copy.
        """
        dtypes = dict.fromkeys(p.dtype for p in points.values())  # numbers shared by tensors keep the trace small
        times = {kind: count.astype(_wide(kind)) if self.counts else None for kind in dtypes}
        rates = {kind: self.pure.lr if isinstance(self.pure.lr, float) else self.pure.rate_at(t, "") for kind, t in times.items()}
        leaves = [self.pure.leaf(n, p, grads[n], times[p.dtype], rates[p.dtype], extras) for n, p in points.items()]
        with ops.lanes(present=False):
            step = ArrayStep(None, self.pure.seed, None if loss is None else host_scalar(loss), remembers=True)
            memory = directed(self.pure.chain.transforms, leaves, pure["memory"], step)
            return [-way for way in taken(leaves, step)], {**pure, "memory": memory}

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
        """Return the function that answers points with loss and gradients."""
        names = params.outline.names

        def ask(points: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
            loss, found = jax.value_and_grad(value_fn)(params.tree(points[n] for n in names))
            return loss, Apart.of(found, params.outline).by_name()

        return ask

    def ship(self, params: Tree, state: State) -> Tree:
        """See `Transformation.ship`."""
        here = Apart.of(params)
        self.expected.check(here, here, state, {})
        shipped = self.pure.ship(here.by_name(), self._kept(state, here))
        return here.tree(shipped[n] for n in here.outline.names)


def _wide(dtype: Any) -> Any:
    """Return the dtype of a count beside a tensor of this one: JAX computes roots and quotients of int32 in float32."""
    return jnp.promote_types(dtype, jnp.float32)
