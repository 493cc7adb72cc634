"""A function's declaration, read from its signature: what it asks for, its memory, its hyper-parameters."""

from __future__ import annotations

import functools
import inspect
import typing
import warnings
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from thalweg.form.hyper import Hyper, Role, listed, part_names, parts_of, with_role
from thalweg.form.memory import Kind, Numbers, of_default, per_model
from thalweg.ops.epsilon import Epsilon

Function: TypeAlias = Callable[..., Any]


@dataclass(frozen=True)
class Declaration:
    """The declaration of a function: `asks` are injected by name, `memory` is kept, `signature` is what a user sets.

    A configuration holds the parts of the latter by name, `hyper`: an epsilon's number, which may change, apart from its place.
    epsilons: the names of each epsilon's parts. unsized: whether hyper-parameters say how much memory there is.
    """

    asks: tuple[str, ...]
    memory: dict[str, Kind]
    signature: dict[str, Hyper]
    hyper: dict[str, Hyper]
    epsilons: dict[str, tuple[str, str, str]]
    order: tuple[str, ...]
    unsized: bool
    tuples: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @functools.cached_property
    def shipped(self) -> str | None:
        """The memory slot with the point to keep and evaluate."""
        return next((slot for slot, kind in self.memory.items() if kind.ships), None)

    def joined(self, config: dict[str, Any]) -> dict[str, Any]:
        """Convert a configuration to the function's keyword arguments, with each epsilon joined to one value."""
        named = dict(config)
        for name, parts in self.epsilons.items():
            named[name] = Epsilon(*map(named.pop, parts))
        return named

    def sized(self, config: dict[str, Any]) -> Declaration:
        """Return the declaration with memory sized by these hyper-parameters; `numbers` expands to one slot each."""
        memory: dict[str, Kind] = {}
        tuples = dict(self.tuples)
        for slot, kind in self.memory.items():
            own = kind.sized(config)
            if isinstance(own, Numbers):
                tuples[slot] = tuple(f"{slot}{i + 1}" for i in range(int(own.size)))
            memory |= dict.fromkeys(tuples[slot], per_model) if slot in tuples else {slot: own}
        return replace(self, memory=memory, order=(*self.asks, *memory), tuples=tuples, unsized=False)

    def packed(self, values: Sequence[Any]) -> list[Any]:
        """Return the function's arguments, given a value for each ask and slot."""
        named, found = dict(zip(self.order, values, strict=True)), []
        of_tuples = {name: slot for slot, names in self.tuples.items() for name in names}
        for name, value in named.items():
            if name not in of_tuples:
                found.append(value)
            elif name == self.tuples[of_tuples[name]][0]:
                found.append(tuple(named[other] for other in self.tuples[of_tuples[name]]))
        return found

    @staticmethod
    def unpacked(results: Any) -> tuple[Any, ...]:
        """Return a function's result as the direction and a value per slot."""
        each = results if isinstance(results, tuple) else (results,)
        return tuple(value for one in each for value in (one if isinstance(one, tuple) else (one,)))


def read(function: Function, asks: Collection[str]) -> Declaration:
    """Read the declaration from a function's signature. Raises TypeError, with the remedy, if it breaks the form."""
    name = function.__name__
    hints = typing.get_type_hints(function, include_extras=True)
    wanted: list[str] = []
    memory: dict[str, Kind] = {}
    hyper: dict[str, Hyper] = {}
    for parameter in inspect.signature(function).parameters.values():
        word, default = parameter.name, parameter.default
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise TypeError(f"{name}: *{word} hides what the rule takes; write its arguments out")
        if parameter.kind is parameter.KEYWORD_ONLY:
            if default is parameter.empty:
                raise TypeError(f"{name}: hyper-parameter '{word}' needs a default, as in `{word}: Positive = 1e-8`")
            hyper[word] = Hyper.declared(word, default, hints.get(word), name)
        elif default is parameter.empty:
            if word == "lr" and word not in asks and "g" in asks:
                raise TypeError(
                    f"{name}: 'lr' is nothing a rule can ask for; with @rule(step=True) it is asked for, and the rule then "
                    "returns the whole step, the learning rate in it"
                )
            if word not in asks:
                raise TypeError(
                    f"{name}: '{word}' is nothing a rule can ask for (that is {listed(asks)}), and as memory it needs "
                    f"a first value (`{word}=0.0`); a hyper-parameter stands after `*`"
                )
            wanted.append(word)
        elif word in asks:
            raise TypeError(f"{name}: '{word}' is asked for, so it takes no default; memory needs another name")
        else:
            kind = of_default(default)
            if kind is None:
                raise TypeError(f"{name}: memory '{word}' starts as a number or a kind such as like_p, not {default!r}")
            memory[word] = kind
    signature = _by_their_names(name, wanted, hyper)
    epsilons = {word: part_names(word) for word, h in signature.items() if isinstance(h.default, Epsilon)}
    unsized = any(isinstance(kind.size, str) or isinstance(kind, Numbers) for kind in memory.values())
    return Declaration(tuple(wanted), memory, signature, parts_of(signature), epsilons, (*wanted, *memory), unsized)


NAMES = {"N": (Role.DATA_SIZE, "DataSize"), "fstar": (Role.LEAST_LOSS, "LeastLoss"), "burnin": (Role.BURN_IN, "BurnIn")}
"""Hyper-parameters that an earlier release recognized by name, with today's annotation; also k, with the curvature."""


def _by_their_names(owner: str, asks: Sequence[str], hyper: dict[str, Hyper]) -> dict[str, Hyper]:
    """Add, for one more release, the roles that an earlier release inferred from names."""
    names = NAMES | ({"k": (Role.INTERVAL, "Interval")} if "curvature" in asks else {})
    found = dict(hyper)
    for name, (role, word) in names.items():
        if name in found and with_role(hyper, role) is None:
            found[name] = replace(found[name], role=role)
            warn_of_name(f"{owner}: '{name}' is taken for {role.value} by its name; write `{name}: {word} = ...`")
    return found


def warn_of_name(message: str) -> None:
    """Warn the author of a rule that a role inferred from a name must be declared."""
    warnings.warn(f"{message}; the next release does not know it by its name", DeprecationWarning, stacklevel=6)
