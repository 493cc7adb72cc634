"""Walks with any class of torch optimizers."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from thalweg.dialects.conformance.stream import Point, Stream


def walk(make: Any, along: Stream) -> list[Point]:
    """Return the points after each step. make: from a list of parameters to an optimizer."""
    params = {name: torch.nn.Parameter(torch.tensor(x, dtype=torch.float64)) for name, x in along.start.items()}
    optimizer, found = make(list(params.values())), []
    for g in along.gradients:
        for name, p in params.items():
            p.grad = torch.tensor(g[name], dtype=torch.float64)
        optimizer.step()
        found.append({name: np.array(p.detach().numpy()) for name, p in params.items()})
    return found
