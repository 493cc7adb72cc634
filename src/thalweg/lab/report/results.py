"""The results of the trials as a plain dict, for the table, the report and other programs."""

from __future__ import annotations

import datetime
import importlib.util
import math
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

import thalweg
from thalweg.lab.comparing.baselines import Baseline
from thalweg.lab.comparing.contest import Contest, Settings
from thalweg.lab.comparing.entrant import Entrant, entrants
from thalweg.lab.comparing.pilot import Pilot
from thalweg.lab.data.problem import Floats, Problem
from thalweg.lab.data.supervised import Supervised
from thalweg.lab.data.treatment import Preparation
from thalweg.lab.protocol import protocol, searches
from thalweg.lab.report import checks
from thalweg.lab.report.advice import advice
from thalweg.lab.report.answer import answer
from thalweg.lab.report.rows import besides, plain, rows, within
from thalweg.lab.report.schema.parts import Interval
from thalweg.lab.report.schema.problem import About, Facts, Margin, OwnData, ProblemSettings, Results, Sight
from thalweg.lab.report.words import blocks as of_blocks
from thalweg.lab.report.words import ranges, training
from thalweg.lab.statistics import power, simultaneous, stats
from thalweg.lab.statistics.scores import judged_scores
from thalweg.lab.training import running


def results(
    blocks: Sequence[Contest],
    costs: dict[str, float | None],
    command: str,
    unfinished: str | None = None,
    beside: Sequence[Baseline] = (),
) -> Results:
    """The comparison on one problem as values for JSON: infinite and undefined numbers are None. Rules are sorted by rank.

    blocks: the contest, or its blocks, the first one first. unfinished: how unfinished it is. beside: what is no network.
    """
    contest, everyone = blocks[0], entrants(blocks)
    settings, higher = contest.settings, contest.problem.score.higher_is_better
    candidates = [candidate for candidate in everyone if candidate.compared]
    scores = {e.label: e.scores(higher) for e in candidates}
    goal, margin = _target(candidates), _margin(contest, scores)
    made = rows(contest, candidates, scores, costs, goal, margin["value"])
    found: Facts = {
        "version": thalweg.__version__,
        "protocol": {"version": protocol.name(settings.search, settings.early_stopping), "sentences": _sentences(settings)},
        "caution": " ".join(filter(None, (unfinished, protocol.caution(settings.search)))) or None,
        "command": command,
        "made": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "problem": _about(contest.problem),
        "settings": _settings(settings),
        "environment": _environment(settings),
        "evaluated_at": protocol.evaluated_at(settings.steps),
        "target": {"loss": plain(goal), "sentence": f"a validation loss of {goal:.4g}"},
        "checks": checks.run_checks(everyone, higher),
        "sight": _sight(scores, higher), "margin": margin,
        "winner": _winner(contest, scores),
        "advice": advice(made, {e.label: e.untuned_scores(higher) for e in candidates}, higher, margin["value"]),
        "rules": made,
        "not_run": dict(settings.not_run),
    }  # fmt: skip
    if settings.pilot is not None:
        _tell_of_training(found, settings, settings.pilot, {e.label: judged_scores(e.judging, higher) for e in candidates})
    if settings.source.data is not None:
        found["data"] = _own_data(contest.problem, beside)
    return {"answer": answer(found), **found}


def _environment(settings: Settings) -> dict[str, str]:
    packages = ("numpy", "scipy", "scikit-learn", *searches.needs(settings.search))
    machine = f"{platform.machine()}, {platform.system()}"
    return {"python": platform.python_version(), "machine": machine, **{name: version(name) for name in packages}}


def _own_data(problem: Problem, beside: Sequence[Baseline]) -> OwnData:
    assert isinstance(problem, Supervised)
    preparation = problem.preparation or Preparation()
    return {
        "columns": [
            {"name": column.name, "holds": column.holds, "treatment": column.treatment} for column in preparation.columns
        ],
        "repairs": list(preparation.repairs),
        "baselines": [{"name": each.name, "about": each.about, "score": each.score} for each in beside],
    }


def _tell_of_training(found: Facts, settings: Settings, pilot: Pilot, scores: Mapping[str, Floats]) -> None:
    """Say of a training function what differs from the lab's own problems."""
    known = found["training"] = training.training(pilot, scores)
    found["protocol"]["sentences"] = training.sentences(settings, known)
    found["caution"] = " ".join(filter(None, (found["caution"], training.caution(known)))) or None
    goal = found["target"]["loss"]
    if goal is not None:
        shown = -goal if found["problem"]["score"]["higher_is_better"] else goal
        found["target"]["sentence"] = f"a validation score of {shown:.4g}"
    found["environment"] |= {name: version(name) for name in running.FRAMEWORKS if importlib.util.find_spec(name)}


def _about(problem: Problem) -> About:
    score = problem.score
    return {
        "name": problem.name, "about": problem.about, "train_size": problem.train_size,
        "test_size": problem.test_size,
        "fingerprint": problem.fingerprint,
        "score": {"name": score.name, "higher_is_better": score.higher_is_better, "share": score.share},
    }  # fmt: skip


def _settings(settings: Settings) -> ProblemSettings:
    return {
        "steps": settings.steps, "batch_size": settings.batch_size, "budget": settings.budget, "seeds": settings.seeds,
        "tuning_seeds": protocol.TUNING_SEEDS, "tuned": settings.tune, "schedules": list(settings.schedules),
        "search": settings.search, "early_stopping": settings.early_stopping, "rules": list(settings.rules),
        "blocks": settings.blocks, "ranges": {name: list(own) for name, own in settings.ranges},
        "split": of_blocks.split_of(settings.source),
    }  # fmt: skip


def _sentences(settings: Settings) -> list[str]:
    found = protocol.sentences(
        *(settings.budget, settings.seeds, settings.steps, settings.batch_size),
        *(settings.tune, settings.schedules, settings.search),
    )
    found += ranges.sentences(dict(settings.ranges))
    return [*found, *of_blocks.sentences(settings.blocks, of_blocks.split_of(settings.source))]


def _target(candidates: Sequence[Entrant]) -> float:
    """A little above the lowest median validation loss of any optimizer at any evaluation: it may rise again later."""
    curves = [[t.loss_curve for t in e.judging if t.loss_curve] for e in candidates]
    lowest = [np.nan_to_num(np.median(runs, axis=0), nan=np.inf).min() for runs in curves if runs]
    if not lowest or not np.isfinite(min(lowest)):
        return math.nan
    best, start = float(min(lowest)), float(np.median([run[0] for runs in curves for run in runs]))
    return best + protocol.NEAR * (start - best)


def _sight(scores: Any, higher: bool) -> Sight:
    """The smallest detectable difference to the best, and the seeds needed for the next pair."""
    found = power.sight(scores, higher)
    pair = list(found.pair) if found.pair else None
    return {"smallest": plain(found.smallest), "pair": pair, "times": found.times}


def _margin(contest: Contest, scores: Mapping[str, Floats]) -> Margin:
    """The difference that does not matter: what the user says, or of a share a standard error of the test samples."""
    given, problem = contest.settings.margin, contest.problem
    if given is not None:
        return {"value": given / 100 if problem.score.share else given, "given": True}
    best = max(scores.values(), key=lambda own: float(np.mean(own)) if problem.score.higher_is_better else -float(np.mean(own)))
    return {"value": besides(best, problem) ** 0.5, "given": False}


def _winner(contest: Contest, scores: Mapping[str, Floats]) -> Interval:
    """The best optimizer's score, corrected for its having been chosen."""
    problem = contest.problem
    if not all(np.isfinite(own).all() for own in scores.values()):
        return {"mean": None, "low": None, "high": None}
    higher = problem.score.higher_is_better
    table, sign = stats.settled(scores, higher), -1.0 if higher else 1.0
    best = sign * table[np.argmin(table.mean(axis=1))]
    mean, *ends = (plain(sign * x) for x in simultaneous.chosen(table, 0.0 if contest.split_anew else besides(best, problem)))
    low, high = sorted(ends, key=lambda x: -np.inf if x is None else x)
    return within(mean, low, high, contest)
