"""Loops that ask for memory ahead of use: those with much arithmetic for what they read, in pieces, to the same bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

import thalweg as tw
import thalweg.numpy as tn
from thalweg.core.leaf import Leaf
from thalweg.engines.drawn import Drawn, drawn
from thalweg.graph.program import stage_paths

SIZES = [1, 63, 64, 65, 129, 1000]


def kernels(rule: str, dtype: str = "float32") -> Drawn:
    p, optimizer = np.zeros(2, dtype), tw.Optimizer(tw.rules[rule]())
    return drawn(optimizer, stage_paths(optimizer, Leaf("p", p.shape, p, p, 0, None, p)), dtype)


def test_a_loop_with_much_arithmetic_asks_ahead() -> None:
    text = kernels("madgrad").kernel.text
    assert "for begin in range(jobs[4 * job + 2], jobs[4 * job + 3], 64):" in text
    for column in ("p", "g", "s", "nu", "x0"):
        assert f"fetch({column}_at + 4 * (begin + 384), 256)" in text
    assert "fetch(p_at + 8 * (begin + 192), 512)" in kernels("madgrad", "float64").kernel.text


@pytest.mark.parametrize("rule", ["sgd", "momentum", "adam", "lion", "noisy_sgd"])
def test_a_loop_that_waits_for_memory_does_not_ask(rule: str) -> None:
    assert "fetch" not in kernels(rule).kernel.text


def test_a_sum_of_one_column_asks_ahead() -> None:
    assert "fetch(g_at + 4 * (leaf + 2048), 512)" in kernels("novograd").kernels[0].text
    assert "fetch" not in kernels("fromage").kernels[0].text


@pytest.mark.parametrize("rule", ["madgrad", "rprop", "diffgrad"])
def test_pieces_make_no_difference(rule: str) -> None:
    """An array equals arrays of other sizes that hold the same numbers."""
    rng, count = np.random.default_rng(0), sum(SIZES)
    whole: Any = rng.standard_normal(count).astype(np.float32)
    parts = [x.copy() for x in np.split(whole, np.cumsum(SIZES)[:-1])]
    one, several = (tn.of(tw.rules[rule])(params) for params in ([whole], parts))
    for _ in range(3):
        g = rng.standard_normal(count).astype(np.float32)
        one.step([g])
        several.step([x.copy() for x in np.split(g, np.cumsum(SIZES)[:-1])])
    np.testing.assert_array_equal(whole, np.concatenate(parts))
