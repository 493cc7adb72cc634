"""The models that are no networks, in words: beside the scores, and in the answer."""

from __future__ import annotations

from thalweg.lab.comparing.baselines import BOOSTING
from thalweg.lab.report.schema.problem import Baseline, Facts
from thalweg.lab.statistics import power
from thalweg.lab.statistics.scores import format_score, number

NO_NETWORK = "no network"
"""Their verdict in the table."""


def baselines(found: Facts) -> list[Baseline]:
    """Those with a score, the best first."""
    known = [each for each in found["data"]["baselines"] if each["score"] is not None] if "data" in found else []
    higher = found["problem"]["score"]["higher_is_better"]
    return sorted(known, key=lambda each: number(each["score"]), reverse=higher)


def ahead(found: Facts) -> tuple[str, str]:
    """What matters more than the choice of the optimizer, and what else is known of these models; "" if there is nothing.

    Nothing is claimed with so few seeds that optimizers are not compared either.
    """
    score, best = found["problem"]["score"], found["rules"][0]["score"]
    known = {each["name"]: number(each["score"]) for each in baselines(found)}
    mean = found["winner"]["mean"] if found["winner"]["mean"] is not None else best["mean"]
    if not known or mean is None:
        return "", ""
    spread = (best["high"] - best["low"]) / 2 if best["low"] is not None and best["high"] is not None else 0.0
    doubt = max(found["margin"]["value"], spread)
    boosted = known.pop(BOOSTING, None)
    enough = len(found["rules"][0]["judging"]) >= power.least_seeds()
    told = []
    for name, guessed in known.items():
        if enough and mean <= guessed + doubt:
            told.append(
                f"No network here is clearly better than always saying {name} (test {score['name']} "
                f"{format_score(guessed, score['share'])}): there is little to learn from these data, or not so."
            )
    if boosted is None:
        return " ".join(told), ""
    shown = f"a test {score['name']} of {format_score(boosted, score['share'])}"
    if enough and boosted > mean + doubt:
        told.append(
            f"The model matters more: scikit-learn's gradient boosting, which is no network and was not tuned, has {shown}, more "
            "than the best network here. Try it first."
        )
        return " ".join(told), ""
    return " ".join(told), f"Gradient boosting, which is no network and was not tuned, has {shown}."
