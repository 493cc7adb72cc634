"""The comparison: which trials there are, who runs them, and what they come to."""

from __future__ import annotations

import functools
import itertools
import math
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace

from thalweg.lab.comparing.candidate import Candidate, candidates
from thalweg.lab.data.problem import Problem
from thalweg.lab.protocol import protocol, searches
from thalweg.lab.protocol.tune import Setting
from thalweg.lab.running.executors import Engine, engine
from thalweg.lab.running.output_capture import reset
from thalweg.lab.running.sweep import TIMEOUT, WorkItem, sweep
from thalweg.lab.store.spec import TrialSpec
from thalweg.lab.store.store import Store
from thalweg.lab.trials import lanes, trials
from thalweg.lab.trials.trials import Trial
from thalweg.lab.trials.xla import jax_version
from thalweg.lab.user.source import Source, loaded
from thalweg.rule import Rule


@dataclass(frozen=True)
class Settings:
    """What the comparison on one problem is.

    tune: "lr", or "all" for every float hyper-parameter. schedules: how the learning rate may change over the steps; with
    several, each trial draws one. timeout: seconds that a program of trials may take.
    lanes: what runs trials side by side, "numpy" or "jax". search: how settings are chosen, one of `protocol.SEARCHES`.
    not_run: (name, why) of each rule that was asked for and cannot run on this problem.
    """

    source: Source
    rules: tuple[str, ...]
    budget: int
    seeds: int
    steps: int
    batch_size: int
    tune: str = "lr"
    schedules: tuple[str, ...] = ("constant",)
    timeout: float = TIMEOUT
    lanes: str = "numpy"
    search: str = protocol.SEARCHES[0]
    not_run: tuple[tuple[str, str], ...] = ()


@dataclass
class Contest:
    """The comparison on one problem: what it is, and who takes part."""

    settings: Settings
    problem: Problem
    candidates: list[Candidate]
    first_specs: dict[str, TrialSpec] = field(default_factory=dict)

    @classmethod
    def of(
        cls, settings: Settings, problem: Problem, rules: Mapping[str, Rule], budgets: Mapping[str, int] | None = None
    ) -> Contest:
        """With the rules that the settings name, each with the budget, or one of its own. Raises Refusal where the search
        needs what is not installed.
        """
        some = [rules[name] for name in settings.rules]
        each = dict.fromkeys(settings.rules, settings.budget) | dict(budgets or {})
        search = searches.search_for(settings.search, problem, settings.steps, settings.batch_size)
        return cls(settings, problem, candidates(some, each, settings.tune, settings.schedules, search))

    @property
    def trials(self) -> int:
        """How many there are in all."""
        return sum(self.trials_of(candidate) for candidate in self.candidates)

    def trials_of(self, candidate: Candidate) -> int:
        """How many a candidate has: tuning, judging, and as it comes."""
        tuning = candidate.space.budget * protocol.TUNING_SEEDS if candidate.space else 0
        return tuning + self.settings.seeds * (2 if candidate.compared and candidate.tuned else 1)

    @property
    def programs(self) -> int:
        """How many there are at least that may run at the same time."""
        most = max(self.settings.budget, self.settings.seeds)
        return sum(math.ceil(most / trials.at_once(self.problem, e.rule, self.settings.steps)) for e in self.candidates)

    def specs(self, candidate: Candidate, phase: str, settings: Sequence[Setting]) -> list[TrialSpec]:
        """The trials of a phase: each setting on each of its seeds."""
        like, seeds = self.first_spec(candidate), self.seeds(candidate, phase)
        return [replace(like, setting=own, seed=seed, phase=phase) for own, seed in itertools.product(settings, seeds)]

    def first_spec(self, candidate: Candidate) -> TrialSpec:
        """A trial of a candidate's rule; all others differ in setting, seed and phase. What it computes is worked out once."""
        rule, mine = candidate.rule, self.settings
        if rule.name not in self.first_specs:
            own = lanes.engine_for(mine.lanes, self.problem, rule, mine.batch_size)
            self.first_specs[rule.name] = TrialSpec.of(
                self.problem, rule, candidate.default, 0, steps=mine.steps, batch_size=mine.batch_size, phase="tuning", lanes=own
            )
        return self.first_specs[rule.name]

    def seeds(self, candidate: Candidate, phase: str) -> list[int]:
        """The seeds of a phase, the same for all candidates but a control."""
        count = self.settings.seeds if phase == "judging" else protocol.TUNING_SEEDS
        own = f" {candidate.draws}" if candidate.role == "control" else ""
        return protocol.seeds(phase + own, self.problem, self.settings.steps, self.settings.batch_size, count)


@dataclass
class Phase:
    """Trials of a candidate that are wanted together, and what comes when they are there. title: as progress calls it."""

    contest: Contest
    candidate: Candidate
    title: str
    name: str
    settings: Sequence[Setting]
    then: Callable[[list[Trial]], Phase | None]
    left: int = 0

    @functools.cached_property
    def specs(self) -> list[TrialSpec]:
        """Its trials, in the order in which `then` takes them."""
        return self.contest.specs(self.candidate, self.name, self.settings)


Report = Callable[[Phase, int], None]
"""Called with a phase and how many more of its trials are done; as it begins, with those that the store has."""


def tuning(contest: Contest, candidate: Candidate) -> Phase:
    """A candidate's first trials; after them others as long as its budget lasts, then its judgement."""
    higher = contest.problem.score.higher_is_better

    def ended(found: list[Trial]) -> Phase | None:
        candidate.tuning.extend(found)
        if more := candidate.following(higher):
            return Phase(contest, candidate, "tuning further", "tuning", more, ended)
        candidate.choose(higher)
        return Phase(contest, candidate, "judging", "judging", [candidate.best], judged)

    def judged(found: list[Trial]) -> None:
        candidate.judging.extend(found)

    return Phase(contest, candidate, "tuning", "tuning", candidate.opening(), ended)


def untuned(contest: Contest, candidate: Candidate) -> Phase:
    """A candidate as it comes, on the seeds that judge."""

    def judged(found: list[Trial]) -> None:
        candidate.untuned.extend(found)

    return Phase(contest, candidate, "judging untuned", "judging", [candidate.default], judged)


def run(
    contests: Sequence[Contest],
    kept: Store,
    report: Report,
    by: Engine | None = None,
    before: Callable[[Mapping[tuple[str, str], int]], None] = lambda stored: None,
) -> None:
    """All trials of the contests, those already in the store not run again; the candidates have them afterwards.

    by: who runs them, if not this process (or one beside it, where code of the user's is in them). before: called when
    the store has been looked through, with how many trials it has, by problem and candidate's label; see `forecast`.
    """
    comparison = _Comparison(kept, report)
    everyone = [(contest, candidate) for contest in contests for candidate in contest.candidates]
    everyone.sort(key=lambda both: -trials.usual_cost(both[1].rule).bytes_moved)  # the most expensive not last
    for contest, candidate in everyone:
        comparison.begin(tuning(contest, candidate))
        if candidate.compared and candidate.tuned:
            comparison.begin(untuned(contest, candidate))
    before(comparison.stored)
    isolated = any(contest.settings.source.holds_code for contest in contests)
    with nullcontext(by) if by is not None else engine("processes", 1, isolated=isolated) as found:
        comparison.go_on(found, max(contest.settings.timeout for contest in contests))


@dataclass
class _Comparison:
    """Which trials there are to run: those of a phase, and those that follow from it."""

    kept: Store
    report: Report
    waiting: deque[WorkItem] = field(default_factory=deque)
    stored: Counter[tuple[str, str]] = field(default_factory=Counter)

    def begin(self, phase: Phase | None) -> None:
        """Take what the store has of a phase, and line up the rest."""
        while phase is not None:
            specs = phase.specs
            if why := dict(phase.contest.settings.source.lost).get(phase.candidate.rule.name):
                self.kept.note([(spec, _failed(spec, why)) for spec in specs])
            known = self.kept.find(spec.key for spec in specs)
            missing = [spec for spec in specs if spec.key not in known]
            phase.left = len(missing)
            self.stored[phase.contest.problem.name, phase.candidate.label] += len(specs) - len(missing)
            self.report(phase, len(specs) - len(missing))
            if missing:
                self._line_up(phase, missing)
                return
            phase = phase.then([known[spec.key] for spec in specs])

    def _line_up(self, phase: Phase, missing: list[TrialSpec]) -> None:
        settings, problem, rule = phase.contest.settings, phase.contest.problem, phase.candidate.rule
        size = trials.at_once(problem, rule, settings.steps)
        row = f"{rule.name} on {problem.name}"
        some = (missing[i : i + size] for i in range(0, len(missing), size))
        self.waiting.extend(WorkItem(phase, row, _work, (settings.source,), tuple(each)) for each in some)

    def go_on(self, by: Engine, timeout: float) -> None:
        """Run what is lined up, and what follows from it."""
        for done in sweep(self.waiting, by.executor, by.jobs, self.kept, _failed, timeout):
            phase: Phase = done.portion.of
            phase.left -= len(done.portion.specs)
            self.report(phase, len(done.portion.specs))
            if not phase.left:
                known = self.kept.find(spec.key for spec in phase.specs)
                self.begin(phase.then([known[spec.key] for spec in phase.specs]))


def _work(source: Source, specs: Sequence[TrialSpec]) -> list[Trial]:
    """Trials of one rule, in whichever process this is."""
    problem, rules = loaded(source)
    first = specs[0]
    rule, steps, batch_size, phase = rules[first.rule], first.steps, first.batch_size, first.phase
    # a chunk is what the asking machine found fastest; whoever runs the trial takes it as it is
    own = first.lanes if first.lanes == lanes.NUMPY else replace(first.lanes, version=jax_version())
    mine = TrialSpec.of(problem, rule, first.setting, first.seed, steps=steps, batch_size=batch_size, phase=phase, lanes=own)
    first.refuse_another(mine)
    reset()  # reading the file, and telling what a rule computes, runs it on symbols
    given = [(spec.setting, spec.seed) for spec in specs]
    return trials.run(problem, rule, given, steps=steps, batch_size=batch_size, judge=phase == "judging", lanes=own)


def _failed(spec: TrialSpec, why: str) -> Trial:
    own = spec.setting
    return Trial(own.lr, spec.seed, dict(own.hyper), own.schedule, diverged=True, failure=why)
