"""Where each library's optimizers got to, so that the dialects are tested where the libraries are not installed, too.

`python tests/dialects/recorded.py` writes recorded.json anew where they are; KERAS_BACKEND chooses Keras' backend. A library that
is not installed keeps what it has there.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

from thalweg.dialects.conformance.measure import installed, library
from thalweg.dialects.conformance.stream import NotHere, Point, stream
from thalweg.dialects.method import LIBRARIES, Method, Setting

FILE = Path(__file__).with_name("recorded.json")
STEPS = 12
MARKED = {"w": ((0, 0), (1, 1), (5, 3)), "u": ((0, 0), (2, 4)), "b": ((0,), (6,))}
"""The coordinates that are recorded: how far they have moved after the last step."""


def moved(points: list[Point], start: Point) -> list[float]:
    """How far the recorded coordinates have moved."""
    return [float(points[-1][name][at] - start[name][at]) for name in start for at in MARKED[name]]


def key(method: Method, setting: Setting) -> str:
    return f"{method.name}({setting.words})"


def record(name: str) -> dict[str, Any]:
    """What a library computes in each setting; one that is of another backend is left out."""
    found, at = {}, library(name)
    for method in at.dialect.values():
        along = stream(method.matrices, STEPS)
        for setting in method.settings:
            try:
                found[key(method, setting)] = moved(at.peer.walk(method.name, setting.options, along), along.start)
            except NotHere:
                continue
    return {"version": at.version, "moved": found}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    kept = json.loads(FILE.read_text("utf-8")) if FILE.exists() else {}
    for name in sys.argv[1:] or LIBRARIES:
        if installed(name):
            kept[name] = record(name)
    lines = [f" {json.dumps(name)}: {{\n" + ",\n".join(
        [f'  "version": {json.dumps(own["version"])}', '  "moved": {\n' + ",\n".join(
            f"   {json.dumps(row)}: {json.dumps(numbers)}" for row, numbers in own["moved"].items()) + "\n  }"]) + "\n }"
        for name, own in kept.items()]  # fmt: skip
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")
