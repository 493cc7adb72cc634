"""The Hessian's diagonal of a torch loss, estimated; see `thalweg.torch.hutchinson`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch


def hutchinson(loss: Any, params: Iterable[Any], generator: torch.Generator | None = None) -> None:
    """Write u * (H u) into each parameter's `.curvature`, where a rule that asks for the curvature finds it.

    u are random signs; the mean of it is the Hessian's diagonal (Hutchinson 1990, Commun. Stat. 19:433). loss: the number
    that `.backward()` would be called on, its graph still there; the graph is kept, so that `.backward()` may follow. It
    goes backward twice. generator: for the draws, on the CPU; torch's own by default.
    """
    asked = [p for p in params if p.requires_grad]
    gradients = torch.autograd.grad(loss, asked, create_graph=True, materialize_grads=True)
    signs = [(torch.randint(0, 2, p.shape, generator=generator) * 2 - 1).to(p) for p in asked]
    curved = [(g, u) for g, u in zip(gradients, signs, strict=True) if g.requires_grad]
    products: Any = [torch.zeros_like(p) for p in asked]
    if curved:
        towards, along = zip(*curved, strict=True)
        products = torch.autograd.grad(towards, asked, along, retain_graph=True, materialize_grads=True)
    for p, u, product in zip(asked, signs, products, strict=True):
        p.curvature = u * product
