"""Fused equals unfused: `thalweg.numpy` beside the pure Optimizer, to the last bit where no reduction or exp is in it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from papers import CASES
from support import HANDED, OF_PRODUCTS, RULES, asked_for, everyday

import thalweg as tw
import thalweg.numpy as tn
from thalweg.engines import threads
from thalweg.values.trees import flatten

SHAPES = {"w": (40, 30), "b": (30,), "s": (), "none": (0, 3)}
OF_MUON = {"muon", "muon_with_adamw", "normuon", "adamuon", "adago", "polargrad", "scion", "swan"}
"""Those whose word of whole matrices has its place between two kernels."""
WITHOUT = (
    *(OF_PRODUCTS - OF_MUON),
    "learned",
    "adamp",
    "sgdp",
    "agc",
    "adashift",
)  # matrices of other shapes, a network or a window for each coordinate
APPROXIMATE = (
    "santa_sss", "diffgrad", "madgrad", "mirror_madgrad", "polyak_sgd", "alig", "adasecant", "adagc", "padam", "adamg", "adam_atan2",
    "normuon", "swan",
)  # fmt: skip
"""An exp, a sigmoid, an angle, a power, a norm of gradients, or the mean of a row of what lies transposed, which are summed in another
order; a square, which NumPy takes of one number by pow."""


def fused(optimizer: Any) -> bool:
    return bool(optimizer._bound._launches)


def same_bits(a: Any, b: Any) -> bool:
    """Equal bytes, one NaN being like another."""
    a, b = np.asarray(a), np.asarray(b)
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    same = (a == b) & (np.signbit(a) == np.signbit(b)) | (np.isnan(a) & np.isnan(b))
    return bool(same.all())


def memory_of(state: Any) -> list[tuple[str, Any]]:
    return list(zip(*flatten(state["memory"]), strict=True))


def stream(dtype: Any, steps: int, seed: int = 0) -> Any:
    draw = np.random.default_rng(seed)
    start = {k: np.asarray(draw.normal(size=s), dtype) for k, s in SHAPES.items()}
    scales = {k: 10.0 ** draw.uniform(-4, 1, s) for k, s in SHAPES.items()}
    gradients = [{k: np.asarray(draw.normal(size=s) * scales[k], dtype) for k, s in SHAPES.items()} for _ in range(steps)]
    return start, gradients, 0.1 + np.abs(draw.normal(size=steps))


def beside(stage: Any, dtype: Any, steps: int, lr: Any = None, lanes: int | None = None) -> tuple[Any, Any, Any, Any]:
    """The pure optimizer's parameters and state, and ours."""
    start, gradients, losses = stream(dtype, steps)
    pure = tw.Optimizer(stage, lr)
    params, state = start, pure.init(start)
    mine = {k: v.copy() for k, v in start.items()}
    ours = tn.Optimizer(mine, stage, lr)
    with np.errstate(all="ignore"):
        for g, loss in zip(gradients, losses, strict=True):
            given = asked_for(pure, g, loss)
            params, state = pure.step(params, g, state, **given)
            ours.step(g, **given)
    return params, state, mine, ours


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", HANDED)
def test_a_thousand_steps(name: str, dtype: Any) -> None:
    steps = 30 if name in WITHOUT else 1000
    params, state, mine, ours = beside(RULES[name](), dtype, steps)
    assert fused(ours) == (name not in WITHOUT)
    if name in APPROXIMATE:
        params, state, mine, ours = beside(RULES[name](), dtype, 3)
        for k in ("w", "b", "s"):
            np.testing.assert_allclose(mine[k], params[k], rtol=0, atol=8 * np.finfo(dtype).eps * np.abs(params[k]).max())
        return
    assert all(same_bits(mine[k], params[k]) for k in SHAPES)
    assert ours.state["t"] == state["t"]
    for (path, a), (_, b) in zip(memory_of(ours.state), memory_of(state), strict=True):
        assert same_bits(a, b), path


EACH_KIND = ("adam", "rprop", "lamb", "prodigy", "santa_sss")
"""Element-wise, with a counter, norms, the whole model's numbers, noise."""


ELSEWHERE = {*WITHOUT, *APPROXIMATE, *OF_MUON}
"""Those whose options and lanes are not tried here; of Muon's kin, which take no vectors, they are in tests/engines/test_whole.py."""
FUSED = [case for case in CASES if case.name.split()[0] not in ELSEWHERE]
FIRST = {case.name.split()[0]: case.name for case in reversed(FUSED)}
"""The first case of each rule and each stage."""


def is_rare(case: Any) -> bool:
    """Whether it is one more case of a stage."""
    return case.name.split()[0] not in tw.rules and case.name not in FIRST.values()


@pytest.mark.parametrize(
    "case", everyday(FUSED, of=EACH_KIND, name=lambda case: case.name, rare=is_rare), ids=lambda case: case.name
)
def test_every_option(case: Any) -> None:
    params, state, mine, ours = beside(case.stage(), np.float64, 20, case.lr)
    assert fused(ours)
    assert all(same_bits(mine[k], params[k]) for k in SHAPES)
    assert all(same_bits(a, b) for (_, a), (_, b) in zip(memory_of(ours.state), memory_of(state), strict=True))


CHAINS = {
    "a rate inside": lambda: tw.chain(tw.rmsprop(), tw.learning_rate(), tw.momentum()),
    "two rules of one name": lambda: tw.chain(tw.momentum(0.5), tw.momentum(0.9)),
    "owned, then decay": lambda: tw.chain(tw.adabound(), tw.decay(0.01)),
    "schedule-free": lambda: tw.chain(tw.sgd(), tw.schedule_free()),
    "schedule-free, weighed": lambda: tw.chain(tw.sgd(), tw.schedule_free(0.9, 2.0)),
    "average": lambda: tw.chain(tw.adam(), tw.average(0.9)),
    "by parameter": lambda: tw.choose((tw.is_matrix, tw.momentum().at(lr=0.02)), otherwise=tw.adamw()),
    "by name, some": lambda: tw.chain(tw.adam(), tw.only(tw.named("^w"), tw.decay(0.01))),
    "accumulated": lambda: tw.every(4, tw.adam()),
    "scheduled": lambda: tw.adam(beta1=lambda t: 0.9 - 0.5 / t),
}


@pytest.mark.parametrize("name", CHAINS)
def test_chains_are_one_kernel_each_way(name: str) -> None:
    params, state, mine, ours = beside(CHAINS[name](), np.float32, 41, tw.schedules.cosine(0.1, 30))
    assert fused(ours)
    assert len(ours._bound._launches) == (2 if name.startswith("by") else 1)
    assert all(same_bits(mine[k], params[k]) for k in SHAPES)
    shipped = tw.Optimizer(CHAINS[name](), 0.1).ship(params, state)
    assert all(same_bits(ours.ship()[k], shipped[k]) for k in SHAPES)


def test_clipping_by_the_global_norm() -> None:
    """A reduction: to a few ulp, our sum being in float64."""
    chain = tw.chain(tw.clip(1.0), tw.sgd(), tw.decay(0.01))
    for dtype in (np.float32, np.float64):
        params, _, mine, ours = beside(chain, dtype, 50, 0.1)
        assert fused(ours)
        for k in SHAPES:
            np.testing.assert_allclose(mine[k], params[k], rtol=2e-6 if dtype is np.float32 else 1e-13)


LAYOUTS = ("C", "F", "reversed", "gaps", "unaligned")


def laid_out(values: Any, layout: str) -> Any:
    """An array with these values whose memory lies so."""
    if layout == "F":
        return np.array(values, order="F")
    if layout == "reversed" and values.ndim:
        backwards = (slice(None, None, -1),) * values.ndim
        return np.array(values[backwards], order="C")[backwards]
    if layout == "gaps":
        wide = np.zeros((*values.shape, 3), values.dtype)
        wide[..., 1] = values
        return wide[..., 1]
    if layout == "unaligned":
        raw = np.zeros(values.nbytes + 1, np.uint8)[1:].view(values.dtype).reshape(values.shape)
        raw[...] = values
        return raw
    return np.array(values, order="C")


SPECIAL = [0.0, -0.0, 1.0, -2.5, 1e-40, 1e-45, 3e38, float("inf"), float("-inf"), float("nan"), 1e-8, 123.456]


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    shape=st.lists(st.integers(0, 5), max_size=4).map(tuple),
    layouts=st.tuples(st.sampled_from(LAYOUTS), st.sampled_from(LAYOUTS)),
    rule=st.sampled_from(["adam", "nadam", "adabound", "eve", "adamax"]),
    seed=st.integers(0, 1000),
)
def test_any_shape_layout_and_value(shape: tuple[int, ...], layouts: tuple[str, str], rule: str, seed: int) -> None:
    draw = np.random.default_rng(seed)

    def values() -> Any:
        usual = draw.normal(size=shape).astype(np.float32)
        return np.where(draw.random(shape) < 0.4, draw.choice(np.array(SPECIAL, np.float32), shape), usual).astype(np.float32)

    start = {"x": values(), "y": values()}
    pure = tw.Optimizer(tw.rules[rule]())
    params, state = start, pure.init(start)
    mine = {k: laid_out(v, layouts[0]) for k, v in start.items()}
    ours = tn.of(tw.rules[rule])(mine)
    for step in range(4):
        g: dict[str, Any] = {"x": values(), "y": None if step == 1 else values()}
        given = asked_for(pure, g, 0.5 + step)
        params, state = pure.step(params, g, state, **given)
        ours.step({k: None if v is None else laid_out(v, layouts[1]) for k, v in g.items()}, **given)
    assert fused(ours)
    assert all(same_bits(mine[k], params[k]) for k in start)
    assert ours.state["t"] == state["t"]


def test_gradients_that_are_parameters() -> None:
    for swap in (False, True):
        start = {"x": np.arange(5.0), "y": np.ones(5)}
        pure = tw.Optimizer(tw.adam(), 0.1)
        params, state = start, pure.init(start)
        mine = {k: v.copy() for k, v in start.items()}
        ours = tn.Adam(mine, 0.1)
        for _ in range(5):
            grads = {"x": params["y"], "y": params["x"]} if swap else params
            params, state = pure.step(params, grads, state)
            ours.step({"x": mine["y"], "y": mine["x"]} if swap else mine)
        assert all(same_bits(mine[k], params[k]) for k in start)


@pytest.mark.parametrize("name", everyday(n for n in HANDED if n not in ELSEWHERE))
def test_lanes_equal_lanes(name: str) -> None:
    """One rate, loss and seed a lane; and a lane of NaN touches no other."""
    draw = np.random.default_rng(0)
    start = {"w": draw.normal(size=(3, 4, 5)).astype(np.float32), "b": draw.normal(size=(3, 5)).astype(np.float32)}
    rates, seeds = np.array([0.1, 0.001, 0.03]), np.array([4, 5, 4])
    pure = tw.Optimizer(tw.rules[name](), rates, lanes=3, seed=seeds)
    params, state = start, pure.init(start)
    mine = {k: v.copy() for k, v in start.items()}
    ours = tn.of(tw.rules[name])(mine, rates, lanes=3, seed=seeds)
    for step in range(12):
        g = {k: draw.normal(size=v.shape).astype(np.float32) for k, v in start.items()}
        if step == 5:
            g["w"][1] = np.nan
        given = asked_for(pure, g, draw.random(3))
        params, state = pure.step(params, g, state, **given)
        ours.step(g, **given)
    assert fused(ours)
    assert all(same_bits(mine[k], params[k]) for k in start)
    assert name == "santa_e" or not np.isnan(mine["w"][[0, 2]]).any()  # it diverges here by itself


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", ["adam", "nadam", "sgd", "adabound"])
def test_narrow_storage_is_computed_with_in_float32(name: str, dtype: str) -> None:
    """Equal to a float32 step on widened numbers whose results are rounded to storage, once."""
    narrow = np.dtype(np.float16) if dtype == "float16" else np.dtype(pytest.importorskip("ml_dtypes").bfloat16)
    draw = np.random.default_rng(0)
    mine = (draw.normal(size=301) * 10.0 ** draw.uniform(-6, 4, 301)).astype(narrow)
    mine[:4] = [np.inf, np.nan, -0.0, 0.0]
    wide = mine.astype(np.float32)
    pure = tw.Optimizer(tw.rules[name]())
    state = pure.init(wide)
    ours = tn.of(tw.rules[name])(mine)
    with np.errstate(all="ignore"):
        for _ in range(30):
            g = (draw.normal(size=301) * 10.0 ** draw.uniform(-7, 4, 301)).astype(narrow)
            moved, state = pure.step(wide, g.astype(np.float32), state)
            wide = moved.astype(narrow).astype(np.float32)
            for stage in state["memory"].values():
                for slot, held in stage.items():
                    stage[slot] = {k: v.astype(narrow).astype(np.float32) if v.ndim else v for k, v in held.items()}
            ours.step(g)
    assert fused(ours)
    assert mine.dtype == narrow
    assert same_bits(mine.astype(np.float32), wide)


@pytest.mark.parametrize("size", [70_000, 1_500_000])
def test_threads_change_no_bit(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(0)
    start, gradients = draw.normal(size=size).astype(np.float32), draw.normal(size=(3, size)).astype(np.float32)
    chain = tw.chain(tw.clip(1.0), tw.nadam())
    found = []
    for count in (1, 2, 3):
        monkeypatch.setattr(threads, "count", lambda count=count: count)
        mine = start.copy()
        ours = tn.Optimizer(mine, chain)
        for g in gradients:
            ours.step(g)
        assert fused(ours)
        found.append(mine)
    assert same_bits(found[0], found[1])
    assert same_bits(found[0], found[2])
