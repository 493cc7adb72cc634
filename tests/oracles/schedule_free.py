"""Schedule-free SGD, AdamW and RAdam."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from .common import Array, Gradients, Rate, begin, choice, finish, rate, silent


class Walks(NamedTuple):
    """After each step: y where the next gradient is taken, z the walked point, x the average, the point to ship;
    (steps, *shape) each.
    """

    y: Array
    z: Array
    x: Array


@silent()
def schedule_free_sgd(
    p: Any,
    gradients: Gradients,
    lr: Rate = 1.0,
    beta: float = 0.9,
    average: str = "rate",
    start_counts: bool = False,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> Walks:
    """Schedule-free SGD: Defazio, Yang, Mehta, Mishchenko, Khaled & Cutkosky 2024, arXiv 2405.15682, eqs 3-5; gradients
    at y.

    y_t = (1 - beta) z_t + beta x_t; z_(t+1) = z_t - gamma grad(y_t); x_(t+1) = (1 - c) x_t + c z_(t+1).
    ``average``: c = gamma_t^2 / sum gamma^2 ("rate": the paper's Algorithm 1 and all code) or 1/t ("equal"); one at a
    constant rate.
    ``weight_decay``: at y, as in Algorithm 1. ``start_counts``: eq 5 as printed, c_(t+1) = 1/(t+1): the starting point is a member of the (equal) average.
    """
    choice("average", average, ("rate", "equal"))
    if start_counts and average != "equal":
        raise ValueError("the starting point has no rate: start_counts needs average='equal'")
    z, grad, T = begin(p, gradients, steps)
    x, y = z, z
    total = 1.0 if start_counts else 0.0
    ys, zs, xs = [], [], []
    for t in range(1, T + 1):
        gamma = rate(lr, t)
        weight = 1.0 if average == "equal" else gamma * gamma
        total = total + weight
        c = weight / total if total else 0.0  # while the rate is 0, nothing has moved
        z = z - gamma * (grad(t, y) + weight_decay * y)
        x = (1.0 - c) * x + c * z
        y = (1.0 - beta) * z + beta * x
        ys.append(y), zs.append(z), xs.append(x)
    return Walks(finish(ys, z), finish(zs, z), finish(xs, z))


@silent()
def schedule_free_adamw(
    p: Any,
    gradients: Gradients,
    lr: Rate = 2.5e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    correction: str = "moment",
    power: float = 2.0,
    steps: int | None = None,
) -> Walks:
    """Schedule-free AdamW: the same paper, Algorithm 1; gradients and decay at y.

    ``correction="rate"``, the paper: gamma_t = gamma sqrt(1 - beta2^t), z -= gamma_t g / (sqrt(v) + eps) + gamma_t
    lambda y, and c = gamma_t^2 / sum gamma^2 feels the correction. ``"moment"`` (optax and the authors' later code):
    vhat = v / (1 - beta2^t), gamma_t = gamma, so that c = 1/t at a constant rate. As in the code, gamma_t in c is the largest so far.
    """
    choice("correction", correction, ("moment", "rate"))
    z, grad, T = begin(p, gradients, steps)
    x, y = z, z
    v = np.zeros_like(z)
    top = total = 0.0
    ys, zs, xs = [], [], []
    for t in range(1, T + 1):
        g = grad(t, y)
        v = beta2 * v + (1.0 - beta2) * g * g
        gamma = rate(lr, t)
        if correction == "rate":
            gamma = gamma * math.sqrt(1.0 - beta2**t)
            step = gamma * g / (np.sqrt(v) + eps)
        else:
            step = gamma * g / (np.sqrt(v / (1.0 - beta2**t)) + eps)
        z = z - step - gamma * weight_decay * y
        top = max(top, gamma)
        total = total + top**power
        c = top**power / total if total else 0.0
        x = (1.0 - c) * x + c * z
        y = (1.0 - beta1) * z + beta1 * x
        ys.append(y), zs.append(z), xs.append(x)
    return Walks(finish(ys, z), finish(zs, z), finish(xs, z))


@silent()
def schedule_free_radam(
    p: Any,
    gradients: Gradients,
    lr: Rate = 2.5e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    power: float = 2.0,
    steps: int | None = None,
) -> Walks:
    """Schedule-free RAdam: the same authors' code; the factor: Liu et al. 2020, arXiv 1908.03265, Algorithm 2.

    gamma_t = gamma r_t, and 0 while rho_t <= 4; z -= gamma_t (g / (sqrt(vhat) + eps) + lambda y); c = top^power / sum of these,
    top the largest gamma_t so far.
    """
    z, grad, T = begin(p, gradients, steps)
    x, y = z, z
    v, top, total = np.zeros_like(z), 0.0, 0.0
    longest = 2.0 / (1.0 - beta2) - 1.0
    ys, zs, xs = [], [], []
    for t in range(1, T + 1):
        g = grad(t, y)
        v = beta2 * v + (1.0 - beta2) * g * g
        rho = longest - 2.0 * t * beta2**t / (1.0 - beta2**t)
        gamma = 0.0
        if rho > 4.0:
            gamma = rate(lr, t) * math.sqrt((rho - 4.0) * (rho - 2.0) * longest / ((longest - 4.0) * (longest - 2.0) * rho))
            z = z - gamma * (g / (np.sqrt(v / (1.0 - beta2**t)) + eps) + weight_decay * y)
        top = max(top, gamma)
        total = total + top**power
        c = top**power / total if total else 0.0
        x = (1.0 - c) * x + c * z
        y = (1.0 - beta1) * z + beta1 * x
        ys.append(y), zs.append(z), xs.append(x)
    return Walks(finish(ys, z), finish(zs, z), finish(xs, z))
