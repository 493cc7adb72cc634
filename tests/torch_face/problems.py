"""Parameters with a stream of gradients, and steps on it: what tests beside torch.optim share."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")

from thalweg.dialects import TORCH  # noqa: E402

SHAPES = [(4, 3), (7,), (), (2, 3, 2)]
KERNELS = [name for name, row in TORCH.items() if row.kernel]


def problem(dtype: Any = torch.float64, seed: int = 0, shapes: Any = SHAPES) -> tuple[list[Any], list[list[Any]]]:
    draw = torch.Generator().manual_seed(seed)
    params = [torch.nn.Parameter(torch.randn(s, generator=draw, dtype=dtype)) for s in shapes]
    gradients = [[torch.randn(s, generator=draw, dtype=dtype) * 10.0 ** (t % 5 - 3) for s in shapes] for t in range(200)]
    return params, gradients


def drive(optimizer: Any, params: list[Any], gradients: list[list[Any]], first: int = 0) -> None:
    for t, own in enumerate(gradients, first):
        for k, (p, g) in enumerate(zip(params, own, strict=True)):
            p.grad = None if (t % 7 == 2 and k == 1) else g.clone()
        optimizer.step()


def by_kernels(optimizer: Any) -> bool:
    return "_plan" in optimizer.__dict__


def apart(ours: list[Any], theirs: list[Any]) -> float:
    """The largest difference, as a share of the largest entry."""
    return max(float((a - b).detach().abs().max() / b.detach().abs().max()) for a, b in zip(ours, theirs, strict=True))
