"""One run of a training function: what the function is handed as `trial`."""

from __future__ import annotations

import logging
import math
import sys
import time
from collections.abc import Callable
from typing import Any

from thalweg.core.compose import refuses_vectors
from thalweg.core.stage import Stage
from thalweg.lab.protocol.protocol import SCHEDULES
from thalweg.lab.protocol.tune import Setting
from thalweg.lab.running import devices
from thalweg.lab.training import by_numpy
from thalweg.lab.training.frameworks import framework, listed
from thalweg.lab.training.function import TrainingFunction
from thalweg.lab.training.validations import Validations
from thalweg.lab.trials.configured import NO_MATRICES, configured
from thalweg.rule import Rule


class EarlyStop(BaseException):
    """Raised by `trial.report` to end a tuning run that is stopped early. As no Exception, it passes `except Exception`."""


class Run:
    """A run of a training function: its seed, its steps, and the optimizer that it compares.

    Attributes
    ----------
    seed : int
        For all that is drawn: the start, the order of the data, dropout.
    block : int
        The block of the comparison, 0 if there is one: a function may split its data by it.
    steps : int
        The planned number of steps, over which the schedule runs.
    rule, lr, hyper, schedule
        The rule's name, the learning rate, the other hyper-parameters that are tuned, and the schedule's name.
    device : str
        "cuda", "mps" or "cpu": the kind of the device that this trial has alone (`devices`), whatever its number is. Where none
        was given, "cuda" if PyTorch sees such a device, otherwise "cpu".
    log : logging.Logger
        A logger. What it says is kept as what the function prints: the last lines stand beside a failure.
    """

    def __init__(self, problem: TrainingFunction, rule: Rule, setting: Setting, seed: int, steps: int, until: int = 0) -> None:
        self.seed, self.block, self.steps = seed, problem.block, steps
        self.rule, self.lr, self.hyper, self.schedule = rule.name, setting.lr, dict(setting.hyper), setting.schedule
        self.log = logging.getLogger("thalweg.trial")
        self.reports: list[tuple[float, float]] = []
        self.asked: list[tuple[float, float]] = []
        self.stopped: float | None = None
        self.validations = Validations(problem.validations, steps)
        self._rule, self._problem, self._until, self._begun = rule, problem, until, time.perf_counter()
        self._counts: list[Callable[[], int]] = []

    def __repr__(self) -> str:
        return f"<trial of {self.rule}, lr={self.lr:g}, seed={self.seed}>"

    @property
    def device(self) -> str:
        if (given := devices.seen()) is not None:
            return given
        torch = sys.modules.get("torch")
        return "cuda" if torch is not None and torch.cuda.is_available() else "cpu"

    def optimizer(self, parameters: Any) -> Any:
        """Return the trial's optimizer for a model. May be called for several models.

        Parameters
        ----------
        parameters : module, parameters or tree
            A torch module, its parameters, (name, tensor) pairs or parameter groups; a tree of JAX or of NumPy arrays.

        Returns
        -------
        thalweg.torch.Optimizer, thalweg.jax.Transformation or thalweg.numpy.Optimizer
            In JAX the schedule is in the learning rate already.

        Raises
        ------
        TypeError
            For anything else, and for a rule for matrices where there are none.
        """
        given = listed(parameters)
        kind, axes = framework(given)
        if refuses_vectors(self._rule(**self.hyper)) and not any(n > 1 for n in axes):
            raise TypeError(NO_MATRICES)
        devices.seen()  # raises if the trial's does not exist, also where the loop never asks for it
        stage = configured(self._rule, self._problem, **self.hyper)
        return getattr(self, f"_by_{kind}")(given, stage)

    def scheduler(self, optimizer: Any) -> Any:
        """Return the schedule of the trial over its steps, warm-up included; call its `step()` after each update.

        For PyTorch it is a scheduler of `torch.optim.lr_scheduler`. In JAX the optimizer's learning rate follows it already.
        """
        factor = SCHEDULES[self.schedule].factor(self.steps)
        if hasattr(optimizer, "update"):
            return Followed()
        if isinstance(optimizer, by_numpy.Optimizer):
            return by_numpy.Scheduler(optimizer, factor)
        from thalweg.lab.training import by_torch  # imports PyTorch, which is optional

        return by_torch.scheduler(optimizer, factor)

    def report(self, step: float | None = None, *, validation: Any) -> None:
        """Report the validation score after so many steps, for the learning curve. It may not choose anything in the loop.

        Without a step it is after those that the optimizer has taken, which cannot be seen in JAX: there say how many.
        A function in place of the score is called only as often as validations take a fifth of a run's time at most.
        A tuning run that is stopped early ends here, by an exception that `except Exception` does not catch: `finally` blocks
        and context managers end as usual. Raises TypeError for what is no number, and ValueError for steps that are not finite
        or below 0.
        """
        if step is None and not self._counts:
            raise ValueError(
                "trial.report: this optimizer's steps cannot be seen; give the count: trial.report(step, validation=...)"
            )
        steps = number(self.counted if step is None else step, "trial.report: step")
        if not 0 <= steps < math.inf:
            raise ValueError(f"trial.report: step is {step!r}; it is the count of steps so far, a finite number from 0 on")
        if self.stopped is None:
            self.asked.append((steps, time.perf_counter() - self._begun))
            if callable(validation):
                if not self.validations.due(steps):
                    return
                validation = self.validations.score(validation)
            self.reports.append((steps, number(validation, "trial.report")))
            if self._until and self._until <= steps < self.steps:
                self.stopped = steps
        if self.stopped is not None:
            raise EarlyStop(f"stopped early at step {self.stopped:g}, as the lab's protocol has it: no error")

    @property
    def counted(self) -> int:
        """The steps that were taken, as far as they can be seen: the optimizer's, else the last that was reported."""
        steps = max((count() for count in self._counts), default=0)
        return steps or math.ceil(max((step for step, _ in self.reports), default=0))

    def _by_torch(self, given: Any, stage: Stage) -> Any:
        from thalweg.lab.training import by_torch  # imports PyTorch, which is optional

        made = by_torch.optimizer(given, stage, self.lr, self.seed)
        self._counts.append(by_torch.count(made))
        return made

    def _by_jax(self, given: Any, stage: Stage) -> Any:
        from thalweg.lab.training import by_jax  # imports JAX, which is optional

        factor = None if self.schedule == "constant" else SCHEDULES[self.schedule].factor(self.steps)
        return by_jax.optimizer(stage, self.lr, factor, self.seed)

    def _by_numpy(self, given: Any, stage: Stage) -> Any:
        made = by_numpy.optimizer(given, stage, self.lr, self.seed)
        self._counts.append(lambda: max(map(int, made.state["t"].values()), default=0))
        return made


class Followed:
    """The schedule of an optimizer that follows it by itself."""

    def step(self) -> None:
        """Do nothing."""


def number(x: Any, who: str) -> float:
    """One real number. Raises TypeError for anything else."""
    try:
        return float(x)
    except (TypeError, ValueError, OverflowError) as error:
        raise TypeError(f"{who} gave {x!r:.60}, wanted one number") from error
