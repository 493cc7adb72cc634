"""`every(n)` beside the pure optimizer, half-way through a file, and in whatever order groups and parameters stand."""

from __future__ import annotations

from typing import Any

import pytest
from support import through_a_file

import thalweg as tw

torch = pytest.importorskip("torch")

import thalweg.torch as tt  # noqa: E402
from torch_face.models import WHO, parameters, run  # noqa: E402


def frozen_in_front(o: Any) -> None:
    o.add_param_group({"params": [torch.nn.Parameter(torch.zeros(1), requires_grad=False)]})
    o.param_groups.insert(0, o.param_groups.pop())


def empty_in_front(o: Any) -> None:
    o.param_groups.insert(0, {**o.param_groups[0], "params": []})


def through_a_checkpoint(o: Any) -> None:
    kept = through_a_file(o.state_dict())
    o.state.clear()
    o.load_state_dict(kept)


@pytest.mark.parametrize("make", [tw.sgd, tw.adam, tw.prodigy], ids=["sgd", "adam", "prodigy"])
@pytest.mark.parametrize("saved", [False, True], ids=["at once", "saved"])
@pytest.mark.parametrize(
    "change",
    [
        lambda o: o.param_groups.reverse(),
        lambda o: o.param_groups[0]["params"].reverse(),
        frozen_in_front,
        empty_in_front,
        lambda o: (o.param_groups.reverse(), frozen_in_front(o)),
    ],
    ids=["groups", "parameters", "frozen", "empty", "both"],
)
def test_accumulation_counts_its_calls_in_whatever_order(change: Any, saved: bool, make: Any) -> None:
    found = []
    for changes in (False, True):
        params = parameters()
        ours = tt.Optimizer([{"params": params[:2]}, {"params": params[2:]}], tw.every(3, make()), lr=0.1)
        run(ours, params, range(5), WHO["all"])
        if changes:
            change(ours)
        if changes and saved:
            through_a_checkpoint(ours)
        run(ours, params, range(5, 11), WHO["all"])
        found.append(params)
    assert all(torch.equal(p, q) for p, q in zip(*found, strict=True))


def test_accumulation_goes_on_when_the_first_group_is_taken_out() -> None:
    a, b = (torch.nn.Parameter(torch.zeros(1)) for _ in range(2))
    ours = tt.Optimizer([{"params": [a]}, {"params": [b]}], tw.every(3, tw.sgd()), lr=1.0)
    seen = []
    for call in range(9):
        if call == 2:
            ours.param_groups.pop(0)
        a.grad = b.grad = torch.ones(1)
        ours.step()
        seen.append(b.item())
    assert seen == [0, 0, -1, -1, -1, -2, -2, -2, -3]
