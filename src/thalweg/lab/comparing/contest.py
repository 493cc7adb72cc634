"""The comparison on one problem, or a block of it: its trials, and how they are run."""

from __future__ import annotations

import functools
import itertools
import math
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace

from thalweg.lab.comparing.candidate import Candidate, candidates
from thalweg.lab.comparing.pilot import Pilot
from thalweg.lab.data.problem import Problem
from thalweg.lab.protocol import blocks, protocol, searches
from thalweg.lab.protocol.tune import Setting
from thalweg.lab.running.executors import Engine, engine
from thalweg.lab.running.output_capture import reset
from thalweg.lab.running.sweep import TIMEOUT, WorkItem, sweep
from thalweg.lab.store.spec import TrialSpec
from thalweg.lab.store.store import Store
from thalweg.lab.training import running
from thalweg.lab.training.function import TrainingFunction
from thalweg.lab.trials import lanes, trials
from thalweg.lab.trials.lanes import LaneEngine
from thalweg.lab.trials.trials import Trial
from thalweg.lab.trials.xla import jax_version
from thalweg.lab.user.probe import described
from thalweg.lab.user.source import Source, loaded
from thalweg.rule import Rule


@dataclass(frozen=True)
class Settings:
    """The settings of the comparison on one problem.

    seeds: judging seeds, in each block. tune: "lr", or "all" for every float hyper-parameter. schedules: learning-rate
    schedules; with several, each trial draws one. timeout: seconds that a chunk of trials may take. lanes: the backend of the
    lanes, "numpy" or "jax". search: the search method, one of `protocol.SEARCHES`. not_run: (name, reason) of each requested
    rule that cannot run on this problem. pilot: what the pilot of a training function showed. margin: the largest difference of
    scores that does not matter, of a share in percentage points; None: what the test samples cannot show. blocks: the number of
    blocks; the source says which one this is.
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
    pilot: Pilot | None = None
    margin: float | None = None
    blocks: int = 1


@dataclass
class Contest:
    """The comparison on one problem, or a block of it: settings, problem and candidates.

    first: the first block, where this is another one. What depends on the problem's sizes alone is taken from it.
    """

    settings: Settings
    problem: Problem
    candidates: list[Candidate]
    first: Contest | None = None
    first_specs: dict[str, TrialSpec] = field(default_factory=dict)

    @classmethod
    def of(
        cls, settings: Settings, problem: Problem, rules: Mapping[str, Rule], budgets: Mapping[str, int] | None = None
    ) -> Contest:
        """A contest of the rules named in the settings, each with the common budget or its own in `budgets`.

        Raises Refusal if the search needs a package that is not installed.
        """
        some = [rules[name] for name in settings.rules]
        each = dict.fromkeys(settings.rules, settings.budget) | dict(budgets or {})
        search = searches.search_for(settings.search, problem, settings.steps, settings.batch_size)
        found = candidates(some, each, settings.tune, settings.schedules, search, settings.source.block)
        return cls(settings, problem, found)

    def in_blocks(self) -> list[Contest]:
        """All blocks, of which this is the first. Raises Refusal for data that cannot be split for one of them."""
        rules = {candidate.rule.name: candidate.rule for candidate in self.candidates}
        return [self, *(self._block(block, rules) for block in range(1, self.settings.blocks))]

    def _block(self, block: int, rules: Mapping[str, Rule]) -> Contest:
        settings = replace(self.settings, source=replace(self.settings.source, block=block))
        problem = described(settings.source.see_problem()) if settings.source.splits else self.problem
        return replace(Contest.of(settings, problem, rules), first=self)

    @property
    def split_anew(self) -> bool:
        """Whether each of several blocks has training, validation and test data of its own."""
        return self.settings.blocks > 1 and self.settings.source.splits

    @property
    def title(self) -> str:
        """The problem's name, and which block it is of several."""
        block, many = self.settings.source.block + 1, self.settings.blocks
        return self.problem.name if many == 1 else f"{self.problem.name}, block {block} of {many}"

    @property
    def trials(self) -> int:
        """The number of trials in all."""
        return sum(self.trials_of(candidate) for candidate in self.candidates)

    def trials_of(self, candidate: Candidate) -> int:
        """The number of a candidate's trials: tuning, judging and untuned."""
        tuning = candidate.space.budget * protocol.TUNING_SEEDS if candidate.space else 0
        return tuning + self.settings.seeds * (2 if candidate.compared and candidate.tuned else 1)

    @property
    def programs(self) -> int:
        """A lower bound of the number of programs that can run in parallel."""
        most = max(self.settings.budget, self.settings.seeds)
        return sum(math.ceil(most / self.at_once(e.rule)) for e in self.candidates)

    def at_once(self, rule: Rule) -> int:
        """The number of trials of a rule in one program; runs of a training function are programs of their own."""
        if self.first is not None:
            return self.first.at_once(rule)
        return 1 if isinstance(self.problem, TrainingFunction) else trials.at_once(self.problem, rule, self.settings.steps)

    def specs(self, candidate: Candidate, phase: str, settings: Sequence[Setting]) -> list[TrialSpec]:
        """The trials of a phase: each setting on each of its seeds."""
        like, seeds = self.first_spec(candidate), self.seeds(candidate, phase)
        return [replace(like, setting=own, seed=seed, phase=phase) for own, seed in itertools.product(settings, seeds)]

    def first_spec(self, candidate: Candidate) -> TrialSpec:
        """A trial of a candidate's rule, with its fingerprint. The others differ only in setting, seed and phase. Cached."""
        rule, mine = candidate.rule, self.settings
        if self.first is not None:
            return replace(self.first.first_spec(candidate), data=self.problem.fingerprint, block=mine.source.block)
        if rule.name not in self.first_specs:
            trained = isinstance(self.problem, TrainingFunction)
            own = running.engine() if trained else lanes.engine_for(mine.lanes, self.problem, rule, mine.batch_size)
            self.first_specs[rule.name] = TrialSpec.of(
                self.problem, rule, candidate.default, 0, steps=mine.steps, batch_size=mine.batch_size, phase="tuning", lanes=own
            )
        return self.first_specs[rule.name]

    def seeds(self, candidate: Candidate, phase: str) -> list[int]:
        """The seeds of a phase in this block, shared by all candidates except a control."""
        count = self.settings.seeds if phase == "judging" else protocol.TUNING_SEEDS
        own = candidate.draws if candidate.role == "control" else blocks.label("", self.settings.source.block)
        return protocol.seeds(f"{phase} {own}".strip(), self.problem, self.settings.steps, self.settings.batch_size, count)


def by_problem(contests: Iterable[Contest]) -> list[list[Contest]]:
    """The contests on each problem, its blocks, the first one first."""
    found: dict[int, list[Contest]] = {}
    for contest in contests:
        found.setdefault(id(contest.first or contest), []).append(contest)
    return list(found.values())


@dataclass
class Phase:
    """Trials of a candidate that are needed together, and the continuation `then`. title: its name in progress reports."""

    contest: Contest
    candidate: Candidate
    title: str
    name: str
    settings: Sequence[Setting]
    then: Callable[[list[Trial]], Phase | None]
    left: int = 0

    @functools.cached_property
    def specs(self) -> list[TrialSpec]:
        """The trials, in the order in which `then` takes them."""
        return self.contest.specs(self.candidate, self.name, self.settings)


Report = Callable[[Phase, int], None]
"""Called with a phase and the number of newly finished trials; at its start, with the number in the store."""


def tuning(contest: Contest, candidate: Candidate) -> Phase:
    """A candidate's first tuning trials, followed by further ones while the budget lasts, then by judging."""
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
    """A candidate's untuned setting on the judging seeds."""

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
    """Run all trials of the contests that are not in the store yet, and hand the results to the candidates.

    by: the engine; default: this process, or a child process for code of the user's. before: called once the store has been
    searched, with the number of stored trials by contest's title and candidate's label; see `forecast`.
    """
    comparison = _Comparison(kept, report)
    everyone = [(contest, candidate) for contest in contests for candidate in contest.candidates]
    everyone.sort(key=lambda both: -trials.usual_cost(both[1].rule).bytes_moved)  # the most expensive first
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
    """The queue of trials: those of the current phases and of the phases that follow."""

    kept: Store
    report: Report
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

    def go_on(self, by: Engine, timeout: float) -> None:
        """Run the queue, including phases that follow."""
        for done in sweep(self.waiting, by.executor, by.jobs, self.kept, _failed, timeout):
            phase: Phase = done.portion.of
            phase.left -= len(done.portion.specs)
            self.report(phase, len(done.portion.specs))
            if not phase.left:
                known = self.kept.find(spec.key for spec in phase.specs)
                self.begin(phase.then([known[spec.key] for spec in phase.specs]))


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
        return running.run(problem, rule, given, steps=steps, judge=judge)
    return trials.run(problem, rule, given, steps=steps, batch_size=batch_size, judge=judge, lanes=own)


def _lanes_here(problem: Problem, asked: LaneEngine) -> LaneEngine:
    """The engine as this process has it. The chunk size that the requesting machine found fastest is kept by every worker."""
    if isinstance(problem, TrainingFunction):
        return running.engine()
    return asked if asked == lanes.NUMPY else replace(asked, version=jax_version())


def _failed(spec: TrialSpec, why: str) -> Trial:
    own = spec.setting
    return Trial(own.lr, spec.seed, dict(own.hyper), own.schedule, diverged=True, failure=why)
