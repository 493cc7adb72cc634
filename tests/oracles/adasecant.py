"""AdaSecant, the two forms its authors published as code."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .common import Array, Gradients, begin, finish, inner, norm, silent

E = 1e-7  # the authors' `damping`: in every first value, in the norms, in tau


def _outlier(g: Array, mg: Array, mg2: Array, al: Array, a: Array, a2: Array) -> Array:
    far_g = np.abs(g - mg) > 2.0 * np.sqrt(np.maximum(mg2 - mg * mg, 0.0))
    far_al = np.abs(al - a) > 2.0 * np.sqrt(np.maximum(a2 - a * a, 0.0))
    return far_g | far_al


@silent()
def adasecant(
    p: Any,
    gradients: Gradients,
    decay: float = 0.95,
    gamma_clip: float = 1.8,
    start_var_reduction: int = 0,
    use_adagrad: bool = False,
    delta_clip: float = 0.0,
    eps: float = 1e-7,
    steps: int | None = None,
) -> Array:
    """AdaSecant: Gulcehre & Bengio 2014, arXiv 1412.7419, as its workshop code has it; p is one block (one weight
    matrix, one bias vector).

    ``eps`` is what that code reads from its trainer's learning-rate slot, 1e-7 in all its published configurations;
    ``gamma_clip`` and
    ``delta_clip`` are off at 0. There is no learning rate. The mean of D starts from 0 at the first step though D's own
    first value is taken as g, and D is paired with the change of gradient before it: both as published.
    """
    w, grad, T = begin(p, gradients, steps)
    full = np.ones_like(w)
    mg, mg2, gn, gd, cov, gt, gp, a, a2 = (E * full for _ in range(9))
    tau = 2.1 * (1.0 + E) * full
    dx2, dx, ss = np.zeros_like(w), np.zeros_like(w), np.zeros_like(w)
    path = []
    for k in range(T):
        g = grad(k + 1, w)
        g = g / (norm(g) + E)
        DX2, DX = (g * g, g) if k == 0 else (dx2, dx)
        mg = decay * mg + (1.0 - decay) * g
        mg2 = decay * mg2 + (1.0 - decay) * g * g
        gam = np.sqrt(gn) / np.sqrt(gd + E)  # from the averages before this step
        if gamma_clip:
            gam = np.minimum(gam, gamma_clip)
        gn = (1.0 - 1.0 / tau) * gn + ((g - gt) * (gt - mg)) ** 2 / tau
        gd = (1.0 - 1.0 / tau) * gd + ((mg - g) * (gt - mg)) ** 2 / tau
        gtilde = (g + gam * mg) / (1.0 + gam) if k >= start_var_reduction else g
        al = g - gp
        a = (1.0 - 1.0 / tau) * a + al / tau
        a2 = (1.0 - 1.0 / tau) * a2 + al * al / tau
        eta = np.sqrt(DX2 + eps) / np.sqrt(a2 + eps) - cov / (a2 + eps)  # cov of before
        if delta_clip:
            eta = np.clip(eta, -delta_clip, delta_clip)
        D = -eta * gtilde
        if use_adagrad:
            ss = ss + gtilde * gtilde
            D = D / np.maximum(np.sqrt(ss), 1.0)
        taun = (1.0 - DX * DX / (DX2 + E)) * tau + 1.0 + E
        dx2 = (1.0 - 1.0 / tau) * DX2 + D * D / tau
        dx = (1.0 - 1.0 / tau) * dx + D / tau
        cov = (1.0 - 1.0 / tau) * cov + D * al / tau
        taun = np.where(_outlier(g, mg, mg2, al, a, a2), 2.2, taun)
        tau = np.clip(taun, 1.5, 1e8)
        gp, gt = g, gtilde
        w = w + D
        path.append(w)
    return finish(path, w)


@silent()
def adasecant_j(
    p: Any,
    gradients: Gradients,
    gamma_clip: float = 0.0,
    gamma_reg: float = 1e-6,
    slow_decay: float = 0.995,
    start_var_reduction: int = 0,
    use_adagrad: bool = True,
    delta_clip: float = 25.0,
    eps: float = 1e-7,
    norm_of: str = "normalised",
    steps: int | None = None,
) -> Array:
    """AdaSecant, the authors' later code ("variant J"; Gulcehre, Sotelo, Moczulski & Bengio 2017, arXiv 1703.00788); p
    is one block.

    Against :func:`adasecant`: the gradient's moments also average over tau and are corrected by 1 - prod(1 - 1/tau);
    the block is divided by a running norm; D's mean starts at g; an outlier makes tau 2.5, or adds 1 below that; tau <=
    1e7.
    ``norm_of``: the published code averages the norm of the already "normalised" gradient (so that ||g|| is replaced by
    about its root); "raw" averages that of the gradient itself, which the text means.
    """
    if norm_of not in ("normalised", "raw"):
        raise ValueError(norm_of)
    w, grad, T = begin(p, gradients, steps)
    full = np.ones_like(w)
    mg, mg2, gn, gd, cov, gt, gp, a, a2 = (E * full for _ in range(9))
    tau = 2.1 * (1.0 + E) * full
    prod = (1.0 - 2.0 * E) * full
    dx2, dx, ss = np.zeros_like(w), np.zeros_like(w), np.zeros_like(w)
    norm2 = E
    path = []
    for k in range(T):
        g = grad(k + 1, w)
        raw2 = inner(g, g)
        if k == 0:
            norm2 = raw2
        g = g / (math.sqrt(norm2 / (1.0 - slow_decay ** (k + 1))) + E)  # the average of before, save at the first step
        norm2 = slow_decay * norm2 + (1.0 - slow_decay) * (raw2 if norm_of == "raw" else inner(g, g))
        DX2, DX = (g * g, g) if k == 0 else (dx2, dx)
        prod = prod * (1.0 - 1.0 / tau)
        mg = (1.0 - 1.0 / tau) * mg + g / tau
        mg2 = (1.0 - 1.0 / tau) * mg2 + g * g / tau
        Eg, Eg2 = mg / (1.0 - prod), mg2 / (1.0 - prod)
        gam = np.sqrt(gn) / (np.sqrt(gd + E) + gamma_reg)
        if gamma_clip:
            gam = np.minimum(gam, gamma_clip)
        gn = (1.0 - 1.0 / tau) * gn + ((g - gt) * (gt - Eg)) ** 2 / tau
        gd = (1.0 - 1.0 / tau) * gd + ((Eg - g) * (gt - Eg)) ** 2 / tau
        gtilde = (g + gam * Eg) / (1.0 + gam) if k >= start_var_reduction else g
        al = g - gp
        a = (1.0 - 1.0 / tau) * a + al / tau
        a2 = (1.0 - 1.0 / tau) * a2 + al * al / tau
        eta = np.sqrt(DX2 + eps) / np.sqrt(a2 + eps) - cov / (a2 + eps)  # uncorrected a2, cov of before
        if delta_clip:
            eta = np.clip(eta, -delta_clip, delta_clip)
        D = -eta * gtilde
        if use_adagrad:
            ss = ss + gtilde * gtilde
            D = D / np.maximum(np.sqrt(ss), 1.0)
        taun = (1.0 - DX * DX / (DX2 + E)) * tau + 1.0 + E
        dx2 = (1.0 - 1.0 / tau) * DX2 + D * D / tau
        dx = (1.0 - 1.0 / tau) * DX + D / tau
        cov = (1.0 - 1.0 / tau) * cov + D * al / tau
        far = _outlier(g, Eg, Eg2, al, a / (1.0 - prod), a2 / (1.0 - prod))
        taun = np.where(far, np.where(taun > 2.5, 2.5, taun + 1.0 + E), taun)
        tau = np.clip(taun, 1.5, 1e7)
        gp, gt = g, gtilde
        w = w + D
        path.append(w)
    return finish(path, w)
