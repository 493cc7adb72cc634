"""What each of two gloo processes does in `test_distributed`: train, and write down where it came to."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch.distributed.checkpoint.state_dict import get_optimizer_state_dict, set_optimizer_state_dict
from torch.nn.parallel import DistributedDataParallel

import thalweg as tw
import thalweg.torch as tt

STEPS = 6


def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(5, 7), torch.nn.Tanh(), torch.nn.Linear(7, 2)).double()


def batches() -> list[torch.Tensor]:
    draw = torch.Generator().manual_seed(1)
    return [torch.randn(8, 5, generator=draw, dtype=torch.float64) for _ in range(STEPS)]


def optimizer_for(name: str, params: Any) -> Any:
    if name == "norms":
        return tt.of(tw.adasecant)(params, lr=0.1)
    if name == "factors":
        return tt.of(tw.adafactor)(params, lr=0.1)
    if name == "matrices":
        return tt.Optimizer(params, tw.choose((tw.is_matrix, tw.muon().at(0.02)), otherwise=tw.adamw()), lr=0.01)
    return getattr(tt, name)(params, lr=0.01)


def train(model: torch.nn.Module, optimizer: Any, data: list[torch.Tensor]) -> None:
    for x in data:
        optimizer.zero_grad()
        model(x).square().mean().backward()
        optimizer.step()


def whole(model: torch.nn.Module) -> list[torch.Tensor]:
    return [(p.full_tensor() if hasattr(p, "full_tensor") else p).detach().clone() for p in model.parameters()]


def half(x: torch.Tensor) -> torch.Tensor:
    return x.chunk(2)[dist.get_rank()]


def replicated(name: str) -> list[torch.Tensor]:
    model = DistributedDataParallel(network())
    train(model, optimizer_for(name, model.parameters()), [half(x) for x in batches()])
    return whole(model)


def zero(name: str) -> list[torch.Tensor]:
    from torch.distributed.optim import ZeroRedundancyOptimizer  # warns on import: not for the process that compares

    model = DistributedDataParallel(network())
    optimizer = ZeroRedundancyOptimizer(model.parameters(), optimizer_class=getattr(tt, name), lr=0.01)
    train(model, optimizer, [half(x) for x in batches()])
    return whole(model)


def sharded(name: str) -> list[torch.Tensor]:
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    mesh = init_device_mesh("cpu", (2,))
    model = network()
    fully_shard(model, mesh=mesh)
    optimizer = optimizer_for(name, model.parameters())
    train(model, optimizer, [half(x) for x in batches()[:3]])
    kept = get_optimizer_state_dict(model, optimizer)
    fresh = optimizer_for(name, model.parameters())
    set_optimizer_state_dict(model, fresh, kept)
    train(model, fresh, [half(x) for x in batches()[3:]])
    return whole(model)


if __name__ == "__main__":
    rank, rendezvous, out = int(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{rendezvous}", rank=rank, world_size=2)
    found = {}
    for way in (replicated, zero, sharded):
        for name in sys.argv[4:]:
            if not (way is zero and not hasattr(tt, name)):
                found[f"{way.__name__} {name}"] = way(name)
    if rank == 0:
        torch.save(found, out)
    dist.destroy_process_group()
