"""`lab.compare`: optimizers compared fairly on a problem, and which one to use."""

from __future__ import annotations

import re
from multiprocessing import current_process
from pathlib import Path
from typing import Unpack

from thalweg.lab.api import plan
from thalweg.lab.api.comparison import Comparison
from thalweg.lab.api.conduct import conduct
from thalweg.lab.api.options import Options, check
from thalweg.lab.api.watch import Watch
from thalweg.lab.plain import plain
from thalweg.lab.refusal import Refusal, writable
from thalweg.lab.running.workers import UNGUARDED


def compare(**options: Unpack[Options]) -> Comparison:
    """Compare optimizers fairly on a problem, and say which one to use.

    Each gets the same number of trials from its own range of learning rates, is tuned on validation data, and is judged on
    test data with fresh seeds. Finished trials are kept in the folder `out`: the same call goes on where it was stopped.

    Trials run in processes of their own. In a script they import the script, so call it under `if __name__ == "__main__":`;
    in a notebook, or with jobs=1 and no code of yours among what is compared, that is not needed.

    Parameters
    ----------
    **options : Options
        problem, suite, data, target, task: on what. rules, my_rule: which optimizers. budget, tune, search, schedule, seeds,
        steps, batch_size: how. out, jobs, engine, cluster, wait, timeout, lanes: where, and by whom. progress: who is told how
        far it is. All have defaults; `lab.Options` says what each may be. They are the options of `thalweg compare`.

    Returns
    -------
    Comparison
        The results, the answer, and where the report is.

    Raises
    ------
    Refusal
        For what cannot be done, in one sentence.
    TypeError
        For an option that is none.
    RuntimeError
        In a script without the guard above.

    Examples
    --------
    >>> from thalweg import lab
    >>> found = lab.compare(problem="xor", rules=["sgd", "adam"], budget=4, seeds=3, jobs=1, out="/tmp/xor")
    >>> found.best in ("sgd", "adam")
    True
    """
    if getattr(current_process(), "_inheriting", False):  # what Python itself asks before it starts a process
        raise RuntimeError(UNGUARDED)
    return _compared(options)


def _compared(options: Options) -> Comparison:
    command = options.get("command")
    try:
        check(options)
        watch = Watch(options.get("progress") or (lambda progress: None))
        contests = plan.contests(options, watch.line)
        out = writable(Path(options.get("out") or Path("thalweg-results") / (options.get("suite") or contests[0].problem.name)))
        return Comparison(conduct(contests, out, options, plain(command or _call(options)), watch), out)
    except Refusal as error:
        if command is None:  # who calls in Python knows no --options
            named = re.sub(r"(?<![\w/])--([a-z]+(?:-[a-z]+)*)", lambda option: option[1].replace("-", "_"), error.message)
            raise Refusal(named) from None
        raise


def _call(options: Options) -> str:
    """The call, as it can be written again."""
    told = {name: str(value) if isinstance(value, Path) else value for name, value in options.items() if name != "progress"}
    return f"lab.compare({', '.join(f'{name}={value!r}' for name, value in told.items() if value is not None)})"
