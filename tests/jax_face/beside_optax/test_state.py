"""What a transformation keeps: its names, optax's checkpoints, counts, complex tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax")
optax = pytest.importorskip("optax")

import jax.numpy as jnp  # noqa: E402

import thalweg as tw  # noqa: E402
import thalweg.jax as tj  # noqa: E402

from .rows import (  # noqa: E402
    HALF,
    falling,
)
from .walks import apart, named, stream, told, tree, walk  # noqa: E402

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", ["adam", "rmsprop", "lamb", "adagrad", "contrib.muon"])
def test_complex_tensors_are_two_real_ones(name: str) -> None:
    params = jax.tree.map(lambda x, y: x + 1j * y, tree(0), tree(50))
    gradients = jax.tree.map(lambda x, y: x + 1j * y, stream(20), jax.tree.map(lambda g: 0.5 * g[::-1], stream(20)))
    ours, theirs = named(tj, name)(0.02), optax.contrib.split_real_and_imaginary(named(optax, name)(0.02))
    p, s = walk(ours, params, gradients)
    if name != "lamb":  # its norm is of both parts
        assert apart(p, walk(theirs, params, gradients)[0]) < 1e-12
    assert {x.dtype for x in jax.tree.leaves(p)} == {jnp.dtype("complex128")}
    assert {x.shape for x in jax.tree.leaves(s) if x.dtype.kind == "c"} == {(4, 3), (5,), ()}


def test_optaxs_names_find_what_a_state_keeps() -> None:
    params = tree(0)
    for name, slots in (
        ("adamw", ("mu", "nu")),
        ("amsgrad", ("mu", "nu", "nu_max")),
        ("lion", ("mu",)),
        ("adagrad", ("sum_of_squares",)),
    ):
        tx = named(tj, name)(0.01)
        state = tx.init(params)
        for slot in slots:
            assert jax.tree.structure(optax.tree.get(state, slot)) == jax.tree.structure(params)
        doubled = optax.tree.map_params(tx, lambda x: x + 1.0, state)
        assert doubled.count is None or int(doubled.count) == 0
        assert all(
            np.all(np.asarray(x) == np.asarray(y) + 1)
            for x, y in zip(*map(jax.tree.leaves, (doubled.memory, state.memory)), strict=True)
        )


CARRIED: list[tuple[str, dict[str, Any]]] = [
    ("adabelief", {}), ("adadelta", {}), ("adagrad", {}), ("adam", {}), ("adamax", {}), ("adamw", {"nesterov": True}),
    ("amsgrad", {}), ("lamb", {}), ("lion", {}), ("nadamw", {}), ("novograd", {}), ("optimistic_gradient_descent", {}),
    ("radam", {}), ("rmsprop", {"initial_scale": 0.5}), ("sgd", {"momentum": 0.8}), ("signum", {}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "options"), CARRIED, ids=told)
def test_a_checkpoint_of_optaxs_goes_on_in_ours(name: str, options: dict[str, Any]) -> None:
    ours, theirs = (named(library, name)(falling, **options) for library in (tj, optax))
    p, s = walk(theirs, tree(0), stream(30))
    later = jax.tree.map(lambda g: g[::-1], stream(30))
    q, r = p, tj.from_optax(ours, s, p)

    def on(tx: Any, p: Any, s: Any) -> Any:
        end, _ = jax.lax.scan(
            lambda c, g: ((optax.apply_updates(c[0], (u := tx.update(g, c[1], c[0]))[0]), u[1]), None), (p, s), later
        )
        return end[0]

    assert apart(on(ours, q, r), on(theirs, p, s)) < 1e-12


@pytest.mark.parametrize(
    ("tx", "counted"),
    [
        (tj.sgd(0.1), False), (tj.sgd(optax.constant_schedule(0.1)), True), (tj.lion(0.1), False), (tj.adam(0.1), True),
        (tj.adagrad(0.1), False), (tj.lion(0.1, weight_decay=HALF), True), (tj.lars(0.1, 0.1, trust_coefficient=HALF), True),
        (tj.of(tw.signum)(0.1), False), (tj.of(tw.signum)(0.1, beta=HALF), True), (tj.of(tw.noisy_sgd)(0.1), True),
        (tj.optimizer(tw.choose((tw.is_matrix, tw.sgd()), otherwise=tw.signsgd()), 0.1), False),
        (tj.optimizer(tw.choose((tw.is_matrix, tw.sgd()), otherwise=tw.signsgd().at(lr=lambda t: 1 / t)), 0.1), True),
        (tj.optimizer(tw.chain(tw.sgd(), tw.schedule_free()), 0.1), True),
    ],
    ids=lambda value: {True: "counted", False: "not"}.get(value, "tx"),
)  # fmt: skip
def test_updates_are_counted_where_something_looks_at_the_count(tx: Any, counted: bool) -> None:
    params = tree(0)
    state = tx.init(params)
    for t in range(2):
        assert state.count == (t if counted else None)
        _, state = tx.update(params, state, params)


def test_a_state_is_a_plain_tree_like_the_parameters() -> None:
    params = tree(0)
    state = tj.adam(1e-3).init(params)
    assert jax.tree.structure(state.memory["adam"]["mu"]) == jax.tree.structure(params)
    leaves, structure = jax.tree.flatten(state)
    assert all(isinstance(x, jax.Array) for x in leaves)
    assert jax.tree.structure(jax.tree.unflatten(structure, leaves)) == structure
    assert int(optax.tree_utils.tree_get(state, "count")) == 0
    chosen = tj.optimizer(tw.choose((tw.is_matrix, tw.momentum().at(lr=0.02)), otherwise=tw.adam()), 1e-3).init(params)
    nowhere = [x for x in jax.tree.leaves(chosen, is_leaf=lambda x: isinstance(x, tj.Without)) if isinstance(x, tj.Without)]
    assert len(nowhere) == 2 + 1 + 1, "momentum's of two vectors, Adam's two of the matrix"


@pytest.mark.parametrize("name", ["schedule_free_sgd", "schedule_free_adamw", "schedule_free_radam"])
def test_schedule_free_rules_have_the_point_to_use(name: str) -> None:
    """At optax's form of AdamW's correction the steps and the averages are optax's, too; it has no RAdam."""
    with jax.enable_x64(True):
        p = q = {"w": jnp.linspace(-1.0, 1.0, 6).reshape(2, 3)}
        ours = getattr(tj, name)(0.1, **({"correction": "moment"} if name.endswith("adamw") else {}))
        theirs = getattr(optax.contrib, name)(0.1) if hasattr(optax.contrib, name) else ours
        mine, other = ours.init(p), theirs.init(q)
        for _ in range(10):
            updates, mine = ours.update(jax.tree.map(jnp.sin, p), mine, p)
            p = optax.apply_updates(p, updates)
            updates, other = theirs.update(jax.tree.map(jnp.sin, q), other, q)
            q = optax.apply_updates(q, updates)
        used = tj.contrib.schedule_free_eval_params(mine, p)
        assert jnp.array_equal(used["w"], ours.ship(p, mine)["w"])
        assert jnp.abs(used["w"] - tj.contrib.schedule_free_eval_params(other, q)["w"]).max() < 1e-12
        assert jnp.abs(p["w"] - q["w"]).max() < 1e-12
        assert jnp.abs(used["w"] - p["w"]).max() > 1e-4
