"""The answer that heads a report and ends the terminal's table: it claims what the tests showed, and no more."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from lab.report.fake_results import fake, finished
from lab.report.test_suite import ten
from thalweg.lab.report import report, suite
from thalweg.lab.report.advice import TIE, advice
from thalweg.lab.report.answer import answer
from thalweg.lab.report.table import answered, suite_table, table
from thalweg.lab.statistics import budget


def scored(**means: float) -> dict[str, Any]:
    """Results in which each optimizer's ten runs lie around this mean, the same way for all but a little."""
    made = fake(rules=len(means))["rules"]
    for (name, mean), row in zip(means.items(), made, strict=True):
        row.update(name=name, tuned=True, best_lr=0.01)
        for i, run in enumerate(row["judging"]):
            run.update(test_score=mean + 0.001 * (i % 3) + 1e-4 * (-1) ** i * len(name), diverged=False)
    return finished(made, "accuracy", 10)


def test_where_all_others_are_worse_it_says_so() -> None:
    found = scored(a=0.9, bb=0.8, ccc=0.7)["answer"]
    assert found["matters"] == "It does: 2 of 3 are worse than another one."
    assert "If you try 12 settings: a, which did best with a learning rate of 0.01 (test accuracy 90.1 %" in found["use"]
    assert found["avoid"].endswith("ccc (at least 20 percentage points behind) and bb (at least 10 percentage points behind).")
    assert found["sure"].startswith("The other 2 did worse than another one, by more than chance explains.")
    assert "about this setting, on this split of the data; it may differ for another tuning or split" in found["sure"]
    assert found["why"].startswith("a has a test accuracy of 90.1 %, the mean of 10 seeds.")
    assert "may be as good" not in "".join(found.values())


def test_what_is_best_without_tuning_is_avoided_by_those_who_tune() -> None:
    """Else the answer would say of one optimizer to use and to avoid it."""
    made = scored(a=0.9, bb=0.8, ccc=0.7)
    scores = {"a": np.full(10, 0.3), "bb": np.full(10, 0.5) + 0.01 * np.arange(10), "ccc": np.full(10, 0.2)}
    for row in made["rules"]:
        row["untuned"]["score"]["mean"] = float(scores[row["name"]].mean())
    found = answer({**made, "advice": advice(made["rules"], scores, True, 0.0)})
    assert "Without tuning: bb" in found["use"]
    assert found["avoid"].startswith("If you try 12 settings: ccc (at least 20 percentage points behind) and bb (at least 10 ")


def test_within_a_tie_a_stated_rule_decides() -> None:
    made = scored(a=0.9, bb=0.9, ccc=0.7)
    first, second = made["rules"][:2]
    scores = {name: np.full(10, 0.5) for name in ("a", "bb", "ccc")}

    def tuned() -> str:
        return str(advice(made["rules"], scores, True, 0.0)[-1]["name"])

    for row, plain, width, state in zip(made["rules"], (0.5, 0.5, 0.9), (1.0, 1.0, 3.0), (1, 1, 0), strict=True):
        row["untuned"]["score"] = {"mean": plain, "low": plain, "high": plain}
        row.update(width=width, state_per_parameter=state, step_cost=1.0)
    second["step_cost"] = 0.9
    assert tuned() == second["name"], "the cheaper one"
    first["state_per_parameter"] = 0.5
    assert tuned() == first["name"], "with less memory"
    second["width"] = 2.0
    assert tuned() == second["name"], "with the wider range"
    first["untuned"]["score"]["mean"] = 0.6
    assert tuned() == first["name"], "better untuned"
    first["at_edge"] = "high"
    assert tuned() == second["name"], "whose rate can be copied"
    first.update(at_edge=None, unreliable=0.2)
    assert tuned() == second["name"], "that does not diverge"
    found = answer({**made, "advice": advice(made["rules"], scores, True, 0.0)})
    assert "among the best 2 of 3, which 10 seeds cannot separate" in found["sure"]
    assert TIE in found["use"]
    assert f"{first['name']}, which diverges in at least 20 % of runs" in found["avoid"]


def test_a_rate_that_nobody_should_copy_is_not_recommended() -> None:
    for alone in ({"at_edge": "high"}, {"width": 0.1}):
        made = scored(a=0.9, bb=0.7)
        made["rules"][0].update(alone)
        assert "do not copy that rate: it is at the edge of those tried, or its neighbours are bad" in answer(made)["use"]


def test_where_most_are_level_it_hardly_matters() -> None:
    made = scored(a=0.9, bb=0.9, ccc=0.9, d=0.5)
    for row in made["rules"][:3]:
        row["level"] = True
    made["margin"] = {"value": 0.0074, "given": False}
    found = answer(made)
    assert found["matters"] == (
        "It hardly matters here: 3 of 4 are level, no more than 0.74 percentage points behind the best of the others. If yours is "
        "one of them, keep it."
    )
    assert (
        "A level optimizer is no more than 0.74 percentage points behind the best of the others (a standard error of a share on 360 test"
        in (report.render(made))
    )
    assert found["avoid"].startswith("d (at least")
    assert answer(scored(a=0.9, bb=0.9, ccc=0.9))["matters"].startswith("Perhaps not: none of these 3 is shown to be worse")


def test_what_a_few_settings_are_worth_is_out_of_sample() -> None:
    table = np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])
    assert budget.best_of(3, table)[0] == 0.0, "the best by one seed is the worst by the other"
    assert budget.best_of(1, table)[0] == pytest.approx(0.5)
    mean, low, high = budget.best_of(2, table)
    assert mean == pytest.approx((2 * 0.0 + 0.5) / 3)
    assert (low, high) == (0.0, 0.5)
    known = np.random.default_rng(0).normal(size=(12, 1)) + np.zeros((12, 2))
    assert budget.best_of(4, known)[0] == pytest.approx(budget.expected(known[:, 0], known[:, 0])[3])


def test_what_tuning_is_worth_stands_beside_what_choosing_is() -> None:
    made = scored(a=0.9, bb=0.8, ccc=0.7)
    for row in made["rules"]:
        row["untuned"]["score"] = {"mean": row["score"]["mean"] - 0.05, "low": 0.0, "high": 1.0}
    said = answer(made)["why"]
    assert (
        "Tuning improved the optimizers by 5 percentage points in the median; the best tuned one is 10 percentage points" in said
    )


@pytest.mark.parametrize(
    ("blocks", "split", "says"),
    [
        (
            1,
            "ours",
            "is about this setting, on this split of the data; it may differ for another tuning or split, which --blocks 8",
        ),
        (1, "theirs", "is about this setting, on this split of your data; it may differ for another tuning, which --blocks 8"),
        (1, "none", "is about this setting; it may differ for another tuning, which --blocks 8 includes."),
        (8, "ours", "includes how tuning and split vary: each of 8 blocks was tuned and split anew."),
        (8, "theirs", "includes how tuning varies: each of 8 blocks was tuned anew, on the data as your own code splits them."),
        (8, "none", "includes how tuning varies: each of 8 blocks was tuned anew."),
    ],
)
def test_it_says_what_the_verdict_is_about(blocks: int, split: str, says: str) -> None:
    made = scored(a=0.9, bb=0.9, ccc=0.7)
    made["settings"] |= {"blocks": blocks, "split": split}
    found = answer(made)
    assert f"The verdict {says}" in found["sure"]
    assert f"{'10 seeds' if blocks == 1 else '8 blocks'} cannot separate" in found["sure"]
    assert f"the mean of {'10 seeds' if blocks == 1 else '8 blocks'}" in found["why"]


def test_too_few_seeds_leave_it_open_and_nothing_is_called_equal() -> None:
    made = fake(rules=5, seeds=3)
    found = made["answer"]
    assert found["matters"] == "Undecided."
    assert found["use"].startswith(f"Undecided. {made['rules'][0]['name']} leads, with a learning rate of ")
    assert found["sure"].startswith(
        "Not at all: 3 seeds are too few to separate optimizers, whatever their scores. With --seeds 6, large"
    )
    assert "may be as good" not in "".join(found.values())
    page = report.render(made)
    assert "not shown to be worse" not in page
    assert 'class="alike"' not in page


@pytest.mark.parametrize("options", [{"rules": 1, "seeds": 5}, {"rules": 1, "seeds": 1}])
def test_one_alone_is_compared_with_nothing(options: dict[str, int]) -> None:
    found = fake(**options)["answer"]
    assert "ran alone, so nothing was compared" in found["matters"]
    assert "p " not in found["sure"]


def test_where_none_ended_well_none_is_to_be_used() -> None:
    assert fake(rules=3, seeds=2, hopeless=True)["answer"]["use"] == "None of these."


def test_a_rule_that_failed_is_neither_equal_nor_worse_by_a_test() -> None:
    made = scored(a=0.9, bb=0.8, ccc=0.7)
    made["rules"][2].update(failed=True, note="it failed: ZeroDivisionError")
    found = answer(made)
    assert found["sure"].startswith("The other one did worse, by more than chance")
    assert found["avoid"].endswith("; ccc, which failed.")


def test_what_was_tuned_is_what_is_to_be_used() -> None:
    made = scored(a=0.9, bb=0.8)
    made["rules"][0].update(best_hyper={"beta1": 0.912345, "eps": 1e-8}, best_schedule="cosine")
    told = "a, which did best with a learning rate of 0.01, beta1 = 0.912345, eps = 1e-08 and a cosine schedule ("
    assert told in answer(made)["use"]


def printed(what: Any, width: int) -> list[str]:
    console = Console(width=width, file=io.StringIO())
    with console.capture() as screen:
        console.print(what)
    return screen.get().splitlines()


@pytest.mark.parametrize("width", [60, 80, 160, 200])
def test_the_table_has_a_line_for_each_and_no_word_is_cut(width: int) -> None:
    results = fake(rules=20)
    lines = printed(table(results, width), width)
    rows = [line for line in lines if line.strip().partition(" ")[0].isdigit()]
    assert len(rows) == 20
    assert all(len(line) <= width for line in lines)
    for row, line in zip(results["rules"], rows, strict=True):
        assert row["name"] in line
    assert "…" not in "".join(lines)
    left = " ".join(lines).partition("Columns that do not fit here: ")[2]
    assert ("state" in left) == (width < 160)
    if width >= 80:
        assert "not separable" in "".join(rows)


@pytest.mark.parametrize("width", [60, 80, 160])
def test_a_suites_table_too(width: int) -> None:
    lines = printed(suite_table(suite.combine("mine", ten(), "again"), width), width)
    rows = [line for line in lines if line.strip().partition(" ")[0].isdigit()]
    assert len(rows) == 5
    assert "not separable" in "".join(rows) or "worse" in "".join(rows)


def test_the_answer_is_under_a_few_words() -> None:
    lines = printed(answered(fake(rules=3)["answer"], 80), 80)
    titles = [line[:17].strip() for line in lines if line[:17].strip()]
    assert [title for title in titles if title != "Avoid"] == ["Does it matter?", "Use", "How sure", "Why"]
    assert all(len(line) <= 80 for line in lines)


def test_no_difference_is_called_hard_to_see_that_was_seen() -> None:
    made = scored(a=0.9, bb=0.89)
    made["sight"] = {"smallest": 0.005, "pair": None, "times": None}
    assert (
        report.seen(made) == "Differences to the best smaller than 0.5 percentage points are likely to be missed with 10 seeds."
    )
    made["sight"]["smallest"] = 0.02
    assert report.seen(made) == ""


@pytest.mark.parametrize(("trials", "told"), [(12, [0, 4, 12]), (5, [0, 4, 5]), (4, [0, 4]), (2, [0, 2])])
def test_what_few_settings_give_is_told_where_more_were_tried(trials: int, told: list[int]) -> None:
    made: Any = fake(rules=3, seeds=6)
    rows = [{**row, "trials": trials} for row in made["rules"]]
    scores = {row["name"]: np.asarray([0.5, 0.6, 0.7, 0.5, 0.6, 0.7]) for row in rows}
    assert [each["tries"] for each in advice(rows, scores, True, 0.0)] == told
