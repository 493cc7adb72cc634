"""A rule as the lab runs it on a problem."""

from __future__ import annotations

from typing import Any

from thalweg.core.compose import choose, is_matrix, refuses_vectors
from thalweg.core.stage import Stage
from thalweg.form.hyper import Role, with_role
from thalweg.lab.data.problem import Problem
from thalweg.methods.moments.adam import adamw
from thalweg.rule import Rule
from thalweg.values.trees import flatten


def configured(rule: Rule, problem: Problem, **hyper: Any) -> Stage:
    """The rule with these hyper-parameters (numbers, or one for each lane), the others at their defaults. One with a
    `DataSize` is told the size of the data set; one that is for matrices alone has AdamW, at AdamW's usual
    learning rate, for the rest.
    """
    size = with_role(rule.hyper, Role.DATA_SIZE)
    told = {size: float(problem.train_size)} if size and problem.train_size else {}
    stage = rule(**told, **hyper)
    alone = not refuses_vectors(stage) or not has_matrices(problem)
    return stage if alone else choose((is_matrix, stage), otherwise=adamw().at(adamw.lr))


def has_matrices(problem: Problem) -> bool:
    """Whether any of the problem's parameters is more than a vector."""
    return any(leaf.ndim > 2 for leaf in flatten(problem.init([0]))[1])
