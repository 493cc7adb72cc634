"""`thalweg show adam rmsprop`: what makes one optimizer of another; `thalweg list --tree`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import thalweg as tw
from thalweg.commands.cli import main

MINE = '''"""Mine."""

from thalweg import rule


@rule(lr=1e-3)
def {name}(g):
    """Mine (2026)."""
    return {factor} * g
'''


def thalweg(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


@pytest.mark.parametrize("names", [("adam", "rmsprop"), ("rmsprop", "adam"), ("ADAM", "rms_prop")])
def test_the_ancestor_comes_first(names: tuple[str, str]) -> None:
    done = thalweg("show", *names, "--no-curves")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("rmsprop  to  adam")
    assert "The gradient is averaged as its square is, and both averages are corrected" in done.stdout
    assert "+ mₜ = β₁ mₜ₋₁ + (1 - β₁) gₜ\n    vₜ = β₂ vₜ₋₁" in done.stdout
    assert "β₂ is the other's ρ" in done.stdout
    lines = done.stdout.splitlines()
    at = next(k for k, line in enumerate(lines) if "+ θₜ" in line)
    marked = "".join(letter for letter, mark in zip(lines[at], lines[at + 1], strict=False) if mark == "^")
    assert marked == "mₜ / (1 - β₁^t)( / (1 - β₂^t))", "where there is no colour, signs under the terms that are new"


def test_the_curves_and_their_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = thalweg("show", "sgd", "adam", "--out", "both.svg")
    assert done.exit_code == 0, done.output
    bars = [line.split()[1] for line in done.stdout.splitlines() if re.search("[▁▂▃▄▅▆▇]{5}", line)]
    assert len(bars) == 2
    assert all(bar[0] in "▆▇█" and bar[-1] in "▁▂▃▄" for bar in bars), "both learn"
    assert ">adam<" in (tmp_path / "both.svg").read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["both.svg"], "nothing else is left"


def test_rules_of_ones_own(tmp_path: Path) -> None:
    for name, factor in (("one", "2.0"), ("two", "3.0")):
        (tmp_path / f"{name}.py").write_text(MINE.format(name=name, factor=factor))
    done = thalweg("show", str(tmp_path / "one.py"), str(tmp_path / "two.py"))
    assert done.exit_code == 0, done.output
    assert "- θₜ = θₜ₋₁ - η · 2 gₜ\n" in done.stdout
    assert "+ θₜ = θₜ₋₁ - η · 3 gₜ\n" in done.stdout
    assert "thalweg curves --my-rule" in done.stdout


def test_a_stage_has_no_curves() -> None:
    done = thalweg("show", "momentum", "clip")
    assert done.exit_code == 0, done.output
    assert "A stage alone does not train" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["adam", "sgd", "lion"], "one optimizer, or two to compare, not 3"),
        (["adam", "sgd", "--kernel"], "--kernel is for one optimizer"),
        (["adam", "sgdd"], "no optimizer is called 'sgdd'; did you mean 'sgd'?"),
        (["adam", "sgd", "--out", "x.txt"], "must end in .png, .svg or .pdf"),
        (["adam", "--out", "x.png"], "--out draws the losses of two optimizers"),
        (["adam", "sgd", "--out", "x.png", "--no-curves"], "give one of the two"),
        (["sgd", "gd"], "sgd and gd are the same optimizer"),
        ([], "Missing argument"),
    ],
)
def test_what_cannot_be_shown(arguments: list[str], said: str) -> None:
    done = thalweg("show", *arguments)
    assert done.exit_code != 0
    assert said in done.output
    assert "θ" not in done.output


def test_the_tree_takes_no_other_option() -> None:
    done = thalweg("list", "--tree", "--kind", "matrices")
    assert done.exit_code == 2
    assert "--tree shows all rules" in done.output


def test_the_tree_shows_every_method_under_its_own() -> None:
    lines = thalweg("list", "--tree").stdout.splitlines()
    assert sorted(re.sub(r"^[│├└─ ]+", "", line).split()[0] for line in lines) == sorted(tw.rules)
    depth = {re.sub(r"^[│├└─ ]+", "", line).split()[0]: len(re.match(r"^[│├└─ ]*", line)[0]) // 4 for line in lines}  # type: ignore[index]
    assert (depth["sgd"], depth["adagrad"], depth["rmsprop"], depth["adam"], depth["adamw"]) == (0, 1, 2, 3, 4)
