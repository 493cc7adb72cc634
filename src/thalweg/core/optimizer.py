"""An optimizer as two pure functions over a tree of NumPy, torch or JAX arrays."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import numpy as np

from thalweg import ops
from thalweg.core import checks
from thalweg.core.answers import answered, host_scalar
from thalweg.core.around_stage import AroundStage
from thalweg.core.array_step import ArrayStep
from thalweg.core.compose import Every
from thalweg.core.curvature import estimated
from thalweg.core.finite import are_finite, check_finite, select
from thalweg.core.function_stage import FunctionStage
from thalweg.core.leaf import Leaf, Memory, value_at
from thalweg.core.rule_stage import AfterStage, RuleStage
from thalweg.core.stage import Chain, as_stage, check_lr
from thalweg.core.step import advance
from thalweg.values.arrays import Array, dtype_name, framework, is_traced, widened
from thalweg.values.scalars import Scalar
from thalweg.values.trees import Flat, Tree, rebuild, taken_apart

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
        self.rule = stage = as_stage(rule)
        self.accumulates = stage.n if isinstance(stage, Every) else 1
        self.chain = Chain([stage.inner if isinstance(stage, Every) else stage])
        self.seed, self.nonfinite, self.lanes = seed, nonfinite, lanes
        self.lane_axes = 0 if lanes is None else 1
        if lr is None and stage.lr is None:
            raise ValueError(f"{stage.name} has no learning rate of its own; write Optimizer(..., lr=0.01)")
        self.lr = check_lr(stage.lr if lr is None else lr, stage.name)
        self._around: tuple[str, AroundStage] | None = next(iter(self.chain.items(AroundStage)), None)
        self._afters: list[tuple[str, AfterStage]] = self.chain.items(AfterStage)
        self.moves = any(after.moves for _, after in self._afters)
        self.asks = self.chain.asks
        """What the rules ask for: {"g", "t", "loss"} means that `step` needs loss=."""
        self.needs_more = self._around is not None or bool(self.asks & {"loss", "curvature"})
        more = {"walked": self.moves, "calls": self.accumulates > 1, "accumulated": self.accumulates > 1}
        self._kept = checks.Kept({word for word, has in more.items() if has}, dict(self.chain.items(FunctionStage)))
        drawn = any(kind.drawn for function in self.chain.functions for kind in function.memory.values())
        self._drawn = drawn or bool(self.asks & {"noise", "curvature"})
        steady = isinstance(self.lr, float) and all(function.steady is not None for function in self.chain.functions)
        if not steady or self._around is not None or (type(seed), seed, nonfinite, lanes) != (int, 0, "propagate", None):
            checks.check_settings(self)

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
        return self.started(taken_apart(params).arrays)

    def started(self, arrays: dict[str, Array]) -> State:
        """Return the state before the first step of parameters by name."""
        checks.check_parameters(arrays, self.lanes)
        with framework(next(iter(arrays.values()))).no_grad():
            return self._started(arrays)

    def frame(self) -> State:
        """Return the state without any parameter's part."""
        return self._started({})

    def _started(self, arrays: dict[str, Array]) -> State:
        leaves = [Leaf(name, tuple(p.shape[self.lane_axes :]), p, p, 0, self.lr, p) for name, p in arrays.items()]
        state: State = {"t": dict.fromkeys(arrays, 0), "memory": self.chain.init(leaves, ArrayStep(self.lanes, self.seed))}
        if self._kept.more or self._drawn or self.nonfinite == "skip":
            state |= self._started_more(arrays)
        return state

    def _started_more(self, arrays: dict[str, Array]) -> State:
        """Return what only some states hold."""
        state: State = {}
        if self.lanes is not None and self.nonfinite == "skip":
            state["t"] = dict.fromkeys(arrays, np.zeros(self.lanes, int))
        if self._drawn:
            state["seed"] = self.seed if np.ndim(self.seed) == 0 else np.asarray(self.seed)
        if self.moves:
            state["walked"] = {n: framework(p).copy(p) for n, p in arrays.items()}
        if self.accumulates > 1:
            wide = ((n, widened(p)) for n, p in arrays.items())  # sums exceed half precision
            state |= {"calls": 0, "accumulated": {n: framework(p).full(tuple(p.shape), 0.0, p) for n, p in wide}}
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
        here = taken_apart(params)
        first = next(iter(here.arrays.values()), None)
        if not checks.is_array(first):
            checks.check_parameters(here.arrays, self.lanes)
        with framework(first).no_grad(), ops.lanes(self.lanes is not None):
            extras: dict[str, dict[str, Any]] = {}
            if grads is None or self.needs_more or not (loss is grad_fn is noise is curvature is None):
                grads, loss, extras = self._completed(here, grads, state, loss, grad_fn, noise, curvature)
            if not checks.is_state(state, here.arrays, self._kept):
                checks.check_state(here.arrays, state, self.chain, self._kept)
            given = {} if grads is None else here.match(grads, "gradients")
            checks.check_gradients(given, here.arrays)
            step = self._accumulate if self.accumulates > 1 else self._step if self.nonfinite == "propagate" else self._guarded
            return step(here, given, state, loss, grad_fn, extras)

    def _completed(
        self, params: Flat, grads: Tree, state: State, loss: Any, grad_fn: GradFn | None, noise: Tree, curvature: Tree
    ) -> tuple[Tree, Any, dict[str, dict[str, Any]]]:
        """Return gradients, loss, and noise and curvature by leaf, asked of grad_fn where the rules need them."""
        if grads is None and grad_fn is None:
            raise TypeError("gradients are missing: hand step a tree like the parameters, or grad_fn=")
        if grads is None and grad_fn is not None and self._method_around() is None:
            loss, grads = grad_fn(params.tree)
        checks.check_asks(self, loss, grad_fn, curvature)
        if curvature is None and "curvature" in self.asks and self._around is None:
            checks.check_state(params.arrays, state, self.chain, self._kept)
            functions = self.chain.functions
            curvature = estimated(functions, grad_fn, params.tree, grads, state, self.seed, self.lanes)
        trees = {"noise": noise, "curvature": curvature}
        return grads, loss, {word: params.match(tree, word) for word, tree in trees.items() if tree is not None}

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

    def _accumulate(
        self, params: Flat, given: dict[str, Any], state: State, loss: Any, grad_fn: GradFn | None, extras: Any
    ) -> tuple[Tree, State]:
        """Add the gradients to those of earlier calls; step on their mean if they are enough."""
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
        self, params: Flat, given: dict[str, Any], state: State, loss: Any, grad_fn: GradFn | None, extras: Any
    ) -> tuple[Tree, State]:
        """Step if all gradients are finite; otherwise do as `nonfinite` says, "skip" or "raise"."""
        each = {} if self.nonfinite == "propagate" else are_finite(given, self.lanes)
        if self.nonfinite == "raise":
            check_finite(each)
        if self.nonfinite != "skip" or not each:
            return self._step(params, given, state, loss, grad_fn, extras)
        good = functools.reduce(operator.and_, each.values())
        if self.lanes is None and not is_traced(good) and not bool(good):
            return params.tree, state
        stepped = self._step(params, given, state, loss, grad_fn, extras)
        chosen: tuple[Tree, State] = select(good, stepped, (params.tree, state), self.lanes)
        return chosen

    def _step(
        self, params: Flat, given: dict[str, Any], state: State, loss: Any, grad_fn: GradFn | None, extras: Any
    ) -> tuple[Tree, State]:
        step = ArrayStep(self.lanes, state.get("seed", self.seed), None if loss is None else host_scalar(loss), remembers=True)
        t = {n: state["t"][n] + 1 for n in params.arrays if not given or given[n] is not None}
        times = {n: Scalar(count) if getattr(count, "ndim", 0) == 1 else count for n, count in t.items()}
        rates = {n: self.lr if isinstance(self.lr, float) else self.rate_at(time, n) for n, time in times.items()}
        leaves = [self.leaf(n, params.arrays[n], given.get(n), times[n], rates[n], extras) for n in t]
        stages, memory = self.chain.transforms, state["memory"]
        if grad_fn is not None and leaves:
            stages, memory = self._walk_around(params, leaves, memory, step, given, grad_fn)
        for leaf in leaves if self.moves else ():
            leaf.walked = widened(state["walked"][leaf.name])
        memory = advance(stages, self._afters, leaves, memory, step)
        new_state = {**state, "t": {**state["t"], **t}, "memory": {k: m for k, m in memory.items() if m}}
        if self.moves:
            new_state["walked"] = {**state["walked"], **{leaf.name: leaf.as_stored(leaf.walked) for leaf in leaves}}
        return params.rebuilt({leaf.name: leaf.p if leaf.half is None else leaf.as_stored(leaf.p) for leaf in leaves}), new_state

    def leaf(self, name: str, p: Array, g: Any, t: Any, rate: Any, extras: dict[str, dict[str, Any]]) -> Leaf:
        """Return a tensor as the stages receive it, at its update t."""
        own = {word: values[name] for word, values in extras.items()}
        leaf = Leaf(name, tuple(p.shape[self.lane_axes :]), p, g, t, rate, g, extras=own)
        return leaf.widened() if p.dtype.itemsize == 2 else leaf  # no other dtype is narrower than float32

    def rate_at(self, t: Any, name: str) -> Any:
        """Return the learning rate of a leaf at its update t, if it is not the same number always."""
        rate = value_at(self.lr, t, name)
        if self.lanes is None and isinstance(rate, Scalar):
            checks.check_lanes("the schedule's learning rate", rate.values, None)
        return rate

    def _method_around(self) -> tuple[str, AroundStage] | None:
        """The chain's @around method, or the one that its rule names for callers with a grad_fn."""
        return self._around or self._instead

    @property
    def _instead(self) -> tuple[str, AroundStage] | None:
        rules = self.chain.items(RuleStage)
        if len(self.chain.stages) == 1 and rules and rules[0][1].rule.given_grad_fn is not None and not rules[0][1].owns_step:
            key, stage = rules[0]
            method = stage.rule.given_grad_fn
            return key, method(**{k: v for k, v in stage.config.items() if k in method.hyper})
        return None

    def _walk_around(
        self, params: Flat, leaves: list[Leaf], memory: Memory, step: ArrayStep, given: dict[str, Any], grad_fn: GradFn
    ) -> tuple[list[tuple[str, Any]], Memory]:
        """Answer the points of an @around method, if there is one, until it returns its gradient, which becomes each leaf's.

        Returns the stages that follow, and the memory.
        """
        method = self._method_around()
        if method is None:
            return self.chain.transforms, memory
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
                loss, grads = grad_fn(params.rebuilt(there))
                found = params.match(grads, "gradients from grad_fn")
                step.loss = host_scalar(loss) if step.loss is None else step.loss
                answer = host_scalar(loss), answered(found, leaves, self.lanes)
        except StopIteration as stop:
            gradient, kept = stop.value
        for leaf, g in zip(leaves, gradient.leaves, strict=True):
            leaf.grad = leaf.d = g
            leaf.owned = stage.owns_step
        # the @around form of a rule replaces the rule itself
        return self.chain.transforms if method is self._around else [], {**memory, key: kept} if kept else memory
