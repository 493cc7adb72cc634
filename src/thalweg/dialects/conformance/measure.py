"""What each library found here computes, beside the paper's rule and beside its dialect."""

from __future__ import annotations

import importlib
import importlib.util
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from thalweg.core.stage import Chain, Stage
from thalweg.dialects.conformance.stream import STEPS, NotHere, apart, stream, walk
from thalweg.dialects.method import Dialect, Method, Setting, dialect

MODULES = {"tf1": "tensorflow", "mlx": "mlx"}
"""The module of a library, where it has another name."""
EQUAL, NEARLY = 1e-12, 1e-4
"""Below the first two walks differ by rounding in float64; below the second by what a row says that remains."""


@dataclass(frozen=True)
class Line:
    """One optimizer of a library with one set of options.

    apart, left: the difference of the library's walk from the paper's rule with the same numbers, and from the dialect's stage.
    error: what the library raised instead; apart and left are then None. ours: the dialect's stage as it is written here.
    """

    library: str
    version: str
    name: str
    options: str
    ours: str
    source: str
    cause: str
    remains: str
    apart: float | None = None
    left: float | None = None
    error: str = ""

    @property
    def verdict(self) -> str:
        """One of VERDICTS."""
        if self.apart is None or self.left is None:
            return "failed"
        if self.apart < EQUAL:
            return "equal"
        if not self.cause and self.remains and self.apart < NEARLY:
            return "nearly equal"
        if self.cause and self.left < EQUAL:
            return "explained"
        if self.cause and self.remains and self.left < NEARLY:
            return "nearly explained"
        return "open"


VERDICTS = {
    "equal": "the paper's rule, up to rounding",
    "nearly equal": "the paper's rule, but for what remains as told",
    "explained": "another rule; the dialect, which has the difference named, equals it up to rounding",
    "nearly explained": "another rule; the dialect equals it but for what remains as told",
    "open": "another rule than our rows say: perhaps of another version",
    "failed": "the library raised an error",
}


@dataclass(frozen=True)
class Library:
    """A library found here: its table, how to walk with it, and its version, with its backend if it has several."""

    dialect: Dialect
    peer: ModuleType

    @property
    def version(self) -> str:
        return " ".join([str(self.peer.VERSION).partition("+")[0], *([self.peer.ON] if hasattr(self.peer, "ON") else [])])


def installed(name: str) -> bool:
    """Whether a library is here; nothing is imported."""
    return importlib.util.find_spec(MODULES.get(name, name)) is not None


def library(name: str) -> Library:
    """Import a library. Whatever its import raises comes through."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Library(dialect(name), importlib.import_module(f"thalweg.dialects.conformance.peers.{name}"))


def measured(at: Library, wanted: Callable[[str], bool] = lambda name: True, steps: int = STEPS) -> list[Line]:
    """Return the lines of a library's optimizers whose names are wanted; a setting of another backend has none."""
    found = []
    for method in at.dialect.values():
        if wanted(method.name):
            lines = [line(at, method, setting, steps) for setting in method.settings]
            found += [one for one in lines if one is not None]
    return found


def line(at: Library, method: Method, setting: Setting, steps: int = STEPS) -> Line | None:
    """Return the line of an optimizer with these options; None if they are of another backend."""
    ours = method(**setting.options)
    told = (written(ours), method.file, method.cause(setting), method.remains)
    head = (at.dialect.library, at.version, method.name, setting.words, *told)
    along = stream(method.matrices, steps)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = at.peer.walk(method.name, setting.options, along)
    except NotHere:
        return None
    except Exception as error:
        return Line(*head, error=f"{type(error).__name__}: {error}")
    paper, own = walk(method.of_paper(**setting.options), along), walk(ours, along)
    return Line(*head, apart=apart(theirs, paper, along.start), left=apart(theirs, own, along.start))


def written(stage: Stage) -> str:
    """Return a stage as it is written here, without a decay of 0."""
    parts: Sequence[Any] = stage.stages if isinstance(stage, Chain) else [stage]
    kept = [part for part in parts if not (part.name == "decay" and part.config["weight_decay"] == 0)] or parts
    return " + ".join(repr(part)[1:-1] for part in kept)
