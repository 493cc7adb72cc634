"""Whatever is typed: an answer, or a sentence and exit code 1 or 2; nothing of it steers the terminal. THALWEG_FUZZ: how many cases."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from thalweg.commands.cli import main
from thalweg.lab.refusal import CONTROLS

ODD = [
    "", " ", "\x1b[31m", "\0", "\udcff", "\u202e", "--", "-", "-h", "nan", "-1", "1e400", "0", "1,2", "2015-", "-2010", "99999", "²", "١٢٣٤", "[b]", "[/b]",
    "%s", "{}", "..", "/", "/dev/null", "none.py", "x" * 5000, "." * 300 + ".png", "a\0.png", ",,", "\n",
]  # fmt: skip
WORDS = st.one_of(st.sampled_from(ODD), st.text(max_size=5))
GOOD = {
    "advise": [["text"], ["--problem-like", "digits"], ["--data", "none.csv"], ["--target", "y"], ["--task", "regression"], ["--bank", "none.json"], ["--kinds"]],
    "show": [["adam"], ["momentum", "--kernel"], ["muon", "--kernel"], ["lbfgs"]],
    "list": [["--kind", "matrices"], ["--search", "adam"], ["--year", "2015-"], ["--memory", "1"], ["--sort", "bytes"]],
    "race": [["saddle"], ["--lr", "0.1"], ["--lr", "default"], ["--start", "0.5"], ["--seed", "1"], ["--error", "distance"], ["--my-rule", "none.py"]],
    "lab": [["verify"], ["merge"], ["verify", "--quick"], ["bank"], ["bank", "--report"]],
    "compare": [["--problem", "xor"], ["--data", "none.csv"], ["--suite", "tiny"], ["--rules", "sgd"], ["--schedule", "cosine"], ["--wait", "1"], ["--train", "none.py"], ["--train", "a:b"], ["--hours", "1"]],
}  # fmt: skip
REFUSED = {"race": ["--out", "none/x.png"], "lab": ["--only", "none"], "compare": ["--jobs", "0"]}
"""What ends a command that would take long, where nothing else has."""


@settings(
    deadline=None,
    max_examples=int(os.environ.get("THALWEG_FUZZ", "60")),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_any_arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: Any) -> None:
    monkeypatch.chdir(tmp_path)
    command = data.draw(st.sampled_from(sorted(GOOD)))
    told = [word for part in data.draw(st.lists(st.sampled_from(GOOD[command]), max_size=3)) for word in part]
    for place in data.draw(st.lists(st.integers(0, 5), max_size=2)):
        told[place : place + data.draw(st.integers(0, 1))] = [data.draw(WORDS)]  # beside the others, or in place of one
    done = CliRunner().invoke(main, [command, *told, *REFUSED.get(command, [])])
    assert done.exception is None or isinstance(done.exception, SystemExit), told
    assert done.exit_code in (0, 1, 2)
    assert done.output.strip()
    assert not CONTROLS.search(done.output)
    assert list(tmp_path.iterdir()) == []
