"""Lack of memory, as Python, PyTorch and JAX say it: it is a row's result, and no run's divergence."""

from __future__ import annotations

import gc
import sys

from thalweg.lab.running import devices
from thalweg.lab.running.guard import InWords

SAYS = ("out of memory", "RESOURCE_EXHAUSTED", "can't allocate memory", "_ALLOC_FAILED")
"""What the messages of CUDA, XLA, PyTorch's CPU allocator, cuBLAS and cuDNN say of it."""
LONG = 200
"""The most characters of a message: PyTorch's goes on with advice."""


class LackOfMemory(InWords):
    """Raised where a run had too little memory: in a process with more of it, the same run may end."""


def is_lack(error: BaseException) -> bool:
    """Whether an error says that there is too little memory."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in SAYS)


def lack(told: str) -> LackOfMemory:
    """The error to raise for one that was told in a line, after what the run has left is freed for the next run."""
    gc.collect()
    if (torch := sys.modules.get("torch")) is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
    where = f" on {device}" if (device := devices.given()) else ""
    return LackOfMemory(f"out of memory{where}: {told if len(told) <= LONG else f'{told[: LONG - 1]}…'}")
