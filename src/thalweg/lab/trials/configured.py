"""A rule configured for a problem."""

from __future__ import annotations

from typing import Any

from thalweg.core.compose import choose, is_matrix, refuses_vectors
from thalweg.core.stage import Stage
from thalweg.form.hyper import Role, with_role
from thalweg.lab.data.problem import Problem
from thalweg.methods.moments.adam import adamw
from thalweg.rule import Rule
from thalweg.values.trees import flatten

NO_MATRICES = "it takes matrices alone, and there are none"
"""The reason why a rule does not run on a problem."""


def configured(rule: Rule, problem: Problem, **hyper: Any) -> Stage:
    """The rule with these hyper-parameters (numbers, or one per lane) and defaults for the others.

    A `DataSize` hyper-parameter is set to the size of the data set. A rule for matrices alone is combined with AdamW, at
    AdamW's default learning rate, for the other parameters.
    """
    size = with_role(rule.hyper, Role.DATA_SIZE)
    told = {size: float(problem.train_size)} if size and problem.train_size else {}
    stage = rule(**told, **hyper)
    alone = not refuses_vectors(stage) or not has_matrices(problem)
    return stage if alone else choose((is_matrix, stage), otherwise=adamw().at(adamw.lr))


def has_matrices(problem: Problem) -> bool:
    """Whether any parameter of the problem has two or more axes."""
    return any(leaf.ndim > 2 for leaf in flatten(problem.init([0]))[1])
