"""Passes that reduce matrices to rows and columns, and steps that go on with what these are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import first

import thalweg as tw
import thalweg.numpy as tn
from thalweg.engines import threads
from thalweg.form.memory import cols, rows, slices
from thalweg.ops import col_means, mean, mix, norm, row_means, slice_max, slice_min, sqrt

LARGE = {
    "wide": (70, 9_001),
    "tall": (9_001, 70),
    "many": (5, 3, 130, 41),
    "small": (64, 8, 3, 3),
    "conv": (300, 70, 3, 3),
    "row": (1, 300),
    "none": (0, 4),
}


@tw.rule(lr=0.0)
def marginal(g, R=rows, C=cols):  # type: ignore[no-untyped-def]
    """Remembers the means of rows and columns (Nobody 2020)."""
    return g, row_means(g), col_means(g)


@tw.rule(lr=0.1)
def crossed(g, p, R=rows(1.0), C=cols, Q=rows, M=slices):  # type: ignore[no-untyped-def]
    """Margins of margins, and sums of what is made of them (Nobody 2020)."""
    R, C = mix(R, row_means(abs(g)), 0.9), mix(C, col_means(g * p / (1 + R)), 0.9)
    scaled = g / (1 + R + C * C) + Q
    M = slice_max(scaled * scaled) + 0.5 * M
    out = scaled / sqrt(1 + slice_min(M, g)) / (1 + norm(scaled * R))
    return out, R, C, 0.5 * Q + col_means(R) - row_means(out) * mean(out), M


def stepped(rule: Any, params: dict[str, Any], gradients: list[dict[str, Any]], lanes: int | None = None) -> Any:
    """The optimizer of kernels after these steps."""
    ours = tn.Optimizer(params, rule, lanes=lanes)
    for g in gradients:
        ours.step(g)
    assert ours._bound._launches
    return ours


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_means_are_as_near_as_sums_of_blocks_and_the_same_for_any_number_of_threads(
    dtype: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads.PYTHON, "worth", 1000)
    draw = np.random.default_rng(0)
    gradients = {k: np.abs(draw.normal(size=s)).astype(dtype) for k, s in LARGE.items()}
    found = []
    for count in (1, 2, 3):
        monkeypatch.setattr(threads, "count", lambda count=count: count)
        ours = stepped(marginal(), {k: np.zeros_like(g) for k, g in gradients.items()}, [gradients])
        found.append(ours.state["memory"]["marginal"])
    for name, g in gradients.items():
        for slot, axis in (("R", -1), ("C", -2)):
            exact = g.astype(np.longdouble).sum(axis, keepdims=True) / max(g.shape[axis], 1)
            np.testing.assert_allclose(found[0][slot][name], exact, rtol=16 * np.finfo(dtype).eps)
            for other in found[1:]:
                np.testing.assert_array_equal(other[slot][name], found[0][slot][name])


@pytest.mark.parametrize("make", first([tw.adafactor, tw.sm3, crossed, lambda: tw.chain(tw.adafactor(), tw.trust_ratio())]))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_matrices_equal_the_pure_step(make: Any, dtype: Any) -> None:
    draw = np.random.default_rng(1)
    start = {k: draw.normal(size=s).astype(dtype) for k, s in LARGE.items()}
    gradients = [{k: draw.normal(size=s).astype(dtype) for k, s in LARGE.items()} for _ in range(3)]
    pure = tw.Optimizer(make())
    params, state = start, pure.init(start)
    for g in gradients:
        params, state = pure.step(params, g, state)
    mine = {k: v.copy() for k, v in start.items()}
    stepped(make(), mine, gradients)
    for k in start:
        np.testing.assert_allclose(mine[k], params[k], rtol=0, atol=64 * np.finfo(dtype).eps * np.abs(params[k]).max(initial=0))


def laid_out(values: Any, layout: str) -> Any:
    """An array with these values whose memory lies so."""
    if layout == "gaps":
        wide = np.zeros((*values.shape, 3), values.dtype)
        wide[..., 1] = values
        return wide[..., 1]
    return np.array(values, order="F" if layout == "F" else "C")


SPECIAL = [0.0, -0.0, 1.0, -2.5, 1e-40, 3e38, float("inf"), float("nan"), 1e-8]


@pytest.mark.slow
@settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    shape=st.lists(st.integers(0, 5), min_size=2, max_size=4).map(tuple),
    layouts=st.tuples(st.sampled_from(["C", "F", "gaps"]), st.sampled_from(["C", "F", "gaps"])),
    rule=st.sampled_from(["adafactor", "sm3"]),
    dtype=st.sampled_from([np.float32, np.float64, np.float16]),
    seed=st.integers(0, 1000),
)
def test_any_shape_layout_and_value(shape: Any, layouts: tuple[str, str], rule: str, dtype: Any, seed: int) -> None:
    draw = np.random.default_rng(seed)

    def values(special: float) -> Any:
        with np.errstate(over="ignore"):
            chosen = np.where(draw.random(shape) < special, draw.choice(SPECIAL, shape), draw.normal(size=shape))
            return np.asarray(chosen, dtype)

    start = {"x": values(0.0), "y": values(0.0)}
    pure = tw.Optimizer(tw.rules[rule]())
    params, state = start, pure.init(start)
    mine = {k: laid_out(v, layouts[0]) for k, v in start.items()}
    ours = tn.of(tw.rules[rule])(mine)
    with np.errstate(all="ignore"):
        for step in range(4):
            g: dict[str, Any] = {"x": values(0.3 if step > 1 else 0.0), "y": None if step == 1 else values(0.0)}
            params, state = pure.step(params, g, state)
            ours.step({k: None if v is None else laid_out(v, layouts[1]) for k, v in g.items()})
    assert ours._bound._launches
    kept, wanted = ours.state["memory"], state["memory"]
    for path, found in zip(*tw.trees.flatten(wanted), strict=True):
        own: Any = kept
        for key in path.split("."):
            own = own[key]
        np.testing.assert_array_equal(own, found)
    for k in start:
        np.testing.assert_array_equal(mine[k], params[k])


def test_lanes_are_reduced_each_by_itself() -> None:
    draw = np.random.default_rng(0)
    start = draw.normal(size=(3, 2, 70, 5)).astype(np.float32)
    gradients = [draw.normal(size=start.shape).astype(np.float32) for _ in range(3)]
    for make in (tw.adafactor, tw.sm3, crossed):
        mine = {"w": start.copy()}
        stepped(make(), mine, [{"w": g} for g in gradients], lanes=3)
        for lane in range(3):
            alone = {"w": start[lane].copy()}
            stepped(make(), alone, [{"w": g[lane].copy()} for g in gradients])
            np.testing.assert_array_equal(mine["w"][lane], alone["w"])


@tw.rule(lr=0.1)
def summed(g, R=rows):  # type: ignore[no-untyped-def]
    """Adds up its rows' numbers (Nobody 2020)."""
    R = R + row_means(g * g)
    return g / (1 + norm(R)), R


def test_a_sum_of_rows_is_left_to_the_pure_step() -> None:
    params = {"w": np.ones((4, 3))}
    ours = tn.Optimizer(params, summed())
    ours.step({"w": np.ones((4, 3))})
    assert not ours._bound._launches
    np.testing.assert_allclose(params["w"], 1 - 0.1 / 3)
