"""APOLLO and Dion: a matrix that is seen in some directions; p is a matrix."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, choice, divide, finish, norm, rate, silent


@silent()
def apollo(
    p: Any,
    gradients: Gradients,
    noise: Any,
    lr: Rate = 1e-2,
    rank: int = 256,
    T: int = 200,
    scale: float = 1.0,
    per: str = "channel",
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-6,
    limit: float = 1.01,
    steps: int | None = None,
) -> Array:
    """APOLLO: Zhu et al. 2024, arXiv 2412.05270, Algorithm 1, m <= n, else transposed; t from 0: if t mod T = 0, P ~ N(0, 1/r), r x m.

    R = P G; Adam's R~ of R; s_i = |R~[:, i]| / |R[:, i]|, ``per="tensor"``: s = |R~| / |R|; G~ = alpha G diag(s); if |G~_t| /
    |G~_(t-1)| > gamma, G~_t = G~_t / |G~_t| gamma |G~_(t-1)|; W = W - eta G~.
    """
    choice("per", per, ("channel", "tensor"))
    w, grad, count = begin(p, gradients, steps)
    turned = w.shape[0] > w.shape[1]
    P, path, before = np.zeros((0, 0)), [], 0.0
    M = V = 0.0
    for t in range(count):
        G = grad(t + 1, w).T if turned else grad(t + 1, w)
        if t % T == 0:
            r = min(rank, G.shape[0])
            P = (noise[t].T if turned else noise[t])[:, :r].T / math.sqrt(r)
        R = P @ G
        M = beta1 * M + (1.0 - beta1) * R
        V = beta2 * V + (1.0 - beta2) * R**2
        N = M / (1.0 - beta1 ** (t + 1)) / (np.sqrt(V / (1.0 - beta2 ** (t + 1))) + eps)
        whole = per == "tensor"
        s = norm(N) / norm(R) if whole else divide(np.linalg.norm(N, axis=0), np.linalg.norm(R, axis=0))
        step = scale * G * s
        if before and norm(step) > limit * before:
            step = step / norm(step) * limit * before
        before = norm(step)
        w = w - rate(lr, t + 1) * (step.T if turned else step)
        path.append(w)
    return finish(path, w)


def gram_schmidt(x: Array) -> Array:
    """Orthonormal columns, each the part of x's that is orthogonal to those before; twice, since once loses digits."""
    found: list[Array] = []
    for column in x.T:
        for _ in range(2):
            for q in found:
                column = column - (q @ column) * q
        found.append(column / norm(column))
    return np.array(found).T


@silent()
def dion(
    p: Any,
    gradients: Gradients,
    Q: Any,
    lr: Rate = 2e-2,
    mu: float = 0.95,
    rank: int = 768,
    eps: float = 1e-8,
    steps: int | None = None,
) -> Array:
    """Dion: Ahn et al. 2025, arXiv 2504.05295, Algorithm 1: B = M + G; P, R = PowerIter1(B; Q): P = Orthogonalize(B Q), R = B^T P;
    M = B - (1 - mu) P R^T; Q = ColumnNormalize(R); X = X - eta sqrt(m / n) P Q^T. ``Q``: the first one, of min(rank, m, n) columns.
    """
    X, grad, T = begin(p, gradients, steps)
    (m, n), M, Q = X.shape, np.zeros_like(X), np.asarray(Q, dtype=np.float64)
    assert Q.shape == (n, min(rank, m, n))
    path = []
    for t in range(1, T + 1):
        B = M + grad(t, X)
        P = gram_schmidt(B @ Q)
        R = B.T @ P
        M = B - (1.0 - mu) * P @ R.T
        Q = np.array([r / (norm(r) + eps) for r in R.T]).T
        X = X - rate(lr, t) * math.sqrt(m / n) * P @ Q.T
        path.append(X)
    return finish(path, X)
