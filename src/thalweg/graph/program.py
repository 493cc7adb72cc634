"""One step of one tensor as a graph of symbols, through all its stages: from gradient to new value and memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from thalweg.core.around_stage import AroundStage
from thalweg.core.arrange import Arranged
from thalweg.core.compose import Choose
from thalweg.core.function_stage import FunctionStage
from thalweg.core.leaf import Leaf, Memory
from thalweg.core.optimizer import Optimizer
from thalweg.core.rule_stage import AfterStage, RuleStage
from thalweg.core.stage import At, Chain, Shell
from thalweg.core.step import Step, advance
from thalweg.form import trace
from thalweg.form.asks import ASKS, Asking
from thalweg.form.hyper import is_nonzero
from thalweg.form.memory import SLICES, Kind
from thalweg.graph import storage
from thalweg.graph.draws import DRAWN, normal, uniform
from thalweg.graph.model_sums import belong_to, model_norm
from thalweg.graph.storage import Storage
from thalweg.values.arrays import HALF
from thalweg.values.symbols import NUMBER, TENSOR, Symbol

Path = tuple[str, ...]
"""The keys that lead to a stage's memory in the optimizer's state."""


class NotTraced(Exception):
    """A step is no graph of element-wise symbols; the message says which part is not."""


@dataclass(frozen=True)
class StagePath:
    """A stage on a tensor's path, and the learning rate that applies from there on (None: the optimizer's).

    flat: whether it keeps numbers of a tensor's slices, which are its elements because it has at most one axis. arranged: whether
    it sees the tensor's axes in another arrangement.
    """

    path: Path
    stage: FunctionStage
    rate: Any = None
    flat: bool = False
    arranged: bool = False


@dataclass(frozen=True)
class BoundSlot:
    """A slot of memory: its place in the state, its kind, its symbol before the step and its value after."""

    path: Path
    kind: Kind
    stage: FunctionStage
    old: Symbol
    new: Any


@dataclass
class Program:
    """The named inputs, the results, and the authors' local names for intermediate values.

    `hyper` holds the numbers looked up at each step: the value of a learning rate or hyper-parameter (a number, a schedule, one
    per lane or group), or None for the optimizer's learning rate. `names` is keyed by a symbol's id, and `named` keeps those
    symbols alive, so that the id stays unique. `draws` maps each noise input to its stage. `beside` holds the new values of
    extra storage (residuals, scales) by input name. `dtypes` are those of extra storage and of memory in another dtype than
    the parameter's. `margins` are the inputs with one number per row or column, with their kind (see `graph.margins`); flat,
    arranged: as in `StagePath`, of any stage.
    """

    slots: list[BoundSlot]
    parameter: Any
    walked: Any = None
    inputs: dict[str, Symbol] = field(default_factory=dict)
    hyper: dict[str, Any] = field(default_factory=dict)
    draws: dict[str, str] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    named: list[Symbol] = field(default_factory=list)
    norms: dict[str, Path] = field(default_factory=dict)
    beside: dict[str, Any] = field(default_factory=dict)
    dtypes: dict[str, str] = field(default_factory=dict)
    margins: dict[str, str] = field(default_factory=dict)
    flat: bool = False
    arranged: bool = False

    @property
    def results(self) -> list[Any]:
        """All results of a step."""
        walked = [] if self.walked is None else [self.walked]
        return [self.parameter, *walked, *(slot.new for slot in self.slots), *self.beside.values()]

    @property
    def draws_itself(self) -> bool:
        """Whether it has random numbers that are no inputs."""
        return any(symbol.op in DRAWN for symbol in trace.steps(self.results))

    @property
    def noisy(self) -> bool:
        """Whether a stage asks for noise."""
        return bool(self.draws) or any(symbol.op == "normal" for symbol in trace.steps(self.results))

    @property
    def blocked(self) -> frozenset[str]:
        """The inputs that hold one number per block of a tensor."""
        return frozenset(storage.scale_name(name) for name, dtype in self.dtypes.items() if dtype == "int8")


def stage_paths(optimizer: Optimizer, leaf: Leaf, memory: Memory | None = None) -> list[StagePath]:
    """Return the stages that this parameter passes, in order, as they are beside this memory.

    Raises NotTraced for a stage that is no declared function.
    """
    found = _pass(optimizer.chain, leaf, (), [None])
    return [replace(each, stage=each.stage.beside(at(memory or {}, each.path))) for each in found]


def at(memory: Memory, path: Path) -> Memory:
    """Return the memory of the stage with this path."""
    for key in path:
        memory = memory.get(key, {})
    return memory


def _pass(chain: Chain | Shell, leaf: Leaf, path: Path, rate: list[Any]) -> Iterator[StagePath]:
    if isinstance(chain, At):
        rate[0] = chain.rate  # it also applies to the stages after it, and to the move
    arranged = isinstance(chain, Arranged)  # which does not matter to element-wise words
    if isinstance(chain, Shell):
        chain = chain.inner
    for key, stage in zip(chain.keys, chain.stages, strict=True):
        if isinstance(stage, Choose):
            branch = stage.branch(leaf)
            yield from _pass(stage.stages[branch], leaf, (*path, key, stage.keys[branch]), rate)
        elif isinstance(stage, Shell):
            yield from _pass(stage, leaf, (*path, key), rate)
        elif isinstance(stage, RuleStage | AfterStage | AroundStage):
            slices = any(kind.margin == SLICES for kind in stage.declaration.memory.values())
            yield StagePath((*path, key), stage, rate[0], slices and len(leaf.shape) < 2, arranged)
        else:
            raise NotTraced(f"{stage.name} is no declared rule")


def program(
    route: list[StagePath], *, moves: bool, kept: Storage | None = None, dtype: str = "float32", norms_given: bool = True,
    draws: bool = False,
) -> Program:  # fmt: skip
    """Build the graph of a step along these stages. moves: an after-step evaluates elsewhere than at the updated iterate.

    kept: how parameters, stored in `dtype`, and memory are stored. Default: as the arithmetic leaves them. norms_given: the norms
    of all gradients are inputs; otherwise they are sums of the graph, as those of directions are. draws: the step draws its noise
    itself (the word `normal`); otherwise noise is an input.
    """
    step = SymbolicStep(kept or Storage(), dtype, norms_given=norms_given, draws=draws)
    step.made.flat, step.made.arranged = (any(getattr(passage, word) for passage in route) for word in ("flat", "arranged"))
    step.input("p", TENSOR)
    p, g, t = step.widened(), step.input("g", TENSOR), step.input("t", NUMBER)
    leaf = Leaf("p", (), p, g, t, None, g, walked=step.input("walked", TENSOR) if moves else None)
    stages = [(passage.path, passage.stage) for passage in route if isinstance(passage.stage, RuleStage)]
    afters = [(passage.path, passage.stage) for passage in route if isinstance(passage.stage, AfterStage)]
    places: dict[Any, Any] = {passage.path: _Place(passage) for passage in route}
    advance(stages, afters, [leaf], places, step)
    step.made.walked = leaf.walked if moves else None
    step.made.parameter = step.narrowed(leaf.p)
    return step.made


class _Place(dict[str, Any]):
    """The memory of a stage in a symbolic step: never passed in, since the step creates its symbols."""

    def __init__(self, passage: StagePath) -> None:
        self.path, self.rate = passage.path, passage.rate


class SymbolicStep(Step):
    """One step on the symbols of one tensor; `made` collects inputs and results."""

    lanes, seed = None, 0

    def __init__(self, kept: Storage, dtype: str, *, norms_given: bool = True, draws: bool = False) -> None:
        self.made, self.norms_given, self.draws = Program([], None), norms_given, draws
        self.kept, self.dtype = kept, dtype
        self.streams = 0
        self.stored: dict[int, Symbol] = {}
        self.path: Path = ()

    def run(self, stage: FunctionStage, leaves: Sequence[Leaf], memory: Memory) -> tuple[Sequence[Any], Memory]:
        if stage.trace.needs_whole_model and isinstance(stage, AfterStage):
            raise NotTraced(f"{stage.name} sums over the whole model after the step")
        (leaf,), declaration = leaves, stage.declaration
        assert isinstance(memory, _Place)
        self.path, leaf.lr = memory.path, memory.rate
        values = [ASKS[ask].supplied(Asking(leaf, self, stage)) for ask in declaration.asks]
        values += [self._recalled(name, kind, stage) for name, kind in declaration.memory.items()]
        known = trace.known(stage)
        hyper = {name: value if name in known else self._hyper(name, value, stage.name) for name, value in stage.config.items()}
        with trace.LocalNames(stage.function) as names:
            ran = trace.run_on(stage, dict(zip(declaration.order, values, strict=True)), hyper)
        self._note(stage, ran, names)
        return [ran.direction], {}

    def _note(self, stage: FunctionStage, ran: trace.Run, names: dict[str, Any]) -> None:
        """Record all results of a stage's function but the first."""
        belong_to(self.path, [ran.direction, *ran.memory.values()])
        for name, symbol in names.items():
            if isinstance(symbol, Symbol) and symbol.op != "input":
                self.made.names.setdefault(id(symbol), name)
                self.made.named.append(symbol)
        for name, kind in stage.declaration.memory.items():
            if name in stage.memory:
                old, new = self._remembered(ran.inputs[name], ran.memory[name])
                self.made.slots.append(BoundSlot((*self.path, name), kind, stage, old, new))

    # inputs

    def input(self, name: str, level: int, nonzero: bool = False) -> Symbol:
        return self.made.inputs.setdefault(name, Symbol.input(name, level, nonzero))

    def fresh(self, name: str, stage: str) -> str:
        """Return the name, with its stage appended if another stage has the same name."""
        name = name if name not in self.made.inputs else f"{stage}_{name}"
        while name in self.made.inputs:
            name += "_"
        return name

    def _hyper(self, name: str, value: Any, stage: str) -> Symbol:
        own = self.fresh(name, stage)
        self.made.hyper[own] = value
        return self.input(own, NUMBER, is_nonzero(value))

    # what functions may ask for

    def rate(self, leaf: Leaf) -> Symbol:
        for name, known in self.made.hyper.items():
            if known is leaf.lr and name.startswith("lr"):
                return self.made.inputs[name]
        name = "lr" if leaf.lr is None else f"lr_{sum(n.startswith('lr') for n in self.made.hyper) + 1}"
        self.made.hyper[name] = leaf.lr
        return self.input(name, NUMBER)

    @property
    def loss(self) -> Symbol:
        return self.input("loss", NUMBER)

    def gnorm(self, leaf: Leaf, stage: FunctionStage) -> Symbol:
        if "gnorm" not in stage.asks:
            return self.input("gnorm", NUMBER)
        if not self.norms_given or leaf.d is not self.made.inputs["g"] or stage.trace.needs_whole_model:
            return model_norm(leaf.d)
        name = self.fresh("gnorm", stage.name)
        self.made.norms[name] = self.path
        return self.input(name, NUMBER)

    def noise(self, leaf: Leaf, stage: FunctionStage) -> Symbol:
        if self.draws:
            drawn = normal(leaf.t, stage.name)
            self.made.names[id(drawn)] = "noise"
            self.made.named.append(drawn)
            return drawn
        name = self.fresh("noise", stage.name)
        self.made.draws[name] = stage.name
        if self.dtype in HALF:
            self.made.dtypes[name] = "float32"
        return self.input(name, TENSOR)

    def curvature(self, leaf: Leaf) -> Symbol:
        return self.input("curvature", TENSOR)

    def moved(self, points: list[Any], starts: list[Any]) -> list[Any]:
        return points

    # storage of parameter and memory

    def widened(self) -> Any:
        """Return the parameter in the dtype of the arithmetic."""
        if self.kept.rounding == "kahan":
            self.made.dtypes["lost"] = self.dtype
            return storage.with_lost(self.made.inputs["p"], self.input("lost", TENSOR), self.dtype)
        if self.kept.rounding == "master":
            self.made.dtypes["master"] = "float32"
            return storage.master_of(self.made.inputs["p"], self.input("master", TENSOR), self.dtype)
        return self.made.inputs["p"]

    def narrowed(self, point: Any) -> Any:
        """Return the new parameter as it is stored; extra storage goes to `beside`."""
        if self.kept.rounding == "kahan":
            stored = storage.rounded(point, self.dtype)
            self.made.beside["lost"] = point - stored
            return stored
        if self.kept.rounding == "master":
            self.made.beside["master"] = point
        return storage.dithered(point, self._uniform()) if self.kept.rounding == "stochastic" else point

    def _uniform(self) -> Symbol:
        """Return another random draw per element."""
        self.streams += 1
        return uniform(self.input("t", NUMBER), self.streams)

    def _remembered(self, old: Symbol, new: Any) -> tuple[Symbol, Any]:
        """Return memory before and after the step, from the rule's input and output."""
        stored = self.stored.get(id(old), old)
        if new is old:  # an initial value that never changes
            return stored, stored
        dtype = self.made.dtypes.get(stored.name)
        if dtype == "int8":
            scale = storage.largest_of_block(new)
            self.made.beside[storage.scale_name(stored.name)] = scale
            return stored, storage.encoded(new, scale, self._uniform())
        return stored, storage.dithered(new, self._uniform()) if dtype == "bfloat16" else new

    def _recalled(self, name: str, kind: Kind, stage: FunctionStage) -> Any:
        if name not in stage.memory and kind.fused and kind.starts_as_value:
            return kind.value
        margin = kind.margin and self.kept == Storage()
        if name not in stage.memory or not (margin or kind.fused):
            raise NotTraced(f"{stage.name} keeps memory of the kind {kind.kind}")
        stored = self.input(self.fresh(name, stage.name), kind.level)
        if margin and not self.made.flat:
            self.made.margins[stored.name] = kind.margin
        if kind.level < TENSOR or kind.dtype is not None or self.kept == Storage():
            return stored
        if not kind.compact:
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
