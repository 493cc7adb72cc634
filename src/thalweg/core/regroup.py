"""Parameter groups of a chain: hyper-parameters of its stages, by name, changed for some parameters."""

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
    """Return the hyper-parameters of all stages, by name."""
    return {name: h for function in stage.functions for name, h in function.declaration.hyper.items()}


def check_whose(stage: Stage, name: str) -> None:
    """Raise ValueError if a group's hyper-parameter is ambiguous between stages, or belongs to the whole model."""
    for function in stage.functions:
        if name in function.declaration.hyper and isinstance(function, AroundStage):
            raise ValueError(f"{name} of {function.name} is of the whole model; set it where the chain is made")
    several = twice(stage, name)
    if several:
        raise ValueError(f"{' and '.join(several)} both have {name}; set it where the chain is made, for each of them")


def twice(stage: Stage, name: str) -> list[str]:
    """Return the stages with this hyper-parameter that one parameter passes, if there is more than one."""
    for way in ways(stage):
        found = [function.name for function in way.functions if name in function.declaration.hyper]
        if len(found) > 1:
            return found
    return []


def regrouped(stage: Stage, said: dict[str, Callable[[Any], Any]]) -> Stage:
    """Return the same stage with new values for the hyper-parameters in `said`, each computed from the old value."""
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
