"""Parameter groups of `thalweg.numpy`: what each may say, and that one launch serves all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import thalweg as tw
import thalweg.numpy as tn
from numpy_face.trees import gradients, tree


def test_parameter_groups_are_optimizers_of_their_own() -> None:
    params, twins = tree(), tree()
    groups = [{"params": {"w": params["w"]}, "lr": 0.1}, {"params": [params["b"]], "weight_decay": 0.0, "beta1": 0.5}]
    ours = tn.AdamW(groups, lr=0.01, weight_decay=0.3)
    own = [tn.AdamW(twins["w"], 0.1, weight_decay=0.3), tn.AdamW(twins["b"], 0.01, 0.5, weight_decay=0.0)]
    for step, g in enumerate(gradients(12, params)):
        if step == 4:
            ours.param_groups[0]["lr"] = own[0].param_groups[0]["lr"] = 0.2
        if step == 6:
            ours.param_groups[1]["weight_decay"] = own[1].param_groups[0]["weight_decay"] = 0.1
        if step == 8:
            for optimizer, k in ((ours, 0), (own[0], 0)):
                optimizer.param_groups[k]["beta2"] = tw.schedules.constant(0.99)
        ours.step([{"w": g["w"]}, [None if step == 2 else g["b"]]])
        own[0].step(g["w"])
        if step != 2:
            own[1].step(g["b"])
    assert len(ours._bound._launches) == 1, "one launch over all groups"
    assert np.array_equal(params["w"], twins["w"])
    assert np.array_equal(params["b"], twins["b"])
    assert ours.state["t"] == {"0.w": 12, "1.0": 11}


def test_the_norm_is_over_all_groups() -> None:
    params, twins = tree(), tree()
    chain = tw.chain(tw.clip(0.5), tw.sgd())
    ours = tn.Optimizer([{"params": params["w"]}, {"params": params["b"]}], chain, 0.1)
    whole = tw.Optimizer(chain, 0.1)
    (g,) = gradients(1, params)
    ours.step([g["w"], g["b"]])
    twins, _ = whole.step(twins, g, whole.init(twins))
    assert all(np.allclose(params[k], twins[k], rtol=1e-14) for k in params)


def test_what_a_group_may_say_is_checked_and_nothing_moves() -> None:
    for wrong, words in (
        ({"beta_1": 0.5}, "did you mean 'beta1'"),
        ({"beta1": 2.0}, "beta1"),
        ({"eps_place": "raw"}, "same for all groups"),
    ):
        with pytest.raises((KeyError, ValueError), match=words):
            tn.Adam([{"params": np.ones(2), **wrong}])
    p = np.ones(2)
    optimizer = tn.Adam(p)
    for key, value in (("lr", -1.0), ("beta1", 1.5), ("eps_place", "middle"), ("rate", 1.0)):
        before = dict(optimizer.param_groups[0])
        optimizer.param_groups[0][key] = value
        with pytest.raises((KeyError, ValueError)):
            optimizer.step(np.ones(2))
        optimizer.param_groups[0].clear()
        optimizer.param_groups[0].update(before)
        assert p.tolist() == [1.0, 1.0]
    optimizer.step(np.ones(2))
    assert optimizer.state["t"] == {"p": 1}


def two_groups(**said: Any) -> list[dict[str, Any]]:
    return [{"params": np.ones(1), **said}, {"params": np.ones((1, 1))}]


ZEROS = [np.zeros(1), np.zeros((1, 1))]
OF_CHAINS = {
    "chain": lambda: tw.chain(tw.lion(), tw.decay(0.1)),
    "after a step": lambda: tw.chain(tw.lion(), tw.decay(0.1), tw.average(0.5)),
    "recipe": lambda: tw.adamw(weight_decay=0.1),
    "choose": lambda: tw.choose(
        (tw.is_matrix, tw.chain(tw.sgd(), tw.decay(0.1)).at(lr=1.0)), otherwise=tw.chain(tw.lion(), tw.decay(0.2))
    ),
    "every": lambda: tw.every(1, tw.chain(tw.lion(), tw.decay(0.1))),
}


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("name", OF_CHAINS)
def test_a_group_of_a_chain_sets_what_its_stages_have(name: str, fused: bool) -> None:
    groups = two_groups(weight_decay=0.5)
    optimizer = tn.Optimizer(groups, OF_CHAINS[name](), 1.0, fused=fused)
    optimizer.step(ZEROS)
    np.testing.assert_allclose([float(g["params"].sum()) for g in groups], [0.5, 0.9], rtol=1e-12)
    optimizer.param_groups[1]["weight_decay"] = lambda t: 0.1 * t
    optimizer.step(ZEROS)
    np.testing.assert_allclose([float(g["params"].sum()) for g in groups], [0.25, 0.72], rtol=1e-12)
    optimizer.param_groups[0]["weight_decay"] = None  # as the chain has it
    optimizer.step(ZEROS)
    expected = 0.25 * (0.8 if name == "choose" else 0.9)
    np.testing.assert_allclose(groups[0]["params"], expected, rtol=1e-12)


def test_a_group_that_speaks_up_later_is_saved_and_loaded() -> None:
    groups, others = two_groups(), two_groups()
    optimizer, other = (tn.Optimizer(g, tw.chain(tw.lion(), tw.decay(0.1)), 1.0) for g in (groups, others))
    silent = optimizer.state_dict()
    optimizer.step(ZEROS)
    optimizer.param_groups[1]["weight_decay"] = 0.5
    optimizer.step(ZEROS)
    np.testing.assert_allclose([float(g["params"].sum()) for g in groups], [0.81, 0.45], rtol=1e-12)
    other.load_state_dict(optimizer.state_dict())
    other.step(ZEROS)
    np.testing.assert_allclose([float(g["params"].sum()) for g in others], [0.9, 0.5], rtol=1e-12)
    other.load_state_dict(silent)
    other.step(ZEROS)
    np.testing.assert_allclose([float(g["params"].sum()) for g in others], [0.81, 0.45], rtol=1e-12)


@pytest.mark.parametrize(
    ("said", "stage", "error", "words"),
    [
        ({"weight_decai": 0.1}, tw.decay(), KeyError, "did you mean 'weight_decay'"),
        ({"weight_decay": -0.1}, tw.decay(), ValueError, "needs 0 <= weight_decay"),
        ({"weight_decay": "x"}, tw.decay(), TypeError, "a number or a schedule"),
        ({"weight_decay": 0.1}, tw.chain(tw.decay(), tw.decay()), ValueError, "decay and decay both have weight_decay"),
        ({"k": 5}, tw.sophia(), ValueError, "k is the same for all groups"),
        ({"rho": 0.5}, tw.sam(), ValueError, "rho of sam is of the whole model"),
    ],
)
def test_what_a_group_of_a_chain_may_not_say(said: dict[str, Any], stage: Any, error: type[Exception], words: str) -> None:
    chain = tw.chain(stage, tw.sgd()) if "rho" in said else stage if "k" in said else tw.chain(tw.sgd(), stage)
    chain = tw.chain(tw.clip(), chain) if "k" in said else chain
    with pytest.raises(error, match=words):
        tn.Optimizer(two_groups(**said), chain, 1.0)
    optimizer = tn.Optimizer(two_groups(), chain, 1.0)
    optimizer.param_groups[0].update(said)
    with pytest.raises(error, match=words):
        optimizer.step(ZEROS)


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize(("lanes", "key"), [(None, "lr"), (2, "lr"), (2, "mu")])
def test_an_array_in_a_group_may_be_rewritten_in_place(lanes: int | None, key: str, fused: bool) -> None:
    def trained(change: Callable[[dict[str, Any]], None]) -> Any:
        p = np.ones((2, 3))
        value = np.array(0.1) if lanes is None else np.array([0.1, 0.2])
        optimizer = tn.of(tw.momentum)(p, **{"lr": 0.1, key: value}, lanes=lanes, fused=fused)
        for k in range(5):
            if k == 2:
                change(optimizer.param_groups[0])
            optimizer.step(np.ones((2, 3)))
        return p

    def in_place(group: dict[str, Any]) -> None:
        group[key] *= 0.5

    def replaced(group: dict[str, Any]) -> None:
        group[key] = group[key] * 0.5

    np.testing.assert_array_equal(trained(in_place), trained(replaced))
    assert not np.array_equal(trained(in_place), trained(lambda group: None))


def test_a_groups_arrays_are_fixed() -> None:
    optimizer = tn.SGD([{"params": np.ones(2)}, {"params": np.ones(3)}], lr=0.1)
    before = optimizer.param_groups[1]["params"]
    optimizer.param_groups[1]["params"] = np.ones(3)
    with pytest.raises(ValueError, match="fixed when the optimizer is made"):
        optimizer.step([np.ones(2), np.ones(3)])
    optimizer.param_groups[1]["params"] = before
    optimizer.step([np.ones(2), np.ones(3)])
    np.testing.assert_allclose(before, 0.9)


def test_a_rate_for_each_lane() -> None:
    with pytest.raises(ValueError, match=r"shape \(3,\); there are 2 lanes"):
        tn.SGD(np.ones((2, 3)), lr=np.ones(3), lanes=2)
    optimizer = tn.SGD(np.ones((2, 3)), lr=np.ones(2), lanes=2)
    optimizer.param_groups[0]["lr"] = np.ones(3)
    with pytest.raises(ValueError, match=r"shape \(3,\); there are 2 lanes"):
        optimizer.step(np.ones((2, 3)))


def test_an_unknown_key_written_into_a_group_is_refused() -> None:
    optimizer = tn.Adam(two_groups(), lr=0.1)
    optimizer.param_groups[0]["beta_1"] = 0.5
    with pytest.raises(KeyError, match="there is no 'beta_1'; did you mean 'beta1'"):
        optimizer.step(ZEROS)


def test_groups_may_set_a_hyper_parameter_of_a_rule_that_keeps_several_numbers() -> None:
    ours, twins = ([np.ones(3), np.ones(2)] for _ in range(2))
    groups = [{"params": [p], "s_init": 1e-6} for p in ours]
    one = tn.Optimizer(groups, tw.chain(tw.mechanic_adam(), tw.decay(0.0)), lr=1.0)
    other = tn.Optimizer(twins, tw.chain(tw.mechanic_adam(s_init=1e-6), tw.decay(0.0)), lr=1.0)
    for _ in range(3):
        one.step([[np.ones(3)], [np.ones(2)]])
        other.step([np.ones(3), np.ones(2)])
    assert all(np.array_equal(p, q) for p, q in zip(ours, twins, strict=True))
    assert np.all(ours[0] < 1)
