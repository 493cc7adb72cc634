"""Steps printed as JavaScript, beside NumPy's: 50 of them on vectors of several lengths, to 1e-12."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import NEEDS_ONE, found, shown

import thalweg as tw
from lab.playground.walking import NEEDS_NODE, WALK, differing, drawn, in_node
from thalweg.core.stage import Stage
from thalweg.graph.program import NotTraced
from thalweg.lab.playground.javascript import printed, printed_rule
from thalweg.ops import clip, every_kth, mix, over_root, where


@tw.recipe(lr=0.1)
def from_one(*, kept: tw.Decay = 0.9) -> Stage:
    """A recipe that computes with its number."""
    return tw.chain(tw.momentum(1 - kept), tw.decay(0.25))


@tw.rule(lr=0.02)
def own(g, t, null=0.5, *, state: tw.Decay = 0.9, hyper=1.25):  # type: ignore[no-untyped-def]
    """A rule with names that JavaScript has a use for."""
    null = mix(null, g, state)
    true = clip(null, -hyper, hyper)
    return where(every_kth(t, 3), true, over_root(g, null * null, 1e-3)), null


RULES = {**tw.rules, "from_one": from_one, "own": own}


def steps() -> dict[str, Any]:
    made = {}
    for name, rule in RULES.items():
        try:
            made[name] = printed_rule(rule)
        except (NotTraced, ValueError, TypeError):
            continue
    return made


def moved(rule: tw.Rule, hyper: dict[str, float]) -> dict[str, float]:
    """Other numbers than the defaults, each inside its range."""
    parts = {name: value for name, value in hyper.items() if name != "lr" and np.isfinite(value)}
    inside = {}
    for name, value in parts.items():
        lower = rule.parts[name].range is None or 0.97 * value in rule.parts[name].range
        inside[name] = (0.97 if lower else 1.03) * value
    return inside


def cases() -> tuple[dict[str, Any], dict[str, Any], str]:
    """The gradients, all rules that print, each with its defaults and again with other numbers, and a script that walks with them."""
    given, optimizers, rules = drawn(), dict[str, Any](), list[str]()
    for name, one in steps().items():
        rule, rate = RULES[name], tw.Optimizer(RULES[name]()).lr
        hyper = {key: rate if value is None else value for key, value in one.hyper.items()}
        other = moved(rule, hyper)
        for k, (config, numbers) in enumerate([({}, hyper), (other, {**hyper, **other})]):
            defaults = {part.name: part.default for part in rule.parts.values()}
            optimizers[f"{name} {k}"] = tw.Optimizer(rule.configured({**defaults, **config}), lr=rate)
            facts = json.dumps({"starts": one.starts, "hyper": numbers})
            rules.append(f"{json.dumps(f'{name} {k}')}: {{...{facts}, step: {one.text}}}")
    return given, optimizers, f"const CASES = {{...{json.dumps(given)}, rules: {{{','.join(rules)}}}}};{WALK}"


def equal(ends: dict[str, Any], optimizers: dict[str, Any], given: dict[str, Any]) -> None:
    assert ends.keys() == optimizers.keys()
    assert {"adam 0", "adam 1", "lamb 0", "sgd 1", "own 1", "from_one 0"} <= ends.keys()
    assert len(ends) > 240
    assert not differing(ends, optimizers, given)


@NEEDS_NODE
def test_steps_in_node_are_numpys(tmp_path: Path) -> None:
    given, optimizers, script = cases()
    equal(in_node(script + "console.log(JSON.stringify(ends));", tmp_path), optimizers, given)


@NEEDS_ONE
@pytest.mark.slow
def test_steps_in_a_browser_are_numpys(tmp_path: Path) -> None:
    given, optimizers, script = cases()
    page = f"<!doctype html><html><head></head><body><script>{script}</script></body></html>"
    equal(found(shown(page, "document.body.dataset.found = JSON.stringify(ends);", tmp_path)), optimizers, given)


def test_a_step_looks_up_the_rule_s_own_numbers() -> None:
    """Not those of a recipe's stages under their names."""
    for name, step in steps().items():
        assert step.hyper.keys() <= {*RULES[name].parts, "lr"}, name
    assert steps()["novograd"].hyper == {"lr": None, "beta1": 0.95, "beta2": 0.98, "eps": 1e-8}
    assert "hyper.beta1" in steps()["novograd"].text


def test_numbers_that_a_recipe_works_out_are_part_of_the_step() -> None:
    step = printed_rule(from_one)
    assert step.hyper == {"lr": None}
    assert "= 0.25;" in step.text


def test_a_whole_optimizer_s_step_looks_up_its_stages_numbers() -> None:
    assert printed(tw.Optimizer(tw.alig())).hyper == {"c": 1.0, "lr": None, "eps": 1e-5, "mu": 0.9}
