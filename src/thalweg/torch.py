"""PyTorch optimizers made from the rules: change one import, and keep checkpoints, schedulers, hooks and trainers.

For what `torch.optim` has, a class here *is* torch's class (its arguments, defaults, errors, state and checkpoints) with
another step: dense tensors on the CPU go through the kernel printed from our rule, without a copy; what that cannot do
(other devices, sparse or complex gradients, `differentiable`, `capturable`, inside `torch.compile`) is left to torch's.
For every other rule, and any chain, there is a class made from its signature: `of(rule)`, `Optimizer`. What `torch.optim`
has besides (`lr_scheduler`, ...) is torch's own, handed through, and so is `LBFGS`, of which a step is many of ours: that
is `of(thalweg.lbfgs)`. A name in torch's spelling is torch's optimizer, also where a rule has the same name.
"""

from __future__ import annotations

import functools
import inspect
import operator
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch

from thalweg import dialects, trace
from thalweg.catalogue import ALIASES, rules
from thalweg.compose import as_stage, check_lr
from thalweg.dialects import Row
from thalweg.engines.torch_hessian import hutchinson
from thalweg.hyper import ByLeaf, bind, nearest
from thalweg.numpy import class_name
from thalweg.rule import Rule
from thalweg.rule_stage import AfterStage
from thalweg.stage import Stage
from thalweg.torch_face import Face, check_shape
from thalweg.torch_groups import STORAGE, STORAGE_PARAMETERS, Group, Method
from thalweg.torch_kernels import TRITON_DEVICES as TRITON_DEVICES
from thalweg.torch_tensors import Tensor, curvature, gradient_of, like, loss_number, put, real
from thalweg.views import in_parts

__all__ = ["Optimizer", "hutchinson", "of"]


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
        while getattr(step, "hooked", False):  # its hooks have been called around ours
            step = step.__wrapped__
        step(self)

    known, row = inspect.signature(theirs.__init__), dialects.TORCH[name]
    ours = STORAGE_PARAMETERS if row.kernel else []
    __init__.__signature__ = known.replace(parameters=[*known.parameters.values(), *ours])  # type: ignore[attr-defined]
    doc = f"""torch.optim.{name}, its step computed by the kernel that thalweg prints from the rule.

    rounding, state_dtype: how parameters and state are kept, see `thalweg.storage.Storage`.

    {theirs.__doc__ or ""}"""
    body = {"_row": row, "__init__": __init__, "_otherwise": _otherwise, "__doc__": doc, "__module__": __name__}
    return type(name, (Face, theirs), body)


# every other rule, and chains


class Optimizer(Face):
    """Any rule or chain over the parameters of a torch model.

    params: tensors, (name, tensor) pairs, or parameter groups. rule: a rule, stage or chain. lr: a number, a 1-element
    tensor or a schedule of t = 1, 2, ...; by default the rule's own. seed: for rules that draw.
    Its state is called as the rule calls its memory, beside "step". Raises TypeError or ValueError for what does not fit.
    """

    _rule: Rule | None = None

    def __init__(self, params: Any, rule: Any, lr: Any = None, *, seed: Any = 0, **storage: str) -> None:
        stage = as_stage(rule)
        lr = stage.lr if lr is None else lr
        if lr is None:
            raise ValueError(f"{stage.name} has no learning rate of its own; write Optimizer(..., lr=0.01)")
        self._row = Row(functools.partial(_fixed, stage))
        self._set_up(params, {"lr": lr}, seed, storage)

    def _set_up(self, params: Any, defaults: dict[str, Any], seed: Any, storage: dict[str, str]) -> None:
        self._seed = seed
        self._check(defaults)
        super().__init__(params, defaults)
        self._keep_as(storage)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group; what it says of its own is checked."""
        self._check(param_group)
        super().add_param_group(param_group)

    def _check(self, group: Group) -> None:
        who = type(self).__name__
        for key, value in group.items():
            if key == "lr" and not isinstance(value, Tensor):
                check_lr(value, who)
            elif self._rule is not None and key in self._rule.hyper and not isinstance(value, Tensor):
                self._rule.hyper[key].check(value, who)
        decay = group.get("weight_decay")
        if decay and (self._rule is None or "weight_decay" not in self._rule.hyper):  # trainers put it into every group
            warnings.warn(
                f"{who} has no weight_decay and leaves out the group's {decay}; "
                "let a chain have it: Optimizer(params, chain(rule(), decay(...)))",
                stacklevel=2,
            )

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """torch's, which rounds state to the parameters' dtype; what has a dtype of its own, as one number a tensor, keeps it."""
        super().load_state_dict(state_dict)
        for group, saved in zip(self.param_groups, state_dict["param_groups"], strict=True):
            method = Method(self._row, group, self._seed)
            for p, index in zip(group["params"], saved["params"], strict=True):
                kept = state_dict["state"].get(index, {})
                for passage, slot, key in method.memory("0", p):
                    kind = passage.stage.memory[slot]
                    if key in kept and (kind.kind == "per_tensor" or kind.dtype):
                        self.state[p][key] = torch.as_tensor(kept[key], device=p.device).clone()

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One update. closure: zeroes the gradients, evaluates the model, goes backward and returns the loss."""
        if any("looked_at" in state for state in self.state.values()):
            raise RuntimeError("the parameters are those to ship; call .train() before the next step")
        return super().step(closure)

    @torch.no_grad()
    def eval(self) -> None:
        """Put the point to ship into the parameters (an average, the walked point), until `train()`."""
        for group in self.param_groups:
            method = Method(self._row, group, self._seed)
            for name, p in ((str(i), p) for i, p in enumerate(group["params"])):
                state = self.state.get(p, {})
                shipped = [
                    key for passage, slot, key in method.memory(name, p) if slot == "x" and isinstance(passage.stage, AfterStage)
                ]
                key = shipped[-1] if shipped else "walked"
                if key in state and "looked_at" not in state:
                    state["looked_at"] = p.detach().clone()
                    p.copy_(state[key])

    @torch.no_grad()
    def train(self) -> None:
        """Put the points where gradients are taken back into the parameters."""
        for p, state in self.state.items():
            if "looked_at" in state:
                p.copy_(state.pop("looked_at"))

    def _compiles(self) -> bool:
        return False

    def _asks_itself(self) -> bool:
        if "_several" not in self.__dict__:
            self.__dict__["_several"] = Method(self._row, self.param_groups[0], self._seed).pure.asks_gradients
        several: bool = self.__dict__["_several"]
        return several

    def __getstate__(self) -> dict[str, Any]:
        """What a copy or a pickle takes along: torch's own, and what the stages are made from."""
        mine = {name: self.__dict__[name] for name in ("_row", "_seed") if name in self.__dict__}
        return {**super().__getstate__(), **mine}

    def _around(self, closure: Callable[[], Any]) -> Any:
        if len(self.param_groups) > 1:
            raise ValueError("a method that looks at several points of the whole model takes one parameter group")
        params = self.param_groups[0]["params"]
        losses: list[Any] = []

        def ask(points: dict[str, Tensor]) -> tuple[float, dict[str, Tensor]]:
            with torch.no_grad():
                for p, point in zip(params, points.values(), strict=True):
                    p.copy_(like(point, p))
            with torch.enable_grad():
                losses.append(closure())
            return loss_number(losses[-1]), {name: real(gradient_of(p)) for name, p in zip(points, params, strict=True)}

        start = [p.detach().clone() for p in params]
        self._by_functions(self.param_groups[0], params, None, start, ask)
        return losses[0]

    def _otherwise(self, loss: Any) -> None:
        if self._asks_itself():
            raise TypeError("this method asks for gradients itself: step(closure), with a closure that goes backward")
        for group, params in self._lots():
            for p in params:
                if gradient_of(p).is_sparse:
                    raise RuntimeError(f"{type(self).__name__} does not support sparse gradients")
            if params:
                self._by_functions(group, params, loss, [p.detach() for p in params])

    def _lots(self) -> list[tuple[Group, list[Tensor]]]:
        """The parameters that have gradients, group by group; in one lot where the method looks at the whole model."""
        lots = [(group, [p for p in group["params"] if p.grad is not None]) for group in self.param_groups]
        owners = [group for group, params in lots for _ in params]
        if len(lots) == 1 or not owners:
            return lots
        pure = Method(self._row, owners[0], self._seed).pure
        if "gnorm" not in pure.asks and not any(trace.of(part).whole for part in pure.chain.functions):
            return lots
        return [(_joined(owners), [p for _, params in lots for p in params])]

    def _by_functions(
        self, group: Group, params: list[Tensor], loss: Any, points: list[Tensor], grad_fn: Callable[..., Any] | None = None
    ) -> None:
        """The pure step from these points, on torch's tensors; its results are copied into parameters and state."""
        method = Method(self._row, group, self._seed)
        names = [str(i) for i in range(len(params))]
        here = {name: real(point) for name, point in zip(names, points, strict=True)}
        gradients = None if grad_fn else {name: real(gradient_of(p)) for name, p in zip(names, params, strict=True)}
        with in_parts(name for name, p in zip(names, params, strict=True) if p.is_complex()):
            moved, state, keys = self._stepped(method, params, here, gradients, loss, grad_fn)
        with torch.no_grad():
            for name, p in zip(names, params, strict=True):
                p.copy_(like(moved[name], p))
            self._scatter(state, keys, dict(zip(names, params, strict=True)))

    def _stepped(
        self, method: Method, params: list[Tensor], here: dict[str, Tensor], gradients: Any, loss: Any, grad_fn: Any
    ) -> tuple[dict[str, Tensor], Any, dict[tuple[str, ...], str]]:
        """Where the parameters go, the state then, and what each of its slots is called in torch's."""
        state, keys = self._gathered(method, params, here)
        given = {} if "loss" not in method.pure.asks or grad_fn else {"loss": self._loss_number(loss, method.pure)}
        if "curvature" in method.pure.asks:
            given["curvature"] = {name: curvature(p, type(self).__name__) for name, p in zip(here, params, strict=True)}
        moved, state = method.pure.step(here, gradients, state, grad_fn=grad_fn, **given)
        return moved, state, keys

    def _gathered(self, method: Method, params: list[Tensor], here: dict[str, Tensor]) -> tuple[Any, dict[tuple[str, ...], str]]:
        """The pure optimizer's state, from torch's, and what each slot is called there."""
        state = method.pure.init(here)
        keys: dict[tuple[str, ...], str] = {}
        for p, name in zip(params, here, strict=True):
            mine = self.state[p]
            for passage, slot, key in method.memory(name, p):
                keys[(*passage.path, slot)] = key
                place = functools.reduce(operator.getitem, passage.path, state["memory"])
                if passage.stage.memory[slot].kind == "per_model":
                    place[slot] = self.state[params[0]].get(key, place[slot])
                elif key in mine:
                    if isinstance(mine[key], Tensor):
                        check_shape(self, name, key, real(mine[key]), tuple(place[slot][name].shape))
                    place[slot][name] = real(mine[key])
            state["t"][name] = self._updates(p)
            if "walked" in state and "walked" in mine:
                state["walked"][name] = real(mine["walked"])
        return state, keys

    def _scatter(self, state: Any, keys: dict[tuple[str, ...], str], params: dict[str, Tensor]) -> None:
        """The pure optimizer's state put into torch's."""
        for name, p in params.items():
            mine = self.state[p]
            self._count(p).fill_(state["t"][name])
            for path, key in keys.items():
                kept = functools.reduce(operator.getitem, path, state["memory"])
                if not isinstance(kept, dict):
                    self.state[params["0"]][key] = float(kept)
                elif name in kept:
                    put(mine, key, like(kept[name], p))
            if "walked" in state:
                put(mine, "walked", like(state["walked"][name], p))


def _joined(owners: Sequence[Group]) -> Group:
    """The groups that the parameters "0", "1", ... belong to as one group, what differs having a value for each of them."""
    joined: Group = {}
    for key, first in owners[0].items():
        if all(key in group for group in owners):
            values = [group[key] for group in owners]
            same = all(v is first or (isinstance(v, int | float | str | tuple) and v == first) for v in values)
            joined[key] = first if same else ByLeaf({str(i): value for i, value in enumerate(values)})
    return joined


def _fixed(stage: Stage, given: Any) -> Stage:
    return stage


@functools.cache
def of(rule: Rule) -> type[Optimizer]:
    """The class for a rule or recipe, the catalogue's or your own: `of(my_rule)(model.parameters(), lr=0.1)`."""

    def stages(given: Any) -> Stage:
        return rule(**{name: given.fixed(name) if h.static else given.or_off(name) for name, h in rule.hyper.items()})

    def __init__(self: Optimizer, params: Any, lr: Any = rule.lr, *hyper: Any, seed: Any = 0, **named: Any) -> None:
        storage = {name: named.pop(name) for name in STORAGE if name in named}
        config = bind(type(self).__name__, rule.hyper, hyper, named)
        if lr is None:
            raise ValueError(f"{rule.name} has no learning rate of its own; write lr=0.01")
        self._set_up(params, {"lr": lr, **config}, seed, storage)

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
        {"__init__": __init__, "__doc__": rule.doc, "__module__": __name__, "_rule": rule, "_row": Row(stages)},
    )
    made.__signature__ = signature  # type: ignore[attr-defined]
    return made


def __getattr__(name: str) -> Any:
    theirs = {known.lower(): known for known in dialects.TORCH}
    ours = {rule.replace("_", ""): rule for rule in rules} | {alias.replace("_", ""): rule for alias, rule in ALIASES.items()}
    plain = name.lower()
    if plain in theirs:
        return _shared(theirs[plain])
    if not name.startswith("_") and (plain not in ours or name[0].isupper()) and hasattr(torch.optim, name):
        return getattr(torch.optim, name)  # LBFGS, lr_scheduler, ...: torch's own, so that one import is all that changes
    if name.startswith("_") or plain not in ours:
        raise AttributeError(f"thalweg.torch has no optimizer '{name}'{nearest(name, __dir__())}")
    return of(rules[ours[plain]])


def __dir__() -> list[str]:
    shared = {known.lower() for known in dialects.TORCH}
    others = [class_name(rule) for rule in rules.values() if class_name(rule).lower() not in shared]
    return sorted({*__all__, *dialects.TORCH, *others})
