"""The same functions on torch and JAX arrays: one trajectory, to 1e-12 in float64, whatever runs them."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
from support import ASKING, EVERYDAY, MUONS, RULES, everyday, stepped, stream

import thalweg as tw
from methods.frameworks import close, jax_array, sixty_four_bits, torch_array
from thalweg.dialects import variants

STEPS = 30
STAGES: dict[str, Any] = {
    **RULES,
    "clip + adam + decay": lambda: tw.chain(tw.clip(0.5), tw.adam(), tw.decay(0.1)),
    "adam + schedule_free": lambda: tw.chain(tw.adam(), tw.schedule_free()),
    "choose": lambda: tw.choose((tw.is_matrix, tw.momentum().at(lr=0.02)), otherwise=tw.adam()),
    "every": lambda: tw.every(3, tw.adam()),
    "adasecant 2014": lambda: tw.adasecant("2014"),
    "santa_e": lambda: tw.santa_e(curvature=False),
    "adafactor floor": lambda: tw.adafactor(eps1=tw.at_least(1e-3), relative_step=False),
    **MUONS,
    "asgd ahead": lambda: variants.late_asgd(t0=5.0),
    "rprop backtracking": lambda: tw.rprop(backtracking=True),
    "eve v1": lambda: tw.eve(version="v1"),
    "rmsprop centred": lambda: tw.rmsprop(centred=True, eps=1e-3),
}
VARIANTS = (*MUONS, "adafactor floor", "asgd ahead", "rprop backtracking")
"""Of everyday rules with other options: JAX compiles them with `-m slow`."""


def injected(name: str, steps: int) -> Any:
    """Draws differ between frameworks, so those that need them get the same from outside."""
    if "noise" not in tw.core.compose.as_stage(STAGES[name]()).asks:
        return None
    draw = np.random.default_rng(3)
    params, _, _ = stream(steps=1)
    return [{k: draw.normal(size=x.shape) for k, x in params.items()} for _ in range(steps)]


def walk(stage: Any, convert: Any, noise: Any, jitted: bool = False) -> Any:
    """A run in one framework, memory that is drawn taken from NumPy's."""
    params, gradients, losses = stream(steps=STEPS)
    optimizer = tw.Optimizer(stage)
    p = {k: convert(x) for k, x in params.items()}
    state = optimizer.init(p)
    started = tw.Optimizer(stage).init(params)
    if any(kind.drawn for function in optimizer.chain.functions for kind in function.memory.values()):
        names, held = tw.trees.flatten(started["memory"])
        state["memory"] = tw.trees.rebuild(started["memory"], dict(zip(names, map(convert, held), strict=True)))
    step = functools.partial(stepped, optimizer)
    if jitted:
        jax = pytest.importorskip("jax")
        step = jax.jit(step)
    for i, g in enumerate(gradients):
        extra = {} if noise is None else {"noise": {k: convert(x) for k, x in noise[i].items()}}
        if "loss" in optimizer.asks:
            extra["loss"] = losses[i]
        p, state = step(p, {k: convert(x) for k, x in g.items()}, state, **extra)
    return {k: np.asarray(x) for k, x in optimizer.ship(p, state).items()}


@pytest.mark.parametrize("name", everyday(STAGES))
def test_torch(name: str) -> None:
    stage, noise = tw.core.compose.as_stage(STAGES[name]()), injected(name, STEPS)
    close(walk(stage, torch_array, noise), walk(stage, np.asarray, noise), name)


@pytest.mark.parametrize("jitted", [pytest.param(False, marks=pytest.mark.slow), True], ids=["eager", "jit"])
@pytest.mark.parametrize(
    "name", everyday(STAGES, of=[name for name in EVERYDAY if name != "adasecant"], rare=lambda name: name in VARIANTS)
)
def test_jax(name: str, jitted: bool) -> None:
    stage, noise = tw.core.compose.as_stage(STAGES[name]()), injected(name, STEPS)
    with sixty_four_bits():
        if jitted and name in ASKING:
            with pytest.raises(TypeError, match=r"under jax\.jit it cannot run; call its step outside of jit"):
                walk(stage, jax_array, noise, jitted)
            return
        close(walk(stage, jax_array, noise, jitted), walk(stage, np.asarray, noise), name)


@pytest.mark.slow
@pytest.mark.parametrize("name", everyday(tw.rules))
def test_float32_stays_float32(name: str) -> None:
    params, gradients, losses = stream(steps=2, dtype=np.float32)
    for convert, jitted in ((torch_array, False), (jax_array, False), (jax_array, True)):
        if jitted and name in ASKING:
            continue
        optimizer = tw.Optimizer(RULES[name]())
        p = {k: convert(x) for k, x in params.items()}
        state = optimizer.init(p)
        step = functools.partial(stepped, optimizer)
        step = pytest.importorskip("jax").jit(step) if jitted else step
        for g, loss in zip(gradients, losses, strict=True):
            extra = {"loss": np.float32(loss)} if "loss" in optimizer.asks else {}
            p, state = step(p, {k: convert(x) for k, x in g.items()}, state, **extra)
        assert all("float32" in str(x.dtype) for x in p.values())
        arrays = [x for x in tw.trees.flatten(state["memory"])[1] if hasattr(x, "dtype")]
        assert all("float32" in str(x.dtype) for x in arrays)


def test_low_precision_parameters_keep_their_dtype() -> None:
    torch = pytest.importorskip("torch")
    for dtype in (torch.bfloat16, torch.float16):
        p = {"w": torch.ones(3, dtype=dtype)}
        optimizer = tw.Optimizer(tw.adam(), lr=0.1)
        p, state = optimizer.step(p, p, optimizer.init(p))
        assert p["w"].dtype == dtype
        assert state["memory"]["adam"]["m"]["w"].dtype == dtype


def test_torch_parameters_stay_out_of_the_graph() -> None:
    torch = pytest.importorskip("torch")
    p = torch.nn.Parameter(torch.ones(3))
    optimizer = tw.Optimizer(tw.momentum(), lr=0.1)
    moved, _ = optimizer.step(p, torch.ones(3), optimizer.init(p))
    assert not moved.requires_grad
    torch.testing.assert_close(moved, torch.full((3,), 0.9))


def test_the_second_call_does_not_recompile() -> None:
    jax = pytest.importorskip("jax")
    traces = []
    optimizer = tw.Optimizer(
        tw.chain(tw.clip(1.0), tw.adamw(), tw.average()), lr=tw.schedules.warm_up(10, tw.schedules.cosine(0.1, 100))
    )

    @jax.jit
    def step(p: Any, g: Any, state: Any) -> Any:
        traces.append(1)
        return optimizer.step(p, g, state)

    p = {"w": jax.numpy.ones(3)}
    state = optimizer.init(p)
    for _ in range(4):
        p, state = step(p, p, state)
    assert len(traces) == 1


def test_scan_and_vmap_over_the_learning_rate() -> None:
    jax = pytest.importorskip("jax")
    start = jax.numpy.array([1.0, -2.0, 0.5])
    curvature = jax.numpy.array([0.1, 1.0, 5.0])

    def train(lr: Any) -> Any:
        optimizer = tw.Optimizer(tw.eve(), lr=lr)

        def one(carry: Any, _: Any) -> Any:
            p, state = carry
            g = curvature * p
            return optimizer.step(p, g, state, loss=0.5 * (g * p).sum()), None

        (p, _), _ = jax.lax.scan(one, (start, optimizer.init(start)), length=20)
        return p

    rates = np.array([0.01, 0.1], np.float32)
    together = jax.vmap(train)(jax.numpy.asarray(rates))
    for lane, lr in enumerate(rates):
        np.testing.assert_allclose(together[lane], train(float(lr)), rtol=1e-5)


def test_skipping_under_jit() -> None:
    jax = pytest.importorskip("jax")
    optimizer = tw.Optimizer(tw.adam(), lr=0.1, nonfinite="skip")
    p = {"w": jax.numpy.ones(2)}
    state = optimizer.init(p)
    step = jax.jit(optimizer.step)
    p, state = step(p, {"w": jax.numpy.array([np.nan, 1.0])}, state)
    assert int(state["t"]["w"]) == 0
    np.testing.assert_array_equal(p["w"], 1.0)
    p, state = step(p, {"w": jax.numpy.ones(2)}, state)
    assert int(state["t"]["w"]) == 1
    np.testing.assert_allclose(p["w"], 0.9, rtol=1e-6)


@pytest.mark.parametrize("convert", [torch_array, jax_array], ids=["torch", "jax"])
def test_noise_obeys_its_law_and_its_seed(convert: Any) -> None:
    @tw.rule(lr=1.0)
    def shake(g, noise):
        return g + noise

    p = {"w": convert(np.zeros(20000, np.float32))}
    optimizer = tw.Optimizer(shake(), seed=4)
    state = optimizer.init(p)
    first, later = optimizer.step(p, p, state)
    again, _ = optimizer.step(p, p, state)
    second, _ = optimizer.step(p, p, later)
    x, y = np.asarray(first["w"]), np.asarray(second["w"])
    np.testing.assert_array_equal(x, np.asarray(again["w"]))
    assert abs(x.mean()) < 0.03
    assert abs(x.std() - 1) < 0.03
    assert abs((x * y).mean()) < 0.03


def test_lanes_on_torch_and_jax() -> None:
    params, gradients, _ = stream(steps=5)
    rates = np.array([0.001, 0.1])
    for convert in (torch_array, jax_array):
        with sixty_four_bits():
            results = []
            for make in (np.asarray, convert):
                optimizer = tw.Optimizer(tw.chain(tw.clip(0.5), tw.adam()), lr=rates, lanes=2)
                p = {k: make(np.stack([x, x])) for k, x in params.items()}
                state = optimizer.init(p)
                for g in gradients:
                    p, state = optimizer.step(p, {k: make(np.stack([x, x])) for k, x in g.items()}, state)
                results.append({k: np.asarray(x) for k, x in p.items()})
            close(*results)


def test_frameworks_are_not_mixed() -> None:
    optimizer = tw.Optimizer(tw.sgd())
    p = np.ones(2)
    with pytest.raises(TypeError, match="the gradient of 'p' is a torch value, the parameter a numpy array"):
        optimizer.step(p, torch_array(np.ones(2)), optimizer.init(p))
