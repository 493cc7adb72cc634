"""optax's own states, taken over: the next steps are those that optax would have taken."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax")
optax = pytest.importorskip("optax")

import jax.numpy as jnp  # noqa: E402
from methods.frameworks import sixty_four_bits  # noqa: E402

import thalweg as tw  # noqa: E402
import thalweg.jax as tj  # noqa: E402
import thalweg.numpy as tn  # noqa: E402

DRAW = np.random.default_rng(0)
SHAPES = {"w": (4, 3), "l": [(3,)]}
GRADIENTS = [{"w": DRAW.normal(size=(4, 3)), "l": [DRAW.normal(size=3)]} for _ in range(6)]
OPTIONS: dict[str, dict[str, Any]] = {
    "sgd": {"momentum": 0.9},
    "rmsprop": {"momentum": 0.9},
    "noisy_sgd": {"key": 3},
    "lars": {},
}
DAILY = ("adamw", "noisy_sgd", "contrib.prodigy")
NAMES = [
    *(
        "sgd",
        "adam",
        "adamw",
        "nadam",
        "nadamw",
        "adamax",
        "adamaxw",
        "radam",
        "amsgrad",
        "adabelief",
        "yogi",
        "rmsprop",
        "adagrad",
    ),
    *("adadelta", "lion", "sign_sgd", "signum", "lars", "lamb", "novograd", "fromage", "noisy_sgd", "optimistic_adam_v2"),
    *("contrib.ademamix", "contrib.simplified_ademamix", "contrib.adopt", "contrib.dadapt_adamw", "contrib.dog", "contrib.dowg"),
    *("contrib.madgrad", "contrib.momo", "contrib.momo_adam", "contrib.muon", "contrib.prodigy", "polyak_sgd"),
]


def start() -> Any:
    return {"w": jnp.asarray(np.linspace(-1, 1, 12).reshape(4, 3)), "l": [jnp.ones(3)]}


def go(tx: Any, params: Any, state: Any, steps: range) -> tuple[Any, Any]:
    extended = isinstance(tx, optax.GradientTransformationExtraArgs)
    for i in steps:
        g = jax.tree.map(jnp.asarray, GRADIENTS[i])
        updates, state = tx.update(g, state, params, **({"value": jnp.asarray(1.0)} if extended else {}))
        params = optax.apply_updates(params, updates)
    return params, state


def near(mine: Any, theirs: Any, tolerance: float = 1e-10) -> None:
    for x, y in zip(jax.tree.leaves(mine), jax.tree.leaves(theirs), strict=True):
        np.testing.assert_allclose(x, y, rtol=tolerance, atol=1e-12)


@pytest.mark.parametrize("name", [pytest.param(n, marks=() if n in DAILY else pytest.mark.slow) for n in NAMES])
def test_a_transformation_of_optax_s_goes_on_as_ours(name: str) -> None:
    theirs, ours = (operator.attrgetter(name)(library) for library in (optax, tj))
    rate = {"learning_rate": 0.01} if "learning_rate" in inspect.signature(theirs).parameters else {}
    with sixty_four_bits():
        tx, mine = (make(**rate, **OPTIONS.get(name, {})) for make in (theirs, ours))
        params, state = go(tx, start(), tx.init(start()), range(3))
        here, there = go(mine, params, tj.from_optax(mine, state, params), range(3, 6)), go(tx, params, state, range(3, 6))
        near(here[0], there[0], 1e-8 if name == "contrib.madgrad" else 1e-10)  # optax computes MADGRAD's rate in float32


def _routed() -> Any:
    return optax.multi_transform({"a": optax.adam(0.01), "b": optax.sgd(0.1, momentum=0.9)}, {"w": "a", "l": ["b"]})


CHAINS: dict[str, tuple[Callable[[], Any], Any]] = {
    "twins": (
        lambda: optax.chain(optax.scale_by_adam(b1=0.8), optax.trace(0.5), optax.scale_by_adam(), optax.scale_by_learning_rate(0.01)),
        lambda: tw.chain(tw.adam(beta1=0.8), tw.momentum(0.5), tw.adam()),
    ),
    "injected": (lambda: optax.inject_hyperparams(optax.adamw)(learning_rate=0.01, weight_decay=0.1), lambda: tw.adamw(weight_decay=0.1)),
    "clipped": (lambda: optax.chain(optax.clip_by_global_norm(1.0), optax.adam(0.01)), lambda: tw.chain(tw.clip(1.0), tw.adam())),
    "routed": (_routed, lambda: tw.choose((tw.is_matrix, tw.adam().at(lr=0.01)), otherwise=tw.momentum(0.9).at(lr=0.1))),
    "masked": (
        lambda: optax.adamw(0.01, weight_decay=0.1, mask=lambda p: jax.tree.map(lambda x: x.ndim > 1, p)),
        lambda: tw.chain(tw.adam(), tw.only(tw.is_matrix, tw.decay(0.1))),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHAINS)
def test_a_chain_of_optax_s_goes_on_in_numpy(name: str, tmp_path: Path) -> None:
    """Through the file: optax, thalweg.jax, thalweg.numpy."""
    theirs, ours = CHAINS[name]
    with sixty_four_bits():
        tx, mine = theirs(), tj.optimizer(ours(), 0.01)
        params, state = go(tx, start(), tx.init(start()), range(3))
        tj.save_state(tmp_path / "a", mine, params, tj.from_optax(mine, state, params))
        arrays = {"w": np.zeros((4, 3)), "l": [np.zeros(3)]}
        here = tn.Optimizer(arrays, ours(), lr=0.01)
        tn.load_state(tmp_path / "a", here)
        for g in GRADIENTS[3:]:
            here.step(g)
        near(arrays, go(tx, params, state, range(3, 6))[0])


def test_what_does_not_fit_is_told() -> None:
    params = start()
    adam = tj.adam(0.1)
    with pytest.raises(ValueError, match=r"adam.m of adam has the shapes .*, and the state has no mu or m; is it of another"):
        tj.from_optax(adam, optax.sgd(0.1, momentum=0.9).init(params), params)
    with pytest.raises(ValueError, match=r"and the state has mu of the shapes \{'b': \(2,\)\}; is it of another"):
        tj.from_optax(adam, optax.adam(0.1).init({"b": jnp.ones(2)}), params)
    late = optax.chain(optax.adam(0.1), optax.scale_by_schedule(lambda t: t))
    _, state = go(late, params, late.init(params), range(2))
    odd = (state[0], state[1]._replace(count=jnp.asarray(9)))
    with pytest.raises(ValueError, match="adam reads one count of updates, and the state has 2 and 9"):
        tj.from_optax(adam, odd, params)
    with pytest.raises(TypeError, match=r"is no transformation of thalweg.jax; of a chain of optax's hand over the one that is"):
        tj.from_optax(optax.adam(0.1), state, params)
    with pytest.raises(ValueError, match="takes gradients away from its iterate, which optax's states do not hold"):
        tj.from_optax(tj.optimizer(tw.chain(tw.adam(), tw.schedule_free()), 0.1), state, params)


def test_a_key_of_draws_goes_through_the_file(tmp_path: Path) -> None:
    params = start()
    tx = tj.noisy_sgd(0.1, key=7)
    moved, state = go(tx, params, tx.init(params), range(2))
    tj.save_state(tmp_path / "a", tx, moved, state)
    other = tj.noisy_sgd(0.1, key=1)
    near(go(other, *tj.load_state(tmp_path / "a", other, params), range(2, 4))[0], go(tx, moved, state, range(2, 4))[0])
    with pytest.raises(ValueError, match="the file draws from a key of JAX, which there is none of here"):
        tw.load_state(tmp_path / "a", tw.Optimizer(tw.noisy_sgd()), params)
