"""Problems that are only described in this process: their methods refuse, and say where the problem runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from thalweg.lab.data.problem import Score
from thalweg.lab.training.function import TrainingFunction
from thalweg.lab.user.probe import ProbedProblem

DESCRIBED: dict[str, tuple[Any, str]] = {
    "training": (TrainingFunction("mine", "", "f"), "inside its own loop"),
    "probed": (
        ProbedProblem("mine", "", Score("loss", False), 9, 0, 0, 0, "f", {"w": np.ones((1, 3))}),
        "in processes of its own",
    ),
}


@pytest.mark.parametrize("which", DESCRIBED)
def test_only_the_start_is_known_here(which: str) -> None:
    problem, said = DESCRIBED[which]
    assert all(len(leaf) == 2 for leaf in problem.init([1, 2]).values())
    for call in (
        lambda: problem.draws([1], 0),
        lambda: problem.loss_and_grad({}, None),
        lambda: problem.validate({}, [1]),
        lambda: problem.test({}, [1]),
    ):
        with pytest.raises(NotImplementedError, match=said):
            call()
