"""The rooms as CONTRIBUTING.md has them, from the ground up: each imports only from those before it."""

from __future__ import annotations

import ast
import functools
import graphlib
import re
from pathlib import Path

import pytest

import thalweg

SOURCES = Path(thalweg.__file__).parent
ROOMS = re.findall(
    r"^\| `(\w+)(?:/|\.py)` \|", (Path(__file__).parent.parent / "CONTRIBUTING.md").read_text("utf-8"), re.MULTILINE
)
AT_NEED = {
    "minimize": "SciPy",
    "adaptive": "Optuna",
    "chunk": "JAX",
    "jax_engine": "JAX",
    "by_jax": "JAX",
    "by_torch": "PyTorch",
}
"""What imports at its top a package that `import thalweg` does without; who asks for one of these imports it when it does."""
PACKAGES_AT_NEED = {
    ("native.py", "platformdirs"),
    ("native.py", "llvmlite.binding"),
    ("grid.py", "triton"),
}
"""What the engines and the faces on them import inside a function: packages that a user may not have, or that start slowly."""


@functools.cache
def imported(path: Path) -> list[tuple[str, bool]]:
    """The modules of ours that a file imports, and whether at its top."""
    tree, found = ast.parse(path.read_text("utf-8")), list[tuple[str, bool]]()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("thalweg"):
            found += ((f"{node.module}.{alias.name}", node in tree.body) for alias in node.names)
        elif isinstance(node, ast.Import):
            found += ((alias.name, node in tree.body) for alias in node.names if alias.name.startswith("thalweg."))
    return found


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


@pytest.mark.parametrize("own", ROOMS)
def test_nothing_is_imported_inside_a_function_but_what_needs_another_package(own: str) -> None:
    late = [(path.name, name) for path in (SOURCES / own).rglob("*.py") for name, at_top in imported(path)
            if not at_top and not AT_NEED.keys() & set(name.split("."))]  # fmt: skip
    assert late == []


def test_the_engines_import_inside_a_function_no_package_but_these() -> None:
    files = [path for own in ("engines", "numpy", "torch") for path in (SOURCES / own).rglob("*.py")]
    functions = [(path, node) for path in files for node in ast.walk(ast.parse(path.read_text("utf-8")))
                 if isinstance(node, ast.FunctionDef)]  # fmt: skip
    late = {(path.name, alias.name) for path, function in functions for node in ast.walk(function)
            if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names}  # fmt: skip
    assert late == PACKAGES_AT_NEED


def test_no_modules_import_each_other_in_a_circle() -> None:
    paths = {".".join(("thalweg", *path.relative_to(SOURCES).with_suffix("").parts)): path for path in SOURCES.rglob("*.py")}
    paths = {name.removesuffix(".__init__"): path for name, path in paths.items()}
    found = {name: {of if of in paths else of.rpartition(".")[0] for of, _ in imported(path)} for name, path in paths.items()}
    graphlib.TopologicalSorter({name: modules - {name} for name, modules in found.items()}).prepare()


def test_no_folder_has_more_than_twenty_entries() -> None:
    folders = [SOURCES, *(path for path in SOURCES.rglob("*") if path.is_dir() and path.name != "__pycache__")]
    many = {folder.name: n for folder in folders if (n := sum(1 for x in folder.iterdir() if x.name != "__pycache__")) > 20}
    assert many == {}
