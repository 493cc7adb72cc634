"""Rules that sum, by kernels on torch's tensors; and rules without a kernel, of which it is remembered why."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support import everyday

torch = pytest.importorskip("torch")

import thalweg as tw  # noqa: E402
import thalweg.numpy as tn  # noqa: E402
import thalweg.torch as tt  # noqa: E402
from thalweg.form import trace  # noqa: E402
from thalweg.torch import face  # noqa: E402

SHAPES = {"w": (20, 30), "b": (30,), "s": ()}
SUMMING = [
    "adafactor", "adasecant", "dadapt_adam", "dadapt_sgd", "dog", "dowg", "fromage", "lamb", "lars", "ldog", "mechanic_adam",
    "momo", "momo_adam", "novograd", "prodigy", "sm3",
]  # fmt: skip


def tensors(dtype: Any = np.float32) -> dict[str, Any]:
    draw = np.random.default_rng(0)
    return {k: np.asarray(draw.normal(size=s), dtype) for k, s in SHAPES.items()}


def steps(optimizer: Any, params: dict[str, Any], count: int = 5, loss: float = 1.5) -> None:
    draw = np.random.default_rng(1)
    for _ in range(count):
        for k, p in params.items():
            p.grad = torch.from_numpy(np.asarray(draw.normal(size=SHAPES[k]), p.detach().numpy().dtype))
        optimizer.step(lambda: torch.tensor(loss, dtype=torch.float64))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", everyday(SUMMING))
def test_a_step_is_numpys_to_the_last_bit(name: str, dtype: Any) -> None:
    params = {k: torch.nn.Parameter(torch.from_numpy(v.copy())) for k, v in tensors(dtype).items()}
    ours = tt.of(tw.rules[name])(params.values())
    steps(ours, params)
    assert "_plan" in ours.__dict__
    mine = tensors(dtype)
    beside = tn.of(tw.rules[name])(mine)
    draw = np.random.default_rng(1)
    for _ in range(5):
        g = {k: np.asarray(draw.normal(size=s), dtype) for k, s in SHAPES.items()}
        beside.step(g, loss=1.5)
    for k, p in params.items():
        np.testing.assert_array_equal(p.detach().numpy(), mine[k])


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", ["adafactor", "sm3"])
def test_rows_and_columns_are_kept_in_half_precision(name: str, dtype: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def ends() -> list[Any]:
        params = {k: torch.nn.Parameter(torch.from_numpy(v).to(dtype)) for k, v in tensors().items()}
        ours, draw = tt.of(tw.rules[name])(params.values(), lr=0.1), np.random.default_rng(1)
        for _ in range(5):
            for k, p in params.items():
                p.grad = torch.from_numpy(np.asarray(draw.normal(size=SHAPES[k]))).to(dtype)
            ours.step()
        planned.append("_plan" in ours.__dict__)
        return [*params.values(), *(state[key] for state in ours.state.values() for key in sorted(state))]

    planned: list[bool] = []
    by_kernels = ends()
    monkeypatch.setattr(tt.Optimizer, "_kernels_may", lambda self: False)
    for a, b in zip(by_kernels, ends(), strict=True):
        torch.testing.assert_close(a, b, rtol=torch.finfo(dtype).eps, atol=0)
    assert planned == [True, False]


def test_a_matrix_in_another_layout_takes_the_pure_step() -> None:
    p = torch.nn.Parameter(torch.ones(6, 4).t())
    ours = tt.of(tw.sm3)([p], lr=0.1)
    for _ in range(2):
        p.grad = torch.ones(6, 4).t()
        ours.step()
    assert ours.__dict__["_without"].reason == "a matrix whose rows do not lie one after another"


def test_a_model_in_groups_is_one_model() -> None:
    """Groups of other rates, dtypes and ways through the stages; one tensor without a gradient."""
    rule = tw.chain(tw.ascend(), tw.clip(0.5), tw.choose((tw.is_matrix, tw.prodigy()), otherwise=tw.dog()))
    params = {k: torch.nn.Parameter(torch.from_numpy(v)) for k, v in tensors(np.float64).items()}
    params["still"] = torch.nn.Parameter(torch.zeros(3, dtype=torch.float64))
    groups = [{"params": [params["still"], params["w"]], "lr": 0.5}, {"params": [params["b"], params["s"]], "lr": 2.0}]
    ours = tt.Optimizer(groups, rule, 1.0)
    steps(ours, {k: params[k] for k in SHAPES})
    assert "_plan" in ours.__dict__
    mine = tensors(np.float64)
    beside = tn.Optimizer([{"params": [mine["w"]], "lr": 0.5}, {"params": [mine["b"], mine["s"]], "lr": 2.0}], rule, 1.0)
    draw = np.random.default_rng(1)
    for _ in range(5):
        w, b, s = (np.asarray(draw.normal(size=SHAPES[k])) for k in SHAPES)
        beside.step([[w], [b, s]])
    for k in SHAPES:
        np.testing.assert_allclose(params[k].detach().numpy(), mine[k], rtol=1e-12, atol=1e-14)


def test_that_there_is_no_kernel_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    params = {"w": torch.nn.Parameter(torch.ones(20, 30))}
    ours = tt.of(tw.soap)(params.values(), lr=0.1)
    steps(ours, params, 2)
    assert ours.__dict__["_without"].reason == "soap keeps memory of the kind square"

    def again(*args: Any, **named: Any) -> Any:
        raise AssertionError("a stage is traced anew")

    with monkeypatch.context() as patch:
        patch.setattr(trace, "run_on", again)
        patch.setattr(face, "Plan", again)
        patch.setattr(face, "ConfiguredGroup", again)
        steps(ours, params, 2)
        ours.param_groups[0]["lr"] = 0.05
        steps(ours, params, 1)
    ours.param_groups[0]["beta1"] = 0.0  # another algorithm
    before = ours.__dict__["_without"]
    steps(ours, params, 1)
    assert ours.__dict__["_without"] is not before


STAGES = {
    "walks elsewhere": lambda: tw.chain(tw.adam(), tw.schedule_free()),
    "draws": lambda: tw.chain(tw.clip(1.0), tw.noisy_sgd()),
}


@pytest.mark.parametrize("name", STAGES)
def test_draws_and_walked_points_are_the_pure_steps(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def ends() -> list[Any]:
        params = {k: torch.nn.Parameter(torch.from_numpy(v)) for k, v in tensors(np.float64).items()}
        params["w"].data = params["w"].data.t().contiguous().t()
        ours = tt.Optimizer(params.values(), STAGES[name](), 0.1)
        steps(ours, params)
        planned.append("_plan" in ours.__dict__)
        return [*params.values(), *(state[key] for state in ours.state.values() for key in sorted(state))]

    planned: list[bool] = []
    by_kernels = ends()
    monkeypatch.setattr(tt.Optimizer, "_kernels_may", lambda self: False)
    for a, b in zip(by_kernels, ends(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-13, atol=1e-15)
    assert planned == [True, False]
