"""T lanes equal T separate runs, to the last bit: each lane's matrix products are the same calls, and no sum crosses lanes."""

from typing import Any

import numpy as np
import pytest
from support import first

from .networks import CASES, NAMES, Case

SEEDS = [3, 4, 5]


def lane(params: Any, i: int) -> Any:
    return {name: {key: leaf[i] for key, leaf in own.items()} for name, own in params.items()}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_init_lanes_equal_runs(case: Case, dtype: Any) -> None:
    params = case.net.init(case.shape, seed=SEEDS, dtype=dtype)
    for i, seed in enumerate(SEEDS):
        for name, own in case.net.init(case.shape, seed=seed, dtype=dtype).items():
            for key, leaf in own.items():
                assert leaf.dtype == params[name][key].dtype == dtype
                np.testing.assert_array_equal(params[name][key][i], leaf)


@pytest.mark.parametrize("shared", [True, False], ids=["shared", "own data"])
@pytest.mark.parametrize("dtype", first([np.float64, np.float32]))
@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_lanes_equal_runs(case: Case, dtype: Any, shared: bool) -> None:
    params = case.net.init(case.shape, seed=SEEDS, dtype=dtype)
    x, y = case.data(batch=33, lanes=None if shared else 3)
    masks = [7, 8, 9]
    loss, grads = case.net.loss_and_grad(params, x, y, lanes=3, seed=masks)
    kept = case.statistics(lanes=3)
    outputs = case.net(params, x, lanes=3, statistics=kept)
    assert loss.dtype == outputs.dtype == dtype
    for i in range(3):
        own_x, own_y = (x, y) if shared else (x[i], y[i])
        alone, own_grads = case.net.loss_and_grad(lane(params, i), own_x, own_y, seed=masks[i])
        assert float(loss[i]) == alone
        np.testing.assert_array_equal(outputs[i], case.net(lane(params, i), own_x, statistics=lane(kept, i)))
        for name, own in own_grads.items():
            for key, leaf in own.items():
                assert leaf.dtype == dtype
                np.testing.assert_array_equal(grads[name][key][i], leaf)


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_a_nan_lane_touches_no_neighbour(case: Case) -> None:
    params = case.net.init(case.shape, seed=SEEDS)
    x, y = case.data()
    loss, grads = case.net.loss_and_grad(params, x, y, lanes=3, seed=1)
    for own in params.values():
        for leaf in own.values():
            leaf[1] = np.nan
    hurt, hurt_grads = case.net.loss_and_grad(params, x, y, lanes=3, seed=1)
    assert np.isnan(hurt[1])
    for i in (0, 2):
        assert hurt[i] == loss[i]
        for name, own in grads.items():
            for key, leaf in own.items():
                np.testing.assert_array_equal(hurt_grads[name][key][i], leaf[i])


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_nothing_handed_in_is_changed(case: Case) -> None:
    params = case.net.init(case.shape, seed=SEEDS)
    x, y = case.data()
    arrays = [x, y, *(leaf for own in params.values() for leaf in own.values())]
    before = [a.copy() for a in arrays]
    for a in arrays:
        a.flags.writeable = False
    case.net.loss_and_grad(params, x, y, lanes=3, seed=1)
    case.net(params, x, lanes=3, statistics=case.statistics(lanes=3))
    for a, old in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(a, old)


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_gradients_may_be_changed(case: Case) -> None:
    """They are arrays of their own: nobody's cache, nobody's parameter."""
    params = case.net.init(case.shape, seed=SEEDS)
    x, y = case.data()
    loss, grads = case.net.loss_and_grad(params, x, y, lanes=3, seed=1)
    for own in grads.values():
        for leaf in own.values():
            leaf += 1
    again, _ = case.net.loss_and_grad(params, x, y, lanes=3, seed=1)
    np.testing.assert_array_equal(again, loss)
