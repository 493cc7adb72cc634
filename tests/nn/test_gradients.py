"""Every layer and loss against central differences, in float64."""

from typing import Any

import numpy as np
import pytest

from thalweg import nn

from .networks import CASES, NAMES, Case

H = 1e-6  # error of a central difference: about H^2 from the third derivative, 1e-16 / H from rounding


def differences(case: Case, params: Any, x: Any, y: Any, **options: Any) -> Any:
    """The gradient by central differences; with lanes, entry [i, ...] moves lane i and lane i's loss is read."""
    lanes = options.get("lanes")
    found: Any = {}
    for name, own in params.items():
        found[name] = {}
        for key, leaf in own.items():
            slope = np.zeros_like(leaf)
            for at in np.ndindex(leaf.shape):
                values = []
                for h in (H, -H):
                    moved = leaf.copy()
                    moved[at] += h
                    tree = {**params, name: {**own, key: moved}}
                    loss, _ = case.net.loss_and_grad(tree, x, y, **options)
                    values.append(loss if lanes is None else loss[at[0]])
                slope[at] = (values[0] - values[1]) / (2 * H)
            found[name][key] = slope
    return found


def assert_close(grads: Any, wanted: Any) -> None:
    assert grads.keys() == wanted.keys()
    for name, own in wanted.items():
        assert grads[name].keys() == own.keys()
        for key, leaf in own.items():
            np.testing.assert_allclose(grads[name][key], leaf, rtol=1e-6, atol=2e-9, err_msg=f"{name}.{key}")


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_gradient(case: Case) -> None:
    params = case.net.init(case.shape, seed=3)
    x, y = case.data()
    loss, grads = case.net.loss_and_grad(params, x, y, seed=7)
    assert isinstance(loss, float)
    assert_close(grads, differences(case, params, x, y, seed=7))


@pytest.mark.parametrize("shared", [pytest.param(True, marks=pytest.mark.slow), False], ids=["shared", "own data"])
@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_gradient_with_lanes(case: Case, shared: bool) -> None:
    params = case.net.init(case.shape, seed=[3, 4])
    x, y = case.data(batch=3, lanes=None if shared else 2)
    loss, grads = case.net.loss_and_grad(params, x, y, lanes=2, seed=[7, 8])
    assert loss.shape == (2,)
    assert_close(grads, differences(case, params, x, y, lanes=2, seed=[7, 8]))


def test_a_wrong_gradient_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oracle itself: a formula broken on purpose turns the test red."""
    case = CASES[NAMES.index("tanh")]
    monkeypatch.setattr(nn.Tanh, "backward", lambda self, params, cache, dy: dy * (1 - cache))
    params = case.net.init(case.shape, seed=3)
    x, y = case.data()
    _, grads = case.net.loss_and_grad(params, x, y)
    with pytest.raises(AssertionError):
        assert_close(grads, differences(case, params, x, y))


@pytest.mark.parametrize("loss", [nn.CrossEntropy(), nn.BinaryCrossEntropy(), nn.MSE()])
def test_every_layer_and_loss_is_in_the_table(loss: nn.Loss) -> None:
    used = {type(layer) for case in CASES for layer in case.net.layers}
    layers = {part for part in vars(nn).values() if isinstance(part, type) and issubclass(part, nn.Layer)}
    assert used == {part for part in layers if not part.__abstractmethods__}
    assert type(loss) in {type(case.net.loss) for case in CASES}
