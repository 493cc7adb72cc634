"""A problem of the user's own, from a Python file with a few functions.

'''What it is, in a sentence.'''
def init(rng): ...              # the start: a tree (dict, list, tuple) of float arrays, drawn from a NumPy generator
def loss(params): ...           # one number, to be made small; or loss(params, *batch) where there is batch(rng)

def grad(params): ...           # its gradient, a tree like params; not needed if loss is written in JAX or PyTorch
def batch(rng): ...             # the batch of a step, drawn from a NumPy generator: an array, or a tuple of them
def validate(params): ...       # one number to tune by, and
def test(params): ...           # one to judge by; by default the loss itself
score, higher_is_better = "accuracy", True    # what these two are
steps = 300                     # of a trial
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, final

import numpy as np

from thalweg.lab.data.parts import digest
from thalweg.lab.data.problem import Floats, Params, Score
from thalweg.lab.refusal import Refusal
from thalweg.lab.store import user_code
from thalweg.lab.user import user_file
from thalweg.lab.user.slopes import array, by_hand, by_jax, by_torch, number, speaks
from thalweg.values import trees

STEPS = 300
HELD = 10
"""Number of batches for validation, and of further ones for test."""
PRECISION = float(np.finfo(np.float32).eps)
"""Assumed precision of a loss: even with float64 parameters, a file may compute in float32."""
SPEECH = {"numpy": "the file's own grad", "jax": "JAX", "torch": "PyTorch"}


def load(path: Path) -> Own:
    """Load the problem in a file. Raises Refusal if the file defines none, or one that cannot be run."""
    module = user_file.run(path, "a problem")
    _check(path, module)
    try:
        with np.errstate(all="ignore"):
            problem = Own(path, module)
            _try(problem)
    except (Exception, SystemExit) as error:
        raise error if isinstance(error, Refusal) else user_file.refusal(path, error) from error
    return problem


@final
class Own:
    """The problem defined by a file's functions (see `Problem`). Lanes run one after another."""

    def __init__(self, path: Path, module: ModuleType) -> None:
        given = vars(module)
        self.name = path.stem
        self._start: Callable[..., Any] = given["init"]
        self._batch: Callable[..., Any] | None = given.get("batch")
        self._scores: dict[str, Callable[..., Any]] = {part: given[part] for part in ("validate", "test") if part in given}
        speech = speaks(module)
        self.by_hand = speech == "numpy"
        makers: dict[str, Callable[[], Any]] = {
            "numpy": lambda: by_hand(given["loss"], given["grad"]),
            "jax": lambda: by_jax(given["loss"]),
            "torch": lambda: by_torch(given["loss"]),
        }
        self._loss, self._slopes = makers[speech]()
        self.score = Score(given.get("score", "loss"), given.get("higher_is_better", False))
        self.steps: int = given.get("steps", STEPS)
        self.batch_size = self.train_size = self.test_size = 0
        size = sum(leaf.size for leaf in trees.flatten(self.init([0]))[1])
        held = "" if self._scores else " Nothing is held out: the loss judges too, on other batches if it has any."
        words = " ".join((module.__doc__ or "").split()) or "A problem of your own."
        self.about = f"{words} ({path.name}: {size:,} numbers to find; gradients by {SPEECH[speech]}.){held}"
        first = self.loss_and_grad(self.init([0]), next(self.draws([0], 0)))[0]
        # the code is that of the file and of its neighbours that it imports; data that it reads show only in the loss, whose
        # first four digits are the same on any machine
        self.fingerprint = digest("\n".join([*user_code.told([path]), f"{first[0]:.3e}"]))

    def init(self, seeds: Sequence[int]) -> Params:
        """The starts, a tree of arrays (T, ...)."""
        with user_file.with_alarm():
            lanes = [self._start(np.random.default_rng(seed)) for seed in seeds]
        names, first = trees.flatten(lanes[0])
        found = [[_leaf(name, leaf) for name, leaf in zip(names, trees.flatten(lane)[1], strict=True)] for lane in lanes]
        if not first:
            raise TypeError("init gave no arrays")
        return trees.rebuild(lanes[0], {name: np.stack(leaf) for name, leaf in zip(names, zip(*found, strict=True), strict=True)})

    def draws(self, seeds: Sequence[int], batch_size: int) -> Iterator[list[tuple[Any, ...]]]:
        """For each step one batch per lane, drawn from the lane's seed."""
        if self._batch is None:
            return itertools.repeat([()] * len(seeds))
        return self._drawn([np.random.default_rng([seed, 1]) for seed in seeds])  # `init` draws from [seed]

    def _drawn(self, generators: Sequence[np.random.Generator]) -> Iterator[list[tuple[Any, ...]]]:
        while True:
            yield [self._one_batch(generator) for generator in generators]

    def _one_batch(self, generator: np.random.Generator) -> tuple[Any, ...]:
        if self._batch is None:
            return ()
        with user_file.with_alarm():
            found = self._batch(generator)
        return found if isinstance(found, tuple) else (found,)

    def loss_and_grad(self, params: Params, draw: Sequence[tuple[Any, ...]]) -> tuple[Floats, Params]:
        """The loss of each lane, and its gradients."""
        names, leaves = trees.flatten(params)
        losses, slopes = np.empty(len(draw)), [np.empty_like(leaf) for leaf in leaves]
        for i, batch in enumerate(draw):
            lane = _lane(params, i)
            with user_file.with_alarm():
                value, tree = self._slopes(lane, *batch)
            losses[i] = number(value, "loss")
            found = trees.match(lane, tree, "grad")
            for name, whole in zip(names, slopes, strict=True):
                slope = array(found[name])
                if slope is None or slope.shape != whole.shape[1:]:
                    what = "no array" if slope is None else f"an array of shape {slope.shape}"
                    raise TypeError(f"grad gave {what} for '{name}', whose shape is {whole.shape[1:]}")
                whole[i] = slope
        return losses, trees.rebuild(params, dict(zip(names, slopes, strict=True)))

    def validate(self, params: Params, seeds: Sequence[int] = ()) -> tuple[Floats, Floats]:
        """The loss and score of each lane, on batches that training does not draw, if there are batches."""
        return self._judge(params, "validate", 2)

    def test(self, params: Params, seeds: Sequence[int] = ()) -> tuple[Floats, Floats]:
        """Like `validate`, on other batches and with the function `test`."""
        return self._judge(params, "test", 3)

    def _judge(self, params: Params, part: str, kind: int) -> tuple[Floats, Floats]:
        # training draws from [seed, 1], so it never sees these batches
        batches = [self._one_batch(np.random.default_rng([i, kind])) for i in range(HELD if self._batch else 1)]
        losses, scores = [], []
        for i in range(len(trees.flatten(params)[1][0])):
            lane = _lane(params, i)
            with user_file.with_alarm():
                losses.append(np.mean([number(self._loss(lane, *batch), "loss") for batch in batches]))
                scores.append(number(self._scores[part](lane), part) if self._scores else losses[-1])
        return np.array(losses), np.array(scores)


def _lane(params: Params, i: int) -> Params:
    """A copy of lane i, so that a user's function cannot change other lanes."""
    names, leaves = trees.flatten(params)
    return trees.rebuild(params, {name: np.array(leaf[i]) for name, leaf in zip(names, leaves, strict=True)})


def _leaf(name: str, x: Any) -> np.ndarray[Any, Any]:
    found = array(x)
    if found is None or found.dtype not in (np.dtype(np.float32), np.dtype(np.float64)) or not found.size:
        what = f"an array of {found.dtype} and shape {found.shape}" if found is not None else f"{x!r:.40}"
        raise TypeError(f"init gave {what} for '{name}', wanted float32 or float64 numbers")
    return found


def _check(path: Path, module: ModuleType) -> None:
    """Raises Refusal if functions are missing from the file, or return values of the wrong kind."""
    given = vars(module)
    for name in ("init", "loss"):
        if not callable(given.get(name)):
            raise Refusal(f"{path}: there is no function {name}; a problem is init(rng), which gives the start, and loss(params)")
    for name in ("grad", "batch", "validate", "test"):
        if name in given and not callable(given[name]):
            raise Refusal(f"{path}: {name} is {given[name]!r:.40}, wanted a function")
    if ("validate" in given) != ("test" in given):
        raise Refusal(f"{path}: validate(params) tunes and test(params) judges; give both of them, or neither")
    kinds = (("score", str, "a name in quotes"), ("higher_is_better", bool, "True or False"), ("steps", int, "a whole number"))
    for name, kind, wanted in kinds:
        if not isinstance(given.get(name, kind()), kind) or (name == "steps" and given.get(name, 1) < 1):
            raise Refusal(f"{path}: {name} = {given[name]!r:.40}, wanted {wanted}{' of at least 1' if name == 'steps' else ''}")
    if not speaks(module):
        raise Refusal(f"{path}: there is no gradient; give grad(params), or write loss with JAX or PyTorch, which find it")


def _try(problem: Own) -> None:
    """Call each function once or twice at the start of seed 0. Raises TypeError or ValueError for unusable results."""
    seeds = [0, 1]
    params, again = problem.init(seeds), problem.init(seeds)
    for a, b in zip(trees.flatten(params)[1], trees.flatten(again)[1], strict=True):
        if not np.isfinite(a).all():
            raise ValueError("init gives numbers that are not finite")
        if not np.array_equal(a, b):
            raise ValueError("init gives another start for the same rng; draw from that rng alone")
    draw = next(problem.draws(seeds, 0))
    losses, slopes = problem.loss_and_grad(params, draw)
    once_more, _ = problem.loss_and_grad(params, next(problem.draws(seeds, 0)))
    if not np.allclose(losses, once_more, rtol=1e-4, atol=0, equal_nan=True):  # threads may sum in another order
        raise ValueError("loss gives another number for the same params and batch; draw noise in batch(rng), from that rng")
    if not np.isfinite(losses).all():
        raise ValueError(f"loss is {losses[~np.isfinite(losses)][0]} at the start")
    if problem.by_hand:
        _slopes_fit(problem, params, draw, float(losses[0]), slopes)
    problem.validate(params)
    problem.test(params)


def _slopes_fit(problem: Own, params: Params, draw: Sequence[tuple[Any, ...]], loss: float, slopes: Params) -> None:
    """Raises ValueError if the loss does not change along an array's gradient as predicted, with a small or a large step."""
    for name, slope in zip(*trees.flatten(_lane(slopes, 0)), strict=True):
        steep = float(np.sqrt((slope.astype(float) ** 2).sum()))
        along = slope / steep if steep else np.random.default_rng(0).standard_normal(slope.shape)
        rises = []
        for far in (PRECISION ** (1 / 3), PRECISION ** (1 / 2)):  # small steps suffer from rounding, large ones from curvature
            up, down = (_moved(problem, params, draw, name, side * far * along) for side in (1, -1))
            rises.append((up - down) / (2 * far))
            if not np.isfinite(rises[-1]) or abs(rises[-1] - steep) <= 0.1 * steep + 10 * PRECISION * abs(loss) / far:
                break
        else:
            raise ValueError(
                f"grad is not the slope of loss: along that of '{name}', loss rises by {rises[0]:.3g} a unit, "
                f"and grad says {steep:.3g}"
            )


def _moved(problem: Own, params: Params, draw: Sequence[tuple[Any, ...]], name: str, by: Any) -> float:
    """The loss of lane 0 with one array moved."""
    lane = dict(zip(*trees.flatten(_lane(params, 0)), strict=True))
    lane[name] = (lane[name] + by).astype(lane[name].dtype)
    tree = trees.rebuild(params, {key: leaf[None] for key, leaf in lane.items()})
    return float(problem.loss_and_grad(tree, draw[:1])[0][0])
