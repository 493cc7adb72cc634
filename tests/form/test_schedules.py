"""Schedules against the formulas of their papers, and against torch's and optax's of the same kind."""

from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from oracles import stages

import thalweg as tw
import thalweg.numpy as tn
from thalweg.form import schedules

T = range(1, 31)


def same(mine: Any, truth: Any) -> None:
    np.testing.assert_allclose([mine(t) for t in T], [truth(t) for t in T], rtol=1e-14, atol=1e-15)


def test_schedules_equal_their_formulas() -> None:
    same(schedules.constant(0.3), lambda t: 0.3)
    same(schedules.linear(0.3, 20, 0.1), lambda t: 0.3 + (0.1 - 0.3) * min(1, (t - 1) / 20))
    same(schedules.cosine(0.3, 20, 0.1), lambda t: 0.1 + 0.2 * 0.5 * (1 + math.cos(math.pi * min(1, (t - 1) / 20))))
    same(schedules.inverse_sqrt(0.3, 5), lambda t: 0.3 * min(t / 5, math.sqrt(5 / t)))
    same(schedules.inverse_sqrt(0.3), stages.inverse_sqrt(0.3))
    same(schedules.warm_up(4, 0.3), lambda t: 0.3 * min(1, t / 4))
    same(schedules.warm_up(4, schedules.linear(0.3, 20)), lambda t: min(1, t / 4) * 0.3 * (1 - min(1, (t - 1) / 20)))


def test_schedules_run_on_numbers_lanes_and_tracers() -> None:
    peak = np.array([0.1, 0.2])
    together = tw.Optimizer(tw.sgd(), lr=schedules.warm_up(3, schedules.cosine(peak, 5)), lanes=2)
    p = {"w": np.zeros((2, 1))}
    state = together.init(p)
    for _ in range(4):
        p, state = together.step(p, {"w": np.ones((2, 1))}, state)
    alone = [sum(schedules.warm_up(3, schedules.cosine(x, 5))(t) for t in range(1, 5)) for x in peak]
    np.testing.assert_allclose(p["w"][:, 0], [-x for x in alone], rtol=1e-14)


@pytest.mark.parametrize("bad", [0, -1, 2.5, "3", True])
def test_schedules_count_updates(bad: Any) -> None:
    for make in (
        schedules.linear,
        schedules.cosine,
        schedules.inverse_sqrt,
        schedules.rex,
        schedules.restarts,
        schedules.polynomial,
    ):
        with pytest.raises(ValueError, match="steps counts updates"):
            make(0.1, bad)
    with pytest.raises(ValueError, match="steps counts updates"):
        schedules.warm_up(bad, 0.1)


@pytest.mark.parametrize("whole", [np.int64, np.int32, np.uint16])
def test_updates_may_be_counted_by_numpys_whole_numbers(whole: Any) -> None:
    """As `len(x) * np.ceil(...)` or a shape's product gives them."""
    for given, plain in (
        (schedules.cosine(0.1, whole(9)), schedules.cosine(0.1, 9)),
        (schedules.restarts(0.1, whole(3), whole(2)), schedules.restarts(0.1, 3, 2)),
        (schedules.piecewise(0.1, (whole(3), whole(6))), schedules.piecewise(0.1, (3, 6))),
    ):
        assert (given, repr(given)) == (plain, repr(plain))
        same(given, plain)


def stable(value: float, rising: int, staying: int, falling: int, final: float) -> list[float]:
    """The three parts one after another, and what follows."""
    up = [value * t / rising for t in range(1, rising + 1)]
    down = [final + (value - final) * left / falling for left in range(falling, 0, -1)]
    return [*up, *[value] * (staying - 1), *down, *[final] * len(T)]


@pytest.mark.parametrize(("warm", "decay"), [(0.1, 0.2), (0.5, 0.5), (0.0, 0.95), (0.95, 0.0), (0.25, 0.0)])
def test_warm_up_stable_decay_has_its_three_parts(warm: float, decay: float) -> None:
    rising, falling = max(1, round(20 * warm)), max(1, round(20 * decay))
    truth = stable(0.3, rising, 20 - rising - falling + 1, falling, 0.1)
    same(schedules.warm_up_stable_decay(0.3, 20, warm, decay, 0.1), lambda t: truth[t - 1])


@pytest.mark.parametrize(("warm", "decay"), [(0.6, 0.5), (-0.1, 0.2), (0.1, -0.2), (1.5, 0.0), (math.nan, 0.1)])
def test_shares_of_a_schedule_are_shares(warm: float, decay: float) -> None:
    with pytest.raises(ValueError, match="together at most 1"):
        schedules.warm_up_stable_decay(0.1, 20, warm, decay)


def restarting(value: float, steps: int, factor: int, final: float) -> list[float]:
    """Equation 5 of SGDR, cycle by cycle."""
    found: list[float] = []
    while len(found) < len(T):
        found += [final + (value - final) * 0.5 * (1 + math.cos(math.pi * past / steps)) for past in range(steps)]
        steps *= factor
    return found[: len(T)]


def multiplying(value: float, factor: float, steps: int) -> list[float]:
    """Multiplied once after every so many updates."""
    found = []
    for t in T:
        found.append(value)
        value *= factor if t % steps == 0 else 1
    return found


def test_schedules_that_fall_equal_their_formulas() -> None:
    same(schedules.polynomial(0.3, 20, 2.0, 0.1), lambda t: 0.1 + 0.2 * max(0, 1 - (t - 1) / 20) ** 2)
    same(schedules.polynomial(0.3, 20), schedules.linear(0.3, 20))
    same(schedules.rex(0.3, 20), lambda t: 0.3 * (1 - min(t - 1, 20) / 20) / (1 / 2 + 1 / 2 * (1 - min(t - 1, 20) / 20)))
    same(schedules.exponential(0.3, 0.5, 4), lambda t: 0.3 * 0.5 ** ((t - 1) / 4))
    same(schedules.exponential(0.3, 0.5, 4, stairs=True), lambda t: multiplying(0.3, 0.5, 4)[t - 1])
    same(schedules.piecewise(0.3, (7, 20), 0.5), lambda t: 0.3 * 0.5 ** ((t > 7) + (t > 20)))


@pytest.mark.parametrize(("steps", "factor"), [(1, 1), (4, 1), (7, 1), (1, 2), (3, 2), (2, 3), (40, 2)])
def test_restarts_equal_sgdrs_cycles(steps: int, factor: int) -> None:
    same(schedules.restarts(0.3, steps, factor, 0.1), lambda t: restarting(0.3, steps, factor, 0.1)[t - 1])


@pytest.mark.parametrize("factor", [1, 2, 3, 7])
@pytest.mark.parametrize("steps", [1, 3, 49, 1000])
def test_a_restart_comes_at_its_update_and_not_beside_it(steps: int, factor: int) -> None:
    """Whole numbers are counted, so that no quotient's rounding moves it, under jit neither."""
    jax = pytest.importorskip("jax")
    schedule = schedules.restarts(1.0, steps, factor)
    compiled = jax.jit(schedule)
    begin, long = 0, steps
    while begin < 10_000_000:
        ends = [begin + 1] if long == 1 else [begin + 1, begin + long]
        for t in ends:
            wanted = 0.5 * (1 + math.cos(math.pi * (t - 1 - begin) / long))
            assert schedule(t) == pytest.approx(wanted, rel=1e-12, abs=1e-15)
            assert float(compiled(t)) == pytest.approx(wanted, rel=1e-5, abs=1e-6)
        begin, long = begin + long, long * factor
        if factor == 1:
            begin += steps * 997


def test_one_cycle_rises_and_falls_along_half_cosines() -> None:
    schedule = schedules.one_cycle(0.5, 20, warm=0.25, start=0.1, final=0.01)
    along = lambda a, b, share: a + (b - a) * 0.5 * (1 - math.cos(math.pi * share))  # noqa: E731
    same(schedule, lambda t: along(0.05, 0.5, (t - 1) / 4) if t <= 5 else along(0.5, 0.005, min(1, (t - 5) / 15)))
    for steps, warm in ((3, 0.3), (20, 1.0), (2, 0.5)):
        with pytest.raises(ValueError, match="leaves none"):
            schedules.one_cycle(0.1, steps, warm)


def _with_torch(make: Callable[[Any], Any], schedule: Any) -> None:
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.3)
    scheduler, found = make(optimizer), []
    for _ in range(20):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    np.testing.assert_allclose([schedule(t) for t in range(1, 21)], found, rtol=1e-12)


SCHEDULERS: dict[str, tuple[dict[str, Any], Any]] = {
    "CosineAnnealingWarmRestarts": ({"T_0": 3, "T_mult": 2, "eta_min": 0.01}, schedules.restarts(0.3, 3, 2, 0.01)),
    "OneCycleLR": ({"max_lr": 0.3, "total_steps": 21}, schedules.one_cycle(0.3, 21)),
    "PolynomialLR": ({"total_iters": 15, "power": 2.0}, schedules.polynomial(0.3, 15, 2.0)),
    "ExponentialLR": ({"gamma": 0.9}, schedules.exponential(0.3, 0.9)),
    "StepLR": ({"step_size": 4, "gamma": 0.5}, schedules.exponential(0.3, 0.5, 4, stairs=True)),
    "MultiStepLR": ({"milestones": [5, 9], "gamma": 0.2}, schedules.piecewise(0.3, (5, 9), 0.2)),
    "CosineAnnealingLR": ({"T_max": 19}, schedules.cosine(0.3, 19)),
    "LinearLR": ({"start_factor": 1.0, "end_factor": 0.1, "total_iters": 10}, schedules.linear(0.3, 10, 0.03)),
    "ConstantLR": ({"factor": 1.0}, schedules.constant(0.3)),
}


@pytest.mark.parametrize("name", SCHEDULERS)
def test_schedules_equal_torchs(name: str) -> None:
    torch = pytest.importorskip("torch")
    options, schedule = SCHEDULERS[name]
    _with_torch(lambda optimizer: getattr(torch.optim.lr_scheduler, name)(optimizer, **options), schedule)


OPTAX: dict[str, tuple[tuple[Any, ...], Any]] = {
    "constant_schedule": ((0.3,), schedules.constant(0.3)),
    "linear_schedule": ((0.3, 0.1, 20), schedules.linear(0.3, 20, 0.1)),
    "cosine_decay_schedule": ((0.3, 20), schedules.cosine(0.3, 20)),
    "polynomial_schedule": ((0.3, 0.1, 2.0, 20), schedules.polynomial(0.3, 20, 2.0, 0.1)),
    "exponential_decay": ((0.3, 4, 0.5), schedules.exponential(0.3, 0.5, 4)),
    "piecewise_constant_schedule": ((0.3, {7: 0.5, 20: 0.5}), schedules.piecewise(0.3, (7, 20), 0.5)),
}


@pytest.mark.parametrize("name", OPTAX)
def test_schedules_equal_optaxs(name: str) -> None:
    optax = pytest.importorskip("optax")
    given, schedule = OPTAX[name]
    theirs = getattr(optax, name)(*given)
    np.testing.assert_allclose([schedule(t) for t in T], [float(theirs(t - 1)) for t in T], rtol=2e-5, atol=1e-7)


@pytest.mark.parametrize("bad", [(5, 5), (9, 5), (0, 3), (2.5,)])
def test_places_of_a_piecewise_schedule_ascend(bad: Any) -> None:
    with pytest.raises(ValueError, match="counts updates"):
        schedules.piecewise(0.1, bad)


SCHEDULES = [
    schedules.constant(0.1),
    schedules.warm_up(3, 0.1),
    schedules.warm_up(3, schedules.cosine(0.1, 9)),
    schedules.linear(0.1, 9, 0.01),
    schedules.cosine(0.1, 9),
    schedules.warm_up_stable_decay(0.1, 20),
    schedules.inverse_sqrt(0.1, 4),
    schedules.polynomial(0.1, 9, 2.0),
    schedules.rex(0.1, 9),
    schedules.exponential(0.1, 0.5, 3, stairs=True),
    schedules.piecewise(0.1, (3, 6)),
    schedules.restarts(0.1, 3, 2),
    schedules.one_cycle(0.1, 20),
]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
def test_a_schedule_is_a_small_object(schedule: Any) -> None:
    for other in (pickle.loads(pickle.dumps(schedule)), copy.deepcopy(schedule), eval(repr(schedule), vars(schedules))):
        assert other == schedule
        assert hash(other) == hash(schedule)
        assert [other(t) for t in T] == [schedule(t) for t in T]
    assert len(repr(schedule)) < 80
    with pytest.raises(AttributeError):
        schedule.steps = 5


@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
def test_a_schedule_is_the_same_under_jit(schedule: Any) -> None:
    jax = pytest.importorskip("jax")
    compiled = jax.jit(schedule)
    np.testing.assert_allclose([float(compiled(t)) for t in T], [schedule(t) for t in T], rtol=2e-5, atol=1e-7)


def test_a_condition_by_name_is_a_small_object() -> None:
    again = pickle.loads(pickle.dumps(tw.named("head")))
    assert again == tw.named("head") != tw.named("body")
    assert repr(again) == "named('head')"


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("kind", [np.float16, np.float32, lambda x: np.array(x, np.float16)])
def test_a_narrow_number_of_numpys_narrows_nothing_else(kind: Any, fused: bool) -> None:
    value = float(np.float16(0.999))
    ends = []
    for beta2 in (lambda t: kind(value), lambda t: float(kind(value))):
        p = {"w": np.ones(3)}
        optimizer = tn.Adam(p, lr=0.1, beta2=beta2, fused=fused)
        for k in range(3):
            optimizer.step({"w": np.arange(3.0) + k})
        ends.append(p["w"])
    np.testing.assert_array_equal(*ends)
