"""Chains, branches, rates of their own, owners of a step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import thalweg as tw

P = {"layer": {"w": np.ones((2, 2)), "b": np.ones(2)}}
G = {"layer": {"w": np.full((2, 2), 0.5), "b": np.full(2, 0.5)}}


def first_step(stage: Any, lr: Any = None) -> Any:
    optimizer = tw.Optimizer(stage, lr=lr)
    return optimizer.step(P, G, optimizer.init(P))


def test_the_order_says_coupled_or_decoupled() -> None:
    coupled, _ = first_step(tw.chain(tw.decay(0.1), tw.sgd()), lr=1.0)
    np.testing.assert_allclose(coupled["layer"]["b"], 1 - (0.5 + 0.1))
    adaptive, _ = first_step(tw.chain(tw.decay(0.1), tw.adam()), lr=0.1)
    decoupled, _ = first_step(tw.chain(tw.adam(), tw.decay(0.1)), lr=0.1)
    np.testing.assert_allclose(adaptive["layer"]["b"], 0.9, rtol=1e-6)
    np.testing.assert_allclose(decoupled["layer"]["b"], 1 - 0.1 * (1 + 0.1), rtol=1e-6)


def test_decay_can_spare_parameters() -> None:
    for predicate in (tw.is_matrix, tw.named(r"\.w$"), lambda leaf: leaf.shape == (2, 2)):
        moved, _ = first_step(tw.chain(tw.sgd(), tw.only(predicate, tw.decay(0.1))), lr=1.0)
        np.testing.assert_allclose(moved["layer"]["w"], 1 - (0.5 + 0.1))
        np.testing.assert_allclose(moved["layer"]["b"], 1 - 0.5)


@pytest.mark.parametrize(
    ("name", "hidden"),
    [
        ("model.layers.3.mlp.up_proj.weight", True), ("encoder.layer.0.attention.output.dense.weight", True),
        ("blocks.0.attn.multihead.weight", True), ("3", True), ("params/Dense_0/kernel", True), ("thread.weight", True),
        ("model.embed_tokens.weight", False), ("bert.embeddings.word_embeddings.weight", False), ("transformer.wte.weight", False),
        ("lm_head.weight", False), ("heads.head.weight", False), ("tok_emb.weight", False), ("params/Embed_0/embedding", False),
        ("classifier.weight", False), ("wpe", False),
    ],
)  # fmt: skip
def test_hidden_matrices_are_known_by_shape_and_name(name: str, hidden: bool) -> None:
    ones, words = np.ones((2, 3)), []
    tw.Optimizer(tw.only(lambda leaf: bool(words.append(tw.role("hidden")(leaf))), tw.decay()), 0.1).init({name: ones})
    assert set(words) == {hidden}


def test_a_vector_is_no_hidden_matrix() -> None:
    optimizer = tw.Optimizer(tw.only(tw.role("hidden"), tw.decay(1.0)), lr=0.1)
    moved, _ = optimizer.step(P, P, optimizer.init(P))
    np.testing.assert_allclose(moved["layer"]["w"], 1 - 0.1 * 2)
    np.testing.assert_allclose(moved["layer"]["b"], 1 - 0.1)


def test_branches_have_rates_of_their_own() -> None:
    stage = tw.choose((tw.is_matrix, tw.momentum().at(lr=0.02)), otherwise=tw.sgd())
    moved, state = first_step(stage, lr=0.1)
    np.testing.assert_allclose(moved["layer"]["w"], 1 - 0.02 * 0.5)
    np.testing.assert_allclose(moved["layer"]["b"], 1 - 0.1 * 0.5)
    assert list(state["memory"]["choose(momentum, sgd)"]["momentum"]["momentum"]["v"]) == ["layer.w"]
    default, _ = first_step(stage)
    np.testing.assert_allclose(default["layer"]["b"], 1 - tw.sgd.lr * 0.5)


def test_a_scheduled_branch() -> None:
    optimizer = tw.Optimizer(tw.choose((tw.is_matrix, tw.sgd().at(lr=lambda t: 1.0 / t)), otherwise=tw.sgd()), lr=0.0)
    p, state = optimizer.step(P, G, optimizer.init(P))
    p, state = optimizer.step(p, G, state)
    np.testing.assert_allclose(p["layer"]["w"], 1 - 0.5 - 0.25)


def test_a_stage_behind_an_owner_gets_the_rate_to_match() -> None:
    moved, _ = first_step(tw.chain(tw.learning_rate(), tw.momentum(), tw.decay(0.1)), lr=0.2)
    np.testing.assert_allclose(moved["layer"]["b"], 1 - 0.2 * (0.5 + 0.1))


def test_two_owners_are_an_error() -> None:
    with pytest.raises(ValueError, match="smorms3 and adabound each own the step"):
        tw.chain(tw.smorms3(), tw.adabound())


def test_places_in_a_chain_have_an_order() -> None:
    with pytest.raises(ValueError, match="an @around method comes first"):
        tw.chain(tw.sgd(), tw.sam())
    with pytest.raises(ValueError, match="comes first"):
        tw.chain(tw.average(), tw.sgd())
    with pytest.raises(ValueError, match=r"every\(n, ...\) goes outermost"):
        tw.chain(tw.clip(), tw.every(2, tw.sgd()))
    with pytest.raises(ValueError, match="a branch of choose holds rules only"):
        tw.choose((tw.is_matrix, tw.chain(tw.sgd(), tw.average())), otherwise=tw.sgd())
    with pytest.raises(ValueError, match="one @around method at a time"):
        tw.Optimizer(tw.chain(tw.sam(), tw.sam(), tw.sgd()))
    with pytest.raises(ValueError, match="n needs 1 <= n"):
        tw.every(0, tw.sgd())


def test_a_stage_used_twice_keeps_two_memories() -> None:
    _, state = first_step(tw.chain(tw.momentum(0.5), tw.momentum(0.9)), lr=0.1)
    assert set(state["memory"]) == {"momentum", "momentum_2"}


def test_chains_join_flat() -> None:
    nested = tw.chain(tw.clip(), tw.chain(tw.adam(), tw.decay()))
    assert [stage.name for stage in nested.stages] == ["clip", "adam", "decay"]
    assert tw.chain(tw.clip(), tw.adamw()).lr == tw.adamw.lr


def test_an_averaged_chain_ships_the_average_of_the_walked_point() -> None:
    optimizer = tw.Optimizer(tw.chain(tw.sgd(), tw.schedule_free(0.9), tw.average(0.5)), lr=0.1)
    p, state = optimizer.step(P, G, optimizer.init(P))
    y = 0.9 * 0.95 + 0.1 * 0.95
    np.testing.assert_allclose(optimizer.ship(p, state)["layer"]["b"], 0.5 * 1.0 + 0.5 * y)


def test_sam_with_a_given_gradient_asks_once_less() -> None:
    asked = []

    def grad_fn(p: Any) -> Any:
        asked.append(p)
        return 0.0, {"layer": {"w": p["layer"]["w"], "b": p["layer"]["b"]}}

    optimizer = tw.Optimizer(tw.chain(tw.sam(), tw.sgd()))
    state = optimizer.init(P)
    both, _ = optimizer.step(P, None, state, grad_fn=grad_fn)
    assert len(asked) == 2
    given, _ = optimizer.step(P, P, state, grad_fn=grad_fn)
    assert len(asked) == 3
    np.testing.assert_array_equal(both["layer"]["w"], given["layer"]["w"])


def test_around_and_a_rule_that_asks_for_the_loss() -> None:
    optimizer = tw.Optimizer(tw.chain(tw.sam(), tw.eve()), lr=0.1)
    state = optimizer.init(P)
    p = P
    for _ in range(3):
        p, state = optimizer.step(p, None, state, grad_fn=lambda q: (float((q["layer"]["w"] ** 2).sum()), q))
    assert state["memory"]["eve"]["f"] == pytest.approx(float((0.8**2) * 4), rel=0.05)
