"""Arrays of parameters and states under other keys: what lies under a key is that parameter's, or is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import thalweg.numpy as tn
from numpy_face.changes import keys_change_places, like, params


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("tree", ["dict", "nested"])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p: keys_change_places(p, ["b", "d"]), "b' is no longer the array"),
        (lambda p: p.update(x=p.pop("d")), "d' is no longer the array"),
        (lambda p: p.update(w=p.pop("w")), "order was .* and is .*; put them back"),
    ],
    ids=["rekeyed", "renamed", "reordered"],
)
def test_parameters_under_other_keys_are_refused(fused: bool, tree: str, change: Any, words: str) -> None:
    p = params()
    whole = p if tree == "dict" else {"layer": p}
    optimizer = tn.Adam(whole, fused=fused)
    for k in range(3):
        optimizer.step(like(p, k) if tree == "dict" else {"layer": like(p, k)})
    before = {id(a): a.copy() for a in p.values()}
    change(p)
    with pytest.raises(ValueError, match=words):
        optimizer.step(like(p, 4) if tree == "dict" else {"layer": like(p, 4)})
    assert all(np.array_equal(a, before[id(a)]) for a in p.values())


@pytest.mark.parametrize("fused", [True, False])
def test_states_of_two_shapes_that_change_keys_are_refused(fused: bool) -> None:
    p = {"a": np.ones(3), "b": np.ones(1)}
    optimizer = tn.Adam(p, fused=fused)
    for k in range(3):
        optimizer.step(like(p, k))
    keys_change_places(optimizer.state["memory"]["adam"]["m"], ["a", "b"])
    with pytest.raises(ValueError, match="shape"):
        optimizer.step(like(p, 4))
