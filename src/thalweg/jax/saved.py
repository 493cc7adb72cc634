"""State files of optax transformations, and states of optax's own as ours."""

from __future__ import annotations

import os
from typing import Any

import jax
import numpy as np

from thalweg.core.saved.file import save
from thalweg.core.saved.fit import Arrays, Names, fitted
from thalweg.core.saved.record import Record, recorded, state_of
from thalweg.jax.apart import Apart
from thalweg.jax.estimators import CurvatureRule, Drawn, NoisyRule
from thalweg.jax.face import Face
from thalweg.jax.trees import Tree

KEY = ("key",)


def save_state(path: str | os.PathLike[str], transformation: Any, params: Tree, state: Any) -> None:
    """Write parameters and state to one file, from which any face resumes: see docs/states.md.

    Parameters
    ----------
    path : str or path-like
        The file; it appears whole or not at all.
    transformation : Transformation
        A transformation of thalweg.jax; of one in `optax.chain`, it alone and its own part of the state.
    params, state : pytree
        The parameters, and what `init` or `update` returned.
    """
    face = face_of(transformation)
    save(path, _record(face, Apart.of(params), state))


def load_state(
    path: str | os.PathLike[str], transformation: Any, params: Tree, *, names: Names = None, arrays: Arrays = None
) -> tuple[Tree, Any]:
    """Return the parameters and the state that a file holds, whichever face wrote it.

    Parameters
    ----------
    path : str or path-like
        The file.
    transformation : Transformation
        A transformation of the same rule.
    params : pytree
        The parameters before: the result has their structure and dtypes.
    names : callable or dict, optional
        Maps a parameter's name here ("layer.kernel") to its name in the file. Default: they are the same.
    arrays : callable, optional
        Maps a parameter's name here, and each array that the file has of it, to the array that is to be here: a transpose.

    Returns
    -------
    params, state
        For `transformation.update`.

    Raises
    ------
    ValueError
        If the file is damaged, of another rule or seed, or of other parameters, or if it counts other updates of one parameter
        than of another. A warning says which settings differ.
    """
    face, here = face_of(transformation), Apart.of(params)
    with _rule(face)._over(params, here):
        found = fitted(path, _record(face, here, transformation.init(params)), names, arrays)
        state = _state(face, here, found)
    return here.tree(found.params[name] for name in here.outline.names), state


def _state(face: Face | NoisyRule, here: Apart, found: Record) -> Any:
    """Return the state of a record."""
    rule = _rule(face)
    begun: Any = rule.pure.started(here.by_name())
    pure = state_of(rule.pure, found, begun)
    if "seed" in begun and pure["seed"] != rule.pure.seed:
        raise ValueError(
            f"the file's draws have seed {pure['seed']}, and this transformation's {rule.pure.seed}; make it with that"
        )
    counts = {count for count in found.counts.values() if count is not None}
    if rule.counts and len(counts) > 1:
        raise ValueError(f"the file counts {min(counts)} updates of one parameter and {max(counts)} of another; optax has one")
    state = rule._told(jax.numpy.asarray(counts.pop(), jax.numpy.int32) if rule.counts else None, pure, here)
    if not isinstance(face, NoisyRule):
        return state
    return Drawn(jax.random.wrap_key_data(found.numbers[KEY], impl=found.more["key"]), state)


def face_of(transformation: Any) -> Face | NoisyRule:
    """Return what makes a transformation ours. Raises TypeError if it is not."""
    face = getattr(getattr(transformation, "update", None), "__self__", None)
    if isinstance(face, CurvatureRule):
        raise TypeError(f"{face.name}: an estimator of the caller's has a state of its own, which this file has no place for")
    if not isinstance(face, Face | NoisyRule):
        raise TypeError(
            f"{transformation!r:.60} is no transformation of thalweg.jax; of a chain of optax's hand over the one that is, with "
            "its part of the state, and `from_optax` makes our state of optax's"
        )
    return face


def _rule(face: Face | NoisyRule) -> Face:
    rule: Face = face.rule if isinstance(face, NoisyRule) else face
    return rule


def _record(face: Face | NoisyRule, here: Apart, state: Any) -> Record:
    """Return the record of a state."""
    rule, own = _rule(face), state.rule if isinstance(face, NoisyRule) else state
    rule.expected.check(here, here, own, {})
    count = None if own.count is None else int(own.count)
    pure = {**rule._kept(own, here), "t": dict.fromkeys(here.outline.names, count)}
    if not rule.pure._drawn:
        pure.pop("seed")
    found = recorded(rule.pure, here.by_name(), pure)
    if isinstance(face, NoisyRule):
        found.numbers[KEY] = np.asarray(jax.random.key_data(state.rng_key))
        found.more["key"] = str(jax.random.key_impl(state.rng_key))
    return found
