"""The family tree: every optimizer grew from others of the catalogue that are no younger, or is a root."""

from __future__ import annotations

import re

import pytest

import thalweg as tw
from thalweg.methods import family, rules
from thalweg.rule import rule

ROOTS = {"sgd", "lbfgs", "learned"}
"""What grew from none of the catalogue: L-BFGS from quasi-Newton methods, the learned optimizer from training."""


def years(name: str) -> list[int]:
    """The years of a method's sources: those of publication, and of the first version on arXiv."""
    paper = rules[name].paper
    printed = [int(year) for year in re.findall(r"\b(?:18|19|20)\d\d\b", re.sub(r"arXiv [\d.]+", "", paper))]
    return [*printed, *(2000 + int(found) for found in re.findall(r"arXiv (\d\d)\d\d\.", paper))]


def test_every_method_says_from_which_it_grew() -> None:
    assert set(family.roots()) == ROOTS


@pytest.mark.parametrize("name", sorted(set(rules) - ROOTS))
def test_its_parents_are_methods_no_younger(name: str) -> None:
    for parent in family.parents(name):
        assert parent in set(rules)  # the name itself, no alias
        assert parent != name
        assert min(years(parent)) <= max(years(name))
    assert family.change(name)


def test_the_tree_holds_each_method_once() -> None:
    def below(name: str) -> list[str]:
        return [name, *(other for child in family.children(name) for other in below(child))]

    assert sorted(other for root in family.roots() for other in below(root)) == sorted(rules)


def test_the_way_up_ends_at_a_root() -> None:
    assert family.line("adamw") == ["adamw", "adam", "rmsprop", "adagrad", "sgd"]
    assert family.parents("adam") == ("rmsprop", "momentum")
    assert family.parent("sgd") is None
    assert family.change("sgd") == ""


def test_children_come_oldest_first() -> None:
    ages = [rules[child].year or 0 for child in family.children("adam")]
    assert ages == sorted(ages)
    assert len(ages) > 20


def test_a_rule_of_ones_own_may_say_it_or_not() -> None:
    @rule(lr=1e-3)
    def faster(g):
        """Faster (2026).

        From adam and lion: nothing is kept.
        """
        return g

    @rule(lr=1e-3)
    def silent(g):
        """Silent. From adam: no, this is no line of its own."""
        return g

    assert family.origin(faster) == family.Origin(("adam", "lion"), "nothing is kept")
    assert family.origin(silent) == family.Origin()


def test_the_line_is_no_part_of_the_other_notes() -> None:
    assert family.without_origin("\nFrom adam: a change.\nThe rest.") == "The rest."
    assert family.without_origin("The rest.") == "The rest."


def test_the_sentence_reaches_help() -> None:
    assert "From adam: the weights decay directly" in (tw.adamw.__doc__ or "")
