"""The training of the learned optimizer: its gradients, and its command."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import thalweg as tw
from thalweg.lab.learned import network as learned_network
from thalweg.lab.learned import training as learned_training
from thalweg.lab.learned.network import WEIGHTS, Quadratics, Walk, forward, initial, unroll
from thalweg.lab.learned.training import MetaTraining
from thalweg.values import trees


def untrained(preprocessing: bool, seed: int = 0) -> dict[str, Any]:
    net = initial(np.random.default_rng(seed), preprocessing, 10.0, 0.1)
    return {**net, **{name: net[name] + 0.1 * np.random.default_rng(seed).standard_normal(net[name].shape) for name in WEIGHTS}}


def some_way(net: dict[str, Any], steps: int = 3) -> tuple[Quadratics, Walk]:
    """Four problems, and a walk already begun, so that no memory is zero."""
    problems = Quadratics.draw(np.random.default_rng(1), 4)
    return problems, unroll(net, problems, Walk.begin(problems), steps)[2]


def test_the_trainer_walks_as_the_rule_does(tmp_path: Path) -> None:
    for preprocessing in (True, False):
        net = untrained(preprocessing)
        trees.save(tmp_path / "net.npz", net)
        problems, walk = some_way(net, 100)
        optimizer = tw.Optimizer(tw.learned(tmp_path / "net.npz"), lanes=4)
        theta = problems.start
        state = optimizer.init(theta)
        for _ in range(100):
            theta, state = optimizer.step(theta, problems.at(theta)[1], state)
        np.testing.assert_allclose(theta, walk.theta, rtol=1e-9)


def test_the_gradient_of_a_problem() -> None:
    problems = Quadratics.draw(np.random.default_rng(3), 2)
    theta, eps = np.random.default_rng(4).standard_normal((2, 10)), 1e-6
    for k in range(10):
        shift = eps * np.eye(10)[k]
        slope = (problems.at(theta + shift)[0] - problems.at(theta - shift)[0]) / (2 * eps)
        np.testing.assert_allclose(problems.at(theta)[1][:, k], slope, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("preprocessing", [True, False])
def test_the_meta_gradient_by_finite_differences(preprocessing: bool) -> None:
    """What enters the network is held fixed, as in the paper; then the sum of f over 6 steps, weight by weight."""
    net, eps = untrained(preprocessing), 1e-5
    problems, begun = some_way(net)
    entered, walk = [], begun
    for _ in range(6):
        entered.append(walk.gradient.ravel())
        walk = learned_network.advance(net, problems, walk)[0]

    def total(changed: dict[str, Any]) -> float:
        theta, memory, f = begun.theta, begun.memory, 0.0
        for g in entered:
            u, memory, _ = forward(changed, g, memory)
            theta = theta + u.reshape(theta.shape)
            f += float(problems.at(theta)[0].mean())
        return f

    found, grads, _ = unroll(net, problems, begun, 6)
    assert found == pytest.approx(total(net), rel=1e-12)
    draw = np.random.default_rng(5)
    for name in WEIGHTS:
        for at in draw.permutation(net[name].size)[:25]:
            shift = np.zeros(net[name].size)
            shift[at] = eps
            moved = [{**net, name: net[name] + sign * shift.reshape(net[name].shape)} for sign in (1, -1)]
            slope = (total(moved[0]) - total(moved[1])) / (2 * eps)
            assert grads[name].ravel()[at] == pytest.approx(slope, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("preprocessing", [True, False])
def test_the_meta_gradient_by_autograd(preprocessing: bool) -> None:
    """Two stretches of a walk, cut between, written again in torch."""
    torch = pytest.importorskip("torch")
    net = untrained(preprocessing)
    problems = Quadratics.draw(np.random.default_rng(1), 4)
    W, y, theta = torch.tensor(problems.W), torch.tensor(problems.y), torch.tensor(problems.start)
    phi = {name: torch.tensor(net[name], requires_grad=True) for name in WEIGHTS}
    memory = [torch.zeros(40, 20, dtype=torch.float64)] * 4
    walk = Walk.begin(problems)

    def layer(x: Any, h: Any, c: Any, n: int) -> tuple[Any, Any]:
        i, j, f, o = (torch.cat([x, h], 1) @ phi[f"w{n}"] + phi[f"b{n}"]).chunk(4, 1)
        c = torch.sigmoid(f + 1) * c + torch.sigmoid(i) * torch.tanh(j)
        return torch.sigmoid(o) * torch.tanh(c), c

    for steps in (7, 5):
        total, grads, walk = unroll(net, problems, walk, steps)
        loss = 0.0
        for _ in range(steps):
            miss = torch.einsum("nij,nj->ni", W, theta) - y
            g = (2 * torch.einsum("nij,ni->nj", W, miss)).detach().reshape(-1, 1)
            if preprocessing:
                large = g.abs() >= np.exp(-10.0)
                g = torch.cat([torch.where(large, g.abs().log() / 10, -1.0), torch.where(large, g.sign(), np.exp(10.0) * g)], 1)
            h1, c1 = layer(g, memory[0], memory[1], 1)
            h2, c2 = layer(h1, memory[2], memory[3], 2)
            memory = [h1, c1, h2, c2]
            theta = theta + 0.1 * (h2 @ phi["w"] + phi["b"]).reshape(4, 10)
            loss = loss + ((torch.einsum("nij,nj->ni", W, theta) - y) ** 2).sum(1).mean()
        truth = torch.autograd.grad(loss, list(phi.values()))
        theta, memory = theta.detach(), [m.detach() for m in memory]
        assert total == pytest.approx(loss.item(), rel=1e-12)
        for name, gradient in zip(WEIGHTS, truth, strict=True):
            assert np.abs(grads[name] - gradient.numpy()).max() <= 1e-12 * max(1.0, np.abs(grads[name]).max())


def test_first_weights() -> None:
    net = initial(np.random.default_rng(0), True, 10.0, 0.1)
    assert sum(net[name].size for name in WEIGHTS) == 5141
    for name, inputs in (("w1", 22), ("w2", 40), ("w", 20)):
        assert np.abs(net[name]).max() <= 2 / np.sqrt(inputs)
    assert net["w2"].std() == pytest.approx(0.88 / np.sqrt(40), rel=0.05), "a normal cut at 2 has 0.88 of its deviation"
    assert not net["b1"].any() | net["b2"].any() | net["b"].any()


SHORT: dict[str, Any] = {"epochs": 12, "problems": 4, "steps": 40}


def test_training_learns_and_repeats() -> None:
    first, again = (learned_training.train(MetaTraining(**SHORT)) for _ in range(2))
    other = learned_training.train(MetaTraining(seed=1, **SHORT))
    assert all(np.array_equal(first[name], again[name]) for name in WEIGHTS)
    assert not np.array_equal(first["w1"], other["w1"])
    fresh = Quadratics.draw(np.random.default_rng(9), 64)
    before = initial(np.random.default_rng(0), False, 10.0, 0.1)
    start = fresh.at(fresh.start)[0].mean()
    assert learned_network.final(first, fresh, 40) < 0.3 * start < learned_network.final(before, fresh, 40)


def test_the_shell_writes_a_file_that_its_own_command_repeats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["--out", "a.npz", "--epochs", "2", "--problems", "2", "--steps", "20", "--preprocessing"]
    said = CliRunner().invoke(learned_training.main, words, catch_exceptions=False)
    assert said.exit_code == 0
    assert said.output.startswith("a.npz: epoch 2, mean f ")
    made = (tmp_path / "a.npz").read_bytes()
    command = shlex.split(trees.load("a.npz")["command"])
    assert command[:3] == ["python", "-m", "thalweg.lab.learned.training"]
    (tmp_path / "a.npz").unlink()
    CliRunner().invoke(learned_training.main, command[3:], catch_exceptions=False)
    assert (tmp_path / "a.npz").read_bytes() == made
    assert tw.learned("a.npz").config["weights"] == "a.npz"


def test_ctrl_c_keeps_the_best_so_far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []
    draw = Quadratics.draw

    def interrupted(random: Any, n: int) -> Any:
        drawn.append(n)
        if len(drawn) == 5:  # the validation functions, then an epoch each
            raise KeyboardInterrupt
        return draw(random, n)

    monkeypatch.setattr(Quadratics, "draw", interrupted)
    words = ["--out", str(tmp_path / "a.npz"), "--problems", "2", "--steps", "20"]
    assert CliRunner().invoke(learned_training.main, words).exit_code == 1, "nothing learned yet: nothing to write"
    assert not (tmp_path / "a.npz").exists()
    monkeypatch.setattr(learned_training, "CHECKED", 1)
    drawn.clear()
    assert CliRunner().invoke(learned_training.main, words, catch_exceptions=False).exit_code == 0
    net = trees.load(tmp_path / "a.npz")
    assert net["epoch"] <= 3 < net["stopped"]
    assert net["command"].endswith("(stopped by hand in epoch 4)")


def test_the_shell_refuses_before_it_trains(tmp_path: Path) -> None:
    said = CliRunner().invoke(learned_training.main, ["--out", str(tmp_path / "none" / "a.npz")])
    assert said.exit_code == 2
    assert "there is no folder" in said.output
    said = CliRunner().invoke(learned_training.main, ["--out", str(tmp_path / "a.npz"), "--steps", "50"])
    assert "50 is no multiple of --unrolled 20" in said.output
    with pytest.raises(ValueError, match="steps=50 is no multiple of unrolled=20"):
        MetaTraining(steps=50)
