"""A chain as parameter groups have it: the hyper-parameters of its stages, by name, changed for some parameters."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from thalweg.core.around_stage import AroundStage
from thalweg.core.compose import Choose, Every
from thalweg.core.function_stage import FunctionStage
from thalweg.core.stage import Chain, Shell, Stage
from thalweg.core.ways import ways
from thalweg.form.hyper import Hyper


def hyper_of(stage: Stage) -> dict[str, Hyper]:
    """The hyper-parameters of all stages, by name."""
    return {name: h for function in stage.functions for name, h in function.declaration.hyper.items()}


def check_whose(stage: Stage, name: str) -> None:
    """Raise ValueError where it is not plain whose hyper-parameter a group sets, or where it is of the whole model."""
    for function in stage.functions:
        if name in function.declaration.hyper and isinstance(function, AroundStage):
            raise ValueError(f"{name} of {function.name} is of the whole model; set it where the chain is made")
    several = twice(stage, name)
    if several:
        raise ValueError(f"{' and '.join(several)} both have {name}; set it where the chain is made, for each of them")


def twice(stage: Stage, name: str) -> list[str]:
    """The stages with this hyper-parameter that one parameter passes, where they are several."""
    for way in ways(stage):
        found = [function.name for function in way.functions if name in function.declaration.hyper]
        if len(found) > 1:
            return found
    return []


def regrouped(stage: Stage, said: dict[str, Callable[[Any], Any]]) -> Stage:
    """The same stage with each hyper-parameter that is `said` made anew from what it is."""
    if isinstance(stage, FunctionStage):
        own = {name: made(stage.config[name]) for name, made in said.items() if name in stage.config}
        if not own:
            return stage
        return stage.but(**own)
    found: Any = copy.copy(stage)
    if isinstance(stage, Choose | Chain):
        parts = [regrouped(part, said) for part in stage.stages]
        found.stages = parts if isinstance(stage, Choose) else type(stage.stages)(parts)
    if isinstance(stage, Shell | Every):
        found.inner = regrouped(stage.inner, said)
    return found  # type: ignore[no-any-return]
