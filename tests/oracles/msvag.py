"""M-SVAG."""

from __future__ import annotations

from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, divide, finish, rate, silent


@silent()
def msvag(p: Any, gradients: Gradients, lr: Rate = 1e-2, beta: float = 0.9, steps: int | None = None) -> Array:
    """M-SVAG: Balles & Hennig 2018, arXiv 1705.07774: s = (v - m^2) / (1 - rho), gamma = m^2 / (m^2 + rho s), theta = theta - alpha gamma m.

    m and v are corrected; rho = (1 - beta) (1 + beta^t) / ((1 + beta) (1 - beta^t)). With rho = 1, after one gradient or with beta = 0, s = 0; so is
    what rounding leaves below 0. 0/0 = 0.
    """
    w, grad, T = begin(p, gradients, steps)
    m_raw, v_raw, path = np.zeros_like(w), np.zeros_like(w), []
    for t in range(1, T + 1):
        g = grad(t, w)
        m_raw = beta * m_raw + (1.0 - beta) * g
        v_raw = beta * v_raw + (1.0 - beta) * g**2
        m, v = m_raw / (1.0 - beta**t), v_raw / (1.0 - beta**t)
        rho = (1.0 - beta) * (1.0 + beta**t) / ((1.0 + beta) * (1.0 - beta**t))
        s = np.zeros_like(w) if t == 1 or beta == 0.0 else np.maximum(v - m**2, 0.0) / (1.0 - rho)
        w = w - rate(lr, t) * divide(m**2, m**2 + rho * s) * m
        path.append(w)
    return finish(path, w)
