"""The compiled loop that tells tensors apart by torch's facts about them: the same ones pass, and none of another kind."""

from __future__ import annotations

import gc
from typing import Any

import pytest

torch = pytest.importorskip("torch")

import thalweg.torch as tt  # noqa: E402
from thalweg.torch import reader  # noqa: E402
from thalweg.torch.kernels import facts, quick  # noqa: E402

try:
    reader.entries()
    facts.begin()
except LookupError as missing:
    pytest.skip(f"this torch's tensors lie otherwise: {missing}", allow_module_level=True)


def test_where_facts_lie_as_they_do_here_the_loop_tells_tensors_apart() -> None:
    """A loop that does not is never used, so that only its absence would show."""
    assert facts.available()


SHAPES = [(), (1,), (0,), (5,), (2, 3), (3, 2), (1, 2, 3), (6,), (2, 3, 1, 2, 4), (2, 3, 1, 4, 2)]
DTYPES = [torch.float32, torch.float64, torch.bfloat16, torch.float16, torch.int32, torch.complex64]


def kinds() -> list[Any]:
    """Tensors that differ in one fact or another."""
    found = [torch.ones(shape, dtype=dtype) for shape in SHAPES for dtype in DTYPES]
    wide = torch.ones(4, 6)
    found += [
        wide[:2, :3],
        wide[::2, :3],
        wide.T[:2, :3],
        wide[:2, ::2],
        wide[:1, :3].expand(2, 3),
        torch.nn.Parameter(wide[:2, :3]),
    ]
    found += [
        torch._neg_view(torch.ones(2, 3)),
        torch.ones(2, 3, dtype=torch.complex64).conj(),
        torch._efficientzerotensor((2, 3)),
    ]
    found += [torch.ones(2, 3, device="meta"), torch.ones(2, 3).to_sparse(), torch.ones(2, 3).to_mkldnn()]
    with torch.inference_mode():
        found.append(torch.ones(2, 3))
    return found


def test_each_kind_is_told_from_each_other() -> None:
    every = kinds()
    for i, x in enumerate(every):
        known = facts.Facts([x])
        assert [known.hold_of([y]) for y in every] == [i == k for k in range(len(every))]


class Own(torch.Tensor):
    """A subclass of a user's."""


def test_no_object_but_a_tensor_passes() -> None:
    known = facts.Facts([torch.ones(3)])
    for other in (None, 1.0, [1], object(), torch.ones(3).untyped_storage(), torch.ones(3).as_subclass(Own), torch.Size([3])):
        assert not known.hold_of([other])
    assert not known.hold_of([])
    assert not known.hold_of([torch.ones(3)] * 2)


def test_what_is_no_fact_does_not_count() -> None:
    """Where it lies, whether it needs a gradient, how it came about: all of that is seen by others, or does not matter."""
    known = facts.Facts([torch.ones(2, 3)])
    w = torch.ones(2, 3, requires_grad=True)
    (2 * w).sum().backward()
    for y in (torch.ones(9)[3:].view(2, 3), w, w.detach(), w.data, w.grad, torch.ones(2, 3).share_memory_(), w.clone(), w + 1):
        assert known.hold_of([y])
    for _ in range(500):  # torch leaves some bits as the memory was
        torch.randn(torch.randint(9, (3,)).tolist())
        assert known.hold_of([torch.randn(2, 3).mul(2.0)])


@pytest.mark.parametrize("wrong", range(40))
def test_a_difference_is_found_at_every_place(wrong: int) -> None:
    known = facts.Facts([torch.ones(3, 2)] * 40)
    tensors = [torch.zeros(3, 2) for _ in range(40)]
    assert known.hold_of(tensors)
    tensors[wrong] = torch.zeros(2, 3)
    assert not known.hold_of(tensors)
    tensors[wrong] = None
    assert not known.hold_of(tensors)


def test_more_axes_than_lie_in_the_tensor_itself_are_refused() -> None:
    with pytest.raises(LookupError):
        facts.Facts([torch.ones(1, 1, 1, 1, 1, 1)])
    with pytest.raises(LookupError):
        facts.Facts([torch.ones(3), None])


def test_facts_outlive_the_tensors_and_hold_none() -> None:
    x = torch.ones(2, 3)
    known = facts.Facts([x])
    del x
    gc.collect()
    assert known.hold_of([torch.zeros(2, 3)])


@pytest.mark.parametrize("by", ["loop", "guard"])
@pytest.mark.parametrize("axes", [2, 6])
def test_the_usual_step_looks_at_each_tensor(by: str, axes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the loop, with torch's guard where there is none, and with tensors that the loop does not know."""
    if by == "guard":
        monkeypatch.setattr(quick.facts, "available", lambda: False)
    params = [torch.nn.Parameter(torch.ones((2, 3) if k else (2, 3, *[1] * (axes - 2)))) for k in range(3)]
    optimizer = tt.AdamW(params, lr=0.1)
    for _ in range(3):
        for p in params:
            p.grad = torch.ones_like(p)
        optimizer.step()
    usual = optimizer.__dict__["_plan"].quick
    assert [part.facts is not None for part in usual.parts] == [by == "loop" and axes == 2]
    assert usual.step(optimizer)
    for k in range(3):
        before, p = params[k].grad, params[k]
        p.grad = torch._neg_view(torch.ones_like(p))
        assert not usual.step(optimizer)
        p.grad = before
        exp_avg = optimizer.state[p]["exp_avg"]
        optimizer.state[p]["exp_avg"] = exp_avg.view(3, 2, *exp_avg.shape[2:])
        assert not usual.step(optimizer)
        optimizer.state[p]["exp_avg"] = exp_avg
        assert usual.step(optimizer)


@pytest.mark.parametrize("by", ["loop", "guard"])
def test_what_this_thread_does_with_tensors_is_seen(by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if by == "guard":
        monkeypatch.setattr(quick.facts, "available", lambda: False)
    p = torch.nn.Parameter(torch.ones(3))
    optimizer = tt.AdamW([p], lr=0.1)
    for _ in range(3):
        p.grad = torch.ones(3)
        optimizer.step()
    usual = optimizer.__dict__["_plan"].quick
    with torch.inference_mode():
        assert not usual.step(optimizer)
    assert usual.step(optimizer)
