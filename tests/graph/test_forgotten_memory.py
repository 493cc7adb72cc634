"""Memory that a plain 0 multiplies wherever it is read: it is not kept, and nothing else changes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support import HANDED, bowl, of_matrices, run, stream

import thalweg as tw
import thalweg.numpy as tn
from thalweg.core.compose import refuses_vectors
from thalweg.form.trace import Trace

STEPS = 12


def forgotten(stage: Any) -> set[str]:
    return {slot for function in stage.functions for slot in Trace(function).forgotten}


def at_zero() -> list[tuple[str, str]]:
    """Each rule with each hyper-parameter that at 0 makes it forget something."""
    pairs = [(name, hyper) for name in HANDED for hyper in tw.rules[name].hyper.values() if not hyper.static]
    zeros = [(name, h.name) for name, h in pairs if 0.0 in h.range]
    return [(name, h) for name, h in zeros if forgotten(tw.rules[name](**{h: 0.0})) - forgotten(tw.rules[name]())]


AT_ZERO = at_zero()


def anywhere(stage: Any) -> Any:
    return of_matrices(stage) if refuses_vectors(stage) else stage


def arrays(tree: Any) -> int:
    return sum(map(arrays, tree.values())) if isinstance(tree, dict) else 1


def test_averages_are_what_is_forgotten() -> None:
    assert {("adam", "beta1"), ("adam", "beta2"), ("adan", "beta3"), ("rmsprop", "rho"), ("eve", "beta3")} <= set(AT_ZERO)
    assert [name for name in tw.rules if forgotten(tw.rules[name]())] == ["schedule_free_radam"]  # Adam without its momentum


@pytest.mark.parametrize(("name", "hyper"), AT_ZERO, ids=lambda x: str(x))
def test_a_plain_zero_computes_what_a_schedule_at_zero_does(name: str, hyper: str) -> None:
    params, gradients, losses = stream(steps=STEPS)
    ends = [run(anywhere(tw.rules[name](**{hyper: zero})), params, gradients, losses=losses) for zero in (0.0, lambda t: 0.0)]
    (plain, few), (general, many) = ends
    for a, b in zip(plain, general, strict=True):
        for key in params:
            np.testing.assert_array_equal(a[key], b[key])
    assert arrays(few["memory"]) < arrays(many["memory"])


def test_its_cost_is_that_of_the_rule_without() -> None:
    without, plain = tw.rules["rmsprop"].cost(), tw.rules["adam"].cost(beta1=0.0)
    assert (plain.state_bytes, plain.bytes_moved) == (without.state_bytes, without.bytes_moved) == (4.0, 20.0)
    assert tw.rules["adam"].formula(beta1=0.0).plain.splitlines() == [
        "vₜ = β₂ vₜ₋₁ + (1 - β₂) gₜ^2",
        "θₜ = θₜ₋₁ - η gₜ / (√(vₜ / (1 - β₂^t)) + ε)",
    ]


def test_what_is_shipped_is_kept() -> None:
    optimizer = tw.Optimizer(tw.chain(tw.sgd(), tw.average(0.0)), lr=0.1)
    params, state = optimizer.step({"p": np.ones(2)}, {"p": np.ones(2)}, optimizer.init({"p": np.ones(2)}))
    np.testing.assert_array_equal(optimizer.ship(params, state)["p"], params["p"])


def test_what_is_only_looked_at_is_kept() -> None:
    """Memory that no step reads, as a user may keep it to look at it."""

    @tw.rule(lr=0.1)
    def watched(g, m=0.0, seen=0.0, *, beta=0.9):
        m = beta * m + g
        return m, m, abs(g)

    assert tw.Optimizer(watched(beta=0.0)).chain.memory.keys() == {"seen"}


def test_a_method_around_the_step_forgets_too() -> None:
    params, gradients, _ = stream(steps=STEPS)
    ends = []
    for zero in (0.0, lambda t: 0.0):
        optimizer = tw.Optimizer(tw.nesterov(zero), lr=0.1)
        here, state = params, optimizer.init(params)
        for g in gradients:
            here, state = optimizer.step(here, None, state, grad_fn=bowl(g))
        ends.append((here, arrays(state["memory"])))
    (plain, few), (general, many) = ends
    assert (few, many) == (0, len(params))
    for name in params:
        np.testing.assert_array_equal(plain[name], general[name])


@pytest.mark.parametrize("fused", [True, False])
def test_numpy_arrays_in_place(fused: bool) -> None:
    params, gradients, _ = stream(steps=STEPS)
    ends = []
    for zero in (0.0, lambda t: 0.0):
        here = {name: p.copy() for name, p in params.items()}
        optimizer = tn.Adam(here, lr=0.1, beta1=zero, fused=fused)
        for g in gradients:
            optimizer.step(g)
        ends.append((here, optimizer.state["memory"]["adam"].keys()))
    (plain, few), (general, many) = ends
    assert (few, many) == ({"v"}, {"m", "v"})
    for name in params:
        np.testing.assert_array_equal(plain[name], general[name])


def test_torch_tensors() -> None:
    torch = pytest.importorskip("torch")
    import thalweg.torch as tt

    params, gradients, _ = stream(steps=STEPS)
    ends = []
    for build in (
        lambda ps: tt.Optimizer(ps, tw.adam(beta1=0.0), lr=0.1),
        lambda ps: tt.Adam(ps, lr=0.1, betas=(0.0, 0.999)),
        lambda ps: torch.optim.Adam(ps, lr=0.1, betas=(0.0, 0.999)),
    ):
        here = [torch.nn.Parameter(torch.tensor(p)) for p in params.values()]
        optimizer = build(here)
        for g in gradients:
            for p, own in zip(here, g.values(), strict=True):
                p.grad = torch.tensor(own)
            optimizer.step()
        ends.append((here, optimizer.state[here[0]].keys()))
    (ours, kept), (theirs_by_us, all_of_it), (theirs, _) = ends
    assert kept == {"step", "v"}
    assert all_of_it == {"step", "exp_avg", "exp_avg_sq"}  # torch loads our checkpoint
    for a, b, c in zip(ours, theirs_by_us, theirs, strict=True):
        torch.testing.assert_close(a, c, rtol=1e-12, atol=1e-14)
        torch.testing.assert_close(b, c, rtol=1e-12, atol=1e-14)


def test_jax_arrays() -> None:
    jax = pytest.importorskip("jax")
    pytest.importorskip("optax")
    import optax

    import thalweg.jax as tj

    params, gradients, _ = stream(steps=STEPS)
    ends = []
    with jax.enable_x64(True):
        for library in (tj, optax):
            tx = library.adam(0.1, b1=0.0)
            here, state = jax.tree.map(jax.numpy.asarray, params), tx.init(params)
            for g in gradients:
                updates, state = jax.jit(tx.update)(g, state, here)
                here = optax.apply_updates(here, updates)
            ends.append((here, state))
    (ours, kept), (theirs, _) = ends
    assert kept.memory["adam"].keys() == {"nu"}
    for name in params:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-12, atol=1e-14)
    tracing = optax.inject_hyperparams(tj.adam)(0.1, b1=0.0)  # a number that is known only as it runs
    assert tracing.init(params).inner_state.memory["adam"].keys() == {"mu", "nu"}
