"""An optimizer over its blocks: one score for each, what they chose together, and their sweeps of rates drawn as one."""

from __future__ import annotations

from typing import Any

import numpy as np

import thalweg
from thalweg.lab.comparing.candidate import Candidate
from thalweg.lab.comparing.entrant import Entrant
from thalweg.lab.protocol.tune import Space
from thalweg.lab.report.figures.sweeps import sweep
from thalweg.lab.report.rows import unreliable
from thalweg.lab.statistics import stats
from thalweg.lab.trials.trials import Trial


def swept(*trials: tuple[int, float, float | None]) -> Any:
    tuning = [{"block": block, "lr": lr, "score": score, "diverged": score is None} for block, lr, score in trials]
    return {"tuning": tuning, "best_settings": [{"block": block} for block in {trial["block"] for trial in tuning}]}


def test_the_rates_of_blocks_that_lie_side_by_side_share_a_median() -> None:
    one = swept((0, 0.1, 1.0), (0, 0.1, 3.0), (0, 1.0, 5.0), (0, 1.0, None))
    np.testing.assert_array_equal(sweep(one, True), [[0.1, 1.0], [2.0, np.nan]])
    some = swept(
        (0, 0.1, 1.0), (0, 0.1, 2.0), (1, 0.2, 3.0), (1, 0.2, None), (0, 1.0, None), (0, 1.0, 1.0), (1, 2.0, None), (1, 2.0, 9)
    )
    for higher, median in ((True, 1.5), (False, 2.5)):
        rates, medians = sweep(some, higher)
        assert rates == [0.2, 2.0]
        np.testing.assert_array_equal(medians, [median, np.nan])


def ended(lr: float, score: float, test: float | None = None) -> Trial:
    return Trial(lr, 1, score_curve=[0.0, score], loss_curve=[1.0, -score], train_curve=[1.0, 0.5], test_score=test)


def entrant(*each: tuple[float, list[float | None]]) -> Entrant:
    """Blocks that tried three rates, chose this one, and were judged so."""
    found = []
    for rate, scores in each:
        one = Candidate(thalweg.sgd, "sgd", Space((0.01, 1.0), 3))
        one.tuning = [ended(lr, float(lr == rate)) for lr in (0.01, 0.1, 1.0) for _ in range(2)]
        one.choose(higher_is_better=True)
        one.judging = [ended(rate, 1.0, score) for score in scores]
        found.append(one)
    return Entrant(tuple(found))


def test_a_block_without_a_score_is_lost() -> None:
    found = entrant((0.1, [0.5, 0.7]), (0.1, [0.9, None]), (0.1, [0.2, float("nan")]))
    np.testing.assert_array_equal(found.scores(True), [0.6, -np.inf, -np.inf])
    np.testing.assert_array_equal(found.scores(False), [0.6, np.inf, np.inf])
    np.testing.assert_array_equal(entrant((0.1, [0.5, 0.7])).scores(True), [0.5, 0.7])


def test_runs_that_diverge_together_count_once() -> None:
    """What a block's setting does to one seed it does to the other: they are no two witnesses."""
    fine, broken = (0.1, [0.5, 0.6]), (0.1, [0.5, 0.6])
    found = entrant(*[fine] * 4, *[broken] * 4)
    for block in found.blocks[4:]:
        for trial in block.judging:
            trial.diverged = True
    assert unreliable(found, 3) == stats.least_divergence(4, 8, 3)
    assert unreliable(entrant((0.1, [0.5] * 8)), 3) is None


def test_an_edge_counts_where_most_blocks_are_at_it() -> None:
    assert entrant((1.0, []), (1.0, []), (0.1, [])).at_edge == "high"
    assert entrant((1.0, []), (0.1, []), (0.01, [])).at_edge is None
    assert entrant((1.0, []), (0.1, [])).at_edge is None
    assert entrant((0.01, []), (1.0, []), (0.1, []), (1.0, [])).best.lr == 0.1
