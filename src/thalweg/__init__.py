"""thalweg: every gradient-descent optimizer written once, run on NumPy, PyTorch and JAX, and compared fairly."""

from thalweg import ops, schedules, trees
from thalweg.arrange import arranged
from thalweg.catalogue import rules, stages_by_name
from thalweg.compose import chain, choose, every, is_matrix, named, only
from thalweg.hyper import Count, Decay, Fraction, NonNegative, Positive, Real, Schedule
from thalweg.memory import (
    cols,
    gaussian,
    history,
    like_p,
    matrix,
    numbers,
    per_coordinate,
    per_model,
    per_tensor,
    projected,
    projector,
    rows,
    slices,
    square,
)
from thalweg.optimizer import Optimizer
from thalweg.rule import Rule, after_step, around, recipe, rule

__version__ = "0.1.0"

globals().update(stages_by_name)  # tw.decay, tw.clip, ...: typed in __init__.pyi, which `tools/stub.py` writes
globals().update(rules)  # tw.adam, tw.adamw, ...
