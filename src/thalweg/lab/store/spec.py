"""The identity of a trial: everything that its outcome depends on, and the key that it is stored under."""

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
from thalweg.lab.refusal import Changed
from thalweg.lab.store.fingerprint import fingerprint
from thalweg.lab.trials.lanes import NUMPY, LaneEngine
from thalweg.rule import Rule

OF_THE_LAB = (
    "protocol/protocol", "protocol/tune",
    "trials/trials", "trials/configured", "trials/lanes", "trials/xla", "trials/jax_engine",
    "data/supervised", "data/inputs", "data/parts", "data/task", "data/surface", "data/instances", "user/my_problem",
)  # fmt: skip
ENGINE = (
    "rule.py", "methods/**/*.npz", "lab/problems/**/*.py",
    *(f"{room}/**/*.py" for room in ("values", "ops", "form", "core", "graph", "engines", "stages", "numpy", "nn")),
    *(f"lab/{name}.py" for name in OF_THE_LAB),
)  # fmt: skip
"""The files, besides a rule and its stages, that affect a trial's numbers."""


@dataclass(frozen=True)
class TrialSpec:
    """The specification of a trial. Equal specifications have equal outcomes and the same key.

    protocol, thalweg, numpy: versions. engine: `engine_hash`. problem, data: the problem's name and the fingerprint of its
    data. rule, source: the rule's name and `fingerprint`. phase: "tuning" or "judging". lanes: the engine of the lanes, from
    `lanes.engine_for`. block: the block of the comparison, which is part of the identity of the trials of all but the first.
    until: the step from which on the trial stops at its next report, part of its identity if it does; 0: it runs whole.
    validations: how often a run of a training function computes its score on the way, part of its identity if the lab decides
    that.
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
    block: int = 0
    until: int = 0
    validations: int | None = None

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
        """The specification of a trial run by this process."""
        versions = protocol.VERSION, thalweg.__version__, engine_hash(), np.__version__
        what = problem.name, problem.fingerprint, rule.name, fingerprint(rule, problem)
        return cls(*versions, *what, setting, seed, steps, batch_size, phase, lanes)

    @functools.cached_property
    def key(self) -> str:
        """The hash that the trial is stored under."""
        return key_of(self.as_dict())

    def as_dict(self) -> dict[str, Any]:
        """The specification as in a record: plain values by name."""
        setting = {"lr": self.setting.lr, "hyper": dict(self.setting.hyper), "schedule": self.setting.schedule}
        found: dict[str, Any] = {}
        for name in self.__dataclass_fields__:
            found |= setting if name == "setting" else {name: getattr(self, name)}
        found["lanes"] = self.lanes.as_dict()
        if found["validations"] is None:
            del found["validations"]
        for name in ("block", "until"):  # the first block is the comparison without blocks, and its trials have the same keys
            if not found[name]:
                del found[name]
        return found

    def refuse_another(self, mine: TrialSpec) -> None:
        """Raises Changed if this process would run a different trial, `mine`, because files or versions differ.

        Block, length and validations follow from no file or version: they come with the request, and `mine` need not tell them.
        """
        asked = self.as_dict()
        for name, value in mine.as_dict().items():
            if asked[name] != value:
                raise Changed(
                    f"the {name} on {platform.node()} is {value}, and the comparison began with {asked[name]}: a file was "
                    "changed meanwhile, or is another one there; what is finished is kept, so run the command again"
                )


def key_of(record: Mapping[str, Any]) -> str:
    """The key of a trial from its record."""
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


@functools.cache
def engine_hash() -> str:
    """A hash of the ENGINE files. After a change, trials run again instead of being reused."""
    root = Path(thalweg.__file__).parent
    found = hashlib.sha256()
    for path in sorted(path for pattern in ENGINE for path in root.glob(pattern)):
        found.update(f"{path.relative_to(root).as_posix()} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return found.hexdigest()[:16]
