"""The expected structure of a state, against which a changed or loaded state is checked before anything is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from thalweg.core.checks import update_count
from thalweg.engines.gradients import overlaps, ranges

State = dict[str, Any]


class Outline:
    """The shapes and dtypes of a state from `Optimizer.init`, without its arrays."""

    def __init__(self, state: State, names: Sequence[str]) -> None:
        self.like, self.names = _outlined({key: value for key, value in state.items() if key != "t"}), list(names)
        self.t = np.shape(state["t"][self.names[0]])

    def widen(self, memory: State) -> None:
        """Take up more memory, as it starts."""
        fill(self.like["memory"], _outlined(memory))

    def fit(self, state: State, params: Sequence[Any]) -> None:
        """Make `state` fit: convert dtypes, copy arrays that share memory, convert counts to integers.

        Missing memory starts anew where nothing has been updated yet. Raises TypeError, KeyError or ValueError for what cannot
        fit; nothing has changed then.
        """
        changes = [*self.counts(state), *self._changes(state, self.like, "state")]
        self._check_lost(state["memory"], self.like["memory"], state["t"], "state['memory']")
        for held, key, value in changes:
            held[key] = value
        _keep_apart(state, params)

    def complete(self, state: Any, now: State) -> None:
        """Raise KeyError or TypeError if `state` lacks something, or has something that `now` does not."""
        _complete(state, {"t": dict.fromkeys(self.names), **self.like}, now, "state")

    def counts(self, state: Any) -> Iterator[tuple[Any, str, Any]]:
        if not isinstance(state, dict):
            raise TypeError(f"the state is a {type(state).__name__}; what `init`, `state` or `state_dict` gave is a dict")
        t = state.get("t")
        if not isinstance(t, dict):
            raise TypeError(f"state['t'] is {_kind(t)}; it is a dict with the number of updates of each parameter")
        for name in self.names:
            if name not in t:
                raise KeyError(f"state['t'] lacks '{name}'; write how many updates it has had, 0 at the start")
            yield from _whole(t, name, f"state['t']['{name}']", self.t)
        if "calls" in self.like:
            if "calls" not in state:
                raise KeyError("the state lacks 'calls', the number of gradients accumulated so far; write 0 to begin anew")
            yield from _whole(state, "calls", "state['calls']", ())

    def _changes(self, found: Any, like: dict[str, Any], where: str) -> Iterator[tuple[Any, str, Any]]:
        """Yield the replacements that make a dict of the state fit."""
        if not isinstance(found, dict):
            raise TypeError(f"{where} is {_kind(found)}; wanted is a dict with {', '.join(like) or 'nothing in it'}")
        for key, own in like.items():
            place = f"{where}['{key}']"
            if key in found:
                yield from self._of_one(found, key, own, place)
            elif where in ("state", "state['walked']", "state['accumulated']"):
                raise KeyError(f"{where} lacks '{key}'; take what `init`, `state` or `state_dict` gave")

    def _check_lost(self, found: dict[str, Any], like: dict[str, Any], t: dict[str, Any], where: str) -> None:
        """Raise KeyError if memory is missing that existed after an update: it cannot begin anew half-way."""
        for key, own in like.items():
            place = f"{where}['{key}']"
            if key in found:
                if isinstance(own, dict):
                    self._check_lost(found[key], own, t, place)
                continue
            leaves = set(_leaves(own)) if isinstance(own, dict) else {key}
            names = leaves if leaves <= set(self.names) else self.names  # a number of the model is every parameter's
            if any(np.any(t[name]) for name in names):
                raise KeyError(
                    f"{place} is missing, and has been updated before; put it back, or write 0 into state['t'] to begin anew"
                )

    def _of_one(self, held: Any, key: str, own: Any, where: str) -> Iterator[tuple[Any, str, Any]]:
        value = held[key]
        if isinstance(own, dict):
            yield from self._changes(value, own, where)
            return
        if own is None or key not in self.names:  # one number for the model, or one per lane
            shapes = [(), own[0]] if own else [()]
            if key != "calls" and not (_is_real(value) and np.shape(value) in shapes):
                raise TypeError(f"{where} is {_kind(value)}; wanted is a number")
            return
        shape, dtype = own
        if type(value) is np.ndarray and value.shape == shape and value.dtype is dtype and value.base is None:
            return
        if not _is_real(value):
            raise TypeError(f"{where} is {_kind(value)}; wanted is an array of {dtype} in shape {shape}")
        if np.shape(value) != shape:
            raise ValueError(f"{where} has shape {np.shape(value)}; wanted is {shape}, as its parameter has it")
        if np.ma.is_masked(value):
            raise TypeError(f"{where} is masked; write what is to stand in the masked places, .filled(0)")
        array = np.asarray(value)
        check_alive(where, array)
        if type(value) is not np.ndarray or array.dtype != dtype:
            yield held, key, np.array(array, dtype)


def _leaves(tree: dict[str, Any]) -> Iterator[str]:
    """Yield the keys of a dict of dicts that hold no dict."""
    for key, value in tree.items():
        yield from _leaves(value) if isinstance(value, dict) else (key,)


def _whole(held: Any, key: str, where: str, shape: tuple[int, ...]) -> Iterator[tuple[Any, str, Any]]:
    value = update_count(held[key], where, shape)
    if value is not held[key]:
        yield held, key, value


def _outlined(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _outlined(child) for key, child in value.items()}
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype
    return None  # a number


def check_alive(where: str, array: Any) -> None:
    """Raise ValueError for a view of an array that was resized, since its memory may have been reused."""
    base = array.base
    if isinstance(base, np.ndarray) and array.size:
        (low, high), (first, last) = np.lib.array_utils.byte_bounds(array), np.lib.array_utils.byte_bounds(base)
        if low < first or high > last:
            raise ValueError(f"{where} is a view of an array that was resized since, so its memory is gone; hand over another")


def arrays_of(tree: Any) -> Iterator[tuple[dict[str, Any], str, Any]]:
    """Yield the arrays in a dict of dicts, each with its dict and key."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from arrays_of(value)
        elif isinstance(value, np.ndarray):
            yield tree, key, value


def placed(tree: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the arrays in a dict of dicts, each with the keys that lead to it."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from placed(value, (*path, key))
        elif isinstance(value, np.ndarray):
            yield (*path, key), value


def _keep_apart(state: State, params: Sequence[Any]) -> None:
    """Copy tensors of the state that share memory with another, since writing one would change both."""
    taken = ranges(params)
    for held, key, array in arrays_of(state):
        if overlaps(array, taken):
            held[key] = array.copy()
    found = [(np.lib.array_utils.byte_bounds(a), i, held, key, a) for i, (held, key, a) in enumerate(arrays_of(state)) if a.size]
    reach = 0
    for (low, high), _, held, key, array in sorted(found, key=lambda one: one[:2]):
        if low < reach:
            held[key] = array.copy()
        else:
            reach = high


def _complete(found: Any, like: Any, now: Any, where: str) -> None:
    if not isinstance(like, dict):
        return
    if not isinstance(found, dict):
        raise TypeError(f"{where}: wanted a dict with {', '.join(like)}, found {_kind(found)}")
    more = set(now) if isinstance(now, dict) else set()
    if not set(like) <= set(found) <= set(like) | more:
        lacking = [key for key in like if key not in found]
        told = f"lacks {', '.join(lacking)}" if lacking else "has more than is kept here"
        raise KeyError(f"{where} {told}: wanted {', '.join(like) or 'nothing'}, found {', '.join(map(str, found)) or 'nothing'}")
    for key, own in like.items():
        _complete(found[key], own, now.get(key) if isinstance(now, dict) else None, f"{where}.{key}")


def copied(tree: Any) -> Any:
    """Copy dicts of dicts with their arrays."""
    if isinstance(tree, dict):
        return {key: copied(value) for key, value in tree.items()}
    return np.array(tree) if isinstance(tree, np.ndarray) else tree


def fill(memory: State, start: State) -> None:
    """Start deleted memory anew at the current parameters."""
    for key, value in start.items():
        own = memory.setdefault(key, value)
        if isinstance(own, dict):
            fill(own, value)


def write_over(state: State, new: State) -> None:
    """Make a dict of dicts equal to another in place, so that other references see the change."""
    for key in [key for key in state if key not in new]:
        del state[key]
    for key, value in new.items():
        own = state.get(key)
        if isinstance(value, dict) and isinstance(own, dict):
            write_over(own, value)
        else:
            state[key] = value


def _is_real(value: Any) -> bool:
    """Whether it is a real number or an array of real numbers."""
    if isinstance(value, np.ndarray | np.generic):
        return value.dtype.kind in "biuf" or "float" in str(value.dtype)
    return isinstance(value, int | float)


def _kind(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype}"
    return "None" if value is None else f"a {type(value).__name__}"
