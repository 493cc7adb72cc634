"""The checks of a state file against the optimizer that is to go on from it."""

from __future__ import annotations

import dataclasses
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from thalweg.core.saved.file import load
from thalweg.core.saved.record import SCHEDULE, Record
from thalweg.values.arrays import Array, dtype_name, framework
from thalweg.values.tensor_files import Bits, array_of

Names = Callable[[str], str] | Mapping[str, str] | None
"""Maps a parameter's name here to its name in the file."""
Arrays = Callable[[str, Array], Array] | None
"""Maps a parameter's name here, and an array that the file has of it, to the array that is to be here."""


def fitted(path: str | os.PathLike[str], mine: Record, names: Names = None, arrays: Arrays = None) -> Record:
    """Return what a file holds, by the names here and as arrays like those of `mine`.

    mine: the record before the first step. Raises ValueError if the file is of another rule or of other parameters; warns if it
    was written with other settings.
    """
    found, file = load(path), Path(path).name
    _check_rule(file, found, mine)
    there = {name: _name_of(name, names) for name in mine.params}
    _check_names(file, found, there)
    found = found.renamed({theirs: name for name, theirs in there.items()})
    own = {"/".join(place): place for place in mine.slots}
    slots = {}
    for place, held in found.slots.items():
        slot, likes = "/".join(place), mine.slots[own["/".join(place)]]
        if held.keys() != likes.keys():
            odd = min(held.keys() ^ likes.keys())
            here, theirs = ("none", "some") if odd in held else ("some", "none")
            raise ValueError(f"{file} has {theirs} {slot} of '{odd}', and here it has {here}; it goes to another rule there")
        slots[own[slot]] = {n: _array(f"{file}: {slot} of '{n}'", x, likes[n], (n, arrays)) for n, x in held.items()}
    params = {}
    for name, like in mine.params.items():
        theirs = found.params[name].dtype
        if theirs != dtype_name(like):
            raise ValueError(f"{file}: '{name}' is {theirs}, and here it is {dtype_name(like)}; make it {theirs} first")
        params[name] = _array(f"{file}: '{name}'", found.params[name], like, (name, arrays))
    numbers = {place: _number(found.numbers[tuple("/".join(place).split("/"))], x) for place, x in mine.numbers.items()}
    if told := list(_differences(found, mine)):
        warnings.warn(
            f"{file} was written with other settings, and the steps go on with those here: {'; '.join(told)}", stacklevel=3
        )
    return dataclasses.replace(found, params=params, slots=slots, numbers=numbers)


def _check_rule(file: str, found: Record, mine: Record) -> None:
    def kept(record: Record) -> list[str]:
        return sorted("/".join(place) for place in (*record.slots, *record.numbers))

    if "key" in found.more.keys() ^ mine.more.keys():
        where, other = ("the file", "here") if "key" in found.more else ("this transformation", "in the file")
        raise ValueError(f"{file}: {where} draws from a key of JAX, which there is none of {other}")
    if set(found.methods) != set(mine.methods) or kept(found) != kept(mine):
        theirs, own = (f"{record.rule} (with {', '.join(kept(record)) or 'no memory'})" for record in (found, mine))
        raise ValueError(f"{file} holds the state of {theirs}, and this is {own}")


def _name_of(name: str, names: Names) -> str:
    if names is None:
        return name
    return names(name) if callable(names) else names.get(name, name)


def _check_names(file: str, found: Record, there: dict[str, str]) -> None:
    for name, theirs in there.items():
        if theirs not in found.params:
            said = f"'{name}'" if name == theirs else f"'{theirs}', the name of '{name}' there"
            raise ValueError(f"{file} has no parameter {said}; it has {_few(found.params)}, and names= says which is which")
    more = [name for name in found.params if name not in there.values()]
    if more:
        raise ValueError(f"{file} has {_few(more)}, of which there is no parameter here; here are {_few(there)}")
    if len(set(there.values())) < len(there):
        raise ValueError(f"{file}: names= gives two parameters one name of the file, among {_few(there.values())}")


def _few(names: Iterable[str]) -> str:
    names = list(names)
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(f"'{name}'" for name in names[:5]) + more


def _array(what: str, bits: Bits, like: Array, told: tuple[str, Arrays]) -> Array:
    """Return an array of the file beside the one that is here. Raises ValueError if it does not fit."""
    name, arrays = told
    try:
        found = array_of(bits, like)
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from error
    found = found if arrays is None else arrays(name, found)
    if tuple(found.shape) != tuple(like.shape):
        raise ValueError(
            f"{what} has shape {tuple(found.shape)}, and here it has {tuple(like.shape)}; if it is laid out otherwise, say how: "
            "arrays=lambda name, array: array.T"
        )
    return _laid_out(found, like)


def _laid_out(found: Array, like: Array) -> Array:
    """Return an array in the memory layout that kernels expect: of torch, the parameter's own; of NumPy, rows."""
    space = framework(like)
    if space.name == "torch":
        return space.empty_like(like, requires_grad=False).copy_(found)
    return np.asarray(found, order="C") if space.name == "numpy" else found


def _number(bits: Bits, like: Any) -> Any:
    """Return a number of the whole model as it is here: a Python float, an array of one number, or one per lane."""
    found = array_of(bits, np.zeros((), bits.dtype)).astype(np.float64)
    if framework(like) is None:
        return found.item()
    return framework(like).asarray(found.reshape(like.shape), like)


def _differences(found: Record, mine: Record) -> Iterator[str]:
    """Yield, in words, each setting that differs."""
    for stage in {**found.settings, **mine.settings}:
        theirs, own = found.settings.get(stage), mine.settings.get(stage)
        if theirs is None or own is None:
            there, has = ("there", own) if theirs is None else ("here", theirs)
            if any(x and x != {"by": {}} for x in (has or {}).values()):
                yield f"there is no {stage} {there}"
            continue
        for key in theirs.keys() & own.keys():
            pairs = [(_of(theirs[key], name), _of(own[key], name)) for name in mine.params]
            odd = next(((x, y) for x, y in pairs if x != y and SCHEDULE not in (x, y)), None)
            if odd is not None:
                yield f"{key}{f' of {stage}' if stage else ''} was {odd[0]} and is {odd[1]}"


def _of(value: Any, name: str) -> Any:
    """Return a parameter's value of a setting."""
    return value["by"].get(name) if isinstance(value, dict) else value
