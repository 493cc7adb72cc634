"""What a trial is: all that its outcome depends on, and the one key that it is kept under."""

from __future__ import annotations

import functools
import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import thalweg
from thalweg.lab.data.problem import Problem
from thalweg.lab.protocol import protocol
from thalweg.lab.protocol.tune import Setting
from thalweg.lab.store.fingerprint import fingerprint
from thalweg.lab.trials.lanes import NUMPY, LaneEngine
from thalweg.rule import Rule

OF_THE_LAB = (
    "protocol/protocol", "protocol/tune",
    "trials/trials", "trials/configured", "trials/lanes", "trials/xla", "trials/jax_engine",
    "data/supervised", "data/parts", "data/task", "data/surface", "data/instances", "user/my_problem",
)  # fmt: skip
ENGINE = (
    "rule.py", "methods/**/*.npz", "lab/problems/**/*.py",
    *(f"{room}/**/*.py" for room in ("values", "ops", "form", "core", "graph", "engines", "stages", "numpy", "nn")),
    *(f"lab/{name}.py" for name in OF_THE_LAB),
)  # fmt: skip
"""The files, besides a rule and its stages, that a trial's numbers come from."""


@dataclass(frozen=True)
class TrialSpec:
    """One trial as it is asked for. Two with equal fields have equal outcomes, and one key.

    protocol, thalweg, numpy: versions. engine: `engine_hash`. problem, data: the problem's name and the fingerprint of its
    data. rule, source: the rule's name and the `fingerprint` of what it computes. phase: "tuning" or "judging". lanes: what
    runs it beside others, as `lanes.engine_for` says.
    """

    protocol: str
    thalweg: str
    engine: str
    numpy: str
    problem: str
    data: str
    rule: str
    source: str
    setting: Setting
    seed: int
    steps: int
    batch_size: int
    phase: str
    lanes: LaneEngine = NUMPY

    @classmethod
    def of(
        cls,
        problem: Problem,
        rule: Rule,
        setting: Setting,
        seed: int,
        *,
        steps: int,
        batch_size: int,
        phase: str,
        lanes: LaneEngine = NUMPY,
    ) -> TrialSpec:
        """The trial as this process would run it."""
        versions = protocol.VERSION, thalweg.__version__, engine_hash(), np.__version__
        what = problem.name, problem.fingerprint, rule.name, fingerprint(rule, problem)
        return cls(*versions, *what, setting, seed, steps, batch_size, phase, lanes)

    @functools.cached_property
    def key(self) -> str:
        """The hash that the trial is kept under."""
        return key_of(self.as_dict())

    def as_dict(self) -> dict[str, Any]:
        """As it stands in a record: plain values by name."""
        setting = {"lr": self.setting.lr, "hyper": dict(self.setting.hyper), "schedule": self.setting.schedule}
        found: dict[str, Any] = {}
        for name in self.__dataclass_fields__:
            found |= setting if name == "setting" else {name: getattr(self, name)}
        return {**found, "lanes": self.lanes.as_dict()}

    def refuse_another(self, mine: TrialSpec) -> None:
        """Raises RuntimeError where this process would run another trial, `mine`: a machine with other files or versions."""
        own = mine.as_dict()
        for name, value in self.as_dict().items():
            if own[name] != value:
                raise RuntimeError(f"{platform.node()} has another {name} ({own[name]}) than the one asked for ({value})")


def key_of(record: Mapping[str, Any]) -> str:
    """The key of a trial as it stands in a record."""
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


@functools.cache
def engine_hash() -> str:
    """A hash of the ENGINE: whoever changes it gets other trials, not the old ones again."""
    root = Path(thalweg.__file__).parent
    found = hashlib.sha256()
    for path in sorted(path for pattern in ENGINE for path in root.glob(pattern)):
        found.update(f"{path.relative_to(root).as_posix()} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return found.hexdigest()[:16]
