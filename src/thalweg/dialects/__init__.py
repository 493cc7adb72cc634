"""Whose X is our rule, and with which options: data that the faces read.

A row says how a library's arguments become our stages, and under which names that library keeps our memory. Where its
arithmetic differs from the paper's, `variants` has a rule for it or ours an option, and the row picks that.
"""

from thalweg.dialects import former as former
from thalweg.dialects.optax import OPTAX
from thalweg.dialects.optax_contrib import CONTRIB
from thalweg.dialects.row import Arguments, Row
from thalweg.dialects.torch import TORCH

OPTAX = {**OPTAX, **{f"contrib.{name}": row for name, row in CONTRIB.items()}}
"""optax's functions by name, those of optax.contrib with its name before theirs."""

__all__ = ["OPTAX", "TORCH", "Arguments", "Row"]
