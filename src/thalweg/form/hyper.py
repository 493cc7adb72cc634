"""Hyper-parameters: their ranges as data, and the checks, messages and documentation derived from them."""

from __future__ import annotations

import difflib
import enum
import functools
import math
import warnings
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal, get_args, get_origin

import numpy as np

from thalweg.ops.epsilon import PLACES, Epsilon
from thalweg.values.arrays import dtype_name, framework, is_traced, real_part

Schedule = Callable[[Any], Any]
"""Maps t = 1, 2, ... (the number of the update) to the value at that update."""


@dataclass(frozen=True)
class Range:
    """An interval of the real line, each end open or closed."""

    low: float = -math.inf
    high: float = math.inf
    low_in: bool = True
    high_in: bool = True

    def __contains__(self, x: float) -> bool:
        above = x >= self.low if self.low_in else x > self.low
        below = x <= self.high if self.high_in else x < self.high
        return above and below

    def __str__(self) -> str:
        if self.low == -math.inf and self.high == math.inf:
            return "any number"
        left = "" if self.low == -math.inf else f"{self.low:g} {'<=' if self.low_in else '<'} "
        right = "" if self.high == math.inf else f" {'<=' if self.high_in else '<'} {self.high:g}"
        return f"{left}x{right}"


@dataclass(frozen=True)
class Search:
    """In an annotation: the values among which to tune a hyper-parameter, as in `Annotated[Decay, Search(0.9, 0.999)]`."""

    low: float
    high: float


class Role(enum.Enum):
    """The role of a hyper-parameter whose value the caller may know, declared by its annotation, whatever its name."""

    DATA_SIZE = "the size of the data set"
    INTERVAL = "every how many steps the curvature, or a draw, is looked at"
    LEAST_LOSS = "the least loss possible"
    BURN_IN = "how many steps explore"


@dataclass(frozen=True)
class ByLeaf:
    """One value per parameter, by name: the form of differing parameter groups."""

    values: dict[str, Any]


class Nonzero(functools.partial[Any]):
    """A number that is looked up as a schedule is called, and is never 0."""


def is_nonzero(value: Any) -> bool:
    """Whether a hyper-parameter is never 0, for no parameter, no lane and at no update."""
    each = value.values.values() if isinstance(value, ByLeaf) else (value,)
    return all(isinstance(x, Nonzero) or (isinstance(x, int | float | np.ndarray) and bool(np.all(x != 0))) for x in each)


Decay = Annotated[float, Range(0, 1, high_in=False)]
"""The weight of the old value in an average: 0 <= x < 1."""
Fraction = Annotated[float, Range(0, 1)]
"""0 <= x <= 1."""
Share = Annotated[float, Range(0, 1, low_in=False, high_in=False)]
"""0 < x < 1."""
Positive = Annotated[float, Range(0, low_in=False)]
"""x > 0."""
NonNegative = Annotated[float, Range(0)]
"""x >= 0."""
Eps = Annotated[Epsilon, Range(0, low_in=False)]
"""x > 0 and its place, as `outside(1e-8)`; a plain number takes the default's place."""
EpsOrZero = Annotated[Epsilon, Range(0)]
"""x >= 0 and its place; with 0, 0/0 = 0."""
Real = Annotated[float, Range()]
"""Any number."""
Count = Annotated[int, Range(1)]
"""A whole number from 1 on."""
DataSize = Annotated[float, Range(0, low_in=False), Role.DATA_SIZE]
"""The size of the data set, which the lab provides."""
Interval = Annotated[int, Range(1), Role.INTERVAL]
"""The number of steps between two estimates of the curvature, or between two draws that are looked at."""
LeastLoss = Annotated[float, Range(), Role.LEAST_LOSS]
"""The smallest possible loss, which a race provides."""
BurnIn = Annotated[int, Range(1), Role.BURN_IN]
"""The number of exploration steps of a rule."""


def with_role(hyper: Mapping[str, Hyper], role: Role) -> str | None:
    """Return the name of the hyper-parameter with this role, or None."""
    return next((name for name, h in hyper.items() if h.role is role), None)


class Places(tuple[str, ...]):
    """In an annotation: the places that a rule's epsilon may take, if not all."""


def part_names(name: str) -> tuple[str, str, str]:
    """Return the names of an epsilon's parts in a configuration: its number, its place and the number under the root."""
    return name, f"{name}_place", f"{name}_root"


def _holds(bounds: Range | None, search: Search) -> bool:
    return bounds is None or (search.low in bounds and search.high in bounds)


@dataclass(frozen=True)
class Hyper:
    """One hyper-parameter: its default and its valid values.

    A *static* one (a bool, a string, None or an int by its default) is fixed when the rule is configured, and `if`
    may read it; a *dynamic* one (a float) may be a number, a schedule, a tracer, a tensor or one value per lane.
    """

    name: str
    default: Any
    range: Range | None = None
    choices: tuple[Any, ...] = ()
    role: Role | None = None
    search: Search | None = None

    @property
    def static(self) -> bool:
        return not isinstance(self.default, float | Epsilon)

    def fixes(self, value: Any) -> bool:
        """Whether `if` may read this value, as a static one's; a number whose default is None may vary as any other."""
        varies = self.default is None and (callable(value) or isinstance(value, ByLeaf) or framework(value) is not None)
        return self.static and not varies

    @functools.cached_property
    def parts(self) -> dict[str, Hyper]:
        """Its parts in a configuration, by name: for an epsilon its number, its place and the number under the root."""
        if not isinstance(self.default, Epsilon):
            return {self.name: self}
        number, place, root = part_names(self.name)
        return {
            number: replace(self, default=float(self.default.number), choices=()),
            place: Hyper(place, self.default.place, choices=self.choices or PLACES),
            root: Hyper(root, float(self.default.root), Range(0)),
        }

    def split(self, value: Any) -> dict[str, Any]:
        """Split a value into its parts by name; a plain epsilon gives its number alone."""
        if isinstance(value, Epsilon) and isinstance(self.default, Epsilon):
            return dict(zip(self.parts, (value.number, value.place, value.root), strict=True))
        return {self.name: value}

    def told(self, value: Any) -> str:
        """Format a value as source code; an epsilon in its default place is formatted as its number."""
        usual = isinstance(value, Epsilon) and replace(value, number=0.0) == replace(self.default, number=0.0)
        return repr(value.number if usual else value)

    @classmethod
    def declared(cls, name: str, default: Any, annotation: Any, owner: str = "") -> Hyper:
        """Read `name: annotation = default` from a rule's signature. Raises ValueError for a default out of range."""
        bounds = next((x for x in getattr(annotation, "__metadata__", ()) if isinstance(x, Range)), None)
        choices: tuple[Any, ...] = get_args(annotation) if get_origin(annotation) is Literal else ()
        if isinstance(default, bool):
            choices = (False, True)
        if isinstance(default, Epsilon):
            choices = next((tuple(x) for x in getattr(annotation, "__metadata__", ()) if isinstance(x, Places)), PLACES)
        role = next((x for x in getattr(annotation, "__metadata__", ()) if isinstance(x, Role)), None)
        search = next((x for x in getattr(annotation, "__metadata__", ()) if isinstance(x, Search)), None)
        if search is not None and not (0 < search.low < search.high < math.inf and _holds(bounds, search)):
            raise ValueError(f"{owner}: {name} has {search}; wanted 0 < low < high, both of them among its values")
        made = cls(name, default, bounds, choices, role, search)
        if isinstance(default, Epsilon):
            for part in made.parts.values():
                part.check(part.default, f"the default in {owner}")
        elif default is not None and not callable(default):
            if isinstance(default, float) and get_origin(annotation) is Annotated and get_args(annotation)[0] is int:
                raise TypeError(
                    f"{owner}: {name} is a whole number by its annotation, and its default is {default!r}; write {default:.0f}"
                )
            made.check(default, f"the default in {owner}")
        return made

    def check(self, value: Any, owner: str) -> Any:
        """Return the value as the rule receives it. Raises TypeError for a wrong type, ValueError for one out of range."""
        if type(value) is type(self.default) is float and self.range is not None and value in self.range:
            return value
        if any(value is choice for choice in self.choices):
            return value
        return self._check_static(value, owner) if self.static else self._check_dynamic(value, owner)

    def _check_static(self, value: Any, owner: str) -> Any:
        if self.choices:
            if not any(value is c or (type(value) is type(c) and value == c) for c in self.choices):
                raise ValueError(
                    f"{owner}: {self.name} is one of {listed(self.choices)}, not {value!r}{nearest(value, self.choices)}"
                )
        elif isinstance(self.default, int) and (isinstance(value, bool) or not isinstance(value, int | np.integer)):
            raise TypeError(f"{owner}: {self.name} is a whole number fixed in advance, not {value!r}")
        elif self.range is not None and value not in self.range:
            raise ValueError(f"{owner}: {self.name} needs {str(self.range).replace('x', self.name)}, not {value!r}")
        return value

    def _check_dynamic(self, value: Any, owner: str) -> Any:
        if callable(value):
            return value
        if is_traced(value):
            return real_part(value)
        if isinstance(value, ByLeaf):
            return ByLeaf({leaf: self._check_dynamic(own, owner) for leaf, own in value.values.items()})
        if isinstance(value, bool | str | bytes | bytearray) or value is None:
            raise TypeError(f"{owner}: {self.name} is a number or a schedule, not {value!r}")
        if isinstance(value, Sequence):
            value = np.asarray(value, np.float64)
        if framework(value) is not None and framework(value).name != "numpy":
            value = real_part(value)
            if not dtype_name(value).startswith("complex"):
                return value
        numbers = np.asarray(value)
        if numbers.dtype.kind not in "iuf":
            raise TypeError(f"{owner}: {self.name} is a number or a schedule, not {value!r}")
        for x in numbers.ravel().tolist():
            if math.isnan(x) or (self.range is not None and x not in self.range):
                bounds = str(self.range).replace("x", self.name) if self.range else "a number"
                raise ValueError(f"{owner}: {self.name} needs {bounds}, not {x!r}")
        return float(numbers) if numbers.ndim == 0 else numbers.astype(np.float64)


def listed(items: Iterable[Any]) -> str:
    """Return `'a', 'b' or 'c'`, for a message."""
    words = [repr(x) for x in items]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def nearest(word: Any, known: Iterable[Any]) -> str:
    """Return `; did you mean 'adam'?`, or an empty string if nothing known is similar."""
    found = difflib.get_close_matches(str(word), [str(k) for k in known], n=1)
    return f"; did you mean {found[0]!r}?" if found else ""


ELSEWHERE = {
    "lr": "; the learning rate goes to Optimizer(rule, lr=...)",
    "learning_rate": "; the learning rate goes to Optimizer(rule, lr=...)",
    "weight_decay": "; decay is a stage of its own: chain({owner}(...), decay(0.01))",
}
"""Options often mistaken for hyper-parameters, and where they belong."""


@dataclass(frozen=True)
class Former:
    """A deprecated form of a hyper-parameter, accepted for one more release with a DeprecationWarning.

    now: the replacement, with {value} in it. part: the part of a configuration that it sets. values: maps its values to those
    of the part, if they differ.
    """

    now: str
    part: str
    values: Mapping[Any, Any] = field(default_factory=dict)

    def read(self, owner: str, name: str, value: Any, parts: dict[str, Hyper]) -> dict[str, Any]:
        """Return the part of a configuration that name=value sets, after the check and the warning."""
        found = parts[self.part].check(self.values.get(value, value) if isinstance(value, str) else value, owner)
        warnings.warn(f"{owner}: {name}={value!r} is now {self.now.format(value=value)}", DeprecationWarning, stacklevel=7)
        return {self.part: found}


def formers(hyper: dict[str, Hyper]) -> dict[str, Former]:
    """Return the deprecated names for an epsilon's place, for each epsilon among the hyper-parameters."""
    found = {}
    for h in hyper.values():
        if isinstance(h.default, Epsilon):
            _, place, root = part_names(h.name)
            found[place] = Former(f"{h.name}=inside(...) or another of {', '.join(h.choices)}", place)
            found[root] = Former(f"{h.name}=outside(..., root={{value!r}})", root)
    return found


def bind(
    owner: str, hyper: dict[str, Hyper], args: tuple[Any, ...], named: dict[str, Any], former: Mapping[str, Former] | None = None
) -> dict[str, Any]:
    """Return what a call gives of a configuration, by the names of the parts: positions, then names.

    former: deprecated forms, accepted with a DeprecationWarning.
    """
    if len(args) > len(hyper):
        raise TypeError(f"{owner} takes at most {len(hyper)} hyper-parameters ({', '.join(hyper)}), not {len(args)}")
    given: dict[str, Any] = {}
    for name, value in zip(hyper, args, strict=False):
        given |= hyper[name].split(value)
    if named:
        given |= _by_name(owner, hyper, given, named, former or {})
    return given


def _by_name(
    owner: str, hyper: dict[str, Hyper], before: Collection[str], named: dict[str, Any], former: Mapping[str, Former]
) -> dict[str, Any]:
    """Return the parts of a configuration that a call gives by name. before: those that it gives by position."""
    given: dict[str, Any] = {}
    for name, value in named.items():
        own = hyper[name].split(value) if name in hyper else _formerly(owner, hyper, former, name, value)
        if name in before or name in given:
            raise TypeError(f"{owner}: {name} is given twice, by position and by name")
        given |= own
    return given


def _formerly(owner: str, hyper: dict[str, Hyper], former: Mapping[str, Former], name: str, value: Any) -> dict[str, Any]:
    """Return the part of a configuration that a deprecated name sets. Raises TypeError for a name that never was one."""
    known = {**formers(hyper), **former}
    if name in known:
        return known[name].read(owner, name, value, parts_of(hyper))
    have = f"it has {', '.join(hyper)}" if hyper else "it has none"
    hint = ELSEWHERE.get(name, "").format(owner=owner) or nearest(name, hyper)
    raise TypeError(f"{owner} has no hyper-parameter '{name}'; {have}{hint}")


def parts_of(hyper: dict[str, Hyper]) -> dict[str, Hyper]:
    """Return the hyper-parameters by their names in a configuration."""
    return {name: part for h in hyper.values() for name, part in h.parts.items()}


def split_all(said: dict[str, Any]) -> dict[str, Any]:
    """Return a parameter group's values, with each epsilon split into its parts."""
    found: dict[str, Any] = {}
    for name, value in said.items():
        parts = (value.number, value.place, value.root) if isinstance(value, Epsilon) else ()
        found |= dict(zip(part_names(name), parts, strict=True)) if parts else {name: value}
    return found


def with_parts(saved: dict[str, Any], group: dict[str, Any]) -> dict[str, Any]:
    """Return a saved parameter group with the epsilon places that an earlier release did not save."""
    kept = {key: value for key, value in group.items() if key.endswith(part_names("")[1:]) and key not in saved}
    return {**saved, **kept}
