"""What a training function gets from its trial, in each framework."""

from __future__ import annotations

import math
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import thalweg as tw
from lab.training.loops import described
from thalweg.lab.protocol.tune import Setting
from thalweg.lab.training.run import Run
from thalweg.lab.training.running import outcome

torch = pytest.importorskip("torch")


def trial(rule: str = "adam", lr: float = 0.1, schedule: str = "constant", steps: int = 10, **hyper: float) -> Run:
    return Run(described(), tw.rules[rule], Setting(lr, tuple(hyper.items()), schedule), 3, steps)


def model() -> Any:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2), torch.nn.Flatten(), torch.nn.Linear(8, 3))


def stepped(net: Any, optimizer: Any, times: int = 3) -> list[Any]:
    for i in range(times):
        optimizer.zero_grad()
        torch.manual_seed(i)
        net(torch.randn(5, 1, 4, 4)).square().mean().backward()
        optimizer.step()
    return [p.detach().clone() for p in net.parameters()]


@pytest.mark.parametrize("rule", ["adamw", "lion", "muon", "sgd"])
def test_a_model_in_any_form_gets_the_same_optimizer(rule: str) -> None:
    forms = [
        lambda net: net,
        lambda net: net.parameters(),
        lambda net: net.named_parameters(),
        lambda net: list(net.parameters()),
        lambda net: dict(net.named_parameters()),
        lambda net: [{"params": net[0].parameters()}, {"params": net[1:].parameters()}],
    ]
    ends = []
    for form in forms:
        net = model()
        optimizer = trial(rule).optimizer(form(net))
        assert isinstance(optimizer, torch.optim.Optimizer)
        ends.append(stepped(net, optimizer))
    for end in ends[1:]:
        for a, b in zip(ends[0], end, strict=True):
            torch.testing.assert_close(a, b)
    assert (ends[0][-1] != model()[3].bias).all()


@pytest.mark.parametrize("rule", ["adamw", "lion", "muon"])
def test_a_group_s_weight_decay_holds_for_every_rule(rule: str) -> None:
    net, free = model(), model()
    for one, decay in ((net, 0.5), (free, 0.0)):
        groups = [{"params": [one[3].weight], "weight_decay": decay}, {"params": [one[3].bias], "weight_decay": 0.0}]
        stepped(one, trial(rule, 0.01).optimizer(groups), 1)
    start = model()
    assert torch.equal(net[3].bias, free[3].bias)
    torch.testing.assert_close(net[3].weight - free[3].weight, -0.01 * 0.5 * start[3].weight, rtol=1e-3, atol=1e-6)


def test_several_optimizers_count_as_one_run() -> None:
    own = trial()
    nets = model(), model()
    for net in nets:
        stepped(net, own.optimizer(net))
    assert own.counted == 3


def test_the_schedule_is_the_protocol_s() -> None:
    own = trial("sgd", 2.0, "wsd", steps=10)
    net = model()
    optimizer = own.optimizer(net)
    schedule = own.scheduler(optimizer)
    rates = []
    for _ in range(10):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    arrays = {"w": np.ones(2)}
    plain = own.optimizer(arrays)
    follows, seen = own.scheduler(plain), []
    for _ in range(10):
        seen.append(plain.param_groups[0]["lr"])
        plain.step({"w": np.zeros(2)})
        follows.step()
    assert rates == pytest.approx(seen)
    assert max(rates) == 2.0
    assert rates[-1] < 1.5


def test_jax_has_the_schedule_in_its_rate() -> None:
    jax = pytest.importorskip("jax")
    optax = pytest.importorskip("optax")
    own = trial("sgd", 2.0, "linear", steps=4)
    params = {"w": jax.numpy.ones((2, 2))}
    tx = own.optimizer(params)
    state, moved = tx.init(params), []
    for _ in range(4):
        updates, state = tx.update({"w": jax.numpy.ones((2, 2))}, state, params)
        moved.append(float(updates["w"][0, 0]))
        params = optax.apply_updates(params, updates)
        own.scheduler(tx).step()
    assert moved == pytest.approx([-2.0, -1.5, -1.0, -0.5])


def test_numpy_arrays_are_updated_in_place_and_hyper_parameters_are_the_trial_s() -> None:
    own = trial("momentum", 0.5, mu=0.0)
    x = np.ones(3)
    own.optimizer(x).step(np.ones(3))
    np.testing.assert_allclose(x, 0.5)
    assert (own.lr, own.hyper, own.rule, own.seed, own.steps) == (0.5, {"mu": 0.0}, "momentum", 3, 10)


def test_what_cannot_be_is_said() -> None:
    with pytest.raises(TypeError, match="it takes matrices alone, and there are none"):
        trial("muon").optimizer(np.ones(3))
    with pytest.raises(
        TypeError, match=r"trial\.optimizer takes a module, its parameters, or a tree of JAX or NumPy arrays; it got str"
    ):
        trial().optimizer("model")
    with pytest.raises(TypeError, match=r"trial\.report gave 'good', wanted one number"):
        trial().report(1, validation="good")


def test_it_tells_of_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    own = trial()
    assert own.device == "cpu" or torch.cuda.is_available()
    monkeypatch.setitem(sys.modules, "torch", None)
    assert own.device == "cpu"
    assert repr(own) == "<trial of adam, lr=0.1, seed=3>"
    own.report(torch.tensor(7), validation=torch.tensor(0.5))
    assert own.counted == 7
    assert own.log.name == "thalweg.trial"


def test_a_report_without_a_step_is_after_those_that_the_optimizer_took() -> None:
    own, x = trial(), np.ones(3)
    optimizer = own.optimizer(x)
    for _ in range(3):
        optimizer.step(x)
    own.report(validation=1.0)
    net = model()
    stepped(net, own.optimizer(net), 5)
    own.report(validation=2.0)
    assert own.reports == [(3, 1.0), (5, 2.0)]
    with pytest.raises(ValueError, match="this optimizer's steps cannot be seen; give the count"):
        trial().report(validation=1.0)


@pytest.mark.parametrize("step", [math.inf, -math.inf, math.nan, -1, np.float32("inf")])
def test_a_step_that_is_no_count_is_refused_in_a_sentence(step: Any) -> None:
    with pytest.raises(
        ValueError, match=r"trial\.report: step is .*; it is the count of steps so far, a finite number from 0 on"
    ):
        trial().report(step, validation=1.0)
    with pytest.raises(TypeError, match="wanted one number"):
        trial().report(10**400, validation=1.0)


def test_a_run_that_leaves_its_folder_changes_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()

    def train(trial: Any) -> float:
        os.chdir("elsewhere")
        raise KeyError("also if it fails")

    for _ in range(2):
        found = outcome(described(train), tw.rules["sgd"], Setting(0.1), 0, 8)
        assert (found.error or "").startswith("KeyError")
    assert Path.cwd() == tmp_path
