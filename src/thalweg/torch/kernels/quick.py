"""The usual step with as few calls as possible: tensors, groups and state are those of the step before.

Right after a backward pass the processor's caches hold other code, and each Python function that is entered costs up to a
microsecond. So what the parts of a plan do one after another is done here in one loop, with the same checks of the same
tensors. As soon as anything differs nothing is done, and the plan itself looks at it.
"""

from __future__ import annotations

import contextlib
import functools
import operator
import threading
from array import array
from collections.abc import Callable, Sequence
from typing import Any

import torch

from thalweg.engines import native
from thalweg.engines.launch import Launch
from thalweg.torch.groups import Group, Members
from thalweg.torch.kernels import facts
from thalweg.torch.kernels.cpu import Bound
from thalweg.torch.places import Places, guard, watched
from thalweg.torch.reader import Reader
from thalweg.torch.tensors import Tensor

_GRADIENT, _STORAGE, _VERSIONS = operator.attrgetter("grad"), Tensor.untyped_storage, torch._C._increment_version
DIFFERENTIABLE = operator.methodcaller("get", "differentiable")


def quick(
    bounds: Sequence[Any], members: Sequence[Members], keys: list[Any], states: list[Any], resting: list[Any]
) -> Quick | None:
    """Return the quick step of what a plan steps; None if that needs more than floats of its groups and one pass over memory."""
    parts = []
    for bound in bounds:
        plain = isinstance(bound, Bound) and not (bound.numeric or bound.models or bound.numbers or bound.asks_loss)
        if not plain or bound.places.guard is None or bound.places.reader is None:
            return None
        part = _Part(bound, bound.launch, bound.places, bound.places.reader)
        if not part.known:
            return None
        parts.append(part)
    known = [x for own in members for x in (own.group, *own.params)]
    return Quick(parts, [*known, *keys, *states], len(states), resting)


class _Part:
    """A lot of tensors, and what a step needs of it. known: whether all its numbers are floats of the group, constants, or t."""

    def __init__(self, bound: Bound, launch: Launch, places: Places, reader: Reader) -> None:
        given = bound.method.given
        self.group, self.size, self.still_holds = given.group, given.size, given.still_holds
        self.names = [name for name, _ in given.chosen]
        self.last = given.last if len(given.last) == len(self.names) and given.dtypes is None else None
        self.params, self.states, self.slots = places.params, places.states, places.slots
        self.read, self.rest, self.there, self.holds = reader.read, reader.rest, reader.found, places.holds
        self.facts, self.check, self.checked = _checks(places)
        self.rows, self.addresses, self.steps = bound.present, launch.addresses, bound.steps
        self.column = launch.addresses.column("g") if len(self.rows) == len(launch.members) else None
        self.buckets, self.numbers, self.places = launch.buckets, launch.numbers, launch.places
        self.t = launch.needs.index("t") if "t" in launch.needs else None
        self.sources: list[tuple[int, str, int | None, int]] = []
        for i, name in enumerate(launch.needs):
            value = launch.program.hyper.get(name, self)
            value = bound.method.pure.lr if value is None else value
            if isinstance(value, functools.partial) and hasattr(value, "stands"):
                self.sources.append((i, *value.stands))
        looked_up = self.buckets[0].scheduled + self.buckets[0].changing
        more = launch.draws or launch.lent or any(launch.adding) or launch.staged or launch.by_row or launch.kernel.kept
        single = not more and all(bucket.row is not None for bucket in self.buckets)
        self.known = single and len(self.sources) == len(looked_up) - (self.t is not None) and self.look_up()
        self.run = _run(launch)

    def look_up(self) -> bool:
        """Put the group's numbers among the arguments. Returns False if one of them is no float."""
        group = self.group
        for i, key, part, length in self.sources:
            value = group[key]
            if part is not None and type(value) is tuple and len(value) == length:
                value = value[part]
            if type(value) is not float:
                return False
            for bucket in self.buckets:
                bucket.arguments[i] = value
        return True


def _checks(places: Places) -> tuple[facts.Facts | None, Callable[..., bool], int]:
    """How to see that a list of tensors has the facts of these: all of them by a loop, if there is one, and the first ones, how
    many of them, by a guard.

    A guard also compares what this thread does with all tensors, such as inference mode, for which the first one suffices.
    """
    if facts.available():
        with contextlib.suppress(LookupError):
            tensors = [*places.fixed(), *map(_GRADIENT, places.params)]
            known, first = facts.Facts(tensors), guard(tensors[:1])
            if places.guard.check(*tensors):  # another thread may have changed one meanwhile
                return known, first.check, 1
    return None, places.guard.check, len(places.addresses) + len(places.params)


def _run(launch: Launch) -> Callable[[], Any]:
    """The pass over memory that writes, in one call."""
    if launch.shared:
        return launch.run
    return functools.partial(launch.step, *launch.where, launch.jobs_at, 0, len(launch.jobs))


class Quick:
    """A step of these parts, as long as groups and state are these.

    known: the groups, each with its parameters, and the state's keys and values: all that is known by what it is, not by what
    it holds. count: how many entries the state has.
    """

    def __init__(self, parts: list[_Part], known: list[Any], count: int, resting: list[Tensor]) -> None:
        self.parts, self.known, self.count, self.resting = parts, known, count, resting
        self.same = native.compiled(facts.SAME, "same", holds_gil=True)

    def step(self, face: torch.optim.Optimizer) -> bool:
        """Step, or return False with nothing done if something differs or has to see torch's operations."""
        if watched() or getattr(face, "found_inf", None) is not None or any(map(DIFFERENTIABLE, face.param_groups)):
            return False
        try:
            found = self._found(face.param_groups, face.state)
        except KeyError:  # something was taken out of a group or a state
            found = None
        if found is None:
            return False
        for part in self.parts:
            numbers, places, t = part.numbers, part.places, part.t
            for bucket in part.buckets:
                bucket.t += 1
                arguments = bucket.arguments
                if t is not None:
                    arguments[t] = bucket.t
                row = bucket.row
                assert row is not None
                row[:] = array(row.format, numbers(*[arguments[i] for i in places]))
            if part.column is not None:
                part.column[:] = part.there
            else:
                part.addresses.write("g", part.rows, part.there)
        for part, (written, _) in zip(self.parts, found, strict=True):
            _VERSIONS(written)
            part.run()
            if part.steps is not None:
                part.steps.count_on()
        return True

    def _found(self, groups: list[Group], state: dict[Any, Any]) -> list[tuple[list[Tensor], Any]] | None:
        """Return what each part writes, and the storages to hold until then; None if something differs."""
        known: list[Any] = []
        for group in groups:
            known.append(group)
            known += group["params"]
        known += state
        known += state.values()
        found = []
        if len(state) != self.count or not self.same(id(known), id(self.known)):
            return None
        if self.resting and not all(p.grad is None for p in self.resting):
            return None
        several = threading.active_count() > 1  # another thread may give a tensor another storage before the step is done
        for part in self.parts:
            group, last = part.group, part.last
            same = last is not None and len(group) == part.size
            same = same and all(map(operator.is_, map(group.__getitem__, part.names), last or ()))
            if not same and not part.still_holds():
                return None
            written = list(part.params)
            for slot in part.slots:
                written += map(slot, part.states)
            tensors = [*written, *map(_GRADIENT, part.params)]
            if not (part.facts is None or part.facts.alike(id(tensors))) or not part.check(*tensors[: part.checked]):
                return None
            held = list(map(_STORAGE, tensors)) if several else None
            if not part.read(id(tensors), *part.rest) or not (part.steps is None or part.steps.agree()) or not part.look_up():
                return None
            if held is not None and not part.holds(held, part.there):
                return None
            found.append((written, held))
        return found
