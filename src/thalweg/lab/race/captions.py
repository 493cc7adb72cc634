"""Texts of pictures, page and table."""

from __future__ import annotations

from thalweg.lab.race.run import Race, Walk
from thalweg.lab.race.trial import JUDGED_ON, LEVEL, NEAR, RATES, TUNED_ON, Success
from thalweg.values.numerals import typed

ERRORS = {"value": "f − f_min", "distance": "distance to the minimum"}

EDGES = {None: "", "low": "↓", "high": "↑"}


def headline(race: Race) -> str:
    """The title."""
    return f"{len(race.walks)} optimizers on {race.surface.name.replace('_', ' ')}"


def behind(race: Race) -> str:
    """What the grey lines are; empty if there are none."""
    grey = len(race.walks) - len(race.front)
    return f"{grey} other{'' if grey == 1 else 's'} in grey" if grey else ""


def error_name(error: str) -> str:
    """The title of the error curves."""
    return ERRORS[error]


def small_print(race: Race) -> str:
    """How the learning rates were chosen, which the picture's meaning depends on."""
    numbers = ", ".join(f"{x:g}" for x in race.start)
    start = f"x = {numbers}" if race.start.size == 1 else f"({numbers})"
    how = {
        "tuned": f"each at the best of {RATES} learning rates from its own range, by the median loss after the last step on "
        f"{TUNED_ON} instances with other axes, origins and starts",
        "default": "each at its own default learning rate",
    }.get(str(race.lr), f"all at the learning rate {race.lr}")
    edge = " (↑ ↓: an end of that range)" if any(walk.at_edge for walk in race.walks) else ""
    return f"from {start}, {race.steps} steps, {how}{edge}"


def success_print() -> str:
    """The definition of success."""
    return (
        f"success: on {JUDGED_ON} more instances, the share that leave at most {100 * NEAR:g} % of f − f_min at the start; "
        f"in brackets its {100 * LEVEL:g} % interval (Wilson)"
    )


def success(found: Success | None) -> str:
    """The share of successes and its interval, in percent; empty for a failed rule."""
    if found is None:
        return ""
    low, high = found.interval
    return f"{100 * found.hits / found.runs:.0f} % [{100 * low:.0f}, {100 * high:.0f}]"


def rate(walk: Walk) -> str:
    """A learning rate in short form, with an arrow if it is at the end of its range."""
    return f"{typed(walk.lr)}{EDGES[walk.at_edge]}".replace("e-0", "e-").replace("e+0", "e")


def end(walk: Walk, digits: int) -> tuple[str, str]:
    """The final point and its loss; empty for a failed rule."""
    if walk.failure is not None:
        return "", ""
    return ", ".join(f"{x:.{digits}g}" for x in walk.points[-1]), f"{walk.values[-1]:.6g}"


def outcome(race: Race, walk: Walk) -> str:
    """A remark on the outcome if the numbers do not show it."""
    if walk.failure is not None:
        return f"failed: {walk.failure}"
    if walk.blown is not None:
        return f"diverged at step {walk.blown}"
    return "worse than its start" if walk.values[-1] > walk.values[0] else ""
