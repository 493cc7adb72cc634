"""The lab's problems, one file each. A problem is here because its file is: a function `problem()` that gives it."""

from __future__ import annotations

import functools
import importlib
import pkgutil
import typing

from thalweg.form.hyper import nearest
from thalweg.lab.data.problem import Problem
from thalweg.lab.refusal import Refusal


def names() -> list[str]:
    """The names of all problems, in alphabetical order."""
    return sorted(_modules())


def problem(name: str) -> Problem:
    """The problem of this name. Raises Refusal, with the nearest name, where there is none, or its data are not."""
    plain = name.strip().lower().replace("-", "_")
    if plain not in names():
        data = plain.endswith((".csv", ".parquet", ".npz"))
        hint = f"; your own data come with --data {name}" if data else nearest(plain, names())
        raise Refusal(f"no problem is called {name!r}{hint or '; thalweg compare --problems lists them'}")
    found: Problem = _module(plain).problem()
    return found


def of_kind(kind: type) -> list[str]:
    """The names of the problems of a class, in alphabetical order. No data are read."""
    return [name for name in names() if kind_of(name) is kind]


def kind_of(name: str) -> type:
    """The class of the problem of this name, as its function `problem` says. No data are read."""
    found: type = typing.get_type_hints(_module(name).problem)["return"]
    return found


def about(name: str) -> str:
    """What a problem is; or, where it cannot be had here, what to do about that."""
    try:
        return problem(name).about
    except Refusal as refusal:
        return f"(not here) {refusal}"


def _module(name: str) -> typing.Any:
    return importlib.import_module(_modules()[name])


@functools.cache
def _modules() -> dict[str, str]:
    """Each problem's name, and the module that has it."""
    found = (info.name for info in pkgutil.walk_packages(__path__, f"{__name__}.") if not info.ispkg)
    return {module.rpartition(".")[2]: module for module in found}
