"""Our transformations where optax's go: in its combinators, under jit, vmap and shardings."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

jax = pytest.importorskip("jax")
optax = pytest.importorskip("optax")

import jax.numpy as jnp  # noqa: E402
from support import FOUR_DEVICES, PATIENCE  # noqa: E402

import thalweg as tw  # noqa: E402
import thalweg.jax as tj  # noqa: E402

from .walks import STEPS, apart, rounding, stream, tree, walk  # noqa: E402

pytestmark = pytest.mark.slow


def test_sam_is_optaxs_with_its_inner_loop() -> None:
    def loss(p: Any) -> Any:
        return sum(jnp.sum(jnp.cosh(x - 0.3)) for x in jax.tree.leaves(p))

    worst = optax.chain(optax.contrib.normalize(), optax.sgd(0.1))
    theirs = optax.contrib.sam(optax.sgd(0.02), worst, opaque_mode=True)
    ours = tj.optimizer(tw.chain(tw.sam(0.1), tw.sgd()), 0.02)

    @jax.jit
    def both(p: Any, s: Any, q: Any, r: Any) -> Any:
        u, s = ours.update(jax.grad(loss)(p), s, p, value_fn=loss)
        v, r = theirs.update(jax.grad(loss)(q), r, q, grad_fn=lambda x, _: jax.grad(loss)(x))
        return optax.apply_updates(p, u), s, optax.apply_updates(q, v), r

    p = q = tree(0)
    s, r = ours.init(p), theirs.init(q)
    for _ in range(STEPS):
        p, s, q, r = both(p, s, q, r)
    assert apart(p, q) < 1e-12


def test_in_optaxs_company() -> None:
    """chain, masked, partition, inject_hyperparams, apply_if_finite, MultiSteps, schedules: as with optax's own adam."""

    def company(adam: Any) -> dict[str, Any]:
        labels = {"w": "a", "list": ["b", "a"]}
        return {
            "chain": optax.chain(optax.clip_by_global_norm(0.5), adam(0.01), optax.add_decayed_weights(-1e-4)),
            "masked": optax.masked(adam(0.01), {"w": True, "list": [False, True]}),
            "partition": optax.partition({"a": adam(0.01), "b": optax.sgd(0.1)}, labels),
            "inject": optax.inject_hyperparams(adam)(learning_rate=optax.linear_schedule(0.1, 0.0, 50), b1=0.8),
            "finite": optax.apply_if_finite(adam(0.01), 5),
            "multi": optax.MultiSteps(adam(0.01), 3),
            "lookahead": adam(optax.exponential_decay(0.1, 10, 0.5)),
        }

    pairs = zip(company(tj.adam).items(), company(optax.adam).items(), strict=True)
    for (name, ours), (_, theirs) in pairs:
        p, q = tree(0), tree(0)
        s, r = ours.init(p), theirs.init(q)
        for t in range(12):
            g = tree(t + 1)
            if name == "finite" and t == 4:
                g = jax.tree.map(lambda x: x * jnp.nan, g)
            u, s = ours.update(g, s, p)
            v, r = theirs.update(g, r, q)
            p, q = optax.apply_updates(p, u), optax.apply_updates(q, v)
        assert apart(p, q) < 1e-12, name


def test_neither_a_second_call_nor_a_schedule_compiles_again() -> None:
    for tx in (
        tj.adamw(optax.cosine_decay_schedule(0.1, 30), weight_decay=0.1),
        tj.optimizer(tw.chain(tw.clip(1.0), tw.nadam())),
    ):
        params = tree(0)
        state = tx.init(params)
        update = jax.jit(tx.update)
        for t in range(6):
            updates, state = update(tree(t + 1), state, params)
            params = optax.apply_updates(params, updates)
        assert update._cache_size() == 1


@pytest.mark.parametrize(
    "name",
    [
        "sgd",
        "adam",
        "nadam",
        "rprop",
        "adasecant",
        "muon",
        "sm3",
        "noisy_sgd",
        "simplified_ademamix",
        "optimistic_adam",
        "galore",
        "mechanic_adam",
    ],
)
def test_lanes_by_vmap_over_rates_and_hyper_parameters(name: str) -> None:
    rates, gradients = jnp.asarray([1e-3, 1e-2, 1e-1]), stream(15)
    hyper = next((h for h in tw.rules[name].hyper.values() if not h.static), None)
    values = jnp.asarray([0.5, 0.7, 0.9])

    def end(rate: Any, value: Any) -> Any:
        given = {} if hyper is None or name in ("rprop", "adasecant") else {hyper.name: value}
        return walk(tj.of(tw.rules[name])(rate, **given), {"w": tree(0)["w"]}, {"w": gradients["w"]})[0]

    together = jax.jit(jax.vmap(end))(rates, values)
    for k in range(3):
        alone = end(rates[k], values[k])
        assert apart(jax.tree.map(lambda x, k=k: x[k], together), alone) < rounding(tw.rules[name](), 1e-9)


SHARDED = """
import jax, numpy as np, optax
import jax.numpy as jnp
from jax.sharding import Mesh, NamedSharding, PartitionSpec as P
import thalweg as tw, thalweg.jax as tj

mesh = Mesh(np.array(jax.devices()), ("data",))
split = NamedSharding(mesh, P("data"))
w = np.random.default_rng(0).normal(size=(8, 6)).astype(np.float32)
gradients = [np.random.default_rng(t + 1).normal(size=w.shape).astype(np.float32) for t in range(5)]
for stage in (tw.adam(), tw.chain(tw.clip(1.0), tw.adam()), tw.muon(), tw.adafactor()):
    tx = tj.optimizer(stage, 1e-2)
    ends = []
    for place in (split, jax.devices()[0]):
        p = jax.device_put(jnp.asarray(w), place)
        s = jax.jit(tx.init)(p)
        for g in gradients:
            u, s = jax.jit(tx.update)(jax.device_put(jnp.asarray(g), place), s, p)
            p = optax.apply_updates(p, u)
        ends.append(np.asarray(p))
        kept = [x for x in jax.tree.leaves(s) if x.shape == w.shape]
        print(stage.name, all(x.sharding.is_equivalent_to(p.sharding, 2) for x in kept), p.sharding == split)
    print(float(np.abs(ends[0] - ends[1]).max()) < 1e-6)
"""


def test_sharded_over_four_devices() -> None:
    environment = {**os.environ, "XLA_FLAGS": FOUR_DEVICES, "JAX_PLATFORMS": "cpu"}
    ran = subprocess.run(
        [sys.executable, "-c", SHARDED], env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    lines = ran.stdout.splitlines()
    assert [line for line in lines if line in ("True", "False")] == ["True"] * 4
    assert [line.split()[-2:] for line in lines if len(line.split()) > 1] == [["True", "True"], ["True", "False"]] * 4
