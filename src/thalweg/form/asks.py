"""What a function may ask for, one row each: description, memory traffic, source in a step, letter in formulas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Literal, NamedTuple

from thalweg.values.symbols import NUMBER, TENSOR

Sort = Literal["rule", "after", "around"]
ALL: tuple[Sort, ...] = ("rule", "after", "around")


class Asking(NamedTuple):
    """Who asks: a stage, for a leaf (`core.leaf.Leaf`) in a step."""

    leaf: Any
    step: Any
    stage: Any


@dataclass(frozen=True)
class Ask:
    """One thing to ask for. supplied: its value.

    letter, time: its notation in formulas: "g" at "t" is g_t; without a time it is the same at each step. sorts: the sorts of
    functions that may ask for it.
    """

    says: str
    level: int
    supplied: Callable[[Asking], Any]
    letter: str
    time: str = "t"
    sorts: tuple[Sort, ...] = ("rule",)


ASKS = {
    "g": Ask("what arrives at this stage: the gradient, or an earlier stage's direction", TENSOR, attrgetter("leaf.d"), "g"),
    "t": Ask(
        "the number of this tensor's update: 1, 2, ...",
        NUMBER,
        attrgetter("leaf.t"),
        "t",
        "",
        ALL,
    ),
    "p": Ask("the parameter", TENSOR, attrgetter("leaf.p"), "p", "t-1", ("rule", "around")),
    "lr": Ask(
        "the learning rate; a rule may ask for it with @rule(step=True)",
        NUMBER,
        lambda at: at.step.rate(at.leaf),
        "lr",
        "",
        ALL,
    ),
    "rate": Ask(
        "what a direction must be multiplied by here: 1, or the learning rate after a rule that owns its step",
        NUMBER,
        lambda at: at.step.rate(at.leaf) if at.leaf.owned else 1.0,
        "rate",
        "",
    ),
    "gnorm": Ask(
        "the norm of all that arrives at this stage, over the whole model",
        NUMBER,
        lambda at: at.step.gnorm(at.leaf, at.stage),
        "gnorm",
        "",
    ),
    "loss": Ask("the value of the loss", NUMBER, attrgetter("step.loss"), "f"),
    "grad": Ask("the caller's raw gradient", TENSOR, attrgetter("leaf.grad"), "g"),
    "noise": Ask(
        "a standard normal draw; a hyper-parameter of the kind Interval says every how many steps it is looked at",
        TENSOR,
        lambda at: at.step.noise(at.leaf, at.stage),
        "noise",
    ),
    "curvature": Ask(
        "an estimate of the Hessian's diagonal; a hyper-parameter of the kind Interval says every how many steps",
        TENSOR,
        lambda at: at.step.curvature(at.leaf),
        "curvature",
    ),
    "z": Ask("the walked point", TENSOR, attrgetter("leaf.p"), "z", "t", ("after",)),
}


def asked_by(sort: Sort) -> dict[str, Ask]:
    """Return what functions of one sort may ask for."""
    return {word: ask for word, ask in ASKS.items() if sort in ask.sorts}
