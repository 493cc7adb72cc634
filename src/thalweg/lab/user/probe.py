"""Files of the user's own are looked at in another process first: what ends or hangs Python there ends nothing here."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np

from thalweg.lab.data.problem import Floats, Params, Score
from thalweg.lab.refusal import Refusal
from thalweg.lab.running import output_capture
from thalweg.lab.running.guard import here, with_watchdog
from thalweg.lab.running.workers import Died, processes
from thalweg.lab.trials import trials
from thalweg.lab.user import my_problem, my_rule
from thalweg.rule import Rule
from thalweg.values import trees

LIMIT = 150.0
"""Seconds until a look ends its process: one call of a user's function has 60, see `user_file`."""


class ProbeFailed(Exception):
    """What the user's code did to its process, in a line."""


def rules(paths: Iterable[Path]) -> tuple[tuple[Path, ...], tuple[tuple[str, str], ...]]:
    """The files in which there is anything to run, each once, and the rules that are lost: name, and why.

    Where reading a file ends or hangs Python nothing is left but a lost rule called as the file is. Raises Refusal, in one
    sentence, for what can be said of a file that raises, or has no rule in it, and for two rules of one name.
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
    """The problem in a file, as far as it can be known without running it here. Raises Refusal, in one sentence, where
    there is none.
    """
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
class ProbedProblem:
    """What is known of a problem of the user's: all that a comparison asks but its runs, which other processes do."""

    name: str
    about: str
    score: Score
    steps: int
    batch_size: int
    train_size: int
    fingerprint: str
    start: Params

    def init(self, seeds: Sequence[int]) -> Params:
        """The start of seed 0, which says how many numbers there are, and of what shapes."""
        names, leaves = trees.flatten(self.start)
        lanes = {name: np.repeat(leaf, len(seeds), axis=0) for name, leaf in zip(names, leaves, strict=True)}
        return trees.rebuild(self.start, lanes)

    def draws(self, seeds: Sequence[int], batch_size: int) -> Iterator[Any]:
        raise NotImplementedError(NOT_HERE)

    def loss_and_grad(self, params: Params, draw: Any) -> tuple[Floats, Params]:
        raise NotImplementedError(NOT_HERE)

    def validate(self, params: Params, seeds: Sequence[int]) -> tuple[Floats, Floats]:
        raise NotImplementedError(NOT_HERE)

    def test(self, params: Params, seeds: Sequence[int]) -> tuple[Floats, Floats]:
        raise NotImplementedError(NOT_HERE)


NOT_HERE = "the user's code is run in processes of its own; Source.load_problem runs it here"


def alone(executor: Executor, limit: float, work: Callable[..., Any], *arguments: Any) -> Any:
    """work(*arguments), done by the executor's process, which it may take `limit` seconds.

    Raises Refusal as the work does, and ProbeFailed where it raises anything else, ends that process, or hangs.
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
    """What came of it, or the sentence in which it was refused, or in which it hung."""
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
    what = (own.name, own.about, own.score, own.steps, own.batch_size, own.train_size, own.fingerprint)
    return ProbedProblem(*what, own.init([0])), trials.gradient_seconds(own)
