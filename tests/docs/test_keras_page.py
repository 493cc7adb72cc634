"""docs/keras.md says of each of Keras' optimizers what the dialect says."""

from __future__ import annotations

import re
from pathlib import Path

import thalweg as tw

PAGE = (Path(__file__).parents[2] / "docs" / "keras.md").read_text(encoding="utf-8")


def test_the_table_is_the_dialect() -> None:
    told = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", PAGE, re.MULTILINE))
    assert told == {name: method.differs or "nothing" for name, method in tw.dialect("keras").items()}
