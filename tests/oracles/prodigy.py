"""D-Adaptation and Prodigy; p is the whole model."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, choice, divide, finish, inner, norm, rate, silent


@silent()
def prodigy(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1.0,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    d0: float = 1e-6,
    d_coef: float = 1.0,
    weight_decay: float = 0.0,
    bias_correction: bool = False,
    safeguard_warmup: bool = False,
    eps_by: str = "d",
    beta3: float = 0.0,
    steps: int | None = None,
) -> Array:
    """Prodigy: Mishchenko & Defazio 2023, arXiv 2306.06101, Algorithm 4; gamma = lr.

    m = beta1 m + (1 - beta1) d g; v = beta2 v + (1 - beta2) d^2 g^2; r = sqrt(beta2) r + (1 - sqrt(beta2)) gamma d^2 <g, x_0 - x>;
    s likewise of gamma d^2 g; dhat = r / |s|_1; d' = max(d, dhat); x = x - gamma d m / (sqrt(v) + d eps).
    The authors' code: gamma times sqrt(1 - beta2^k) / (1 - beta1^k) with bias_correction; without gamma in s with
    safeguard_warmup; d_coef dhat; x less gamma d weight_decay x; d' eps with eps_by "next d";
    beta3, where it is not 0, for sqrt(beta2).
    """
    choice("eps_by", eps_by, ("d", "next d"))
    x, grad, T = begin(p, gradients, steps)
    x_0, m, v, s = x.copy(), np.zeros_like(x), np.zeros_like(x), np.zeros_like(x)
    r, d = 0.0, d0
    root = beta3 or math.sqrt(beta2)
    path = []
    for k in range(1, T + 1):
        g = grad(k, x)
        gamma = rate(lr, k)
        if bias_correction:
            gamma *= math.sqrt(1.0 - beta2**k) / (1.0 - beta1**k)
        m = beta1 * m + (1.0 - beta1) * d * g
        v = beta2 * v + (1.0 - beta2) * d**2 * g**2
        r = root * r + (1.0 - root) * gamma * d**2 * inner(g, x_0 - x)
        s = root * s + (1.0 - root) * (1.0 if safeguard_warmup else gamma) * d**2 * g
        length = float(np.sum(np.abs(s)))
        following = max(d, d_coef * r / length) if length > 0.0 else d
        step = divide(m, np.sqrt(v) + (d if eps_by == "d" else following) * eps)
        x = x - gamma * d * (step + weight_decay * x)
        d = following
        path.append(x)
    return finish(path, x)


@silent()
def dadapt_adam(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1.0,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    d0: float = 1e-6,
    weight_decay: float = 0.0,
    bias_correction: bool = False,
    metric: str = "new",
    steps: int | None = None,
) -> Array:
    """D-Adapted Adam: Defazio & Mishchenko 2023, arXiv 2301.07733, Adam with D-Adaptation; gamma = lr.

    m = beta1 m + (1 - beta1) d gamma g; v = beta2 v + (1 - beta2) g^2; A = sqrt(v) + eps; x = x - m / A;
    r = sqrt(beta2) r + (1 - sqrt(beta2)) d gamma <g, s / A>; s = sqrt(beta2) s + (1 - sqrt(beta2)) d gamma g;
    dhat = r / ((1 - sqrt(beta2)) |s|_1); d = max(d, dhat).
    The authors' code: gamma times sqrt(1 - beta2^k) / (1 - beta1^k) with bias_correction; x less gamma d weight_decay x;
    in r the A of the step before with metric "old".
    """
    choice("metric", metric, ("new", "old"))
    x, grad, T = begin(p, gradients, steps)
    m, v, s = np.zeros_like(x), np.zeros_like(x), np.zeros_like(x)
    r, d = 0.0, d0
    root = math.sqrt(beta2)
    path = []
    for k in range(1, T + 1):
        g = grad(k, x)
        gamma = rate(lr, k)
        if bias_correction:
            gamma *= math.sqrt(1.0 - beta2**k) / (1.0 - beta1**k)
        A_before = np.sqrt(v) + eps
        m = beta1 * m + (1.0 - beta1) * d * gamma * g
        v = beta2 * v + (1.0 - beta2) * g**2
        A = np.sqrt(v) + eps
        x = x - divide(m, A) - gamma * d * weight_decay * x
        r = root * r + (1.0 - root) * d * gamma * inner(g, divide(s, A if metric == "new" else A_before))
        s = root * s + (1.0 - root) * d * gamma * g
        length = (1.0 - root) * float(np.sum(np.abs(s)))
        d = max(d, r / length) if length > 0.0 else d
        path.append(x)
    return finish(path, x)


@silent()
def dadapt_sgd(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1.0,
    beta: float = 0.9,
    d0: float = 1e-6,
    steps: int | None = None,
) -> Array:
    """D-Adapted SGD: Defazio & Mishchenko 2023, arXiv 2301.07733, SGD with D-Adaptation; gamma = lr.

    G = |g_0|; lambda = d gamma / G; s' = s + lambda g; z = z - lambda g; x = beta x + (1 - beta) z;
    dhat = 2 (sum of lambda_i <g_i, s_i>) / |s'|; d = max(d, dhat). As long as all gradients were 0, so is lambda.
    """
    x, grad, T = begin(p, gradients, steps)
    z, s = x.copy(), np.zeros_like(x)
    total, G, d = 0.0, 0.0, d0
    path = []
    for k in range(1, T + 1):
        g = grad(k, x)
        G = norm(g) if G == 0.0 else G
        lam = d * rate(lr, k) / G if G > 0.0 else 0.0
        total = total + lam * inner(g, s)
        s = s + lam * g
        z = z - lam * g
        x = beta * x + (1.0 - beta) * z
        length = norm(s)
        d = max(d, 2.0 * total / length) if length > 0.0 else d
        path.append(x)
    return finish(path, x)
