"""Oracles against torch.optim, wherever it has the same variant; float64, 1e-12 of the way walked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from oracles.adadelta import adadelta
from oracles.adafactor import adafactor
from oracles.adagrad import adagrad
from oracles.adam import adam, adamax, adamw, amsgrad, nadam, radam, sparse_adam
from oracles.asgd import asgd
from oracles.common import Array
from oracles.learned import HIDDEN, learned, random_weights
from oracles.momentum import momentum, nesterov
from oracles.muon import muon
from oracles.rmsprop import rmsprop
from oracles.rprop import rprop
from oracles.sgd import sgd
from oracles.stages import clip_by_global_norm, cosine, exponential, step_decay
from oracles.streams import apart, halving, start, stream

torch = pytest.importorskip("torch")


@pytest.fixture
def float64_scalars() -> Iterator[None]:
    """PyTorch keeps some scalars (NAdam's product of mu) in the default dtype."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def walk(name: str, lr: Any, **options: Any) -> Array:
    w = torch.tensor(start(), dtype=torch.float64, requires_grad=True)
    opt = getattr(torch.optim, name)([w], lr=1.0, **options)
    path = []
    for t, g in enumerate(stream(), start=1):
        opt.param_groups[0]["lr"] = lr(t) if callable(lr) else lr
        w.grad = torch.tensor(g, dtype=torch.float64)
        opt.step()
        path.append(w.detach().numpy().copy())
    return np.array(path)


Case = tuple[str, dict[str, Any], Callable[..., Array], dict[str, Any]]
B = {"beta1": 0.875, "beta2": 0.992}
betas = {"betas": (0.875, 0.992)}
outside = {"lr_inside": False}
CASES: list[Case] = [
    ("SGD", {}, sgd, {}),
    ("SGD", {"weight_decay": 0.1}, sgd, {"weight_decay": 0.1}),
    ("SGD", {"momentum": 0.9}, momentum, outside),
    ("SGD", {"momentum": 0.9, "weight_decay": 0.1}, momentum, {"weight_decay": 0.1, **outside}),
    (
        "SGD",
        {"momentum": 0.9, "dampening": 0.3},
        momentum,
        {"dampening": 0.3, "first_undamped": True, **outside},
    ),
    ("SGD", {"momentum": 0.9, "nesterov": True}, nesterov, outside),
    ("Adagrad", {"eps": 1e-3}, adagrad, {"eps": 1e-3}),
    ("Adagrad", {"eps": 1e-3, "initial_accumulator_value": 0.1}, adagrad, {"eps": 1e-3, "initial": 0.1}),
    ("Adagrad", {"eps": 1e-3, "weight_decay": 0.1}, adagrad, {"eps": 1e-3, "weight_decay": 0.1}),
    ("RMSprop", {"alpha": 0.95, "eps": 1e-3}, rmsprop, {"rho": 0.95, "eps": 1e-3}),
    ("RMSprop", {"alpha": 0.95, "eps": 1e-3, "centered": True}, rmsprop, {"rho": 0.95, "eps": 1e-3, "centred": True}),
    (
        "RMSprop",
        {"alpha": 0.95, "eps": 1e-3, "momentum": 0.9},
        rmsprop,
        {"rho": 0.95, "eps": 1e-3, "mu": 0.9, **outside},
    ),
    (
        "RMSprop",
        {"alpha": 0.95, "eps": 1e-3, "weight_decay": 0.1},
        rmsprop,
        {"rho": 0.95, "eps": 1e-3, "weight_decay": 0.1},
    ),
    ("Adadelta", {"rho": 0.95, "eps": 1e-6}, adadelta, {}),
    ("Adam", {"eps": 1e-3, **betas}, adam, {"eps": 1e-3, **B}),
    ("Adam", {"eps": 1e-3, "weight_decay": 0.1, **betas}, adam, {"eps": 1e-3, "weight_decay": 0.1, **B}),
    ("AdamW", {"eps": 1e-3, "weight_decay": 0.1, **betas}, adamw, {"eps": 1e-3, "weight_decay": 0.1, **B}),
    ("Adamax", {"eps": 1e-3, **betas}, adamax, {"eps": 1e-3, "eps_place": "maximum", **B}),
    (
        "Adam",
        {"amsgrad": True, "eps": 1e-3, **betas},
        amsgrad,
        {"eps": 1e-3, "sqrt_decay": False, "bias_correction": True, **B},
    ),
    ("RAdam", {"eps": 1e-3, **betas}, radam, {"eps": 1e-3, "eps_place": "raw", "threshold": 5.0, **B}),
    (
        "Rprop",
        {"etas": (0.6, 1.3), "step_sizes": (1e-3, 1.0)},
        rprop,
        {"eta_minus": 0.6, "eta_plus": 1.3, "size_min": 1e-3, "size_max": 1.0},
    ),
    ("Adafactor", {}, adafactor, {"eps1": 2.0**-52, "eps_place": "floor"}),
    (
        "Adafactor",
        {"beta2_decay": -0.5, "eps": (1e-2, 0.7), "d": 2.5, "weight_decay": 0.1},
        adafactor,
        {"beta2_decay": -0.5, "eps1": 1e-2, "eps2": 0.7, "d": 2.5, "weight_decay": 0.1, "eps_place": "floor"},
    ),
    (
        "NAdam",
        {"eps": 1e-3, **betas},
        nadam,
        {"mu": 0.875, "nu": 0.992, "ema": 0.875, "nu_factor": False, "eps": 1e-3},
    ),
]


@pytest.mark.parametrize(("name", "theirs", "oracle", "ours"), CASES)
@pytest.mark.parametrize("lr", [2.0**-6, halving])
@pytest.mark.usefixtures("float64_scalars")
def test_same_walk(name: str, theirs: dict[str, Any], oracle: Any, ours: dict[str, Any], lr: Any) -> None:
    assert apart(oracle(start(), stream(), lr=lr, **ours), walk(name, lr, **theirs), start()) < 1e-12


@pytest.mark.parametrize("t0", [0.0, 10.0, 1e6])
@pytest.mark.parametrize("lr", [2.0**-6, halving])
@pytest.mark.parametrize("more", [{}, {"weight_decay": 0.1}])
@pytest.mark.usefixtures("float64_scalars")
def test_asgd(t0: float, lr: Any, more: dict[str, float]) -> None:
    w = torch.tensor(start(), requires_grad=True)
    opt = torch.optim.ASGD([w], lr=1.0, lambd=0.1, alpha=0.75, t0=t0, **more)
    path, means = [], []
    for t, g in enumerate(stream(), start=1):
        opt.param_groups[0]["lr"] = lr(t) if callable(lr) else lr
        w.grad = torch.tensor(g)
        opt.step()
        path.append(w.detach().numpy().copy())
        means.append(opt.state[w]["ax"].numpy().copy())
    ours = asgd(start(), stream(), lr, 0.1, 0.75, t0, ahead=True, **more)
    assert apart(ours.w, np.array(path), start()) < 1e-12
    assert apart(ours.mean, np.array(means), start()) < 1e-12
    plain = asgd(start(), stream(), lr, 0.1, 0.75, t0, **more)
    assert (apart(plain.w, np.array(path), start()) > 1e-3) == callable(lr)
    assert (apart(plain.mean, np.array(means), start()) > 1e-3) == (callable(lr) or t0 < 1e6)


@pytest.mark.parametrize("layout", ["entries", "rows"])
@pytest.mark.parametrize("lr", [2.0**-6, halving])
def test_sparse_adam(layout: str, lr: Any) -> None:
    """A gradient that lists its entries, and one that lists rows as an embedding's does; a zero in such a row counts."""
    draw = np.random.default_rng(3)
    rows = stream(zeros=False) * (draw.uniform(size=(len(stream()), 4, 1)) < 0.4)
    zero = rows.copy()
    zero[20:, 2, 1] = 0.0
    for g, same in ((rows, True), (zero, layout == "entries")):
        w = torch.tensor(start(), requires_grad=True)
        opt = torch.optim.SparseAdam([w], lr=1.0, eps=1e-3, **betas)
        path = []
        for t, each in enumerate(g, start=1):
            opt.param_groups[0]["lr"] = lr(t) if callable(lr) else lr
            w.grad = torch.tensor(each).to_sparse(2 if layout == "entries" else 1)
            opt.step()
            path.append(w.detach().numpy().copy())
        away = apart(sparse_adam(start(), g, lr, eps=1e-3, eps_place="raw", **B), np.array(path), start())
        assert away < 1e-12 if same else away > 1e-3


def test_nadam_with_the_product_of_mu_in_float32() -> None:
    """As users have it: the product's rounding, 6e-8 relative, enters through 1 - prod(mu); measured here: 1.4e-9."""
    options = {"mu": 0.875, "nu": 0.992, "ema": 0.875, "nu_factor": False, "eps": 1e-3}
    away = apart(nadam(start(), stream(), 2.0**-6, **options), walk("NAdam", 2.0**-6, eps=1e-3, **betas), start())
    assert 1e-12 < away < 1e-8


@pytest.mark.parametrize(
    ("oracle", "options"),
    [
        (nadam, {"mu": 0.875, "nu": 0.992, "eps": 1e-3}),
        (adam, {"eps": 1e-3, "eps_place": "inside", **B}),
        (adam, {"eps": 1e-3, "eps_place": "raw", **B}),
        (adamax, {**B}),
        (adam, {"eps": 1e-3, "weight_decay": 0.1, "decay": "numerator", **B}),
    ],
)
def test_other_variants_are_other_walks(oracle: Any, options: dict[str, Any]) -> None:
    """The comparison above sees the difference between variants."""
    name = {"nadam": "NAdam", "adamax": "Adamax"}.get(oracle.__name__, "Adam")
    assert apart(oracle(start(), stream(), 2.0**-6, **options), walk(name, 2.0**-6, eps=1e-3, **betas), start()) > 1e-4


def test_adafactor_with_epsilon_among_the_squares_is_another_walk() -> None:
    theirs = walk("Adafactor", 2.0**-6, eps=(0.1, 1e-3))
    assert apart(adafactor(start(), stream(), 2.0**-6, eps1=0.1, eps_place="floor"), theirs, start()) < 1e-12
    assert apart(adafactor(start(), stream(), 2.0**-6, eps1=0.1), theirs, start()) > 1e-2


TORCHS_MUON: dict[str, Any] = {"momentum": "average", "eps_place": "floor"}
MUONS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"weight_decay": 0.1}),
    ({"nesterov": False, "weight_decay": 0.0}, {"nesterov": False}),
    ({"adjust_lr_fn": "match_rms_adamw", "weight_decay": 0.0}, {"scale": "match_rms_adamw"}),
    ({"momentum": 0.5, "eps": 1.0, "ns_steps": 3, "weight_decay": 0.0}, {"mu": 0.5, "eps": 1.0, "ns_steps": 3}),
    ({"ns_coefficients": (2.0, -1.5, 0.5), "weight_decay": 0.0}, {"coefficients": (2.0, -1.5, 0.5)}),
]


@pytest.mark.parametrize(("theirs", "ours"), MUONS)
@pytest.mark.parametrize("lr", [2.0**-6, halving])
@pytest.mark.parametrize("bfloat16", [True, False])
def test_muon(theirs: dict[str, Any], ours: dict[str, Any], lr: Any, bfloat16: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is, and its own code with the iteration left in float64."""
    if not bfloat16:
        monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)
    walked = walk("Muon", lr, **theirs)
    assert apart(muon(start(), stream(), lr, bfloat16=bfloat16, **TORCHS_MUON, **ours), walked, start()) < 1e-12
    assert apart(muon(start(), stream(), lr, bfloat16=not bfloat16, **TORCHS_MUON, **ours), walked, start()) > 1e-4
    if ours.get("eps"):
        assert apart(muon(start(), stream(), lr, bfloat16=bfloat16, momentum="average", **ours), walked, start()) > 1e-2


def test_momentum_with_the_rate_inside_parts_when_the_rate_changes() -> None:
    theirs = {lr: walk("SGD", lr, momentum=0.9) for lr in (2.0**-6, halving)}
    assert apart(momentum(start(), stream(), 2.0**-6), theirs[2.0**-6], start()) < 1e-12
    assert apart(momentum(start(), stream(), halving), theirs[halving], start()) > 1e-2


def torch_cell(inputs: int, w: Array, b: Array) -> Any:
    """torch's gates come as i, f, g, o; ours as i, j, f, o, and our forget bias of 1 is in the formula."""
    made = torch.nn.LSTMCell(inputs, HIDDEN, dtype=torch.float64)
    order = np.r_[0:20, 40:60, 20:40, 60:80]
    w, b = w[:, order], b[order].copy()
    b[20:40] += 1.0
    with torch.no_grad():
        made.weight_ih.copy_(torch.tensor(w[:inputs].T))
        made.weight_hh.copy_(torch.tensor(w[inputs:].T))
        made.bias_ih.copy_(torch.tensor(b))
        made.bias_hh.zero_()
    return made


@pytest.mark.parametrize("preprocessing", [True, False])
def test_learned_optimizer(preprocessing: bool) -> None:
    """Two cells and a read-out, all coordinates as one batch; Appendix A by two where's."""
    weights = random_weights(0, preprocessing)
    inputs = 2 if preprocessing else 1
    first, second = torch_cell(inputs, weights["w1"], weights["b1"]), torch_cell(20, weights["w2"], weights["b2"])
    memory: list[Any] = [None, None]
    w, path = torch.tensor(start()), []
    for row in stream():
        g = torch.tensor(row).reshape(-1, 1)
        large = g.abs() >= np.exp(-10.0)
        log = torch.where(large, g.abs().log() / 10.0, -1.0)
        x = torch.cat([log, torch.where(large, g.sign(), np.exp(10.0) * g)], dim=1) if preprocessing else g
        with torch.no_grad():
            memory[0] = first(x, memory[0])
            memory[1] = second(memory[0][0], memory[1])
            u = 0.1 * (memory[1][0] @ torch.tensor(weights["w"]) + torch.tensor(weights["b"]))
        w = w + u.reshape(w.shape)
        path.append(w.numpy())
    assert apart(learned(start(), stream(), weights, preprocessing), np.array(path), start()) < 1e-12


@pytest.mark.parametrize("limit", [0.5, 1e3])
def test_clip_by_global_norm(limit: float) -> None:
    g = [stream()[5], stream()[6][0]]
    leaves = [torch.zeros(a.shape, dtype=torch.float64, requires_grad=True) for a in g]
    for leaf, a in zip(leaves, g, strict=True):
        leaf.grad = torch.tensor(a)
    torch.nn.utils.clip_grad_norm_(leaves, limit)
    for ours, leaf in zip(clip_by_global_norm(g, limit, eps=1e-6), leaves, strict=True):
        np.testing.assert_allclose(ours, leaf.grad.numpy(), rtol=1e-12)


@pytest.mark.parametrize(
    ("ours", "name", "options"),
    [
        (exponential(0.1, 0.9), "ExponentialLR", {"gamma": 0.9}),
        (step_decay(0.1, 7, 0.5), "StepLR", {"step_size": 7, "gamma": 0.5}),
        (cosine(0.1, 29, 0.01), "CosineAnnealingLR", {"T_max": 29, "eta_min": 0.01}),
    ],
)
def test_schedules(ours: Callable[[int], float], name: str, options: dict[str, Any]) -> None:
    w = torch.zeros(1, requires_grad=True)
    opt = torch.optim.SGD([w], lr=0.1)
    scheduler = getattr(torch.optim.lr_scheduler, name)(opt, **options)
    for t in range(1, 31):
        assert ours(t) == pytest.approx(opt.param_groups[0]["lr"], rel=1e-12)
        opt.step()
        scheduler.step()
