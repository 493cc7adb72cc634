"""A group of commands whose modules are imported only when they are called."""

from __future__ import annotations

import importlib
from typing import Any

import click

from thalweg.form.hyper import nearest
from thalweg.lab.refusal import Refusal


def attribute(place: str) -> Any:
    """Import the module of "module:attribute", if necessary, and return the attribute."""
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


class Lazy(click.Group):
    """A click group whose commands are given by `where`: name -> "module:attribute"."""

    def __init__(self, *arguments: Any, where: dict[str, str], **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.where = where

    def resolve_command(self, context: click.Context, args: list[str]) -> Any:
        try:
            return super().resolve_command(context, args)
        except click.UsageError as error:
            known = ", ".join(self.where)
            raise Refusal(f"there is no command {args[0]!r}; there are {known}{nearest(args[0], self.where)}") from error

    def list_commands(self, context: click.Context) -> list[str]:
        return list(self.where)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in self.where:
            return None
        command: click.Command = attribute(self.where[name])
        return command
