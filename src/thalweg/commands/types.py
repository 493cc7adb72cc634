"""click parameter types for numbers and paths, with their error messages."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import click


class WholeNumber(click.IntRange):
    """A whole number of at least `least` and, if given, at most `most`."""

    name = "whole number"

    def __init__(self, least: int, most: int | None = None) -> None:
        super().__init__(least, most)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            span = f"of at least {self.min}" if self.max is None else f"from {self.min} to {self.max:,}"
            self.fail(f"{value!r}; wanted a whole number {span}.", param, ctx)


class Many(WholeNumber):
    """A whole number from `least` to `most`; the help does not show `most`, which few users come near."""

    def __init__(self, least: int, most: int) -> None:
        super().__init__(least)
        self.most = most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        found = super().convert(value, param, ctx)
        if found > self.most:
            self.fail(f"{value!r}; wanted a whole number of at most {self.most:,}.", param, ctx)
        return found


class Real(click.FloatRange):
    """A finite number of at least `least` and, if given, at most `most`."""

    name = "number"

    def __init__(self, least: float, most: float | None = None) -> None:
        super().__init__(least, most)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        found = super().convert(value, param, ctx)
        if not math.isfinite(found):
            self.fail(f"{value!r}; wanted a finite number.", param, ctx)
        return found


class Seconds(Real):
    """A time in seconds, bounded because Python's clocks overflow."""

    name = "seconds"


class Hours(Real):
    """A time in hours."""

    name = "hours"


class Place(click.Path):
    """A path, converted to `Path`."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if "\0" in str(value):
            self.fail(f"{str(value)!r}; no path holds the character NUL.", param, ctx)
        return super().convert(value, param, ctx)


PLACE = Place()
