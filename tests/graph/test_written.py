"""Parameters that are kept in two parts and that the user writes between two steps."""

from __future__ import annotations

from typing import Any

import pytest
from support import drive

torch = pytest.importorskip("torch")

import thalweg.torch as tt  # noqa: E402
from graph.test_storage import problem, same_bits  # noqa: E402
from thalweg.engines import native  # noqa: E402
from thalweg.graph import storage  # noqa: E402
from thalweg.graph.program import Program  # noqa: E402
from thalweg.torch import interpreter as interpreter  # noqa: E402
from thalweg.values.symbols import TENSOR, Symbol  # noqa: E402


def zeroed(p: Any, optimizer: Any) -> None:
    p.zero_()


def partly_written(p: Any, optimizer: Any) -> None:
    p[::3] = 0.015625


def widened_stepped_and_narrowed(p: Any, optimizer: Any) -> None:
    narrow, gradient = p.dtype, p.grad
    p.data, p.grad = p.data.float(), None
    for _ in range(5):
        p.grad = torch.ones_like(p)
        optimizer.step()
    p.grad = None
    p.data, p.grad = p.data.to(narrow), gradient


@pytest.mark.parametrize("kernels", [True, False], ids=["kernel", "words"])
@pytest.mark.parametrize("change", [zeroed, partly_written, widened_stepped_and_narrowed], ids=lambda f: f.__name__)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("rounding", ["master", "kahan"])
def test_what_is_written_into_a_parameter_is_the_parameter(
    rounding: str, dtype: Any, change: Any, kernels: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is kept beside it goes on only where it is that of the number that stands there."""
    if not kernels:
        monkeypatch.setattr(native, "available", lambda: False)

    def run(forgets: bool, rate: float) -> tuple[Any, Any]:
        (p,), gradients = problem(dtype, shapes=[(300,)])
        optimizer = tt.AdamW([p], lr=0.01, rounding=rounding, weight_decay=0.0)
        drive(optimizer, [p], gradients[:4])
        before = p.clone()
        change(p, optimizer)
        written = p.clone()
        if forgets:
            state = optimizer.state[p]
            state["master"] = torch.where(p == before, state["master"], p.float())
        optimizer.param_groups[0]["lr"] = rate
        drive(optimizer, [p], gradients[4:])
        return p, written

    moved, written = run(False, 0.0)
    torch.testing.assert_close(moved, written, rtol=torch.finfo(dtype).eps, atol=0.0)  # by a tie, for what is lost
    if rounding == "master":
        assert same_bits(moved, written)
        assert same_bits(run(False, 0.01)[0], run(True, 0.01)[0])


def test_what_rounding_loses_is_never_taken_for_more() -> None:
    """Ties, numbers next to powers of two, subnormal ones, and infinity."""
    draw = torch.Generator().manual_seed(0)
    for dtype in (torch.bfloat16, torch.float16):
        powers = 2.0 ** torch.arange(-24, 15)
        near = torch.cat([powers * (1 + k * torch.finfo(dtype).eps / 8) for k in range(-8, 9)])
        wide = torch.cat([near, -near, torch.randn(10_000, generator=draw), torch.zeros(1)])
        p = wide.to(dtype)
        lost = (wide - p.float()).to(dtype)
        assert torch.equal(words(storage.with_lost, p, lost), p.float() + lost.float())
        assert torch.equal(words(storage.master_of, p, wide), wide)
        huge = torch.tensor([float("inf")]).to(dtype)
        assert torch.equal(words(storage.with_lost, huge, huge * 0), huge.float())


def words(way: Any, p: Any, beside: Any) -> Any:
    """What a word of storage gives, by the interpreter."""
    name = {torch.bfloat16: "bfloat16", torch.float16: "float16"}[p.dtype]
    made = Program([], way(Symbol.input("p", TENSOR), Symbol.input("beside", TENSOR), name))
    return interpreter.run(made, {"p": p, "beside": beside}, 0)[0]
