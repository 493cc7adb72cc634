"""Trees of arrays (dict, list, dataclass, or a single array): leaves by name, arithmetic on whole trees, files."""

from __future__ import annotations

import copy
import dataclasses
import functools
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence, Set, ValuesView
from typing import Any, NamedTuple

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
Branches = list[tuple[Any, Tree]]
"""The children of a branch, by key, index or field."""
ATOMS = (np.ndarray, str, bytes, bytearray, memoryview)
"""Types that are leaves, although some are sequences."""


def children(tree: Tree) -> Branches | None:
    """Return a branch's children by key, index or field; None for a leaf.

    A branch is any mapping or sequence, and any record: a dataclass or an attrs class. Fields that a record declares as no
    part of the tree (`static=True`, `pytree_node=False`) stay unchanged.
    """
    sort = SORTS[type(tree)]
    return None if sort is None else sort(tree)


def mapping(tree: Tree) -> Branches:
    """Return the children of a mapping, by key."""
    return list(tree.items())


def sequence(tree: Tree) -> Branches:
    """Return the children of a sequence, by index."""
    return list(enumerate(tree))


def record(tree: Tree) -> Branches:
    """Return the children of a record, by field."""
    return [(name, getattr(tree, name)) for name in _fields(type(tree)) or ()]


class _Sorts(dict[type, Callable[[Tree], Branches] | None]):
    """The sort of branch of each class, as the function of its children; None for leaves. A cache for all but the usual ones."""

    def __getstate__(self) -> None:
        """Return None: a pickle needs no cache."""

    def __missing__(self, kind: type) -> Callable[[Tree], Branches] | None:
        self[kind] = self._of(kind)
        return self[kind]

    @staticmethod
    def _of(kind: type) -> Callable[[Tree], Branches] | None:
        if issubclass(kind, ATOMS):
            return None
        if issubclass(kind, Mapping):
            return mapping
        if issubclass(kind, Sequence):
            return sequence
        return None if _fields(kind) is None else record


SORTS = _Sorts({np.ndarray: None, dict: mapping, list: sequence, tuple: sequence})


def _fields(kind: type) -> list[str] | None:
    if dataclasses.is_dataclass(kind):
        own = [f for f in dataclasses.fields(kind) if not f.metadata.get("static") and f.metadata.get("pytree_node", True)]
        return [f.name for f in own]
    attributes = getattr(kind, "__attrs_attrs__", None)
    return None if attributes is None else [a.name for a in attributes]


class Flat(NamedTuple):
    """A tree taken apart: its leaves by path and its branches' sorts by path, in order; and its leaves as arrays by name."""

    tree: Tree
    leaves: dict[Path, Any]
    branches: dict[Path, Any]
    arrays: dict[str, Array]

    def match(self, other: Tree, what: str) -> dict[str, Array]:
        """Return the arrays of `other` by name. Raises TypeError or KeyError, with the place, if its structure is another."""
        theirs = taken_apart(other)
        if theirs.branches != self.branches or theirs.leaves.keys() != self.leaves.keys():
            _refuse(self.tree, other, what, "")
        found = dict(zip(theirs.leaves, theirs.arrays.values(), strict=True))  # equal keys may have other texts, as 1 and 1.0
        return {name: found[path] for name, path in zip(self.arrays, self.leaves, strict=True)}

    def rebuilt(self, arrays: dict[str, Array]) -> Tree:
        """Return a tree with the structure and types of this one, and these arrays in place of the leaves of their names.

        Raises TypeError for a container that cannot be rebuilt from its content.
        """
        pairs = [(arrays.get(name, leaf), leaf) for name, leaf in zip(self.arrays, self.leaves.values(), strict=True)]
        leaves = (new if type(old) is np.ndarray else _of_class(new, old) for new, old in pairs)
        return _filled(self.tree, leaves) if self.branches else next(leaves)


def taken_apart(tree: Tree) -> Flat:
    """Take a tree apart.

    Names are unique: where two would be equal, as for {"a.b": x, "a": {"b": y}}, each shows its keys in full ("['a.b']",
    "['a']['b']"). Raises ValueError if different keys have the same text.
    """
    found = Flat(tree, {}, {}, {})
    if SORTS[type(tree)] is None:
        return Flat(tree, {(): tree}, {}, {SINGLE: plain(tree)})
    _walk(tree, "", (), found)
    return found if len(found.arrays) == len(found.leaves) else _told_apart(found)


def flatten(tree: Tree) -> tuple[list[str], list[Any]]:
    """Return the leaves' names ('layer.w', in order) and the leaves. A None is a leaf too."""
    found = taken_apart(tree)
    return list(found.arrays), list(found.leaves.values())


def _walk(tree: Tree, name: str, path: Path, found: Flat) -> None:
    found.branches[path] = sort = SORTS[type(tree)]
    for key, child in sort(tree) if sort is not None else ():
        below, way = f"{name}.{key}" if name else str(key), (*path, key)  # `_below`, without a call for each leaf
        if SORTS[type(child)] is None:
            found.leaves[way] = child
            found.arrays[below or SINGLE] = child if type(child) is np.ndarray else plain(child)
        else:
            _walk(child, below, way, found)


def _below(name: str, key: Any) -> str:
    """Return the name of a branch's child."""
    return f"{name}.{key}" if name else str(key)


def _told_apart(flat: Flat) -> Flat:
    """Return the tree with longer names for the leaves that have one in common."""
    names = [functools.reduce(_below, path, "") or SINGLE for path in flat.leaves]
    count = Counter(names)
    full = ["".join(f"[{key!r}]" for key in path) for path in flat.leaves]
    told = [long if count[name] > 1 else name for name, long in zip(names, full, strict=True)]
    twice = next((name for name, times in Counter(told).items() if times > 1), None)
    if twice is not None:
        raise ValueError(f"two parameters of this tree have one name, {twice}; give their keys names that differ")
    return flat._replace(arrays=dict(zip(told, map(plain, flat.leaves.values()), strict=True)))


def rebuild(tree: Tree, leaves: dict[str, Any]) -> Tree:
    """Return a tree with the structure and types of `tree` and the named leaves. See `Flat.rebuilt`."""
    flat = taken_apart(tree)
    return flat.rebuilt({name: leaves[name] for name in flat.arrays})


def _special(x: Any) -> bool:
    return isinstance(x, np.ndarray) and type(x) is not np.ndarray


def _of_class(new: Any, old: Any) -> Any:
    """Convert a plain array to the class of the leaf that it replaces, such as numpy.matrix."""
    return new.view(type(old)) if _special(old) and type(new) is np.ndarray else new


def _filled(tree: Tree, leaves: Iterator[Any]) -> Tree:
    sort = SORTS[type(tree)]
    pairs = [] if sort is None else sort(tree)
    parts = {key: next(leaves) if SORTS[type(child)] is None else _filled(child, leaves) for key, child in pairs}
    return parts if type(tree) is dict else _in_class(tree, parts)


def _in_class(tree: Tree, parts: dict[Any, Any]) -> Tree:
    try:
        return _made_anew(tree, parts)
    except Exception as error:
        kind = type(tree)
        cure = "dict(...)" if isinstance(tree, Mapping) else "list(...)" if isinstance(tree, Sequence) else "a dict of its fields"
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
    return taken_apart(params).match(other, what)


def _refuse(params: Tree, other: Tree, what: str, name: str) -> None:
    """Raise TypeError or KeyError at the first place where a tree has another structure than the parameters."""
    ours, theirs = children(params), children(other)
    if ours is None:
        if theirs is not None:
            raise TypeError(f"{what}: '{name or SINGLE}' is one array among the parameters, but a {type(other).__name__} here")
        return
    if theirs is None or SORTS[type(params)] != SORTS[type(other)]:
        where = f"'{name}'" if name else "the tree"
        raise TypeError(
            f"{what}: {where} is a {type(params).__name__} among the parameters, but {_describe(other)} here{instead(other)}"
        )
    table = dict(theirs)
    for key, child in ours:
        below = _below(name, key)
        if key not in table:
            raise KeyError(f"{what}: nothing for '{below}'; give its array, or None to leave that parameter as it is")
        _refuse(child, table.pop(key), what, below)
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
