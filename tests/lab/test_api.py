"""`lab.compare` in Python does what the command does, on what is the user's own too, and says in a sentence what it cannot."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from support import PATIENCE

from thalweg import lab
from thalweg.commands.cli import main
from thalweg.commands.compare import compare_command
from thalweg.lab.api.options import Options
from thalweg.lab.refusal import Refusal

SMALL: dict[str, Any] = {"budget": 3, "seeds": 3, "steps": 12, "jobs": 1}

PROBLEM = """
import numpy as np
steps = 12
def init(rng): return {"w": rng.normal(size=3)}
def loss(params): return float(np.sum((params["w"] - 1.0) ** 4))
def grad(params): return {"w": 4 * (params["w"] - 1.0) ** 3}
"""
RULE = '''
from thalweg import rule
@rule(lr=0.1, search=(1e-3, 1.0))
def mine(g):
    """Plain (Me 2026)."""
    return g
'''


def unclocked(results: dict[str, Any]) -> dict[str, Any]:
    """The results without what a clock measured or a caller wrote."""
    rows = [{name: value for name, value in row.items() if name != "step_cost"} for row in results["rules"]]
    return {**{name: value for name, value in results.items() if name not in ("made", "command")}, "rules": rows}


def test_it_answers_as_the_command_does_and_tells_how_far_it_is(tmp_path: Path) -> None:
    told: list[lab.Progress] = []
    found = lab.compare(problem="xor", rules=["sgd", "adam"], out=tmp_path, progress=told.append, **SMALL)
    assert found.results == json.loads(found.report.with_name("results.json").read_text())
    assert found.report.is_file()
    assert found.results["command"] == (
        f"lab.compare(problem='xor', rules=['sgd', 'adam'], out={str(tmp_path)!r}, budget=3, seeds=3, steps=12, jobs=1)"
    )
    assert found.best == found.results["rules"][0]["name"]
    assert found.failure is None
    assert " ".join(found.answer["use"].split()) in " ".join(str(found).split())
    page = found._repr_html_()
    assert "Does it matter?" in page
    assert page.count("<svg") == 1
    assert page.count("<tr>") == len(found.records) + 5 + bool(found.answer["avoid"]), "a line each, the heading, and the answer"
    assert {"score", "cost"} <= set(found.figures)
    assert found.figures["score"].read_text().startswith("<?xml")
    assert len(repr(found)) < 200
    done = [progress.done for progress in told]
    assert done == sorted(done)
    assert done[-1] == told[-1].total
    assert [str(one) for one in told if one.kind == "line" and "trials in the store" in one.text]
    assert f"{done[-1]} of {done[-1]} trials: writing the report" == str(told[-1])
    command = [
        "compare",
        "--problem",
        "xor",
        "--rules",
        "sgd,adam",
        "--budget",
        "3",
        "--seeds",
        "3",
        "--steps",
        "12",
        "--jobs",
        "1",
    ]
    assert CliRunner().invoke(main, [*command, "--out", str(tmp_path / "too")]).exit_code == 0
    assert unclocked(json.loads((tmp_path / "too" / "results.json").read_text())) == unclocked(found.results)


@pytest.mark.slow
def test_a_problem_and_a_rule_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "valley.py").write_text(PROBLEM)
    (tmp_path / "rule.py").write_text(RULE)
    own: dict[str, Any] = {"problem": tmp_path / "valley.py", "my_rule": tmp_path / "rule.py"}
    found = lab.compare(rules="sgd", out=tmp_path / "out", **own, **SMALL)
    assert {row["name"]: row["mine"] for row in found.results["rules"]} == {"sgd": False, "mine": True}
    scores = {row["name"]: row["score"]["mean"] for row in found.results["rules"]}
    assert scores["mine"] == pytest.approx(scores["sgd"], abs=5), "the same rule over another range"
    assert found.results["problem"]["name"] == "valley"


@pytest.mark.slow
def test_data_of_ones_own(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 4))
    np.savez(tmp_path / "mine.npz", x=x, y=x @ np.array([1.0, -2.0, 0.5, 0.0]))
    found = lab.compare(data=tmp_path / "mine.npz", task="regression", rules=("sgd", "adam"), out=tmp_path / "out", **SMALL)
    assert found.results["problem"]["name"] == "mine"


@pytest.mark.slow
def test_an_executor_of_ones_own_runs_the_same_trials(tmp_path: Path) -> None:
    asked: dict[str, Any] = {**SMALL, "problem": "xor", "rules": ["sgd", "adam"], "jobs": 2}
    with ThreadPoolExecutor(2) as executor:
        ours = lab.compare(**asked, engine=executor, out=tmp_path / "a")
        same = lab.compare(**asked, engine=lab.Engine(executor, 2), out=tmp_path / "a")
    here = lab.compare(**{**asked, "jobs": 1}, out=tmp_path / "b")
    assert unclocked(ours.results) == unclocked(same.results) == unclocked(here.results)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"problem": "digit"}, "no problem is called 'digit'; did you mean 'digits'?"),
        ({"rules": ["adm"]}, "no optimizer is called 'adm'; did you mean 'adam'?"),
        ({"rules": []}, "rules names no optimizer; write for example rules sgd,momentum,adam"),
        ({"suite": "smal"}, "no suite is called 'smal'; there are small, full, tiny; did you mean 'small'?"),
        ({"suite": "tiny", "problem": "xor"}, "suite names its problems itself; leave problem and data out"),
        ({"problem": "xor", "data": "a--b.csv"}, "problem and data are two answers to one question; give one of them"),
        ({"target": "y"}, "target speaks of your own data; give it with data"),
        ({"data": "no--where.csv"}, "no--where.csv"),
        ({"schedule": ["cosin"]}, "no schedule is called 'cosin'; there are constant, linear, cosine, wsd; did you mean 'cosine'?"),
        ({"engine": "daks"}, "no engine is called 'daks'; there are processes, loky, dask; did you mean 'dask'?"),
        ({"tune": "both"}, "no tune is called 'both'; there are lr, all"),
        ({"budget": 0}, "budget is 0; wanted a whole number of at least 1"),
        ({"seeds": 1.5}, "seeds is 1.5; wanted a whole number of at least 1"),
        ({"jobs": True}, "jobs is True; wanted a whole number of at least 1"),
        ({"timeout": -1}, "timeout is -1; wanted a number of seconds"),
        ({"budget": 10**6}, "and 1,000,000 are the most; lower budget or seeds, or name fewer rules"),
        ({"my_rule": "nowhere.py"}, "nowhere.py: there is no such file"),
        ({"problem": "rosenbrock", "rules": ["sgd", "muon"]}, "muon takes nothing else; leave it out"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_in_a_sentence(asked: Any, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Refusal) as error:
        lab.compare(**asked)
    assert says in str(error.value)
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_an_option_that_is_none_is_an_error_of_the_callers() -> None:
    with pytest.raises(TypeError, match=r"lab\.compare has no option 'budgets'; did you mean 'budget'\?"):
        lab.compare(budgets=3)  # type: ignore[call-arg]


def test_its_options_are_the_commands() -> None:
    of_the_command = {str(param.name) for param in compare_command.params} - {"problems"}
    assert of_the_command == set(Options.__annotations__) - {"progress", "command", "begun"}


@pytest.mark.slow
def test_a_script_without_its_guard_is_told_so(tmp_path: Path) -> None:
    call = f"lab.compare(problem='xor', rules='sgd', budget=2, seeds=2, steps=4, jobs=2, out={str(tmp_path / 'out')!r})"
    script = tmp_path / "script.py"
    script.write_text(f"from thalweg import lab\n{call}\n")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 1
    assert 'must stand under if __name__ == "__main__":' in done.stderr.splitlines()[-1]
    script.write_text(f"from thalweg import lab\nif __name__ == '__main__':\n    print({call})\n")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    assert "How sure" in done.stdout
