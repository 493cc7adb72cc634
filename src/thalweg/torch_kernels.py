"""Torch's parameters and state bound to kernels: addresses looked up at each step, and nothing copied."""

from __future__ import annotations

import functools
import operator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from thalweg.engines import native
from thalweg.program import NotTraced, program
from thalweg.stage import Step, resolve
from thalweg.storage import key_of
from thalweg.symbols import PER_TENSOR, TENSOR
from thalweg.torch_groups import DTYPES, Group, Method
from thalweg.torch_tensors import DENSE, PLAIN, Tensor, as_array, scalar_dtype

if TYPE_CHECKING:
    from thalweg.torch_face import Face

_ON_CPU, _IS_CONTIGUOUS = operator.attrgetter("is_cpu"), operator.methodcaller("is_contiguous")
_ADDRESS, _SIZE = operator.methodcaller("data_ptr"), operator.methodcaller("numel")
STEP = Step(None, 0)


class Bound:
    """Tensors of one group and dtype with their state, ready for a kernel. Raises NotTraced where there is none."""

    def __init__(self, face: Face, group: Group, params: list[Tensor]) -> None:
        from thalweg.engines.launch import Launch

        self.face, self.params, self.method = face, params, Method(face._row, group, face._seed)
        self.dtype = params[0].dtype
        names = [str(i) for i in range(len(params))]
        ways = [self.method.way(name, p) for name, p in zip(names, params, strict=True)]
        if any(way != ways[0] for way in ways):
            raise NotTraced("the group's parameters take different ways")
        kept = self.method.given.storage(self.dtype)
        arrays = [as_array(p) for p in params]
        self.launch = Launch(self.method.pure, range(len(params)), names, arrays, ways[0], DTYPES[self.dtype], kept)
        if self.launch.program.norms or self.launch.lent or self.launch.staged or "walked" in self.launch.columns:
            raise NotTraced("its step needs more than each tensor and its state")
        made = self.launch.program
        self.counts = self.method.row.counts or "key" in made.inputs
        self.launch.scalars = (
            "float64" if self.method.row.scalars and scalar_dtype() is torch.float64 else self.method.row.scalars
        )
        self.state: dict[str, Any] = {"memory": {}, "beside": {}}
        t = np.array([face._updates(p) for p in params], np.int64)  # before there is any memory: SGD does not count
        held = [face._kept(p, name, self.method, made) for p, name in zip(params, names, strict=True)]
        columns = {column: [own[column][1] for own in held] for column in held[0]}
        arrays_of = {column: dict(zip(names, map(as_array, tensors), strict=True)) for column, tensors in columns.items()}
        self.state["beside"] = {name: arrays_of[name] for name in made.beside}
        for slot in made.slots:
            *path, word = slot.path
            place = functools.reduce(lambda above, key: above.setdefault(key, {}), path, self.state["memory"])
            if slot.kind.kind != "per_model":
                place[word] = arrays_of[slot.old.name]
                continue
            found = face.state[params[0]].get(self.method.keys[slot.path])
            place[word] = slot.stage.model_start(slot.kind, [], STEP) if found is None else float(found)
        numbers = {slot.old.name for slot in made.slots if slot.old.level < TENSOR}
        self.tensors = [(held[0][column][0], tensors) for column, tensors in columns.items() if column not in numbers]
        self.launch.adopt(self.state)
        self.launch.arrange([True] * len(params), t, [0] * len(params), np.zeros((0, 2), np.int64))
        self._share_numbers(t)

    def _share_numbers(self, t: Any) -> None:
        """Counts, and what is one number a tensor, as vectors that the tensors in the state are views of."""
        keys, slots = self.method.keys, self.launch.program.slots
        vectors = [(keys[slots[i].path], torch.from_numpy(vector)) for i, vector in self.launch.vectors.items()]
        if self.counts:
            self.steps = torch.tensor(t, dtype=scalar_dtype())
            vectors.append(("step", self.steps))
        for key, vector in vectors:
            views = list(vector.unbind())
            self.tensors.append((key, views))
            for p, view in zip(self.params, views, strict=True):
                self.face.state[p][key] = view
        self.states = [self.face.state[p] for p in self.params] if self.tensors else []
        self.places = [list(map(_ADDRESS, tensors)) for _, tensors in self.tensors]
        self.sizes = list(map(_SIZE, self.params)) * 2
        self.contiguous = all(p.is_contiguous() for p in self.params)
        self.models = {keys[slot.path]: slot.path for slot in slots if slot.kind.kind == "per_model"}

    def finds(self) -> bool:
        """Put addresses of parameters and gradients into the table; False where something is not as it was."""
        if not self.method.given.still_holds():
            return False
        for (key, tensors), places in zip(self.tensors, self.places, strict=True):
            if not all(map(operator.is_, (state.get(key) for state in self.states), tensors)):
                return False
            if list(map(_ADDRESS, tensors)) != places:  # share_memory_ and its like move what a tensor holds
                return False
        params, dtype = self.params, self.dtype
        gradients: list[Any] = [p.grad for p in params]
        if not all(map(PLAIN.__contains__, map(type, gradients))):  # no None either
            return False
        tensors = [*params, *gradients]
        if list(map(_SIZE, tensors)) != self.sizes:
            return False
        if not (
            all(map(_ON_CPU, tensors)) and all(x.dtype is dtype for x in tensors) and all(x.layout is DENSE for x in gradients)
        ):
            return False
        if not (self.contiguous and all(map(_IS_CONTIGUOUS, tensors))):
            gradients = [
                g if g.stride() == p.stride() else torch.empty_like(p).copy_(g) for g, p in zip(gradients, params, strict=True)
            ]
        here, there = list(map(_ADDRESS, params)), list(map(_ADDRESS, gradients))
        if any(map(operator.eq, here, there)) and any(p.numel() for p in params):
            gradients = [g.clone() for g in gradients]
            there = list(map(_ADDRESS, gradients))
        self.gradients = gradients  # they must live until the step is done
        addresses, columns = self.launch.addresses, self.launch.columns
        addresses[:, columns["p"]], addresses[:, columns["g"]] = here, there
        return True

    def step(self, loss: Any) -> None:
        self.launch.reckon(self.state, loss, {})
        self.launch.run()
        if self.counts:
            self.steps += 1
        for key, path in self.models.items():
            self.face.state[self.params[0]][key] = functools.reduce(operator.getitem, path, self.state["memory"])


class OnDevice:
    """The same for tensors of a device that Triton writes kernels for."""

    def __init__(self, face: Face, group: Group, params: list[Tensor]) -> None:
        from thalweg.engines import grid

        self.face, self.params, self.method = face, params, Method(face._row, group, face._seed)
        self.dtype, self.device = params[0].dtype, params[0].device
        names = [str(i) for i in range(len(params))]
        ways = [self.method.way(name, p) for name, p in zip(names, params, strict=True)]
        kept, own = self.method.given.storage(self.dtype), DTYPES[self.dtype]
        made = program(ways[0], moves=self.method.pure.moves, kept=kept, dtype=own)
        asks = [*made.norms, *made.draws, *(["curvature"] if "curvature" in made.inputs else [])]
        if any(way != ways[0] for way in ways) or asks or self.method.pure.moves or not all(map(grid.lies_flat, params)):
            raise NotTraced("its step needs more than each tensor and its state")
        self.made = made
        self.counts = self.method.row.counts or "key" in made.inputs
        self.t = [face._updates(p) for p in params]
        held = [face._kept(p, name, self.method, made) for p, name in zip(params, names, strict=True)]
        columns = {column: [mine[column][1] for mine in held] for column in held[0]}
        self.tensors = [(key, columns[column]) for column, (key, _) in held[0].items()]
        self.kept = {slot.old.name: columns[slot.old.name] for slot in made.slots if slot.old.level == PER_TENSOR}
        self.models = {slot.old.name: slot for slot in made.slots if slot.kind.kind == "per_model"}
        dtypes = dict.fromkeys((name for name, s in made.inputs.items() if s.level == TENSOR), own)
        dtypes |= made.dtypes | dict.fromkeys(made.blocked, "float32")
        title = f"{self.method.pure.rule.name}, {own}"
        self.grid = grid.Grid(made, title, dtypes, params, {**columns, "p": params}, self._value)
        self.there = bool(group.get("capturable"))
        if self.there and (self.grid.kernel.kept or "loss" in made.inputs):
            raise NotTraced("what is one number a tensor or a model is kept on the host")
        self.grid.warm()
        self._place_counts(group)

    def _place_counts(self, group: Group) -> None:
        """The counts in the state, where torch has them: on the device for what is fused or captured."""
        if not self.counts:
            return
        where = self.device if self.there or group.get("fused") else torch.device("cpu")
        self.steps = torch.tensor(self.t, dtype=torch.float32 if where.type != "cpu" else scalar_dtype(), device=where)
        views = list(self.steps.unbind())
        self.tensors.append(("step", views))
        for p, view in zip(self.params, views, strict=True):
            self.face.state[p]["step"] = view

    def _value(self, name: str, t: Any) -> Any:
        """A hyper-parameter or the learning rate at an update."""
        if name == "key":
            return key_of(self.face._seed, t)
        value = self.made.hyper[name]
        found = resolve(self.method.pure.lr if value is None else value, t, "0")
        return found if isinstance(found, Tensor) else float(found)

    def finds(self) -> bool:
        """Whether everything is where it was but the gradients, which are looked up."""
        if not self.method.given.still_holds():
            return False
        states = [self.face.state[p] for p in self.params] if self.tensors else []
        for key, tensors in self.tensors:
            if not all(map(operator.is_, (state.get(key) for state in states), tensors)):
                return False
        gradients: list[Any] = [p.grad for p in self.params]
        for p, g in zip(self.params, gradients, strict=True):
            if g is None or type(g) not in PLAIN or g.dtype is not p.dtype or g.device != p.device or g.layout is not DENSE:
                return False
        self.gradients = [
            g if g.stride() == p.stride() and g.data_ptr() != p.data_ptr() else torch.empty_like(p).copy_(g)
            for g, p in zip(gradients, self.params, strict=True)
        ]
        self.grid.look_up(self.gradients)
        there: list[int] = self.grid.host[:, self.grid.kernel.columns.index("p")].tolist()
        return there == list(map(_ADDRESS, self.params))

    def step(self, loss: Any) -> None:
        first = self.face.state[self.params[0]]
        models = {name: first.get(self.method.keys[slot.path], slot.kind.value) for name, slot in self.models.items()}
        models["loss"] = loss
        if self.there:
            self.steps += 1
            self.grid.count_there(self.steps.double(), models)
        else:
            self.t = [t + 1 for t in self.t]
            for slot, values in self.grid.count(self.t, self.kept, models).items():
                found = self.made.slots[slot]
                if found.kind.kind == "per_model":
                    first[self.method.keys[found.path]] = values[0]
                    continue
                for tensor, value in zip(self.kept[found.old.name], values, strict=True):
                    tensor.fill_(value)
            if self.counts:
                self.steps += 1
        self.grid.run()


TRITON_DEVICES = {"cuda"}


def _is_plain(x: Tensor) -> bool:
    """A dense tensor where kernels run, with numbers that they compute with."""
    return (x.is_cpu or x.device.type in TRITON_DEVICES) and x.layout is DENSE and x.dtype in DTYPES and type(x) in PLAIN


def _bound(face: Face, group: Group, params: list[Tensor]) -> Bound | OnDevice:
    """The tensors bound to the kernels of where they are. Raises NotTraced where there are none."""
    if params[0].device.type in TRITON_DEVICES:
        from thalweg.engines import grid

        if grid.is_there():
            return OnDevice(face, group, params)
    elif not group.get("capturable") and native.is_there():
        return Bound(face, group, params)
    raise NotTraced("there are no kernels here")


class Plan:
    """What a step of all groups goes through: which tensors have gradients, and each lot of them bound to a kernel."""

    def __init__(self, face: Face) -> None:
        self.groups = [list(group["params"]) for group in face.param_groups]
        self.resting = [p for params in self.groups for p in params if p.grad is None]
        sorts: dict[tuple[int, torch.dtype, torch.device], list[Tensor]] = {}
        for i, params in enumerate(self.groups):
            for p in params:
                if p.grad is None:
                    continue
                if not (_is_plain(p) and _is_plain(p.grad) and p.grad.dtype is p.dtype and p.grad.device == p.device):
                    raise NotTraced("a tensor that is not dense and real, or on a device without kernels")
                sorts.setdefault((i, p.dtype, p.device), []).append(p)
        self.bounds: list[Bound | OnDevice] = [_bound(face, face.param_groups[i], same) for (i, _, _), same in sorts.items()]
        self.states = list(face.state.values())

    def finds(self, face: Face) -> bool:
        """Get ready for a step; False where groups, tensors or state are not those of the plan."""
        if len(face.param_groups) != len(self.groups) or len(face.state) != len(self.states):
            return False
        if not all(map(operator.is_, face.state.values(), self.states)):
            return False
        for group, params in zip(face.param_groups, self.groups, strict=True):
            if len(group["params"]) != len(params) or not all(map(operator.is_, group["params"], params)):
                return False
        return all(p.grad is None for p in self.resting) and all(bound.finds() for bound in self.bounds)
