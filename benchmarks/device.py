"""`python -m benchmarks.device`: whole steps of `thalweg.torch` on a GPU beside torch.optim's, as ratios, and the share we
reach of the bandwidth of a plain copy. Needs CUDA and Triton.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from typing import Any

import click
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table

import thalweg.torch as tt
from benchmarks import shapes

ROUNDS, WARM = 30, 5
LISTS: dict[str, list[tuple[int, ...]]] = {"GPT-2 small": shapes.named("gpt2"), "one of 256 M": [(1 << 28,)]}
BYTES = {"SGD": 12, "Adam": 28, "AdamW": 28, "RMSprop": 20, "NAdam": 28}
"""Moved in a float32 step, for each parameter: each tensor read or written once."""


def made(listed: list[tuple[int, ...]], make: Callable[[list[Any]], Any], dtype: Any = torch.float32) -> Callable[[], Any]:
    """A step on parameters and gradients of its own."""
    draw = torch.Generator("cuda").manual_seed(0)
    params = [torch.randn(s, device="cuda", generator=draw).to(dtype) for s in listed]
    for p in params:
        p.grad = (1e-2 * torch.randn(p.shape, device="cuda", generator=draw)).to(dtype)
    step: Callable[[], Any] = make(params).step
    return step


def copied(numbers: int) -> Callable[[], Any]:
    """The floor: so many float32 numbers, read and written."""
    a = torch.empty(numbers, device="cuda")
    b = torch.empty_like(a)
    return lambda: b.copy_(a)


def times(contestants: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Median milliseconds of each, interleaved, by CUDA's own events."""
    found: dict[str, list[float]] = {name: [] for name in contestants}
    for lap in range(ROUNDS + WARM):
        for name, step in contestants.items():
            begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            begin.record()
            step()
            end.record()
            torch.cuda.synchronize()
            if lap >= WARM:
                found[name].append(begin.elapsed_time(end))
    return {name: statistics.median(laps) for name, laps in found.items()}


def contestants_of(rule: str, listed: list[tuple[int, ...]]) -> dict[str, Callable[[], Any]]:
    """Ours, ours with an 8-bit state, and torch's ways."""
    theirs, ours = getattr(torch.optim, rule), getattr(tt, rule)
    found = {"ours": made(listed, ours), "foreach": made(listed, lambda p: theirs(p, foreach=True))}
    if rule in ("SGD", "Adam", "AdamW", "Adagrad"):
        found["fused"] = made(listed, lambda p: theirs(p, fused=True))
    found["ours, int8 state"] = made(listed, lambda p: ours(p, state_dtype="int8"))
    return found


@click.command()
@click.option("--rules", default="Adam,RMSprop,NAdam", show_default=True, help=f"Of {', '.join(BYTES)}.")
def main(rules: str) -> None:
    """Whole steps of `thalweg.torch` on a GPU, rivals as multiples of ours, and our share of a plain copy's bandwidth."""
    if not torch.cuda.is_available():
        raise click.ClickException("no CUDA device is there; `python -m benchmarks` measures the CPU")
    table = Table(title=f"{torch.cuda.get_device_name()}, torch {torch.__version__}: a rival's time over ours")
    for column in ("rule", "tensors", "of a copy's bandwidth", "foreach", "fused", "ours with int8 state"):
        table.add_column(column)
    pairs = [(rule, name) for rule in rules.split(",") for name in LISTS]
    for rule, name in track(pairs, "rules and lists", console=Console(stderr=True), transient=True):
        listed = LISTS[name]
        numbers = sum(map(math.prod, listed))
        taken = times({**contestants_of(rule, listed), "copy": copied(numbers)})
        mine = taken["ours"]
        share = (BYTES[rule] / 8) * taken["copy"] / mine
        fused = f"{taken['fused'] / mine:.2f}" if "fused" in taken else "none"
        table.add_row(
            rule, name, f"{share:.2f}", f"{taken['foreach'] / mine:.2f}", fused, f"{taken['ours, int8 state'] / mine:.2f}"
        )
        torch.cuda.empty_cache()
    Console().print(table)


if __name__ == "__main__":
    main()
