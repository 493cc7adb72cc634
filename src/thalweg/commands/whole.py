"""Numbers on the command line, and what is said of one that is none."""

from __future__ import annotations

from typing import Any

import click


class Whole(click.IntRange):
    """A whole number from `least` on, up to `most` where there is one."""

    name = "whole number"

    def __init__(self, least: int, most: int | None = None) -> None:
        super().__init__(least, most)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            span = f"of at least {self.min}" if self.max is None else f"from {self.min} to {self.max:,}"
            self.fail(f"{value!r}; wanted a whole number {span}.", param, ctx)
