"""Our optimizers as custom methods of `scipy.optimize.minimize`."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from scipy.optimize import OptimizeResult, OptimizeWarning, approx_fprime

from thalweg.core.checks import as_array, check_unmasked

Vector = np.ndarray[Any, np.dtype[np.floating[Any]]]

MESSAGES = {
    0: "Optimization terminated successfully.",
    1: "Maximum number of iterations has been exceeded.",
    3: "NaN result encountered.",
    99: "`callback` raised `StopIteration`.",
}
"""SciPy's own status codes and messages, so that code that reads them keeps working."""


class Stepping(Protocol):
    """The part of an optimizer's interface that `minimize` uses."""

    rule: Any
    lanes: int | None

    @property
    def nonfinite(self) -> str:
        """What inf or NaN in a gradient does."""

    def init(self, params: Any) -> dict[str, Any]:
        """Return the state before the first step."""

    def step(self, params: Any, grads: Any, state: dict[str, Any], *, loss: Any = None, grad_fn: Any = None) -> tuple[Any, Any]:
        """Return the new parameters and the new state."""

    def ship(self, params: Any, state: dict[str, Any]) -> Any:
        """Return the point to evaluate."""

    def needs(self, loss: Any, grad_fn: Any) -> dict[str, Any]:
        """Return what `step` needs besides the gradients."""


class Objective:
    """The user's function and gradient, with counts of their calls and a cache of the last point of each."""

    def __init__(self, fun: Callable[..., Any], jac: Any, args: tuple[Any, ...]) -> None:
        self.fun, self.jac, self.args = fun, jac if callable(jac) else None, args
        self.nfev = self.njev = 0
        self._values: tuple[Vector, float] | None = None
        self._gradients: tuple[Vector, Vector] | None = None

    def value(self, x: Vector) -> float:
        """Return the function at x. Raises ValueError if it does not return a single number."""
        if self._values is None or not np.array_equal(self._values[0], x):
            self.nfev += 1
            found = as_array("the function's value", self.fun(x.copy(), *self.args))
            if found.size != 1:
                raise ValueError(f"the function must return one number, not an array of shape {found.shape}")
            self._values = x.copy(), float(found.item())
        return self._values[1]

    def gradient(self, x: Vector) -> Vector:
        """Return the gradient at x, by forward differences if none was given. Raises ValueError for a wrong shape."""
        if self._gradients is None or not np.array_equal(self._gradients[0], x):
            self.njev += 1
            found = self._differences(x) if self.jac is None else self.jac(x.copy(), *self.args)
            check_unmasked("the gradient", found)
            gradient = np.atleast_1d(np.array(found, dtype=x.dtype))
            if gradient.size != x.size:
                raise ValueError(f"the gradient has shape {gradient.shape}, the point {x.shape}")
            self._gradients = x.copy(), gradient.reshape(x.shape)
        return self._gradients[1]

    def _differences(self, x: Vector) -> Any:
        self.value(x)
        here = self._values
        found = approx_fprime(x.astype(np.float64), self.value)  # in float32, rounding would swamp the differences
        self._values = here
        return found

    def both(self, x: Vector) -> tuple[float, Vector]:
        """Return loss and gradient, for methods around the step."""
        return self.value(x), self.gradient(x)


def minimize(
    optimizer: Stepping, fun: Callable[..., Any], x0: Any, args: Any = (), jac: Any = None, hess: Any = None,
    hessp: Any = None, bounds: Any = None, constraints: Any = (), callback: Callable[..., Any] | None = None,
    *, maxiter: int = 1000, gtol: float | None = None, ftol: float | None = None, tol: float | None = None,
    disp: bool = False, return_all: bool = False, **unknown: Any,
) -> OptimizeResult:  # fmt: skip
    """Minimize fun(x, *args) from x0: what `scipy.optimize.minimize(fun, x0, method=optimizer)` calls.

    Converged if no entry of the gradient exceeds gtol (default: tol, else 1e-5), or with ftol if a step changes the function
    by at most ftol * max(|f|, |f before|, 1). The result is `Optimizer.ship`. Warns of bounds and options that it does not use.

    Parameters
    ----------
    jac : callable, optional
        The gradient. Default: SciPy's forward differences.
    callback : callable, optional
        callback(x) or callback(intermediate_result=...) after each of at most maxiter steps; may raise StopIteration.

    Raises
    ------
    ValueError
        For a bad x0, gradient or option, and for an optimizer with lanes.
    """
    _warn_of_unused(optimizer, hess, hessp, bounds, constraints, unknown)
    if optimizer.lanes is not None:
        raise ValueError("minimize runs one trial, and this optimizer has lanes; make it without lanes=")
    if maxiter < 0:
        raise ValueError(f"maxiter counts steps, so it is 0 or more, not {maxiter}")
    gtol = next(x for x in (gtol, tol, 1e-5) if x is not None)
    objective = Objective(fun, jac, args if isinstance(args, tuple) else (args,))
    run = _Run(optimizer, objective, _start(x0), gtol, ftol)
    status = run.go(maxiter, _as_callback(callback), return_all)
    result = run.result(status)
    if return_all:
        result.allvecs = run.path
    if disp:
        print(
            f"{result.message}\n  f = {result.fun:g} after {run.nit} steps, {objective.nfev} values, {objective.njev} gradients"
        )
    return result


class _Run:
    """One run of the minimization: the current point and the stopping test."""

    def __init__(self, optimizer: Stepping, objective: Objective, x: Vector, gtol: float, ftol: float | None) -> None:
        self.optimizer, self.objective, self.gtol, self.ftol = optimizer, objective, gtol, ftol
        self.x, self.nit = x, 0
        self.state = optimizer.init(x)
        self.path = [x.copy()]

    @property
    def shipped(self) -> Vector:
        point: Vector = self.optimizer.ship(self.x, self.state)
        return point

    def result(self, status: int) -> OptimizeResult:
        """Return SciPy's result."""
        value, gradient = self.objective.both(self.shipped)
        return OptimizeResult(
            x=self.shipped, fun=value, jac=gradient, nit=self.nit, nfev=self.objective.nfev, njev=self.objective.njev,
            status=status, success=status == 0, message=MESSAGES[status],
        )  # fmt: skip

    def go(self, maxiter: int, callback: Callable[[Vector, Objective], None], keep_path: bool) -> int:
        """Step until convergence (0), the last step (1), inf or NaN (3), or a stop by the callback (99)."""
        while True:
            gradient = self.objective.gradient(self.x)
            if not np.isfinite(gradient).all() and self.optimizer.nonfinite != "raise":
                return 3
            if self._flat(gradient):
                return 0
            if self.nit == maxiter:
                return 1
            before = self.shipped
            moved, state = self._step(gradient)
            if not np.isfinite(moved).all():
                return 3
            self.x, self.state, self.nit = moved, state, self.nit + 1
            if keep_path:
                self.path.append(self.shipped.copy())
            try:
                callback(self.shipped, self.objective)
            except StopIteration:
                return 99
            if self._settled(before):
                return 0

    def _step(self, gradient: Vector) -> tuple[Vector, dict[str, Any]]:
        needed = self.optimizer.needs(lambda: self.objective.value(self.x), self.objective.both)
        moved, state = self.optimizer.step(self.x, gradient, self.state, **needed)
        return moved, state

    def _flat(self, gradient: Vector) -> bool:
        """Whether the gradient is small, both here and at the point to ship, which may differ."""
        small = bool(np.abs(gradient).max(initial=0.0) <= self.gtol)
        return small and bool(np.abs(self.objective.gradient(self.shipped)).max(initial=0.0) <= self.gtol)

    def _settled(self, before: Vector) -> bool:
        if self.ftol is None:
            return False
        old, new = self.objective.value(before), self.objective.value(self.shipped)
        return abs(new - old) <= self.ftol * max(abs(old), abs(new), 1.0)


def _start(x0: Any) -> Vector:
    check_unmasked("x0", x0)
    x = np.atleast_1d(np.array(x0))
    if x.ndim != 1:
        raise ValueError(f"x0 is a vector of shape (n,), not of shape {x.shape}")
    return x if x.dtype.kind == "f" else x.astype(np.float64, casting="safe")


def _as_callback(callback: Callable[..., Any] | None) -> Callable[[Vector, Objective], None]:
    """Support SciPy's two forms, callback(x) and callback(intermediate_result=...), told apart by the parameter's name."""
    if callback is None:
        return lambda x, objective: None
    if set(inspect.signature(callback).parameters) == {"intermediate_result"}:
        return lambda x, objective: callback(intermediate_result=OptimizeResult(x=x.copy(), fun=objective.value(x)))
    return lambda x, objective: callback(x.copy())


def _warn_of_unused(optimizer: Stepping, hess: Any, hessp: Any, bounds: Any, constraints: Any, unknown: dict[str, Any]) -> None:
    name = optimizer.rule.name
    unused = {
        "cannot handle bounds": bounds is not None,
        "cannot handle constraints": constraints is not None and np.size(constraints) > 0,
        "does not use Hessian information (hess)": hess is not None,
        "does not use Hessian-vector product information (hessp)": hessp is not None,
    }
    for what, given in unused.items():
        if given:
            warnings.warn(f"Method {name} {what}; it is ignored.", RuntimeWarning, stacklevel=5)
    if unknown:
        warnings.warn(f"Unknown solver options: {', '.join(unknown)}", OptimizeWarning, stacklevel=5)
