"""Rules for matrices on tensors of more axes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import thalweg as tw
import thalweg.numpy as tn

SHAPE = (3, 4, 2)
RULES: dict[str, Any] = {
    "muon": lambda: tw.muon(),
    "adafactor": lambda: tw.adafactor(),
    "galore": lambda: tw.galore(rank=2, T=3),
    "a chain": lambda: tw.chain(tw.clip(1.0), tw.muon(), tw.decay(0.1)),
}


def tensors(seed: int, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def walk(stage: Any, there: Any, back: Any, steps: int = 7, **options: Any) -> tuple[np.ndarray, Any]:
    """The end of a walk on tensors seen by `there`, seen by `back`."""
    optimizer = tw.Optimizer(stage, lr=0.1, **options)
    p = {"w": there(tensors(0))}
    state = optimizer.init(p)
    for t in range(steps):
        p, state = optimizer.step(p, {"w": there(tensors(t + 1))}, state)
    return back(p["w"]), state


def matrix(x: Any) -> Any:
    """The second axis as rows, the first and the third as columns."""
    return x.transpose(1, 0, 2).reshape(4, 6)


def tensor(x: Any) -> Any:
    return x.reshape(4, 3, 2).transpose(1, 0, 2)


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("axes", [((1,), (0, 2)), ((-2,), (0, -1)), lambda leaf: ((leaf.shape.index(4),), (0, 2))])
def test_a_rule_sees_a_matrix(name: str, axes: Any) -> None:
    stage = RULES[name]()
    if name == "adafactor":  # it has a `choose` inside
        stage = tw.stages_by_name["adafactor_matrix"]()
    expected, _ = walk(stage, matrix, tensor)
    found, _ = walk(tw.arranged(axes, stage), lambda x: x, lambda x: x)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)


def test_axes_that_are_no_row_or_column_are_of_many_matrices() -> None:
    found, _ = walk(tw.arranged(((2,), (1,), (0,)), tw.muon()), lambda x: x, lambda x: x)
    for i in range(2):
        alone, _ = walk(tw.muon(), lambda x, i=i: x[:, :, i].T, lambda x: x.T)
        np.testing.assert_allclose(found[:, :, i], alone, rtol=0, atol=1e-14)


def test_what_is_of_the_tensors_shape_is_kept_in_it() -> None:
    _, state = walk(tw.arranged(((1,), (0, 2)), tw.muon()), lambda x: x, lambda x: x)
    assert state["memory"]["muon"]["muon"]["B"]["w"].shape == SHAPE
    _, state = walk(tw.arranged(((1,), (0, 2)), tw.stages_by_name["adafactor_matrix"]()), lambda x: x, lambda x: x)
    held = state["memory"]["adafactor_matrix"]["adafactor_matrix"]
    assert (held["R"]["w"].shape, held["C"]["w"].shape) == ((4, 1), (1, 6))


def test_lanes_see_the_same() -> None:
    stage = tw.arranged(((1,), (0, 2)), tw.muon())
    optimizer = tw.Optimizer(stage, lr=np.array([0.1, 0.2]), lanes=2)
    p = {"w": np.stack([tensors(0), tensors(1)])}
    state = optimizer.init(p)
    moved, _ = optimizer.step(p, {"w": np.stack([tensors(2), tensors(3)])}, state)
    for i, lr in enumerate((0.1, 0.2)):
        alone = tw.Optimizer(stage, lr=lr)
        q = {"w": tensors(i)}
        q, _ = alone.step(q, {"w": tensors(i + 2)}, alone.init(q))
        np.testing.assert_allclose(moved["w"][i], q["w"], rtol=0, atol=1e-14)


def test_in_the_other_frameworks() -> None:
    torch = pytest.importorskip("torch")
    import thalweg.torch as tt

    expected, _ = walk(tw.arranged(((1,), (0, 2)), tw.muon()), lambda x: x, lambda x: x)
    w = torch.nn.Parameter(torch.tensor(tensors(0)))
    optimizer = tt.Optimizer([w], tw.arranged(((1,), (0, 2)), tw.muon()), lr=0.1)
    for t in range(7):
        w.grad = torch.tensor(tensors(t + 1))
        optimizer.step()
    np.testing.assert_allclose(w.detach().numpy(), expected, rtol=0, atol=1e-13)


def test_to_an_element_wise_rule_all_orders_are_one() -> None:
    ends = []
    for stage in (tw.adam(), tw.arranged(((1,), (0, 2)), tw.adam())):
        p = {"w": tensors(0)}
        optimizer = tn.Optimizer(p, stage, lr=0.1)
        for t in range(3):
            optimizer.step({"w": tensors(t + 1)})
        ends.append(p["w"])
    np.testing.assert_array_equal(*ends)


@pytest.mark.parametrize("axes", [((0,), (1,)), ((0,), (1, 1)), ((0,), (1, 2, 3))])
def test_an_axis_missing_or_named_twice(axes: Any) -> None:
    with pytest.raises(ValueError, match="'w' has axes 0 to 2, and each is wanted once"):
        walk(tw.arranged(axes, tw.muon()), lambda x: x, lambda x: x)


def test_what_is_no_rule_is_refused() -> None:
    with pytest.raises(TypeError, match="arranged takes a rule, or a chain of rules, not sam"):
        tw.arranged(((0,), (1,)), tw.sam())
