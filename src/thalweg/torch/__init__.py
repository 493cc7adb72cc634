"""PyTorch optimizers made from the rules: change one import, and keep checkpoints, schedulers, hooks and trainers.

For each class of `torch.optim`, the class here is a subclass with the same arguments, defaults, errors, state and checkpoints
and another step: dense tensors on the CPU are updated by the kernel printed from our rule, without a copy. What the kernel
cannot do (other devices, sparse or complex gradients, `differentiable`, `capturable`, inside `torch.compile`) falls back
to torch's step. Every other rule has a class made from its signature, and so has every stage around or behind a rule:
`Lookahead(params, adam(), k=5)`. `of(rule)` makes one from a rule of your own, and `Optimizer` takes any chain. All other
names of `torch.optim` (`lr_scheduler`, ...) are torch's, and so is `LBFGS`, one step of which is many of ours; ours is
`of(thalweg.lbfgs)`. If a rule has the name of a torch optimizer, torch's wins.
"""

from __future__ import annotations

import functools
import inspect
from typing import Any

import torch

from thalweg import dialects
from thalweg.core.stage import Stage
from thalweg.dialects import Row
from thalweg.form.hyper import nearest
from thalweg.methods import instead, plain, rules
from thalweg.numpy import class_name
from thalweg.rule import Rule
from thalweg.torch.before import looks_mistaken
from thalweg.torch.checkpoints.checks import check_torchs
from thalweg.torch.checkpoints.saved import load_state, save_state
from thalweg.torch.face import Face
from thalweg.torch.groups import STORAGE, STORAGE_PARAMETERS
from thalweg.torch.hessian import hutchinson
from thalweg.torch.kernels.device import TRITON_DEVICES as TRITON_DEVICES
from thalweg.torch.names.routes import roles, routes
from thalweg.torch.optimizer import Optimizer
from thalweg.torch.regroup import rated
from thalweg.torch.wrappers import WRAPPERS, wrapper

__all__ = ["Optimizer", "hutchinson", "load_state", "of", "roles", "routes", "save_state"]


# torch's own classes, with our step


@functools.cache
def _shared(name: str) -> type[torch.optim.Optimizer]:
    theirs = getattr(torch.optim, name)

    def __init__(self: Face, params: Any, *args: Any, **named: Any) -> None:
        words = {name: named.pop(name) for name in STORAGE if name in named}
        theirs.__init__(self, params, *args, **named)
        self._keep_as(words)

    def _otherwise(self: Face, loss: Any) -> None:
        step = theirs.step
        while getattr(step, "hooked", False):  # its hooks have already been called around our step
            step = step.__wrapped__
        step(self)

    known, row = inspect.signature(theirs.__init__), dialects.TORCH[name]
    ours = STORAGE_PARAMETERS if row.kernel and row.stored else []
    __init__.__signature__ = known.replace(parameters=[*known.parameters.values(), *ours])  # type: ignore[attr-defined]
    doc = f"""torch.optim.{name}, its step computed by the kernel that thalweg prints from the rule.

    rounding, state_dtype: how parameters and state are kept, see `thalweg.graph.storage.Storage`.

    {theirs.__doc__ or ""}"""

    def _check_checkpoint(self: Face, found: dict[str, Any]) -> None:
        check_torchs(type(self).__name__, row, self.defaults, self.param_groups, found)

    body = {"_row": row, "__init__": __init__, "_otherwise": _otherwise, "_may_break_off": looks_mistaken, "__doc__": doc}
    return type(name, (Face, theirs), {**body, "_check_checkpoint": _check_checkpoint, "__module__": __name__})


# every other rule


@functools.cache
def of(rule: Rule) -> type[Optimizer]:
    """Return the class of a rule or recipe, from the catalogue or your own.

    Parameters
    ----------
    rule : Rule
        The rule or recipe.

    Returns
    -------
    type
        A subclass of `Optimizer`.

    Raises
    ------
    TypeError
        If `rule` is not a rule.

    Examples
    --------
    >>> of(my_rule)(model.parameters(), lr=0.1)
    """
    if not isinstance(rule, Rule):
        raise TypeError(f"of takes a rule or recipe such as adam, not {rule!r}; what is configured goes to Optimizer(params, it)")
    return _class_of(rule)


def _class_of(rule: Rule) -> type[Optimizer]:
    def stages(given: Any) -> Stage:
        config = {name: given.static(name) if h.static else given.dynamic_or_zero(name) for name, h in rule.parts.items()}
        made = rule.configured(config)
        return rated(made, given)

    def __init__(self: Optimizer, params: Any, lr: Any = rule.lr, *hyper: Any, seed: Any = 0, **named: Any) -> None:
        storage = {name: named.pop(name) for name in STORAGE if name in named}
        if before := rule.switched(hyper, named):
            self._rule = None
            Optimizer.__init__(self, params, before, lr, seed=seed, **storage)
            return
        config = rule.bound(type(self).__name__, hyper, named)
        if lr is None:
            raise ValueError(f"{rule.name} has no learning rate of its own; write lr=0.01")
        self._set_up(params, rule.configured(config), {"lr": lr, **config}, seed, storage)

    either = inspect.Parameter.POSITIONAL_OR_KEYWORD
    signature = inspect.Signature(
        [
            inspect.Parameter("params", either),
            inspect.Parameter("lr", either, default=rule.lr),
            *(inspect.Parameter(h.name, either, default=h.default) for h in rule.hyper.values()),
            inspect.Parameter("seed", inspect.Parameter.KEYWORD_ONLY, default=0),
            *STORAGE_PARAMETERS,
        ]
    )
    made = type(
        class_name(rule),
        (Optimizer,),
        {
            "__init__": __init__, "__reduce_ex__": _again, "__doc__": rule.doc, "__module__": __name__, "_rule": rule,
            "_row": Row(stages),
        },
    )  # fmt: skip
    made.__signature__ = signature  # type: ignore[attr-defined]
    return made


def _again(self: Optimizer, protocol: Any) -> Any:
    """Copy by the state. The class is found again by its rule, as no module need have it."""
    rule = type(self)._rule
    if rule is None or type(self) is not of(rule):
        return super(Optimizer, self).__reduce_ex__(protocol)
    return _blank, (rule,), self.__getstate__()


def _blank(rule: Rule) -> Optimizer:
    return object.__new__(of(rule))


def __getattr__(name: str) -> Any:
    theirs = {known.lower(): known for known in dialects.TORCH}
    wrapped = {plain(stage): stage for stage in WRAPPERS}
    bare = plain(name)
    if bare in theirs:
        return _shared(theirs[bare])
    if not name.startswith("_") and (name not in rules or name[0].isupper()) and hasattr(torch.optim, name):
        return getattr(torch.optim, name)  # LBFGS, lr_scheduler, ...: torch's own, so that changing one import suffices
    if bare in wrapped:
        return wrapper(WRAPPERS[wrapped[bare]])
    if name.startswith("_") or name not in rules:
        raise AttributeError(f"thalweg.torch has no optimizer '{name}'{instead(name) or nearest(name, __dir__())}")
    return of(rules[name])


def __dir__() -> list[str]:
    shared = {known.lower() for known in dialects.TORCH}
    others = [class_name(rule) for rule in rules.values() if class_name(rule).lower() not in shared]
    return sorted({*__all__, *dialects.TORCH, *others, *map(class_name, WRAPPERS.values())})
