"""The options of a comparison. The command line's options have the same names."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, TypedDict

from thalweg.form.hyper import nearest
from thalweg.lab.api.logs import PACKAGES
from thalweg.lab.api.progress import Progress
from thalweg.lab.protocol import halving
from thalweg.lab.protocol.protocol import SCHEDULES, SEARCHES
from thalweg.lab.refusal import Refusal
from thalweg.lab.running import devices, executors
from thalweg.lab.running.executors import Engine
from thalweg.lab.training.function import BETTER
from thalweg.lab.trials import lanes

RANGES = ("declared", "measured")
MOST = 1_000_000
"""The largest number of trials on one problem: all are planned in advance."""


class Options(TypedDict, total=False):
    """All options of `lab.compare`. A missing option, or None, takes the protocol's default."""

    train: Callable[[Any], Any] | str | Path | None
    """A training function of yours, or a file with one: "mine.py" (its function `train`) or "mine.py:function"."""
    better: str
    """Which scores of the training function are better: "higher" (default) or "lower"."""
    hours: float | None
    """The time for a comparison of a training function, which decides the budget and the seeds."""
    problem: str | Path | None
    """The name of a built-in problem, or a Python file that defines one. Default: "autoencoder"."""
    suite: str | None
    """A suite of problems to run and aggregate: "small", "full" or "tiny". Excludes `problem`."""
    data: str | Path | None
    """Your own data: a file with a table (.csv, .tsv, .txt, .parquet) or with arrays x and y (.npz). Excludes `problem`."""
    target: str | None
    """The column of `data` to predict, if it is a table."""
    ignore: str | Sequence[str]
    """Columns of `data` to leave out, each by its name."""
    strict: bool
    """Whether to refuse `data` in which anything is doubtful, instead of repairing it and saying how."""
    task: str | None
    """"classification" or "regression", if it cannot be inferred from the column."""
    rules: str | Sequence[str] | None
    """The optimizers' names, in a list or separated by commas, or "all". Default: twenty well-known ones."""
    my_rule: str | Path | Sequence[str | Path]
    """Python files with rules of your own, which are compared too; "mine.py:name" for one of those in a file."""
    budget: int | None
    """Tuning trials of each optimizer. Default: 12, in a suite 8."""
    blocks: int | None
    """How often each optimizer is tuned anew, and the data split anew where the lab splits them. Default: 1."""
    tune: str
    """"lr" (default): tune the learning rate. "all": tune every numeric hyper-parameter."""
    early_stopping: str | None
    """"halving": the worse half of an optimizer's first tuning runs of a training function stop after an eighth of the steps, by
    what the function reports. "none": all run whole. Default: "halving" with `hours`, otherwise "none"."""
    search: str
    """Search method: "quasi-random" (default), spread in advance; or "optuna", adaptive, so tuning is unequal."""
    ranges: str
    """Ranges of learning rates: "declared" (default), each rule's own; or "measured", of which those move whose best rates in the
    bank, on other data than the problem's, are surely around another middle."""
    schedule: str | Sequence[str]
    """Learning-rate schedule: "constant" (default), "linear", "cosine" or "wsd". If several, each trial draws one."""
    seeds: int | None
    """Fresh seeds on which each tuned optimizer is judged. Default: 15, in a suite 5, in each of several blocks 2."""
    margin: float | None
    """The largest difference of scores that does not matter to you, of shares in percentage points. Default: what the test
    samples cannot show."""
    steps: int | None
    """Steps per trial. Default: the problem's."""
    batch_size: int | None
    """Samples per mini-batch. Default: the problem's."""
    report: bool
    """Whether to run nothing, and to report what earlier, unfinished calls with the same options left in `out`."""
    out: str | Path | None
    """Folder for trials, results and report. Default: "thalweg-results/PROBLEM"."""
    jobs: int | None
    """Parallel jobs. Default: one per core, or one per device. 1 starts no child process, unless code of yours is run."""
    devices: str | Sequence[str] | None
    """The devices of a training function's trials, such as "cuda:0,cuda:1", each of which runs one at a time. Default: all trials
    see all devices."""
    engine: str | Engine | Executor
    """Executor of the trials: "processes" (default), "loky", "dask", or your own Executor, which gets `jobs` at once."""
    cluster: str | None
    """The address of a running dask scheduler, whose workers run the trials."""
    wait: float | None
    """Seconds to wait for a cluster without workers. Default: 120."""
    timeout: float | None
    """Seconds after which a chunk of trials counts as hung. Default: 900."""
    lanes: str
    """Backend that runs trials as lanes of one program: "numpy" (default) or "jax"."""
    log: str | Sequence[str] | None
    """Also log the results: "tensorboard" (into the folder tensorboard in `out`), "mlflow" (where MLflow's own settings say), or
    both. Their libraries are optional."""
    progress: Callable[[Progress], None] | None
    """Callback that receives `Progress` objects, for example `print`. Default: none."""
    begun: float | None
    """The moment, of `time.perf_counter`, from which `hours` count. Default: that of the call."""
    command: str | None
    """The command that repeats this run, as shown in results and report. Default: the call of `lab.compare`."""


WHOLE = ("budget", "blocks", "seeds", "steps", "batch_size", "jobs")
SECONDS = {"timeout": "seconds", "wait": "seconds", "hours": "hours"}
CHOICES: dict[str, Sequence[str]] = {
    "tune": ("lr", "all"), "search": SEARCHES, "ranges": RANGES, "lanes": lanes.NAMES, "task": ("classification", "regression"),
    "early_stopping": halving.NAMES, "engine": executors.NAMES, "better": BETTER, "schedule": tuple(SCHEDULES),
    "log": tuple(PACKAGES),
}  # fmt: skip


def check(options: Options) -> None:
    """Raises TypeError for an unknown option, Refusal for an invalid value or for options that exclude each other."""
    given: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    for name in given:
        if name not in Options.__annotations__:
            raise TypeError(f"lab.compare has no option {name!r}{nearest(name, Options.__annotations__)}")
    for name in WHOLE:
        if not (isinstance(given.get(name, 1), int) and given.get(name, 1) >= 1) or given.get(name) is True:
            raise Refusal(f"{name} is {given[name]!r}; wanted a whole number of at least 1")
    for name, unit in SECONDS.items():
        if not (isinstance(given.get(name, 1), int | float) and 0 < given.get(name, 1) < math.inf):
            raise Refusal(f"{name} is {given[name]!r}; wanted a number of {unit}")
    margin = given.get("margin", 0.0)
    if isinstance(margin, bool) or not (isinstance(margin, int | float) and 0 <= margin < math.inf):
        raise Refusal(f"margin is {margin!r}; wanted a difference of scores, a number from 0 on")
    for name, choices in CHOICES.items():
        for word in listed(given.get(name, ())):
            if isinstance(word, str) and word not in choices:
                raise Refusal(f"no {name} is called '{word}'; there are {', '.join(choices)}{nearest(word, choices)}")
    _check_training(given)
    _check_devices(given)
    if "suite" in given and ("problem" in given or "data" in given):
        raise Refusal("--suite names its problems itself; leave --problem and --data out")
    if "suite" in given and "blocks" in given:
        raise Refusal("--suite tunes each optimizer anew on every problem, which is what --blocks does on one; leave it out")
    if "problem" in given and "data" in given:
        raise Refusal("--problem and --data are two answers to one question; give one of them")
    for name in ("target", "task", "ignore", "strict"):
        if "data" not in given and given.get(name):
            raise Refusal(f"--{name} speaks of your own data; give it with --data")
    if not schedules(options):
        raise Refusal("--schedule names none; write for example --schedule cosine")


def _check_training(given: dict[str, Any]) -> None:
    """Raises Refusal for options that do not go with a training function, or only with one."""
    if "train" in given:
        for name in ("problem", "suite", "data", "batch_size"):
            if name in given:
                raise Refusal(f"--train is the problem, and its loop draws the batches; leave --{name.replace('_', '-')} out")
        if given.get("lanes", "numpy") != "numpy":
            raise Refusal("a training function runs as it is, without lanes; leave --lanes out")
        if given.get("early_stopping") == "halving" and given.get("search", SEARCHES[0]) != SEARCHES[0]:
            raise Refusal("--early-stopping halves settings that are spread in advance; leave it or --search out")
        return
    for name in ("hours", "better", "early_stopping", "devices"):
        if name in given:
            raise Refusal(f"--{name.replace('_', '-')} is for a training function of yours; give it with --train")


def _check_devices(given: dict[str, Any]) -> None:
    """Raises Refusal for devices that cannot be, or that no process can be given."""
    if "devices" not in given:
        return
    names = listed(given["devices"])
    if not names:
        raise Refusal("--devices names none; write for example --devices cuda:0,cuda:1")
    devices.check(names)
    if given.get("jobs", len(names)) < len(names):
        raise Refusal(f"--jobs {given['jobs']} is fewer than the {len(names)} --devices; name fewer, or leave --jobs out")
    if "cluster" in given:
        raise Refusal(
            "--devices speaks of this machine; start each worker of a cluster with its own, for example "
            f"{devices.VISIBLE}=1 dask worker tcp://HOST:8786 --nthreads 1"
        )
    if not isinstance(given.get("engine", ""), str):
        raise Refusal(f"--devices is for the lab's processes; let your executor start its own with {devices.VISIBLE} set in each")


def jobs(options: Options) -> int:
    """The number of parallel jobs."""
    return options.get("jobs") or len(listed(options.get("devices") or ())) or executors.cores()


def device_of_each(options: Options, jobs: int) -> tuple[str, ...]:
    """The device of each of so many parallel jobs; none if they have none of their own."""
    return devices.spread(listed(options.get("devices") or ()), jobs)


def ignored(options: Options) -> tuple[str, ...]:
    """The columns to ignore. A name may contain a comma, so a string is one name."""
    given = options.get("ignore") or ()
    return tuple(map(str, given)) if isinstance(given, list | tuple) else (str(given),)


def schedules(options: Options) -> tuple[str, ...]:
    """The requested schedules, without duplicates."""
    return tuple(dict.fromkeys(listed(options.get("schedule") or "constant")))


def listed(given: Any) -> list[Any]:
    """One or several values as a list. A string is split at commas."""
    if isinstance(given, str):
        return [part.strip() for part in given.split(",") if part.strip()]
    return list(given) if isinstance(given, list | tuple) else [given]
