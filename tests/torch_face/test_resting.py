"""Parameters without a gradient in some steps, others in each: they rest, and the plan of the step stays."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

torch = pytest.importorskip("torch")

import thalweg as tw  # noqa: E402
import thalweg.torch as tt  # noqa: E402
from thalweg.torch.kernels.plan import Plan  # noqa: E402

SHAPES = [(7,), (3, 4), (5,), (2, 2), (6,), (1,), (4, 3)]
THEIRS: dict[str, dict[str, Any]] = {
    "Adam": {}, "AdamW": {}, "SGD": {"lr": 0.1, "momentum": 0.9}, "NAdam": {}, "RMSprop": {}, "Adagrad": {}, "RAdam": {},
}  # fmt: skip
OURS: dict[str, Callable[[Any], Any]] = {
    "lion": lambda params: tt.Lion(params), "lamb": lambda params: tt.LAMB(params), "prodigy": lambda params: tt.Prodigy(params),
    "dog": lambda params: tt.DoG(params), "adafactor": lambda params: tt.Adafactor(params), "sm3": lambda params: tt.SM3(params),
    "clipped": lambda params: tt.Optimizer(params, tw.chain(tw.clip(1.0), tw.adam())),
    "int8": lambda params: tt.AdamW(params, state_dtype="int8"),
}  # fmt: skip


class Trained:
    """An optimizer that takes steps in which each parameter has a gradient or not, as drawn."""

    def __init__(self, make: Callable[[Any], Any], dtype: Any = torch.float64) -> None:
        torch.manual_seed(0)
        self.params = [torch.nn.Parameter(torch.randn(shape, dtype=dtype)) for shape in SHAPES]
        self.optimizer, self.draw = make(self.params), random.Random(1)

    def step(self, present: list[bool] | None = None) -> None:
        present = [self.draw.random() < 0.5 for _ in self.params] if present is None else present
        for p, there in zip(self.params, present, strict=True):
            gradient = torch.randn(p.shape, dtype=p.dtype)
            p.grad = gradient if there else None
        self.optimizer.step()


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> list[Plan]:
    """The plans that are made."""
    found: list[Plan] = []
    begin = Plan.__init__

    def init(self: Plan, *args: Any, **named: Any) -> None:
        found.append(self)
        begin(self, *args, **named)

    monkeypatch.setattr(Plan, "__init__", init)
    return found


@pytest.mark.parametrize("name", THEIRS)
def test_whoever_has_a_gradient_steps_as_in_torch(name: str, planned: list[Plan]) -> None:
    ours, theirs = (Trained(lambda params, of=of: getattr(of, name)(params, **THEIRS[name])) for of in (tt, torch.optim))
    for trained in (ours, theirs):
        torch.manual_seed(1)
        trained.step([True] * len(SHAPES))
        for _ in range(40):
            trained.step()
    for p, q in zip(ours.params, theirs.params, strict=True):
        torch.testing.assert_close(p, q, rtol=1e-12, atol=1e-14)
    assert len(planned) == 1
    for p, q in zip(ours.params, theirs.params, strict=True):
        if "step" in theirs.optimizer.state[q]:
            assert ours.optimizer.state[p]["step"] == theirs.optimizer.state[q]["step"]


@pytest.mark.parametrize("name", OURS)
def test_a_plan_that_stays_computes_what_a_new_one_does(name: str, planned: list[Plan]) -> None:
    kept, anew = (Trained(OURS[name], torch.float32) for _ in range(2))
    for trained in (kept, anew):
        torch.manual_seed(1)
        for k in range(20):
            if trained is anew:
                trained.optimizer.__dict__.pop("_plan", None)
            trained.step([k % 3 != 0 or i % 2 == 0 for i in range(len(SHAPES))] if k < 6 else None)
        if trained is kept and name != "int8":  # what is kept otherwise is bound with a gradient only
            assert len(planned) <= 2  # some step first when others rest
    for p, q in zip(kept.params, anew.params, strict=True):
        assert torch.equal(p, q)


def _moved(optimizer: Any, p: Any) -> None:
    p.data = p.data.clone()


def _turned(optimizer: Any, p: Any) -> None:
    p.data = p.data.t().contiguous().t()


def _state_moved(optimizer: Any, p: Any) -> None:
    optimizer.state[p]["exp_avg"] = optimizer.state[p]["exp_avg"].clone()


def _state_of_another_dtype(optimizer: Any, p: Any) -> None:
    optimizer.state[p]["exp_avg"] = optimizer.state[p]["exp_avg"].float().double()


def _counted_anew(optimizer: Any, p: Any) -> None:
    optimizer.state[p]["step"].zero_()


def _state_gone(optimizer: Any, p: Any) -> None:
    del optimizer.state[p]


def _rate(optimizer: Any, p: Any) -> None:
    optimizer.param_groups[0]["weight_decay"] = 0.5


@pytest.mark.parametrize(
    "change",
    [_moved, _turned, _state_moved, _state_of_another_dtype, _counted_anew, _state_gone, _rate],
    ids=lambda f: f.__name__,
)
def test_what_is_done_to_a_parameter_at_rest_is_seen_when_it_steps(change: Callable[[Any, Any], None]) -> None:
    rest, every = [i != 1 for i in range(len(SHAPES))], [True] * len(SHAPES)
    ours, theirs = (Trained(lambda params, of=of: of.Adam(params)) for of in (tt, torch.optim))
    for trained in (ours, theirs):
        torch.manual_seed(1)
        for present in (every, every, rest):
            trained.step(present)
        change(trained.optimizer, trained.params[1])
        trained.step(rest)
        before = trained.params[1].detach().clone()
        trained.step(every)
        assert not torch.equal(before, trained.params[1])
        trained.step(rest)
    for p, q in zip(ours.params, theirs.params, strict=True):
        torch.testing.assert_close(p, q, rtol=1e-12, atol=1e-14)


def test_no_state_is_made_for_a_parameter_at_rest() -> None:
    ours, theirs = (
        Trained(lambda params, of=of: of.SGD(params, lr=0.1, momentum=0.9, dampening=0.5)) for of in (tt, torch.optim)
    )
    rest, every = [i != 1 for i in range(len(SHAPES))], [True] * len(SHAPES)
    for trained in (ours, theirs):
        torch.manual_seed(1)
        for present in (every, every, rest):
            trained.step(present)
        trained.optimizer.state[trained.params[1]].clear()
        trained.optimizer.load_state_dict(trained.optimizer.state_dict())
        trained.step(rest)
        assert not trained.optimizer.state[trained.params[1]]
        trained.step(every)
    for p, q in zip(ours.params, theirs.params, strict=True):
        torch.testing.assert_close(p, q, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("kernels", [True, False])
@pytest.mark.parametrize("which", ["parameter", "step", "exp_avg"])
def test_a_parameter_at_rest_whose_memory_is_gone_keeps_nobody_from_stepping(which: str, kernels: bool) -> None:
    ours = Trained(lambda params: tt.Adam(params))
    ours.step([True] * len(SHAPES))
    resting = ours.params[0]
    ours.optimizer.param_groups[0]["differentiable"] = not kernels
    if not kernels:
        ours.optimizer.state[resting]["mine"] = 1  # so that a copy is taken of all that may have to be put back
        for p in ours.params:
            p.requires_grad_(False)
    (resting.data if which == "parameter" else ours.optimizer.state[resting][which]).untyped_storage().resize_(0)
    before = ours.params[1].detach().clone()
    for i in (2, 3):
        ours.step([k not in (0, i) for k in range(len(SHAPES))])
    assert not torch.equal(before, ours.params[1])
    with pytest.raises(RuntimeError, match="memory") as told:
        ours.step([True] * len(SHAPES))
    wanted = 4 if which == "step" else 56  # bytes
    assert f"needs {wanted}:" in str(told.value)
