"""A network as pure functions of a tree of parameters."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt

from thalweg.nn import checks, forward_backward
from thalweg.nn.arrays import Array, Params, Seeds, Shape, draw_of
from thalweg.nn.layers.layer import Layer, Trainable
from thalweg.nn.losses.loss import Loss
from thalweg.nn.penalties import Penalty, as_penalties
from thalweg.nn.plan import Plan, draw


class Network:
    """Layers and a loss, without anything stored but the input shape. See `Model`."""

    def __init__(
        self,
        layers: Iterable[Layer],
        loss: Loss,
        *,
        penalty: Penalty | tuple[Penalty, ...] = (),
        input_shape: Shape | int | None = None,
    ) -> None:
        self.layers = tuple(layers)
        self.loss = loss
        self.penalty = as_penalties(penalty)
        self._plan: Plan | None = None
        checks.parts(self.layers, loss)
        self.penalties = {
            str(i): as_penalties(layer.penalty) or self.penalty
            for i, layer in enumerate(self.layers)
            if isinstance(layer, Trainable)
        }
        if input_shape is not None:
            self.init(input_shape)

    @property
    def input_shape(self) -> Shape | None:
        """The shape of one sample; None until it is known."""
        return None if self._plan is None else self._plan.input_shape

    def init(self, input_shape: Shape | int | None = None, seed: Seeds = 0, dtype: npt.DTypeLike = np.float64) -> Params:
        """Draw initial parameters, layer by layer, weights before biases. Stores the input shape and nothing else.

        Parameters
        ----------
        input_shape : Shape | int | None
            Shape of one sample: (64,) or 64, (28, 28, 1). None: the known one.
        seed : Seeds
            An integer or a generator (a `numpy.random.RandomState` gives NumPy's legacy numbers); a list makes lanes, and
            lane i equals init with seed i.
        dtype : npt.DTypeLike
            float32 or float64. Numbers are drawn in float64 and rounded, so that both have the same start.

        Raises
        ------
        ValueError
            If a layer does not fit the one before it, or the input shape is unknown.
        """
        shape = self._known().input_shape if input_shape is None else checks.sample_shape(input_shape)
        tree, self._plan = draw(self.layers, shape, seed, checks.dtype_of(dtype))
        return tree

    def init_statistics(self, lanes: int | None = None) -> Params:
        """The statistics of a network with BatchNorm before the first batch, float64; {} for other networks."""
        started = self._known().statistics
        return {
            name: {key: leaf.copy() if lanes is None else np.stack([leaf] * lanes) for key, leaf in own.items()}
            for name, own in started.items()
        }

    def __call__(self, params: Params, x: npt.ArrayLike, *, lanes: int | None = None, statistics: Params | None = None) -> Array:
        """The outputs at prediction (no dropout): (batch, ...), or (lanes, batch, ...).

        Parameters
        ----------
        params : Params
            From `init`.
        x : npt.ArrayLike
            (batch, ...), or with lanes also (lanes, batch, ...).
        lanes : int | None
            Number of lanes. None: params have no lane axis.
        statistics : Params | None
            Of a network with BatchNorm, with lanes if params have them.

        Raises
        ------
        ValueError, TypeError
            If params, x or statistics do not fit; the message says what would.
        """
        tree, xs, _ = self.enter(params, x, lanes)
        kept = checks.statistics_of(statistics, self._known().statistics, tree, lanes)
        with np.errstate(all="ignore"):
            z = forward_backward.predict(self.layers, tree, kept, xs)
        return z[0] if lanes is None else checks.for_each(z, lanes)

    def loss_and_grad(
        self, params: Params, x: npt.ArrayLike, y: npt.ArrayLike, *, lanes: int | None = None, seed: Seeds | None = None
    ) -> tuple[Any, Params]:
        """The training loss, with penalties, and its gradient.

        Parameters
        ----------
        params : Params
            From `init`.
        x, y : npt.ArrayLike
            Samples (batch, ...), or with lanes also (lanes, batch, ...), and targets. y has one batch per lane if x has.
        lanes : int | None
            Number of lanes. None: params have no lane axis.
        seed : Seeds | None
            For layers that draw (Dropout): an integer or a generator, or a list with one per lane. Advances a generator.

        Returns
        -------
        tuple[float | Array, Params]
            The loss, a float or (lanes,), inf or NaN on overflow, without a warning; the gradient, a tree like params.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit; the message says what would.
        """
        loss, grads, _, _ = self._pass(params, x, y, lanes, seed)
        return loss, grads

    def loss_grad_and_statistics(
        self, params: Params, statistics: Params, x: npt.ArrayLike, y: npt.ArrayLike, *,
        lanes: int | None = None, seed: Seeds | None = None,
    ) -> tuple[Any, Params, Params]:  # fmt: skip
        """`loss_and_grad`, and the statistics after this batch, for a training loop of your own around a BatchNorm.

        statistics: those after the batch before; the first are `init_statistics`. Nothing handed in is changed.
        """
        loss, grads, tree, caches = self._pass(params, x, y, lanes, seed)
        kept = checks.statistics_of(statistics, self._known().statistics, tree, lanes)
        return loss, grads, _left(forward_backward.tracked(self.layers, kept, caches), lanes)

    def population(
        self, params: Params, x: npt.ArrayLike, *, lanes: int | None = None, batch_size: int = 1024, seed: Seeds | None = None
    ) -> Params:
        """The statistics of a network with BatchNorm at these parameters: means over batches of x (algorithm 2 of the paper).

        For parameters that were averaged, or trained in a loop that keeps no running averages.

        Parameters
        ----------
        params, x : Params, npt.ArrayLike
            As in the call.
        lanes : int | None
            As in the call.
        batch_size : int
            Samples at a time, at most; the batches are of one size, or differ by one sample.
        seed : Seeds | None
            For layers that draw (Dropout), as in `loss_and_grad`.
        """
        tree, xs, _ = self.enter(params, x, lanes)
        uniform = checks.no_draw if seed is None else draw_of(seed, lanes)
        kept = checks.statistics_of(self.init_statistics(lanes), self._known().statistics, tree, lanes)
        done = 0
        with np.errstate(all="ignore"):
            for part in np.array_split(xs, ceil(xs.shape[1] / batch_size), axis=1) if kept else ():
                done += part.shape[1]
                _, caches = forward_backward.forward(self.layers, tree, part, uniform)
                kept = forward_backward.tracked(self.layers, kept, caches, part.shape[1] / done)
        return _left(kept, lanes)

    def _pass(
        self, params: Params, x: npt.ArrayLike, y: npt.ArrayLike, lanes: int | None, seed: Seeds | None
    ) -> tuple[Any, Params, Params, list[Any]]:
        """A training pass: loss, gradients, parameters with a lane axis, and caches."""
        tree, xs, shared = self.enter(params, x, lanes)
        ys = checks.targets(y, xs.shape[1], lanes, shared)
        uniform = checks.no_draw if seed is None else draw_of(seed, lanes)
        with np.errstate(all="ignore"):
            z, caches = forward_backward.forward(self.layers, tree, xs, uniform)
            loss, dz = self.loss.value_and_grad(z, self.loss.targets(z, ys))
            grads = forward_backward.backward(self.layers, tree, caches, dz)
            for penalty, name, key in forward_backward.penalised(self.penalties, tree):
                loss = loss + penalty.value(tree[name][key])
                grads[name][key] += penalty.grad(tree[name][key])
        return float(loss[0]) if lanes is None else checks.for_each(loss, lanes), _left(grads, lanes), tree, caches

    def enter(self, params: Params, x: npt.ArrayLike, lanes: int | None) -> tuple[Params, Array, bool]:
        """Check params and x, add the lane axis, and tell whether all lanes share x."""
        plan = self._known()
        tree = checks.tree_of(params, plan.shapes, lanes)
        dtype = next((leaf.dtype for own in tree.values() for leaf in own.values()), np.dtype(np.float64))
        return tree, *checks.samples(x, plan.input_shape, dtype, lanes)

    def _known(self) -> Plan:
        if self._plan is None:
            raise ValueError(
                "this network does not know its input shape yet: call net.init((64,), seed=0) first, or net.fit(x, y)"
            )
        return self._plan


def _left(tree: Params, lanes: int | None) -> Params:
    """The tree as it is handed out: without the axis of lanes where none were asked for."""
    return tree if lanes is not None else {name: {key: leaf[0] for key, leaf in own.items()} for name, own in tree.items()}
