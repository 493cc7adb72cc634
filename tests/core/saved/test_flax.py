"""A network of Flax NNX goes on in torch: names told by a function, kernels transposed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax")
optax = pytest.importorskip("optax")
nnx = pytest.importorskip("flax.nnx")
torch = pytest.importorskip("torch")

import thalweg.jax as tj  # noqa: E402
import thalweg.torch as tt  # noqa: E402


class Net(nnx.Module):  # type: ignore[misc,name-defined]
    def __init__(self) -> None:
        rngs = nnx.Rngs(0)
        self.layers_0, self.norm = nnx.Linear(4, 3, rngs=rngs), nnx.LayerNorm(3, rngs=rngs)
        self.layers_1 = nnx.Linear(3, 2, rngs=rngs)


def in_flax(name: str) -> str:
    return name.replace("norm.weight", "norm.scale").replace("weight", "kernel")


def turned(name: str, x: Any) -> Any:
    return x.T if x.ndim == 2 else x


def step(tx: Any, params: Any, state: Any) -> Any:
    updates, state = tx.update(jax.tree.map(jax.numpy.ones_like, params), state, params)
    return optax.apply_updates(params, updates), state


def test_a_network_of_flax_goes_on_in_torch(tmp_path: Path) -> None:
    params, tx = nnx.state(Net(), nnx.Param), tj.adamw(1e-2, weight_decay=0.1)
    moved, state = step(tx, params, tx.init(params))
    tj.save_state(tmp_path / "a", tx, moved, state)
    again = tj.load_state(tmp_path / "a", tx, params)
    assert jax.tree.structure(again) == jax.tree.structure((moved, state))
    for x, y in zip(jax.tree.leaves(again), jax.tree.leaves((moved, state)), strict=True):
        np.testing.assert_array_equal(x, y)

    net = torch.nn.ModuleDict(
        {"layers_0": torch.nn.Linear(4, 3), "norm": torch.nn.LayerNorm(3), "layers_1": torch.nn.Linear(3, 2)}
    )
    optimizer = tt.AdamW(net.parameters(), lr=1e-2, weight_decay=0.1)
    tt.load_state(tmp_path / "a", optimizer, net, names=in_flax, arrays=turned)
    for p in net.parameters():
        p.grad = torch.ones_like(p)
    assert all(state["exp_avg"].is_contiguous() for state in optimizer.state.values())
    optimizer.step()
    after = step(tx, moved, state)[0]
    kernels = {".".join(str(k) for k in path): x for path, x in nnx.to_flat_state(after)}
    for name, p in net.named_parameters():
        np.testing.assert_allclose(
            p.detach().numpy(), turned(name, np.asarray(kernels[in_flax(name)].get_value())), rtol=1e-6, atol=2e-7
        )
