"""A rule: a plain function whose signature is its declaration, and everything derived from it."""

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
    """Switches that a rule had in an earlier release and that a stage or another rule now replaces.

    choices: the values of each switch, the default first. now: the replacement, for the warning. stage: builds the
    stage that a call with the switches meant.
    """

    choices: dict[str, tuple[Any, ...]]
    now: str
    stage: Callable[..., Stage]


@dataclass(frozen=True, eq=False)
class Rule(Configurable):
    """A declared method. Calling it with hyper-parameters, by position or by name, returns a stage for an `Optimizer`.

    Parameters
    ----------
    name, function, hyper
        The function's name, the function, and its hyper-parameters by name.
    configure : callable
        Builds the stage from the rule and a configuration.
    lr, search
        Usual learning rate, and the range in which to tune it (None: not to be tuned).
    former, switches
        Deprecated names of hyper-parameters, and deprecated switches.
    given_grad_fn : Rule, optional
        The @around method to use instead when the caller passes `grad_fn` to `step`.

    Examples
    --------
    >>> import thalweg as tw
    >>> stage = tw.adam(beta1=0.95)
    >>> optimizer = tw.Optimizer(stage, lr=1e-3)
    """

    name: str
    function: Function
    hyper: dict[str, Hyper]
    configure: Callable[[Rule, dict[str, Any]], Stage] = field(repr=False)
    lr: float | None = None
    search: tuple[float, float] | None = None
    former: dict[str, Former] = field(default_factory=dict, repr=False)
    switches: list[Switches] = field(default_factory=list, repr=False)
    given_grad_fn: Configurable | None = field(default=None, repr=False)
    parts: dict[str, Hyper] = field(init=False, repr=False)
    """The hyper-parameters as a configuration holds them, by name: an epsilon is split into number, place and root."""

    def __post_init__(self) -> None:
        _check_rates(self)
        signature = inspect.Signature(
            [inspect.Parameter(h.name, inspect.Parameter.KEYWORD_ONLY, default=h.default) for h in self.hyper.values()]
        )
        for attribute, value in (("__doc__", self.doc), ("__module__", self.function.__module__), ("__signature__", signature)):
            object.__setattr__(self, attribute, value)  # so that help(), inspect and doctest treat the rule as a function
        object.__setattr__(self, "parts", parts_of(self.hyper))

    def __call__(self, *hyper: Any, **named: Any) -> Stage:
        """Configure the method with these hyper-parameters.

        Returns
        -------
        Stage
            The configured method.

        Raises
        ------
        TypeError
            If a hyper-parameter is unknown or of the wrong type.
        ValueError
            If a hyper-parameter is out of range.
        """
        if self.switches and (before := self.switched(hyper, named)):
            return before
        return self.configure(self, self.bound(self.name, hyper, named))

    def switched(self, args: tuple[Any, ...], named: dict[str, Any]) -> Stage | None:
        """Return the stage that a call with deprecated switches meant, with a DeprecationWarning; None if it sets none."""
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
        """Return the configuration for these arguments, by the names of `parts`. owner: the name that messages use."""
        given = bind(owner, self.hyper, args, named, self.former) if args or named else {}
        return {name: part.check(given[name], owner) if name in given else part.default for name, part in self.parts.items()}

    def configured(self, config: dict[str, Any]) -> Stage:
        """Return the stage for a configuration made by `bound`. Raises TypeError and ValueError as a call does."""
        return self.configure(self, {name: part.check(config[name], self.name) for name, part in self.parts.items()})

    def __repr__(self) -> str:
        return f"<rule {self.name}: {self.paper}>"

    def __reduce__(self) -> str | tuple[Any, ...]:
        """Pickle by reference, as functions are, or by value if no module attribute of this name is the rule."""
        module: Any = sys.modules.get(self.function.__module__)
        name: str = self.function.__qualname__
        if functools.reduce(lambda o, part: getattr(o, part, None), name.split("."), module) is self:
            return name
        facts = self.name, self.function, self.hyper, self.configure, self.lr, self.search, self.former
        return Rule, (*facts, [], self.given_grad_fn)

    def __copy__(self) -> Rule:
        return self

    def __deepcopy__(self, memo: Any) -> Rule:
        return self

    @property
    def doc(self) -> str:
        return inspect.getdoc(self.function) or ""

    @property
    def paper(self) -> str:
        """The source in the docstring's first line: authors, year, arXiv id, algorithm."""
        return self.doc.partition("\n")[0].rstrip(".")

    @property
    def ours(self) -> bool:
        """Whether the rule is part of thalweg; a user's own rule may do anything."""
        return self.function.__module__.startswith("thalweg.")

    @property
    def year(self) -> int | None:
        """The year of the source; of the first one if there are several."""
        found = re.search(r"\b(18|19|20)\d\d\b", self.paper)
        return int(found.group()) if found else None

    @property
    def asks(self) -> tuple[str, ...]:
        """What the default configuration asks for, in the order of ASKS."""
        stage = self()
        return tuple(word for word in ASKS if word in stage.asks)

    @property
    def memory(self) -> dict[str, Kind]:
        """The memory of the default configuration: slot to kind."""
        return self().memory

    def formula(self, **hyper: Any) -> Formula:
        """Return the update in LaTeX (`.plain` for a terminal), derived from the rule itself."""
        return formula(self(**hyper))

    def cost(self, itemsize: int = 4, **hyper: Any) -> Cost:
        """Return state size, memory traffic and operations of one step, per parameter of `itemsize` bytes.

        For a method that treats matrices apart, this is the cost for matrices; `branches` has both.
        """
        return cost(self(**hyper), itemsize).usual


def _check_rates(rule: Rule) -> None:
    """Raise ValueError for a usual learning rate that is not one, an empty range, or a range without the usual rate."""
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
    """Declare an optimizer: a function of what it asks for and its memory that returns (direction, new memory...).

    Its signature is the declaration: what it asks for, its memory with first values, after `*` its hyper-parameters.

    Parameters
    ----------
    lr, search
        Usual learning rate, and the range in which to tune it.
    step : bool
        True if the function returns the whole step, multiplied by the learning rate already.
    given_grad_fn : Rule, optional
        The @around method to use instead when the caller passes `grad_fn` to `step`.
    former : dict, optional
        Deprecated names of hyper-parameters, accepted for one more release.

    Returns
    -------
    Rule
        The declared rule; without a function a decorator. TypeError if the signature is no declaration.
    """

    def declare(function: Function) -> Rule:
        asks = asked_by("rule")
        declaration = read(function, asks if step else [word for word in asks if word != "lr"])

        def configure(rule: Rule, config: dict[str, Any]) -> Stage:
            return RuleStage(rule, declaration, config, owns_step=step)

        return Rule(function.__name__, function, declaration.signature, configure, lr, search, former or {}, [], given_grad_fn)

    return declare if function is None else declare(function)


def after_step(function: Function | None = None, *, resets: bool = False) -> Any:
    """Declare what happens after the step.

    The function maps the updated iterate z (`walked`) to (point of the next gradient, new memory...). A memory slot of kind
    `shipped(like_p)` is the point that `Optimizer.ship` returns; without one that point is z.

    Parameters
    ----------
    resets : bool
        True if the next step starts at the returned point, too, and not at z.

    Returns
    -------
    Rule
        The declared rule, or without a function a decorator.
    """

    def declare(function: Function) -> Rule:
        declaration = read(function, asked_by("after"))
        if "x" in declaration.memory and declaration.shipped is None:  # an earlier release recognized it by this name
            warn_of_name(f"{function.__name__}: 'x' is taken for the point to ship by its name; write `x=shipped(...)`")
            memory = {slot: shipped(kind) if slot == "x" else kind for slot, kind in declaration.memory.items()}
            declaration = replace(declaration, memory=memory)

        def configure(rule: Rule, config: dict[str, Any]) -> Stage:
            return AfterStage(rule, declaration, config, resets=resets)

        return Rule(function.__name__, function, declaration.signature, configure)

    return declare if function is None else declare(function)


def around(
    function: Function | None = None,
    *,
    lr: float | None = None,
    search: tuple[float, float] | None = None,
    step: bool = False,
    decides: bool = False,
) -> Any:
    """Declare what happens around the step: a generator that yields points and receives (loss, gradient) at each.

    It returns (gradient, memory...). Its parameters, gradients and memory are whole trees; `norm` and `total` run over
    all of them.

    Parameters
    ----------
    lr, search, step
        As in `rule`; with step=True the generator returns the whole step, learning rate included.
    decides : bool
        True if the next point depends on values, as in a line search. Each lane then runs a generator of its own.

    Returns
    -------
    Rule
        The declared rule, or without a function a decorator.
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
    """Declare a named chain: a function of hyper-parameters alone that joins rules and stages.

    Parameters
    ----------
    lr, search, former
        As in `rule`.

    Returns
    -------
    Rule
        The declared recipe, or without a function a decorator.

    Examples
    --------
    >>> @recipe(lr=1e-3, search=(1e-4, 1e-1))
    ... def adam_with_decay(*, beta1: Decay = 0.9, weight_decay: NonNegative = 0.01):
    ...     return chain(adam(beta1=beta1), decay(weight_decay))
    """

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
