"""A state of `thalweg.jax` saved by Orbax and by Flax: to go on from it equals never having stopped, to the last bit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax")
optax = pytest.importorskip("optax")

import jax.numpy as jnp  # noqa: E402

import thalweg as tw  # noqa: E402
import thalweg.jax as tj  # noqa: E402

pytestmark = pytest.mark.slow

START = {"w": np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32), "list": [np.ones(3, np.float32)]}
MADE: dict[str, Callable[[], Any]] = {
    "adamw": lambda: tj.adamw(optax.cosine_decay_schedule(0.1, 20)),
    "optax chain": lambda: optax.chain(optax.clip_by_global_norm(1.0), tj.rmsprop(0.01, momentum=0.9)),
    "eve": lambda: tj.eve(0.01),
    "santa_e": lambda: tj.santa_e(1e-3, seed=3),
    "choose": lambda: tj.optimizer(tw.choose((tw.is_matrix, tw.muon().at(lr=0.02)), otherwise=tw.adam()), 0.01),
    "schedule_free": lambda: tj.optimizer(tw.chain(tw.adam(), tw.schedule_free()), 0.1),
}


def go(tx: Any, p: Any, s: Any, times: range) -> tuple[Any, Any]:
    step = jax.jit(lambda g, s, p, value: tx.update(g, s, p, value=value), donate_argnums=1)
    for t in times:
        draw = np.random.default_rng(t + 1)
        g = jax.tree.map(lambda x, draw=draw: jnp.asarray(draw.normal(size=x.shape), jnp.float32), p)
        u, s = step(g, s, p, jnp.float32(1.0 / (t + 1)))
        p = optax.apply_updates(p, u)
    return p, s


def by_orbax(held: Any, blank: Any, folder: Path) -> Any:
    checkpoint = pytest.importorskip("orbax.checkpoint")
    with checkpoint.StandardCheckpointer() as checkpointer:
        checkpointer.save(folder / "state", held)
        checkpointer.wait_until_finished()
        return checkpointer.restore(folder / "state", blank)


def by_flax(held: Any, blank: Any, folder: Path) -> Any:
    serialization = pytest.importorskip("flax.serialization")
    (folder / "state").write_bytes(serialization.to_bytes(held))
    return serialization.from_bytes(blank, (folder / "state").read_bytes())


@pytest.mark.parametrize("through", [by_orbax, by_flax])
@pytest.mark.parametrize("name", MADE)
def test_to_go_on_equals_never_having_stopped(name: str, through: Any, tmp_path: Path) -> None:
    p = jax.tree.map(jnp.asarray, START)
    straight = go(MADE[name](), p, MADE[name]().init(p), range(8))
    half = go(MADE[name](), p, MADE[name]().init(p), range(4))
    blank = p, MADE[name]().init(p)
    again = through(half, blank, tmp_path)
    assert jax.tree.structure(again) == jax.tree.structure(half)
    ended = go(MADE[name](), *again, range(4, 8))
    for x, y in zip(jax.tree.leaves(ended), jax.tree.leaves(straight), strict=True):
        np.testing.assert_array_equal(x, y)
