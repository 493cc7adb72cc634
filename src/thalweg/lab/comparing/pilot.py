"""The pilot of a training function: one run, made twice, which shows its cost, its steps and whether a seed fixes its score."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from thalweg.lab.protocol import protocol
from thalweg.lab.protocol.tune import Setting
from thalweg.lab.refusal import Refusal
from thalweg.lab.running.guard import in_a_line
from thalweg.lab.running.workers import processes
from thalweg.lab.training import running
from thalweg.lab.training.function import STEPS, TrainingFunction
from thalweg.lab.user import probe
from thalweg.lab.user.source import Source, loaded
from thalweg.values.atomic import atomic_write

FILE = "pilot.json"
"""The pilots' results, in the folder of a comparison: with them the same command plans the same trials."""
FIRST = ("adamw", "adam", "momentum", "sgd")
"""The rules to begin with, of those that take part."""
TRIES = 3
"""The number of rules that are tried before the function itself is held to be at fault."""
UNLIMITED = 86_400.0
"""Seconds that a run may take if nobody says how long one may."""


@dataclass(frozen=True)
class Pilot:
    """What two runs of one setting on one seed showed.

    steps: those that a run takes. scores: the validation scores of the two runs, None if not finite. judges: whether the
    function gives a test score.
    """

    rule: str
    seconds: float
    steps: int
    scores: tuple[float | None, float | None]
    judges: bool

    @property
    def repeats(self) -> bool:
        """Whether the second run gave what the first did."""
        return self.scores[0] == self.scores[1]


def pilot(source: Source, rules: Sequence[str], steps: int | None, out: Path, limit: float | None) -> Pilot:
    """The pilot, from the folder if it ran there before. Raises Refusal for a function that no rule could be tried on.

    steps: those that the user asks for. limit: the seconds that a run may take.
    """
    problem = source.see_problem()
    assert isinstance(problem, TrainingFunction)
    key = f"{problem.fingerprint} {running.engine().version} {steps}"
    kept = _read(out / FILE)
    if key in kept:
        return Pilot(**{**kept[key], "scores": tuple(kept[key]["scores"])})
    first = [name for name in FIRST if name in rules]
    made = _made(source, [*first, *(name for name in rules if name not in first)][:TRIES], steps, limit)
    with atomic_write(out / FILE) as file:
        json.dump({**kept, key: asdict(made)}, file)
    return made


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _made(source: Source, rules: Sequence[str], steps: int | None, limit: float | None) -> Pilot:
    if source.stays_here:
        try:
            found = _tried(source, rules, steps)
        except Exception as error:  # what a missing file or a lack of memory raises
            raise Refusal(f"{_name(source)}: {in_a_line(error)}") from error
    else:
        with processes(1) as executor:
            try:
                found = probe.alone(executor, limit or UNLIMITED, _tried, source, rules, steps)
            except probe.ProbeFailed as error:
                raise Refusal(f"{_name(source)}: {error}") from error
    if isinstance(found, str):
        raise Refusal(f"{_name(source)}: {found}")
    return found


def _name(source: Source) -> str:
    assert source.train is not None
    return str(source.train.file or source.train.name)


def _tried(source: Source, rules: Sequence[str], steps: int | None) -> Pilot | str:
    """The pilot with the first of the rules that runs; what the function raised, if none does."""
    problem, known = loaded(source)
    assert isinstance(problem, TrainingFunction)
    seed, planned, why = protocol.seeds("pilot", problem, 0, 0, 1)[0], steps or STEPS, ""
    for name in rules:
        rule = known[name]
        runs = []
        for _ in range(2):
            runs.append(running.outcome(problem, rule, Setting(rule.lr or 0.0), seed, planned))
            why = runs[-1].error or ""
            if why:
                break
        else:
            scores = [x if math.isfinite(x) else None for x in (run.validation for run in runs)]
            first, second = runs
            taken = steps or first.steps or STEPS
            return Pilot(name, min(first.seconds, second.seconds), taken, (scores[0], scores[1]), first.test is not None)
    return why
