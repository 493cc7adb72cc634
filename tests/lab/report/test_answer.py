"""The answer that heads a report and ends the terminal's table: it claims what the tests showed, and no more."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from lab.report.fake_results import fake, finished
from lab.report.test_suite import ten
from thalweg.lab.report import report, suite
from thalweg.lab.report.answer import answer
from thalweg.lab.report.table import answered, suite_table, table


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
    assert found["use"] == "a, with a learning rate of 0.01."
    assert found["sure"].startswith("The other 2 did worse, by more than the luck of a seed explains.")
    assert "accuracy is 90.1 %, the mean of 10 seeds (95 % interval" in found["why"]
    assert "the next, bb, has 80.1 %" in found["why"]
    assert "may be as good" not in found["sure"] + found["why"]


def test_those_that_cannot_be_told_from_it_are_named_with_what_speaks_for_them() -> None:
    made = scored(a=0.9, bb=0.9, ccc=0.7)
    for row, state, width in zip(made["rules"], (2, 1, 0), (1.0, 2.0, 3.0), strict=True):
        row.update(state_per_parameter=state, width=width)
    found = answer(made)
    first, second = (row["name"] for row in made["rules"][:2])
    assert f"among the best 2 of 3. Which of those is the best, 10 seeds cannot tell: {second} may be as good" in found["sure"]
    assert "The other one did worse" in found["sure"]
    assert "keeps the least memory (1 number for each parameter)" in found["why"]
    assert "does well over the widest range of learning rates (a factor of 100)" in found["why"]
    assert found["why"].partition("What may decide")[2].count(f"{second} ") == 1, "all that speaks for it at once"
    assert first in found["use"]


def test_too_few_seeds_leave_it_open_and_nothing_is_called_equal() -> None:
    made = fake(rules=5, seeds=3)
    found = made["answer"]
    assert found["use"].startswith(f"No telling yet. {made['rules'][0]['name']} leads, with a learning rate of ")
    assert found["sure"].startswith("Not at all: 3 seeds cannot tell 5 optimizers apart, whatever they score. --seeds 8 could")
    assert "may be as good" not in "".join(found.values())
    page = report.render(made)
    assert "not separable from the best. " not in page
    assert 'class="alike"' not in page


@pytest.mark.parametrize("options", [{"rules": 1, "seeds": 5}, {"rules": 1, "seeds": 1}])
def test_one_alone_is_compared_with_nothing(options: dict[str, int]) -> None:
    found = fake(**options)["answer"]
    assert "ran alone, so nothing was compared" in found["use"]
    assert "p " not in found["sure"]


def test_where_none_ended_well_none_is_to_be_used() -> None:
    assert fake(rules=3, seeds=2, hopeless=True)["answer"]["use"] == "None of these."


def test_a_rule_that_failed_is_neither_equal_nor_worse_by_a_test() -> None:
    made = scored(a=0.9, bb=0.8, ccc=0.7)
    made["rules"][2].update(failed=True, note="it failed: ZeroDivisionError")
    found = answer(made)
    assert found["sure"].startswith("The other one did worse")
    assert found["sure"].endswith("Failed: ccc.")


def test_what_was_tuned_is_what_is_to_be_used() -> None:
    made = scored(a=0.9, bb=0.8)
    made["rules"][0].update(best_hyper={"beta1": 0.912345, "eps": 1e-8}, best_schedule="cosine")
    assert answer(made)["use"] == "a, with a learning rate of 0.01, beta1 = 0.912345, eps = 1e-08 and a cosine schedule."


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
    left = " ".join(lines).partition("No room here for: ")[2]
    assert ("state" in left) == (width < 160)
    if width >= 80:
        assert "not separable" in "".join(rows)


@pytest.mark.parametrize("width", [60, 80, 160])
def test_a_suites_table_too(width: int) -> None:
    lines = printed(suite_table(suite.combine("mine", ten(), "again"), width), width)
    rows = [line for line in lines if line.strip().partition(" ")[0].isdigit()]
    assert len(rows) == 5
    assert "not separable" in "".join(rows) or "worse" in "".join(rows)


def test_the_answer_is_under_three_words() -> None:
    lines = printed(answered(fake(rules=3)["answer"], 80), 80)
    titles = [line[:10].strip() for line in lines if line[:10].strip()]
    assert titles == ["Use", "How sure", "Why"]
    assert all(len(line) <= 80 for line in lines)


def test_no_difference_is_called_hard_to_see_that_was_seen() -> None:
    made = scored(a=0.9, bb=0.89)
    made["sight"] = {"smallest": 0.005, "pair": None, "more": None, "seeds": None}
    assert (
        report.seen(made) == "Differences to the best smaller than 0.5 percentage points are likely to be missed with 10 seeds."
    )
    made["sight"]["smallest"] = 0.02
    assert report.seen(made) == ""
