"""Tables of the user's own in each kind of file, and the check of a refusal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from thalweg.lab.data.datasets import load
from thalweg.lab.data.parts import Part
from thalweg.lab.data.supervised import Supervised
from thalweg.lab.refusal import Refusal

N = 30
RANDOM = np.random.default_rng(0)
NUMBERS = RANDOM.normal(size=N).round(3)
KIND = np.array(["cat", "dog", "owl"])[np.arange(N) % 3]


def columns(**more: Any) -> dict[str, Any]:
    return {"a": NUMBERS.tolist(), "b": list(range(N)), "kind": KIND.tolist(), **more}


def csv(path: Path, table: dict[str, Any], separator: str = ",") -> Path:
    rows = [separator.join(table), *(separator.join(map(str, row)) for row in zip(*table.values(), strict=True))]
    path.write_text("\n".join(rows) + "\n", "utf-8")
    return path


def pq(path: Path, table: dict[str, Any]) -> Path:
    parquet.write_table(pa.table(table), path)
    return path


def npz(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


def parts(problem: Supervised) -> tuple[Part, Part, Part]:
    return problem.train_part, problem.validation_part, problem.test_part


def refused(
    path: Path, write: Callable[[Path], Any], target: str | None, task: str | None, sentence: str, *, strict: bool = False
) -> None:
    write(path)
    with pytest.raises(Refusal) as error:
        load(path, target, task, strict=strict)
    assert error.value.message == f"{path}: {sentence}"
    assert error.value.exit_code == 2
