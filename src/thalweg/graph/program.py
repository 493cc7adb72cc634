"""One step of one tensor as a graph of symbols: all stages it passes, from its gradient to its new value and memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from thalweg.core.around_stage import AroundStage
from thalweg.core.compose import Choose
from thalweg.core.function_stage import FunctionStage
from thalweg.core.leaf import Leaf
from thalweg.core.optimizer import Optimizer
from thalweg.core.rule_stage import AfterStage, RuleStage
from thalweg.core.stage import At, Chain, Shell
from thalweg.form import trace
from thalweg.form.memory import Kind
from thalweg.graph import storage
from thalweg.graph.model_sums import belong_to, model_norm
from thalweg.graph.storage import Storage
from thalweg.values.symbols import NUMBER, PER_TENSOR, TENSOR, Symbol

Path = tuple[str, ...]
"""Where a stage keeps its memory in the optimizer's state: the keys on the way to it."""


class NotTraced(Exception):
    """A step that is no graph of element-wise symbols; the message says what is in it that is not."""


@dataclass(frozen=True)
class Passage:
    """A stage on a tensor's way through a step, and the learning rate that holds from there on (None: the optimizer's)."""

    path: Path
    stage: FunctionStage
    rate: Any = None


@dataclass(frozen=True)
class Slot:
    """A piece of memory: where it lies in the state, its kind, what stands for it before the step and after."""

    path: Path
    kind: Kind
    stage: FunctionStage
    old: Symbol
    new: Any


@dataclass
class Program:
    """What goes in by name, what comes out, and the local names that the rules' authors gave to what is between.

    `hyper` has the numbers that are looked up at each step: a learning rate or hyper-parameter's value (a number, a
    schedule, one per lane or per group), None for the optimizer's own learning rate. `draws` has each noise's stage.
    `beside` is what storage keeps beside parameter and memory, by input name: its new values. `dtypes` are of those and
    of the memory that is kept in another dtype than the parameter's.
    """

    slots: list[Slot]
    parameter: Any
    walked: Any = None
    inputs: dict[str, Symbol] = field(default_factory=dict)
    hyper: dict[str, Any] = field(default_factory=dict)
    draws: dict[str, str] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    norms: dict[str, Path] = field(default_factory=dict)
    beside: dict[str, Any] = field(default_factory=dict)
    dtypes: dict[str, str] = field(default_factory=dict)

    @property
    def results(self) -> list[Any]:
        """All that a step computes."""
        walked = [] if self.walked is None else [self.walked]
        return [self.parameter, *walked, *(slot.new for slot in self.slots), *self.beside.values()]

    @property
    def blocked(self) -> frozenset[str]:
        """The inputs that hold one number for each block of a tensor."""
        return frozenset(storage.scale_name(name) for name, dtype in self.dtypes.items() if dtype == "int8")


def passages(optimizer: Optimizer, leaf: Leaf) -> list[Passage]:
    """The stages that this parameter passes, in order. Raises NotTraced for one that is no declared function."""
    return list(_pass(optimizer.chain, leaf, (), [None]))


def _pass(chain: Chain | Shell, leaf: Leaf, path: Path, rate: list[Any]) -> Iterator[Passage]:
    if isinstance(chain, At):
        rate[0] = chain.rate  # and it stays so for what comes after the stage, the move included
    if isinstance(chain, Shell):  # to what is element-wise all arrangements are one, and no kernel has matrices
        chain = chain.inner
    for key, stage in zip(chain.keys, chain.stages, strict=True):
        if isinstance(stage, Choose):
            branch = stage.branch(leaf)
            yield from _pass(stage.stages[branch], leaf, (*path, key, stage.keys[branch]), rate)
        elif isinstance(stage, Shell):
            yield from _pass(stage, leaf, (*path, key), rate)
        elif isinstance(stage, RuleStage | AfterStage | AroundStage):
            yield Passage((*path, key), stage, rate[0])
        else:
            raise NotTraced(f"{stage.name} is no declared rule")


def program(way: list[Passage], *, moves: bool, kept: Storage | None = None, dtype: str = "float32") -> Program:
    """The graph of a step along these stages. moves: an after-step looks elsewhere than where it walks.

    kept: how parameters, which are in `dtype`, and memory are stored; without it as the arithmetic leaves them.
    """
    return _Builder(kept or Storage(), dtype).build(way, moves)


class _Builder:
    """Runs the stages' functions one after another on symbols."""

    def __init__(self, kept: Storage, dtype: str) -> None:
        self.made = Program([], None)
        self.kept, self.dtype = kept, dtype
        self.streams = 0
        self.stored: dict[int, Symbol] = {}

    def input(self, name: str, level: int) -> Symbol:
        return self.made.inputs.setdefault(name, Symbol.input(name, level))

    def fresh(self, name: str, stage: str) -> str:
        """The name itself, or told apart by its stage where another stage has one like it."""
        name = name if name not in self.made.inputs else f"{stage}_{name}"
        while name in self.made.inputs:
            name += "_"
        return name

    def rate(self, value: Any) -> Symbol:
        """A learning rate: the optimizer's own for None, or a branch's."""
        for name, known in self.made.hyper.items():
            if known is value and name.startswith("lr"):
                return self.made.inputs[name]
        name = "lr" if value is None else f"lr_{sum(n.startswith('lr') for n in self.made.hyper) + 1}"
        self.made.hyper[name] = value
        return self.input(name, NUMBER)

    def build(self, way: list[Passage], moves: bool) -> Program:
        self.input("p", TENSOR)
        p, g, t = self._widened(), self.input("g", TENSOR), self.input("t", NUMBER)
        direction: Any = g
        owned, rate = False, None
        for passage in (each for each in way if isinstance(each.stage, RuleStage)):
            rate = passage.rate
            given = {"g": direction, "t": t, "p": p, "grad": g}
            given["rate"] = self.rate(rate) if owned else 1.0
            direction = self._call(passage, given)
            owned = owned or passage.stage.owns_step
        start = self.input("walked", TENSOR) if moves else p
        point: Any = start - (direction if owned else self.rate(rate) * direction)
        if moves:
            self.made.walked = point
        for passage in (each for each in way if isinstance(each.stage, AfterStage)):
            point = self._call(Passage(passage.path, passage.stage, rate), {"z": point, "t": t})
        self.made.parameter = self._narrowed(point)
        return self.made

    def _widened(self) -> Any:
        """The parameter as the arithmetic has it."""
        if self.kept.rounding == "kahan":
            self.made.dtypes["lost"] = self.dtype
            return self.made.inputs["p"] + self.input("lost", TENSOR)
        if self.kept.rounding == "master":
            self.made.dtypes["master"] = "float32"
            return self.input("master", TENSOR)
        return self.made.inputs["p"]

    def _narrowed(self, point: Any) -> Any:
        """The new parameter as it is stored; what is kept beside it goes to `beside`."""
        if self.kept.rounding == "kahan":
            stored = storage.rounded(point, self.dtype)
            self.made.beside["lost"] = point - stored
            return stored
        if self.kept.rounding == "master":
            self.made.beside["master"] = point
        return storage.dithered(point, self._uniform()) if self.kept.rounding == "stochastic" else point

    def _uniform(self) -> Symbol:
        """Another draw for each element."""
        self.streams += 1
        return storage.uniform(self.input("key", NUMBER), self.streams)

    def _call(self, passage: Passage, given: dict[str, Any]) -> Any:
        stage = passage.stage
        if stage.trace.whole and isinstance(stage, AfterStage):
            raise NotTraced(f"{stage.name} sums over the whole model after the step")
        declaration = stage.declaration
        values: dict[str, Any] = {}
        for ask in declaration.asks:
            values[ask] = given[ask] if ask in given else self._ask(ask, passage, given)
        for name, kind in declaration.memory.items():
            values[name] = self._memory(name, kind, stage)
        hyper: dict[str, Any] = {}
        for name, value in stage.config.items():
            hyper[name] = value if trace.is_known(stage, name) else self._hyper(name, value, stage.name)
        ran = trace.run_on(stage, values, hyper, keep_names=True)
        belong_to(passage.path, [ran.direction, *ran.memory.values()])
        for name, symbol in ran.names.items():
            if isinstance(symbol, Symbol) and symbol.op != "input":
                self.made.names.setdefault(id(symbol), name)
        for name, kind in declaration.memory.items():
            if name in stage.stored:
                old, new = self._remembered(values[name], ran.memory[name])
                self.made.slots.append(Slot((*passage.path, name), kind, stage, old, new))
        return ran.direction

    def _remembered(self, old: Symbol, new: Any) -> tuple[Symbol, Any]:
        """What is in memory before and after, from what the rule was given and gives back."""
        stored = self.stored.get(id(old), old)
        if new is old:  # a first value, kept as it is
            return stored, stored
        dtype = self.made.dtypes.get(stored.name)
        if dtype == "int8":
            scale = storage.largest_of_block(new)
            self.made.beside[storage.scale_name(stored.name)] = scale
            return stored, storage.encoded(new, scale, self._uniform())
        return stored, storage.dithered(new, self._uniform()) if dtype == "bfloat16" else new

    def _hyper(self, name: str, value: Any, stage: str) -> Symbol:
        own = self.fresh(name, stage)
        self.made.hyper[own] = value
        return self.input(own, NUMBER)

    def _ask(self, ask: str, passage: Passage, given: dict[str, Any]) -> Any:
        if ask == "lr":
            return self.rate(passage.rate)
        if ask == "loss":
            return self.input("loss", NUMBER)
        if ask == "gnorm":
            if ask not in passage.stage.asks:
                return self.input("gnorm", NUMBER)
            if given["g"] is not self.made.inputs["g"] or passage.stage.trace.whole:
                return model_norm(given["g"])
            name = self.fresh("gnorm", passage.stage.name)
            self.made.norms[name] = passage.path
            return self.input(name, NUMBER)
        if ask == "noise":
            name = self.fresh("noise", passage.stage.name)
            self.made.draws[name] = passage.stage.name
            return self.input(name, TENSOR)
        return self.input(ask, TENSOR)  # the curvature

    def _memory(self, name: str, kind: Kind, stage: FunctionStage) -> Any:
        if name not in stage.stored and kind.kind in ("filled", "per_tensor", "per_model"):
            return kind.value
        if name not in stage.stored or kind.kind not in ("filled", "like_p", "gaussian", "per_tensor", "per_model"):
            raise NotTraced(f"{stage.name} keeps memory of the kind {kind.kind}")
        level = {"per_tensor": PER_TENSOR, "per_model": NUMBER}.get(kind.kind, TENSOR)
        stored = self.input(self.fresh(name, stage.name), level)
        if level < TENSOR or kind.dtype is not None or self.kept == Storage():
            return stored
        if kind.kind != "filled":
            self.made.dtypes[stored.name] = "float32"
            return stored
        if self.kept.state_dtype == "own":
            return stored
        self.made.dtypes[stored.name] = self.kept.state_dtype
        if self.kept.state_dtype != "int8":
            return stored
        value = storage.decoded(stored, self.input(storage.scale_name(stored.name), TENSOR))
        self.stored[id(value)] = stored
        return value
