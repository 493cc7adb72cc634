"""The devices of trials: each process sees one of them alone."""

from __future__ import annotations

import ctypes
import functools
import os
import re
import sys
from collections.abc import Sequence

from thalweg.lab.refusal import Ending, Refusal

NAME = "THALWEG_DEVICE"
"""The environment variable that tells a process its device, by the user's name for it."""
VISIBLE = "CUDA_VISIBLE_DEVICES"
"""The environment variable with the GPUs that a process sees, which it numbers from 0 on."""
DRIVERS = (
    ("libcuda.so.1", "cuInit", "cuDeviceGetCount"),
    ("nvcuda.dll", "cuInit", "cuDeviceGetCount"),
    ("libamdhip64.so", "hipInit", "hipGetDeviceCount"),
)
"""GPUs' drivers: each library, with the functions that begin and that count the GPUs."""


class NoDevice(Ending):
    """Raised in a process whose device does not exist."""


def check(names: Sequence[object]) -> None:
    """Raises Refusal for what is no device's name, or one that this program cannot see."""
    for name in names:
        if not re.fullmatch(r"cpu|mps|cuda(:\d+)?", str(name)):
            number = re.search(r"\d+$", str(name))
            likely = f"cuda:{number[0] if number else 0}"
            raise Refusal(f"--devices names {name!r:.40}; a device is cpu, mps, cuda:0, cuda:1, ...: write for example {likely}")
        shown = _visible()
        if shown is not None and _is_cuda(str(name)) and _number(str(name)) >= len(shown):
            there = f"cuda:0 to cuda:{len(shown) - 1}" if shown else "none"
            raise Refusal(f"--devices {name}: the environment variable {VISIBLE} leaves {there}")


def spread(names: Sequence[str], jobs: int) -> tuple[str, ...]:
    """The device of each parallel job: all devices in turn."""
    return tuple(names[i % len(names)] for i in range(jobs)) if names else ()


def environment(each: Sequence[str], place: int) -> dict[str, str]:
    """The environment variables with which a process sees only its device, in this place of those of all processes.

    It is set before the process begins, so a trainer that takes every GPU that it sees takes this one, whatever its number is.
    """
    if not each:
        return {}
    device = each[place % len(each)]
    found = {NAME: device}
    if device == "cpu":
        found |= {VISIBLE: "", "JAX_PLATFORMS": "cpu"}
    elif _is_cuda(device):
        shown = _visible()
        found[VISIBLE] = str(_number(device)) if shown is None else shown[_number(device)]
        if each.count(device) > 1:
            found["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"  # JAX would take three quarters of the device for one process
    return found


def given() -> str | None:
    """The device that this process was given, if any."""
    return os.environ.get(NAME)


def seen() -> str | None:
    """The kind of the device that this process was given: "cpu", "cuda" or "mps". Raises NoDevice if it does not exist."""
    device = given()
    if device is None:
        return None
    kind, torch, jax = device.partition(":")[0], sys.modules.get("torch"), sys.modules.get("jax")
    if kind != "cpu" and torch is not None and not (torch.cuda if kind == "cuda" else torch.backends.mps).is_available():
        raise NoDevice(f"--devices {device}: PyTorch {torch.__version__} sees no such device on this machine")
    if kind == "cuda" and torch is None and jax is not None and jax.default_backend() == "cpu":
        raise NoDevice(f"--devices {device}: JAX {jax.__version__} sees no such device on this machine")
    if torch is None and jax is None and kind != "cpu" and not (sys.platform == "darwin" if kind == "mps" else drivers()):
        raise NoDevice(f"--devices {device}: there is no such device on this machine")
    return kind


@functools.cache
def drivers() -> int:
    """The number of drivers, NVIDIA's or AMD's, that show this process a GPU, where no framework is there to be asked."""
    return sum(_shows_one(*each) for each in DRIVERS)


def _shows_one(library: str, begin: str, count: str) -> bool:
    try:
        driver, found = ctypes.CDLL(library), ctypes.c_int(0)
        return not getattr(driver, begin)(0) and not getattr(driver, count)(ctypes.byref(found)) and found.value > 0
    except (OSError, AttributeError):
        return False


def _is_cuda(name: str) -> bool:
    return name.startswith("cuda")


def _number(name: str) -> int:
    return int(name.partition(":")[2] or 0)


def _visible() -> list[str] | None:
    """The GPUs that this program may use; None if all."""
    shown = os.environ.get(VISIBLE)
    return None if shown is None else [one.strip() for one in shown.split(",") if one.strip()]
