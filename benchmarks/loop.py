"""`python -m benchmarks.loop`: whole training iterations with our optimizers beside torch's, and the step's share of them."""

from __future__ import annotations

import contextlib
import functools
import gc
import json
import logging
import os
import random
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import click
import numpy as np
import torch
from rich.console import Console
from rich.table import Table

import thalweg as tw
import thalweg.torch as tt
from benchmarks import tasks, timing
from benchmarks.__main__ import CORES, machine
from benchmarks.rivals import TORCH

LR = 1e-3
Make = Callable[[list[Any]], Any]


def _muon(params: list[Any]) -> Any:
    return tt.Optimizer(params, tw.choose((tw.is_matrix, tw.muon(dtype="bfloat16").at(lr=0.02)), otherwise=tw.adamw()), lr=LR)


def _schedule_free(params: list[Any]) -> Any:
    return tt.Optimizer(params, tw.chain(tw.adam(beta1=0.0), tw.schedule_free(0.9)), lr=LR)


OURS: dict[str, Make] = {
    "adamw": functools.partial(tt.AdamW, lr=LR),
    "momentum": functools.partial(tt.SGD, lr=LR, momentum=0.9),
    "nadam": functools.partial(tt.NAdam, lr=LR),
    "radam": functools.partial(tt.RAdam, lr=LR),
    "lion": functools.partial(tt.Lion, lr=LR),
    "adabelief": functools.partial(tt.AdaBelief, lr=LR),
    "lamb": functools.partial(tt.LAMB, lr=LR),
    "prodigy": functools.partial(tt.Prodigy, lr=1.0),
    "muon": _muon,
    "schedule_free": _schedule_free,
}
FUSED = ("adamw", "momentum")
"""What torch has a fused step of."""
THEIRS: dict[str, tuple[str, dict[str, Any]]] = {
    "lion": ("Lion", {}),
    "adabelief": ("AdaBelief", {}),
    "lamb": ("Lamb", {}),
    "prodigy": ("Prodigy", {"lr": 1.0}),
    "schedule_free": ("ScheduleFreeAdamW", {}),
}
"""In pytorch_optimizer."""


def _theirs_muon(params: list[Any]) -> Any:
    import pytorch_optimizer

    groups = [
        {"params": [p for p in params if p.ndim >= 2], "use_muon": True},
        {"params": [p for p in params if p.ndim < 2], "use_muon": False},
    ]
    return pytorch_optimizer.Muon(groups, lr=0.02)


def rivals(rule: str) -> dict[str, Make]:
    """Who makes the same steps, by the name of a column; ours first."""
    found: dict[str, Make] = {"ours": OURS[rule]}
    if rule in TORCH:
        name, options = TORCH[rule]
        make = functools.partial(getattr(torch.optim, name), lr=LR, **options)
        found |= {"default": make, "foreach": functools.partial(make, foreach=True)}
        if rule in FUSED:
            found["fused"] = functools.partial(make, fused=True)
        found["compile"] = functools.partial(make, lr=torch.tensor(LR))
    elif rule == "muon":
        found["pytorch_optimizer"] = _theirs_muon
    elif rule in THEIRS:
        import pytorch_optimizer

        name, options = THEIRS[rule]
        found["pytorch_optimizer"] = functools.partial(getattr(pytorch_optimizer, name), **{"lr": LR, **options})
    return found


class Training:
    """A model, its optimizer and its schedule, as users write the loop."""

    def __init__(self, task: str, make: Make, *, compiled: bool) -> None:
        self.task = tasks.made(task)
        self.params = tasks.parameters(self.task)
        self.optimizer = make(self.params)
        if hasattr(self.optimizer, "train"):
            self.optimizer.train()
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, lambda epoch: 1.0)
        self.step = torch.compile(self.optimizer.step) if compiled else self.optimizer.step

    def iteration(self) -> tuple[float, float]:
        """Seconds of the optimizer's step, and of all."""
        start = time.perf_counter()
        self.task.loss().backward()
        torch.nn.utils.clip_grad_norm_(self.params, 1.0)
        before = time.perf_counter()
        self.step()
        after = time.perf_counter()
        self.schedule.step()
        self.optimizer.zero_grad()
        return after - before, time.perf_counter() - start


ROUND = 0.05
"""Seconds that a contestant trains in a round, at least."""


def measure(task: str, rule: str, rounds: int, threads: int, without: set[str]) -> dict[str, list[tuple[float, float]]]:
    """Seconds of a step and of an iteration, a pair for each round: the median of those in it."""
    torch.set_num_threads(threads)
    trainings = {who: Training(task, make, compiled=who == "compile") for who, make in rivals(rule).items() if who not in without}
    for training in trainings.values():
        for _ in range(4):
            training.iteration()
    repeats = max(2, int(ROUND / trainings["ours"].iteration()[1]))
    found: dict[str, list[tuple[float, float]]] = {who: [] for who in trainings}
    order = random.Random(os.getpid())
    gc.disable()
    for _ in range(rounds):
        for who in order.sample(list(trainings), len(trainings)):
            trainings[who].iteration()
            times = np.median([trainings[who].iteration() for _ in range(repeats)], axis=0)
            found[who].append((float(times[0]), float(times[1])))
    gc.enable()
    return found


BUSY = "import os; parent = os.getppid()\nwhile os.getppid() == parent: pass"
"""A process that computes as long as the one that started it is there."""


@contextlib.contextmanager
def busy(count: int) -> Iterator[None]:
    """So many other processes meanwhile that compute all the time."""
    others = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(count)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def in_processes(task: str, rule: str, rounds: int, threads: int, processes: int, without: str) -> dict[str, np.ndarray]:
    """The rounds of several processes, one after another: where memory lies differs between them."""
    found: dict[str, list[tuple[float, float]]] = {}
    for _ in range(processes):
        command = [sys.executable, "-m", "benchmarks.loop", "--one", f"{task}:{rule}"]
        command += ["--rounds", str(rounds), "--threads", str(threads), "--without", without]
        told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        for who, times in json.loads(told.splitlines()[-1]).items():
            found.setdefault(who, []).extend(times)
    return {who: np.array(times) for who, times in found.items()}


def table(task: str, rules: list[str], found: dict[str, dict[str, np.ndarray]]) -> Iterator[Table]:
    """A table of steps and one of whole iterations: each rival's time as a multiple of ours."""
    columns = list(dict.fromkeys(who for times in found.values() for who in times if who != "ours"))
    for k, what in ((0, "step in the loop"), (1, "whole iteration")):
        made = Table(f"{task}: {what}", "step's share of ours", *columns)
        for rule in rules:
            times = found[rule]
            cells = [str(timing.ratio(times[who][:, k], times["ours"][:, k])) if who in times else "" for who in columns]
            made.add_row(rule, f"{np.median(times['ours'][:, 0] / times['ours'][:, 1]):.0%}", *cells)
        yield made


@click.command()
@click.option("--tasks", "chosen", default=",".join(tasks.TASKS), show_default=True, help="What to train.")
@click.option("--rules", default=",".join(OURS), show_default=True, help="Which optimizers.")
@click.option("--rounds", type=click.IntRange(2), default=15, show_default=True, help="Interleaved rounds in each process.")
@click.option("--processes", type=click.IntRange(1), default=3, show_default=True, help="Processes, one after another.")
@click.option("--threads", type=click.IntRange(1, CORES), default=CORES, show_default=True, help="Threads for everybody.")
@click.option("--without", default="", help="Columns to leave out, with commas between: compile takes minutes.")
@click.option("--busy", "others", type=click.IntRange(0), default=0, help="Other processes a core that compute meanwhile.")
@click.option("--one", default="", hidden=True)
def main(chosen: str, rules: str, rounds: int, processes: int, threads: int, without: str, others: int, one: str) -> None:
    """Whole iterations: forward, backward, clip, step, schedule, zero_grad. A rival's time as a multiple of ours (above 1 it is
    slower), medians over rounds and processes with 95 % intervals."""
    warnings.simplefilter("ignore")
    torch._logging.set_logs(all=logging.ERROR)
    if one:
        task, _, rule = one.partition(":")
        print(json.dumps(measure(task, rule, rounds, threads, set(without.split(",")))))
        return
    console = Console(width=160)
    console.print(machine(threads), soft_wrap=True)
    for task in chosen.split(","):
        with console.status(task) as status, busy(others * CORES):
            found = {}
            for rule in rules.split(","):
                status.update(f"{task}: {rule}")
                found[rule] = in_processes(task, rule, rounds, threads, processes, without)
        for made in table(task, rules.split(","), found):
            console.print(made)


if __name__ == "__main__":
    main()
