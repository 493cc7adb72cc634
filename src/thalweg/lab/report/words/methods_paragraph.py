"""The methods paragraph of a comparison, to paste into a paper."""

from __future__ import annotations

from collections.abc import Sequence

from thalweg.lab.protocol import halving, protocol
from thalweg.lab.report.schema.problem import ProblemSettings, Results, SuiteSettings
from thalweg.lab.report.schema.suite import Unranked
from thalweg.lab.report.words import blocks, ranges


def methods(
    settings: SuiteSettings, problems: Sequence[Results], version: str, by: str, rules: int, unranked: Sequence[Unranked] = ()
) -> str:
    """The methods paragraph, from the comparison's settings and the results on its problems.

    by: the protocol's version. rules: how many optimizers are ranked. unranked: the others.
    """
    names = [each["problem"]["name"] for each in problems]
    where = names[0] if len(names) == 1 else f"{len(names)} problems ({', '.join(names)})"
    steps = sorted({each["settings"]["steps"] for each in problems})
    span = f"{steps[0]}" if len(steps) == 1 else f"{steps[0]} to {steps[-1]}"
    spread = settings["search"] == protocol.SEARCHES[0]
    drawn, then = _spread(settings) if spread else _proposed(settings, problems[0]["environment"]["optuna"])
    schedule = " or ".join(protocol.SCHEDULES[name].word for name in settings["schedules"])
    batch = problems[0]["settings"]["batch_size"]
    of = f" of {batch} samples" if batch and len(names) == 1 else ""
    count = rules + len(unranked)
    tuned = (
        f"Each was tuned with {settings['budget']} trial{'' if settings['budget'] == 1 else 's'}{_fewer(settings, problems)} on "
        f"{settings['tuning_seeds']} seeds: {drawn}, under {schedule} schedule over {span} steps{of}{then}. "
        f"The setting with the best median validation score was judged on {_data(problems[0])} with"
    )
    untuned = f"Each ran at its usual learning rate, untuned, over {span} steps and was judged on {_data(problems[0])} with"
    told = (
        f"We compared {count} optimizer{'' if count == 1 else 's'} on {where} with thalweg {version} (protocol {by}). "
        f"{tuned if settings['budget'] else untuned} "
        f"{settings['seeds']} fresh seeds, which fix initialisation and data order and are the same for all optimizers; they "
        "follow from a hash of the protocol, the problem, its data and the steps. Diverged runs count with the score they ended "
        "with."
    )
    moved = [ranges.METHOD] if any(each["settings"]["ranges"] for each in problems) else []
    repeated = [*moved, *_early(problems[0]["settings"]), *blocks.method(problems[0]["settings"])]
    return " ".join(
        [
            told,
            *repeated,
            _one(problems[0]["settings"]) if len(names) == 1 else MANY,
            *(each["sentence"] for each in unranked),
        ]
    )


def _early(settings: ProblemSettings) -> list[str]:
    return [HALVED] if settings["early_stopping"] != halving.NAMES[0] else []


def _data(results: Results) -> str:
    """What the optimizers were judged on."""
    return "test data" if "training" not in results or results["training"]["judges"] else "validation data"


def _fewer(settings: SuiteSettings, problems: Sequence[Results]) -> str:
    """The optimizers with fewer trials than the others, in words."""
    names = {
        row["name"]: None for each in problems for row in each["rules"] if row["tuned"] and row["trials"] < settings["budget"]
    }
    return f" (fewer where a step is expensive: {', '.join(names)})" if names else ""


def _spread(settings: SuiteSettings) -> tuple[str, str]:
    """The settings tried, and the use of the reserved trials."""
    drawn = (
        "log-spaced learning rates within the range that each optimizer declares (one that declares none: four decades around "
        "its usual rate), all other hyper-parameters at their defaults"
        if settings["tuned"] == "lr" and len(settings["schedules"]) == 1
        else "quasi-random, log-uniform draws of the learning rate and of all other hyper-parameters"
        if settings["tuned"] == "all"
        else "quasi-random, log-uniform draws of the learning rate, all other hyper-parameters at their defaults"
    )
    if settings["budget"] < protocol.RESERVED:
        return drawn, ""
    return drawn, (
        f"; one trial in {protocol.RESERVED} was reserved, and used beyond the edge of the range if the best lay there, "
        "otherwise next to the best"
    )


def _proposed(settings: SuiteSettings, version: str) -> tuple[str, str]:
    """The settings tried by adaptive search, and the caveat about it."""
    what = (
        "the learning rate and all other hyper-parameters"
        if settings["tuned"] == "all"
        else "the learning rate, all other hyper-parameters at their defaults"
    )
    drawn = (
        f"{protocol.spread(settings['budget'])} spread over the range of {what}, the others proposed within it by the TPE "
        f"sampler of Optuna {version} (Akiba et al. 2019, arXiv 1907.10902), {protocol.AT_ONCE} at a time"
    )
    return drawn, (
        "; this adaptive search makes the tuning unequal, since the settings tried are not the same for all, and the sampler's "
        "random draws and its fit to the space differ between optimizers"
    )


def _one(settings: ProblemSettings) -> str:
    """The statistics on one problem. Blocks with test samples of their own show their luck by themselves."""
    anew = settings["blocks"] > 1 and settings["split"] == "ours"
    return (
        f"Intervals are Student's 95 % intervals{'' if anew else ', for shares with the binomial variance of the test samples'}; "
        "optimizers are called worse by paired permutation tests of all pairs with the step-down correction of Westfall and "
        "Young (1993), at 5 % for the table."
    )


HALVED = (
    f"Of each optimizer's first settings the half with the worse median validation score was stopped after {halving.SHARE:.3g} "
    "of the steps (successive halving; Jamieson and Talwalkar 2016, arXiv 1502.07943)."
)
MANY = (
    "Over problems, scores are shares of the way from the start to the best median; we report mean ranks and interquartile "
    "means with stratified bootstrap intervals over seeds, and compare all pairs by Wilcoxon's signed-rank test over problems "
    "with the step-down correction of Westfall and Young (1993), problems on the same data counted as one."
)
