"""Averages of the points to ship: where they begin and how they forget."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from oracles import stages
from support import run, stream

import thalweg as tw
from thalweg.dialects import variants


def points(stage: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A first point, those that are walked, and what is shipped after each."""
    params, gradients, _ = stream()
    optimizer = tw.Optimizer(tw.chain(tw.sgd(), stage), lr=0.1)
    state, p, walked, shipped = optimizer.init(params), params, [], []
    for g in gradients:
        p, state = optimizer.step(p, g, state)
        walked.append(p["w"])
        shipped.append(optimizer.ship(p, state)["w"])
    return params["w"], np.array(walked), np.array(shipped)


def test_an_average_keeps_its_beginning_and_says_so() -> None:
    first, walked, shipped = points(tw.average(0.999))
    weights = 0.999 ** np.arange(len(walked))[::-1] * 0.001
    np.testing.assert_allclose(shipped[-1], 0.999**100 * first + np.tensordot(weights, walked, 1), rtol=0, atol=1e-12)
    assert round(0.999**100, 2) == 0.9, "as its documentation has it"


def test_an_average_from_the_first_step_is_torchs() -> None:
    torch = pytest.importorskip("torch")
    _, walked, shipped = points(tw.average(0.9, start="first"))
    model = torch.nn.Linear(3, 4, bias=False).double()
    theirs = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.9))
    for w, x in zip(walked, shipped, strict=True):
        with torch.no_grad():
            model.weight.copy_(torch.from_numpy(w))
        theirs.update_parameters(model)
        np.testing.assert_allclose(x, theirs.module.weight.detach().numpy(), rtol=0, atol=1e-12)


def test_a_corrected_average_is_of_the_points_alone() -> None:
    _, walked, shipped = points(tw.average(0.9, start="corrected"))
    for t in range(1, len(walked) + 1):
        weights = 0.9 ** np.arange(t)[::-1]
        np.testing.assert_allclose(shipped[t - 1], np.tensordot(weights / weights.sum(), walked[:t], 1), rtol=0, atol=1e-12)


@pytest.mark.parametrize("gamma", [0.0, 8.0])
def test_a_polynomial_average(gamma: float) -> None:
    """As in DoG's authors' code: the t-th point weighs (1 + gamma) / (t + gamma)."""
    first, walked, shipped = points(tw.polynomial_average(gamma=gamma))
    average = first
    for t, (w, x) in enumerate(zip(walked, shipped, strict=True), start=1):
        weight = (1 + gamma) / (t + gamma)
        average = (1 - weight) * average + weight * w
        np.testing.assert_allclose(x, average, rtol=0, atol=1e-12)
    if gamma == 0:
        np.testing.assert_allclose(shipped[-1], walked.mean(axis=0), rtol=0, atol=1e-12)


def test_the_first_place_of_schedule_free_weighs_one() -> None:
    """As in the paper's algorithm 1; with c = 1 / (t + 1) the beginning would have half of it."""
    params, gradients, _ = stream(steps=1)
    optimizer = tw.Optimizer(tw.chain(tw.sgd(), tw.schedule_free()), lr=0.1)
    p, state = optimizer.step(params, gradients[0], optimizer.init(params))
    np.testing.assert_allclose(optimizer.ship(p, state)["w"], params["w"] - 0.1 * gradients[0]["w"], rtol=0, atol=1e-12)


def test_amsgrad_with_keras_epsilon() -> None:
    """alpha = lr sqrt(1 - beta2^t) / (1 - beta1^t); p -= alpha m / (sqrt(v_max) + eps), as Keras' Adam(amsgrad=True)."""
    params, gradients, _ = stream()
    path, _ = run(variants.corrected_amsgrad(eps=tw.outside(1e-2, raw=True)), params, gradients, lr=0.01)
    other, _ = run(variants.corrected_amsgrad(eps=1e-2), params, gradients, lr=0.01)
    p, m, v, v_max = params["w"], 0.0, 0.0, 0.0
    for t, g in enumerate(gradients, start=1):
        m, v = m + (g["w"] - m) * 0.1, v + (g["w"] ** 2 - v) * 0.001
        v_max = np.maximum(v_max, v)
        p = p - 0.01 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (np.sqrt(v_max) + 1e-2)
        np.testing.assert_allclose(path[t - 1]["w"], p, rtol=0, atol=1e-12)
    assert np.abs(other[-1]["w"] - p).max() > 1e-3


@pytest.mark.parametrize(("k", "alpha"), [(5, 0.5), (7, 0.8), (1, 0.3)])
def test_lookahead(k: int, alpha: float) -> None:
    _, gradients, _ = stream()
    first, walked, shipped = points(tw.lookahead(k, alpha))
    truth, slow = stages.lookahead(first, lambda t: gradients[(t - 1) % 100]["w"], 0.1, k, alpha, len(gradients))
    np.testing.assert_allclose(walked, truth, rtol=0, atol=1e-12)
    np.testing.assert_allclose(shipped, slow, rtol=0, atol=1e-12)


def test_lookahead_is_pytorch_optimizers() -> None:
    torch, theirs = pytest.importorskip("torch"), pytest.importorskip("pytorch_optimizer")
    params, gradients, _ = stream()
    path, _ = run(tw.chain(tw.momentum(0.9), tw.lookahead(5, 0.5)), params, gradients, lr=0.01)
    p = torch.nn.Parameter(torch.from_numpy(params["w"].copy()))
    other = theirs.Lookahead(torch.optim.SGD([p], lr=0.01, momentum=0.9), k=5, alpha=0.5)
    for g, w in zip(gradients, path, strict=True):
        p.grad = torch.from_numpy(g["w"].copy())
        other.step()
        np.testing.assert_allclose(w["w"], p.detach().numpy(), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("start", "every"), [(0, 1), (0, 10), (40, 7), (3, 1)])
def test_stochastic_weight_averaging(start: int, every: int) -> None:
    first, walked, shipped = points(tw.swa(float(start), every))
    np.testing.assert_allclose(shipped, stages.swa(first, walked, start, every), rtol=0, atol=1e-12)
