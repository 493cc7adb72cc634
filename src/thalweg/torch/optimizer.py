"""The optimizer of any rule or chain over a torch model's parameters; the base class of the rules' classes."""

from __future__ import annotations

import functools
import itertools
import warnings
from collections.abc import Callable, Collection, Iterator
from typing import Any

import numpy as np
import torch
from torch.nn.parameter import is_lazy

from thalweg.core.compose import Every
from thalweg.core.regroup import hyper_of, twice
from thalweg.core.stage import Stage, as_stage, check_lr
from thalweg.dialects import Row
from thalweg.form.hyper import nearest, split_all
from thalweg.rule import Rule
from thalweg.torch.around import check_groups, stepped_around
from thalweg.torch.before import check_tensors, check_writable, is_in_state, states_of
from thalweg.torch.checkpoints.checks import Taker, check_shapes, merged, without_schedules
from thalweg.torch.face import Face
from thalweg.torch.groups import FIRST, STORAGE, ConfiguredGroup, Group, Members
from thalweg.torch.ledger import Keepers, Ledger, follow, keepers
from thalweg.torch.lots import Lot, draws, goes_together, lots
from thalweg.torch.names import asked_in_vain, asks_names, names_of
from thalweg.torch.regroup import TORCHS, has_rates, regrouped
from thalweg.torch.tensors import Tensor, same_numbers
from thalweg.values.symbols import PER_TENSOR


class Optimizer(Face):
    """Any rule or chain over the parameters of a torch model.

    The state of a parameter has "step" and the rule's memory under its own names.

    Parameters
    ----------
    params : iterable or Module
        Tensors, (name, tensor) pairs, or parameter groups; of a model, its named parameters.
    rule : Rule or Stage
        A rule, a configured stage or a chain.
    lr : float, Tensor or callable, optional
        A number, a 1-element tensor or a schedule of t = 1, 2, .... Default: the rule's own.
    seed : int
        Seed of the rules that draw.
    rounding, state_dtype : str
        How parameters and state are stored: see `thalweg.graph.storage.Storage`.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit.

    Examples
    --------
    >>> optimizer = Optimizer(model.parameters(), chain(clip(1.0), adam()), lr=1e-3)
    >>> optimizer.step()
    """

    __module__ = "thalweg.torch"
    _rule: Rule | None = None

    def __init__(self, params: Any, rule: Any, lr: Any = None, *, seed: Any = 0, **storage: str) -> None:
        stage = as_stage(rule)
        lr = stage.lr if lr is None else lr
        if lr is None:
            raise ValueError(f"{stage.name} has no learning rate of its own; write Optimizer(..., lr=0.01)")
        self._row = Row(functools.partial(regrouped, stage))
        self._set_up(params, stage, {"lr": lr}, seed, storage)

    def _set_up(self, params: Any, stage: Stage, defaults: dict[str, Any], seed: Any, storage: dict[str, str]) -> None:
        params = params.named_parameters() if isinstance(params, torch.nn.Module) else params
        seed = int(seed) if isinstance(seed, np.integer) else seed  # because checkpoints hold it
        self._stage, self._seed = stage, seed
        self._check(defaults)
        if draws(stage):
            defaults = {**defaults, "seed": seed}
        super().__init__(params, defaults)
        self._keep_as(storage)

    @property
    def who(self) -> str:
        """The optimizer's name in messages."""
        return f"Optimizer({self._stage.name})" if self._rule is None and "_stage" in self.__dict__ else type(self).__name__

    def __repr__(self) -> str:
        """Return torch's repr with the rule and its options."""
        mine = f"Optimizer({self._stage!r})" if self._rule is None else self.who
        return super().__repr__().replace(type(self).__name__, mine, 1)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a parameter group. Its values are checked; a group that is refused leaves the optimizer unchanged."""
        param_group = split_all(param_group) if isinstance(param_group, dict) else param_group
        self._check(param_group if isinstance(param_group, dict) else {})
        before = len(self.param_groups)
        try:
            super().add_param_group(param_group)
            group = self.param_groups[-1]
            if len(set(group["params"])) < len(group["params"]):
                raise ValueError(f"{self.who}: a parameter is there twice in a group; it would step once, so hand it over once")
            if has_rates(self._stage):
                lr = group["lr"]
                group.setdefault(FIRST, None if callable(lr) else float(lr))
            self.__dict__.pop("_called", None)
            if "param_names" not in group and asks_names(self._stage):
                raise ValueError(f"{self.who} asks for parameters' names, and these have none; hand it model.named_parameters()")
            params, names = group["params"], self._named(group["params"])
            lazy = next((name for p, name in zip(params, names, strict=True) if is_lazy(p)), None)
            if lazy is not None:
                raise ValueError(f"{self.who}: parameter '{lazy}' has no shape yet; first run a batch through the lazy model")
            check_shapes(Members(params, names, self._method(group)))
            if "param_names" not in group and (in_vain := asked_in_vain(self._stage, params, names)):
                warnings.warn(
                    f"{self.who}: {' and '.join(in_vain)} reads parameters' names, and these have only their positions, "
                    f"'{names[0]}' and so on, of which none matches; hand it model.named_parameters()",
                    stacklevel=2,
                )
        except BaseException:
            del self.param_groups[before:]
            self.__dict__.pop("_called", None)
            raise

    def _named(self, params: list[Tensor]) -> list[str]:
        there = sum(len(group["params"]) for group in self.param_groups)
        found: dict[Tensor, str] = self.__dict__.get("_called", {})
        if len(found) != there or not all(map(found.__contains__, params)):  # or one was put in another's place
            found = self.__dict__["_called"] = names_of(self.param_groups)
        return [found[p] for p in params]

    def _check(self, group: Group) -> None:
        mine = hyper_of(self._stage) if self._rule is None else self._rule.parts
        for key, value in group.items():
            if key == "lr" and not isinstance(value, Tensor):
                check_lr(value, self.who)
            elif key in mine and (several := [] if self._rule else twice(self._stage, key)):
                raise ValueError(
                    f"{self.who}: a group's '{key}' could be {' or '.join(several)}'s; set it where the chain is made, "
                    "and give these parameters an optimizer of their own or a branch of choose"
                )
            elif key in mine and not isinstance(value, Tensor):
                mine[key].check(value, self.who)
            elif key == "maximize" and value:
                raise ValueError(f"{self.who} minimizes; to maximize, put ascend() first: chain(ascend(), ...)")
        self._check_keys(group)
        decay = group.get("weight_decay")
        if decay and "weight_decay" not in mine:  # trainers put the key into every group
            warnings.warn(
                f"{self.who} has no weight_decay and leaves out the group's {decay}; "
                "let a chain have it: Optimizer(params, chain(rule(), decay(...)))",
                stacklevel=2,
            )

    def _check_keys(self, group: Group) -> None:
        """Raise TypeError for a key that belongs to no stage and that neither torch nor trainers write, ValueError for a flag."""
        if group.get("differentiable"):
            raise ValueError(f"{self.who} has no differentiable steps; leave out the group's differentiable")
        mine = hyper_of(self._stage) if self._rule is None else self._rule.parts
        known = {*mine, *TORCHS, *STORAGE, FIRST, "seed", "weight_decay", "maximize"}
        for key in group:
            if key not in known and not key.startswith("_"):
                have = f"it has {', '.join(mine)}" if mine else "it has none"
                raise TypeError(f"{self.who} has no hyper-parameter '{key}' that a group could set; {have}{nearest(key, mine)}")

    def _check_all_there(self, group: Group) -> None:
        """Raise KeyError if a key was taken out of a group."""
        for key in ("lr", *(self._rule.parts if self._rule is not None else ())):
            if key not in group:
                raise KeyError(f"{self.who}: a parameter group lacks '{key}'; write its value into the group")

    def state_dict(self) -> dict[str, Any]:
        """Return torch's state dict, with None for schedules; loading it keeps the optimizer's own schedules."""
        return without_schedules(super().state_dict())

    def _check_checkpoint(self, found: dict[str, Any]) -> None:
        hyper = {} if self._rule is None else self._rule.parts
        params = [p for group in self.param_groups for p in group["params"]]
        names = dict(zip(params, self._named(params), strict=True))
        taker = Taker(self.who, self._stage, hyper, self._row, self._seed, names)
        groups = taker.groups(self.param_groups, found)
        taker.check_states(groups, {key for _, key in self._keepers().values()}, found)
        self.__dict__["_before"] = list(self.param_groups)

    def _loaded(self, found: dict[str, Any]) -> None:
        """Undo torch's cast of state to the parameters' dtype for slots with their own dtype, such as one number per tensor."""
        super()._loaded(found)
        for group, mine, saved in zip(self.param_groups, self.__dict__.pop("_before"), found["param_groups"], strict=True):
            now = merged(mine, group)
            group.clear()
            group.update(now)
            method = self._method(group)
            for p, name, index in zip(group["params"], self._named(group["params"]), saved["params"], strict=True):
                kept = found["state"].get(index, {})
                for passage, slot, key in method.memory(name, p):
                    kind = passage.stage.memory[slot]
                    number = kind.level == PER_TENSOR or (kind.of_model and isinstance(kept.get(key), Tensor))
                    if key in kept and (number or (kind.dtype and not kind.of_model)):
                        self.state[p][key] = torch.as_tensor(kept[key], device=p.device).clone()
        if "seed" in self.param_groups[0]:
            self._seed = self.defaults["seed"] = self.param_groups[0]["seed"]

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Make one update.

        Parameters
        ----------
        closure : callable, optional
            Zeroes the gradients, evaluates the model, runs the backward pass and returns the loss.

        Returns
        -------
        loss
            What the closure returned first; None without a closure.
        """
        if is_in_state(self, "looked_at"):
            raise RuntimeError("the parameters are those to ship; call .train() before the next step")
        keys = list(map(tuple, self.param_groups))
        if keys != self.__dict__.get("_keys"):  # some were added or taken out since the last step
            for group in self.param_groups:
                self._check_keys(group)
                self._check_all_there(group)
            self.__dict__["_keys"] = keys
        if closure is None and not self.state and self._is_asked_for_state():
            for lot in self._lots(self._wanted()):
                lot.begin()
                lot.put()
            return None
        return super().step(closure)

    def _is_asked_for_state(self) -> bool:
        """Whether this is a step that moves nothing, which torch.distributed.checkpoint takes to create the state.

        Only for rules that cannot take such a step because they ask for a loss, the curvature or several gradients.
        """
        asks = self._first().pure
        if not (asks.asks & {"loss", "curvature"} or asks.asks_gradients):
            return False
        if any(callable(group["lr"]) or float(group["lr"]) != 0 for group in self.param_groups):
            return False
        gradients = [p.grad for params in self._wanted() for p in params]
        return bool(gradients) and all(g is not None and not bool(g.any()) for g in gradients)

    @torch.no_grad()
    def eval(self) -> None:
        """Put the point to ship (an average, the updated iterate) into the parameters, until `train()`."""
        for p, state, key in self._shipped():
            if "looked_at" not in state:
                state["looked_at"] = p.detach().clone()
                p.copy_(state[key])

    def _shipped(self) -> Iterator[tuple[Tensor, dict[str, Any], str]]:
        """Yield the parameters with a point to ship, their states, and its key."""
        for group in self.param_groups:
            method = self._method(group)
            for name, p in zip(self._named(group["params"]), group["params"], strict=True):
                shipped = [key for passage, slot, key in method.memory(name, p) if slot == passage.stage.declaration.shipped]
                key = shipped[-1] if shipped else "walked"
                if key in self.state.get(p, {}):
                    yield p, self.state[p], key

    @torch.no_grad()
    def train(self) -> None:
        """Put the points at which gradients are taken back into the parameters. Warns if these were written since `eval()`."""
        if any("looked_at" in state and not same_numbers(p, state[key]) for p, state, key in self._shipped()):
            warnings.warn(
                f"{self.who}: parameters were written between eval() and train(), which puts the points of training back; "
                "call train() first, and load the optimizer's state with the parameters",
                stacklevel=3,
            )
        for p, state in states_of(self):
            if "looked_at" in state:
                p.copy_(state.pop("looked_at"))

    def _compiles(self) -> bool:
        return False

    def _asks_itself(self) -> bool:
        if "_several" not in self.__dict__:
            self.__dict__["_several"] = ConfiguredGroup(
                self._row, self.param_groups[0], self._seed, self.state
            ).pure.asks_gradients
        several: bool = self.__dict__["_several"]
        return several

    def _first(self) -> ConfiguredGroup:
        return self._method(self.param_groups[0])

    def _kernels_may(self) -> bool:
        return not self._stage.outermost and super()._kernels_may()  # `every` sums gradients between steps

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy or a pickle needs: torch's part, and what the stages are made from."""
        mine: dict[str, Any] = {name: self.__dict__[name] for name in ("_row", "_seed", "_stage") if name in self.__dict__}
        return {**super().__getstate__(), **mine}

    def _wanted(self) -> list[list[Tensor]]:
        """Return the parameters of each group that step: those with gradients.

        When gradients are accumulated over several steps, a trainable parameter without a gradient counts as missing one.
        """
        wanted = [[p for p in group["params"] if p.grad is not None] for group in self.param_groups]
        if any(wanted) and isinstance(self._stage, Every):
            return [[p for p in group["params"] if p.requires_grad or p.grad is not None] for group in self.param_groups]
        return wanted

    def _around(self, closure: Callable[[], Any]) -> Any:
        if len(self.param_groups) > 1:
            check_groups(self._first().pure, self.param_groups)
        check_writable(self, (p for group in self.param_groups for p in group["params"] if p.requires_grad))
        return stepped_around(self.param_groups, self._lots, closure)

    def _lots(self, wanted: list[list[Tensor]]) -> list[Lot]:
        """Return the wanted parameters of each group, ready for a step by the pure functions."""
        chosen = [(group, params) for group, params in zip(self.param_groups, wanted, strict=True) if params]
        return lots(list(self._members(chosen)), self._ledger()) if chosen else []

    def _keepers(self) -> Keepers:
        return keepers(self._stage, self._members())

    def _ledger(self) -> Ledger:
        found = super()._ledger()
        follow(found.keepers, self.state)
        return found

    def _apart(self) -> bool:
        return not (self._stores() or goes_together(self._first().pure))

    def _computed(self, params: Collection[Tensor], loss: Any) -> list[Lot]:
        wanted = [[p for p in own if p in params] for own in self._wanted()]
        check_tensors(self, list(itertools.chain(*wanted)))
        return self._stepped(wanted, loss)

    def _stepped(self, wanted: list[list[Tensor]], loss: Any) -> list[Lot]:
        """Return the computed steps, by the pure functions, of these parameters of each group."""
        found = self._lots(wanted)
        for lot in found:
            lot.step({name: p.detach() for name, p in lot.params.items()}, loss)
        return found

    def _otherwise(self, loss: Any) -> None:
        if self._asks_itself():
            raise TypeError("this method asks for gradients itself: step(closure), with a closure that goes backward")
        for lot in self._stepped(self._wanted(), loss):
            lot.put()
