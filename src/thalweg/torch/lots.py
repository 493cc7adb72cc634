"""Steps of torch's parameters by the pure functions: what is in torch's state goes in, and is put back when all is computed."""

from __future__ import annotations

import functools
import operator
from typing import Any, TypeAlias

import torch

from thalweg.core.leaf import in_parts
from thalweg.core.stage import Stage
from thalweg.torch.groups import Group, joined
from thalweg.torch.tensors import Tensor, check_shape, curvature, like, put, real

Optimizer: TypeAlias = Any
"""A `thalweg.torch.Optimizer`, which the stub shows only from outside."""

Path = tuple[str, ...]
Keepers = dict[Path, tuple[Tensor, str]]
"""Where the state has each number of the whole model: with which parameter, and what it is called."""


def _at(tree: Any, path: Path) -> Any:
    return functools.reduce(operator.getitem, path, tree)


def keepers(optimizer: Optimizer) -> Keepers:
    """Where the state has each number of the whole model: with the first parameter that passes its stage, and what it is called.

    Whoever has a gradient this time, and whatever groups there are, it is this one.
    """
    found: Keepers = {}
    stage = getattr(optimizer, "_stage", None)  # torch's own classes have no such number
    declared = [kind for f in stage.functions for kind in f.declaration.memory.values()] if stage else []
    if not any(kind.kind == "per_model" for kind in declared):
        return found
    for group in optimizer.param_groups:
        method = optimizer._method(group)
        wanted = sum(kind.kind == "per_model" for kind in method.pure.chain.memory.values())
        for p, name in zip(group["params"], optimizer._named(group["params"]) if wanted else (), strict=False):
            if len(found) >= wanted:
                break
            for passage, slot, key in method.memory(name, p):
                if passage.stage.memory[slot].kind == "per_model":
                    found.setdefault((*passage.path, slot), (p, key))
    return found


def draws(stage: Stage) -> bool:
    """Whether its numbers depend on the seed."""
    return bool(stage.asks & {"noise", "curvature"}) or any(kind.kind == "gaussian" for kind in stage.memory.values())


def lots(optimizer: Optimizer, wanted: list[list[Tensor]]) -> list[Lot]:
    """The parameters wanted of each group, group by group; in one lot where the method looks at the whole model."""
    whose = {p: group for group, params in zip(optimizer.param_groups, wanted, strict=True) for p in params}
    if not whose:
        return []
    groups = [(group, params) for group, params in zip(optimizer.param_groups, wanted, strict=True) if params]
    if len(groups) > 1:
        pure = optimizer._method(groups[0][0]).pure
        models = any(kind.kind == "per_model" for kind in pure.chain.memory.values())
        if models or pure.asks_gradients or "gnorm" in pure.asks or any(part.trace.whole for part in pure.chain.functions):
            groups = [(joined({optimizer._names[p]: group for p, group in whose.items()}), list(whose))]
    numbers = keepers(optimizer)
    return [Lot(optimizer, group, params, numbers) for group, params in groups]


class Lot:
    """Parameters that take a step together."""

    def __init__(self, optimizer: Optimizer, group: Group, params: list[Tensor], numbers: Keepers) -> None:
        self.optimizer, self.numbers = optimizer, numbers
        self.method = optimizer._method(group)
        self.params = {optimizer._names[p]: p for p in params}
        self.keys: dict[Path, str] = {}
        self.first = optimizer.param_groups[0]["params"][0]

    def begin(self) -> None:
        """Only have the state, as it is before the first step."""
        here = {name: real(p.detach()) for name, p in self.params.items()}
        with self._in_parts():
            self.moved, self.state = {name: p.detach() for name, p in here.items()}, self._gathered(here)

    def step(self, points: dict[str, Tensor], loss: Any, grad_fn: Any = None) -> None:
        """Work out a step from these points; nothing is written yet."""
        pure = self.method.pure
        here = {name: real(point) for name, point in points.items()}
        gradients = None if grad_fn else {name: None if p.grad is None else real(p.grad) for name, p in self.params.items()}
        with self._in_parts():
            state = self._gathered(here)
            given = {} if "loss" not in pure.asks or grad_fn else {"loss": self.optimizer._loss_number(loss, pure)}
            if "curvature" in pure.asks:
                who = type(self.optimizer).__name__
                given["curvature"] = {name: curvature(p, who) for name, p in self.params.items()}
            self.moved, self.state = pure.step(here, gradients, state, grad_fn=grad_fn, **given)

    @torch.no_grad()
    def put(self) -> None:
        """Write what was worked out into parameters and state."""
        for name, p in self.params.items():
            mine = self.optimizer.state[p]
            p.copy_(like(self.moved[name], p))
            self.optimizer._count(p).fill_(self.state["t"][name])
            for path, key in self.keys.items():
                kept = _at(self.state["memory"], path)
                if path not in self.numbers and name in kept:
                    put(mine, key, like(kept[name], p))
            for word in ("walked", "accumulated"):
                if word in self.state:
                    put(mine, word, like(self.state[word][name], p))
        for path, (p, key) in self.numbers.items():
            if path in self.keys:
                self.optimizer.state[p][key] = float(_at(self.state["memory"], path))
        if "calls" in self.state:
            self.optimizer.state[self.first]["calls"] = self.state["calls"]

    def _in_parts(self) -> Any:
        return in_parts(name for name, p in self.params.items() if p.is_complex())

    def _gathered(self, here: dict[str, Tensor]) -> Any:
        """The pure optimizer's state, from torch's; `keys` gets what each slot is called there."""
        state = self.method.pure.init(here)
        for name, p in self.params.items():
            mine = self.optimizer.state.get(p, {})
            for passage, slot, key in self.method.memory(name, p):
                path = (*passage.path, slot)
                self.keys[path] = key
                place = _at(state["memory"], passage.path)
                if path in self.numbers:
                    keeper, key = self.numbers[path]
                    place[slot] = self.optimizer.state.get(keeper, {}).get(key, place[slot])
                elif key in mine:
                    if isinstance(mine[key], Tensor):
                        check_shape(self.optimizer, name, key, real(mine[key]), tuple(place[slot][name].shape))
                    place[slot][name] = real(mine[key])
            state["t"][name] = self.optimizer._updates(p)
            for word in ("walked", "accumulated"):
                if word in state and word in mine:
                    state[word][name] = real(mine[word])
        if "calls" in state:
            state["calls"] = self.optimizer.state.get(self.first, {}).get("calls", 0)
        return state
