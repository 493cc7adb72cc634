"""`thalweg lab verify`: each check in its quick form, and the page."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from support import first

from thalweg.commands.cli import main
from thalweg.lab.statistics import simultaneous
from thalweg.lab.verify import algoperf, avoiding, controls, early_stopping, heavy_tails, momentum, page, run
from thalweg.lab.verify.bank import Bank
from thalweg.lab.verify.check import Check, Line, close, relative

DOCS = Path(__file__).parents[3] / "docs" / "verify.md"


def silent(text: str) -> None:
    pass


@pytest.mark.parametrize("name", first(run.CHECKS, 2))
def test_each_check_holds_in_its_quick_form(name: str) -> None:
    (found,) = run.run([name], True, silent)
    assert found.name == name
    assert [line.what for line in found.lines if line.holds is False] == []
    assert len(found.lines) >= 5


def test_the_docs_are_in_step() -> None:
    text = DOCS.read_text(encoding="utf-8")
    for name in ("algoperf", "momentum", "advice"):  # the rest takes minutes
        (found,) = run.run([name], False, silent)
        assert page.section(found) in text, f"thalweg lab verify, then copy thalweg-results/verify/verify.md to {DOCS}"


def test_the_leaderboard_hangs_on_every_rule_of_its_score() -> None:
    times = algoperf.times()
    assert len(times) == 11
    assert len(times["amos"]) == 14
    assert math.isnan(times["caspr_adaptive"]["criteo1tb"])
    without = {name: {p: t for p, t in own.items() if p not in algoperf.HELD_OUT} for name, own in times.items()}
    found = algoperf.scores(without)
    assert sum(abs(found[name] - score) < 5.1e-5 for name, score in algoperf.PUBLISHED.items()) <= 3


def test_a_wrong_rate_is_seen() -> None:
    x = momentum.descended(momentum.tw.momentum(mu=0.5), 0.1, np.array([1.0, 4.0]), 20)
    assert np.abs(x[:, 1] - momentum.heavy_ball(4.0, 0.1, 0.5, 20)).max() < 1e-14
    assert np.abs(x[:, 1] - momentum.heavy_ball(4.0, 0.1, 0.5 + 1e-6, 20)).max() > 1e-8
    assert momentum.contraction(x[:, 1]) == pytest.approx(math.sqrt(0.5), abs=1e-9)
    real = momentum.descended(momentum.tw.momentum(mu=0.1), 0.1, np.array([1.0]), 20)[:, 0]
    assert momentum.contraction(real) == pytest.approx(max(abs(np.roots([1, -(1.1 - 0.1), 0.1]))), abs=1e-9)


def test_the_flow_solves_its_equation() -> None:
    share, time = np.array([0.3]), 7.0
    loss = [heavy_tails.flow(share, 5, time + h)[0] for h in (-1e-4, 0, 1e-4)]
    others = 1 - np.exp(-loss[1])  # the loss falls by its gradient's square: share (1 - p)² (1 + 1 / (c - 1))
    assert (loss[0] - loss[2]) / 2e-4 == pytest.approx(0.3 * others**2 * 5 / 4, rel=1e-5)
    assert heavy_tails.flow(share, 5, 0.0)[0] == pytest.approx(math.log(5))


def test_gradients_of_the_rare_classes_model() -> None:
    data, w = heavy_tails.zipf(4, 0.9), np.random.default_rng(0).normal(size=(4, 4))
    for place in ((0, 0), (3, 1)):
        step = np.zeros((4, 4))
        step[place] = 1e-6
        slope = ((data.left(w + step) - data.left(w - step)) @ data.share) / 2e-6
        assert data.grad(w)[place] == pytest.approx(slope, abs=1e-8)
    assert data.left(np.log(data.label)) == pytest.approx(np.zeros(4), abs=1e-12)


@pytest.mark.slow
def test_the_control_sees_a_test_that_cries_wolf(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(0)
    scores = draw.normal(size=(24, 64))
    trials = Bank(list(range(24)), scores, draw.normal(size=(24, 64)))
    honest, _ = controls._alarms(trials, 60)
    assert all(line.holds for line in (*honest, *avoiding._equals(trials, 60)))
    monkeypatch.setattr(simultaneous, "LEVEL", 0.6)
    lax, _ = controls._alarms(trials, 60)
    assert not any(line.holds for line in lax)
    assert not any(line.holds for line in avoiding._equals(trials, 60))


@pytest.mark.slow
def test_a_gap_that_is_told_too_large_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(0)
    trials = Bank(list(range(24)), draw.normal(size=(24, 64)), draw.normal(size=(24, 64)))
    honest, share = avoiding._different(trials, 60)
    assert honest.holds
    assert share.found > 0.8
    monkeypatch.setattr(simultaneous, "students", lambda level, seeds: 0.0)
    assert not avoiding._different(trials, 60)[0].holds


def test_stopping_what_is_best_in_the_end_is_seen() -> None:
    draw = np.random.default_rng(0)
    level = np.linspace(0, 3, 30)[:, None]
    end = level + 0.1 * draw.normal(size=(30, 64))
    for early, holds in ((end, True), (-end, False)):
        trials = Bank(list(range(1, 31)), end, end, early)
        found = early_stopping.tuned(trials, 10)
        assert (found.loss <= early_stopping.WORTH) is holds
        assert (found.same == 1.0) is holds
    assert early_stopping._as_often("x", 150, 140, 200).holds
    assert not early_stopping._as_often("x", 150, 110, 200).holds
    pair = [Bank(trials.rates, end, end - lead, end) for lead in (0, 9)]
    assert early_stopping.found(pair, early_stopping.halved, 5) == early_stopping.found(pair, early_stopping.whole, 5) == 5


def test_numbers_that_differ_fail() -> None:
    assert close("x", 1.0, 1.1, 0.2).holds is True
    assert close("x", np.float64(1.0), 1.1, 0.05).holds is False
    assert relative("x", 90.0, 100.0, 0.05).holds is False
    assert relative("x", -96.0, -100.0, 0.05).holds is True
    assert Line("x", 1.0, holds=np.bool_(False)).holds is False


def test_a_failed_check_is_told_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = Check("momentum", "Rates <b>", "a | source", "About.", [Line("one | two", math.inf, 1.0, False, "<i>")], "No.")
    monkeypatch.setattr(momentum, "check", lambda quick, say: bad)
    found = CliRunner().invoke(main, ["lab", "verify", "--only", "momentum", "--out", str(tmp_path / "new")])
    assert found.exit_code == 1
    assert "failed: momentum" in found.output
    html = (tmp_path / "new" / "verify.html").read_text(encoding="utf-8")
    assert "Some checks failed: Rates &lt;b&gt;." in html
    assert "<i>" not in html
    assert "one \\| two | inf | 1.0000 | +inf | FAILS |" in (tmp_path / "new" / "verify.md").read_text(encoding="utf-8")
    told = json.loads((tmp_path / "new" / "verify.json").read_text(encoding="utf-8"))
    assert told["checks"][0]["holds"] is False
    assert told["checks"][0]["lines"][0]["found"] is None


def test_the_command(tmp_path: Path) -> None:
    found = CliRunner().invoke(main, ["lab", "verify", "--quick", "--only", "momentum", "--out", str(tmp_path)])
    assert found.exit_code == 0, found.output
    assert "heavy ball, k = 100" in found.output
    assert "src=" not in (tmp_path / "verify.html").read_text(encoding="utf-8")
    unknown = CliRunner().invoke(main, ["lab", "verify", "--only", "momentun"])
    assert unknown.exit_code == 2
    assert "there is no check 'momentun'; there are algoperf" in unknown.output
    blocked = tmp_path / "file"
    blocked.write_text("")
    refused = CliRunner().invoke(main, ["lab", "verify", "--quick", "--only", "momentum", "--out", str(blocked / "in")])
    assert refused.exit_code == 2
    assert refused.output == f"Error: {blocked / 'in'}: cannot write there (Not a directory); choose another folder with --out\n"
