"""`python -m benchmarks.loop_numpy`: training in plain NumPy, our step beside one written by hand without temporaries."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table

import thalweg.numpy as tn
from benchmarks import timing
from benchmarks.__main__ import CORES, machine

Arrays = list[np.ndarray]
Step = Callable[[Arrays], None]
SIZES = {"wide": (2048, 2048, 2048, 10), "network": (64, 32, 10), "deep": (16,) * 201}
"""The widths of networks: matrix products are most of the first's iteration; the last has 400 small arrays."""
BATCH = {"wide": 64, "network": 32, "deep": 32}


def adamw_by_hand(params: Arrays) -> Step:
    """AdamW with two scratch arrays for each parameter and no other memory, as someone who cares about speed writes it."""
    m, v, a, b = ([np.zeros_like(p) for p in params] for _ in range(4))
    t = 0

    def step(grads: Arrays) -> None:
        nonlocal t
        t += 1
        rate, root = np.float32(1e-3 / (1 - 0.9**t)), np.float32((1 - 0.999**t) ** 0.5)
        for p, g, m_, v_, x, y in zip(params, grads, m, v, a, b, strict=True):
            p *= np.float32(1 - 1e-3 * 0.01)
            m_ *= np.float32(0.9)
            np.multiply(g, np.float32(0.1), out=x)
            m_ += x
            v_ *= np.float32(0.999)
            np.multiply(g, g, out=x)
            x *= np.float32(0.001)
            v_ += x
            np.sqrt(v_, out=y)
            y /= root
            y += np.float32(1e-8)
            np.divide(m_, y, out=y)
            y *= rate
            p -= y

    return step


def momentum_by_hand(params: Arrays) -> Step:
    """SGD with momentum, with one scratch array for each parameter."""
    m, a = ([np.zeros_like(p) for p in params] for _ in range(2))

    def step(grads: Arrays) -> None:
        for p, g, m_, x in zip(params, grads, m, a, strict=True):
            m_ *= np.float32(0.9)
            m_ += g
            np.multiply(m_, np.float32(1e-3), out=x)
            p -= x

    return step


BY_HAND: dict[str, Callable[[Arrays], Step]] = {"adamw": adamw_by_hand, "momentum": momentum_by_hand}


def ours(rule: str, params: Arrays) -> Step:
    """Our step on the same arrays."""
    made: Any = tn.AdamW(params, lr=1e-3, weight_decay=0.01) if rule == "adamw" else tn.Momentum(params, lr=1e-3, mu=0.9)
    step: Step = made.step
    return step


class Training:
    """A network with tanh between its layers, trained on one batch."""

    def __init__(self, name: str, make: Callable[[Arrays], Step]) -> None:
        rng, sizes = np.random.default_rng(0), SIZES[name]
        self.params: Arrays = []
        for inside, out in itertools.pairwise(sizes):
            self.params += [rng.normal(0, inside**-0.5, (inside, out)).astype(np.float32), np.zeros(out, np.float32)]
        self.x = rng.normal(size=(BATCH[name], sizes[0])).astype(np.float32)
        self.y = rng.normal(size=(BATCH[name], sizes[-1])).astype(np.float32)
        self.step = make(self.params)

    def gradients(self) -> Arrays:
        """Of half the mean squared error."""
        values = [self.x]
        for w, b in zip(self.params[::2], self.params[1::2], strict=True):
            values.append(np.tanh(values[-1] @ w + b))
        found: Arrays = []
        d = (values[-1] - self.y) / np.float32(len(self.x))
        for w, out, given in zip(self.params[-2::-2], values[:0:-1], values[-2::-1], strict=True):
            d = d * (1 - out * out)
            found += [d.sum(0), given.T @ d]
            d = d @ w.T
        return found[::-1]

    def iteration(self) -> tuple[float, float]:
        """Seconds of the optimizer's step, and of all."""
        start = time.perf_counter()
        grads = self.gradients()
        before = time.perf_counter()
        self.step(grads)
        after = time.perf_counter()
        return after - before, after - start


def measure(name: str, rule: str, rounds: int) -> list[timing.Ratio]:
    """The time by hand over ours: of the step, and of the iteration."""
    trainings = {"ours": Training(name, lambda params: ours(rule, params)), "by hand": Training(name, BY_HAND[rule])}
    for _ in range(3):
        both = {who: training.iteration() for who, training in trainings.items()}
    for a, b in zip(trainings["ours"].params, trainings["by hand"].params, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)
    repeats = max(2, int(0.05 / max(both["ours"][1], 1e-6)))
    times: dict[str, list[np.ndarray]] = {who: [] for who in trainings}
    order = np.random.default_rng(0)
    for _ in range(rounds):
        for who in order.permutation(list(trainings)):
            trainings[who].iteration()
            times[who].append(np.median([trainings[who].iteration() for _ in range(repeats)], axis=0))
    found = {who: np.array(rows) for who, rows in times.items()}
    return [timing.ratio(found["by hand"][:, k], found["ours"][:, k]) for k in (0, 1)]


@click.command()
@click.option("--networks", default=",".join(SIZES), show_default=True, help="What to train.")
@click.option("--rounds", type=click.IntRange(2), default=15, show_default=True, help="Interleaved rounds.")
def main(networks: str, rounds: int) -> None:
    """Iterations in NumPy, with BLAS on all cores: the time with a step written by hand over the time with ours."""
    console = Console(width=120)
    console.print(machine(CORES), soft_wrap=True)
    table = Table("network", "AdamW: step", "AdamW: iteration", "SGD with momentum: step", "SGD with momentum: iteration")
    for name in networks.split(","):
        table.add_row(name, *[str(ratio) for rule in BY_HAND for ratio in measure(name, rule, rounds)])
    console.print(table)


if __name__ == "__main__":
    main()
