"""The optimizer and the schedule of a trial in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from thalweg.core.stage import Stage
from thalweg.numpy import Optimizer

__all__ = ["Optimizer", "Scheduler", "optimizer"]


def optimizer(x: Any, stage: Stage, lr: float, seed: int) -> Optimizer:
    """The optimizer bound to a tree of arrays, or to parameter groups."""
    return Optimizer(x, stage, lr, seed=seed)


class Scheduler:
    """Multiplies each group's learning rate by factor(t) at update t = 1, 2, ...: call `step()` after each update."""

    def __init__(self, optimizer: Optimizer, factor: Callable[[Any], Any]) -> None:
        self.optimizer, self.factor, self.done = optimizer, factor, 0
        self.rates = [group["lr"] for group in optimizer.param_groups]
        self._set()

    def step(self) -> None:
        """Set the rates of the next update."""
        self.done += 1
        self._set()

    def _set(self) -> None:
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = rate * float(self.factor(self.done + 1))
