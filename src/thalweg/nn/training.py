"""The training loop behind `Model.fit`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from thalweg.core.checks import as_array
from thalweg.core.optimizer import GradFn, Optimizer
from thalweg.methods import rules
from thalweg.nn import checks
from thalweg.nn.arrays import Array, Params, Seeds, Shape, positive
from thalweg.nn.history import History
from thalweg.nn.losses.metrics import Metrics
from thalweg.nn.progress import Progress

Data = tuple[Array, Array]
SPLIT, EPOCH = 0, 1  # indices of a seed's streams of random numbers


class Network(Protocol):
    """The part of `Model` that the training loop uses."""

    @property
    def input_shape(self) -> Shape | None: ...
    def init(self, input_shape: Shape | int | None = None, seed: Seeds = 0) -> Params: ...
    def enter(self, params: Params, x: npt.ArrayLike, lanes: int | None) -> tuple[Params, Array, bool]: ...
    def loss_and_grad(
        self, params: Params, x: npt.ArrayLike, y: npt.ArrayLike, *, seed: Seeds | None = None
    ) -> tuple[Any, Params]: ...
    def evaluate(
        self, x: npt.ArrayLike, y: npt.ArrayLike, *, metrics: Metrics = (), params: Params | None = None
    ) -> dict[str, Any]: ...


def optimizer_of(optimizer: Any, lr: Any, seed: int) -> Optimizer:
    """An Optimizer from a name, a rule or an Optimizer. Raises ValueError for one with lanes, or for lr= with an Optimizer."""
    if not isinstance(seed, int | np.integer):
        raise TypeError(f"seed={seed!r}: fit draws from several streams of one seed, which must be an integer")
    if isinstance(optimizer, Optimizer):
        if optimizer.lanes is not None:
            raise ValueError(
                "fit trains one network: give it a tw.Optimizer without lanes=, or loop over loss_and_grad(..., lanes=)"
            )
        if lr is not None:
            raise ValueError(f"lr={lr!r} beside a ready tw.Optimizer: write tw.Optimizer(rule, lr={lr!r}), or give fit the rule")
        return optimizer
    rule = rules[optimizer]() if isinstance(optimizer, str) else optimizer
    return Optimizer(rule, lr=lr, seed=seed)


def stream(seed: int, *purpose: int) -> np.random.Generator:
    """A generator independent of those for other purposes, so that epoch 7 is the same after a resume."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=purpose))


def split(data: Data, validation: Any, seed: int) -> tuple[Data, Data | None]:
    """Training and validation data, the latter from a pair (x, y) or as a fraction chosen by the seed."""
    if validation is None:
        return data, None
    if isinstance(validation, tuple):
        x, y = validation
        return data, (as_array("validation's x", x), as_array("validation's y", y))
    x, y = data
    aside = round(len(x) * validation) if isinstance(validation, float) and 0 < validation < 1 else 0
    if not 0 < aside < len(x):
        raise ValueError(
            f"validation={validation!r} of {len(x)} samples: want a pair (x, y), or a fraction between 0 and 1 that "
            "leaves both sides some"
        )
    order = stream(seed, SPLIT).permutation(len(x))
    held, kept = order[:aside], order[aside:]
    return (x[kept], y[kept]), (x[held], y[held])


def batches(n: int, size: int | None, seed: int, epoch: int) -> Iterator[tuple[Any, int]]:
    """The batches of one epoch, newly shuffled: (sample indices, a seed for the masks). The last may be smaller.

    A single batch of all samples is not shuffled.
    """
    rng = stream(seed, EPOCH, epoch)
    if size is None or size >= n:
        yield slice(None), int(rng.integers(2**62))
        return
    order = rng.permutation(n)
    for start in range(0, n, size):
        yield order[start : start + size], int(rng.integers(2**62))


@dataclass(frozen=True)
class Loop:
    """The parts of a training loop that are constant over the epochs."""

    network: Network
    optimizer: Optimizer
    batch_size: int | None
    metrics: Metrics
    seed: int

    def epoch(self, params: Params, state: Any, data: Data, number: int) -> tuple[Params, Any, float]:
        """One pass over the data. Returns the new params, the new state and the mean loss over the samples.

        The optimizer calls the gradient function itself, so methods with several gradients per step (SAM, L-BFGS) work too.
        """
        x, y = data
        total = 0.0
        for at, seed in batches(len(x), self.batch_size, self.seed, number):
            part = x[at], y[at]
            losses: list[float] = []
            params, state = self.optimizer.step(params, None, state, grad_fn=self._gradients(*part, seed, losses))
            total += losses[0] * len(part[0])
        return params, state, total / len(x)

    def _gradients(self, x: Array, y: Array, seed: int, losses: list[float]) -> GradFn:
        """A function params -> (loss, gradients) of one batch, with fixed masks. Appends each loss to `losses`."""

        def ask(params: Params) -> tuple[float, Params]:
            loss, grads = self.network.loss_and_grad(params, x, y, seed=seed)
            losses.append(loss)
            return loss, grads

        return ask

    def report(self, params: Params, loss: float, data: Data, held: Data | None) -> dict[str, float]:
        """The values that an epoch adds to the curves."""
        found = {"loss": loss}
        if self.metrics:
            found |= {name: v for name, v in self._evaluate(params, data).items() if name != "loss"}
        if held is not None:
            found |= {f"val_{name}": v for name, v in self._evaluate(params, held).items()}
        return found

    def _evaluate(self, params: Params, data: Data) -> dict[str, float]:
        return self.network.evaluate(*data, metrics=self.metrics, params=params)

    def run(
        self,
        data: Data,
        validation: Any,
        epochs: int,
        tolerance: float | None,
        progress: bool,
        params: Params | None,
        resume: History | None,
    ) -> History:
        """Run `epochs` epochs, or fewer if the loss changes by less than `tolerance`."""
        self._check(epochs)
        walked, data = self._start(data, params, resume)
        data, held = split(data, validation, self.seed)
        if held is not None:
            self._evaluate(walked, held)  # fail before the first epoch
        state = self.optimizer.init(walked) if resume is None else resume.state
        curves = {} if resume is None else {name: list(curve) for name, curve in resume.curves.items()}
        kept = walked
        before = len(curves.get("loss", []))
        with Progress(epochs, progress) as bar:
            for number in range(before, before + epochs):
                walked, state, loss = self.epoch(walked, state, data, number)
                kept = self.optimizer.ship(walked, state)
                for name, value in self.report(kept, loss, data, held).items():
                    curves.setdefault(name, []).append(value)
                bar.update(number - before + 1, loss)
                past = curves["loss"][-2:]
                if tolerance is not None and len(past) == 2 and abs(past[1] - past[0]) < tolerance:
                    break
        return History(curves, kept, walked, state)

    def _check(self, epochs: int) -> None:
        positive(epochs, "epochs")
        if self.batch_size is not None:
            positive(self.batch_size, "batch_size")

    def _start(self, data: Data, params: Params | None, resume: History | None) -> tuple[Params, Data]:
        """The initial parameters, and the data in their dtype, both checked."""
        if params is not None and resume is not None:
            raise ValueError("params= and resume= both say where to start: give one")
        x, y = data
        if self.network.input_shape is None:
            self.network.init(x.shape[1:])
        if resume is not None:
            params = resume.walked
        elif params is None:
            params = self.network.init(seed=self.seed)
        _, samples, _ = self.network.enter(params, x, None)
        return params, (samples[0], checks.targets(y, len(x), None, shared=True)[0])
