"""Every k-th step is every k-th step, in whole numbers, however a program divides."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import thalweg as tw
import thalweg.numpy as tn
from thalweg.ops import every_kth
from thalweg.values.scalars import Scalar

INTERVALS = range(1, 513)
TIMES = [*range(1, 40), 61, 62, 122, 123, 245, 512, 513, 1024, 1025, 2**16, 2**20 + 1, 2**22 + 1, 2**23 - 1]


def whole(t: int) -> list[bool]:
    return [(t - 1) % k == 0 for k in INTERVALS]


@pytest.mark.parametrize("number", [int, float, np.float32, Scalar])
def test_of_numbers(number: Any) -> None:
    for t in TIMES:
        found = [every_kth(number(t), k) for k in INTERVALS]
        assert [bool(x.values if isinstance(x, Scalar) else x) for x in found] == whole(t)


@pytest.mark.parametrize("dtype", ["int32", "float32"])
def test_under_jit_and_vmap(dtype: str) -> None:
    """XLA makes a product with the reciprocal of a division by a constant."""
    jax = pytest.importorskip("jax")
    some = [1, 2, 3, 7, 10, 41, 47, 55, 61, 100, 200, 511]
    due = jax.jit(jax.vmap(lambda t: jax.numpy.stack([every_kth(t, k) for k in some])))
    assert np.asarray(due(jax.numpy.asarray(TIMES, dtype))).tolist() == [[(t - 1) % k == 0 for k in some] for t in TIMES]


def test_of_torch_tensors() -> None:
    torch = pytest.importorskip("torch")
    intervals = torch.arange(1, 513, dtype=torch.float32)
    for t in TIMES:
        assert every_kth(torch.tensor(float(t)), intervals).tolist() == whole(t)


def looks(h: list[float], k: int) -> list[float]:
    """What a rule that looks every k-th step, and takes what it is shown as it is, remembers after each."""
    return [h[(t // k) * k] for t in range(len(h))]


@pytest.mark.parametrize("face", ["jit", "scan", "numpy", "tn", "tj"])
@pytest.mark.parametrize("k", [3, pytest.param(61, marks=pytest.mark.slow)])
def test_sophia_looks_in_time(face: str, k: int) -> None:
    rule, steps = tw.sophia(beta2=0.0, k=k), 2 * k + 2
    shown = [float(t) for t in range(1, steps + 1)]
    if face in ("numpy", "tn"):
        p, found = np.ones(2, np.float32), []
        ours, optimizer = tn.Optimizer(p.copy(), rule, lr=0.0), tw.Optimizer(rule, lr=0.0)
        state = optimizer.init(p)
        for c in shown:
            if face == "tn":
                ours.step(p, curvature=np.full(2, c, np.float32))
                state = ours.state
            else:
                _, state = optimizer.step(p, p, state, curvature=np.full(2, c, np.float32))
            found.append(float(state["memory"]["sophia"]["h"]["p"][0]))
        assert found == looks(shown, k)
        return
    jax = pytest.importorskip("jax")
    jnp = jax.numpy
    p, curved = jnp.ones(2, jnp.float32), jnp.asarray([[c, c] for c in shown], jnp.float32)
    if face == "tj":
        made = pytest.importorskip("thalweg.jax").optimizer(rule, 0.0)

        def step(state: Any, c: Any) -> Any:
            state = made.update(p, state, p, curvature=c)[1]
            return state, state.memory["sophia"]["h"][0]

        state = made.init(p)
    else:
        optimizer = tw.Optimizer(rule, lr=0.0)

        def step(state: Any, c: Any) -> Any:
            state = optimizer.step(p, p, state, curvature=c)[1]
            return state, state["memory"]["sophia"]["h"]["p"][0]

        state = optimizer.init(p)
        state["t"] = {"p": jnp.asarray(0, jnp.int32)}
    if face == "jit":
        jitted, found = jax.jit(step), []
        for c in curved:
            state, h = jitted(state, c)
            found.append(float(h))
    else:
        found = [float(h) for h in jax.lax.scan(step, state, curved)[1]]
    assert found == looks(shown, k)


def test_galore_looks_in_time_under_jit() -> None:
    """A gradient whose largest entry wanders: what it is projected on was its direction in the last step that looked."""
    jax = pytest.importorskip("jax")
    jnp = jax.numpy
    k = 61
    optimizer = tw.Optimizer(tw.galore(rank=1, T=k), lr=0.0)
    p = jnp.ones((3, 4), jnp.float32)
    state = optimizer.init(p)
    step = jax.jit(lambda s, g: optimizer.step(p, g, s)[1])
    for t in range(1, k + 3):
        row = 0 if t <= k else 1
        state = step(state, jnp.zeros((3, 4), jnp.float32).at[row, 0].set(1.0))
        held = np.abs(np.asarray(state["memory"]["galore"]["P"]["p"]))[:, 0]
        assert held.argmax() == row, t
