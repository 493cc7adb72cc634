"""The optimizers by name: every rule in this folder, with the names that libraries and papers give it."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import TypeVar

from thalweg import stages
from thalweg.form.hyper import nearest
from thalweg.rule import Rule
from thalweg.stages import around, ascend, clip, filter, project

T = TypeVar("T")
ALIASES = {
    "gd": "sgd", "batch": "sgd", "minibatch": "sgd", "mini_batch": "sgd", "online": "sgd", "iterative": "sgd",
    "msgd": "momentum", "heavy_ball": "momentum", "nag": "nesterov", "graves": "rmsprop_graves",
    "rmspropgraves": "rmsprop_graves", "santae": "santa_e", "santasss": "santa_sss", "l2l": "learned",
    "lazy_adam": "sparse_adam", "dadapt_adamw": "dadapt_adam", "stableadamw": "stable_adamw", "adamnorm": "adanorm",
    "ftrl_proximal": "ftrl", "kron": "psgd_kron", "psgd": "psgd_kron", "a2grad": "a2grad_uni",
    "sgd_schedule_free": "schedule_free_sgd", "adamw_schedule_free": "schedule_free_adamw",
    "radam_schedule_free": "schedule_free_radam", "muon_adamw": "muon_with_adamw", "muon_with_aux_adam": "muon_with_adamw",
    "single_device_muon_with_aux_adam": "muon_with_adamw", "scion_light": "scion",
}  # fmt: skip


def _declared(module: ModuleType) -> dict[str, Rule]:
    """Return the rules defined in a module, not those it imports."""
    return {k: v for k, v in vars(module).items() if isinstance(v, Rule) and v.__module__ == module.__name__}


def _package(package: ModuleType) -> dict[str, Rule]:
    found: dict[str, Rule] = {}
    for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        found.update(_declared(importlib.import_module(info.name)))
    return found


def _families() -> Iterator[ModuleType]:
    """Yield the folders in here: each is a family of rules."""
    for info in pkgutil.iter_modules(__path__, f"{__name__}."):
        if info.ispkg:
            yield importlib.import_module(info.name)


def plain(name: object) -> str:
    """Return a name without case, underscores, hyphens and spaces."""
    return re.sub("[-_ ]", "", str(name).lower())


class Catalogue(Mapping[str, Rule]):
    """`rules["adam"]`, by name or alias, however written. An unknown name raises KeyError with the nearest known one."""

    def __init__(self, rules: dict[str, Rule]) -> None:
        self._rules = dict(sorted(rules.items()))
        self._plain = {plain(name): self._rules[meant] for name, meant in [*ALIASES.items(), *zip(rules, rules, strict=True)]}

    def __getitem__(self, name: str) -> Rule:
        found = self._rules.get(str(name)) or self._plain.get(plain(name))
        if found is None:
            raise KeyError(f"no optimizer is called {name!r}{nearest(str(name).lower(), [*self._rules, *ALIASES])}")
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._rules)

    def __len__(self) -> int:
        return len(self._rules)

    def __repr__(self) -> str:
        return f"<{len(self)} optimizers: {', '.join(self)}>"


_places = _package(stages)
_methods = {name: method for folder in _families() for name, method in _package(folder).items()}
rules = Catalogue({name: method for name, method in _methods.items() if method.lr is not None})
stages_by_name = {**_places, **{name: method for name, method in _methods.items() if method.lr is None}}

_IN_FRONT = {name for module in (around, ascend, clip, filter, project) for name in _declared(module)}
"""The stages that stand before a rule."""


def joined(name: str, stage: T, rule: T) -> tuple[T, T]:
    """Return a stage, known by its name, and a rule in the order in which a chain has them."""
    return (stage, rule) if name in _IN_FRONT else (rule, stage)


_JOINED = {
    "ema": ("an average of the weights is a stage, joined with a rule:", "adam(), average(0.999)"),
    "rangerqh": ("QHAdam that looks ahead is a chain:", "qhadam(), lookahead(k=6)"),
    "gradientaccumulation": ("accumulation goes around a rule:", "every(4, adam())"),
}
"""Optimizers of other libraries that are a combination here: a description, and what to write."""


def instead(name: str) -> str:
    """Return the end of a message on an unknown name: the combination to write, or nothing."""
    bare = plain(name)
    if bare in _JOINED:
        said, inside = _JOINED[bare]
        return f"; {said} Optimizer(params, {inside if inside.startswith('every') else f'chain({inside})'})"
    for stage in (stage for stage in stages_by_name if plain(stage) in bare):
        rest = bare.replace(plain(stage), "", 1)
        rule = next((rule for rule in rules if plain(rule) == (rest or "sgd")), None)
        if rule is not None:
            parts = ", ".join(joined(stage, f"{stage}()", f"{rule}()"))
            return f"; {stage} is a stage, joined with a rule: Optimizer(params, chain({parts}))"
    if bare.endswith("8bit") and bare.removesuffix("8bit") in rules:
        own = name[:-4].rstrip("_")
        return f"; state in 8 bits is an option of each element-wise rule's: thalweg.torch.{own}(params, state_dtype='int8')"
    return ""


def meant(name: str) -> str:
    """Return the end of a message on a name that is none here: the one meant if it is only written otherwise, or the nearest."""
    known = {plain(stage): stage for stage in stages_by_name}
    found = rules[name].name if name in rules else known.get(plain(name))
    return f"; did you mean {found!r}?" if found else instead(name) or nearest(name, [*rules, *stages_by_name])
