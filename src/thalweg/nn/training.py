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
    def init_statistics(self) -> Params: ...
    def loss_grad_and_statistics(
        self, params: Params, statistics: Params, x: npt.ArrayLike, y: npt.ArrayLike, *, seed: Seeds | None = None
    ) -> tuple[Any, Params, Params]: ...
    def population(self, params: Params, x: npt.ArrayLike, *, batch_size: int = 1024, seed: Seeds | None = None) -> Params: ...
    def evaluate(
        self, x: npt.ArrayLike, y: npt.ArrayLike, *, metrics: Metrics = (), params: Params | None = None,
        statistics: Params | None = None,
    ) -> dict[str, Any]: ...  # fmt: skip


@dataclass(frozen=True)
class Walk:
    """Where training is: the parameters, the optimizer's state, and the statistics of BatchNorm."""

    params: Params
    state: Any
    statistics: Params


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

    def epoch(self, walk: Walk, data: Data, number: int) -> tuple[Walk, float]:
        """One pass over the data. Returns where it ends, and the mean loss over the samples.

        The optimizer calls the gradient function itself, so methods with several gradients per step (SAM, L-BFGS) work too.
        """
        x, y = data
        total = 0.0
        for at, seed in batches(len(x), self.batch_size, self.seed, number):
            part = x[at], y[at]
            asked: list[tuple[float, Params]] = []
            ask = self._gradients(*part, seed, walk.statistics, asked)
            params, state = self.optimizer.step(walk.params, None, walk.state, grad_fn=ask)
            loss, statistics = asked[0]
            walk = Walk(params, state, statistics)
            total += loss * len(part[0])
        return walk, total / len(x)

    def _gradients(self, x: Array, y: Array, seed: int, statistics: Params, asked: list[tuple[float, Params]]) -> GradFn:
        """A function params -> (loss, gradients) of one batch, with fixed masks. Appends each loss and the statistics after."""

        def ask(params: Params) -> tuple[float, Params]:
            loss, grads, after = self.network.loss_grad_and_statistics(params, statistics, x, y, seed=seed)
            asked.append((loss, after))
            return loss, grads

        return ask

    def shipped(self, walk: Walk, data: Data) -> tuple[Params, Params]:
        """The parameters to use and their statistics: of an average of parameters those of a pass over the data."""
        params = self.optimizer.ship(walk.params, walk.state)
        if params is walk.params or not walk.statistics:
            return params, walk.statistics
        return params, self.network.population(params, data[0], batch_size=self.batch_size or len(data[0]), seed=self.seed)

    def report(self, kept: tuple[Params, Params], loss: float, data: Data, held: Data | None) -> dict[str, float]:
        """The values that an epoch adds to the curves."""
        found = {"loss": loss}
        if self.metrics:
            found |= {name: v for name, v in self._evaluate(kept, data).items() if name != "loss"}
        if held is not None:
            found |= {f"val_{name}": v for name, v in self._evaluate(kept, held).items()}
        return found

    def _evaluate(self, kept: tuple[Params, Params], data: Data) -> dict[str, float]:
        params, statistics = kept
        return self.network.evaluate(*data, metrics=self.metrics, params=params, statistics=statistics)

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
        walk = self._begun(walked, resume)
        kept = walked, walk.statistics
        self._fail_early(kept, data, held)
        curves = {} if resume is None else {name: list(curve) for name, curve in resume.curves.items()}
        before = len(curves.get("loss", []))
        with Progress(epochs, progress) as bar:
            for number in range(before, before + epochs):
                walk, loss = self.epoch(walk, data, number)
                kept = self.shipped(walk, data)
                for name, value in self.report(kept, loss, data, held).items():
                    curves.setdefault(name, []).append(value)
                bar.update(number - before + 1, loss)
                past = curves["loss"][-2:]
                if tolerance is not None and len(past) == 2 and abs(past[1] - past[0]) < tolerance:
                    break
        return History(curves, kept[0], walk.params, walk.state, kept[1])

    def _begun(self, params: Params, resume: History | None) -> Walk:
        """Where training begins."""
        if resume is not None:
            return Walk(params, resume.state, resume.statistics)
        return Walk(params, self.optimizer.init(params), self.network.init_statistics())

    def _fail_early(self, kept: tuple[Params, Params], data: Data, held: Data | None) -> None:
        """Raises before the first epoch what its end would: for validation data that do not fit, or a last batch of one."""
        if held is not None:
            self._evaluate(kept, held)
        params, statistics = kept
        n = len(data[0])
        if statistics and self.batch_size is not None and (self.batch_size == 1 or n % self.batch_size == 1):
            self.network.loss_grad_and_statistics(params, statistics, data[0][:1], data[1][:1], seed=self.seed)

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
