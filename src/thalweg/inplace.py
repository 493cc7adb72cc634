"""An optimizer over NumPy arrays that it updates where they lie: by one kernel over all of them wherever there is one."""

from __future__ import annotations

import contextlib
import math
import operator
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from thalweg.arrays import dtype_name
from thalweg.engines import native
from thalweg.norms import SCALES
from thalweg.optimizer import GradFn, Optimizer, State, check_gradient, host_number
from thalweg.program import NotTraced, Passage, passages
from thalweg.stage import Leaf
from thalweg.trees import Tree, Vector, children, flatten, match, rebuild

if TYPE_CHECKING:
    from thalweg.engines.kernel import Kernel

Floats = npt.NDArray[Any]


class InPlace:
    """`optimizer` bound to the arrays of a tree, which each step changes.

    groups: for each array the number of its parameter group, where hyper-parameters differ (`ByLeaf`).
    fused=False runs the optimizer's own step, a pure function, and copies what comes out: slower, and the same.
    Raises TypeError for what is no floating-point array, ValueError for one that cannot be written or lies over another.
    """

    def __init__(self, optimizer: Optimizer, params: Tree, *, groups: Sequence[int] | None = None, fused: bool = True) -> None:
        self.optimizer, self.params = optimizer, params
        self.names, self.arrays = flatten(params)
        self.groups = [0] * len(self.names) if groups is None else list(groups)
        for name, array in zip(self.names, self.arrays, strict=True):
            _check_array(name, array)
        self._state = optimizer.init(params)
        _check_apart(self.names, self.arrays)
        self._asks = optimizer.asks
        self._fused = fused
        self._launches: list[Any] | None = None
        self._t = np.zeros(len(self.names), np.int64)
        self._busy = threading.Lock()
        held = children(params)
        plain = isinstance(params, dict | list | tuple)
        self._flat = None if held is None else plain and all(children(child) is None for _, child in held)

    def __getstate__(self) -> dict[str, Any]:
        """For a copy, or a pickle: arrays and state, and no kernels, which hold addresses; the copy finds its own."""
        held = {**self.__dict__, "_state": self.state, "_launches": None}
        return {name: value for name, value in held.items() if name not in ("_busy", "_taken")}

    def __setstate__(self, held: dict[str, Any]) -> None:
        self.__dict__.update(held, _busy=threading.Lock())

    @property
    def state(self) -> State:
        """The state as `Optimizer.step` would have made it; the arrays in it are the live ones."""
        if self._launches:
            for launch in self._launches:
                launch.tell(self._t)
            self._state["t"] = dict(zip(self.names, self._t.tolist(), strict=True))
        return self._state

    @state.setter
    def state(self, state: State) -> None:
        self._state, self._launches = state, None

    def configure(self, optimizer: Optimizer) -> None:
        """Go on with other hyper-parameters of the same rules."""
        state = self.state
        self.optimizer, self._launches = optimizer, None
        self._state = state

    def step(
        self, grads: Tree = None, *, loss: Any = None, grad_fn: GradFn | None = None, noise: Tree = None, curvature: Tree = None
    ) -> None:
        """One update of all arrays; arguments and errors as `Optimizer.step` has them."""
        with self._busy, np.errstate(all="ignore"):
            self._check_still_there()
            if grad_fn is None and grads is not None and self._can_fuse():
                self._step_fused(grads, loss, noise, curvature)
            else:
                self._step_unfused(grads, loss, grad_fn, noise, curvature)

    def ship(self) -> Tree:
        """The point to keep and evaluate, as a tree of copies: an average where a method has one, else the arrays."""
        shipped = self.optimizer.ship(self.params, self.state)
        return rebuild(self.params, {name: np.array(a) for name, a in zip(*flatten(shipped), strict=True)})

    # the pure step, and a copy

    def _step_unfused(self, grads: Tree, loss: Any, grad_fn: GradFn | None, noise: Tree, curvature: Tree) -> None:
        state = self.state
        new, state = self.optimizer.step(self.params, grads, state, loss=loss, grad_fn=grad_fn, noise=noise, curvature=curvature)
        for array, moved in zip(self.arrays, flatten(new)[1], strict=True):
            if moved is not array:
                array[...] = moved
        self.state = state

    # the kernels

    def _can_fuse(self) -> bool:
        if (
            self.optimizer.asks_gradients
            or not self._fused
            or not native.is_there()
            or (self.optimizer.lanes is not None and self.optimizer.nonfinite == "skip")
        ):
            return False
        if self._launches is None:
            self._launches = self._launch()
        return bool(self._launches)

    def _launch(self) -> list[Any]:
        """The kernels, one for each way through the optimizer's stages; none where one of them cannot be had."""
        from thalweg.engines.gradients import ranges
        from thalweg.engines.launch import Launch

        try:
            launches = [Launch(self.optimizer, found, self.names, self.arrays, way) for way, found in self._ways()]
        except NotTraced:
            return []
        for launch in launches:
            launch.adopt(self._state)
        self._t[:] = [self._state["t"][name] for name in self.names]
        self._taken = ranges([*self.arrays, *(work for launch in launches for _, work in launch.staged)])
        return launches

    def _ways(self) -> list[tuple[list[Passage], list[int]]]:
        """The ways through the optimizer's stages, each with the arrays that take it. Raises NotTraced."""
        together: dict[Any, tuple[list[Passage], list[int]]] = {}
        for i, (name, array) in enumerate(zip(self.names, self.arrays, strict=True)):
            shape = self.optimizer.leaf_shape(array)
            way = passages(self.optimizer, Leaf(name, shape, array, array, 0, None, array))
            key = (*((w.path, id(w.stage), id(w.rate)) for w in way), str(array.dtype))
            together.setdefault(key, (way, []))[1].append(i)
        return list(together.values())

    def kernels(self) -> list[Kernel]:
        """The kernels that a step runs, as text; none where it runs unfused. Nothing is compiled."""
        from thalweg.engines.launch import drawn

        if self.optimizer.asks_gradients or not self._fused or not native.is_there():
            return []
        with contextlib.suppress(NotTraced):
            return [drawn(self.optimizer, way, dtype_name(self.arrays[own[0]]))[1] for way, own in self._ways()]
        return []

    def _step_fused(self, grads: Tree, loss: Any, noise: Tree, curvature: Tree) -> None:
        assert self._launches is not None
        if self._asks & {"loss", "curvature"}:
            self.optimizer.check_asks(loss, None, curvature)
        extras = {w: match(self.params, x, w) for w, x in (("noise", noise), ("curvature", curvature)) if x is not None}
        gradients = self._listed(grads)
        if self.optimizer.accumulates > 1 or self.optimizer.nonfinite != "propagate":
            self._check(gradients)
            prepared = self._prepared(gradients)
            if prepared is None:
                return
            gradients = prepared
        lists = [[gradients[i] for i in launch.members] for launch in self._launches]
        if not all(launch.finds(own) for launch, own in zip(self._launches, lists, strict=True)):
            self._check(gradients)
            for launch, own in zip(self._launches, lists, strict=True):
                launch.arrange([g is not None for g in own], self._t, self.groups, self._taken)
                launch.look_up(own)
        norms = self._norms(lists)
        for launch in self._launches:
            launch.reckon(self._state, host_number(loss), norms)
            launch.lend(extras, self._state.get("seed", self.optimizer.seed))
        for launch in self._launches:
            launch.run()

    def _listed(self, grads: Tree) -> list[Any]:
        """The gradients in the parameters' order. Raises TypeError or KeyError where the trees differ."""
        if self._flat and type(grads) is type(self.params) and len(grads) == len(self.names):
            if isinstance(grads, list | tuple):
                return list(grads)
            with contextlib.suppress(KeyError):  # `match` says it better
                return [grads[name] for name in self.params]
        matched = match(self.params, grads, "gradients")
        return [matched[name] for name in self.names]

    def _check(self, gradients: list[Any]) -> None:
        for name, array, gradient in zip(self.names, self.arrays, gradients, strict=True):
            check_gradient(name, array, gradient)

    def _prepared(self, gradients: list[Any]) -> list[Any] | None:
        """The gradients to step on, after accumulation and the guard against inf and NaN; None to stay where we are."""
        optimizer, state = self.optimizer, self._state
        if optimizer.accumulates > 1:
            for name, gradient in zip(self.names, gradients, strict=True):
                if gradient is None:
                    raise ValueError(f"every({optimizer.accumulates}, ...) needs each gradient in each call; '{name}' has none")
                state["accumulated"][name] += gradient
            state["calls"] += 1
            if state["calls"] % optimizer.accumulates:
                return None
            gradients = [state["accumulated"][name] / optimizer.accumulates for name in self.names]
            gradients = [np.asarray(g, a.dtype) for g, a in zip(gradients, self.arrays, strict=True)]
            for name in self.names:
                state["accumulated"][name][...] = 0
        if optimizer.nonfinite == "propagate":
            return gradients
        finite = optimizer.finite(dict(zip(self.names, gradients, strict=True)))
        bad = next((name for name, good in finite.items() if not np.all(good)), None)
        if bad is not None and optimizer.nonfinite == "raise":
            raise FloatingPointError(f"the gradient of '{bad}' holds inf or NaN")
        return gradients if bad is None else None

    def _norms(self, lists: list[list[Any]]) -> dict[Any, Any]:
        """For each stage that asks for it, the norm of all the gradients that come to it."""
        assert self._launches is not None
        arriving: dict[Any, list[int]] = {}
        for k, launch in enumerate(self._launches):
            for path in launch.program.norms.values():
                arriving.setdefault(path, []).append(k)
        lanes, norms = self.optimizer.lanes is not None, {}
        for path, found in arriving.items():
            squares = math.nan if lanes else sum(self._launches[k].squares() for k in found)
            if SCALES["float64"][0] <= squares < math.inf:
                norms[path] = math.sqrt(squares)
            else:
                norms[path] = Vector([g for k in found for g in lists[k] if g is not None], lanes).norm_of_all()
        return norms

    def _check_still_there(self) -> None:
        """A parameter that was replaced in the caller's dict or list would be left behind in silence: say so."""
        now = [self.params] if self._flat is None else self._flat_leaves() if self._flat else flatten(self.params)[1]
        if len(now) != len(self.arrays) or not all(map(operator.is_, now, self.arrays)):
            changed = next((n for n, a, b in zip(self.names, now, self.arrays, strict=False) if a is not b), "one more")
            raise ValueError(
                f"parameter '{changed}' is no longer the array this optimizer was given; write into the array "
                "(params[...][...] = value), or make a new optimizer"
            )

    def _flat_leaves(self) -> list[Any]:
        return list(self.params.values()) if isinstance(self.params, dict) else self.params


def _check_array(name: str, array: Any) -> None:
    if not isinstance(array, np.ndarray):
        raise TypeError(f"parameter '{name}' is a {type(array).__name__}; only NumPy arrays are updated in place")
    if not array.flags.writeable:
        raise ValueError(f"parameter '{name}' is read-only, so it cannot be updated; hand over a copy, np.array(...) of it")


def _check_apart(names: Sequence[str], arrays: Sequence[Floats]) -> None:
    """Two parameters in one place, or two elements of one, would be moved twice."""
    bounds = sorted((np.lib.array_utils.byte_bounds(a), i) for i, a in enumerate(arrays) if a.size)
    for name, array in zip(names, arrays, strict=True):
        if array.size and any(stride == 0 and length > 1 for stride, length in zip(array.strides, array.shape, strict=True)):
            raise ValueError(f"parameter '{name}' is broadcast: its elements share memory; hand over a copy, np.array(...) of it")
    last = 0
    for k in range(1, len(bounds)):
        (_, reach), before = bounds[last]
        (start, end), i = bounds[k]
        if start < reach and np.shares_memory(arrays[i], arrays[before]):
            raise ValueError(f"parameters '{names[before]}' and '{names[i]}' share memory; hand over one of them")
        last = k if end > reach else last
