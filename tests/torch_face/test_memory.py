"""State of another shape, and memory that was taken away: both are refused before anything is written."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")

import thalweg.torch as tt  # noqa: E402


@pytest.mark.parametrize("change", [(100, 1000), (1000, 100), (100, 1)], ids=str)
@pytest.mark.parametrize("make", [tt.Adam, tt.AdaBelief, lambda p: tt.Adam(p, state_dtype="int8"), tt.SGD, tt.LAMB, tt.Prodigy])
def test_a_state_of_another_shape_is_refused(make: Any, change: tuple[int, int]) -> None:
    a, b = (torch.nn.Parameter(torch.zeros(n)) for n in change)
    a.grad, b.grad = torch.ones_like(a), torch.ones_like(b)
    options = {"lr": 0.1, "momentum": 0.9} if make is tt.SGD else {}
    first, second = make([a], **options), make([b], **options)
    first.step()
    second.load_state_dict(first.state_dict())
    counts = [float(s["step"]) for s in second.state.values() if "step" in s]
    with pytest.raises(RuntimeError, match="shape"):
        second.step()
    assert not b.any()
    assert [float(s["step"]) for s in second.state.values() if "step" in s] == counts


@pytest.mark.parametrize("key", ["exp_avg_scale", "exp_avg", "lost"])
def test_what_is_kept_beside_is_looked_at_too(key: str) -> None:
    p = torch.nn.Parameter(torch.zeros(600, dtype=torch.bfloat16))
    p.grad = torch.ones_like(p)
    optimizer = tt.Adam([p], state_dtype="int8", rounding="kahan")
    optimizer.step()
    optimizer.state[p][key] = optimizer.state[p][key][:1].clone()
    before = p.detach().clone()
    with pytest.raises(RuntimeError, match=key):
        optimizer.step()
    assert torch.equal(p, before)


@pytest.mark.parametrize("which", ["parameter", "gradient", "state"])
def test_memory_that_is_gone_is_told(which: str) -> None:
    p = torch.nn.Parameter(torch.zeros(1000))
    optimizer = tt.Adam([p])
    p.grad = torch.ones_like(p)
    optimizer.step()
    tensor = {"parameter": p.data, "gradient": p.grad, "state": optimizer.state[p]["exp_avg"]}[which]
    tensor.untyped_storage().resize_(8)
    with pytest.raises(RuntimeError, match="memory"):
        optimizer.step()


@pytest.mark.parametrize("which", ["parameter", "gradient", "state"])
def test_memory_resized_twice_to_the_address_of_before_is_told(which: str) -> None:
    p = torch.nn.Parameter(torch.zeros(1000))
    optimizer = tt.Adam([p])
    p.grad = torch.ones_like(p)
    for _ in range(2):
        optimizer.step()
    tensor = {"parameter": p.data, "gradient": p.grad, "state": optimizer.state[p]["exp_avg"]}[which]
    address, storage = tensor.data_ptr(), tensor.untyped_storage()
    storage.resize_(64)
    for size in range(3999, 64, -1):  # the allocator gives the same place again for most of them
        storage.resize_(size)
        if tensor.data_ptr() == address:
            break
    with pytest.raises(RuntimeError, match="needs 4000"):
        optimizer.step()


@pytest.mark.parametrize("make", [tt.Muon, tt.Adafactor, lambda params: tt.Adam(params, differentiable=True)])
@pytest.mark.parametrize("which", ["parameter", "gradient"])
def test_memory_that_is_gone_is_told_without_kernels_too(make: Any, which: str) -> None:
    p = torch.nn.Parameter(torch.zeros(50, 20))
    optimizer = make([p])
    p.grad = torch.ones_like(p)
    {"parameter": p.data, "gradient": p.grad}[which].untyped_storage().resize_(64)
    with pytest.raises(RuntimeError, match="needs 4000"):
        optimizer.step()
