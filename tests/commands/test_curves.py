"""`thalweg curves`: a picture of training loss and score, and what it says where it cannot draw one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from PIL import Image
from support import first

from thalweg.commands.cli import main

SMALL = "--rules sgd,adam --budget 2 --seeds 2 --steps 4 --jobs 1"


def run(arguments: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Result:
    monkeypatch.chdir(folder)
    return CliRunner().invoke(main, ["curves", *arguments.split()])


@pytest.mark.parametrize("suffix", first(["png", "svg", "pdf"]))
def test_it_draws(suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = run(f"xor {SMALL} --out four.{suffix}", tmp_path, monkeypatch)
    assert done.exit_code == 0, done.output
    assert f"written to four.{suffix}" in done.output
    path = tmp_path / f"four.{suffix}"
    if suffix == "png":
        with Image.open(path) as image:
            assert image.size == (1840, 600)
            assert len(image.convert("RGB").getcolors(1 << 20) or []) > 20
    elif suffix == "svg":
        text = path.read_text()
        assert all(word in text for word in ("Training loss", "Validation accuracy", "epoch", ">sgd<", ">adam<"))
    else:
        assert path.read_bytes().startswith(b"%PDF")
    assert (tmp_path / "thalweg-results/xor-curves/report.html").is_file()


def test_the_four_that_everybody_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    def compare(**given: Any) -> None:
        asked.append(given)
        raise KeyError("enough")

    monkeypatch.setattr("thalweg.lab.compare", compare)
    assert isinstance(run("", tmp_path, monkeypatch).exception, KeyError)
    assert (asked[0]["rules"], asked[0]["problem"]) == ("sgd,momentum,rmsprop,adam", "digits")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--out picture.gif", "the file's name must end in .png, .svg or .pdf"),
        ("--out nowhere/a.png", "there is no folder nowhere"),
        ("nonsense", "no problem is called 'nonsense'"),
        ("--rules sgdd", "sgdd"),
    ],
)
def test_what_cannot_be_drawn(arguments: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = run(arguments, tmp_path, monkeypatch)
    assert done.exit_code != 0
    assert words in done.output
    assert list(tmp_path.iterdir()) == []
