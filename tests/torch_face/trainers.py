"""Optimizers, digits and a network for the trainers that people use."""

from __future__ import annotations

import functools
import importlib.util
import os
from collections.abc import Callable
from typing import Any

import pytest
from sklearn.datasets import load_digits

import thalweg as tw

torch = pytest.importorskip("torch")

import thalweg.torch as tt  # noqa: E402

os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1")  # read when the Hugging Face packages are imported


def needs(name: str) -> Any:
    """A mark of tests that import a trainer. They do so by themselves, since it is slow to import."""
    return pytest.mark.skipif(importlib.util.find_spec(name) is None, reason=f"{name} is not installed")


ROWS, BATCH = 128, 32  # four batches an epoch
Make = Callable[[Any], Any]
OPTIMIZERS: dict[str, Make] = {
    "torch's AdamW": functools.partial(tt.AdamW, lr=1e-2),
    "a rule of ours": functools.partial(tt.SMORMS3, lr=1e-2),
    "with bounds": functools.partial(tt.of(tw.adabound), lr=1e-2),
    "two gradients a step": lambda params: tt.Optimizer(params, tw.chain(tw.sam(0.02), tw.momentum(0.9)), lr=0.1),
    "asks for the loss": functools.partial(tt.Eve, lr=1e-2),
    "a line search": functools.partial(tt.of(tw.lbfgs), lr=1.0),
    "an average": lambda params: tt.Optimizer(params, tw.chain(tw.sgd(), tw.schedule_free()), lr=1.0),
    "a clipped chain": lambda params: tt.Optimizer(params, tw.chain(tw.clip(1.0), tw.adam(), tw.decay(0.01)), lr=1e-2),
}
CLOSURES = ("two gradients a step", "asks for the loss", "a line search")
"""Those that need one at each step."""
EVERYDAY = ("torch's AdamW", "two gradients a step", "an average", "a rule of ours, an object", "a chain, an object", "bf16-true")


def everyday(*case: str) -> Any:
    """A row of a table of optimizers: every day if all its words are."""
    return pytest.param(*case, marks=() if {*case} <= {*EVERYDAY, "32-true"} else pytest.mark.slow)


@functools.cache
def digits() -> Any:
    x, y = load_digits(return_X_y=True)
    return torch.utils.data.TensorDataset(torch.tensor(x[:ROWS] / 16.0, dtype=torch.float32), torch.tensor(y[:ROWS]))


def batches() -> Any:
    return torch.utils.data.DataLoader(digits(), batch_size=BATCH)


def network() -> Any:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.Tanh(), torch.nn.Linear(32, 10))


def same(ours: Any, theirs: Any) -> bool:
    return all(torch.equal(a, b) for a, b in zip(ours.parameters(), theirs.parameters(), strict=True))


def one_cycle(optimizer: Any) -> Any:
    """cycle_momentum is for classes that have `betas` or `momentum`; our rules call theirs as the papers do."""
    cycle = bool({"betas", "momentum"} & set(optimizer.defaults))
    return torch.optim.lr_scheduler.OneCycleLR(optimizer, optimizer.defaults["lr"], total_steps=16, cycle_momentum=cycle)
