"""Compiled kernels go to a folder of the run's own: nothing of an earlier one is used, and the user's is left alone.

Kernels for CUDA are run by Triton's interpreter, which it must be told before it is imported. Beside other workers torch and
BLAS get one thread each: theirs wait for each other in a loop, which took several times as long as the work.
"""

from __future__ import annotations

import os
import shutil
import tempfile

import pytest

os.environ.setdefault("TRITON_INTERPRET", "1")
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
