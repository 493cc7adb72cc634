"""The learned optimizer: its rule, its training, and what its shipped weights are worth."""

from __future__ import annotations

import contextlib
import importlib
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from oracles.learned import learned, random_weights
from support import SHAPES, run, stream

import thalweg as tw
from thalweg.lab.learned import network as learned_network
from thalweg.lab.learned import training as learned_training
from thalweg.lab.learned.network import WEIGHTS, Quadratics, Walk, forward, initial, unroll
from thalweg.lab.learned.training import MetaTraining
from thalweg.values import trees

T = 3


@pytest.fixture(params=[True, False], ids=["preprocessing", "plain"])
def weights(request: Any, tmp_path: Path) -> tuple[str, dict[str, Any]]:
    """A file of random weights, and what is in it as the oracle takes it."""
    arrays = random_weights(7, preprocessing=request.param)
    options = {"preprocessing": request.param, "scale": 0.05}
    path = tmp_path / "random.npz"
    trees.save(path, {**arrays, **options, "p": 8.0})
    return str(path), {"weights": arrays, "p_log": 8.0, **options}


def test_equals_its_paper(weights: tuple[str, dict[str, Any]]) -> None:
    path, options = weights
    params, gradients, _ = stream()
    mine, _ = run(tw.learned(path), params, gradients)
    for name in SHAPES:
        truth = learned(params[name], [g[name] for g in gradients], **options)
        assert np.abs(truth[-1] - params[name]).min() > 1e-3
        assert np.abs(np.array([p[name] for p in mine]) - truth).max() <= 1e-12


@pytest.mark.parametrize("which", ["torch", pytest.param("jax", marks=pytest.mark.slow), "jax, jitted"])
def test_equal_on_every_framework(weights: tuple[str, dict[str, Any]], which: str) -> None:
    library = pytest.importorskip(which.partition(",")[0])
    convert = library.tensor if which == "torch" else library.numpy.asarray
    params, gradients, _ = stream(steps=30)
    truth, _ = run(tw.learned(weights[0]), params, gradients)
    with contextlib.nullcontext() if which == "torch" else library.enable_x64(True):
        optimizer = tw.Optimizer(tw.learned(weights[0]))
        step = library.jit(optimizer.step) if "jitted" in which else optimizer.step
        p = {name: convert(x) for name, x in params.items()}
        state = optimizer.init(p)
        for g in gradients:
            p, state = step(p, {name: convert(x) for name, x in g.items()}, state)
        for name in SHAPES:
            assert np.asarray(p[name]).dtype == np.float64
            assert np.abs(np.asarray(p[name]) - truth[-1][name]).max() <= 1e-12


def test_lanes_equal_runs_and_nan_stays_in_its_own(weights: tuple[str, dict[str, Any]]) -> None:
    streams = [stream(seed, 50) for seed in range(T)]
    rates = np.array([1.0, 0.5, 2.0])
    stack = lambda trees: {name: np.stack([tree[name] for tree in trees]) for name in SHAPES}  # noqa: E731
    together = [stack([s[1][i] for s in streams]) for i in range(50)]
    for g in together:
        g["w"][1] = np.nan
    path, _ = run(tw.learned(weights[0]), stack([s[0] for s in streams]), together, lr=rates, lanes=T)
    for lane, (params, gradients, _) in enumerate(streams):
        alone, _ = run(tw.learned(weights[0]), params, gradients, lr=float(rates[lane]))
        for name in SHAPES:
            if (lane, name) == (1, "w"):
                assert np.isnan(path[-1][name][lane]).all()
            else:
                assert np.abs(path[-1][name][lane] - alone[-1][name]).max() <= 1e-12


def test_without_a_rate_it_rests_but_remembers() -> None:
    params, gradients, _ = stream(steps=10)
    path, state = run(tw.learned(), params, gradients, lr=0.0)
    for name, shape in SHAPES.items():
        assert np.array_equal(path[-1][name], params[name])
        for slot in ("h1", "c1", "h2", "c2"):
            assert state["memory"]["learned"][slot][name].shape == (*shape, 20)
            assert state["memory"]["learned"][slot][name].all()


def test_float32_stays_float32() -> None:
    params, gradients, _ = stream(dtype=np.float32, steps=50)
    wide_params, wide_gradients, _ = stream(steps=50)
    path, state = run(tw.learned(), params, gradients)
    wide, _ = run(tw.learned(), wide_params, wide_gradients)
    for name in SHAPES:
        assert path[-1][name].dtype == state["memory"]["learned"]["h1"][name].dtype == np.float32
        np.testing.assert_allclose(path[-1][name], wide[-1][name], rtol=1e-3, atol=1e-4)


def test_what_it_costs_and_says() -> None:
    rule = tw.rules["l2l"]
    assert (rule.name, rule.lr, rule.search, rule.year) == ("learned", 1.0, None, 2016)
    assert rule.cost().state_per_parameter == 80
    assert set(rule.asks) == {"g"}
    assert "sigmoid" in rule.formula().plain


def test_a_file_is_read_again_when_it_changed(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    params, gradients, _ = stream(steps=3)
    ends = []
    for seed in (1, 2):
        trees.save(path, {**random_weights(seed, preprocessing=False), "preprocessing": False, "scale": 0.1})
        ends.append(run(tw.learned(path), params, gradients)[0][-1]["w"])
    assert np.abs(ends[0] - ends[1]).max() > 1e-3


GOOD = {**random_weights(0), "preprocessing": True, "p": 10.0, "scale": 0.1}


@pytest.mark.parametrize(
    ("tree", "says"),
    [
        ({**GOOD, "w2": GOOD["w2"][:20]}, r"w2 has shape \(20, 80\), wanted \(40, 80\)"),
        ({**GOOD, "preprocessing": False}, r"w1 has shape \(22, 80\), wanted \(21, 80\)"),
        ({k: v for k, v in GOOD.items() if k != "b"}, r"b has shape none, wanted \(1,\)"),
        ({**GOOD, "b1": np.zeros(80, int)}, "b1 must hold finite floating-point numbers"),
        ({**GOOD, "b1": np.full(80, np.nan)}, "b1 must hold finite floating-point numbers"),
        ({**GOOD, "scale": -1.0}, "scale is -1.0, no positive number"),
        ({k: v for k, v in GOOD.items() if k != "p"}, "p is None, no positive number"),
        ([1.0], "no preprocessing=True or False"),
    ],
)
def test_a_wrong_file_is_refused(tree: Any, says: str, tmp_path: Path) -> None:
    path = tmp_path / "wrong.npz"
    trees.save(path, tree)
    with pytest.raises(ValueError, match=rf"{says}; `python -m thalweg\.lab\.learned\.training --out FILE` writes such a file"):
        tw.learned(path)


def test_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no weights are called 'quadratic'; write weights='quadratics'"):
        tw.learned("quadratic")
    with pytest.raises(ValueError, match="is no file that thalweg saved"):
        tw.learned(Path(__file__))
    with pytest.raises(ValueError, match="a name or the path of a file, not 3"):
        tw.learned(3)


# Training.


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


# What is shipped.

RIVALS = ("sgd", "momentum", "nesterov", "rmsprop", "adam")
LOOKS = (100, 200)


def race(name: str, rates: Any, problems: Quadratics) -> list[float]:
    """The lowest mean of f that one of the rates reaches by each look; all rates and problems are lanes of one run."""
    n, k = len(problems.y), len(rates)
    all_of_them = Quadratics(np.tile(problems.W, (k, 1, 1)), np.tile(problems.y, (k, 1)), np.zeros((n * k, 10)))
    optimizer = tw.Optimizer(tw.rules[name](), lr=np.repeat(rates, n), lanes=n * k)
    theta = all_of_them.start
    state = optimizer.init(theta)
    lowest = []
    with np.errstate(over="ignore", invalid="ignore"):  # too high a rate flies away
        for t in range(1, max(LOOKS) + 1):
            theta, state = optimizer.step(theta, all_of_them.at(theta)[1], state)
            if t in LOOKS:
                lowest.append(float(np.nanmin(all_of_them.at(theta)[0].reshape(k, n).mean(1))))
    return lowest


def test_it_beats_tuned_rivals_on_the_functions_it_was_trained_for() -> None:
    """128 problems nobody has seen; each rival gets the best of 19 rates on these very problems, which favours it."""
    test = Quadratics.draw(np.random.default_rng([1606, 4474]), 128)
    mine = race("learned", [1.0], test)
    found = {name: race(name, np.logspace(-3, 0, 19), test) for name in RIVALS}
    for look in range(len(LOOKS)):
        rivals = [f[look] for f in found.values()]
        assert all(np.isfinite(f) and f < 1.5 for f in rivals), "a rival that fails shows nothing"
        assert mine[look] < 0.75 * min(rivals)


def test_the_shipped_file_tells_how_it_was_made() -> None:
    module = importlib.import_module("thalweg.methods.learned.learned")
    path = Path(module.__file__).with_name("learned_quadratics.npz")
    net = trees.load(path)
    assert path.stat().st_size < 40_000
    assert sum(net[name].size for name in WEIGHTS) == 5061
    command, short = shlex.split(net["command"]), "python -m thalweg.lab.learned.training --out learned_quadratics.npz"
    assert short in tw.rules["learned"].doc
    written, default = (learned_training.main.make_context("main", words[3:]).params for words in (command, shlex.split(short)))
    assert written == default, "the recorded command is the documented one, defaults written out"
