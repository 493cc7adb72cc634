"""Entries of the user's own in `optimizer.state`, beside the parameters' and in them: torch steps past them, and so do we."""

from __future__ import annotations

import io
from typing import Any

import pytest

import thalweg as tw

torch = pytest.importorskip("torch")

import thalweg.torch as tt  # noqa: E402
from torch_face.test_between_steps import gradients_in, parameters  # noqa: E402

OWN: dict[str, Any] = {
    "adam": tt.Adam, "sgd": lambda p: tt.SGD(p, lr=0.1, momentum=0.9), "ours": tt.AdaBelief, "unfused": tt.LAMB,
    "of the model": tt.Prodigy, "kept": lambda p: tt.Adam(p, state_dtype="bfloat16"), "sam": lambda p: tt.Optimizer(p, tw.chain(tw.sam(), tw.adam())),
    "every": lambda p: tt.Optimizer(p, tw.every(2, tw.adam())), "average": lambda p: tt.Optimizer(p, tw.chain(tw.adam(), tw.average())),
}  # fmt: skip


@pytest.mark.parametrize("make", OWN.values(), ids=OWN)
@pytest.mark.parametrize(
    "value", [3, None, "note", {"d": 5.0, "momentum_buffer": 1}, torch.ones(3)], ids=lambda x: type(x).__name__
)
def test_entries_of_the_users_own_stay_and_change_nothing(make: Any, value: Any) -> None:
    """Beside the parameters' states, and in them; as in torch."""

    def run(has: bool) -> tuple[list[Any], Any]:
        params = parameters(torch.float32)
        optimizer = make(params)
        for t in range(7):
            if has and t in (0, 3):
                optimizer.state["mine"] = value
                optimizer.state[params[0]]["my own"] = torch.ones(3)
                optimizer.state[params[1]][0] = value
            if has:
                optimizer.state["epoch"] = t
            if t == 4:
                kept = io.BytesIO()
                torch.save(optimizer.state_dict(), kept)
                kept.seek(0)
                optimizer = make(params)
                optimizer.load_state_dict(torch.load(kept))
            if t == 5:
                rate, optimizer.param_groups[0]["lr"] = optimizer.param_groups[0]["lr"], "x"
                with pytest.raises((TypeError, ValueError)):
                    optimizer.step(lambda params=params, t=t: gradients_in(params, t) or 1.0)
                optimizer.param_groups[0]["lr"] = rate
            gradients_in(params, t)
            optimizer.step(lambda params=params, t=t: gradients_in(params, t) or 1.0)
            if t > 3 and hasattr(optimizer, "eval"):
                optimizer.eval()
                optimizer.train()
        return params, optimizer

    (mine, optimizer), (theirs, _) = run(True), run(False)
    assert all(torch.equal(p, q) for p, q in zip(mine, theirs, strict=True))
    assert optimizer.state["epoch"] == 6
    assert (
        torch.equal(torch.as_tensor(optimizer.state["mine"]), value)
        if torch.is_tensor(value)
        else optimizer.state["mine"] == value
    )
    assert torch.equal(optimizer.state[mine[0]]["my own"].float(), torch.ones(3))
    assert 0 in optimizer.state[mine[1]]


def test_a_count_of_the_users_own_in_the_state_keeps_the_plan() -> None:
    params = parameters()
    optimizer = tt.Adam(params)
    plans = []
    for t in range(6):
        optimizer.state["t"] = t
        gradients_in(params, t)
        optimizer.step()
        plans.append(optimizer._plan)
    assert all(plan is plans[0] for plan in plans)
    optimizer.state[torch.nn.Parameter(torch.ones(1))] = {}
    assert not optimizer._plan._agrees(optimizer.state)
