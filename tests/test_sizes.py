"""How large files and functions may be; what grows over it is split by what it speaks of."""

from __future__ import annotations

import ast
import functools
import statistics
from collections.abc import Iterator
from pathlib import Path

import thalweg

SOURCES = Path(thalweg.__file__).parent
LINES, LINES_OF_A_FUNCTION, PARAMETERS, MEDIAN = 350, 40, 8, 120
DECLARATIONS = {"rule", "recipe", "around", "after_step"}
"""What makes a declaration of a function: its parameters are hyper-parameters, and its docstring says what each does."""
REASONS = {
    "nn/model.py Model.fit": "what users call, with an option for all that a training loop has",
    "lab/data/supervised.py Supervised.__init__": "what users call, by name, to hand over a problem in three parts",
    "core/minimize.py minimize": "SciPy's call",
    "ops/matrices.py orthogonal": "a word of a rule: the numbers of its iteration are a rule's hyper-parameters, one by one",
}
"""Functions that may have more parameters, and why."""


@functools.cache
def files() -> dict[str, str]:
    """The text of each file, by its path."""
    return {path.relative_to(SOURCES).as_posix(): path.read_text("utf-8") for path in SOURCES.rglob("*.py")}


@functools.cache
def functions() -> list[tuple[str, ast.FunctionDef]]:
    """All functions and methods that are no declarations, by file and name."""
    return [one for file, text in files().items() for one in functions_in(ast.parse(text), file)]


def functions_in(node: ast.AST, name: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    for child in ast.iter_child_nodes(node):
        inner = name
        if isinstance(child, ast.ClassDef | ast.FunctionDef):
            inner = f"{name}{'.' if ' ' in name else ' '}{child.name}"
        if isinstance(child, ast.FunctionDef) and not DECLARATIONS & set(map(decorator, child.decorator_list)):
            yield inner, child
        if not isinstance(child, ast.expr):  # which holds no function but a lambda
            yield from functions_in(child, inner)


def decorator(node: ast.expr) -> str:
    return ast.unparse(node.func if isinstance(node, ast.Call) else node)


def parameters(function: ast.FunctionDef) -> int:
    told = function.args
    named = [each.arg for each in (*told.posonlyargs, *told.args, *told.kwonlyargs, told.vararg, told.kwarg) if each]
    return len(set(named) - {"self", "cls"})


def test_no_file_is_long_and_most_are_short() -> None:
    lines = {file: len(text.splitlines()) for file, text in files().items()}
    assert {file: n for file, n in lines.items() if n > LINES} == {}
    assert statistics.median(lines.values()) < MEDIAN


def test_no_file_of_tests_is_long() -> None:
    tests = {path.as_posix(): len(path.read_text("utf-8").splitlines()) for path in Path(__file__).parent.rglob("*.py")}
    assert {path: n for path, n in tests.items() if n > LINES} == {}


def test_no_function_is_long() -> None:
    long = {name: n for name, each in functions() if (n := (each.end_lineno or 0) - each.lineno + 1) > LINES_OF_A_FUNCTION}
    assert long == {}


def test_no_function_but_a_declaration_takes_many_parameters() -> None:
    many = {name for name, each in functions() if parameters(each) > PARAMETERS}
    assert many == set(REASONS)
