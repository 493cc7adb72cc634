"""The optimizer and the schedule of a trial in PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from thalweg.core.compose import Choose, choose, is_matrix
from thalweg.core.regroup import hyper_of
from thalweg.core.stage import Stage, chain
from thalweg.stages.decay import decay
from thalweg.torch import Optimizer

DECAY = "weight_decay"


def optimizer(x: Any, stage: Stage, lr: float, seed: int) -> Optimizer:
    """The optimizer of a module, parameters, (name, tensor) pairs or parameter groups.

    Where a group has a weight decay, the rule has it too, decoupled: it belongs to the training, not to the optimizer.
    """
    if isinstance(x, torch.nn.Module):
        x = list(x.named_parameters())
    elif isinstance(x, torch.Tensor):
        x = [x]
    elif isinstance(x, Mapping):
        x = [x] if "params" in x else list(x.items())
    grouped = [dict(each) for each in x if isinstance(each, Mapping)]
    return Optimizer(grouped or x, decaying(stage) if any(DECAY in group for group in grouped) else stage, lr, seed=seed)


def decaying(stage: Stage) -> Stage:
    """The rule with a weight decay that a group may set, 0 by itself, for all parameters."""
    if isinstance(stage, Choose):  # a rule for matrices, with AdamW for the rest, which has one
        return choose((is_matrix, decaying(stage.stages[0])), otherwise=stage.stages[-1])
    return stage if DECAY in hyper_of(stage) else chain(stage, decay(0.0))


def scheduler(made: Any, factor: Callable[[Any], Any]) -> Any:
    """The scheduler that multiplies each group's learning rate by factor(t) at update t = 1, 2, ..."""
    return torch.optim.lr_scheduler.LambdaLR(made, lambda done: float(factor(done + 1)))


def count(made: Any) -> Callable[[], int]:
    """Count the optimizer's steps from now on. Returns a function that gives their number."""
    seen = [0]

    def after(*_: Any) -> None:
        seen[0] += 1

    made.register_step_post_hook(after)
    return lambda: seen[0]
