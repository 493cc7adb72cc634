"""`python -m benchmarks.lanes`: a tuning sweep on digits, by lanes and by loops."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # every contestant but JAX's lanes has one thread
os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={len(os.sched_getaffinity(0))}"
os.environ["JAX_PLATFORMS"] = "cpu"

import click
import jax
import numpy as np
import torch
from rich.console import Console
from rich.progress import Progress
from threadpoolctl import threadpool_limits

import thalweg as tw
from benchmarks import timing
from benchmarks.__main__ import machine
from thalweg.lab import problems
from thalweg.lab.protocol import protocol
from thalweg.lab.protocol.tune import Setting
from thalweg.lab.trials import jax_engine, trials
from thalweg.lab.trials.trials import Trial

RATES, SEEDS, STEPS, BATCH = 16, 5, 500, 64
EVERY = 20
"""A loop over trials runs one in so many of them, and its time counts so many times: they take equally long."""
COUNT = 5
NEAR = 2e-3
"""How far the last validation losses of two contestants may lie apart where training is stable, as a share."""

DIGITS: Any = problems.problem("digits")
HELD_OUT = DIGITS.held_out()
SWEEP = [(float(f"{lr:.4g}"), seed) for seed in range(SEEDS) for lr in np.geomspace(1e-4, 1e-1, RATES)]
SAMPLE = SWEEP[::EVERY]
AT = protocol.evaluated_at(STEPS)
Curves = list[list[float]]


def in_numpy(pairs: Sequence[tuple[float, int]]) -> Curves:
    """The lab's own engine."""
    return _curves(trials.run(DIGITS, tw.rules["adam"], _given(pairs), steps=STEPS, batch_size=BATCH, judge=False))


def in_jax(pairs: Sequence[tuple[float, int]], chunk: int, devices: int | None = None) -> Curves:
    """The lab's JAX engine."""
    rates = np.tile([lr for lr, _ in pairs], (STEPS, 1))
    lanes = jax_engine.Lanes(rates, {}, [seed for _, seed in pairs])
    found = jax_engine.run(DIGITS, tw.rules["adam"], lanes, AT, BATCH, chunk, devices)
    return [curve.tolist() for curve in found.loss.T]


def _given(pairs: Sequence[tuple[float, int]]) -> list[tuple[Setting, int]]:
    return [(Setting(lr), seed) for lr, seed in pairs]


def _curves(found: Sequence[Trial]) -> Curves:
    return [trial.loss_curve for trial in found]


def by_steps_in_jax(lr: float, seed: int) -> list[float]:
    """One trial: a Python loop that calls a compiled step."""
    params = jax.tree.map(jax.numpy.asarray, DIGITS.init([seed]))
    optimizer = tw.Optimizer(tw.adam(), lr=1.0, lanes=1)
    state = optimizer.init(params)
    draws, curve = DIGITS.draws([seed], BATCH), []
    for step in range(STEPS + 1):
        if step in AT:
            curve.append(float(_judged(params, HELD_OUT)[0][0]))
        if step < STEPS:
            params, state = _step(params, state, np.float32([lr]), DIGITS.batch(next(draws)))
    return curve


@jax.jit
def _step(params: Any, state: Any, lr: Any, batch: Any) -> Any:
    grads = jax.grad(lambda p: DIGITS.loss(p, batch)[0])(params)
    return tw.Optimizer(tw.adam(), lr=lr, lanes=1).step(params, grads, state)


_judged = jax.jit(DIGITS.judge)


def in_torch(lr: float, seed: int) -> list[float]:
    """One trial as a PyTorch user writes it."""
    start = DIGITS.init([seed])
    net = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 10))
    with torch.no_grad():
        for layer, own in ((net[0], start["0"]), (net[2], start["2"])):
            layer.weight.copy_(torch.from_numpy(own["w"][0].T))
            layer.bias.copy_(torch.from_numpy(own["b"][0]))
    optimizer = torch.optim.Adam(net.parameters(), lr=lr)
    x, y = torch.from_numpy(DIGITS.train_part.x), torch.from_numpy(DIGITS.train_part.y)
    held_x, held_y = (torch.from_numpy(part[0]) for part in HELD_OUT)
    draws, curve = DIGITS.draws([seed], BATCH), []
    for step in range(STEPS + 1):
        if step in AT:
            with torch.no_grad():
                outputs = net(held_x)
                curve.append(torch.nn.functional.cross_entropy(outputs, held_y).item())
                (outputs.argmax(1) == held_y).float().mean().item()
        if step < STEPS:
            rows = torch.from_numpy(next(draws)[0])
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(net(x[rows]), y[rows]).backward()
            optimizer.step()
    return curve


def each(trial: Callable[[float, int], list[float]]) -> Curves:
    """A loop over the sample's trials."""
    return [trial(lr, seed) for lr, seed in SAMPLE]


@click.command()
@click.option("--quick", is_flag=True, help="Two rounds, for those who want to see that it runs.")
def main(quick: bool) -> None:
    """A tuning sweep on digits, by lanes and by loops: how many times as long the loops take."""
    torch.set_num_threads(1)
    devices = jax.local_device_count()
    lanes: dict[str, Callable[[], Curves]] = {
        "NumPy, lanes": lambda: in_numpy(SWEEP),
        f"JAX, lanes on {devices} devices": lambda: in_jax(SWEEP, 16 if devices == 1 else 20),
        "JAX, lanes on 1 device": lambda: in_jax(SWEEP, 16, 1),
    }
    loops: dict[str, Callable[[], Curves]] = {
        "torch, eager loop": lambda: each(in_torch),
        "NumPy, loop over steps": lambda: each(lambda lr, seed: in_numpy([(lr, seed)])[0]),
        "JAX, loop over steps": lambda: each(by_steps_in_jax),
        "JAX, a compiled trial at a time": lambda: each(lambda lr, seed: in_jax([(lr, seed)], 1, 1)[0]),
    }
    print(machine(1))
    print(f"digits: {RATES} rates x {SEEDS} seeds x {STEPS} steps, 64-32-10, batch {BATCH}, Adam, {len(AT)} evaluations")
    with threadpool_limits(1), Progress(console=Console(stderr=True), transient=True) as progress:
        count = 2 if quick else COUNT
        task = progress.add_task("whether all draw the same curves", total=count + len(lanes) + len(loops) + 1)
        _check(lanes, loops, lambda: progress.advance(task))
        progress.update(task, description="interleaved rounds")
        times = timing.rounds({**lanes, **loops}, count, lambda: progress.advance(task), long=True)
    for name in loops:
        times[name] = times[name] * EVERY
    ours = list(lanes)
    print("\n| sweep | seconds here | " + " | ".join(f"as a multiple of {name}" for name in ours) + " |")
    print("|---|---|" + "---|" * len(ours))
    for name in times:
        cells = ["{:.1f} [{:.1f}, {:.1f}]".format(*timing.ratio(times[name], times[own])) for own in ours]
        print(f"| {name} | {np.median(times[name]):.2f} | " + " | ".join(cells) + " |")


def _check(lanes: dict[str, Callable[[], Curves]], loops: dict[str, Callable[[], Curves]], note: Callable[[], None]) -> None:
    """Raises AssertionError unless all contestants draw the curves that NumPy's lanes draw."""
    calm = [i for i, (lr, _) in enumerate(SWEEP) if lr < 3e-3]
    expected = np.array(lanes["NumPy, lanes"]())
    note()
    for name, contestant in {**lanes, **loops}.items():
        found = np.array(contestant())
        own = calm if len(found) == len(SWEEP) else [k for k, pair in enumerate(SAMPLE) if pair[0] < 3e-3]
        mine = expected[calm if len(found) == len(SWEEP) else [SWEEP.index(SAMPLE[k]) for k in own]]
        assert own, "the sample has a calm trial"
        apart = np.abs(found[own] / mine - 1).max()
        assert apart < NEAR, f"{name} lies {apart:.1e} from NumPy's lanes"
        note()


if __name__ == "__main__":
    main()
