"""Rules beside pytorch_optimizer's, where both are the same and a line of docs/migrating.md cannot say it."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
from support import run

import thalweg as tw

torch = pytest.importorskip("torch")
theirs = pytest.importorskip("pytorch_optimizer")


def walked(optimizer: Any, start: np.ndarray, gradients: list[np.ndarray], **options: Any) -> np.ndarray:
    p = torch.nn.Parameter(torch.from_numpy(start.copy()))
    made, path = optimizer([p], **options), []
    for g in gradients:
        p.grad = torch.from_numpy(g.copy())
        made.step()
        path.append(p.detach().numpy().copy())
    return np.array(path)


def test_soap_is_theirs_until_they_improve_the_eigenvectors() -> None:
    """There they go on in float32, with the vectors in another order: at most a tenth of the way apart after 100 steps."""
    draw = np.random.default_rng(0)
    start, draws = draw.normal(size=(4, 3)), list(draw.normal(size=(100, 4, 3)))
    for f, least, most in ((1000, 0.0, 1e-12), (10, 1e-6, 0.1)):
        ours = np.array([p["w"] for p in run(tw.soap(f=f), {"w": start}, [{"w": g} for g in draws])[0]])
        other = walked(theirs.SOAP, start, draws, lr=3e-3, weight_decay=0.0, precondition_frequency=f)
        distance = np.abs(ours - other).max() / np.abs(ours[-1] - start).max()
        assert least <= distance <= most


def test_adam_mini_is_theirs_with_a_block_for_each_tensor() -> None:
    """Theirs takes a model, and keeps its averages in float32."""
    draw = torch.Generator().manual_seed(0)
    models = [torch.nn.Linear(4, 3).double() for _ in range(2)]
    models[1].load_state_dict(models[0].state_dict())
    import thalweg.torch as tt

    optimizers = [
        theirs.AdamMini(models[0], lr=1e-3, weight_decay=0.1, num_embeds=32, num_heads=4),
        tt.AdamMini(models[1].parameters(), lr=1e-3, weight_decay=0.1, by_row=False),
    ]
    for _ in range(100):
        for pair in zip(*(model.parameters() for model in models), strict=True):
            g = torch.randn(pair[0].shape, generator=draw, dtype=torch.float64)
            for p in pair:
                p.grad = g.clone()
        for optimizer in optimizers:
            optimizer.step()
    for p, q in zip(*(model.parameters() for model in models), strict=True):
        assert float((p - q).detach().abs().max()) < 1e-7 * float(q.detach().abs().max())


def test_adahessian_is_theirs_on_the_same_curvature() -> None:
    draw = np.random.default_rng(0)
    start, draws, bends = draw.normal(size=(4, 3)), draw.normal(size=(100, 4, 3)), draw.normal(size=(100, 4, 3))
    p = torch.nn.Parameter(torch.from_numpy(start.copy()))
    other = theirs.AdaHessian([p], lr=0.1, hessian_power=0.5, eps=1e-2)
    optimizer = tw.Optimizer(tw.adahessian(power=0.5, eps=1e-2), lr=0.1)
    here, state = {"w": start}, optimizer.init({"w": start})
    for g, bend in zip(draws, bends, strict=True):
        p.grad = torch.from_numpy(g.copy())
        other.step(hessian=[torch.from_numpy(bend)])
        here, state = optimizer.step(here, {"w": g}, state, curvature={"w": bend})
        np.testing.assert_allclose(here["w"], p.detach().numpy(), rtol=0, atol=1e-12)


def test_splus_is_theirs_but_for_eigenvectors_in_float32() -> None:
    draw = np.random.default_rng(0)
    start, draws = draw.normal(size=(4, 3)), list(draw.normal(size=(100, 4, 3)))
    ours = np.array([p["w"] for p in run(tw.splus(T=7, weight_decay=0.0), {"w": start}, [{"w": g} for g in draws])[0]])
    other = walked(theirs.SPlus, start, draws, lr=1e-1, weight_decay=0.0, inverse_steps=7)
    assert np.abs(ours - other).max() < 1e-5 * np.abs(ours[-1] - start).max()


def test_swats_is_theirs_and_switches_when_they_do() -> None:
    """Gradients that repeat: Adam's rate is then the same in each step, and the second step switches. Theirs asks it a tensor."""
    draw = np.random.default_rng(0)
    start, g = draw.normal(size=(4, 3)), draw.normal(size=(4, 3))
    draws = [g] * 5 + list(draw.normal(size=(20, 4, 3)))
    path, state = run(tw.swats(eps=tw.outside(1e-12, raw=True), tolerance=1e-8), {"w": start}, [{"w": x} for x in draws], lr=1e-2)
    other = walked(theirs.SWATS, start, draws, lr=1e-2, eps=1e-12)
    np.testing.assert_allclose(np.array([p["w"] for p in path]), other, rtol=0, atol=1e-9)
    assert state["memory"]["swats"]["found"] > 0.0


def test_psgd_kron_is_theirs_but_for_their_bound_of_the_spectral_norm(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are given that norm and our draws. Theirs solves triangular systems in float32, and adds 1e-6 to the step's size."""
    module = importlib.import_module("pytorch_optimizer.optimizer.psgd")
    draw = np.random.default_rng(0)
    start, draws, noise = draw.normal(size=(4, 3)), list(draw.normal(size=(60, 4, 3))), list(draw.normal(size=(60, 4, 3)))
    given = iter(noise)
    monkeypatch.setattr(module, "norm_lower_bound", lambda x: torch.linalg.matrix_norm(x, 2))
    monkeypatch.setattr(torch, "randn_like", lambda x, **options: torch.from_numpy(next(given)))
    options = {"lr": 1e-2, "balance_prob": 0.0, "pre_conditioner_update_probability": 1.0, "precondition_dtype": torch.float64}
    other = walked(theirs.Kron, start, draws, **options)
    ours = run(tw.psgd_kron(), {"w": start}, [{"w": g} for g in draws], lr=1e-2, noise=[{"w": z} for z in noise])[0]
    assert np.abs(np.array([p["w"] for p in ours]) - other).max() < 1e-5 * np.abs(other[-1] - start).max()


def test_looksam_is_theirs_for_one_tensor() -> None:
    """Theirs takes apart each tensor's gradient by itself, and has the norm in float32."""
    start, A = np.random.default_rng(3).normal(size=8), np.diag(np.arange(1.0, 9.0))
    p, here = torch.nn.Parameter(torch.from_numpy(start.copy())), {"w": start}
    other = theirs.LookSAM([p], torch.optim.SGD, rho=0.1, k=3, alpha=0.7, lr=0.02)
    optimizer = tw.Optimizer(tw.chain(tw.looksam(0.1, 3, 0.7), tw.sgd()), lr=0.02)
    state = optimizer.init(here)

    def slope(x: np.ndarray) -> np.ndarray:
        bent: np.ndarray = A @ x + np.tanh(3 * x)
        return bent

    def closure() -> None:
        p.grad = torch.from_numpy(slope(p.detach().numpy()))

    for _ in range(40):
        closure()
        other.step(closure)
        here, state = optimizer.step(here, None, state, grad_fn=lambda q: (0.0, {"w": slope(q["w"])}))
        np.testing.assert_allclose(here["w"], p.detach().numpy(), rtol=0, atol=1e-6)


def test_amos_is_theirs_at_the_scale_that_they_give_a_matrix() -> None:
    draw = np.random.default_rng(0)
    start, draws = draw.normal(size=(4, 3)), list(draw.normal(size=(100, 4, 3)))
    ours = run(tw.amos(scale=(2 / 3) ** 0.5), {"w": start}, [{"w": g} for g in draws], lr=1e-2)[0]
    np.testing.assert_allclose([p["w"] for p in ours], walked(theirs.Amos, start, draws, lr=1e-2), rtol=0, atol=1e-12)


@pytest.mark.parametrize("mu", [0.0, 0.9])
def test_alig_is_theirs_but_for_their_norm_in_float32(mu: float) -> None:
    draw = np.random.default_rng(0)
    start, draws, losses = draw.normal(size=(4, 3)), list(draw.normal(size=(100, 4, 3))), 0.1 + np.abs(draw.normal(size=100))
    p, path = torch.nn.Parameter(torch.from_numpy(start.copy())), []
    other = theirs.AliG([p], max_lr=0.1, momentum=mu)
    for g, loss in zip(draws, losses, strict=True):
        p.grad = torch.from_numpy(g.copy())
        other.step(lambda loss=loss: float(loss))
        path.append(p.detach().numpy().copy())
    ours = run(tw.alig(mu, 1e-6), {"w": start}, [{"w": g} for g in draws], lr=0.1, losses=losses)[0]
    np.testing.assert_allclose([p["w"] for p in ours], path, rtol=0, atol=1e-6)


def test_nero_is_theirs_on_balanced_rows() -> None:
    """Theirs balances the parameter when the optimizer is made, ours when a row first turns."""
    draw = np.random.default_rng(0)
    start, draws = draw.normal(size=(4, 3)), list(draw.normal(size=(100, 4, 3)))
    start -= start.mean(1, keepdims=True)
    start /= np.linalg.norm(start, axis=1, keepdims=True)
    ours = run(tw.nero(), {"w": start}, [{"w": g} for g in draws], lr=1e-2)[0]
    np.testing.assert_allclose([p["w"] for p in ours], walked(theirs.Nero, start, draws, lr=1e-2, eps=0.0), rtol=0, atol=1e-12)


def test_adamd_is_what_their_adam_debias_makes_of_adam() -> None:
    draw = np.random.default_rng(0)
    start, draws = draw.normal(size=(4, 3)), list(draw.normal(size=(30, 4, 3)))
    path, _ = run(tw.adamd(eps=tw.outside(1e-8)), {"w": start}, [{"w": x} for x in draws])
    other = walked(theirs.AdamS, start, draws, lr=1e-3, weight_decay=0.0, adam_debias=True)
    np.testing.assert_allclose(np.array([p["w"] for p in path]), other, rtol=0, atol=1e-13)
