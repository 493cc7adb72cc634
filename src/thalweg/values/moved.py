"""Modules under the paths of an earlier release, for one more release: `thalweg.cost` is `thalweg.graph.cost`."""

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
"""The subpackages that now hold each package's former modules."""


class Moved(MetaPathFinder, Loader):
    """Last finder in line: for a missing module, finds the one of that name in a subpackage."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        package, _, stem = name.rpartition(".")
        if package not in ROOMS or not isinstance(vars(sys.modules[package]).get(stem, sys), ModuleType):
            return None
        here = Path(sys.modules[package].__path__[0])
        files = f"{stem}.py", f"{stem}/__init__.py"
        found = next((room for room in ROOMS[package] if any((here / room / file).is_file() for file in files)), None)
        return None if found is None else ModuleSpec(name, self, origin=f"{package}.{found}.{stem}")

    def exec_module(self, module: ModuleType) -> None:
        """Replace the module made for the old path by the module itself."""
        assert module.__spec__ is not None
        sys.modules[module.__name__] = importlib.import_module(str(module.__spec__.origin))
