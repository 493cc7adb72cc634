"""Trials as lanes of one JAX program: the same problem and rule as in NumPy, differentiated by JAX and compiled by XLA.

A program runs `chunk` lanes on each device through the steps between two evaluations, and evaluates them. Each lane is a run
with `lanes=1` and traced learning rate, hyper-parameters and seed, so one program serves all lanes; `vmap` batches them.
Starts and order of data are the arrays of the NumPy problem. A rule's random numbers (`noise`) are drawn by JAX from the same
distribution.
"""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from thalweg.core.optimizer import Optimizer
from thalweg.core.stage import Stage
from thalweg.lab.trials.configured import configured
from thalweg.rule import Rule

Array = npt.NDArray[Any]
Tree = Any

DEVICES = "devices"
"""The name of the mesh's axis."""
PROGRAMS = 8
"""The number of compiled programs that a process keeps; a rule's chunks follow one another."""


@dataclass(frozen=True)
class Lanes:
    """The inputs of T lanes: learning rates (steps, T), hyper-parameters by name (T,), seeds."""

    rates: Array
    hyper: dict[str, Array]
    seeds: Sequence[int]

    def some(self, chosen: Sequence[int]) -> Lanes:
        """The chosen lanes, in this order."""
        index = list(chosen)
        hyper = {name: values[index] for name, values in self.hyper.items()}
        return Lanes(self.rates[:, index], hyper, [self.seeds[i] for i in index])


@dataclass
class Curves:
    """The results of T lanes: training losses (steps, T), loss and score (evaluations, T) on held-out data, and the shipped
    parameters, a tree of (T, ...).

    A lane is dead once one of its parameters is NaN, from which it never recovers. If all lanes of a program are dead, it ends
    early and the remaining results are filled in.
    """

    training: Array
    loss: Array
    score: Array
    shipped: Tree


def run(
    problem: Any,
    rule: Rule,
    lanes: Lanes,
    at: Sequence[int],
    batch_size: int,
    chunk: int,
    devices: int | None = None,
) -> Curves:
    """Train, and evaluate after the steps `at`, which include 0.

    chunk: the number of lanes per device; the last digits of all
    numbers depend on it. devices: the number of JAX's CPU devices (XLA's `xla_force_host_platform_device_count`) that share
    the lanes; None: all. Raises the rule's exceptions, and one of jax.errors for a rule that cannot be traced.
    """
    used = tuple(jax.local_devices(backend="cpu")[:devices])
    total, wide = len(lanes.seeds), chunk * len(used)
    order = np.argsort(lanes.rates.max(axis=0), kind="stable").tolist()  # lanes that diverge share a program, which ends early
    order += [order[-1]] * (-total % wide)  # all programs have the same shape
    parts = []
    with jax.enable_x64(True), jax.default_device(used[0]):
        program = _program(problem, rule, batch_size, int(np.diff(at).max(initial=1)), used)
        for start in range(0, len(order), wide):
            some = lanes.some(order[start : start + wide])
            parts.append(_run_some(problem, program, some, at, batch_size))
    back = np.argsort(order[:total])
    training, loss, score = (
        np.concatenate([getattr(part, name) for part in parts], axis=1)[:, back] for name in ("training", "loss", "score")
    )
    shipped = jax.tree.map(lambda *leaves: np.concatenate(leaves)[back], *(part.shipped for part in parts))
    return Curves(training, loss, score, shipped)


def _run_some(problem: Any, program: _Program, lanes: Lanes, at: Sequence[int], batch_size: int) -> Curves:
    """Run the lanes of one program from start to end. The next batches are gathered while it runs."""
    walk = program.start(problem.init(lanes.seeds), lanes)
    draws, held_out = problem.draws(lanes.seeds, batch_size), problem.held_out(lanes.seeds)
    ahead = [next(draws), next(draws)]
    fixed = jax.tree.map(operator.is_, *map(problem.batch, ahead))
    draws = itertools.chain(ahead, draws)
    found: list[tuple[Any, ...]] = []
    for before, after in itertools.pairwise((0, *at)):
        drawn = list(itertools.islice(draws, after - before)) or ahead[:1]
        batches = _laid([problem.batch(draw) for draw in drawn], fixed, program.longest)
        if found and bool(np.asarray(found[-1][3]).all()):
            break
        walk, result = program.go_on(walk, lanes, before, after, batches, held_out)
        found.append(result)
    shipped = jax.tree.map(np.asarray, program.ship(walk, lanes))
    counts = [after - before for before, after in itertools.pairwise((0, *at))]
    ended = [tuple(np.asarray(x) for x in result[:3]) for result in found]
    last = ended[-1]
    ended += [(np.full_like(last[0], np.nan), last[1], last[2])] * (len(counts) - len(ended))
    training = np.concatenate([losses[:, :count].T for (losses, _, _), count in zip(ended, counts, strict=True)])
    return Curves(training, np.stack([loss for _, loss, _ in ended]), np.stack([score for _, _, score in ended]), shipped)


def _laid(batches: Sequence[Tree], fixed: Tree, longest: int) -> Tree:
    """Stack the batches: (longest, lanes or 1, ...), or (1, ...) for `fixed` arrays. Entries after the last batch are unused."""

    def joined(fixed: bool, *arrays: Array) -> Array:
        if fixed:
            return arrays[0][None]
        held = np.zeros((longest, *arrays[0].shape), arrays[0].dtype)
        np.stack(arrays, out=held[: len(arrays)])
        return held

    return jax.tree.map(joined, fixed, *batches)


def _axes(tree: Tree, axis: int, lanes: int) -> list[int | None]:
    """For each array its lane axis; None if the lanes share it, with length 1."""
    return [axis if array.shape[axis] == lanes else None for array in jax.tree.leaves(tree)]


def _mapped(tree: Tree, axes: Sequence[int | None], axis: int) -> Tree:
    """The arrays, without the lane axis where lanes share them."""
    leaves, kind = jax.tree.flatten(tree)
    own = [array if counts is not None else array.squeeze(axis) for array, counts in zip(leaves, axes, strict=True)]
    return jax.tree.unflatten(kind, own)


@functools.lru_cache(PROGRAMS)
def _program(problem: Any, rule: Rule, batch_size: int, longest: int, devices: tuple[jax.Device, ...]) -> _Program:
    return _Program(problem, functools.partial(configured, rule, problem), batch_size, longest, devices)


class _Program:
    """The functions that JAX compiles for a rule on a problem, once for each number of lanes."""

    def __init__(
        self, problem: Any, configured: Callable[..., Stage], batch_size: int, longest: int, devices: tuple[jax.Device, ...]
    ) -> None:
        self.problem, self.configured, self.batch_size, self.longest = problem, configured, batch_size, longest
        self.mesh = jax.sharding.Mesh(np.array(devices), (DEVICES,))
        self._start = jax.jit(self._on_devices(self._started, (0, 0, 0, 0)))
        self._ship = jax.jit(self._on_devices(lambda walk, hyper, seed: self._shipped(walk, hyper, seed), (0, 0, 0)))
        self._go_on: dict[Any, Any] = {}

    def start(self, params: Tree, lanes: Lanes) -> Tree:
        """Initial parameters and state of the lanes."""
        return self._start(params, self._rates(lanes, 0, 1)[:, 0], *self._of_lanes(lanes))

    def go_on(
        self, walk: Tree, lanes: Lanes, before: int, after: int, batches: Tree, held_out: Tree
    ) -> tuple[Tree, tuple[Any, ...]]:
        """Steps before + 1 to after, and an evaluation: losses (T, longest), loss, score and dead lanes, all (T,)."""
        wide = len(lanes.seeds)
        axes = tuple(_axes(batches, 1, wide)), tuple(_axes(held_out, 0, wide))
        if axes not in self._go_on:
            of_batches, of_held_out = map(jax.tree.unflatten, map(jax.tree.structure, (batches, held_out)), axes)
            mapped = self._on_devices(self._segment, (0, 0, 0, 0, of_batches, None, of_held_out))
            self._go_on[axes] = jax.jit(mapped, donate_argnums=0)
        given = *self._of_lanes(lanes), _mapped(batches, axes[0], 1), np.int64(after - before), _mapped(held_out, axes[1], 0)
        rates = self._rates(lanes, before, before + self.longest)
        walked: tuple[Tree, tuple[Any, ...]] = self._go_on[axes](walk, rates, *given)
        return walked

    def ship(self, walk: Tree, lanes: Lanes) -> Tree:
        """The shipped parameters."""
        return self._ship(walk, *self._of_lanes(lanes))

    def _of_lanes(self, lanes: Lanes) -> tuple[dict[str, Array], Array]:
        return lanes.hyper, np.asarray(lanes.seeds, np.int64)

    def _rates(self, lanes: Lanes, before: int, after: int) -> Array:
        """Learning rates (T, after - before), padded with the last one."""
        return lanes.rates[np.minimum(np.arange(before, after), len(lanes.rates) - 1)].T

    def _on_devices(self, lane: Callable[..., Any], axes: tuple[Any, ...]) -> Callable[..., Any]:
        """A function of one lane, vectorised over the lanes of a device and sharded over the devices."""
        spec: Any = jax.sharding.PartitionSpec
        places = jax.tree.map(
            lambda axis: spec() if axis is None else spec(*[None] * axis, DEVICES), axes, is_leaf=lambda axis: axis is None
        )
        mapped = jax.vmap(lane, in_axes=axes)
        return jax.shard_map(mapped, mesh=self.mesh, in_specs=places, out_specs=spec(DEVICES), check_vma=False)

    # one lane; here its arrays get a first axis of length 1

    def _optimizer(self, lr: Any, hyper: dict[str, Any], seed: Any) -> Optimizer:
        own = {name: value[None] for name, value in hyper.items()}
        return Optimizer(self.configured(**own), lr=lr[None], seed=seed, lanes=1)

    def _started(self, params: Tree, lr: Any, hyper: dict[str, Any], seed: Any) -> Tree:
        """Initial parameters and state, in the dtypes that a step returns."""
        own = jax.tree.map(lambda leaf: leaf[None], params)
        optimizer = self._optimizer(lr, hyper, seed)
        walk = own, optimizer.init(own)
        left = jax.eval_shape(functools.partial(self._stepped, optimizer, self._any_batch()), walk)[0]
        return jax.tree.map(lambda leaf, like: jnp.asarray(leaf, like.dtype), walk, left)

    def _any_batch(self) -> Tree:
        draw = next(self.problem.draws([0], self.batch_size))
        return jax.tree.map(lambda array: jnp.asarray(array[:1]), self.problem.batch(draw))

    def _stepped(self, optimizer: Optimizer, batch: Tree, walk: Tree) -> tuple[Tree, Any]:
        """One step. Also returns the loss before it."""
        params, state = walk

        def total(params: Tree) -> tuple[Any, Any]:
            loss = self.problem.loss(params, batch)
            return loss[0], loss

        def ask(params: Tree) -> tuple[Any, Tree]:
            (_, loss), grads = jax.value_and_grad(total, has_aux=True)(params)
            return loss, grads

        loss, grads = ask(params)
        return optimizer.step(params, grads, state, **optimizer.needs(loss, ask)), loss[0]

    def _segment(
        self, walk: Tree, rates: Any, hyper: dict[str, Any], seed: Any, batches: Tree, count: Any, held_out: Tree
    ) -> tuple[Tree, tuple[Any, ...]]:
        """`count` steps of one lane, and an evaluation."""

        def step(i: Any, carried: tuple[Tree, Any]) -> tuple[Tree, Any]:
            walk, losses = carried
            batch = jax.tree.map(lambda array: array[jnp.minimum(i, len(array) - 1)][None], batches)
            walk, loss = self._stepped(self._optimizer(rates[i], hyper, seed), batch, walk)
            return walk, losses.at[i].set(loss)

        losses = jnp.full(self.longest, jnp.nan, jax.tree.leaves(walk[0])[0].dtype)
        walk, losses = jax.lax.fori_loop(0, count, step, (walk, losses))
        shipped = self._shipped(walk, hyper, seed, alone=False)
        loss, score = self.problem.judge(shipped, jax.tree.map(lambda array: jnp.asarray(array)[None], held_out))
        dead = functools.reduce(jnp.logical_or, [jnp.isnan(leaf).any() for leaf in jax.tree.leaves(walk[0])])
        return walk, (losses, loss[0], jnp.asarray(score)[0], dead)

    def _shipped(self, walk: Tree, hyper: dict[str, Any], seed: Any, alone: bool = True) -> Tree:
        """The shipped parameters of one lane, for storage and evaluation."""
        params, state = walk
        shipped = self._optimizer(jnp.float64(0), hyper, seed).ship(params, state)
        return jax.tree.map(lambda leaf: leaf[0], shipped) if alone else shipped
