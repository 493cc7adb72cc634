"""The scorer on AlgoPerf's published times: it must reproduce the leaderboard, and adds intervals."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator, Mapping
from importlib import resources

import numpy as np

from thalweg.lab.statistics import aggregate, profiles
from thalweg.lab.statistics.profiles import Times
from thalweg.lab.statistics.stats import Floats
from thalweg.lab.verify.check import Check, Line, Say, close

HELD_OUT = {
    "criteo1tb_embed_init": "criteo1tb", "fastmri_tanh": "fastmri", "imagenet_resnet_large_bn_init": "imagenet_resnet",
    "librispeech_conformer_layernorm": "librispeech_conformer", "ogbg_model_size": "ogbg", "wmt_glu_tanh": "wmt",
}  # fmt: skip
PUBLISHED = {
    "shampoo_submission": 0.7784, "schedule_free_adamw": 0.7077, "generalized_adam": 0.6383, "cyclic_lr": 0.6301,
    "nadamp": 0.5909, "baseline": 0.5707, "amos": 0.4918, "caspr_adaptive": 0.4722, "lawa_queue": 0.3699, "lawa_ema": 0.3384,
    "schedule_free_prodigy": 0.0,
}  # fmt: skip
KNOWN = {"lawa_ema": "the public logs give 0.3434; the leaderboard prints 0.3384"}
FROM_LOGS = {"lawa_ema": 0.3434}
DRAWS = 1000


def times() -> dict[str, dict[str, float]]:
    """Submission -> workload or variant -> median seconds to the target. inf: not reached; NaN: not run."""
    text = resources.files("thalweg.lab.verify").joinpath("algoperf_v05_external.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return {row.pop("sub"): {problem: float(time or "nan") for problem, time in row.items()} for row in rows}


def scores(given: Times) -> dict[str, float]:
    """AlgoPerf's score for times, also for a subset of workloads or submissions."""
    problems = set(next(iter(given.values())))
    return profiles.algoperf_scores(given, {v: base for v, base in HELD_OUT.items() if v in problems and base in problems})


def over_workloads(given: Times, draws: int) -> dict[str, Floats]:
    """Bootstrap scores (draws,) over the eight workloads, each resampled with its variant."""
    own = {v: k for k, v in HELD_OUT.items()}
    bases = [problem for problem in next(iter(given.values())) if problem not in HELD_OUT]
    found = []
    for draw in np.random.default_rng(0).integers(len(bases), size=(draws, len(bases))):
        chosen = [(f"{i} {bases[j]}", bases[j]) for i, j in enumerate(draw)]
        again = {name: {new: row[old] for new, old in chosen} for name, row in given.items()}
        held_out = {}
        for new, old in chosen:
            if old in own:
                held_out[f"{new} variant"] = new
                for name, row in given.items():
                    again[name][f"{new} variant"] = row[own[old]]
        found.append(list(profiles.algoperf_scores(again, held_out).values()))
    return dict(zip(given, np.transpose(found), strict=True))


def _overtaken(given: Times) -> list[str]:
    """The changes of order when a third submission is left out, in words."""
    whole = scores(given)
    order = sorted(whole, key=lambda name: -whole[name])
    return [
        f"without {out}, {second} passes {first}"
        for out, found in aggregate.without_each_optimizer(given, scores).items()
        for first, second in itertools.combinations([name for name in order if name != out], 2)
        if found[first] > found[second]
    ]


def check(quick: bool, say: Say) -> Check:
    given = times()
    found = scores(given)
    say("resampling AlgoPerf's workloads")
    overtaken, drawn = _overtaken(given), over_workloads(given, DRAWS // 10 if quick else DRAWS)
    exact = sum(abs(found[name] - published) < 5.1e-5 for name, published in PUBLISHED.items())
    first, second = sorted(found, key=lambda name: -found[name])[:2]
    ahead = float(np.mean(drawn[first] > drawn[second]))
    return Check(
        "algoperf",
        "AlgoPerf's leaderboard",
        "AlgoPerf v0.5, external tuning (Kasimbeg et al. 2025, arXiv 2502.15015); times from MLCommons' public logs, Apache-2.0",
        "The scorer of `lab/statistics/profiles.py` on the median times to target of eleven submissions on eight workloads "
        "and six held-out variants. The leaderboard prints no intervals. The table here has medians only, not the single "
        "studies, so the intervals come from resampling the eight workloads, each with its variant: they show how much a "
        "score depends on the choice of workloads, not on the seeds.",
        [*_beside_published(found, drawn), *_in_all(given, found, exact)],
        f"Of eleven scores {exact} agree to four decimals; LAWA-EMA is shown with both values. {first} is ahead of {second} in "
        f"{ahead:.0%} of the resampled sets of workloads"
        + (", so the two are not separable. " if 0.025 < ahead < 0.975 else ". ")
        + f"If one submission is left out: {'; '.join(overtaken) or 'the order of the others stays the same'}.",
    )


def _beside_published(found: Mapping[str, float], drawn: Mapping[str, Floats]) -> Iterator[Line]:
    """Lines that compare each score with the leaderboard's."""
    for name, published in PUBLISHED.items():
        low, high = np.percentile(drawn[name], [2.5, 97.5])
        told = f"95 % over workloads: {low:.2f} to {high:.2f}"
        if name in KNOWN:
            agrees = abs(found[name] - FROM_LOGS[name]) < 5e-5
            yield Line(name, found[name], published, agrees, f"{KNOWN[name]}; {told}")
        else:
            yield close(name, found[name], published, 5e-5 + 1e-12, told)


def _in_all(given: Times, found: Mapping[str, float], exact: int) -> Iterator[Line]:
    """The numbers of scores and places equal to the leaderboard's, and the scores' largest difference to the exact area."""
    order, ours = (sorted(scores, key=lambda name: -scores[name]) for scores in (PUBLISHED, found))
    yield close("scores that agree to four decimals", exact, 10, 0, "of eleven", digits=0)
    same = sum(a == b for a, b in zip(order, ours, strict=True))
    yield close("submissions in their published place", same, 11, 0, "of eleven", digits=0)
    exactly = _exact(given)
    largest = max(abs(value - exactly[name]) for name, value in found.items())
    what, why = "largest difference to the exact area under the profile", "AlgoPerf takes trapezoids over 100 points"
    yield Line(what, largest, None, largest < 0.0016, why)


def _exact(given: Times) -> dict[str, float]:
    """The same scores by the exact area, to test the trapezoids."""
    return {name: profiles.area(own) for name, own in profiles.ratios(profiles.after_held_out(given, HELD_OUT)).items()}
