"""The optimizers by name: every rule in this folder, with the names that libraries and papers give it."""

from __future__ import annotations

import importlib
import pkgutil
import sys
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
}  # fmt: skip


def _declared(module: ModuleType) -> dict[str, Rule]:
    """Return the rules defined in a module, not those it imports."""
    return {k: v for k, v in vars(module).items() if isinstance(v, Rule) and v.__module__ == module.__name__}


def _package(package: ModuleType) -> dict[str, Rule]:
    found: dict[str, Rule] = {}
    for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        found.update(_declared(importlib.import_module(info.name)))
    return found


class Catalogue(Mapping[str, Rule]):
    """`rules["adam"]`, by name or alias. An unknown name raises KeyError with the nearest known one."""

    def __init__(self, rules: dict[str, Rule]) -> None:
        self._rules = dict(sorted(rules.items()))

    def __getitem__(self, name: str) -> Rule:
        plain = str(name).lower().replace("-", "_").replace(" ", "_")
        found = self._rules.get(ALIASES.get(plain, plain))
        if found is None:
            raise KeyError(f"no optimizer is called {name!r}{nearest(plain, [*self._rules, *ALIASES])}")
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._rules)

    def __len__(self) -> int:
        return len(self._rules)

    def __repr__(self) -> str:
        return f"<{len(self)} optimizers: {', '.join(self)}>"


_places = _package(stages)
_methods = _package(sys.modules[__name__])
rules = Catalogue({name: method for name, method in _methods.items() if method.lr is not None})
stages_by_name = {**_places, **{name: method for name, method in _methods.items() if method.lr is None}}

_IN_FRONT = {name for module in (around, ascend, clip, filter, project) for name in _declared(module)}
"""The stages that stand before a rule."""


def joined(name: str, stage: T, rule: T) -> tuple[T, T]:
    """Return a stage, known by its name, and a rule in the order in which a chain has them."""
    return (stage, rule) if name in _IN_FRONT else (rule, stage)


_MUON = ("Muon is for matrices, and has another rule for the rest:", "choose((is_matrix, muon()), otherwise=adamw().at(lr=1e-3))")
_JOINED = {
    **dict.fromkeys(("muonwithadamw", "muonadamw", "muonwithauxadam", "singledevicemuonwithauxadam"), _MUON),
    "ema": ("an average of the weights is a stage, joined with a rule:", "adam(), average(0.999)"),
    "gradientaccumulation": ("accumulation goes around a rule:", "every(4, adam())"),
}
"""Optimizers of other libraries that are a combination here: a description, and what to write."""


def instead(name: str) -> str:
    """Return the end of a message on an unknown name: the combination to write, or the nearest optimizer."""
    plain = name.lower().replace("_", "")
    if plain in _JOINED:
        said, inside = _JOINED[plain]
        return f"; {said} Optimizer(params, {inside if inside.startswith('every') else f'chain({inside})'})"
    for stage in stages_by_name:
        word = stage.replace("_", "")
        rest = plain.replace(word, "", 1) if word in plain else None
        rule = next((rule for rule in rules if rule.replace("_", "") == (rest or "sgd")), None)
        if rest is not None and rule is not None:
            parts = ", ".join(joined(stage, f"{stage}()", f"{rule}()"))
            return f"; {stage} is a stage, joined with a rule: Optimizer(params, chain({parts}))"
    if plain.endswith("8bit") and plain.removesuffix("8bit") in rules:
        plain = name[:-4].rstrip("_")
        return f"; state in 8 bits is an option of each element-wise rule's: thalweg.torch.{plain}(params, state_dtype='int8')"
    return ""
