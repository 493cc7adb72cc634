"""What autograd and the rest of torch rely on: version counters, references, modes, pickles."""

from __future__ import annotations

import gc
import io
import weakref
from typing import Any

import pytest
from support import first

import thalweg as tw

torch = pytest.importorskip("torch")

import thalweg.torch as tt  # noqa: E402

CLASSES: dict[str, Any] = {
    "adam": tt.Adam, "sgd": lambda p: tt.SGD(p, lr=0.1), "ours": tt.AdaBelief, "unfused": tt.LAMB,
    "kept": lambda p: tt.Adam(p, state_dtype="int8"),
    "chain": lambda p: tt.Optimizer(p, tw.chain(tw.clip(1.0), tw.adam()), lr=0.1),
}  # fmt: skip


@pytest.mark.parametrize("make", CLASSES.values(), ids=CLASSES)
def test_backward_through_what_was_stepped_is_refused(make: Any) -> None:
    p = torch.nn.Parameter(torch.ones(3))
    optimizer = make([p])
    for _ in range(2):
        loss = (p * p).sum()
        p.grad = torch.ones(3)
        kept = {key: x._version for key, x in optimizer.state[p].items() if torch.is_tensor(x)}
        optimizer.step()
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            loss.backward()
        assert all(optimizer.state[p][key]._version > version for key, version in kept.items())


@pytest.mark.parametrize("name", first(CLASSES, 2))
def test_gradients_and_parameters_are_let_go(name: str) -> None:
    p = torch.nn.Parameter(torch.ones(4))
    optimizer = CLASSES[name]([p])
    for _ in range(3):
        optimizer.zero_grad()
        p.square().sum().backward()
        optimizer.step()
    gc.collect()
    gc.disable()
    try:
        gradient, parameter = weakref.ref(p.grad), weakref.ref(p)
        optimizer.zero_grad()
        assert gradient() is None
        memory = weakref.ref(p.data.untyped_storage())
        p.data = p.data.clone()
        assert memory() is None
        del p, optimizer
        assert parameter() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("make", CLASSES.values(), ids=CLASSES)
def test_modes_see_the_step(make: Any) -> None:
    from torch.overrides import TorchFunctionMode
    from torch.utils._python_dispatch import TorchDispatchMode

    class Dispatched(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            written.extend(x for x in [*args[:1], *(args[0] if args and isinstance(args[0], list) else [])] if "_" in str(func))
            return func(*args, **(kwargs or {}))

    class Called(TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            written.extend(args[:1])
            return func(*args, **(kwargs or {}))

    p = torch.nn.Parameter(torch.ones(4))
    optimizer = make([p])
    for mode in (Dispatched, Called):
        written: list[Any] = []
        p.grad = torch.ones(4)
        optimizer.step()
        before = p.detach().clone()
        with mode():
            optimizer.step()
        assert not torch.equal(p, before)
        assert any(torch.is_tensor(x) and x.data_ptr() == p.data_ptr() for x in written)


@pytest.mark.parametrize("make", CLASSES.values(), ids=CLASSES)
def test_optimizer_and_parameters_go_through_a_file_between_two_steps(make: Any) -> None:
    p = torch.nn.Parameter(torch.ones(600))
    optimizer = make([p])
    p.grad = torch.ones(600)
    optimizer.step()
    file = io.BytesIO()
    torch.save((p, optimizer), file)
    file.seek(0)
    q, other = torch.load(file, weights_only=False)
    for x, o in ((p, optimizer), (q, other)):
        x.grad = torch.full((600,), 0.5)
        o.step()
    assert p is not q
    assert torch.equal(p, q)
