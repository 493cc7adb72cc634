"""The usual step in few calls: it is taken while nothing changes, and what changes in a group between two steps counts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from entered import entered

torch = pytest.importorskip("torch")

import thalweg.torch as tt  # noqa: E402
from thalweg.torch import places, reader  # noqa: E402

HOW = {"AdamW": {"lr": 0.1}, "SGD": {"lr": 0.1, "momentum": 0.9}, "Adam": {"lr": 0.1, "weight_decay": 0.1}}
READS = places.guard([torch.ones(1)]) is not None and reader.available()
needs_reader = pytest.mark.skipif(not READS, reason="this torch has no such interface; test_reader.py says whether it should")


def started(home: Any, name: str, steps: int = 3) -> tuple[list[Any], Any]:
    draw = torch.Generator().manual_seed(0)
    params = [torch.nn.Parameter(torch.randn(s, generator=draw, dtype=torch.float64)) for s in ((4, 3), (5,), (3,))]
    optimizer = getattr(home, name)([{"params": params[:2]}, {"params": params[2:]}], **HOW[name])
    walk(params, optimizer, steps)
    return params, optimizer


def walk(params: list[Any], optimizer: Any, steps: int = 1) -> None:
    for t in range(steps):
        for k, p in enumerate(params):
            p.grad = torch.full_like(p, 0.1 * (t + 1) + k)
        optimizer.step()


def quick(optimizer: Any) -> Any:
    return optimizer.__dict__["_plan"].quick


@needs_reader
@pytest.mark.parametrize("name", HOW)
def test_few_functions_are_entered_in_the_usual_step(name: str) -> None:
    params, optimizer = started(tt, name)
    assert quick(optimizer) is not None
    for p in params:
        p.grad = torch.ones_like(p)
    beside = threading.active_count() > 1  # then each of the two groups looks whether the storages that it holds are right
    assert 3 < entered(optimizer.step).total() <= (10 if beside else 8)


def _rate(o: Any, p: list[Any]) -> None:
    o.param_groups[1]["lr"] = 0.01


def _whole_rate(o: Any, p: list[Any]) -> None:
    o.param_groups[0]["lr"] = 1


def _rate_in_a_tensor(o: Any, p: list[Any]) -> None:
    o.param_groups[0]["lr"] = torch.tensor(0.05, dtype=torch.float64)


def _decay(o: Any, p: list[Any]) -> None:
    o.param_groups[0]["weight_decay"] = 0.5


def _no_decay(o: Any, p: list[Any]) -> None:
    o.param_groups[0]["weight_decay"] = 0.0


def _ascend(o: Any, p: list[Any]) -> None:
    o.param_groups[1]["maximize"] = True


def _averages(o: Any, p: list[Any]) -> None:
    o.param_groups[0].update({"betas": (0.5, 0.9)} if "betas" in o.param_groups[0] else {"momentum": 0.5})


def _moved_to_the_other_group(o: Any, p: list[Any]) -> None:
    o.param_groups[1]["params"].insert(0, o.param_groups[0]["params"].pop())
    o.param_groups[1]["lr"] = 0.01


def _another_group(o: Any, p: list[Any]) -> None:
    p.append(torch.nn.Parameter(torch.ones(3, dtype=torch.float64)))
    o.add_param_group({"params": p[-1:], "lr": 0.5})


def _groups_turned(o: Any, p: list[Any]) -> None:
    o.param_groups.reverse()


def _taken_out(o: Any, p: list[Any]) -> None:
    del o.param_groups[1]


CHANGES: list[Callable[[Any, list[Any]], None]] = [
    _rate, _whole_rate, _rate_in_a_tensor, _decay, _no_decay, _ascend, _averages, _moved_to_the_other_group, _another_group,
    _groups_turned, _taken_out,
]  # fmt: skip


@needs_reader
@pytest.mark.parametrize("name", HOW)
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_change_of_a_group_counts_from_the_next_step(name: str, change: Any) -> None:
    ends = []
    for home in (torch.optim, tt):
        params, optimizer = started(home, name)
        if home is tt:
            assert quick(optimizer) is not None
        change(optimizer, params)
        walk(params, optimizer, 4)
        ends.append([p.detach() for p in params])
    for ours, theirs in zip(*ends, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)


def _scaler_found_infinite_gradients(o: Any) -> None:
    o.found_inf = torch.tensor(1.0)


def _differentiable(o: Any) -> None:
    o.param_groups[1]["differentiable"] = True


def _other_count(o: Any) -> None:
    o.state[o.param_groups[1]["params"][0]]["step"].fill_(7.0)


def _first_rests(o: Any) -> None:
    o.param_groups[0]["params"][0].grad = None


@needs_reader
@pytest.mark.parametrize("change", [_scaler_found_infinite_gradients, _differentiable, _other_count, _first_rests])
def test_what_is_not_the_usual_step_is_left_to_others(change: Any) -> None:
    params, optimizer = started(tt, "AdamW")
    before, usual = [p.detach().clone() for p in params], quick(optimizer)
    change(optimizer)
    assert not usual.step(optimizer)
    assert all(torch.equal(p, q) for p, q in zip(params, before, strict=True))


@needs_reader
def test_a_mode_that_observes_operations_sees_them() -> None:
    _, optimizer = started(tt, "AdamW")
    usual = quick(optimizer)
    with torch.overrides.TorchFunctionMode():
        assert not usual.step(optimizer)
    assert usual.step(optimizer)


@needs_reader
def test_a_parameter_that_rested_wakes() -> None:
    p, q = (torch.nn.Parameter(torch.ones(3)) for _ in range(2))
    optimizer = tt.AdamW([p, q], lr=0.1)
    for _ in range(3):
        p.grad = torch.ones(3)
        optimizer.step()
    q.grad = torch.ones(3)
    assert not quick(optimizer).step(optimizer)
    optimizer.step()
    assert not torch.equal(q, torch.ones(3))


@needs_reader
@pytest.mark.parametrize("fails", ["betas", "eps"])
def test_a_step_that_fails_leaves_all_as_it_was(fails: str) -> None:
    params, optimizer = started(tt, "AdamW")
    before = [p.detach().clone() for p in params]
    kept, optimizer.param_groups[1][fails] = optimizer.param_groups[1][fails], "x"
    with pytest.raises((TypeError, ValueError)):
        walk(params, optimizer)
    assert all(torch.equal(p, q) for p, q in zip(params, before, strict=True))
    optimizer.param_groups[1][fails] = kept
    walk(params, optimizer)
    assert [float(state["step"]) for state in optimizer.state.values()] == [4.0, 4.0, 4.0]
