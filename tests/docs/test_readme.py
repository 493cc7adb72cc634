"""The README's code runs, in the order a reader meets it; its commands are the ones CI and users run."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_every_python_block_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code = [body for language, body in BLOCKS if language == "python"]
    assert len(code) >= 6
    space: dict[str, object] = {}
    for body in code:
        for framework in ("jax", "optax", "torch"):
            if f"import {framework}" in body and not _there(framework):
                break
        else:
            exec(compile(body, str(README), "exec"), space)


@pytest.mark.filterwarnings("ignore:.*does not have many workers")  # Lightning, of a DataLoader as simple as a page's
@pytest.mark.filterwarnings("ignore:.*LeafSpec.*:FutureWarning")  # Lightning asks torch in a way that it deprecates
@pytest.mark.parametrize("page", sorted((README.parent / "docs").glob("*.md")), ids=lambda page: page.stem)
def test_every_python_block_of_the_docs_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for framework in ("torch", "optax"):
        if f"import {framework}" in page.read_text(encoding="utf-8"):
            pytest.importorskip(framework)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    space: dict[str, object] = {}
    for body in re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        if all(map(_there, re.findall(r"^(?:import|from) (\w+)", body, re.MULTILINE))):
            exec(compile(body, str(page), "exec"), space)


def _there(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def test_the_two_commands_are_one_line_each() -> None:
    commands = [
        line for language, body in BLOCKS if language == "sh" for line in body.splitlines() if line.startswith("python3 -m venv")
    ]
    assert len(commands) == 2
    assert commands[0].endswith("thalweg compare")
    assert "-m pytest" in commands[1]


@pytest.mark.parametrize("command", ["list", "show adam"])
def test_the_short_commands_work(command: str) -> None:
    from click.testing import CliRunner

    from thalweg.commands.cli import main

    result = CliRunner().invoke(main, command.split())
    assert result.exit_code == 0, result.output
    assert "adam" in result.output
