"""The kernels for CUDA: run by Triton's interpreter on CPU tensors, and compiled, though not run, for a GPU."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from support import EVERYDAY, OF_PRODUCTS, PATIENCE, WALKED, drive, everyday

torch = pytest.importorskip("torch")
pytest.importorskip("triton")

import thalweg as tw  # noqa: E402
import thalweg.torch as tt  # noqa: E402
from engines.test_triton_sums import SUMMING  # noqa: E402
from thalweg.torch.kernels import device as torch_kernels  # noqa: E402

HALF = torch.bfloat16
SHAPES = [(60, 35), (300,), (), (5, 3, 2), (1024,)]
WITHOUT = {
    "nero",
    "ranger21",
    "adalite",
    "mirror_madgrad",
    "adahessian",
    "adam_atan2",
    "adamg",
    "adamp",
    "sgdp",
    "adashift",
    "diffgrad",
    "learned",
    "lbfgs",
    "madgrad",
    "padam",
    "santa_sss",
    "sophia",
    *OF_PRODUCTS,
    *WALKED,
}
RULES = [name for name in tw.rules if name not in {*WITHOUT, *SUMMING, "adafactor", "adalomo", "adam_mini", "came", "sm3"}]
"""Of one pass. Those of several are in the two files beside this one, and no rule is left out."""
KEPT = [
    (torch.float32, {}), (torch.float64, {}), (HALF, {}), (torch.float16, {}), (torch.float32, {"state_dtype": "int8"}),
    (HALF, {"rounding": "stochastic", "state_dtype": "int8"}), (HALF, {"rounding": "kahan", "state_dtype": "bfloat16"}),
    (torch.float16, {"rounding": "master", "state_dtype": "float32"}),
]  # fmt: skip


CASES = [
    pytest.param(
        name, dtype, kept, marks=() if name == "adam" or (name in EVERYDAY and (dtype, kept) == KEPT[0]) else pytest.mark.slow
    )
    for name in RULES
    for dtype, kept in (KEPT if name in ("adam", "nadam", "rprop", "sgd") else KEPT[:1])
]


@pytest.fixture
def interpreted(monkeypatch: pytest.MonkeyPatch) -> None:
    """CPU tensors go where CUDA's do."""
    assert os.environ["TRITON_INTERPRET"] == "1", "tests/conftest.py sets it before Triton is imported"
    monkeypatch.setattr(torch_kernels, "TRITON_DEVICES", {"cpu"})


def problem(dtype: Any, steps: int = 4) -> tuple[list[Any], list[list[Any]]]:
    draw = torch.Generator().manual_seed(0)
    params = [torch.randn(s, generator=draw).to(dtype) for s in SHAPES]
    return params, [[torch.randn(s, generator=draw).to(dtype) for s in SHAPES] for _ in range(steps)]


def bound(optimizer: Any) -> str:
    return type(optimizer.__dict__["_plan"].bounds[0]).__name__


@pytest.mark.parametrize(("name", "dtype", "kept"), CASES, ids=str)
def test_as_the_cpus_kernels_to_the_last_bit(
    name: str, dtype: Any, kept: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = []
    for devices, kind in (({"cpu"}, "OnDevice"), ({"cuda"}, "Bound")):
        monkeypatch.setattr(torch_kernels, "TRITON_DEVICES", devices)
        params, gradients = problem(dtype)
        optimizer = tt.of(tw.rules[name])(params, **kept)
        drive(optimizer, params, gradients)
        assert bound(optimizer) == kind
        runs.append((params, [optimizer.state[p] for p in params]))
    for p, q, mine, other in zip(runs[0][0], runs[1][0], runs[0][1], runs[1][1], strict=True):
        assert torch.equal(p, q)
        assert set(mine) == set(other)
        for key, value in mine.items():
            assert torch.equal(torch.as_tensor(value), torch.as_tensor(other[key])), key


def test_a_clipped_number_in_a_rule_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its line stands before what it is stored in."""

    @tw.rule(lr=0.1)
    def clipped(g, m=0.0):  # type: ignore[no-untyped-def]
        m = m + g
        return tw.ops.clip(m, -1.0, 0.5) + tw.ops.clip(g, -0.5, 1.0), m

    runs = []
    for devices, kind in (({"cpu"}, "OnDevice"), ({"cuda"}, "Bound")):
        monkeypatch.setattr(torch_kernels, "TRITON_DEVICES", devices)
        params, gradients = problem(torch.float32)
        optimizer = tt.of(clipped)(params)
        drive(optimizer, params, gradients)
        assert bound(optimizer) == kind
        runs.append(params)
    assert all(map(torch.equal, *runs))


@pytest.mark.usefixtures("interpreted")
@pytest.mark.parametrize(
    "name",
    everyday(
        ["SGD", "Adam", "AdamW", "NAdam", "RAdam", "Rprop", "ASGD", "Adamax", "RMSprop", "Adagrad", "Adadelta"],
        of=("adam", "rprop", "asgd"),
        name=str.lower,
    ),
)
def test_as_torchs_own(name: str) -> None:
    params, gradients = problem(torch.float64, steps=30)
    others, _ = problem(torch.float64)
    ours, theirs = getattr(tt, name)(params), getattr(torch.optim, name)(others)
    drive(ours, params, gradients)
    drive(theirs, others, gradients)
    assert bound(ours) == "OnDevice"
    for p, q in zip(params, others, strict=True):
        assert float((p - q).abs().max()) < 1e-12 * float(q.abs().max())


@pytest.mark.usefixtures("interpreted")
def test_a_first_momentum_is_not_dampened() -> None:
    """Which step is the first is known before there is a buffer, since torch's SGD does not count."""
    params, gradients = problem(torch.float64, steps=8)
    others, _ = problem(torch.float64)
    options = {"lr": 0.1, "momentum": 0.9, "dampening": 0.5}
    ours, theirs = tt.SGD(params, **options), torch.optim.SGD(others, **options)
    drive(ours, params, gradients[:4])
    drive(theirs, others, gradients[:4])
    assert bound(ours) == "OnDevice"
    again = tt.SGD(params, **options)
    again.load_state_dict(ours.state_dict())
    drive(again, params, gradients[4:])
    drive(theirs, others, gradients[4:])
    for p, q in zip(params, others, strict=True):
        torch.testing.assert_close(p, q, rtol=1e-12, atol=1e-14)


@pytest.mark.usefixtures("interpreted")
@pytest.mark.parametrize("kept", [{}, pytest.param({"state_dtype": "int8"}, marks=pytest.mark.slow)])
def test_numbers_worked_out_on_the_device(kept: dict[str, str]) -> None:
    """What a CUDA graph records: counts that are tensors, a learning rate that is one, nothing that asks the device back."""
    params, gradients = problem(torch.float32, steps=12)
    others, _ = problem(torch.float32)
    lr = torch.tensor(1e-3)
    captured = tt.AdamW([{"params": params, "capturable": True, "lr": lr}], **kept)
    plain = tt.AdamW(others, lr=1e-3, **kept)
    drive(captured, params, gradients[:6])
    drive(plain, others, gradients[:6])
    lr.fill_(1e-2)
    plain.param_groups[0]["lr"] = 1e-2
    drive(captured, params, gradients[6:])
    drive(plain, others, gradients[6:])
    assert bound(captured) == "OnDevice"
    assert captured.state[params[0]]["step"].dtype is torch.float32
    for p, q in zip(params, others, strict=True):
        torch.testing.assert_close(p, q, rtol=1e-5, atol=1e-6)


@pytest.mark.usefixtures("interpreted")
def test_a_table_follows_what_moves() -> None:
    """New gradients, data that were replaced, a parameter that rests, gradients laid out otherwise."""
    params, gradients = problem(torch.float64, steps=8)
    others, _ = problem(torch.float64)
    ours, theirs = tt.Adam(params), torch.optim.Adam(others)
    for t, own in enumerate(gradients):
        for optimizer, tensors in ((ours, params), (theirs, others)):
            for k, (p, g) in enumerate(zip(tensors, own, strict=True)):
                p.grad = None if (t, k) == (3, 1) else g.clone()
            if t == 5:
                tensors[0].data = tensors[0].data.clone()
                tensors[0].grad = tensors[0].grad.t().contiguous().t()
            optimizer.step()
    for p, q in zip(params, others, strict=True):
        torch.testing.assert_close(p, q, rtol=1e-12, atol=1e-14)


COMPILE = r"""
import re
import sys
import numpy as np
import thalweg as tw
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from thalweg.core.optimizer import Optimizer
from thalweg.core.stage import Leaf
from thalweg.engines.triton.kernel import CHOICES
from thalweg.engines.triton.passes import BLOCKS, EXACT, WARPS, WIDTH, compiled
from thalweg.engines.triton.drawn import drawn
from thalweg.engines.triton.sums import COMBINE
from thalweg.graph.program import stage_paths
from thalweg.graph.storage import Storage

target = GPUTarget("cuda", int(sys.argv[1]), 32)

def compiles(text, title, pointers, constants):
    source = ASTSource(
        fn=compiled(text, title), signature={**pointers, **dict.fromkeys(constants, "constexpr")}, constexprs=constants
    )
    return triton.compile(source, target=target, options={"num_warps": WARPS, **EXACT}).asm

p = np.zeros((32, 32), np.float32)
for name, rounding, state, dtype in (
    ("adam", "nearest", "own", "float32"), ("adam", "nearest", "own", "float64"), ("nadam", "stochastic", "int8", "bfloat16"),
    ("rprop", "kahan", "bfloat16", "bfloat16"), ("adamax", "master", "float32", "float16"),
    ("noisy_sgd", "nearest", "own", "float32"),
    ("lamb", "nearest", "own", "float32"), ("lamb", "nearest", "own", "float64"), ("novograd", "nearest", "own", "float16"),
    ("prodigy", "nearest", "own", "float32"), ("prodigy", "nearest", "own", "bfloat16"), ("momo", "nearest", "own", "float64"),
    ("adafactor", "nearest", "own", "float32"), ("adafactor", "nearest", "own", "bfloat16"), ("sm3", "nearest", "own", "float64"),
):
    optimizer = Optimizer(tw.rules[name], lr=1e-3)
    route = stage_paths(optimizer, Leaf("p", p.shape, p, p, 0, None, p))
    pointers = {"addresses": "*i64", "numbers": "*fp64" if dtype == "float64" else "*fp32", "jobs": "*i64"}
    for kernel in drawn(optimizer, route, dtype, Storage(rounding, state)).kernels:
        for choice in ((WIDTH, BLOCKS, 16, False), (WIDTH, 1, 16, False), (WIDTH, 1, 16, True)):
            asm = compiles(kernel.text, name, pointers, dict(zip(CHOICES, choice)))
            wide = re.findall(r"(?:ld|st)\.global\.v[24]", asm["ptx"])
            print(name, choice[-1], len(asm["cubin"]) > 1000, len(wide) > 0, "fma." in asm["ptx"])
asm = compiles(COMBINE, "sums", {"found": "*fp64", "spans": "*i64", "sums": "*fp64"}, {"COUNT": 3, "WIDTH": WIDTH})
print("combine", True, len(asm["cubin"]) > 1000, False, False)
"""


@pytest.mark.slow
@pytest.mark.parametrize("capability", ["80", "90", "100"])
def test_a_gpus_compiler_takes_them_and_reads_in_wide_words(capability: str, tmp_path: Any) -> None:
    """For compute capabilities 8.0, 9.0 and 10.0; no GPU is needed to compile."""
    environment = {**os.environ, "TRITON_INTERPRET": "0", "TRITON_CACHE_DIR": str(tmp_path)}
    file = tmp_path / "compile_all.py"
    file.write_text(COMPILE)
    ran = subprocess.run(
        [sys.executable, str(file), capability], env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    lines = [line.split() for line in ran.stdout.splitlines()]
    assert len(lines) == 3 * (6 + 6 * 2 + 2 * 3 + 2) + 1
    for _, parts, compiled, wide, fused in lines:
        assert compiled == "True"
        assert fused == "False", "a product and a sum are rounded one by one, as on the CPU"
        assert wide == "True" or parts == "True", "whole programs read two or four words at once"
