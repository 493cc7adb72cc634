"""A mistake in a later group of a torch optimizer: what the earlier ones would have had written is as it was."""

from __future__ import annotations

import copy
from typing import Any

import pytest

import thalweg as tw

torch = pytest.importorskip("torch")

import thalweg.torch as tt  # noqa: E402

HOW = {
    "Adam": {"lr": 0.1}, "SGD": {"lr": 0.1, "momentum": 0.9}, "NAdam": {"lr": 0.1}, "RMSprop": {"lr": 0.01, "momentum": 0.5},
    "Adagrad": {"lr": 0.1}, "ASGD": {"lr": 0.1},
}  # fmt: skip


def text_as_rate(o: Any, p: list[Any]) -> None:
    o.param_groups[1]["lr"] = "x"


def gradient_of_another_dtype(o: Any, p: list[Any]) -> None:
    gradient, p[1].grad = p[1].grad, None
    p[1].data = p[1].data.to(torch.float32)
    p[1].grad = gradient.to(torch.float32)
    p[1].data = p[1].data.to(torch.float64)


def sparse_gradient(o: Any, p: list[Any]) -> None:
    p[1].grad = p[1].grad.to_sparse()


def state_of_another_shape(o: Any, p: list[Any]) -> None:
    for key, x in o.state[p[1]].items():
        if torch.is_tensor(x) and x.ndim:
            o.state[p[1]][key] = x.new_zeros(7)


def slot_lost(o: Any, p: list[Any]) -> None:
    o.state[p[1]].clear()
    o.state[p[1]]["step"] = torch.tensor(2.0)


def rate_as_tensor(o: Any, p: list[Any]) -> None:
    o.param_groups[1].update(lr=torch.tensor(0.1), foreach=True)


def captured_on_the_cpu(o: Any, p: list[Any]) -> None:
    o.param_groups[1]["capturable"] = True


MISTAKES = [
    text_as_rate, gradient_of_another_dtype, sparse_gradient, state_of_another_shape, slot_lost, rate_as_tensor,
    captured_on_the_cpu,
]  # fmt: skip
HALF_WAY: dict[str, Any] = {
    **{name: lambda p, name=name: getattr(tt, name)(p, **HOW[name]) for name in HOW},
    "unfused": lambda p: tt.LAMB(p, lr=0.1),
    "ours": lambda p: tt.AdaBelief(p, lr=0.1),
    "whole": lambda p: tt.Optimizer(p, tw.chain(tw.clip(1.0), tw.adam()), lr=0.1),
}


def as_dense(x: Any) -> Any:
    return x.to_dense() if torch.is_tensor(x) else torch.as_tensor(x)


EVERY_DAY = {("Adam", "complex", f.__name__) for f in MISTAKES} | {
    (make, "sparse", f.__name__) for make in ("unfused", "ours", "SGD") for f in (text_as_rate, state_of_another_shape)
}


@pytest.mark.filterwarnings("ignore:Sparse invariant checks:UserWarning")  # torch's own word about to_sparse()
@pytest.mark.parametrize(
    ("make", "first", "mistake"),
    [
        pytest.param(make, first, f, marks=() if (make, first, f.__name__) in EVERY_DAY else pytest.mark.slow)
        for make in HALF_WAY
        for first in ("plain", "complex", "sparse")
        for f in MISTAKES
    ],
    ids=lambda x: x if isinstance(x, str) else x.__name__,
)
def test_a_mistake_in_the_second_group_leaves_the_first(make: str, first: str, mistake: Any) -> None:
    """Where kernels run, and where torch's own step or the functions do: complex and sparse gradients have no kernels."""
    start = torch.ones(5, dtype=torch.complex128 if first == "complex" else torch.float64)
    p = [torch.nn.Parameter(start), torch.nn.Parameter(torch.ones(5, dtype=torch.float64))]
    o = HALF_WAY[make]([{"params": [p[0]]}, {"params": [p[1]]}])
    try:
        for t in range(3):
            for x in p:
                x.grad = torch.full_like(x, 1.0 + t)
            if first == "sparse":
                p[0].grad = p[0].grad.to_sparse()
            if t == 2:
                mistake(o, p)
                before, state = [x.detach().clone() for x in p], {x: copy.deepcopy(dict(o.state[x])) for x in p if x in o.state}
            o.step()
    except (RuntimeError, TypeError, ValueError, KeyError, AssertionError):
        if t < 2:
            return  # it takes no such tensors at all
        assert all(torch.equal(x, y) for x, y in zip(p, before, strict=True))
        assert {x for x in p if o.state.get(x)} == {x for x in state if state[x]}
        for x, was in state.items():
            now = o.state[x]
            assert now.keys() == was.keys()
            assert all(torch.equal(as_dense(now[k]), as_dense(was[k])) for k in was if was[k] is not None)


@pytest.mark.parametrize("mistake", [text_as_rate, state_of_another_shape, slot_lost, sparse_gradient], ids=lambda f: f.__name__)
def test_the_same_of_tensors_kept_otherwise(mistake: Any) -> None:
    p = [torch.nn.Parameter(torch.ones(600)) for _ in range(2)]
    o = tt.Adam([{"params": [p[0]]}, {"params": [p[1]]}], lr=0.1, state_dtype="int8")
    for _ in range(2):
        for x in p:
            x.grad = torch.ones(600)
        o.grad_scale = torch.tensor(1.0)  # which no kernel here reads
        o.found_inf = torch.tensor(0.0)
        o.step()
    before, kept = p[0].detach().clone(), copy.deepcopy(dict(o.state[p[0]]))
    mistake(o, p)
    if mistake is slot_lost:
        o.param_groups[1]["lr"] = "x"
    with pytest.raises((RuntimeError, TypeError, ValueError)):
        o.step()
    assert torch.equal(p[0], before)
    assert all(torch.equal(o.state[p[0]][key], kept[key]) for key in kept)


# tensors that torch seals


SEALED: dict[str, Any] = {
    **HALF_WAY,
    "kept": lambda p: tt.Adam(p, lr=0.1, state_dtype="int8"),
    "every": lambda p: tt.Optimizer(p, tw.every(2, tw.adam()), lr=0.1),
    "sam": lambda p: tt.Optimizer(p, tw.chain(tw.sam(), tw.adam()), lr=0.1),
}


@pytest.mark.parametrize(("which", "steps"), [("parameter", 0), ("parameter", 2), ("state", 0), ("state", 2)])
@pytest.mark.parametrize("make", SEALED)
def test_what_was_made_under_inference_mode_is_told_before_anything_is_written(make: str, steps: int, which: str) -> None:
    a = torch.nn.Parameter(torch.ones(3, 2))
    with torch.inference_mode():
        sealed = torch.nn.Parameter(torch.ones(2, 2))
    b = torch.nn.Parameter(torch.ones(2, 2))
    o = SEALED[make]([{"params": [a]}, {"params": [b]}])

    def closure() -> float:
        for group in o.param_groups:
            for p in group["params"]:
                p.grad = torch.ones_like(p)
        return 1.0

    for _ in range(steps):
        o.step(closure)
    if which == "parameter":
        o.param_groups[1]["params"][0] = b = sealed
    else:
        o.step(closure)
        with torch.inference_mode():
            o.state[b].update({key: x.clone() for key, x in o.state[b].items() if torch.is_tensor(x)})
    before = a.detach().clone(), b.detach().clone()
    state = {x: copy.deepcopy(dict(o.state[x])) for x in (a, b) if x in o.state}
    for _ in range(2):
        with pytest.raises(RuntimeError, match=r"was made under torch\.inference_mode"):
            o.step(closure)
    assert torch.equal(a, before[0])
    assert torch.equal(b, before[1])
    for x in (a, b):
        now, was = o.state.get(x, {}), state.get(x, {})
        assert now.keys() == was.keys()
        assert all(torch.equal(torch.as_tensor(now[k]), torch.as_tensor(was[k])) for k in was if was[k] is not None)
    with torch.inference_mode():
        o.step(closure)


def test_a_resting_parameter_of_inference_mode_lets_the_others_step() -> None:
    with torch.inference_mode():
        sealed = torch.nn.Parameter(torch.ones(2), requires_grad=False)
    for make in SEALED.values():
        p = torch.nn.Parameter(torch.ones(2))
        o = make([{"params": [sealed]}, {"params": [p]}])

        def closure(p: Any = p) -> float:
            p.grad = torch.ones_like(p)
            return 1.0

        for _ in range(2):
            o.step(closure)
        assert not torch.equal(p, torch.ones(2))
