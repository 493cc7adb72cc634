"""The rows of a comparison: each optimizer's description, tuning and results."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import numpy as np

from thalweg.core.around_stage import AroundStage
from thalweg.core.compose import refuses_vectors
from thalweg.form.hyper import Hyper, Role
from thalweg.lab.comparing.candidate import Candidate, ends
from thalweg.lab.comparing.contest import Contest
from thalweg.lab.comparing.entrant import Entrant, median
from thalweg.lab.data.problem import Problem
from thalweg.lab.protocol import protocol
from thalweg.lab.report.advice import FEW
from thalweg.lab.report.schema.optimizer import Described, HowTuned, JudgedTrial, Row, TunedTrial, Untuned
from thalweg.lab.report.schema.parts import Behind, Interval, Rank, StepsToTarget, Verdict
from thalweg.lab.report.words.blocks import unit
from thalweg.lab.statistics import budget, simultaneous, stats
from thalweg.lab.statistics.simultaneous import Standing
from thalweg.lab.statistics.stats import Floats
from thalweg.lab.training.function import TrainingFunction
from thalweg.lab.trials.trials import Trial, usual_cost
from thalweg.methods.moments.adam import adamw
from thalweg.values.numerals import typed

TOLERATED = 0.05
"""A rule that diverges in a larger share of its judged runs is unreliable."""


def rows(
    contest: Contest,
    candidates: Sequence[Entrant],
    scores: Mapping[str, Floats],
    costs: Mapping[str, float | None],
    goal: float,
    margin: float,
) -> list[Row]:
    """A row for each candidate, sorted by rank.

    scores: as of `Entrant.scores`. goal: the target loss of "steps to target". margin: the largest difference that does not
    matter.
    """
    settings, higher = contest.settings, contest.problem.score.higher_is_better
    standings = simultaneous.standings(scores, higher, margin)
    at = protocol.evaluated_at(settings.steps)
    ways = [_way(block, higher) for block in zip(*(candidate.blocks for candidate in candidates), strict=True)]
    found: list[Row] = [
        {
            **_what(candidate, contest.problem, settings.budget),
            **_how_tuned(candidate, higher),
            "judging": [_judged(trial, block) for block, each in enumerate(candidate.blocks) for trial in each.judging],
            "score": interval(scores[candidate.label], contest),
            "untuned": _untuned(candidate, contest),
            "best_of": [] if settings.search == "optuna" else _best_of(candidate, ways, higher),
            "best_of_few": _best_of_few(candidate, contest.problem),
            **standing(standings[candidate.label], scores[candidate.label], unit(settings.blocks)),
            "unreliable": unreliable(candidate, len(candidates)),
            "steps_to_target": _steps_to(candidate, at, goal),
            "diverged": {"tuning": _share_diverged(candidate.tuning), "judging": _share_diverged(candidate.judging)},
            "step_cost": costs.get(candidate.rule.name),
        }
        for candidate in candidates
    ]
    return sorted(found, key=lambda row: (row["rank"]["place"], row["name"]))


def plain(x: float | None) -> float | None:
    return None if x is None or not math.isfinite(x) else float(x)


def _plains(xs: Sequence[float]) -> list[float | None]:
    return [plain(x) for x in xs]


def interval(scores: Floats, contest: Contest) -> Interval:
    """The mean and its interval, which for a share counts the luck of the test samples too; blocks split anew show it."""
    more = 0.0 if contest.split_anew else besides(scores, contest.problem)
    mean, low, high = map(plain, stats.interval(scores, besides=more))
    return within(mean, low, high, contest)


def within(mean: float | None, low: float | None, high: float | None, contest: Contest) -> Interval:
    """An interval of a score, which a share cannot leave."""
    if low is not None and high is not None and _is_share(contest):
        low, high = max(0.0, low), min(1.0, high)
    return {"mean": mean, "low": low, "high": high}


def _is_share(contest: Contest) -> bool:
    """Whether the score lies between 0 and 1. A training function does not say so: there no score of any run was outside."""
    score = contest.problem.score
    if score.share or not (score.higher_is_better and isinstance(contest.problem, TrainingFunction)):
        return score.share
    runs = [trial for own in contest.candidates for trial in (*own.tuning, *own.judging, *own.untuned)]
    seen = [x for trial in runs for x in (*trial.score_curve, trial.test_score) if x is not None and math.isfinite(x)]
    return bool(seen) and min(seen) >= 0.0 and max(seen) <= 1.0


def besides(scores: Floats, problem: Problem) -> float:
    """The variance of a mean share that comes from the test samples, which all seeds share: the binomial one.

    The share is Laplace's (one right and one wrong sample more), as all samples right do not show that there are no others.
    """
    if not (problem.score.share and problem.test_size and np.isfinite(scores).all()):
        return 0.0
    mean = (float(np.clip(np.mean(scores), 0.0, 1.0)) * problem.test_size + 1) / (problem.test_size + 2)
    return mean * (1 - mean) / problem.test_size


def _default(value: Any) -> Any:
    """A hyper-parameter's default for JSON, which has no infinity."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _usual(hyper: Hyper, problem: Problem) -> Any:
    """The value of an untuned hyper-parameter: the data set's size, or the default."""
    return problem.train_size if hyper.role is Role.DATA_SIZE else _default(hyper.default)


def _what(candidate: Entrant, problem: Problem, budget: int) -> Described:
    rule = candidate.rule
    gradients = sum(len(part.trace.evaluations) for part in rule().functions)
    notes = [] if candidate.tuned else ["not tuned: it runs its shipped setting"]
    if any(isinstance(part, AroundStage) and part.decides for part in rule().functions):
        notes.append("as many gradients a step as it asks for")
    elif gradients:
        notes.append(f"{gradients} gradients a step")
    notes += [
        f"one more gradient every {steps} steps, for the curvature"
        for part in rule().functions
        if "curvature" in part.asks and (steps := part.value_of(Role.INTERVAL, None))
    ]
    if refuses_vectors(rule()):
        notes.append(f"{adamw.name}, at its usual learning rate of {typed(adamw.lr)}, updates parameters that are no matrices")
    if candidate.space is not None and candidate.space.budget < budget:
        few = candidate.space.budget
        notes.append(f"{few} trial{'s' if few > 1 else ''} where others have {budget}: its step takes more than a millisecond")
    raised = [run.error for run in (*candidate.tuning, *candidate.judging, *candidate.untuned) if run.error]
    if raised and raised[0] != candidate.failure:
        notes.append(f"{len(raised)} run{'s' if len(raised) > 1 else ''} raised an error: {raised[0]}")
    if candidate.failure:
        notes.insert(0, f"it failed: {candidate.failure}")
    return {
        "name": candidate.label, "paper": rule.paper,
        "mine": not rule.ours,
        "hyper": {name: _usual(hyper, problem) for name, hyper in rule.parts.items()},
        "state_per_parameter": usual_cost(rule).state_per_parameter,
        "failed": candidate.failure is not None,
        "note": "; ".join(notes) or None,
    }  # fmt: skip


def _how_tuned(candidate: Entrant, higher: bool) -> HowTuned:
    rows: list[TunedTrial] = [
        {
            "block": block, "lr": trial.lr, "hyper": trial.hyper, "schedule": trial.schedule, "seed": trial.seed,
            "diverged": trial.diverged, "stopped": trial.stopped,
            "loss": plain(trial.loss_curve[-1]) if trial.loss_curve else None,
            "score": plain(trial.score_curve[-1]) if trial.score_curve else None,
        }
        for block, each in enumerate(candidate.blocks) for trial in each.tuning
    ]  # fmt: skip
    best = candidate.best
    return {
        "tuned": candidate.tuned, "search": list(candidate.rule.search) if candidate.rule.search else None,
        "trials": len({trial.setting for trial in candidate.blocks[0].tuning}),
        "best_lr": best.lr, "best_hyper": dict(best.hyper), "best_schedule": best.schedule,
        "best_settings": [
            {"block": block, "lr": each.best.lr, "hyper": dict(each.best.hyper), "schedule": each.best.schedule,
             "at_edge": each.at_edge}
            for block, each in enumerate(candidate.blocks)
        ],
        "at_edge": candidate.at_edge, "tuning": rows, "width": plain(median([_width(each, higher) for each in candidate.blocks])),
    }  # fmt: skip


def _width(candidate: Candidate, higher: bool) -> float:
    """The decades of good learning rates in a block; NaN if no run began."""
    sign = -1 if higher else 1
    ends = [math.inf if trial.diverged else sign * trial.score_curve[-1] for trial in candidate.tuning]
    starts = [sign * trial.score_curve[0] for trial in candidate.tuning if trial.score_curve]
    if not starts:
        return math.nan
    return stats.width([trial.lr for trial in candidate.tuning], ends, float(np.median(starts)), protocol.NEAR)


def _way(candidates: Sequence[Candidate], higher: bool) -> tuple[float, float]:
    """The initial and the best validation score of a block's tuning trials, lower is better."""
    sign = -1 if higher else 1
    starts = [sign * trial.score_curve[0] for e in candidates for trial in e.tuning if trial.score_curve]
    bests = [min(e.ends(higher).values())[0] for e in candidates if e.tuning]
    return float(np.median(starts)) if starts else math.nan, min(bests, default=math.nan)


def _best_of(candidate: Entrant, ways: Sequence[tuple[float, float]], higher: bool) -> list[float]:
    """The expected value of the best of k = 1, 2, ... settings, as the share of the way from the start to the best of all, the
    mean over the blocks. ways: start and best in each block.

    Choice and value are both validation scores, so it is slightly optimistic. It is undefined for adaptive search, where
    fewer trials would have been different ones.
    """
    curves = []
    for each, (start, best) in zip(candidate.blocks, ways, strict=True):
        if each.tuning and math.isfinite(best) and best < start:
            worth = [(start - min(end, start)) / (start - best) for end, _ in ends(each.tuning, higher).values()]
            curves.append(budget.expected(worth, worth))
    length = min(map(len, curves), default=0)
    return [round(float(np.mean([curve[k] for curve in curves])), 4) for k in range(length)]


def _best_of_few(candidate: Entrant, problem: Problem) -> Interval:
    """The validation score of the best of FEW settings of any block, chosen on one tuning seed and valued on the others."""
    tables = [each.scores_by_setting() for each in candidate.blocks]
    if any(table.shape[0] < FEW or table.shape[1] < 2 or not np.isfinite(table).all() for table in tables):
        return {"mean": None, "low": None, "high": None}
    sign = 1.0 if problem.score.higher_is_better else -1.0
    mean, low, high = (sign * x for x in budget.best_of(FEW, *(sign * table for table in tables)))
    return {"mean": mean, "low": min(low, high), "high": max(low, high)}


def unreliable(candidate: Entrant, rows: int) -> float | None:
    """The share of runs that diverges at least, if it is above TOLERATED; for all rows at once.

    Runs of a block share its setting and may diverge together, so of several blocks each counts as one run.
    """
    runs, blocks = len(candidate.judging), len(candidate.blocks)
    of = 1 if blocks == 1 else max(1, runs // blocks)
    least = stats.least_divergence(sum(trial.diverged for trial in candidate.judging) // of, runs // of, rows)
    return least if least > TOLERATED else None


def _untuned(candidate: Entrant, contest: Contest) -> Untuned:
    """The results of the untuned setting. A rule that is never tuned is judged at it anyway."""
    found: list[Trial] = candidate.untuned if candidate.tuned else candidate.judging
    return {
        "lr": candidate.default.lr,
        "score": interval(candidate.untuned_scores(contest.problem.score.higher_is_better), contest),
        "diverged": _share_diverged(found),
        "test_scores": [plain(trial.test_score) if trial.test_score is not None else None for trial in found],
    }


def _judged(trial: Trial, block: int) -> JudgedTrial:
    return {
        "block": block, "seed": trial.seed, "loss_curve": _plains(trial.loss_curve), "score_curve": _plains(trial.score_curve),
        "train_curve": _plains(trial.train_curve), "test_score": plain(trial.test_score), "test_loss": plain(trial.test_loss),
        "diverged": trial.diverged,
    }  # fmt: skip


def _steps_to(candidate: Entrant, at: Sequence[int], goal: float) -> StepsToTarget:
    steps = [stats.steps_to(goal, trial.loss_curve, at) if trial.loss_curve else math.inf for trial in candidate.judging]
    reached = float(np.mean(np.isfinite(steps))) if steps else 0.0
    return {"median": plain(float(np.median(steps))) if steps else None, "reached": reached}


def _share_diverged(trials: Sequence[Any]) -> float:
    return float(np.mean([trial.diverged for trial in trials])) if trials else 0.0


class _Standing(TypedDict):
    """The part of a row that follows from all pairs."""

    rank: Rank
    verdict: Verdict
    behind: Behind
    level: bool


def standing(found: Standing, scores: Floats, units: str = "seeds") -> _Standing:
    """units: what there is an entry of the scores for, "seeds" or "blocks"."""
    known = bool(np.isfinite(scores).all())
    least, most = map(plain, found.behind) if known else (None, None)
    words = {True: "worse", False: "not separable", None: f"too few {units} to tell"}[found.separable]
    return {
        "rank": {"place": found.place, "low": found.low, "high": found.high},
        "verdict": {
            "p": plain(found.p), "adjusted": plain(found.adjusted), "separable": found.separable,
            "sentence": "level" if found.level and known else words,
        },
        "behind": {"least": least, "most": most},
        "level": found.level and known,
    }  # fmt: skip
