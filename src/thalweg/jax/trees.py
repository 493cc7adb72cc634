"""What a step keeps, between tables by leaf, as the pure functions have it, and JAX's pytrees."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from thalweg.values.trees import SINGLE

Tree = Any


class Without(NamedTuple):
    """Stands in a memory's tree where a tensor has none; it has no leaves."""


NOTHING = Without()


class State(NamedTuple):
    """What a transformation keeps: the count of updates, where a rule or a schedule looks at it; memory, by stage and slot,
    each a tree like the parameters; the walked point, for methods that take gradients elsewhere.
    """

    count: Any
    memory: Any
    walked: Any = None


class Outline(NamedTuple):
    """A tree without what is in it: its structure, and its leaves' paths as names."""

    structure: Any
    names: list[str]


def apart(tree: Tree, known: Outline | None = None) -> tuple[list[Any], Outline]:
    """A tree's leaves and its outline; `known` itself where the tree is alike, and so has the same names."""
    leaves, structure = jax.tree.flatten(tree)
    if known is not None and structure == known.structure:
        return leaves, known
    return leaves, Outline(structure, _names([path for path, _ in jax.tree_util.tree_flatten_with_path(tree)[0]]))


def flat(tree: Tree) -> tuple[list[str], list[Any], Any]:
    """A pytree's leaves, their paths as names, its structure. A complex tensor is one of its real and imaginary parts."""
    leaves, outline = apart(tree)
    return outline.names, list(map(parts, leaves)), outline.structure


class Name(str):
    """A leaf's name, which no slot's is: they are told apart in a memory's tables by being one."""

    __slots__ = ()

    def __str__(self) -> str:
        return self


def _names(paths: list[Any]) -> list[str]:
    """Names as the pure functions give them ('hidden.w'), and the paths in full where two would be the same."""
    dotted = [Name(".".join(map(_key, path[:-1] if _wraps(path) else path)) or SINGLE) for path in paths]
    if len(set(dotted)) == len(dotted):
        return list(dotted)
    count = Counter(dotted)
    return [Name(jax.tree_util.keystr(path)) if count[name] > 1 else name for name, path in zip(dotted, paths, strict=True)]


def _wraps(path: Any) -> bool:
    """Whether the last step is into a variable of Flax NNX, which wraps the array."""
    return len(path) > 1 and getattr(path[-1], "name", None) in ("value", "raw_value")


def _key(entry: Any) -> str:
    return str(next(getattr(entry, word) for word in ("key", "idx", "name") if hasattr(entry, word)))


def unlike(names: list[str], theirs: list[str], whose: str) -> str:
    """How gradients of these names are of another tree than theirs."""
    more, fewer = ([x for x in a if x not in b] for a, b in ((names, theirs), (theirs, names)))
    said = [f"{verb} {', '.join(found)}" for verb, found in (("have", more), ("lack", fewer)) if found]
    how = f"they {' and '.join(said)}" if said else "their containers are of other types"
    return f"the gradients are of another tree than the {whose}: {how}"


def parts(x: Any) -> Any:
    """A complex tensor's real and imaginary parts, along a first axis of two; a real one as it is; of a shape, zeros."""
    x = jnp.zeros(x.shape, x.dtype) if isinstance(x, jax.ShapeDtypeStruct) else jnp.asarray(x)
    return jnp.stack([x.real, x.imag]) if jnp.iscomplexobj(x) else x


def whole(x: Any, like: Any) -> Any:
    """And back, in the dtype of `like`."""
    dtype = jnp.result_type(like)
    return (jax.lax.complex(x[0], x[1]) if is_complex(like) else x).astype(dtype)


def is_complex(x: Any) -> bool:
    return bool(jnp.issubdtype(jnp.result_type(x), jnp.complexfloating))


def folded(x: Any, like: Any) -> Any:
    """A slot of memory beside a complex tensor: complex too, where it has the two parts' shape and precision."""
    if is_complex(like) and x.shape == (2, *like.shape) and x.dtype == jnp.zeros((), like.dtype).real.dtype:
        return jax.lax.complex(x[0], x[1])
    return x


def to_trees(memory: dict[str, Any], outline: Outline, complexes: dict[str, Any], plain: frozenset[str] = frozenset()) -> Any:
    """Tables by leaf as trees of this outline. complexes: the complex tensors by name; plain: slots with their own dtype."""
    trees = {}
    for key, held in memory.items():
        if not isinstance(held, dict):
            trees[key] = jnp.asarray(held)
        elif all(type(name) is Name for name in held):
            leaves = [held.get(name, NOTHING) for name in outline.names]
            if complexes and key not in plain:
                pairs = zip(leaves, outline.names, strict=True)
                leaves = [x if x is NOTHING or name not in complexes else folded(x, complexes[name]) for x, name in pairs]
            trees[key] = outline.structure.unflatten(leaves)
        else:
            trees[key] = to_trees(held, outline, complexes, plain)
    return trees


def to_tables(memory: dict[str, Any], table: Any, outline: Outline, complexes: dict[str, Any]) -> Any:
    """And back. table: what memory there is of no parameters, with an empty table in each slot's place.

    Raises ValueError where a slot's tree is of another outline.
    """
    tables = {}
    for key, held in memory.items():
        slot = table.get(key)
        if slot == {}:
            tables[key] = {name: x for name, x in _leaves(held, outline) if type(x) is not Without}
            if complexes:
                tables[key] = {name: parts(x) if name in complexes else x for name, x in tables[key].items()}
        elif isinstance(slot, dict) and isinstance(held, dict):
            tables[key] = to_tables(held, slot, outline, complexes)
        else:
            tables[key] = held
    return tables


def _leaves(tree: Any, outline: Outline) -> Iterable[tuple[str, Any]]:
    """A slot's leaves with their names, `Without` where a tensor has none."""
    leaves, structure = jax.tree.flatten(tree)
    if structure != outline.structure:
        leaves, structure = jax.tree.flatten(tree, is_leaf=is_without)
    if structure != outline.structure:
        theirs = _names([path for path, _ in jax.tree_util.tree_flatten_with_path(tree, is_leaf=is_without)[0]])
        raise ValueError(unlike(outline.names, theirs, "state"))
    return zip(outline.names, leaves, strict=True)


def is_without(x: Any) -> bool:
    return isinstance(x, Without)


def renamed(memory: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """Memory by stage and slot with other names for slots: {"adam.m": "mu"}."""
    return {
        stage: {names.get(f"{stage}.{slot}", slot): value for slot, value in held.items()} if isinstance(held, dict) else held
        for stage, held in memory.items()
    }


def in_dtypes_of(new: Tree, old: Tree) -> Tree:
    """The new state in the old one's dtypes, so that `lax.scan` and `lax.cond` can carry it; as it is, where it has grown."""
    before: tuple[list[Any], Any] = jax.tree.flatten(old)
    after: tuple[list[Any], Any] = jax.tree.flatten(new)
    if after[1] != before[1]:
        return new
    pairs = zip(after[0], before[0], strict=True)
    return after[1].unflatten([x if x.dtype == y.dtype else x.astype(y.dtype) for x, y in pairs])
