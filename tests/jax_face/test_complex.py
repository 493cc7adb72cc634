"""Complex parameters: with real gradients, and with injected hyper-parameters, which optax makes complex beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax")
optax = pytest.importorskip("optax")

import jax.numpy as jnp  # noqa: E402

import thalweg as tw  # noqa: E402
import thalweg.jax as tj  # noqa: E402

PARAMS = {"w": jnp.array([1 + 1j, 2 - 1j, 0.5j]), "b": jnp.ones(2)}
REAL = {"w": jnp.array([0.5, -1.0, 2.0]), "b": jnp.array([0.1, 0.2])}


def walk(tx: Any, grads: Any, steps: int = 3) -> Any:
    p, tx = PARAMS, optax.with_extra_args_support(tx)
    s = tx.init(p)
    for t in range(steps):
        u, s = tx.update(jax.tree.map(lambda x, t=t: x * (1.0 + t), grads), s, p, value=1.0)
        p = optax.apply_updates(p, u)
    return p


def same(a: Any, b: Any) -> None:
    assert {key: x.dtype for key, x in a.items()} == {key: x.dtype for key, x in b.items()}
    for key, x in a.items():
        np.testing.assert_allclose(x, b[key], rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["adam", "sgd", "rmsprop", "adagrad", "adamw"])
@pytest.mark.parametrize("kind", [jnp.float32, jnp.bfloat16, jnp.int32], ids=["float32", "bfloat16", "int32"])
def test_a_real_gradient_of_a_complex_parameter_is_a_complex_one(name: str, kind: Any) -> None:
    grads = jax.tree.map(lambda x: x.astype(kind), REAL)
    t = getattr(tj, name)(0.1)
    wanted = t.update({**grads, "w": grads["w"].astype(jnp.complex64)}, t.init(PARAMS), PARAMS)[0]
    same(t.update(grads, t.init(PARAMS), PARAMS)[0], wanted)
    if kind == jnp.float32:
        same(
            walk(t, REAL), walk(optax.contrib.split_real_and_imaginary(getattr(optax, name)(0.1)), {**REAL, "w": REAL["w"] + 0j})
        )


def test_a_real_gradient_gives_optaxs_numbers() -> None:
    for name in ("adam", "rmsprop", "sgd"):
        one, other = (getattr(library, name)(0.1) for library in (tj, optax))
        same(walk(one, REAL), walk(other, REAL))


def test_a_complex_gradient_of_a_real_parameter_is_refused() -> None:
    for t in (tj.adam(0.1), tj.sgd(0.1), tj.rmsprop(0.1)):
        with pytest.raises(TypeError, match="the gradient of 'b' is complex64, the parameter float32; hand over its real part"):
            t.update({**PARAMS, "b": 1j * PARAMS["b"]}, t.init(PARAMS), PARAMS)


INJECTED = [
    "adam",
    "adamw",
    "sgd",
    "rmsprop",
    "adagrad",
    "lion",
    "yogi",
    "novograd",
    "adadelta",
    "lamb",
    "contrib.prodigy",
    "contrib.momo",
]


@pytest.mark.parametrize("name", [pytest.param(n, marks=() if n == "adamw" else pytest.mark.slow) for n in INJECTED])
@pytest.mark.parametrize("rate", [0.1, optax.constant_schedule(0.1)], ids=["number", "schedule"])
def test_injected_hyper_parameters_are_real(name: str, rate: Any) -> None:
    make = tj.contrib.__getattr__(name.partition(".")[2]) if "." in name else getattr(tj, name)
    grads = jax.tree.map(lambda x: 0.3 * x, PARAMS)
    static = {"contrib.prodigy": ("safeguard_warmup",)}.get(name, ())
    tx = optax.inject_hyperparams(make, static_args=static)(learning_rate=rate)
    same(walk(tx, grads), walk(make(learning_rate=rate), grads))


def test_injected_hyper_parameters_of_a_rule_are_real() -> None:
    def make(rate: Any, beta: Any, eps: Any) -> Any:
        return tj.optimizer(tw.adam(beta1=beta, eps=tw.outside(eps)), rate)

    injected = optax.inject_hyperparams(make)(rate=0.1, beta=0.8, eps=1e-3)
    same(jax.jit(lambda grads: walk(injected, grads))(PARAMS), walk(make(0.1, 0.8, 1e-3), PARAMS))
    same(walk(optax.inject_hyperparams(tj.adabound)(), PARAMS), walk(tj.adabound(), PARAMS))


def test_a_complex_number_is_no_hyper_parameter() -> None:
    for make in (lambda x: tj.adam(x), lambda x: tj.optimizer(tw.adam(beta1=x), 0.1), lambda x: tj.adam(0.1, b1=x)):
        with pytest.raises(TypeError, match="is a number or a schedule, not"):
            make(jnp.asarray(0.1 + 0.5j))
