"""Classes of the stages that stand around or behind any rule: `Lookahead(params, adam(), k=5)`, `SAM(params, sgd(), lr=0.1)`."""

from __future__ import annotations

import functools
import inspect
from typing import Any

from thalweg.core.stage import Stage, chain
from thalweg.methods import joined, stages_by_name
from thalweg.numpy import class_name
from thalweg.rule import Rule
from thalweg.stages import after, around
from thalweg.torch.groups import STORAGE, STORAGE_PARAMETERS
from thalweg.torch.optimizer import Optimizer

WRAPPERS = {name: stage for name, stage in stages_by_name.items() if stage.__module__ in (after.__name__, around.__name__)}
"""The stages that other libraries have as a class around an optimizer."""


@functools.cache
def wrapper(stage: Rule) -> type[Optimizer]:
    """Return the class of a stage, made from its signature: parameters, a rule, its learning rate, the stage's numbers."""

    def __init__(
        self: Optimizer, params: Any, rule: Any = None, lr: Any = None, *hyper: Any, seed: Any = 0, **named: Any
    ) -> None:
        storage = {name: named.pop(name) for name in STORAGE if name in named}
        if not isinstance(rule, Rule | Stage):
            usage = f"{type(self).__name__}(model.parameters(), sgd(), lr=0.1)"
            raise TypeError(f"{type(self).__name__} takes parameters and a rule, {usage}; it is {rule!r:.80}")
        config = stage.bound(type(self).__name__, hyper, named)
        inner = rule() if isinstance(rule, Rule) else rule
        Optimizer.__init__(self, params, chain(*joined(stage.name, stage.configured(config), inner)), lr, seed=seed, **storage)

    either = inspect.Parameter.POSITIONAL_OR_KEYWORD
    made = type(class_name(stage), (Optimizer,), {"__init__": __init__, "__doc__": stage.doc, "__module__": "thalweg.torch"})
    made.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter("params", either),
            inspect.Parameter("rule", either),
            inspect.Parameter("lr", either, default=None),
            *(inspect.Parameter(h.name, either, default=h.default) for h in stage.hyper.values()),
            inspect.Parameter("seed", inspect.Parameter.KEYWORD_ONLY, default=0),
            *STORAGE_PARAMETERS,
        ]
    )
    return made
