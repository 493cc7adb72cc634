"""Trees of arrays (dict, list, dataclass, or a single array): leaves by name, arithmetic on whole trees, files."""

from __future__ import annotations

import copy
import dataclasses
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence, Set, ValuesView
from typing import Any

import numpy as np

from thalweg.values.arithmetic import Arithmetic, Operation
from thalweg.values.arrays import Array, framework
from thalweg.values.norms import euclidean
from thalweg.values.scalars import Scalar
from thalweg.values.tree_files import load as load
from thalweg.values.tree_files import save as save

Tree = Any

SINGLE = "p"
"""The name of the only leaf if the parameters are a single array."""


Path = tuple[Any, ...]
"""The keys and indices that lead to a leaf."""
ATOMS = (np.ndarray, str, bytes, bytearray, memoryview)
"""Types that are leaves, although some are sequences."""


def children(tree: Tree) -> list[tuple[Any, Tree]] | None:
    """Return a branch's children by key, index or field; None for a leaf.

    A branch is any mapping or sequence, and any record: a dataclass or an attrs class. Fields that a record declares as no
    part of the tree (`static=True`, `pytree_node=False`) stay unchanged.
    """
    sort = SORTS[type(tree)]
    if sort is None:
        return None
    if sort == "mapping":
        return list(tree.items())
    if sort == "sequence":
        return list(enumerate(tree))
    return [(name, getattr(tree, name)) for name in _fields(type(tree)) or ()]


class _Sorts(dict[type, str | None]):
    """A cache of the sort of branch of each class; None for leaves."""

    def __getstate__(self) -> None:
        """Return None: a pickle needs no cache."""

    def __missing__(self, kind: type) -> str | None:
        self[kind] = self._of(kind)
        return self[kind]

    @staticmethod
    def _of(kind: type) -> str | None:
        if issubclass(kind, ATOMS):
            return None
        if issubclass(kind, Mapping):
            return "mapping"
        if issubclass(kind, Sequence):
            return "sequence"
        return None if _fields(kind) is None else "record"


SORTS = _Sorts()


def _fields(kind: type) -> list[str] | None:
    if dataclasses.is_dataclass(kind):
        own = [f for f in dataclasses.fields(kind) if not f.metadata.get("static") and f.metadata.get("pytree_node", True)]
        return [f.name for f in own]
    attributes = getattr(kind, "__attrs_attrs__", None)
    return None if attributes is None else [a.name for a in attributes]


def flatten(tree: Tree) -> tuple[list[str], list[Any]]:
    """Return the leaves' names ('layer.w', in order) and the leaves. A None is a leaf too.

    Names are unique: where two would be equal, as for {"a.b": x, "a": {"b": y}}, each shows its keys in full ("['a.b']",
    "['a']['b']"). Raises ValueError if different keys have the same text.
    """
    found: list[tuple[str, Path, Any]] = []
    _walk(tree, "", (), found)
    names = [name for name, _, _ in found]
    if len(set(names)) < len(names):
        names = _told_apart(names, [path for _, path, _ in found])
    return names, [leaf for _, _, leaf in found]


def _walk(tree: Tree, name: str, path: Path, found: list[tuple[str, Path, Any]]) -> None:
    branches = children(tree)
    if branches is None:
        found.append((name or SINGLE, path, tree))
        return
    for key, child in branches:
        below, way = f"{name}.{key}" if name else str(key), (*path, key)
        if SORTS[type(child)] is None:
            found.append((below, way, child))
        else:
            _walk(child, below, way, found)


def _told_apart(names: list[str], paths: list[Path]) -> list[str]:
    count = Counter(names)
    full = ["".join(f"[{key!r}]" for key in path) for path in paths]
    told = [long if count[name] > 1 else name for name, long in zip(names, full, strict=True)]
    twice = next((name for name, times in Counter(told).items() if times > 1), None)
    if twice is not None:
        raise ValueError(f"two parameters of this tree have one name, {twice}; give their keys names that differ")
    return told


def rebuild(tree: Tree, leaves: dict[str, Any]) -> Tree:
    """Return a tree with the structure and types of `tree` and the named leaves.

    Raises TypeError for a container that cannot be rebuilt from its content.
    """
    names, before = flatten(tree)
    return rebuild_in_order(tree, before, [leaves[name] for name in names])


def rebuild_in_order(tree: Tree, before: Sequence[Any], leaves: Sequence[Any]) -> Tree:
    """Rebuild from leaves in the order of `flatten`. before: the leaves in `tree`."""
    return _filled(
        tree, (new if type(old) is np.ndarray else _of_class(new, old) for new, old in zip(leaves, before, strict=True))
    )


def _special(x: Any) -> bool:
    return isinstance(x, np.ndarray) and type(x) is not np.ndarray


def _of_class(new: Any, old: Any) -> Any:
    """Convert a plain array to the class of the leaf that it replaces, such as numpy.matrix."""
    return new.view(type(old)) if _special(old) and type(new) is np.ndarray else new


def _filled(tree: Tree, leaves: Iterator[Any]) -> Tree:
    branches = children(tree)
    if branches is None:
        return next(leaves)
    parts = {key: next(leaves) if SORTS[type(child)] is None else _filled(child, leaves) for key, child in branches}
    kind = type(tree)
    if kind is dict:
        return parts
    if kind is list or kind is tuple:
        return kind(parts.values())
    try:
        return _made_anew(tree, parts)
    except Exception as error:
        cure = {"mapping": "dict(...)", "sequence": "list(...)"}.get(SORTS[kind] or "", "a dict of its fields")
        raise TypeError(f"a {kind.__name__} cannot be made anew with other arrays in it ({error}); hand over {cure}") from error


def _made_anew(tree: Tree, parts: dict[Any, Any]) -> Tree:
    kind, values = type(tree), list(parts.values())
    if isinstance(tree, dict):  # with its other attributes, such as a defaultdict's factory
        made: Any = copy.copy(tree)
        dict.update(made, parts)
        return made
    if isinstance(tree, Mapping):
        return kind(parts)
    if isinstance(tree, tuple) and hasattr(tree, "_make"):
        return tree._make(values)
    if isinstance(tree, deque):
        return kind(values, tree.maxlen)
    if isinstance(tree, Sequence):
        return kind(values)
    made = copy.copy(tree)
    for name, value in parts.items():
        object.__setattr__(made, name, value)  # also if frozen
    return made


def plain(x: Any) -> Any:
    """Return an array of a subclass whose operators may differ (numpy.matrix) as a plain array."""
    return x.view(np.ndarray) if _special(x) and not isinstance(x, np.ma.MaskedArray) else x


def match(params: Tree, other: Tree, what: str) -> dict[str, Any]:
    """Return the leaves of `other` by name. Raises TypeError or KeyError, with the place, if its structure is not `params`'."""
    return dict(zip(flatten(params)[0], match_in_order(params, other, what), strict=True))


def match_in_order(params: Tree, other: Tree, what: str) -> list[Any]:
    """Return the same leaves in the order of `flatten`."""
    found: list[Any] = []
    _pair(params, other, what, "", found)
    return found


def _pair(params: Tree, other: Tree, what: str, name: str, found: list[Any]) -> None:
    ours, theirs = children(params), children(other)
    if ours is None:
        if theirs is not None:
            raise TypeError(f"{what}: '{name or SINGLE}' is one array among the parameters, but a {type(other).__name__} here")
        found.append(plain(other))
        return
    if theirs is None or SORTS[type(params)] != SORTS[type(other)]:
        where = f"'{name}'" if name else "the tree"
        raise TypeError(
            f"{what}: {where} is a {type(params).__name__} among the parameters, but {_describe(other)} here{instead(other)}"
        )
    table = dict(theirs)
    for key, child in ours:
        below = f"{name}.{key}" if name else str(key)
        if key not in table:
            raise KeyError(f"{what}: nothing for '{below}'; give its array, or None to leave that parameter as it is")
        held = table.pop(key)
        if type(held) is type(child) is np.ndarray:
            found.append(held)
        else:
            _pair(child, held, what, below, found)
    if table:
        raise KeyError(f"{what}: '{next(iter(table))}' is none of the parameters ({', '.join(str(k) for k, _ in ours)})")


def _describe(x: Any) -> str:
    return "None" if x is None else f"a {type(x).__name__}"


def instead(x: Any) -> str:
    """Return the end of a message: what to pass instead of an object that is no tree and no array; or an empty string."""
    if hasattr(x, "named_parameters"):
        return "; of a module hand over dict(module.named_parameters())"
    if hasattr(x, "layers") and hasattr(x, "fit"):
        return "; of a network hand over its .params"
    if isinstance(x, Iterator | Set | ValuesView):
        return "; hand over a list of its arrays, list(...), or better a dict, whose names tell them apart"
    if framework(getattr(x, "value", None)) is not None:
        return "; hand over its .value"
    if x is None:
        return "; a tree of parameters has an array in each place, so leave this one out"
    if isinstance(x, str | bytes):
        return "; a tree holds arrays alone: leave it out"
    return ""


class Vector(Arithmetic):
    """The leaves of a whole tree as one vector: arithmetic leaf by leaf, with numbers and with other such vectors."""

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
        """Return one vector per entry of the leaves' first axis."""
        return [Vector([leaf[i] for leaf in self.leaves], self.lanes) for i in range(len(self.leaves[0]))]

    def total_of_all(self) -> Any:
        """Return the sum over all leaves; with lanes, a Scalar of one sum per lane."""
        found = 0.0
        for leaf in self.leaves:
            found = found + framework(leaf).sum(leaf, axis=tuple(range(int(self.lanes), leaf.ndim)), keepdims=False)
        return Scalar(found) if self.lanes and framework(found) is not None else found

    def norm_of_all(self) -> Any:
        """Return the Euclidean norm over all leaves; with lanes, a Scalar of one norm per lane."""
        if not self.leaves:
            return 0.0
        found = euclidean(self.leaves, int(self.lanes))
        return Scalar(found) if self.lanes or framework(found).name == "numpy" else found
