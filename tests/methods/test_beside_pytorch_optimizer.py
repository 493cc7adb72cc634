"""Matrix rules beside pytorch_optimizer's, where both are the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support import run

import thalweg as tw

torch = pytest.importorskip("torch")
theirs = pytest.importorskip("pytorch_optimizer")


def walked(optimizer: Any, start: np.ndarray, gradients: list[np.ndarray], **options: Any) -> np.ndarray:
    p = torch.nn.Parameter(torch.from_numpy(start.copy()))
    made, path = optimizer([p], **options), []
    for g in gradients:
        p.grad = torch.from_numpy(g.copy())
        made.step()
        path.append(p.detach().numpy().copy())
    return np.array(path)


def test_soap_is_theirs_until_they_improve_the_eigenvectors() -> None:
    """There they go on in float32, with the vectors in another order: at most a tenth of the way apart after 100 steps."""
    draw = np.random.default_rng(0)
    start, draws = draw.normal(size=(4, 3)), list(draw.normal(size=(100, 4, 3)))
    for f, least, most in ((1000, 0.0, 1e-12), (10, 1e-6, 0.1)):
        ours = np.array([p["w"] for p in run(tw.soap(f=f), {"w": start}, [{"w": g} for g in draws])[0]])
        other = walked(theirs.SOAP, start, draws, lr=3e-3, weight_decay=0.0, precondition_frequency=f)
        distance = np.abs(ours - other).max() / np.abs(ours[-1] - start).max()
        assert least <= distance <= most
