"""What does without a network stands beside the scores: in the table, the results and the report, and the answer says it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from lab.data.tables import csv
from lab.report.test_schema import misfits
from thalweg import lab
from thalweg.commands.cli import main
from thalweg.lab.comparing import baselines
from thalweg.lab.report.schema.problem import Results
from thalweg.lab.report.words.baselines import ahead

N = 150
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 3)).round(3)
QUICK: dict[str, Any] = {"rules": ["sgd"], "budget": 1, "seeds": 2, "steps": 5, "jobs": 1}


def table(path: Path, y: Any, **more: Any) -> Path:
    return csv(path, {**{f"x{i}": X[:, i] for i in range(3)}, "y": y, **more})


def found(path: Path, out: Path, **more: Any) -> Any:
    return lab.compare(data=path, target="y", out=out, **{**QUICK, **more})


def scores(results: Any) -> dict[str, float]:
    return {each["name"]: each["score"] for each in results["data"]["baselines"]}


def test_baselines_are_scikit_learns_on_the_same_samples(tmp_path: Path) -> None:
    """Classes and values, against scikit-learn asked directly; the guesses worked out by hand."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    from thalweg.lab.data.datasets import load

    loud = np.where(X[:, 0] * X[:, 1] > -0.3, "loud", "quiet")
    path = table(tmp_path / "c.csv", loud)
    problem, results = load(path, "y"), found(path, tmp_path / "c").results
    boosted = HistGradientBoostingClassifier(min_samples_leaf=4, random_state=0).fit(problem.train_part.x, problem.train_part.y)
    assert scores(results) == {
        "gradient boosting": boosted.score(problem.test_part.x, problem.test_part.y),
        "the most frequent class": float((problem.test_part.y == 0).mean()),
    }
    path = table(tmp_path / "v.csv", (X[:, 0] * X[:, 1]).round(3))
    problem, results = load(path, "y"), found(path, tmp_path / "v").results
    y = problem.test_part.y
    trees = HistGradientBoostingRegressor(min_samples_leaf=4, random_state=0).fit(
        problem.train_part.x, problem.train_part.y[:, 0]
    )
    errors = (y[:, 0] - trees.predict(problem.test_part.x)) ** 2
    assert scores(results)["gradient boosting"] == pytest.approx(1 - errors.mean() / y.var(), rel=1e-5)
    assert scores(results)["the mean"] == pytest.approx(1 - (y**2).mean() / y.var(), abs=1e-5)


@pytest.mark.slow
def test_they_are_fitted_once_and_damage_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = table(tmp_path / "c.csv", np.where(X[:, 0] > 0, "u", "v"))
    first = scores(found(path, tmp_path / "o").results)
    monkeypatch.setattr(baselines, "_score", lambda *_: 0.125)
    assert scores(found(path, tmp_path / "o").results) == first
    assert scores(found(path, tmp_path / "o", report=True).results) == first
    assert set(scores(found(path, tmp_path / "o", ignore="x1").results).values()) == {0.125}
    kept = tmp_path / "o" / baselines.FILE
    kept.write_text(kept.read_text().replace(f"{first['gradient boosting']}", "0.999"))
    with pytest.warns(RuntimeWarning, match="damaged"):
        assert scores(found(path, tmp_path / "o").results)["gradient boosting"] == 0.125


def test_a_model_that_cannot_be_fitted_has_no_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> Any:
        raise MemoryError

    path = table(tmp_path / "c.csv", np.where(X[:, 0] > 0, "u", "v"))
    monkeypatch.setattr("sklearn.ensemble.HistGradientBoostingClassifier.fit", fails)
    results = found(path, tmp_path / "o")
    assert scores(results.results)["gradient boosting"] is None
    assert "gradient boosting" not in str(results)
    assert "the most frequent class" in str(results)


@pytest.mark.slow
def test_over_blocks_they_are_means(tmp_path: Path) -> None:
    path = table(tmp_path / "c.csv", np.where(X[:, 0] + RNG.normal(size=N) > 0, "u", "v"))
    one, four = (scores(found(path, tmp_path / f"{n}", blocks=n).results) for n in (1, 4))
    assert one != four
    keys = json.loads((tmp_path / "4" / baselines.FILE).read_text())
    each = [value for name, (value, _) in keys.items() if name.startswith("gradient boosting")]
    assert len(each) == 4
    assert four["gradient boosting"] == pytest.approx(np.mean(each))


def test_nothing_stands_beside_the_labs_own_problems(tmp_path: Path) -> None:
    results = lab.compare(problem="wine", out=tmp_path, **QUICK).results
    assert "data" not in results
    assert not (tmp_path / baselines.FILE).exists()


def facts(best: float, boosted: float | None, guess: float, seeds: int = 15) -> Any:
    score = {"mean": best, "low": best - 0.02, "high": best + 0.02}
    given = [
        {"name": "gradient boosting", "about": "", "score": boosted},
        {"name": "the most frequent class", "about": "", "score": guess},
    ]
    return {"data": {"baselines": given}, "rules": [{"score": score, "judging": [{}] * seeds}], "winner": score, "margin": {"value": 0.01},
            "problem": {"score": {"name": "accuracy", "share": True, "higher_is_better": True}}}  # fmt: skip


@pytest.mark.parametrize(
    ("best", "boosted", "guess", "matters", "why"),
    [
        (0.90, 0.95, 0.5, "The model matters more: .* has a test accuracy of 95.0 %, more than the best network here", ""),
        (0.90, 0.91, 0.5, "", "Gradient boosting, which is no network and was not tuned, has a test accuracy of 91.0 %"),
        (0.90, 0.50, 0.5, "", "has a test accuracy of 50.0 %"),
        (0.51, 0.51, 0.5, "No network here is clearly better than always saying the most frequent class \\(test accuracy 50.0 %\\)", "51.0 %"),
        (0.51, 0.60, 0.5, "No network here is clearly better .* The model matters more", ""),
        (0.90, None, 0.5, "", ""),
    ],
)  # fmt: skip
def test_the_answer_says_whether_a_network_is_the_thing(best: float, boosted: Any, guess: float, matters: str, why: str) -> None:
    import re

    told = ahead(facts(best, boosted, guess))
    for said, wanted in zip(told, (matters, why), strict=True):
        assert re.search(wanted, said) if wanted else said == ""


def test_with_few_seeds_the_answer_claims_nothing() -> None:
    matters, why = ahead(facts(0.5, 0.95, 0.5, seeds=5))
    assert matters == ""
    assert "95.0 %" in why


def test_messy_data_from_the_command_line_to_the_report(tmp_path: Path) -> None:
    """A column's name and texts are the user's, and shown as they are, not as HTML or as terminal codes."""
    odd = "<script>alert(1)</script>\x1b[31m"
    path = table(tmp_path / "c.csv", np.where(X[:, 0] > 0, "u", "v"), **{odd: [f"<b>{i}" for i in range(N)]})
    done = CliRunner().invoke(main, ["compare", "--data", str(path), "--target", "y", "--rules", "sgd", "--budget", "1", "--seeds", "2",
                                     "--steps", "5", "--jobs", "1", "--ignore", "x2", "--out", str(tmp_path / "o")])  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "c: column '<script>alert(1)</script>\ufffd[31m' holds 150 different texts in 150 rows: left out" in done.output
    assert "--strict refuses such data instead" in done.output
    assert "gradient boosting" in done.output
    results = json.loads((tmp_path / "o" / "results.json").read_text())
    assert misfits(results, Results) == []
    page = (tmp_path / "o" / "report.html").read_text()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "\x1b" not in page + done.output
    for told in ("What was done with each column", "left out: by --ignore", "No networks: gradient boosting (scikit-learn's"):
        assert told in page.replace("&#39;", "'")
    strict = CliRunner().invoke(main, ["compare", "--data", str(path), "--target", "y", "--strict", "--out", str(tmp_path / "p")])
    assert strict.exit_code == 2
    assert "holds 150 different texts in 150 rows" in strict.output


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"ignore": "a"}, "ignore speaks of your own data; give it with data"),
        ({"strict": True}, "strict speaks of your own data; give it with data"),
    ],
)
def test_options_without_data(options: Any, says: str) -> None:
    with pytest.raises(lab.Refusal, match=says):
        lab.compare(**options)
