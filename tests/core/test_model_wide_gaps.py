"""One number for the model is one number, whoever has a gradient this time, in whatever order, inside `choose` and outside."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support import everyday

import thalweg as tw
import thalweg.numpy as tn

RULES = [
    "adams",
    "avagrad",
    "prodigy",
    "dadapt_adam",
    "dadapt_sgd",
    "dog",
    "dowg",
    "ldog",
    "momo",
    "momo_adam",
    "mechanic_adam",
    "swats",
    "adgd",
    "dadapt_lion",
    "dadapt_adan",
    "dadapt_adagrad",
    "adagrad_norm",
    "eve",
    "clip",
]
GAPS = [(), ("a",), ("d",), ("a", "b"), ("a", "b", "c", "d"), ("c",), ("b", "d"), ("a", "b", "c")]


def start(backwards: bool = False) -> dict[str, Any]:
    draw = np.random.default_rng(1)
    made = {key: draw.standard_normal(shape) for key, shape in {"a": (3, 2), "b": (3,), "c": (2, 2), "d": (2,)}.items()}
    return dict(reversed(made.items())) if backwards else made


def rule_of(name: str, inside: bool) -> Any:
    rule = tw.chain(tw.clip(0.5), tw.adam()) if name == "clip" else tw.rules[name]()
    return tw.choose((tw.named("c"), tw.sgd().at(lr=0.01)), otherwise=rule) if inside else rule


def run(name: str, inside: bool, face: str) -> dict[str, Any]:
    """24 steps down a bowl, some parameters without a gradient in each."""
    o = tw.Optimizer(rule_of(name, inside), lr=1.0 if name != "clip" else 0.1)
    params: dict[str, Any] = start(face == "backwards")
    as_it_is = {"torch": lambda x: pytest.importorskip("torch").tensor(x)}.get(face, np.array)
    params = {key: as_it_is(x) for key, x in params.items()}
    bound, state = tn.Optimizer(params, o.rule, lr=o.lr) if face == "in place" else None, o.init(params)
    for i in range(24):
        grads = {key: None if key in GAPS[i % 8] else 2 * x for key, x in params.items()}
        loss = {"loss": float(sum((x * x).sum() for x in params.values()))} if "loss" in o.asks else {}
        if bound is not None:
            bound.step(grads, **loss)
        else:
            params, state = o.step(params, grads, state, **loss)
    return {key: np.asarray(x) for key, x in params.items()}


@pytest.mark.parametrize("inside", [False, True], ids=["alone", "in choose"])
@pytest.mark.parametrize("name", everyday(RULES, of=("dog", "eve", "prodigy")))
def test_faces_and_orders_agree_where_gradients_come_and_go(name: str, inside: bool) -> None:
    pure = run(name, inside, "pure")
    assert any((x != y).any() for x, y in zip(pure.values(), start().values(), strict=True)), "it moves"
    for face in ("backwards", "in place"):
        for key, x in run(name, inside, face).items():
            np.testing.assert_allclose(x, pure[key], rtol=1e-12, atol=1e-12, err_msg=face)


@pytest.mark.parametrize(
    "name", ["dog", "eve", *(pytest.param(r, marks=pytest.mark.slow) for r in RULES if r not in ("dog", "eve"))]
)
def test_torchs_tensors_agree_too(name: str) -> None:
    pytest.importorskip("torch")
    pure = run(name, True, "pure")
    for key, x in run(name, True, "torch").items():
        np.testing.assert_allclose(x, pure[key], rtol=1e-12, atol=1e-12)
