"""The rooms as CONTRIBUTING.md has them, from the ground up: each imports only from those before it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import thalweg

SOURCES = Path(thalweg.__file__).parent
ROOMS = re.findall(
    r"^\| `(\w+)(?:/|\.py)` \|", (Path(__file__).parent.parent / "CONTRIBUTING.md").read_text("utf-8"), re.MULTILINE
)
AT_NEED = {
    "minimize": "SciPy",
    "launch": "Numba",
    "numbers": "Numba",
    "grid": "Triton",
    "adaptive": "Optuna",
    "chunk": "JAX",
    "jax_engine": "JAX",
}
"""What imports at its top a package that `import thalweg` does without; who asks for one of these imports it when it does."""


def imported(path: Path) -> Iterator[tuple[str, bool]]:
    """The modules of ours that a file imports, and whether at its top."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("thalweg"):
            yield from ((f"{node.module}.{alias.name}", node in tree.body) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, node in tree.body) for alias in node.names if alias.name.startswith("thalweg."))


def room(name: str) -> str:
    return name.split(".")[1]


def test_every_room_is_in_the_table() -> None:
    there = {path.stem for path in SOURCES.iterdir() if path.is_dir() or path.suffix == ".py"} - {
        "__init__",
        "__main__",
        "__pycache__",
    }
    assert set(ROOMS) == there


@pytest.mark.parametrize("own", ROOMS)
def test_no_room_imports_from_one_above_it(own: str) -> None:
    files = [SOURCES / f"{own}.py", *(SOURCES / own).rglob("*.py")]
    up = [(path.name, name) for path in files if path.is_file() for name, _ in imported(path)
          if room(name) in ROOMS[ROOMS.index(own) + 1 :]]  # fmt: skip
    assert up == []


@pytest.mark.parametrize("own", [own for own in ROOMS if own not in ("engines", "numpy", "torch")])
def test_nothing_is_imported_inside_a_function_but_what_needs_another_package(own: str) -> None:
    late = [(path.name, name) for path in (SOURCES / own).rglob("*.py") for name, at_top in imported(path)
            if not at_top and not AT_NEED.keys() & set(name.split("."))]  # fmt: skip
    assert late == []


def test_no_folder_has_more_than_twenty_entries() -> None:
    folders = [SOURCES, *(path for path in SOURCES.rglob("*") if path.is_dir() and path.name != "__pycache__")]
    many = {folder.name: n for folder in folders if (n := sum(1 for x in folder.iterdir() if x.name != "__pycache__")) > 20}
    assert many == {}
