"""The cost of one optimizer step, in interleaved measurements."""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from thalweg.core.optimizer import Optimizer
from thalweg.lab.data.problem import Problem
from thalweg.lab.running.guard import here, with_watchdog
from thalweg.lab.running.workers import processes
from thalweg.lab.store.fingerprint import fingerprint
from thalweg.lab.store.spec import engine_hash
from thalweg.lab.trials.configured import configured
from thalweg.lab.trials.json_cache import json_cache
from thalweg.lab.user.source import Source
from thalweg.numpy.inplace import InPlace
from thalweg.rule import Rule

FILE = "step_costs.json"
ROUNDS = 25
ROUND_SECONDS = 0.002
TIMEOUT = 120.0
"""Seconds allowed for all measurements if a user's rule takes part."""


def remembered_step_costs(
    source: Source, problem: Problem, rules: Sequence[Rule], reference: Rule, out: Path
) -> dict[str, float | None]:
    """`isolated_step_costs`, cached in the folder `out`."""
    with json_cache(out / FILE) as known:
        new = [rule for rule in rules if _key(rule, problem) not in known]
        found = isolated_step_costs(source, problem, new, reference) if new else {}
        known.update((_key(rule, problem), cost) for rule in new if (cost := found[rule.name]) is not None)
        return {rule.name: known.get(_key(rule, problem)) for rule in rules}


def kept_step_costs(problem: Problem, rules: Sequence[Rule], out: Path) -> dict[str, float | None]:
    """What an earlier call measured; nothing is run."""
    with json_cache(out / FILE) as known:
        return {rule.name: known.get(_key(rule, problem)) for rule in rules}


def _key(rule: Rule, problem: Problem) -> str:
    return f"{rule.name} {fingerprint(rule, problem)} on {problem.name} {problem.fingerprint} by {engine_hash()}"


def isolated_step_costs(source: Source, problem: Problem, rules: Sequence[Rule], reference: Rule) -> dict[str, float | None]:
    """`step_costs`, in a child process if there is code of the user's; None for a user's rule that ends or hangs it."""
    if not source.holds_code:
        return step_costs(problem, rules, reference)
    own = {rule.name for rule in rules if not rule.ours}
    names = [rule.name for rule in rules]
    with processes(1) as executor:
        for measured in (names, [name for name in names if name not in own]):
            with suppress(BrokenExecutor):
                answer = executor.submit(with_watchdog, here(), TIMEOUT, _costs, source, measured, reference.name).result()
                return {name: (answer.results or {}).get(name) for name in names}
    return dict.fromkeys(names)


def _costs(source: Source, names: Sequence[str], reference: str) -> dict[str, float | None]:
    rules = source.load_rules()
    return step_costs(source.load_problem(), [rules[name] for name in names], rules[reference])


def step_costs(problem: Problem, rules: Sequence[Rule], reference: Rule) -> dict[str, float | None]:
    """Each rule's time for one step on the problem's parameters, a single lane, as a multiple of the reference's.

    Includes the gradients that a method itself requests. The minimum over interleaved rounds in one thread, since other
    load can only add time; None for a rule that raises.
    """
    seeds = [0]
    params = problem.init(seeds)
    ask = functools.partial(problem.loss_and_grad, draw=next(problem.draws(seeds, problem.batch_size)))
    loss, grads = ask(params)

    def runner(rule: Rule) -> InPlace:
        return InPlace(Optimizer(configured(rule, problem), lanes=1, seed=np.array(seeds)), problem.init(seeds))

    def time_steps(bound: InPlace, count: int) -> float:
        needed = bound.optimizer.needs(loss, ask)
        start = time.perf_counter()
        for _ in range(count):
            bound.step(grads, **needed)
        return (time.perf_counter() - start) / count

    timed: dict[str, InPlace] = {}
    counts: dict[str, int] = {}
    rounds: dict[str, list[float]] = {}
    with threadpool_limits(1), np.errstate(all="ignore"):
        for rule in (reference, *rules):
            with suppress(Exception, SystemExit):  # a user's rule may raise anything, at any step
                bound = runner(rule)
                time_steps(bound, 1)
                counts[rule.name] = max(1, int(ROUND_SECONDS / max(time_steps(bound, 2), 1e-7)))
                timed[rule.name] = bound
        for _ in range(ROUNDS):
            for name in list(timed):
                try:
                    rounds.setdefault(name, []).append(time_steps(timed[name], counts[name]))
                except (Exception, SystemExit):
                    del timed[name]
    least = {name: min(rounds[name]) for name in timed}
    return {rule.name: least[rule.name] / least[reference.name] if rule.name in least else None for rule in rules}
