"""Parameters, gradients that some of them lack, and a network: what tests of compositions share."""

from __future__ import annotations

from typing import Any

import pytest

import thalweg as tw

torch = pytest.importorskip("torch")


SHAPES = [(3,), (4, 3), (), (2, 5)]


def parameters() -> list[Any]:
    draw = torch.Generator().manual_seed(0)
    return [torch.nn.Parameter(torch.randn(s, generator=draw, dtype=torch.float64)) for s in SHAPES]


def gradients(t: int, who: Any) -> list[Any]:
    """Of each parameter but those that have none this time."""
    draw = torch.Generator().manual_seed(t + 1)
    made = [torch.randn(s, generator=draw, dtype=torch.float64) for s in SHAPES]
    return [g if who(t, i) else None for i, g in enumerate(made)]


WHO: dict[str, Any] = {
    "all": lambda t, i: True,
    "the first rests": lambda t, i: i != 0 or t % 3 == 0,
    "the last rests": lambda t, i: i != 3 or t < 4,
    "in turn": lambda t, i: (t + i) % 4 != 0,
    "the first frozen at first": lambda t, i: i != 0 or t > 5,
    "one at a time": lambda t, i: t % 4 == i,
}
GROUPS: dict[str, Any] = {
    "one group": lambda params: params,
    "a group each": lambda params: [{"params": [p]} for p in params],
    "two groups": lambda params: [{"params": params[:1]}, {"params": params[1:]}],
}


def run(ours: Any, params: list[Any], times: range, who: Any) -> None:
    for t in times:
        for p, g in zip(params, gradients(t, who), strict=True):
            p.grad = None if g is None else g.clone()
        ours.step(lambda t=t: 1.0 / (t + 1))


def pure(rule: Any, who: Any, steps: int, **options: Any) -> dict[str, Any]:
    optimizer = tw.Optimizer(rule, **options)
    q = {str(i): p.detach().clone() for i, p in enumerate(parameters())}
    state = optimizer.init(q)
    for t in range(steps):
        given = {str(i): g for i, g in enumerate(gradients(t, who))}
        q, state = optimizer.step(q, given, state, **({"loss": 1.0 / (t + 1)} if "loss" in optimizer.asks else {}))
    return q


class Net(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.head = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)

    def forward(self, x: Any) -> Any:
        return self.head(self.hidden(x))
