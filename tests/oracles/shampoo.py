"""Shampoo and SOAP; p is a matrix."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, finish, rate, silent


def power(S: Array, exponent: float) -> Array:
    """S^exponent of a symmetric, positive definite matrix."""
    values, vectors = np.linalg.eigh(S)
    return np.sum([v**exponent * np.outer(q, q) for v, q in zip(values, vectors.T, strict=True)], axis=0)


@silent()
def shampoo(p: Any, gradients: Gradients, lr: Rate = 1e-1, eps: float = 1e-4, steps: int | None = None) -> Array:
    """Shampoo: Gupta et al. 2018, arXiv 1802.09568, Algorithm 1: L_0 = eps I_m, R_0 = eps I_n; L = L + G G^T, R = R + G^T G; W
    = W - eta L^(-1/4) G R^(-1/4).
    """
    w, grad, T = begin(p, gradients, steps)
    L, R = eps * np.eye(w.shape[0]), eps * np.eye(w.shape[1])
    path = []
    for t in range(1, T + 1):
        G = grad(t, w)
        L = L + G @ G.T
        R = R + G.T @ G
        w = w - rate(lr, t) * power(L, -0.25) @ G @ power(R, -0.25)
        path.append(w)
    return finish(path, w)


@silent()
def soap(
    p: Any,
    gradients: Gradients,
    lr: Rate = 3e-3,
    f: int = 10,
    beta1: float = 0.95,
    beta2: float = 0.95,
    eps: float = 1e-8,
    steps: int | None = None,
) -> Array:
    """SOAP: Vyas et al. 2024, arXiv 2409.11321, Algorithms 3 and 4.

    G' = QL^T G QR; M = beta1 M + (1 - beta1) G; M' = QL^T M QR; V = beta2 V + (1 - beta2) G' G'; N' = M' / (sqrt(V) + eps) times
    the bias corrections; W = W - eta QL N' QR^T; L = beta2 L + (1 - beta2) G G^T, R likewise; if t mod f = 0: Q = QR(L Q). From the
    authors' code: t = 0 only begins L and R, and Q are then their eigenvectors, those of large eigenvalues first.
    """
    w, grad, T = begin(p, gradients, steps)
    path = []
    for t in range(T):
        G = grad(t + 1, w)
        if t == 0:
            M, V = np.zeros_like(w), np.zeros_like(w)
            L, R = (1.0 - beta2) * G @ G.T, (1.0 - beta2) * G.T @ G
            QL, QR = (np.linalg.eigh(S)[1][:, ::-1] for S in (L, R))
            path.append(w)
            continue
        turned = QL.T @ G @ QR
        M = beta1 * M + (1.0 - beta1) * G
        V = beta2 * V + (1.0 - beta2) * turned**2
        N = QL.T @ M @ QR / (np.sqrt(V) + eps) * math.sqrt(1.0 - beta2**t) / (1.0 - beta1**t)
        w = w - rate(lr, t + 1) * (QL @ N @ QR.T)
        L = beta2 * L + (1.0 - beta2) * G @ G.T
        R = beta2 * R + (1.0 - beta2) * G.T @ G
        if t % f == 0:
            QL, QR = np.linalg.qr(L @ QL)[0], np.linalg.qr(R @ QR)[0]
        path.append(w)
    return finish(path, w)


@silent()
def splus(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-1,
    beta1: float = 0.9,
    beta2: float = 0.999,
    T: int = 100,
    weight_decay: float = 0.01,
    factor: float = 1e-3,
    steps: int | None = None,
) -> Array:
    """SPlus: Frans et al. 2025, arXiv 2506.07254, Algorithm 1: M, L, R: averages of G, G G^T, G^T G; U = QL sign(QL^T M QR) QR^T; W = W
    - eta 2 / (m + n) (U + lambda W); if t = 1 or t mod T = 0: QL, QR = eigenvectors of L, R, at first I. Vectors: sign(m), eta 0.001.
    """
    w, grad, count = begin(p, gradients, steps)
    m, path = np.zeros_like(w), []
    bases = [(np.zeros((n, n)), np.eye(n)) for n in (w.shape if w.ndim == 2 else ())]
    for t in range(1, count + 1):
        G = grad(t, w)
        m = beta1 * m + (1.0 - beta1) * G
        if w.ndim == 2:
            (L, QL), (R, QR) = bases
            U, scale = QL @ np.sign(QL.T @ m @ QR) @ QR.T, 2.0 / (w.shape[0] + w.shape[1])
            L, R = beta2 * L + (1.0 - beta2) * G @ G.T, beta2 * R + (1.0 - beta2) * G.T @ G
            if t == 1 or t % T == 0:
                QL, QR = np.linalg.eigh(L)[1], np.linalg.eigh(R)[1]
            bases = [(L, QL), (R, QR)]
        else:
            U, scale = np.sign(m), factor
        w = w - rate(lr, t) * scale * (U + weight_decay * w)
        path.append(w)
    return finish(path, w)
