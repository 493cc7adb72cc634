"""The notebooks run from top to bottom as they are stored, and are stored as they ran."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "examples" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
SLOW = ("torch_training", "a_rule_of_your_own")
"""They train in child processes that import torch, and compile for JAX."""
LARGEST = 150_000
"""Bytes: a notebook with its pictures that a reader on a phone does not wait for."""


def cells(notebook: Path) -> Iterator[dict[str, Any]]:
    return (cell for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code")


@pytest.mark.filterwarnings("ignore:FigureCanvasAgg is non-interactive")  # plt.show, where no screen is
@pytest.mark.parametrize(
    "notebook", [pytest.param(path, id=path.stem, marks=pytest.mark.slow if path.stem in SLOW else ()) for path in NOTEBOOKS]
)
def test_a_notebook_runs(
    notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.syspath_prepend(tmp_path)
    code = ["".join(cell["source"]) for cell in cells(notebook)]
    for package in ("torch", "jax", "optax"):
        if any(f"import {package}" in text or f"thalweg.{package}" in text for text in code):
            pytest.importorskip(package)
    space: dict[str, Any] = {"__name__": "notebook"}
    for text in code:
        *body, last = ast.parse(text).body
        shown = isinstance(last, ast.Expr)
        exec(compile(ast.Module(body if shown else [*body, last], []), str(notebook), "exec"), space)
        if shown:
            assert isinstance(last, ast.Expr)
            eval(compile(ast.Expression(last.value), str(notebook), "eval"), space)
    assert capsys.readouterr().out


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_stored_as_it_ran(notebook: Path) -> None:
    """Numbered from 1 without gaps, without an error, light."""
    assert [cell["execution_count"] for cell in cells(notebook)] == list(range(1, 1 + len(list(cells(notebook)))))
    assert not any(
        out["output_type"] in ("error",) or out.get("name") == "stderr" for cell in cells(notebook) for out in cell["outputs"]
    )
    assert notebook.stat().st_size < LARGEST


def test_there_is_one_for_each_kind_of_reader() -> None:
    assert len(NOTEBOOKS) == 3
