"""How one formula differs from another, term by term."""

from __future__ import annotations

from typing import Any

import pytest
from support import everyday

import thalweg as tw
from thalweg.graph.difference import Difference, difference
from thalweg.methods import family, rules
from thalweg.ops import mix, sqrt
from thalweg.rule import rule


def of(first: Any, second: Any) -> Difference:
    return difference(first.formula(), second.formula())


def bare(line: str) -> str:
    return line.replace(" ", "").replace("·", "")


def joined(lines: list[str]) -> list[str]:
    """The lines without one for the direction, which a difference gives to a formula that has none."""
    *others, direction, last = lines
    return [*others, last.replace("dₜ", direction.removeprefix("dₜ = "))]


def marked(found: Difference) -> list[str]:
    """What is new in changed lines."""
    return [span.text for line in found.lines if line.kind == "changed" for span in line.after if span.marked]


def test_adam_beside_rmsprop() -> None:
    found = of(tw.rmsprop, tw.adam)
    assert found.plain.splitlines() == [
        "+ mₜ = β₁ mₜ₋₁ + (1 - β₁) gₜ",
        "  vₜ = β₂ vₜ₋₁ + (1 - β₂) gₜ^2",
        "- θₜ = θₜ₋₁ - η gₜ / (√vₜ + ε)",
        "+ θₜ = θₜ₋₁ - η mₜ / (1 - β₁^t) / (√(vₜ / (1 - β₂^t)) + ε)",
    ]
    assert found.renamed == {"β₂": "ρ"}
    assert marked(found) == ["mₜ / (1 - β₁^t)", "(", " / (1 - β₂^t))"]


def test_the_way_back_drops_what_the_way_there_adds() -> None:
    there, back = of(tw.rmsprop, tw.adam), of(tw.adam, tw.rmsprop)
    assert [line.kind for line in there.lines] == ["added", "same", "changed"]
    assert [line.kind for line in back.lines] == ["dropped", "same", "changed"]


def test_one_term_of_one_line() -> None:
    found = of(tw.signum, tw.lion)
    assert [line.kind for line in found.lines] == ["same", "changed"]
    assert found.renamed == {"β₂": "β"}


def test_a_stage_behind_a_rule_is_one_term() -> None:
    found = of(tw.adam, tw.adamw)
    assert [line.kind for line in found.lines] == ["same", "same", "same", "changed"]
    assert found.plain.splitlines()[-2:] == ["- θₜ = θₜ₋₁ - η dₜ", "+ θₜ = θₜ₋₁ - η (dₜ + λ θₜ₋₁)"]


def test_another_letter_is_no_difference() -> None:
    @rule(lr=1e-2)
    def first(g, v=0.0, *, rho=0.9):
        """First."""
        v = mix(v, g * g, rho)
        return g / sqrt(v), v

    @rule(lr=1e-2)
    def second(g, s=0.0, *, beta=0.9):
        """Second."""
        s = mix(s, g * g, beta)
        return g / sqrt(s), s

    found = of(first, second)
    assert {line.kind for line in found.lines} == {"same"}
    assert found.renamed == {"s": "v", "β": "ρ"}


def test_another_function_is_a_difference() -> None:
    found = of(tw.dog, tw.ldog)  # sums over the model, and over a tensor
    assert [line.kind for line in found.lines] == ["changed", "changed", "changed", "same"]
    assert not found.renamed


def test_two_letters_that_change_places_are_one() -> None:
    @rule(lr=1e-2)
    def first(g, m=0.0, *, a=0.9, b=0.1):
        """First."""
        m = a * m + b * g
        return m, m

    @rule(lr=1e-2)
    def second(g, m=0.0, *, a=0.9, b=0.1):
        """Second."""
        m = b * m + a * g
        return m, m

    found = of(first, second)
    assert [line.kind for line in found.lines] == ["changed", "same"]
    assert not found.renamed


@pytest.mark.parametrize("name", everyday(sorted(rules)))
def test_a_formula_does_not_differ_from_itself(name: str) -> None:
    found = of(rules[name], rules[name])
    assert {line.kind for line in found.lines} == {"same"}
    assert not found.renamed


@pytest.mark.parametrize("name", everyday(sorted(set(rules) - set(family.roots()))))
def test_the_lines_are_those_of_both_formulas(name: str) -> None:
    first, second = rules[family.parent(name) or ""], rules[name]
    found = of(first, second)
    for rule_, side in ((first, "before"), (second, "after")):
        told = ["".join(span.text for span in getattr(line, side)) for line in found.lines if getattr(line, side)]
        formula = [bare(line) for line in rule_.formula().plain.splitlines()]
        assert [bare(line) for line in told] == formula or [*map(bare, joined(told))] == formula
    assert {line.kind for line in found.lines} != {"same"}


@pytest.mark.parametrize("kind", ["same", "changed", "added", "dropped"])
def test_every_kind_of_line_occurs(kind: str) -> None:
    assert any(line.kind == kind for line in of(tw.adam, tw.nadam).lines + of(tw.adam, tw.sgd).lines)
