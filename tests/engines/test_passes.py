"""Steps of several passes over memory: what is added up, in which order, and what the next passes make of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import thalweg as tw
import thalweg.numpy as tn
from thalweg.engines import threads
from thalweg.form.memory import per_model, per_tensor
from thalweg.ops import mean, model_total, norm, total
from thalweg.values.norms import euclidean

SIZES = (0, 1, 7, 8, 9, 127, 128, 129, 136, 264, 1000, 5_000, 65_537, 10, 300_001)


@tw.rule(lr=0.0)
def watched(g, n=per_tensor, s=per_tensor, m=per_tensor, of_all=per_model):  # type: ignore[no-untyped-def]
    """Remembers what it adds up (Nobody 2020)."""
    return g, norm(g), total(g), mean(g), model_total(g)


def added_up(gradients: dict[str, Any], lanes: int | None = None) -> Any:
    """What `watched` remembers of these gradients after a step by kernels."""
    ours = tn.Optimizer({k: np.zeros_like(g) for k, g in gradients.items()}, watched(), lanes=lanes)
    ours.step(gradients)
    assert ours._bound._launches
    return ours.state["memory"]["watched"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("count", [1, 2])
def test_sums_are_numpys_to_the_last_bit(dtype: Any, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "count", lambda: count)
    monkeypatch.setattr(threads.PYTHON, "worth", 1000)
    draw = np.random.default_rng(0)
    gradients = {str(n): draw.normal(size=n).astype(dtype) for n in SIZES}
    kept = added_up(gradients)
    together = dtype(0)
    for name, g in gradients.items():
        assert kept["s"][name] == np.sum(g)
        assert kept["m"][name] == np.sum(g) / max(g.size, 1)
        assert kept["n"][name] == dtype(euclidean([g]))
        together = together + np.sum(g)
    assert kept["of_all"] == float(together)


def test_lanes_are_added_up_each_by_itself() -> None:
    draw = np.random.default_rng(0)
    gradients = {"a": draw.normal(size=(3, 40, 5)).astype(np.float32), "b": draw.normal(size=(3, 70_000)).astype(np.float32)}
    kept = added_up(gradients, lanes=3)
    for lane in range(3):
        alone = added_up({k: g[lane].copy() for k, g in gradients.items()})
        assert all(kept[slot][k][lane] == alone[slot][k] for slot in ("n", "s", "m") for k in gradients)
        assert kept["of_all"][lane] == alone["of_all"]


@pytest.mark.parametrize("size", [1e-200, 1e200, 0.0, np.inf, np.nan])
def test_norms_of_what_has_no_square(size: float) -> None:
    gradients = {"a": np.full(300, size), "b": np.linspace(-1.0, 1.0, 7)}
    kept = added_up(gradients)
    for name, g in gradients.items():
        with np.errstate(all="ignore"):
            np.testing.assert_equal(kept["n"][name], euclidean([g]))


def test_a_norm_over_the_model_of_what_has_no_square() -> None:
    chain = tw.chain(tw.ascend(), tw.clip(1.0), tw.sgd())
    start = {"a": np.zeros(5), "b": np.zeros((2, 3))}
    g = {"a": np.full(5, 1e200), "b": np.full((2, 3), -3e200)}
    pure = tw.Optimizer(chain, 1.0)
    params, _ = pure.step(start, g, pure.init(start))
    ours = tn.Optimizer({k: v.copy() for k, v in start.items()}, chain, 1.0)
    ours.step(g)
    assert ours._bound._launches
    for k in start:
        np.testing.assert_array_equal(ours._bound.params[k], params[k])


CHAINS = {
    "clipped after Adam": lambda: tw.chain(tw.adam(), tw.clip(0.5)),
    "a branch's own sum": lambda: tw.choose((tw.named("^w"), tw.prodigy()), otherwise=tw.dog()),
    "two that sum": lambda: tw.chain(tw.clip(0.5), tw.adam(), tw.clip(0.1), tw.trust_ratio()),
    "sums of sums": lambda: tw.chain(tw.trust_ratio(), tw.layer_normalized(), tw.trust_ratio()),
    "in turn": lambda: tw.every(2, tw.prodigy()),
}


@pytest.mark.parametrize("name", CHAINS)
def test_chains_equal_the_pure_step(name: str) -> None:
    draw = np.random.default_rng(1)
    start = {k: draw.normal(size=s) for k, s in {"w": (40, 30), "v": (7,), "w2": (3, 2)}.items()}
    pure = tw.Optimizer(CHAINS[name](), 0.1)
    params, state = start, pure.init(start)
    mine = {k: v.copy() for k, v in start.items()}
    ours = tn.Optimizer(mine, CHAINS[name](), 0.1)
    for i in range(8):
        g: dict[str, Any] = {k: None if i == 3 and k == "v" and "turn" not in name else draw.normal(size=v.shape)
                             for k, v in start.items()}  # fmt: skip
        params, state = pure.step(params, g, state)
        ours.step(g)
    assert ours._bound._launches
    for k in start:  # the first clip takes its norm in another order
        np.testing.assert_allclose(mine[k], params[k], rtol=0 if "two" not in name else 1e-13)


def test_a_sum_that_some_tensors_come_to_later_is_left_to_the_pure_step() -> None:
    chain = tw.chain(tw.only(tw.named("w"), tw.trust_ratio()), tw.prodigy())
    start = {"w": np.ones(3), "b": np.ones(2)}
    ours = tn.Optimizer(start, chain, 1.0)
    ours.step({"w": np.ones(3), "b": np.ones(2)})
    assert not ours._bound._launches
