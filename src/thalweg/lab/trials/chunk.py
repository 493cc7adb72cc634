"""The number of lanes that JAX runs fastest at once, measured for the problem and the machine."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg.lab.trials.jax_engine import Lanes, run
from thalweg.methods import rules

CHUNKS = (1, 4, 16)
NARROWER = 0.9
"""More lanes are chosen only below this ratio of the time per lane: fewer lanes waste less of a chunk's remainder."""
PROBED, ROUNDS = 10, 5
"""Steps of a probe, and the number of timings."""


def fastest(problem: Any, batch_size: int) -> int:
    """The size of CHUNKS with the least time per lane, trained by Adam; the smaller one if two are about equal."""
    programs = {chunk: _probe(problem, batch_size, chunk) for chunk in CHUNKS}
    times = dict.fromkeys(CHUNKS, float("inf"))
    for _ in range(ROUNDS):  # interleaved, so that other load affects all alike
        for chunk, probe in programs.items():
            start = time.perf_counter()
            probe()
            times[chunk] = min(times[chunk], (time.perf_counter() - start) / chunk)
    return functools.reduce(lambda best, chunk: chunk if times[chunk] < NARROWER * times[best] else best, CHUNKS)


def _probe(problem: Any, batch_size: int, chunk: int) -> Callable[[], None]:
    """A compiled function that runs some steps."""
    lanes = Lanes(np.full((PROBED, chunk), 1e-3), {}, list(range(chunk)))
    at = [0, PROBED]

    def probe() -> None:
        run(problem, rules["adam"], lanes, at, batch_size, chunk)

    probe()
    return probe
