"""What a group or the state may hold between two steps: torch's numbers, or a sentence."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import thalweg as tw  # noqa: E402
import thalweg.torch as tt  # noqa: E402
from thalweg.torch import places  # noqa: E402
from thalweg.torch.kernels import quick  # noqa: E402


def trained(optimizer: Any, p: Any, rates: list[float]) -> list[float]:
    points = []
    for k, lr in enumerate(rates):
        optimizer.param_groups[0]["lr"] = lr
        p.grad = torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64) * (1 + k % 3)
        optimizer.step()
        points += p.tolist()
    return points


@pytest.mark.parametrize("name", ["ASGD", "SGD", "Adam", "NAdam", "Adagrad", "Adadelta", "RAdam"])  # our Rprop rests at 0
@pytest.mark.parametrize("rates", [[0.1, 0.0, 0.1, 0.1], [0.0, 0.1, 0.1, 0.0, 0.1]])
def test_a_rate_of_zero_in_between(name: str, rates: list[float]) -> None:
    p, q = (torch.nn.Parameter(torch.ones(3, dtype=torch.float64)) for _ in range(2))
    ours, theirs = getattr(tt, name)([p], lr=rates[0]), getattr(torch.optim, name)([q], lr=rates[0])
    tolerance = 1e-6 if name in ("NAdam", "ASGD") else 1e-12  # torch keeps some of their numbers in float32
    assert trained(ours, p, rates) == pytest.approx(trained(theirs, q, rates), rel=tolerance, abs=tolerance)


def test_a_step_size_of_zero_is_not_the_beginning() -> None:
    found = []
    for of in (tt, torch.optim):
        p = torch.nn.Parameter(torch.ones(3, dtype=torch.float64))
        optimizer = of.Rprop([p])
        for k in range(4):
            if k == 2:
                optimizer.state[p]["step_size"].zero_()
            p.grad = torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64)
            optimizer.step()
        found.append(p)
    torch.testing.assert_close(*found, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("order", ["dampening later", "nesterov later"])
def test_dampening_with_nesterov(order: str) -> None:
    found = []
    first, later = ("nesterov", True), ("dampening", 0.5)
    first, later = (first, later) if order == "dampening later" else (later, first)
    for of in (tt, torch.optim):
        p = torch.nn.Parameter(torch.ones(3, dtype=torch.float64))
        optimizer = of.SGD([p], lr=0.1, momentum=0.9, **dict([first]))
        optimizer.param_groups[0][later[0]] = later[1]
        for _ in range(4):
            p.grad = torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64)
            optimizer.step()
        found.append(p)
    torch.testing.assert_close(*found, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("Adam", "lr", "0.1"), ("Adam", "lr", None), ("Adam", "eps", "1e-8"), ("Adam", "weight_decay", "0.1"),
        ("Adam", "betas", ("0.9", "0.99")), ("Adam", "betas", (0.9, 0.99, 0.5)), ("Adam", "betas", (0.9,)), ("Adam", "betas", 0.9),
        ("Rprop", "etas", (0.5, 1.2, 1.0)), ("AdaBound", "lr", lambda t: None), ("Adam", "lr", lambda t: "0.1"),
    ],
)  # fmt: skip
def test_what_is_no_number_is_refused_in_a_sentence_and_nothing_moves(name: str, key: str, value: Any) -> None:
    p = torch.nn.Parameter(torch.ones(3))
    optimizer = getattr(tt, name)([p])
    p.grad = torch.ones(3)
    optimizer.step()
    before, count = p.detach().clone(), float(optimizer.state[p]["step"])
    optimizer.param_groups[0][key] = value
    with pytest.raises((TypeError, ValueError), match=rf"'{key}' is|the schedule .* gave"):
        optimizer.step()
    assert torch.equal(p, before)
    assert float(optimizer.state[p]["step"]) == count


def test_a_count_that_is_text_is_refused() -> None:
    p = torch.nn.Parameter(torch.ones(3))
    optimizer = tt.Adam([p])
    p.grad = torch.ones(3)
    optimizer.step()
    optimizer.state[p]["step"] = "3"
    with pytest.raises(ValueError, match="'step' is '3'"):
        optimizer.step()


def test_a_schedule_that_forgets_to_return_is_refused_inside_a_chain() -> None:
    p = torch.nn.Parameter(torch.ones(3))
    optimizer = tt.Optimizer([p], tw.chain(tw.clip(1.0), tw.adam()), lr=lambda t: None)
    p.grad = torch.ones(3)
    with pytest.raises(TypeError, match="gave None at t = 1; it returns a number"):
        optimizer.step()


def _reversed(optimizer: Any) -> None:
    optimizer.param_groups.reverse()


def _without_the_first(optimizer: Any) -> None:
    optimizer.param_groups.pop(0)


@pytest.mark.parametrize("name", ["Prodigy", "DoG"])
@pytest.mark.parametrize("change", [_reversed, _without_the_first], ids=lambda change: change.__name__)
def test_numbers_of_the_model_follow_its_groups(name: str, change: Callable[[Any], None]) -> None:
    found = []
    for changed in (False, True):
        params = [torch.nn.Parameter(torch.full((3,), i + 1.0, dtype=torch.float64)) for i in range(3)]
        optimizer = getattr(tt, name)([{"params": [p]} for p in params])
        for k in range(12):
            if k == 8 and changed:
                change(optimizer)
            for i, p in enumerate(params):
                p.grad = 2 * p.detach() if i or k < 8 else None
            optimizer.step()
        found.append(params)
    for p, q in zip(*found, strict=True):
        torch.testing.assert_close(p, q, rtol=1e-9, atol=1e-12)  # sums of the model in another order


@pytest.mark.parametrize("name", ["LAMB", "Prodigy", "AdaBound", "Muon"])
@pytest.mark.parametrize("which", ["parameter", "state"])
def test_an_expanded_tensor_is_refused_before_anything_is_written(name: str, which: str) -> None:
    a, b = (torch.nn.Parameter(torch.ones(2, 2)) for _ in range(2))
    optimizer = getattr(tt, name)([a, b])
    a.grad, b.grad = torch.ones(2, 2), torch.ones(2, 2)
    optimizer.step()
    before = a.detach().clone()
    if which == "parameter":
        b.data = torch.ones(1, 1).expand(2, 2)
    else:
        key = next(key for key, x in optimizer.state[b].items() if isinstance(x, torch.Tensor) and x.shape == (2, 2))
        optimizer.state[b][key] = torch.zeros(1, 1).expand(2, 2)
    with pytest.raises(RuntimeError, match="expanded tensor"):
        optimizer.step()
    assert torch.equal(a, before)


def _state(optimizer: Any, p: Any) -> None:
    if "exp_avg" in optimizer.state.get(p, {}):
        optimizer.state[p]["exp_avg"] = torch.zeros(20000)


def _data(optimizer: Any, p: Any) -> None:
    p.data = torch.zeros(20000)


@pytest.mark.parametrize("change", [_state, _data], ids=lambda change: change.__name__)
def test_another_thread_may_replace_tensors(change: Callable[[Any, Any], None]) -> None:
    """The rule is none of torch's, whose own steps, taken where kernels find no tensor at rest, can crash of this."""
    params = [torch.nn.Parameter(torch.zeros(20000)) for _ in range(4)]
    for p in params:
        p.grad = torch.ones(20000)
    optimizer = tt.AdaBelief(params)
    optimizer.step()
    done = threading.Event()

    def replace() -> None:
        k = 0
        while not done.wait(1e-5):
            change(optimizer, params[k % 4])
            k += 1

    other = threading.Thread(target=replace)
    other.start()
    for _ in range(200):
        optimizer.step()
    done.set()
    other.join(60.0)
    assert all(torch.isfinite(p).all() for p in params)


@pytest.mark.parametrize("module", [quick, places], ids=lambda module: module.__name__)
def test_a_tensor_replaced_twice_while_it_is_looked_at_is_seen(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread gives p memory elsewhere before its storage is held, and the old memory before its address is read."""
    memory, ready = np.zeros(1000, np.float32), threading.Event()
    p = torch.nn.Parameter(torch.from_numpy(memory))
    p.grad = torch.ones(1000)
    optimizer: Any = tt.AdaBelief([p])
    for _ in range(3):
        optimizer.step()
    part = optimizer._plan.quick.parts[0]
    read, held = torch.Tensor.untyped_storage, list[Any]()

    def storage(x: torch.Tensor) -> Any:
        if x is p:
            p.data = torch.zeros(1000)
            held.append(read(p))
            p.data = torch.from_numpy(memory)
        return held[-1] if x is p else read(x)

    steps = [lambda: part.holds.__self__.look(), lambda: optimizer._plan.quick._found(optimizer.param_groups, optimizer.state)]
    find = steps[module is quick]
    other = threading.Thread(target=ready.wait)
    other.start()
    try:
        assert find() is not None
        monkeypatch.setattr(module, "_STORAGE", storage)
        assert find() is None
    finally:
        ready.set()
        other.join(60.0)
    assert held
