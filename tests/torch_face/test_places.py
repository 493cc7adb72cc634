"""Whether tensors are as they were: torch's own guard, one call for all, finds what asking each tensor finds."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import thalweg.torch as tt  # noqa: E402
from thalweg.torch import places, reader  # noqa: E402


def made() -> tuple[list[Any], list[dict[str, Any]]]:
    params = [torch.nn.Parameter(torch.randn(4, 3)), torch.nn.Parameter(torch.randn(5))]
    for p in params:
        p.grad = torch.randn_like(p)
    return params, [{"m": torch.randn_like(p.detach())} for p in params]


def _resize(p: Any, state: Any) -> None:
    state["m"].resize_(2, 3)


def _data(p: Any, state: Any) -> None:
    p.data = torch.randn(3, 4).t()


def _shrink(p: Any, state: Any) -> None:
    state["m"].set_(torch.randn(2, 2))


def _another_dtype(p: Any, state: Any) -> None:
    state["m"] = state["m"].double()


def _another_state(p: Any, state: Any) -> None:
    state["m"] = torch.randn(4, 3)


def _no_tensor(p: Any, state: Any) -> None:
    state["m"] = 1.0


def _gone(p: Any, state: Any) -> None:
    del state["m"]


def _no_gradient(p: Any, state: Any) -> None:
    p.grad = None


def _transposed_gradient(p: Any, state: Any) -> None:
    p.grad = torch.randn(3, 4).t()


def _negative_gradient(p: Any, state: Any) -> None:
    p.grad = torch._neg_view(torch.randn(4, 3))


def _zero_gradient(p: Any, state: Any) -> None:
    p.grad = torch._efficientzerotensor((4, 3))


def _sparse_gradient(p: Any, state: Any) -> None:
    p.grad = torch.randn(4, 3).to_sparse()


def _gradient_over_the_state(p: Any, state: Any) -> None:
    p.grad = state["m"].view(4, 3)


def _another_gradient(p: Any, state: Any) -> None:
    p.grad = torch.randn(4, 3)


def _needs_no_gradient(p: Any, state: Any) -> None:
    p.requires_grad_(False)


def _nothing(p: Any, state: Any) -> None:
    pass


CHANGES: list[Callable[[Any, Any], None]] = [
    _resize, _data, _shrink, _another_dtype, _another_state, _no_tensor, _gone, _no_gradient, _transposed_gradient,
    _negative_gradient, _zero_gradient, _sparse_gradient, _gradient_over_the_state, _another_gradient, _needs_no_gradient, _nothing,
]  # fmt: skip
HARMLESS = {_transposed_gradient, _negative_gradient, _zero_gradient, _another_gradient, _needs_no_gradient, _nothing}


@pytest.mark.parametrize("by", ["loop", "guard", "each tensor"])
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_change_is_found(change: Any, by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    known, params, states = _known(by, monkeypatch)
    change(params[0], states[0])
    found = known.look()
    assert (found is not None) == (change in HARMLESS)
    if found is not None:
        assert torch.equal(found[1][0], params[0].grad)
        assert found[1][0].stride() == params[0].stride()


def _known(by: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, list[Any], list[Any]]:
    """Places that were looked at once, as they are where there is a compiled loop, only torch's guard, or neither."""
    if by == "each tensor":
        monkeypatch.setattr(places, "guard", lambda tensors: None)
    elif places.guard([torch.ones(1)]) is None:
        pytest.skip("this torch has no such guard")
    if by == "guard":
        monkeypatch.setattr(places, "available", lambda: False)
    elif by == "loop" and not reader.available():
        pytest.skip("this torch has no such interface; tests/torch_face/test_reader.py says whether it should")
    params, states = made()
    known = places.Places(params, states, ["m"])
    assert known.look() is not None
    assert (known.guard is not None, known.reader is not None) == (by != "each tensor", by == "loop")
    return known, params, states


@pytest.mark.parametrize("by", ["loop", "guard", "each tensor"])
def test_gradients_are_found_where_they_are_now(by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Offsets into a storage count. A misaligned gradient is copied, and every other one is taken as it is."""
    known, params, _ = _known(by, monkeypatch)
    room = torch.randn(20)
    for given in (room[:12].view(4, 3), room[5:17].view(4, 3), torch.randn(4, 3)):
        params[0].grad = given
        found = known.look()
        assert found[1][0] is given
        assert list(known.there) == [given.data_ptr(), params[1].grad.data_ptr()]
    bytes_ = np.zeros(49, np.int8)[1:]
    params[0].grad = torch.frombuffer(bytes_, dtype=torch.float32).view(4, 3)
    assert params[0].grad.data_ptr() % 4
    found = known.look()
    assert found[1][0] is not params[0].grad
    assert torch.equal(found[1][0], params[0].grad)
    assert next(iter(known.there)) == found[1][0].data_ptr()


def test_the_guard_holds_no_tensor() -> None:
    params, states = made()
    known = places.Places(params, states, ["m"])
    assert known.look() is not None
    held = [weakref.ref(params[0].grad), weakref.ref(states[0]["m"])]
    params[0].grad, states[0]["m"] = None, None
    gc.collect()
    assert [one() for one in held] == [None, None]
    assert known.look() is None


@pytest.mark.parametrize("name", ["Adam", "SGD", "Lion"])
def test_an_empty_parameter_of_numpys_steps(name: str) -> None:
    """NumPy's empty arrays have strides of 0, as expanded tensors do."""
    empty, p = torch.nn.Parameter(torch.tensor(np.zeros((0, 3)))), torch.nn.Parameter(torch.ones(3, dtype=torch.float64))
    optimizer = getattr(tt, name)([empty, p], lr=0.1)
    empty.grad, p.grad = torch.tensor(np.zeros((0, 3))), torch.ones(3, dtype=torch.float64)
    optimizer.step()
    assert not torch.equal(p, torch.ones(3, dtype=torch.float64))
