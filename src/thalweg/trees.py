"""Trees of arrays (dict, list, tuple, or a single array): their leaves by name, arithmetic on a whole one, files."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg.arithmetic import Arithmetic, Operation
from thalweg.arrays import Array, framework
from thalweg.norms import euclidean
from thalweg.scalars import Scalar
from thalweg.whole import written_whole

Tree = Any

SINGLE = "p"
"""The name of the only leaf where the parameters are a single array."""


def _children(tree: Tree) -> list[tuple[str, Tree]] | None:
    if isinstance(tree, dict):
        return [(str(k), v) for k, v in tree.items()]
    if isinstance(tree, list | tuple):
        return [(str(i), v) for i, v in enumerate(tree)]
    return None


def flatten(tree: Tree) -> tuple[list[str], list[Any]]:
    """The leaves' names ('layer.w', in order) and the leaves. A None is a leaf too."""
    found: list[tuple[str, Any]] = []
    _walk(tree, "", found)
    return [n or SINGLE for n, _ in found], [leaf for _, leaf in found]


def _walk(tree: Tree, path: str, found: list[tuple[str, Any]]) -> None:
    children = _children(tree)
    if children is None:
        found.append((path, tree))
        return
    for key, child in children:
        _walk(child, f"{path}.{key}" if path else key, found)


def rebuild(tree: Tree, leaves: dict[str, Any], path: str = "") -> Tree:
    """A tree shaped like `tree` with the named leaves in it."""
    if isinstance(tree, dict):
        built = {k: rebuild(v, leaves, f"{path}.{k}" if path else str(k)) for k, v in tree.items()}
        return built if type(tree) is dict else type(tree)(built)
    if isinstance(tree, list | tuple):
        parts = [rebuild(v, leaves, f"{path}.{i}" if path else str(i)) for i, v in enumerate(tree)]
        return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)
    return leaves[path or SINGLE]


def match(params: Tree, other: Tree, what: str, path: str = "") -> dict[str, Any]:
    """The leaves of `other` by name, once it has the shape of `params`. Raises TypeError or KeyError saying where not."""
    children = _children(params)
    if children is None:
        if _children(other) is not None:
            raise TypeError(f"{what}: '{path or SINGLE}' is one array among the parameters, but a {type(other).__name__} here")
        return {path or SINGLE: other}
    where = f"'{path}'" if path else "the tree"
    theirs = _children(other)
    if theirs is None:
        raise TypeError(f"{what}: {where} is a {type(params).__name__} among the parameters, but {_describe(other)} here")
    if isinstance(params, dict) != isinstance(other, dict):
        raise TypeError(f"{what}: {where} is a {type(params).__name__} among the parameters, but a {type(other).__name__} here")
    table, found = dict(theirs), {}
    for key, child in children:
        full = f"{path}.{key}" if path else key
        if key not in table:
            raise KeyError(f"{what}: nothing for '{full}'; give its array, or None to leave that parameter as it is")
        found.update(match(child, table.pop(key), what, full))
    if table:
        raise KeyError(f"{what}: '{next(iter(table))}' is none of the parameters ({', '.join(k for k, _ in children)})")
    return found


def _describe(x: Any) -> str:
    return "None" if x is None else f"a {type(x).__name__}"


class Vector(Arithmetic):
    """A whole tree's leaves as one vector: arithmetic leaf by leaf, with numbers and with other such vectors."""

    __slots__ = ("lanes", "leaves")

    def __init__(self, leaves: Sequence[Array], lanes: bool = False) -> None:
        self.leaves, self.lanes = list(leaves), lanes

    def _with(self, operate: Operation, other: Any, *, swapped: bool) -> Vector:
        others = other.leaves if isinstance(other, Vector) else [other] * len(self.leaves)
        pairs = zip(self.leaves, others, strict=True)
        return Vector([operate(b, a) if swapped else operate(a, b) for a, b in pairs], self.lanes)

    def __abs__(self) -> Vector:
        return Vector([abs(leaf) for leaf in self.leaves], self.lanes)

    def rows(self) -> list[Vector]:
        """One vector for each entry of the leaves' first axis."""
        return [Vector([leaf[i] for leaf in self.leaves], self.lanes) for i in range(len(self.leaves[0]))]

    def total_of_all(self) -> Any:
        """The sum over all leaves; with lanes, a Scalar of one sum a lane."""
        found = 0.0
        for leaf in self.leaves:
            found = found + framework(leaf).sum(leaf, axis=tuple(range(int(self.lanes), leaf.ndim)), keepdims=False)
        return Scalar(found) if self.lanes and framework(found) is not None else found

    def norm_of_all(self) -> Any:
        """The Euclidean norm over all leaves; with lanes, a Scalar of one norm a lane."""
        if not self.leaves:
            return 0.0
        found = euclidean(self.leaves, int(self.lanes))
        return Scalar(found) if self.lanes or framework(found).name == "numpy" else found


def save(path: str | os.PathLike[str], tree: Tree) -> None:
    """Write a tree of arrays, numbers, texts, None, dicts, lists and tuples to one .npz file: no pickle in it.

    torch and JAX arrays are written as NumPy ones; bfloat16 as float32 (exact). The file appears whole or not at all.
    Raises TypeError for a leaf that is none of these.
    """
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    outline = json.dumps(_outline(tree, arrays))
    with written_whole(path, "wb") as file:
        np.savez(file, outline=np.array(outline), **arrays)  # type: ignore[arg-type]


def load(path: str | os.PathLike[str]) -> Tree:
    """The tree that `save` wrote, with NumPy arrays. Raises ValueError for a file that `save` did not write."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return _fill(json.loads(str(file["outline"])), file)
    except FileNotFoundError:
        raise
    except Exception as error:
        raise ValueError(f"{os.fspath(path)} is no file that thalweg saved: {error}") from error


def _outline(tree: Tree, arrays: dict[str, np.ndarray[Any, Any]]) -> Any:
    if isinstance(tree, dict):
        return {"dict": [[key, _outline(child, arrays)] for key, child in tree.items()]}
    if isinstance(tree, list | tuple):
        return {"list" if isinstance(tree, list) else "tuple": [_outline(child, arrays) for child in tree]}
    if tree is None or isinstance(tree, bool | int | float | str):
        return {"value": tree}
    space = framework(tree)
    if space is None:
        raise TypeError(f"cannot save a {type(tree).__name__}; arrays, numbers, texts, None, dicts, lists and tuples can be")
    name = f"a{len(arrays)}"
    plain = tree.detach().cpu() if space.name == "torch" else tree
    narrow = "bfloat16" in str(plain.dtype)
    arrays[name] = np.asarray(space.cast(plain, "float32") if narrow else plain)
    return {"array": name}


def _fill(outline: Any, file: Any) -> Tree:
    ((kind, content),) = outline.items()
    if kind == "dict":
        return {key: _fill(child, file) for key, child in content}
    if kind in ("list", "tuple"):
        parts = [_fill(child, file) for child in content]
        return parts if kind == "list" else tuple(parts)
    return content if kind == "value" else file[content]
