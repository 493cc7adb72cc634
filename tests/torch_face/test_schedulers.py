"""torch's schedulers and its GradScaler on rules that torch has not."""

from __future__ import annotations

from typing import Any

import pytest

import thalweg as tw

torch = pytest.importorskip("torch")

import thalweg.torch as tt  # noqa: E402
from torch_face.beside_pure import CHAINS, parameters, tensors  # noqa: E402


def test_groups_schedulers_and_what_a_group_may_say() -> None:
    params = parameters()
    ours = tt.AdaBound([{"params": params[:1]}, {"params": params[1:], "lr": 0.5, "beta1": 0.5}], lr=0.1)
    schedule = torch.optim.lr_scheduler.StepLR(ours, 1, gamma=0.5)
    twins = [p.detach().clone() for p in params]
    pures = [tw.Optimizer(tw.adabound(), lr=0.1), tw.Optimizer(tw.adabound(beta1=0.5), lr=0.5)]
    trees = [{"0": twins[0]}, {"1": twins[1], "2": twins[2]}]
    states = [pure.init(tree) for pure, tree in zip(pures, trees, strict=True)]
    for t in range(4):
        gradients = tensors(t + 1)
        for p, g in zip(params, gradients, strict=True):
            p.grad = g.clone()
        ours.step()
        schedule.step()
        for k, pure in enumerate(pures):
            trees[k], states[k] = pure.step(trees[k], {name: gradients[int(name)] for name in trees[k]}, states[k])
            pure.lr = pure.lr * 0.5
    for p, expected in zip(params, (trees[0] | trees[1]).values(), strict=True):
        torch.testing.assert_close(p.detach(), expected, rtol=1e-12, atol=1e-14)
    with pytest.raises(ValueError, match="beta1"):
        ours.add_param_group({"params": [torch.nn.Parameter(torch.ones(2))], "beta1": 1.5})


SCHEDULERS: dict[str, Any] = {
    "LambdaLR": lambda module, o: module.LambdaLR(o, lambda t: 0.9**t),
    "MultiplicativeLR": lambda module, o: module.MultiplicativeLR(o, lambda t: 0.9),
    "StepLR": lambda module, o: module.StepLR(o, 2),
    "MultiStepLR": lambda module, o: module.MultiStepLR(o, [2, 4]),
    "ConstantLR": lambda module, o: module.ConstantLR(o, total_iters=3),
    "LinearLR": lambda module, o: module.LinearLR(o),
    "ExponentialLR": lambda module, o: module.ExponentialLR(o, 0.9),
    "PolynomialLR": lambda module, o: module.PolynomialLR(o, 6, 2.0),
    "CosineAnnealingLR": lambda module, o: module.CosineAnnealingLR(o, 6),
    "CosineAnnealingWarmRestarts": lambda module, o: module.CosineAnnealingWarmRestarts(o, 3),
    "CyclicLR": lambda module, o: module.CyclicLR(o, 0.01, 0.1, step_size_up=2, cycle_momentum=False),
    "OneCycleLR": lambda module, o: module.OneCycleLR(o, 0.1, total_steps=8, cycle_momentum=False),
    "ReduceLROnPlateau": lambda module, o: module.ReduceLROnPlateau(o, patience=1),
    "SequentialLR": lambda module, o: module.SequentialLR(o, [module.LinearLR(o), module.StepLR(o, 1)], [3]),
    "ChainedScheduler": lambda module, o: module.ChainedScheduler([module.LinearLR(o), module.ExponentialLR(o, 0.9)], o),
}


@pytest.mark.filterwarnings("ignore:.*epoch parameter in `scheduler.step:UserWarning")  # SequentialLR passes it to its own
@pytest.mark.parametrize("lr", [0.1, "tensor"])
@pytest.mark.parametrize("name", SCHEDULERS)
def test_torchs_schedulers(name: str, lr: Any) -> None:
    """A step goes by the rate that the scheduler has put into the group, and that is the one it gives torch's optimizers."""
    params, by_hand, other = parameters(), parameters(), [torch.nn.Parameter(torch.ones(()))]
    ours = tt.SMORMS3(params, lr=torch.tensor(0.1, dtype=torch.float64) if lr == "tensor" else lr)
    set_by_hand, theirs = tt.SMORMS3(by_hand, lr=0.1), torch.optim.SGD(other, lr=0.1)
    schedules = [SCHEDULERS[name](torch.optim.lr_scheduler, optimizer) for optimizer in (ours, theirs)]
    rates = []
    for t in range(7):
        rates.append(float(ours.param_groups[0]["lr"]))
        assert rates[-1] == pytest.approx(theirs.param_groups[0]["lr"], rel=1e-12)
        set_by_hand.param_groups[0]["lr"] = rates[-1]
        for p, q, g in zip(params, by_hand, tensors(t + 1), strict=True):
            p.grad, q.grad = g.clone(), g.clone()
        other[0].grad = torch.ones(())
        for optimizer in (ours, set_by_hand, theirs):
            optimizer.step()
        for schedule in schedules:
            schedule.step(*([1.0] if name == "ReduceLROnPlateau" else []))
    assert len(set(rates)) > 1
    assert all(torch.equal(p, q) for p, q in zip(params, by_hand, strict=True))


def test_every_scheduler_of_torchs_is_tried() -> None:
    base = torch.optim.lr_scheduler.LRScheduler
    there = {
        name for name, found in vars(torch.optim.lr_scheduler).items() if isinstance(found, type) and issubclass(found, base)
    }
    assert there - {"LRScheduler", "_LRScheduler"} <= set(SCHEDULERS)


def test_a_momentum_that_a_scheduler_is_to_cycle_must_be_called_as_torch_does() -> None:
    with pytest.raises(ValueError, match="momentum"):
        torch.optim.lr_scheduler.OneCycleLR(tt.SMORMS3(parameters()), 0.1, total_steps=8)


@pytest.mark.parametrize("make", [tt.SMORMS3, lambda params: tt.Optimizer(params, CHAINS["clipped"](), lr=0.1)])
def test_grad_scaler_skips_what_overflowed(make: Any) -> None:
    params, plain = parameters(torch.float32), parameters(torch.float32)
    optimizer, without = make(params), make(plain)
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0, growth_interval=1000)
    for value in (1.0, float("inf"), 2.0):
        optimizer.zero_grad()
        scaler.scale(sum((p * value).sum() for p in params)).backward()
        scaler.step(optimizer)
        scaler.update()
        if value != float("inf"):
            for p in plain:
                p.grad = torch.full_like(p, value)
            without.step()
    assert scaler.get_scale() == 4.0
    assert all(torch.equal(p, q) for p, q in zip(params, plain, strict=True))
