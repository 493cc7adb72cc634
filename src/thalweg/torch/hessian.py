"""An estimate of the Hessian's diagonal of a torch loss."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch


def hutchinson(loss: Any, params: Iterable[Any], generator: torch.Generator | None = None) -> None:
    """Write an estimate of the Hessian's diagonal into each parameter's `.curvature`, where rules read it.

    The estimate is u * (H u) for random signs u, whose mean is the diagonal. It takes two backward passes.

    Parameters
    ----------
    loss : Tensor
        The loss, with its graph. The graph is kept, so that `.backward()` may follow.
    params : iterable of Tensor
        The parameters.
    generator : torch.Generator, optional
        CPU generator for the signs. Default: torch's own.

    References
    ----------
    Hutchinson 1990, Commun. Stat. 19:433.
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
