"""Steps within steps of the same optimizer."""

from __future__ import annotations

import copy
import threading
from typing import Any

import numpy as np
import pytest

import thalweg as tw
import thalweg.numpy as tn


@pytest.mark.parametrize("way", ["grad_fn", "around", "schedule"])
def test_a_step_within_a_step_is_refused_at_once(way: str) -> None:
    """In the same thread it would wait for itself for ever, and what it did would be lost."""
    p = {"w": np.ones(3)}
    within: list[Any] = []

    def steps(*_: Any) -> Any:
        if within:
            optimizer.step({"w": np.ones(3)}, grad_fn=lambda q: (1.0, {"w": np.ones(3)}))
        return (1.0, {"w": np.ones(3)}) if way != "schedule" else 0.1

    rule = {"grad_fn": tw.adam(), "around": tw.chain(tw.sam(), tw.adam()), "schedule": tw.adam()}[way]
    optimizer = tn.Optimizer(p, rule, lr=steps if way == "schedule" else 0.1)
    handed = {"grads": {"w": np.ones(3)}} if way == "schedule" else {"grad_fn": steps}
    optimizer.step(**handed)
    left, state = p["w"].copy(), copy.deepcopy(optimizer.state)
    within.append(True)
    found: list[BaseException] = []

    def attempt() -> None:
        try:
            optimizer.step(**handed)
        except RuntimeError as error:
            found.append(error)

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(20)
    assert not thread.is_alive(), "it waits for itself"
    assert "in the middle of a step" in str(found[0])
    assert np.array_equal(p["w"], left)
    assert repr(optimizer.state) == repr(state)
    within.clear()
    optimizer.step(**handed)
    assert not np.array_equal(p["w"], left)


def test_a_copy_made_within_a_step_may_step() -> None:
    p = np.ones(3)
    optimizer = tn.Optimizer(p, tw.chain(tw.sam(), tw.adam()), lr=0.1)

    def probes(q: Any) -> Any:
        copy.deepcopy(optimizer).step(grad_fn=lambda r: (1.0, np.ones(3)))
        return 1.0, np.ones(3)

    optimizer.step(grad_fn=probes)
    assert not np.array_equal(p, np.ones(3))
