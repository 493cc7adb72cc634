"""How the trials of comparisons are run: those of all phases in one queue, each stored as it ends."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Protocol

from thalweg.lab.comparing.contest import Contest
from thalweg.lab.comparing.phases import Phase, Report, tuning, untuned
from thalweg.lab.data.problem import Problem
from thalweg.lab.running.executors import Engine, engine
from thalweg.lab.running.output_capture import reset
from thalweg.lab.running.sweep import WorkItem, sweep
from thalweg.lab.store.spec import TrialSpec
from thalweg.lab.store.store import Store
from thalweg.lab.training import running
from thalweg.lab.training.function import TrainingFunction
from thalweg.lab.trials import lanes, trials
from thalweg.lab.trials.lanes import LaneEngine
from thalweg.lab.trials.trials import Trial
from thalweg.lab.trials.xla import jax_version
from thalweg.lab.user.source import Source, loaded


def run(
    contests: Sequence[Contest],
    kept: Store,
    report: Report,
    by: Engine | None = None,
    before: Callable[[Mapping[tuple[str, str], int]], None] = lambda stored: None,
    pace: Pace | None = None,
) -> bool:
    """Run all trials of the contests that are not in the store yet, and hand the results to the candidates.

    by: the engine; default: this process, or a child process for code of the user's. before: called once the store has been
    searched, with the number of stored trials by contest's title and candidate's label; see `forecast`. pace: says whether there
    is time for more. Returns whether all trials are there.
    """
    comparison = _Comparison(kept, report, pace)
    everyone = [(contest, candidate) for contest in contests for candidate in contest.candidates]
    everyone.sort(key=lambda both: -trials.usual_cost(both[1].rule).bytes_moved)  # the most expensive first
    for contest, candidate in everyone:
        comparison.begin(tuning(contest, candidate))
        if candidate.compared and candidate.tuned:
            comparison.begin(untuned(contest, candidate))
    before(comparison.stored)
    isolated = any(contest.settings.source.holds_code for contest in contests)
    with nullcontext(by) if by is not None else engine("processes", 1, isolated=isolated) as found:
        return comparison.go_on(found, max(contest.settings.timeout for contest in contests))


class Pace(Protocol):
    """What watches the time of a comparison."""

    def ended(self, phase: Phase, trials: int) -> None:
        """So many trials of a phase have run."""

    def goes_on(self) -> bool:
        """Whether there is time to begin another trial."""


@dataclass
class _Comparison:
    """The queue of trials: those of the current phases and of the phases that follow."""

    kept: Store
    report: Report
    pace: Pace | None = None
    waiting: deque[WorkItem] = field(default_factory=deque)
    stored: Counter[tuple[str, str]] = field(default_factory=Counter)

    def begin(self, phase: Phase | None) -> None:
        """Take a phase's stored trials and queue the others."""
        while phase is not None:
            specs = phase.specs
            if why := dict(phase.contest.settings.source.lost).get(phase.candidate.rule.name):
                self.kept.note([(spec, _failed(spec, why)) for spec in specs])
            known = self.kept.find(spec.key for spec in specs)
            missing = [spec for spec in specs if spec.key not in known]
            phase.left = len(missing)
            self.stored[phase.contest.title, phase.candidate.label] += len(specs) - len(missing)
            self.report(phase, len(specs) - len(missing))
            if missing:
                self._line_up(phase, missing)
                return
            phase = phase.then([known[spec.key] for spec in specs])

    def _line_up(self, phase: Phase, missing: list[TrialSpec]) -> None:
        settings, problem, rule = phase.contest.settings, phase.contest.problem, phase.candidate.rule
        size = phase.contest.at_once(rule)
        row = f"{rule.name} on {problem.name}"
        some = (missing[i : i + size] for i in range(0, len(missing), size))
        self.waiting.extend(WorkItem(phase, row, _work, (settings.source,), tuple(each)) for each in some)

    def go_on(self, by: Engine, timeout: float) -> bool:
        """Run the queue, including phases that follow, as long as there is time. Returns whether all is done."""
        whole = self._in_time()
        for done in sweep(self.waiting, by.executor, by.jobs, self.kept, _failed, timeout, by.devices):
            phase: Phase = done.portion.of
            phase.left -= len(done.portion.specs)
            self.report(phase, len(done.portion.specs))
            if self.pace is not None:
                self.pace.ended(phase, len(done.portion.specs))
            if not phase.left:
                known = self.kept.find(spec.key for spec in phase.specs)
                self.begin(phase.then([known[spec.key] for spec in phase.specs]))
            whole = self._in_time() and whole
        return whole

    def _in_time(self) -> bool:
        """Whether there is time for what waits. What there is no time for waits no longer."""
        if not self.waiting or self.pace is None or self.pace.goes_on():
            return True
        self.waiting.clear()
        return False


def _work(source: Source, specs: Sequence[TrialSpec]) -> list[Trial]:
    """Run trials of one rule, in any process."""
    problem, rules = loaded(source)
    first = specs[0]
    rule, steps, batch_size, phase = rules[first.rule], first.steps, first.batch_size, first.phase
    own = _lanes_here(problem, first.lanes)
    mine = TrialSpec.of(problem, rule, first.setting, first.seed, steps=steps, batch_size=batch_size, phase=phase, lanes=own)
    first.refuse_another(mine)
    reset()  # loading the file and taking the fingerprint run the rule on symbols
    given, judge = [(spec.setting, spec.seed) for spec in specs], phase == "judging"
    if isinstance(problem, TrainingFunction):
        return running.run(problem, rule, given, steps=steps, judge=judge, until=first.until)
    return trials.run(problem, rule, given, steps=steps, batch_size=batch_size, judge=judge, lanes=own)


def _lanes_here(problem: Problem, asked: LaneEngine) -> LaneEngine:
    """The engine as this process has it. The chunk size that the requesting machine found fastest is kept by every worker."""
    if isinstance(problem, TrainingFunction):
        return running.engine()
    return asked if asked == lanes.NUMPY else replace(asked, version=jax_version())


def _failed(spec: TrialSpec, why: str) -> Trial:
    own = spec.setting
    return Trial(own.lr, spec.seed, dict(own.hyper), own.schedule, diverged=True, failure=why)
