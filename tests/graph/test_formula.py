"""Formulas and costs, derived from the rules and from nothing else."""

from __future__ import annotations

import cProfile
import pstats

import pytest

import thalweg as tw
from thalweg.graph.cost import cost, word_kind
from thalweg.graph.formula import formula


def test_adams_formula_is_its_papers() -> None:
    assert tw.rules["adam"].formula().plain.splitlines() == [
        "mₜ = β₁ mₜ₋₁ + (1 - β₁) gₜ",
        "vₜ = β₂ vₜ₋₁ + (1 - β₂) gₜ^2",
        "θₜ = θₜ₋₁ - η mₜ / (1 - β₁^t) / (√(vₜ / (1 - β₂^t)) + ε)",
    ]
    latex = tw.rules["adam"].formula()
    assert latex == latex.latex
    assert r"m_{t} &= \beta_{1} \, m_{t-1} + \left(1 - \beta_{1}\right) \, g_{t}" in latex
    assert r"\sqrt{\frac{v_{t}}{1 - {\beta_{2}}^{t}}} + \epsilon" in latex
    assert latex._repr_latex_().startswith("$$")


@pytest.mark.parametrize("name", tw.rules)
def test_every_rule_prints_balanced(name: str) -> None:
    text = tw.rules[name].formula()
    assert text.count("{") == text.count("}")
    assert text.count(r"\left") == text.count(r"\right")
    assert text.count(r"\begin") == text.count(r"\end")
    lines = text.plain.splitlines()
    ships = any(stage.place == 2 and not stage.trace.moves for stage in tw.chain(tw.rules[name]()).functions)
    assert lines[-1].startswith("xₜ" if ships else "θₜ"), (
        "the point to ship comes last, or the one where the next gradient is taken"
    )
    assert all(line.count("(") == line.count(")") for line in lines)
    for slot, kind in tw.rules[name].memory.items():
        assert len(lines) > len(tw.rules[name].memory) - 1, (slot, kind)


def test_options_change_the_formula() -> None:
    assert "√(vₜ + ε)" in tw.rules["rmsprop"].formula(eps=tw.inside(1e-8)).plain
    assert "√vₜ + ε" in tw.rules["rmsprop"].formula().plain
    assert tw.rules["momentum"].formula(mu=0.0).plain == tw.rules["sgd"].formula().plain


def test_chains_print_stage_by_stage() -> None:
    coupled = formula(tw.chain(tw.decay(), tw.adam())).plain
    assert coupled.splitlines()[:2] == ["dₜ = gₜ + λ θₜ₋₁", "mₜ = β₁ mₜ₋₁ + (1 - β₁) dₜ"]
    assert tw.rules["adamw"].formula().plain.splitlines()[-1] == "θₜ = θₜ₋₁ - η (dₜ + λ θₜ₋₁)"
    behind_an_owner = formula(tw.chain(tw.learning_rate(), tw.momentum(), tw.decay())).plain
    assert behind_an_owner.splitlines()[-1] == "θₜ  = θₜ₋₁ - (d₂ₜ + η λ θₜ₋₁)"
    free = formula(tw.chain(tw.sgd(), tw.schedule_free())).plain
    assert free.splitlines() == ["zₜ = zₜ₋₁ - η gₜ", "xₜ = xₜ₋₁ + 1 / t (zₜ - xₜ₋₁)", "θₜ = xₜ + (1 - β) (zₜ - xₜ)"]
    averaged = formula(tw.chain(tw.sgd(), tw.polyak_average(t0=100.0))).plain
    assert averaged.splitlines() == [
        "θₜ = θₜ₋₁ - η gₜ",
        "μₜ = 1 / max(1, t - t₀)",
        "xₜ = (xₜ₋₁ + μₜ (θₜ - xₜ₋₁) if μₜ < 1 else θₜ)",
    ]
    assert "‖gₜ‖" in formula(tw.chain(tw.clip(), tw.sgd())).plain
    assert "∇f(θₜ₋₁ + ρ gₜ" in formula(tw.chain(tw.sam(), tw.sgd())).plain


@pytest.mark.parametrize(
    ("name", "state", "moved"),
    [
        ("sgd", 0, 12),
        ("momentum", 1, 20),
        ("nesterov", 1, 20),
        ("adagrad", 1, 20),
        ("rmsprop", 1, 20),
        ("adam", 2, 28),
        ("adamw", 2, 28),
        ("amsgrad", 3, 36),
        ("adafactor", 0, 28),
        ("muon", 1, 28),
        ("sophia", 2, 32),
        ("lamb", 2, 40),
        ("polyak_sgd", 0, 16),
    ],
)
def test_costs_are_the_known_ones(name: str, state: float, moved: float) -> None:
    cost = tw.rules[name].cost()
    assert (cost.state_per_parameter, cost.state_bytes, cost.bytes_moved) == (state, 4 * state, moved)
    assert tw.rules[name].cost(itemsize=8).bytes_moved == 2 * moved


def test_words_on_matrices_are_printed_as_operators() -> None:
    assert tw.rules["muon"].formula().plain.splitlines() == [
        "Bₜ = μ Bₜ₋₁ + gₜ",
        "θₜ = θₜ₋₁ - η √(max(1, rows(gₜ) / cols(gₜ))) orthogonal(gₜ + μ Bₜ, 5, a, b, c, ε)",
    ]
    assert r"\operatorname{row\_means}\left(\mathrm{squares}_{t}\right)" in tw.rules["adafactor"].formula()
    assert "Vₜ = Rₜ / col_means(Rₜ) Cₜ" in " ".join(tw.rules["adafactor"].formula().plain.split())


def test_costs_follow_the_configuration() -> None:
    assert tw.rules["rmsprop"].cost(centred=True).state_per_parameter == 2
    assert tw.rules["momentum"].cost(mu=0.0).state_per_parameter == 0
    assert tw.rules["sgd"].cost().operations == 2
    assert tw.rules["eve"].cost().state_per_parameter == 2
    assert tw.rules["adasecant"].cost().bytes_moved > 4 * (2 * 14 + 3)


def test_kinds_tell_how_far_a_rule_looks() -> None:
    kinds = {name: word_kind(tw.rules[name]()) for name in tw.rules}
    assert kinds["adam"] == "element-wise"
    assert kinds["eve"] == "whole model"
    assert kinds["adasecant"] == "tensor norms"
    assert kinds["muon"] == kinds["adafactor"] == "matrices"
    assert word_kind(tw.chain(tw.clip(), tw.adam())) == "whole model"


def test_formulas_are_printed_under_a_profiler() -> None:
    """cProfile's, before Python 3.12, is no function that `sys.setprofile` takes back; it goes on where it was."""

    def later() -> None:
        pass

    profile = cProfile.Profile()
    profile.enable()
    found = tw.rules["adam"].formula().plain
    later()
    profile.disable()
    assert found == tw.rules["adam"].formula().plain
    assert "later" in {name for _, _, name in pstats.Stats(profile).stats}  # type: ignore[attr-defined]


CHOSEN = {
    "choose": lambda: tw.choose((tw.is_matrix, tw.sgd()), otherwise=tw.adam()),
    "choose by name": lambda: tw.choose((tw.named("w"), tw.adam()), otherwise=tw.sgd()),
    "choose inside choose": lambda: tw.choose(
        (tw.is_matrix, tw.sgd()), otherwise=tw.choose((tw.named("b"), tw.sgd()), otherwise=tw.adam())
    ),
    "only": lambda: tw.chain(tw.sgd(), tw.only(tw.is_matrix, tw.adam())),
    "in a chain": lambda: tw.chain(tw.clip(), tw.choose((tw.is_matrix, tw.sgd()), otherwise=tw.adam()), tw.decay()),
    "every": lambda: tw.every(2, tw.choose((tw.is_matrix, tw.sgd()), otherwise=tw.adam())),
    "around": lambda: tw.chain(tw.sam(), tw.choose((tw.is_matrix, tw.sgd()), otherwise=tw.adam())),
    "after": lambda: tw.chain(tw.choose((tw.is_matrix, tw.sgd()), otherwise=tw.adam()), tw.average()),
}


@pytest.mark.parametrize("where", CHOSEN)
def test_formula_and_cost_have_all_branches(where: str) -> None:
    stage = CHOSEN[where]()
    shown, told = formula(stage), cost(stage, 4)
    assert "√" in shown.plain
    assert shown.plain.count("where ") == len(told.branches) == shown.latex.count("where ")
    states = [own.state_per_parameter for _, own in told.branches]
    assert max(states) - min(states) == 2, "one branch is SGD, another Adam"
    assert told.state_per_parameter == max(states)
    assert told.bytes_moved == max(own.bytes_moved for _, own in told.branches)
    assert {name for part in stage.functions for name in [part.name]} >= {"sgd", "adam"}


def test_a_branch_says_where_and_at_which_rate() -> None:
    stage = tw.choose((tw.is_matrix, tw.sgd().at(lr=0.02)), (tw.named("a_b"), tw.lion()), otherwise=tw.sgd())
    headings = [line for line in formula(stage).plain.splitlines() if line.endswith(":")]
    assert headings == [
        "where is_matrix, with lr = 0.02:",
        "where not is_matrix and named('a_b'):",
        "where not is_matrix and not named('a_b'):",
    ]
    assert r"named('a\_b')" in formula(stage)
    assert formula(tw.every(4, tw.sgd())).plain.startswith("once in 4 calls")
    assert cost(tw.every(4, tw.sgd()), 4).state_per_parameter == 1


def test_two_stages_for_the_same_parameters_are_two_ways_not_four() -> None:
    twice = tw.chain(tw.only(tw.is_matrix, tw.clip()), tw.sgd(), tw.only(tw.is_matrix, tw.decay()))
    assert [where for where, _ in cost(twice, 4).branches] == ["is_matrix", "not is_matrix"]


def test_a_norm_over_the_model_is_of_what_arrives() -> None:
    assert (
        "‖dₜ‖" in formula(tw.chain(tw.decay(), tw.clip())).plain
        or "‖gₜ + λ θₜ₋₁‖" in formula(tw.chain(tw.decay(), tw.clip())).plain
    )


def test_an_underscore_in_a_name_is_no_subscript_in_latex() -> None:
    assert r"{t}^{\mathrm{beta2\_decay}}" in tw.rules["adafactor"].formula().latex
