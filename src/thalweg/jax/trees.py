"""JAX's pytrees: the leaves by name, the types of a state, complex tensors in parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from thalweg.values.trees import SINGLE

Tree = Any


class Without(NamedTuple):
    """Placeholder in a memory tree for a tensor without memory; it has no leaves."""


NOTHING = Without()


class State(NamedTuple):
    """The state of a transformation: the count of updates, if a rule or schedule reads it; the memory, by stage and slot, each a
    tree like the parameters; and the updated iterate, for methods that take gradients elsewhere.
    """

    count: Any
    memory: Any
    walked: Any = None


class Outline(NamedTuple):
    """A tree without its leaves: the structure, and the leaves' paths as names."""

    structure: Any
    names: list[str]


def names_of(tree: Tree, is_leaf: Callable[[Any], bool] | None = None) -> list[str]:
    """Return the leaves' names in the pure functions ('hidden.w'), or full paths if two would be equal."""
    paths: list[Any] = [path for path, _ in jax.tree_util.tree_flatten_with_path(tree, is_leaf)[0]]
    dotted = [".".join(map(_key, path[:-1] if _wraps(path) else path)) or SINGLE for path in paths]
    return dotted if len(set(dotted)) == len(dotted) else _told_apart(dotted, paths)


def _told_apart(names: list[str], paths: list[Any]) -> list[str]:
    """Return full paths in place of names that several leaves have."""
    count = Counter(names)
    return [jax.tree_util.keystr(path) if count[name] > 1 else name for name, path in zip(names, paths, strict=True)]


def _wraps(path: Any) -> bool:
    """Whether the path ends in a variable of Flax NNX, which wraps the array."""
    return len(path) > 1 and getattr(path[-1], "name", None) in ("value", "raw_value")


def _key(entry: Any) -> str:
    return str(next(getattr(entry, word) for word in ("key", "idx", "name") if hasattr(entry, word)))


def unlike(names: list[str], theirs: list[str], whose: str) -> str:
    """Return a message on how the tree of these gradients differs from theirs."""
    more, fewer = ([x for x in a if x not in b] for a, b in ((names, theirs), (theirs, names)))
    said = [f"{verb} {', '.join(found)}" for verb, found in (("have", more), ("lack", fewer)) if found]
    how = f"they {' and '.join(said)}" if said else "their containers are of other types"
    return f"the gradients are of another tree than the {whose}: {how}"


def parts(x: Any) -> Any:
    """Return a complex tensor's real and imaginary parts along a new first axis; a real one unchanged; for a shape, zeros."""
    x = jnp.zeros(x.shape, x.dtype) if isinstance(x, jax.ShapeDtypeStruct) else jnp.asarray(x)
    return jnp.stack([x.real, x.imag]) if jnp.iscomplexobj(x) else x


def whole(x: Any, like: Any) -> Any:
    """Convert back, to the dtype of `like`."""
    dtype = jnp.result_type(like)
    return (jax.lax.complex(x[0], x[1]) if is_complex(like) else x).astype(dtype)


def is_complex(x: Any) -> bool:
    return bool(jnp.issubdtype(jnp.result_type(x), jnp.complexfloating))


def folded(x: Any, like: Any) -> Any:
    """Convert a memory slot of a complex tensor back to complex if it has the parts' shape and precision."""
    if is_complex(like) and x.shape == (2, *like.shape) and x.dtype == jnp.zeros((), like.dtype).real.dtype:
        return jax.lax.complex(x[0], x[1])
    return x


def leaves_of(tree: Any, outline: Outline) -> Iterable[tuple[str, Any]]:
    """Yield a slot's leaves with their names, `Without` for a tensor without memory."""
    leaves, structure = jax.tree.flatten(tree)
    if structure != outline.structure:
        leaves, structure = jax.tree.flatten(tree, is_leaf=is_without)
    if structure != outline.structure:
        raise ValueError(unlike(outline.names, names_of(tree, is_without), "state"))
    return zip(outline.names, leaves, strict=True)


def present(tree: Tree, outline: Outline) -> dict[str, Any]:
    """Return a slot's leaves by name, without those of tensors that have none."""
    return {name: x for name, x in leaves_of(tree, outline) if type(x) is not Without}


def is_without(x: Any) -> bool:
    return isinstance(x, Without)


def renamed(memory: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """Return memory by stage and slot with other names for slots: {"adam.m": "mu"}."""
    return {
        stage: {names.get(f"{stage}.{slot}", slot): value for slot, value in held.items()} if isinstance(held, dict) else held
        for stage, held in memory.items()
    }


def in_dtypes_of(new: Tree, old: Tree) -> Tree:
    """Cast the new state to the old one's dtypes, so that `lax.scan` and `lax.cond` can carry it; not if its tree has grown."""
    before: tuple[list[Any], Any] = jax.tree.flatten(old)
    after: tuple[list[Any], Any] = jax.tree.flatten(new)
    if after[1] != before[1]:
        return new
    pairs = zip(after[0], before[0], strict=True)
    return after[1].unflatten([x if x.dtype == y.dtype else x.astype(y.dtype) for x, y in pairs])
