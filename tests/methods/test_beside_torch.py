"""Where torch.optim has the same variant as a rule, both walk alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from support import run, stream

import thalweg as tw
from methods.frameworks import close
from thalweg.dialects import variants


@pytest.fixture
def float64_scalars() -> Iterator[None]:
    """torch keeps NAdam's product of momenta in the default dtype."""
    torch = pytest.importorskip("torch")
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


@pytest.mark.usefixtures("float64_scalars")
def test_equal_to_torch_optim_where_it_has_the_same_variant() -> None:
    torch = pytest.importorskip("torch")
    params, gradients, _ = stream(steps=60)
    pairs = {
        "SGD": (tw.sgd(), {}), "momentum": (tw.momentum(), {"momentum": 0.9}), "nesterov": (tw.nesterov(), {"momentum": 0.9, "nesterov": True}),
        "coupled": (tw.chain(tw.decay(0.1), tw.momentum()), {"momentum": 0.9, "weight_decay": 0.1}),
        "Adagrad": (tw.adagrad(1e-10), {}), "RMSprop": (tw.rmsprop(0.99), {}),
        "RMSprop centred": (tw.rmsprop(0.99, 1e-3, centred=True), {"centered": True, "eps": 1e-3}),
        "RMSprop momentum": (tw.chain(tw.rmsprop(0.99), tw.momentum()), {"momentum": 0.9}),
        "Adadelta": (tw.adadelta(0.9), {}), "Adam": (tw.adam(), {}), "AdamW": (tw.adamw(), {}), "Adamax": (tw.adamax(eps=1e-8), {}),
        "Adafactor": (tw.adafactor(eps1=tw.at_least(2.0**-52)), {}),
        "Adafactor options": (tw.adafactor(-0.5, tw.at_least(1e-2), 0.7, 2.5, 0.1),
                              {"beta2_decay": -0.5, "eps": (1e-2, 0.7), "d": 2.5, "weight_decay": 0.1}),
        "Adam amsgrad": (variants.corrected_amsgrad(eps=1e-8), {"amsgrad": True}),
        "RAdam": (tw.radam(eps=tw.outside(1e-8, raw=True), threshold=5.0), {}), "Rprop": (tw.rprop(), {}),
        "NAdam": (tw.nadam(0.9, average="constant", nu_factor=False), {}),
        "NAdam coupled": (tw.chain(tw.decay(0.1), tw.nadam(0.9, average="constant", nu_factor=False)), {"weight_decay": 0.1}),
        "AdamW options": (tw.adamw(0.8, 0.99, 1e-3, 0.1), {"betas": (0.8, 0.99), "eps": 1e-3, "weight_decay": 0.1}),
    }  # fmt: skip
    classes = {"momentum": "SGD", "nesterov": "SGD", "coupled": "SGD"}
    for name, (stage, options) in pairs.items():
        path, _ = run(stage, params, gradients, lr=0.01)
        theirs = {k: torch.tensor(x, requires_grad=True) for k, x in params.items()}
        optimizer = getattr(torch.optim, classes.get(name, name).split()[0])(theirs.values(), lr=0.01, **options)
        for g in gradients:
            for k, p in theirs.items():
                p.grad = torch.tensor(g[k])
            optimizer.step()
        for k, p in theirs.items():
            np.testing.assert_allclose(path[-1][k], p.detach().numpy(), rtol=1e-12, atol=1e-12, err_msg=name)


@pytest.mark.filterwarnings("ignore:Sparse invariant checks")  # torch's own step builds one without saying
def test_sparse_adam_is_torchs_on_the_entries_of_a_sparse_gradient() -> None:
    torch = pytest.importorskip("torch")
    params, gradients, _ = stream(steps=60)
    draw = np.random.default_rng(2)
    sparse = [{"w": g["w"] * (draw.uniform(size=(4, 3)) < 0.3)} for g in gradients]
    path, _ = run(tw.sparse_adam(eps=tw.outside(1e-8, raw=True)), {"w": params["w"]}, sparse, lr=0.01)
    w = torch.tensor(params["w"], requires_grad=True)
    torchs = torch.optim.SparseAdam([w], lr=0.01)
    for mine, g in zip(path, sparse, strict=True):
        w.grad = torch.tensor(g["w"]).to_sparse()
        torchs.step()
        close(mine, {"w": w.detach().numpy()})


@pytest.mark.usefixtures("float64_scalars")
def test_what_asgd_ships_is_torchs_too() -> None:
    torch = pytest.importorskip("torch")
    params, gradients, _ = stream(steps=60)
    optimizer = tw.Optimizer(variants.late_asgd(0.01, 0.75, t0=10.0), lr=tw.schedules.cosine(0.05, 60))
    p, state = params, optimizer.init(params)
    theirs = {k: torch.tensor(x, requires_grad=True) for k, x in params.items()}
    torchs = torch.optim.ASGD(theirs.values(), lr=0.05, lambd=0.01, alpha=0.75, t0=10)
    for g in gradients:
        p, state = optimizer.step(p, g, state)
        torchs.param_groups[0]["lr"] = optimizer.lr(state["t"]["w"])
        for k, x in theirs.items():
            x.grad = torch.tensor(g[k])
        torchs.step()
        close(p, {k: x.detach().numpy() for k, x in theirs.items()})
        close(optimizer.ship(p, state), {k: torchs.state[x]["ax"].numpy() for k, x in theirs.items()})


@pytest.mark.parametrize("options", [{}, {"nesterov": False, "weight_decay": 0.0}, {"adjust_lr_fn": "match_rms_adamw"}], ids=str)
def test_muon_is_torchs(options: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    params, gradients, _ = stream(steps=60)
    core = tw.muon(momentum="average", eps=tw.at_least(1e-7), dtype="bfloat16", nesterov=options.get("nesterov", True),
                   scale=options.get("adjust_lr_fn", "original"))  # fmt: skip
    optimizer = tw.Optimizer(tw.chain(core, tw.decay(options.get("weight_decay", 0.1))), lr=0.02)
    for shape in ((4, 3), (3, 4)):
        w = torch.tensor(params["w"].reshape(shape), requires_grad=True)
        p, theirs = w.detach().clone(), torch.optim.Muon([w], lr=0.02, **options)
        state = optimizer.init(p)
        for g in gradients:
            w.grad = torch.tensor(g["w"].reshape(shape))
            p, state = optimizer.step(p, w.grad.clone(), state)
            theirs.step()
        torch.testing.assert_close(p, w.detach(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
def test_orthogonal_is_torchs_to_the_last_bit(dtype: str) -> None:
    torch = pytest.importorskip("torch")
    theirs = pytest.importorskip("torch.optim._muon")._zeropower_via_newtonschulz
    draw, post = torch.Generator().manual_seed(0), (3.4445, -4.7750, 2.0315)
    for shape in ((1, 1), (4, 3), (3, 7), (40, 25), (16, 64), (130, 130)):
        x = torch.randn(shape, generator=draw, dtype=getattr(torch, dtype))
        ours = tw.ops.orthogonal(x, 5, *post, tw.at_least(1e-7), "bfloat16")
        assert ours.dtype == x.dtype
        assert torch.equal(ours, theirs(x.clone(), post, 5, 1e-7).to(x.dtype))
        if dtype != "bfloat16":
            near = tw.ops.orthogonal(x.numpy(), 5, *post, tw.at_least(1e-7), "bfloat16")
            assert near.dtype == x.numpy().dtype
            np.testing.assert_allclose(near, ours, rtol=0, atol=2.0**-7)
            exact = tw.ops.orthogonal(x.numpy().astype(np.float64), 5, *post, tw.at_least(1e-7), "float64")
            away, off = (np.sqrt(np.mean((ours.numpy() - other) ** 2)) for other in (near, exact))
            assert away < off, "the order of a sum decides a rounding, which five iterations carry on, but not past all roundings"
