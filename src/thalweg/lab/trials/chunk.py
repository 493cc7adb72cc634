"""How many lanes JAX had best run at once: tried, since it depends on the problem and on the machine."""

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
"""More lanes must take less than this share of the time a lane: with fewer, less is left over of a portion."""
PROBED, ROUNDS = 10, 5
"""Steps of a probe, and how often it is timed."""


def fastest(problem: Any, batch_size: int) -> int:
    """Of CHUNKS the one with the least time a lane, trained by Adam; the smaller where two are about even."""
    programs = {chunk: _probe(problem, batch_size, chunk) for chunk in CHUNKS}
    times = dict.fromkeys(CHUNKS, float("inf"))
    for _ in range(ROUNDS):  # in turn, so that whatever else the machine does falls on all
        for chunk, probe in programs.items():
            start = time.perf_counter()
            probe()
            times[chunk] = min(times[chunk], (time.perf_counter() - start) / chunk)
    return functools.reduce(lambda best, chunk: chunk if times[chunk] < NARROWER * times[best] else best, CHUNKS)


def _probe(problem: Any, batch_size: int, chunk: int) -> Callable[[], None]:
    """A function that runs some steps, once it has been compiled."""
    lanes = Lanes(np.full((PROBED, chunk), 1e-3), {}, list(range(chunk)))
    at = [0, PROBED]

    def probe() -> None:
        run(problem, rules["adam"], lanes, at, batch_size, chunk)

    probe()
    return probe
