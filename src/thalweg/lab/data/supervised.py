"""The problem of training a network on data: split, standardised, in mini-batches, with many lanes at once."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Sequence
from math import prod
from typing import Any, final

import numpy as np

from thalweg import nn
from thalweg.lab.data.inputs import Inputs
from thalweg.lab.data.parts import Array, DataSet, Part, digest, split, standardised
from thalweg.lab.data.problem import Floats, Params
from thalweg.lab.data.task import CLASSES, VALUES, Task
from thalweg.lab.data.treatment import Preparation
from thalweg.nn import functional
from thalweg.nn.losses.metrics import AS_ARRAYS

HIDDEN = 32
BATCH = 64
STEPS, STEPS_OF_LARGE, LARGE = 500, 100, 100_000
"""Default steps of a trial, and of one with more than LARGE parameters."""
JUDGED = 1 << 18
"""Largest size of a layer's output in evaluation, in float32 numbers: 1 MiB stays in the cache."""
TRAINED = 1 << 18
"""The same in training, where a step keeps the outputs of all layers, some tens of such arrays."""


@final
class Supervised:
    """A network on data in three parts: training, validation (for tuning) and test (for judging). See `Problem`.

    Parameters, data and losses are float32. preparation: what was done with a file of the user's, if the data come from one.

    Parameters
    ----------
    name : str
        Its name on the command line.
    about : str
        A description for the reader, in a few sentences.
    train : Part
        Training data.
    validation : Part
        Validation data, for tuning.
    test : Part
        Test data, for judging.
    layers : Sequence[nn.Layer]
        The network's layers.
    fingerprint : str
        Hash of data and network, if the parts are derived from other data. "": computed here.
    task : Task | None
        None: integer targets are class numbers, with cross-entropy and accuracy; others are values, with mean squared error and
        R².
    steps : int | None
        Default steps of a trial. None: 500, or 100 for a network with more than 100,000 parameters.
    batch_size : int
        Default batch size, at most the size of the training part.
    """

    def __init__(
        self,
        name: str,
        about: str,
        train: Part,
        validation: Part,
        test: Part,
        layers: Sequence[nn.Layer],
        fingerprint: str = "",
        *,
        task: Task | None = None,
        steps: int | None = None,
        batch_size: int = BATCH,
    ) -> None:
        self.name, self.about = name, about
        self.preparation: Preparation | None = None
        self.train_part, self.validation_part, self.test_part = train, validation, test
        self.task = task or (CLASSES if train.y.dtype.kind == "i" else VALUES)
        self.score = self.task.score
        self.model = nn.Model(layers, self.task.loss, input_shape=train.x.shape[1:])
        if self.model.init_statistics():
            raise ValueError(
                f"{name}: the lab's own problems keep no statistics of batches; compare a BatchNorm in a loop of yours"
            )
        outputs = _outputs(layers, train.x.shape[1:])
        self._widest, self._outputs = max(map(prod, outputs)), outputs[-1]
        size = sum(leaf.size for own in self.model.init().values() for leaf in own.values())
        self.steps = steps or (STEPS if size <= LARGE else STEPS_OF_LARGE)
        self.train_size, self.test_size = len(train.x), len(test.x)
        self.batch_size = min(batch_size, self.train_size)
        arrays = [array for part in (train, validation, test) for array in (part.x, part.y)]
        self.fingerprint = fingerprint or digest(repr((layers, self.task.loss, self.score)), *arrays)

    def init(self, seeds: Sequence[int]) -> Params:
        """Each lane's initial parameters, drawn from its seed (He et al. 2015: variance 2 / inputs; biases 0)."""
        return self.model.init(seed=list(seeds), dtype=np.float32)

    def draws(self, seeds: Sequence[int], batch_size: int) -> Iterator[Array | None]:
        """For each step indices (T, batch_size) into the training part, or None if a batch holds all of it.

        A seed's epochs, each newly shuffled, are concatenated and cut into batches. So a batch may extend into the next
        epoch, but all batches have one size and all samples are used equally often, however small the data.
        """
        return itertools.repeat(None) if batch_size >= self.train_size else self._batches(seeds, batch_size)

    def _batches(self, seeds: Sequence[int], batch_size: int) -> Iterator[Array]:
        distinct, lane = np.unique(np.asarray(seeds), return_inverse=True)  # lanes with different learning rates share a seed
        generators = [np.random.default_rng([seed, 1]) for seed in distinct.tolist()]  # `init` draws from [seed]
        left = np.empty((len(distinct), 0), np.intp)
        while True:
            if left.shape[1] < batch_size:
                epoch = [generator.permutation(self.train_size) for generator in generators]
                left = np.concatenate([left, np.stack(epoch)], axis=1)
            yield left[lane, :batch_size]
            left = left[:, batch_size:]

    def loss_and_grad(self, params: Params, draw: Array | None) -> tuple[Floats, Params]:
        """The mean loss (T,) over each lane's batch, and its gradients."""
        part = self.train_part
        samples = len(part.x) if draw is None else draw.shape[1]
        losses, grads = [], []
        for lanes in _portions(params, max(1, TRAINED // (samples * self._widest))):
            x, y = (part.x, part.y) if draw is None else (part.x.take(draw[lanes], axis=0), part.y.take(draw[lanes], axis=0))
            some = _cut(params, lanes)
            loss, grad = self.model.loss_and_grad(some, x, y, lanes=_lanes(some))
            losses.append(loss)
            grads.append(grad)
        if len(losses) == 1:
            return losses[0], grads[0]
        joined = {name: {key: np.concatenate([grad[name][key] for grad in grads]) for key in own} for name, own in params.items()}
        return np.concatenate(losses), joined

    def validate(self, params: Params, seeds: Sequence[int] = ()) -> tuple[Floats, Floats]:
        """Mean loss and score (T,) over the whole validation part, the same for all seeds."""
        return self._judge(params, self.validation_part)

    def test(self, params: Params, seeds: Sequence[int] = ()) -> tuple[Floats, Floats]:
        """Mean loss and score (T,) over the whole test part, the same for all seeds."""
        return self._judge(params, self.test_part)

    # for engines that differentiate the loss; see `Differentiable`

    @property
    def traceable(self) -> bool:
        """Whether other frameworks can differentiate every layer and compute the score."""
        return functional.has_form(self.model) and self.task.metric in ("", *AS_ARRAYS)

    def batch(self, draw: Array | None) -> tuple[Array, Array]:
        """The batch of a draw: samples (T, batch_size, ...), for None (1, n, ...), and targets in the loss's form."""
        part = self.train_part
        return self._whole if draw is None else (part.x.take(draw, axis=0), self._targets(part.y.take(draw, axis=0)))

    @functools.cached_property
    def _whole(self) -> tuple[Array, Array]:
        return self.train_part.x[None], self._targets(self.train_part.y[None])

    def held_out(self, seeds: Sequence[int] = ()) -> tuple[Array, Array]:
        """The validation part, (1, n, ...), and its targets in the loss's form; the same for all seeds."""
        return self.validation_part.x[None], self._targets(self.validation_part.y[None])

    def _targets(self, y: Array) -> Array:
        """y (T, n, ...) in the loss's form, which needs only the outputs' shape."""
        outputs = np.broadcast_to(np.float32(0), (*y.shape[:2], *self._outputs))
        return self.model.loss.targets(outputs, y)

    def loss(self, params: Params, batch: tuple[Any, Any]) -> Any:
        """The mean loss (T,) over each lane's batch."""
        return functional.loss(self.model, params, *batch)

    def judge(self, params: Params, part: tuple[Any, Any]) -> tuple[Any, Any]:
        """Mean loss and score of one lane, (1,), over a part."""
        loss, outputs = functional.judged(self.model, params, *part)
        metric = self.task.metric
        return loss, AS_ARRAYS[metric](outputs[0], part[1][0])[None] if metric else self.task.of_loss(loss)

    def _judge(self, params: Params, part: Part) -> tuple[Floats, Floats]:
        metric = self.task.metric
        found = []
        for lanes in _portions(params, max(1, JUDGED // (len(part.x) * self._widest))):
            some = _cut(params, lanes)
            found.append(self.model.evaluate(part.x, part.y, metrics=metric or (), params=some, lanes=_lanes(some)))
        losses = np.concatenate([each["loss"] for each in found])
        return losses, np.concatenate([each[metric] for each in found]) if metric else self.task.of_loss(losses)


def _lanes(params: Params) -> int:
    return len(next(iter(next(iter(params.values())).values())))


def _portions(params: Params, at_once: int) -> list[slice]:
    """Slices of at most `at_once` lanes, which bound the size of layer outputs and change no number."""
    return [slice(start, start + at_once) for start in range(0, _lanes(params), at_once)]


def _cut(params: Params, lanes: slice) -> Params:
    return {name: {key: leaf[lanes] for key, leaf in own.items()} for name, own in params.items()}


def _outputs(layers: Sequence[nn.Layer], shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The output shape of each layer for one sample."""
    shapes = [shape]
    for layer in layers:
        shapes.append(layer.init(shapes[-1], np.random.default_rng(0))[1])
    return shapes[1:]


def supervised(name: str, about: str, x: Array | Inputs, y: Array, *, block: int = 0) -> Supervised:
    """The problem of learning y from x with one hidden layer of 32 ReLU units.

    Data are split 60/20/20 by a fixed seed for each block, stratified by class. Features and regression targets are
    standardised by the mean and standard deviation of the training part alone; a feature that is constant there becomes 0.

    Parameters
    ----------
    name : str
        Its name on the command line.
    about : str
        Description of the data; network and sizes are appended.
    x : Array | Inputs
        Numbers (n, features), finite, of any real dtype; or inputs with gaps and texts.
    y : Array
        Class numbers 0..k-1 in an integer dtype, each at least 5 times, or values (n,) in a float dtype.
    block : int
        The block of a comparison; each has a split of its own.
    """
    inputs = x if isinstance(x, Inputs) else Inputs(x)
    classes = y.dtype.kind == "i"
    rows = split(y if classes else np.zeros(len(y), np.intp), block)
    outputs = int(y.max()) + 1 if classes else 1
    layers = [nn.Linear(HIDDEN), nn.ReLU(), nn.Linear(outputs)]
    features = inputs.features(rows[0])
    targets = y.astype(np.int64) if classes else standardised(y[:, None], rows[0])
    train, validation, test = (Part(features[own], targets[own]) for own in rows)
    loss = "cross-entropy" if classes else "mean squared error"
    shape = f"{features.shape[1]}-{HIDDEN}-{outputs}"
    words = f"{about} Network: {shape}, ReLU, {loss}; {_sizes(rows)}. {_plain_guess(train.y, test.y)}"
    mark = digest(f"{layers!r}{inputs.treatment}", inputs.x, y, *rows)
    return Supervised(name, words, train, validation, test, layers, mark)


def parted(
    name: str,
    about: str,
    data: DataSet,
    layers: Sequence[nn.Layer],
    task: Task = CLASSES,
    *,
    steps: int | None = None,
    batch_size: int = BATCH,
    tune_on: int | None = None,
) -> Supervised:
    """The problem of learning the classes of a data set with any network: split and standardised as `supervised` does.

    tune_on: use only this many samples of the validation part, evenly spread. A trial evaluates them some fifty times, which
    with all of them may take longer than training.
    """
    x, y = data.x, data.y
    rows = split(y, data.block)
    if tune_on is not None:
        rows[1] = rows[1][np.linspace(0, len(rows[1]) - 1, tune_on).astype(int)]
    features = data.features(rows[0])
    train, validation, test = (Part(features[own], y[own].astype(np.int64)) for own in rows)
    words = f"{about} {_sizes(rows)}. {_plain_guess(train.y, test.y)}"
    mark = digest(repr((layers, task.loss, task.score, data.shape, data.alike)), x, y, *rows)
    return Supervised(name, words, train, validation, test, layers, mark, task=task, steps=steps, batch_size=batch_size)


def _sizes(rows: Sequence[Array]) -> str:
    return "{:,} samples to train on, {:,} to tune on, {:,} to judge on".format(*map(len, rows))


def _plain_guess(train: Array, test: Array) -> str:
    """The score of guessing, in words."""
    if train.dtype.kind != "i":
        return "Always saying the mean would score about 0."
    return f"Always saying the most frequent class would score {100 * np.mean(test == np.bincount(train).argmax()):.1f} %."
