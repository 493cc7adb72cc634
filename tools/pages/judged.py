"""When to take an optimizer and when not, by what the lab has measured and what a step costs. Nothing here is opinion."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from thalweg.commands import facts
from thalweg.core.optimizer import Optimizer
from thalweg.lab import advise
from thalweg.lab.bank import standing
from thalweg.lab.bank.advise import Advice
from thalweg.lab.bank.kinds import KINDS
from thalweg.lab.bank.words import percent, span
from thalweg.lab.protocol.protocol import NEAR
from thalweg.lab.refusal import Refusal
from thalweg.methods import rules
from thalweg.rule import Rule

REFERENCE = "adam"


@dataclass(frozen=True)
class Judged:
    """Sentences for taking a rule, against it, and what else is to be known."""

    take: tuple[str, ...]
    leave: tuple[str, ...]


@functools.cache
def advice() -> dict[str, Advice]:
    """The advice for each kind of problem of which something was measured; "any" is for all problems with data."""
    found = {"any": advise()}
    for kind in KINDS:
        try:
            found[kind] = advise(kind=kind)
        except Refusal:
            continue
    return found


def judged(rule: Rule) -> Judged:
    """What speaks for a rule and what against it."""
    take, leave = _by_cost(rule)
    known = standing.shipped()
    every = advice()["any"]
    if known is None or rule.name not in {row.rule for row in every.rows}:
        why = known.sentences(rule.name)[0] if known else "not measured"
        return Judged(tuple(take), (*leave, f"How good it is here, nobody knows: {why}."))
    row, first = every.row(rule.name), every.rows[0]
    firsts = [kind for kind, found in advice().items() if found.rule == rule.name and kind != "any"]
    untuned = [kind for kind, found in advice().items() if found.untuned == rule.name and kind != "any"]
    if firsts:
        take.append(f"With its rate tuned, it is what the lab's measurements name first for {_listed(firsts)}.")
    if untuned:
        take.append(f"At its usual rate, without tuning, it is what they name first for {_listed(untuned)}.")
    near = f"within {100 * NEAR:.0f} % of the best on {row.near} of {len(every.problems)} problems with data"
    (take if 2 * row.near >= len(every.problems) else leave).append(f"With its rate tuned, it is {near}.")
    (leave if not row.alike else take).append(
        f"Measured further behind the best than {first.rule}: by {span(row.behind)}."
        if not row.alike
        else f"It is not told apart from {first.rule}, which `thalweg advise` names first over all of them."
        if row is not first
        else "Over all of them `thalweg advise` names it first."
    )
    middle = sorted(each.untuned.value for each in every.rows)[len(every.rows) // 2]
    told = f"At its usual rate it is {span(row.untuned)} of the way behind the best tuned one; the middle one of all is "
    (take if row.untuned.value <= middle else leave).append(f"{told}{percent(middle)}.")
    leave.append(f"It was worst on {row.worst[0]}: {percent(row.worst[1])} behind.")
    return Judged(tuple(take), tuple(leave))


def _listed(kinds: list[str]) -> str:
    return ", ".join(kinds[:-1]) + (" and " if len(kinds) > 1 else "") + kinds[-1]


def _by_cost(rule: Rule) -> tuple[list[str], list[str]]:
    """What its cost says, beside Adam's."""
    take, leave = [], []
    own, its = rule.cost().usual, rules[REFERENCE].cost()
    bytes_kept = (
        f"{own.state_bytes:.3g} bytes of memory" if own.state_bytes else "next to no memory" if rule.memory else "no memory"
    )
    kept = f"{bytes_kept} for a float32 parameter (Adam: {its.state_bytes:g} bytes)"
    if own.state_bytes != its.state_bytes:
        (take if own.state_bytes < its.state_bytes else leave).append(f"It keeps {kept}.")
    if own.bytes_moved > its.bytes_moved:
        leave.append(f"A step moves {own.bytes_moved:.3g} bytes a parameter (Adam: {its.bytes_moved:g}), which takes longer.")
    optimizer = Optimizer(rule, lr=rule.lr or 1.0)
    if optimizer.asks_gradients:
        leave.append("It asks for the gradient at several points a step, each of which costs a pass through the model.")
    if "curvature" in rule.asks:
        leave.append("It asks for the diagonal of the Hessian, which costs a second backward pass when it is estimated.")
    if "loss" in rule.asks:
        leave.append("It asks for the value of the loss, which your loop hands over.")
    if facts.kernels(rule).startswith("none"):
        leave.append("No fused kernel runs its step, which is slower for it than it could be.")
    if rule.search is None and rule.lr is not None:
        take.append("Its learning rate is not tuned.")
    return take, leave
