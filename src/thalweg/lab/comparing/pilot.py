"""The pilot of a training function: one run, made twice, which shows its cost, its steps and whether a seed fixes its score."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from thalweg.lab.protocol import halving, protocol
from thalweg.lab.protocol.tune import Setting
from thalweg.lab.refusal import Refusal
from thalweg.lab.running.guard import in_a_line
from thalweg.lab.running.workers import processes
from thalweg.lab.training import running, validations
from thalweg.lab.training.function import STEPS, TrainingFunction
from thalweg.lab.training.memory import LackOfMemory
from thalweg.lab.training.running import Outcome
from thalweg.lab.trials.json_cache import is_number, json_cache
from thalweg.lab.user import probe
from thalweg.lab.user.source import Source, loaded

FILE = "pilot.json"
"""The pilots' results, in the folder of a comparison: with them the same command plans the same trials."""
FIRST = ("adamw", "adam", "momentum", "sgd")
"""The rules to begin with, of those that take part."""
TRIES = 3
"""The number of rules that are tried before the function itself is held to be at fault."""
SHORT = 10.0
"""Seconds up to which a run is short, by the clock or of the processor: on a busy machine the first run is one long wait, for
packages to be read, and says little of the others."""
LONG = 120.0
"""Seconds by the clock beyond which no run is made again."""
UNLIMITED = 86_400.0
"""Seconds that a run may take if nobody says how long one may."""


@dataclass(frozen=True)
class Pilot:
    """What two runs of one setting on one seed showed.

    steps: those that a run takes. scores: the validation scores of the two runs, None if not finite. judges: whether the
    function gives a test score. stops: the share of a run's time after which it would be stopped early; None if it reports
    nothing between then and its end. validations: how many scores on the way a run computes; None if the function computes them
    itself. validating: the share of a run's time that they take. counted: the steps that the run took, 0 if nobody can see them.
    reported: the last step of which it reported a score, if it did.
    """

    rule: str
    seconds: float
    steps: int
    scores: tuple[float | None, float | None]
    judges: bool
    stops: float | None = None
    validations: int | None = None
    validating: float = 0.0
    counted: int = 0
    reported: float | None = None

    @property
    def repeats(self) -> bool:
        """Whether the second run gave what the first did."""
        return self.scores[0] == self.scores[1]


def pilot(
    source: Source,
    rules: Sequence[str],
    steps: int | None,
    out: Path,
    limit: float | None,
    jobs: int,
    devices: Sequence[str] = (),
) -> Pilot:
    """The pilot, from the folder if it ran there before. Raises Refusal for a function that no rule could be tried on.

    steps: those that the user asks for. limit: the seconds that a run may take. jobs: the runs that may go on at once. devices:
    the device of each.
    """
    problem = source.see_problem()
    assert isinstance(problem, TrainingFunction)
    key = f"{problem.fingerprint} {running.engine().version} {steps}"
    with json_cache(out / FILE, fits=_is_pilot) as kept:
        if key in kept:
            return Pilot(**{**kept[key], "scores": tuple(kept[key]["scores"])})
        first = [name for name in FIRST if name in rules]
        some = [*first, *(name for name in rules if name not in first)][:TRIES]
        with _twice(source, limit or UNLIMITED, jobs, devices) as twice:
            made = _made(source, some, steps, twice)
        kept[key] = asdict(made)
    return made


def _is_pilot(found: Any) -> bool:
    """Whether an entry of the file is a pilot's."""
    if not isinstance(found, dict) or found.keys() != {each.name for each in fields(Pilot)}:
        return False
    scores, steps = found["scores"], found["steps"]
    stops = found["stops"] is None or (is_number(found["stops"]) and found["stops"] <= 1)
    many = found["validations"] is None or (type(found["validations"]) is int and found["validations"] >= 0)
    told = found["reported"] is None or is_number(found["reported"])
    stops = stops and many and told and is_number(found["validating"]) and type(found["counted"]) is int
    both = isinstance(scores, list) and len(scores) == 2 and all(x is None or type(x) in (int, float) for x in scores)
    counts = type(steps) is int and steps > 0 and is_number(found["seconds"])
    return both and counts and stops and type(found["rule"]) is str and type(found["judges"]) is bool


def _made(source: Source, rules: Sequence[str], steps: int | None, twice: Callable[..., list[Outcome]]) -> Pilot:
    """The pilot with the first of the rules that runs."""
    seed = protocol.seeds("pilot", source.see_problem(), 0, 0, 1)[0]
    why = ""
    for name in rules:
        first, second = twice(source, name, seed, steps or STEPS)
        why = first.error or second.error or ""
        if not why:
            scores = [x if math.isfinite(x) else None for x in (first.validation, second.validation)]
            slower, taken = max(first, second, key=lambda run: run.seconds), steps or first.steps or STEPS
            last = max((step for step, _ in first.asked), default=None)
            both = scores[0], scores[1]
            made = Pilot(name, slower.seconds, taken, both, first.test is not None, counted=first.steps, reported=last)
            return _shown(made, slower)
    raise Refusal(f"{_name(source)}: {why}")


def _shown(made: Pilot, run: Outcome) -> Pilot:
    """The pilot with what a run showed of stopping and validating."""
    if not run.validated:
        return replace(made, stops=stops(run, made.steps, run.asked))
    training, each = run.seconds - run.validating, run.validating / run.validated
    count = validations.affordable(training, each)
    due = validations.Validations(count, made.steps).of(run.asked)
    seconds = training + len(due) * each
    part = len(due) * each / seconds
    return replace(made, seconds=seconds, stops=stops(run, made.steps, due), validations=count, validating=part)


def stops(run: Outcome, steps: int, scored: Sequence[tuple[float, float]]) -> float | None:
    """The share of a run's seconds until the report at which it would be stopped early, if there is one before its end.

    scored: the steps at which there is a score, each with the seconds until then.
    """
    moment = next((moment for step, moment in scored if halving.stop(steps) <= step < steps), None)
    return None if moment is None else min(1.0, moment / run.seconds)


@contextmanager
def _twice(source: Source, limit: float, jobs: int, devices: Sequence[str]) -> Iterator[Callable[..., list[Outcome]]]:
    """Context manager: a function that runs a rule twice, side by side if there may be two jobs, as the trials will be.

    It raises Refusal for what is neither the rule's nor the setting's fault.
    """
    if source.stays_here:

        def here(*arguments: Any) -> list[Outcome]:
            try:
                return [_run(*arguments), _run(*arguments)]
            except Exception as error:  # what a missing file or a lack of memory raises
                raise Refusal(f"{_name(source)}: {in_a_line(error)}") from error

        yield here
        return
    many = min(jobs, 2)
    with processes(many, devices=devices) as executor, ThreadPoolExecutor(many) as threads:

        def there(*arguments: Any) -> list[Outcome]:
            both = [threads.submit(probe.alone, executor, limit, _run, *arguments) for _ in range(2)]
            try:
                return [each.result() for each in both]
            except probe.ProbeFailed as error:
                raise Refusal(f"{_name(source)}: {error}") from error

        yield there


def _run(source: Source, name: str, seed: int, steps: int) -> Outcome:
    """Run a rule at its usual rate, in any process. A short run is timed again, without what only the first one compiles."""
    problem, known = loaded(source)
    assert isinstance(problem, TrainingFunction)
    asked = problem, known[name], Setting(known[name].lr or 0.0), seed, steps
    before = os.times()
    try:
        found = running.outcome(*asked)
    except LackOfMemory as error:  # another rule may need less
        return Outcome(math.nan, None, (), 0, 0.0, str(error))
    worked = sum(os.times()[:4]) - sum(before[:4])
    if found.error is not None or min(found.seconds, worked) > SHORT or found.seconds > LONG:
        return found
    again = running.outcome(*asked)
    return replace(again, validation=found.validation) if again.error is None and again.seconds < found.seconds else found


def _name(source: Source) -> str:
    assert source.train is not None
    return str(source.train.file or source.train.name)
