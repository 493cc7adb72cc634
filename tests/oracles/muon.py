"""Muon, alone and with AdamW for vectors."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .adam import adamw
from .common import Array, Gradients, Rate, begin, choice, finish, rate, silent

POST = (3.4445, -4.7750, 2.0315)


def exactly(x: Array) -> Array:
    """x."""
    return x


def to_bfloat16(x: Array) -> Array:
    """The nearest numbers with eight significant bits, ties to even: bfloat16, far from its largest and smallest."""
    mantissa, exponent = np.frexp(np.asarray(x, dtype=np.float64))
    return np.ldexp(np.rint(mantissa * 256.0) / 256.0, exponent)


def by_singular_values(g: Array, coefficients: Any, steps: int, eps: float, floor: bool, preconditioning: str) -> Array:
    """What the iteration comes to (the post, "Why is it good to orthogonalize the update?"): U phi^k(S) V^T.

    G / ||G|| = U S V^T, and phi(x) = a x + b x^3 + c x^5 is applied to each singular value, k times. ``coefficients``:
    a, b and c, or so for each time. ``preconditioning``: which norm; "aol" divides the rows, or of a tall matrix the columns,
    each by the root of the sum of its row in |G G^T| (or |G^T G|), and by no norm.
    """

    def beside(norm: Any) -> Any:
        return np.maximum(norm, eps) if floor else norm + eps

    if preconditioning == "aol" and g.shape[0] > g.shape[1]:
        return by_singular_values(g.T, coefficients, steps, eps, floor, preconditioning).T
    if preconditioning == "aol":
        g = np.array([row / beside(math.sqrt(sum(abs(float(row @ other)) for other in g))) for row in g])
    u, s, vt = np.linalg.svd(g, full_matrices=False)
    power = {"frobenius": 2.0, "schatten": 4.0, "spectral": np.inf}.get(preconditioning)
    x = s if power is None else s / beside(np.linalg.norm(s, power))
    for a, b, c in coefficients if np.ndim(coefficients) == 2 else [coefficients] * steps:
        x = a * x + b * x**3 + c * x**5
    return (u * x) @ vt


def newton_schulz(
    g: Array,
    coefficients: tuple[float, float, float],
    steps: int,
    eps: float,
    floor: bool,
    rounded: Callable[[Array], Array] = exactly,
) -> Array:
    """NewtonSchulz5 as the post has it in code, each product rounded as PyTorch's fused operations round it: once."""
    a, b, c = coefficients
    tall = g.shape[0] > g.shape[1]
    x = rounded(g.T if tall else g)
    norm = rounded(np.sqrt(np.sum(x * x)))
    x = rounded(x / (rounded(np.maximum(norm, eps)) if floor else rounded(norm + eps)))
    for _ in range(steps):
        square = rounded(x @ x.T)
        x = rounded(a * x + rounded(b * square + c * square @ square) @ x)
    return x.T if tall else x


@silent()
def muon(
    p: Any,
    gradients: Gradients,
    lr: Rate = 2e-2,
    mu: float = 0.95,
    nesterov: bool = True,
    momentum: str = "ball",
    ns_steps: int = 5,
    coefficients: Any = POST,
    eps: float = 1e-7,
    eps_place: str = "added",
    scale: str = "original",
    rms: float = 0.2,
    dual_norm: bool = False,
    preconditioning: str = "frobenius",
    bfloat16: bool = False,
    weight_decay: float = 0.0,
    steps: int | None = None,
) -> Array:
    """Muon: Jordan et al. 2024, kellerjordan.github.io/posts/muon: B_t = mu B_(t-1) + G_t; W_t = W_(t-1) - eta NS5(B_t).

    With ``nesterov`` NS5 is of G_t + mu B_t. ``momentum="average"`` (the authors' code, PyTorch): B_t = mu B_(t-1) + (1 -
    mu) G_t, and with nesterov (1 - mu) G_t + mu B_t; ``"corrected"`` (optax): B and G there are divided by 1 - mu^(t+1)
    and 1 - mu^t, and B by 1 - mu^t without nesterov. ``eps_place="floor"``: divided by max(norm, eps), not norm + eps.
    ``scale``: "original": sqrt(max(1, rows / columns)) (the authors' code); "transposed": columns / rows (optax);
    "match_rms_adamw": 0.2 sqrt(max(rows, columns)) (Liu et al. 2025, arXiv 2502.16982, equation 4), ``rms`` for 0.2; "none".
    ``dual_norm``: the step times <M, NS5(M)>, M what NS5 is of (Bernstein & Newhouse 2024, arXiv 2409.20325). ``preconditioning``:
    Boissin et al. 2025, arXiv 2512.04632 ("aol"); Grishina et al. 2025, arXiv 2506.10935 ("schatten"). ``bfloat16``: the iteration's numbers are. ``weight_decay``: decoupled, times lr.
    """
    choice("momentum", momentum, ("ball", "average", "corrected"))
    choice("eps_place", eps_place, ("added", "floor"))
    choice("preconditioning", preconditioning, ("frobenius", "spectral", "aol", "schatten"))
    choice("scale", scale, ("original", "transposed", "match_rms_adamw", "none"))
    w, grad, T = begin(p, gradients, steps)
    rows, columns = w.shape
    factor = {
        "original": math.sqrt(max(1.0, rows / columns)),
        "transposed": math.sqrt(max(1.0, columns / rows)),
        "match_rms_adamw": rms * math.sqrt(max(rows, columns)),
        "none": 1.0,
    }[scale]
    B = np.zeros_like(w)
    path = []
    for t in range(1, T + 1):
        g = grad(t, w)
        eta = rate(lr, t)
        if momentum == "ball":
            B = mu * B + g
            seen = g + mu * B if nesterov else B
        else:
            B = mu * B + (1.0 - mu) * g
            now, ahead = (1.0 - mu**t, 1.0 - mu ** (t + 1)) if momentum == "corrected" else (1.0, 1.0)
            seen = mu * B / ahead + (1.0 - mu) * g / now if nesterov else B / now
        if bfloat16:
            o = newton_schulz(seen, coefficients, ns_steps, eps, eps_place == "floor", to_bfloat16)
        else:
            o = by_singular_values(seen, coefficients, ns_steps, eps, eps_place == "floor", preconditioning)
        if dual_norm:
            o = float(np.sum(seen * o)) * o
        w = w - eta * (factor * o + weight_decay * w)
        path.append(w)
    return finish(path, w)


@silent()
def muon_with_adamw(
    p: Any,
    gradients: Gradients,
    lr: Rate = 2e-2,
    share: float = 0.015,
    beta1: float = 0.9,
    beta2: float = 0.95,
    adamw_eps: float = 1e-10,
    weight_decay: float = 0.0,
    steps: int | None = None,
    **options: Any,
) -> Array:
    """The same post: "Muon should only be used for hidden weight layers", and the rest has AdamW, at ``share`` of the rate.

    ``options``: Muon's. The decay is decoupled in both.
    """
    if np.ndim(p) == 2:
        return muon(p, gradients, lr, weight_decay=weight_decay, steps=steps, **options)
    return adamw(p, gradients, lambda t: share * rate(lr, t), beta1, beta2, adamw_eps, weight_decay, steps)
