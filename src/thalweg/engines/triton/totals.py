"""The summing passes of several grids of one device, one after another; the sums stay on the device."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from thalweg.engines.triton.grid import Grid
from thalweg.graph.passes import Sum
from thalweg.values.norms import SCALES

Tensor = torch.Tensor


def add_up(grids: Sequence[Grid]) -> None:
    """Run all passes but the last, the k-th of each grid before the next, and give what they find to the later passes."""
    for k in range(max(len(grid.adding) for grid in grids)):
        of_model: dict[str, list[Tensor]] = {}
        added = [(grid, grid.adding[k]) for grid in grids if k < len(grid.adding)]
        for grid, adding in added:
            grid.reduce(k)
            if adding is None:
                continue
            for each, sums in zip(adding.sums, grid.added(adding), strict=True):
                if each.over:
                    of_model.setdefault(each.over, []).append(_as_three(sums.sum(0)) if each.is_norm else sums.sum(0))
                else:
                    grid.given[each.name] = value(each, sums).to(grid.dtype)
        for grid, adding in added:
            for each in () if adding is None else adding.sums:
                if each.over:
                    grid.given[each.name] = value(each, torch.stack(of_model[each.over]).sum(0))


def value(each: Sum, sums: Tensor) -> Tensor:
    """Return a sum, or of a norm the root; of the three in float64 the one of squares that have neither over- nor underflown."""
    plain = sums[..., 0]
    if not each.is_norm:
        return plain
    if sums.shape[-1] == 1:
        return plain.sqrt()
    least, up, down = SCALES["float64"]
    large = torch.where(plain < torch.inf, plain.sqrt(), sums[..., 2].sqrt() / down)
    return torch.where(plain < least, sums[..., 1].sqrt() / up, large)


def _as_three(sums: Tensor) -> Tensor:
    """Return a norm's sum of squares with those of the scaled numbers; float64 holds the squares of any float32."""
    if len(sums) > 1:
        return sums
    return torch.cat([sums, *(sums * scale * scale for scale in SCALES["float64"][1:])])
