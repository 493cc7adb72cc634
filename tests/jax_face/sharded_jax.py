"""Run by test_sharding in a process of its own, on four devices that XLA makes of the CPU: a line for each case.

Each rule takes five steps with parameters and gradients split over the devices, and the same five on one device.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import AxisType, NamedSharding, PartitionSpec

import thalweg as tw
import thalweg.jax as tj
from thalweg.methods.matrices.splus import whitened_sign

STAGES: dict[str, Any] = {
    "adam": tw.adam(),
    "rmsprop + momentum": tw.chain(tw.rmsprop(), tw.momentum()),
    "lion": tw.lion(),
    "rprop": tw.rprop(),
    "lamb": tw.lamb(),
    "lars": tw.lars(),
    "adafactor": tw.adafactor(),
    "novograd": tw.novograd(),
    "learned": tw.learned(),
    "sm3": tw.sm3(),
    "muon": tw.choose((tw.is_matrix, tw.muon()), otherwise=tw.adamw()),
    "clip + adamw": tw.chain(tw.clip(1.0), tw.adamw()),
    "eve": tw.eve(),
    "adam + schedule_free": tw.chain(tw.adam(), tw.schedule_free()),
}
WHOLE: dict[str, Any] = {
    "soap": tw.soap(f=2),
    "shampoo": tw.shampoo(),
    "galore": tw.galore(rank=3, T=2),
    "dion": tw.dion(rank=3),
    "psgd_kron": tw.psgd_kron(),
    "apollo_adamw": tw.apollo_adamw(rank=3, T=2),
    "whitened_sign": whitened_sign(T=2),
}
"""Rules of products and factors of matrices, whose memory lies as these do."""
STAGES |= {name: tw.choose((tw.is_matrix, stage), otherwise=tw.adamw()) for name, stage in WHOLE.items()}
STAGES["santa_e"] = tw.santa_e(N=10.0, burnin=3)
SPLITS = {"w": PartitionSpec("data", None), "b": PartitionSpec("data"), "s": PartitionSpec()}


def drawn(seed: int) -> dict[str, Any]:
    draw = np.random.default_rng(seed)
    return {"w": draw.normal(size=(8, 6)), "b": draw.normal(size=8), "s": draw.normal(size=())}


def run(stage: Any, places: Any) -> tuple[Any, Any, list[Any]]:
    tx = tj.optimizer(stage, 1e-2)
    p = jax.device_put(drawn(0), places)
    s = tx.init(p)
    started = [(x.shape, x.sharding) for x in jax.tree.leaves(s)]
    update = jax.jit(tx.update, donate_argnums=1)  # a warning, here an error, where a state cannot be updated in its place
    for t in range(5):
        u, s = update(jax.device_put(drawn(t + 1), places), s, p, value=jnp.asarray(1.0 / (t + 1)))
        p = optax.apply_updates(p, u)
    return p, s, started


def alike(held: list[Any], sharding: Any) -> bool:
    """Whether all state by the matrix's row lies on the devices as its rows do."""
    return all(here.is_equivalent_to(sharding, len(shape)) for shape, here in held if shape[:1] == (8,) and len(shape) > 1)


with jax.enable_x64(True):
    for kind in (AxisType.Auto, AxisType.Explicit):
        mesh = jax.make_mesh((4,), ("data",), axis_types=(kind,))
        places = {name: NamedSharding(mesh, split) for name, split in SPLITS.items()}
        for name, stage in STAGES.items():
            with jax.set_mesh(mesh):
                p, s, started = run(stage, places)
            ended = [(x.shape, x.sharding) for x in jax.tree.leaves(s)]
            q, _, _ = run(stage, jax.tree.map(lambda _: jax.devices()[0], places))
            gap = max(float(np.abs(np.asarray(p[k]) - np.asarray(q[k])).max()) for k in p)
            split = p["w"].sharding.is_equivalent_to(places["w"], 2)
            lie = [name in WHOLE or alike(held, places["w"]) for held in (started, ended)]
            print(name, kind.name, split, *lie, f"{gap:.1e}", sep="|")
