"""Networks that train, store what they learned, predict and are saved."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt

from thalweg.core.checks import as_array
from thalweg.nn import checks, files, forward_backward, training
from thalweg.nn.arrays import Array, Params
from thalweg.nn.history import History
from thalweg.nn.losses.metrics import Metrics, by_name, several
from thalweg.nn.network import Network


class Model(Network):
    """A sequential network: layers and a loss.

    `init`, the call and `loss_and_grad` are pure functions of a tree of parameters {"0": {"w": ..., "b": ...}, ...}, keyed
    by the layer's index; layers without parameters are omitted. Each takes `lanes=T` for T independent runs at once: every
    parameter then has a leading axis of T, and x is shared, (batch, ...), or has one batch per lane, (T, batch, ...). Lane
    i equals the separate run i. Parameters are float32 or float64; x, y and all results have the same dtype. `fit` trains,
    and stores the result in `params` for `predict`, `evaluate` and `save`.

    A network with BatchNorm has statistics of the population besides parameters, a tree of the same form: `fit` stores them
    in `statistics`. Where you pass `params` to predict with, pass the `statistics` that belong to them.

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

    params: Params | None = None
    statistics: Params = {}  # noqa: RUF012 - replaced as a whole, never changed

    def predict(
        self, x: npt.ArrayLike, *, params: Params | None = None, lanes: int | None = None, batch_size: int = 1024,
        statistics: Params | None = None,
    ) -> Array:  # fmt: skip
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
        statistics : Params | None
            Of a network with BatchNorm, with params.

        Raises
        ------
        ValueError, TypeError
            As the call, and if there are no parameters yet.
        """
        params, statistics = self._stored(params, statistics)
        _, xs, shared = self.enter(params, x, lanes)
        parts = [xs[:, i : i + batch_size] for i in range(0, xs.shape[1], batch_size)]
        return np.concatenate(
            [self(params, part[0] if shared else part, lanes=lanes, statistics=statistics) for part in parts],
            axis=0 if lanes is None else 1,
        )

    def evaluate(
        self, x: npt.ArrayLike, y: npt.ArrayLike, *, metrics: Metrics = (), params: Params | None = None,
        lanes: int | None = None, batch_size: int = 1024, statistics: Params | None = None,
    ) -> dict[str, Any]:  # fmt: skip
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
        statistics : Params | None
            Of a network with BatchNorm, with params.
        """
        params, statistics = self._stored(params, statistics)
        tree, xs, shared = self.enter(params, x, lanes)
        outputs = self.predict(x, params=params, lanes=lanes, batch_size=batch_size, statistics=statistics)
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
        """Train, and store the result in `params` and `statistics`. Two calls with the same arguments give the same result.

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
        self.params, self.statistics = history.params, history.statistics
        return history

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network with its stored parameters and statistics to one .npz file, without pickle. `nn.load` reads it."""
        files.save(self, self._kept(), self.statistics, path)

    def summary(self) -> str:
        """A table: layer, output shape, number of parameters. Raises ValueError if the input shape is unknown."""
        return self._known().table(self.layers)

    def _stored(self, params: Params | None, statistics: Params | None) -> tuple[Params, Params | None]:
        """Params and statistics to predict with: those handed in, or both stored ones."""
        return (self._kept(), self.statistics) if params is None else (params, statistics)

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
    model.params, model.statistics = saved.params, saved.statistics
    return model
