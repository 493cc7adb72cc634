"""JAX, for a process that has one core to itself. It is imported only once it is wanted."""

from __future__ import annotations

import importlib.metadata
import os
import sys
from pathlib import Path
from typing import Any

import platformdirs

from thalweg.values import own_files


def jax_version() -> str:
    """Of the JAX that is installed."""
    return importlib.metadata.version("jax")


def prepare() -> None:
    """Import JAX for a process that has one core to itself, and keep what it compiles. To be called before anybody else does."""
    if "jax" not in sys.modules:
        os.environ.setdefault("JAX_PLATFORMS", "cpu")
        os.environ.setdefault("NPROC", "1")
        flags = os.environ.get("XLA_FLAGS", "")
        os.environ["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen=false {flags}".strip()
    import jax

    config: Any = jax.config
    if config.jax_compilation_cache_dir is None and own_files.is_own(cache_folder() / "xla"):
        config.update("jax_compilation_cache_dir", str(cache_folder() / "xla"))
        config.update("jax_persistent_cache_min_compile_time_secs", 0.1)


def cache_folder() -> Path:
    """Where this machine keeps what it has compiled and timed."""
    return Path(os.environ.get("THALWEG_CACHE") or platformdirs.user_cache_dir("thalweg"))
