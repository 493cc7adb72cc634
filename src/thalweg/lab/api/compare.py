"""`lab.compare`: compare optimizers fairly on a problem and recommend one."""

from __future__ import annotations

import re
from collections.abc import Callable
from multiprocessing import current_process
from pathlib import Path
from typing import Any, Unpack

from thalweg.lab.api import logs, plan, training
from thalweg.lab.api.comparison import Comparison
from thalweg.lab.api.conduct import conduct
from thalweg.lab.api.hours import Clock
from thalweg.lab.api.options import Options, check, jobs, listed
from thalweg.lab.api.watch import Watch
from thalweg.lab.refusal import Refusal, plain, working_folder, writable
from thalweg.lab.running.workers import UNGUARDED
from thalweg.lab.store.records import FILE


def compare(train: Callable[[Any], Any] | str | Path | None = None, /, **options: Unpack[Options]) -> Comparison:
    """Compare optimizers fairly on a problem and recommend one.

    Each optimizer gets the same number of tuning trials within its own range of learning rates, is tuned on validation data,
    and is judged on test data with fresh seeds. Finished trials are stored in the folder `out`: the same call resumes there.

    Trials run in child processes. A child process imports the calling script, so call `lab.compare` under
    `if __name__ == "__main__":`. This is not needed in a notebook, or with jobs=1 and no rules or problems of your own.

    Parameters
    ----------
    train : callable, optional
        A training function of yours, as docs/training.md describes it.
    **options : Options
        All have defaults and match the options of `thalweg compare`; see `lab.Options`.

    Returns
    -------
    Comparison
        The results, the answer and the path of the report.

    Raises
    ------
    Refusal
        If the comparison is impossible; the message says why in one sentence.
    TypeError
        For an unknown option.
    RuntimeError
        If called while a child process imports the script, without the guard above.

    Examples
    --------
    >>> from thalweg import lab
    >>> found = lab.compare(problem="xor", rules=["sgd", "adam"], budget=4, seeds=3, jobs=1, out="/tmp/xor")
    >>> found.best in ("sgd", "adam")
    True
    """
    if getattr(current_process(), "_inheriting", False):  # the test that Python itself makes before it starts a process
        raise RuntimeError(UNGUARDED)
    return _compared(options if train is None else {**options, "train": train})


def _compared(options: Options) -> Comparison:
    command = options.get("command")
    try:
        check(options)
        logs.check(listed(options.get("log") or ()))
        watch = Watch(options.get("progress") or (lambda progress: None))
        repeated = plain(command or _call(options))
        if options.get("train") is not None:
            given = training.referred(options)
            out, hours = _folder(options, given.name), options.get("hours")
            _check_begun(options, out)
            clock = None if hours is None else Clock(3600 * hours, jobs(options), out, _fixed(options))
            if clock is not None and (begun := options.get("begun")) is not None:
                clock.begun = begun
            contests = training.contest(given, options, out, clock, watch.line).in_blocks()
            return _logged(Comparison(conduct(contests, out, options, repeated, watch, clock), out), options, watch)
        contests = plan.contests(options, watch.line)
        out = _folder(options, options.get("suite") or contests[0].problem.name)
        _check_begun(options, out)
        return _logged(Comparison(conduct(contests, out, options, repeated, watch), out), options, watch)
    except Refusal as error:
        if command is None:  # a Python caller passes keyword arguments, not --options
            named = re.sub(r"(?<![\w/])--([a-z]+(?:-[a-z]+)*)", lambda option: option[1].replace("-", "_"), error.message)
            raise Refusal(named) from None
        raise


def _logged(found: Comparison, options: Options, watch: Watch) -> Comparison:
    """The comparison, after the logs that are wanted of it are written."""
    for line in logs.write(listed(options.get("log") or ()), found.problems, found.out):
        watch.line(line)
    return found


def _folder(options: Options, name: str) -> Path:
    return writable(working_folder() / (options.get("out") or Path("thalweg-results") / name))  # a user's code may leave it


def _check_begun(options: Options, out: Path) -> None:
    """Raises Refusal if a report is wanted of what was never begun."""
    if options.get("report") and not (out / FILE).is_file():
        raise Refusal(f"{out}: there is nothing to report; the same command without --report begins")


def _fixed(options: Options) -> dict[str, int]:
    """The budget, the blocks and the seeds that the user chose."""
    chosen = (("budget", options.get("budget")), ("blocks", options.get("blocks")), ("seeds", options.get("seeds")))
    return {name: value for name, value in chosen if value}


def _call(options: Options) -> str:
    """The call, in a form that can be repeated."""
    told = {
        name: str(value) if isinstance(value, Path) else value
        for name, value in options.items()
        if name not in ("progress", "begun")
    }
    train = told.pop("train", None)
    first = [] if train is None else [repr(train) if isinstance(train, str) else getattr(train, "__name__", repr(train))]
    return f"lab.compare({', '.join([*first, *(f'{name}={value!r}' for name, value in told.items() if value is not None)])})"
