"""Steps of several passes on CUDA, in Triton's interpreter: sums of blocks, combined; and numbers that stay on the device."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from support import drive, everyday, first, through_a_file

torch = pytest.importorskip("torch")
pytest.importorskip("triton")

import thalweg as tw  # noqa: E402
import thalweg.torch as tt  # noqa: E402
from thalweg.engines.triton.passes import BLOCKS, WIDTH, compiled  # noqa: E402
from thalweg.engines.triton.sums import COMBINE  # noqa: E402
from thalweg.form.memory import per_model, per_tensor  # noqa: E402
from thalweg.ops import mean, model_total, norm, total  # noqa: E402
from thalweg.torch.kernels import device as torch_kernels  # noqa: E402
from thalweg.values.norms import euclidean  # noqa: E402

SHAPES = [(60, 35), (301,), (), (5, 3, 2), (WIDTH,), (0, 3)]
SUMMING = [
    "a2grad_exp", "a2grad_inc", "a2grad_uni", "adai", "adams", "adanorm", "adasecant", "apollo", "avagrad", "dadapt_adam", "dadapt_sgd", "dog", "dowg", "fromage", "lamb", "lars", "ldog", "mars", "mechanic_adam",
    "momo", "momo_adam", "novograd", "polyak_sgd", "prodigy", "sgd_sai", "stable_adamw", "swats", "tam", "fadam", "amos", "alig", "aida", "adgd", "dadapt_lion", "dadapt_adan", "dadapt_adagrad", "adagrad_norm",
]  # fmt: skip
DTYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16]
CHAINS = {
    "clipped": lambda: tw.chain(tw.clip(0.5), tw.adam()),
    "clipped after Adam": lambda: tw.chain(tw.adam(), tw.clip(0.5)),
    "two that sum": lambda: tw.chain(tw.clip(0.5), tw.adam(), tw.clip(0.1), tw.trust_ratio()),
    "sums of sums": lambda: tw.chain(tw.trust_ratio(), tw.layer_normalized(), tw.trust_ratio()),
    "a branch's own sum": lambda: tw.choose((tw.is_matrix, tw.prodigy()), otherwise=tw.dog()),
    "a number a tensor, and a sum": lambda: tw.chain(tw.nadam(), tw.trust_ratio()),
    "a number drawn from a schedule": lambda: tw.lamb(weight_decay=lambda t: 0.01 / t),
}


@pytest.fixture
def interpreted(monkeypatch: pytest.MonkeyPatch) -> None:
    """CPU tensors go where CUDA's do."""
    monkeypatch.setattr(torch_kernels, "TRITON_DEVICES", {"cpu"})


def problem(dtype: Any, steps: int) -> tuple[list[Any], list[list[Any]]]:
    draw = torch.Generator().manual_seed(0)
    params = [torch.randn(s, generator=draw).to(dtype) for s in SHAPES]
    return params, [[torch.randn(s, generator=draw).to(dtype) for s in SHAPES] for _ in range(steps)]


def bounds(optimizer: Any) -> set[str]:
    return {type(bound).__name__ for bound in optimizer.__dict__["_plan"].bounds}


def on_both(make: Any, dtype: Any, monkeypatch: pytest.MonkeyPatch, steps: int = 3, resting: int | None = None) -> None:
    """Compare all that a step writes with what the CPU's kernels write. resting: a tensor without a gradient in the second step.

    Only the order of sums differs, and with it the last bits. In half precision most results are rounded to the same number.
    """
    runs = []
    for devices, kind in (({"cpu"}, "OnDevice"), ({"cuda"}, "Bound")):
        monkeypatch.setattr(torch_kernels, "TRITON_DEVICES", devices)
        params, gradients = problem(dtype, steps)
        optimizer = make(params)
        for t, own in enumerate(gradients):
            for k, (p, g) in enumerate(zip(params, own, strict=True)):
                p.grad = None if (t, k) == (1, resting) else g.clone()
            optimizer.step(lambda: torch.tensor(1.5))
            assert bounds(optimizer) == {kind}
            assert kind == "Bound" or all(bound.grid.aligned == 16 for bound in optimizer.__dict__["_plan"].bounds)
        runs.append([*params, *(x for p in params for _, x in sorted(optimizer.state[p].items()))])
    for mine, other in zip(*runs, strict=True):
        near(torch.as_tensor(mine).double(), torch.as_tensor(other, dtype=torch.float64), torch.finfo(dtype).eps)


def near(mine: Any, other: Any, eps: float) -> None:
    size = float(other.abs().max()) if other.numel() and bool(other.isfinite().all()) else 0.0
    torch.testing.assert_close(mine, other, rtol=8 * eps, atol=8 * eps * size, equal_nan=True)


CASES = [
    pytest.param(*case.values, dtype, marks=() if dtype is torch.float32 and not case.marks else pytest.mark.slow)
    for case in everyday(SUMMING, of=("lamb", "prodigy"))
    for dtype in DTYPES
    if (*case.values, dtype) != ("tam", torch.float64)  # its cosine is of tensors almost at right angles: a sum that cancels
]


@pytest.mark.parametrize(("name", "dtype"), CASES, ids=str)
def test_as_the_cpus_kernels(name: str, dtype: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    on_both(tt.of(tw.rules[name]), dtype, monkeypatch, resting=1)


@pytest.mark.parametrize("name", [pytest.param(name, marks=() if name == "clipped" else pytest.mark.slow) for name in CHAINS])
def test_chains(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    on_both(lambda params: tt.Optimizer(params, CHAINS[name](), 0.1), torch.float64, monkeypatch)


def test_a_model_in_groups_is_one_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups of other rates and dtypes, on other ways through the stages; one tensor without a gradient."""

    rule = tw.chain(tw.ascend(), tw.clip(0.5), tw.choose((tw.is_matrix, tw.prodigy()), otherwise=tw.dog()))
    runs = []
    for devices in ({"cpu"}, {"cuda"}):
        monkeypatch.setattr(torch_kernels, "TRITON_DEVICES", devices)
        params, gradients = problem(torch.float64, 3)
        params[3] = params[3].float()
        optimizer = tt.Optimizer([{"params": params[:2], "lr": 0.5}, {"params": params[2:], "lr": 2.0}], rule, 1.0)
        for t, own in enumerate(gradients):
            for k, (p, g) in enumerate(zip(params, own, strict=True)):
                p.grad = None if (t, k) == (1, 0) else g.to(p.dtype)
            optimizer.step()
            assert bounds(optimizer) == {"OnDevice" if devices == {"cpu"} else "Bound"}
        runs.append(params)
    for mine, other in zip(*runs, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-12 if mine.dtype is torch.float64 else 1e-6, atol=0)


@tw.rule(lr=0.0)
def watched(g, n=per_tensor, s=per_tensor, m=per_tensor, of_all=per_model):  # type: ignore[no-untyped-def]
    """Remembers what it adds up (Nobody 2020)."""
    return g, norm(g), total(g), mean(1 - g), model_total(g)


SIZES = (0, 1, 7, WIDTH - 1, WIDTH, WIDTH + 1, BLOCKS * WIDTH - 1, BLOCKS * WIDTH, BLOCKS * WIDTH + 1, 3 * BLOCKS * WIDTH + 5_000)


def added_up(gradients: list[Any]) -> list[dict[str, float]]:
    """What `watched` remembers of these gradients after a step on the device."""
    params = [torch.zeros_like(g) for g in gradients]
    optimizer = tt.Optimizer(params, watched())
    drive(optimizer, params, [gradients])
    assert bounds(optimizer) == {"OnDevice"}
    return [{k: float(x) for k, x in optimizer.state[p].items()} for p in params]


@pytest.mark.usefixtures("interpreted")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_sums_of_tensors_of_any_size_are_near_the_exact_ones(dtype: Any) -> None:
    draw = torch.Generator().manual_seed(1)
    gradients = [torch.randn(n, generator=draw, dtype=dtype) for n in SIZES]
    found = added_up(gradients)
    eps, exact = torch.finfo(dtype).eps, [math.fsum(g.tolist()) for g in gradients]
    for g, kept, of_g in zip(gradients, found, exact, strict=True):
        most = 16 * eps * float(g.abs().sum())
        assert abs(kept["s"] - of_g) <= most
        assert abs(kept["m"] - (len(g) - of_g) / max(len(g), 1)) <= most / max(len(g), 1) + 16 * eps
        assert kept["n"] == pytest.approx(math.sqrt(math.fsum(x * x for x in g.tolist())), rel=2 * eps)
    assert found[0]["of_all"] == pytest.approx(math.fsum(exact), abs=16 * eps * sum(float(g.abs().sum()) for g in gradients))


def test_rows_of_sums_are_combined_each_once() -> None:
    found = torch.arange(3 * 2500, dtype=torch.float64).reshape(2500, 3)
    spans = torch.tensor([(0, 0), (0, 1), (1, 2400), (2400, 2500)])
    sums = torch.full((4, 3), torch.nan, dtype=torch.float64)
    compiled(COMBINE, "sums")[sums.shape](found, spans, sums, COUNT=3, WIDTH=WIDTH)
    assert torch.equal(sums, torch.stack([found[first:last].sum(0) for first, last in spans.tolist()]))


@pytest.mark.usefixtures("interpreted")
@pytest.mark.parametrize("size", [1e-200, 1e200, 0.0, math.inf, math.nan])
def test_norms_of_what_has_no_square(size: float) -> None:
    gradients = [torch.full((300,), size, dtype=torch.float64), torch.linspace(-1, 1, 7, dtype=torch.float64)]
    with np.errstate(all="ignore"):
        for kept, g in zip(added_up(gradients), gradients, strict=True):
            np.testing.assert_allclose(kept["n"], euclidean([g.numpy()]), rtol=1e-15)


@pytest.mark.parametrize("size", [1e200, 1e-200])
def test_a_norm_over_the_model_of_what_has_no_square(size: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """One tensor in float64, one in float32, whose square is 0 beside it, or all there is."""
    runs = []
    for devices in ({"cpu"}, {"cuda"}):
        monkeypatch.setattr(torch_kernels, "TRITON_DEVICES", devices)
        params = [torch.zeros(5, dtype=torch.float64), torch.zeros(2, 3)]
        ours = tt.Optimizer(params, tw.chain(tw.ascend(), tw.clip(1.0), tw.sgd()), 1.0)
        drive(ours, params, [[torch.full((5,), size, dtype=torch.float64), torch.zeros(2, 3)]])
        runs.append(params)
    assert all(map(torch.equal, *runs))
    assert float(runs[0][0].norm()) == pytest.approx(min(1.0, math.sqrt(5) * size), rel=1e-15)


@pytest.mark.usefixtures("interpreted")
@pytest.mark.parametrize("name", first(["prodigy", "adafactor", "novograd", "lamb", "sm3"], 2))
def test_a_captured_step_asks_the_device_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A CUDA graph holds it: the host reads no tensor, and each number of the state stays where it was."""
    monkeypatch.setitem(globals(), "SHAPES", [(60, 35), (301,), (), (WIDTH,)])
    params, gradients = problem(torch.float32, 4)
    others, _ = problem(torch.float32, 0)
    captured = tt.of(tw.rules[name])([{"params": params, "capturable": True}])
    plain = tt.of(tw.rules[name])(others)
    drive(captured, params, gradients[:2])
    places = [x.data_ptr() for p in params for x in captured.state[p].values()]

    def read(*args: Any) -> Any:
        raise AssertionError("the host reads a tensor")

    for p, g in zip(params, gradients[2], strict=True):
        p.grad.copy_(g)
    with monkeypatch.context() as patch:
        for word in ("item", "tolist", "__float__", "__int__", "__bool__", "cpu"):
            patch.setattr(torch.Tensor, word, read)
        for word in ("tensor", "as_tensor"):  # the host waits until such a tensor has arrived
            patch.setattr(torch, word, read)
        patch.setattr("triton.runtime.interpreter.GridExecutor.__call__", lambda *args, **named: None)
        captured.step()
    assert [x.data_ptr() for p in params for x in captured.state[p].values()] == places
    captured = tt.of(tw.rules[name])([{"params": problem(torch.float32, 0)[0], "capturable": True}])
    params = captured.param_groups[0]["params"]
    drive(captured, params, gradients)
    drive(plain, others, gradients)
    assert bounds(captured) == {"OnDevice"}
    for p, q in zip(params, others, strict=True):
        torch.testing.assert_close(p, q, rtol=1e-5, atol=1e-6)


def test_a_loss_on_the_device_stays_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_kernels, "TRITON_DEVICES", {"cpu"})
    params, gradients = problem(torch.float64, 1)
    ours = tt.of(tw.momo)(params)
    for p, g in zip(params, gradients[0], strict=True):
        p.grad = g
    seen: list[Any] = []
    begin = torch_kernels.Grid.begin
    monkeypatch.setattr(torch_kernels.Grid, "begin", lambda self, t, given: (seen.append(given["loss"]), begin(self, t, given)))
    ours.step(lambda: torch.tensor([1.5], dtype=torch.float32))
    assert isinstance(seen[0], torch.Tensor)
    assert (seen[0].dtype, seen[0].shape) == (torch.float64, ())


@pytest.mark.parametrize("first", [{"cpu"}, {"cuda"}])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_checkpoint_goes_on_on_the_other_device(first: set[str], dtype: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A number of the model is a float on the CPU, and a float64 tensor on a device whatever dtype the parameters have."""
    monkeypatch.setattr(torch_kernels, "TRITON_DEVICES", first)
    params, gradients = problem(dtype, 4)
    begun = tt.of(tw.prodigy)(params, lr=3.0)
    drive(begun, params, gradients[:2])
    saved = through_a_file(begun.state_dict())
    monkeypatch.setattr(torch_kernels, "TRITON_DEVICES", {"cpu", "cuda"} - first)
    again = tt.of(tw.prodigy)(params, lr=3.0)
    again.load_state_dict(saved)
    r = begun.state[params[0]]["r"]
    assert float(again.state[params[0]]["r"]) == float(r) != float(torch.tensor(float(r), dtype=dtype))
    drive(again, params, gradients[2:])
    others, _ = problem(dtype, 0)
    whole = tt.of(tw.prodigy)(others, lr=3.0)
    drive(whole, others, gradients)
    for p, q in zip(params, others, strict=True):
        near(p.double(), q.double(), torch.finfo(dtype).eps)


@pytest.mark.usefixtures("interpreted")
def test_without_a_kernel_the_step_takes_up_numbers_of_the_device() -> None:
    """From one step to the next there may be no kernel, as here, where a matrix no longer lies in one stretch."""
    params, gradients = problem(torch.float64, 4)
    others, _ = problem(torch.float64, 0)
    ours, whole = tt.of(tw.prodigy)(params), tt.of(tw.prodigy)(others)
    drive(whole, others, gradients)
    drive(ours, params, gradients[:2])
    wide = torch.zeros(60, 70, dtype=torch.float64)
    wide[:, ::2] = params[0]
    params[0].data = wide[:, ::2]
    drive(ours, params, gradients[2:])
    assert "_plan" not in ours.__dict__
    for p, q in zip(params, others, strict=True):
        torch.testing.assert_close(p, q, rtol=1e-12, atol=1e-14)


@pytest.mark.usefixtures("interpreted")
def test_a_sum_that_some_tensors_come_to_later_is_left_to_the_pure_step() -> None:
    params, gradients = problem(torch.float64, 1)
    ours = tt.Optimizer(params, tw.chain(tw.only(tw.is_matrix, tw.trust_ratio()), tw.prodigy()), 1.0)
    drive(ours, params, gradients)
    assert ours.__dict__["_without"].reason == "a sum over the model that some tensors come to in an earlier pass than others"
