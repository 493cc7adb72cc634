"""Import and configuration of JAX for a process with one core."""

from __future__ import annotations

import importlib.metadata
import os
import sys
from pathlib import Path
from typing import Any

import platformdirs

from thalweg.values import own_files


def jax_version() -> str:
    """The version of the installed JAX."""
    return importlib.metadata.version("jax")


def prepare() -> None:
    """Import JAX for a process with one core and enable its compilation cache. Call it before any other import of JAX."""
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
    """This machine's folder for compiled code and timings."""
    return Path(os.environ.get("THALWEG_CACHE") or platformdirs.user_cache_dir("thalweg"))
