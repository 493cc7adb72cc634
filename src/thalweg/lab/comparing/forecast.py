"""Forecast of a comparison's duration: time the gradients of each problem and the steps of each rule."""

from __future__ import annotations

import functools
import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from thalweg.core.optimizer import Optimizer
from thalweg.form.hyper import Role
from thalweg.lab.comparing import warmup
from thalweg.lab.comparing.contest import Contest, Settings, by_problem
from thalweg.lab.data.problem import Problem
from thalweg.lab.protocol import protocol, tune
from thalweg.lab.running.executors import Engine
from thalweg.lab.running.guard import here, with_watchdog
from thalweg.lab.running.workers import Processes
from thalweg.lab.trials.configured import configured
from thalweg.lab.trials.trials import at_once
from thalweg.lab.user.source import loaded
from thalweg.numpy.inplace import InPlace
from thalweg.rule import Rule
from thalweg.values.trees import flatten

LANES = 12
"""Lanes of a timed program; a lane of a larger program costs about as much."""
SECONDS = 0.1
"""Seconds of timing, after a first round that is not timed."""
LEAST = 5
"""The least number of rounds: a kernel may be compiled in one of them."""
LONG = 2.0
"""Seconds after which no further round is timed: a step that takes so long needs no median."""
PATIENCE = 60.0
"""Seconds allowed for timing a user's problem."""
MOST = 25
"""The most rounds."""
ENDS = 2
"""The number of problems on which a rule's steps are timed: the smallest and the largest."""

Steps = dict[str, dict[int, float]]
"""The seconds of a rule's step beside its gradients, by the number of parameters, of the problems on which it was timed."""


@dataclass(frozen=True)
class Forecast:
    """The core-seconds of the trials to run, the number of trials, the number in the store, and the serial seconds, such as
    those of the report.
    """

    core_seconds: float
    trials: int
    stored: int
    besides: float = 0.0

    def sentence(self, jobs: int) -> str:
        """The forecast in words: "about 31 minutes on 2 cores; 0 of 7,000 trials in the store"."""
        if self.stored == self.trials:
            return f"all of {self.trials:,} trials are in the store; about {humanize(self.besides)} for the report"
        if math.isnan(self.core_seconds):
            return f"{self.stored:,} of {self.trials:,} trials in the store"
        cores = f"{jobs} core{'s' if jobs > 1 else ''}"
        seconds = self.core_seconds / jobs + self.besides
        return f"about {humanize(seconds)} on {cores}; {self.stored:,} of {self.trials:,} trials in the store"


def forecast(contests: Iterable[Contest], stored: Mapping[tuple[str, str], int], by: Engine | None = None) -> Forecast:
    """Forecast the remaining work. stored: the number of stored trials by contest's title and candidate's label.
    by: the engine that times a user's problem, whose code must not run in this process.

    Gradients and evaluations are timed on each problem. The steps of a rule are timed on the problems with the fewest and the
    most parameters; those between lie on the line through both, as a step has a part that grows with the parameters and one,
    by far the larger on small problems, that does not. A user's rule, whose code must not run here, is assumed to cost as
    much as the most expensive other rule, plus the compilation of a kernel. The other kernels are already compiled. The start
    of processes and the report are included, with the times last measured on this machine.
    """
    contests = list(contests)
    known: Steps = {}
    seconds, count, there, rows = 0.0, 0, 0, 0
    for blocks in _ends_first(by_problem(contests)):
        left, rules = Counter[str](), {candidate.rule.name: candidate.rule for candidate in blocks[0].candidates}
        for block in blocks:
            for candidate in block.candidates:
                done = stored.get((block.title, candidate.label), 0)
                left[candidate.rule.name] += max(0, block.trials_of(candidate) - done)
                count, there = count + block.trials_of(candidate), there + done
        some = [rule for name, rule in rules.items() if left[name]]
        if some:
            each = _each(blocks[0], some, by, known)
            seconds += sum(left[rule.name] * each[rule.name] for rule in some)
        rows += sum(candidate.compared for candidate in blocks[0].candidates)
    usual = warmup.known()
    if count > there:
        seconds += warmup.compile_seconds(len({e.rule.name for c in contests for e in c.candidates if not e.rule.ours}))
        if by is not None and isinstance(by.executor, Processes):
            seconds += by.jobs * usual["process"]
    return Forecast(seconds, count, there, warmup.report_seconds(rows))


def _ends_first(problems: list[list[Contest]]) -> list[list[Contest]]:
    """The problem with the fewest parameters, then that with the most, then the others."""
    if len(problems) < 2:
        return problems
    few, *between, many = sorted(problems, key=lambda blocks: _parameters(blocks[0].problem))
    return [few, many, *between]


def _parameters(problem: Problem) -> int:
    return sum(leaf.size for leaf in flatten(problem.init([0]))[1])


def _each(contest: Contest, rules: Sequence[Rule], by: Engine | None, known: Steps) -> dict[str, float]:
    """The seconds of a trial of each rule. known: as for `trial_seconds`."""
    settings, names = contest.settings, tuple(rule.name for rule in rules)
    if settings.pilot is not None:
        return dict.fromkeys(names, settings.pilot.seconds * contest.cost / contest.trials)
    if by is not None and settings.source.own_problem:
        return _timed_by(by, settings, names)
    return trial_seconds(contest.problem, rules, settings.steps, settings.batch_size, known)


def trial_seconds(problem: Problem, rules: Sequence[Rule], steps: int, batch_size: int, known: Steps) -> dict[str, float]:
    """Seconds per trial of each rule in one thread, as one lane of several.

    known: what was timed on other problems. A rule that was timed on fewer than two is timed on this one, and added.
    """
    lanes = min(LANES, *(at_once(problem, rule, steps) for rule in rules))
    seeds, size = list(range(lanes)), _parameters(problem)
    with threadpool_limits(1), np.errstate(all="ignore"):
        params = problem.init(seeds)
        draws = problem.draws(seeds, batch_size)
        gradient = _timed(lambda: problem.loss_and_grad(params, next(draws))) / lanes
        evaluation = _timed(lambda: problem.validate(params, seeds)) / lanes
        for rule in rules:
            timed = known.setdefault(rule.name, {})
            if len(timed) < ENDS and rule.ours:
                timed[size] = max(0.0, step_seconds(problem, rule, seeds, batch_size) / lanes - gradient * _more(rule))
    step = {name: _between(timed, size) for name, timed in known.items() if timed}
    most = max(step.values(), default=0.0)
    fixed = evaluation * len(protocol.evaluated_at(steps))
    return {rule.name: fixed + steps * (gradient * (1 + _more(rule)) + step.get(rule.name, most)) for rule in rules}


def _between(timed: Mapping[int, float], size: int) -> float:
    """The seconds at a size, on the line through the two that were timed."""
    sizes = sorted(timed)
    return float(np.interp(size, sizes, [timed[each] for each in sizes]))


def _timed_by(by: Engine, settings: Settings, names: tuple[str, ...]) -> dict[str, float]:
    """`trial_seconds` in a worker process; NaN if the user's code raises, hangs or ends it."""
    executor = by.executor if isinstance(by.executor, Executor) else by.executor()
    answer = None
    with suppress(Exception):  # each engine has its own exception for a dead process
        answer = executor.submit(with_watchdog, here(), PATIENCE, _there, settings, names).result()
    found: dict[str, float] = answer.results if answer and answer.results else dict.fromkeys(names, math.nan)
    return found


def _there(settings: Settings, names: tuple[str, ...]) -> dict[str, float]:
    problem, rules = loaded(settings.source)
    return trial_seconds(problem, [rules[name] for name in names], settings.steps, settings.batch_size, {})


def step_seconds(problem: Problem, rule: Rule, seeds: Sequence[int], batch_size: int) -> float:
    """Seconds of one step of all lanes, including gradients that the rule itself requests."""
    ask = functools.partial(problem.loss_and_grad, draw=next(problem.draws(seeds, batch_size)))
    params = problem.init(seeds)
    loss, grads = ask(params)
    rate = tune.rate([tune.Setting(rule.lr or 0.0)] * len(seeds), 1)
    optimizer = Optimizer(configured(rule, problem), lr=rate, seed=np.array(seeds), lanes=len(seeds))
    bound, needed = InPlace(optimizer, params), optimizer.needs(loss, ask)
    return _timed(lambda: bound.step(grads, **needed))


def _timed(work: Callable[[], object]) -> float:
    """The median seconds of a round, over as many as there is time for, after one that is not timed."""
    work()
    begun = time.perf_counter()
    taken: list[float] = []
    while time.perf_counter() - begun < (SECONDS if len(taken) >= LEAST else LONG) and len(taken) < MOST:
        last = time.perf_counter()
        work()
        taken.append(time.perf_counter() - last)
    return float(np.median(taken))


def _more(rule: Rule) -> float:
    """The average number of gradients per step besides the first, if it is fixed."""
    parts = rule().functions
    looks: float = sum(1 / part.value_of(Role.INTERVAL, 1) for part in parts if "curvature" in part.asks)
    return sum(len(part.trace.evaluations) for part in parts) + looks


def humanize(seconds: float) -> str:
    """A duration in words: "31 minutes"."""
    for unit, size in (("hour", 3600), ("minute", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}s"
    whole = max(1, round(seconds))
    return f"{whole} second{'s' if whole > 1 else ''}"
