"""The lab's rooms stand in an order, and each imports only from those before it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import thalweg.lab

LAB = Path(thalweg.lab.__file__).parent
ROOMS = (
    *("refusal", "learned", "data", "protocol", "problems", "running", "trials", "store", "training", "user"),
    *("statistics", "comparing", "report", "bank", "race", "playground", "verify", "api"),
)
NEED_A_PACKAGE_OF_THE_USERS = {"chunk", "jax_engine", "adaptive", "by_jax", "by_torch"}
"""Modules that import JAX, Optuna or PyTorch at their top; who asks for one of these at need imports them at need."""


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """The modules that a file imports, and whether it does so at its top."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{name}" for name in names]
        yield from ((name, node in tree.body) for name in names)


def test_each_room_imports_only_from_those_before_it() -> None:
    up = []
    for path in LAB.rglob("*.py"):
        room = path.relative_to(LAB).parts[0].removesuffix(".py")
        if room == "__init__":
            continue
        for name, _ in imports(path):
            if name.startswith("thalweg.commands"):
                up.append((path.name, name))
            if name.startswith("thalweg.lab."):
                other = name.split(".")[2]
                up += [(path.name, name)] if ROOMS.index(other) > ROOMS.index(room) else []
    assert up == []


def test_nothing_of_ours_is_imported_inside_a_function() -> None:
    late = [(path.name, name) for path in LAB.rglob("*.py") for name, first in imports(path)
            if name.startswith("thalweg.") and not first and not NEED_A_PACKAGE_OF_THE_USERS & set(name.split("."))]  # fmt: skip
    assert late == []
