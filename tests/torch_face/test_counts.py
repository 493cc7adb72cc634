"""The count of updates, and the numbers of the whole model, are those in the state."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")

import thalweg.torch as tt  # noqa: E402


@pytest.mark.parametrize("count", [-1.0, 2.5, float("nan"), float("inf"), 2.0**63])
@pytest.mark.parametrize("make", [tt.Adam, tt.AdaBelief, tt.Prodigy])
def test_what_counts_no_updates_is_refused(make: Any, count: float) -> None:
    p = torch.nn.Parameter(torch.ones(3))
    optimizer = make([p])
    p.grad = torch.ones(3)
    optimizer.step()
    before = p.detach().clone()
    optimizer.state[p]["step"].fill_(count)
    with pytest.raises(ValueError, match="whole number from 0 on"):
        optimizer.step()
    assert torch.equal(p, before)


@pytest.mark.parametrize("make", [tt.Adam, tt.AdaBelief, tt.LAMB])
def test_a_count_is_one_tensor_throughout(make: Any) -> None:
    p = torch.nn.Parameter(torch.ones(3))
    optimizer = make([p])
    p.grad = torch.ones(3)
    optimizer.step()
    count = optimizer.state[p]["step"]
    for t in range(2, 5):
        p.grad = torch.ones(3)
        if t == 3:
            p.data = p.data.clone()  # bound anew
        optimizer.step()
        assert optimizer.state[p]["step"] is count
        assert float(count) == t


def test_a_number_of_the_model_is_the_one_in_the_state() -> None:
    def run(change: bool) -> float:
        p = torch.nn.Parameter(torch.ones(2))
        optimizer = tt.Eve([p], lr=0.1)
        for t in range(4):
            p.grad = torch.ones(2)
            if change and t == 2:
                numbers = [k for k, v in optimizer.state[p].items() if isinstance(v, float)]
                optimizer.state[p].update(dict.fromkeys(numbers, 3.0))
            optimizer.step(lambda t=t: 1.0 + t)
        return p[0].item()

    assert run(True) != run(False)
