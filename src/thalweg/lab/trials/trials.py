"""Run many trials of one rule as lanes of one program."""

from __future__ import annotations

import functools
import itertools
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from thalweg.core.optimizer import Optimizer
from thalweg.graph.cost import Cost
from thalweg.lab.data.problem import Floats, Params, Problem
from thalweg.lab.protocol import protocol, tune
from thalweg.lab.protocol.tune import Setting
from thalweg.lab.running.guard import in_a_line
from thalweg.lab.running.output_capture import annotate
from thalweg.lab.trials.configured import configured
from thalweg.lab.trials.lanes import NUMPY, LaneEngine
from thalweg.lab.trials.xla import prepare
from thalweg.numpy.inplace import InPlace
from thalweg.rule import Rule
from thalweg.values.trees import flatten

MEMORY = 1 << 29
"""Memory limit in bytes for parameters, gradients and state of one program's lanes."""
WORK = 2e9
"""Bytes that a rule may move in one program, which takes about a second; then its trials are stored."""
SECONDS = 20.0
"""Seconds for the gradients of one program, assuming that each lane takes as long as one alone (an upper bound)."""


@dataclass
class Trial:
    """One run: its setting, its curves at `protocol.evaluated_at` and its results. Curves may contain inf and NaN.

    A run has diverged if a loss is not finite, or if both training and validation loss end above their start. One of them
    is not enough: the training loss is noisy on mini-batches, and the validation loss rises with overfitting.

    failure: why there is no result, which is the rule's own affair. error: what a training function raised in this run, which
    may be this setting's; such a run counts as diverged. stopped: the step at which it was stopped early; None if it ran whole.
    """

    lr: float
    seed: int
    hyper: dict[str, float] = field(default_factory=dict)
    schedule: str = "constant"
    loss_curve: list[float] = field(default_factory=list)
    score_curve: list[float] = field(default_factory=list)
    train_curve: list[float] = field(default_factory=list)
    test_loss: float | None = None
    test_score: float | None = None
    diverged: bool = False
    failure: str | None = None
    error: str | None = None
    stopped: float | None = None

    @property
    def setting(self) -> Setting:
        """The setting of the run."""
        return Setting(self.lr, tuple(self.hyper.items()), self.schedule)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def run(
    problem: Problem,
    rule: Rule,
    given: Sequence[tuple[Setting, int]],
    *,
    steps: int,
    batch_size: int,
    judge: bool,
    lanes: LaneEngine = NUMPY,
) -> list[Trial]:
    """Run a trial for each (setting, seed) as lanes of one program. All settings name the same hyper-parameters.

    judge: whether to evaluate on test data. lanes: the engine from `lanes.engine_for`. If the rule raises, the trials record
    the failure.
    """

    def begun() -> list[Trial]:
        return [Trial(own.lr, seed, dict(own.hyper), own.schedule) for own, seed in given]

    trials = begun()
    try:
        with np.errstate(all="ignore"):
            if lanes.chunk is not None:
                shipped = _run_in_jax(problem, rule, trials, steps, batch_size, lanes.chunk)
            else:
                shipped = _run_lanes(problem, rule, trials, steps, batch_size)
            _end(problem, trials, shipped, judge)
    except (Exception, SystemExit) as error:  # a user's rule may raise anything; its failure is a result
        trials = begun()
        for trial in trials:
            trial.diverged, trial.failure = True, annotate(in_a_line(error))
    return trials


@functools.cache
def usual_cost(rule: Rule) -> Cost:
    """The cost of a step of an untuned rule, from its graph. Cached."""
    return rule.cost()


def at_once(problem: Problem, rule: Rule, steps: int) -> int:
    """The number of trials of a rule in one program. It does not affect results: lanes equal runs to the last bit.

    As many as fit into memory and take a few seconds; timing may affect it, since no result depends on it.
    """
    leaves, cost = flatten(problem.init([0]))[1], usual_cost(rule)
    memory = sum(leaf.nbytes for leaf in leaves) * (4 + cost.state_per_parameter)
    moved = sum(leaf.size for leaf in leaves) * cost.bytes_moved * steps
    seconds = steps * gradient_seconds(problem)
    return max(1, int(min(MEMORY / memory, WORK / moved, SECONDS / seconds)))


_gradients: dict[str, float] = {}


def know_gradient(problem: Problem, seconds: float) -> None:
    """Set the seconds of one lane's gradient, measured in another process."""
    _gradients[f"{problem.name} {problem.fingerprint}"] = seconds


def gradient_seconds(problem: Problem) -> float:
    """The seconds of one lane's gradient: the minimum of a few timings."""
    key = f"{problem.name} {problem.fingerprint}"
    if key not in _gradients:
        taken = []
        with np.errstate(all="ignore"), suppress(Exception):  # a user's problem may raise; its trials record that
            params, draws = problem.init([0]), problem.draws([0], problem.batch_size)
            for _ in range(4):
                begun = time.perf_counter()
                problem.loss_and_grad(params, next(draws))
                taken.append(time.perf_counter() - begun)
        _gradients[key] = min(taken, default=1e-9)
    return _gradients[key]


def _run_in_jax(problem: Problem, rule: Rule, trials: list[Trial], steps: int, batch_size: int, chunk: int) -> Params:
    """Train and evaluate in JAX. Returns the parameters to judge."""
    prepare()
    from thalweg.lab.trials import jax_engine  # imports JAX, which is optional

    rate = tune.rate([trial.setting for trial in trials], steps)
    rates = np.stack([rate(t) for t in range(1, steps + 1)]) if callable(rate) else np.tile(rate, (steps, 1))
    hyper = {name: np.array([trial.hyper[name] for trial in trials]) for name in trials[0].hyper}
    lanes = jax_engine.Lanes(rates, hyper, [trial.seed for trial in trials])
    at = protocol.evaluated_at(steps)
    found = jax_engine.run(problem, rule, lanes, at, batch_size, chunk)
    for i, trial in enumerate(trials):
        losses = found.training[:, i].astype(np.float64)
        trial.loss_curve, trial.score_curve = found.loss[:, i].tolist(), found.score[:, i].tolist()
        trial.train_curve = [float(losses[0]), *(float(losses[a:b].mean()) for a, b in itertools.pairwise(at))]
    return found.shipped


def _run_lanes(problem: Problem, rule: Rule, trials: list[Trial], steps: int, batch_size: int) -> Params:
    """Train and evaluate in NumPy. Returns the parameters to judge."""
    seeds = [trial.seed for trial in trials]
    hyper = {name: np.array([trial.hyper[name] for trial in trials]) for name in trials[0].hyper}
    rates = tune.rate([trial.setting for trial in trials], steps)
    optimizer = Optimizer(configured(rule, problem, **hyper), lr=rates, seed=np.array(seeds), lanes=len(trials))
    params = problem.init(seeds)
    bound = InPlace(optimizer, params)
    draws = problem.draws(seeds, batch_size)
    at = set(protocol.evaluated_at(steps))
    training = _Mean(len(trials))
    _evaluate(problem, params, trials, training)
    for step in range(1, steps + 1):
        ask = functools.partial(problem.loss_and_grad, draw=next(draws))
        loss, grads = ask(params)
        training.add(loss)
        if step == 1:
            for trial, value in zip(trials, loss.tolist(), strict=True):
                trial.train_curve[0] = value
        bound.step(grads, **optimizer.needs(loss, ask))
        if step in at:
            _evaluate(problem, bound.ship(), trials, training)
    return bound.ship()


def _end(problem: Problem, trials: list[Trial], shipped: Params, judge: bool) -> None:
    """Set the trials' results from their curves."""
    for trial in trials:
        worse = all(curve[-1] > curve[0] for curve in (trial.train_curve, trial.loss_curve))
        trial.diverged = worse or not np.isfinite(trial.train_curve + trial.loss_curve).all()
    if judge:
        losses, scores = problem.test(shipped, [trial.seed for trial in trials])
        for trial, loss, score in zip(trials, losses.tolist(), scores.tolist(), strict=True):
            trial.test_loss, trial.test_score = loss, score


class _Mean:
    """The mean of each lane's training loss since the last query."""

    def __init__(self, lanes: int) -> None:
        self.total, self.count = np.zeros(lanes), 0

    def add(self, loss: Floats) -> None:
        self.total, self.count = self.total + loss, self.count + 1

    def take(self) -> list[float]:
        mean = self.total / self.count if self.count else np.full_like(self.total, np.nan)
        self.total, self.count = np.zeros_like(self.total), 0
        values: list[float] = mean.tolist()
        return values


def _evaluate(problem: Problem, params: Params, trials: list[Trial], training: _Mean) -> None:
    losses, scores = problem.validate(params, [trial.seed for trial in trials])
    for trial, loss, score, train in zip(trials, losses.tolist(), scores.tolist(), training.take(), strict=True):
        trial.loss_curve.append(loss)
        trial.score_curve.append(score)
        trial.train_curve.append(train)
