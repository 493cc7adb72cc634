"""What is said of a release in several places is the same in all of them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import thalweg as tw

ROOT = Path(__file__).parents[2]
DECLARED = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PYTHONS = re.findall(r"Python :: (3\.\d+)", "\n".join(DECLARED["project"]["classifiers"]))


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_citation_names_this_version() -> None:
    assert re.findall(r"^version: (.*)$", text("CITATION.cff"), re.MULTILINE) == [tw.__version__]


def test_the_readme_and_the_workflows_name_the_pythons_that_are_declared() -> None:
    assert len(PYTHONS) >= 4
    assert DECLARED["project"]["requires-python"] == f">={PYTHONS[0]}"
    assert set(re.findall(r"Python \(?(3\.\d+) to (3\.\d+)", text("README.md"))) == {(PYTHONS[0], PYTHONS[-1])}
    for name in ("tests", "release"):
        (matrix,) = re.findall(r"python: \[(.*)\]", text(f".github/workflows/{name}.yml"))
        assert re.findall(r"3\.\d+", matrix) == PYTHONS


@pytest.mark.parametrize("page", ["tests", "docs", "release"])
def test_no_workflow_takes_what_moves(page: str) -> None:
    """Every action by its version, every machine by its release, and no right but to read unless a job asks for it."""
    workflow = text(f".github/workflows/{page}.yml")
    uses = re.findall(r"uses: (\S+)", workflow)
    assert uses
    assert [name for name in uses if not (re.search(r"@v\d+(\.\d+)*$", name) or name.startswith("./"))] == []
    assert "-latest" not in workflow
    assert re.search(r"^permissions:\n  contents: read$", workflow, re.MULTILINE)


def test_the_source_archive_holds_what_the_repository_does() -> None:
    """Folders and pages that a clone has at its top; what git ignores is not looked at."""
    included = set(DECLARED["tool"]["hatch"]["build"]["targets"]["sdist"]["include"])
    made = {"pyproject.toml", "thalweg-results", "site", "dist", "build"}
    there = {
        path.name
        for path in ROOT.iterdir()
        if not path.name.startswith((".", "__")) and path.name not in made and path.name != "PKG-INFO"
    }
    assert there == included - {".github"}
