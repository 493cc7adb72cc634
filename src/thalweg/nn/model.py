"""Networks: layers, a loss, and pure functions of a tree of parameters."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from thalweg.core.checks import as_array
from thalweg.nn import checks, files, forward_backward, training
from thalweg.nn.arrays import Array, Params, Seeds, Shape, draw_of
from thalweg.nn.history import History
from thalweg.nn.layers.layer import Layer, Trainable
from thalweg.nn.losses.loss import Loss
from thalweg.nn.losses.metrics import Metrics, by_name, several
from thalweg.nn.penalties import Penalty, as_penalties
from thalweg.nn.plan import Plan, draw


class Model:
    """A sequential network: layers and a loss.

    `init`, the call and `loss_and_grad` are pure functions of a tree of parameters {"0": {"w": ..., "b": ...}, ...}, keyed
    by the layer's index; layers without parameters are omitted. Each takes `lanes=T` for T independent runs at once: every
    parameter then has a leading axis of T, and x is shared, (batch, ...), or has one batch per lane, (T, batch, ...). Lane
    i equals the separate run i. Parameters are float32 or float64; x, y and all results have the same dtype. `fit` trains,
    and stores the result in `params` for `predict`, `evaluate` and `save`.

    Parameters
    ----------
    layers : Iterable[Layer]
        `Layer` objects, in order. `init` infers the input sizes.
    loss : Loss
        A `Loss`, for example CrossEntropy().
    penalty : Penalty | tuple[Penalty, ...]
        Penalty of every layer without one of its own. Every reported loss includes it.
    input_shape : Shape | int | None
        Shape of one sample. None: given to `init`, or inferred by `fit`.

    Raises
    ------
    TypeError
        If an element of `layers` is not a `Layer`.
    ValueError
        If there are no layers, or a loss of logits follows a layer that outputs probabilities.

    Examples
    --------
    >>> import numpy as np
    >>> from thalweg import nn
    >>> x, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])
    >>> net = nn.Model([nn.Linear(16), nn.Tanh(), nn.Linear(2)], nn.CrossEntropy())
    >>> history = net.fit(x, y, optimizer="adam", lr=0.05, epochs=100)
    >>> net.evaluate(x, y, metrics="accuracy")["accuracy"]
    1.0
    """

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
        self.params: Params | None = None
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

    def __call__(self, params: Params, x: npt.ArrayLike, *, lanes: int | None = None) -> Array:
        """The outputs at prediction (no dropout): (batch, ...), or (lanes, batch, ...).

        Parameters
        ----------
        params : Params
            From `init`.
        x : npt.ArrayLike
            (batch, ...), or with lanes also (lanes, batch, ...).
        lanes : int | None
            Number of lanes. None: params have no lane axis.

        Raises
        ------
        ValueError, TypeError
            If params or x do not fit; the message says what would.
        """
        tree, xs, _ = self.enter(params, x, lanes)
        with np.errstate(all="ignore"):
            z = forward_backward.predict(self.layers, tree, xs)
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
        if lanes is None:
            return float(loss[0]), {name: {key: g[0] for key, g in own.items()} for name, own in grads.items()}
        return checks.for_each(loss, lanes), grads

    def predict(
        self, x: npt.ArrayLike, *, params: Params | None = None, lanes: int | None = None, batch_size: int = 1024
    ) -> Array:
        """The outputs at prediction, computed `batch_size` samples at a time.

        Parameters
        ----------
        x : npt.ArrayLike
            Samples.
        params : Params | None
            None: those stored by `fit` or read by `load`.
        lanes : int | None
            As in the call.
        batch_size : int
            Samples at a time.

        Raises
        ------
        ValueError, TypeError
            As the call, and if there are no parameters yet.
        """
        params = self._kept() if params is None else params
        _, xs, shared = self.enter(params, x, lanes)
        parts = [xs[:, i : i + batch_size] for i in range(0, xs.shape[1], batch_size)]
        return np.concatenate(
            [self(params, part[0] if shared else part, lanes=lanes) for part in parts], axis=0 if lanes is None else 1
        )

    def evaluate(
        self,
        x: npt.ArrayLike,
        y: npt.ArrayLike,
        *,
        metrics: Metrics = (),
        params: Params | None = None,
        lanes: int | None = None,
        batch_size: int = 1024,
    ) -> dict[str, Any]:
        """{"loss": ..., "accuracy": ...} at prediction (no dropout): floats, or arrays (lanes,).

        Parameters
        ----------
        x : npt.ArrayLike
            Samples.
        y : npt.ArrayLike
            Targets.
        metrics : Metrics
            Names ("accuracy", "error_rate", "mse", "r2") or functions (outputs, targets) -> number, called once per lane.
        params : Params | None
            None: those stored by `fit` or read by `load`.
        lanes : int | None
            As in the call.
        batch_size : int
            Samples at a time.
        """
        params = self._kept() if params is None else params
        tree, xs, shared = self.enter(params, x, lanes)
        outputs = self.predict(x, params=params, lanes=lanes, batch_size=batch_size)
        z = outputs[None] if lanes is None else outputs
        ys = checks.targets(y, xs.shape[1], lanes, shared)
        with np.errstate(all="ignore"):
            loss = self.loss.value(z, self.loss.targets(z, ys))
            for penalty, name, key in forward_backward.penalised(self.penalties, tree):
                loss = loss + penalty.value(tree[name][key])
            found = {"loss": loss}
            for name, metric in by_name(metrics, self.loss.threshold).items():
                found[name] = np.array([metric(one, ys[0 if shared else i]) for i, one in enumerate(z)])
        return {name: float(v[0]) for name, v in found.items()} if lanes is None else found

    def fit(
        self, x: npt.ArrayLike, y: npt.ArrayLike, optimizer: Any = "adam", *,
        lr: Any = None, epochs: int = 1, batch_size: int | None = 32,
        validation: tuple[npt.ArrayLike, npt.ArrayLike] | float | None = None, metrics: Metrics = (), seed: int = 0,
        tolerance: float | None = None, progress: bool = True, params: Params | None = None, resume: History | None = None,
    ) -> History:  # fmt: skip
        """Train, and store the result in `self.params`. Two calls with the same arguments give the same result.

        Parameters
        ----------
        x, y : npt.ArrayLike
            Samples (n, *input_shape), and targets in a form that the loss takes.
        optimizer : str | Rule | Optimizer
            A rule's name, a rule (tw.adam(beta1=0.95)) or a tw.Optimizer.
        lr : float | Schedule | None
            Learning rate, with a name or a rule. None: the rule's default.
        epochs, batch_size : int, int | None
            Passes over the data, after those of `resume`; samples per update (the last may be fewer). None: all samples.
        validation : tuple[npt.ArrayLike, npt.ArrayLike] | float | None
            A pair (x, y), or the fraction of the samples to hold out, chosen by the seed.
        metrics : Metrics
            Evaluated after each epoch, without dropout, on training and validation data.
        seed : int
            Determines the start, the shuffling of each epoch, the dropout masks and the rule's own random numbers.
        tolerance, progress : float | None, bool
            Stop if an epoch changes the training loss by less than this; show a progress bar on a terminal after 2 seconds.
        params, resume : Params | None, History | None
            Initial parameters (None: drawn in float64); or the History of an earlier fit of the same data, to continue it.

        Returns
        -------
        History
            Its training loss is the mean over an epoch's samples at their updates, with dropout and penalties.
        """
        loop = training.Loop(self, training.optimizer_of(optimizer, lr, seed), batch_size, several(metrics), seed)
        history = loop.run((as_array("x", x), as_array("y", y)), validation, epochs, tolerance, progress, params, resume)
        self.params = history.params
        return history

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network and its stored parameters to one .npz file, without pickle. `nn.load` reads it."""
        files.save(self, self._kept(), path)

    def summary(self) -> str:
        """A table: layer, output shape, number of parameters. Raises ValueError if the input shape is unknown."""
        return self._known().table(self.layers)

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

    def _kept(self) -> Params:
        if self.params is None:
            raise ValueError("this network keeps no parameters yet: call net.fit(x, y) first, or pass params=net.init(...)")
        return self.params


def load(path: str | os.PathLike[str]) -> Model:
    """Load a network written by `Model.save`, with its parameters in `params`.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If `Model.save` did not write the file, or a later version did.
    """
    saved = files.read(path)
    model = Model(saved.layers, saved.loss, penalty=saved.penalty, input_shape=saved.input_shape)
    model.params = saved.params
    return model
