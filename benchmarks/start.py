"""`python -m benchmarks.start`: importing, the first step and the memory of a step of `thalweg.torch`, beside torch's own.

Each measurement is a new Python process, so that nothing is warm but the operating system's file cache; processes of ours and of
torch's alternate.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks import timing
from benchmarks.__main__ import CORES, machine

SMALL = 1000
"""Numbers in a small tensor, whose process shows what is not the tensors'."""
BEGIN = "import time; start = time.perf_counter(); "
END = "; print(time.perf_counter() - start)"
STEP = (
    "import torch{more}; p = [torch.nn.Parameter(torch.ones(n)) for n in (2048, 32, 320, 10)]\n"
    "for x in p: x.grad = torch.ones_like(x)\n"
    "o = {name}(p, lr=1e-3{fused}); start = time.perf_counter(); o.step()"
)
PEAK = (
    "import resource, torch{more}; p = [torch.nn.Parameter(torch.ones({size})) for _ in range(4)]\n"
    "for x in p: x.grad = torch.ones_like(x)\n"
    "o = {name}(p, lr=1e-3{fused}); o.step(); o.step(); "
    "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / (4 * {size} * 4))"
)
OURS, TORCH = {"more": ", thalweg.torch", "name": "thalweg.torch.AdamW"}, {"more": "", "name": "torch.optim.AdamW"}
PROGRAMS = {
    "import": {
        "ours": f"{BEGIN}import thalweg.torch{END}",
        "torch": f"{BEGIN}import torch.optim{END}",
    },
    "first step, kernels kept": {
        "ours": BEGIN + STEP.format(**OURS, fused="") + END,
        "torch": BEGIN + STEP.format(**TORCH, fused="") + END,
        "torch fused": BEGIN + STEP.format(**TORCH, fused=", fused=True") + END,
    },
    "first step, nothing kept": {
        "ours": BEGIN + STEP.format(**OURS, fused="") + END,
        "torch": BEGIN + STEP.format(**TORCH, fused="") + END,
        "torch compiled": BEGIN + STEP.format(**TORCH, fused="").replace("o.step()", "torch.compile(o.step)()") + END,
    },
}
"""What is timed, by contestant: programs that print seconds."""


def run(program: str, cache: str) -> float:
    """The number that a program prints in a new process. cache: the folder of kernels, ours and torch's."""
    environment = {**os.environ, "THALWEG_CACHE": cache, "TORCHINDUCTOR_CACHE_DIR": os.path.join(cache, "inductor")}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    if done.returncode:
        raise click.ClickException(done.stderr)
    return float(done.stdout.split()[-1])


def timed(programs: dict[str, str], rounds: int, *, kept: bool) -> dict[str, np.ndarray]:
    """Seconds of each program, alternating. kept: whether the cache is that of a run before."""
    found: dict[str, list[float]] = {name: [] for name in programs}
    order = random.Random(0)
    with tempfile.TemporaryDirectory() as cache:
        if kept:
            for program in programs.values():
                run(program, cache)
        for _ in range(rounds):
            for name in order.sample(list(programs), len(programs)):
                with tempfile.TemporaryDirectory() as empty:
                    found[name].append(run(programs[name], cache if kept else empty))
    return {name: np.array(times) for name, times in found.items()}


def peaks(size: int) -> dict[str, float]:
    """The memory of a process that stepped, without that of one with small tensors, as a multiple of its parameters'."""
    with tempfile.TemporaryDirectory() as cache:

        def peak(own: dict[str, str], fused: str, size: int) -> float:
            run(PEAK.format(**own, fused=fused, size=size), cache)  # what compiles once is not a step's
            return run(PEAK.format(**own, fused=fused, size=size), cache)

        ways = {"torch": "", "torch foreach": ", foreach=True", "torch fused": ", fused=True"}
        each = {"ours": (OURS, ""), **{name: (TORCH, how) for name, how in ways.items()}}
        return {name: peak(*own, size) - peak(*own, SMALL) * SMALL / size for name, own in each.items()}


@click.command()
@click.option("--rounds", default=9, show_default=True, help="Processes of each.")
@click.option("--quick", is_flag=True, help="One process of each and small arrays, to try it.")
def main(rounds: int, quick: bool) -> None:
    """Measure import, first step and memory of thalweg.torch beside torch's; above 1 torch takes more."""
    console = Console()
    console.print(machine(CORES), soft_wrap=True)
    table = Table("AdamW", "torch's over ours", "torch fused", "torch compiled")
    for what, programs in PROGRAMS.items():
        some = {name: text for name, text in programs.items() if not (quick and "compiled" in name)}
        found = timed(some, 1 if quick else rounds, kept="nothing" not in what)
        cells = [
            str(timing.ratio(found[name], found["ours"])) if name in found else ""
            for name in ("torch", "torch fused", "torch compiled")
        ]
        table.add_row(what, *cells)
    console.print(table)
    memory = peaks(100_000 if quick else 8_000_000)
    console.print("Memory at the peak of two steps, in multiples of the parameters' (themselves, gradients, two moments: 4):")
    console.print(", ".join(f"{name} {x:.2f}" for name, x in memory.items()), soft_wrap=True)


if __name__ == "__main__":
    main()
