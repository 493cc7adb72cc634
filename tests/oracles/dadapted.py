"""D-Adaptation of AdaGrad, Adan and Lion; p is the whole model."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, divide, finish, inner, rate, silent


@silent()
def dadapt_adagrad(
    p: Any, gradients: Gradients, lr: Rate = 1.0, d0: float = 1e-6, eps: float = 0.0, steps: int | None = None
) -> Array:
    """D-Adapted AdaGrad: Defazio & Mishchenko 2023, arXiv 2301.07733, as in the authors' code; gamma = lr.

    a_0^2 = 1e-6; s = s + d gamma g; a^2 = a^2 + g^2; A = a + eps; dhat = (sum of s^2 / A - sum over steps of d_i^2 gamma_i^2 g_i^2 /
    A_i) / |s|_1; d = max(d, dhat); x = x_0 - s / A.
    """
    x, grad, T = begin(p, gradients, steps)
    x_0, s, a2 = x.copy(), np.zeros_like(x), np.full_like(x, 1e-6)
    weighted, d, path = 0.0, d0, []
    for k in range(1, T + 1):
        g = grad(k, x)
        lam = d * rate(lr, k)
        a2 = a2 + g**2
        A = np.sqrt(a2) + eps
        s = s + lam * g
        weighted = weighted + lam**2 * float(np.sum(g**2 / A))
        length = float(np.sum(np.abs(s)))
        if length > 0.0:
            d = max(d, (float(np.sum(s**2 / A)) - weighted) / length)
        x = x_0 - s / A
        path.append(x)
    return finish(path, x)


@silent()
def dadapt_adan(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1.0,
    beta1: float = 0.98,
    beta2: float = 0.92,
    beta3: float = 0.99,
    eps: float = 1e-8,
    d0: float = 1e-6,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> Array:
    """D-Adapted Adan: Defazio & Mishchenko 2023, the authors' code, no_prox; gamma = lr.

    y = g - g_before, 0 at first; m = beta1 m + (1 - beta1) d gamma g; v = beta2 v + (1 - beta2) d gamma y;
    n = beta3 n + (1 - beta3) (g + beta2 y)^2; A = sqrt(n) + eps; s = beta3 s + (1 - beta3) d gamma g;
    q = beta3 q + (1 - beta3) d^2 gamma^2 sum of g^2 / A; dhat = ((sum of s^2 / A) / (1 - beta3) - q) / |s|_1;
    x = x - (m + beta2 v) / A - d gamma weight_decay x; d = max(d, dhat).
    """
    x, grad, T = begin(p, gradients, steps)
    m, v, n, s, before = (np.zeros_like(x) for _ in range(5))
    q, d, path = 0.0, d0, []
    for k in range(1, T + 1):
        g = grad(k, x)
        y = g - before if k > 1 else np.zeros_like(x)
        lam = d * rate(lr, k)
        m = beta1 * m + (1.0 - beta1) * lam * g
        v = beta2 * v + (1.0 - beta2) * lam * y
        n = beta3 * n + (1.0 - beta3) * (g + beta2 * y) ** 2
        A = np.sqrt(n) + eps
        s = beta3 * s + (1.0 - beta3) * lam * g
        q = beta3 * q + (1.0 - beta3) * lam**2 * float(np.sum(divide(g**2, A)))
        x = x - divide(m + beta2 * v, A) - lam * weight_decay * x
        length = float(np.sum(np.abs(s)))
        if length > 0.0:
            d = max(d, (float(np.sum(divide(s**2, A))) / (1.0 - beta3) - q) / length)
        before = g
        path.append(x)
    return finish(path, x)


@silent()
def dadapt_lion(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1.0,
    beta1: float = 0.9,
    beta2: float = 0.99,
    d0: float = 1e-6,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> Array:
    """D-Adapted Lion: Defazio & Mishchenko 2023, the authors' code; gamma = lr.

    u = sign(beta1 m + (1 - beta1) g); x = x - d gamma (u + weight_decay x); m = beta2 m + (1 - beta2) d gamma g;
    r = sqrt(beta2) r + (1 - sqrt(beta2)) d gamma <u, s>; s = sqrt(beta2) s + (1 - sqrt(beta2)) d gamma u;
    dhat = r / ((1 - sqrt(beta2)) |s|_1); d = max(d, dhat).
    """
    x, grad, T = begin(p, gradients, steps)
    m, s = np.zeros_like(x), np.zeros_like(x)
    r, d, root, path = 0.0, d0, math.sqrt(beta2), []
    for k in range(1, T + 1):
        g = grad(k, x)
        lam = d * rate(lr, k)
        u = np.sign(beta1 * m + (1.0 - beta1) * g)
        x = x - lam * (u + weight_decay * x)
        m = beta2 * m + (1.0 - beta2) * lam * g
        r = root * r + (1.0 - root) * lam * inner(u, s)
        s = root * s + (1.0 - root) * lam * u
        length = float(np.sum(np.abs(s)))
        d = max(d, r / ((1.0 - root) * length)) if length > 0.0 else d
        path.append(x)
    return finish(path, x)
