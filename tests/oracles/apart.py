"""Rules that stand apart: AdaSmooth, FTRL-Proximal, Adai, Apollo, AdaShift, A2Grad."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .common import Array, Gradients, Rate, begin, choice, divide, finish, inner, rate, silent


@silent()
def adasmooth(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-3,
    rho1: float = 0.5,
    rho2: float = 0.99,
    eps: float = 1e-6,
    steps: int | None = None,
) -> Array:
    """AdaSmooth: Lu 2022, arXiv 2204.00825, Algorithm 1, with M >= t: e_t = |sum of all steps| / sum of all |steps|.

    c_t = (rho2 - rho1) e_t + (1 - rho2); E_t = c_t^2 g^2 + (1 - c_t^2) E_(t-1); step: -lr g / sqrt(E_t + eps).
    """
    w, grad, T = begin(p, gradients, steps)
    E, s, n = np.zeros_like(w), np.zeros_like(w), np.zeros_like(w)
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        c = (rho2 - rho1) * divide(np.abs(s), n) + (1.0 - rho2)
        E = c**2 * g**2 + (1.0 - c**2) * E
        step = -rate(lr, t) / np.sqrt(E + eps) * g
        s, n = s + step, n + np.abs(step)
        w = w + step
        path.append(w)
    return finish(path, w)


@silent()
def ftrl(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-1,
    beta: float = 1.0,
    l1: float = 0.0,
    l2: float = 0.0,
    steps: int | None = None,
) -> Array:
    """FTRL-Proximal: McMahan et al. 2013 (KDD), Algorithm 1: sigma = (sqrt(n + g^2) - sqrt(n)) / alpha; z = z + g - sigma w.

    w = 0 if |z| <= l1, else -(z - sign(z) l1) / ((beta + sqrt(n)) / alpha + l2).
    """
    w, grad, T = begin(p, gradients, steps)
    z, n = np.zeros_like(w), np.zeros_like(w)
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        alpha = rate(lr, t)
        sigma = (np.sqrt(n + g**2) - np.sqrt(n)) / alpha
        z = z + g - sigma * w
        n = n + g**2
        w = np.where(np.abs(z) <= l1, 0.0, -(z - np.sign(z) * l1) / ((beta + np.sqrt(n)) / alpha + l2))
        path.append(w)
    return finish(path, w)


@silent()
def adai(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-1,
    beta0: float = 0.1,
    beta2: float = 0.99,
    eps: float = 1e-3,
    steps: int | None = None,
) -> Array:
    """Adai: Xie, Wang, Zhang, Sato & Sugiyama 2022, arXiv 2006.15815, Algorithm 2; p is the whole model.

    beta1 = clip(1 - beta0 / mean(v_hat) v_hat, 0, 1 - eps); m = beta1 m + (1 - beta1) g; m_hat = m / (1 - prod of beta1).
    """
    w, grad, T = begin(p, gradients, steps)
    m, v, product = np.zeros_like(w), np.zeros_like(w), np.ones_like(w)
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        v = beta2 * v + (1.0 - beta2) * g**2
        v_hat = v / (1.0 - beta2**t)
        beta1 = np.clip(1.0 - beta0 / np.mean(v_hat) * v_hat, 0.0, 1.0 - eps)
        product = product * beta1
        m = beta1 * m + (1.0 - beta1) * g
        w = w - rate(lr, t) * m / (1.0 - product)
        path.append(w)
    return finish(path, w)


@silent()
def apollo(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1.0,
    beta: float = 0.9,
    sigma: float = 1.0,
    eps: float = 1e-4,
    steps: int | None = None,
) -> Array:
    """Apollo: Ma 2020, arXiv 2009.13586, Algorithm 1; p is one tensor.

    m' = beta (1 - beta^t) / (1 - beta^(t+1)) m + (1 - beta) / (1 - beta^(t+1)) g; alpha = (d.(m' - m) + d.B d) / (|d|_4 +
    eps)^4; B = B - alpha Diag(d^2); D = max(|B|, sigma); d = m' / D; w = w - lr d. (t from 0.)
    """
    w, grad, T = begin(p, gradients, steps)
    m, B, d = np.zeros_like(w), np.zeros_like(w), np.zeros_like(w)
    path = []
    for t in range(T):
        g = grad(t + 1, w)
        new = beta * (1.0 - beta**t) / (1.0 - beta ** (t + 1)) * m + (1.0 - beta) / (1.0 - beta ** (t + 1)) * g
        alpha = (inner(d, new - m) + inner(d, B * d)) / (float(np.sum(np.abs(d) ** 4)) ** 0.25 + eps) ** 4
        B = B - alpha * d**2
        m = new
        d = m / np.maximum(np.abs(B), sigma)
        w = w - rate(lr, t + 1) * d
        path.append(w)
    return finish(path, w)


@silent()
def adashift(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-10,
    n: int = 10,
    steps: int | None = None,
) -> Array:
    """AdaShift: Zhou et al. 2019, arXiv 1810.00143, Algorithm 1 with phi the identity: v_t of g_(t-n)^2.

    m_t = sum of beta1^i g_(t-i) over i < n, over that of beta1^i; v_hat = v / (1 - beta2^(t-n)); no step for t <= n.
    """
    w, grad, T = begin(p, gradients, steps)
    v = np.zeros_like(w)
    seen: list[Array] = []
    path = []
    for t in range(1, T + 1):
        seen.append(grad(t, w))
        if t > n:
            m = sum(beta1**i * seen[-1 - i] for i in range(n)) / sum(beta1**i for i in range(n))
            v = beta2 * v + (1.0 - beta2) * seen[-1 - n] ** 2
            w = w - rate(lr, t) * m / (np.sqrt(v / (1.0 - beta2 ** (t - n))) + eps)
        path.append(w)
    return finish(path, w)


@silent()
def a2grad(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1e-1,
    beta: float = 10.0,
    rho: float = 0.5,
    form: str = "uni",
    steps: int | None = None,
) -> Array:
    """A2Grad: Deng, Cheng & Lan 2018, arXiv 1810.00553, from three sequences; p is one tensor, lr = 1 / L, k = 0, 1, ...

    y_k = (1 - alpha_k) z_k + alpha_k x_k, where the gradient is taken; the path is of y. x_(k+1) = x_k - g / (gamma_k + beta h_k); z_(k+1) = (1 - alpha_k) z_k + alpha_k x_(k+1); alpha_k = 2 / (k + 2), gamma_k = 2 L / (k + 1).
    delta_k = g_k - mean of g_0 .. g_k. uni: v = v + |delta|^2, h = sqrt(v). inc: v = (k / (k + 1))^2 v + |delta|^2. exp: u = rho
    u + (1 - rho) |delta|^2, v = max(v, u), h = sqrt((k + 1) v).
    """
    choice("form", form, ("uni", "inc", "exp"))
    y, grad, T = begin(p, gradients, steps)
    x, z = y.copy(), y.copy()
    seen: list[Array] = []
    u = v = 0.0
    path = []
    for k in range(T):
        g = grad(k + 1, y)
        seen.append(g)
        delta = g - np.mean(seen, axis=0)
        if form == "exp":
            u = rho * u + (1.0 - rho) * inner(delta, delta)
            v = max(v, u)
        else:
            v = v * (k / (k + 1)) ** 2 if form == "inc" else v
            v = v + inner(delta, delta)
        h = math.sqrt((k + 1) * v if form == "exp" else v)
        alpha, gamma = 2.0 / (k + 2), 2.0 / rate(lr, k + 1) / (k + 1)
        x = x - g / (gamma + beta * h)
        z = (1.0 - alpha) * z + alpha * x
        alpha = 2.0 / (k + 3)
        y = (1.0 - alpha) * z + alpha * x
        path.append(y)
    return finish(path, y)
