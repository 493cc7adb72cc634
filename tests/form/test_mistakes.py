"""What is wrong with a rule is said when it is declared or configured, and what to write instead."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
import pytest

import thalweg as tw
from thalweg.form.hyper import Share

OUT = {
    "Decay": 1.5,
    "Decay at its end": 1.0,
    "Fraction": 2.0,
    "Positive": 0.0,
    "NonNegative": -1.0,
    "Count": 0,
    "nan": math.nan,
    "Share": 1.0,
}
RANGES = {
    "Decay": tw.Decay, "Decay at its end": tw.Decay, "Fraction": tw.Fraction, "Positive": tw.Positive,
    "NonNegative": tw.NonNegative, "Count": tw.Count, "nan": tw.Real, "Share": Share,
}  # fmt: skip


@pytest.mark.parametrize("declare", [tw.rule, tw.after_step, tw.recipe], ids=["rule", "after_step", "recipe"])
@pytest.mark.parametrize("kind", OUT)
def test_a_default_out_of_its_own_range_is_refused_when_declared(kind: str, declare: Any) -> None:
    if declare is tw.recipe:

        def mine(*, beta=OUT[kind]):
            """Mine (Me 2026)."""
            return tw.sgd()
    elif declare is tw.after_step:

        def mine(z, *, beta=OUT[kind]):
            """Mine (Me 2026)."""
            return beta * z
    else:

        def mine(g, *, beta=OUT[kind]):
            """Mine (Me 2026)."""
            return beta * g

    mine.__annotations__ = {"beta": RANGES[kind]}
    with pytest.raises(ValueError, match="the default in mine: beta needs"):
        declare(mine)


def test_a_fraction_of_a_count_and_an_unknown_choice_are_refused_when_declared() -> None:
    with pytest.raises(TypeError, match="whole number by its annotation"):

        @tw.rule
        def whole(g, *, k: tw.Count = 1.5):
            return g

    with pytest.raises(ValueError, match="one of 'a' or 'b', not 'c'"):

        @tw.rule
        def chosen(g, *, way: Literal["a", "b"] = "c"):
            return g


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"lr": -1.0}, "lr is a number from 0 on"),
        ({"lr": "a"}, "lr is a number from 0 on"),
        ({"lr": math.nan}, "lr is a number from 0 on"),
        ({"lr": 0.1, "search": (1.0, 2.0)}, "its own lr, 0.1, is not in search"),
        ({"lr": 0.1, "search": (2.0, 1.0)}, "search is a range of positive rates"),
        ({"lr": 0.1, "search": (0.0, 1.0)}, "search is a range of positive rates"),
        ({"search": 3}, "search is a range of positive rates"),
        ({"search": (0.1,)}, "search is a range of positive rates"),
        ({"search": (0.1, math.inf)}, "search is a range of positive rates"),
    ],
)
def test_a_rate_that_its_own_search_does_not_hold_is_refused(more: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):

        @tw.rule(**more)
        def mine(g):
            return g


def sqrt_of_numpy(g):
    return np.sqrt(g)


def where_of_numpy(g):
    return np.where(g > 0, g, 0.0 * g)


def root_of_math(g):
    return math.sqrt(g)


def norm_of_numpy(g):
    return g / np.linalg.norm(g)


def mean_of_numpy(g):
    return np.mean(g)


def total_of_a_method(g):
    return g / g.sum()


def square_of_numpy(g):
    return np.square(g)


def larger_of_numpy(g):
    return np.maximum(g, 0.0)


def transform_of_numpy(g):
    return np.fft.fft(g)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (sqrt_of_numpy, r"np\.sqrt is no word of a rule.*write sqrt\(...\), with `from thalweg.ops import sqrt`"),
        (where_of_numpy, r"np\.where .*write where"),
        (root_of_math, r"math\.sqrt .*write sqrt"),
        (norm_of_numpy, r"np\.linalg\.norm .*write norm"),
        (mean_of_numpy, r"np\.mean .*write mean"),
        (total_of_a_method, r"\.sum is no word.*write total\(x\)"),
        (square_of_numpy, r"np\.square .*write x \* x"),
        (larger_of_numpy, r"np\.maximum .*write maximum"),
        (transform_of_numpy, r"np\.fft\.fft .*the words there are: append, at_least"),
    ],
    ids=lambda x: getattr(x, "__name__", ""),
)
def test_a_function_of_another_library_gets_the_word_of_ours(function: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        tw.rule(function)()


@pytest.mark.parametrize("word", ["sqrt", "where", "clamp", "norm", "mean"])
def test_a_function_of_torch_gets_the_word_of_ours(word: str) -> None:
    torch = pytest.importorskip("torch")
    functions = {
        "sqrt": lambda g: torch.sqrt(g),
        "where": lambda g: torch.where(g > 0, g, g),
        "clamp": lambda g: torch.clamp(g, 0, 1),
        "norm": lambda g: torch.linalg.norm(g),
        "mean": lambda g: torch.mean(g),
    }
    with pytest.raises(
        TypeError, match=f"{word} is no word of a rule.*from thalweg.ops import {'clip' if word == 'clamp' else word}"
    ):
        tw.rule(functions[word])()


def test_who_asks_for_the_learning_rate_is_told_how() -> None:
    with pytest.raises(TypeError, match=r"with @rule\(step=True\) it is asked for"):

        @tw.rule
        def mine(g, lr):
            return lr * g


@pytest.mark.parametrize("rule", [tw.lion, tw.adam], ids=repr)
def test_weight_decay_of_a_rule_without_it_is_told_where_it_goes(rule: Any) -> None:
    with pytest.raises(TypeError, match=rf"no hyper-parameter 'weight_decay'.*chain\({rule.name}\(...\), decay\(0.01\)\)"):
        rule(weight_decay=0.1)
