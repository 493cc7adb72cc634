"""The learned optimizer: its rule, and what its shipped weights are worth."""

from __future__ import annotations

import contextlib
import importlib
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from oracles.learned import learned, random_weights
from support import SHAPES, run, stream

import thalweg as tw
from thalweg.lab.learned import training as learned_training
from thalweg.lab.learned.network import WEIGHTS, Quadratics
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
