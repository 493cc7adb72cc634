"""A library's arguments as plain values: what a row takes where no framework is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg.core.function_stage import FunctionStage
from thalweg.core.stage import Stage
from thalweg.form.hyper import nearest


class Plain:
    """The arguments of an optimizer, its defaults with the caller's in place: `given.beta_1`, or as a `Row` asks for them.

    Raises TypeError for an argument that the optimizer does not have, and for a switch that is neither True nor False.
    """

    def __init__(self, owner: str, defaults: dict[str, Any], options: dict[str, Any]) -> None:
        for name in options.keys() - defaults.keys():
            have = ", ".join(defaults) or "none"
            raise TypeError(f"{owner} takes no argument '{name}' here; it takes {have}{nearest(name, defaults)}")
        for name, value in options.items():
            if isinstance(defaults[name], bool) and not isinstance(value, bool | np.bool_):
                raise TypeError(f"{owner}: {name} is {value!r}; wanted True or False")
        self.values = {**defaults, **options}

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["values"][name]
        except KeyError:
            raise AttributeError(name) from None

    def static(self, name: str) -> Any:
        """Return a value that selects the algorithm."""
        return self.values[name]

    def dynamic(self, name: str, part: int | None = None) -> Any:
        """Return a number or a schedule of t = 1, 2, ...; part: its index in a tuple."""
        value = self.values[name]
        return value if part is None else value[part]

    def dynamic_or_zero(self, name: str) -> Any:
        """Return the same, with 0 for None."""
        return 0.0 if self.values[name] is None else self.values[name]

    def by_dtype(self, values: dict[str, Any]) -> Any:
        """Return the value for float64."""
        return values["float64"]

    def leaves(self, name: str) -> Callable[[Any], bool] | None:
        """Return the predicate of a mask; None if all parameters are meant."""
        mask = self.values[name]
        return None if mask is None or mask is True else mask

    def told(self, name: str) -> Callable[[Any], Any] | None:
        """Return a function from parameter to the argument's value for it; None if the argument is None."""
        found: Callable[[Any], Any] | None = self.values[name]
        return found


def starting(stage: Stage, **values: float) -> Stage:
    """Return a configured rule with other first values of its memory."""
    if not isinstance(stage, FunctionStage):
        raise TypeError(f"{stage.name} is a chain; the rule in it starts its memory")
    return stage.starting(**values)
