"""`thalweg race` on the command line."""

import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from thalweg.commands.race import race_command


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def race(*words: str) -> Result:
    return CliRunner().invoke(race_command, words)


def test_by_default_the_sources_curve_as_a_picture(here: Path) -> None:
    found = race("--rules", "sgd,adam", "--steps", "10")
    assert found.exit_code == 0, found.output
    assert "2 optimizers on quartic" in found.stdout
    assert "from x = -3, 10 steps" in found.stdout
    assert [path.name for path in here.iterdir()] == ["race-quartic.png"]


@pytest.mark.parametrize("suffix", [".png", ".gif", ".html", ".PNG"])
def test_the_name_says_what_is_drawn(here: Path, suffix: str) -> None:
    found = race("ravine", "--rules", "nag", "--steps", "4", "--out", f"way{suffix}", "--lr", "0.001")
    assert found.exit_code == 0, found.output
    assert "nesterov" in found.stdout
    begins = {".png": b"\x89PNG", ".gif": b"GIF89a", ".html": b"<!doctype html>"}[suffix.lower()]
    assert (here / f"way{suffix}").read_bytes().startswith(begins)
    assert len(list(here.iterdir())) == 1


def test_the_options_arrive(here: Path) -> None:
    found = race(
        "saddle", "--rules", "sgd, msgd,sgd", "--steps", "5", "--lr", "default", "--start", "-1,0.5", "--error", "distance"
    )
    assert found.exit_code == 0, found.output
    assert "2 optimizers on saddle" in found.stdout
    assert "from (-1, 0.5), 5 steps, each at its own default learning rate" in found.stdout


def test_a_start_below_zero(here: Path) -> None:
    found = race("--rules", "sgd", "--steps", "2", "--start", "-2.5", "--lr", "0.01")
    assert found.exit_code == 0, found.output
    assert "from x = -2.5, 2 steps, all at the learning rate 0.01" in found.stdout


def test_divergence_is_in_the_table(here: Path) -> None:
    found = race("--rules", "sgd,momentum", "--steps", "30", "--lr", "5")
    assert found.exit_code == 0, found.output
    assert found.stdout.count("diverged at step") == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["quartik"], "scaling, styblinski_tang; did you mean 'quartic'?"),
        (["digits"], "no surface is called 'digits'"),
        (["--rules", "sgd,addam"], "no optimizer is called 'addam'; did you mean 'adam'?"),
        (["--rules", ","], "--rules names no optimizer"),
        (["--rules", "sgd,muon"], "muon is for matrices, and a point on a surface is none"),
        (["--out", "race.svg"], "--out race.svg: the file's name must end in .png, .gif or .html"),
        (["--out", "nowhere/race.png"], "--out nowhere/race.png cannot be written: No such file or directory"),
        (["--out", "folder.png"], "--out folder.png is a folder"),
        (["--lr", "fast"], "--lr is 'tuned', 'default' or a number above 0, not 'fast'"),
        (["--lr", "nan"], "not 'nan'"),
        (["--lr", "-1"], "not '-1'"),
        (["--start", "left"], "--start takes numbers"),
        (["--start", "1,2"], "quartic is a surface of 1 dimension(s)"),
        (["saddle", "--start", "1"], "saddle is a surface of 2 dimension(s)"),
        (["--start", "inf"], "does not fit"),
        (["--my-rule", "mine.py"], "mine.py: there is no such file"),
        (["--steps", "0"], "wanted a whole number from 1 to 100,000"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(here: Path, words: list[str], sentence: str) -> None:
    (here / "folder.png").mkdir()
    found = race(*words)
    assert found.exit_code == 2
    assert sentence in found.stderr
    assert found.stdout == ""
    assert [path.name for path in here.iterdir()] == ["folder.png"]


RULES = '''
from thalweg import rule

@rule(lr=0.01, search=(1e-3, 1.0))
def plain(g):
    """Descent."""
    return g

@rule(lr=0.01, search=(1e-3, 1.0))
def broken(g):
    """Raises where it meets an array, and prints."""
    print("on the way")
    if hasattr(g, "shape"):
        raise ArithmeticError("<b>no</b>")
    return g
'''


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [*(pytest.param(s, marks=pytest.mark.slow) for s in ("png", "gif")), "html"])
def test_ones_own_rules_join(here: Path, suffix: str) -> None:
    (here / "mine.py").write_text(RULES)
    found = race("--rules", "sgd", "--my-rule", "mine.py", "--steps", "5", "--lr", "0.01", "--out", f"race.{suffix}")
    assert found.exit_code == 0, found.output
    assert "3 optimizers on quartic" in found.stdout
    made = rows(found.stdout)
    assert made["plain"][2:] == made["sgd"][2:]
    assert " ".join(made["broken"][3:]) == "failed: ArithmeticError: <b>no</b>; it printed last: on the way"
    assert "on the way" not in found.stderr
    if suffix == "html":
        page = (here / "race.html").read_text("utf-8")
        assert "failed: ArithmeticError: &lt;b&gt;no&lt;/b&gt;" in page


HOSTILE = '''
import os
from thalweg import rule
from thalweg.ops import log

def on_numbers(g):
    return type(g).__name__ != "Symbol"

@rule(lr=0.01, search=(1e-3, 1.0))
def plain(g):
    """Descent."""
    return g

@rule(lr=0.01, search=(1e-3, 1.0))
def exits(g):
    """Ends Python as soon as it is looked at."""
    os._exit(5)

@rule(lr=0.01, search=(1e-3, 1.0))
def dies(g):
    """Ends Python in the race."""
    if on_numbers(g):
        print("farewell")
        os.abort()
    return g

@rule(lr=0.01, search=(1e-3, 1.0))
def undefined(g):
    """log of what is negative: NaN."""
    return log(g - 1e9)

@rule(lr=0.01, search=(1e-3, 1.0))
def hangs(g):
    """Never comes back."""
    while on_numbers(g):
        pass
    return g
'''


def rows(stdout: str) -> dict[str, list[str]]:
    return {row.split()[1]: row.split() for row in stdout.splitlines() if row[:1].isdigit()}


@pytest.mark.slow
def test_a_rule_of_ones_own_costs_its_own_row_whatever_it_does(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("thalweg.lab.race.isolated.LIMIT", 15.0)
    (here / "mine.py").write_text(HOSTILE)
    found = race("--rules", "sgd", "--my-rule", "mine.py", "--steps", "5", "--lr", "0.01", "--out", "race.html")
    assert found.exit_code == 0, found.output
    made = rows(found.stdout)
    assert made["plain"][2:] == made["sgd"][2:]
    says = {name: " ".join(made[name][3:]) for name in ("exits", "dies", "hangs")}
    assert says == {
        "exits": "failed: it ended its process with exit code 5",
        "dies": "failed: its process was ended by SIGABRT; it printed last: farewell",
        "hangs": "failed: it hung: no result in 15.5 s",
    }
    assert "diverged at step 1" in " ".join(made["undefined"])
    assert (here / "race.html").exists()


def test_a_file_that_ends_python_has_a_row(here: Path) -> None:
    (here / "mine.py").write_text("import os\nprint('bye')\nos._exit(3)\n")
    found = race("--rules", "sgd", "--my-rule", "mine.py", "--steps", "5", "--lr", "0.01")
    assert found.exit_code == 0, found.output
    assert " ".join(rows(found.stdout)["mine.py"][3:]) == "failed: it ended its process with exit code 3; it printed last: bye"


def test_success_is_in_the_table(here: Path) -> None:
    found = race("ravine", "--rules", "sgd,momentum", "--lr", "0.019", "--steps", "150")
    assert found.exit_code == 0, found.output
    assert "100 % [93, 100]" in found.stdout
    assert "success: on 50 more instances" in found.stdout


def test_a_failure_leaves_the_old_file_as_it_was(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(found: Any, path: Path, error: str) -> None:
        path.write_text("half of a picture")
        raise OSError(28, "No space left on device")

    (here / "race.png").write_text("an older picture")
    monkeypatch.setattr("thalweg.lab.race.picture.write_png", fails)
    found = race("--rules", "sgd", "--steps", "2", "--out", "race.png")
    assert found.exit_code == 2
    assert found.stderr == "Error: --out race.png cannot be written: No space left on device\n"
    assert (here / "race.png").read_text() == "an older picture"
    assert len(list(here.iterdir())) == 1


def test_what_is_in_colour_is_asked_for(here: Path) -> None:
    found = race("--rules", "sgd,momentum,adam", "--steps", "3", "--show", "msgd", "--out", "race.html")
    assert found.exit_code == 0, found.output
    page = (here / "race.html").read_text("utf-8")
    shown = {name: front == "true" for name, front in re.findall(r'"name":"(\w+)"[^}]*?"front":(\w+)', page)}
    assert shown == {"sgd": False, "momentum": True, "adam": False}
    assert "2 others in grey" in page
    refused = race("--rules", "sgd,adam", "--steps", "3", "--show", "adm")
    assert refused.exit_code != 0
    assert "--show adm: it is not in this race; did you mean 'adam'?" in str(refused.exception) + refused.output
