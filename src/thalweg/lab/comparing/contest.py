"""The comparison on one problem, or a block of it: its settings, its candidates and their trials."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from thalweg.lab.comparing.candidate import Candidate, candidates
from thalweg.lab.comparing.pilot import Pilot
from thalweg.lab.data.problem import Problem
from thalweg.lab.protocol import blocks, halving, protocol, searches
from thalweg.lab.protocol.tune import Setting
from thalweg.lab.running.sweep import TIMEOUT
from thalweg.lab.store.spec import TrialSpec
from thalweg.lab.training import running
from thalweg.lab.training.function import TrainingFunction
from thalweg.lab.trials import lanes, trials
from thalweg.lab.user.probe import described
from thalweg.lab.user.source import Source
from thalweg.rule import Rule


@dataclass(frozen=True)
class Settings:
    """The settings of the comparison on one problem.

    seeds: judging seeds, in each block. tune: "lr", or "all" for every float hyper-parameter. schedules: learning-rate
    schedules; with several, each trial draws one. timeout: seconds that a chunk of trials may take. lanes: the backend of the
    lanes, "numpy" or "jax". search: the search method, one of `protocol.SEARCHES`. not_run: (name, reason) of each requested
    rule that cannot run on this problem. pilot: what the pilot of a training function showed. margin: the largest difference of
    scores that does not matter, of a share in percentage points; None: what the test samples cannot show. blocks: the number of
    blocks; the source says which one this is. early_stopping: one of `halving.NAMES`. ranges: those of learning rates that are
    not the declared ones, by rule.
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
    early_stopping: str = halving.NAMES[0]
    ranges: tuple[tuple[str, tuple[float, float]], ...] = ()


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
        moved = dict(settings.ranges)
        some = [replace(rules[name], search=moved[name]) if name in moved else rules[name] for name in settings.rules]
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
        """The number of a candidate's trials: tuning, judging and untuned. One that goes on after its first part is two."""
        tuning = candidate.space.budget * protocol.TUNING_SEEDS if candidate.space else 0
        again = halving.survivors(self.halved_of(candidate)) * protocol.TUNING_SEEDS if self.halved_of(candidate) else 0
        return tuning + again + self.settings.seeds * (2 if candidate.compared and candidate.tuned else 1)

    def halved_of(self, candidate: Candidate) -> int:
        """How many settings of a candidate run for a part of the steps first; 0 without early stopping."""
        if candidate.space is None or self.settings.early_stopping == halving.NAMES[0]:
            return 0
        first = candidate.space.opening
        return first if halving.survivors(first) < first else 0

    @property
    def cost(self) -> float:
        """The trials in units of whole ones, of which one that stops early takes a part. Of a training function with a pilot."""
        stops = self.settings.pilot.stops if self.settings.pilot else None
        halved = sum(map(self.halved_of, self.candidates)) * protocol.TUNING_SEEDS
        return self.trials - halved * (1.0 - (1.0 if stops is None else stops))

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

    def specs(self, candidate: Candidate, phase: str, settings: Sequence[Setting], until: int = 0) -> list[TrialSpec]:
        """The trials of a phase: each setting on each of its seeds. until: as in a `TrialSpec`."""
        like, seeds = self.first_spec(candidate), self.seeds(candidate, phase)
        return [
            replace(like, setting=own, seed=seed, phase=phase, until=until) for own, seed in itertools.product(settings, seeds)
        ]

    def first_spec(self, candidate: Candidate) -> TrialSpec:
        """A trial of a candidate's rule, with its fingerprint. The others differ only in setting, seed and phase. Cached."""
        rule, mine = candidate.rule, self.settings
        if self.first is not None:
            return replace(self.first.first_spec(candidate), data=self.problem.fingerprint, block=mine.source.block)
        if rule.name not in self.first_specs:
            trained = isinstance(self.problem, TrainingFunction)
            own = running.engine() if trained else lanes.engine_for(mine.lanes, self.problem, rule, mine.batch_size)
            spec = TrialSpec.of(
                self.problem, rule, candidate.default, 0, steps=mine.steps, batch_size=mine.batch_size, phase="tuning", lanes=own
            )
            many = mine.source.validations
            self.first_specs[rule.name] = spec if many is None else replace(spec, validations=many)
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
