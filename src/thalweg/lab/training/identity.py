"""The identity of a training function: the code that it reaches, without comments, docstrings and the rest of its file."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from thalweg.lab.store.telling import code_of


def of_file(path: Path, function: str) -> str:
    """A hash of the top-level statements of a file that its function depends on, and of the files beside it that they import.

    What is under `if __name__ == "__main__":` does not count, so a script may change how it compares. Data that the function
    reads do not show.
    """
    tree = _parsed(path)
    chosen = _reached(tree, function.partition(".")[0])
    told = [code_of(statement) for statement in chosen]
    beside = sorted(_beside(path, chosen, {path.resolve()}))
    told += [f"{other.name} {code_of(_parsed(other))}" for other in beside]
    return digest(function, *told)


def digest(*parts: str) -> str:
    """A hash of texts."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def names(path: Path) -> dict[str, str]:
    """What the top of a file binds, functions with their docstrings; the file's own is under "". Raises SyntaxError."""
    tree = _parsed(path)
    found = {each.name: ast.get_docstring(each) or "" for each in tree.body if isinstance(each, ast.FunctionDef)}
    bound = {name: "" for statement in tree.body if not _is_main(statement) for name in _bound(statement)}
    return {**bound, **found, "": ast.get_docstring(tree) or ""}


def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_bytes(), filename=str(path))


def _reached(tree: ast.Module, name: str) -> list[ast.stmt]:
    """The statements at the top that bind the name, or names that these use, and so on, in the file's order.

    A bare call, such as one that sets a default, counts unless it uses the function itself, as one that compares does.
    """
    bound = [(statement, _bound(statement)) for statement in tree.body if not _is_main(statement)]
    chosen = {i for i, (statement, _) in enumerate(bound) if _is_call(statement) and name not in _used(statement)}
    wanted, seen = {name, *(used for i in chosen for used in _used(bound[i][0]))}, set[str]()
    while wanted - seen:
        seen |= (new := wanted - seen)
        more = {i for i, (_, theirs) in enumerate(bound) if theirs & new or "*" in theirs}
        wanted |= {used for i in more - chosen for used in _used(bound[i][0])}
        chosen |= more
    return [bound[i][0] for i in sorted(chosen)]


def _is_main(statement: ast.stmt) -> bool:
    """Whether it is `if __name__ == "__main__":`."""
    return isinstance(statement, ast.If) and "__name__" in _used(statement.test)


def _is_call(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)


def _used(node: ast.AST) -> set[str]:
    """The names in a statement."""
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


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


def _beside(path: Path, statements: Iterable[ast.AST], seen: set[Path]) -> Iterator[Path]:
    """The files in the same folder, or below it, that statements import, and those that these import."""
    for node in (each for statement in statements for each in ast.walk(statement)):
        for other in _files(path.parent, node):
            if other.resolve() not in seen:
                seen.add(other.resolve())
                yield other
                yield from _beside(other, [_parsed(other)], seen)


def _files(folder: Path, node: ast.AST) -> Iterator[Path]:
    """The files that an import may name, in this folder or, if it is relative, where its dots lead."""
    if isinstance(node, ast.Import):
        modules = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        folder = folder.joinpath(*[".."] * (node.level - 1)) if node.level > 1 else folder
        start = f"{node.module}." if node.module else ""
        modules = [*([node.module] if node.module else []), *(start + alias.name for alias in node.names)]
    else:
        return
    for module in modules:
        place = folder.joinpath(*module.split("."))
        yield from (one for one in (place.with_suffix(".py"), place / "__init__.py") if one.is_file())
