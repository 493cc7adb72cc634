"""The four faces as one interface: make an optimizer of a rule, step it, save it, load it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import bent, bowl, stepped

import thalweg as tw
import thalweg.numpy as tn


class Pure:
    """The pure functions on NumPy arrays."""

    def __init__(self, rule: Any, params: dict[str, Any], **options: Any) -> None:
        self.optimizer = tw.Optimizer(rule, **options)
        self.params = {name: np.array(p) for name, p in params.items()}
        self.state = self.optimizer.init(self.params)

    def step(self, g: dict[str, Any], loss: float) -> None:
        asked = {"loss": loss} if "loss" in self.optimizer.asks and not self.optimizer.asks_gradients else {}
        self.params, self.state = stepped(self.optimizer, self.params, g, self.state, **asked)

    def save(self, path: Path) -> None:
        tw.save_state(path, self.optimizer, self.params, self.state)

    def load(self, path: Path, **told: Any) -> None:
        self.params, self.state = tw.load_state(path, self.optimizer, self.params, **told)

    def arrays(self) -> dict[str, Any]:
        return {name: np.asarray(p) for name, p in self.params.items()}


class NumPy(Pure):
    """thalweg.numpy."""

    def __init__(self, rule: Any, params: dict[str, Any], **options: Any) -> None:
        self.params = {name: np.array(p) for name, p in params.items()}
        self.optimizer = tn.Optimizer(self.params, rule, **options)

    def step(self, g: dict[str, Any], loss: float) -> None:
        pure = self.optimizer._bound.optimizer
        asked: dict[str, Any] = {"loss": loss} if "loss" in pure.asks else {}
        if "curvature" in pure.asks:
            asked["curvature"] = bent(g)
        if pure.asks_gradients:
            self.optimizer.step(grad_fn=bowl(g))
        else:
            self.optimizer.step(g, **asked)

    def save(self, path: Path) -> None:
        tn.save_state(path, self.optimizer)

    def load(self, path: Path, **told: Any) -> None:
        tn.load_state(path, self.optimizer, **told)


class Torch(Pure):
    """thalweg.torch."""

    def __init__(self, rule: Any, params: dict[str, Any], **options: Any) -> None:
        torch = pytest.importorskip("torch")
        import thalweg.torch as tt

        self.tt, self.torch = tt, torch
        self.params = {name: torch.nn.Parameter(torch.tensor(np.array(p))) for name, p in params.items()}
        self.optimizer = tt.Optimizer(self.params.items(), rule, **options)

    def step(self, g: dict[str, Any], loss: float) -> None:
        given = {name: None if x is None else self.torch.tensor(np.array(x)) for name, x in g.items()}
        for name, p in self.params.items():
            p.grad, p.curvature = given[name], None if given[name] is None else self.torch.tensor(bent(g)[name])

        def closure() -> Any:
            for p in self.params.values():
                p.grad = None
            found = sum((given[name] * p + 0.5 * p * p).sum() for name, p in self.params.items())
            found.backward()
            return found

        self.optimizer.step(closure if self.optimizer._asks_itself() else lambda: loss)

    def save(self, path: Path) -> None:
        self.tt.save_state(path, self.optimizer)

    def load(self, path: Path, **told: Any) -> None:
        self.tt.load_state(path, self.optimizer, **told)

    def arrays(self) -> dict[str, Any]:
        return {name: p.detach().numpy() for name, p in self.params.items()}


class Jax(Pure):
    """thalweg.jax."""

    def __init__(self, rule: Any, params: dict[str, Any], lr: Any = None, **options: Any) -> None:
        jax = pytest.importorskip("jax")
        pytest.importorskip("optax")
        import thalweg.jax as tj

        self.tj, self.jax = tj, jax
        self.optimizer = tj.optimizer(rule, lr, **options)
        self.params = {name: jax.numpy.asarray(p) for name, p in params.items()}
        self.state = self.optimizer.init(self.params)

    def step(self, g: dict[str, Any], loss: float) -> None:
        pure = self.optimizer.update.__self__.pure
        given = {name: self.jax.numpy.asarray(x) for name, x in g.items()}
        asked: dict[str, Any] = {"value": loss}
        if "curvature" in pure.asks:
            asked["curvature"] = {name: self.jax.numpy.asarray(x) for name, x in bent(g).items()}
        if pure.asks_gradients:
            asked = {"value_fn": lambda p: sum((given[n] * p[n] + 0.5 * p[n] * p[n]).sum() for n in p)}
        handed = self.jax.grad(asked["value_fn"])(self.params) if pure.asks_gradients else given
        updates, self.state = self.optimizer.update(handed, self.state, self.params, **asked)
        self.params = {name: p + updates[name] for name, p in self.params.items()}

    def save(self, path: Path) -> None:
        self.tj.save_state(path, self.optimizer, self.params, self.state)

    def load(self, path: Path, **told: Any) -> None:
        self.params, self.state = self.tj.load_state(path, self.optimizer, self.params, **told)


FACES: dict[str, type[Pure]] = {"pure": Pure, "numpy": NumPy, "torch": Torch, "jax": Jax}
