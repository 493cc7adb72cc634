"""The base class of all torch optimizers here: a step made of a row's stages, by kernels if possible."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch.optim.optimizer import _global_optimizer_post_hooks as GLOBAL_AFTER
from torch.optim.optimizer import _global_optimizer_pre_hooks as GLOBAL_BEFORE

from thalweg.dialects import Row
from thalweg.graph.program import NotTraced
from thalweg.graph.storage import Storage
from thalweg.torch.before import Before, check_tensors
from thalweg.torch.groups import DTYPES, STORAGE, ConfiguredGroup, Group, Members, TorchArguments
from thalweg.torch.kernels.alike import Found, NoKernel
from thalweg.torch.kernels.plan import Plan, Without
from thalweg.torch.kernels.quick import DIFFERENTIABLE
from thalweg.torch.ledger import Keepers, Ledger
from thalweg.torch.lots import Lot
from thalweg.torch.places import watched
from thalweg.torch.programs import by_programs
from thalweg.torch.tensors import Tensor
from thalweg.values.symbols import PER_TENSOR

_PROFILED, _RECORDS, _RECORD = torch._C._autograd._profiler_enabled, torch.is_grad_enabled, torch._C._set_grad_enabled


@torch._disable_dynamo  # type: ignore[attr-defined]  # unlike torch.compiler.disable it imports nothing by itself
def _untraced(step: Callable[..., Any], closure: Callable[[], Any] | None) -> Any:
    """Run a step outside torch.compile, which would split the stages' Python into dozens of graphs."""
    return step(closure)


class Face(torch.optim.Optimizer):
    """Base class: a step made of a row's stages, on the state that torch's class keeps."""

    _row: Row
    _seed: Any = 0

    @staticmethod
    def profile_hook_step(func: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap a class's step with hooks and a record for the profiler, as torch's class does, which calls this.

        Torch's own wrapper takes ten microseconds of every step, so it is entered only if there is a hook or a profiler.
        """
        watched_step = torch.optim.Optimizer.profile_hook_step(func)
        plain = func is Face.step  # a subclass may do more in its own

        @functools.wraps(func)
        def wrapped(self: Face, *args: Any, **named: Any) -> Any:
            own = self._optimizer_step_pre_hooks or self._optimizer_step_post_hooks
            if own or GLOBAL_BEFORE or GLOBAL_AFTER or _PROFILED() or torch.compiler.is_compiling():
                return watched_step(self, *args, **named)
            if plain and not args and not named and self._usually():
                return None
            return func(self, *args, **named)

        return wrapped

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Make one update.

        Parameters
        ----------
        closure : callable, optional
            Evaluates the model again and returns the loss, which `step` returns.
        """
        compiling = torch.compiler.is_compiling()
        if compiling and not self._compiles():
            return _untraced(functools.partial(Face.step, self), closure)
        if closure is not None and self._asks_itself():
            return self._around(closure)
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        if compiling:
            self._otherwise(loss)
            return loss
        mine = self.__dict__  # an unpickled optimizer has no lock yet
        with mine.get("_lock") or mine.setdefault("_lock", threading.RLock()):  # of two threads, one waits: no step is lost
            self._step(loss)
        return loss

    def _usually(self) -> bool:
        """Step if nothing but numbers changed since the step before; return False, with nothing done, if not."""
        mine = self.__dict__
        lock = mine.get("_lock")
        if lock is None:
            return False
        with lock:
            plan: Plan | None = mine.pop("_plan", None)  # put back only after the step, so that a failed step leaves none
            if plan is None:
                return False
            records = _RECORDS()
            _RECORD(False)
            try:
                stepped = plan.quick is not None and plan.quick.step(self)
            finally:
                _RECORD(records)
            mine["_plan"] = plan
        return stepped

    def _step(self, loss: Any) -> None:
        """Step by kernels if possible; otherwise by torch's operations."""
        if self._usually():
            return
        if self._kernels_may():
            records = _RECORDS()
            _RECORD(False)  # a fifth of the time of entering and leaving torch.no_grad()
            try:
                if self._by_kernels(loss):
                    return
            finally:
                _RECORD(records)
        self.__dict__.pop("_plan", None)  # the state stays
        check_tensors(self)
        before = Before(self, self._may_break_off())
        try:
            if self._stores():
                with torch.no_grad():
                    self._by_programs(loss)
            else:
                self._otherwise(loss)
        except BaseException:
            before.put_back()
            raise

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Let the gradients go, or with set_to_none=False set them to 0.

        Unless it is profiled it does not record itself, as torch's does, which takes longer than the rest of it.
        """
        if not set_to_none or _PROFILED():
            super().zero_grad(set_to_none)
            return
        for group in self.param_groups:
            for p in group["params"]:
                p.grad = None

    def _otherwise(self, loss: Any) -> None:
        """Step without kernels."""
        raise NotImplementedError

    def _may_break_off(self) -> bool:
        """Whether the step without kernels may raise after it has written in part."""
        return False

    def _compiles(self) -> bool:
        """Whether torch.compile traces the step; torch's own step then runs."""
        return not self._stores()

    def _asks_itself(self) -> bool:
        """Whether the method evaluates the model at points of its own."""
        return False

    def _around(self, closure: Callable[[], Any]) -> Any:
        """Step such a method."""
        raise NotImplementedError

    def _kernels_may(self) -> bool:
        flagged = any(map(DIFFERENTIABLE, self.param_groups))
        unscaled = getattr(self, "found_inf", None) is None
        return self._row.kernel and unscaled and not flagged and not self._asks_itself() and not watched()

    def _by_kernels(self, loss: Any) -> bool:
        """Step all groups by kernels. Returns False, with nothing done, if some group has no kernel.

        The plan is put back only after the step, so that a failed step leaves none.
        """
        plan: Plan | None = self.__dict__.pop("_plan", None)  # a deep copy or an unpickled optimizer starts without a plan
        found = None if plan is None else plan.finds(self.param_groups, self.state)
        if plan is not None and found is not None:
            self._step_planned(plan, found, loss)
            return True
        without: Without | None = self.__dict__.get("_without")
        if without is not None and without.holds(self.param_groups):
            return False
        check_tensors(self)
        before = Before(self)
        try:
            with np.errstate(all="ignore"):
                plan = self._planned(plan)
            found = plan.finds(self.param_groups, self.state)
            if found is None:
                raise NotTraced("what it found is not what it was bound to")
            self._step_planned(plan, found, loss)
        except NotTraced as reason:
            before.put_back()
            if isinstance(reason, NoKernel):
                self.__dict__["_without"] = Without(self._members(), reason)
            return False
        except BaseException:
            before.put_back()
            raise
        return True

    def _planned(self, plan: Plan | None) -> Plan:
        """Return a plan for the tensors with gradients, and for those of the last plan, if these can still be bound."""
        if plan is not None:
            with contextlib.suppress(NotTraced, RuntimeError, ValueError):
                return Plan(self._members(), self._ledger(), plan.params, apart=self._apart())
        return Plan(self._members(), self._ledger(), apart=self._apart())

    def _method(self, group: Group) -> ConfiguredGroup:
        """Return a group's current stages, cached as long as nothing that they depend on changes."""
        known: dict[int, ConfiguredGroup] = self.__dict__.setdefault("_methods", {})
        found = known.get(id(group))
        same = (
            found is not None
            and found.given.group is group
            and found.row is self._row
            and found.seed is self._seed
            and found.states is self.state
        )
        if found is None or not same or not found.given.still_holds():
            found = ConfiguredGroup(self._row, group, self._seed, self.state)
            if any(group is own for own in self.param_groups):
                known[id(group)] = found
        return found

    def _apart(self) -> bool:
        """Whether tensors without kernels may step beside those that have some."""
        return False

    def _step_planned(self, plan: Plan, found: list[Found], loss: Any) -> None:
        losses = [bound.loss(loss) if bound.asks_loss else None for bound in plan.bounds]
        others = self._computed(plan.others, loss) if plan.others else ()
        plan.step(found, losses)
        for lot in others:
            lot.put()
        self.__dict__["_plan"] = plan

    def _computed(self, params: Collection[Tensor], loss: Any) -> Sequence[Lot]:
        """Return the steps, without kernels, of those of these parameters that have gradients; nothing of them is written yet."""
        raise NotImplementedError

    def _by_programs(self, loss: Any) -> None:
        """Interpret the step on tensors; do nothing if a gradient scaler found that it must be skipped."""
        found_inf = getattr(self, "found_inf", None)
        if found_inf is None or not bool(found_inf):
            wanted = [(group, [p for p in group["params"] if p.grad is not None]) for group in self.param_groups]
            by_programs(self._members(wanted), self._ledger(), loss, getattr(self, "grad_scale", None))

    def _members(self, chosen: Iterable[tuple[Group, list[Tensor]]] | None = None) -> Iterator[Members]:
        """Yield parameters with their groups' current stages, group by group; all of them if none are chosen."""
        if chosen is None:
            chosen = ((group, list(group["params"])) for group in self.param_groups)
        for group, params in chosen:
            method = self._method(group)
            yield Members(params, self._named(params), method)

    def _ledger(self) -> Ledger:
        """The current state."""
        return Ledger(self.state, self._row, type(self).__name__, self._keepers())

    def _keepers(self) -> Keepers:
        """The place in the state of each number of the whole model; torch's own classes have none."""
        return {}

    def _named(self, params: list[Tensor]) -> list[str]:
        """Return the names by which the stages know parameters: for their draws and for `choose`."""
        return [str(i) for i in range(len(params))]

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a parameter group. Its storage options are checked; a group that is refused leaves the optimizer unchanged."""
        super().add_param_group(dict(param_group) if isinstance(param_group, dict) else param_group)
        try:
            self._check_storage(self.param_groups[-1])
        except BaseException:
            self.param_groups.pop()
            raise

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load a state. torch's class would cast all of it to the parameters' dtype, which would destroy int8 codes."""
        self.__dict__.pop("_plan", None)  # with all references that it holds
        taken: list[dict[str, Any]] = []

        def take(_: Any, found: dict[str, Any]) -> None:  # runs last, after the caller's own hooks
            self._check_checkpoint(found)
            taken.append(found)

        last = self.register_load_state_dict_pre_hook(take)
        try:
            super().load_state_dict(state_dict)
        finally:
            last.remove()
        self._loaded(taken[0])

    def _check_checkpoint(self, found: dict[str, Any]) -> None:
        """Raise ValueError, before anything changes, if a checkpoint is not for this optimizer."""

    def _loaded(self, found: dict[str, Any]) -> None:
        """Undo torch's cast, to the parameters' dtype, of what is stored in another one, and of one number per tensor."""
        if not (self._stores() or self._row.scalars):
            return
        for own, loaded in zip(self._members(), found["param_groups"], strict=True):
            for p, name, index in zip(own.params, own.names, loaded["params"], strict=True):
                levels = {key: passage.stage.memory[slot].level for passage, slot, key in own.method.memory(name, p)}
                for key, value in found["state"].get(index, {}).items():
                    stored = self._stores() or levels.get(key) == PER_TENSOR
                    if stored and isinstance(value, Tensor) and value.dtype != self.state[p][key].dtype:
                        self.state[p][key] = value.to(self.state[p][key].device, copy=True)

    def _keep_as(self, words: dict[str, str]) -> None:
        """Write the storage options into the defaults and into the groups that set none."""
        if unknown := set(words) - set(STORAGE):
            raise TypeError(f"{type(self).__name__}() got an unexpected keyword argument '{unknown.pop()}'")
        said = {name: value for name, value in words.items() if value != getattr(Storage(), name)}
        self.defaults.update(said)
        for group in self.param_groups:
            for name, value in said.items():
                group.setdefault(name, value)
            self._check_storage(group)

    def _check_storage(self, group: Group) -> None:
        given = TorchArguments(group)
        if not any(name in group for name in STORAGE):
            return
        for p in group["params"]:
            if p.dtype not in DTYPES:
                raise ValueError(f"rounding= and state_dtype= are for real parameters in floating point, not {p.dtype}")
            given.storage(p.dtype)
        if not (self._row.kernel and self._row.stored) or self._asks_itself():
            raise ValueError(f"rounding= and state_dtype= are for element-wise rules, which {type(self).__name__} is not")

    @torch._disable_dynamo  # type: ignore[attr-defined]  # looking into a group, a compiler would watch its lr too
    def _stores(self) -> bool:
        """Whether some group sets a storage option."""
        return any(name in group for group in self.param_groups for name in STORAGE)
