"""The race: every rule from the same start, each at the best of equally many learning rates."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from thalweg.core.stage import Stage
from thalweg.form.hyper import Role, with_role
from thalweg.lab.data.surface import Surface
from thalweg.lab.race.ground import Array
from thalweg.lab.race.trial import NEAR, Success, fresh, judged, tuned
from thalweg.lab.race.walk import walk
from thalweg.lab.report.figures.marks import FIRST, Mark, given_out
from thalweg.lab.running.guard import in_a_line
from thalweg.lab.user.probe import ProbeFailed
from thalweg.methods import rules
from thalweg.rule import Rule

LearningRate = Literal["tuned", "default"] | float
Runner = Callable[..., Any]
"""run(work, rule, *arguments) computes work(rule, *arguments) for a user's rule, possibly in a child process: `isolated`."""


def here(work: Callable[..., Any], rule: Rule, *arguments: Any) -> Any:
    return work(rule, *arguments)


@dataclass(frozen=True)
class OwnRules:
    """The user's rules by name, and their runner."""

    by_name: Mapping[str, Rule] = field(default_factory=dict)
    run: Runner = here


@dataclass(frozen=True)
class Walk:
    """One rule's path: `points` (steps + 1, d), and `values` (steps + 1,) of the loss, inf or NaN after an overflow.

    search: the range of its learning rate; None if it was not tuned. success: that of the learning rate on fresh instances.
    failure: the error that the rule raised, if any.
    """

    name: str
    lr: float
    points: Array
    values: Array
    search: tuple[float, float] | None = None
    note: str = ""
    success: Success | None = None
    failure: str | None = None

    @property
    def at_edge(self) -> Literal["low", "high"] | None:
        """The end of the range at which the best learning rate is, if any: a wider range may contain a better one."""
        if self.search is None:
            return None
        return "low" if np.isclose(self.lr, self.search[0]) else "high" if np.isclose(self.lr, self.search[1]) else None

    @property
    def blown(self) -> int | None:
        """The first step whose point or loss is not finite."""
        bad = ~(np.isfinite(self.values) & np.isfinite(self.points).all(axis=1))
        return int(bad.argmax()) if bad.any() else None


@dataclass(frozen=True)
class Race:
    """The paths on one surface, the best first. own: the user's rules in the race. show: those to be in colour, if asked for."""

    surface: Surface
    steps: int
    start: Array
    lr: LearningRate
    seed: int
    walks: tuple[Walk, ...]
    own: OwnRules = field(default_factory=OwnRules)
    show: tuple[str, ...] = ()

    @property
    def front(self) -> tuple[str, ...]:
        """The rules in colour: those asked for, or else the user's own and the best others, eight in all. The rest is grey."""
        names = [walk.name for walk in self.walks]
        if self.show:
            return tuple(name for name in names if name in self.show)
        own = [name for name in names if name in self.own.by_name]
        best = [name for name in names if name not in own][: max(0, FIRST - len(own))]
        return tuple(name for name in names if name in (*own, *best))

    @property
    def marks(self) -> dict[str, Mark]:
        """How each rule is drawn, those in colour with the first marks."""
        return given_out(list(dict.fromkeys([*self.front, *(walk.name for walk in self.walks)])))

    def gaps(self, walk: Walk) -> Array:
        """f - f_min along the path."""
        return walk.values - self.surface.lowest

    def distances(self, walk: Walk) -> Array:
        """The distance to the nearest minimum along the path."""
        with np.errstate(all="ignore"):
            nearest: Array = np.linalg.norm(walk.points[:, None, :] - self.surface.minima, axis=-1).min(axis=1)
        return nearest

    def near(self, walk: Walk) -> int | None:
        """The step from which on the path stays near the minimum: within NEAR of its initial gap."""
        gaps = self.gaps(walk)
        far = ~(gaps <= NEAR * gaps[0])
        last = int(np.flatnonzero(far)[-1]) if far.any() else -1
        return last + 1 if last < len(far) - 1 else None


def race(
    surface: Surface, names: Sequence[str], *, steps: int, start: Array, lr: LearningRate = "tuned", seed: int = 0,
    own: OwnRules = OwnRules(), advance: Callable[[], None] = lambda: None,
) -> Race:  # fmt: skip
    """Run the named rules, of the catalogue or the user's, from `start` (d,) for `steps` steps.

    lr: "tuned" takes for each rule the best of equally many learning rates in its own range, by the median final loss over
    instances of the surface (`trial.tuned`), not including the drawn one; "default" takes each rule's default; a number is
    used for all. A rule without a range runs at its default. Success is counted on other instances. seed: that of the
    instances and of rules that draw. own: the user's rules; a failing one gets a row that says so. `advance` is called
    after each rule.
    """
    walks = []
    for name in names:
        told = (surface, steps, start, lr, seed)
        if name not in own.by_name:
            walks.append(_walk(rules[name], *told))
        else:
            try:
                walks.append(own.run(_walk, own.by_name[name], *told))
            except (Exception, SystemExit) as error:
                why = str(error) if isinstance(error, ProbeFailed) else in_a_line(error)
                walks.append(_failed(surface, own.by_name[name], steps, start, why))
        advance()
    return Race(surface, steps, start, lr, seed, tuple(sorted(walks, key=lambda w: _order(w, surface))), own)


def _order(walk: Walk, surface: Surface) -> tuple[float, float, float]:
    """Sort key: successes, then the final loss as drawn, then, for ties up to rounding, the mean loss along the path."""
    hits = walk.success.hits if walk.success else -1
    if walk.blown is not None:
        return -hits, math.inf, -walk.blown
    share = (walk.values[-1] - surface.lowest) / (walk.values[0] - surface.lowest or 1.0)
    return -hits, round(float(share), 9), float(walk.values.mean())


def _walk(rule: Rule, surface: Surface, steps: int, start: Array, lr: LearningRate, seed: int) -> Walk:
    stage, note = configured(rule, surface, steps)
    number = drawn_with(stage, seed)
    assert rule.lr is not None  # there are no other rules in the catalogue or from `my_rule`
    search = None
    if rule.search is None:
        chosen, note = rule.lr, _join("as shipped, not tuned", note)
    elif lr == "tuned":
        search = rule.search
        chosen = tuned(surface, stage, search, steps, seed)
    else:
        chosen = rule.lr if lr == "default" else float(lr)
    points, values = walk(surface, stage, [chosen], steps, start, [number])
    success = judged(surface, stage, chosen, steps, seed)
    return Walk(rule.name, chosen, points[0], values[0], search, note, success)


def _failed(surface: Surface, rule: Rule, steps: int, start: Array, failure: str) -> Walk:
    """The row of a rule that raised: its path stays at the start."""
    points, values = np.full((steps + 1, start.size), np.nan), np.full(steps + 1, np.nan)
    points[0], values[0] = start, surface.value(start)
    return Walk(rule.name, rule.lr or 0.0, points, values, failure=failure)


def configured(rule: Rule, surface: Surface, steps: int) -> tuple[Stage, str]:
    """The rule for the race, with the hyper-parameters that depend on the problem set."""
    if least := with_role(rule.hyper, Role.LEAST_LOSS):
        return rule(**{least: surface.lowest}), f"told the minimum, f* = {surface.lowest:.6g}"
    if explores := with_role(rule.hyper, Role.BURN_IN):
        return rule(**{explores: max(1, steps // 2)}), f"explores for {max(1, steps // 2)} steps"
    return rule(), ""


def _join(*words: str) -> str:
    return "; ".join(word for word in words if word)


def drawn_with(stage: Stage, seed: int) -> int:
    """The seed of the drawn run: a fresh one for rules that draw random numbers."""
    draws = stage.asks & {"noise", "curvature"} or any(kind.drawn for kind in stage.memory.values())
    return fresh(seed) if draws else seed
