"""Rules with fewer trials in a suite because their step is expensive: timed once and stored beside the trials."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from thalweg.lab.comparing.contest import Contest
from thalweg.lab.comparing.forecast import LANES, step_seconds
from thalweg.lab.data.problem import Problem
from thalweg.lab.protocol import protocol
from thalweg.lab.trials.json_cache import json_cache
from thalweg.rule import Rule

FILE = "step_seconds.json"
EACH = 0.2
"""Approximate seconds needed to time a rule on a problem."""


def unknown(contests: Iterable[Contest], out: Path) -> int:
    """The number of (rule, problem) pairs that are not timed yet in this folder."""
    with json_cache(out / FILE) as known:
        return sum(_key(rule, c.problem) not in known for c in contests for rule in _rules(c))


def _rules(contest: Contest) -> list[Rule]:
    return [candidate.rule for candidate in contest.candidates if candidate.compared and candidate.rule.ours]


def _key(rule: Rule, problem: Problem) -> str:
    return f"{rule.name} on {problem.name}"


def budgets(problem: Problem, rules: Sequence[Rule], budget: int, batch_size: int, out: Path) -> dict[str, int]:
    """Tuning trials of each rule on a problem: the budget, or a part of it if a step per lane is slow.

    A time measured once in the folder `out` is kept, so that a resumed run equals the original one. A user's rule, whose
    code must not run here, has the whole budget.
    """
    ours = [rule for rule in rules if rule.ours]
    seeds = list(range(LANES))
    with json_cache(out / FILE) as known, threadpool_limits(1), np.errstate(all="ignore"):
        for rule in ours:
            if (key := _key(rule, problem)) not in known:
                known[key] = step_seconds(problem, rule, seeds, batch_size) / LANES
    expensive = {rule.name: known[_key(rule, problem)] for rule in ours}
    return {rule.name: protocol.trials(budget, expensive.get(rule.name, 0.0)) for rule in rules}
