"""The modules beside a user's file, which it may import."""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from thalweg.lab.refusal import Refusal
from thalweg.lab.store import user_code

_folders: list[str] = []
"""The folders of the user's files on the path of imports."""
_known: dict[str, tuple[str, str]] = {}
"""The file and the digest of its content, by name, of each own module that a user's file imported."""
_late: set[str] = set()
"""The names that the user's files import only when a function runs."""


def find_beside(path: Path) -> None:
    """Let the file at `path` import the modules beside it, as they are now.

    They come after packages, which they so cannot hide. Modules that other files imported are imported anew if one has changed,
    as in a notebook while it runs, or has a namesake here. Raises Refusal for a namesake that a function may still import.
    """
    folder = os.path.dirname(os.path.abspath(path))
    if folder in _folders:
        _folders.remove(folder)
        sys.path.remove(folder)
    if folder not in sys.path:
        sys.path.insert(min((sys.path.index(each) for each in _folders if each in sys.path), default=len(sys.path)), folder)
        _folders.append(folder)
    elsewhere = {name.partition(".")[0] for name, (file, _) in _known.items() if not Path(file).is_relative_to(folder)}
    namesakes = {name for name in elsewhere if _beside(folder, name)}
    if namesakes & _late:
        raise _namesakes(path, min(namesakes & _late))
    if namesakes or any(_digest(file) != digest for file, digest in _known.values()):
        for name in _known:
            sys.modules.pop(name, None)
        _known.clear()
        importlib.invalidate_caches()


def note(path: Path, new: Iterable[str]) -> None:
    """Remember what the file at `path` imported. new: the names of the modules that are new since.

    Raises Refusal if a module beside the file has a namesake in another folder, which it has got or may get.
    """
    folder = os.path.dirname(os.path.abspath(path))
    for name in new:
        file = getattr(sys.modules.get(name), "__file__", None)
        if file and user_code.is_own(file) and os.path.isfile(file):  # torch.ops says that its file is _ops.py
            _known[name] = file, _digest(file)
            if file.endswith(".py"):
                _late.update(_roots(Path(file), late=True))
    late = set(_roots(path, late=True))
    _late.update(late)
    for name in sorted({*_roots(path), *late}):
        beside, there = _beside(folder, name), _file(name)
        got_another = user_code.is_own(there) and not any(os.path.samefile(there or "", place) for place in beside)
        may_get = name in late and any(_beside(other, name) for other in _folders if other != folder)
        if beside and (got_another or may_get):
            raise _namesakes(path, name)


def _namesakes(path: Path, name: str) -> Refusal:
    return Refusal(f"{path}: there are modules called {name} beside this file and in another folder; rename one of them")


def _beside(folder: str, name: str) -> list[Path]:
    """The files of a module in a folder."""
    return [place for place in (Path(folder, f"{name}.py"), Path(folder, name, "__init__.py")) if place.is_file()]


def _roots(path: Path, late: bool = False) -> Iterator[str]:
    """The first names of the modules that a file imports, or those that its functions import."""
    tree = ast.parse(path.read_bytes())
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    for node in (inner for one in (functions if late else [tree]) for inner in ast.walk(one)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def _file(name: str) -> str | None:
    """The file of a module that is imported, or that an import would find."""
    if name in sys.modules:
        return getattr(sys.modules[name], "__file__", None)
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError, AttributeError):
        return None
    return spec.origin if spec is not None and spec.has_location else None


def _digest(file: str) -> str:
    try:
        return hashlib.sha256(Path(file).read_bytes()).hexdigest()
    except OSError:
        return ""
