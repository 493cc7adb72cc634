"""thalweg: every gradient-descent optimizer written once, run on NumPy, PyTorch and JAX, and compared fairly."""

import importlib
import sys
from typing import Any

from thalweg import ops
from thalweg.core.arrange import arranged
from thalweg.core.compose import choose, every, is_matrix, named, only
from thalweg.core.optimizer import Optimizer
from thalweg.core.routes import in_layer, layerwise, role, routes
from thalweg.core.saved.pure import load_state, save_state
from thalweg.core.stage import chain
from thalweg.dialects import former as _former
from thalweg.dialects.method import dialect
from thalweg.form import schedules
from thalweg.form.hyper import (
    BurnIn,
    Count,
    DataSize,
    Decay,
    Eps,
    Fraction,
    Interval,
    LeastLoss,
    NonNegative,
    Positive,
    Real,
    Schedule,
)
from thalweg.form.memory import (
    basis,
    cols,
    gaussian,
    history,
    identity,
    identity_of_cols,
    like_p,
    matrix,
    numbers,
    per_coordinate,
    per_model,
    per_tensor,
    projected,
    projector,
    random_factor,
    rows,
    shipped,
    slices,
    square,
    square_of_cols,
)
from thalweg.methods import rules, stages_by_name
from thalweg.ops import at_least, both, inside, outside
from thalweg.rule import Rule, after_step, around, recipe, rule
from thalweg.values import trees
from thalweg.values.moved import Moved

__version__ = "0.1.0"

sys.meta_path.append(Moved())  # goes last: it only serves names that no other finder knows

globals().update(stages_by_name)  # tw.decay, tw.clip, ...: typed in __init__.pyi, which `tools/stub.py` writes
globals().update(rules)  # tw.adam, tw.adamw, ...


def __getattr__(name: str) -> Any:
    """Import a subpackage when it is first named: `tw.nn`, `tw.lab`."""
    path = f"{__name__}.{name}"
    if not name.startswith("_"):
        try:
            return importlib.import_module(path)
        except ModuleNotFoundError as error:
            if error.name != path:
                raise
    said = "" if name.startswith("_") else importlib.import_module("thalweg.methods").meant(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}{said}", name=name)
