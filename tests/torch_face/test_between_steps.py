"""`thalweg.torch` between two steps: what users do to parameters, gradients and state, beside `torch.optim`."""

from __future__ import annotations

import copy
import io
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

import thalweg.torch as tt  # noqa: E402

HOW = {
    "Adam": {"lr": 0.1}, "AdamW": {"lr": 0.1, "weight_decay": 0.1}, "SGD": {"lr": 0.1, "momentum": 0.9},
    "NAdam": {"lr": 0.1}, "RMSprop": {"lr": 0.01, "momentum": 0.5}, "Adagrad": {"lr": 0.1}, "ASGD": {"lr": 0.1},
}  # fmt: skip
SHAPES = [(2, 3, 4, 2), (5,), (), (0, 3), (5,)]


def parameters(dtype: Any = torch.float64) -> list[Any]:
    draw = torch.Generator().manual_seed(0)
    return [torch.nn.Parameter(torch.randn(s, generator=draw, dtype=torch.float64).to(dtype)) for s in SHAPES]


def gradients_in(params: list[Any], t: int) -> None:
    draw = torch.Generator().manual_seed(t)
    for p in params:
        p.grad = torch.randn(p.shape, generator=draw, dtype=torch.float64).to(p.dtype)


def each_state(optimizer: Any, do: Callable[[dict[str, Any], str, Any], None]) -> None:
    for state in optimizer.state.values():
        for key, value in list(state.items()):
            if torch.is_tensor(value):
                do(state, key, value)


def relaid(p: list[Any], o: Any) -> None:
    p[0].data = p[0].data.to(memory_format=torch.channels_last)


def transposed(p: list[Any], o: Any) -> None:
    p[0].data = p[0].data.transpose(1, 2).contiguous().transpose(1, 2)
    p[0].grad = p[0].grad.transpose(1, 2).contiguous().transpose(1, 2)


def spread(p: list[Any], o: Any) -> None:
    wide = torch.zeros(10, dtype=p[1].dtype)
    wide[::2] = p[1].data
    p[1].data = wide[::2]


def replaced(p: list[Any], o: Any) -> None:
    p[0].data = p[0].data.clone()


def swapped(p: list[Any], o: Any) -> None:
    other = torch.nn.Parameter(p[1].detach().clone() + 1)
    other.grad = p[1].grad
    torch.utils.swap_tensors(p[1], other)


def set_elsewhere(p: list[Any], o: Any) -> None:
    with torch.no_grad():
        p[1].set_(torch.arange(9, dtype=p[1].dtype)[3:8])


def shared(p: list[Any], o: Any) -> None:
    for x in p:
        x.share_memory_()
    each_state(o, lambda state, key, x: x.share_memory_())


def zeroed(p: list[Any], o: Any) -> None:
    each_state(o, lambda state, key, x: x.zero_() if key != "eta" else None)


def counts_set(p: list[Any], o: Any) -> None:
    for state in o.state.values():
        if "step" in state:
            state["step"] = torch.tensor(7.0)


def scaled(p: list[Any], o: Any) -> None:
    each_state(o, lambda state, key, x: x.mul_(0.5) if x.ndim else None)


def other_state(p: list[Any], o: Any) -> None:
    each_state(o, lambda state, key, x: state.__setitem__(key, x.clone()))


def data_of_state(p: list[Any], o: Any) -> None:
    each_state(o, lambda state, key, x: setattr(x, "data", x.data.clone()))


def strided_state(p: list[Any], o: Any) -> None:
    def put(state: dict[str, Any], key: str, x: Any) -> None:
        if x.ndim == 1:
            wide = torch.full((3 * len(x),), 3.0, dtype=x.dtype)
            wide[1::3] = x
            state[key] = wide[1::3]

    each_state(o, put)


def swapped_state(p: list[Any], o: Any) -> None:
    each_state(o, lambda state, key, x: torch.utils.swap_tensors(x, x.clone()))


def cleared(p: list[Any], o: Any) -> None:
    o.state.clear()


def one_cleared(p: list[Any], o: Any) -> None:
    o.state[p[0]].clear()


def rekeyed(p: list[Any], o: Any) -> None:
    """Two parameters of one shape change states; the states keep their order."""
    other = {id(p[1]): p[4], id(p[4]): p[1]}
    states = [(other.get(id(q), q), state) for q, state in o.state.items()]
    o.state.clear()
    o.state.update(states)


def rekeyed_and_reordered(p: list[Any], o: Any) -> None:
    first, second = o.state.pop(p[1]), o.state.pop(p[4])
    o.state[p[1]], o.state[p[4]] = second, first


def to_strangers(p: list[Any], o: Any) -> None:
    states = list(o.state.values())
    o.state.clear()
    o.state.update((torch.nn.Parameter(torch.zeros(1)), state) for state in states)


def reordered(p: list[Any], o: Any) -> None:
    states = list(o.state.items())
    o.state.clear()
    o.state.update(reversed(states))


def slots_reordered(p: list[Any], o: Any) -> None:
    for state in o.state.values():
        slots = list(state.items())
        state.clear()
        state.update(reversed(slots))


def deep_copied(p: list[Any], o: Any) -> None:
    o.state = type(o.state)(dict, {x: copy.deepcopy(state) for x, state in o.state.items()})


def reloaded(p: list[Any], o: Any) -> None:
    o.load_state_dict(copy.deepcopy(o.state_dict()))


def through_a_file(p: list[Any], o: Any) -> None:
    file = io.BytesIO()
    torch.save(o.state_dict(), file)
    file.seek(0)
    o.load_state_dict(torch.load(file))


def expanded_gradient(p: list[Any], o: Any) -> None:
    p[0].grad = torch.full((), 0.5, dtype=p[0].dtype).expand(p[0].shape)


def negative_gradient(p: list[Any], o: Any) -> None:
    p[1].grad = p[1].grad._neg_view()


def negative_state(p: list[Any], o: Any) -> None:
    each_state(o, lambda state, key, x: state.__setitem__(key, x.neg()._neg_view()) if x.ndim == 1 else None)


def zero_gradient(p: list[Any], o: Any) -> None:
    p[1].grad = torch._efficientzerotensor(p[1].shape, dtype=p[1].dtype)


def gradient_is_parameter(p: list[Any], o: Any) -> None:
    p[1].grad = p[1].data


def gradient_is_state(p: list[Any], o: Any) -> None:
    for x in [x for x in o.state[p[1]].values() if torch.is_tensor(x) and x.shape == p[1].shape][:1]:
        p[1].grad = x


def one_gradient_of_two(p: list[Any], o: Any) -> None:
    buffer = torch.arange(50.0, dtype=p[0].dtype)
    p[0].grad, p[1].grad = buffer[:48].view(p[0].shape), buffer[40:45]


def first_rests(p: list[Any], o: Any) -> None:
    p[0].grad = None


def second_rests(p: list[Any], o: Any) -> None:
    p[1].grad = None


def frozen(p: list[Any], o: Any) -> None:
    p[1].requires_grad_(False)
    p[1].grad = None


def in_place_write(p: list[Any], o: Any) -> None:
    with torch.no_grad():
        p[0].fill_(1.5)


OPERATIONS = [
    relaid, transposed, spread, replaced, swapped, set_elsewhere, shared, zeroed, counts_set, scaled, other_state, data_of_state,
    strided_state, swapped_state, cleared, one_cleared, rekeyed, rekeyed_and_reordered, to_strangers, reordered, slots_reordered, deep_copied, reloaded, through_a_file, expanded_gradient,
    negative_gradient, negative_state, zero_gradient, gradient_is_parameter, gradient_is_state, one_gradient_of_two, first_rests, second_rests, frozen, in_place_write,
]  # fmt: skip


@pytest.fixture(autouse=True)
def _numbers_of_their_own_in_float64(request: pytest.FixtureRequest) -> Iterator[None]:
    """A load makes torch's own numbers (mu_product) float64 beside such parameters: here they are from the start."""
    if "as_torch" not in request.node.name and "any_order" not in request.node.name:
        yield
        return
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def walked(home: Any, name: str, done: dict[int, list[Any]], steps: int = 5, **more: Any) -> tuple[list[Any], Any]:
    params = parameters()
    optimizer = getattr(home, name)(params, **HOW[name], **more)
    for t in range(steps):
        gradients_in(params, t)
        for change in done.get(t, ()):
            change(params, optimizer)
        optimizer.step()
    return params, optimizer


def assert_same(ours: tuple[list[Any], Any], theirs: tuple[list[Any], Any]) -> None:
    for p, q in zip(ours[0], theirs[0], strict=True):
        torch.testing.assert_close(p.detach(), q.detach(), rtol=1e-10, atol=1e-12, check_stride=False)
        mine, other = ours[1].state[p], theirs[1].state[q]
        assert {k for k, x in mine.items() if x is not None} == {k for k, x in other.items() if x is not None}
        for key, value in other.items():
            if torch.is_tensor(value):
                torch.testing.assert_close(mine[key].double(), value.double(), rtol=1e-6, atol=1e-9, check_stride=False)


@pytest.mark.parametrize("name", ["Adam", *(pytest.param(name, marks=pytest.mark.slow) for name in ("SGD", "NAdam"))])
@pytest.mark.parametrize("done", OPERATIONS, ids=lambda f: f.__name__)
def test_between_two_steps_as_torch(name: str, done: Any) -> None:
    assert_same(walked(tt, name, {2: [done]}), walked(torch.optim, name, {2: [done]}))


CHANGES = st.lists(st.sampled_from([*OPERATIONS, *[first_rests, second_rests] * 6]), min_size=1, max_size=2)
FUZZED = int(os.environ.get("THALWEG_FUZZ", "15"))


@settings(max_examples=FUZZED, deadline=None, derandomize="THALWEG_FUZZ" not in os.environ)
@given(st.sampled_from(sorted(HOW)), st.dictionaries(st.integers(1, 5), CHANGES, max_size=4))
def test_any_of_it_in_any_order(name: str, done: dict[int, list[Any]]) -> None:
    try:
        theirs = walked(torch.optim, name, done, 6)
    except (RuntimeError, KeyError, AttributeError):  # what torch cannot do either, or nobody: there is no gradient to change
        return
    assert_same(walked(tt, name, done, 6), theirs)


@pytest.mark.parametrize("steps", [0, 2])
def test_a_step_that_fails_leaves_all_as_it_was(steps: int) -> None:
    def no_loss(o: Any, p: list[Any]) -> None:
        o.step()

    def bad_rate(o: Any, p: list[Any]) -> None:
        o.param_groups[1]["lr"] = "x"
        o.step(lambda: 1.0)

    def interrupted(o: Any, p: list[Any]) -> None:
        def closure() -> Any:
            raise KeyboardInterrupt

        o.step(closure)

    for make, fail in ((tt.Eve, no_loss), (tt.Eve, bad_rate), (tt.Adam, bad_rate), (tt.Adam, interrupted), (tt.SGD, bad_rate)):
        p = parameters()
        o = make([{"params": p[:2]}, {"params": p[2:]}], lr=0.1)
        for t in range(steps):
            gradients_in(p, t)
            o.step(lambda: 1.0)
        gradients_in(p, 9)
        before, state = [x.detach().clone() for x in p], copy.deepcopy([dict(o.state[x]) for x in p if x in o.state])
        with pytest.raises((TypeError, ValueError, KeyboardInterrupt)):
            fail(o, p)
        assert all(torch.equal(x, y) for x, y in zip(p, before, strict=True))
        now = [o.state[x] for x in p if x in o.state]
        assert len(now) == len(state)
        for mine, was in zip(now, state, strict=True):
            assert mine.keys() == was.keys()
            assert all(torch.equal(torch.as_tensor(mine[k]), torch.as_tensor(was[k])) for k in was)


def test_a_dtype_changed_between_steps() -> None:
    for dtype in (torch.bfloat16, torch.float32):
        ends = []
        for home in (tt, torch.optim):
            p = torch.nn.Parameter(torch.ones(2, dtype=torch.float64))
            optimizer = home.SGD([p], lr=0.1, momentum=0.9)
            for t in range(4):
                if t == 2:
                    p.data, p.grad = p.data.to(dtype), None
                p.grad = torch.ones_like(p)
                optimizer.step()
            ends.append((p.detach(), optimizer.state[p]["momentum_buffer"]))
        for ours, theirs in zip(*ends, strict=True):
            assert ours.dtype == theirs.dtype
            assert torch.equal(ours, theirs)
