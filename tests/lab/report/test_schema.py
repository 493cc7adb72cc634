"""Every key of the results is in the schema, and nothing else is there; the schema says what each is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints, is_typeddict

from thalweg import lab
from thalweg.lab.report.schema.parts import Interval
from thalweg.lab.report.schema.problem import Results
from thalweg.lab.report.schema.suite import SuiteResults
from thalweg.lab.report.suite import combine


def misfits(value: Any, kind: Any, where: str = "") -> list[str]:
    """Where a value of JSON is not of this type."""
    if is_typeddict(kind):
        if not isinstance(value, dict):
            return [where]
        hints = get_type_hints(kind)
        wrong = [f"{where}.{name}" for name in value.keys() - hints.keys() | kind.__required_keys__ - value.keys()]
        return wrong + [
            bad for name in value.keys() & hints.keys() for bad in misfits(value[name], hints[name], f"{where}.{name}")
        ]
    origin, parts = get_origin(kind), get_args(kind)
    if origin is UnionType:
        return [] if any(not misfits(value, part) for part in parts) else [where]
    if origin is Literal:
        return [] if value in parts else [where]
    if origin in (list, Sequence):
        return (
            [bad for i, x in enumerate(value) for bad in misfits(x, parts[0], f"{where}[{i}]")]
            if isinstance(value, list)
            else [where]
        )
    if origin is dict:
        return [bad for name, x in value.items() for bad in misfits(x, parts[1], f"{where}.{name}")]
    fits = kind is Any or (kind in (None, NoneType) and value is None) or (kind is float and type(value) is int)
    return [] if fits or type(value) is kind else [where]


def test_results_are_as_the_schema_says(tmp_path: Path) -> None:
    asked: dict[str, Any] = {"rules": "sgd,momentum,adam,learned", "budget": 6, "seeds": 2, "steps": 4, "jobs": 1}
    found = lab.compare(problem="xor", out=tmp_path, **asked)
    assert misfits(json.loads((tmp_path / "results.json").read_text()), Results) == []
    assert misfits(found.results, Results) == []
    both = combine("mine", [found.results, {**found.results, "problem": {**found.results["problem"], "name": "again"}}], "")
    assert misfits(both, SuiteResults) == []
    assert misfits(json.loads(json.dumps(both)), SuiteResults) == []


def test_what_does_not_fit_is_found() -> None:
    good = {"mean": 0.5, "low": None, "high": 1}
    assert misfits(good, Interval) == []
    for bad in ({**good, "mean": "0.5"}, {**good, "middle": 0.5}, {"mean": 0.5, "low": None}, [0.5]):
        assert misfits(bad, Interval)
