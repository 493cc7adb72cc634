"""The finished part of a comparison that is still running or was stopped, for a report at any moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from thalweg.lab.comparing.candidate import Candidate
from thalweg.lab.comparing.contest import Contest, by_problem
from thalweg.lab.comparing.phases import Phase, tuning, untuned
from thalweg.lab.store.store import Store
from thalweg.lab.trials.trials import Trial


class Part(NamedTuple):
    """The contests with what can be compared of their trials, and how many trials are finished and planned."""

    contests: list[Contest]
    finished: int
    planned: int

    @property
    def sentence(self) -> str:
        """How unfinished it is."""
        return (
            f"Unfinished: {self.finished:,} of {self.planned:,} trials are there, and only optimizers judged on the same seeds "
            "are compared. The same command without --report goes on from here; its result may differ."
        )


def finished_part(contests: Sequence[Contest], kept: Store) -> Part:
    """What the store has of the contests. A problem without a judged optimizer is left out, and nothing is run.

    Of several blocks those are taken in which most optimizers have been judged, so that the others do not cost a row.
    """
    whole = [[_filled(contest, kept) for contest in blocks] for blocks in by_problem(contests)]
    found = [part for blocks in whole for part in _cut([contest for contest, _ in blocks])]
    return Part(found, sum(count for blocks in whole for _, count in blocks), sum(contest.trials for contest in contests))


def _filled(contest: Contest, kept: Store) -> tuple[Contest, int]:
    """The contest with its finished trials, and their number."""
    empty = [replace(candidate, tuning=[], judging=[], untuned=[]) for candidate in contest.candidates]
    filled = replace(contest, candidates=empty)
    count = 0
    for candidate in empty:
        count += _walk(tuning(filled, candidate), kept, candidate.judging)
        if candidate.compared and candidate.tuned:
            count += _walk(untuned(filled, candidate), kept, candidate.untuned)
    return filled, count


def _walk(phase: Phase | None, kept: Store, judged: list[Trial]) -> int:
    """Hand over the trials of a phase and those that follow, up to the first that is not finished. Of that one, if it judges,
    the finished trials are added to `judged`."""
    count = 0
    while phase is not None:
        known = kept.find(spec.key for spec in phase.specs)
        trials = [known[spec.key] for spec in phase.specs if spec.key in known]
        count += len(trials)
        if len(trials) < len(phase.specs):
            judged.extend(trials if phase.name == "judging" else [])
            break
        phase = phase.then(trials)
    return count


def _cut(blocks: Sequence[Contest]) -> list[Contest]:
    """The blocks cut down to the optimizers that are judged in all of them, on equally many seeds; none if there are none."""
    ready = [_together(contest.candidates) for contest in blocks]
    most = max(len(names) for names, _ in ready)
    taken = [(contest, *each) for contest, each in zip(blocks, ready, strict=True) if most and len(each[0]) == most]
    if not taken:
        return []
    names = frozenset.intersection(*(own for _, own, _ in taken))
    if not names:
        return []
    seeds = min(len(common) for _, _, common in taken)
    begin, *others = (_trimmed(contest, names, common[:seeds], len(taken)) for contest, _, common in taken)
    first = replace(begin, first=None)
    return [first, *(replace(contest, first=first) for contest in others)]


def _together(candidates: Sequence[Candidate]) -> tuple[frozenset[str], list[int]]:
    """The names of the optimizers that have been judged on at least half as many seeds as any, and the seeds that all share."""
    each = {candidate.label: _seeds(candidate) for candidate in candidates if candidate.compared}
    most = max((len(seeds) for seeds in each.values()), default=0)
    some = {name: seeds for name, seeds in each.items() if seeds and 2 * len(seeds) >= most}
    if not some:
        return frozenset(), []
    common = set.intersection(*map(set, some.values()))
    return (frozenset(some), [seed for seed in next(iter(some.values())) if seed in common]) if common else (frozenset(), [])


def _seeds(candidate: Candidate) -> list[int]:
    """The seeds on which a candidate is judged, tuned and untuned."""
    plain = {trial.seed for trial in candidate.untuned}
    return [trial.seed for trial in candidate.judging if not candidate.tuned or trial.seed in plain]


def _trimmed(contest: Contest, names: frozenset[str], seeds: list[int], blocks: int) -> Contest:
    """The contest with these optimizers, on these seeds, and the self-checks that are judged on as many."""

    def judged(trials: Sequence[Trial], own: Sequence[int]) -> list[Trial]:
        found = {trial.seed: trial for trial in trials}
        return [found[seed] for seed in own if seed in found]

    kept, missing = list[Candidate](), dict(contest.settings.not_run)
    for candidate in contest.candidates:
        own = [trial.seed for trial in candidate.judging][: len(seeds)] if candidate.role == "control" else seeds
        cut = replace(candidate, judging=judged(candidate.judging, own), untuned=judged(candidate.untuned, seeds))
        cut.best = candidate.best
        if candidate.label in names if candidate.compared else len(cut.judging) == len(seeds):
            kept.append(cut)
        elif candidate.compared:
            missing[candidate.label] = f"it is not judged yet; {len(candidate.tuning)} of its tuning trials are finished"
    settings = replace(
        contest.settings, seeds=len(seeds), blocks=blocks, not_run=tuple(missing.items()),
        rules=tuple(candidate.rule.name for candidate in kept if candidate.compared),
    )  # fmt: skip
    return replace(contest, settings=settings, candidates=kept)
