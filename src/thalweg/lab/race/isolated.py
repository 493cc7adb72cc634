"""Run a user's rules in a child process, so that a crash costs only their own row."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from thalweg.lab.race.run import Runner
from thalweg.lab.running.output_capture import reset
from thalweg.lab.running.workers import processes
from thalweg.lab.user import my_rule
from thalweg.lab.user.probe import ProbeFailed, alone
from thalweg.rule import Rule

LIMIT, A_STEP = 60.0, 0.1
"""Time limit of a rule in seconds: in all, and additionally per step. A step of all lanes takes milliseconds."""


@contextmanager
def isolated(paths: tuple[Path, ...], lost: Mapping[str, str], steps: int) -> Iterator[Runner]:
    """Run the rules of the files in a child process. Raises `ProbeFailed` for lost rules and for crashes."""
    limit = LIMIT + A_STEP * steps
    with processes(1) as executor:

        def run(work: Callable[..., Any], rule: Rule, *arguments: Any) -> Any:
            if rule.name in lost:
                raise ProbeFailed(lost[rule.name])
            return alone(executor, limit, _there, paths, tuple(lost), work, rule.name, *arguments)

        yield run


def _there(paths: tuple[Path, ...], lost: tuple[str, ...], work: Callable[..., Any], name: str, *arguments: Any) -> Any:
    rule = _rules(paths, lost)[name]
    reset()  # loading the file runs all of its rules on symbols
    return work(rule, *arguments)


@functools.cache
def _rules(paths: tuple[Path, ...], lost: tuple[str, ...]) -> dict[str, Rule]:
    return my_rule.load(paths, lost)
