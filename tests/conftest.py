"""Compiled kernels go to a folder of the run's own: nothing of an earlier one is used, and the user's is left alone.

Kernels for CUDA are run by Triton's interpreter, which it must be told before it is imported. Beside other workers torch and
BLAS get one thread each: theirs wait for each other in a loop, which took several times as long as the work.

A PDF has fonts of another kind than a user's, but where a test asks for `users_fonts`: cutting out those letters that occur took
longer than all else that a small comparison does.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator

import pytest

os.environ.setdefault("TRITON_INTERPRET", "1")
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # the processes that tests start would compile every module again
if "PYTEST_XDIST_WORKER" in os.environ:
    for library in ("OMP", "MKL", "OPENBLAS"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and "THALWEG_CACHE" not in os.environ:  # its workers inherit what it sets
        os.environ["THALWEG_CACHE"] = tempfile.mkdtemp(prefix="thalweg-kernels-")
        config.add_cleanup(lambda: shutil.rmtree(os.environ.pop("THALWEG_CACHE"), ignore_errors=True))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if changing := [item.nodeid for item in items if " at 0x" in item.nodeid]:  # each worker would have other names
        raise pytest.UsageError(f"{changing[0]} is named by an object's address; give its parameters ids")


@pytest.fixture(autouse=True, scope="session")
def fonts() -> Iterator[int | None]:
    """Those of a user's PDFs, as matplotlib numbers their kinds."""
    svg = sys.modules.get("thalweg.lab.report.figures.svg")  # who runs few tests waits for no import of matplotlib
    if svg is None:
        yield None
        return
    users = svg.PAPER["pdf.fonttype"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(svg.PAPER, "pdf.fonttype", 3)
        yield users


@pytest.fixture
def users_fonts(fonts: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a figure for papers those that a user gets."""
    from thalweg.lab.report.figures import svg

    if fonts is not None:
        monkeypatch.setitem(svg.PAPER, "pdf.fonttype", fonts)
