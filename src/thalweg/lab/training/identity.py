"""The identity of a training function in a file: the code of that file and of the user's own files that it imports."""

from __future__ import annotations

import ast
import hashlib
from pathlib import Path

from thalweg.lab.store import user_code


def of_file(path: Path, function: str) -> str:
    """A hash of the function's name, of its file's code and of the code of the user's own files that this imports.

    Comments and docstrings do not count, nor does what is under `if __name__ == "__main__":`, so a script may change how it
    compares. The whole rest counts: what a function reaches by a table or a registry, no search by names would find. Data that
    the function reads do not show.
    """
    return digest(function, *user_code.told([path]))


def digest(*parts: str) -> str:
    """A hash of texts."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def names(path: Path) -> dict[str, str]:
    """What the top of a file binds, functions with their docstrings; the file's own is under "". Raises SyntaxError."""
    tree = user_code.parsed(path)
    found = {each.name: ast.get_docstring(each) or "" for each in tree.body if isinstance(each, ast.FunctionDef)}
    bound = {name: "" for statement in tree.body for name in _bound(statement)}
    return {**bound, **found, "": ast.get_docstring(tree) or ""}


def _bound(statement: ast.stmt) -> set[str]:
    """The names that a statement at the top binds or changes."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    found = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.alias):
            found.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Name | ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
            found.add(_root(node))
    return found - {""}


def _root(node: ast.expr) -> str:
    """The name at the left of `data.x[0]`."""
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
