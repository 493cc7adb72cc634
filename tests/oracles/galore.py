"""GaLore, Fira and Conda; p is a matrix."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, choice, divide, finish, norm, rate, silent


def directions(g: Array, rank: int) -> Array:
    """The first left singular vectors of g, as columns, each one's largest entry positive."""
    columns = np.linalg.svd(g, full_matrices=False)[0].T[:rank]
    return np.array([c * np.sign(c[np.argmax(np.abs(c))]) for c in columns]).T


@silent()
def galore(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-2,
    rank: int = 128,
    T: int = 200,
    scale: float = 0.25,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    side: str = "shorter",
    steps: int | None = None,
) -> Array:
    """GaLore: Zhao et al. 2024, arXiv 2403.03507, Algorithm 2, t from 0: if t mod T = 0, P is of G_t.

    R = P^T G; Adam's N of R; W = W - eta alpha P N. ``side``: which side P projects, in optax "longer".
    """
    choice("side", side, ("shorter", "longer"))
    w, grad, count = begin(p, gradients, steps)
    turned = w.shape[0] > w.shape[1] if side == "shorter" else w.shape[0] < w.shape[1]
    P, path = np.zeros((0, 0)), []
    M = V = 0.0
    for t in range(count):
        g = grad(t + 1, w)
        G = g.T if turned else g
        if t % T == 0:
            P = directions(G, rank)
        R = P.T @ G
        M = beta1 * M + (1.0 - beta1) * R
        V = beta2 * V + (1.0 - beta2) * R * R
        N = M / (1.0 - beta1 ** (t + 1)) / (np.sqrt(V / (1.0 - beta2 ** (t + 1))) + eps)
        step = scale * P @ N
        w = w - rate(lr, t + 1) * (step.T if turned else step)
        path.append(w)
    return finish(path, w)


@silent()
def fira(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-2,
    rank: int = 128,
    T: int = 200,
    scale: float = 1.0,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-6,
    limit: float = 1.01,
    form: str = "paper",
    steps: int | None = None,
) -> Array:
    """Fira: Chen et al. 2024, arXiv 2410.01623: R = P^T G; psi(R) of Adam; phi_i = |psi(R)[:, i]| / |R[:, i]|; S = phi (G - P R); if |S_t| > gamma
    |S_(t-1)|, S_t = S_t / |S_t| gamma |S_(t-1)|; W = W - eta (P psi(R) + S). P as in GaLore, t from 0.

    ``scale``: of P, as in the code. ``form="code"``: psi(R) = M / (sqrt(V) + eps), limited so, and the whole times the bias
    corrections.
    """
    choice("form", form, ("paper", "code"))
    w, grad, count = begin(p, gradients, steps)
    turned = w.shape[0] > w.shape[1]
    P, path, before = np.zeros((0, 0)), [], 0.0
    M = V = 0.0
    for t in range(count):
        G = grad(t + 1, w).T if turned else grad(t + 1, w)
        if t % T == 0:
            P = directions(G, rank)
        R = P.T @ G
        M = beta1 * M + (1.0 - beta1) * R
        V = beta2 * V + (1.0 - beta2) * R * R
        first, second = 1.0 - beta1 ** (t + 1), 1.0 - beta2 ** (t + 1)
        psi = M / first / (np.sqrt(V / second) + eps) if form == "paper" else M / (np.sqrt(V) + eps)
        phi = divide(np.linalg.norm(psi, axis=0), np.linalg.norm(R, axis=0))
        S = (G - scale * P @ R) * phi
        if before and norm(S) > limit * before:
            S = S / norm(S) * limit * before
        before = norm(S)
        step = scale * P @ psi + S
        step = step if form == "paper" else step * math.sqrt(second) / first
        w = w - rate(lr, t + 1) * (step.T if turned else step)
        path.append(w)
    return finish(path, w)


@silent()
def conda(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-3,
    T: int = 2000,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    steps: int | None = None,
) -> Array:
    """Conda: Wang et al. 2025, arXiv 2509.24218, Algorithm 1, m <= n, else transposed; t from 0: M = beta1 M + (1 - beta1) G; if t mod T = 0, U of
    SVD(M); M' = U^T M; N = beta2 N + (1 - beta2) (U^T G)^2; W = W - eta U M' / (sqrt(N) + eps), both corrected for bias.
    """
    w, grad, count = begin(p, gradients, steps)
    turned = w.shape[0] > w.shape[1]
    U, path = np.zeros((0, 0)), []
    M = N = 0.0
    for t in range(count):
        G = grad(t + 1, w).T if turned else grad(t + 1, w)
        M = beta1 * M + (1.0 - beta1) * G
        if t % T == 0:
            U = directions(M, len(G))
        N = beta2 * N + (1.0 - beta2) * (U.T @ G) ** 2
        step = U @ (U.T @ M / (1.0 - beta1 ** (t + 1)) / (np.sqrt(N / (1.0 - beta2 ** (t + 1))) + eps))
        w = w - rate(lr, t + 1) * (step.T if turned else step)
        path.append(w)
    return finish(path, w)
