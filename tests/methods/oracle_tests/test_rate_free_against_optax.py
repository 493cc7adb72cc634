"""The methods without a rate against optax.contrib: 200 steps down a bowl, on which their estimates grow a millionfold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from oracles.cocob import cocob
from oracles.common import Array
from oracles.dog import dog, dowg
from oracles.momo import momo, momo_adam
from oracles.optax_walks import float64, jax, optax
from oracles.prodigy import dadapt_adam, prodigy
from oracles.streams import SHAPE, apart, start
from support import everyday

STEPS = 200
CURVATURES = np.logspace(-1.0, 0.0, 20).reshape(SHAPE)
CENTRE = 3.0 * np.random.default_rng(3).standard_normal(SHAPE)


def slope(w: Any) -> Any:
    """The bowl's gradient."""
    return CURVATURES * (w - CENTRE)


def height(w: Any) -> Any:
    """The bowl, whose least value is 0."""
    return 0.5 * (CURVATURES * (w - CENTRE) ** 2).sum()


def falling(t: int) -> Any:
    """A rate from 1 down."""
    return 1 / (1 + 0.05 * (t - 1))


def walk(make: Callable[..., Any], lr: Any = None, steps: int = STEPS) -> Array:
    """optax counts from 0."""
    with float64():
        tx = make() if lr is None else make((lambda count: lr(count + 1)) if callable(lr) else lr)
        w = jax.numpy.asarray(start())
        state = tx.init(w)

        @jax.jit
        def step(w: Any, state: Any) -> Any:
            updates, state = optax.with_extra_args_support(tx).update(slope(w), state, w, value=height(w))
            return optax.apply_updates(w, updates), state

        path = []
        for _ in range(steps):
            w, state = step(w, state)
            path.append(np.asarray(w))
    assert path[0].dtype == np.float64
    return np.array(path)


contrib = optax.contrib
AS_OPTAX: dict[str, Any] = {"bias_correction": True, "eps_by": "next d"}
AS_DADAPT: dict[str, Any] = {"bias_correction": True, "metric": "old"}
MODELS: dict[str, Any] = {"losses": lambda w: height(w)}
CASES: dict[str, tuple[Callable[..., Any], Callable[..., Array], dict[str, Any], Any]] = {
    "prodigy": (contrib.prodigy, prodigy, AS_OPTAX, None),
    "prodigy options": (
        lambda lr: contrib.prodigy(lr, (0.8, 0.99), None, 1e-3, 2e-6, 2.0, 0.1, True),
        prodigy,
        {"beta1": 0.8, "beta2": 0.99, "eps": 1e-3, "d0": 2e-6, "d_coef": 2.0, "weight_decay": 0.1, "safeguard_warmup": True}
        | AS_OPTAX,
        0.2,
    ),
    "prodigy falling": (contrib.prodigy, prodigy, AS_OPTAX, falling),
    "dadapt_adam": (contrib.dadapt_adamw, dadapt_adam, AS_DADAPT, None),
    "dadapt_adam options": (
        lambda lr: contrib.dadapt_adamw(lr, (0.8, 0.99), 1e-3, 2e-6, 0.1),
        dadapt_adam,
        {"beta1": 0.8, "beta2": 0.99, "eps": 1e-3, "d0": 2e-6, "weight_decay": 0.1} | AS_DADAPT,
        0.2,
    ),
    "dadapt_adam falling": (contrib.dadapt_adamw, dadapt_adam, AS_DADAPT, falling),
    "dog": (contrib.dog, dog, {}, None),
    "dog by distance": (
        lambda lr: contrib.dog(lr, ("distance", 0.1), 1e-3),
        dog,
        {"r_eps": 0.1, "eps": 1e-3, "relative": False},
        falling,
    ),
    "dowg": (contrib.dowg, dowg, {"eps": 1e-4}, None),
    "dowg options": (lambda lr: contrib.dowg(lr, 0.25, 1e-2), dowg, {"r_eps": 0.5, "eps": 1e-2}, falling),
    "cocob": (contrib.cocob, cocob, {"eps": 1e-8}, None),
    "cocob options": (lambda lr: contrib.cocob(lr, 10.0, 1e-3), cocob, {"alpha": 10.0, "eps": 1e-3}, 1.0),
    "momo": (contrib.momo, momo, MODELS, None),
    "momo options": (lambda lr: contrib.momo(lr, 0.5, 1.0), momo, {"beta": 0.5, "fstar": 1.0, **MODELS}, falling),
    "momo estimating": (
        lambda lr: contrib.momo(lr, lower_bound=-5.0, adapt_lower_bound=True),
        momo,
        {"fstar": -5.0, "estimate": True, **MODELS},
        1.0,
    ),
    "momo_adam": (contrib.momo_adam, momo_adam, MODELS, None),
    "momo_adam options": (
        lambda lr: contrib.momo_adam(lr, 0.5, 0.9, 1e-3, 1.0),
        momo_adam,
        {"beta1": 0.5, "beta2": 0.9, "eps": 1e-3, "fstar": 1.0, **MODELS},
        falling,
    ),
    "momo_adam estimating": (
        lambda lr: contrib.momo_adam(lr, lower_bound=-5.0, adapt_lower_bound=True),
        momo_adam,
        {"fstar": -5.0, "estimate": True, **MODELS},
        0.3,
    ),
}


@pytest.mark.parametrize("name", everyday(CASES))
def test_same_walk(name: str) -> None:
    make, oracle, options, lr = CASES[name]
    ours = oracle(start(), slope, steps=STEPS, **({} if lr is None else {"lr": lr}), **options)
    assert height(ours[-1]) < 0.5 * height(start())
    assert apart(ours, walk(make, lr), start()) < 1e-12


OTHERS: dict[str, tuple[Callable[..., Any], Callable[..., Array], dict[str, Any], float]] = {
    "prodigy's epsilon by this d": (
        lambda: contrib.prodigy(1.0, eps=1e-2),
        prodigy,
        AS_OPTAX | {"eps": 1e-2, "eps_by": "d"},
        1e-4,
    ),
    "prodigy without correction": (contrib.prodigy, prodigy, AS_OPTAX | {"bias_correction": False}, 1e-2),
    "dadapt_adam in this step's metric": (contrib.dadapt_adamw, dadapt_adam, AS_DADAPT | {"metric": "new"}, 1e-2),
    "dadapt_adam without correction": (contrib.dadapt_adamw, dadapt_adam, AS_DADAPT | {"bias_correction": False}, 1e-2),
    "dowg without epsilon": (contrib.dowg, dowg, {}, 1e-8),
    "cocob at a rate": (lambda: contrib.cocob(0.5), cocob, {"lr": 0.5, "eps": 1e-8}, 1e-2),
    "momo with decay": (lambda: contrib.momo(weight_decay=0.1), momo, {"weight_decay": 0.1, **MODELS}, 1e-2),
    "momo_adam with decay": (lambda: contrib.momo_adam(0.3, weight_decay=0.1), momo_adam, {"lr": 0.3, "weight_decay": 0.1, **MODELS}, 1e-3),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_what_the_papers_say_is_another_walk(name: str) -> None:
    make, oracle, options, least = OTHERS[name]
    assert apart(oracle(start(), slope, steps=STEPS, **options), walk(make), start()) > least


def test_cocob_of_optax_goes_back_at_a_rate_of_zero() -> None:
    """Its rate multiplies the gradients, which hardly matters to a bet, until there are none."""
    halfway = walk(contrib.cocob, lambda t: jax.numpy.where(t <= 50, 1.0, 0.0), 51)
    assert np.abs(halfway[49] - start()).max() > 0.1
    bare = walk(contrib.cocob, 0.0, 3)
    assert np.array_equal(bare, np.broadcast_to(start(), bare.shape))
    ours = cocob(start(), slope, lambda t: 1.0 if t <= 50 else 0.0, steps=51)
    assert np.array_equal(ours[50], ours[49])


@pytest.mark.parametrize("adaptive", [False, True])
def test_momos_step_is_the_least_of_model_and_penalty(adaptive: bool) -> None:
    """The first step minimises max(f + <g, y - x>, 0) + |y - x|^2_D / (2 alpha) + lambda |y|^2_D / 2; that of optax does not."""
    alpha, lam = 0.5, 0.3
    x, g = start(), slope(start())
    D = np.abs(g) + 1e-8 if adaptive else np.ones_like(g)
    oracle, theirs = (momo_adam, contrib.momo_adam) if adaptive else (momo, contrib.momo)
    ours = oracle(x, slope, height, alpha, weight_decay=lam, steps=1)[0]
    optaxs = walk(lambda lr: theirs(lr, weight_decay=lam), alpha, 1)[0]

    def objective(y: Array) -> float:
        line = max(height(x) + float((g * (y - x)).sum()), 0.0)
        return line + float((D * (y - x) ** 2).sum()) / (2 * alpha) + lam * float((D * y * y).sum()) / 2

    draw = np.random.default_rng(0)
    assert all(objective(ours) <= objective(ours + s * draw.standard_normal(SHAPE)) for s in (1e-6, 1e-3, 0.1) for _ in range(30))
    assert objective(optaxs) > objective(ours) + 1e-3
