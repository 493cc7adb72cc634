"""What may be asked of a comparison; the command line's options have the same names."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, TypedDict

from thalweg.form.hyper import nearest
from thalweg.lab.api.progress import Progress
from thalweg.lab.protocol.protocol import SCHEDULES, SEARCHES
from thalweg.lab.refusal import Refusal
from thalweg.lab.running import executors
from thalweg.lab.running.executors import Engine
from thalweg.lab.trials import lanes

MOST = 1_000_000
"""Trials of a comparison on one problem: all are planned in advance."""


class Options(TypedDict, total=False):
    """All options of `lab.compare`. What is left out, or None, is as the protocol has it."""

    problem: str | Path | None
    """A problem of the lab's by name, or a Python file with one of yours. Default: "digits"."""
    suite: str | None
    """Several problems at once, and what they come to together: "small" or "tiny". Instead of `problem`."""
    data: str | Path | None
    """Your own data, a .csv, .parquet or .npz file (npz: keys x and y). Instead of `problem`."""
    target: str | None
    """The column of `data` to predict, for csv and parquet."""
    task: str | None
    """"classification" or "regression", where the column does not tell."""
    rules: str | Sequence[str] | None
    """The optimizers by name, in a list or separated by commas, or "all". Default: twenty well-known ones."""
    my_rule: str | Path | Sequence[str | Path]
    """Python files with rules of your own, which take part too."""
    budget: int | None
    """Settings tried for each optimizer. Default: 12, in a suite 8."""
    tune: str
    """"lr" (default): the learning rate is tuned. "all": every hyper-parameter that is a number."""
    search: str
    """"quasi-random" (default): settings are spread in advance. "optuna": proposed one after the other; this is unequal."""
    schedule: str | Sequence[str]
    """How the learning rate changes over the steps: "constant" (default), "linear", "cosine", "wsd". Of several, each trial
    draws one."""
    seeds: int | None
    """Fresh seeds on which each winner is judged. Default: 15, in a suite 5."""
    steps: int | None
    """Steps of each trial. Default: the problem's."""
    batch_size: int | None
    """Samples in a mini-batch. Default: the problem's."""
    out: str | Path | None
    """Folder for trials, results and report. Default: "thalweg-results/PROBLEM"."""
    jobs: int | None
    """Trials that run at once. Default: one a core. 1 uses no further process, unless code of yours is run."""
    engine: str | Engine | Executor
    """Who runs the trials: "processes" (default), "loky", "dask", or an Executor of your own, which is handed `jobs` at once."""
    cluster: str | None
    """The address of a running dask scheduler, whose workers run the trials."""
    wait: float | None
    """Seconds to wait while a cluster has no worker. Default: 120."""
    timeout: float | None
    """Seconds until a program of trials counts as hung. Default: 900."""
    lanes: str
    """What computes trials side by side: "numpy" (default) or "jax"."""
    progress: Callable[[Progress], None] | None
    """Called with a `Progress` again and again; `print` will do. Default: silence."""
    command: str | None
    """What to write to run this again, as results and report have it. Default: the call of `lab.compare`."""


WHOLE = ("budget", "seeds", "steps", "batch_size", "jobs")
SECONDS = ("timeout", "wait")
CHOICES: dict[str, Sequence[str]] = {
    "tune": ("lr", "all"), "search": SEARCHES, "lanes": lanes.NAMES, "task": ("classification", "regression"),
    "engine": executors.NAMES, "schedule": tuple(SCHEDULES),
}  # fmt: skip


def check(options: Options) -> None:
    """Raises TypeError for an option that is none, Refusal for a value that cannot be, and for two that exclude each other."""
    given: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    for name in given:
        if name not in Options.__annotations__:
            raise TypeError(f"lab.compare has no option {name!r}{nearest(name, Options.__annotations__)}")
    for name in WHOLE:
        if not (isinstance(given.get(name, 1), int) and given.get(name, 1) >= 1) or given.get(name) is True:
            raise Refusal(f"{name} is {given[name]!r}; wanted a whole number of at least 1")
    for name in SECONDS:
        if not (isinstance(given.get(name, 1), int | float) and 0 < given.get(name, 1) < math.inf):
            raise Refusal(f"{name} is {given[name]!r}; wanted a number of seconds")
    for name, choices in CHOICES.items():
        for word in listed(given.get(name, ())):
            if isinstance(word, str) and word not in choices:
                raise Refusal(f"no {name} is called '{word}'; there are {', '.join(choices)}{nearest(word, choices)}")
    if "suite" in given and ("problem" in given or "data" in given):
        raise Refusal("--suite names its problems itself; leave --problem and --data out")
    if "problem" in given and "data" in given:
        raise Refusal("--problem and --data are two answers to one question; give one of them")
    if "data" not in given and ("target" in given or "task" in given):
        raise Refusal("--target and --task speak of your own data; give it with --data")
    if not schedules(options):
        raise Refusal("--schedule names none; write for example --schedule cosine")


def schedules(options: Options) -> tuple[str, ...]:
    """The schedules that are asked for, each once."""
    return tuple(dict.fromkeys(listed(options.get("schedule") or "constant")))


def listed(given: Any) -> list[Any]:
    """One thing or several as a list; names in one text are separated by commas."""
    if isinstance(given, str):
        return [part.strip() for part in given.split(",") if part.strip()]
    return list(given) if isinstance(given, list | tuple) else [given]
