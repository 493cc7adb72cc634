"""Switches of an earlier release: what they meant is what stands in their place, with a warning."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support import run, stream

import thalweg as tw
import thalweg.numpy as tn
from thalweg.dialects import variants
from thalweg.dialects.former import SWITCHES

CALLS = {
    "amsgrad steady": (lambda: tw.amsgrad(eps=0.1, sqrt_decay=False), lambda: variants.steady_amsgrad(eps=0.1)),
    "amsgrad torch": (
        lambda: tw.amsgrad(eps=0.1, sqrt_decay=False, bias_correction=True),
        lambda: variants.corrected_amsgrad(eps=0.1),
    ),
    "amsgrad optax": (
        lambda: tw.amsgrad(0.8, bias_correction=True, maximum_of="corrected"),
        lambda: tw.chain(variants.amsgrad_of_corrected(0.8), variants.root_decay()),
    ),
    "amsgrad usual": (lambda: tw.amsgrad(sqrt_decay=True), tw.amsgrad),
    "adan": (lambda: tw.adan(beta1=0.5, bias_correction=True), lambda: variants.corrected_adan(0.5)),
    "yogi": (lambda: tw.yogi(bias_correction=True), variants.corrected_yogi),
    "momentum": (lambda: tw.momentum(0.9, 0.5, first="undamped"), lambda: variants.undamped_momentum(0.9, 0.5)),
    "asgd": (lambda: tw.asgd(t0=2.0, ahead=True), lambda: variants.late_asgd(t0=2.0)),
    "fading_rate": (
        lambda: tw.chain(tw.sgd(), tw.fading_rate(0.1, ahead=True)),
        lambda: tw.chain(tw.sgd(), variants.late_fading_rate(0.1)),
    ),
    "polyak_average": (
        lambda: tw.chain(tw.sgd(), tw.polyak_average(ahead=True)),
        lambda: tw.chain(tw.sgd(), variants.late_polyak_average()),
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_switch_is_what_stands_in_its_place(name: str) -> None:
    old, new = CALLS[name]
    with pytest.warns(DeprecationWarning, match=r"there is thalweg\.dialects\.variants") as warned:
        stage = old()
    assert warned[0].filename == __file__
    params, gradients, _ = stream(steps=6)
    for now, then in zip(run(stage, params, gradients)[0], run(new(), params, gradients)[0], strict=True):
        assert all(np.array_equal(now[k], then[k]) for k in now)


def test_every_switch_is_tried_and_says_what_there_is() -> None:
    assert {rule.name for rule in SWITCHES} <= {name.partition(" ")[0] for name in CALLS}
    for rule, switches in SWITCHES.items():
        for name, choices in switches.choices.items():
            assert name not in rule.hyper
            with pytest.raises(ValueError, match=f"{name} is one of"):
                rule(**{name: "sideways"})
            assert len(choices) == 2


def test_a_class_takes_it_too() -> None:
    p, q = np.ones(3), np.ones(3)
    with pytest.warns(DeprecationWarning, match="corrected_yogi") as warned:
        ours = tn.Yogi(p, lr=0.1, eps=0.5, bias_correction=True)
    assert warned[0].filename == __file__
    other = tn.Optimizer(q, variants.corrected_yogi(eps=0.5), lr=0.1)
    for _ in range(3):
        ours.step(np.full(3, 0.5))
        other.step(np.full(3, 0.5))
    assert np.array_equal(p, q)


def test_torchs_and_optaxs_take_it_too() -> None:
    torch = pytest.importorskip("torch")
    import thalweg.torch as tt

    pair: list[Any] = [torch.nn.Parameter(torch.ones(3)) for _ in range(2)]
    with pytest.warns(DeprecationWarning, match="corrected_yogi"):
        made = [tt.Yogi(pair[:1], lr=0.1, bias_correction=True)]
    made.append(tt.Optimizer(pair[1:], variants.corrected_yogi(), lr=0.1))
    for p, optimizer in zip(pair, made, strict=True):
        p.grad = torch.full_like(p, 0.5)
        optimizer.step()
    assert torch.equal(*pair)
    pytest.importorskip("optax")
    import thalweg.jax as tj

    with pytest.warns(DeprecationWarning, match="undamped_momentum"):
        transformation = tj.momentum(0.1, dampening=0.5, first="undamped")
    updates, _ = transformation.update(np.ones(3), transformation.init(np.ones(3)), np.ones(3))
    np.testing.assert_allclose(np.asarray(updates), -0.1, rtol=1e-6)


def test_a_root_that_is_one_number_a_lane_or_traced() -> None:
    p, g = {"w": np.ones((2, 3))}, {"w": np.arange(6.0).reshape(2, 3)}
    with pytest.warns(DeprecationWarning, match="eps_root=.* is now"):
        old = tw.Optimizer(tw.adam(eps_root=np.array([0.0, 1e-8])), lr=0.1, lanes=2)
    new = tw.Optimizer(tw.adam(eps=tw.outside(1e-8, root=np.array([0.0, 1e-8]))), lr=0.1, lanes=2)
    np.testing.assert_array_equal(old.step(p, g, old.init(p))[0]["w"], new.step(p, g, new.init(p))[0]["w"])
    jax = pytest.importorskip("jax")

    def traced(root: Any) -> Any:
        with pytest.warns(DeprecationWarning, match="eps_root=.* is now"):
            optimizer = tw.Optimizer(tw.adam(eps_root=root), lr=0.1)
        return optimizer.step(here, there, optimizer.init(here))[0]["w"]

    here, there = (jax.tree.map(jax.numpy.asarray, x) for x in (p, g))
    assert bool(jax.numpy.isfinite(jax.jit(traced)(1e-8)).all())
