"""What a report says of a training function: its protocol in words, its noise, and cautions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from thalweg.lab.comparing.contest import Settings
from thalweg.lab.comparing.pilot import Pilot
from thalweg.lab.data.problem import Floats
from thalweg.lab.protocol import halving, protocol
from thalweg.lab.report.schema.problem import Training
from thalweg.lab.report.words import blocks, ranges
from thalweg.lab.training import validations


def training(pilot: Pilot, scores: Mapping[str, Floats]) -> Training:
    """What is known of the function. scores: the judged scores of each rule."""
    spreads = [float(np.std(found, ddof=1)) for found in scores.values() if len(found) > 1 and np.isfinite(found).all()]
    return {
        "rule": pilot.rule, "repeated": list(pilot.scores), "judges": pilot.judges, "reports": pilot.reported is not None,
        "seconds": pilot.seconds, "validations": pilot.validations,
        "spread": float(np.median(spreads)) if spreads else None,
    }  # fmt: skip


def sentences(settings: Settings, found: Training) -> list[str]:
    """The protocol in words."""
    judged = (
        "by the test score that the function returns, which no choice has used"
        if found["judges"]
        else "by the validation score again, as the function returns no test score"
    )
    return [
        protocol.tuned(settings.budget, settings.tune, settings.schedules, settings.search),
        *ranges.sentences(dict(settings.ranges)),
        f"Each trial is a run of the training function, of about {settings.steps:,} steps, on {protocol.TUNING_SEEDS} tuning "
        "seeds. The setting with the best median validation score is chosen; a run that diverged counts as the worst.",
        *halving.sentences(settings.early_stopping),
        f"The chosen setting starts afresh on {settings.seeds} other seeds and is judged {judged}. Every rule is judged in the "
        "same way at its usual learning rate, which gives its untuned score.",
        "The function itself determines what a seed fixes. The seeds follow from a hash of this protocol, the function's code "
        "and the steps; all optimizers have the same, and more seeds leave the first ones as they are.",
        f"{repeated(found)} {spread(found)}".strip(),
        *validated(found),
        protocol.CHECKS,
        "A run has diverged if a score was not finite, or if the function raised an error, which is in the notes. No run is "
        "left out.",
        protocol.TARGET.replace("loss", "score").replace("lowest", "best"),
        *blocks.sentences(settings.blocks, blocks.split_of(settings.source)),
    ]


def repeated(found: Training) -> str:
    """Whether a seed fixes the score."""
    first, second = found["repeated"]
    told = f"{found['rule']} ran twice at its usual rate on one seed"
    if first == second:
        return f"{told}, and the score was the same to the last digit."
    if first is None or second is None:
        return f"{told}, and one of the two scores was not finite: the function is not deterministic."
    return (
        f"{told}, and the scores were {first:.6g} and {second:.6g}: the function is not deterministic, and they differ by "
        f"{abs(first - second):.2g}."
    )


def validated(found: Training) -> list[str]:
    """How often scores on the way are computed, where the lab decides that."""
    if found["validations"] is None:
        return []
    return [
        f"A run computes at most {found['validations']} validation scores on the way, evenly spread, so that they take no more "
        f"than {validations.PART:.0%} of its time."
    ]


def spread(found: Training) -> str:
    """How far the seeds are apart."""
    return "" if found["spread"] is None else f"The judged scores of a rule have a standard deviation of {found['spread']:.2g}."


def caution(found: Training) -> str | None:
    """What lessens the worth of the scores, if anything does."""
    told = [*[NO_TEST] * (not found["judges"]), *[NO_CURVES] * (not found["reports"])]
    if found["repeated"][0] != found["repeated"][1]:
        told.append(f"{repeated(found)} This noise is part of every score, so the seeds are not really paired.")
    return " ".join(told) or None


NO_CURVES = (
    "The function reports no score on the way (trial.report), so its learning curves are drawn flat, at the final score, and the "
    "steps to the target say nothing."
)
NO_TEST = (
    "The function returns no test score, so the validation score judges the settings that it chose: where there was tuning, "
    "scores are slightly too good."
)
