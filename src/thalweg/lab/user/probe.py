"""Load a user's files in a child process first, so that code that ends or hangs Python does no harm here."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np

from thalweg.lab.data.problem import Params, Problem, RunsElsewhere, Score
from thalweg.lab.refusal import Refusal
from thalweg.lab.running import output_capture
from thalweg.lab.running.guard import here, with_watchdog
from thalweg.lab.running.workers import Died, processes
from thalweg.lab.trials import trials
from thalweg.lab.user import my_problem, my_rule
from thalweg.rule import Rule
from thalweg.values import trees

LIMIT = 150.0
"""Time limit of a probe in seconds. A single call of a user's function has 60; see `user_file`."""


class ProbeFailed(Exception):
    """Raised if a user's code ended or hung its process; a one-line message."""


def rules(paths: Iterable[Path]) -> tuple[tuple[Path, ...], tuple[tuple[str, str], ...]]:
    """The distinct files with rules that can run, and the lost rules with the reasons.

    If loading a file ends or hangs Python, the result is one lost rule named after the file. Raises Refusal for a file that
    raises or has no rules, and for two rules of the same name.
    """
    readable, lost, home = [], [], dict[str, Path]()
    with processes(1) as executor:
        for path in {path.resolve(): path for path in paths}.values():
            try:
                names: list[str] = alone(executor, LIMIT, _names, path)
            except ProbeFailed as error:
                lost.append((path.name, str(error)))
                continue
            readable.append(path)
            my_rule.refuse_twice(path, names, home)
            for name in names:
                try:
                    alone(executor, LIMIT, _try, path, name)
                except ProbeFailed as error:
                    lost.append((name, str(error)))
    return tuple(readable), tuple(lost)


def problem(path: Path) -> ProbedProblem:
    """The description of the problem in a file, without running it in this process. Raises Refusal if there is none."""
    with processes(1) as executor:
        try:
            found, seconds = alone(executor, LIMIT, _see, path)
        except ProbeFailed as error:
            raise Refusal(f"{path}: {error}") from error
    trials.know_gradient(found, seconds)
    seen: ProbedProblem = found
    return seen


@final
@dataclass(eq=False)
class ProbedProblem(RunsElsewhere):
    """The description of a problem: everything that a comparison needs except the runs, made in other processes."""

    name: str
    about: str
    score: Score
    steps: int
    batch_size: int
    train_size: int
    test_size: int
    fingerprint: str
    start: Params
    not_here = "the problem is run in processes of its own; Source.load_problem runs it here"

    def init(self, seeds: Sequence[int]) -> Params:
        """The start of seed 0, which shows the parameters' number and shapes."""
        names, leaves = trees.flatten(self.start)
        lanes = {name: np.repeat(leaf, len(seeds), axis=0) for name, leaf in zip(names, leaves, strict=True)}
        return trees.rebuild(self.start, lanes)


def described(own: Problem) -> ProbedProblem:
    """The description of a problem, without its data."""
    what = (own.name, own.about, own.score, own.steps, own.batch_size, own.train_size, own.test_size, own.fingerprint)
    return ProbedProblem(*what, own.init([0]))


def alone(executor: Executor, limit: float, work: Callable[..., Any], *arguments: Any) -> Any:
    """Run work(*arguments) in the executor's process for at most `limit` seconds.

    Raises the work's Refusal, and ProbeFailed if it raises anything else, ends the process or hangs.
    """
    try:
        answer = executor.submit(with_watchdog, here(), limit, _said, work, *arguments).result()
    except Died as died:
        raise ProbeFailed(died.in_words(limit)) from died
    if answer.failure is not None:
        raise ProbeFailed(answer.failure)
    found, refused, lost = answer.results
    if refused is not None:
        raise Refusal(refused)
    if lost is not None:
        raise ProbeFailed(lost)
    return found


def _said(work: Callable[..., Any], *arguments: Any) -> tuple[Any, str | None, str | None]:
    """The work's result, or the message of its Refusal or timeout."""
    try:
        return work(*arguments), None, None
    except Refusal as error:
        why = output_capture.annotate(error.message)
        return (None, None, why) if isinstance(error.__cause__, TimeoutError) else (None, why, None)


@functools.cache
def _declared(path: Path) -> dict[str, Rule]:
    return my_rule.declared(path)


def _names(path: Path) -> list[str]:
    return list(_declared(path))


def _try(path: Path, name: str) -> None:
    my_rule.checked(path, _declared(path)[name])


def _see(path: Path) -> tuple[ProbedProblem, float]:
    own = my_problem.load(path)
    return described(own), trials.gradient_seconds(own)
