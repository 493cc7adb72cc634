"""Rows and columns on CUDA, in Triton's interpreter: blocks of matrices, joined on the device."""

from __future__ import annotations

from typing import Any

import pytest
from support import drive

torch = pytest.importorskip("torch")
pytest.importorskip("triton")

import thalweg as tw  # noqa: E402
import thalweg.torch as tt  # noqa: E402
from thalweg.engines.triton.margins import BLOCKS, FEWEST  # noqa: E402
from thalweg.engines.triton.reductions import TALL, WIDE  # noqa: E402
from thalweg.form.memory import cols, rows, slices  # noqa: E402
from thalweg.ops import col_means, mean, mix, norm, row_means, slice_max, slice_min, sqrt  # noqa: E402
from thalweg.torch.kernels import device as torch_kernels  # noqa: E402

DOWN = BLOCKS * TALL
MATRICES = [(60, 35), (DOWN + 1, WIDE + 3), (DOWN, 48), (60, 35), (3, 2, 40, 9), (1, 300), (0, 4)]
OTHERS = [(301,), ()]


@tw.rule(lr=0.1)
def crossed(g, p, R=rows(1.0), C=cols, Q=rows, M=slices):  # type: ignore[no-untyped-def]
    """Margins of margins, and sums of what is made of them (Nobody 2020)."""
    R, C = mix(R, row_means(abs(g)), 0.9), mix(C, col_means(g * p / (1 + R)), 0.9)
    scaled = g / (1 + R + C * C) + Q
    M = slice_max(scaled * scaled) + 0.5 * M
    out = scaled / sqrt(1 + slice_min(M, g)) / (1 + norm(scaled * R))
    return out, R, C, 0.5 * Q + col_means(R) - row_means(out) * mean(out), M


RULES = {
    "adafactor": tw.adafactor,
    "adalomo": tw.adalomo,
    "adam_mini": tw.adam_mini,
    "came": tw.came,
    "sm3": tw.sm3,
    "sm3 I": lambda: tw.sm3(version="I"),
    "adafactor and a trust ratio": lambda: tw.chain(tw.adafactor(), tw.trust_ratio()),
    "clipped adafactor": lambda: tw.chain(tw.clip(0.5), tw.adafactor()),
    "crossed": lambda: tw.choose((tw.is_matrix, crossed()), otherwise=tw.sgd()),
}
CASES = [
    pytest.param(name, dtype, marks=() if name == "adafactor" and dtype is torch.float32 else pytest.mark.slow)
    for name in RULES
    for dtype in (torch.float64, torch.float32, torch.bfloat16, torch.float16)
]


def problem(dtype: Any, steps: int, shapes: list[tuple[int, ...]]) -> tuple[list[Any], list[list[Any]]]:
    draw = torch.Generator().manual_seed(0)
    params = [torch.randn(s, generator=draw).to(dtype) for s in shapes]
    return params, [[torch.randn(s, generator=draw).to(dtype) for s in shapes] for _ in range(steps)]


def bounds(optimizer: Any) -> set[str]:
    return {type(bound).__name__ for bound in optimizer.__dict__["_plan"].bounds}


@pytest.mark.parametrize(("name", "dtype"), CASES, ids=str)
def test_as_the_cpus_kernels(name: str, dtype: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the order of sums differs, and with it the last bits. One matrix has no gradient in the second step."""
    runs = []
    for devices, kind in (({"cpu"}, "OnDevice"), ({"cuda"}, "Bound")):
        monkeypatch.setattr(torch_kernels, "TRITON_DEVICES", devices)
        params, gradients = problem(dtype, 3, [*MATRICES, *OTHERS])
        optimizer = tt.Optimizer(params, RULES[name](), 0.1)
        for t, own in enumerate(gradients):
            for k, (p, g) in enumerate(zip(params, own, strict=True)):
                p.grad = None if (t, k) == (1, 3) else g.clone()
            optimizer.step()
            assert bounds(optimizer) == {kind}
            assert kind == "Bound" or all(bound.grid.aligned == 16 for bound in optimizer.__dict__["_plan"].bounds)
        runs.append([*params, *(x for p in params for _, x in sorted(optimizer.state[p].items()))])
    eps = 16 * torch.finfo(dtype).eps
    for mine, other in zip(*runs, strict=True):
        size = float(other.abs().max()) if other.numel() else 0.0
        torch.testing.assert_close(mine, other, rtol=eps, atol=eps * size)


@pytest.mark.parametrize("value", [float("inf"), float("nan"), -float("nan"), 1e-40])
def test_maxima_are_exact(value: float, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = []
    for devices in ({"cpu"}, {"cuda"}):
        monkeypatch.setattr(torch_kernels, "TRITON_DEVICES", devices)
        params, gradients = problem(torch.float32, 2, [(DOWN + 1, 35)])
        gradients[0][0][DOWN, 3] = value
        gradients[0][0][:, 34] = 0.0
        optimizer = tt.of(tw.sm3)(params)
        drive(optimizer, params, gradients)
        runs.append([params[0], optimizer.state[params[0]]["mu"]])
    for mine, other in zip(*runs, strict=True):
        torch.testing.assert_close(mine, other, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize(
    ("shape", "layout", "reason"),
    [
        ((6, 4), "transposed", "a matrix whose rows do not lie one after another"),
        ((4, 5, 3, 3), "plain", f"matrices of fewer than {FEWEST} elements, each of which would be a job"),
    ],
)
def test_other_matrices_take_the_pure_step(shape: Any, layout: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = []
    for devices in ({"cpu"}, {"cuda"}):
        monkeypatch.setattr(torch_kernels, "TRITON_DEVICES", devices)
        params, gradients = problem(torch.float64, 2, [shape])
        params = [p.t() for p in params] if layout == "transposed" else params
        optimizer = tt.of(tw.sm3)(params)
        drive(optimizer, params, [[g.t() for g in own] if layout == "transposed" else own for own in gradients])
        if devices == {"cpu"}:
            assert optimizer.__dict__["_without"].reason == reason
        runs.append(params)
    torch.testing.assert_close(*runs, rtol=1e-12, atol=1e-14)
