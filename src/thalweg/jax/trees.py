"""What a step keeps, between tables by leaf, as the pure functions have it, and JAX's pytrees."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from thalweg.values.trees import SINGLE

Tree = Any


class Without(NamedTuple):
    """Stands in a memory's tree where a tensor has none; it has no leaves."""


class State(NamedTuple):
    """What a transformation keeps: the count of updates, where a rule or a schedule looks at it; memory, by stage and slot,
    each a tree like the parameters; the walked point, for methods that take gradients elsewhere.
    """

    count: Any
    memory: Any
    walked: Any = None


def flat(tree: Tree) -> tuple[list[str], list[Any], Any]:
    """A pytree's leaves, their paths as names, its structure. A complex tensor is one of its real and imaginary parts."""
    found, structure = jax.tree_util.tree_flatten_with_path(tree)
    return _names([path for path, _ in found]), [parts(leaf) for _, leaf in found], structure


def complex_leaves(tree: Tree) -> list[str]:
    """The names of those that are complex."""
    found = jax.tree_util.tree_flatten_with_path(tree)[0]
    return [name for name, (_, leaf) in zip(_names([path for path, _ in found]), found, strict=True) if is_complex(leaf)]


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


def check_alike(names: list[str], structure: Any, params: list[str] | None, memory: Any, table: Any) -> None:
    """Raises ValueError where gradients are of another tree than the parameters, or than what the state has kept of them.

    table: what memory there is of no parameters, with an empty table in the place of each slot's tree.
    """
    if params is not None and params != names:
        raise ValueError(_unlike(names, params, "parameters"))
    for held in _slots(memory, table):
        if jax.tree_util.tree_structure(held, is_leaf=is_without) != structure:
            theirs = _names([path for path, _ in jax.tree_util.tree_flatten_with_path(held, is_leaf=is_without)[0]])
            raise ValueError(_unlike(names, theirs, "state"))


def _slots(memory: Any, table: Any, depth: int = 0) -> Iterator[Any]:
    if depth and table == {}:
        yield memory
    elif isinstance(table, dict) and isinstance(memory, dict):
        for key in table.keys() & memory.keys():
            yield from _slots(memory[key], table[key], depth + 1)


def _unlike(names: list[str], theirs: list[str], whose: str) -> str:
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


def to_trees(memory: Any, likes: dict[str, Any], structure: Any, plain: frozenset[str] = frozenset(), slot: str = "") -> Any:
    """Tables by leaf as trees like the parameters. likes: one like each parameter; plain: slots with their own dtype."""
    if not isinstance(memory, dict):
        return jnp.asarray(memory)
    if slot and all(isinstance(name, Name) for name in memory):
        held = [(memory.get(name, Without()), like) for name, like in likes.items()]
        return structure.unflatten([x if is_without(x) or slot in plain else folded(x, like) for x, like in held])
    return {key: to_trees(value, likes, structure, plain, key) for key, value in memory.items()}


def to_tables(memory: Any, likes: dict[str, Any], structure: Any, depth: int = 0) -> Any:
    """And back: what `to_trees` made of stages and slots."""
    if depth and jax.tree_util.tree_structure(memory, is_leaf=is_without) == structure:
        leaves = structure.flatten_up_to(memory)
        pairs = zip(likes.items(), leaves, strict=True)
        return {name: parts(x) if is_complex(like) else x for (name, like), x in pairs if not is_without(x)}
    if isinstance(memory, dict):
        return {key: to_tables(value, likes, structure, depth + 1) for key, value in memory.items()}
    return memory


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
    before: Any = jax.tree.structure(old)
    if jax.tree.structure(new) != before:
        return new
    return jax.tree.map(lambda x, y: x if x.dtype == y.dtype else x.astype(y.dtype), new, old)
