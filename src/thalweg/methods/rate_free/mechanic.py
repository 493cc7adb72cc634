"""Mechanic: finds the scale of another rule's steps while it runs."""

from typing import Literal

from thalweg.core.stage import chain
from thalweg.form.hyper import Count, Decay, Eps, NonNegative, Positive
from thalweg.form.memory import like_p, numbers
from thalweg.methods.moments.adam import adam
from thalweg.ops import clip, maximum, model_total, outside, ratio, sqrt
from thalweg.rule import recipe, rule


@rule(step=True)
def mechanic(
    g, grad, p, lr, x0=like_p, D=0.0, s=numbers("n"), m=numbers("n"), v=numbers("n"), r=numbers("n"), *,
    s_init: Positive = 1e-8, weight_decay: NonNegative = 1e-2, eps: Positive = 1e-8, n: Count = 6,
    form: Literal["paper", "optax"] = "paper",
):  # fmt: skip
    """Mechanic (Cutkosky, Defazio & Mehta 2023, arXiv 2306.00144, algorithm 1): tunes the rate of the rule in front of it.

    Usage: `chain(adam(), mechanic())` with lr=1 or a schedule. D is the sum of the steps of the rule in front, each lr times its
    direction, and the parameter is x0 + S D with the first point x0. S is the sum of n scales. Each is computed from a sum of the
    products <grad, D> with its own decay, 1 - 0.1^i; `weight_decay` enters these products only. m is the decaying
    maximum of |<grad, D>| + eps, as in optax; the paper takes <grad, D>, which is below 0 while D leads downhill, so that all
    scales would stay 0. The authors' own code has no eps there, and starts m at 1e-6 instead.
    form="optax": a product is clipped to the previous m, and r may be below 0, where the paper and the authors' code have
    max(0, r).
    Differs from optax: it has s_init=1e-6, and (p - x0) / (S + eps) in place of D.
    """
    S = sum(s[1:], s[0])
    pull = ratio(weight_decay * S * sqrt(model_total(grad * grad)), sqrt(model_total(p * p)))
    h = -model_total(D * (grad + pull * p))
    D = D - lr * g
    betas = [1 - 0.1 ** (i + 1) for i in range(n)]
    seen = [clip(h, -m_i, m_i) for m_i in m] if form == "optax" else [h] * n
    m = tuple(maximum(beta * m_i, abs(h) + eps) for beta, m_i in zip(betas, m, strict=True))
    v = tuple(beta * beta * v_i + h * h for beta, v_i in zip(betas, v, strict=True))
    r = tuple(beta * r_i + s_i * h_i for beta, r_i, s_i, h_i in zip(betas, r, s, seen, strict=True))
    r = r if form == "optax" else tuple(maximum(r_i, 0.0) for r_i in r)
    s = tuple((s_init / n * m_i + maximum(r_i, 0.0)) / (sqrt(v_i) + eps) for m_i, v_i, r_i in zip(m, v, r, strict=True))
    return p - x0 - sum(s[1:], s[0]) * D, x0, D, s, m, v, r


@recipe(lr=1.0, search=(1e-2, 1e2))
def mechanic_adam(
    *,
    beta1: Decay = 0.9,
    beta2: Decay = 0.999,
    eps: Eps = outside(1e-8),
    s_init: Positive = 1e-8,
    weight_decay: NonNegative = 1e-2,
):
    """Mechanic on Adam (Cutkosky, Defazio & Mehta 2023, arXiv 2306.00144, algorithm 1): Adam at a rate that it finds by itself.

    From adam: an online learner of one number, the scale of all steps, finds the rate.
    weight_decay is Mechanic's. For any other rule, write `chain(rule(), mechanic())`.
    """
    return chain(adam(beta1, beta2, eps), mechanic(s_init, weight_decay))
