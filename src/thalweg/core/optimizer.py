"""An optimizer as two pure functions over a tree of NumPy, torch or JAX arrays."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import numpy as np

from thalweg import ops
from thalweg.core.around_stage import AroundStage
from thalweg.core.array_step import ArrayStep
from thalweg.core.checks import Kept, check_gradient, check_lanes, check_numbers, check_options, check_parameter, check_state
from thalweg.core.compose import Every
from thalweg.core.curvature import estimated
from thalweg.core.finite import are_finite, select
from thalweg.core.leaf import Leaf, Memory, value_at
from thalweg.core.parameters import Parameters, answered, host_scalar
from thalweg.core.rule_stage import AfterStage, RuleStage
from thalweg.core.stage import Stage, as_stage, chain, check_lr
from thalweg.core.step import advance
from thalweg.form.memory import Gaussian
from thalweg.values.arrays import Array, dtype_name, framework, is_traced, widened
from thalweg.values.scalars import Scalar
from thalweg.values.trees import Tree, flatten, plain, rebuild

State: TypeAlias = dict[str, Any]
"""{"t": {leaf: updates so far}, "memory": {stage: {slot: {leaf: array}}}, ...}: a plain tree to save, jit or inspect."""
GradFn: TypeAlias = Callable[[Tree], tuple[Any, Tree]]
"""Maps parameters to (loss, gradients), as jax.value_and_grad does."""
NonFinite: TypeAlias = Literal["propagate", "skip", "raise"]
USUAL: dict[str, Any] = {"seed": 0, "nonfinite": "propagate", "lanes": None}
"""The defaults of the options."""


class Optimizer:
    """An optimizer as two pure functions over a tree of arrays: `init(params)` and `step(params, grads, state)`.

    Parameters
    ----------
    rule : Rule or Stage
        A rule, a configured stage or a chain.
    lr : float, callable or array, optional
        Learning rate: a number, a schedule of t = 1, 2, ..., or with lanes one number per lane. Default: the rule's own.
    seed : int or sequence of int
        Seed of the rules that draw; with lanes, one for all or one per lane.
    nonfinite : {"propagate", "skip", "raise"}
        What inf or NaN in a gradient does; "skip" skips the whole step (t stays), "raise" is a FloatingPointError.
    lanes : int, optional
        Number T of independent trials, which the first axis of each array then counts.

    Examples
    --------
    >>> optimizer = Optimizer(adam(), lr=1e-3)
    >>> params, state = optimizer.step(params, grads, optimizer.init(params))
    """

    def __init__(
        self, rule: Any, lr: Any = None, *, seed: Any = 0, nonfinite: NonFinite = "propagate", lanes: int | None = None
    ) -> None:
        stage = as_stage(rule)
        self.accumulates = stage.n if isinstance(stage, Every) else 1
        self.chain = chain(stage.inner if isinstance(stage, Every) else stage)
        self.rule: Stage = stage
        self.lr = check_lr(stage.lr if lr is None else lr, stage.name) if not (lr is None and stage.lr is None) else None
        if self.lr is None:
            raise ValueError(f"{stage.name} has no learning rate of its own; write Optimizer(..., lr=0.01)")
        check_options(seed, nonfinite, lanes)
        self.seed, self.nonfinite, self.lanes = seed, nonfinite, lanes
        check_numbers(self.lr, self.chain, lanes)
        arounds = self.chain.items(AroundStage)
        if len(arounds) > 1:
            raise ValueError(f"{self.chain.name}: one @around method at a time")
        self._around = arounds[0] if arounds else None
        if arounds and self.accumulates > 1:
            raise ValueError(
                f"{stage.name}: every(n, ...) takes means of gradients handed in; {arounds[0][1].name} asks for its own"
            )
        self._afters: list[tuple[str, AfterStage]] = self.chain.items(AfterStage)
        self.moves = any(after.moves for _, after in self._afters)
        self._kept = Kept.of(self.chain, walks=self.moves, accumulates=self.accumulates > 1)
        self.asks = self.chain.asks
        """What the rules ask for: {"g", "t", "loss"} means that `step` needs loss=."""
        self.needs_more = self._around is not None or bool(self.asks & {"loss", "curvature"})
        self._drawn = bool(self.asks & {"noise", "curvature"}) or any(
            isinstance(kind, Gaussian) for kind in self.chain.memory.values()
        )

    @property
    def asks_gradients(self) -> bool:
        """Whether the method asks for gradients at points of its own, so that `step` needs grad_fn=."""
        return self._around is not None

    @property
    def wants_grad_fn(self) -> bool:
        """Whether grad_fn is of use: the method asks for gradients itself, or the curvature is estimated from it."""
        return self.asks_gradients or "curvature" in self.asks

    def needs(self, loss: Any, grad_fn: GradFn) -> dict[str, Any]:
        """Return the keywords that `step` needs besides gradients. A callable `loss` is called only if a rule asks for it."""
        known = {"loss": loss() if callable(loss) else loss} if "loss" in self.asks else {}
        return {**known, "grad_fn": grad_fn} if self.wants_grad_fn else known

    def __repr__(self) -> str:
        options = {"seed": self.seed, "nonfinite": self.nonfinite, "lanes": self.lanes}
        told = [f", {name}={value!r}" for name, value in options.items() if repr(value) != repr(USUAL[name])]
        return f"Optimizer({self.rule!r}, lr={self.lr!r}{''.join(told)})"

    def init(self, params: Tree) -> State:
        """Return the state before the first step.

        Parameters
        ----------
        params : tree
            The parameters, floating-point arrays; others raise TypeError.

        Returns
        -------
        dict
            The state, a plain tree.
        """
        names, given = flatten(params)
        if not names:
            raise ValueError("there are no parameters: the tree is empty")
        for name, p in zip(names, given, strict=True):
            check_parameter(name, p, self.lanes)
        arrays = [plain(p) for p in given]
        step = ArrayStep(self.lanes, self.seed)
        with framework(arrays[0]).no_grad():
            leaves = [Leaf(n, self.leaf_shape(p), p, p, 0, self.lr, p) for n, p in zip(names, arrays, strict=True)]
            state: State = {"t": dict.fromkeys(names, self._zero()), "memory": self.chain.init(leaves, step)}
            if self._drawn:
                state["seed"] = self.seed if np.ndim(self.seed) == 0 else np.asarray(self.seed)
            if self.moves:
                state["walked"] = {n: framework(p).copy(p) for n, p in zip(names, arrays, strict=True)}
            if self.accumulates > 1:
                state["calls"] = 0
                wide = ((n, widened(p)) for n, p in zip(names, arrays, strict=True))  # sums exceed half precision
                state["accumulated"] = {n: framework(p).full(tuple(p.shape), 0.0, p) for n, p in wide}
        return state

    def step(
        self, params: Tree, grads: Tree, state: State, *,
        loss: Any = None, grad_fn: GradFn | None = None, noise: Tree = None, curvature: Tree = None,
    ) -> tuple[Tree, State]:  # fmt: skip
        """Make one update. No argument is changed. A missing or misshapen argument raises TypeError, KeyError or ValueError.

        Parameters
        ----------
        params, state
            The parameters, and the state from `init` or the step before.
        grads : tree or None
            A tree like `params`. A leaf None leaves that parameter and its t unchanged. None for the whole tree requires
            `grad_fn`, which is then called at `params`, or wherever an @around method evaluates.
        loss : float or array, optional
            The loss, for rules that ask for it.
        grad_fn : callable, optional
            Maps parameters to (loss, gradients).
        noise, curvature : tree, optional
            Values to use instead of draws, and of an estimate of the Hessian's diagonal from one more gradient of `grad_fn`.

        Returns
        -------
        params, state
            The new parameters and the new state.
        """
        return self._checked(params, grads, state, loss, grad_fn, {"noise": noise, "curvature": curvature})

    def _checked(
        self, params: Tree, grads: Tree, state: State, loss: Any, grad_fn: GradFn | None, trees: dict[str, Tree]
    ) -> tuple[Tree, State]:
        """Check the arguments of `step` and run it."""
        curvature = trees["curvature"]
        here = Parameters.of(params)
        if not here.arrays:
            raise ValueError("there are no parameters: the tree is empty")
        space = framework(here.arrays[0])
        if space is None or not hasattr(here.arrays[0], "dtype"):
            check_parameter(here.names[0], here.arrays[0], self.lanes)
        with space.no_grad(), ops.lanes(self.lanes is not None):
            if grad_fn is not None and self._method_around() is None and grads is None:
                loss, grads = grad_fn(params)
            elif grads is None and grad_fn is None:
                raise TypeError("gradients are missing: hand step a tree like the parameters, or grad_fn=")
            if self.needs_more:
                self.check_asks(loss, grad_fn, curvature)
            check_state(here.names, state, self.chain, self._kept)
            if curvature is None and "curvature" in self.asks and self._around is None:
                curvature = estimated(self.chain.functions, grad_fn, params, grads, state, self.seed, self.lanes)
            given = {} if grads is None else here.match(grads, "gradients")
            extras = {w: here.match(x, w) for w, x in {**trees, "curvature": curvature}.items() if x is not None}
            for name, p in zip(here.names, here.arrays, strict=True):
                g = given.get(name)
                alike = g is not None and type(g) is type(p) and g.dtype == p.dtype and g.shape == p.shape
                if not alike or isinstance(g, np.ma.MaskedArray):
                    check_gradient(name, p, g)
            if self.accumulates > 1:
                return self._accumulate(here, given, state, loss, extras)
            return self._guarded(here, given, state, loss, grad_fn, extras)

    def __call__(self, fun: Callable[..., Any], x0: Any, args: Any = (), **options: Any) -> Any:
        """Run as SciPy's `scipy.optimize.minimize(fun, x0, jac=..., method=optimizer)`; see `thalweg.core.minimize`."""
        from thalweg.core.minimize import minimize

        return minimize(self, fun, x0, args, **options)

    def ship(self, params: Tree, state: State) -> Tree:
        """Return the point to keep and evaluate.

        Parameters
        ----------
        params, state
            As `step` returned them.

        Returns
        -------
        tree
            The average or updated iterate if the method has one, else `params`.
        """
        for key, after in reversed(self._afters):
            if after.declaration.shipped is not None:
                return rebuild(params, state["memory"][key][after.declaration.shipped])
        return rebuild(params, state["walked"]) if self.moves else params

    # The order of a step: accumulate -> guard against inf and NaN -> around -> `advance`: rules -> p - lr d -> after.

    def _accumulate(self, params: Parameters, given: dict[str, Any], state: State, loss: Any, extras: Any) -> tuple[Tree, State]:
        missing = [name for name, g in given.items() if g is None]
        if missing:
            raise ValueError(f"every({self.accumulates}, ...) needs each gradient in each call; '{missing[0]}' has none")
        total = {name: state["accumulated"][name] + g for name, g in given.items()}
        zero = {name: framework(g).full(tuple(g.shape), 0.0, g) for name, g in state["accumulated"].items()}
        calls = state["calls"] + 1
        ready = calls % self.accumulates == 0
        waiting = {**state, "calls": calls, "accumulated": total}
        if not is_traced(ready) and not ready:
            return params.tree, waiting
        mean = {name: framework(g).cast(total[name] / self.accumulates, dtype_name(g)) for name, g in given.items()}
        moved, stepped = self._guarded(params, mean, state, loss, None, extras)
        stepped = {**stepped, "calls": calls, "accumulated": zero}
        if not is_traced(ready):
            return moved, stepped
        chosen: tuple[Tree, State] = select(ready, (moved, stepped), (params.tree, waiting), None)
        return chosen

    def _guarded(
        self, params: Parameters, given: dict[str, Any], state: State, loss: Any, grad_fn: GradFn | None, extras: Any
    ) -> tuple[Tree, State]:
        """Step if all gradients are finite; otherwise do as `nonfinite` says, "skip" or "raise"."""
        each = {} if self.nonfinite == "propagate" else are_finite(given, self.lanes)
        if self.nonfinite == "raise":
            for name, good in each.items():
                if not bool(framework(good).all(good)):
                    raise FloatingPointError(f"the gradient of '{name}' holds inf or NaN")
        if self.nonfinite != "skip" or not each:
            return self._step(params, given, state, loss, grad_fn, extras)
        good = functools.reduce(operator.and_, each.values())
        if self.lanes is None and not is_traced(good) and not bool(good):
            return params.tree, state
        stepped = self._step(params, given, state, loss, grad_fn, extras)
        chosen: tuple[Tree, State] = select(good, stepped, (params.tree, state), self.lanes)
        return chosen

    def _step(
        self, params: Parameters, given: dict[str, Any], state: State, loss: Any, grad_fn: GradFn | None, extras: Any
    ) -> tuple[Tree, State]:
        step = ArrayStep(self.lanes, state.get("seed", self.seed), None if loss is None else host_scalar(loss), remembers=True)
        active = [(n, p) for n, p in zip(params.names, params.arrays, strict=True) if not given or given[n] is not None]
        t = {n: state["t"][n] + 1 for n, _ in active}
        leaves = [self._leaf(n, p, given.get(n), t[n], extras) for n, p in active]
        memory: Memory = state["memory"]
        kept: Memory = {}
        method = self._method_around() if grad_fn is not None else None
        if method is not None and grad_fn is not None and leaves:
            kept = self._walk_around(method, params, leaves, memory, step, given, grad_fn)
        # the @around form of a rule replaces the rule itself
        stages = self.chain.transforms if method is None or method is self._around else ()
        start = {leaf.name: widened(state["walked"][leaf.name]) for leaf in leaves} if self.moves else None
        memory, reached = advance(stages, self._afters, leaves, {**memory, **kept}, step, start)
        new_state = {**state, "t": {**state["t"], **t}, "memory": {k: m for k, m in memory.items() if m}}
        if self.moves:
            walked = {leaf.name: leaf.as_stored(reached[leaf.name]) for leaf in leaves}
            new_state["walked"] = {**state["walked"], **walked}
        return params.moved({leaf.name: leaf.p if leaf.half is None else leaf.as_stored(leaf.p) for leaf in leaves}), new_state

    def _leaf(self, name: str, p: Array, g: Any, t: Any, extras: dict[str, dict[str, Any]]) -> Leaf:
        time = Scalar(t) if getattr(t, "ndim", 0) == 1 else t
        found = {word: values[name] for word, values in extras.items()}
        shape = p.shape if self.lanes is None else p.shape[1:]
        rate = self.lr if isinstance(self.lr, float) else value_at(self.lr, time, name)
        if self.lanes is None and isinstance(rate, Scalar):
            check_lanes("the schedule's learning rate", rate.values, None)
        return Leaf(name, tuple(shape), p, g, time, rate, g, extras=found).widened()

    def _method_around(self) -> tuple[str, AroundStage] | None:
        """The chain's @around method, or the one that its rule names for callers with a grad_fn."""
        return self._around or self._instead

    @property
    def _instead(self) -> tuple[str, AroundStage] | None:
        rules = self.chain.items(RuleStage)
        if len(self.chain.stages) == 1 and rules and rules[0][1].given_grad_fn is not None and not rules[0][1].owns_step:
            key, stage = rules[0]
            shared = {k: v for k, v in stage.config.items() if k in stage.given_grad_fn.hyper}
            return key, stage.given_grad_fn(**shared)
        return None

    def _walk_around(
        self, method: tuple[str, AroundStage], params: Parameters, leaves: list[Leaf], memory: Memory, step: ArrayStep,
        given: dict[str, Any], grad_fn: GradFn,
    ) -> Memory:  # fmt: skip
        """Answer the points of an @around method until it returns its gradient, which becomes each leaf's gradient."""
        key, stage = method
        walk = stage.points(leaves, memory.get(key, {}), step)
        answer: Any = None
        try:
            while True:
                point = walk.send(answer)
                at_start = all(a is leaf.p for a, leaf in zip(point.leaves, leaves, strict=True))
                if at_start and given and not (step.loss is None and "loss" in stage.asks):
                    answer = step.loss, answered(given, leaves, self.lanes)
                    continue
                there = {leaf.name: leaf.as_stored(x) for leaf, x in zip(leaves, point.leaves, strict=True)}
                loss, grads = grad_fn(params.moved(there))
                found = params.match(grads, "gradients from grad_fn")
                step.loss = host_scalar(loss) if step.loss is None else step.loss
                answer = host_scalar(loss), answered(found, leaves, self.lanes)
        except StopIteration as stop:
            gradient, kept = stop.value
        for leaf, g in zip(leaves, gradient.leaves, strict=True):
            leaf.grad = leaf.d = g
            leaf.owned = stage.owns_step
        return {key: kept} if kept else {}

    def check_asks(self, loss: Any, grad_fn: GradFn | None, curvature: Tree) -> None:
        if self._around is not None and grad_fn is None:
            raise TypeError(f"{self._around[1].name} asks for gradients itself: step(params, None, state, grad_fn=...)")
        if "loss" in self.asks and loss is None and grad_fn is None:
            raise TypeError(f"{self.chain.name} asks for the loss: step(params, grads, state, loss=...)")
        if "curvature" in self.asks and curvature is None and (grad_fn is None or self._around is not None):
            raise TypeError(f"{self.chain.name} asks for the curvature: step(params, grads, state, curvature=...), or grad_fn=")

    def leaf_shape(self, p: Array) -> tuple[int, ...]:
        return tuple(p.shape) if self.lanes is None else tuple(p.shape[1:])

    def _zero(self) -> Any:
        return np.zeros(self.lanes, int) if self.lanes is not None and self.nonfinite == "skip" else 0
