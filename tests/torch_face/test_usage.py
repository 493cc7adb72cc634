"""What a training script does to an optimizer beside its steps: groups, layouts, sparse gradients, copies; beside torch.optim."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import thalweg as tw
from thalweg import Decay, rule
from thalweg.ops import mix

torch = pytest.importorskip("torch")

import thalweg.torch as tt  # noqa: E402
from torch_face.problems import apart, by_kernels, drive, problem  # noqa: E402


@pytest.mark.parametrize("name", ["Adam", "SGD", "NAdam"])
def test_a_group_that_is_another_dict_counts(name: str) -> None:
    def walked(home: Any) -> list[Any]:
        p, g = problem()
        optimizer = getattr(home, name)(p, lr=0.1)
        drive(optimizer, p, g[:3])
        optimizer.param_groups[0] = {**optimizer.param_groups[0], "lr": 0.0}
        drive(optimizer, p, g[3:5])
        optimizer.param_groups = [dict(group) for group in optimizer.param_groups]
        optimizer.param_groups[0]["lr"] = 0.3
        drive(optimizer, p, g[5:7])
        optimizer.__setstate__(
            {"state": optimizer.state, "param_groups": [{**group, "lr": 0.7} for group in optimizer.param_groups]}
        )
        drive(optimizer, p, g[7:9])
        return p

    for ours, theirs in zip(walked(tt), walked(torch.optim), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-7)


def test_closures_groups_and_frozen_parameters() -> None:
    (p, g), (q, _) = problem(), problem()
    pair = tt.AdamW(p[:2], lr=0.1), torch.optim.AdamW(q[:2], lr=0.1)
    for optimizer, params in zip(pair, (p, q), strict=True):
        drive(optimizer, params, g[:5])
        optimizer.add_param_group({"params": params[2:], "lr": 0.01, "weight_decay": 0.0})
        drive(optimizer, params, g[5:10], 5)
        params[0].requires_grad_(False)
        params[0].grad = None
        for t in range(10, 15):
            for x, gradient in zip(params[1:], g[t][1:], strict=True):
                x.grad = gradient.clone()
            assert optimizer.step(lambda: 3.5) == 3.5
        optimizer.param_groups[1]["weight_decay"] = 0.1
        optimizer.param_groups[0]["amsgrad"] = False
        drive(optimizer, params, g[15:20], 15)
    assert by_kernels(pair[0])
    assert apart(p, q) < 1e-12


def test_layouts_and_swapped_data() -> None:
    """channels_last weights, gradients in another layout, a parameter whose data were replaced."""
    draw = torch.Generator().manual_seed(0)
    values = torch.randn(4, 3, 5, 5, generator=draw, dtype=torch.float64)
    p = torch.nn.Parameter(values.clone().to(memory_format=torch.channels_last))
    q = torch.nn.Parameter(values.clone())
    ours, theirs = tt.Adam([p]), torch.optim.Adam([q])
    for t in range(6):
        g = torch.randn(values.shape, generator=draw, dtype=torch.float64)
        p.grad, q.grad = g.clone() if t % 2 else g.to(memory_format=torch.channels_last), g.clone()
        if t == 3:
            p.data = p.data.clone()
        ours.step()
        theirs.step()
        assert by_kernels(ours)
    torch.testing.assert_close(p, q, rtol=1e-12, atol=1e-14)
    assert ours.state[p]["exp_avg"].is_contiguous(memory_format=torch.channels_last)


@pytest.mark.filterwarnings("ignore:Sparse invariant checks")  # torch.optim.Adagrad itself builds one without saying
@pytest.mark.parametrize("name", ["SGD", "Adagrad"])
def test_sparse_gradients_are_torchs(name: str) -> None:
    pair = []
    for home in (tt, torch.optim):
        weights = torch.nn.Parameter(torch.ones(5, 2, dtype=torch.float64))
        optimizer = getattr(home, name)([weights], lr=0.1)
        for _ in range(3):
            weights.grad = torch.sparse_coo_tensor([[0, 3]], torch.ones(2, 2, dtype=torch.float64), (5, 2), check_invariants=True)
            optimizer.step()
        pair.append(weights)
    assert torch.equal(*pair)


def test_grad_scaler_skips_and_unscales() -> None:
    pair = []
    for home in (tt, torch.optim):
        p = torch.nn.Parameter(torch.ones(3))
        optimizer = home.Adam([p], lr=0.1, fused=True)
        scaler = torch.amp.GradScaler("cpu", init_scale=8.0, growth_interval=1000)
        for value in (1.0, float("inf"), 2.0):
            optimizer.zero_grad()
            scaler.scale((p * value).sum()).backward()
            scaler.step(optimizer)
            scaler.update()
        pair.append(p)
    torch.testing.assert_close(*pair)


def test_a_copy_and_a_pickle_go_on_alone() -> None:
    p, g = problem()
    optimizer = tt.Adam(p)
    drive(optimizer, p, g[:5])
    twin_p, twin = copy.deepcopy((p, optimizer))
    drive(optimizer, p, g[5:10], 5)
    kept = [x.detach().clone() for x in twin_p]
    drive(twin, twin_p, g[5:10], 5)
    assert all(torch.equal(a, b) for a, b in zip(p, twin_p, strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(kept, twin_p, strict=True))


def test_state_that_moves_in_memory() -> None:
    """share_memory_ leaves a tensor what it is and puts its numbers elsewhere."""
    (p, g), (q, _) = problem(), problem()
    ours, theirs = tt.Adagrad(p), torch.optim.Adagrad(q)
    for optimizer, params in ((ours, p), (theirs, q)):
        drive(optimizer, params, g[:3])
        optimizer.share_memory()
        for x in params:
            x.data.share_memory_()
        drive(optimizer, params, g[3:6], 3)
    assert by_kernels(ours)
    assert apart(p, q) < 1e-12


def test_one_complex_parameter_leaves_the_step_to_torch() -> None:
    pair = []
    for home in (tt, torch.optim):
        x, z = torch.nn.Parameter(torch.ones(3, dtype=torch.float64)), torch.nn.Parameter(torch.ones(2, dtype=torch.complex128))
        optimizer = home.Adam([{"params": [x]}, {"params": [z]}], lr=0.1)
        for t in range(4):
            x.grad = torch.full_like(x, t + 1.0)
            z.grad = None if t == 1 else torch.full_like(z, 1j * t - 1)
            optimizer.step()
        pair.append((x, z))
    for ours, theirs in zip(*pair, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-14)


@rule(lr=1e-2)
def of_mine(g: Any, m: Any = 0.0, *, beta: Decay = 0.9) -> Any:
    """Mine (2026)."""
    m = mix(m, g, beta)
    return m, m


@pytest.mark.parametrize("made_of", [of_mine, tw.lbfgs, tw.adam, tw.muon], ids=lambda r: r.name)
def test_an_optimizer_of_any_rule_is_pickled_and_goes_on(made_of: Any) -> None:
    """Its class is in no module."""
    p = torch.nn.Parameter(torch.ones(2, 2))
    optimizer = tt.of(made_of)([p], lr=0.1)
    optimizer.step(lambda: _loss(p))
    copies = [pickle.loads(pickle.dumps(optimizer)), copy.deepcopy(optimizer)]
    optimizer.step(lambda: _loss(p))
    for again in copies:
        q = again.param_groups[0]["params"][0]
        again.step(lambda q=q: _loss(q))
        assert type(again) is type(optimizer)
        assert torch.equal(p, q)
        assert q is not p


def _loss(q: Any) -> Any:
    q.grad = None
    loss = (q * torch.arange(4.0).reshape(2, 2)).square().sum()
    loss.backward()
    return loss


def test_a_rate_in_a_list_is_told() -> None:
    p = torch.nn.Parameter(torch.ones(2))
    p.grad = torch.ones(2)
    with pytest.raises(TypeError, match=r"'lr' is \[0.1\]; it is a number or a schedule"):
        tt.Lion([p], lr=[0.1]).step()


def test_betas_may_be_an_array() -> None:
    ends = []
    for library in (torch.optim, tt):
        p = torch.nn.Parameter(torch.ones(2))
        optimizer = library.Adam([p], lr=0.1)
        optimizer.param_groups[0]["betas"] = np.array([0.5, 0.9])
        p.grad = torch.ones(2)
        optimizer.step()
        optimizer.step()
        ends.append(p.detach())
    torch.testing.assert_close(*ends)
