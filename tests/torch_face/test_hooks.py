"""Hooks and the profiler see a step as they see one of torch's, whichever way it goes."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")

import thalweg.torch as tt  # noqa: E402
from thalweg.engines import native  # noqa: E402
from torch_face.problems import by_kernels, drive, problem  # noqa: E402


def test_hooks_are_called_once_whichever_way_a_step_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    p, g = problem()
    optimizer, calls = tt.Adam(p), []
    optimizer.register_step_pre_hook(lambda *_: calls.append("before"))
    optimizer.register_step_post_hook(lambda *_: calls.append("after"))
    torch.optim.Adam(problem()[0]).step()  # torch's own class has its hooks in place from now on
    drive(optimizer, p, g[:1])
    monkeypatch.setattr(native, "available", lambda: False)  # torch's own step, then
    del optimizer.__dict__["_plan"]
    drive(optimizer, p, g[:1])
    assert not by_kernels(optimizer)
    assert calls == ["before", "after"] * 2


def calls_of_hooks(make: Any, before: Any) -> list[str]:
    """What happens in two steps of a class that overrides `step`; before: what is done first."""
    make(problem()[0], lr=0.1)  # from the first of its kind on, torch has a class's own step wrapped

    class Base(make):  # type: ignore[misc]
        pass

    class Mine(Base):  # type: ignore[misc]
        def step(self, closure: Any = None) -> Any:
            calls.append("mine")
            return super().step(closure)

    (p, g), calls = problem(), list[str]()
    optimizer = Mine(p, lr=0.1)
    optimizer.register_step_pre_hook(lambda *_: calls.append("before"))
    optimizer.register_step_post_hook(lambda *_: calls.append("after"))
    before(Base, optimizer, calls)
    drive(optimizer, p, g[:2])
    return calls


def nothing(base: Any, optimizer: Any, calls: list[str]) -> None:
    """Only the class that overrides `step` is ever made."""


def made_too(base: Any, optimizer: Any, calls: list[str]) -> None:
    """The class that it overrides it of is made as well."""
    base(problem()[0], lr=0.1)


def patched(base: Any, optimizer: Any, calls: list[str]) -> None:
    """Somebody puts another function in the place of the class's step."""
    mine = type(optimizer)
    original = mine.step

    def timed(self: Any, *args: Any, **named: Any) -> Any:
        calls.append("timed")
        return original(self, *args, **named)

    mine.step = timed


@pytest.mark.parametrize("before", [nothing, made_too, patched], ids=lambda before: before.__name__)
@pytest.mark.parametrize("make", [tt.Adam, tt.Lion])
def test_hooks_are_called_as_torch_calls_them(make: Any, before: Any) -> None:
    expected = calls_of_hooks(torch.optim.Adam, before)
    assert {"before", "mine", "after"} <= set(expected)
    assert calls_of_hooks(make, before) == expected


def test_a_global_hook_and_a_hook_that_hands_over_a_closure() -> None:
    from torch.optim.optimizer import register_optimizer_step_post_hook

    p, g = problem()
    optimizer, calls = tt.Adam(p), []
    for x, own in zip(p, g[0], strict=True):
        x.grad = own
    taken = register_optimizer_step_post_hook(lambda optimizer, args, named: calls.append((args, named)))
    try:
        optimizer.step()
    finally:
        taken.remove()
    assert calls == [((optimizer,), {})]
    optimizer.register_step_pre_hook(lambda optimizer, args, named: ((optimizer, lambda: torch.tensor(3.0)), {}))
    assert optimizer.step() == 3.0


@pytest.mark.parametrize("make", [tt.AdamW, tt.Lion])
def test_a_profiler_sees_each_step(make: Any) -> None:
    p, g = problem()
    optimizer = make(p, lr=0.1)
    drive(optimizer, p, g[:1])
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profiler:
        drive(optimizer, p, g[:2])
    counts = {event.key: event.count for event in profiler.key_averages()}
    assert counts[f"Optimizer.step#{make.__name__}.step"] == 2
