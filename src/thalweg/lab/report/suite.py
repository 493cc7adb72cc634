"""Aggregate the results on several problems into one plain dict."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from thalweg.lab.protocol import protocol, suites
from thalweg.lab.report.rows import plain
from thalweg.lab.report.schema.optimizer import JudgedTrial, Row
from thalweg.lab.report.schema.parts import Estimated, Verdict
from thalweg.lab.report.schema.problem import Check, Results, SuiteSettings
from thalweg.lab.report.schema.suite import (
    LostCheck,
    Overall,
    Pace,
    Standing,
    SuiteChecks,
    SuiteFacts,
    SuiteResults,
    SuiteRow,
    SuiteUntuned,
    Unranked,
)
from thalweg.lab.report.words import ranges
from thalweg.lab.report.words.suite_answer import suite_answer
from thalweg.lab.statistics import aggregate, pairwise, profiles, shares, targets
from thalweg.lab.statistics.pairwise import Pair
from thalweg.lab.statistics.shares import Estimate
from thalweg.lab.statistics.stats import LEVEL, Floats

Rows = dict[str, dict[str, Row]]
"""Optimizer -> problem -> its row."""
TAUS = np.linspace(1, profiles.LARGEST_RATIO, 61)
SHARES = np.linspace(0, 1, 51)
"""The shares of a trial's steps at which the share of reached targets is computed."""


def combine(name: str, found: Sequence[Results], command: str) -> SuiteResults:
    """The results of a suite from those of its problems, as JSON-compatible values. Rules are sorted by mean rank."""
    blocks = _complete(found)
    rows: Rows = {row["name"]: {} for row in blocks[0]["rules"]}
    for each in blocks:
        for row in each["rules"]:
            rows[row["name"]][each["problem"]["name"]] = row
    telling = [each for each in blocks if _tells(each)]
    first = found[0]
    overall, ranked = _overall(rows, telling) if telling else (Overall(), [])
    whole: SuiteFacts = {
        "version": first["version"], "command": command,
        "made": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "suite": name, "environment": first["environment"],
        "settings": _shared([each["settings"] for each in found]),
        "caution": first["caution"],
        "protocol": {"version": first["protocol"]["version"], "sentences": _sentences(found)},
        "problems": list(found),
        "left_out": [each["problem"]["name"] for each in blocks if not _tells(each)],
        "rules": ranked, "unranked": _unranked(found), **overall,
    }  # fmt: skip
    return {"answer": suite_answer(whole), **whole}


def _complete(found: Sequence[Results]) -> list[Results]:
    """The same problems with the rows of the optimizers that ran on all of them.

    A rank over problems needs complete blocks: every optimizer on every problem (Demšar 2006, JMLR 7:1). An optimizer that
    misses a problem is excluded from every aggregate and keeps its rows on the problems it ran on.
    """
    everywhere = set.intersection(*({row["name"] for row in each["rules"]} for each in found))
    return [{**each, "rules": [row for row in each["rules"] if row["name"] in everywhere]} for each in found]


def _unranked(found: Sequence[Results]) -> list[Unranked]:
    """The optimizers that did not run on every problem, by name."""
    ran: dict[str, list[str]] = {}
    for each in found:
        for row in each["rules"]:
            ran.setdefault(row["name"], []).append(each["problem"]["name"])
    return [
        {"name": name, "ran_on": own, "sentence": _why_unranked(name, found)}
        for name, own in sorted(ran.items())
        if len(own) < len(found)
    ]


def _why_unranked(name: str, found: Sequence[Results]) -> str:
    missing = [each for each in found if all(row["name"] != name for row in each["rules"])]
    reasons = dict.fromkeys(each["not_run"][name] for each in missing if name in each["not_run"])
    why = f": {'; '.join(reasons)}" if reasons else ""
    return (
        f"{name} ran on {len(found) - len(missing)} of {len(found)} problems (not on "
        f"{', '.join(each['problem']['name'] for each in missing)}{why}). Mean ranks, profiles and tests over problems need "
        "every optimizer on every problem, so they leave it out."
    )


def _shared(each: Sequence[SuiteSettings]) -> SuiteSettings:
    """The settings that all problems share, and every optimizer that ran on any of them."""
    settings = each[0]
    return {
        "budget": settings["budget"], "seeds": settings["seeds"], "tuning_seeds": settings["tuning_seeds"],
        "tuned": settings["tuned"], "schedules": settings["schedules"], "search": settings["search"],
        "rules": list(dict.fromkeys(name for own in each for name in own["rules"])),
    }  # fmt: skip


def _sentences(each: Sequence[Results]) -> list[str]:
    settings = each[0]["settings"]
    tuned = (settings["tuned"], settings["schedules"], settings["search"])
    found = protocol.sentences(settings["budget"], settings["seeds"], None, None, *tuned)
    return [
        *found,
        *(line for own in each for line in ranges.sentences(own["settings"]["ranges"], own["problem"]["name"])),
        "A rule whose step takes more than a millisecond per lane has a quarter of the trials, and a note says so.",
        "Over problems, a score is the share of the way from the start to the best median on the problem: 0 for a run that "
        "diverged or ended below its start. The ranking is by mean rank, in which all problems have the same weight.",
    ]


def _tells(each: Results) -> bool:
    """Whether any optimizer improved on the start, so that shares of the way are defined."""
    start, best = _start(each), _best(each)
    better = best > start if each["problem"]["score"]["higher_is_better"] else best < start
    return better and math.isfinite(start) and math.isfinite(best)


def _start(each: Results) -> float:
    starts = [run["score_curve"][0] for row in each["rules"] for run in row["judging"] if run["score_curve"]]
    known = [start for start in starts if start is not None]
    return float(np.median(known)) if known else math.nan


def _best(each: Results) -> float:
    medians = [float(np.median(_numbers(each, [run["test_score"] for run in row["judging"]]))) for row in each["rules"]]
    return (max if each["problem"]["score"]["higher_is_better"] else min)(medians)


def _numbers(each: Results, scores: Sequence[float | None]) -> Floats:
    worst = -math.inf if each["problem"]["score"]["higher_is_better"] else math.inf
    return np.array([worst if score is None else score for score in scores], float)


def _overall(rows: Rows, found: Sequence[Results]) -> tuple[Overall, list[SuiteRow]]:
    shares = shares_of(found, lambda row: [run["test_score"] for run in row["judging"]])
    untuned = shares_of(found, lambda row: row["untuned"]["test_scores"])
    ranks = aggregate.mean_ranks(shares, True)
    order = sorted(rows, key=lambda name: (ranks[name].value, name))
    without = aggregate.without_each_problem(shares, _by_mean_rank)
    pairs = pairwise.critical_difference(shares, True, suites.data_of)
    overall: Overall = {
        "critical_difference": {
            "mean_rank": pairs.mean_rank, "order": pairs.order, "cliques": pairs.cliques, "remark": pairs.remark,
        },
        "without_problem": without, "without_optimizer": aggregate.without_each_optimizer(shares, _by_mean_rank),
        "taus": [round(float(x), 4) for x in TAUS], "shares_of_steps": [round(float(x), 4) for x in SHARES],
        "checks": _checks(found),
        "untuned": _untuned(untuned, shares, order),
    }  # fmt: skip
    middle, middle_untuned = aggregate.interquartile_means(shares), aggregate.interquartile_means(untuned)
    paces = _paces(rows, found)
    ranked: list[SuiteRow] = []
    for place, name in enumerate(order, 1):
        places = [table[name] for table in without.values()] or [place]
        standing: Standing = {
            "mean_rank": _estimate(ranks[name]), "share": _estimate(middle[name]), "untuned": _estimate(middle_untuned[name]),
            "places_without_a_problem": [min(places), max(places)],
            "verdict": _verdict(pairs.worse[name], name == order[0]),
        }  # fmt: skip
        own = {each["problem"]["name"]: rows[name][each["problem"]["name"]] for each in found}
        ranked.append(_row(name, place, standing, paces[name], own))
    return overall, ranked


def _row(name: str, place: int, standing: Standing, pace: Pace, own: dict[str, Row]) -> SuiteRow:
    """An optimizer's row. own: its rows on the problems."""
    first = next(iter(own.values()))
    return {
        "name": name, "place": place, "paper": first["paper"],
        "mine": first["mine"],
        **standing,
        "first_on": [p for p, row in own.items() if row["rank"]["place"] == 1],
        "not_separable_on": [p for p, row in own.items() if row["verdict"]["separable"] is not True],
        **pace,
        "diverged": {
            "tuning": float(np.mean([row["diverged"]["tuning"] for row in own.values()])),
            "judging": float(np.mean([row["diverged"]["judging"] for row in own.values()])),
        },
        "width": _median([row["width"] for row in own.values()]),
        "step_cost": _median([row["step_cost"] for row in own.values()]),
        "state_per_parameter": first["state_per_parameter"],
        "best_of": _best_of([row["best_of"] for row in own.values()]),
    }  # fmt: skip


def _paces(rows: Rows, found: Sequence[Results]) -> dict[str, Pace]:
    """The speed of each optimizer: targets and performance profiles."""
    hits = _hits(rows, found)
    budget = {each["problem"]["name"]: each["settings"]["steps"] for each in found}
    times = {name: {p: _or_inf(own[p]["steps_to_target"]["median"]) for p in budget} for name, own in rows.items()}
    ratios = profiles.ratios(times)
    parts = {name: {p: steps / budget[p] for p, steps in own.items()} for name, own in hits.items()}
    return {
        name: {
            "targets": plain(targets.area(hits[name], budget)),
            "reached": [round(float(x), 4) for x in targets.reached(parts[name], SHARES)],
            "profile": [round(float(x), 4) for x in profiles.profile(ratios[name], TAUS)],
            "profile_area": plain(profiles.area(ratios[name])),
        }
        for name in rows
    }


def shares_of(found: Sequence[Results], take: Callable[[Row], Any]) -> dict[str, dict[str, Floats]]:
    """Scores taken from each row by `take`, as shares of the way from the start to the best."""
    raw: dict[str, dict[str, Floats]] = {}
    for each in found:
        for row in each["rules"]:
            raw.setdefault(row["name"], {})[each["problem"]["name"]] = _numbers(each, take(row))
    starts = {each["problem"]["name"]: _start(each) for each in found}
    return shares.normalised(raw, starts, {each["problem"]["name"]: _best(each) for each in found})


def _by_mean_rank(some: Mapping[str, Mapping[str, Floats]]) -> dict[str, float]:
    return {name: -rank for name, rank in aggregate.mean_rank(some, True).items()}


def _verdict(pair: Pair, best: bool) -> Verdict:
    words = {True: "worse", False: "not separable", None: "too few problems to tell"}[pair.separable]
    told = "the best" if best else words
    return {"p": pair.p, "adjusted": pair.adjusted, "separable": pair.separable, "sentence": told}


def _untuned(untuned: Any, tuned: Any, order: Sequence[str]) -> SuiteUntuned:
    """Trying several untuned optimizers compared with tuning one (Schmidt et al. 2021, arXiv 2007.01547)."""
    problems = list(next(iter(untuned.values())))
    best = {p: max(float(np.median(own[p])) for own in untuned.values()) for p in problems}
    one = protocol.CONTROL if protocol.CONTROL in tuned else order[0]
    alone = {p: float(np.median(tuned[one][p])) for p in problems}
    return {
        "best_of_all": float(np.mean(list(best.values()))), "one": one, "one_tuned": float(np.mean(list(alone.values()))),
        "sentence": f"The best of {len(untuned)} untuned optimizers, chosen on the test data itself and so an upper bound, "
        f"reaches {100 * np.mean(list(best.values())):.0f} % of the way on average; {one} alone, tuned, reaches "
        f"{100 * np.mean(list(alone.values())):.0f} %.",
    }  # fmt: skip


def _hits(rows: Rows, found: Sequence[Results]) -> targets.Hits:
    at = {each["problem"]["name"]: each["evaluated_at"] for each in found}
    curves = {
        name: {p: np.array([_curve(run, len(at[p])) for run in own[p]["judging"]]) for p in at} for name, own in rows.items()
    }
    return targets.hits(curves, at, targets.targets(curves))


def _curve(run: JudgedTrial, points: int) -> list[float]:
    """A run's losses; inf for a run that failed before the first one."""
    found = [math.inf if loss is None else loss for loss in run["loss_curve"]]
    return found or [math.inf] * points


def _checks(found: Sequence[Results]) -> SuiteChecks:
    """The checks over all problems: an A/A control must not differ significantly from its twin."""
    controls = [(each, check) for each in found for check in each["checks"] if check["kind"] == "A/A control"]
    lost: list[LostCheck] = [
        {"problem": each["problem"]["name"], **check}
        for each in found
        for check in each["checks"]
        if check["kind"] == "inclusion" and not check["held"]
    ]
    p = pairwise.signed_rank(np.array([_gap(each, check) for each, check in controls])) if controls else None
    alarms = sum(not check["held"] for _, check in controls)
    expected = p is None or p > LEVEL
    verdict = "not separated from itself over the problems, as expected" if expected else "separated from itself, a false alarm"
    return {
        "controls": len(controls), "alarms": alarms, "p": p, "held": expected, "lost": lost,
        "sentence": "The A/A control, one optimizer under two names, each with tuning draws and judging seeds of its own, is "
        f"{verdict} (p = {1.0 if p is None else p:.2g}). On single problems, the two were separated on {alarms} of "
        f"{len(controls)}: two tunings may end at different settings, which the seeds do not measure, so a verdict on a single "
        "problem is about the settings that were found.",
    }  # fmt: skip


def _gap(each: Results, check: Check) -> float:
    """The difference of the two scores of a check, as shares of the way from the start to the best."""
    start, best = _start(each), _best(each)
    first, second = (0.0 if mean is None else max(0.0, (mean - start) / (best - start)) for mean in check["scores"])
    return first - second


def _best_of(curves: Sequence[Sequence[float]]) -> list[float]:
    """The mean over problems, up to the length of the shortest curve."""
    known = [curve for curve in curves if curve]
    length = min(map(len, known), default=0)
    return [round(float(np.mean([curve[k] for curve in known])), 4) for k in range(length)]


def _estimate(estimate: Estimate) -> Estimated:
    return {"value": plain(estimate.value), "low": plain(estimate.low), "high": plain(estimate.high)}


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.median(known)) if known else None


def _or_inf(value: float | None) -> float:
    return math.inf if value is None else value
