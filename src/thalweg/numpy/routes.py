"""The table of who gets what, of optimizers that update NumPy arrays in place."""

from __future__ import annotations

from typing import Any

from thalweg.core.routes import Routes
from thalweg.core.routes import routes as of_pure


def routes(optimizer: Any) -> Routes:
    """Return the table of who gets what: for each array its role, the rules that it goes through, and its learning rate.

    Parameters
    ----------
    optimizer : Optimizer
        The optimizer.

    Returns
    -------
    Routes
        A list of `Route`, printed as a table. The learning rate of a schedule is that at t = 1.
    """
    optimizer._change()  # what the groups say now
    return of_pure(optimizer._bound.optimizer, optimizer._bound.params)
