"""Tables that map other libraries' optimizers to our rules and options, for the faces.

A row maps a library's arguments to our stages, and our memory to that library's names. Where its arithmetic differs from the
paper's, `variants` has a rule for it or ours has an option, which the row selects.
"""

from thalweg.dialects import former as former
from thalweg.dialects.optax import OPTAX
from thalweg.dialects.optax_contrib import CONTRIB
from thalweg.dialects.row import Arguments, Row
from thalweg.dialects.torch import TORCH

OPTAX = {**OPTAX, **{f"contrib.{name}": row for name, row in CONTRIB.items()}}
"""optax's functions by name; those of optax.contrib have the prefix "contrib."."""

__all__ = ["OPTAX", "TORCH", "Arguments", "Row"]
