"""First values of memory that are not the rule's own: wherever the state begins, they are torch's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import thalweg as tw

torch = pytest.importorskip("torch")

import thalweg.torch as tt  # noqa: E402

OPTIONS: dict[str, dict[str, Any]] = {
    "Adagrad": {"lr": 0.1, "initial_accumulator_value": 0.5},
    "ASGD": {"lr": 0.1, "lambd": 0.1, "t0": 0.0},
}


def add_a_group(optimizer: Any, path: Path) -> Any:
    late = torch.nn.Parameter(torch.ones(3))
    optimizer.add_param_group({"params": [late]})
    return late


def clear(optimizer: Any, path: Path) -> Any:
    optimizer.state.clear()
    return optimizer.param_groups[0]["params"][0]


def through_a_state_file(optimizer: Any, path: Path) -> Any:
    """Of a parameter that has not stepped yet, beside one that has."""
    first, second = optimizer.param_groups[0]["params"]
    first.grad = torch.ones(3)
    optimizer.step()
    first.grad = None
    if isinstance(optimizer, tt.Adagrad | tt.ASGD):
        tt.save_state(path, optimizer)
        tt.load_state(path, optimizer)
    return second


@pytest.mark.parametrize("happens", [add_a_group, clear, through_a_state_file], ids=lambda f: f.__name__)
@pytest.mark.parametrize("name", OPTIONS)
def test_a_state_that_begins_late_begins_as_torchs(name: str, happens: Callable[..., Any], tmp_path: Path) -> None:
    ends = []
    for library in (torch.optim, tt):
        params = [(key, torch.nn.Parameter(torch.ones(3))) for key in "ab"]
        optimizer = getattr(library, name)(params if happens is through_a_state_file else [p for _, p in params], **OPTIONS[name])
        late = happens(optimizer, tmp_path / "state")
        for t in range(3):
            late.grad = torch.tensor([1.0, -2.0, 0.5]) * (t + 1)
            optimizer.step()
        ends.append((late.detach(), optimizer.state[late]))
    torch.testing.assert_close(ends[0][0], ends[1][0], rtol=1e-6, atol=1e-7)
    if name == "Adagrad":
        torch.testing.assert_close(ends[0][1]["sum"], ends[1][1]["sum"])


def test_a_file_has_the_first_values_of_what_has_no_state_yet(tmp_path: Path) -> None:
    stepped, late = (torch.nn.Parameter(torch.ones(3)) for _ in range(2))
    ours = tt.Adagrad([("a", stepped)], **OPTIONS["Adagrad"])
    ours.add_param_group({"params": [("b", late)]})
    assert late not in ours.state
    tt.save_state(tmp_path / "state", ours)
    pure = tw.Optimizer(tw.adagrad(1e-10), lr=0.1)
    _, state = tw.load_state(tmp_path / "state", pure, {"a": torch.ones(3), "b": torch.ones(3)})
    assert state["memory"]["adagrad"]["G"]["b"].tolist() == [0.5] * 3
