"""An optimizer that updates NumPy arrays in place, by one kernel over all of them if possible."""

from __future__ import annotations

import contextlib
import operator
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg.core.answers import host_scalar
from thalweg.core.checks import Handed, check_asks
from thalweg.core.leaf import Leaf
from thalweg.core.optimizer import GradFn, Optimizer, State
from thalweg.engines import native
from thalweg.engines.drawn import drawn
from thalweg.engines.gradients import address, ranges
from thalweg.engines.kernel import Kernel
from thalweg.engines.launch import Launch
from thalweg.engines.passes.totals import add_up, agree, norms
from thalweg.engines.watch import Watch, watcher
from thalweg.graph.program import NotTraced, StagePath, at, stage_paths
from thalweg.numpy.gradients import accumulate_anew, check, prepared
from thalweg.numpy.outline import Outline, arrays_of, check_alive, copied, fill, placed, write_over
from thalweg.numpy.params import check_apart, check_array
from thalweg.values.arrays import dtype_name
from thalweg.values.trees import Tree, children, flatten, match, rebuild

HANDED = Handed("step(grad_fn=...)", "step(grads, loss=...)", "step(grads, curvature=...), or grad_fn=")


class InPlace:
    """`optimizer` bound to the arrays of a tree, which each step changes.

    groups: the index of each array's parameter group, where hyper-parameters differ (`ByLeaf`). fused=False runs the
    optimizer's own pure step and copies the result: slower, with the same numbers. Raises TypeError for anything but a
    floating-point array, ValueError for a read-only array or one that overlaps another.
    """

    def __init__(self, optimizer: Optimizer, params: Tree, *, groups: Sequence[int] | None = None, fused: bool = True) -> None:
        self.optimizer, self.params = optimizer, params
        self.names, self.arrays = flatten(params)
        self.groups = [0] * len(self.names) if groups is None else list(groups)
        for name, array in zip(self.names, self.arrays, strict=True):
            check_array(name, array)
        self._state = optimizer.init(params)
        self._outline = Outline(self._state, self.names)
        check_apart(self.names, self.arrays)
        self._fused, self._handed = fused, False
        self._launches: list[Any] | None = None
        self._made_of = [(array.shape, array.dtype) for array in self.arrays]
        self._left = list(placed(self._state))
        self._watch: Watch | None = None
        self._busy, self._steps = threading.RLock(), False
        held = children(params)
        plain = isinstance(params, dict | list | tuple)
        self._flat = None if held is None else plain and all(children(child) is None for _, child in held)

    def __getstate__(self) -> dict[str, Any]:
        """Return arrays and state for a copy or a pickle. Kernels hold addresses, so the copy builds its own."""
        held = {**self.__dict__, "_state": self.state, "_launches": None, "_watch": None}
        return {name: value for name, value in held.items() if name not in ("_busy", "_taken")}

    def __setstate__(self, held: dict[str, Any]) -> None:
        self.__dict__.update(held, _busy=threading.RLock(), _steps=False)

    @property
    def state(self) -> State:
        """The state as `Optimizer.step` would return it; the next step reads it from here."""
        return self._state

    @state.setter
    def state(self, state: State) -> None:
        self._outline.fit(state, self.arrays)
        self._state, self._watch, self._left = state, None, []

    def fitted(self, saved: State) -> State:
        """Return a copy of a saved state, fitted to these parameters and this rule. Raises a clear error if it does not fit."""
        self._outline.complete(saved, self._state)
        state: State = copied(saved)
        self._outline.fit(state, self.arrays)
        return state

    def configure(self, optimizer: Optimizer) -> None:
        """Continue with other hyper-parameters of the same rules: memory that there is stays.

        Raises ValueError, with nothing changed, if they need memory that the steps so far would have written.
        """
        if optimizer.chain.memory != self.optimizer.chain.memory:
            self._check_held(optimizer)
            begun = optimizer.init(self.params)
            self._outline.widen(begun["memory"])
            fill(self._state["memory"], begun["memory"])
        self.optimizer, self._launches, self._watch = optimizer, None, None

    def _check_held(self, optimizer: Optimizer) -> None:
        for name, array in zip(self.names, self.arrays, strict=True):
            for passage in self._route(optimizer, name, array) if np.any(self._state["t"][name]) else ():
                memory = at(self._state["memory"], passage.path)
                for slot, kind in passage.stage.memory.items():
                    if slot not in memory or (not kind.of_model and name not in memory[slot]):
                        raise ValueError(
                            f"the state has no '{slot}' of {passage.stage.name} for '{name}', which has been updated before"
                            f"{passage.stage.forgetting(slot)}"
                        )

    def _route(self, optimizer: Optimizer, name: str, array: Any) -> list[StagePath]:
        leaf = Leaf(name, tuple(array.shape[optimizer.lane_axes :]), array, array, 0, None, array)
        return stage_paths(optimizer, leaf, self._state["memory"])

    def step(
        self, grads: Tree = None, *, loss: Any = None, grad_fn: GradFn | None = None, noise: Tree = None, curvature: Tree = None
    ) -> None:
        """Update all arrays once; arguments and errors are those of `Optimizer.step`."""
        with self._busy, np.errstate(all="ignore"):
            if self._steps:
                raise RuntimeError(
                    "this optimizer is in the middle of a step, which called grad_fn or a schedule; that may not step it"
                )
            if self.optimizer.needs_more:
                check_asks(self.optimizer, loss, grad_fn, curvature, HANDED)
            if (noise is not None) != self._handed:
                self._handed, self._launches, self._watch = noise is not None, None, None
            self._steps = True
            try:
                if grad_fn is None and grads is not None and (self._launches or (self._launches is None and self._can_fuse())):
                    self._step_fused(grads, loss, noise, curvature)
                else:
                    self._step_unfused(grads, loss, grad_fn, noise, curvature)
            finally:
                self._steps = False

    def ship(self) -> Tree:
        """Return copies of the point to keep and evaluate: the average if the method has one, else the arrays."""
        shipped = self.optimizer.ship(self.params, self.state)
        return rebuild(self.params, {name: np.array(a) for name, a in zip(*flatten(shipped), strict=True)})

    # the pure step, and a copy

    def _step_unfused(self, grads: Tree, loss: Any, grad_fn: GradFn | None, noise: Tree, curvature: Tree) -> None:
        self._check_parameters()
        self._fit()
        state, self._watch = self._state, None
        new, stepped = self.optimizer.step(
            self.params, grads, state, loss=loss, grad_fn=grad_fn, noise=noise, curvature=curvature
        )
        self._check_parameters()  # because the caller's grad_fn may have changed them
        for array, moved in zip(self.arrays, flatten(new)[1], strict=True):
            if moved is not array:
                array[...] = moved
        write_over(state, stepped)
        self._left = list(placed(state))

    def _fit(self) -> None:
        """Fit the state if it has changed since the last step."""
        now = list(placed(self._state)) if isinstance(self._state, dict) else []
        same = len(now) == len(self._left) and all(p == q and a is b for (p, a), (q, b) in zip(now, self._left, strict=True))
        if not same or any(True for _ in self._outline.counts(self._state)):
            self._outline.fit(self._state, self.arrays)
            fill(self._state["memory"], self.optimizer.init(self.params)["memory"])

    # the kernels

    def _can_fuse(self) -> bool:
        """Whether kernels exist for all stages and tensors; builds them."""
        skips = self.optimizer.lanes is not None and self.optimizer.nonfinite == "skip"
        self._launches = []
        if not self.optimizer.asks_gradients and self._fused and native.available() and not skips:
            self._launches = None
            self._check_parameters()
            self._launches = self._launch()
            self._is_whole = [launch.members for launch in self._launches] == [list(range(len(self.names)))]
            self._adds_up = any(launch.adding for launch in self._launches)
            self._asks_norms = any(launch.program.norms for launch in self._launches)
        return bool(self._launches)

    def _launch(self) -> list[Launch]:
        """Return the kernels, one per path through the stages; an empty list if one path has none."""
        self._lie = [(address(a), a.strides) for a in self.arrays]
        try:
            given = self.optimizer, self.names, self.arrays
            launches = [Launch(given[0], found, *given[1:], route, draws=not self._handed) for route, found in self._ways()]
            agree([launch.summed for launch in launches])
            return launches
        except NotTraced:
            return []

    def _bind(self) -> None:
        """Bind the kernels to the current parameters and state. Raises a clear error if these do not fit."""
        self._check_parameters()
        self._outline.fit(self._state, self.arrays)
        if self._lie != [(address(a), a.strides) for a in self.arrays]:
            check_apart(self.names, self.arrays)
            self._launches = self._launch()
        assert self._launches is not None
        for launch in self._launches:
            launch.adopt(self._state)
            launch.forget()
        written = [array for _, _, array in arrays_of(self._state)]
        self._taken = ranges([*self.arrays, *written, *(work for launch in self._launches for _, work in launch.staged)])
        numbers = {("memory", *slot.path) for launch in self._launches for slot in launch.program.slots if slot.kind.of_model}
        arrays = self.arrays if self._flat is False else [self.params] if self._flat is None else self._children()
        keyed = self.params if self._flat and isinstance(self.params, dict) else None
        self._watch, self._told = Watch(arrays, self._state, numbers, watcher(), keyed), dict(self._state["t"])

    def _ways(self) -> list[tuple[list[StagePath], list[int]]]:
        """Return the paths through the stages, each with its arrays. Raises NotTraced."""
        together: dict[Any, tuple[list[StagePath], list[int]]] = {}
        for i, (name, array) in enumerate(zip(self.names, self.arrays, strict=True)):
            route = self._route(self.optimizer, name, array)
            in_order = array.flags.c_contiguous or "noise" not in self.optimizer.asks
            key = (*((w.path, id(w.stage), id(w.rate), w.flat) for w in route), str(array.dtype), in_order)
            together.setdefault(key, (route, []))[1].append(i)
        return list(together.values())

    def kernels(self) -> list[Kernel]:
        """Return the source of the kernels that a step runs, without compiling them; an empty list if steps are unfused."""
        if self.optimizer.asks_gradients or not self._fused or not native.available():
            return []
        with contextlib.suppress(NotTraced):
            made = [drawn(self.optimizer, route, dtype_name(self.arrays[own[0]])) for route, own in self._ways()]
            return [kernel for each in made for kernel in each.kernels]
        return []

    def _step_fused(self, grads: Tree, loss: Any, noise: Tree, curvature: Tree) -> None:
        assert self._launches is not None
        extras = {} if noise is None and curvature is None else self._injected(noise, curvature)
        gradients = self._listed(grads)
        if self._flat is False:
            self._check_still_there()
        if self._watch is None or not self._counts_as_told() or not self._watch.agrees():
            self._bind()
        if self.optimizer.accumulates > 1 or self.optimizer.nonfinite != "propagate":
            ready = prepared(self.optimizer, self._state, self.names, self.arrays, gradients)
            if ready is None:
                return
            gradients = ready
        found = self._looked_up(gradients)
        loss = None if loss is None else host_scalar(loss)
        try:
            for launch in self._launches:
                launch.begin(self._state, loss, found)
                if launch.lent or launch.draws:
                    launch.lend(extras, self._state.get("seed", self.optimizer.seed))
            if self._adds_up:
                add_up(self._launches)
            reckoned = [launch.reckoned() for launch in self._launches]
        except BaseException:
            self._watch = None
            for launch in self._launches:
                launch.forget()
            raise
        t = self._state["t"]
        for launch, values in zip(self._launches, reckoned, strict=True):
            launch.keep(self._state, values)
            launch.tell(t)
            launch.run()
        self._told = t.copy()
        if self.optimizer.accumulates > 1:
            accumulate_anew(self._state)

    def _looked_up(self, gradients: list[Any]) -> dict[Any, Any]:
        """Let the kernels look the gradients up. Returns the norms that are asked for."""
        assert self._launches is not None
        lists = [gradients] if self._is_whole else [[gradients[i] for i in launch.members] for launch in self._launches]
        if False in [launch.finds(own) for launch, own in zip(self._launches, lists, strict=True)]:
            self._arrange(gradients, lists)
        return norms(self._launches, lists, lanes=self.optimizer.lanes is not None) if self._asks_norms else {}

    def _counts_as_told(self) -> bool:
        try:
            return bool(self._state.get("t") == self._told)
        except ValueError:  # an array was put among the counts
            return False

    def _listed(self, grads: Tree) -> list[Any]:
        """Return the gradients in the parameters' order. Raises TypeError or KeyError if the trees differ."""
        if self._flat and type(grads) is type(self.params) and len(grads) == len(self.names):
            if isinstance(grads, list | tuple):
                return list(grads)
            with contextlib.suppress(KeyError):  # `match` then raises the clearer error
                return [grads[name] for name in self.params]
        self._check_still_there()
        matched = match(self.params, grads, "gradients")
        return [matched[name] for name in self.names]

    def _injected(self, noise: Tree, curvature: Tree) -> dict[str, Any]:
        """Return the caller's replacements for draws and estimates, by word and then by name."""
        given = (("noise", noise), ("curvature", curvature))
        return {word: match(self.params, x, word) for word, x in given if x is not None}

    def _arrange(self, gradients: list[Any], lists: list[list[Any]]) -> None:
        """Arrange the kernels anew if other parameters have gradients or a gradient has another layout."""
        assert self._launches is not None
        check(self.names, self.arrays, gradients)
        t = np.array([self._told[name] for name in self.names], np.int64)
        for launch, own in zip(self._launches, lists, strict=True):
            launch.arrange([g is not None for g in own], t, self.groups, self._taken)
            launch.look_up(own)

    def _check_still_there(self) -> None:
        """Raise an error if the caller replaced a parameter in the dict or list: the new array would silently stay unchanged."""
        names, now = flatten(self.params)
        if len(now) != len(self.arrays):
            raise ValueError(
                f"there are {len(now)} parameters now, and there were {len(self.arrays)} ({', '.join(self.names)}); "
                "for others, make a new optimizer"
            )
        if names == self.names and all(map(operator.is_, now, self.arrays)):
            return
        there = dict(zip(names, now, strict=True))
        changed = next((n for n, a in zip(self.names, self.arrays, strict=True) if there.get(n) is not a), None)
        if changed is None:
            raise ValueError(f"the parameters' order was {', '.join(self.names)} and is {', '.join(names)}; put them back in it")
        raise ValueError(
            f"parameter '{changed}' is no longer the array this optimizer was given; write into the array "
            "(params[...][...] = value), or make a new optimizer"
        )

    def _check_parameters(self) -> None:
        """Raise ValueError if a parameter was replaced, made read-only or given another shape or dtype."""
        self._check_still_there()
        for name, array, (shape, dtype) in zip(self.names, self.arrays, self._made_of, strict=True):
            check_array(name, array)
            check_alive(f"parameter '{name}'", array)
            if array.shape != shape or array.dtype != dtype:
                raise ValueError(
                    f"parameter '{name}' was {dtype} in shape {shape} when the optimizer was made, and is {array.dtype} in shape "
                    f"{array.shape} now; make a new optimizer"
                )

    def _children(self) -> Any:
        return self.params.values() if isinstance(self.params, dict) else self.params
