"""`python -m benchmarks.device`: whole steps of `thalweg.torch` on a GPU beside torch's, as ratios, and the share we reach of the
bandwidth of a plain copy. First it compares what steps write there with what the CPU's kernels write. Needs CUDA and Triton.
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

import thalweg as tw
import thalweg.torch as tt
from benchmarks import shapes
from benchmarks.rivals import passes

ROUNDS, WARM = 30, 5
LISTS: dict[str, shapes.Shapes] = {
    "GPT-2 small": shapes.named("gpt2"),
    "one of 256 M": [(1 << 14, 1 << 14)],
    "200 of 1,000": shapes.named("200x1000"),
}
TORCHS = {"sgd": "SGD", "adam": "Adam", "rmsprop": "RMSprop", "nadam": "NAdam", "adagrad": "Adagrad"}
"""Rules that torch has a class for."""
RULES = (
    *("adam", "rmsprop", "nadam"),
    *("lamb", "lars", "novograd", "fromage"),
    *("prodigy", "dadapt_adam", "dog", "dowg", "momo", "clipped adam"),
    *("adafactor", "sm3"),
)
"""Of one pass; with sums over tensors, over the model; with rows and columns."""
ODD: shapes.Shapes = [(60, 35), (301,), (), (129, 259), (3, 40, 9), (1024,), (0, 3), (200_003,)]
DTYPES = (torch.float64, torch.float32, torch.bfloat16, torch.float16)
NEAR = 64.0
"""Units in the last place of the largest number, up to which steps may differ: sums are in another order, products fused."""


def optimizer_of(rule: str, params: list[Any], **options: Any) -> Any:
    """Ours: torch's class where torch has one."""
    if rule in TORCHS:
        return getattr(tt, TORCHS[rule])(params, **options)
    if rule == "clipped adam":
        return tt.Optimizer(params, tw.chain(tw.clip(1.0), tw.adam()), 1e-3, **options)
    return tt.of(tw.rules[rule])(params, **options)


# numbers


def difference(rule: str, dtype: Any) -> float:
    """The largest difference to the CPU's kernels after four steps, in units in the last place of the tensor's largest number."""
    draw = torch.Generator().manual_seed(0)
    start = [torch.randn(s, generator=draw).to(dtype) for s in ODD]
    gradients = [[torch.randn(s, generator=draw).to(dtype) for s in ODD] for _ in range(4)]
    ends = []
    for device in ("cpu", "cuda"):
        params = [p.to(device, copy=True) for p in start]
        optimizer = optimizer_of(rule, params)
        for t, own in enumerate(gradients):
            for k, (p, g) in enumerate(zip(params, own, strict=True)):
                p.grad = None if (t, k) == (1, 3) else g.to(device, copy=True)
            optimizer.step(lambda device=device: torch.tensor(1.5, device=device))
            if "_plan" not in optimizer.__dict__:
                raise click.ClickException(f"{rule} had no kernel for {dtype} on {device}")
        ends.append([p.cpu().double() for p in params])
    eps = torch.finfo(dtype).eps
    return max(float((a - b).abs().max() / b.abs().max()) / eps for a, b in zip(*ends, strict=True) if b.numel())


# times


def made(listed: shapes.Shapes, make: Callable[[list[Any]], Any], dtype: Any = torch.float32) -> Callable[[], Any]:
    """A step on parameters and gradients of its own."""
    draw = torch.Generator("cuda").manual_seed(0)
    params = [torch.randn(s, device="cuda", generator=draw).to(dtype) for s in listed]
    for p in params:
        p.grad = (1e-2 * torch.randn(p.shape, device="cuda", generator=draw)).to(dtype)
    optimizer, loss = make(params), torch.tensor(1.5, device="cuda")
    return lambda: optimizer.step(lambda: loss)


def operations(rule: str, params: list[Any]) -> Any:
    """Ours without kernels: the rule's operations, one after another."""
    optimizer = optimizer_of(rule, params)
    optimizer._kernels_may = lambda: False
    return optimizer


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


def contestants_of(rule: str, listed: shapes.Shapes) -> dict[str, Callable[[], Any]]:
    """Ours, and torch's ways; of a rule that torch does not have, the rule's operations, one after another."""
    found = {"ours": made(listed, lambda p: optimizer_of(rule, p))}
    if rule not in TORCHS:
        return {**found, "operations": made(listed, lambda p: operations(rule, p))}
    theirs = getattr(torch.optim, TORCHS[rule])
    found["foreach"] = made(listed, lambda p: theirs(p, foreach=True))
    if rule in ("sgd", "adam", "adagrad"):
        found["fused"] = made(listed, lambda p: theirs(p, fused=True))
    found["int8 state"] = made(listed, lambda p: optimizer_of(rule, p, state_dtype="int8"))
    return found


def bytes_of(rule: str, listed: shapes.Shapes) -> int:
    """What a float32 step moves: each tensor that a pass reads or writes, once for each."""
    name = rule.removeprefix("clipped ")
    numbers = sum(4 * math.prod(s) * sum(map(sum, passes(name, min(len(s), 2)))) for s in listed)
    return numbers + sum(4 * math.prod(s) for s in listed) * (name != rule)  # the clipping's norm reads the gradients


@click.command()
@click.option("--rules", default=",".join(RULES), show_default=True, help="Names of rules, and 'clipped adam'.")
def main(rules: str) -> None:
    """Compare steps on a GPU with the CPU's, then time them: rivals as multiples of ours, ours as a share of a copy's speed."""
    if not torch.cuda.is_available():
        raise click.ClickException("no CUDA device is there; `python -m benchmarks` measures the CPU")
    names, console = rules.split(","), Console(stderr=True)
    table = Table(title="the largest difference to the CPU's kernels, in units in the last place of a tensor's largest number")
    for column in ("rule", *(str(dtype).removeprefix("torch.") for dtype in DTYPES)):
        table.add_column(column)
    worst = 0.0
    for rule in track(names, "numbers", console=console, transient=True):
        found = [difference(rule, dtype) for dtype in DTYPES]
        worst = max(worst, *found)
        table.add_row(rule, *(f"{x:.1f}" for x in found))
    Console().print(table)
    table = Table(title=f"{torch.cuda.get_device_name()}, torch {torch.__version__}: a rival's time over ours")
    rivals = ("operations", "foreach", "fused", "int8 state")
    for column in ("rule", "tensors", "of a copy's bandwidth", *rivals):
        table.add_column(column)
    for rule, name in track([(rule, name) for rule in names for name in LISTS], "times", console=console, transient=True):
        listed = LISTS[name]
        numbers = sum(map(math.prod, listed))
        taken = times({**contestants_of(rule, listed), "copy": copied(numbers)})
        mine = taken["ours"]
        share = bytes_of(rule, listed) / (8 * numbers) * taken["copy"] / mine
        ratios = (f"{taken[rival] / mine:.2f}" if rival in taken else "" for rival in rivals)
        table.add_row(rule, name, f"{share:.2f}", *ratios)
        torch.cuda.empty_cache()
    Console().print(table)
    if not worst <= NEAR:
        raise click.ClickException(f"steps differ from the CPU's by {worst:.1f} units in the last place; at most {NEAR} may be")


if __name__ == "__main__":
    main()
