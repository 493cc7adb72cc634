"""`thalweg playground`: the page it writes, and what it says where it cannot write one."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from thalweg.commands.cli import main


def playground(folder: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    monkeypatch.chdir(folder)
    return CliRunner().invoke(main, ["playground", *arguments])


def test_it_writes_one_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = playground(tmp_path, monkeypatch, "--rules", "adam, LION")
    assert (done.exit_code, done.output) == (0, "written to playground.html\n")
    text = (tmp_path / "playground.html").read_text("utf-8")
    assert "2 optimizers" in text
    assert '"adam": function step(' in text
    assert '"lion": function step(' in text
    assert "http" not in text.replace("http-equiv", "")


def test_it_opens_the_page_if_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    playground(tmp_path, monkeypatch, "--rules", "sgd", "--out", "mine.html", "--open")
    assert opened == [(tmp_path / "mine.html").as_uri()]


MINE = """
from thalweg import recipe, rule, adam, chain, clip, Decay
from thalweg.ops import mix, sign, transposed

@rule(lr=1e-3)
def mine(g, m=0.0, *, beta: Decay = 0.9):
    m = mix(m, g, beta)
    return sign(m), m

@recipe
def clipped(*, limit=1.0):
    return chain(clip(limit), adam())

@rule(lr=1e-3)
def turned(g):
    return transposed(g)
"""


def test_the_user_s_rules_are_in_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.py").write_text(MINE, "utf-8")
    files = ("--my-rule", "mine.py:mine", "--my-rule", "mine.py:clipped")
    done = playground(tmp_path, monkeypatch, *files, "--rules", "adam,mine")
    assert (done.exit_code, done.output) == (0, "written to playground.html\n")
    text = (tmp_path / "playground.html").read_text("utf-8")
    assert "3 optimizers" in text
    assert '"mine": function step(' in text
    assert "hyper.limit" in text
    assert '"first":["mine","clipped","adam"]' in text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MINE, "turned cannot run in a page: JavaScript has no word transposed; it has abs, arctan2, clip, cos, debias, "),
        (MINE, "; write it with other words, or see it in `thalweg race`"),
        (MINE.replace("def mine(g, m", "def mine(g, word, m"), "'word' is nothing a rule can ask for"),
        ("raise SystemExit(3)", "mine.py, line 1: SystemExit: 3"),
        ("import os\nos._exit(3)", "mine.py cannot run: "),
    ],
)
def test_what_of_the_user_s_cannot_run(text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.py").write_text(text, "utf-8")
    done = playground(tmp_path, monkeypatch, "--my-rule", "mine.py")
    assert done.exit_code == 2
    assert said in done.output
    assert not list(tmp_path.glob("*.html"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--rules", "adaam"], "no optimizer is called 'adaam'; did you mean 'adam'?"),
        (["--rules", " , "], "--rules names no optimizer"),
        (["--rules", "muon"], "muon cannot run in a page: "),
        (["--my-rule", "nowhere.py"], "nowhere.py: there is no such file"),
        (["--out", "page.png"], "must end in .html"),
        (["--rules", "sgd", "--out", "nowhere/page.html"], "nowhere"),
    ],
)
def test_what_it_cannot_write(arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = playground(tmp_path, monkeypatch, *arguments)
    assert done.exit_code == 2
    assert said in done.output
    assert "Traceback" not in done.output
    assert not list(tmp_path.iterdir())
