"""The global random states of a run: they begin with its seed, also those of a framework that the run itself imports."""

from __future__ import annotations

import contextlib
import importlib.util
import random
import sys
from collections.abc import Callable, Iterator
from importlib.machinery import ModuleSpec
from typing import Any

import numpy as np


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Context manager: the random states of Python, NumPy and PyTorch begin with the seed, and are put back afterwards."""
    with _kept():
        random.seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002
        with _torch_seeded(seed):
            yield


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Context manager: what is drawn inside changes nothing of what is drawn afterwards."""
    torch = sys.modules.get("torch")
    states = [] if torch is None else _states(torch)
    with _kept():
        try:
            yield
        finally:
            for put, state in states:
                put(state)


@contextlib.contextmanager
def _kept() -> Iterator[None]:
    """Context manager: put the random states of Python and NumPy back afterwards."""
    numpy: Any = np.random  # its old global state, from which a user's code may draw
    python, old = random.getstate(), numpy.get_state()
    try:
        yield
    finally:
        random.setstate(python)
        numpy.set_state(old)


@contextlib.contextmanager
def _torch_seeded(seed: int) -> Iterator[None]:
    """Context manager: PyTorch's states on all devices begin with the seed now, or as soon as the run imports it."""
    with contextlib.ExitStack() as after:

        def begin(torch: Any) -> None:
            for put, state in _states(torch):
                after.callback(put, state)
            torch.manual_seed(seed)

        if "torch" in sys.modules:
            begin(sys.modules["torch"])
            yield
            return
        finder = _First("torch", begin)
        sys.meta_path.insert(0, finder)
        try:
            yield
        finally:
            finder.end()


class _First:
    """A finder on `sys.meta_path` that calls a function with a module as soon as its first import ends, and then is gone."""

    def __init__(self, name: str, then: Callable[[Any], None]) -> None:
        self.name, self.then = name, then

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name != self.name:
            return None
        self.end()
        spec = importlib.util.find_spec(name)
        loader: Any = spec and spec.loader
        if loader is not None:
            execute = loader.exec_module

            def then(module: Any) -> None:
                execute(module)
                self.then(module)

            loader.exec_module = then
        return spec

    def end(self) -> None:
        """Take it away, if it is still there."""
        with contextlib.suppress(ValueError):
            sys.meta_path.remove(self)


def _states(torch: Any) -> list[tuple[Callable[[Any], None], Any]]:
    """The states of PyTorch's generators, on the devices that are in use, with what sets each."""
    found = [(torch.set_rng_state, torch.get_rng_state())]
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        found.append((torch.cuda.set_rng_state_all, torch.cuda.get_rng_state_all()))
    if torch.backends.mps.is_available():
        found.append((torch.mps.set_rng_state, torch.mps.get_rng_state()))
    return found
