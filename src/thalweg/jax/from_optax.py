"""States of optax's own transformations, taken over into ours."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import optax

from thalweg import dialects
from thalweg.core.saved.record import Place, held_slots
from thalweg.jax.apart import Apart
from thalweg.jax.estimators import Drawn, NoisyRule
from thalweg.jax.face import Face
from thalweg.jax.saved import face_of
from thalweg.jax.trees import Tree


def from_optax(transformation: Any, state: Any, params: Tree) -> Any:
    """Return the state of a transformation of ours that goes on where one of optax's stopped.

    Memory is found by optax's names for it ("mu", "nu", "trace"); where a state has a name several times, by its place in the
    chain. The state may be that of `optax.chain`, `optax.masked`, `optax.multi_transform` or `optax.inject_hyperparams`.

    Parameters
    ----------
    transformation : Transformation
        A transformation of thalweg.jax, of the rule that optax's transformation has.
    state : pytree
        What optax's `init` or `update` returned.
    params : pytree
        The parameters.

    Raises
    ------
    ValueError
        If the state lacks memory that the transformation keeps, if it has it of other parameters, or if it counts differently in
        several places.
    """
    face = face_of(transformation)
    rule: Face = face.rule if isinstance(face, NoisyRule) else face
    name, here = rule.pure.chain.name, Apart.of(params)
    if rule.pure.moves:
        raise ValueError(f"{name} takes gradients away from its iterate, which optax's states do not hold")
    first = transformation.init(params)
    memory = rule._kept(first.rule if isinstance(face, NoisyRule) else first, here)["memory"]
    taken: set[tuple[str, int]] = set()
    for place, is_number, held in list(held_slots(rule.pure.chain, memory)):
        found = _next(state, list(_words(place, rule)), held, taken, f"{'.'.join(place)} of {name}")
        if not is_number and _after_the_rate(rule, place):
            found = {leaf: -x for leaf, x in found.items()}
        *way, last = place
        functools.reduce(lambda tree, key: tree[key], way, memory)[last] = found
    own = rule._told(_count(state, name) if rule.counts else None, {"memory": memory}, here)
    return Drawn(_key(state, name), own) if isinstance(face, NoisyRule) else own


_MOMENTS = {"m": "exp_avg", "v": "exp_avg_sq"}
_ESTIMATE = {**_MOMENTS, "d": "estim_lr", "s": "grad_sum", "r": "numerator_weighted", "x0": "params0"}
_MODEL = {"d": "exp_avg", "v": "exp_avg_sq", "f_bar": "barf", "gamma": "gamma"}
BESIDE = {
    "prodigy": _ESTIMATE,
    "dadapt_adam": _ESTIMATE,
    "momo": _MODEL,
    "momo_adam": _MODEL,
    "dog": {"x0": "init_params", "r": "max_dist", "G": "sum_sq_norm_grads"},
    "dowg": {"x0": "init_params", "r": "estim_sq_dist", "v": "weighted_sq_norm_grads"},
    "muon": {"B": "mu"},
}
"""optax's names for slots that have ours in our states."""


def _words(place: Place, rule: Face) -> Iterator[str]:
    """Yield optax's names for a slot: the transformation's own, then those of all transformations."""
    stage, slot = re.sub(r"_[0-9]+$", "", place[-2]), place[-1]
    for names in (rule.expected.names, *(row.names for row in dialects.OPTAX.values())):
        if f"{stage}.{slot}" in names:
            yield names[f"{stage}.{slot}"]
    yield BESIDE.get(stage, {}).get(slot, slot)


def _all(state: Any, word: str) -> list[Any]:
    """Return what a state has under this name of a field, in order."""
    pairs = optax.tree.get_all_with_path(state, word)
    return [value for path, value in pairs if type(path[-1]).__name__ == "NamedTupleKey"]


def _shapes(held: Any) -> Any:
    """Return the shapes of a tree like the parameters by their names; what `optax.masked` leaves out has no leaves."""
    return {name: tuple(x.shape) for name, x in held.items()} if isinstance(held, dict) else tuple(held.shape)


def _next(state: Any, words: list[str], wanted: Any, taken: set[tuple[str, int]], what: str) -> Any:
    """Return the next memory of one of these names, of the shapes that are wanted, that no slot before has taken."""
    others = []
    for word in words:
        for i, found in enumerate(_all(state, word)):
            held = Apart.of(found).by_name() if isinstance(wanted, dict) else found
            if (word, i) not in taken and _shapes(held) == _shapes(wanted):
                taken.add((word, i))
                return held
            others.append(f"{word} of the shapes {_shapes(held)}")
    said = " and ".join(dict.fromkeys(others)) or f"no {' or '.join(dict.fromkeys(words))}"
    raise ValueError(f"{what} has the shapes {_shapes(wanted)}, and the state has {said}; is it of another transformation?")


def _after_the_rate(rule: Face, place: Place) -> bool:
    """Whether memory comes after the learning rate in the chain: optax has turned it downhill by then, and we turn it last."""
    keys = rule.pure.chain.keys
    return any(key.startswith("learning_rate") for key in keys[: keys.index(place[0])])


def _count(state: Any, name: str) -> Any:
    counts = {int(count) for count in _all(state, "count") or [t for t in _all(state, "t") if jnp.ndim(t) == 0]}
    if len(counts) != 1:
        said = " and ".join(map(str, sorted(counts))) or "none"
        raise ValueError(f"{name} reads one count of updates, and the state has {said}")
    return jnp.asarray(counts.pop(), jnp.int32)


def _key(state: Any, name: str) -> Any:
    keys = _all(state, "rng_key")
    if len(keys) != 1:
        raise ValueError(f"{name} draws from one key, and the state has {len(keys) or 'none'}")
    return keys[0] if jnp.issubdtype(keys[0].dtype, jax.dtypes.prng_key) else jax.random.wrap_key_data(keys[0])
