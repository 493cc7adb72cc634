"""A word that is declared once is known to rules, kernels and formulas."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import thalweg as tw
import thalweg.numpy as tn
from thalweg import ops
from thalweg.engines.triton.kernel import Triton
from thalweg.ops.calling import call
from thalweg.ops.word import WORDS, Spelling, word


@pytest.fixture
def softsign(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """x / (1 + |x|), as a contributor would add it."""

    monkeypatch.setattr(np, "softsign", lambda x: x / (1 + abs(x)), raising=False)

    @word(
        loop=Spelling("{0} / (number(1.0) + abs({0}))", 6, of=9),
        triton=Spelling("{0} / (1 + tl.abs({0}))", 6, of=9),
        plain="soft",
    )
    def softsign(x: Any) -> Any:
        return call("softsign", x)

    monkeypatch.setattr(ops, "softsign", softsign, raising=False)
    yield softsign
    del WORDS["softsign"]


def test_a_new_word_is_known_everywhere(softsign: Any) -> None:
    @tw.rule(lr=0.1, search=(1e-3, 1e1))
    def bent(g, m=0.0, *, beta: tw.Decay = 0.9):  # type: ignore[no-untyped-def]
        """Bent (a test)."""
        m = ops.mix(m, g, beta)
        return softsign(m + 1.0), m

    formula = bent.formula()
    assert "soft(m" in formula.plain
    assert r"\operatorname{softsign}" in formula.latex
    draw = np.random.default_rng(0)
    p, gradients = draw.normal(size=(7, 5)), draw.normal(size=(4, 7, 5))
    w = p.copy()
    pure, fused = tw.Optimizer(bent), tn.Optimizer({"w": w}, bent)
    here, state = {"w": p}, pure.init({"w": p})
    for g in gradients:
        here, state = pure.step(here, {"w": g}, state)
        fused.step({"w": g})
    assert any("softsign" not in kernel.text and "abs(" in kernel.text for kernel in fused._bound.kernels())
    np.testing.assert_array_equal(w, here["w"])
    assert Triton("float32").word("softsign", [("x", 9)]) == ("x / (1 + tl.abs(x))", 6)


def test_a_rules_variables_may_have_names_that_kernels_use() -> None:
    @tw.rule(lr=0.1, search=(1e-3, 1e1))
    def remembering(g, size=tw.per_tensor):  # type: ignore[no-untyped-def]
        """Remembering (a test)."""
        kept = 2.0 * ops.norm(g)
        math = ops.sqrt(kept + 1.0)
        size = size + kept
        return g / (math + size), size

    draw = np.random.default_rng(0)
    p, g = draw.normal(size=(7, 5)), draw.normal(size=(7, 5))
    w = p.copy()
    pure, fused = tw.Optimizer(remembering), tn.Optimizer({"w": w}, remembering)
    fused.step({"w": g})
    np.testing.assert_allclose(w, pure.step({"w": p}, {"w": g}, pure.init({"w": p}))[0]["w"], rtol=1e-14)


def test_variables_and_memory_may_be_named_as_functions_of_kernels() -> None:
    @tw.rule(lr=0.1, search=(1e-3, 1e1))
    def curved(g, exponential=0.0, *, beta: tw.Decay = 0.9):  # type: ignore[no-untyped-def]
        """Curved (a test)."""
        logistic = ops.sigmoid(g)
        hyperbolic_tangent = ops.tanh(logistic + g)
        exponential = ops.mix(exponential, ops.exp(-g * g), beta)
        return logistic * hyperbolic_tangent * exponential + ops.sigmoid(exponential), exponential

    draw = np.random.default_rng(0)
    p, g = draw.normal(size=(7, 5)), draw.normal(size=(7, 5))
    w = p.copy()
    pure, fused = tw.Optimizer(curved), tn.Optimizer({"w": w}, curved)
    fused.step({"w": g})
    assert fused._bound._launches
    np.testing.assert_allclose(w, pure.step({"w": p}, {"w": g}, pure.init({"w": p}))[0]["w"], rtol=1e-14)


def test_a_word_repeats_what_its_spelling_repeats() -> None:
    assert {name for name, each in WORDS.items() if each.repeats} == {"maximum", "minimum", "sign", "ratio"}
