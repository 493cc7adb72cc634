"""How much of the code a reader of one update of Adam in JAX must walk through: a bound on lines and on calls."""

from __future__ import annotations

import pytest
from entered import arrays, entered, lines_of

jax = pytest.importorskip("jax")
pytest.importorskip("optax")

import thalweg.jax as tj  # noqa: E402

P, G = (jax.tree.map(jax.numpy.asarray, arrays(value)) for value in (1.0, 0.5))


def test_few_lines_run_until_adam_has_made_two_updates() -> None:
    def two_updates() -> None:
        tx = tj.adam(1e-3)
        tx.update(G, tx.update(G, tx.init(P), P)[1], P)

    assert 300 < lines_of(entered(two_updates)) <= 540


def test_few_functions_are_entered_in_an_update() -> None:
    tx = tj.adam(1e-3)
    state = tx.update(G, tx.update(G, tx.init(P), P)[1], P)[1]
    assert 50 < entered(lambda: tx.update(G, state, P)).total() <= 110
