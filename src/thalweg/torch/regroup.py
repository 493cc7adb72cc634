"""A parameter group's effect on a chain: hyper-parameters of its stages, and the rates set with `.at`."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from typing import Any

from thalweg.core.compose import Choose, Every
from thalweg.core.function_stage import FunctionStage
from thalweg.core.regroup import hyper_of
from thalweg.core.stage import At, Chain, Shell, Stage
from thalweg.form.hyper import ByLeaf
from thalweg.torch.groups import FIRST, TorchArguments

_OF_SCHEDULERS = ("lr", "initial_lr", "max_lr", "min_lr", "swa_lr", "lr_scale", "max_momentum", "base_momentum")
_OF_TORCH = ("params", "param_names", "name", "foreach", "fused", "capturable", "differentiable")
TORCHS = frozenset({*_OF_SCHEDULERS, *_OF_TORCH})
"""Keys that torch, its schedulers and trainers put into any group; torch's own optimizers ignore them too."""


def has_rates(stage: Stage) -> bool:
    """Whether some stage has a rate set with `.at`."""
    inside = [stage.inner] if isinstance(stage, Shell | Every) else getattr(stage, "stages", ())
    return isinstance(stage, At) or any(map(has_rates, inside))


def regrouped(stage: Stage, given: TorchArguments) -> Stage:
    """Return the stage with a group's values."""
    if not has_rates(stage) and not any(name in given.group for name in hyper_of(stage)):
        return stage
    return _each(stage, functools.partial(_set, given=given), given)


def rated(stage: Stage, given: TorchArguments) -> Stage:
    """Return the stage with its `.at` rates scaled as the group's rate has changed."""
    return _each(stage, lambda function: function, given) if has_rates(stage) else stage


def _each(stage: Stage, made: Callable[[FunctionStage], Stage], given: TorchArguments) -> Stage:
    """Return the same stage with its functions rebuilt."""
    if isinstance(stage, FunctionStage):
        return made(stage)
    found: Any = copy.copy(stage)
    if isinstance(stage, Choose | Chain):
        parts = [_each(part, made, given) for part in stage.stages]
        found.stages = parts if isinstance(stage, Choose) else tuple(parts)
    if isinstance(stage, Shell | Every):
        found.inner = _each(stage.inner, made, given)
    if isinstance(stage, At):
        found.rate = _scaled(stage.rate, given)
    return found  # type: ignore[no-any-return]


def _set(function: FunctionStage, given: TorchArguments) -> FunctionStage:
    """Return a function with the group's hyper-parameters."""
    said = {name: h for name, h in function.declaration.hyper.items() if name in given.group}
    if not said:
        return function
    values = {
        name: given.static(name, function.config[name]) if h.static else given.dynamic_or_zero(name, function.config[name])
        for name, h in said.items()
    }
    return function.but(**values)


def _scaled(rate: Any, given: TorchArguments) -> Any:
    """Return a branch's own rate, times the relative change of the group's rate since the optimizer was made."""
    group = given.group

    def now(t: Any, leaf: str = "") -> Any:
        own = rate(t) if callable(rate) else rate
        both: list[Any] = [group["lr"], group.get(FIRST)]
        lr, first = (value.values[leaf] if isinstance(value, ByLeaf) else value for value in both)
        if first is None or callable(lr) or float(first) == 0:  # a schedule of ours belongs to the whole optimizer
            return own
        return own * (float(lr) / float(first))

    by_leaf = [value for value in (group["lr"], group.get(FIRST)) if isinstance(value, ByLeaf)]
    return ByLeaf({leaf: functools.partial(now, leaf=leaf) for leaf in by_leaf[0].values}) if by_leaf else now
