"""A module under the path that it had before the rooms were made: for one release `thalweg.cost` is `thalweg.graph.cost`."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

ROOMS = {
    "thalweg": ("values", "form", "core", "graph", "stages", "commands"),
    "thalweg.lab": ("protocol", "data", "user", "trials", "store", "running", "comparing", "statistics", "report"),
}
"""Where what stood in a package has gone."""


class Moved(MetaPathFinder, Loader):
    """Asked last, of a module that is not where it is looked for: the one of that name in a room that was made of its package."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        package, _, stem = name.rpartition(".")
        if package not in ROOMS or not isinstance(vars(sys.modules[package]).get(stem, sys), ModuleType):
            return None
        here = Path(sys.modules[package].__path__[0])
        found = next((room for room in ROOMS[package] if (here / room / f"{stem}.py").is_file()), None)
        return None if found is None else ModuleSpec(name, self, origin=f"{package}.{found}.{stem}")

    def exec_module(self, module: ModuleType) -> None:
        """What was made for the old path gives way to the module itself."""
        assert module.__spec__ is not None
        sys.modules[module.__name__] = importlib.import_module(str(module.__spec__.origin))
