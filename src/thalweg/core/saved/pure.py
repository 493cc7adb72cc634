"""State files of the pure functions."""

from __future__ import annotations

import os

from thalweg.core.optimizer import Optimizer, State
from thalweg.core.saved.file import save
from thalweg.core.saved.fit import Arrays, Names, fitted
from thalweg.core.saved.record import recorded, state_of
from thalweg.values.trees import Tree, taken_apart


def save_state(path: str | os.PathLike[str], optimizer: Optimizer, params: Tree, state: State) -> None:
    """Write parameters and state to one file, from which any face resumes: see docs/states.md.

    Parameters
    ----------
    path : str or path-like
        The file; it appears whole or not at all.
    optimizer : Optimizer
        The optimizer.
    params, state
        As `optimizer.step` returned them; the arrays of any framework.
    """
    save(path, recorded(optimizer, taken_apart(params).arrays, state))


def load_state(
    path: str | os.PathLike[str], optimizer: Optimizer, params: Tree, *, names: Names = None, arrays: Arrays = None
) -> tuple[Tree, State]:
    """Return the parameters and the state that a file holds, whichever face wrote it.

    Parameters
    ----------
    path : str or path-like
        The file.
    optimizer : Optimizer
        An optimizer of the same rule.
    params : tree
        The parameters before: the result has their structure, framework and dtypes.
    names : callable or dict, optional
        Maps a parameter's name here to its name in the file. Default: they are the same.
    arrays : callable, optional
        Maps a parameter's name here, and each array that the file has of it, to the array that is to be here: a transpose.

    Returns
    -------
    params, state
        For `optimizer.step`.

    Raises
    ------
    ValueError
        If the file is damaged, of another rule, or of other parameters. A warning says which settings differ.
    """
    flat = taken_apart(params)
    begun = optimizer.started(flat.arrays)
    found = fitted(path, recorded(optimizer, flat.arrays, begun), names, arrays)
    return flat.rebuilt(found.params), state_of(optimizer, found, begun)
