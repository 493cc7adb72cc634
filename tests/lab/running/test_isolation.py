"""A rule of the user's own that misbehaves costs its own row; what hangs is tested with the sweep, in seconds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from thalweg.commands.cli import main
from thalweg.lab.protocol.tune import Setting
from thalweg.lab.store.spec import TrialSpec
from thalweg.lab.store.store import Store
from thalweg.lab.trials.trials import Trial

pytestmark = pytest.mark.slow

MINE = '''
import os
import re
from thalweg import rule
from thalweg.ops import single, stack  # with a vector for each coordinate no kernel stands in for the function

def on_numbers(g):
    return type(g).__name__ != "Symbol"

@rule(lr=0.1, search=(1e-2, 1.0))
def vanishes(g):
    """Ends its process without a word."""
    if on_numbers(g):
        os._exit(7)
    return single(stack(g))

@rule(lr=0.1, search=(1e-2, 1.0))
def prints(g):
    """Says what it does."""
    print("LOUD")
    return single(stack(g))

@rule(lr=0.1, search=(1e-2, 1.0))
def exits(g):
    """Ends Python as soon as it is looked at."""
    print("so")
    print("farewell")
    os._exit(5)

@rule(lr=0.1, search=(1e-2, 1.0))
def hangs(g):
    """Hangs as soon as it is looked at, where no alarm rings."""
    re.match("(a*)*b", "a" * 60)
    return g

@rule(lr=0.1, search=(1e-2, 1.0))
def raises(g):
    """Says what it does, then raises."""
    if on_numbers(g):
        print("\\x1b[2J 10 %\\r 20 %\\n[bold]so far")
        raise ValueError("[red]no more")
    return single(stack(g))

@rule(lr=0.1, search=(1e-2, 1.0))
def imagines(g):
    """Complex numbers."""
    return 1j * single(stack(g)) if on_numbers(g) else single(stack(g))
'''


def test_it_costs_its_own_row_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("thalweg.lab.user.probe.LIMIT", 10.0)
    (tmp_path / "mine.py").write_text(MINE)
    out = tmp_path / "out"
    command = ["compare", "--problem", "xor", "--rules", "sgd", "--my-rule", tmp_path / "mine.py", "--budget", "1", "--seeds", "2",
               "--steps", "4", "--jobs", "1", "--out", out]  # fmt: skip
    done = CliRunner().invoke(main, [str(word) for word in command])
    assert done.exit_code == 0, done.output
    assert "LOUD" not in done.output
    assert "exits is not run: it ended its process with exit code 5; it printed last: so / farewell" in done.stderr
    assert "20 % / [bold]so far" in " ".join(done.stdout.split()), "its lines as they were, and no mark-up"
    rows = {row["name"]: row for row in json.loads((out / "results.json").read_text())["rules"]}
    assert "it ended its process with exit code 7" in rows["vanishes"]["note"]
    assert "TypeError: imagines: for '0.w' it returned complex" in rows["imagines"]["note"]
    assert rows["raises"]["note"].startswith("it failed: ValueError: [red]no more; it printed last: 20 % / [bold]so far")
    assert rows["hangs"]["note"].startswith("it failed: it hung: no result in 10 s")
    for name in ("vanishes", "imagines", "exits", "hangs", "raises"):
        assert rows[name]["diverged"]["judging"] == 1
        assert rows[name]["step_cost"] is None
    for name in ("sgd", "prints"):
        assert "failed" not in (rows[name]["note"] or "")
        assert rows[name]["score"]["mean"] is not None
        assert rows[name]["step_cost"] > 0


@pytest.mark.parametrize("value", ["much", 1j, [0.5]])
def test_only_numbers_are_kept(value: object, tmp_path: Path) -> None:
    from thalweg import rules
    from thalweg.lab import problems

    kept = Store(tmp_path / "trials.sqlite3")
    one = TrialSpec.of(problems.problem("xor"), rules["sgd"], Setting(0.1), 1, steps=5, batch_size=4, phase="tuning")
    with pytest.raises(TypeError, match=r"its loss_curve holds .* where a number is wanted"):
        kept.add([(one, Trial(0.1, 1, loss_curve=[1.0, value]))])  # type: ignore[list-item]
    assert list(kept.everything()) == []
    kept.close()
