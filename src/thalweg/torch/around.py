"""Steps of methods that evaluate several points of the whole model, through a closure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from thalweg.core.optimizer import Optimizer as Pure
from thalweg.torch.groups import DTYPES, Group
from thalweg.torch.lots import Lot
from thalweg.torch.tensors import PLAIN, Tensor, like, loss_number, real


class _Rest(Exception):
    """Some of the evaluated parameters have no gradient and rest in this step."""


def stepped_around(groups: list[Group], lots: Callable[[list[list[Tensor]]], list[Lot]], closure: Callable[[], Any]) -> Any:
    """Step all groups together; return the loss at the first point. lots: builds the lots of the wanted parameters per group.

    Parameters that the closure gives no gradient, such as frozen ones, stay unchanged. If the closure raises, all parameters
    and their state stay unchanged.
    """
    wanted = [[p for p in group["params"] if _may_step(p)] for group in groups]
    answers: list[tuple[Any, dict[Tensor, Any]]] = []
    for _ in range(2):
        found = lots(wanted)
        if not found:
            break
        try:
            _walk(found[0], closure, answers)
        except _Rest:
            wanted = [[p for p in params if answers[0][1][p] is not None] for params in wanted]
            continue
        found[0].put()
        break
    if not answers:  # nothing to train
        with torch.enable_grad():
            return closure()
    return answers[0][0]


def _may_step(p: Tensor) -> bool:
    """Whether the closure may give p a gradient: not if p is frozen and of a sort that no method could move, such as codes."""
    known = type(p) in PLAIN and (p.dtype in DTYPES or p.is_complex()) and not p.is_inference()
    return known or p.requires_grad or p.grad is not None


def _walk(lot: Lot, closure: Callable[[], Any], answers: list[tuple[Any, dict[Tensor, Any]]]) -> None:
    """Compute the step and restore the parameters. The first recorded answer, if any, serves as the first evaluation."""
    start = {p: p.detach().clone() for p in lot.params.values()}
    first = answers[:1]

    def ask(points: dict[str, Tensor]) -> tuple[float, dict[str, Tensor]]:
        if first:
            loss, gradients = first.pop()
        else:
            with torch.no_grad():
                for name, p in lot.params.items():
                    p.copy_(like(points[name], p))
            with torch.enable_grad():
                loss = closure()
            gradients = {p: p.grad if p.grad is None else p.grad.clone() for p in lot.params.values()}
            answers.append((loss, gradients))
            if len(answers) == 1 and any(g is None for g in gradients.values()):
                raise _Rest
        given = {name: torch.zeros_like(p) if gradients[p] is None else gradients[p] for name, p in lot.params.items()}
        return loss_number(loss), {name: real(g) for name, g in given.items()}

    try:
        lot.step({name: start[p] for name, p in lot.params.items()}, None, ask)
    finally:
        with torch.no_grad():
            for p, before in start.items():
                p.copy_(before)


def check_groups(pure: Pure, groups: list[Group]) -> None:
    """Raise ValueError if groups differ in a value that a method around the step has only once."""
    around = pure._around
    if around is None:
        return
    stage = around[1]
    words = {*stage.declaration.hyper, *(["lr"] if stage.owns_step or "lr" in stage.asks else [])}
    for word in sorted(words):
        said = [group.get(word) for group in groups]
        if any(value is not said[0] and value != said[0] for value in said):
            raise ValueError(f"{stage.name} goes by one '{word}' for the whole model; give all groups the same")
