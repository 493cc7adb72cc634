"""The store, and the processes whose trials go into it."""

from __future__ import annotations

import functools
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import thalweg
from lab.specs import spec
from thalweg.commands.cli import main
from thalweg.lab import problems
from thalweg.lab.comparing.contest import Contest, Settings
from thalweg.lab.comparing.run import run
from thalweg.lab.protocol import protocol
from thalweg.lab.protocol.tune import Setting
from thalweg.lab.refusal import Refusal
from thalweg.lab.running.workers import processes
from thalweg.lab.store import spec as trial_spec
from thalweg.lab.store.spec import TrialSpec
from thalweg.lab.store.store import Store
from thalweg.lab.trials import trials
from thalweg.lab.trials.lanes import LaneEngine
from thalweg.lab.trials.trials import Trial
from thalweg.lab.user.source import Source

WINE = problems.problem("wine")


def test_a_trial_comes_back_as_it_was(tmp_path: Path) -> None:
    kept = Store(tmp_path / "trials.sqlite3")
    trial = Trial(
        0.1, 1, {"eps": 0.1}, "linear", [1.0, float("inf")], [0.5, 0.1 + 0.2], [float("nan"), -0.0], None, 2.5, True, "why"
    )
    kept.add([(spec(), trial)])
    kept.close()
    again = Store(tmp_path / "trials.sqlite3")
    assert repr(again.get(spec().key)) == repr(trial)
    assert again.get(spec(lr=0.2).key) is None
    again.close()


def test_a_trial_is_never_changed(tmp_path: Path) -> None:
    kept = Store(tmp_path / "trials.sqlite3")
    kept.add([(spec(), Trial(0.1, 1, failure="first"))])
    kept.add([(spec(), Trial(0.1, 1, failure="second")), (spec(seed=2), Trial(0.1, 2))])
    first = kept.get(spec().key)
    assert first is not None
    assert first.failure == "first"
    assert kept.get(spec(seed=2).key) is not None
    kept.close()


def test_all_that_a_trial_depends_on_is_in_its_identity() -> None:
    adam, other = thalweg.rules["adam"], problems.problem("xor")
    given: dict[str, Any] = {
        "problem": WINE,
        "rule": adam,
        "setting": Setting(0.1),
        "seed": 1,
        "steps": 5,
        "batch_size": 8,
        "phase": "tuning",
    }
    changes = {
        "problem": other, "rule": thalweg.rules["sgd"], "setting": Setting(0.2), "seed": 2, "steps": 6, "batch_size": 9, "phase": "judging",
        "lanes": LaneEngine("jax", "1", 4),
    }  # fmt: skip
    keys = [TrialSpec.of(**{**given, name: value}).key for name, value in changes.items()]
    keys += [TrialSpec.of(**{**given, "setting": s}).key for s in (Setting(0.1, (("eps", 1.0),)), Setting(0.1, (), "linear"))]
    assert len({TrialSpec.of(**given).key, *keys}) == 1 + len(changes) + 2


@pytest.mark.parametrize(
    ("file", "another"),
    [("ops/matrices.py", True), ("nn/layers/linear.py", True), ("stages/decay.py", True), ("lab/trials/trials.py", True),
     ("methods/learned/learned_quadratics.npz", True), ("lab/report/report.py", False), ("lab/statistics/stats.py", False), ("commands/compare.py", False)],
)  # fmt: skip
def test_a_changed_engine_makes_other_trials(file: str, another: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever mends a word and compares again must not be shown the numbers from before. A new picture changes none."""
    copy = tmp_path / "thalweg"
    shutil.copytree(Path(thalweg.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    before = trial_spec.engine_hash()
    monkeypatch.setattr(trial_spec.thalweg, "__file__", str(copy / "__init__.py"))
    assert trial_spec.engine_hash.__wrapped__() == before
    with (copy / file).open("ab") as changed:
        changed.write(b"\n")
    assert (trial_spec.engine_hash.__wrapped__() != before) is another


def test_a_file_that_is_no_store_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "trials.sqlite3"
    path.write_text("a diary, not a data base " * 100)
    before = path.read_bytes()
    with pytest.raises(Refusal, match=r"trials\.sqlite3: cannot keep trials there \(file is not a database\); what"):
        Store(path)
    done = CliRunner().invoke(main, ["compare", "--problem", "xor", "--rules", "sgd", "--out", str(tmp_path)])
    assert done.exit_code == 2
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("ALTER TABLE trials ADD COLUMN energy TEXT", "another version of thalweg made it"),
        ("ALTER TABLE trials DROP COLUMN digest", "another version of thalweg made it"),
        ("ALTER TABLE trials RENAME COLUMN trial TO tribl", "another version of thalweg made it"),
    ],
)
def test_a_newer_or_older_store_is_refused_in_a_sentence(change: str, says: str, tmp_path: Path) -> None:
    kept = Store(tmp_path / "trials.sqlite3")
    kept.add([(spec(), Trial(0.1, 1))])
    kept.close()
    with sqlite3.connect(tmp_path / "trials.sqlite3") as connection:
        connection.execute(change)
    connection.close()
    with pytest.raises(Refusal, match=says):
        Store(tmp_path / "trials.sqlite3").get(spec().key)


def test_what_is_finished_is_kept_when_this_process_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With one job too, each portion is put away as soon as it is done."""
    whole = trials.run

    def stopped(problem: Any, rule: Any, *arguments: Any, **named: Any) -> list[Trial]:
        if rule.name == "sgd":
            raise KeyboardInterrupt
        return whole(problem, rule, *arguments, **named)

    monkeypatch.setattr(trials, "run", stopped)
    kept = Store(tmp_path / "trials.sqlite3")
    with pytest.raises(KeyboardInterrupt):
        run([contest("adam", "sgd")], kept, lambda *_: None)  # adam, the dearer one, is first
    kept.close()
    with closing(sqlite3.connect(tmp_path / "trials.sqlite3")) as connection:
        rows = connection.execute("SELECT count(*) FROM trials").fetchone()
    assert rows == (2 * 2 * protocol.TUNING_SEEDS + 3,), "adam, and adam again: tuning; adam as it comes: judged"


def contest(*names: str) -> Contest:
    told = Settings(Source("xor"), names, budget=2, seeds=3, steps=4, batch_size=4)
    return Contest.of(told, told.source.load_problem(), told.source.load_rules())


def test_progress_adds_up(tmp_path: Path) -> None:
    kept = Store(tmp_path / "trials.sqlite3")
    for again in (False, True):  # the second time all comes from the store
        calls: list[tuple[tuple[str, str], int, int]] = []
        note = functools.partial(
            lambda to, phase, more: to.append(((phase.candidate.label, phase.title), more, phase.left)), calls
        )
        both = contest("sgd", "learned")
        run([both], kept, note)
        sums = {key: sum(more for other, more, _ in calls if other == key) for key, _, _ in calls}
        assert sums == {
            ("sgd", "tuning"): 2 * protocol.TUNING_SEEDS, ("sgd", "judging"): 3, ("sgd", "judging untuned"): 3,
            ("sgd again", "tuning"): 2 * protocol.TUNING_SEEDS, ("sgd again", "judging"): 3,
            ("learned", "judging"): 3,
        }  # fmt: skip
        assert sum(sums.values()) == both.trials
        assert sorted(key for key, _, left in calls if left == 0) == sorted(sums), "each phase ends once"
        assert (len(calls) == len(sums)) is again
    kept.close()


def test_the_environment_is_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    with processes(2) as executor:
        assert executor.submit(os.getenv, "OMP_NUM_THREADS").result() == "1"
        assert executor.submit(os.getpid).result() != os.getpid()
    assert os.environ["OMP_NUM_THREADS"] == "3"
    assert "OPENBLAS_NUM_THREADS" not in os.environ


def test_the_key_of_a_trial_is_worked_out_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not once more by whoever lines it up, runs it, keeps it, finds it again. Nor are trials described anew on their way."""
    counted = {"keys": 0, "specs": 0}
    one_key, one_spec = trial_spec.key_of, trial_spec.TrialSpec.__init__

    def key_of(record: Any) -> str:
        counted["keys"] += 1
        return one_key(record)

    def made(*given: Any, **named: Any) -> None:
        counted["specs"] += 1
        one_spec(*given, **named)

    monkeypatch.setattr(trial_spec, "key_of", key_of)
    monkeypatch.setattr(trial_spec.TrialSpec, "__init__", made)
    source = Source("xor")
    for _ in ("all are run", "all are found"):
        counted.update(keys=0, specs=0)
        settings = Settings(source, ("sgd", "adam"), budget=6, seeds=6, steps=4, batch_size=4)
        contest = Contest.of(settings, source.load_problem(), thalweg.rules)
        phases: list[str] = []
        kept = Store(tmp_path / "trials.sqlite3")
        run([contest], kept, lambda phase, more, done=phases: done.append(phase.title))
        kept.close()
        assert counted["keys"] == contest.trials
        assert contest.trials <= counted["specs"] <= contest.trials + len(phases), "a process compares one of a program's"
