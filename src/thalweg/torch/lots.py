"""Steps of torch's parameters by the pure functions: read from torch's state, written back after all is computed."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from typing import Any

import torch

from thalweg.core.leaf import in_parts
from thalweg.core.optimizer import Optimizer as Pure
from thalweg.core.stage import Stage
from thalweg.torch.groups import ConfiguredGroup, Members, joined
from thalweg.torch.ledger import CALLS, Ledger
from thalweg.torch.tensors import Tensor, check_shape, curvature, like, put_all, real

Path = tuple[str, ...]


def _at(tree: Any, path: Path) -> Any:
    return functools.reduce(operator.getitem, path, tree)


def draws(stage: Stage) -> bool:
    """Whether a stage's numbers depend on the seed."""
    return bool(stage.asks & {"noise", "curvature"}) or any(kind.drawn for kind in stage.memory.values())


def lots(members: Sequence[Members], ledger: Ledger) -> list[Lot]:
    """Return the parameters of each group ready for a step; as one lot if the method reads the whole model."""
    if len(members) > 1 and goes_together(members[0].method.pure):
        group = joined({name: own.group for own in members for name in own.names})
        params, names = [p for own in members for p in own.params], [name for own in members for name in own.names]
        members = [Members(params, names, ConfiguredGroup(ledger.row, group, members[0].method.seed, ledger.state))]
    return [Lot(own, ledger) for own in members]


def goes_together(pure: Pure) -> bool:
    """Whether a method reads more than one tensor at a time."""
    models = any(kind.of_model for kind in pure.chain.memory.values())
    return (
        models
        or pure.asks_gradients
        or "gnorm" in pure.asks
        or any(part.trace.needs_whole_model for part in pure.chain.functions)
    )


class Lot:
    """Parameters that step together."""

    def __init__(self, members: Members, ledger: Ledger) -> None:
        self.method, self.ledger = members.method, ledger
        self.params = dict(zip(members.names, members.params, strict=True))
        self.keys: dict[Path, str] = {}

    def begin(self) -> None:
        """Create the state as it is before the first step."""
        here = {name: real(p.detach()) for name, p in self.params.items()}
        with self._in_parts():
            self.moved, self.state = {name: p.detach() for name, p in here.items()}, self._gathered(here)

    def step(self, points: dict[str, Tensor], loss: Any, grad_fn: Any = None) -> None:
        """Compute a step from these points without writing it. Raises RuntimeError for sparse gradients."""
        if grad_fn is None and any(p.grad is not None and p.grad.is_sparse for p in self.params.values()):
            raise RuntimeError(f"{self.ledger.who} does not support sparse gradients")
        pure = self.method.pure
        here = {name: real(point) for name, point in points.items()}
        gradients = None if grad_fn else {name: None if p.grad is None else real(p.grad) for name, p in self.params.items()}
        with self._in_parts():
            state = self._gathered(here)
            given = {} if "loss" not in pure.asks or grad_fn else {"loss": self.method.loss(loss)}
            if "curvature" in pure.asks:
                given["curvature"] = {name: curvature(p, self.ledger.who) for name, p in self.params.items()}
            self.moved, self.state = pure.step(here, gradients, state, grad_fn=grad_fn, **given)

    @torch.no_grad()
    def put(self) -> None:
        """Write the computed step into parameters and state."""
        for name, p in self.params.items():
            new: dict[str, Tensor] = {}
            p.detach().copy_(like(self.moved[name], p))  # its memory stays while it is written, whatever another thread does to p
            self.ledger.count(p).fill_(self.state["t"][name])
            for path, key in self.keys.items():
                kept = _at(self.state["memory"], path)
                if path not in self.ledger.keepers and name in kept:
                    new[key] = like(kept[name], p)
            for word in ("walked", "accumulated"):
                if word in self.state:
                    new[word] = like(self.state[word][name], p)
            put_all(self.ledger.state[p], new)
        for path, (p, key) in self.ledger.keepers.items():
            if path in self.keys:
                self.ledger.state[p][key] = float(_at(self.state["memory"], path))
        if "calls" in self.state:
            first, key = self.ledger.keepers[CALLS]
            self.ledger.state[first][key] = self.state["calls"]

    def _in_parts(self) -> Any:
        return in_parts(name for name, p in self.params.items() if p.is_complex())

    def _gathered(self, here: dict[str, Tensor]) -> Any:
        """Return the pure optimizer's state, read from torch's; `keys` receives each slot's key."""
        state, missing = self.method.pure.frame(), set[tuple[str, Path]]()
        for name, p in self.params.items():
            mine = self.ledger.state.get(p, {})
            for passage, slot, key in self.method.memory(name, p):
                path = (*passage.path, slot)
                self.keys[path] = key
                place = functools.reduce(lambda memory, own: memory.setdefault(own, {}), passage.path, state["memory"])
                keeper, key = self.ledger.keepers.get(path, (p, key))
                there = self.ledger.state.get(keeper, {})
                if key not in there:
                    self.ledger.check_lost(p, name, passage, slot)
                    missing.add((name, ("memory", *path)))
                elif path in self.ledger.keepers:
                    place[slot] = there[key]
                else:
                    if isinstance(mine[key], Tensor):
                        wanted = passage.stage.memory[slot].shape(tuple(here[name].shape))
                        check_shape(self.ledger.who, name, key, real(mine[key]), wanted)
                    place.setdefault(slot, {})[name] = real(mine[key])
            state["t"][name] = self.ledger.updates(p)
            for word in ("walked", "accumulated"):
                if word in state and word in mine:
                    state[word][name] = real(mine[word])
                elif word in state:
                    missing.add((name, (word,)))
        if missing:
            self._begin(state, missing, here)
        if "calls" in state:
            first, key = self.ledger.keepers[CALLS]
            state["calls"] = self.ledger.state.get(first, {}).get(key, 0)
        return state

    def _begin(self, state: Any, missing: set[tuple[str, Path]], here: dict[str, Tensor]) -> None:
        """Give the state the first values of what torch's has not; only then are they made."""
        names = {name for name, _ in missing}
        started = self.method.pure.init({name: x for name, x in here.items() if name in names})
        for name, path in missing:
            first = _at(started, path)
            if isinstance(first, dict):
                begun = self.ledger.started(first[name], self.method, *path[-2:]) if path[0] == "memory" else first[name]
                _at(state, path[:-1]).setdefault(path[-1], {})[name] = begun
