"""The built-in problems, one file each. A file defines a function `problem()`, and the problem is found by the file."""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
import typing

from thalweg.form.hyper import nearest
from thalweg.lab.data.problem import Problem
from thalweg.lab.refusal import Refusal

USUAL = "autoencoder"
"""The problem if none is named: of the networks on real data the one that tells most pairs of optimizers apart, and most a second
(`python -m benchmarks.told_apart`)."""


def names() -> list[str]:
    """The names of all problems, in alphabetical order."""
    return sorted(_modules())


def problem(name: str, block: int = 0) -> Problem:
    """The problem of this name, its data split as in a block of a comparison (see `splits`).

    Raises Refusal for an unknown name (with the nearest one) or missing data.
    """
    plain = _plain(name)
    if plain not in names():
        data = plain.endswith((".csv", ".parquet", ".npz"))
        hint = f"; your own data come with --data {name}" if data else nearest(plain, names())
        raise Refusal(f"no problem is called {name!r}{hint or '; thalweg compare --problems lists them'}")
    found: Problem = _module(plain).problem(block) if splits(plain) else _module(plain).problem()
    return found


def splits(name: str) -> bool:
    """Whether the problem of this name has data that each block splits anew: its function `problem` then takes the block."""
    return "block" in inspect.signature(_module(_plain(name)).problem).parameters


def of_kind(kind: type) -> list[str]:
    """The names of the problems of a class, in alphabetical order. Reads no data."""
    return [name for name in names() if kind_of(name) is kind]


def kind_of(name: str) -> type:
    """The class of the problem of this name, from the annotation of its function `problem`. Reads no data."""
    found: type = typing.get_type_hints(_module(name).problem)["return"]
    return found


def about(name: str) -> str:
    """A problem's description; if it is unavailable, what to install."""
    try:
        return problem(name).about
    except Refusal as refusal:
        return f"(not here) {refusal}"


def _plain(name: str) -> str:
    return name.strip().lower().replace("-", "_")


def _module(name: str) -> typing.Any:
    return importlib.import_module(_modules()[name])


@functools.cache
def _modules() -> dict[str, str]:
    """Each problem's name and module."""
    found = (info.name for info in pkgutil.walk_packages(__path__, f"{__name__}.") if not info.ispkg)
    return {module.rpartition(".")[2]: module for module in found}
