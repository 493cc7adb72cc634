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


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--rules", "adaam"], "no optimizer is called 'adaam'; did you mean 'adam'?"),
        (["--rules", " , "], "--rules names no optimizer"),
        (["--rules", "muon"], "muon cannot run in a page: "),
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
