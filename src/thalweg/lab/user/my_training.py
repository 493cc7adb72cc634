"""A user's training function: where it is, so that any process finds it."""

from __future__ import annotations

import functools
import importlib.util
import inspect
import itertools
import operator
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from thalweg.lab.refusal import Changed, Refusal
from thalweg.lab.running.guard import in_a_line
from thalweg.lab.training import identity
from thalweg.lab.training.function import TrainingFunction
from thalweg.lab.training.reach import reached
from thalweg.lab.user import user_file

Train = Callable[[Any], Any]
LOADS = 3600.0
"""Seconds that a file may take to load: it may read its data."""
USUAL = "train"
"""The function's name in a file, if none is given."""

_held: dict[int, Train] = {}
"""Functions that no other process can have."""
_numbers = itertools.count()


@dataclass(frozen=True)
class Reference:
    """A training function, in a form to send to worker processes: one in a file, or one that travels as a pickle.

    held: its number in this process, for a function that can do neither. digest: the hash of a live function, with the values
    that it reaches. unseen: the kinds of objects that it reaches and nothing can look into.
    """

    name: str
    about: str
    better: str
    file: Path | None = None
    function: str = USUAL
    pickled: bytes | None = None
    held: int | None = None
    digest: str = ""
    unseen: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """The hash of the function and of what it reaches."""
        code = identity.of_file(self.file, self.function) if self.file is not None else ""
        return identity.digest(code, self.digest, self.better)

    def described(self) -> TrainingFunction:
        """The problem, without the function: no code of the user's runs."""
        return TrainingFunction(self.name, self.about, self.fingerprint, self.better)

    def load(self) -> TrainingFunction:
        """The problem with its function, whose file is run here. Raises Changed if the file is another one afterwards."""
        found = self.described()
        found.function = self._function()
        if self.fingerprint != found.fingerprint:  # which of the two was run, nobody can say
            raise Changed(f"{self.file} was changed while it was loaded; what is finished is kept, so run the command again")
        return found

    def _function(self) -> Train:
        if self.held is not None:
            return _held[self.held]
        if self.pickled is not None:
            made: Train = _cloudpickle().loads(self.pickled)
            return made
        assert self.file is not None
        given: Train = operator.attrgetter(self.function)(user_file.run(self.file, "a training function", LOADS))
        return given


def reference(train: Train | str | Path, better: str) -> Reference:
    """The reference to a function, or to one in a file: "mine.py" or "mine.py:function". Raises Refusal if there is none."""
    if isinstance(train, str | Path):
        return _in_file(*_place(str(train)), better)
    if not callable(train):
        raise Refusal(f"train is {train!r:.60}; wanted a function of a trial, or a Python file with one")
    function = inspect.unwrap(train)
    module, name = sys.modules.get(getattr(function, "__module__", "") or ""), getattr(function, "__qualname__", "")
    file = Path(str(getattr(module, "__file__", None)))
    is_script = module is sys.modules.get("__main__") and file.is_file()
    if is_script and getattr(module, name or " ", None) is train and name in identity.names(file):
        live = reached(train)  # a script may read its values from the command line
        return replace(_in_file(file, name, better), digest=live.digest, unseen=live.unseen)
    return _sent(train, better)


def _place(text: str) -> tuple[Path, str]:
    """The file and the function's name in "FILE:FUNCTION"."""
    file, colon, function = text.rpartition(":")
    return (Path(file), function) if colon and function.isidentifier() and file.endswith(".py") else (Path(text), USUAL)


def _in_file(path: Path, function: str, better: str) -> Reference:
    user_file.refuse_missing(path)
    try:
        there = identity.names(path)
    except (SyntaxError, ValueError) as error:
        raise user_file.refusal(path, error) from error
    if function not in there:
        some = list(itertools.islice(filter(None, there), 12))
        has = f"it has {', '.join(some)}" if some else "it has none"
        raise Refusal(
            f"{path}: there is no function {function}; {has}. Name one: {path.name}:FUNCTION; of a script make "
            "one, def train(trial):, as docs/training.md shows"
        )
    name = path.stem if function == USUAL else f"{path.stem}.{function}"
    words = " ".join((there[function] or there[""]).split()) or "A training function of your own."
    return Reference(name, f"{words} ({path.name}, {function})", better, path.resolve(), function)


def _sent(train: Train, better: str) -> Reference:
    """A function that travels as a pickle, or stays in this process if it cannot."""
    plain = train.func if isinstance(train, functools.partial) else train
    name = str(getattr(plain, "__name__", type(train).__name__)).strip("<>")
    words = " ".join((inspect.getdoc(plain) or "").split()) if hasattr(plain, "__name__") else ""
    found = reached(train)
    given = Reference(name, words or "A training function of your own.", better, digest=found.digest, unseen=found.unseen)
    try:
        pickled = _cloudpickle().dumps(train)
    except Exception:  # what it refers to may raise anything
        _held[number := next(_numbers)] = train
        return replace(given, held=number)
    return replace(given, pickled=pickled)


def _cloudpickle() -> Any:
    """cloudpickle, which joblib depends on, or, in older releases, contains."""
    there = importlib.util.find_spec("cloudpickle") is not None
    return importlib.import_module("cloudpickle" if there else "joblib.externals.cloudpickle")


def notes(given: Reference) -> Iterator[str]:
    """What a user is told of a function beforehand: that its runs stay in this process, or that no stored trial can serve."""
    if given.held is not None:
        try:
            _cloudpickle().dumps(_held[given.held])
        except Exception as error:
            why = in_a_line(error)
            yield f"{given.name} cannot be sent to other processes ({why}): its runs are one after another, in this one"
    if given.unseen:
        kinds = ", ".join(given.unseen)
        yield f"{given.name} reaches what nothing can look into ({kinds}): the next comparison will run all its trials anew"
