"""A rule: a plain function whose signature is its declaration, with all that comes from it."""

from __future__ import annotations

import functools
import inspect
import math
import re
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from thalweg.core.around_stage import AroundStage
from thalweg.core.rule_stage import AfterStage, RuleStage
from thalweg.core.stage import Configurable, Stage
from thalweg.form.asks import ASKS, asked_by
from thalweg.form.declaration import Function, read, warn_of_name
from thalweg.form.hyper import Former, Hyper, bind, parts_of
from thalweg.form.memory import Kind, shipped
from thalweg.graph.cost import Cost, cost
from thalweg.graph.formula import Formula, formula


@dataclass(frozen=True)
class Switches:
    """Switches that a rule had in an earlier release, where a stage or another rule stands now.

    choices: each one's values, the usual first. now: what to write. stage: what a call with them meant.
    """

    choices: dict[str, tuple[Any, ...]]
    now: str
    stage: Callable[..., Stage]


@dataclass(frozen=True, eq=False)
class Rule(Configurable):
    """A declared method: call it with hyper-parameters, by position or name, and get a stage ready for an Optimizer.

    `lr` is its usual learning rate and `search` the range in which to look for a better one (None: not to be tuned).
    """

    name: str
    function: Function
    hyper: dict[str, Hyper]
    configure: Callable[[Rule, dict[str, Any]], Stage] = field(repr=False)
    lr: float | None = None
    search: tuple[float, float] | None = None
    former: dict[str, Former] = field(default_factory=dict, repr=False)
    switches: list[Switches] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        _check_rates(self)
        signature = inspect.Signature(
            [inspect.Parameter(h.name, inspect.Parameter.KEYWORD_ONLY, default=h.default) for h in self.hyper.values()]
        )
        for attribute, value in (("__doc__", self.doc), ("__module__", self.function.__module__), ("__signature__", signature)):
            object.__setattr__(self, attribute, value)  # help(), inspect and doctest then see the rule as they see a function

    def __call__(self, *hyper: Any, **named: Any) -> Stage:
        """The method with these hyper-parameters. Raises TypeError for an unknown one, ValueError out of range."""
        return self.switched(hyper, named) or self.configure(self, self.bound(self.name, hyper, named))

    def switched(self, args: tuple[Any, ...], named: dict[str, Any]) -> Stage | None:
        """What a call meant that sets switches of an earlier release, with a DeprecationWarning; None where it sets none."""
        for switches in self.switches:
            said = {name: value for name, value in named.items() if name in switches.choices}
            for name, value in said.items():
                Hyper(name, switches.choices[name][0], choices=switches.choices[name]).check(value, self.name)
            if said:
                words = ", ".join(f"{name}={value!r}" for name, value in said.items())
                warnings.warn(f"{self.name}: in place of {words} there is {switches.now}", DeprecationWarning, stacklevel=3)
                return switches.stage(*args, **named)
        return None

    def bound(self, owner: str, args: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
        """The configuration that a call asks for, by the names of `parts`. owner: who is called, for messages."""
        return bind(owner, self.hyper, args, named, self.former)

    def configured(self, config: dict[str, Any]) -> Stage:
        """The method with a configuration as `bound` makes it. Raises TypeError and ValueError as a call does."""
        return self.configure(self, {name: part.check(config[name], self.name) for name, part in self.parts.items()})

    @functools.cached_property
    def parts(self) -> dict[str, Hyper]:
        """The hyper-parameters as a configuration has them, by name: an epsilon's number, place and second number apart."""
        return parts_of(self.hyper)

    def __repr__(self) -> str:
        return f"<rule {self.name}: {self.paper}>"

    def __reduce__(self) -> str | tuple[Any, ...]:
        """By reference, as functions are pickled: the module's rule of this name. One made inside a function has none."""
        module: Any = sys.modules.get(self.function.__module__)
        name: str = self.function.__qualname__
        if functools.reduce(lambda o, part: getattr(o, part, None), name.split("."), module) is self:
            return name
        return Rule, (self.name, self.function, self.hyper, self.configure, self.lr, self.search, self.former)

    def __copy__(self) -> Rule:
        return self

    def __deepcopy__(self, memo: Any) -> Rule:
        return self

    @property
    def doc(self) -> str:
        return inspect.getdoc(self.function) or ""

    @property
    def paper(self) -> str:
        """The source, as the docstring's first line states it: authors, year, arXiv id, algorithm."""
        return self.doc.partition("\n")[0].rstrip(".")

    @property
    def ours(self) -> bool:
        """Whether it came with thalweg: a user's own may do anything."""
        return self.function.__module__.startswith("thalweg.")

    @property
    def year(self) -> int | None:
        """The year of the (first) source."""
        found = re.search(r"\b(18|19|20)\d\d\b", self.paper)
        return int(found.group()) if found else None

    @property
    def asks(self) -> tuple[str, ...]:
        """What its default configuration has injected, in ASKS' order."""
        stage = self()
        return tuple(word for word in ASKS if word in stage.asks)

    @property
    def memory(self) -> dict[str, Kind]:
        """What its default configuration keeps: slot to kind."""
        return self().memory

    def formula(self, **hyper: Any) -> Formula:
        """The update in LaTeX (`.plain` for a terminal), printed from the rule itself."""
        return formula(self(**hyper))

    def cost(self, itemsize: int = 4, **hyper: Any) -> Cost:
        """State, memory traffic and operations of one step, for each parameter of `itemsize` bytes.

        Of a method that treats matrices and the rest in two ways it is the matrices'; `branches` has both.
        """
        return cost(self(**hyper), itemsize).usual


def _check_rates(rule: Rule) -> None:
    """Raises ValueError for a usual learning rate that is none, a range that is empty, or one that does not hold the rate."""
    lr, search = rule.lr, rule.search
    if lr is not None and not (isinstance(lr, int | float) and 0 <= lr < math.inf):
        raise ValueError(f"{rule.name}: lr is a number from 0 on, as in lr=0.1, not {lr!r}")
    if search is None:
        return
    pair = isinstance(search, tuple | list) and len(search) == 2 and all(isinstance(x, int | float) for x in search)
    if not pair or not 0 < search[0] < search[1] < math.inf:
        raise ValueError(f"{rule.name}: search is a range of positive rates, as in search=(1e-4, 1.0), not {search!r}")
    if lr is not None and not search[0] <= lr <= search[1]:
        raise ValueError(f"{rule.name}: its own lr, {lr:g}, is not in search={search!r}; widen the range or move the rate")


def rule(
    function: Function | None = None,
    *,
    lr: float | None = None,
    search: tuple[float, float] | None = None,
    step: bool = False,
    given_grad_fn: Rule | None = None,
    former: dict[str, Former] | None = None,
) -> Any:
    """Declare an optimizer: a function from what it asks for and remembers to (direction, new memory...).

    lr, search: its usual learning rate and the range to tune it in. step=True: it returns the whole step, the learning
    rate in it. given_grad_fn: the @around method that takes its place where the caller hands `grad_fn` to `step`.
    former: words of an earlier release for its hyper-parameters, taken for one release more.
    """

    def declare(function: Function) -> Rule:
        asks = asked_by("rule")
        declaration = read(function, asks if step else [word for word in asks if word != "lr"])

        def configure(rule: Rule, config: dict[str, Any]) -> Stage:
            return RuleStage(rule, declaration, config, owns_step=step, given_grad_fn=given_grad_fn)

        return Rule(function.__name__, function, declaration.signature, configure, lr, search, former or {})

    return declare if function is None else declare(function)


def after_step(function: Function) -> Rule:
    """Declare what happens after the step: from the walked point z to (where the next gradient is taken, memory...).

    Memory of the kind `shipped(like_p)` is the point to ship (`Optimizer.ship`); without one it is z.
    """
    declaration = read(function, asked_by("after"))
    if "x" in declaration.memory and declaration.shipped is None:  # so an earlier release knew it
        warn_of_name(f"{function.__name__}: 'x' is taken for the point to ship by its name; write `x=shipped(...)`")
        memory = {slot: shipped(kind) if slot == "x" else kind for slot, kind in declaration.memory.items()}
        declaration = replace(declaration, memory=memory)
    return Rule(function.__name__, function, declaration.signature, lambda rule, c: AfterStage(rule, declaration, c))


def around(
    function: Function | None = None,
    *,
    lr: float | None = None,
    search: tuple[float, float] | None = None,
    step: bool = False,
    decides: bool = False,
) -> Any:
    """Declare what happens around the step: a generator that yields points and is sent (loss, gradient) for each.

    It returns (gradient, memory...). The parameters, gradients and memory in it are whole trees; `norm` and `total` are
    over all. lr, search, step: as `rule` has them; with step=True it returns the whole step, the learning rate in it.
    decides=True: where it looks next depends on values (a line search), so that lanes run one beside the other, each
    with a generator of its own.
    """

    def declare(function: Function) -> Rule:
        declaration = read(function, asked_by("around"))

        def configure(rule: Rule, config: dict[str, Any]) -> Stage:
            return AroundStage(rule, declaration, config, owns_step=step, decides=decides)

        return Rule(function.__name__, function, declaration.signature, configure, lr, search)

    return declare if function is None else declare(function)


def recipe(
    function: Function | None = None,
    *,
    lr: float | None = None,
    search: tuple[float, float] | None = None,
    former: dict[str, Former] | None = None,
) -> Any:
    """Declare a named chain: a function of hyper-parameters alone that joins rules and stages."""

    def declare(function: Function) -> Rule:
        parameters = inspect.signature(function).parameters.values()
        if positional := [p.name for p in parameters if p.kind is not p.KEYWORD_ONLY]:
            raise TypeError(f"{function.__name__}: a recipe has hyper-parameters only; write `*` before '{positional[0]}'")
        declaration = read(function, {})

        def configure(rule: Rule, config: dict[str, Any]) -> Stage:
            built: Stage = function(**declaration.joined(config))
            return built.named(rule.name, rule.lr)

        return Rule(function.__name__, function, declaration.signature, configure, lr, search, former or {})

    return declare if function is None else declare(function)
