"""Sophia: momentum over a Hessian diagonal that is estimated every few steps, with clipped steps."""

from thalweg.form.hyper import Decay, Interval, Positive
from thalweg.ops import clip, every_kth, maximum, mix, where
from thalweg.rule import rule


@rule(lr=1e-3, search=(1e-5, 1e-1))
def sophia(
    g, t, curvature, m=0.0, h=0.0, *, beta1: Decay = 0.96, beta2: Decay = 0.99, gamma: Positive = 0.01, eps: Positive = 1e-12,
    k: Interval = 10,
):  # fmt: skip
    """Sophia (Liu, Li, Hall, Liang & Ma 2023, arXiv 2305.14342, algorithm 3, without its weight decay).

    From adahessian: the curvature itself divides, seldom renewed, and each coordinate's step is clipped.
    The curvature is averaged in steps 1, k + 1, 2k + 1, ...; one that is passed in between is ignored. Where the average
    is not above 0, the step is the rate times the sign of the momentum; no step is longer. gamma is the paper's 0.01 for
    Hutchinson's estimate (Sophia-H), which is computed if there is a grad_fn or a value_fn, with random signs (Rademacher's; the
    paper's algorithm 1 draws normal numbers, whose estimate has the same mean and a larger variance). For the estimate of Gauss,
    Newton and Bartlett (Sophia-G) it is 0.05. The algorithm's decay is decoupled, `chain(sophia(), decay(0.2))`.
    Differs from optax: it corrects the momentum for its start at 0, and steps before it averages, so that each curvature is
    of use one step later and the first step is one by signs; it has beta1=0.965, eps=1e-8 and a decay of 1e-4.
    """
    m = mix(m, g, beta1)
    h = where(every_kth(t, k), mix(h, curvature, beta2), h)
    return clip(m / maximum(gamma * h, eps), -1.0, 1.0), m, h
