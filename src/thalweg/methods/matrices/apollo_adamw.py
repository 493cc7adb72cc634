"""APOLLO: the gradient at rates that Adam would give a random sketch of it."""

from typing import Literal

from thalweg.form.hyper import Count, Decay, Eps, Interval, NonNegative, Positive
from thalweg.form.memory import per_tensor, projected, projector
from thalweg.ops import (
    debias,
    every_kth,
    mean,
    minimum,
    mix,
    norm,
    outside,
    over_debiased_root,
    project,
    ratio,
    short_means,
    sketch,
    sqrt,
    where,
)  # fmt: skip
from thalweg.rule import rule


@rule(lr=1e-2, search=(1e-4, 1e0))
def apollo_adamw(
    g, t, noise, P=projector("rank"), m=projected("rank"), v=projected("rank"), size=per_tensor, *, rank: Count = 256,
    T: Interval = 200, scale: NonNegative = 1.0, per: Literal["channel", "tensor"] = "channel", beta1: Decay = 0.9,
    beta2: Decay = 0.999, eps: Eps = outside(1e-6), limit: Positive = 1.01,
):  # fmt: skip
    """APOLLO (Zhu et al. 2024, arXiv 2412.05270, algorithm 1): gradient descent at rates that Adam would give a sketch of it.

    From galore: the projection is random, and Adam's step in it only tells each channel's rate.
    For matrices, which are a tensor's last two axes: the shorter side is projected on `rank` random directions, drawn anew in
    steps 1, T + 1, 2T + 1, .... The norm of Adam's step in there, over that of the projected gradient, is the rate of each
    channel of the longer side, or of the whole tensor; APOLLO-Mini is `apollo_adamw(rank=1, per="tensor", scale=128.0)`. From
    step to step a direction's norm grows by `limit` at most (section 4.3), unless it was 0. The decay: `chain(apollo_adamw(),
    decay(0.01))`. `apollo` is another method.
    """
    P = sketch(noise, P, every_kth(t, T))
    R = project(P, g)
    m = mix(m, R, beta1)
    v = mix(v, R * R, beta2)
    N = over_debiased_root(debias(m, beta1, t), v, beta2, t, eps)
    across = short_means if per == "channel" else mean
    G = scale * sqrt(ratio(across(N * N), across(R * R))) * g
    length = norm(G)
    kept = where(size == 0, length, minimum(length, limit * size))
    return ratio(kept, length) * G, P, m, v, kept
