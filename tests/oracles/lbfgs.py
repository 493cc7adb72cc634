"""L-BFGS."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .common import Array, Rate, choice, finish, rate, silent

Losses = Callable[[Array], tuple[float, Array]]


def inverse_hessian(pairs: list[tuple[Array, Array]], n: int) -> Array:
    """H_k as a matrix (Nocedal & Wright 2006): gamma I with (7.20), then (6.17) with each pair (s, y), the oldest first."""
    identity = np.eye(n)
    if not pairs:
        return identity
    s, y = pairs[-1]
    H = (s @ y) / (y @ y) * identity
    for s, y in pairs:
        rho = 1.0 / (y @ s)
        V = identity - rho * np.outer(y, s)
        H = V.T @ H @ V + rho * np.outer(s, s)
    return H


def interpolated(a: float, fa: float, da: float, b: float, fb: float, db: float) -> float:
    """The minimizer of the cubic with these values and slopes at a and b, by its coefficients: NaN where there is none.

    m(a + u) = fa + da u + B u^2 + A u^3, whose minimum is the root of 3 A u^2 + 2 B u + da with positive curvature.
    """
    h = b - a
    slope = (fb - fa) / h
    A = (da + db - 2.0 * slope) / h**2
    B = (3.0 * slope - 2.0 * da - db) / h
    return float(a - da / (B + np.sqrt(B * B - 3.0 * A * da)))  # the form without cancellation, also where A = 0


def middle_if_none(alpha: float, least: float, most: float) -> float:
    """alpha within [least, most], or their middle where it is none."""
    return 0.5 * (least + most) if math.isnan(alpha) else min(max(alpha, least), most)


def wolfe_step(
    phi: Callable[[float], tuple[float, float]], f0: float, d0: float, first: float, c1: float, c2: float, evaluations: int
) -> float:
    """Algorithm 3.5 with 3.6 for zoom. phi(alpha): value and slope.

    What the book leaves open is as torch.optim.LBFGS has it: where to look next is the minimizer of the cubic; beyond the
    last point at least by 0.01 of the last stride, at most 10 times as far out; in zoom moved to a tenth of the
    bracket from its nearer end if it comes nearer than that a second time, or is an end.
    """
    seen: list[tuple[float, float, float]] = [(0.0, f0, d0)]

    def look(alpha: float) -> tuple[float, float, float]:
        seen.append((alpha, *phi(alpha)))
        return seen[-1]

    def zoom(lo: tuple[float, float, float], hi: tuple[float, float, float]) -> float:
        close_before = False
        while len(seen) <= evaluations:
            left, right = min(lo, hi), max(lo, hi)
            width = right[0] - left[0]
            alpha = middle_if_none(interpolated(*left, *right), left[0], right[0])
            close = alpha < left[0] + 0.1 * width or alpha > right[0] - 0.1 * width
            if close and (close_before or alpha in (left[0], right[0])):
                alpha = left[0] + (0.9 if right[0] - alpha < alpha - left[0] else 0.1) * width
                close = False
            close_before = close
            new = look(alpha)
            if new[1] > f0 + c1 * alpha * d0 or new[1] >= lo[1]:
                hi = new
            else:
                if abs(new[2]) <= -c2 * d0:
                    return alpha
                if new[2] * (hi[0] - lo[0]) >= 0.0:
                    hi = lo
                lo = new
        return lo[0]

    look(first)
    for i in range(1, evaluations + 1):
        last, new = seen[i - 1], seen[i]
        if new[1] > f0 + c1 * new[0] * d0 or (i > 1 and new[1] >= last[1]):
            return zoom(last, new)
        if abs(new[2]) <= -c2 * d0:
            return new[0]
        if new[2] >= 0.0:
            return zoom(new, last)
        if i < evaluations:
            look(middle_if_none(interpolated(*last, *new), new[0] + 0.01 * (new[0] - last[0]), 10.0 * new[0]))
    return seen[-1][0]


@silent()
def lbfgs(
    p: Any,
    losses: Losses,
    lr: Rate = 1.0,
    history_size: int = 10,
    line_search: str = "strong_wolfe",
    c1: float = 1e-4,
    c2: float = 0.9,
    evaluations: int = 25,
    *,
    steps: int,
) -> Array:
    """L-BFGS: Liu & Nocedal 1989, algorithm 2.1; Nocedal & Wright 2006, algorithm 7.5, with H_k as a matrix.

    losses(w): the loss and its gradient. ``line_search="none"``: the step length is lr. The first step: min(1, 1/||g||_1) lr.
    """
    choice("line_search", line_search, ("strong_wolfe", "none"))
    w = np.array(p, dtype=np.float64)
    pairs: list[tuple[Array, Array]] = []
    path: list[Array] = []
    f, g = losses(w)
    for k in range(1, steps + 1):
        d = -inverse_hessian(pairs[-history_size:], w.size) @ g
        alpha = rate(lr, k) * (min(1.0, 1.0 / np.abs(g).sum()) if k == 1 else 1.0)
        if line_search == "strong_wolfe":

            def phi(a: float, w: Array = w, d: Array = d) -> tuple[float, float]:
                value, gradient = losses(w + a * d)
                return value, float(gradient @ d)

            alpha = wolfe_step(phi, f, float(g @ d), alpha, c1, c2, evaluations)
        s = alpha * d
        w = w + s
        f, g_next = losses(w)
        if (g_next - g) @ s > 1e-10:
            pairs.append((s, g_next - g))
        g = g_next
        path.append(w)
    return finish(path, w)
