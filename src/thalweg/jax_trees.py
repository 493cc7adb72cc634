"""What a step keeps, between tables by leaf, as the pure functions have it, and JAX's pytrees."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

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
    return [_name(path) for path, _ in found], [parts(leaf) for _, leaf in found], structure


def complex_leaves(tree: Tree) -> list[str]:
    """The names of those that are complex."""
    return [_name(path) for path, leaf in jax.tree_util.tree_flatten_with_path(tree)[0] if is_complex(leaf)]


def _name(path: Any) -> str:
    return f"leaf {jax.tree_util.keystr(path)}"


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
    if slot and set(memory) <= set(likes):
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
