"""Run a training function: its scores as a trial's results, and what it raises as a divergence."""

from __future__ import annotations

import bisect
import contextlib
import functools
import hashlib
import importlib.metadata
import inspect
import math
import os
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import thalweg
from thalweg.lab.protocol import protocol
from thalweg.lab.protocol.tune import Setting
from thalweg.lab.running.devices import NoDevice
from thalweg.lab.running.guard import in_a_line
from thalweg.lab.running.output_capture import annotate
from thalweg.lab.training import memory
from thalweg.lab.training.function import TrainingFunction
from thalweg.lab.training.run import EarlyStop, Run, number
from thalweg.lab.training.seeding import seeded
from thalweg.lab.trials.lanes import LaneEngine
from thalweg.lab.trials.trials import Trial
from thalweg.rule import Rule

FRAMEWORKS = ("torch", "jax", "optax")
FACES = ("torch/**/*.py", "jax/**/*.py", "lab/training/*.py")
"""The files that affect a run's numbers, besides those of all trials."""
SURROUNDINGS = (OSError, ImportError, NoDevice)
"""Errors that do not follow from the run: the same command tries it again."""


@functools.cache
def engine() -> LaneEngine:
    """What runs training functions, as a part of a trial's identity: the frameworks' versions and our files for them."""
    root, told = Path(thalweg.__file__).parent, []
    for name in FRAMEWORKS:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            told.append(f"{name} {importlib.metadata.version(name)}")
    found = hashlib.sha256()
    for path in sorted(path for pattern in FACES for path in root.glob(pattern)):
        found.update(f"{path.relative_to(root).as_posix()} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return LaneEngine("training", ", ".join([*told, found.hexdigest()[:16]]))


@dataclass(frozen=True)
class Outcome:
    """What a run gave: the final scores, the reported ones, and for a run that raised, what.

    test: None if the function does not judge. steps: those that were taken; 0 if they cannot be seen. asked: each call of
    `trial.report`, its step and the seconds until then. stopped: the step at which the run was stopped early; its validation
    score is that of this step. validated, validating: how many scores on the way the trial computed, and their seconds.
    """

    validation: float
    test: float | None
    reports: tuple[tuple[float, float], ...]
    steps: int
    seconds: float
    error: str | None = None
    asked: tuple[tuple[float, float], ...] = ()
    stopped: float | None = None
    validated: int = 0
    validating: float = 0.0


def run(
    problem: TrainingFunction, rule: Rule, given: Sequence[tuple[Setting, int]], *, steps: int, judge: bool, until: int = 0
) -> list[Trial]:
    """Run a trial for each (setting, seed), one after another. judge: whether to keep the test score. until: the step from which
    on a run stops at its next report; 0: it runs whole.
    """
    found = [(own, seed, outcome(problem, rule, own, seed, steps, until)) for own, seed in given]
    return [_trial(problem, Trial(own.lr, seed, dict(own.hyper), own.schedule), one, steps, judge) for own, seed, one in found]


def outcome(problem: TrainingFunction, rule: Rule, setting: Setting, seed: int, steps: int, until: int = 0) -> Outcome:
    """Run the function once. Raises what is the surroundings' fault: missing files, packages and devices, and lack of memory.

    A run is stopped as soon as its trial says so, whatever becomes of the exception in the function: it may be swallowed, turned
    into another, or end only a thread.
    """
    begun, trial = time.perf_counter(), Run(problem, rule, setting, seed, steps, until)
    assert problem.function is not None
    validation, test, error, lack = math.nan, None, None, None
    try:
        with seeded(seed), _in_its_folder():
            validation, test = scores(called(problem.function, trial))
    except (Exception, SystemExit, EarlyStop) as raised:
        if trial.stopped is None:
            if isinstance(raised, SURROUNDINGS):
                raise
            if memory.is_lack(raised):
                lack = where(raised)
            error = annotate(where(raised))
    if lack is not None:  # outside the block above, where the traceback would hold all that the run had
        raise memory.lack(lack)
    if trial.stopped is not None:
        validation, test = trial.reports[-1][1], None
    seconds = time.perf_counter() - begun
    made = trial.validations.made, trial.validations.seconds
    taken = tuple(trial.reports), trial.counted, seconds, error, tuple(trial.asked)
    return Outcome(validation, test, *taken, trial.stopped, *made)


@contextlib.contextmanager
def _in_its_folder() -> Iterator[None]:
    """Context manager: go back to the working folder afterwards, so that a run that leaves it changes no other."""
    folder = os.getcwd()
    try:
        yield
    finally:
        os.chdir(folder)


def called(function: Callable[[Any], Any], trial: Run) -> Any:
    """Call a training function. Raises TypeError for one that does not take the trial alone, or returns nothing."""
    try:
        inspect.signature(function).bind(trial)
    except TypeError as error:
        raise TypeError(f"a training function takes one argument, the trial, and this one cannot ({error})") from None
    except ValueError:  # a builtin says nothing of its arguments
        pass
    found = function(trial)
    if found is None:
        raise TypeError("the training function returned nothing; it returns its score, or {'validation': ..., 'test': ...}")
    return found


def scores(found: Any) -> tuple[float, float | None]:
    """The validation and the test score of what a function returned. Raises TypeError for anything but numbers."""
    if not isinstance(found, Mapping):
        return number(found, "the training function"), None
    if "validation" not in found:
        raise TypeError(f"the training function gave {', '.join(map(str, found)) or 'nothing'}; wanted a 'validation' score")
    test = found.get("test")
    return number(found["validation"], "'validation'"), None if test is None else number(test, "'test'")


def where(error: BaseException) -> str:
    """An error in a line, with the last line of the user's code that it passed."""
    ours = str(Path(thalweg.__file__).parent)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(ours)]
    own = [frame for frame in frames if "site-packages" not in frame.filename and not frame.filename.startswith("<")]
    return f"{in_a_line(error)} ({Path(own[-1].filename).name}, line {own[-1].lineno})" if own else in_a_line(error)


def _trial(problem: TrainingFunction, trial: Trial, found: Outcome, steps: int, judge: bool) -> Trial:
    """Write a run's results into its record. Its loss is the score itself, turned so that lower is better."""
    trial.error, trial.diverged = found.error, found.error is not None or not math.isfinite(found.validation)
    trial.stopped = found.stopped
    if found.error is not None:
        return trial
    sign = -1.0 if problem.score.higher_is_better else 1.0
    trial.score_curve = curve(found, steps)
    trial.loss_curve = [sign * x for x in trial.score_curve]
    if judge:
        trial.test_score = found.validation if found.test is None else found.test
        trial.test_loss = sign * trial.test_score
        trial.diverged = trial.diverged or not math.isfinite(trial.test_score)
    return trial


def curve(found: Outcome, steps: int) -> list[float]:
    """The validation score at the protocol's steps: the last that was reported by then, at the end the final one.

    Before the first report it is the first one, as nothing else is known. The curve of a run that was stopped ends there.
    """
    reports = sorted(found.reports, key=lambda report: report[0]) or [(0.0, found.validation)]
    at, values = zip(*reports, strict=True)
    last = steps if found.stopped is None else found.stopped
    seen = [values[max(0, bisect.bisect_right(at, step) - 1)] for step in protocol.evaluated_at(steps) if step < last]
    return [*seen, found.validation]
