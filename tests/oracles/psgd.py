"""PSGD Kron; p is a matrix."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, finish, norm, rate, silent


@silent()
def psgd_kron(
    p: Any,
    gradients: Gradients,
    noise: Any,
    lr: Rate = 1e-3,
    beta: float = 0.9,
    fit_rate: float = 0.1,
    max_rms: float = 1.1,
    steps: int | None = None,
) -> Array:
    """PSGD Kron: Li 2024, arXiv 2402.11858, with Q = QL x QR, whitening: A = QL M QR^T, B = QL^-T V QR^-1 with V ~ N(0, I), Q <- Q - mu
    triu(A A^T - B B^T) Q / |A A^T + B B^T| for QL, A^T A and B^T B for QR, |.| spectral; step: QL^T QL M QR^T QR.

    From Walters' code: of the corrected average M of gradients; a step of RMS above max_rms is scaled down to it.
    """
    w, grad, T = begin(p, gradients, steps)
    m, QL, QR = np.zeros_like(w), np.eye(w.shape[0]), np.eye(w.shape[1])
    path = []
    for t in range(1, T + 1):
        m = beta * m + (1.0 - beta) * grad(t, w)
        M = m / (1.0 - beta**t)
        A = QL @ M @ QR.T
        B = np.linalg.solve(QR.T, np.linalg.solve(QL.T, noise[t - 1]).T).T
        moved = []
        for Q, a, b in ((QL, A @ A.T, B @ B.T), (QR, A.T @ A, B.T @ B)):
            size = np.linalg.eigvalsh(a + b)[-1]
            corner = np.array([[x if j >= i else 0.0 for j, x in enumerate(row)] for i, row in enumerate(a - b)])
            moved.append(Q - fit_rate * corner @ Q / size)
        QL, QR = moved
        step = QL.T @ QL @ M @ QR.T @ QR
        rms = norm(step) / math.sqrt(step.size)
        w = w - rate(lr, t) * step * (max_rms / rms if rms > max_rms else 1.0)
        path.append(w)
    return finish(path, w)
