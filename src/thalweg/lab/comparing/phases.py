"""The phases of a candidate: trials that are needed together, and what follows from their results."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from thalweg.lab.comparing.candidate import Candidate, ends
from thalweg.lab.comparing.contest import Contest
from thalweg.lab.protocol import halving
from thalweg.lab.protocol.tune import Setting
from thalweg.lab.store.spec import TrialSpec
from thalweg.lab.trials.trials import Trial


@dataclass
class Phase:
    """Trials of a candidate that are needed together, and the continuation `then`. title: its name in progress reports.

    until: the step from which on these trials stop at their next report; 0: they run whole.
    """

    contest: Contest
    candidate: Candidate
    title: str
    name: str
    settings: Sequence[Setting]
    then: Callable[[list[Trial]], Phase | None]
    until: int = 0
    left: int = 0

    @functools.cached_property
    def specs(self) -> list[TrialSpec]:
        """The trials, in the order in which `then` takes them."""
        return self.contest.specs(self.candidate, self.name, self.settings, self.until)


def tuning(contest: Contest, candidate: Candidate) -> Phase:
    """A candidate's first tuning trials, followed by further ones while the budget lasts, then by judging; judging alone if there
    is nothing to tune.
    """
    higher = contest.problem.score.higher_is_better

    def ended(found: list[Trial]) -> Phase:
        candidate.tuning.extend(found)
        if more := candidate.following(higher):
            return Phase(contest, candidate, "tuning further", "tuning", more, ended)
        candidate.choose(higher)
        return Phase(contest, candidate, "judging", "judging", [candidate.best], judged)

    def judged(found: list[Trial]) -> None:
        candidate.judging.extend(found)

    settings = candidate.opening()
    return halved(contest, candidate, settings, ended) if settings else ended([])


def halved(
    contest: Contest, candidate: Candidate, settings: Sequence[Setting], then: Callable[[list[Trial]], Phase | None]
) -> Phase:
    """The first settings, of which the worse half stops early if that is the protocol. then: gets the last trial of each."""

    def whole(some: Sequence[Setting], stopped: list[Trial]) -> Phase:
        return Phase(contest, candidate, "tuning", "tuning", some, lambda found: then([*stopped, *found]))

    def half(found: list[Trial]) -> Phase:
        better = halving.better(ends(found, contest.problem.score.higher_is_better))
        stopped = [trial for trial in found if trial.setting not in better]
        return whole([setting for setting in settings if setting in better], stopped)

    if not contest.halved_of(candidate):
        return whole(settings, [])
    stop = halving.stop(contest.settings.steps)
    return Phase(contest, candidate, "tuning for a part of the steps", "tuning", settings, half, stop)


def untuned(contest: Contest, candidate: Candidate) -> Phase:
    """A candidate's untuned setting on the judging seeds."""

    def judged(found: list[Trial]) -> None:
        candidate.untuned.extend(found)

    return Phase(contest, candidate, "judging untuned", "judging", [candidate.default], judged)


Report = Callable[[Phase, int], None]
"""Called with a phase and the number of newly finished trials; at its start, with the number in the store."""
