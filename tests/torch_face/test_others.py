"""Tensors for which there is no kernel step beside those for which there is one."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import thalweg as tw

torch = pytest.importorskip("torch")

import thalweg.torch as tt  # noqa: E402
from thalweg.torch.kernels.plan import Plan  # noqa: E402

RULES = {
    "matrices": lambda: tw.choose((tw.is_matrix, tw.soap().at(lr=0.02)), otherwise=tw.adamw()),
    "vectors": lambda: tw.choose((tw.is_matrix, tw.adamw()), otherwise=tw.adashift().at(lr=0.02)),
    "a schedule": lambda: tw.choose((tw.is_matrix, tw.soap().at(lr=lambda t: 0.1 / t)), otherwise=tw.momentum()),
}


def parameters(dtype: Any = torch.float64) -> list[Any]:
    draw = torch.Generator().manual_seed(0)
    shapes = [(4, 3), (7,), (5, 5), (), (3,)]
    return [torch.nn.Parameter(torch.randn(shape, generator=draw, dtype=dtype)) for shape in shapes]


def give(params: list[Any], t: int, absent: tuple[int, ...] = ()) -> None:
    draw = torch.Generator().manual_seed(t + 1)
    for i, p in enumerate(params):
        g = torch.randn(p.shape, generator=draw, dtype=p.dtype)
        p.grad = None if i in absent else g


def without_kernels(rule: Any, params: list[Any]) -> Any:
    """The optimizer, all of whose tensors step without kernels."""
    made = tt.Optimizer(params, rule, lr=0.01)
    made._kernels_may = lambda: False
    return made


def both_step(mine: list[Any], theirs: list[Any], ours: Any, plain: Any, t: int, absent: tuple[int, ...] = ()) -> None:
    """Give both optimizers the same gradients, step them, and check that they agree."""
    for params, optimizer in ((mine, ours), (theirs, plain)):
        give(params, t, absent)
        optimizer.step()
    check_same(mine, theirs, ours, plain)


def check_same(a: list[Any], b: list[Any], ours: Any, theirs: Any) -> None:
    for i, (p, q) in enumerate(zip(a, b, strict=True)):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-12, atol=1e-14, err_msg=str(i))
        assert ours.state[p].keys() == theirs.state[q].keys()
        for key, value in ours.state[p].items():
            np.testing.assert_allclose(torch.as_tensor(value), torch.as_tensor(theirs.state[q][key]), rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("groups", [False, True], ids=["one group", "two groups"])
def test_both_kinds_step_as_all_do_without_kernels(name: str, groups: bool) -> None:
    mine, theirs = parameters(), parameters()

    def given(params: list[Any]) -> Any:
        return [{"params": params[:2]}, {"params": params[2:], "lr": 0.03}] if groups else params

    ours, plain = tt.Optimizer(given(mine), RULES[name](), lr=0.01), without_kernels(RULES[name](), given(theirs))
    absent = [(), (), (0,), (1, 2), (), (0, 2), (1, 3, 4), (), (), ()]
    for t, which in enumerate(absent):
        both_step(mine, theirs, ours, plain, t, which)
    plan = ours.__dict__["_plan"]
    matrices = {mine[0], mine[2]}
    assert set(plan.others) == (set(mine) - matrices if name == "vectors" else matrices)
    assert "_plan" not in plain.__dict__


def test_the_plan_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever tensors have gradients, once all had one."""
    params = parameters()
    ours = tt.Optimizer(params, RULES["matrices"](), lr=0.01)
    for t in range(2):
        give(params, t)
        ours.step()

    def again(*args: Any, **named: Any) -> None:
        raise AssertionError("another plan is made")

    monkeypatch.setattr(Plan, "__init__", again)
    for t, absent in enumerate([(0,), (2,), (0, 2), (1,), (), (0, 1)]):
        give(params, t, absent)
        before = [p.detach().clone() for p in params]
        ours.step()
        moved = [not torch.equal(p, old) for p, old in zip(params, before, strict=True)]
        assert moved == [i not in absent for i in range(len(params))]


@pytest.mark.parametrize("planned", [False, True])
def test_a_step_that_fails_without_a_kernel_changes_nothing(planned: bool) -> None:
    rates: list[float | None] = [0.1]
    rule = tw.choose((tw.is_matrix, tw.soap().at(lr=lambda t: rates[-1])), otherwise=tw.adamw())
    params = parameters()
    ours = tt.Optimizer(params, rule, lr=0.01)
    for t in range(3 if planned else 0):
        give(params, t)
        ours.step()
    give(params, 5)
    before, state = [p.detach().clone() for p in params], copy.deepcopy([ours.state.get(p, {}) for p in params])
    rates.append(None)
    with pytest.raises(TypeError):
        ours.step()
    for p, old, kept in zip(params, before, state, strict=True):
        assert torch.equal(p, old)
        now = ours.state.get(p, {})
        assert now.keys() == kept.keys()
        assert all(torch.equal(torch.as_tensor(now[key]), torch.as_tensor(kept[key])) for key in kept)
    rates.append(0.1)
    for _ in range(2):  # SOAP's first step moves nothing
        ours.step()
    assert not any(torch.equal(p, old) for p, old in zip(params, before, strict=True))


def test_a_step_that_fails_in_a_kernel_changes_nothing_without_one() -> None:
    rates: list[float | None] = [0.1]
    rule = tw.choose((tw.is_matrix, tw.soap()), otherwise=tw.adamw().at(lr=lambda t: rates[-1]))
    params = parameters()
    ours = tt.Optimizer(params, rule, lr=0.01)
    for t in range(2):
        give(params, t)
        ours.step()
    before, counts = [p.detach().clone() for p in params], [float(ours.state[p]["step"]) for p in params]
    rates.append(None)
    with pytest.raises(TypeError):
        ours.step()
    assert all(torch.equal(p, old) for p, old in zip(params, before, strict=True))
    assert [float(ours.state[p]["step"]) for p in params] == counts


def test_tensors_that_read_one_another_step_together() -> None:
    """A gradient's norm over all tensors is known to neither kind alone."""
    params = parameters()
    ours = tt.Optimizer(params, tw.chain(tw.clip(1.0), RULES["matrices"]()), lr=0.01)
    theirs = parameters()
    plain = without_kernels(tw.chain(tw.clip(1.0), RULES["matrices"]()), theirs)
    for t in range(3):
        both_step(params, theirs, ours, plain, t)
    assert "_plan" not in ours.__dict__


def test_a_sparse_gradient_is_refused_beside_kernels() -> None:
    params = parameters()
    ours = tt.Optimizer(params, RULES["matrices"](), lr=0.01)
    give(params, 0)
    ours.step()
    params[0].grad = torch.eye(4, 3, dtype=torch.float64).to_sparse()
    before = [p.detach().clone() for p in params]
    with pytest.raises(RuntimeError, match="Optimizer does not support sparse gradients"):
        ours.step()
    assert all(torch.equal(p, old) for p, old in zip(params, before, strict=True))


def test_a_tensor_without_a_kernel_that_is_expanded_is_refused() -> None:
    params = parameters()
    ours = tt.Optimizer(params, RULES["matrices"](), lr=0.01)
    for t in range(3):
        give(params, t)
        ours.step()
    params[0].data = torch.ones(1, 1, dtype=torch.float64).expand(4, 3)
    with pytest.raises(RuntimeError, match="expanded"):
        ours.step()


def test_a_checkpoint_goes_on_as_without() -> None:
    params, again = parameters(), parameters()
    ours, other = (tt.Optimizer(own, RULES["matrices"](), lr=0.01) for own in (params, again))
    for t in range(3):
        give(params, t)
        ours.step()
    other.load_state_dict(copy.deepcopy(ours.state_dict()))
    for p, q in zip(params, again, strict=True):
        q.data.copy_(p.data)
    for t in range(3, 6):
        for own, optimizer in ((params, ours), (again, other)):
            give(own, t)
            optimizer.step()
    check_same(params, again, ours, other)


def test_groups_may_differ_in_what_chooses_the_algorithm() -> None:
    """No number of the whole model is asked for, so no group has to know another."""
    for rule, key, value in (
        (tw.choose((tw.is_matrix, tw.muon()), otherwise=tw.adamw()), "ns_steps", 3),
        (tw.muon_with_adamw(), "dtype", "bfloat16"),
    ):
        mine, theirs = parameters(), parameters()
        ours = tt.Optimizer([{"params": mine[:2], key: value}, {"params": mine[2:]}], rule, lr=0.01)
        plain = without_kernels(rule, [{"params": theirs[:2], key: value}, {"params": theirs[2:]}])
        for t in range(3):
            both_step(mine, theirs, ours, plain, t)


@pytest.mark.parametrize("change", [lambda p: p.t(), lambda p: p[:, ::2]], ids=["transposed", "strided"])
def test_a_matrix_that_lies_in_another_way_leaves_the_others_their_kernels(change: Any) -> None:
    def made() -> list[Any]:
        params = parameters()
        params[2] = torch.nn.Parameter(change(torch.randn(6, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)))
        return params

    mine, theirs = made(), made()
    rule = tw.choose((tw.is_matrix, tw.muon()), otherwise=tw.adamw())
    ours, plain = tt.Optimizer(mine, rule, lr=0.01), without_kernels(rule, theirs)
    for t in range(4):
        both_step(mine, theirs, ours, plain, t)
    assert list(ours.__dict__["_plan"].others) == [mine[2]]


def test_whole_matrices_in_int8_are_refused_in_words() -> None:
    ours = tt.Optimizer(parameters(torch.float32), tw.scion(), state_dtype="int8")
    for p in ours.param_groups[0]["params"]:
        p.grad = torch.ones_like(p)
    with pytest.raises(TypeError, match="are for element-wise rules"):
        ours.step()


def test_a_stale_sparse_gradient_is_no_hindrance_to_a_closure() -> None:
    params = [torch.nn.Parameter(torch.ones(4, 3, dtype=torch.float64))]
    ours = tt.Optimizer(params, tw.chain(tw.sam(0.05), tw.momentum()), lr=0.1)
    params[0].grad = torch.eye(4, 3, dtype=torch.float64).to_sparse()

    def closure() -> Any:
        ours.zero_grad()
        loss = params[0].square().sum()
        loss.backward()
        return loss

    ours.step(closure)
    assert float(params[0].detach().max()) < 1
