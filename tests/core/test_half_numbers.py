"""One number per tensor beside parameters in half precision: float32 on every face, since sums in it do not stop growing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import everyday

import thalweg as tw
import thalweg.numpy as tn
from thalweg.core.compose import refuses_vectors
from thalweg.form.memory import PerTensor

RULES = [
    name
    for name, rule in tw.rules.items()
    if any(isinstance(kind, PerTensor) for f in rule().functions for kind in f.memory.values())
    and not {"loss", "curvature", "grad_fn"} & set(rule.asks)
]


def params(name: str) -> dict[str, Any]:
    vector = {} if refuses_vectors(tw.rules[name]()) else {"b": np.linspace(0.2, 2, 3).astype(np.float16)}
    return {"w": np.linspace(0.1, 1, 6).reshape(2, 3).astype(np.float16), **vector}


def dtypes(state: Any) -> set[Any]:
    """Of the memory of one number per tensor; all other memory of these tensors has axes, and a model's numbers are Python's."""
    return {x.dtype for x in tw.trees.flatten(state["memory"])[1] if isinstance(x, np.ndarray) and x.ndim == 0}


def test_there_are_such_rules() -> None:
    assert {"novograd", "nadam", "schedule_free_sgd", "adam_mini"} <= set(RULES)


@pytest.mark.parametrize("name", everyday(RULES, {"novograd", "nadam"}))
def test_a_number_of_half_precision_is_float32_and_a_file_goes_on_with_it(name: str, tmp_path: Path) -> None:
    rule, p = tw.rules[name], params(name)
    in_place = tn.of(rule)(p, lr=0.1)
    for _ in range(2):
        in_place.step({n: x.copy() for n, x in p.items()})
    tn.save_state(tmp_path / "state", in_place)
    pure = tw.Optimizer(rule(), lr=0.1)
    assert dtypes(pure.init(params(name))) == {np.dtype(np.float32)}
    moved, state = tw.load_state(tmp_path / "state", pure, params(name))
    gradients = {n: x.copy() for n, x in p.items()}
    moved, state = pure.step(moved, gradients, state)
    in_place.step(gradients)
    for n in p:
        np.testing.assert_allclose(np.float32(moved[n]), np.float32(p[n]), rtol=2e-3, atol=1e-4)
    assert dtypes(state) == {np.dtype(np.float32)}


def test_a_count_grows_beyond_what_half_precision_can_count() -> None:
    """float16 has no whole numbers between 2048 and 2050."""
    optimizer = tw.Optimizer(tw.schedule_free_sgd(), lr=1.0)
    p = {"w": np.ones(2, np.float16)}
    state = optimizer.init(p)
    for _ in range(2100):
        p, state = optimizer.step(p, {"w": np.zeros(2, np.float16)}, state)
    assert state["memory"]["schedule_free"]["total"]["w"] == 2100


def test_the_square_of_a_norm_does_not_overflow() -> None:
    optimizer = tw.Optimizer(tw.novograd(), lr=0.01)
    p = {"w": np.ones((20, 20), np.float16)}
    moved, state = optimizer.step(p, {"w": np.full((20, 20), 13, np.float16)}, optimizer.init(p))
    assert state["memory"]["layer_normalized"]["n"]["w"] == 400 * 13**2
    np.testing.assert_allclose(np.float32(moved["w"]), 1 - 0.01 / 20, rtol=1e-3)


def test_jax_keeps_it_too() -> None:
    jax = pytest.importorskip("jax")
    import thalweg.jax as tj

    tx = tj.schedule_free_sgd(learning_rate=0.1)
    p = {"w": jax.numpy.ones(4, "bfloat16")}
    state = tx.init(p)
    update = jax.jit(tx.update)
    for _ in range(400):  # bfloat16 counts to 256
        _, state = update({"w": 0 * p["w"]}, state, p)
    total = state.memory["schedule_free"]["total"]["w"]
    assert total.dtype == "float32"
    assert float(total) == pytest.approx(400 * 0.1**2, rel=1e-4)
