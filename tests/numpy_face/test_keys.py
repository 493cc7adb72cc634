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


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("moves", ["exchanged", "the rate last"])
def test_a_groups_values_are_those_under_its_keys(moves: str, fused: bool) -> None:
    found = []
    for rebuilt in (True, False):
        p = params()
        optimizer = tn.Adam(p, lr=0.1, beta1=0.5, beta2=0.9, fused=fused)
        group = optimizer.param_groups[0]
        for k in range(7):
            if k == 3 and rebuilt and moves == "exchanged":
                keys_change_places(group, ["beta1", "beta2"])
            elif k == 3 and rebuilt:
                group["lr"] = group.pop("lr")
            elif k == 3 and moves == "exchanged":
                group.update(beta1=group["beta2"], beta2=group["beta1"])
            if k == 5:
                group["beta1"] = 0.3
            optimizer.step(like(p, k))
        found.append(p)
    assert all(np.array_equal(found[0][k], found[1][k]) for k in p)
