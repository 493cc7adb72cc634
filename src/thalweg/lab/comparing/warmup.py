"""Work before the first trial and after the last: compiling kernels, starting processes, writing the report. The times last
measured on this machine are stored and enter the forecast.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from thalweg.core.optimizer import Optimizer
from thalweg.engines import native
from thalweg.engines.kernel import Kernel
from thalweg.lab.comparing.contest import Contest
from thalweg.lab.training.function import TrainingFunction
from thalweg.lab.trials.configured import configured
from thalweg.lab.trials.json_cache import json_cache
from thalweg.numpy.inplace import InPlace
from thalweg.values.trees import flatten

FILE = "seconds.json"
FIRST = {"compiler": 1.0, "kernel": 0.5, "process": 2.5, "row": 0.2}
"""Default seconds, used until they are measured: importing Numba, compiling a kernel, starting a process, and an optimizer's
row on a problem (its step cost and its part of the report)."""
REPORT = 2.0
"""Seconds of a report without its rows: the imports for drawing."""


def known() -> dict[str, float]:
    """The seconds last measured on this machine, by name."""
    with json_cache(native.cache_folder() / FILE, cached=True) as kept:
        return FIRST | kept


def learn(**seconds: float) -> None:
    """Store measured seconds, if the cache folder is writable."""
    with json_cache(native.cache_folder() / FILE, cached=True) as kept:
        kept.update({name: round(value, 3) for name, value in seconds.items()})


def missing(contests: Iterable[Contest]) -> list[Kernel]:
    """The kernels of the contests' rules that are not in this machine's cache, each once.

    A user's rules are skipped, since their code must not run here. A rule is examined once for each set of shapes that a
    kernel may depend on.
    """
    found: dict[str, Kernel] = {}
    seen = set()
    for contest in contests:
        if isinstance(contest.problem, TrainingFunction):  # its parameters are its own
            continue
        params = contest.problem.init([0])
        kinds = tuple(sorted({(leaf.ndim, str(leaf.dtype)) for leaf in flatten(params)[1]}))
        for rule in {candidate.rule.name: candidate.rule for candidate in contest.candidates}.values():
            if rule.ours and (rule.name, kinds) not in seen:
                seen.add((rule.name, kinds))
                bound = InPlace(Optimizer(configured(rule, contest.problem), lanes=1, seed=np.array([0])), params)
                found.update((kernel.text, kernel) for kernel in bound.kernels())
    return [kernel for kernel in found.values() if not native.is_kept(kernel.text, kernel.title)]


def compile_all(kernels: Sequence[Kernel], report: Callable[[str], None]) -> None:
    """Compile the kernels into the cache shared by all processes. report: called with each title beforehand."""
    if not kernels:
        return
    begun = time.perf_counter()
    importlib.import_module("numba")  # the first kernel would otherwise include this import
    imported = time.perf_counter()
    for i, kernel in enumerate(kernels):
        report(f"compiling {kernel.title} ({i + 1} of {len(kernels)})")
        native.compiled(kernel.text, kernel.title)
    learn(compiler=imported - begun, kernel=(time.perf_counter() - imported) / len(kernels))


def compile_seconds(kernels: int) -> float:
    """Expected seconds to compile `kernels` kernels."""
    each = known()
    return each["compiler"] + kernels * each["kernel"] if kernels else 0.0


def report_seconds(rows: int) -> float:
    """Expected seconds to measure the step costs of `rows` rows and write the report."""
    return REPORT + rows * known()["row"]


def per_row(seconds: float, rows: int) -> float:
    """The seconds per row."""
    return max(0.01, (seconds - REPORT) / max(rows, 1))
