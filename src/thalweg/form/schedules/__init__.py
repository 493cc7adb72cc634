"""Schedules: a hyper-parameter as a function of t = 1, 2, ..., the number of the update.

Schedules accept plain and traced numbers; a value may be one number or one per lane (an array). They are small dataclasses:
they pickle, copy, print as they were written, and are equal if their numbers are.
"""

from thalweg.form.schedules.cycles import restarts
from thalweg.form.schedules.falling import constant, cosine, exponential, linear, piecewise, polynomial, rex
from thalweg.form.schedules.warming import inverse_sqrt, one_cycle, warm_up, warm_up_stable_decay

__all__ = [
    "constant", "cosine", "exponential", "inverse_sqrt", "linear", "one_cycle", "piecewise", "polynomial", "restarts", "rex",
    "warm_up", "warm_up_stable_decay",
]  # fmt: skip
