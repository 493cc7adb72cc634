"""State files of optimizers that update NumPy arrays in place."""

from __future__ import annotations

import os
from typing import Any

from thalweg.core.saved.file import save
from thalweg.core.saved.fit import Arrays, Names, fitted
from thalweg.core.saved.record import Record, recorded, state_of


def save_state(path: str | os.PathLike[str], optimizer: Any) -> None:
    """Write an optimizer's arrays and state to one file, from which any face resumes: see docs/states.md.

    Parameters
    ----------
    path : str or path-like
        The file; it appears whole or not at all.
    optimizer : Optimizer
        The optimizer. Where it has parameter groups, names begin with the group's number only if two groups share a name.
    """
    save(path, _record(optimizer, optimizer.state).renamed(_names(optimizer)))


def load_state(path: str | os.PathLike[str], optimizer: Any, *, names: Names = None, arrays: Arrays = None) -> None:
    """Write what a file holds into an optimizer's arrays and its state, whichever face wrote the file.

    Parameters
    ----------
    path : str or path-like
        The file.
    optimizer : Optimizer
        An optimizer of the same rule.
    names : callable or dict, optional
        Maps a parameter's name here to its name in the file. Default: they are the same.
    arrays : callable, optional
        Maps a parameter's name here, and each array that the file has of it, to the array that is to be here: a transpose.

    Raises
    ------
    ValueError
        If the file is damaged, of another rule, or of other parameters; nothing is changed then. A warning says which settings
        differ.
    """
    pure, bound, told = optimizer._bound.optimizer, optimizer._bound, _names(optimizer)
    begun = pure.init(bound.params)
    found = fitted(path, _record(optimizer, begun).renamed(told), names, arrays).renamed({n: own for own, n in told.items()})
    bound.state = bound.fitted(state_of(pure, found, begun))
    for name, array in zip(bound.names, bound.arrays, strict=True):
        array[...] = found.params[name]


def _record(optimizer: Any, state: Any) -> Record:
    bound = optimizer._bound
    return recorded(bound.optimizer, dict(zip(bound.names, bound.arrays, strict=True)), state)


def _names(optimizer: Any) -> dict[str, str]:
    """Return the names in a file by the optimizer's names, which begin with the number of the group."""
    own: list[str] = optimizer._bound.names
    if optimizer._bound.params is optimizer.param_groups[0]["params"]:
        return dict(zip(own, own, strict=True))
    short = [name.partition(".")[2] for name in own]
    return dict(zip(own, short if len(set(short)) == len(own) and all(short) else own, strict=True))
