"""Tensors, chains, and runs beside the pure Optimizer: what tests of rules that torch has not share."""

from __future__ import annotations

from typing import Any

import pytest
from support import asked_for

import thalweg as tw

torch = pytest.importorskip("torch")


SHAPES = [(4, 3), (7,), ()]


def tensors(seed: int, dtype: Any = torch.float64) -> list[Any]:
    draw = torch.Generator().manual_seed(seed)
    return [torch.randn(s, generator=draw, dtype=dtype) for s in SHAPES]


def parameters(dtype: Any = torch.float64) -> list[Any]:
    return [torch.nn.Parameter(x) for x in tensors(0, dtype)]


def both(ours: Any, params: list[Any], rule: Any, steps: int = 20, **options: Any) -> tuple[list[Any], dict[str, Any]]:
    """The parameters after so many steps, and the pure optimizer's."""
    pure = tw.Optimizer(rule, **options)
    q = {str(i): p.detach().clone() for i, p in enumerate(params)}
    state = pure.init(q)
    for t in range(steps):
        gradients = tensors(t + 1, params[0].dtype)
        for p, g in zip(params, gradients, strict=True):
            p.grad = g.clone()
        loss = 1.0 / (t + 1)
        ours.step(lambda loss=loss: loss)
        given = {str(i): g for i, g in enumerate(gradients)}
        q, state = pure.step(q, given, state, **asked_for(pure, given, loss))
    return params, q


CHAINS = {
    "coupled": lambda: tw.chain(tw.decay(0.1), tw.adam()),
    "clipped": lambda: tw.chain(tw.clip(0.5), tw.adam(), tw.decay(0.01)),
    "two memories called v": lambda: tw.chain(tw.rmsprop(), tw.momentum()),
    "by parameter": lambda: tw.choose((tw.is_matrix, tw.momentum().at(lr=0.02)), otherwise=tw.adamw()),
    "average": lambda: tw.chain(tw.adam(), tw.average(0.9)),
    "memories in turn, without a kernel": lambda: tw.chain(tw.only(tw.is_matrix, tw.agc()), tw.pnm()),
    "schedule-free": lambda: tw.chain(tw.sgd(), tw.schedule_free()),
}
