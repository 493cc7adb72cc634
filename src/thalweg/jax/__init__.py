"""optax transformations made from the rules: `thalweg.jax.adam(learning_rate=1e-3)` is one, and goes where any other goes.

For optax's own optimizers the functions here have optax's arguments and defaults, and the update is our rule's; what the rule
has no option for (`mask`, `mu_dtype`, ...) is left to optax's own function. For every other rule, and any chain, there is a
transformation made from its signature: `of(rule)`, `optimizer(chain)`. Whatever else optax has (`chain`, `apply_updates`, ...)
is optax's, handed through.
"""

from __future__ import annotations

import functools
import inspect
import operator
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax

from thalweg import dialects, ops
from thalweg.core.array_step import ArrayStep
from thalweg.core.compose import looks_at_time
from thalweg.core.leaf import Leaf, resolve
from thalweg.core.optimizer import Optimizer as Pure
from thalweg.core.optimizer import host_number
from thalweg.core.stage import as_stage, check_lr
from thalweg.core.step import directed, taken
from thalweg.form.hyper import Role, nearest
from thalweg.jax.arguments import Given, by_count, keeping, masks_over
from thalweg.jax.estimators import Drawing, Drawn, Looked, Looking
from thalweg.jax.hessian import hutchinson
from thalweg.jax.trees import State, Tree, Without, check_alike, flat, in_dtypes_of, renamed, to_tables, to_trees, whole
from thalweg.methods import ALIASES, rules
from thalweg.rule import Rule
from thalweg.stages.after import schedule_free

__all__ = ["Drawn", "Looked", "State", "Transformation", "Without", "contrib", "hutchinson", "of", "optimizer"]


class Transformation(optax.GradientTransformationExtraArgs):  # type: ignore[misc]
    """`init(params)`, `update(grads, state, params=None, *, value=None, value_fn=None, noise=None, curvature=None)`, and `ship`.

    value: the loss, for rules that ask for it. value_fn: parameters -> loss, for methods that take gradients at points of
    their own, and to estimate the curvature with, for rules that ask for it. noise, curvature: trees to inject. Other
    keywords are for the transformations beside it in a chain. `update` raises ValueError for gradients of another tree than the
    parameters or the state.
    """

    def ship(self, params: Tree, state: State) -> Tree:
        """The point to keep and evaluate: an average or the walked point where a method has one, else params."""
        face: _Face | Drawing | Looking = self.update.__self__
        return face.ship(params, state)


class _Face:
    """An optimizer's functions on any pytree."""

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

    def init(self, params: Tree) -> State:
        """The state at the start."""
        names, leaves, structure = flat(params)
        with masks_over(params):
            pure: Any = self.pure.init(dict(zip(names, leaves, strict=True))) if names else self._of_nothing()
        for place, value in self.starts.items():
            stage, slot = place.split(".")
            held = pure["memory"].get(stage, {})
            if slot in held:
                first = value(leaves) if callable(value) else value
                held[slot] = jax.tree.map(lambda x, first=first: jnp.full_like(x, first), held[slot])
        walked = structure.unflatten([pure["walked"][n] for n in names]) if "walked" in pure else None
        return State(jnp.zeros([], jnp.int32) if self.counts else None, self._told(pure["memory"], params), walked)

    def _of_nothing(self) -> Any:
        """The state of no parameters, and of what `optax.tree.map_params` puts in their place: its slots, each such a tree."""
        walked = {"walked": {}} if self.pure.moves else {}
        return {"memory": self.pure.chain.init([], ArrayStep(None, self.pure.seed)), **walked}

    def _told(self, memory: Any, tree: Tree) -> Any:
        names, _, structure = flat(tree)
        likes = dict(zip(names, structure.flatten_up_to(tree), strict=True))
        return renamed(to_trees(memory, likes, structure, self.typed), self.names)

    def _kept(self, memory: Any, tree: Tree) -> Any:
        names, _, structure = flat(tree)
        return to_tables(self._ours(memory), dict(zip(names, structure.flatten_up_to(tree), strict=True)), structure)

    def _ours(self, memory: Any) -> Any:
        """Memory with our names for its slots."""
        ours = {f"{place.partition('.')[0]}.{name}": place.partition(".")[2] for place, name in self.names.items()}
        return renamed(memory, ours) if ours else memory

    @functools.cached_property
    def _table(self) -> Any:
        return self._of_nothing()["memory"]

    def update(
        self, grads: Tree, state: State, params: Tree = None, *,
        value: Any = None, value_fn: Callable[[Tree], Any] | None = None, noise: Tree = None, curvature: Tree = None,
        **others: Any,
    ) -> tuple[Tree, State]:  # fmt: skip
        """What to add to the parameters, and the new state. Raises ValueError where what the method asks for is missing."""
        names, gradients, structure = flat(grads)
        known = None if params is None else flat(params)
        check_alike(names, structure, None if known is None else known[0], self._ours(state.memory), self._table)
        if not names:
            return grads, state._replace(count=self._after(state.count))
        grads = structure.unflatten([_floating(g) for g in structure.flatten_up_to(grads)])
        gradients = [_floating(g) for g in gradients]
        if params is None and (self.whole or self._looks_at_parameters):
            raise ValueError(f"{self.pure.chain.name} looks at the parameters: update(grads, state, params)")
        points = gradients if known is None else known[1]
        if curvature is None and value_fn is not None and params is not None and "curvature" in self.pure.asks:
            curvature = self._estimated(value_fn, params, state.count)
        arrived = {n: g.astype(p.dtype) for n, g, p in zip(names, gradients, points, strict=True)}
        extras = {
            w: dict(zip(names, flat(x)[1], strict=True)) for w, x in (("noise", noise), ("curvature", curvature)) if x is not None
        }
        value = None if value is None else jnp.asarray(value, jnp.result_type(float))  # of one type, as the state must be
        self.pure.check_asks(value, None if params is None and not self.whole else value_fn, curvature)
        here, count = dict(zip(names, points, strict=True)), self._after(state.count)
        pure: dict[str, Any] = {"memory": self._kept(state.memory, grads), "seed": self.pure.seed}
        if state.walked is not None:
            pure["walked"] = dict(zip(names, structure.flatten_up_to(state.walked), strict=True))
        with masks_over(grads):
            if self.whole:
                ask = self._asker(value_fn, params) if self.pure.asks_gradients and value_fn is not None else None
                pure["t"] = {name: _real(state.count, p) for name, p in here.items()}
                moved, new = self.pure.step(here, arrived, pure, loss=value, grad_fn=ask, **extras)
                updates = [moved[n] - p for n, p in here.items()]
            else:
                updates, new = self._directions(here, arrived, count, pure, value, extras)
        told = structure.unflatten([whole(u, g) for u, g in zip(updates, structure.flatten_up_to(grads), strict=True)])
        walked = structure.unflatten([new["walked"][n] for n in names]) if "walked" in new else None
        after = State(count, self._told(new["memory"], grads), walked)
        return told, in_dtypes_of(after, state)

    def _after(self, count: Any) -> Any:
        return optax.safe_increment(count) if self.counts else None

    @functools.cached_property
    def _looks_at_parameters(self) -> bool:
        return "p" in self.pure.asks or any(kind.kind == "like_p" for kind in self.pure.chain.memory.values())

    def _directions(
        self, here: dict[str, Any], grads: dict[str, Any], count: Any, pure: Any, value: Any, extras: dict[str, dict[str, Any]]
    ) -> tuple[list[Any], Any]:
        """- lr d for each tensor, without the parameters that it will be added to.

        t is made of the new count: of the old one XLA would keep a copy.
        """
        # the same objects for all tensors: less to trace
        times = {p.dtype: _real(count, p) if self.counts else None for p in here.values()}
        rates = {dtype: resolve(self.pure.lr, t, "") for dtype, t in times.items()}
        leaves = []
        for name, p in here.items():
            found, t, rate = {word: values[name] for word, values in extras.items()}, times[p.dtype], rates[p.dtype]
            leaves.append(Leaf(name, tuple(p.shape), p, grads[name], t, rate, grads[name], extras=found).widened())
        with ops.lanes(present=False):
            step = ArrayStep(None, pure["seed"], host_number(value), remembers=True)
            memory = directed(self.pure.chain.transforms, leaves, pure["memory"], step)
            return [-taken(leaf, step) for leaf in leaves], {"memory": memory}

    @functools.cached_property
    def interval(self) -> int:
        """Every how many steps it looks at the curvature."""
        return min(f.value_of(Role.INTERVAL, 1) for f in self.pure.chain.functions if "curvature" in f.asks)

    def _estimated(self, value_fn: Callable[[Tree], Any], params: Tree, count: Any) -> Tree:
        """The curvature in the steps that look at it, zeros in the others."""
        key = jax.random.fold_in(jax.random.key(self.pure.seed), count)
        looked_at = functools.partial(hutchinson, value_fn, params, key)
        return jax.lax.cond(count % self.interval == 0, looked_at, lambda: jax.tree.map(jnp.zeros_like, params))

    def _asker(self, value_fn: Callable[[Tree], Any], params: Tree) -> Callable[[Any], Any]:
        names, _, structure = flat(params)
        likes = structure.flatten_up_to(params)

        def ask(points: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
            there = structure.unflatten([whole(points[n], like) for n, like in zip(names, likes, strict=True)])
            loss, found = jax.value_and_grad(value_fn)(there)
            return loss, dict(zip(names, flat(found)[1], strict=True))

        return ask

    def ship(self, params: Tree, state: State) -> Tree:
        """See `Transformation.ship`."""
        names, points, structure = flat(params)
        pure: dict[str, Any] = {"memory": self._kept(state.memory, params)}
        if state.walked is not None:
            pure["walked"] = dict(zip(names, structure.flatten_up_to(state.walked), strict=True))
        shipped = self.pure.ship(dict(zip(names, points, strict=True)), pure)
        likes = structure.flatten_up_to(params)
        return structure.unflatten([whole(shipped[n], like) for n, like in zip(names, likes, strict=True)])


def _floating(g: Any) -> Any:
    """Gradients of whole numbers as floating point, which is what an update of them is."""
    return g if jnp.issubdtype(jnp.result_type(g), jnp.inexact) else jnp.asarray(g, jnp.result_type(float))


def _real(count: Any, p: Any) -> Any:
    """A count as a number to compute with, in a tensor's precision: int32's roots and quotients are float32."""
    return count.astype(jnp.promote_types(p.dtype, jnp.float32))


def optimizer(rule: Any, learning_rate: Any = None, *, seed: Any = 0) -> Transformation:
    """Any rule, stage or chain. learning_rate: a number or a schedule of optax's count; by default the rule's own.

    seed: for rules that draw. Raises ValueError where there is no learning rate, TypeError for what is no rule.
    """
    stage = as_stage(rule)
    rate = stage.lr if learning_rate is None else by_count(check_lr(learning_rate, stage.name))
    return _made(_Face(stage, rate, seed))


def _made(face: _Face | Drawing | Looking) -> Transformation:
    return Transformation(face.init, face.update)


@functools.cache
def of(rule: Rule) -> Callable[..., Transformation]:
    """The function for a rule or recipe, the catalogue's or your own: `of(my_rule)(learning_rate=0.1)`."""

    def make(learning_rate: Any = rule.lr, *hyper: Any, seed: Any = 0, **named: Any) -> Transformation:
        before = rule.switched(tuple(map(by_count, hyper)), {name: by_count(value) for name, value in named.items()})
        config = {} if before else rule.bound(rule.name, hyper, named)
        made = before or rule.configured({name: by_count(value) for name, value in config.items()})
        return optimizer(made, learning_rate, seed=seed)

    either = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter("learning_rate", either, default=rule.lr)]
    # of an epsilon the number, which stands in its usual place: `inject_hyperparams` sees numbers
    parameters += [inspect.Parameter(h.name, either, default=h.parts[h.name].default) for h in rule.hyper.values()]
    parameters.append(inspect.Parameter("seed", inspect.Parameter.KEYWORD_ONLY, default=0))
    return _named(make, rule.name, rule.doc, inspect.Signature(parameters, return_annotation=Transformation))


@functools.cache
def _shared(name: str) -> Callable[..., Any]:
    """optax's own function, whose update is our rule's; "contrib.adopt" is `optax.contrib.adopt`."""
    theirs, row = operator.attrgetter(name)(optax), dialects.OPTAX[name]
    signature = inspect.signature(theirs)

    def make(*args: Any, **named: Any) -> Any:
        bound = signature.bind(*args, **named)
        bound.apply_defaults()
        given = Given(bound.arguments)
        if not (_at_defaults(bound, row.only) and row.fits(given)):
            return theirs(*args, **named)
        starts = {place: start(given) for place, start in row.starts.items()}
        stage = row.stages(given)
        dtypes = {place: given.fixed(word) for place, word in row.dtypes.items()}
        face = _Face(keeping(stage, dtypes), row.rate(given), 0, starts, row.names)
        handed = {Drawing: row.draws, Looking: row.looks}
        return _made(next((make(face, given.fixed(word)) for make, word in handed.items() if word), face))

    left = ", ".join(row.only)
    doc = f"optax.{name}, its update computed by our rule" + (f" while {left} are left alone.\n\n" if left else ".\n\n")
    return _named(make, name.rpartition(".")[2], doc + (theirs.__doc__ or ""), signature)


def _at_defaults(bound: inspect.BoundArguments, words: tuple[str, ...]) -> bool:
    pairs = [(bound.arguments[word], bound.signature.parameters[word].default) for word in words]
    return all(value is default or (not hasattr(value, "shape") and value == default) for value, default in pairs)


def _named(make: Callable[..., Any], name: str, doc: str, signature: inspect.Signature) -> Callable[..., Any]:
    make.__name__ = make.__qualname__ = name
    make.__doc__ = doc
    make.__signature__ = signature  # type: ignore[attr-defined]
    return make


class _Contrib:
    """optax.contrib: what has a row is our rule, all else its own."""

    def __getattr__(self, name: str) -> Any:
        if name == "schedule_free_eval_params":
            return _eval_params
        row = f"contrib.{name}"
        return _shared(row) if row in dialects.OPTAX else getattr(optax.contrib, name)

    def __dir__(self) -> list[str]:
        return dir(optax.contrib)


def _eval_params(state: Any, params: Tree) -> Tree:
    """`optax.contrib.schedule_free_eval_params`, for our states too: the average that schedule-free ships."""
    if isinstance(state, State):
        return state.memory[schedule_free.name][schedule_free().functions[0].declaration.shipped]
    return optax.contrib.schedule_free_eval_params(state, params)


contrib = _Contrib()


def __getattr__(name: str) -> Any:
    if name in dialects.OPTAX:
        return _shared(name)
    if not name.startswith("_") and hasattr(optax, name):
        return getattr(optax, name)  # so that one import is all that changes
    if name.startswith("_") or ALIASES.get(name, name) not in rules:
        raise AttributeError(f"thalweg.jax has no optimizer '{name}'{nearest(name, __dir__())}")
    return of(rules[ALIASES.get(name, name)])


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in dialects.OPTAX if "." not in name), *rules})
