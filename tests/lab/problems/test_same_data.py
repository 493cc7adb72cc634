"""Problems on the same data are known to be so."""

from __future__ import annotations

import re
from pathlib import Path

import thalweg.lab.problems.models as models
from thalweg.lab.protocol import suites

SOURCES = re.compile(r"^from (?:sklearn\.datasets|thalweg\.lab\.data\.(?:mnist\w+|text)) import .*$", re.MULTILINE)


def test_whoever_loads_the_same_data_is_one_witness() -> None:
    loaded: dict[str, set[str]] = {}
    for path in Path(models.__path__[0]).glob("*.py"):
        for source in SOURCES.findall(path.read_text("utf-8")):
            loaded.setdefault(source, set()).add(path.stem)
    assert max(map(len, loaded.values())) == 3
    for together in loaded.values():
        assert len({suites.data_of(name) for name in together}) == 1, together
    assert set(suites.SAME_DATA) <= {name for together in loaded.values() if len(together) > 1 for name in together}
