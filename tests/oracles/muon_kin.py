"""NorMuon, AdaMuon, AdaGO, PolarGrad and Scion; p is a matrix, or for Scion any tensor."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, choice, finish, norm, rate, silent
from .muon import POST, by_singular_values


def polar(x: Array, steps: int) -> Array:
    """NewtonSchulz5 of Jordan et al. 2024."""
    return by_singular_values(x, POST, steps, 1e-7, False, "frobenius")


@silent()
def normuon(
    p: Any,
    gradients: Gradients,
    lr: Rate = 2e-3,
    beta1: float = 0.95,
    beta2: float = 0.95,
    ns_steps: int = 5,
    eps: float = 1e-8,
    rms: float = 0.2,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> Array:
    """NorMuon: Li et al. 2025, arXiv 2510.05491, Algorithm 1: M = beta1 M + (1 - beta1) G, O = NS5(M), v = beta2 v + (1 -
    beta2) mean_cols(O O), O^ = O / (sqrt(v) + eps), eta^ = 0.2 eta sqrt(mn) / |O^|, W = W - eta lambda W - eta^ O^.
    """
    w, grad, T = begin(p, gradients, steps)
    rows, columns = w.shape
    M, v = np.zeros_like(w), [0.0] * rows
    path = []
    for t in range(1, T + 1):
        M = beta1 * M + (1.0 - beta1) * grad(t, w)
        O = polar(M, ns_steps)
        v = [beta2 * a + (1.0 - beta2) * norm(row) ** 2 / columns for a, row in zip(v, O, strict=True)]
        hat = np.array([row / (math.sqrt(a) + eps) for a, row in zip(v, O, strict=True)])
        w = w - rate(lr, t) * (weight_decay * w + rms * math.sqrt(rows * columns) / norm(hat) * hat)
        path.append(w)
    return finish(path, w)


@silent()
def adamuon(
    p: Any,
    gradients: Gradients,
    lr: Rate = 2e-3,
    beta: float = 0.95,
    ns_steps: int = 5,
    eps: float = 1e-8,
    rms: float = 0.2,
    signed: bool = False,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> Array:
    """AdaMuon: Si, Zhang & Shen 2025, arXiv 2507.11005, Algorithm 1: M = beta M + G, O = NS5(M), ``signed``: of Sign(M), V = beta V + (1 -
    beta) O O, O^ = O / (sqrt(V) + eps), gamma = 0.2 sqrt(mn) / |O^|, W = W - eta (gamma O^ + lambda W).
    """
    w, grad, T = begin(p, gradients, steps)
    M, V = np.zeros_like(w), np.zeros_like(w)
    path = []
    for t in range(1, T + 1):
        M = beta * M + grad(t, w)
        O = polar(np.sign(M) if signed else M, ns_steps)
        V = beta * V + (1.0 - beta) * O**2
        hat = O / (np.sqrt(V) + eps)
        w = w - rate(lr, t) * (rms * math.sqrt(w.size) / norm(hat) * hat + weight_decay * w)
        path.append(w)
    return finish(path, w)


@silent()
def scion(
    p: Any,
    gradients: Gradients,
    lr: Rate = 2e-3,
    mu: float = 0.9,
    radius: float = 50.0,
    ns_steps: int = 5,
    constrained: bool = True,
    ball: str = "hidden",
    steps: int | None = None,
) -> Array:
    """Scion: Pethick et al. 2025, arXiv 2502.07529: d = (1 - alpha) d + alpha g, alpha = 1 - mu; Algorithm 1: x = x + gamma
    lmo(d); Algorithm 2: x = (1 - gamma) x + gamma lmo(d).

    lmo(d) = -rho sqrt(outputs / inputs) U V^T for a matrix, -rho d / RMS(d) for a vector; ``ball="last"``: -rho / inputs sign(d).
    """
    choice("ball", ball, ("hidden", "last"))
    x, grad, T = begin(p, gradients, steps)
    d = np.zeros_like(x)
    path = []
    for t in range(1, T + 1):
        d = mu * d + (1.0 - mu) * grad(t, x)
        if ball == "last":
            lmo = -radius / x.shape[1] * np.sign(d)
        elif x.ndim == 2:
            lmo = -radius * math.sqrt(x.shape[0] / x.shape[1]) * polar(d, ns_steps)
        else:
            lmo = -radius * d / (norm(d) / math.sqrt(x.size))
        gamma = rate(lr, t)
        x = ((1.0 - gamma) if constrained else 1.0) * x + gamma * lmo
        path.append(x)
    return finish(path, x)


@silent()
def swan(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-3,
    iterations: int = 10,
    beta: float = 0.5,
    steps: int | None = None,
) -> Array:
    """SWAN: Ma et al. 2024, arXiv 2412.13148, Algorithms 1 to 3: GradNorm(G) = (G - g 1^T) / s, row by row; Y = G G^T, Z = I, Y = beta Y (3 I -
    Z Y), Z = beta (3 I - Z Y) Z; W = W - eta sqrt(mn) / |Z G| Z G. Of a tall matrix G^T, which has the same Z G, transposed.
    """
    w, grad, T = begin(p, gradients, steps)
    path = []
    for t in range(1, T + 1):
        G = np.array([(row - np.mean(row)) / np.std(row) for row in grad(t, w)])
        turned = G.shape[0] > G.shape[1]
        X = (G.T if turned else G) / norm(G)
        one = np.eye(X.shape[0])
        Y, Z = X @ X.T, one
        for _ in range(iterations):
            factor = beta * (3.0 * one - Z @ Y)
            Y, Z = Y @ factor, factor @ Z
        step = Z @ X
        step = math.sqrt(step.size) / norm(step) * step
        w = w - rate(lr, t) * (step.T if turned else step)
        path.append(w)
    return finish(path, w)


@silent()
def adago(
    p: Any,
    gradients: Gradients,
    lr: Rate = 5e-2,
    mu: float = 0.95,
    gamma: float = 10.0,
    v0: float = 1e-3,
    least: float = 1e-2,
    ns_steps: int = 5,
    steps: int | None = None,
) -> Array:
    """AdaGO: Zhang et al. 2025, arXiv 2509.02981, Algorithm 1: M = mu M + (1 - mu) G; v_t^2 = v_(t-1)^2 + min(|G|^2, gamma^2); O = Orth(M);
    alpha = max(eps, eta min(|G|, gamma) / v_t); Theta = Theta - alpha O. ``least`` is eps / eta.
    """
    w, grad, T = begin(p, gradients, steps)
    M, v = np.zeros_like(w), v0
    path = []
    for t in range(1, T + 1):
        G = grad(t, w)
        M = mu * M + (1.0 - mu) * G
        v = math.sqrt(v**2 + min(norm(G) ** 2, gamma**2))
        alpha = max(least * rate(lr, t), rate(lr, t) * min(norm(G), gamma) / v)
        w = w - alpha * polar(M, ns_steps)
        path.append(w)
    return finish(path, w)


@silent()
def polargrad(
    p: Any,
    gradients: Gradients,
    lr: Rate = 2e-2,
    mu: float = 0.95,
    ns_steps: int | None = None,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> Array:
    """PolarGradM: Lau et al. 2025, arXiv 2505.21799: M = mu M + (1 - mu) G; U H = polar(M); W = W - eta (tr(H) U + lambda W).

    The iteration's steps, or for None the decomposition itself.
    """
    w, grad, T = begin(p, gradients, steps)
    M = np.zeros_like(w)
    path = []
    for t in range(1, T + 1):
        M = mu * M + (1.0 - mu) * grad(t, w)
        if ns_steps is None:
            u, s, vt = np.linalg.svd(M, full_matrices=False)
            U, trace = u @ vt, float(np.sum(s))
        else:
            U = by_singular_values(M, (1.875, -1.25, 0.375), ns_steps, 1e-7, False, "frobenius")
            trace = float(np.sum(M * U))
        w = w - rate(lr, t) * (trace * U + weight_decay * w)
        path.append(w)
    return finish(path, w)
