"""Suites: many problems' results as one, the report on them, and the command that makes both."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lab.command import thalweg
from lab.report.fake_results import fake
from lab.report.test_report import SCRIPT, Page, element
from lab.report.test_schema import misfits
from thalweg import lab
from thalweg.lab.comparing.slow_rules import FILE as DEAR
from thalweg.lab.comparing.step_cost import FILE as COSTS
from thalweg.lab.protocol.protocol import RULES
from thalweg.lab.protocol.suites import SUITES
from thalweg.lab.report import suite, suite_report
from thalweg.lab.report.schema.suite import SuiteResults
from thalweg.lab.report.table import suite_table
from thalweg.lab.trials.json_cache import json_cache

NAMES = ["adam", "momentum", "sgd", "nadam", SCRIPT]


def problem(name: str, better: dict[str, float], seeds: int = 5, kind: str = "accuracy") -> dict[str, Any]:
    """Results on one problem in which each optimizer ends this far along the way from the start (0) to the best (1)."""
    made = fake(rules=len(NAMES), seeds=seeds, kind=kind)
    made["problem"] = {**made["problem"], "name": name}
    higher = made["problem"]["score"]["higher_is_better"]
    for own, row in zip(NAMES, made["rules"], strict=True):
        share = better.get(own, 0.5)
        row["name"] = own
        for i, run in enumerate(row["judging"]):
            run["score_curve"][0] = 0.1 if higher else 10.0
            score = 0.1 + 0.8 * share + 0.001 * i if higher else 10.0 - 9.0 * share - 0.001 * i
            run["test_score"] = score
        row["untuned"]["test_scores"] = [0.1 if higher else 10.0] * seeds
        row["rank"]["place"] = 1 + sum(better.get(other, 0.5) > share for other in NAMES)
    return made


def ten(**better: float) -> list[dict[str, Any]]:
    return [
        problem(f"problem {i}", {"adam": 0.9 + 0.001 * i, "sgd": 0.2 + 0.01 * i, **better}, kind=["accuracy", "surface"][i % 2])
        for i in range(10)
    ]


@cache
def whole() -> tuple[dict[str, Any], str]:
    results = suite.combine("mine", ten(), "thalweg compare --suite mine")
    return results, suite_report.render(results)


def test_shares_are_of_the_way_from_the_start_to_the_best() -> None:
    shares = suite.shares_of(ten(), lambda row: [run["test_score"] for run in row["judging"]])
    for each in shares["adam"].values():
        assert np.median(each) == pytest.approx(1.0), "the best median is the whole way, up or down"
    assert float(np.mean(shares["sgd"]["problem 0"])) == pytest.approx((0.2 + 0.0025) / (0.9 + 0.0025), rel=0.01)
    assert not np.any(suite.shares_of(ten(), lambda row: row["untuned"]["test_scores"])["adam"]["problem 3"])


def test_the_best_on_every_problem_is_first_and_the_worst_is_told_from_it() -> None:
    found = whole()[0]
    first, *_, last = found["rules"]
    assert (first["name"], first["mean_rank"]["value"], len(first["first_on"])) == ("adam", 1.0, 10)
    assert first["places_without_a_problem"] == [1, 1]
    assert last["name"] == "sgd"
    assert last["verdict"]["separable"] is True
    assert found["answer"]["why"].startswith("Over 10 problems adam has the best mean rank, 1.0 of 5")
    assert "whichever problem is left out" in found["answer"]["why"]
    json.dumps(found, allow_nan=False)


def test_few_problems_are_said_to_be_few() -> None:
    found = suite.combine("mine", ten()[:3], "again")
    assert found["answer"]["use"].startswith("Undecided. adam leads.")
    assert found["answer"]["sure"] == ("Not at all: 3 problems are too few for a test to separate 5 optimizers; it needs 6.")
    assert all(row["verdict"]["separable"] is None for row in found["rules"][1:])
    assert found["critical_difference"]["cliques"] == []
    assert found["critical_difference"]["remark"]


def test_a_problem_where_nobody_moved_is_left_out_and_named() -> None:
    stuck = problem("stuck", dict.fromkeys(NAMES, 0.0))
    for row in stuck["rules"]:
        for run in row["judging"]:
            run["test_score"] = 0.1
    found = suite.combine("mine", [*ten(), stuck], "again")
    assert found["left_out"] == ["stuck"]
    assert "Left out of the ranking" in suite_report.render(found)
    alone = suite.combine("mine", [stuck], "again")
    assert alone["rules"] == []
    assert suite_report.render(alone)


def some_without_adam() -> list[dict[str, Any]]:
    """The ten problems; adam, the best on all of them, cannot run on the first and the last."""
    some = ten()
    for each in some:
        each["settings"] = {**each["settings"], "rules": NAMES}
    for each in (some[0], some[-1]):
        each["rules"] = [row for row in each["rules"] if row["name"] != "adam"]
        each["settings"]["rules"] = [name for name in NAMES if name != "adam"]
        each["not_run"] = {"adam": "it takes matrices alone, and there are none"}
    return some


def test_what_is_over_problems_is_as_if_an_optimizer_that_misses_one_were_not_there() -> None:
    found = suite.combine("mine", some_without_adam(), "again")
    others = some_without_adam()
    for each in others:
        each["rules"] = [row for row in each["rules"] if row["name"] != "adam"]
    alone = suite.combine("mine", others, "again")
    about_all = ("rules", "critical_difference", "without_problem", "without_optimizer", "checks", "untuned", "answer")
    assert {key: found[key] for key in about_all} == {key: alone[key] for key in about_all}
    assert "adam" not in [row["name"] for row in found["rules"]]
    assert "adam" in found["settings"]["rules"], "it was asked for"


def test_an_optimizer_that_misses_a_problem_is_named_and_keeps_its_rows_on_the_others() -> None:
    found = suite.combine("mine", some_without_adam(), "again")
    sentence = (
        "adam ran on 8 of 10 problems (not on problem 0, problem 9: it takes matrices alone, and there are none). Mean ranks, "
        "profiles and tests over problems need every optimizer on every problem, so they leave it out."
    )
    assert found["unranked"] == [{"name": "adam", "ran_on": [f"problem {i}" for i in range(1, 9)], "sentence": sentence}]
    assert [row["name"] for row in found["problems"][1]["rules"]].count("adam") == 1
    assert sentence in str(suite_table(found, 160).caption)
    text = suite_report.render(found)
    assert text.count(sentence) == 2, "under the ranking, and in the paragraph for a paper"
    assert "<h1>5 optimizers on 10 problems</h1>" in text
    assert "We compared 5 optimizers" in text
    (row,) = re.findall(r'<th scope="row" class="left">adam</th>\n((?:<td.*?</td>)+)</tr>', text.partition('id="where"')[2])[:1]
    assert [cell == "not run" for cell in re.findall(r"<td[^>]*>(?:<b>)?([^<]*)", row)] == [True, *[False] * 8, True]
    assert text.count("adam did not run here: it takes matrices alone, and there are none.") == 2
    assert list(element(text, "explored")["rules"])[-1] == "adam", "its curves are there, after the ranked ones"


@pytest.mark.slow
def test_a_rule_for_matrices_takes_part_in_a_suite_whose_first_problem_has_none(tmp_path: Path) -> None:
    found = lab.compare(suite="tiny", rules=["sgd", "muon"], budget=1, seeds=2, steps=2, jobs=1, out=tmp_path)
    assert misfits(json.loads((tmp_path / "results.json").read_text()), SuiteResults) == []
    ran = {each["problem"]["name"]: [row["name"] for row in each["rules"]] for each in found.problems}
    assert {problem: "muon" in names for problem, names in ran.items()} == {"quadratic_10": False, "logistic": True, "wine": True}
    assert [row["name"] for row in found.results["rules"]] == ["sgd"]
    assert "muon ran on 2 of 3 problems (not on quadratic_10: it takes matrices alone" in " ".join(str(found).split())


def test_a_run_that_diverged_costs_what_not_having_trained_costs() -> None:
    some = ten()
    for run in next(row for row in some[0]["rules"] if row["name"] == "adam")["judging"]:
        run["test_score"] = None
    shares = suite.shares_of(some, lambda row: [run["test_score"] for run in row["judging"]])
    assert not np.any(shares["adam"]["problem 0"])
    assert suite.combine("mine", some, "again")["rules"][0]["mean_rank"]["value"] > 1.0


def test_the_page_is_whole_and_small_and_asks_nobody_for_anything() -> None:
    results, text = whole()
    page = Page(text)
    assert {"The ranking", "Ranks by problem", "Curves and learning rates", "The effect of a larger tuning budget"} <= set(
        re.findall(r"<h2[^>]*>([^<]*)", text)
    )
    assert len(page.all("details")) == 10 + 1
    for _, attributes in page.tags:
        for name in ("src", "href", "action", "data"):
            assert (attributes.get(name) or "#").startswith("#")
    assert {link["href"] for link in page.all("a")} <= {f"#{i}" for i in re.findall(r' id="([\w-]+)"', text)}
    assert len(text.encode()) < 5_000_000
    explored = element(text, "explored")
    assert [each["name"] for each in explored["problems"]] == [each["problem"]["name"] for each in results["problems"]]
    assert list(explored["rules"]) == [row["name"] for row in results["rules"]], "in the order of the suite, not of a problem"


def test_names_of_users_stay_text() -> None:
    text = whole()[1]
    assert SCRIPT.lower() not in text.lower()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_a_control_is_told_from_its_twin_over_problems_only_if_it_is_another(tmp_path: Path) -> None:
    def checked(gaps: list[float]) -> dict[str, Any]:
        some = ten()
        for gap, each in zip(gaps, some, strict=True):
            higher = each["problem"]["score"]["higher_is_better"]
            first, second = (0.5, 0.5 - 0.1 * gap) if higher else (5.0, 5.0 + gap)
            each["checks"] = [
                {"kind": "A/A control", "first": "adam", "second": "adam again", "scores": [first, second], "held": gap < 0.5}
            ]
        found: dict[str, Any] = suite.combine("mine", some, "again")["checks"]
        return found

    equal = checked([0.1, -0.11, 0.12, -0.13, 0.14, -0.15, 0.16, -0.17, 0.18, -0.19])
    assert equal["held"]
    assert "is not separated from itself" in equal["sentence"]
    different = checked([0.4 + 0.05 * i for i in range(10)])
    assert not different["held"]
    assert different["p"] == pytest.approx(2 / 2**10)
    assert different["alarms"] == 8


def test_expensive_rules_have_fewer_trials_and_keep_that_number(tmp_path: Path) -> None:
    from thalweg import rules
    from thalweg.lab import problems
    from thalweg.lab.comparing.slow_rules import FILE, budgets

    wine, some = problems.problem("wine"), [rules["sgd"], rules["adam"]]
    assert budgets(wine, some, 8, 32, tmp_path) == {"sgd": 8, "adam": 8}
    with json_cache(tmp_path / FILE) as known:
        assert set(known) == {"sgd on wine", "adam on wine"}
        known["adam on wine"] = 1.0
    assert budgets(wine, some, 8, 32, tmp_path) == {"sgd": 8, "adam": 2}


def test_suites_name_problems_and_rules_that_are_there() -> None:
    from thalweg import rules
    from thalweg.lab import problems

    assert len(SUITES["small"]) == 12
    assert len(set(RULES)) == 20
    assert set(RULES) <= set(rules)
    for names in SUITES.values():
        assert set(names) <= set(problems.names())


def test_the_command_runs_a_suite_and_goes_on_from_its_store(tmp_path: Path) -> None:
    command = [
        *("compare", "--suite", "tiny", "--rules", "sgd,adam", "--budget", "3"),
        *("--seeds", "2", "--steps", "10", "--jobs", "1", "--out", str(tmp_path)),
    ]
    with json_cache(tmp_path / DEAR) as known:
        known["adam on wine"] = 1.0
    first = thalweg(*command)
    measured = {name: (tmp_path / name).stat().st_mtime_ns for name in (DEAR, COSTS, "trials.parquet")}
    second = thalweg(*command)
    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    assert {name: (tmp_path / name).stat().st_mtime_ns for name in measured} == measured, "nothing is measured or written twice"
    assert "trials in the store" in first.stderr, "the forecast"
    assert "Over 3 problems" in first.stdout
    found = json.loads((tmp_path / "results.json").read_text())
    assert [each["problem"]["name"] for each in found["problems"]] == list(SUITES["tiny"])
    rows = {(each["problem"]["name"], row["name"]): row for each in found["problems"] for row in each["rules"]}
    assert {key: row["trials"] for key, row in rows.items() if row["trials"] != 3} == {("wine", "adam"): 2}
    assert "2 trials where others have 3" in rows["wine", "adam"]["note"]
    assert {path.suffix for path in (tmp_path / "figures").iterdir()} == {".svg", ".pdf"}
    assert (tmp_path / "trials.parquet").exists()


def test_a_suite_that_is_not_there_is_named(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from thalweg.commands.cli import main

    done = CliRunner().invoke(main, ["compare", "--suite", "smal", "--out", str(tmp_path)])
    assert done.exit_code == 2
    assert "no suite is called 'smal'; there are small, full, tiny; did you mean 'small'?" in done.stderr
    done = CliRunner().invoke(main, ["compare", "--suite", "small", "--problem", "wine"])
    assert "leave --problem and --data out" in done.stderr
