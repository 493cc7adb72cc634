"""What the second process of `test_fresh_process` does: load every rule's parameters and state, and go on."""

from __future__ import annotations

import sys
from typing import Any

import torch

import thalweg as tw
import thalweg.torch as tt

SHAPES = {"w": (4, 3), "b": (5,)}
STEPS = 8
OPTIONS: dict[str, dict[str, Any]] = {"adashift": {"n": 2}}
"""It rests for n steps, ten if nothing else is said."""


def parameters(name: str) -> list[torch.Tensor]:
    draw = torch.Generator().manual_seed(0)
    return [
        torch.randn(s, generator=draw)
        for k, s in SHAPES.items()
        if not (tw.core.compose.refuses_vectors(tw.rules[name]()) and k == "b")
    ]


def optimizer_of(name: str, params: list[torch.Tensor]) -> Any:
    return tt.of(tw.rules[name])(params, seed=3, **({"N": 100.0} if "N" in tw.rules[name].hyper else OPTIONS.get(name, {})))


def train(optimizer: Any, params: list[torch.Tensor], steps: range) -> None:
    """On gradients that depend on the point and the step."""
    for t in steps:

        def closure(t: int = t) -> torch.Tensor:
            for p in params:
                p.curvature = 1 + p * p  # for rules that ask for it
                p.grad = p * (1 + torch.arange(p.numel()).reshape(p.shape) % 3) + 0.3 * torch.cos(torch.tensor(float(t)))
            return torch.stack([(p * p).sum() for p in params]).sum()

        closure()
        optimizer.step(closure)


if __name__ == "__main__":
    torch.set_num_threads(1)
    kept = torch.load(sys.argv[1], weights_only=True)
    for name, (params, state) in kept.items():
        optimizer = optimizer_of(name, params)
        optimizer.load_state_dict(state)
        train(optimizer, params, range(STEPS // 2, STEPS))
    torch.save({name: params for name, (params, _) in kept.items()}, sys.argv[2])
