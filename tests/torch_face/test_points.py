"""Methods that look at points of their own: a closure that raises, groups, parameters without a gradient."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

import thalweg as tw

torch = pytest.importorskip("torch")

import thalweg.torch as tt  # noqa: E402

AROUND = {
    "sam": lambda: tw.chain(tw.sam(0.05), tw.sgd()),
    "sam, momentum": lambda: tw.chain(tw.sam(0.05), tw.momentum()),
    "lbfgs": lambda: tw.lbfgs(),
}


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
@pytest.mark.parametrize("name", AROUND)
def test_a_closure_that_raises_leaves_all_as_it_was(name: str, error: type[BaseException]) -> None:
    p = torch.nn.Parameter(torch.tensor([1.0, 3.0]))
    ours = tt.Optimizer([p], AROUND[name](), lr=0.1)
    calls = [0]

    def closure() -> Any:
        calls[0] += 1
        if calls[0] == stop:
            raise error
        ours.zero_grad()
        loss = (p**4).sum()
        loss.backward()
        return loss

    stop = 0
    ours.step(closure)
    before, state = p.detach().clone(), copy.deepcopy(ours.state_dict())
    stop = calls[0] + 2
    with pytest.raises(error):
        ours.step(closure)
    assert torch.equal(p, before)
    after = ours.state_dict()
    assert after["state"].keys() == state["state"].keys()
    for key, value in state["state"].get(0, {}).items():
        assert torch.equal(torch.as_tensor(after["state"][0][key]), torch.as_tensor(value)), key


def test_sam_takes_groups_and_rests_what_has_no_gradient() -> None:
    a, b, c, d = (torch.nn.Parameter(torch.ones(2, dtype=torch.float64)) for _ in range(4))
    d.requires_grad_(False)
    rule = tw.chain(tw.sam(0.05), tw.momentum())
    ours = tt.Optimizer([{"params": [c, a, d]}, {"params": [b], "lr": 0.01}], rule, lr=0.1)
    calls = []

    def closure() -> Any:
        calls.append(1)
        ours.zero_grad()
        loss = (a.square() + b.square()).sum()
        loss.backward()
        return loss

    q = {"a": torch.ones(2, dtype=torch.float64), "b": torch.ones(2, dtype=torch.float64)}
    optimizer = tw.Optimizer(rule, lr=tw.form.hyper.ByLeaf({"a": 0.1, "b": 0.01}))
    state = optimizer.init(q)
    for _ in range(3):
        ours.step(closure)
        q, state = optimizer.step(
            q, None, state, grad_fn=lambda x: (float(sum((v * v).sum() for v in x.values())), {k: 2 * v for k, v in x.items()})
        )
    assert len(calls) == 6
    torch.testing.assert_close(a.detach(), q["a"], rtol=1e-12, atol=0)
    torch.testing.assert_close(b.detach(), q["b"], rtol=1e-12, atol=0)
    assert torch.equal(c, torch.ones_like(c))
    assert torch.equal(d, torch.ones_like(d))
    assert not ours.state.get(c)
    assert not ours.state.get(d)
    with pytest.raises(ValueError, match="'rho'"):
        tt.Optimizer([{"params": [a], "rho": 0.1}, {"params": [b]}], rule, lr=0.1).step(closure)


def _codes(dtype: Any) -> Any:
    return torch.nn.Parameter(torch.zeros(2).to(dtype), requires_grad=False)


FROZEN: dict[str, Callable[[], Any]] = {
    "uint8": lambda: _codes(torch.uint8), "bool": lambda: _codes(torch.bool), "int8": lambda: _codes(torch.int8),
    "float8": lambda: _codes(torch.float8_e4m3fn), "float32": lambda: _codes(torch.float32),
    "complex": lambda: _codes(torch.complex64), "of no gradient": lambda: torch.nn.Parameter(torch.zeros(2)),
}  # fmt: skip


SEVERAL = {
    "sam": lambda: tw.chain(tw.sam(), tw.sgd()), "lbfgs": tw.lbfgs, "sam, prodigy": lambda: tw.chain(tw.sam(), tw.prodigy()),
}  # fmt: skip


@pytest.mark.parametrize("where", ["first", "last", "in a group of its own"])
@pytest.mark.parametrize("sort", FROZEN)
@pytest.mark.parametrize("name", SEVERAL)
def test_methods_of_several_points_leave_frozen_parameters_of_any_sort_alone(name: str, sort: str, where: str) -> None:
    """Such as the codes of a quantised model under adapters."""
    found = []
    for has in (False, True):
        p, frozen = torch.nn.Parameter(torch.tensor([1.0, -2.0])), FROZEN[sort]()
        params = {"first": [frozen, p], "last": [p, frozen]}.get(where, [{"params": [frozen]}, {"params": [p]}])
        optimizer = tt.Optimizer(params if has else [p], SEVERAL[name](), lr=0.1)

        def closure(p: Any = p, optimizer: Any = optimizer) -> Any:
            optimizer.zero_grad()
            loss = p.square().sum()
            loss.backward()
            return loss

        for _ in range(3):
            optimizer.step(closure)
        kept = copy.deepcopy(optimizer.state_dict())
        optimizer.load_state_dict(kept)
        optimizer.step(closure)
        found.append(p.detach())
        assert not frozen.detach().view(torch.uint8).any()
    assert torch.equal(*found)
