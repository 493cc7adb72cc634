"""The user's own files: their code without comments and docstrings, and the own files that they import."""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.machinery
import importlib.util
import os
import site
import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import thalweg
from thalweg.lab.store.telling import code_of

_INSTALLED = {
    *(sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib", "platstdlib")),
    *site.getsitepackages(),
    site.getusersitepackages(),
    str(Path(thalweg.__file__).parent),
}
ENDS = [end for end in importlib.machinery.all_suffixes() if end != ".pyc"]
"""The ends of the names of files that are modules."""
Look = Callable[[Path], frozenset[str]]
INSTALLED = tuple(os.path.join(path, "") for each in _INSTALLED for path in {each, os.path.realpath(each)})
"""Folders of packages, whose names and versions identify their code."""


def is_own(file: str | Path | None) -> bool:
    """Whether a path is the user's own, outside installed packages."""
    return file is not None and not any(os.path.join(path, "").startswith(INSTALLED) for path in (file, os.path.realpath(file)))


def told(files: Iterable[Path]) -> list[str]:
    """The code of files and of the own files that they import, and so on, with the files' names; folders do not count."""
    todo, seen, look = [path.resolve() for path in files], dict[Path, str](), functools.cache(_names_in)
    while todo:
        path = todo.pop()
        if path not in seen and is_own(path):
            code = _of(path.name, path.read_bytes())
            seen[path] = f"{path.name} {code.text}"
            todo += [other.resolve() for one in code.imports for other in imported(one, path.parent, look)]
    return sorted(seen.values())


def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file, without what is under `if __name__ == "__main__":`. Raises SyntaxError."""
    return _parsed(path.read_bytes(), str(path))


@dataclass(frozen=True)
class Import:
    """A module that code imports, as the import says it: the dots, and the name. said: in an import, not just in a text."""

    level: int
    name: str
    said: bool = True


def imported(one: Import, folder: Path, look: Look | None = None) -> Iterator[Path]:
    """The own files of a module and of the packages that it is in. folder: that of the importing file."""
    look = look or _names_in
    root, *more = one.name.split(".")
    if root == "thalweg" and not one.level:
        return
    for base in _bases(one, root, folder):
        place = base
        for part in (root, *more):
            names = look(place)
            yield from (place / f"{part}{end}" for end in ENDS if f"{part}{end}" in names)
            place /= part
            if part not in names:
                break
            if "__init__.py" in look(place):
                yield place / "__init__.py"


def _names_in(folder: Path) -> frozenset[str]:
    """The names of what is in a folder."""
    try:
        return frozenset(os.listdir(folder))
    except OSError:
        return frozenset()


def _bases(one: Import, root: str, folder: Path) -> list[Path]:
    """The folders in which an import looks."""
    if one.level:
        return [folder.joinpath(*[".."] * (one.level - 1))]
    if not one.said:
        return [folder]
    bases = [folder, *(Path(each) for each in sys.path if is_own(each or os.curdir)), *_home(root)]
    return list(dict.fromkeys(bases))


@functools.lru_cache(maxsize=1024)
def _home(root: str) -> list[Path]:
    """The folder of a package that an import hook finds, as of one installed for development. Imports nothing."""
    if root in sys.stdlib_module_names:
        return []
    try:
        spec = importlib.util.find_spec(root)
    except (ImportError, ValueError, AttributeError):
        return []
    places = [] if spec is None else [*(spec.submodule_search_locations or ()), *filter(None, [spec.origin])]
    return [Path(place).parent for place in places if is_own(place)]


@dataclass(frozen=True)
class _Code:
    text: str
    imports: tuple[Import, ...]


@functools.lru_cache(maxsize=4096)
def _of(name: str, content: bytes) -> _Code:
    """The code in a file; of one that is no Python, its bytes."""
    try:
        tree = _parsed(content, name)
    except (SyntaxError, ValueError):
        return _Code(hashlib.sha256(content).hexdigest(), ())
    imports = tuple(dict.fromkeys(one for node in ast.walk(tree) for one in _imports(node)))
    return _Code(code_of(tree), imports)


def _parsed(content: bytes, name: str) -> ast.Module:
    tree = ast.parse(content, filename=name)
    tree.body = [kept for each in tree.body for kept in (each.orelse if _is_main(each) else [each])]  # type: ignore[attr-defined]
    return tree


def _is_main(statement: ast.stmt) -> bool:
    """Whether it is `if __name__ == "__main__":`."""
    return isinstance(statement, ast.If) and ast.unparse(statement.test) in ("__name__ == '__main__'", "'__main__' == __name__")


def _imports(node: ast.AST) -> Iterator[Import]:
    """The modules that a node names: in an import, or in a text that may be handed to `import_module`."""
    if isinstance(node, ast.Import):
        yield from (Import(0, alias.name) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        start = f"{node.module}." if node.module else ""
        names = [*([node.module] if node.module else []), *(start + alias.name for alias in node.names)]
        yield from (Import(node.level, name) for name in names)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield from in_text(node.value)


def in_text(text: str) -> Iterator[Import]:
    """The module that a text may name."""
    name = text.removesuffix(".py")
    if all(part.isidentifier() for part in name.split(".")):
        yield Import(0, name, said=False)
