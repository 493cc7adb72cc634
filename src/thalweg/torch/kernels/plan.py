"""The kernels of a step of all groups, or the reason why there are none."""

from __future__ import annotations

import contextlib
import itertools
import operator
from collections.abc import Collection, Iterable, Sequence, Set
from typing import Any

import numpy as np

from thalweg.engines import native
from thalweg.engines.passes.totals import add_up, agree, norms
from thalweg.engines.triton import grid, totals
from thalweg.graph.program import NotTraced
from thalweg.graph.storage import Storage
from thalweg.torch.groups import DTYPES, ConfiguredGroup, Group, Members, joined
from thalweg.torch.kernels import device
from thalweg.torch.kernels.alike import Alike, Found, NoKernel
from thalweg.torch.kernels.cpu import Bound
from thalweg.torch.kernels.device import OnDevice
from thalweg.torch.kernels.quick import Quick, quick
from thalweg.torch.ledger import Ledger
from thalweg.torch.places import special
from thalweg.torch.tensors import DENSE, PLAIN, Tensor

AS_IT_IS = contextlib.nullcontext()
"""For steps whose numbers are Python's, which do not warn: NumPy's settings take a microsecond to change."""


class Plan:
    """The tensors with gradients, in lots that are bound to kernels. Raises NotTraced if some have none.

    members: all parameters, group after group, so that errors appear in the order of the groups. known: those that are bound
    without a gradient, too, so that they can step later. apart: tensors do not read one another, so that those for which there
    is no kernel, `others`, can step without one.
    """

    def __init__(
        self, members: Iterable[Members], ledger: Ledger, known: Collection[Tensor] = (), *, apart: bool = False
    ) -> None:
        self.members: list[Members] = []
        self.bound: list[Bound | OnDevice] = []
        self.others: dict[Tensor, None] = {}
        present = []
        for lot in self._lots(members, ledger, set(known)):
            try:
                self.bound.append(_bound(lot, ledger))
                present.append(lot.present)
            except NoKernel as reason:
                self.others |= dict.fromkeys(lot.params)
                none = reason
                if not apart:
                    raise
        if self.others and not self.bound:
            raise none
        self._take_up(present)
        if self.norms or self.adds_up or self.grids or any(bound.models for bound in self.bound):
            self._check_model()
        self.groups = [own.group for own in self.members]
        self.keys: list[Any] = list(ledger.state)
        self.states = list(ledger.state.values())

    @property
    def params(self) -> list[Tensor]:
        """The tensors that are bound or known to have no kernel, with or without a gradient now."""
        return [*(p for bound in self.bound for p in bound.params), *self.others]

    def _take_up(self, present: list[list[bool]]) -> None:
        """Let those tensors step that have a gradient. present: of each lot's tensors, whether they have."""
        self.present = present
        self.quick: Quick | None = None
        self.settled = 0  # steps since then
        self.bounds = [bound for bound, there in zip(self.bound, present, strict=True) if any(there)]
        stepping = {p for bound, there in zip(self.bound, present, strict=True) for p in itertools.compress(bound.params, there)}
        stepping |= self.others.keys()
        self.resting = [p for own in self.members for p in own.params if p not in stepping]
        self.launches = [bound.launch for bound in self.bounds if isinstance(bound, Bound)]
        self.grids = [bound.grid for bound in self.bounds if isinstance(bound, OnDevice) and bound.grid.several]
        self.norms = {path for launch in self.launches for path in launch.program.norms.values()}
        self.adds_up = any(launch.adding for launch in self.launches)
        self.numeric = any(bound.numeric for bound in self.bounds) or bool(self.norms) or self.adds_up

    def _lots(self, members: Iterable[Members], ledger: Ledger, known: Set[Tensor]) -> list[Alike]:
        """Return the tensors in lots of one group, dtype, device and path through the stages."""
        found: dict[Any, Alike] = {}
        order = 0
        for i, own in enumerate(members):
            self.members.append(own)
            for p, name in zip(own.params, own.names, strict=True):
                order += 1
                if p.grad is None and not (p in known and _may_rest(p, name, own, ledger)):
                    continue
                g = p if p.grad is None else p.grad
                fits = _is_plain(p) and _is_plain(g) and g.dtype is p.dtype and g.device == p.device
                if not fits or special(p) or g.shape != p.shape:
                    raise NotTraced("a tensor that is not dense and real, or on a device without kernels")
                route = own.method.route(name, p)
                key = (
                    i,
                    p.dtype,
                    p.device,
                    p.is_contiguous(),
                    *((each.path, id(each.stage), id(each.rate), each.flat) for each in route),
                )
                lot = found.setdefault(key, Alike(own.method, route, [], [], []))
                lot.params.append(p)
                lot.names.append(name)
                lot.order.append(order)
        return list(found.values())

    def _check_model(self) -> None:
        """Raise NoKernel or ValueError if a quantity of the whole model cannot be computed group by group."""
        if len(self.bound) < 2:
            return
        of_model = self.norms or any(bound.models for bound in self.bound)
        of_model = of_model or any(each.over for bound in self.bound for sums in bound.sums for each in sums)
        if not of_model:
            return
        if len({bound.where for bound in self.bound}) > 1:
            raise NoKernel("a number of the whole model whose tensors lie on several devices")
        group = joined({name: own.group for own in self.members for name in own.names})
        method = self.members[0].method
        together = ConfiguredGroup(method.row, group, method.seed, method.states)
        for bound in self.bound:
            if {**together.given.chosen} != {**together.given.chosen, **bound.method.given.chosen}:
                raise NoKernel("parameter groups of one model whose rules keep other memory")
        try:
            agree([bound.sums for bound in self.bound])
        except NotTraced as reason:
            raise NoKernel(str(reason)) from None

    def finds(self, groups: list[Group], state: dict[Tensor, Any]) -> list[Found] | None:
        """Prepare a step; None if groups, tensors or state are no longer those of the plan."""
        if self.quick is not None:  # which found that something differs
            self.quick, self.settled = None, 0
        same = len(state) == len(self.states) and all(map(operator.is_, state, self.keys))
        same = same and all(map(operator.is_, state.values(), self.states))
        if len(groups) != len(self.groups) or not all(map(operator.is_, groups, self.groups)):
            return None
        if not (same or self._agrees(state)):
            return None
        for group, own in zip(groups, self.members, strict=True):
            if len(group["params"]) != len(own.params):
                return None
            if not all(map(operator.is_, group["params"], own.params)):
                return None
        found = self._found()
        return self._found() if found is None and self._fits() else found

    def _agrees(self, state: dict[Any, Any]) -> bool:
        """Whether only entries of the caller's own changed, whose keys are no parameters; takes the state up as it is."""
        keys, states = list(state), list(state.values())
        own = [(key, held) for key, held in zip(keys, states, strict=True) if isinstance(key, Tensor)]
        before = [(key, held) for key, held in zip(self.keys, self.states, strict=True) if isinstance(key, Tensor)]
        same = len(own) == len(before) and all(a is c and b is d for (a, b), (c, d) in zip(own, before, strict=True))
        if same:
            self.keys, self.states = keys, states
        return same

    def _found(self) -> list[Found] | None:
        if self.resting and not all(p.grad is None for p in self.resting):
            return None
        found = []
        for bound in self.bounds:
            ready = bound.finds()
            if ready is None:
                return None
            found.append(ready)
        return found

    def _fits(self) -> bool:
        """Take up other tensors, if other ones have gradients now. Returns False if not, or if one of them is not bound."""
        present = [[p.grad is not None for p in bound.params] for bound in self.bound]
        known = set(self.params)
        if present == self.present or any(p.grad is not None for p in self.resting if p not in known):
            return False
        if not all(each.fits(there) for each, there in zip(self.bound, present, strict=True)):
            return False
        self._take_up(present)
        return True

    def step(self, found: list[Found], losses: Sequence[Any]) -> None:
        """Step: first compute all numbers, which may fail; then let each kernel write."""
        with np.errstate(all="ignore") if self.numeric else AS_IT_IS:
            for bound, (_, gradients) in zip(self.bounds, found, strict=True):
                bound.look_up(gradients)
            known = norms(self.launches, [own for _, own in found], lanes=False) if self.norms else {}
            for bound, loss in zip(self.bounds, losses, strict=True):
                bound.begin(loss, known)
            if self.adds_up:
                add_up(self.launches)
            if self.grids:
                totals.add_up(self.grids)
            for bound in self.bounds:
                bound.reckon()
            for bound, (written, gradients) in zip(self.bounds, found, strict=True):
                bound.run(written, gradients)
        if self.settled == 1 and not self.others:
            self.quick = quick(self.bounds, self.members, self.keys, self.states, self.resting)
        self.settled += 1


class Without:
    """The reason why the current groups have no kernels, remembered to avoid another search."""

    def __init__(self, members: Iterable[Members], reason: NoKernel) -> None:
        self.reason, self.members = str(reason), list(members)
        self.dtypes = [p.dtype for own in self.members for p in own.params]

    def holds(self, groups: list[Group]) -> bool:
        """Whether groups and tensors are still those."""
        if len(groups) != len(self.members):
            return False
        for group, own in zip(groups, self.members, strict=True):
            same = group is own.group and len(group["params"]) == len(own.params) and own.method.given.still_holds()
            if not same or not all(map(operator.is_, group["params"], own.params)):
                return False
        return [p.dtype for own in self.members for p in own.params] == self.dtypes


def _may_rest(p: Tensor, name: str, own: Members, ledger: Ledger) -> bool:
    """Whether a tensor without a gradient can be bound: it is kept plainly, and its state is all there: none may be made yet."""
    state = ledger.state.get(p, {})
    wanted = {key for passage, slot, key in own.method.memory(name, p) if not passage.stage.memory[slot].of_model}
    wanted |= {*(["step"] if ledger.row.counts else []), *(["walked"] if own.method.pure.moves else [])}
    here = p.is_cpu and p.device.type not in device.TRITON_DEVICES
    return here and own.method.given.storage(p.dtype) == Storage() and wanted <= state.keys()


def _is_plain(x: Tensor) -> bool:
    """Whether x is a dense tensor on a device and with a dtype that kernels support."""
    return (x.is_cpu or x.device.type in device.TRITON_DEVICES) and x.layout is DENSE and x.dtype in DTYPES and type(x) in PLAIN


def _bound(lot: Alike, ledger: Ledger) -> Bound | OnDevice:
    """Bind the tensors to the kernels of their device. Raises NotTraced if there are none."""
    if lot.params[0].device.type in device.TRITON_DEVICES:
        if grid.available():
            return OnDevice(lot, ledger)
    elif not lot.method.given.group.get("capturable") and native.available():
        return Bound(lot, ledger)
    raise NotTraced("there are no kernels here")
